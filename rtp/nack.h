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
    uint64_t recovered, given_up;
};

/* Notes that a packet arrived (unwrapped number): opens gaps before it and closes its own. A gap of
 * more than RTP_NACK_MAX_MISSING forgets everything older and returns true: a keyframe is needed.
 */
bool rtp_nack_on_packet(struct rtp_nack *nack, uint64_t now_us, uint64_t seq);

/* Numbers to ask for now, ascending, at most capacity; each is asked again after about an RTT
 * (rtt_us, at least 20 ms), at most RTP_NACK_MAX_TRIES times and for one second. *gave_up is set
 * when a packet was given up in this call. */
size_t rtp_nack_due(struct rtp_nack *nack, uint64_t now_us, uint64_t rtt_us, uint16_t *seqs,
                    size_t capacity, bool *gave_up);

/* When rtp_nack_due will next have something to do, UINT64_MAX for never. */
uint64_t rtp_nack_next_deadline(const struct rtp_nack *nack);

/* Forgets everything older than seq (a keyframe begins there). */
void rtp_nack_forget_before(struct rtp_nack *nack, uint64_t seq);

#endif
