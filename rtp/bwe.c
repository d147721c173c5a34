/* The front of the estimator: what was sent, what was reported of it, and which figure counts. */
#include "rtp/bwe.h"

#include <errno.h>
#include <string.h>

#include "rtp/bwe_offered.h"
#include "rtp/twcc.h"

/* Of a packet that was sent. */
enum { EMPTY, SENT, LOST, RECEIVED };

enum {
    STREAM_TIMEOUT_US = 2000000, /* Without feedback, after which the old delays say nothing. */
    OUTAGE_US = 1000000,
    RTT_DEFAULT_US = 200000,
    RTT_MAX_US = 3000000,
    RTT_TOLD_US = 10000000,
    REMB_MAX_US = 10000000,
    SILENCE_US = 3000000,
    SILENCE_STEP_US = 1000000,
    FIRST_PROBE_US = 5000,
    DEADLINE_MIN_US = 50000, /* Between two looks at whether a probe may be sent by now. */
    DRAIN_US = 3000000,
    PROBE_ECHO_US = 400000, /* 30 ms of probe, the time that its queue takes to go, a round trip. */
};

static const uint64_t arrival_period_us = ((uint64_t)1 << 24) * 64000;
static const double silence_factor = 0.8;
/* A probe of 30 ms at twice the rate of a link that is full already. */
static const double probe_queue_ms = 70;
static const double drain_above_ms = 100, drain_range_ms = 1000, drain_least = 0.5;
/* A probe measures a little less than it was sent at, and the allocation keeps a margin before it
 * takes a layer: what is to be known is a little more than what is wanted. */
static const double demand_margin = 1.2;

void rtp_bwe_init(struct rtp_bwe *bwe, uint64_t now_us, const struct rtp_bwe_config *config) {
    memset(bwe, 0, sizeof *bwe);
    bwe->config = *config;
    if (bwe->config.max_bps < bwe->config.min_bps)
        bwe->config.max_bps = bwe->config.min_bps;
    uint32_t start_bps = config->start_bps;
    start_bps = start_bps < bwe->config.min_bps ? bwe->config.min_bps : start_bps;
    bwe->bps = start_bps > bwe->config.max_bps ? bwe->config.max_bps : start_bps;
    bwe->rtt_us = RTT_DEFAULT_US;
    bwe->silence_us = now_us;
    bwe->deadline_us = UINT64_MAX;
    rtp_bwe_trend_init(&bwe->trend);
    rtp_bwe_aimd_init(&bwe->aimd, bwe->bps);
    rtp_bwe_loss_init(&bwe->loss, bwe->config.max_bps);
    rtp_bwe_prober_init(&bwe->prober);
}

static double cap_bps(const struct rtp_bwe *bwe) {
    double cap = bwe->demand_bps * demand_margin;
    double lossy = rtp_bwe_loss_most(&bwe->loss);
    cap = cap < lossy ? cap : lossy;
    return cap < bwe->config.max_bps ? cap : bwe->config.max_bps;
}

/* After a loss the estimate is not tempted for a while. */
static bool is_held(const struct rtp_bwe *bwe, uint64_t now_us) {
    return bwe->loss.state == RTP_BWE_LOSS_DECREASING && now_us < bwe->loss.hold_until_us;
}

/* Of a transport whose slots are all paused nothing is reported any more, and what was reported
 * last says nothing of its link after a while. */
static bool is_calm(const struct rtp_bwe *bwe, uint64_t now_us) {
    bool is_stale = now_us - bwe->feedback_us > STREAM_TIMEOUT_US;
    return (bwe->trend.usage == RTP_BWE_NORMAL || is_stale) && !is_held(bwe, now_us);
}

static struct rtp_bwe_outlook outlook(const struct rtp_bwe *bwe, uint64_t now_us) {
    return (struct rtp_bwe_outlook){
        .bps = bwe->bps,
        .cap_bps = bwe->started ? cap_bps(bwe) : 0,
        .is_calm = is_calm(bwe, now_us),
        .is_answered = bwe->answered,
    };
}

