/* Which rung each slot gets. */
#include "rtp/allocator.h"

static const char *const reason_names[RTP_ALLOCATOR_REASON_COUNT] = {
    [RTP_ALLOCATOR_NOTHING_PUBLISHED] = "nothing_published",
    [RTP_ALLOCATOR_PAUSED_BY_CLIENT] = "paused_by_client",
    [RTP_ALLOCATOR_NOT_FLOWING] = "not_flowing",
    [RTP_ALLOCATOR_BANDWIDTH] = "bandwidth",
    [RTP_ALLOCATOR_HYSTERESIS] = "hysteresis",
    [RTP_ALLOCATOR_SIZE] = "size",
    [RTP_ALLOCATOR_FPS] = "fps",
    [RTP_ALLOCATOR_WANTED] = "wanted",
};

uint64_t rtp_allocator_run(struct rtp_allocator_slot *slots, size_t count, uint64_t budget_bps,
                           uint64_t now_us) {
    uint64_t demand_bps = 0;
    (void)budget_bps, (void)now_us;
    for (size_t i = 0; i < count; i++) {
        int8_t best = (int8_t)(slots[i].rung_count - 1);
        slots[i].wanted = best;
        slots[i].chosen = best;
        slots[i].reason = RTP_ALLOCATOR_WANTED;
        demand_bps += best >= 0 ? slots[i].rungs[best].bps : 0;
    }
    return demand_bps;
}

uint64_t rtp_allocator_next_deadline(const struct rtp_allocator_slot *slots, size_t count) {
    (void)slots, (void)count;
    return UINT64_MAX;
}

const char *rtp_allocator_reason_name(enum rtp_allocator_reason reason) {
    return (unsigned)reason < RTP_ALLOCATOR_REASON_COUNT ? reason_names[reason] : "unknown";
}
