/* AV1 (AV1 RTP payload specification 1.0): the aggregation header with one OBU in each packet (two
 * where a keyframe begins), and the dependency descriptor of its appendix A. */
#include <string.h>

#include "bench/bit_writer.h"
#include "bench/encoder.h"

/* 640 × 360 as libaom writes it; sizes are told by the dependency structure. */
static const uint8_t sequence_header[] = {0x08, 0x00, 0x00, 0x00, 0x02, 0xaf,
                                          0xff, 0x9b, 0x5f, 0x30, 0x08};

size_t bench_av1_head(const struct bench_part *part, const struct bench_place *place,
                      uint8_t *out) {
    bool first = place->packet == 0, last = bench_place_is_last(place);
    bool new_sequence = first && part->keyframe && part->spatial == 0;
    size_t at = 0;
    out[at++] = (uint8_t)((first ? 0 : 0x80) | (last ? 0 : 0x40) | (new_sequence ? 0x28 : 0x10));
    if (new_sequence) {
        out[at++] = sizeof(sequence_header);
        memcpy(out + at, sequence_header, sizeof(sequence_header));
        at += sizeof(sequence_header);
    }
    if (first) {
        out[at++] = 0x34; /* OBU_FRAME with an extension, which names the layer. */
        out[at++] = (uint8_t)(part->temporal << 5 | part->spatial << 3);
    }
    return at;
}

/* --- The dependency descriptor --- */

enum { ABSENT, DISCARDABLE, SWITCH, REQUIRED };

struct shape {
    unsigned spatial, temporal; /* Counts. */
    bool full;                  /* Layers refer to one another in every picture. */
};

static struct shape shape_of(const struct bench_encoder *encoder) {
    return (struct shape){.spatial = bench_spatial_count(encoder->scalability),
                          .temporal = encoder->scalability == BENCH_L1T1 ? 1 : 3,
                          .full = encoder->scalability == BENCH_L3T3};
}

/* What a part is to the decode target of a spatial and a temporal layer; as Chrome's templates. */
static uint32_t indication(const struct shape *shape, unsigned spatial, unsigned temporal,
                           bool keyframe, unsigned target_spatial, unsigned target_temporal) {
    if (target_spatial < spatial || target_temporal < temporal)
        return ABSENT;
    if (keyframe)
        return SWITCH;
    if (target_spatial > spatial)
        return shape->full ? REQUIRED : ABSENT;
    bool nothing_follows = temporal == 2 || (temporal == 1 && target_temporal == 1);
    return nothing_follows ? DISCARDABLE : SWITCH;
}

/* The distances that a template promises: with a period of four pictures. */
static void put_differences(struct bench_bits *bits, const struct shape *shape, unsigned spatial,
                            unsigned temporal, bool keyframe) {
    static const unsigned pictures[] = {4, 2, 1};
    unsigned back = shape->temporal == 1 ? 1 : pictures[temporal];
    if (!keyframe) {
        bench_bits_put(bits, 1, 1);
        bench_bits_put(bits, 4, back * shape->spatial - 1);
    }
    if (spatial > 0 && (keyframe || shape->full)) {
        bench_bits_put(bits, 1, 1);
        bench_bits_put(bits, 4, 0);
    }
    bench_bits_put(bits, 1, 0);
}

typedef void (*template_fn)(struct bench_bits *bits, const struct shape *shape, unsigned spatial,
                            unsigned temporal, bool keyframe);

static void each_template(struct bench_bits *bits, const struct shape *shape, template_fn put) {
    for (unsigned spatial = 0; spatial < shape->spatial; spatial++) {
        put(bits, shape, spatial, 0, true);
        for (unsigned temporal = 0; temporal < shape->temporal; temporal++)
            put(bits, shape, spatial, temporal, false);
    }
}

/* How the layer of the next template differs: the same, the next temporal, the next spatial, none.
 */
static void put_next_layer(struct bench_bits *bits, const struct shape *shape, unsigned spatial,
                           unsigned temporal, bool keyframe) {
    uint32_t next = 1;
    if (keyframe)
        next = 0;
    else if (temporal + 1 == shape->temporal)
        next = spatial + 1 == shape->spatial ? 3 : 2;
    bench_bits_put(bits, 2, next);
}

static void put_indications(struct bench_bits *bits, const struct shape *shape, unsigned spatial,
                            unsigned temporal, bool keyframe) {
    for (unsigned i = 0; i < shape->spatial * shape->temporal; i++)
        bench_bits_put(bits, 2,
                       indication(shape, spatial, temporal, keyframe, i / shape->temporal,
                                  i % shape->temporal));
}

/* Every frame says its own. */
static void put_no_chains(struct bench_bits *bits, const struct shape *shape, unsigned spatial,
                          unsigned temporal, bool keyframe) {
    (void)spatial, (void)temporal, (void)keyframe;
    bench_bits_put(bits, 4 * shape->spatial, 0);
}

static void put_structure(struct bench_bits *bits, const struct bench_encoder *encoder,
                          const struct shape *shape) {
    unsigned targets = shape->spatial * shape->temporal;
    bench_bits_put(bits, 6, 0);           /* template_id_offset */
    bench_bits_put(bits, 5, targets - 1); /* dt_cnt_minus_one */
    each_template(bits, shape, put_next_layer);
    each_template(bits, shape, put_indications);
    each_template(bits, shape, put_differences);
    bench_bits_below(bits, targets + 1, shape->spatial); /* chain_cnt */
    for (unsigned i = 0; i < targets; i++)
        bench_bits_below(bits, shape->spatial, i / shape->temporal);
    each_template(bits, shape, put_no_chains);
    bench_bits_put(bits, 1, 1); /* resolutions_present_flag */
    for (unsigned i = 0; i < shape->spatial; i++) {
        bench_bits_put(bits, 16, (encoder->width >> (shape->spatial - 1 - i)) - 1u);
        bench_bits_put(bits, 16, (encoder->height >> (shape->spatial - 1 - i)) - 1u);
    }
}

static void put_own_differences(struct bench_bits *bits, const struct bench_part *part) {
    for (unsigned i = 0; i < part->reference_count; i++) {
        bench_bits_put(bits, 2, 2); /* Of 8 bits. */
        bench_bits_put(bits, 8, part->references[i] - 1u);
    }
    bench_bits_put(bits, 2, 0);
}

size_t bench_encoder_dependency(const struct bench_encoder *encoder, const struct bench_part *part,
                                const struct bench_place *place, uint8_t *out) {
    if (encoder->codec != RTP_CODEC_AV1)
        return 0;
    struct shape shape = shape_of(encoder);
    struct bench_bits bits = {.data = out};
    bool first = place->packet == 0;
    unsigned index =
        part->spatial * (shape.temporal + 1) + (part->keyframe ? 0 : 1u + part->temporal);
    memset(out, 0, BENCH_DEPENDENCY_MAX);
    bench_bits_put(&bits, 1, first);
    bench_bits_put(&bits, 1, bench_place_is_last(place));
    bench_bits_put(&bits, 6, index);
    bench_bits_put(&bits, 16, part->number & 0xffff);
    bool attached = first && part->keyframe && part->spatial == 0;
    bench_bits_put(&bits, 5, attached ? 0x13 : 0x03); /* Structure; own differences and chains. */
    if (attached)
        put_structure(&bits, encoder, &shape);
    put_own_differences(&bits, part);
    for (unsigned i = 0; i < shape.spatial; i++)
        bench_bits_put(&bits, 8, part->chains[i]);
    return bench_bits_len(&bits);
}