static void plan(struct rtp_bwe *bwe, uint64_t now_us) {
    struct rtp_bwe_outlook now = outlook(bwe, now_us);
    rtp_bwe_prober_plan(&bwe->prober, now_us, &now);
    bwe->deadline_us = rtp_bwe_prober_deadline(&bwe->prober, &now);
    if (bwe->deadline_us < now_us + DEADLINE_MIN_US)
        bwe->deadline_us = now_us + DEADLINE_MIN_US;
}

/* The first packet, and numbers that were left out or begin anew. */
static void seq_jump(struct rtp_bwe *bwe, uint64_t now_us, uint16_t seq) {
    uint16_t ahead = (uint16_t)(seq - bwe->newest_seq);
    if (!bwe->started || ahead >= RTP_BWE_SENT_MAX)
        memset(bwe->sent, 0, sizeof bwe->sent);
    for (uint16_t i = 1; bwe->started && i < ahead && ahead < RTP_BWE_SENT_MAX; i++)
        bwe->sent[(uint16_t)(bwe->newest_seq + i) % RTP_BWE_SENT_MAX].state = EMPTY;
    if (!bwe->started)
        bwe->deadline_us = now_us + FIRST_PROBE_US; /* Now there is something to probe with. */
    bwe->started = true;
}

void rtp_bwe_on_sent(struct rtp_bwe *bwe, uint64_t now_us, uint16_t transport_seq, size_t bytes,
                     uint8_t probe_id) {
    if (!bwe->started || (uint16_t)(transport_seq - bwe->newest_seq) != 1)
        seq_jump(bwe, now_us, transport_seq);
    bwe->newest_seq = transport_seq;
    bwe->sent[transport_seq % RTP_BWE_SENT_MAX] =
        (struct rtp_bwe_sent){(uint32_t)now_us, (uint16_t)bytes, probe_id, SENT};
    bwe->sent_bytes += bytes;
    if (bwe->waiting_us == 0)
        bwe->waiting_us = now_us;
    if (probe_id != 0)
        rtp_bwe_prober_on_sent(&bwe->prober, probe_id, (uint32_t)bytes);
}

/* ---- Feedback ---- */

struct feedback {
    struct rtp_bwe *bwe;
    uint64_t now_us;
    uint64_t newest_sent_us; /* Of those received for the first time; 0: none. */
};

/* The reported time counts modulo the period. */
static uint64_t arrival_unwrap(struct rtp_bwe *bwe, int64_t reported_us) {
    int64_t period = (int64_t)arrival_period_us;
    int64_t raw = (reported_us % period + period) % period;
    if (bwe->arrival_us == 0)
        return bwe->arrival_us = arrival_period_us + (uint64_t)raw;
    int64_t step = raw - (int64_t)(bwe->arrival_us % arrival_period_us);
    if (step > period / 2)
        step -= period;
    else if (step < -period / 2)
        step += period;
    uint64_t arrival_us = bwe->arrival_us + (uint64_t)step;
    if (step > 0)
        bwe->arrival_us = arrival_us;
    return arrival_us;
}

static void on_received(struct feedback *feedback, struct rtp_bwe_sent *sent, int64_t arrival_us) {
    struct rtp_bwe *bwe = feedback->bwe;
    uint32_t age_us = (uint32_t)feedback->now_us - sent->sent_us;
    struct rtp_bwe_packet packet = {
        .sent_us = feedback->now_us - age_us,
        .arrival_us = arrival_unwrap(bwe, arrival_us),
        .bytes = sent->bytes,
        .probe_id = sent->probe_id,
    };
    if (sent->state == LOST) {
        rtp_bwe_loss_on_late(&bwe->loss, packet.bytes);
    } else {
        rtp_bwe_loss_on_packet(&bwe->loss, packet.sent_us, packet.bytes, false);
        rtp_bwe_trend_on_packet(&bwe->trend, &packet, bwe->bps);
    }
    sent->state = RECEIVED;
    if (packet.sent_us > feedback->newest_sent_us)
        feedback->newest_sent_us = packet.sent_us;
    rtp_bwe_acked_on_packet(&bwe->acked, &packet);
    if (packet.probe_id != 0)
        rtp_bwe_prober_on_packet(&bwe->prober, &packet);
}

