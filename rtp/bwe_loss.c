/* Maximum likelihood over the newest observations, then the bounds that keep it from running ahead
 * of what was proven. */
#include "rtp/bwe_loss.h"

#include <math.h>

enum {
    OBSERVATION_US = 250000,
    OBSERVATIONS_MIN = 3,
    LIMIT_US = 300000,
    HOLD_MIN_US = 300000,
    HOLD_MAX_US = 60000000,
    CANDIDATES_MAX = 5,
};

static const double temporal_weight = 0.9;
static const double candidate_factors[] = {1.02, 1.0, 0.95};
static const double inherent_begin = 0.01, inherent_min = 1e-3;
static const double inherent_max_offset = 0.05, inherent_max_balance_bps = 100e3;
static const double newton_step = 0.75;
static const double bias_per_kbps = 0.0002, bias_per_log_kbps = 0.02;
static const double bias_loss_max = 0.2, bias_smoothing = 0.002;
static const double instant_offset = 0.05, instant_balance_bps = 100e3;
static const double ramp_up = 1.5, ramp_up_in_hold = 1.2, hold_threshold = 1.3;
static const double increase_max = 1.3;

struct candidate {
    double bps, inherent;
};

void rtp_bwe_loss_init(struct rtp_bwe_loss *loss, double max_bps) {
    *loss = (struct rtp_bwe_loss){.inherent = inherent_begin,
                                  .limit_bps = max_bps,
                                  .hold_bps = max_bps,
                                  .hold_us = HOLD_MIN_US};
}

void rtp_bwe_loss_on_packet(struct rtp_bwe_loss *loss, uint64_t sent_us, uint32_t bytes,
                            bool lost) {
    if (loss->partial_first_us == 0)
        loss->partial_first_us = sent_us;
    if (sent_us > loss->partial_last_us)
        loss->partial_last_us = sent_us;
    loss->partial.bytes += bytes;
    if (lost)
        loss->partial.lost_bytes += bytes;
}

void rtp_bwe_loss_on_late(struct rtp_bwe_loss *loss, uint32_t bytes) {
    struct rtp_bwe_loss_observation *partial = &loss->partial;
    if (partial->lost_bytes < bytes && loss->observations > 0)
        partial = &loss->window[(loss->observations - 1) % RTP_BWE_LOSS_WINDOW];
    partial->lost_bytes = partial->lost_bytes > bytes ? partial->lost_bytes - bytes : 0;
}

/* Ends the observation when it is long enough. */
static bool observation_end(struct rtp_bwe_loss *loss) {
    uint64_t length_us = loss->partial_last_us - loss->partial_first_us;
    if (loss->partial_first_us == 0 || length_us < OBSERVATION_US)
        return false;
    loss->partial.sent_bps = loss->partial.bytes * 8e6 / (double)length_us;
    loss->window[loss->observations++ % RTP_BWE_LOSS_WINDOW] = loss->partial;
    loss->partial = (struct rtp_bwe_loss_observation){0};
    loss->partial_first_us = loss->partial_last_us;
    return true;
}

static uint32_t observation_count(const struct rtp_bwe_loss *loss) {
    return loss->observations < RTP_BWE_LOSS_WINDOW ? loss->observations : RTP_BWE_LOSS_WINDOW;
}

/* By age, 0 is the newest. */
static const struct rtp_bwe_loss_observation *observation_at(const struct rtp_bwe_loss *loss,
                                                             uint32_t age) {
    return &loss->window[(loss->observations - 1 - age) % RTP_BWE_LOSS_WINDOW];
}

double rtp_bwe_loss_average(const struct rtp_bwe_loss *loss) {
    double bytes = 0, lost = 0, weight = 1;
    double worst = -1, worst_bytes = 0, worst_lost = 0, best = 2, best_bytes = 0, best_lost = 0;
    uint32_t count = observation_count(loss);
    for (uint32_t age = 0; age < count; age++, weight *= temporal_weight) {
        const struct rtp_bwe_loss_observation *seen = observation_at(loss, age);
        double share = seen->bytes > 0 ? seen->lost_bytes / seen->bytes : 0;
        bytes += weight * seen->bytes;
        lost += weight * seen->lost_bytes;
        if (share > worst) {
            worst = share;
            worst_bytes = weight * seen->bytes;
            worst_lost = weight * seen->lost_bytes;
        }
        if (share < best) {
            best = share;
            best_bytes = weight * seen->bytes;
            best_lost = weight * seen->lost_bytes;
        }
    }
    if (count > OBSERVATIONS_MIN) { /* One burst is not the rule. */
        bytes -= worst_bytes + best_bytes;
        lost -= worst_lost + best_lost;
    }
    return bytes > 0 && lost > 0 ? lost / bytes : 0;
}

