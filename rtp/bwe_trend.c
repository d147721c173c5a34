/* The delay gradient. An SFU has no pacer: a publisher's keyframe passes at two or three times the
 * mean rate, and fills the subscriber's queue for a moment though the link carries the stream well.
 * So the queue that our own bytes make at the estimated rate is reckoned along, and what it
 * explains of a gradient is taken off before the trend is drawn. */
#include "rtp/bwe_trend.h"

#include <string.h>

enum {
    GROUP_US = 5000,
    BURST_US = 100000, /* Longest group of packets that came together. */
    REORDERED_MAX = 3,
    DELTAS_MAX = 1000,
    DELTAS_COUNTED = 60,
    QUEUE_MAX_US = 150000, /* More than this is no burst but too much. */
    OVERUSE_MS = 10,
    DRAIN_SAMPLES = 3,
    BASE_US = 5000000,
    LONG_QUEUE_US = 1500000,
};

static const double clock_jump_ms = 3000; /* One of the clocks was set: begin anew. */
static const double smoothing = 0.9, gain = 4.0;
/* libwebrtc goes down to 6 ms. As the trend here is without what our own bursts explain, it is
 * mostly near nothing and the threshold at its least; with 6 a loss-based flow left us 29 % of a
 * link with a queue of 300 ms, with 12.5 it is 43 %, and a fall of the rate is seen as soon. */
static const double threshold_min_ms = 12.5, threshold_max_ms = 600, threshold_begin_ms = 12.5;
static const double threshold_up = 0.0087, threshold_down = 0.039;
static const double threshold_step_max_ms = 100, outlier_ms = 15, jump_ms = 50, drain_ms = 5;
static const double long_queue_ms = 80, long_queue_factor = 0.5;

void rtp_bwe_trend_init(struct rtp_bwe_trend *trend) {
    *trend = (struct rtp_bwe_trend){.threshold_ms = threshold_begin_ms, .over_ms = -1};
}

void rtp_bwe_trend_reset(struct rtp_bwe_trend *trend) {
    double threshold_ms = trend->threshold_ms;
    rtp_bwe_trend_init(trend);
    trend->threshold_ms = threshold_ms;
}

static double slope_of(const struct rtp_bwe_trend *trend, const struct rtp_bwe_line *line) {
    double mean_x = 0, mean_y = 0, above = 0, below = 0;
    for (int i = 0; i < RTP_BWE_TREND_SAMPLES; i++) {
        mean_x += trend->arrival_ms[i] / RTP_BWE_TREND_SAMPLES;
        mean_y += line->delays_ms[i] / RTP_BWE_TREND_SAMPLES;
    }
    for (int i = 0; i < RTP_BWE_TREND_SAMPLES; i++) {
        double x = trend->arrival_ms[i] - mean_x;
        above += x * (line->delays_ms[i] - mean_y);
        below += x * x;
    }
    return below > 0 ? above / below : 0;
}

static void threshold_adapt(struct rtp_bwe_trend *trend, uint64_t now_us) {
    double magnitude = trend->trend_ms < 0 ? -trend->trend_ms : trend->trend_ms;
    double step_ms = trend->threshold_us != 0 && now_us > trend->threshold_us
                         ? (double)(now_us - trend->threshold_us) / 1000
                         : 0;
    trend->threshold_us = now_us;
    if (magnitude > trend->threshold_ms + outlier_ms)
        return; /* A sudden jump, of a route or of a rate, is not to be got used to. */
    if (step_ms > threshold_step_max_ms)
        step_ms = threshold_step_max_ms;
    double k = magnitude < trend->threshold_ms ? threshold_down : threshold_up;
    double adapted_ms = trend->threshold_ms + k * (magnitude - trend->threshold_ms) * step_ms;
    if (adapted_ms < threshold_min_ms)
        adapted_ms = threshold_min_ms;
    trend->threshold_ms = adapted_ms > threshold_max_ms ? threshold_max_ms : adapted_ms;
}

/* Where the sample is that was added so many before the newest. */
static uint32_t sample_at(const struct rtp_bwe_trend *trend, uint32_t age) {
    return (trend->deltas - 1 - age) % RTP_BWE_TREND_SAMPLES;
}

/* With a fall of the rate to a sixth, the next hundred milliseconds bring five packets, each later
 * by 20 ms: long before that bends the line of twenty smoothed samples, the delay itself tells. But
 * of a burst that fills more than can be explained, the drain is explained better than the growth:
 * what is left of it says nothing once the queue itself is short. */
static bool has_jumped(const struct rtp_bwe_trend *trend, double queue_ms, double newest_ms,
                       double before_ms) {
    if (queue_ms <= jump_ms)
        return false;
    double least_ms = newest_ms < before_ms ? newest_ms : before_ms, low_ms = least_ms;
    for (uint32_t age = 0; age < RTP_BWE_TREND_SAMPLES; age++) {
        double ms = trend->unexplained.raw_ms[sample_at(trend, age)];
        low_ms = ms < low_ms ? ms : low_ms;
    }
    return least_ms - low_ms > jump_ms;
}