static void on_arrival(void *ctx, const struct rtp_twcc_arrival *arrival) {
    struct feedback *feedback = ctx;
    struct rtp_bwe *bwe = feedback->bwe;
    struct rtp_bwe_sent *sent = &bwe->sent[arrival->seq % RTP_BWE_SENT_MAX];
    bool is_known = (uint16_t)(bwe->newest_seq - arrival->seq) < RTP_BWE_SENT_MAX;
    if (!bwe->started || !is_known || sent->state == EMPTY) {
        bwe->unknown_packets++;
    } else if (arrival->received && sent->state != RECEIVED) {
        on_received(feedback, sent, arrival->arrival_us);
    } else if (!arrival->received && sent->state == SENT) {
        uint32_t age_us = (uint32_t)feedback->now_us - sent->sent_us;
        uint64_t sent_us = feedback->now_us - age_us;
        sent->state = LOST;
        if (sent_us >= bwe->resumed_us)
            rtp_bwe_loss_on_packet(&bwe->loss, sent_us, sent->bytes, true);
        rtp_bwe_trend_on_lost(&bwe->trend, sent_us, sent->bytes, bwe->bps);
    }
}

/* ---- The estimate ---- */

static void bps_set(struct rtp_bwe *bwe, uint64_t now_us, double bps, enum rtp_bwe_limit limit) {
    double before = bwe->bps;
    if (bwe->remb_bps > 0 && now_us - bwe->remb_us < REMB_MAX_US && bwe->remb_bps < bps) {
        bps = bwe->remb_bps;
        limit = RTP_BWE_LIMIT_REMB;
    }
    if (bps >= bwe->config.max_bps || bps <= bwe->config.min_bps) {
        bps = bps <= bwe->config.min_bps ? bwe->config.min_bps : bwe->config.max_bps;
        limit = RTP_BWE_LIMIT_MAX;
    }
    bwe->bps = (uint32_t)bps;
    bwe->limit = limit;
    if (bwe->bps < before)
        rtp_bwe_prober_on_drop(&bwe->prober, now_us, before, bwe->bps);
}

static void take_probe(struct rtp_bwe *bwe, uint64_t now_us) {
    struct rtp_bwe_probe_result result;
    if (!rtp_bwe_prober_result(&bwe->prober, now_us, cap_bps(bwe), &result))
        return;
    bwe->probe_bps = result.bps;
    if (bwe->trend.usage == RTP_BWE_OVERUSE)
        return;
    rtp_bwe_aimd_on_probe(&bwe->aimd, now_us, &result);
    if (!is_held(bwe, now_us))
        rtp_bwe_loss_on_probe(&bwe->loss, result.bps < bwe->aimd.bps ? result.bps : bwe->aimd.bps);
}

/* After a steep fall of what the link carries, the queue that was filled before it was noticed is
 * to drain: without this it takes seven times as long as at 85 % of the rate. */
static double drain(const struct rtp_bwe *bwe, uint64_t now_us, double bps) {
    double queue_ms = rtp_bwe_trend_queue_ms(&bwe->trend);
    if (bwe->aimd.steep_us == 0 || now_us - bwe->aimd.steep_us > DRAIN_US ||
        queue_ms < drain_above_ms)
        return bps;
    double share = 1 - (queue_ms - drain_above_ms) / drain_range_ms;
    return bps * (share > drain_least ? share : drain_least);
}

/* The queue that a probe of ours makes for a moment is not what the media did. */
static enum rtp_bwe_usage usage_of(const struct rtp_bwe *bwe, uint64_t now_us) {
    bool echoes = bwe->trend.usage == RTP_BWE_OVERUSE &&
                  now_us - rtp_bwe_prober_asked_us(&bwe->prober) < PROBE_ECHO_US &&
                  rtp_bwe_trend_queue_ms(&bwe->trend) < probe_queue_ms;
    return echoes ? RTP_BWE_NORMAL : bwe->trend.usage;
}

