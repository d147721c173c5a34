/* Where layers are too much by little, 3 % say, a queue grows by less than the estimator notices at
 * once, and then it stands: what is sent hangs on the layers, and hardly on the estimate. So where
 * everything has waited for a while, less is given away for a moment, as if the estimate had
 * fallen: a layer goes, and comes back when there is room for it with a margin. */
#include "sfu/transport.h"

enum {
    /* More than what bursts leave, and less than what is felt. */
    STANDING_US = 50 * 1000,
    /* The least of a time tells a queue that stands from one that comes and goes (the estimator of
     * RFC 8289 too goes by it). With 5 s more were drained of those that would have gone by
     * themselves: of 2 Mb/s 1.91 arrived on average of 24 seeds, with 8 s 1.95. */
    PATIENCE_US = 8 * 1000 * 1000,
    SILENCE_US = 1000 * 1000,
    /* Whoever loses a layer for it ends at 83 %, by the allocator's margin: where all is ours,
     * 170 ms of the queue drain in a second. */
    CAP_PERCENT = 95,
    CAP_US = 3 * 1000 * 1000,
    LEAST_PERCENT = 116, /* With the allocator's margin it still fits. */
};

/* The clocks differ by anything. */
static const uint64_t clocks_us = (uint64_t)1 << 62;

/* Whether everything has waited for so long that it is time to do something. */
static bool is_standing(struct sfu_downlink_standing *standing, uint64_t now_us, uint64_t way_us) {
    bool waited = way_us > sfu_downlink_learn_base(&standing->way, now_us, way_us) + STANDING_US;
    bool goes_on = standing->since_us != 0 && now_us - standing->newest_us < SILENCE_US;
    standing->newest_us = now_us;
    if (!waited) {
        standing->since_us = 0;
        standing->tried = false;
        return false;
    }
    if (!goes_on)
        standing->since_us = now_us;
    return now_us - standing->since_us > PATIENCE_US;
}

uint64_t sfu_downlink_least_cap_bps(const struct sfu_downlink *downlink) {
    return downlink->least_bps / 100 * LEAST_PERCENT;
}

/* Nobody is paused for it. 0: then there is nothing to win. */
static uint32_t draining_bps(const struct sfu_downlink *downlink) {
    uint64_t cap_bps = downlink->allocated_bps / 100 * CAP_PERCENT;
    uint64_t least_bps = sfu_downlink_least_cap_bps(downlink);
    if (cap_bps < least_bps)
        cap_bps = least_bps;
    return cap_bps < downlink->allocated_bps ? (uint32_t)cap_bps : 0;
}

/* What does not go by this is the path, or others' (a loss-based flow refills it): once will do,
 * until there was no queue. */
void sfu_downlink_drain_standing(struct sfu_downlink *downlink, uint64_t now_us) {
    struct sfu_downlink_queue *queue = &downlink->queue;
    const struct rtp_bwe *bwe = &downlink->bwe;
    if (bwe->feedback_us != now_us) /* Nothing of what it told has arrived. */
        return;
    uint64_t way_us = clocks_us + bwe->arrival_us - bwe->newest_sent_us;
    bool stands = is_standing(&queue->standing, now_us, way_us);
    if (!stands || queue->standing.tried || queue->cap_bps != 0)
        return;
    queue->cap_bps = draining_bps(downlink);
    queue->cap_until_us = now_us + CAP_US;
    queue->standing.tried = queue->cap_bps != 0;
}