/* Whether the queue has begun to shrink, though the line does not show it yet: its samples may
 * reach back for seconds when little is sent. */
static bool is_draining(const struct rtp_bwe_trend *trend) {
    double before_ms = trend->measured.raw_ms[sample_at(trend, DRAIN_SAMPLES)];
    return trend->measured.delay_ms < before_ms - drain_ms;
}

/* Whether the trend has been above the threshold for long enough, and still rises. */
static bool is_lasting(struct rtp_bwe_trend *trend, double slope, double sent_ms) {
    trend->over_ms = trend->over_ms < 0 ? sent_ms / 2 : trend->over_ms + sent_ms;
    trend->over_count++;
    if (trend->over_ms <= OVERUSE_MS || trend->over_count <= 1 || slope < trend->slope)
        return false;
    trend->over_ms = 0;
    trend->over_count = 0;
    return true;
}

/* A queue that grows by 5 % of the time has a trend just below the least threshold, and would end
 * at the limit of the link's buffer: once it is long, half the threshold will do. One that stays
 * long whatever we do is filled by others, who would get all of the link. */
static bool is_ours(const struct rtp_bwe_trend *trend) {
    uint64_t long_us = trend->current.last_arrival_us - trend->short_us;
    return rtp_bwe_trend_queue_ms(trend) > long_queue_ms && long_us < LONG_QUEUE_US;
}

static void detect(struct rtp_bwe_trend *trend, double slope, double sent_ms) {
    uint32_t counted = trend->deltas < DELTAS_COUNTED ? trend->deltas : DELTAS_COUNTED;
    trend->trend_ms = counted * slope * gain;
    bool above = trend->trend_ms > trend->threshold_ms * (is_ours(trend) ? long_queue_factor : 1);
    if (!above)
        trend->over_ms = -1;
    if (!above)
        trend->over_count = 0;
    double before_ms = trend->unexplained.raw_ms[sample_at(trend, 1)];
    bool jumped =
        has_jumped(trend, rtp_bwe_trend_queue_ms(trend), trend->unexplained.delay_ms, before_ms) &&
        !is_draining(trend);
    if (jumped || (above && !is_draining(trend) && is_lasting(trend, slope, sent_ms)))
        trend->usage = RTP_BWE_OVERUSE;
    else if (trend->trend_ms < -trend->threshold_ms || (above && is_draining(trend)))
        trend->usage = RTP_BWE_UNDERUSE;
    else if (!above)
        trend->usage = RTP_BWE_NORMAL;
    trend->slope = slope;
}

static void line_add(struct rtp_bwe_line *line, uint32_t at, double gradient_ms) {
    line->delay_ms += gradient_ms;
    line->smoothed_ms = smoothing * line->smoothed_ms + (1 - smoothing) * line->delay_ms;
    line->raw_ms[at] = line->delay_ms;
    line->delays_ms[at] = line->smoothed_ms;
}

/* The least delay of the last five to ten seconds. */
static void base_learn(struct rtp_bwe_trend *trend, uint64_t now_us) {
    if (rtp_bwe_trend_queue_ms(trend) <= long_queue_ms)
        trend->short_us = now_us;
    double ms = trend->measured.delay_ms;
    if (trend->deltas == 1 || now_us - trend->base_us >= BASE_US) {
        trend->base_ms = trend->deltas == 1 ? ms : trend->next_base_ms;
        trend->next_base_ms = ms;
        trend->base_us = now_us;
    }
    if (ms < trend->base_ms)
        trend->base_ms = ms;
    if (ms < trend->next_base_ms)
        trend->next_base_ms = ms;
}

double rtp_bwe_trend_queue_ms(const struct rtp_bwe_trend *trend) {
    return trend->measured.delay_ms - trend->base_ms;
}

static void sample_add(struct rtp_bwe_trend *trend, double measured_ms, double unexplained_ms,
                       double sent_ms, uint64_t arrival_us) {
    if (trend->deltas == 0)
        trend->begun_us = arrival_us;
    uint32_t at = trend->deltas % RTP_BWE_TREND_SAMPLES;
    trend->deltas += trend->deltas < DELTAS_MAX ? 1 : 1 - RTP_BWE_TREND_SAMPLES;
    trend->arrival_ms[at] = (double)(int64_t)(arrival_us - trend->begun_us) / 1000;
    line_add(&trend->measured, at, measured_ms);
    line_add(&trend->unexplained, at, unexplained_ms);
    base_learn(trend, arrival_us);
    if (trend->deltas < RTP_BWE_TREND_SAMPLES)
        return;
    double measured = slope_of(trend, &trend->measured);
    double unexplained = slope_of(trend, &trend->unexplained);
    detect(trend, measured < unexplained ? measured : unexplained, sent_ms);
    threshold_adapt(trend, arrival_us);
}

