/* How many bits a second something has been lately: a window that slides over the newest second, or
 * another length, in ten buckets. */
#ifndef RTP_RATE_H
#define RTP_RATE_H

#include <stddef.h>
#include <stdint.h>

/* Ten buckets: what leaves the window at once is a tenth of it. */
enum { RTP_RATE_BUCKETS = 10, RTP_RATE_BUCKET_MS = 100 };

/* All zero: a window of one second. */
struct rtp_rate {
    /* Given. */
    uint16_t bucket_ms; /* A tenth of the window; 0: RTP_RATE_BUCKET_MS. */
    /* State: buckets are numbered from time 0. */
    uint16_t first_offset_ms; /* Where in the first bucket the bytes began. */
    uint32_t total;           /* Of the buckets. */
    uint64_t first;           /* Since when bytes come without a gap as long as the window. */
    uint64_t newest;
    uint32_t bytes[RTP_RATE_BUCKETS]; /* By number modulo RTP_RATE_BUCKETS. */
};

_Static_assert(sizeof(struct rtp_rate) == 64, "a layer's rate is one line of the cache");

/* Counts bytes that came now. Times that go back count as the newest. */
void rtp_rate_on_bytes(struct rtp_rate *rate, uint64_t now_us, size_t bytes);

/* The mean over the window; since the first bytes, at least one bucket long, as long as that is
 * less; 0 when nothing came within the window. */
uint32_t rtp_rate_bps(const struct rtp_rate *rate, uint64_t now_us);

#endif
