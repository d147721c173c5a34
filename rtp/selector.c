/* Selection. VP8 and VP9 are judged by the layers that their payload descriptors name, everything
 * with a dependency descriptor by decode targets. What has not arrived yet counts as forwarded: its
 * number is kept free, and the receiver waits for it as it would for any lost packet. */
#include "rtp/selector.h"

#include <string.h>

enum { ANY = UINT8_MAX };

void rtp_selector_start(struct rtp_selector *selector, struct rtp_point target) {
    *selector = (struct rtp_selector){.target = target, .current = target, .awaits_entry = true};
}

void rtp_selector_aim(struct rtp_selector *selector, struct rtp_point target) {
    selector->target = target;
    if (selector->awaits_entry)
        selector->current = target;
}

bool rtp_selector_is_entry(const struct rtp_selectable *packet) {
    if (!rtp_descriptor_is_entry(packet->descriptor))
        return false;
    /* A receiver needs the structure before it can read any other descriptor. */
    return packet->dependency == NULL || packet->dependency->attached;
}

bool rtp_selector_needs_keyframe(const struct rtp_selector *selector, uint8_t spatial_count) {
    const struct rtp_point *target = &selector->target;
    uint8_t highest = target->spatial < spatial_count ? target->spatial : spatial_count - 1;
    return selector->awaits_entry || selector->current.layer != target->layer ||
           selector->current.spatial < highest;
}

/* What to go for within the encoding that is forwarded. */
static struct rtp_point goal(const struct rtp_selector *selector) {
    const struct rtp_point *target = &selector->target;
    uint8_t layer = selector->current.layer;
    if (target->layer == layer)
        return *target;
    if (target->layer > layer)
        return (struct rtp_point){layer, ANY, ANY};
    return (struct rtp_point){layer, 0, 0};
}

static void move_to(struct rtp_selector *selector, uint64_t seq, uint8_t spatial,
                    uint8_t temporal) {
    struct rtp_point *current = &selector->current;
    if (current->spatial == spatial && current->temporal == temporal)
        return;
    selector->before = *current;
    selector->since_seq = seq;
    current->spatial = spatial;
    current->temporal = temporal;
}

static uint8_t lower(uint8_t a, uint8_t b) {
    return a < b ? a : b;
}

/* --- By layers --- */

static void begin_picture(struct rtp_selector *selector, const struct rtp_selectable *packet,
                          struct rtp_point wanted) {
    selector->timestamp = packet->timestamp;
    move_to(selector, packet->seq, lower(selector->current.spatial, wanted.spatial),
            lower(selector->current.temporal, wanted.temporal));
}

/* Which temporal layers may be forwarded from this packet on. */
static uint8_t raised_temporal(const struct rtp_selector *selector,
                               const struct rtp_selectable *packet, struct rtp_point wanted) {
    const struct rtp_descriptor *descriptor = packet->descriptor;
    uint8_t temporal = selector->current.temporal;
    if (rtp_selector_is_entry(packet))
        return wanted.temporal;
    if (temporal >= wanted.temporal || !descriptor->frame_start || !descriptor->layer_sync)
        return temporal;
    /* VP9's U frees every higher layer from what came before this picture; the picture itself may
     * need what its own layer has had. VP8's Y says that it needs the base layer alone. */
    if (descriptor->up_switch && descriptor->temporal <= temporal)
        return wanted.temporal;
    return descriptor->temporal == temporal + 1 ? temporal + 1 : temporal;
}

static bool fits(const struct rtp_descriptor *descriptor, const struct rtp_point *point) {
    return descriptor->spatial <= point->spatial && descriptor->temporal <= point->temporal;
}

