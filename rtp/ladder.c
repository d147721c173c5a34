/* Which rungs are steps: those that fit the tile, flow, and look better than the cheaper ones. */
#include "rtp/ladder.h"

/* 360 lines: beyond, more pixels cost more than they show in most tiles. */
enum { PREFERRED_AREA = 640 * 360, UNLIMITED = UINT32_MAX };

/* Whether all sizes are known; else the order of the rungs is that of their quality. */
static bool is_sized(const struct rtp_allocator_slot *slot) {
    for (int i = 0; i < slot->rung_count; i++)
        if (rtp_ladder_area(&slot->rungs[i]) == 0)
            return false;
    return true;
}

/* How much of the tile the rung's picture fills, in per cent of the side that fits it closer. */
static uint32_t fill_of(const struct rtp_allocator_slot *slot, const struct rtp_rung *rung) {
    uint32_t of_width = slot->max_width ? rung->width * 100u / slot->max_width : 0;
    uint32_t of_height = slot->max_height ? rung->height * 100u / slot->max_height : 0;
    return of_width > of_height ? of_width : of_height;
}

/* The fill up to which rungs are wished for: the largest within the tile if it fills most of it,
 * else the smallest beyond, if that is just above or there is none within. */
static uint32_t fill_limit(const struct rtp_allocator_slot *slot) {
    uint32_t within = 0, beyond = UNLIMITED;
    bool any_within = false;
    for (int i = 0; i < slot->rung_count; i++) {
        uint32_t fill = fill_of(slot, &slot->rungs[i]);
        if (fill > 100)
            beyond = fill < beyond ? fill : beyond;
        else
            within = fill > within ? fill : within;
        any_within |= fill <= 100;
    }
    if (beyond == UNLIMITED || (any_within && within >= RTP_LADDER_FILL_PERCENT))
        return within;
    return !any_within || beyond <= RTP_LADDER_ABOVE_PERCENT ? beyond : within;
}

/* A base layer cannot be thinned any further, so it is never too fast. */
static bool is_too_fast(const struct rtp_allocator_slot *slot, const struct rtp_rung *rung) {
    return slot->max_fps > 0 && rung->temporal > 0 &&
           rung->fps * 100u > (uint32_t)slot->max_fps * RTP_LADDER_FPS_PERCENT;
}

static bool is_thinned(const struct rtp_allocator_slot *slot, const struct rtp_rung *rung) {
    for (int i = 0; i < slot->rung_count; i++) {
        const struct rtp_rung *other = &slot->rungs[i];
        if (other->bps > 0 && other->layer == rung->layer && other->spatial == rung->spatial &&
            other->temporal > rung->temporal && !is_too_fast(slot, other))
            return true;
    }
    return false;
}

/* A larger picture of few frames for which a fluent one exists. */
static bool is_choppy(const struct rtp_allocator_slot *slot, const struct rtp_rung *rung,
                      uint32_t smallest) {
    return !slot->screen && rung->fps > 0 && rung->fps < RTP_LADDER_FLUENT_FPS &&
           rtp_ladder_area(rung) > smallest && is_thinned(slot, rung);
}

/* The smallest fill of what flows, so that something is chosen when all that fits does not flow. */
static uint32_t smallest_flowing(const struct rtp_allocator_slot *slot, uint32_t *area) {
    uint32_t fill = UNLIMITED;
    *area = UNLIMITED;
    for (int i = 0; i < slot->rung_count; i++) {
        const struct rtp_rung *rung = &slot->rungs[i];
        if (rung->bps == 0)
            continue;
        uint32_t own_fill = fill_of(slot, rung), own_area = rtp_ladder_area(rung);
        fill = own_fill < fill ? own_fill : fill;
        *area = own_area < *area ? own_area : *area;
    }
    return fill;
}

/* Keeps the steps in the order of quality: by size, then as given. */
static void steps_insert(struct rtp_allocator_slot *slot, int rung, bool sized) {
    int at = slot->step_count++;
    uint32_t area = rtp_ladder_area(&slot->rungs[rung]);
    while (sized && at > 0 && rtp_ladder_area(rtp_ladder_rung(slot, at - 1)) > area) {
        slot->steps[at] = slot->steps[at - 1];
        at--;
    }
    slot->steps[at] = (uint8_t)rung;
}

