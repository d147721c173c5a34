/* Receives what the floor sends, as the crowd receives what a server sends, and throws it away:
 * without receivers the kernel would answer instead of deliver. */
#ifndef BENCH_DRAIN_H
#define BENCH_DRAIN_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

/* Until *stop. Ports count up from first_port. A negative errno. */
int bench_drain_run(const char *address, uint16_t first_port, size_t count,
                    const volatile sig_atomic_t *stop);

#endif
