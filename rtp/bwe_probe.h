/* Of the bandwidth estimate: short bursts at a higher rate than the estimate, to learn whether the
 * link carries it: which to send when, and what they measured. */
#ifndef RTP_BWE_PROBE_H
#define RTP_BWE_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "rtp/bwe_acked.h"

/* What is to be sent, beyond the media if need be, to learn whether the link carries it. */
struct rtp_bwe_probe {
    uint8_t id; /* For rtp_bwe_on_sent; never 0. */
    uint32_t rate_bps;
    uint32_t bytes; /* At least so many, and at least five packets, spread at that rate. */
};

enum { RTP_BWE_CLUSTERS = 4, RTP_BWE_PROBES_QUEUED = 2 };

/* A probe that was handed out, and what became of its packets. */
struct rtp_bwe_cluster {
    struct rtp_bwe_probe probe; /* id 0: none. */
    uint64_t asked_us;
    uint32_t sent_bytes;
    uint32_t packets, bytes; /* Received. */
    uint64_t first_sent_us, last_sent_us, first_arrival_us, last_arrival_us;
    uint32_t last_sent_bytes, first_arrival_bytes;
};

/* What the planning of probes depends on. */
struct rtp_bwe_outlook {
    double bps, cap_bps; /* The estimate, and what is worth knowing at most. */
    bool is_calm;        /* No queue grows, and loss does not limit. */
    bool is_answered;    /* Feedback has come. */
};

struct rtp_bwe_prober {
    /* State. */
    struct rtp_bwe_cluster clusters[RTP_BWE_CLUSTERS]; /* By id. */
    uint8_t last_id;
    uint32_t queue_bps[RTP_BWE_PROBES_QUEUED];
    uint8_t queued;
    uint64_t begun_us; /* First initial probe; 0: not yet. */
    uint64_t next_us;  /* Of the regular ones. */
    uint64_t interval_us;
    double cap_bps;      /* At the last planning. */
    uint64_t dropped_us; /* When the estimate fell steeply; 0: not lately, */
    double dropped_bps;  /* and from where. */
};

void rtp_bwe_prober_init(struct rtp_bwe_prober *prober);

/* Queues what is due. */
void rtp_bwe_prober_plan(struct rtp_bwe_prober *prober, uint64_t now_us,
                         const struct rtp_bwe_outlook *outlook);

/* The next one, when none is being sent. */
bool rtp_bwe_prober_next(struct rtp_bwe_prober *prober, uint64_t now_us, struct rtp_bwe_probe *out);

/* When the newest one was handed out, 0: none was. */
static inline uint64_t rtp_bwe_prober_asked_us(const struct rtp_bwe_prober *prober) {
    return prober->clusters[prober->last_id % RTP_BWE_CLUSTERS].asked_us;
}

void rtp_bwe_prober_on_sent(struct rtp_bwe_prober *prober, uint8_t id, uint32_t bytes);

/* A packet of a probe was received. */
void rtp_bwe_prober_on_packet(struct rtp_bwe_prober *prober, const struct rtp_bwe_packet *packet);

/* What a probe measured. is_saturated: it came slower than it was sent, so that the rate is the
 * link's, or our share of it while we pushed others aside. */
struct rtp_bwe_probe_result {
    uint32_t bps;
    bool is_saturated;
};

/* The result of a probe that is complete; false: none is. */
bool rtp_bwe_prober_result(struct rtp_bwe_prober *prober, uint64_t now_us, double cap_bps,
                           struct rtp_bwe_probe_result *out);

/* The estimate fell: worth a try, soon, whether that was a mistake. */
void rtp_bwe_prober_on_drop(struct rtp_bwe_prober *prober, uint64_t now_us, double from_bps,
                            double to_bps);

uint64_t rtp_bwe_prober_deadline(const struct rtp_bwe_prober *prober,
                                 const struct rtp_bwe_outlook *outlook);

#endif
