/* One direction of a network path, without any network: says when a datagram that is sent now
 * arrives, if it does. A bottleneck with a queue first, then delay, jitter and loss. Several
 * senders may share one. The same seed and the same sends give the same arrivals. */
#ifndef BENCH_LINK_H
#define BENCH_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/random.h"

/* From at_us on the link is like this, until the next step. */
struct bench_link_step {
    uint64_t at_us;
    uint64_t rate_bps; /* 0: unlimited. */
    bool down;         /* An outage: all that is sent is lost. */
};

struct bench_link_config {
    uint64_t delay_us;
    uint64_t jitter_us; /* Added at random, up to this. */
    bool in_order;      /* Jitter does not reorder. */
    uint64_t rate_bps;  /* Before the first step. 0: unlimited. */
    /* What would wait longer, or finds more bytes waiting, is lost; only with a rate. 0
     * queue_bytes: no such limit. */
    uint64_t queue_us;
    uint64_t queue_bytes;
    uint32_t loss_ppm;
    uint32_t duplicate_ppm;
    /* Losses in bursts (Gilbert and Elliott): for each datagram the chance that a burst begins,
     * that it ends, and that a datagram in it is lost. */
    uint32_t burst_begin_ppm, burst_end_ppm, burst_loss_ppm;
    /* Ascending; borrowed for life. */
    const struct bench_link_step *steps;
    size_t step_count;
};

struct bench_link {
    /* Given. */
    struct bench_link_config config;
    /* State. */
    struct bench_random random;
    uint64_t busy_until_us;
    uint64_t last_arrival_us;
    bool in_burst;
    /* Counters. */
    uint64_t sent, lost, overflowed; /* Overflowed are among the lost. */
    uint64_t bytes;                  /* That left the queue. */
};

void bench_link_init(struct bench_link *link, const struct bench_link_config *config,
                     uint64_t seed);

/* Writes when the copies of a datagram of len bytes arrive and returns how many there are: 0, 1
 * or 2. now_us may not go back where there is a rate. */
size_t bench_link_send(struct bench_link *link, uint64_t now_us, size_t len,
                       uint64_t arrivals_us[static 2]);

/* The rate at a time (0: unlimited), and how long a datagram that is sent then waits. */
uint64_t bench_link_rate_bps(const struct bench_link *link, uint64_t now_us);
uint64_t bench_link_wait_us(const struct bench_link *link, uint64_t now_us);

#endif
