/* Which rungs of a track fit a slot's tile, and which of them are worth having: the steps on which
 * rtp/allocator moves it. */
#ifndef RTP_LADDER_H
#define RTP_LADDER_H

#include "rtp/allocator.h"

enum {
    /* A picture is not upscaled by more than 1.25 in each direction while one that is just above
     * the tile is being sent. */
    RTP_LADDER_FILL_PERCENT = 80,
    /* "Just above": what that leaves of a ladder of halves. Beyond, four times the pixels of the
     * tile or more would be paid for. */
    RTP_LADDER_ABOVE_PERCENT = 160,
    /* Measured frame rates differ from nominal ones. */
    RTP_LADDER_FPS_PERCENT = 120,
    /* Below, a larger picture looks worse than a fluent smaller one; text is the other way round.
     */
    RTP_LADDER_FLUENT_FPS = 12,
};

/* Fills in the slot's wanted rung, steps, and held step from its rungs, wish and state. Without
 * steps nothing flows that could be chosen. */
void rtp_ladder_climb(struct rtp_allocator_slot *slot);

/* The step up to which everybody is raised before anybody goes beyond: a camera's 360 lines, a
 * screen's full size with the fewest frames. */
int rtp_ladder_preferred(const struct rtp_allocator_slot *slot);

/* Why a slot that has its highest step has no better rung. */
enum rtp_allocator_reason rtp_ladder_reason(const struct rtp_allocator_slot *slot);

static inline const struct rtp_rung *rtp_ladder_rung(const struct rtp_allocator_slot *slot,
                                                     int step) {
    return &slot->rungs[slot->steps[step]];
}

static inline uint32_t rtp_ladder_area(const struct rtp_rung *rung) {
    return (uint32_t)rung->width * rung->height;
}

#endif