/* The part of the gradient that our own queue explains lies between none and all of it, and has its
 * sign: a link that is faster than believed must not look like one that slows down. */
static double unexplained(double gradient_ms, double explained_ms) {
    if (gradient_ms > 0)
        return explained_ms <= 0            ? gradient_ms
               : explained_ms < gradient_ms ? gradient_ms - explained_ms
                                            : 0;
    return explained_ms >= 0            ? gradient_ms
           : explained_ms > gradient_ms ? gradient_ms - explained_ms
                                        : 0;
}

/* How much later the present group came than the one before it; false when that says nothing. */
static bool gradients(const struct rtp_bwe_trend *trend, int64_t *sent_us, double *measured_ms,
                      double *unexplained_ms) {
    const struct rtp_bwe_group *last = &trend->previous, *now = &trend->current;
    int64_t arrived_us = (int64_t)(now->last_arrival_us - last->last_arrival_us);
    *sent_us = (int64_t)(now->last_sent_us - last->last_sent_us);
    *measured_ms = (double)(arrived_us - *sent_us) / 1000;
    *unexplained_ms = unexplained(*measured_ms, (now->queue_us - last->queue_us) / 1000);
    return arrived_us >= 0;
}

static void groups_compare(struct rtp_bwe_trend *trend) {
    int64_t sent_us;
    double measured_ms, unexplained_ms;
    bool ordered = gradients(trend, &sent_us, &measured_ms, &unexplained_ms);
    trend->reordered = ordered ? 0 : trend->reordered + 1;
    if (measured_ms >= clock_jump_ms || measured_ms <= -clock_jump_ms ||
        trend->reordered >= REORDERED_MAX)
        rtp_bwe_trend_reset(trend);
    else if (ordered)
        sample_add(trend, measured_ms, unexplained_ms, (double)sent_us / 1000,
                   trend->current.last_arrival_us);
}

void rtp_bwe_trend_on_feedback_end(struct rtp_bwe_trend *trend) {
    int64_t sent_us;
    double measured_ms, unexplained_ms, delay_ms = trend->unexplained.delay_ms;
    if (trend->deltas >= RTP_BWE_TREND_SAMPLES && trend->previous.bytes > 0 &&
        trend->current.bytes > 0 && gradients(trend, &sent_us, &measured_ms, &unexplained_ms) &&
        measured_ms > 0 &&
        has_jumped(trend, rtp_bwe_trend_queue_ms(trend) + measured_ms, delay_ms + unexplained_ms,
                   delay_ms))
        trend->usage = RTP_BWE_OVERUSE;
}

static bool belongs(const struct rtp_bwe_group *group, const struct rtp_bwe_packet *packet) {
    int64_t arrived_us = (int64_t)(packet->arrival_us - group->last_arrival_us);
    int64_t sent_us = (int64_t)(packet->sent_us - group->last_sent_us);
    /* What a queue on the way let go together came in one burst, whatever its gaps were. */
    bool bunched = arrived_us < sent_us && arrived_us <= GROUP_US &&
                   (int64_t)(packet->arrival_us - group->first_arrival_us) < BURST_US;
    return bunched || packet->sent_us - group->first_sent_us <= GROUP_US;
}

static void group_add(struct rtp_bwe_trend *trend, const struct rtp_bwe_packet *packet) {
    struct rtp_bwe_group *group = &trend->current;
    if (group->bytes == 0)
        *group = (struct rtp_bwe_group){.first_sent_us = packet->sent_us,
                                        .first_arrival_us = packet->arrival_us};
    group->bytes += packet->bytes;
    group->queue_us = trend->queue_us;
    group->last_sent_us = packet->sent_us;
    if (packet->arrival_us > group->last_arrival_us)
        group->last_arrival_us = packet->arrival_us;
}

void rtp_bwe_trend_on_lost(struct rtp_bwe_trend *trend, uint64_t sent_us, uint32_t bytes,
                           uint32_t bps) {
    if (sent_us < trend->queue_at_us)
        return;
    double drained_us = (double)(sent_us - trend->queue_at_us);
    trend->queue_us = trend->queue_us > drained_us ? trend->queue_us - drained_us : 0;
    trend->queue_at_us = sent_us;
    if (bps > 0)
        trend->queue_us += bytes * 8e6 / bps;
    if (trend->queue_us > QUEUE_MAX_US)
        trend->queue_us = QUEUE_MAX_US;
}

void rtp_bwe_trend_on_packet(struct rtp_bwe_trend *trend, const struct rtp_bwe_packet *packet,
                             uint32_t bps) {
    struct rtp_bwe_group *current = &trend->current;
    if (packet->sent_us < trend->queue_at_us)
        return; /* Reported late. */
    rtp_bwe_trend_on_lost(trend, packet->sent_us, packet->bytes, bps);
    if (current->bytes > 0 && !belongs(current, packet)) {
        if (trend->previous.bytes > 0)
            groups_compare(trend);
        trend->previous = trend->current;
        current->bytes = 0;
    }
    group_add(trend, packet);
}
