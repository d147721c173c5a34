/* Of the bandwidth estimate: at what rate packets arrived. The lesser of the rate they were sent at
 * and the rate they came at, robust against one long gap. Zero-initialise. */
#ifndef RTP_BWE_ACKED_H
#define RTP_BWE_ACKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A reported packet; the arrival is on the receiver's clock, unwrapped. */
struct rtp_bwe_packet {
    uint64_t sent_us, arrival_us;
    uint32_t bytes;
    uint8_t probe_id;
};

enum {
    RTP_BWE_ACKED_WINDOW_US = 500000,
    RTP_BWE_ACKED_SHORT_US = 100000,
    RTP_BWE_ACKED_BINS = 128,
};

/* Packets that arrived within a few milliseconds; times are low halves. */
struct rtp_bwe_acked_bin {
    uint32_t first_arrival_us, last_arrival_us;
    uint32_t first_sent_us, last_sent_us;
    uint32_t bytes;
    uint32_t packets;
};

struct rtp_bwe_acked {
    /* State. */
    uint64_t newest_us; /* Latest arrival. */
    uint32_t count;     /* Bins in use, */
    uint32_t head;      /* the newest of them. */
    struct rtp_bwe_acked_bin bins[RTP_BWE_ACKED_BINS];
};

/* When packets were sent, the first and the last of them; low halves. */
struct rtp_bwe_acked_span {
    uint32_t first_us, last_us;
};

void rtp_bwe_acked_on_packet(struct rtp_bwe_acked *acked, const struct rtp_bwe_packet *packet);

/* Bits per second over the newest RTP_BWE_ACKED_WINDOW_US of arrivals: at most what was sent. 0
 * when too little is known. */
uint32_t rtp_bwe_acked_bps(const struct rtp_bwe_acked *acked);

/* The same over RTP_BWE_ACKED_SHORT_US, and as it arrived, however slowly it had been sent: while
 * there is a queue, what the link carries. */
uint32_t rtp_bwe_acked_recent_bps(const struct rtp_bwe_acked *acked);

/* When the packets were sent that arrived over such a time; false: none did. */
bool rtp_bwe_acked_sent_span(const struct rtp_bwe_acked *acked, uint32_t window_us,
                             struct rtp_bwe_acked_span *out);

#endif
