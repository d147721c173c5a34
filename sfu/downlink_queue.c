/* How long the queue of a subscriber's link is, from what was sent and is not yet reported. When a
 * link gets narrow its queue is full before the first report of it: then no pictures are sent until
 * it has drained, since everything would wait behind what is there, sound too. */
#include "rtp/bytes.h"
#include "sfu/transport.h"

enum {
    HOLD_US = 400 * 1000,
    WAITED_US = 100 * 1000, /* By what is reported: at first the estimate is a guess. */
    RELEASE_US = 150 * 1000,
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

/* What the link carries, at least: the estimate, or what was just reported if that is more. */
static uint64_t rate_bps(struct sfu_downlink *downlink, uint64_t now_us, uint64_t unreported) {
    struct sfu_downlink_queue *queue = &downlink->queue;
    uint64_t estimate_bps = rtp_bwe_bps(&downlink->bwe);
    uint64_t elapsed_us = now_us - queue->reported_us;
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
    struct rtp_bwe_figures figures;
    rtp_bwe_figures(&downlink->bwe, &figures);
    downlink->queue.held_us = now_us;
    downlink->queue.cap_bps = figures.acked_bps / 100 * CAP_PERCENT;
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
    if (!queue->holds && now_us - queue->held_us > CAP_US)
        queue->cap_bps = 0;
    return queue->holds != held;
}
