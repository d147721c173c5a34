/* Datagrams that are nobody's, at a rate, to a server's media port: noise, STUN for users that do
 * not exist, handshakes of strangers and media from them. What the server's own clients lose
 * meanwhile is for a crowd beside it to say. */
#ifndef BENCH_JUNK_H
#define BENCH_JUNK_H

#include <signal.h>
#include <stdint.h>

struct bench_junk_config {
    const char *address; /* IPv4. */
    uint16_t port;
    double rate; /* A second. */
    double seconds;
};

struct bench_junk_result {
    uint64_t sent, refused; /* Refused: by the kernel here. */
    double seconds;
};

/* Until the time is over or *stop. A negative errno. */
int bench_junk_run(const struct bench_junk_config *config, const volatile sig_atomic_t *stop,
                   struct bench_junk_result *out);

#endif