static double probability(const struct candidate *candidate, double sent_bps, double *over) {
    *over = sent_bps > candidate->bps ? (sent_bps - candidate->bps) / sent_bps : 0;
    double p = candidate->inherent + (1 - candidate->inherent) * *over;
    return p < 1e-6 ? 1e-6 : p > 1 - 1e-6 ? 1 - 1e-6 : p;
}

/* Of the remaining bandwidth's likelihood the derivative by the inherent loss is brought nearer to
 * zero by one step of Newton's method. */
static void inherent_refine(const struct rtp_bwe_loss *loss, struct candidate *candidate) {
    double first = 0, second = 0, weight = 1, over;
    uint32_t count = observation_count(loss);
    for (uint32_t age = 0; age < count; age++, weight *= temporal_weight) {
        const struct rtp_bwe_loss_observation *seen = observation_at(loss, age);
        double p = probability(candidate, seen->sent_bps, &over);
        double lost = seen->lost_bytes / 1000, kept = (seen->bytes - seen->lost_bytes) / 1000;
        first += weight * (1 - over) * (lost / p - kept / (1 - p));
        second -= weight * (1 - over) * (1 - over) * (lost / (p * p) + kept / ((1 - p) * (1 - p)));
    }
    if (second < 0)
        candidate->inherent -= newton_step * first / second;
    double max = inherent_max_offset + inherent_max_balance_bps / candidate->bps;
    if (candidate->inherent > max)
        candidate->inherent = max;
    if (candidate->inherent > 1)
        candidate->inherent = 1;
    if (candidate->inherent < inherent_min)
        candidate->inherent = inherent_min;
}

/* More is better, as long as the losses are few. libwebrtc prefers less where they are many, even
 * where sending less does not lose less: with 30 % of random loss that ended at the least rate
 * there is. */
static double bias(double bps, double average) {
    double distance = bias_loss_max - average;
    double scale = distance > 0 ? distance / (bias_smoothing + distance) : 0;
    return scale * (bias_per_kbps * bps / 1000 + bias_per_log_kbps * log(1 + bps / 1000));
}

static double objective(const struct rtp_bwe_loss *loss, const struct candidate *candidate,
                        double average) {
    double sum = 0, weight = 1, over, more = bias(candidate->bps, average);
    uint32_t count = observation_count(loss);
    for (uint32_t age = 0; age < count; age++, weight *= temporal_weight) {
        const struct rtp_bwe_loss_observation *seen = observation_at(loss, age);
        double p = probability(candidate, seen->sent_bps, &over);
        double lost = seen->lost_bytes / 1000, kept = (seen->bytes - seen->lost_bytes) / 1000;
        sum += weight * (lost * log(p) + kept * log(1 - p) + more * (lost + kept));
    }
    return sum;
}

static struct candidate best_of(const struct rtp_bwe_loss *loss, double delay_bps, double acked_bps,
                                double average, bool application_limited) {
    double rates[CANDIDATES_MAX];
    int count = 0;
    for (int i = 0; i < 3; i++)
        rates[count++] = loss->bps * candidate_factors[i];
    if (acked_bps > 0 && !application_limited)
        rates[count++] = acked_bps;
    if (delay_bps > loss->bps)
        rates[count++] = delay_bps;
    bool limited = loss->state != RTP_BWE_LOSS_UNLIMITED;
    double ceiling_bps = limited && loss->limit_bps > loss->bps ? loss->limit_bps : loss->bps;
    struct candidate best = {0};
    double best_objective = 0;
    for (int i = 0; i < count; i++) {
        struct candidate candidate = {rates[i], loss->inherent};
        if (limited && candidate.bps > ceiling_bps)
            candidate.bps = ceiling_bps;
        inherent_refine(loss, &candidate);
        double value = objective(loss, &candidate, average);
        if (best.bps <= 0 || value > best_objective) {
            best = candidate;
            best_objective = value;
        }
    }
    return best;
}