static bool select_layer(struct rtp_selector *selector, const struct rtp_selectable *packet,
                         bool *last) {
    const struct rtp_descriptor *descriptor = packet->descriptor;
    bool late = packet->seq <= selector->newest_seq;
    if (late && packet->seq < selector->since_seq)
        return fits(descriptor, &selector->before);
    if (!late) {
        struct rtp_point wanted = goal(selector);
        selector->newest_seq = packet->seq;
        if (packet->timestamp != selector->timestamp)
            begin_picture(selector, packet, wanted);
        bool key = rtp_selector_is_entry(packet);
        move_to(selector, packet->seq, key ? wanted.spatial : selector->current.spatial,
                raised_temporal(selector, packet, wanted));
    }
    if (!fits(descriptor, &selector->current))
        return false;
    *last = descriptor->frame_end && descriptor->spatial == selector->current.spatial;
    return true;
}

/* --- By decode targets --- */

static bool frame_get(const uint64_t *bits, uint16_t frame) {
    return bits[frame % RTP_SELECTOR_FRAMES / 64] >> frame % 64 & 1;
}

static void frame_set(uint64_t *bits, uint16_t frame, bool value) {
    uint64_t bit = UINT64_C(1) << frame % 64;
    uint64_t *word = &bits[frame % RTP_SELECTOR_FRAMES / 64];
    *word = value ? *word | bit : *word & ~bit;
}

static bool frame_is_new(const struct rtp_selector *selector, uint16_t frame) {
    uint16_t ahead = (uint16_t)(frame - selector->newest_frame);
    return ahead != 0 && ahead < 0x8000;
}

static bool frame_is_old(const struct rtp_selector *selector, uint16_t frame) {
    return (uint16_t)(selector->newest_frame - frame) >= RTP_SELECTOR_FRAMES;
}

static void frames_advance(struct rtp_selector *selector, uint16_t frame) {
    uint16_t ahead = (uint16_t)(frame - selector->newest_frame);
    for (uint16_t i = 0; i < ahead && i < RTP_SELECTOR_FRAMES; i++) {
        frame_set(selector->seen, (uint16_t)(frame - i), false);
        frame_set(selector->passed, (uint16_t)(frame - i), false);
    }
    selector->newest_frame = frame;
}

/* Whether the receiver has, or will have, the frame so far back. Beyond the window nobody knows. */
static bool was_forwarded(const struct rtp_selector *selector, uint16_t frame, uint16_t back) {
    uint16_t other = (uint16_t)(frame - back);
    return frame_is_old(selector, other) || !frame_get(selector->seen, other) ||
           frame_get(selector->passed, other);
}

static bool references_forwarded(const struct rtp_selector *selector,
                                 const struct rtp_dependency *dependency) {
    for (unsigned i = 0; i < dependency->frame.fdiff_count; i++)
        if (!was_forwarded(selector, dependency->frame_number, dependency->frame.fdiffs[i]))
            return false;
    return true;
}

static bool chain_is_intact(const struct rtp_selector *selector,
                            const struct rtp_selectable *packet, unsigned target) {
    const struct rtp_dependency *dependency = packet->dependency;
    if (packet->structure->chain_count == 0)
        return true;
    uint8_t back = dependency->frame.chain_fdiffs[packet->structure->target_chain[target]];
    return back == 0 || was_forwarded(selector, dependency->frame_number, back);
}

/* The active targets up to the goal; where none is so low, the lowest. */
static uint32_t wanted_targets(const struct rtp_selector *selector,
                               const struct rtp_selectable *packet) {
    struct rtp_point wanted = goal(selector);
    uint8_t spatial = lower(wanted.spatial, RTP_DEPENDENCY_SPATIAL_MAX - 1);
    uint8_t temporal = lower(wanted.temporal, RTP_DEPENDENCY_TEMPORAL_MAX - 1);
    uint32_t active = packet->dependency->targets;
    uint32_t targets = packet->structure->reach[spatial][temporal] & active;
    return targets != 0 ? targets : active & (~active + 1);
}

static void find_point(struct rtp_selector *selector,
                       const struct rtp_dependency_structure *structure) {
    uint8_t spatial = 0, temporal = 0;
    for (unsigned target = 0; target < structure->target_count; target++) {
        if (!(selector->targets >> target & 1))
            continue;
        if (structure->target_spatial[target] > spatial) {
            spatial = structure->target_spatial[target];
            temporal = 0;
        }
        if (structure->target_spatial[target] == spatial &&
            structure->target_temporal[target] > temporal)
            temporal = structure->target_temporal[target];
    }
    selector->current.spatial = spatial;
    selector->current.temporal = temporal;
}

