/* The selector under any sequence of packets and wishes, five bytes each: layers by descriptors,
 * and frames of Chrome's L3T3 with any references and chains. */
#include "rtp/selector.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEP_LEN = 5, TARGETS = 9, CHAINS = 3 };

static struct {
    struct rtp_selector selector;
    struct rtp_dependency_structure structure;
    uint64_t seq;
    uint32_t timestamp;
    uint16_t frame;
    /* Of the newest frames: what became of their packets since the source began. */
    uint8_t fates[RTP_SELECTOR_FRAMES];
    uint16_t newest;
} model;

static void check(bool invariant) {
    if (!invariant)
        abort();
}

/* Decode target 3 * s + t is of spatial layer s and temporal layer t. */
static void make_structure(void) {
    struct rtp_dependency_structure *structure = &model.structure;
    *structure = (struct rtp_dependency_structure){.template_count = 1,
                                                   .target_count = TARGETS,
                                                   .chain_count = CHAINS,
                                                   .spatial_count = 3,
                                                   .temporal_count = 3};
    for (unsigned target = 0; target < TARGETS; target++) {
        structure->target_chain[target] = structure->target_spatial[target] = target / 3;
        structure->target_temporal[target] = target % 3;
        for (unsigned s = target / 3; s < RTP_DEPENDENCY_SPATIAL_MAX; s++)
            for (unsigned t = target % 3; t < RTP_DEPENDENCY_TEMPORAL_MAX; t++)
                structure->reach[s][t] |= 1u << target;
    }
}

static struct rtp_descriptor describe(const uint8_t *step) {
    return (struct rtp_descriptor){.keyframe = step[1] & 1,
                                   .frame_start = step[1] & 2,
                                   .frame_end = step[1] & 4,
                                   .layer_sync = step[1] & 8,
                                   .up_switch = step[1] & 16,
                                   .inter_layer = step[1] & 32,
                                   .spatial = step[2] & 7,
                                   .temporal = step[2] >> 3 & 7};
}

static struct rtp_dependency depend(const uint8_t *step) {
    struct rtp_dependency dependency = {.frame_start = step[1] & 2,
                                        .frame_end = step[1] & 4,
                                        .attached = step[1] & 1,
                                        .known = true,
                                        .frame_number = model.frame,
                                        .targets = (uint32_t)(step[3] | (step[1] & 8) << 5)};
    dependency.present = (uint32_t)(step[4] | (step[1] & 16) << 4);
    dependency.switchable = dependency.present & (uint32_t)step[2] << (step[1] & 1);
    dependency.frame.spatial = step[2] % 3;
    dependency.frame.temporal = step[2] / 3 % 3;
    dependency.frame.fdiff_count = step[1] & 1 ? 0 : step[4] % 3;
    dependency.frame.fdiffs[0] = 1 + step[3] % 7;
    dependency.frame.fdiffs[1] = 1 + step[3];
    for (unsigned chain = 0; chain < CHAINS; chain++)
        dependency.frame.chain_fdiffs[chain] = step[1] & 1 ? 0 : step[2 + chain];
    return dependency;
}

static void check_verdict(const struct rtp_selector *before, const struct rtp_selectable *packet,
                          enum rtp_selection verdict) {
    const struct rtp_selector *after = &model.selector;
    bool current = !before->awaits_entry && packet->layer == before->current.layer;
    if (verdict == RTP_SELECTION_IGNORE) {
        check(!current && memcmp(before, after, sizeof(*before)) == 0);
        return;
    }
    check(!after->awaits_entry && after->current.layer == packet->layer);
    check(current || rtp_selector_is_entry(packet));
    check((verdict == RTP_SELECTION_BEGIN) <= !current);
    check(current || packet->layer <= after->target.layer || !before->awaits_entry);
    if (packet->dependency == NULL && verdict != RTP_SELECTION_DROP && current)
        check((packet->descriptor->spatial <= after->current.spatial &&
               packet->descriptor->temporal <= after->current.temporal) ||
              packet->seq <= before->newest_seq);
}

/* All packets of a frame fare alike. */
static void check_fate(const struct rtp_dependency *dependency, enum rtp_selection verdict) {
    while (model.newest != model.selector.newest_frame)
        model.fates[++model.newest % RTP_SELECTOR_FRAMES] = 0;
    unsigned place = dependency->frame_number % RTP_SELECTOR_FRAMES;
    uint8_t fate = verdict == RTP_SELECTION_DROP ? 1 : 2;
    uint16_t back = (uint16_t)(model.selector.newest_frame - dependency->frame_number);
    if (back >= RTP_SELECTOR_FRAMES)
        return;
    check(model.fates[place] == 0 || model.fates[place] == fate);
    model.fates[place] = fate;
}

static void feed(const uint8_t *step, bool by_frame) {
    struct rtp_descriptor descriptor = describe(step);
    struct rtp_dependency dependency = depend(step);
    struct rtp_selectable packet = {.layer = step[0] >> 4 & 3,
                                    .seq = model.seq,
                                    .timestamp = model.timestamp,
                                    .descriptor = &descriptor,
                                    .dependency = by_frame ? &dependency : NULL,
                                    .structure = by_frame ? &model.structure : NULL};
    struct rtp_selector before = model.selector;
    bool last;
    enum rtp_selection verdict = rtp_selector_on_packet(&model.selector, &packet, &last);
    check_verdict(&before, &packet, verdict);
    check(!last || verdict == RTP_SELECTION_PASS || verdict == RTP_SELECTION_BEGIN);
    bool began = before.awaits_entry || before.current.layer != model.selector.current.layer;
    if (began)
        memset(model.fates, 0, sizeof(model.fates));
    if (by_frame && verdict != RTP_SELECTION_IGNORE)
        check_fate(&dependency, verdict);
}

static void step(const uint8_t *step) {
    switch (step[0] & 7) {
    case 0:
        rtp_selector_aim(&model.selector,
                         (struct rtp_point){step[1] & 3, step[2] & 3, step[3] & 3});
        return;
    case 1:
        rtp_selector_start(&model.selector,
                           (struct rtp_point){step[1] & 3, step[2] & 3, step[3] & 3});
        memset(model.fates, 0, sizeof(model.fates));
        return;
    case 2: /* The next picture. */
        model.timestamp += 3000;
        model.seq++;
        feed(step, false);
        return;
    case 3: /* Another packet. */
        model.seq++;
        feed(step, false);
        return;
    case 4: { /* A late one. */
        uint64_t newest = model.seq;
        model.seq -= step[3];
        feed(step, false);
        model.seq = newest;
        return;
    }
    case 5: { /* A late frame, or a leap ahead. */
        uint16_t newest = model.frame;
        model.frame = (uint16_t)(newest + step[3] * 8 - step[4]);
        feed(step, true);
        if (step[0] & 8)
            model.frame = newest;
        return;
    }
    case 6: /* The next frame. */
        model.timestamp += step[0] & 8 ? 3000 : 0;
        model.frame++;
        model.seq++;
        feed(step, true);
        return;
    default: /* The same one's next packet. */
        model.seq++;
        feed(step, true);
        return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    memset(&model, 0, sizeof(model));
    model.seq = 70000;
    make_structure();
    rtp_selector_start(&model.selector, (struct rtp_point){2, 2, 2});
    for (; size >= STEP_LEN; data += STEP_LEN, size -= STEP_LEN)
        step(data);
    return 0;
}
