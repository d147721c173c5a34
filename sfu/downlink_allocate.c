/* Shares the estimate of a downlink among the slots of its transport, by rtp/allocator, and tells
 * each slot what it got. */
#include <string.h>

#include "sfu/transport.h"

enum {
    TOLD_MAX = 16,            /* Slots in one event. */
    REFRESH_US = 1000 * 1000, /* For rates that have changed by little. */
    /* Most that is sent before anything has told of a limit; what other SFUs begin with. */
    BLIND_BPS = 2500 * 1000,
};

/* Under transport-cc the estimate is of what is numbered: sound that is sent again in place has no
 * numbers, and takes nothing from it. */
static bool counts(const struct sfu_downlink *downlink, const struct sfu_slot *slot) {
    bool numbered = slot->media.video || !slot->media.nack;
    return numbered || downlink->source < SFU_DOWNLINK_TRANSPORT_CC;
}

static bool is_screen(const struct sfu_track *track) {
    return track->media.source == SFU_SOURCE_SCREEN;
}

static void describe(const struct sfu_slot *slot, const struct sfu_downlink_slot *known,
                     uint64_t now_us, struct rtp_rung *rungs, struct rtp_allocator_slot *out) {
    *out = (struct rtp_allocator_slot){
        .rungs = rungs,
        .rung_count = (uint8_t)sfu_track_rungs(slot->track, now_us, rungs),
        .id = slot->media.slot_ssrc,
        .priority = slot->wish.priority,
        .max_width = slot->wish.max_width,
        .max_height = slot->wish.max_height,
        .max_fps = slot->wish.max_fps,
        .audio = !slot->media.video,
        .screen = is_screen(slot->track),
        .speaking = slot->track->favoured,
        .paused = slot->wish.paused,
        .state = known->state,
    };
}

/* What was known was of another track. */
static void follow_track(struct sfu_downlink_slot *known, const struct sfu_slot *slot) {
    uint64_t track = slot->track != NULL ? slot->track->id : 0;
    if (known->track == track)
        return;
    uint32_t packets = known->reported_packets, octets = known->reported_octets;
    *known = (struct sfu_downlink_slot){.track = track,
                                        .wanted = -1,
                                        .chosen = -1,
                                        .reported_packets = packets,
                                        .reported_octets = octets};
}

static size_t collect(struct sfu_transport *transport, uint64_t now_us) {
    struct sfu_downlink *downlink = transport->downlink;
    struct sfu_downlink_scratch *scratch = &transport->engine->downlinks;
    size_t count = 0;
    for (size_t i = 0; i < transport->mline_count; i++) {
        const struct sfu_slot *slot = transport->mlines[i].slot;
        if (slot == NULL)
            continue;
        follow_track(&downlink->slots[i], slot);
        if (slot->track == NULL || !counts(downlink, slot))
            continue;
        describe(slot, &downlink->slots[i], now_us, scratch->rungs[count], &scratch->slots[count]);
        scratch->mlines[count++] = (uint16_t)i;
    }
    return count;
}

/* Nothing fits, though there is something. */
static bool is_starved(const struct rtp_allocator_slot *given) {
    return given->chosen < 0 &&
           (given->reason == RTP_ALLOCATOR_BANDWIDTH || given->reason == RTP_ALLOCATOR_HYSTERESIS);
}

/* Of what does not flow yet the slot takes what comes. */
static void aim(struct sfu_slot *slot, uint64_t now_us, const struct rtp_allocator_slot *given,
                bool holds) {
    struct sfu_target target = {.paused = holds || is_starved(given)};
    if (!slot->media.video || (given->chosen < 0 && !target.paused))
        return;
    const struct rtp_rung *rung = &given->rungs[given->chosen >= 0 ? given->chosen : 0];
    target.layer = rung->layer;
    target.spatial = rung->spatial;
    target.temporal = rung->temporal;
    sfu_slot_set_target(slot, now_us, &target);
}

static void tell(struct sfu_transport *transport, const struct sfu_slot_state *states,
                 size_t count) {
    struct sfu_event event = {.type = SFU_EVENT_SLOTS,
                              .participant = transport->participant,
                              .slots = states,
                              .slot_count = count};
    if (count > 0)
        transport->engine->config.on_event(transport->engine->config.ctx, &event);
}

