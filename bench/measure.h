/* Looks at the server, the crowd and this machine at the two ends of a window, and tells them
 * apart. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include "bench/crowd.h"
#include "bench/http.h"
#include "bench/results.h"

/* One look. */
struct bench_look {
    uint64_t at_us;
    struct bench_tally tally;
    struct bench_usage server;
    struct bench_threads threads; /* Of the server, at the ends of a window. */
    uint64_t crowd_cpu_us;
    uint64_t datagrams_in;
    uint64_t ticks, late_ticks, dropped;
    char *metrics; /* Owned; NULL: not there (yet). */
    struct bench_exchange *exchange;
};

struct bench_measure {
    /* Given. */
    const struct bench_plan *plan;
    const struct bench_crowd *crowd;
    struct bench_http *http;
    /* State. */
    pid_t pid;                        /* 0: not known. */
    char metrics_url[512];            /* "": none. */
    struct bench_usage alone;         /* The server before anybody came. */
    struct bench_look earlier, later; /* Of the window. */
    struct bench_look second;         /* Of the last sample. */
};

/* port: where the server's signaling listens. */
void bench_measure_init(struct bench_measure *measure, const struct bench_plan *plan,
                        const struct bench_crowd *crowd, struct bench_http *http, uint16_t port);
void bench_measure_deinit(struct bench_measure *measure);

/* What the server is called. */
void bench_measure_server(const struct bench_measure *measure, char out[static BENCH_NAME_MAX]);

/* Begins and ends a window; tally: of everybody so far. What /metrics says comes a little later. */
void bench_measure_begin(struct bench_measure *measure, const struct bench_tally *tally);
void bench_measure_end(struct bench_measure *measure, const struct bench_tally *tally);

/* Whether /metrics of both ends has come, or does not come. */
bool bench_measure_is_complete(const struct bench_measure *measure);

/* Compares both ends. clients: connected at the end. */
void bench_measure_compare(const struct bench_measure *measure, size_t clients, size_t watching,
                           struct bench_window *out);

/* The time since the last sample; tally: of some, for loss and delay. */
void bench_measure_sample(struct bench_measure *measure, const struct bench_tally *tally,
                          size_t clients, struct bench_sample *out);

#endif
