/* How long the queue of a subscriber's link is, from what was sent and is not yet reported. When a
 * link gets narrow its queue is full before the first report of it: then no pictures are sent until
 * it has drained, or for HOLD_MAX_US, since everything would wait behind what is there, sound too.
 */
#include "rtp/bwe_offered.h"
#include "rtp/bytes.h"
#include "sfu/transport.h"

enum {
    HOLD_US = 400 * 1000,
    WAITED_US = 100 * 1000, /* By what is reported: at first the estimate is a guess. */
    RELEASE_US = 200 * 1000,
    /* What a full queue dropped counts as if it were there until the end of the queue is reported,
     * so after a while pictures go on whatever is believed: the lowest layer's, which are behind
     * what is there and less than what leaves. If it was there they are held again. */
    HOLD_MAX_US = 400 * 1000,
    BASE_US = 30 * 1000 * 1000,
    FEEDBACK_LEN = 16,

    /* Who waited longer was behind others; between two such reports the link was never idle. */
    BACKLOG_US = 50 * 1000,
    BACKLOG_WINDOW_US = 200 * 1000,
    LITTLE_BYTES = 1500, /* It was idle since a report that left no more: a packet. */

    /* While a queue was full, what arrived is what the link carries, whatever the estimate. */
    CAP_PERCENT = 85,
    CAP_US = 3 * 1000 * 1000,
};

/* The newest number that a feedback speaks of. */
static uint16_t newest_reported(const struct rtcp_packet *packet) {
    return (uint16_t)(rtp_get16(packet->body + 8) + rtp_get16(packet->body + 10) - 1);
}

static uint64_t unreported_bytes(const struct rtp_bwe *bwe, uint16_t reported) {
    uint64_t bytes = 0;
    uint16_t count = (uint16_t)(bwe->newest_seq - reported);
    for (uint16_t i = 1; count < RTP_BWE_SENT_MAX && i <= count; i++)
        bytes += bwe->sent[(uint16_t)(reported + i) % RTP_BWE_SENT_MAX].bytes;
    return bytes;
}

uint64_t sfu_downlink_learn_base(struct sfu_downlink_base *base, uint64_t now_us,
                                 uint64_t taken_us) {
    if (now_us - base->since_us > BASE_US) {
        base->older_us = base->least_us;
        base->least_us = 0;
        base->since_us = now_us;
    }
    if (base->least_us == 0 || taken_us < base->least_us)
        base->least_us = taken_us;
    if (base->older_us == 0 || base->least_us < base->older_us)
        return base->least_us;
    return base->older_us;
}

/* What came out of the link's queue since there is one, as far as two reports tell; else 0. */
static uint64_t measure_backlog(struct sfu_downlink_queue *queue, uint64_t now_us,
                                uint64_t reported_bytes, bool is_backlogged) {
    if (!is_backlogged || queue->unreported_bytes < LITTLE_BYTES) {
        queue->backlog_us = 0;
        return 0;
    }
    if (queue->backlog_us == 0) {
        queue->backlog_us = now_us;
        queue->backlog_bytes = reported_bytes;
    } else if (now_us - queue->backlog_us > BACKLOG_WINDOW_US) {
        queue->backlog_us = queue->reported_us;
        queue->backlog_bytes = queue->reported_bytes;
    }
    if (now_us == queue->backlog_us || reported_bytes < queue->backlog_bytes)
        return 0;
    return (reported_bytes - queue->backlog_bytes) * 8000000 / (now_us - queue->backlog_us);
}

/* What the link carries: by its backlog, else at least the estimate, or what was just reported if
 * that is more, or what came out of its full queue lately. */
static uint64_t measure_rate(struct sfu_downlink *downlink, uint64_t now_us, uint64_t unreported,
                             bool is_backlogged) {
    struct sfu_downlink_queue *queue = &downlink->queue;
    uint64_t rate_bps = rtp_bwe_bps(&downlink->bwe);
    uint64_t elapsed_us = now_us - queue->reported_us;
    if (queue->carried_bps > rate_bps)
        rate_bps = queue->carried_bps;
    if (elapsed_us == 0 || unreported > queue->sent_bytes)
        return rate_bps;
    uint64_t bytes = queue->sent_bytes - unreported;
    uint64_t reported_bps =
        bytes > queue->reported_bytes ? (bytes - queue->reported_bytes) * 8000000 / elapsed_us : 0;
    queue->backlog_bps = measure_backlog(queue, now_us, bytes, is_backlogged);
    queue->unreported_bytes = unreported;
    queue->reported_bytes = bytes;
    queue->reported_us = now_us;
    if (queue->backlog_bps != 0)
        return queue->backlog_bps;
    return reported_bps > rate_bps ? reported_bps : rate_bps;
}

