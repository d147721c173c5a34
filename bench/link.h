/* One direction of a network path, without any network: says when a datagram that is sent now
 * arrives, if it does. */
#ifndef BENCH_LINK_H
#define BENCH_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "bench/random.h"

struct bench_link_config {
    uint64_t delay_us;
    uint64_t jitter_us; /* Added at random, up to this; it reorders. */
    uint64_t rate_bps;  /* 0: unlimited. */
    uint64_t queue_us;  /* What would wait longer is lost; only with a rate. */
    uint32_t loss_ppm;
    uint32_t duplicate_ppm;
};

struct bench_link {
    /* Given. */
    struct bench_link_config config;
    /* State. */
    struct bench_random random;
    uint64_t busy_until_us;
    /* Counters. */
    uint64_t sent, lost;
};

void bench_link_init(struct bench_link *link, const struct bench_link_config *config,
                     uint64_t seed);

/* Writes when the copies of a datagram of len bytes arrive and returns how many there are: 0, 1
 * or 2. */
size_t bench_link_send(struct bench_link *link, uint64_t now_us, size_t len,
                       uint64_t arrivals_us[static 2]);

#endif
