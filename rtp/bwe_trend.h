/* Of the bandwidth estimate: is a queue growing? Groups of packets, the trend of their delay, and a
 * threshold that adapts (draft-ietf-rmcat-gcc-02 sections 5.2 to 5.4, with libwebrtc's trendline in
 * place of the Kalman filter). */
#ifndef RTP_BWE_TREND_H
#define RTP_BWE_TREND_H

#include <stdbool.h>
#include <stdint.h>

#include "rtp/bwe_acked.h"

enum rtp_bwe_usage { RTP_BWE_NORMAL, RTP_BWE_OVERUSE, RTP_BWE_UNDERUSE };

enum { RTP_BWE_TREND_SAMPLES = 20 };

/* Packets that were sent, or came, in one burst. */
struct rtp_bwe_group {
    uint64_t first_sent_us, last_sent_us;
    uint64_t first_arrival_us, last_arrival_us;
    uint32_t bytes;  /* 0: no packet yet. */
    double queue_us; /* That our own sending explains, behind its last packet. */
};

/* The course of a delay: the sum of its gradients, smoothed. */
struct rtp_bwe_line {
    double delay_ms, smoothed_ms;
    double raw_ms[RTP_BWE_TREND_SAMPLES], delays_ms[RTP_BWE_TREND_SAMPLES]; /* Before, after. */
};

struct rtp_bwe_trend {
    /* State. */
    enum rtp_bwe_usage usage;
    struct rtp_bwe_group current, previous;
    double queue_us; /* What our own sending explains, at queue_at_us of the sender's clock. */
    uint64_t queue_at_us;
    uint8_t reordered; /* Groups in a row that came before their predecessor. */
    uint64_t begun_us; /* Arrival that the samples' times count from. */
    uint32_t deltas;   /* Samples since then, at most 1,000. */
    double arrival_ms[RTP_BWE_TREND_SAMPLES];
    struct rtp_bwe_line measured, unexplained; /* All of the delay; less what our bursts explain. */
    double slope, trend_ms;                    /* The lesser slope; scaled as the threshold is. */
    double base_ms, next_base_ms;              /* Least delay lately, and since base_us. */
    uint64_t base_us, short_us;                /* When the queue was short for the last time. */
    double threshold_ms;
    uint64_t threshold_us; /* When it last adapted. */
    double over_ms;        /* How long the trend has been above it; negative: not. */
    uint32_t over_count;
};

void rtp_bwe_trend_init(struct rtp_bwe_trend *trend);

/* Forgets the past, but for the threshold: after a silence. */
void rtp_bwe_trend_reset(struct rtp_bwe_trend *trend);

/* Takes the next packet in the order of sending. `bps` is what the link is believed to carry: a
 * queue that our own burst above it explains is no sign of overuse. */
void rtp_bwe_trend_on_packet(struct rtp_bwe_trend *trend, const struct rtp_bwe_packet *packet,
                             uint32_t bps);

/* One that was lost: it may have waited in the queue like the others. */
void rtp_bwe_trend_on_lost(struct rtp_bwe_trend *trend, uint64_t sent_us, uint32_t bytes,
                           uint32_t bps);

/* The feedback is read: looks at the last group too, though it may not be whole. */
void rtp_bwe_trend_on_feedback_end(struct rtp_bwe_trend *trend);

/* How long a packet waits in the queue now: its delay beyond the least of the last seconds. */
double rtp_bwe_trend_queue_ms(const struct rtp_bwe_trend *trend);

#endif