/* A burst after little was sent fills a queue too: then what arrived is not what the link carries.
 * 0: not known. */
static uint32_t acked_bps(const struct sfu_downlink *downlink) {
    struct rtp_bwe_figures figures;
    rtp_bwe_figures(&downlink->bwe, &figures);
    uint64_t backlog_bps = downlink->queue.backlog_bps;
    if (rtp_bwe_is_underfed(&downlink->bwe))
        return (uint32_t)backlog_bps;
    return backlog_bps != 0 && backlog_bps < figures.acked_bps ? (uint32_t)backlog_bps
                                                               : figures.acked_bps;
}

/* What filled the queue is not given away again at once either: on average it may fit, but the
 * keyframe with which it would begin again did not. Little of the link did not fill it. Of what the
 * link carries, the least of everything is given away again: there is nothing less to begin with,
 * and a picture would stand still for as long as this lasts. */
static void begin_hold(struct sfu_downlink *downlink, uint64_t now_us) {
    uint64_t carried_bps = acked_bps(downlink), given_bps = downlink->allocated_bps;
    bool filled = given_bps > carried_bps / 2 && given_bps < carried_bps;
    downlink->queue.held_us = now_us;
    downlink->queue.cap_until_us = now_us + CAP_US;
    uint64_t most_bps = carried_bps / 100 * CAP_PERCENT;
    uint64_t cap_bps = filled ? given_bps / 100 * CAP_PERCENT : most_bps;
    uint64_t least_bps = sfu_downlink_least_cap_bps(downlink);
    if (cap_bps < least_bps)
        cap_bps = least_bps < most_bps ? least_bps : most_bps;
    downlink->queue.cap_bps = (uint32_t)cap_bps;
}

/* What arrived lately came out of a full queue, and is what the link carries. Of the delays until
 * now a trend would be drawn for seconds, with so few packets, that lowers the estimate to a share
 * of the little that is sent at first. */
static void end_hold(struct sfu_downlink *downlink) {
    struct sfu_downlink_queue *queue = &downlink->queue;
    queue->carried_bps = acked_bps(downlink);
    uint32_t cap_bps = queue->carried_bps / 100 * CAP_PERCENT;
    if (cap_bps < queue->cap_bps)
        queue->cap_bps = cap_bps;
    rtp_bwe_on_drained(&downlink->bwe);
}

bool sfu_downlink_measure_queue(struct sfu_downlink *downlink, uint64_t now_us,
                                const struct rtcp_packet *packet) {
    struct sfu_downlink_queue *queue = &downlink->queue;
    const struct rtp_bwe *bwe = &downlink->bwe;
    if (packet->body_len < FEEDBACK_LEN)
        return false;
    uint16_t reported = newest_reported(packet);
    if ((uint16_t)(bwe->newest_seq - reported) >= RTP_BWE_SENT_MAX)
        return false;
    uint32_t taken_us = (uint32_t)now_us - bwe->sent[reported % RTP_BWE_SENT_MAX].sent_us;
    uint64_t base_us = sfu_downlink_learn_base(&queue->base, now_us, taken_us);
    uint64_t bytes = unreported_bytes(bwe, reported);
    uint64_t rate_bps = measure_rate(downlink, now_us, bytes, taken_us > base_us + BACKLOG_US);
    uint64_t wait_us = bytes * 8 * 1000000 / rate_bps;
    queue->length_us = wait_us > base_us ? wait_us - base_us : 0;
    bool held = queue->holds;
    if (held)
        queue->holds = queue->length_us > RELEASE_US && now_us - queue->held_us < HOLD_MAX_US;
    else /* An estimate that is only what was tried says nothing of a queue. */
        queue->holds = queue->length_us > HOLD_US && taken_us > base_us + WAITED_US &&
                       (queue->backlog_bps != 0 || !rtp_bwe_is_unbounded(bwe));
    if (queue->holds && !held)
        begin_hold(downlink, now_us);
    if (held && !queue->holds)
        end_hold(downlink);
    if (!queue->holds && now_us > queue->cap_until_us)
        queue->cap_bps = queue->carried_bps = 0;
    sfu_downlink_drain_standing(downlink, now_us);
    return queue->holds != held;
}

/* While nothing is sent nothing may be reported either. */
uint64_t sfu_downlink_expire_hold(struct sfu_downlink *downlink, uint64_t now_us) {
    struct sfu_downlink_queue *queue = &downlink->queue;
    if (!queue->holds)
        return UINT64_MAX;
    if (now_us < queue->held_us + HOLD_MAX_US)
        return queue->held_us + HOLD_MAX_US;
    queue->holds = false;
    end_hold(downlink);
    return UINT64_MAX;
}
