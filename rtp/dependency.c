/* Reading of dependency descriptors (AV1 RTP payload specification, section A.8.2). Every loop is
 * bounded by the limits of the structure, whatever the bits say. */
#include "rtp/dependency.h"

#include <errno.h>

#include "rtp/bits.h"

enum {
    MANDATORY_LEN = 3,
    TEMPLATE_IDS = 64,
    LEN_MAX = 4096, /* Positions of bits are 16 bits long. No extension is so long. */
};

/* How the next template's layer differs from this one's (template_layers). */
enum next_layer { NEXT_SAME, NEXT_TEMPORAL, NEXT_SPATIAL, NEXT_NONE };

/* The flags of extended_descriptor_fields. */
struct extended {
    bool structure;
    bool targets;
    bool indications;
    bool fdiffs;
    bool chains;
};

static bool read_layers(struct rtp_bits *bits, struct rtp_dependency_structure *out) {
    unsigned spatial = 0, temporal = 0;
    enum next_layer next;
    do {
        if (out->template_count == RTP_DEPENDENCY_TEMPLATES_MAX ||
            spatial == RTP_DEPENDENCY_SPATIAL_MAX || temporal == RTP_DEPENDENCY_TEMPORAL_MAX)
            return false;
        struct rtp_dependency_frame *frame = &out->templates[out->template_count++];
        frame->spatial = (uint8_t)spatial;
        frame->temporal = (uint8_t)temporal;
        if (out->temporal_count <= temporal)
            out->temporal_count = (uint8_t)(temporal + 1);
        next = (enum next_layer)rtp_bits_read(bits, 2);
        temporal = next == NEXT_SPATIAL ? 0 : temporal + (next == NEXT_TEMPORAL);
        spatial += next == NEXT_SPATIAL;
    } while (next != NEXT_NONE);
    out->spatial_count = (uint8_t)(spatial + 1);
    return true;
}

static uint64_t read_indications(struct rtp_bits *bits, unsigned target_count) {
    uint64_t indications = 0;
    for (unsigned target = 0; target < target_count; target++)
        indications |= (uint64_t)rtp_bits_read(bits, 2) << 2 * target;
    return indications;
}

static bool add_fdiff(struct rtp_dependency_frame *frame, uint32_t fdiff_minus_one) {
    if (frame->fdiff_count == RTP_DEPENDENCY_FDIFFS_MAX)
        return false;
    frame->fdiffs[frame->fdiff_count++] = (uint16_t)(fdiff_minus_one + 1);
    return true;
}

static bool read_template_fdiffs(struct rtp_bits *bits, struct rtp_dependency_frame *frame) {
    while (rtp_bits_flag(bits)) {
        if (!add_fdiff(frame, rtp_bits_read(bits, 4)))
            return false;
    }
    return true;
}

static void read_chains(struct rtp_bits *bits, struct rtp_dependency_structure *out) {
    out->chain_count = (uint8_t)rtp_bits_below(bits, out->target_count + 1u);
    if (out->chain_count == 0)
        return;
    for (unsigned target = 0; target < out->target_count; target++)
        out->target_chain[target] = (uint8_t)rtp_bits_below(bits, out->chain_count);
    for (unsigned i = 0; i < out->template_count; i++) {
        for (unsigned chain = 0; chain < out->chain_count; chain++)
            out->templates[i].chain_fdiffs[chain] = (uint8_t)rtp_bits_read(bits, 4);
    }
}

/* A decode target is of the highest layers among the frames that are present in it. */
static void find_target_layers(struct rtp_dependency_structure *out) {
    for (unsigned target = 0; target < out->target_count; target++) {
        for (unsigned i = 0; i < out->template_count; i++) {
            const struct rtp_dependency_frame *frame = &out->templates[i];
            if (rtp_dependency_indication(frame, target) == RTP_DEPENDENCY_NOT_PRESENT)
                continue;
            if (out->target_spatial[target] < frame->spatial)
                out->target_spatial[target] = frame->spatial;
            if (out->target_temporal[target] < frame->temporal)
                out->target_temporal[target] = frame->temporal;
        }
    }
}

static void find_reach(struct rtp_dependency_structure *out) {
    for (unsigned spatial = 0; spatial < RTP_DEPENDENCY_SPATIAL_MAX; spatial++)
        for (unsigned temporal = 0; temporal < RTP_DEPENDENCY_TEMPORAL_MAX; temporal++)
            for (unsigned target = 0; target < out->target_count; target++)
                if (out->target_spatial[target] <= spatial &&
                    out->target_temporal[target] <= temporal)
                    out->reach[spatial][temporal] |= UINT32_C(1) << target;
}

static void read_sizes(struct rtp_bits *bits, struct rtp_dependency_structure *out) {
    out->has_sizes = rtp_bits_flag(bits);
    for (unsigned i = 0; out->has_sizes && i < out->spatial_count; i++) {
        /* 65,536 pixels do not fit and would read as 0, not known. */
        out->width[i] = (uint16_t)(rtp_bits_read(bits, 16) + 1);
        out->height[i] = (uint16_t)(rtp_bits_read(bits, 16) + 1);
    }
}

