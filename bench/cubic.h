/* A bulk download over TCP with CUBIC (RFC 9438), as a model: a window of full-sized segments that
 * goes through a link which others share. It backs off for losses only. */
#ifndef BENCH_CUBIC_H
#define BENCH_CUBIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/link.h"

enum {
    BENCH_CUBIC_SEGMENT = 1500,
    BENCH_CUBIC_WINDOW_MAX = 1024, /* Segments in flight; a power of two. */
};

struct bench_cubic_segment {
    uint64_t sent_us;
    uint64_t known_us; /* When the sender learns what became of it. */
    bool lost;
};

struct bench_cubic {
    /* Given. */
    struct bench_link *link; /* Borrowed for life. */
    uint64_t ack_delay_us;   /* The way back. */
    uint64_t begin_us, end_us;
    /* State. */
    struct bench_cubic_segment flight[BENCH_CUBIC_WINDOW_MAX];
    uint64_t first, next; /* Numbers of the oldest in flight and of the next one. */
    double window;        /* In segments. */
    double threshold;     /* Of slow start. */
    double window_max;    /* Before the last reduction. */
    double window_reno;   /* What Reno would have: the Reno-friendly region. */
    uint64_t epoch_us;    /* When the last reduction was. */
    uint64_t recover;     /* Losses below this number belong to it. */
    uint64_t rtt_us;
    /* Counters. */
    uint64_t delivered_bytes;
};

void bench_cubic_init(struct bench_cubic *flow, struct bench_link *link, uint64_t ack_delay_us,
                      uint64_t begin_us, uint64_t end_us);

/* UINT64_MAX: it is over. */
uint64_t bench_cubic_next_deadline(const struct bench_cubic *flow);
void bench_cubic_on_deadline(struct bench_cubic *flow, uint64_t now_us);

#endif