/* Targets are left between pictures, and taken up where the frame lets them be switched to and all
 * that it and they need was forwarded. */
static void update_targets(struct rtp_selector *selector, const struct rtp_selectable *packet) {
    const struct rtp_dependency *dependency = packet->dependency;
    uint32_t before = selector->targets;
    uint32_t wanted = wanted_targets(selector, packet);
    bool key = dependency->attached && dependency->frame.fdiff_count == 0;
    bool first = packet->timestamp != selector->timestamp;
    if (key)
        selector->targets = 0; /* Their numbers may mean other targets from here on. */
    else if (first)
        selector->targets &= wanted;
    uint32_t rest = wanted & ~selector->targets & dependency->switchable;
    if (!key && !first) { /* The marker bit may have ended the picture already. */
        uint8_t spatial = lower(selector->current.spatial, RTP_DEPENDENCY_SPATIAL_MAX - 1);
        rest &= packet->structure->reach[spatial][RTP_DEPENDENCY_TEMPORAL_MAX - 1];
    }
    if (rest != 0 && references_forwarded(selector, dependency)) {
        for (unsigned target = 0; rest >> target != 0; target++)
            if ((rest >> target & 1) && chain_is_intact(selector, packet, target))
                selector->targets |= UINT32_C(1) << target;
    }
    selector->timestamp = packet->timestamp;
    if (selector->targets != before || key)
        find_point(selector, packet->structure);
}

static bool select_frame(struct rtp_selector *selector, const struct rtp_selectable *packet,
                         bool *last) {
    const struct rtp_dependency *dependency = packet->dependency;
    uint16_t frame = dependency->frame_number;
    if (frame_is_new(selector, frame)) {
        frames_advance(selector, frame);
        update_targets(selector, packet);
    } else if (frame_is_old(selector, frame)) {
        return false;
    }
    if (!frame_get(selector->seen, frame)) {
        frame_set(selector->seen, frame, true);
        frame_set(selector->passed, frame, (dependency->present & selector->targets) != 0);
    }
    bool passes = frame_get(selector->passed, frame);
    *last =
        passes && dependency->frame_end && dependency->frame.spatial == selector->current.spatial;
    return passes;
}

/* --- Both --- */

static bool may_enter(const struct rtp_selector *selector, const struct rtp_selectable *packet) {
    uint8_t wanted = selector->target.layer;
    return (packet->layer == wanted || (selector->awaits_entry && packet->layer < wanted)) &&
           rtp_selector_is_entry(packet);
}

/* Of the new source nothing older than this packet exists. */
static void enter(struct rtp_selector *selector, const struct rtp_selectable *packet) {
    struct rtp_point target = selector->target;
    *selector = (struct rtp_selector){.target = target,
                                      .current = {.layer = packet->layer},
                                      .before = {.layer = packet->layer},
                                      .timestamp = packet->timestamp,
                                      .newest_seq = packet->seq - 1};
    memset(selector->seen, 0xff, sizeof(selector->seen));
    if (packet->dependency != NULL)
        selector->newest_frame = (uint16_t)(packet->dependency->frame_number - 1);
}

enum rtp_selection rtp_selector_on_packet(struct rtp_selector *selector,
                                          const struct rtp_selectable *packet, bool *last) {
    bool begins = selector->awaits_entry || packet->layer != selector->current.layer;
    *last = false;
    if (begins && !may_enter(selector, packet))
        return RTP_SELECTION_IGNORE;
    if (begins)
        enter(selector, packet);
    bool by_frame = packet->dependency != NULL && packet->structure != NULL;
    if (!(by_frame ? select_frame : select_layer)(selector, packet, last))
        return RTP_SELECTION_DROP;
    return begins ? RTP_SELECTION_BEGIN : RTP_SELECTION_PASS;
}
