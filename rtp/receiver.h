/* What the receiver of one RTP stream counts (RFC 3550 section 6.4, appendix A): loss, jitter,
 * report blocks. */
#ifndef RTP_RECEIVER_H
#define RTP_RECEIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "rtp/rtcp.h"
#include "rtp/seqnum.h"

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
    struct rtp_unwrapper unwrapper;
    uint64_t first_seq; /* Unwrapped. */
    uint64_t highest_seq;
    uint64_t seen[RTP_RECEIVER_SEEN_BITS / 64]; /* Which of the newest numbers arrived. */
    uint16_t bad_seq;                           /* Where a jump would continue. */
    bool started;
    bool jumped;
    int64_t last_transit; /* In timestamp units. */
    uint64_t jitter_q4;   /* Scaled by 16 as in appendix A.8. */
    uint32_t last_sr;     /* Middle bits of the newest SR, and when it came. */
    uint64_t last_sr_us;
    /* Counters. */
    uint64_t received, received_bytes, duplicates;
    uint64_t expected_prior, received_prior; /* At the last report. */
};

/* Counts a packet; *seq64 is its unwrapped number. `bytes` is the payload. retransmitted: came by
 * RTX, so it does not count for the jitter. */
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
