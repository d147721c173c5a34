/* Sequence numbers and timestamps: wrapping comparison (RFC 1982 arithmetic) and unwrapping to 64
 * bits. */
#ifndef RTP_SEQNUM_H
#define RTP_SEQNUM_H

#include <stdbool.h>
#include <stdint.h>

/* Whether a is ahead of b by less than half the number space. */
static inline bool rtp_seq_newer(uint16_t a, uint16_t b) {
    return a != b && (uint16_t)(a - b) < 0x8000;
}

static inline bool rtp_timestamp_newer(uint32_t a, uint32_t b) {
    return a != b && (uint32_t)(a - b) < 0x80000000u;
}

/* Signed distance from b to a. */
static inline int16_t rtp_seq_distance(uint16_t a, uint16_t b) {
    return (int16_t)(uint16_t)(a - b);
}

/* Maps 16-bit numbers to 64-bit ones that do not wrap. Zero-initialise. */
struct rtp_unwrapper {
    /* State. */
    uint64_t last; /* The newest number, unwrapped. */
    bool started;
};

/* The unwrapped number nearest to the newest one seen; the first one starts at 65536 + seq, so that
 * older ones do not go below zero. Does not change the state. */
uint64_t rtp_unwrapper_peek(const struct rtp_unwrapper *unwrapper, uint16_t seq);

/* The same, and remembers it when it is the newest. */
uint64_t rtp_unwrapper_unwrap(struct rtp_unwrapper *unwrapper, uint16_t seq);

#endif