static void estimate(struct rtp_bwe *bwe, uint64_t now_us) {
    rtp_bwe_alr_update(&bwe->alr, now_us, bwe->sent_bytes, bwe->bps);
    bwe->sent_bytes = 0;
    bwe->acked_bps = rtp_bwe_acked_bps(&bwe->acked);
    bwe->recent_bps = rtp_bwe_acked_recent_bps(&bwe->acked);
    take_probe(bwe, now_us);
    enum rtp_bwe_usage usage = usage_of(bwe, now_us);
    rtp_bwe_aimd_update(&bwe->aimd, now_us, usage,
                        &(struct rtp_bwe_path){.acked_bps = bwe->acked_bps,
                                               .recent_bps = bwe->recent_bps,
                                               .rtt_us = bwe->rtt_us,
                                               .is_underfed = usage == RTP_BWE_OVERUSE &&
                                                              rtp_bwe_is_underfed(bwe)});
    if (bwe->aimd.bps < bwe->config.min_bps)
        bwe->aimd.bps = bwe->config.min_bps;
    if (bwe->aimd.bps > bwe->config.max_bps)
        bwe->aimd.bps = bwe->config.max_bps;
    double bps =
        rtp_bwe_loss_update(&bwe->loss, now_us, bwe->aimd.bps, bwe->acked_bps, bwe->alr.is_limited);
    bool by_loss = bps < bwe->aimd.bps;
    bps = drain(bwe, now_us, bps);
    bps_set(bwe, now_us, bps,
            by_loss              ? RTP_BWE_LIMIT_LOSS
            : bwe->aimd.is_known ? RTP_BWE_LIMIT_DELAY
                                 : RTP_BWE_LIMIT_START);
}

static void rtt_learn(struct rtp_bwe *bwe, uint64_t now_us, uint64_t rtt_us) {
    bool is_told = bwe->rtt_told_us != 0 && now_us - bwe->rtt_told_us < RTT_TOLD_US;
    if (!is_told)
        bwe->rtt_us = (bwe->rtt_us * 7 + (rtt_us < RTT_MAX_US ? rtt_us : RTT_MAX_US)) / 8;
}

int rtp_bwe_on_feedback(struct rtp_bwe *bwe, uint64_t now_us, const struct rtcp_packet *packet) {
    if (bwe->answered && now_us - bwe->feedback_us > STREAM_TIMEOUT_US)
        rtp_bwe_trend_reset(&bwe->trend);
    /* What is lost while nothing at all arrives says nothing about a rate. */
    if (bwe->answered && now_us - bwe->feedback_us > OUTAGE_US)
        bwe->resumed_us = now_us;
    struct feedback feedback = {.bwe = bwe, .now_us = now_us};
    if (rtp_twcc_feedback_parse(packet, on_arrival, &feedback) < 0) {
        bwe->bad_feedbacks++;
        return -EBADMSG;
    }
    bwe->feedbacks++;
    if (feedback.newest_sent_us == 0)
        return 0;
    bwe->newest_sent_us = feedback.newest_sent_us;
    rtp_bwe_trend_on_feedback_end(&bwe->trend);
    bwe->answered = true;
    bwe->feedback_us = now_us;
    bwe->waiting_us = 0;
    rtt_learn(bwe, now_us, now_us - feedback.newest_sent_us);
    estimate(bwe, now_us);
    plan(bwe, now_us);
    return 0;
}

void rtp_bwe_on_remb(struct rtp_bwe *bwe, uint64_t now_us, uint64_t bps) {
    bwe->remb_bps = bps > 0 ? (double)bps : 1;
    bwe->remb_us = now_us;
    double known_bps = bwe->answered         ? bwe->aimd.bps
                       : bwe->report.bps > 0 ? bwe->report.bps
                                             : bwe->config.start_bps;
    /* By feedback it rises only with the next one, which knows of the losses too. */
    bps_set(bwe, now_us, bwe->answered && bwe->bps < known_bps ? bwe->bps : known_bps, bwe->limit);
    plan(bwe, now_us);
}

void rtp_bwe_on_report(struct rtp_bwe *bwe, uint64_t now_us, uint8_t fraction_lost,
                       uint64_t sent_bps) {
    if (bwe->answered)
        return;
    rtp_bwe_report_update(&bwe->report, now_us, fraction_lost, (double)sent_bps, bwe->bps,
                          cap_bps(bwe), bwe->rtt_us);
    bps_set(bwe, now_us, bwe->report.bps, RTP_BWE_LIMIT_LOSS);
    plan(bwe, now_us);
}

