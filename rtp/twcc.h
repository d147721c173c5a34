/* Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01):
 * what the receiver of media sends back, built from arrivals, and read again. */
#ifndef RTP_TWCC_H
#define RTP_TWCC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtp/rtcp.h"
#include "rtp/seqnum.h"

enum {
    RTP_TWCC_WINDOW = 1024,   /* Arrivals remembered, in sequence numbers; a power of two. */
    RTP_TWCC_BODY_MAX = 1100, /* Largest feedback body that is built. */
    /* Most numbers of a feedback that is read: with run lengths, 24 bytes could make 65,535 calls.
     */
    RTP_TWCC_REPORTED_MAX = 8192,
};

/* Remembers when each transport sequence number arrived. Zero-initialise. */
struct rtp_twcc_receiver {
    /* State. */
    struct rtp_unwrapper unwrapper;
    uint64_t base; /* First number of the next feedback. */
    uint64_t newest;
    uint8_t feedback_count;
    bool started;
    uint64_t arrival_us[RTP_TWCC_WINDOW]; /* 0: not received; by number modulo the window. */
};

/* Notes an arrival. One that was already reported missing makes the next feedback begin with it
 * again, as libwebrtc does, so that reordering is not taken for loss. Duplicates, and numbers that
 * are the window or more behind, are ignored. */
void rtp_twcc_on_packet(struct rtp_twcc_receiver *receiver, uint64_t now_us, uint16_t seq);

/* How many numbers wait to be reported (received or missing). */
size_t rtp_twcc_pending(const struct rtp_twcc_receiver *receiver);

/* Writes the body of one feedback (behind the SSRCs, for rtcp_append_feedback with RTCP_FMT_TWCC)
 * to out of capacity >= 64 bytes and moves on; returns its length, a multiple of 4, 0 when nothing
 * is pending. Call again while pending. */
size_t rtp_twcc_feedback_write(struct rtp_twcc_receiver *receiver, uint8_t *out, size_t capacity);

/* One reported packet. */
struct rtp_twcc_arrival {
    uint16_t seq;
    bool received;
    int64_t arrival_us; /* On the receiver's clock, whose base time has 24 bits of 64 ms (unwrapping
                           is the caller's); 0 when not received. */
};

/* Reads a feedback packet: calls on_arrival for each reported number in order and returns how many
 * there were, or -EBADMSG without any call when it is malformed or has more
 * than RTP_TWCC_REPORTED_MAX. */
int rtp_twcc_feedback_parse(const struct rtcp_packet *packet,
                            void (*on_arrival)(void *ctx, const struct rtp_twcc_arrival *arrival),
                            void *ctx);

#endif
