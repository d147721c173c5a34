/* How long the queue of a subscriber's link is, from what was sent and is not yet reported. When a
 * link gets narrow its queue is full before the first report of it: then no pictures are sent until
 * it has drained, since everything would wait behind what is there, sound too. */
#include "rtp/bytes.h"
#include "sfu/transport.h"

enum {
    HOLD_US = 400 * 1000,
    WAITED_US = 100 * 1000, /* By what is reported: at first the estimate is a guess. */
    RELEASE_US = 200 * 1000,
    /* What pictures begin with again is asked for so much before, or so long after they were held:
     * what a full queue dropped counts as if it were there, and is known to be gone all at once. */
    PREPARE_US = RELEASE_US + 350 * 1000,
    PREPARE_AFTER_US = 300 * 1000,
    ACKED_US = 500 * 1000,     /* Over which the acknowledged rate is measured. */
    HOLD_MAX_US = 1000 * 1000, /* Reports got lost, or the estimate is wrong. */
    BASE_US = 30 * 1000 * 1000,
    FEEDBACK_LEN = 16,

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

/* The least time from sending to its report, of the last half minute to minute. */
static uint64_t learn_base(struct sfu_downlink_queue *queue, uint64_t now_us, uint64_t taken_us) {
    if (now_us - queue->base_since_us > BASE_US) {
        queue->older_base_us = queue->base_us;
        queue->base_us = 0;
        queue->base_since_us = now_us;
    }
    if (queue->base_us == 0 || taken_us < queue->base_us)
        queue->base_us = taken_us;
    if (queue->older_base_us == 0 || queue->base_us < queue->older_base_us)
        return queue->base_us;
    return queue->older_base_us;
}

static uint32_t acked_bps(const struct rtp_bwe *bwe) {
    struct rtp_bwe_figures figures;
    rtp_bwe_figures(bwe, &figures);
    return figures.acked_bps;
}

/* What the link carries, at least: the estimate, or what was just reported if that is more, or what
 * came out of its full queue lately. */
static uint64_t rate_bps(struct sfu_downlink *downlink, uint64_t now_us, uint64_t unreported) {
    struct sfu_downlink_queue *queue = &downlink->queue;
    uint64_t estimate_bps = rtp_bwe_bps(&downlink->bwe);
    uint64_t elapsed_us = now_us - queue->reported_us;
    if (queue->holds && now_us - queue->held_us > ACKED_US)
        queue->carried_bps = acked_bps(&downlink->bwe);
    if (queue->carried_bps > estimate_bps)
        estimate_bps = queue->carried_bps;
    if (elapsed_us == 0 || unreported > queue->sent_bytes)
        return estimate_bps;
    uint64_t bytes = queue->sent_bytes - unreported;
    uint64_t reported_bps =
        bytes > queue->reported_bytes ? (bytes - queue->reported_bytes) * 8000000 / elapsed_us : 0;
    queue->reported_bytes = bytes;
    queue->reported_us = now_us;
    return reported_bps > estimate_bps ? reported_bps : estimate_bps;
}

static void begin_hold(struct sfu_downlink *downlink, uint64_t now_us) {
    downlink->queue.held_us = now_us;
    downlink->queue.prepared = false;
    downlink->queue.cap_bps = acked_bps(&downlink->bwe) / 100 * CAP_PERCENT;
}

/* What arrived lately came out of a full queue, and is what the link carries. Of the delays until
 * now a trend would be drawn for seconds, with so few packets, that lowers the estimate to a share
 * of the little that is sent at first. */
static void end_hold(struct sfu_downlink *downlink) {
    struct sfu_downlink_queue *queue = &downlink->queue;
    queue->carried_bps = acked_bps(&downlink->bwe);
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
    uint64_t base_us = learn_base(queue, now_us, taken_us);
    uint64_t bytes = unreported_bytes(bwe, reported);
    uint64_t wait_us = bytes * 8 * 1000000 / rate_bps(downlink, now_us, bytes);
    queue->length_us = wait_us > base_us ? wait_us - base_us : 0;
    bool held = queue->holds;
    if (held)
        queue->holds = queue->length_us > RELEASE_US && now_us - queue->held_us < HOLD_MAX_US;
    else /* An estimate that is only what was tried says nothing of a queue. */
        queue->holds = queue->length_us > HOLD_US && taken_us - base_us > WAITED_US &&
                       !rtp_bwe_is_unbounded(bwe);
    if (queue->holds && !held)
        begin_hold(downlink, now_us);
    if (held && !queue->holds)
        end_hold(downlink);
    if (!queue->holds && now_us - queue->held_us > CAP_US)
        queue->cap_bps = queue->carried_bps = 0;
    return queue->holds != held;
}

/* While nothing is sent nothing may be reported either. */
void sfu_downlink_expire_hold(struct sfu_downlink *downlink, uint64_t now_us) {
    struct sfu_downlink_queue *queue = &downlink->queue;
    if (!queue->holds || now_us - queue->held_us < HOLD_MAX_US)
        return;
    queue->holds = false;
    end_hold(downlink);
}

bool sfu_downlink_is_near_release(struct sfu_downlink_queue *queue, uint64_t now_us) {
    if (!queue->holds || queue->prepared)
        return false;
    queue->prepared = queue->length_us <= PREPARE_US || now_us - queue->held_us >= PREPARE_AFTER_US;
    return queue->prepared;
}
