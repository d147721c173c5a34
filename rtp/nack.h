/* Which packets of a stream to ask for again (RFC 4585 section 6.2.1): the gaps, when to ask for
 * each, when to give up. */
#ifndef RTP_NACK_H
#define RTP_NACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RTP_NACK_MAX_MISSING = 256, /* Beyond this the oldest are given up. */
    RTP_NACK_MAX_TRIES = 10,
    RTP_NACK_GRACE_US = 10000,     /* For reordered packets, before the first request. */
    RTP_NACK_MIN_RETRY_US = 20000, /* Between two requests, however short the RTT. */
    RTP_NACK_MAX_AGE_US = 1000000, /* No decoder waits longer. */
};

struct rtp_nack_entry {
    uint64_t seq;
    uint64_t ask_at_us;
    uint64_t missed_at_us;
    uint8_t tries;
};

/* Zero-initialise. */
struct rtp_nack {
    /* State. */
    uint64_t newest;
    bool started;
    uint16_t count;
    struct rtp_nack_entry missing[RTP_NACK_MAX_MISSING]; /* Ascending by seq. */
    /* Counters. */
    uint64_t recovered; /* Arrived after they were asked for. */
    uint64_t given_up;
};

/* Notes that a packet arrived (unwrapped number): opens gaps before it and closes its own. Returns
 * true when packets were given up for it, so that a keyframe is needed: a gap of more than
 * RTP_NACK_MAX_MISSING forgets everything older, a smaller one pushes out the oldest. */
bool rtp_nack_on_packet(struct rtp_nack *nack, uint64_t now_us, uint64_t seq);

/* Numbers to ask for now, ascending, at most capacity; each is asked again after an RTT (rtt_us),
 * then after every half of one (at least RTP_NACK_MIN_RETRY_US), at most RTP_NACK_MAX_TRIES times
 * and for RTP_NACK_MAX_AGE_US. *gave_up says whether a packet was given up in this call. */
size_t rtp_nack_due(struct rtp_nack *nack, uint64_t now_us, uint64_t rtt_us, uint16_t *seqs,
                    size_t capacity, bool *gave_up);

/* When rtp_nack_due will next have something to do, UINT64_MAX for never. */
uint64_t rtp_nack_next_deadline(const struct rtp_nack *nack);

#endif
