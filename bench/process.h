/* What processes use, by /proc: the server that is measured, and the crowd itself. */
#ifndef BENCH_PROCESS_H
#define BENCH_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct bench_usage {
    uint64_t cpu_us;    /* Since it began, of all its threads. */
    uint64_t user_us;   /* Of that outside the kernel, by ticks of 10 ms. */
    uint64_t memory_kb; /* Resident. */
};

/* False: there is no such process. */
bool bench_process_usage(pid_t pid, struct bench_usage *out);

/* What its threads have used since they began: the first so many of them. */
enum { BENCH_THREADS_MAX = 64 };
struct bench_threads {
    size_t count;
    struct {
        pid_t id;
        uint64_t cpu_us;
    } of[BENCH_THREADS_MAX];
};
void bench_process_threads(pid_t pid, struct bench_threads *out);

/* What the busiest one of them used between two looks. */
uint64_t bench_threads_busiest_us(const struct bench_threads *earlier,
                                  const struct bench_threads *later);

/* The process that listens on a TCP port of this network namespace; 0: none is seen. */
pid_t bench_process_listening(uint16_t port);

/* Datagrams that this network namespace's sockets had no room for, so far. */
uint64_t bench_process_udp_dropped(void);

/* The same of a Prometheus text: the sum of a family's samples without histogram buckets; -1: it is
 * not there. */
double bench_metric(const char *text, const char *name);

/* The bound below which so many of 1,000 of a histogram's values between two texts are, in its
 * unit, or the highest one where they are above it; -1: it is not there, or empty. */
double bench_metric_percentile(const char *earlier, const char *later, const char *name,
                               unsigned of_1000);

#endif
