/* What the receiver of one RTP stream counts (RFC 3550 section 6.4, appendix A): loss, jitter,
 * report blocks. */
#ifndef RTP_RECEIVER_H
#define RTP_RECEIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtp/rtcp.h"

/* RFC 3550 appendix A.1: a jump further than this is a restarted source. */
enum { RTP_MAX_DROPOUT = 3000, RTP_MAX_MISORDER = 1500 };

enum rtp_arrival {
    RTP_ARRIVAL_NEW,       /* The newest so far. */
    RTP_ARRIVAL_LATE,      /* Older, fills a gap (reordered or retransmitted). */
    RTP_ARRIVAL_DUPLICATE, /* Seen before, or too old to tell. */
    RTP_ARRIVAL_RESTART,   /* The source jumped: counting began anew with this packet. */
    RTP_ARRIVAL_SUSPECT,   /* A jump not yet confirmed by a second packet: to be dropped. */
};

enum { RTP_RECEIVER_SEEN_BITS = 2048 };

/* Zero-initialised except clock_rate_hz. */
struct rtp_receiver {
    /* Given. */
    uint32_t clock_rate_hz;
    /* State. */
    uint64_t first_seq; /* Unwrapped; of the time since the last restart. */
    uint64_t highest_seq;
    uint64_t seen[RTP_RECEIVER_SEEN_BITS / 64]; /* Which of the newest numbers arrived. */
    uint16_t bad_seq;                           /* Where a jump would continue. */
    bool started;
    bool jumped;           /* bad_seq is set. */
    bool timed;            /* last_transit is set. */
    uint32_t last_transit; /* Arrival less timestamp, in timestamp units modulo 2^32. */
    uint64_t jitter_q4;    /* Scaled by 16 as in appendix A.8. */
    uint32_t last_sr;      /* Middle bits of the newest SR, and when it came. */
    uint64_t last_sr_us;
    uint64_t arrived; /* Since the last restart, duplicates counted, RTX not (RFC 3550). */
    uint64_t expected_prior, arrived_prior; /* At the last report. */
    /* Counters. */
    uint64_t received, received_bytes; /* Without duplicates. */
    uint64_t recovered;                /* Those of them that came by RTX. */
    uint64_t duplicates;
};

/* Counts a packet; *seq64 is its unwrapped number, which goes on rising over restarts (of a suspect
 * packet: where it would be after one). `bytes` is the payload. retransmitted: came by RTX, so it
 * counts neither for the jitter nor as arrived in report blocks (the link did lose it), and does
 * not restart anything. */
enum rtp_arrival rtp_receiver_on_packet(struct rtp_receiver *receiver, uint64_t now_us,
                                        uint16_t seq, uint32_t timestamp, size_t bytes,
                                        bool retransmitted, uint64_t *seq64);

/* Remembers an SR of the source, for LSR and DLSR. */
void rtp_receiver_on_sr(struct rtp_receiver *receiver, uint64_t now_us,
                        const struct rtcp_sender_info *info);

/* Makes a report block and begins the next interval; false when nothing was ever received. */
bool rtp_receiver_report(struct rtp_receiver *receiver, uint64_t now_us, uint32_t ssrc,
                         struct rtcp_report_block *out);

#endif