static bool read_structure(struct rtp_bits *bits, struct rtp_dependency_structure *out) {
    *out = (struct rtp_dependency_structure){0};
    out->template_offset = (uint8_t)rtp_bits_read(bits, 6);
    out->target_count = (uint8_t)(rtp_bits_read(bits, 5) + 1);
    if (!read_layers(bits, out))
        return false;
    for (unsigned i = 0; i < out->template_count; i++)
        out->templates[i].indications = read_indications(bits, out->target_count);
    for (unsigned i = 0; i < out->template_count; i++) {
        if (!read_template_fdiffs(bits, &out->templates[i]))
            return false;
    }
    read_chains(bits, out);
    find_target_layers(out);
    find_reach(out);
    read_sizes(bits, out);
    return !bits->overrun;
}

static bool read_custom_fdiffs(struct rtp_bits *bits, struct rtp_dependency_frame *frame) {
    frame->fdiff_count = 0;
    for (unsigned size; (size = rtp_bits_read(bits, 2)) != 0;) {
        if (!add_fdiff(frame, rtp_bits_read(bits, 4 * size)))
            return false;
    }
    return true;
}

static void note_targets(unsigned target_count, struct rtp_dependency *out) {
    for (unsigned target = 0; target < target_count; target++) {
        enum rtp_dependency_indication what = rtp_dependency_indication(&out->frame, target);
        out->present |= (uint32_t)(what != RTP_DEPENDENCY_NOT_PRESENT) << target;
        out->switchable |= (uint32_t)(what == RTP_DEPENDENCY_SWITCH) << target;
    }
}

/* frame_dependency_definition: the template's, and what this frame has of its own. */
static bool read_frame(struct rtp_bits *bits, const struct rtp_dependency_structure *structure,
                       struct extended flags, struct rtp_dependency *out) {
    unsigned index = (out->template_id + TEMPLATE_IDS - structure->template_offset) % TEMPLATE_IDS;
    if (index >= structure->template_count)
        return false;
    out->known = true;
    out->frame = structure->templates[index];
    if (flags.indications)
        out->frame.indications = read_indications(bits, structure->target_count);
    if (flags.fdiffs && !read_custom_fdiffs(bits, &out->frame))
        return false;
    for (unsigned chain = 0; flags.chains && chain < structure->chain_count; chain++)
        out->frame.chain_fdiffs[chain] = (uint8_t)rtp_bits_read(bits, 8);
    note_targets(structure->target_count, out);
    return true;
}

static uint32_t all_targets(const struct rtp_dependency_structure *structure) {
    return (uint32_t)((UINT64_C(1) << structure->target_count) - 1);
}

static struct extended read_flags(struct rtp_bits *bits) {
    struct extended flags;
    flags.structure = rtp_bits_flag(bits);
    flags.targets = rtp_bits_flag(bits);
    flags.indications = rtp_bits_flag(bits);
    flags.fdiffs = rtp_bits_flag(bits);
    flags.chains = rtp_bits_flag(bits);
    return flags;
}

int rtp_dependency_parse(const uint8_t *data, size_t len,
                         struct rtp_dependency_structure *structure, struct rtp_dependency *out) {
    if (len < MANDATORY_LEN || len > LEN_MAX)
        return -EBADMSG;
    struct rtp_bits bits = rtp_bits_of(data, len);
    struct rtp_dependency parsed = {0};
    parsed.frame_start = rtp_bits_flag(&bits);
    parsed.frame_end = rtp_bits_flag(&bits);
    parsed.template_id = (uint8_t)rtp_bits_read(&bits, 6);
    parsed.frame_number = (uint16_t)rtp_bits_read(&bits, 16);
    struct extended flags = {0};
    if (len > MANDATORY_LEN)
        flags = read_flags(&bits);
    struct rtp_dependency_structure fresh;
    if (flags.structure && !read_structure(&bits, &fresh))
        return -EBADMSG;
    const struct rtp_dependency_structure *current = flags.structure ? &fresh : structure;
    if (current->template_count != 0) {
        parsed.attached = flags.structure;
        parsed.has_targets = flags.structure || flags.targets;
        parsed.targets = flags.structure ? all_targets(current) : 0;
        parsed.targets_at = (uint16_t)bits.position;
        if (flags.targets)
            parsed.targets = rtp_bits_read(&bits, current->target_count);
        parsed.rest_at = (uint16_t)bits.position;
        if (!read_frame(&bits, current, flags, &parsed) || bits.overrun)
            return -EBADMSG;
        parsed.end_at = (uint16_t)bits.position;
    }
    if (flags.structure)
        *structure = fresh;
    *out = parsed;
    return 0;
}