static void steps_fill(struct rtp_allocator_slot *slot, bool sized, uint32_t limit) {
    uint32_t smallest_area, smallest_fill = smallest_flowing(slot, &smallest_area);
    if (limit < smallest_fill)
        limit = smallest_fill;
    slot->step_count = 0;
    for (int i = 0; i < slot->rung_count; i++) {
        const struct rtp_rung *rung = &slot->rungs[i];
        if (rung->bps > 0 && fill_of(slot, rung) <= limit && !is_too_fast(slot, rung) &&
            !(sized && is_choppy(slot, rung, smallest_area)))
            steps_insert(slot, i, sized);
    }
}

/* The best that fits the wish, flowing or not. */
static int find_wanted(const struct rtp_allocator_slot *slot, bool sized, uint32_t limit) {
    int best = -1;
    for (int i = 0; i < slot->rung_count; i++) {
        const struct rtp_rung *rung = &slot->rungs[i];
        if (fill_of(slot, rung) > limit || is_too_fast(slot, rung))
            continue;
        const struct rtp_rung *other = best >= 0 ? &slot->rungs[best] : NULL;
        uint32_t area = rtp_ladder_area(rung), other_area = other ? rtp_ladder_area(other) : 0;
        if (!other || !sized || area > other_area ||
            (area == other_area && rung->temporal >= other->temporal))
            best = i;
    }
    return best;
}

/* The step that the slot has had, or the best one that is not above it. */
static int find_held(const struct rtp_allocator_slot *slot) {
    const struct rtp_allocator_state *state = &slot->state;
    if (!state->known || state->paused)
        return -1;
    int held = 0;
    for (int i = 0; i < slot->step_count; i++) {
        const struct rtp_rung *rung = rtp_ladder_rung(slot, i);
        if (rung->layer == state->layer && rung->spatial == state->spatial &&
            rung->temporal == state->temporal)
            return i;
        if (rtp_ladder_area(rung) <= state->area)
            held = i;
    }
    return held;
}

void rtp_ladder_climb(struct rtp_allocator_slot *slot) {
    bool sized = is_sized(slot);
    uint32_t limit = fill_limit(slot);
    slot->wanted = (int8_t)find_wanted(slot, sized, limit);
    steps_fill(slot, sized, limit);
    if (slot->wanted < 0 && slot->step_count > 0)
        slot->wanted = (int8_t)slot->steps[slot->step_count - 1];
    slot->held = (int8_t)(slot->step_count > 0 ? find_held(slot) : -1);
}

int rtp_ladder_preferred(const struct rtp_allocator_slot *slot) {
    uint32_t most = rtp_ladder_area(rtp_ladder_rung(slot, slot->step_count - 1));
    int preferred = 0;
    if (most == 0)
        return (slot->step_count - 1) / 2;
    for (int i = 1; i < slot->step_count; i++) {
        uint32_t area = rtp_ladder_area(rtp_ladder_rung(slot, i));
        uint32_t before = rtp_ladder_area(rtp_ladder_rung(slot, i - 1));
        if (slot->screen ? area > before : area <= PREFERRED_AREA)
            preferred = i;
    }
    return preferred;
}

enum rtp_allocator_reason rtp_ladder_reason(const struct rtp_allocator_slot *slot) {
    const struct rtp_rung *top = rtp_ladder_rung(slot, slot->step_count - 1);
    const struct rtp_rung *wanted = &slot->rungs[slot->wanted];
    uint32_t area = rtp_ladder_area(top);
    if (wanted->bps == 0)
        return RTP_ALLOCATOR_NOT_FLOWING;
    enum rtp_allocator_reason reason = RTP_ALLOCATOR_WANTED;
    for (int i = 0; i < slot->rung_count; i++) {
        const struct rtp_rung *rung = &slot->rungs[i];
        if (rtp_ladder_area(rung) > area)
            return RTP_ALLOCATOR_SIZE;
        if (rtp_ladder_area(rung) == area && rung->temporal > top->temporal)
            reason = RTP_ALLOCATOR_FPS;
    }
    return reason;
}
