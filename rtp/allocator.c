/* Which rung each slot gets. Three passes over the slots by importance: the cheapest rung for
 * everybody, then the preferred ones, then what is wished for. In each a slot keeps what it has had
 * as long as the estimate carries it, and gets more when the estimate has carried that for a while
 * with a margin. The margin and the wait grow with each setback, so that on a network that carries
 * a rung only now and then it is tried ever more rarely. */
#include "rtp/allocator.h"

#include "rtp/ladder.h"

enum {
    /* A fall of the estimate to less than half, within so long of a setback: the network has
     * changed, and it was not the raise that was wrong. */
    SINKING_US = 5 * 1000 * 1000,
    SUNK_PERCENT = 50,
    /* An estimate that much above what it could not carry is another network. Estimates of one
     * network were seen to differ by up to a third. */
    RISEN_PERCENT = 150,
    /* The usual estimate follows within 10 s upwards and 2 s downwards. One that is higher by this
     * much is on its way up and not swinging by 15 %: 1.15 / 0.85 is less. */
    USUAL_RISE_US = 10 * 1000 * 1000,
    USUAL_FALL_US = 2 * 1000 * 1000,
    UNUSUAL_PERCENT = 136,
    /* Of an estimate that is on its way up, before any setback. */
    START_MARGIN_PERCENT = 10,
    /* A step up of so little of the estimate is a fine one. On the way up such steps fill the link
     * whatever the setbacks, up to a little less than what was too much: rates are counted without
     * UDP and IP, 5 % of them, and with less a setback was followed by the next. */
    FINE_PERCENT = 8,
    FINE_MARGIN_PERCENT = 8,
    FAILED_PERCENT = 95,
    /* An estimate of so much of what all would have then: who has nothing need not wait. */
    AMPLE_PERCENT = 150,
    /* What loses a rung falls so far that the next fall of the estimate does not reach it again,
     * and queues drain. */
    LOWER_PERCENT = 15,
};

/* No network has more, and sums do not overflow. */
#define BUDGET_MAX ((uint64_t)1 << 48)

/* By the number of setbacks, in per cent. An estimate and rates that swing against each other by 15
 * and 20 % differ by (1.15 / 0.85) * (1.2 / 0.8) = 2 at most: after that margin no raise fails. */
static const uint8_t margins[RTP_ALLOCATOR_SETBACKS_MAX + 1] = {20, 50, 100, 100, 100, 100, 100};

struct sharing {
    uint64_t now_us;
    uint64_t audio_bps;
    uint64_t budget_bps;   /* For video. */
    uint64_t raise_bps;    /* The same without the margin. */
    uint64_t start_bps;    /* Or without that of the start. */
    uint64_t fine_bps;     /* Or for fine steps on the way up. */
    uint64_t ample_bps;    /* What may be given without a wait, beyond what all have had. */
    uint64_t failed_bps;   /* The least that was too much lately. */
    uint64_t lower_bps;    /* For slots that lose a rung. */
    uint64_t used_bps;     /* Given so far. */
    uint64_t reserved_bps; /* For raises that still have to wait. */
    uint64_t held_bps;     /* What all have had, as it costs now. */
    uint64_t wished_bps;
    unsigned setbacks; /* The most of any slot: they share the network that swings. */
    bool short_of_wish;
};

