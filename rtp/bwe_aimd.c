/* Additive increase, multiplicative decrease, with an estimate of the link's capacity that tells
 * which of the two increases fits. */
#include "rtp/bwe_aimd.h"

#include <math.h>

static const double beta = 0.85, growth_per_s = 1.08;
static const double additive_min_bps = 4000, packet_bits = 1200 * 8, frames_per_s = 30;
/* libwebrtc lets it rise to 1.5 times what arrived. A sender of layers is seldom near its estimate,
 * so it would rise to where the next layer is taken that the link does not carry: 256 changes in
 * ten minutes of a steady link, 96 with 1.1, none with 1. What is beyond is for probes to find out.
 */
static const double acked_factor = 1.0, acked_allowance_bps = 10000;
static const double deviation_min_kbps = 0.4, deviation_max_kbps = 2.5;
static const double saturated_step_bps = 500e3, saturated_factor = 1.2;
static const double capacity_weight = 0.05, capacity_weight_probe = 0.5;

enum {
    RESPONSE_US = 100000, /* What the detector takes, beside the round trip. */
    STEP_MAX_US = 1000000,
    REDUCE_MIN_US = 10000,
    REDUCE_MAX_US = 200000,
};

void rtp_bwe_aimd_init(struct rtp_bwe_aimd *aimd, double start_bps) {
    *aimd = (struct rtp_bwe_aimd){.bps = start_bps, .deviation_kbps = deviation_min_kbps};
}

static double deviation(const struct rtp_bwe_aimd *aimd) {
    return 3 * sqrt(aimd->deviation_kbps * aimd->capacity_kbps);
}

static bool is_above_capacity(const struct rtp_bwe_aimd *aimd, double bps) {
    return aimd->capacity_kbps > 0 && bps / 1000 > aimd->capacity_kbps + deviation(aimd);
}

static bool is_below_capacity(const struct rtp_bwe_aimd *aimd, double bps) {
    return aimd->capacity_kbps > 0 && bps / 1000 < aimd->capacity_kbps - deviation(aimd);
}

static void capacity_note(struct rtp_bwe_aimd *aimd, double bps, double weight) {
    double kbps = bps / 1000;
    if (aimd->capacity_kbps <= 0)
        aimd->capacity_kbps = kbps;
    else
        aimd->capacity_kbps += weight * (kbps - aimd->capacity_kbps);
    double error = aimd->capacity_kbps - kbps;
    double norm = aimd->capacity_kbps > 1 ? aimd->capacity_kbps : 1;
    aimd->deviation_kbps = (1 - weight) * aimd->deviation_kbps + weight * error * error / norm;
    if (aimd->deviation_kbps < deviation_min_kbps)
        aimd->deviation_kbps = deviation_min_kbps;
    if (aimd->deviation_kbps > deviation_max_kbps)
        aimd->deviation_kbps = deviation_max_kbps;
}

/* One packet of the mean size each response time. */
static double additive_per_s(const struct rtp_bwe_aimd *aimd, uint64_t rtt_us) {
    double frame_bits = aimd->bps / frames_per_s;
    double packets = ceil(frame_bits / packet_bits);
    double response_s = 2 * (double)(rtt_us + RESPONSE_US) / 1e6;
    double per_s = frame_bits / (packets > 1 ? packets : 1) / response_s;
    return per_s > additive_min_bps ? per_s : additive_min_bps;
}

static void increase(struct rtp_bwe_aimd *aimd, uint64_t now_us, double acked_bps,
                     uint64_t rtt_us) {
    if (is_above_capacity(aimd, acked_bps))
        aimd->capacity_kbps = 0;
    uint64_t step_us = now_us - aimd->changed_us;
    double step_s = (double)(step_us < STEP_MAX_US ? step_us : STEP_MAX_US) / 1e6;
    double limit_bps = acked_factor * acked_bps + acked_allowance_bps;
    aimd->changed_us = now_us;
    if (acked_bps <= 0 || aimd->bps >= limit_bps)
        return;
    if (aimd->capacity_kbps > 0)
        aimd->bps += additive_per_s(aimd, rtt_us) * step_s;
    else
        aimd->bps *= pow(growth_per_s, step_s);
    if (aimd->bps > limit_bps)
        aimd->bps = limit_bps;
}