/* No rise while more is lost than is inherent, none far beyond what arrived. */
static void restrain(const struct rtp_bwe_loss *loss, uint64_t now_us, double acked_bps,
                     double average, struct candidate *best) {
    if (average > best->inherent && best->bps > loss->bps)
        best->bps = loss->bps;
    if (loss->state == RTP_BWE_LOSS_UNLIMITED || best->bps < loss->bps)
        return;
    if (now_us < loss->reduced_us + LIMIT_US && best->bps > loss->limit_bps)
        best->bps = loss->limit_bps > loss->bps ? loss->limit_bps : loss->bps;
    if (acked_bps > 0) {
        bool held = acked_bps < loss->hold_bps * hold_threshold;
        double most_bps = (held ? ramp_up_in_hold : ramp_up) * acked_bps;
        if (best->bps > most_bps)
            best->bps = most_bps > loss->bps ? most_bps : loss->bps;
    }
}

static double instant_max(double average) {
    double over = average - instant_offset;
    return over > 0 ? instant_balance_bps / over : 1e12;
}

double rtp_bwe_loss_most(const struct rtp_bwe_loss *loss) {
    return instant_max(rtp_bwe_loss_average(loss));
}

static void state_set(struct rtp_bwe_loss *loss, uint64_t now_us, double bps, double delay_bps) {
    bool limited = loss->state != RTP_BWE_LOSS_UNLIMITED;
    if (loss->state == RTP_BWE_LOSS_DECREASING && now_us < loss->hold_until_us && bps < delay_bps) {
        loss->result_bps = bps < loss->hold_bps ? bps : loss->hold_bps;
        return;
    }
    bool rises = bps > loss->result_bps ||
                 (bps >= loss->result_bps && loss->state == RTP_BWE_LOSS_INCREASING);
    if (bps >= delay_bps) {
        loss->state = RTP_BWE_LOSS_UNLIMITED;
        loss->hold_us = HOLD_MIN_US;
        loss->hold_bps = loss->limit_bps = 1e12;
    } else if (limited && rises) {
        loss->state = RTP_BWE_LOSS_INCREASING;
    } else {
        if (loss->state != RTP_BWE_LOSS_DECREASING) {
            loss->hold_until_us = now_us + loss->hold_us;
            loss->hold_us = loss->hold_us < HOLD_MAX_US / 2 ? loss->hold_us * 2 : HOLD_MAX_US;
            loss->hold_bps = bps;
        }
        loss->state = RTP_BWE_LOSS_DECREASING;
    }
    loss->result_bps = bps;
}

static void estimate(struct rtp_bwe_loss *loss, uint64_t now_us, double delay_bps, double acked_bps,
                     bool application_limited) {
    if (loss->bps <= 0)
        loss->bps = loss->result_bps = delay_bps;
    double average = rtp_bwe_loss_average(loss);
    struct candidate best = best_of(loss, delay_bps, acked_bps, average, application_limited);
    if (best.bps < loss->bps)
        loss->reduced_us = now_us;
    restrain(loss, now_us, acked_bps, average, &best);
    double bps = best.bps, most_bps = instant_max(average);
    bps = bps > most_bps ? most_bps : bps;
    bps = bps > delay_bps ? delay_bps : bps;
    bps = bps < acked_bps ? acked_bps : bps;
    loss->bps = bps;
    loss->inherent = best.inherent;
    state_set(loss, now_us, bps, delay_bps);
    if (loss->state != RTP_BWE_LOSS_UNLIMITED && now_us >= loss->limit_us + LIMIT_US) {
        loss->limit_bps = loss->bps * increase_max;
        loss->limit_us = now_us;
    }
}

double rtp_bwe_loss_update(struct rtp_bwe_loss *loss, uint64_t now_us, double delay_bps,
                           double acked_bps, bool application_limited) {
    if (observation_end(loss) && loss->observations >= OBSERVATIONS_MIN)
        estimate(loss, now_us, delay_bps, acked_bps, application_limited);
    bool limits = loss->state != RTP_BWE_LOSS_UNLIMITED && loss->result_bps < delay_bps;
    return limits ? loss->result_bps : delay_bps;
}

void rtp_bwe_loss_on_probe(struct rtp_bwe_loss *loss, double bps) {
    double most_bps = rtp_bwe_loss_most(loss);
    bps = bps < most_bps ? bps : most_bps;
    if (loss->bps > 0 && loss->bps < bps)
        loss->bps = bps;
    if (loss->result_bps < bps)
        loss->result_bps = bps;
}