static uint64_t smaller(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static uint64_t cost_of(const struct rtp_allocator_slot *slot, int step) {
    return step >= 0 ? rtp_ladder_rung(slot, step)->bps : 0;
}

/* ---- What each slot has, and who comes first ---- */

static uint16_t rank_of(const struct rtp_allocator_slot *slot) {
    return (uint16_t)(slot->priority << 2 | slot->screen << 1 | slot->speaking);
}

/* Between equals, whoever has more keeps it. */
static bool is_more_important(const struct rtp_allocator_slot *a,
                              const struct rtp_allocator_slot *b) {
    if (rank_of(a) != rank_of(b))
        return rank_of(a) > rank_of(b);
    if (a->state.area != b->state.area)
        return a->state.area > b->state.area;
    return a->id < b->id;
}

/* By insertion: slots come in nearly the same order each time. */
static void slots_rank(struct rtp_allocator_slot *slots, size_t count) {
    for (size_t i = 0; i < count; i++) {
        size_t at = i;
        for (; at > 0 && is_more_important(&slots[i], &slots[slots[at - 1].order]); at--)
            slots[at].order = slots[at - 1].order;
        slots[at].order = (uint16_t)i;
    }
}

static void setbacks_review(struct rtp_allocator_slot *slot, const struct sharing *sharing) {
    struct rtp_allocator_state *state = &slot->state;
    if (state->setbacks == 0)
        return;
    uint64_t age_us = sharing->now_us - state->setback_at_us;
    uint64_t total_bps = state->setback_total_bps;
    if (sharing->budget_bps * 100 >= total_bps * RISEN_PERCENT) {
        state->setbacks = 0;
    } else if (age_us < SINKING_US && !state->sank &&
               sharing->budget_bps * 100 < total_bps * SUNK_PERCENT) {
        state->setbacks--;
        state->sank = true;
    } else if (age_us >= RTP_ALLOCATOR_FORGET_US) {
        state->setbacks--;
        state->setback_at_us = sharing->now_us;
    }
}

static void usual_follow(struct rtp_allocator_state *state, const struct sharing *sharing) {
    uint64_t budget_bps = sharing->budget_bps, usual_bps = state->usual_bps;
    uint64_t past_us = sharing->now_us - state->usual_at_us;
    if (past_us > USUAL_RISE_US)
        past_us = USUAL_RISE_US;
    if (!state->known)
        state->usual_bps = budget_bps;
    else if (budget_bps > usual_bps)
        state->usual_bps += (budget_bps - usual_bps) * past_us / (past_us + USUAL_RISE_US);
    else
        state->usual_bps -= (usual_bps - budget_bps) * past_us / (past_us + USUAL_FALL_US);
    state->usual_at_us = sharing->now_us;
}

static void rank_follow(struct rtp_allocator_slot *slot, uint64_t now_us) {
    struct rtp_allocator_state *state = &slot->state;
    uint16_t rank = rank_of(slot);
    if (state->known && rank > state->rank)
        state->promoted_at_us = now_us;
    else if (rank < state->rank || now_us - state->promoted_at_us >= RTP_ALLOCATOR_LONG_US)
        state->promoted_at_us = 0;
    state->rank = rank;
}

static void slot_begin(struct rtp_allocator_slot *slot, struct sharing *sharing) {
    slot->given = -1;
    slot->held = -1;
    slot->wanted = -1;
    slot->step_count = 0;
    slot->carried = false;
    slot->reserved_bps = 0;
    setbacks_review(slot, sharing);
    usual_follow(&slot->state, sharing);
    rank_follow(slot, sharing->now_us);
    if (slot->paused || slot->rung_count == 0 || slot->audio)
        return;
    rtp_ladder_climb(slot);
    sharing->held_bps += cost_of(slot, slot->held);
    sharing->wished_bps += cost_of(slot, slot->step_count - 1);
    if (slot->state.setbacks > sharing->setbacks)
        sharing->setbacks = slot->state.setbacks;
    if (slot->state.setbacks > 0 && slot->state.setback_total_bps < sharing->failed_bps)
        sharing->failed_bps = slot->state.setback_total_bps;
}

static uint64_t audio_cost(const struct rtp_allocator_slot *slots, size_t count) {
    uint64_t bps = 0;
    for (size_t i = 0; i < count; i++)
        if (slots[i].audio && !slots[i].paused && slots[i].rung_count > 0)
            bps += slots[i].rungs[slots[i].rung_count - 1].bps;
    return bps;
}

/* ---- The passes ---- */

static void give(struct rtp_allocator_slot *slot, struct sharing *sharing, int step) {
    uint64_t costs = cost_of(slot, step), has = cost_of(slot, slot->given);
    sharing->used_bps = sharing->used_bps + costs - has;
    if (slot->held < 0 && costs > has)
        sharing->ample_bps -= smaller(costs - has, sharing->ample_bps);
    slot->given = (int8_t)step;
}

/* The estimate is on its way up, or the slot is new. */
static bool is_starting(const struct rtp_allocator_state *state, const struct sharing *sharing) {
    return !state->known || sharing->budget_bps * 100 >= state->usual_bps * UNUSUAL_PERCENT;
}

static uint64_t raise_delay(const struct rtp_allocator_state *state,
                            const struct sharing *sharing) {
    if (state->promoted_at_us > 0 || is_starting(state, sharing))
        return RTP_ALLOCATOR_SHORT_US;
    bool resumed =
        state->resumed_at_us > 0 && sharing->now_us - state->resumed_at_us < RTP_ALLOCATOR_LONG_US;
    if (state->paused || resumed) /* No picture is worse than a picture that changes. */
        return (uint64_t)RTP_ALLOCATOR_SHORT_US << state->setbacks;
    return (uint64_t)RTP_ALLOCATOR_LONG_US << state->setbacks;
}

/* Whether a raise that the estimate carries may be made now: it has waited, or there is nothing to
 * wait for since the slot is new or had all that it wished for until now. */
static bool may_raise(const struct rtp_allocator_slot *slot, const struct sharing *sharing) {
    const struct rtp_allocator_state *state = &slot->state;
    return !state->known || !state->short_of_wish ||
           (state->carried_since_us > 0 &&
            sharing->now_us - state->carried_since_us >= raise_delay(state, sharing));
}

static bool fits(const struct rtp_allocator_slot *slot, const struct sharing *sharing, int step,
                 uint64_t limit_bps) {
    return sharing->used_bps - cost_of(slot, slot->given) + cost_of(slot, step) <= limit_bps;
}

/* The slot has had nothing for want of bandwidth, and now there is much. What was taken away just
 * now is not given back so soon: where eight cameras were a little too much, they came and went
 * three times as often. */
static bool is_ample(const struct rtp_allocator_slot *slot, const struct sharing *sharing,
                     int step) {
    return slot->state.known && slot->state.paused &&
           sharing->now_us - slot->state.setback_at_us >= RTP_ALLOCATOR_LONG_US &&
           cost_of(slot, step) <= cost_of(slot, slot->given) + sharing->ample_bps;
}

static bool is_fine(const struct rtp_allocator_slot *slot, const struct sharing *sharing,
                    int step) {
    return slot->held >= 0 && is_starting(&slot->state, sharing) &&
           cost_of(slot, step) <=
               cost_of(slot, slot->held) + sharing->budget_bps * FINE_PERCENT / 100;
}

/* Up to what a slot may be raised: with a margin. One that has become more important may take what
 * others have had without one, since that much is known to be carried. */
static uint64_t raise_limit(const struct rtp_allocator_slot *slot, const struct sharing *sharing,
                            int step) {
    const struct rtp_allocator_state *state = &slot->state;
    uint64_t limit_bps = sharing->raise_bps, held_bps = sharing->held_bps;
    if (is_starting(state, sharing))
        limit_bps = sharing->start_bps;
    if (is_fine(slot, sharing, step) && sharing->fine_bps > limit_bps)
        limit_bps = sharing->fine_bps;
    if (state->promoted_at_us > 0 && state->known && held_bps > limit_bps)
        limit_bps = smaller(held_bps, sharing->budget_bps);
    return limit_bps > sharing->reserved_bps ? limit_bps - sharing->reserved_bps : 0;
}

/* Gives the highest step up to `cap` that may be had. What a raise that has to wait will take is
 * reserved, so that no other raise takes it and is then taken back. */
static void slot_lift(struct rtp_allocator_slot *slot, struct sharing *sharing, int cap) {
    int step = cap, waiting = -1;
    sharing->reserved_bps -= slot->reserved_bps;
    for (; step > slot->given; step--) {
        if (step <= slot->held) {
            if (fits(slot, sharing, step,
                     step < slot->held ? sharing->lower_bps : sharing->budget_bps))
                break;
        } else if (fits(slot, sharing, step, raise_limit(slot, sharing, step))) {
            slot->carried = true;
            if (may_raise(slot, sharing) || is_ample(slot, sharing, step))
                break;
            waiting = waiting < 0 ? step : waiting;
        }
    }
    if (step > slot->given)
        give(slot, sharing, step);
    uint64_t wants = cost_of(slot, waiting), has = cost_of(slot, slot->given);
    slot->reserved_bps = (uint32_t)(wants > has ? wants - has : 0);
    sharing->reserved_bps += slot->reserved_bps;
}

/* The cheapest step needs neither margin nor time, but for a slot that the network has paused. */
static void slot_start(struct rtp_allocator_slot *slot, struct sharing *sharing) {
    int cheapest = 0;
    for (int i = 1; i < slot->step_count; i++)
        if (cost_of(slot, i) < cost_of(slot, cheapest))
            cheapest = i;
    if (slot->state.known && slot->state.paused)
        slot_lift(slot, sharing, cheapest);
    else if (fits(slot, sharing, cheapest, sharing->budget_bps))
        give(slot, sharing, cheapest);
}

static void share(struct rtp_allocator_slot *slots, size_t count, struct sharing *sharing) {
    for (int pass = 0; pass < 3; pass++)
        for (size_t i = 0; i < count; i++) {
            struct rtp_allocator_slot *slot = &slots[slots[i].order];
            if (slot->step_count == 0)
                continue;
            if (pass == 0)
                slot_start(slot, sharing);
            else if (slot->given >= 0)
                slot_lift(slot, sharing,
                          pass == 1 ? rtp_ladder_preferred(slot) : slot->step_count - 1);
        }
}

/* ---- What follows ---- */

/* The network took a rung away. All that it takes in one go is one setback. */
static void on_setback(struct rtp_allocator_state *state, const struct sharing *sharing) {
    if (state->setback_at_us > 0 && sharing->now_us - state->setback_at_us < RTP_ALLOCATOR_LONG_US)
        return;
    state->setback_at_us = sharing->now_us;
    state->setback_total_bps = sharing->held_bps;
    state->sank = sharing->budget_bps * 100 < sharing->held_bps * SUNK_PERCENT;
    if (!state->sank && state->setbacks < RTP_ALLOCATOR_SETBACKS_MAX)
        state->setbacks++;
}

static enum rtp_allocator_reason reason_of(const struct rtp_allocator_slot *slot,
                                           const struct sharing *sharing) {
    if (slot->rung_count == 0)
        return RTP_ALLOCATOR_NOTHING_PUBLISHED;
    if (slot->paused)
        return RTP_ALLOCATOR_PAUSED_BY_CLIENT;
    if (slot->audio)
        return RTP_ALLOCATOR_WANTED;
    if (slot->step_count == 0)
        return RTP_ALLOCATOR_NOT_FLOWING;
    if (slot->given == slot->step_count - 1)
        return rtp_ladder_reason(slot);
    return slot->given >= 0 && fits(slot, sharing, slot->given + 1, sharing->budget_bps)
               ? RTP_ALLOCATOR_HYSTERESIS
               : RTP_ALLOCATOR_BANDWIDTH;
}

static void state_keep(struct rtp_allocator_slot *slot, const struct sharing *sharing) {
    struct rtp_allocator_state *state = &slot->state;
    bool raised = state->known && slot->given > slot->held;
    bool waits = slot->carried && !raised && slot->given < slot->step_count - 1;
    if (raised)
        state->resumed_at_us = state->paused ? sharing->now_us : 0;
    state->known = true;
    state->paused = slot->given < 0;
    state->short_of_wish = slot->given < slot->step_count - 1 || slot->rungs[slot->wanted].bps == 0;
    state->carried_since_us = !waits                    ? 0
                              : state->carried_since_us ? state->carried_since_us
                                                        : sharing->now_us;
    if (waits)
        state->raise_at_us = state->carried_since_us + raise_delay(state, sharing);
    state->area = 0;
    if (slot->given < 0)
        return;
    const struct rtp_rung *rung = rtp_ladder_rung(slot, slot->given);
    state->layer = rung->layer;
    state->spatial = rung->spatial;
    state->temporal = rung->temporal;
    state->area = rtp_ladder_area(rung);
}

static void slot_end(struct rtp_allocator_slot *slot, struct sharing *sharing) {
    bool overdrawn = sharing->held_bps > sharing->budget_bps;
    slot->reason = reason_of(slot, sharing);
    slot->state.raise_at_us = UINT64_MAX;
    if (slot->step_count == 0) {
        bool heard = slot->audio && !slot->paused && slot->rung_count > 0;
        slot->chosen = (int8_t)(heard ? slot->rung_count - 1 : -1);
        slot->wanted = heard ? slot->chosen : slot->wanted;
        slot->state.known = false;
        return;
    }
    slot->chosen = (int8_t)(slot->given >= 0 ? slot->steps[slot->given] : -1);
    if (overdrawn && slot->given < slot->held)
        on_setback(&slot->state, sharing);
    state_keep(slot, sharing);
    sharing->short_of_wish |= slot->given < slot->step_count - 1;
}

static void limits_set(struct sharing *sharing) {
    uint64_t whole = sharing->budget_bps * 100;
    sharing->raise_bps = whole / (100 + margins[sharing->setbacks]);
    sharing->start_bps =
        sharing->setbacks > 0 ? sharing->raise_bps : whole / (100 + START_MARGIN_PERCENT);
    sharing->fine_bps =
        smaller(whole / (100 + FINE_MARGIN_PERCENT), sharing->failed_bps / 100 * FAILED_PERCENT);
    uint64_t ample_bps = whole / AMPLE_PERCENT;
    sharing->ample_bps = ample_bps - smaller(ample_bps, sharing->held_bps);
    sharing->lower_bps = sharing->held_bps > sharing->budget_bps ? whole / (100 + LOWER_PERCENT)
                                                                 : sharing->budget_bps;
}

uint64_t rtp_allocator_run(struct rtp_allocator_slot *slots, size_t count, uint64_t budget_bps,
                           uint64_t now_us) {
    struct sharing sharing = {
        .now_us = now_us, .audio_bps = audio_cost(slots, count), .failed_bps = UINT64_MAX};
    if (budget_bps > BUDGET_MAX)
        budget_bps = BUDGET_MAX;
    if (budget_bps > sharing.audio_bps)
        sharing.budget_bps = budget_bps - sharing.audio_bps;
    for (size_t i = 0; i < count; i++)
        slot_begin(&slots[i], &sharing);
    limits_set(&sharing);
    slots_rank(slots, count);
    share(slots, count, &sharing);
    for (size_t i = 0; i < count; i++)
        slot_end(&slots[i], &sharing);
    unsigned margin = sharing.short_of_wish ? margins[sharing.setbacks] : START_MARGIN_PERCENT;
    return sharing.audio_bps + sharing.wished_bps * (100 + margin) / 100;
}

uint64_t rtp_allocator_next_deadline(const struct rtp_allocator_slot *slots, size_t count) {
    uint64_t deadline_us = UINT64_MAX;
    for (size_t i = 0; i < count; i++)
        if (slots[i].state.raise_at_us < deadline_us)
            deadline_us = slots[i].state.raise_at_us;
    return deadline_us;
}
