/* What the slots of a transport may replay of their tracks' keyframes on a link with a limit: all
 * of them share what it takes, and one goes after the other. Eight cameras that began again
 * together after a hold, each at once with what the link takes in 100 ms, filled its queue anew,
 * and were held again, for the whole half minute that a link of 500 kb/s was watched. */
#include "sfu/slot.h"
#include "sfu/transport.h"

enum { ALONE_FACTOR = 2 }; /* Of one it soon ends, and what still comes of it is behind it. */

static bool is_replaying(const struct sfu_slot *slot) {
    return slot != NULL && slot->media.video && slot->replaying && !slot->silent;
}

/* Who has begun comes to an end first: of many pictures in parts none would be there for long. */
static bool take_turn(const struct sfu_slot *slot, bool *alone, bool *again) {
    const struct sfu_transport *transport = slot->transport;
    struct sfu_downlink_replays *replays = &transport->downlink->replays;
    size_t own = 0;
    *alone = true;
    for (size_t i = 0; i < transport->mline_count; i++) {
        if (transport->mlines[i].slot == slot)
            own = i;
        else if (is_replaying(transport->mlines[i].slot))
            *alone = false;
    }
    *again = replays->mline == own;
    if (!*again && replays->mline < transport->mline_count &&
        is_replaying(transport->mlines[replays->mline].slot))
        return false;
    replays->mline = own;
    return true;
}

/* Where others wait, what the link carries: whoever had his turn sends besides. */
static uint64_t rate(const struct sfu_downlink *downlink, uint64_t now_us, bool alone,
                     uint64_t burst_bytes) {
    if (alone)
        return ALONE_FACTOR * burst_bytes * 8 * 1000000 / SFU_DOWNLINK_BURST_US;
    uint64_t budget_bps = sfu_downlink_budget(downlink, now_us);
    return budget_bps > downlink->queue.carried_bps ? budget_bps : downlink->queue.carried_bps;
}

size_t sfu_downlink_replay_bytes(const struct sfu_slot *slot, uint64_t now_us, uint64_t live_bps) {
    struct sfu_transport *transport = slot->transport;
    struct sfu_downlink_replays *replays = &transport->downlink->replays;
    bool alone, again;
    if (!take_turn(slot, &alone, &again))
        return 0;
    size_t burst_bytes = sfu_downlink_burst(transport, now_us);
    uint64_t rate_bps = rate(transport->downlink, now_us, alone, burst_bytes);
    if (rate_bps < live_bps * 2) /* It has to come to an end. */
        rate_bps = live_bps * 2;
    uint64_t since_us = now_us - replays->at_us;
    if (since_us > SFU_DOWNLINK_BURST_US)
        since_us = SFU_DOWNLINK_BURST_US;
    replays->at_us = now_us;
    replays->bytes += (int64_t)(rate_bps / 8 * since_us / 1000000);
    bool is_next = alone && again && slot->replayed_us == 0; /* A keyframe of the same one's. */
    if (is_next || replays->bytes > (int64_t)burst_bytes)
        replays->bytes = (int64_t)burst_bytes;
    return replays->bytes > 0 ? (size_t)replays->bytes : 0;
}

void sfu_downlink_on_replayed(struct sfu_transport *transport, size_t bytes) {
    if (sfu_downlink_is_bounded(transport))
        transport->downlink->replays.bytes -= (int64_t)bytes;
}

size_t sfu_downlink_pictures(const struct sfu_transport *transport) {
    size_t count = 0;
    for (size_t i = 0; i < transport->mline_count; i++) {
        const struct sfu_slot *slot = transport->mlines[i].slot;
        count += slot != NULL && slot->media.video && slot->track != NULL && !slot->wish.paused;
    }
    return count;
}