void rtp_bwe_on_rtt(struct rtp_bwe *bwe, uint64_t now_us, uint64_t rtt_us) {
    bwe->rtt_us = rtt_us < RTT_MAX_US ? rtt_us : RTT_MAX_US;
    bwe->rtt_told_us = now_us;
}

void rtp_bwe_on_drained(struct rtp_bwe *bwe) {
    rtp_bwe_trend_reset(&bwe->trend);
}

void rtp_bwe_set_demand(struct rtp_bwe *bwe, uint64_t now_us, uint64_t bps) {
    bwe->demand_bps = bps < UINT32_MAX ? (double)bps : (double)UINT32_MAX;
    plan(bwe, now_us);
}

/* ---- Probes and deadlines ---- */

bool rtp_bwe_next_probe(struct rtp_bwe *bwe, uint64_t now_us, struct rtp_bwe_probe *out) {
    return rtp_bwe_prober_next(&bwe->prober, now_us, out);
}

static uint64_t silence_deadline(const struct rtp_bwe *bwe) {
    if (!bwe->answered || bwe->waiting_us == 0 || bwe->bps <= bwe->config.min_bps)
        return UINT64_MAX;
    uint64_t first_us = bwe->waiting_us + SILENCE_US, next_us = bwe->silence_us + SILENCE_STEP_US;
    return first_us > next_us ? first_us : next_us;
}

uint64_t rtp_bwe_next_deadline(const struct rtp_bwe *bwe) {
    uint64_t silence_us = silence_deadline(bwe);
    return silence_us < bwe->deadline_us ? silence_us : bwe->deadline_us;
}

void rtp_bwe_on_deadline(struct rtp_bwe *bwe, uint64_t now_us) {
    if (silence_deadline(bwe) <= now_us) {
        bwe->silence_us = now_us;
        bwe->aimd.bps = bwe->bps * silence_factor;
        bps_set(bwe, now_us, bwe->aimd.bps, RTP_BWE_LIMIT_SILENCE);
    }
    if (bwe->deadline_us <= now_us)
        plan(bwe, now_us);
}

uint32_t rtp_bwe_bps(const struct rtp_bwe *bwe) {
    return bwe->bps;
}

bool rtp_bwe_is_unbounded(const struct rtp_bwe *bwe) {
    bool by_others = bwe->limit != RTP_BWE_LIMIT_START && bwe->limit != RTP_BWE_LIMIT_DELAY;
    return bwe->aimd.decreased_us == 0 && !by_others;
}

static uint32_t whole(double bps) {
    return bps < 0 ? 0 : bps < UINT32_MAX ? (uint32_t)bps : UINT32_MAX;
}

void rtp_bwe_figures(const struct rtp_bwe *bwe, struct rtp_bwe_figures *out) {
    bool by_loss = bwe->answered && bwe->loss.state != RTP_BWE_LOSS_UNLIMITED;
    *out = (struct rtp_bwe_figures){
        .bps = bwe->bps,
        .acked_bps = bwe->acked_bps,
        .delay_bps = bwe->answered ? whole(bwe->aimd.bps) : 0,
        .loss_bps = whole(by_loss ? bwe->loss.result_bps : bwe->report.bps),
        .remb_bps = whole(bwe->remb_bps),
        .probe_bps = bwe->probe_bps,
        .rtt_us = (uint32_t)bwe->rtt_us,
        .loss = bwe->answered ? rtp_bwe_loss_average(&bwe->loss) : bwe->report.loss,
        .trend_ms = bwe->trend.trend_ms,
        .threshold_ms = bwe->trend.threshold_ms,
        .usage = bwe->trend.usage,
        .limit = bwe->limit,
        .application_limited = bwe->alr.is_limited,
        .feedbacks = bwe->feedbacks,
        .bad_feedbacks = bwe->bad_feedbacks,
        .unknown_packets = bwe->unknown_packets,
    };
}

const char *rtp_bwe_limit_name(enum rtp_bwe_limit limit) {
    static const char *const names[] = {"start", "delay", "loss", "remb", "silence", "max"};
    return (size_t)limit < sizeof names / sizeof names[0] ? names[limit] : "unknown";
}