/* Notes whether the slot is paused; true when that has changed. */
static bool note_paused(struct sfu_counters *counters, struct sfu_downlink_slot *known,
                        bool paused) {
    if (known->paused == paused)
        return false;
    known->paused = paused;
    counters->slots_paused += paused;
    counters->slots_resumed += !paused;
    return true;
}

static bool starves(const struct rtp_allocator_slot *slots, size_t count) {
    bool starved = false;
    for (size_t i = 0; i < count; i++) {
        if (!slots[i].audio && slots[i].chosen >= 0)
            return false;
        starved = starved || is_starved(&slots[i]);
    }
    return starved;
}

static void apply(struct sfu_transport *transport, uint64_t now_us, size_t count) {
    struct sfu_downlink *downlink = transport->downlink;
    const struct sfu_downlink_scratch *scratch = &transport->engine->downlinks;
    struct sfu_slot_state told[TOLD_MAX];
    size_t told_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct rtp_allocator_slot *given = &scratch->slots[i];
        struct sfu_downlink_slot *known = &downlink->slots[scratch->mlines[i]];
        struct sfu_slot *slot = transport->mlines[scratch->mlines[i]].slot;
        known->state = given->state;
        known->wanted = given->wanted;
        known->chosen = given->chosen;
        known->reason = (uint8_t)given->reason;
        known->bps = given->chosen >= 0 ? given->rungs[given->chosen].bps : 0;
        known->wanted_bps = given->wanted >= 0 ? given->rungs[given->wanted].bps : 0;
        downlink->allocated_bps += known->bps;
        downlink->is_short = downlink->is_short || given->chosen < given->wanted;
        aim(slot, now_us, given, downlink->queue.holds);
        if (!note_paused(&transport->engine->counters, known, is_starved(given)))
            continue;
        told[told_count] =
            (struct sfu_slot_state){.track = slot->track->id, .paused = known->paused};
        memcpy(told[told_count++].mid, slot->media.mid, sizeof(slot->media.mid));
        if (told_count == TOLD_MAX) {
            tell(transport, told, told_count);
            told_count = 0;
        }
    }
    tell(transport, told, told_count);
}

/* Until something has told of a limit everybody gets a picture: a camera of one layer would stay
 * dark until probes have found room for it. What comes back of it tells soon. */
static uint64_t blind_bps(const struct rtp_allocator_slot *slots, size_t count) {
    uint64_t sum_bps = 0;
    for (size_t i = 0; i < count; i++)
        sum_bps += slots[i].rung_count > 0 ? slots[i].rungs[0].bps : 0;
    return sum_bps < BLIND_BPS ? sum_bps : BLIND_BPS;
}

static uint64_t budget(const struct sfu_downlink *downlink, const struct rtp_allocator_slot *slots,
                       size_t count, uint64_t now_us) {
    uint64_t known_bps = sfu_downlink_budget(downlink, now_us);
    uint64_t least_bps = rtp_bwe_is_unbounded(&downlink->bwe) ? blind_bps(slots, count) : known_bps;
    return known_bps > least_bps ? known_bps : least_bps;
}

static uint64_t sooner(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* So much leaves nobody paused who is not anyway. */
static uint64_t least_of_all(const struct rtp_allocator_slot *slots, size_t count) {
    uint64_t sum_bps = 0;
    for (size_t i = 0; i < count; i++)
        if (!slots[i].paused && slots[i].rung_count > 0)
            sum_bps += slots[i].rungs[0].bps;
    return sum_bps;
}

uint64_t sfu_downlink_allocate(struct sfu_transport *transport, uint64_t now_us) {
    struct sfu_downlink *downlink = transport->downlink;
    struct rtp_allocator_slot *slots = transport->engine->downlinks.slots;
    size_t count = collect(transport, now_us);
    uint64_t hold_us = sfu_downlink_expire_hold(downlink, now_us);
    downlink->demand_bps =
        rtp_allocator_run(slots, count, budget(downlink, slots, count, now_us), now_us);
    downlink->allocated_bps = 0;
    downlink->least_bps = least_of_all(slots, count);
    downlink->is_short = false;
    downlink->starves = starves(slots, count);
    apply(transport, now_us, count);
    uint64_t raise_us = rtp_allocator_next_deadline(slots, count);
    uint64_t refresh_us = count > 0 ? now_us + REFRESH_US : UINT64_MAX;
    return sooner(hold_us, sooner(raise_us, refresh_us));
}
