/* Cross traffic at a constant rate: somebody else's stream that does not care. */
#ifndef BENCH_CROSS_H
#define BENCH_CROSS_H

#include <stdint.h>

#include "bench/link.h"

struct bench_cross {
    /* Given. */
    struct bench_link *link; /* Borrowed for life. */
    uint64_t interval_us;
    uint64_t end_us;
    /* State. */
    uint64_t next_us; /* UINT64_MAX: it is over. */
    /* Counters. */
    uint64_t delivered_bytes;
};

enum { BENCH_CROSS_PACKET = 1200 };

static inline void bench_cross_init(struct bench_cross *cross, struct bench_link *link,
                                    uint64_t rate_bps, uint64_t begin_us, uint64_t end_us) {
    *cross = (struct bench_cross){.link = link,
                                  .interval_us = BENCH_CROSS_PACKET * UINT64_C(8000000) / rate_bps,
                                  .end_us = end_us,
                                  .next_us = begin_us};
}

static inline void bench_cross_on_deadline(struct bench_cross *cross, uint64_t now_us) {
    uint64_t arrivals_us[2];
    for (; cross->next_us <= now_us; cross->next_us += cross->interval_us) {
        if (bench_link_send(cross->link, now_us, BENCH_CROSS_PACKET, arrivals_us) > 0)
            cross->delivered_bytes += BENCH_CROSS_PACKET;
        if (cross->next_us >= cross->end_us)
            cross->next_us = UINT64_MAX - cross->interval_us;
    }
}

#endif
