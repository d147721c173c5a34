/* Of the bandwidth estimate: what the losses allow. A link is thought to lose an inherent share of
 * everything, and all that is sent beyond its bandwidth; the bandwidth that makes the observed
 * losses likeliest is the estimate (libwebrtc's LossBasedBweV2). */
#ifndef RTP_BWE_LOSS_H
#define RTP_BWE_LOSS_H

#include <stdbool.h>
#include <stdint.h>

enum { RTP_BWE_LOSS_WINDOW = 15 };

/* What became of the packets of at least 250 ms. */
struct rtp_bwe_loss_observation {
    double bytes, lost_bytes, sent_bps;
};

enum rtp_bwe_loss_state {
    RTP_BWE_LOSS_UNLIMITED, /* The delay decides. */
    RTP_BWE_LOSS_DECREASING,
    RTP_BWE_LOSS_INCREASING,
};

struct rtp_bwe_loss {
    /* State. */
    struct rtp_bwe_loss_observation partial;
    uint64_t partial_first_us, partial_last_us; /* Sent; 0: none yet. */
    struct rtp_bwe_loss_observation window[RTP_BWE_LOSS_WINDOW];
    uint32_t observations;
    double bps, inherent; /* The best candidate; 0 before three observations. */
    enum rtp_bwe_loss_state state;
    double result_bps;
    double limit_bps; /* Growth after a loss is at most to here, for 300 ms. */
    uint64_t limit_us, reduced_us;
    double hold_bps;                 /* After a decrease it stays below this, */
    uint64_t hold_until_us, hold_us; /* for so long, longer each time. */
};

void rtp_bwe_loss_init(struct rtp_bwe_loss *loss, double max_bps);

/* Counts a packet that was reported as received or as lost. */
void rtp_bwe_loss_on_packet(struct rtp_bwe_loss *loss, uint64_t sent_us, uint32_t bytes, bool lost);

/* One that was counted as lost came after all. */
void rtp_bwe_loss_on_late(struct rtp_bwe_loss *loss, uint32_t bytes);

/* The share of the bytes that is lost, newer ones counting more. */
double rtp_bwe_loss_average(const struct rtp_bwe_loss *loss);

/* What the average alone allows at most: above 5 % ever less, whatever a probe shows. */
double rtp_bwe_loss_most(const struct rtp_bwe_loss *loss);

/* What the losses allow, at most delay_bps; called after each feedback. application_limited: what
 * arrived says nothing about the link. */
double rtp_bwe_loss_update(struct rtp_bwe_loss *loss, uint64_t now_us, double delay_bps,
                           double acked_bps, bool application_limited);

/* A probe showed that the link carries so much. */
void rtp_bwe_loss_on_probe(struct rtp_bwe_loss *loss, double bps);

#endif