/* Whether a round trip has passed since the last decrease, or that was not nearly enough. Where the
 * link is not full nothing shows how far to go: what the last decrease did has to be seen first. */
static bool may_decrease(const struct rtp_bwe_aimd *aimd, uint64_t now_us, double acked_bps,
                         const struct rtp_bwe_path *path, bool is_blind) {
    uint64_t wait_us = path->rtt_us < REDUCE_MIN_US ? REDUCE_MIN_US : path->rtt_us;
    wait_us = wait_us > REDUCE_MAX_US ? REDUCE_MAX_US : wait_us;
    if (is_blind)
        wait_us += RESPONSE_US;
    bool is_far = !is_blind && acked_bps > 0 && acked_bps < aimd->bps / 2;
    return aimd->decreased_us == 0 || now_us - aimd->decreased_us >= wait_us || is_far;
}

/* After a fall of the estimate less is sent, and less arrives: falling to a share of that goes on
 * to the least there is, from 373 to 59 kb/s within 350 ms on a link of 500. */
static void back_off(struct rtp_bwe_aimd *aimd, uint64_t now_us) {
    aimd->bps *= beta;
    aimd->is_known = true;
    aimd->changed_us = now_us;
    aimd->decreased_us = now_us;
}

static void decrease(struct rtp_bwe_aimd *aimd, uint64_t now_us, double acked_bps) {
    double bps = beta * acked_bps;
    if (acked_bps <= 0)
        bps = aimd->bps / 2;
    else if (bps > aimd->bps && aimd->capacity_kbps > 0)
        bps = beta * aimd->capacity_kbps * 1000;
    if (acked_bps > 0) {
        if (is_below_capacity(aimd, acked_bps))
            aimd->capacity_kbps = 0;
        capacity_note(aimd, acked_bps, capacity_weight);
    }
    if (bps < aimd->bps / 2)
        aimd->steep_us = now_us;
    if (bps < aimd->bps)
        aimd->bps = bps;
    aimd->is_known = true;
    aimd->changed_us = now_us;
    aimd->decreased_us = now_us;
}

void rtp_bwe_aimd_update(struct rtp_bwe_aimd *aimd, uint64_t now_us, enum rtp_bwe_usage usage,
                         const struct rtp_bwe_path *path) {
    uint32_t acked_bps = path->acked_bps, recent_bps = path->recent_bps;
    aimd->has_arrived = aimd->has_arrived || acked_bps > 0;
    if (usage == RTP_BWE_OVERUSE) {
        /* While a queue grows, what arrives is what the link carries, at once; half a second is a
         * mixture with what it carried before: after a fall from 3 Mb/s to 500 kb/s the estimate
         * would be too high for 400 ms longer. */
        double bps = recent_bps > 0 && recent_bps < acked_bps ? recent_bps : acked_bps;
        /* A lowest layer of 80 kb/s is too little to measure: halved each time, 150 kb/s became 37
         * on a link of 300 that nothing filled. */
        bool is_blind = path->is_underfed || (bps <= 0 && aimd->has_arrived);
        bool is_due = may_decrease(aimd, now_us, bps, path, is_blind);
        if (is_due && is_blind)
            back_off(aimd, now_us);
        else if (is_due)
            decrease(aimd, now_us, bps);
        aimd->is_rising = false;
    } else if (usage == RTP_BWE_UNDERUSE) {
        aimd->is_rising = false; /* The queue drains: let it. */
        aimd->changed_us = now_us;
    } else {
        if (!aimd->is_rising)
            aimd->changed_us = now_us;
        aimd->is_rising = true;
        increase(aimd, now_us, acked_bps, path->rtt_us);
    }
}

void rtp_bwe_aimd_on_probe(struct rtp_bwe_aimd *aimd, uint64_t now_us,
                           const struct rtp_bwe_probe_result *result) {
    double bps = result->bps, most_bps = aimd->bps + saturated_step_bps;
    if (most_bps < aimd->bps * saturated_factor)
        most_bps = aimd->bps * saturated_factor;
    /* Two who share a link each measure a share as large as their probe was: whoever has more would
     * get more still. With steps of the same size they meet. */
    if (result->is_saturated && bps > most_bps)
        bps = most_bps;
    if (bps <= aimd->bps)
        return;
    aimd->bps = bps;
    aimd->is_known = true;
    aimd->changed_us = now_us;
    capacity_note(aimd, bps, capacity_weight_probe);
}
