#include "bench/encoder.h"

/* The three temporal layers of libwebrtc, VP8 and SVC alike: the middle one refers to the lowest,
 * the highest to whatever is nearest below it. */
static const uint8_t pattern[] = {0, 2, 1, 2};

static uint8_t temporal_of(const struct bench_encoder *encoder) {
    return encoder->scalability == BENCH_L1T1 ? 0 : pattern[encoder->position % sizeof(pattern)];
}

/* Which temporal layer a picture refers to. */
static uint8_t referred(const struct bench_encoder *encoder) {
    return encoder->position % sizeof(pattern) == 3 && encoder->scalability != BENCH_L1T1 ? 1 : 0;
}

static void refer(struct bench_part *part, uint32_t number) {
    part->references[part->reference_count++] = (uint8_t)(part->number - number);
}

static void set_references(const struct bench_encoder *encoder, struct bench_part *part) {
    bool key = encoder->scalability == BENCH_L3T3_KEY;
    part->inter_layer = part->spatial > 0 && (part->keyframe || !key);
    if (!part->keyframe) {
        uint8_t below = referred(encoder);
        refer(part, encoder->last[part->spatial][below]);
        part->distance = (uint8_t)(part->picture - encoder->last_picture[below]);
        part->sync = part->temporal > below || part->temporal == 0;
        if (part->temporal == 2 && below == 1)
            part->sync = false; /* It needs the middle layer too. */
    }
    if (part->inter_layer)
        refer(part, part->number - 1);
}

/* A chain is what a spatial layer cannot do without: its lowest temporal layer, and where layers
 * refer to one another in every picture, those of the layers below. */
static void set_chains(struct bench_encoder *encoder, struct bench_part *part) {
    unsigned layers = bench_spatial_count(encoder->scalability);
    for (unsigned i = 0; i < layers; i++) {
        if (encoder->last_chain[i] != UINT32_MAX)
            part->chains[i] = (uint8_t)(part->number - encoder->last_chain[i]);
        bool full = encoder->scalability == BENCH_L3T3 || part->keyframe;
        if (part->temporal == 0 && (part->spatial == i || (full && part->spatial < i)))
            encoder->last_chain[i] = part->number;
    }
}

static void forget_references(struct bench_encoder *encoder) {
    encoder->position = 0;
    for (unsigned i = 0; i < BENCH_SPATIAL_MAX; i++)
        encoder->last_chain[i] = UINT32_MAX; /* Chains begin with the keyframe: 0 in its parts. */
}

size_t bench_encoder_next(struct bench_encoder *encoder, bool keyframe,
                          struct bench_part out[static BENCH_SPATIAL_MAX]) {
    unsigned layers = bench_spatial_count(encoder->scalability);
    if (keyframe)
        forget_references(encoder);
    uint8_t temporal = temporal_of(encoder);
    if (temporal == 0)
        encoder->tl0picidx++;
    for (unsigned i = 0; i < layers; i++) {
        unsigned shift = layers - 1 - i;
        out[i] = (struct bench_part){.number = encoder->number++,
                                     .picture = encoder->picture,
                                     .spatial = (uint8_t)i,
                                     .temporal = temporal,
                                     .keyframe = keyframe,
                                     .referenced = temporal < 2,
                                     .last = i + 1 == layers,
                                     .width = encoder->width >> shift,
                                     .height = encoder->height >> shift};
        set_references(encoder, &out[i]);
        set_chains(encoder, &out[i]);
        encoder->last[i][temporal] = out[i].number;
    }
    encoder->last_picture[temporal] = encoder->picture++;
    encoder->position++;
    return layers;
}

size_t bench_encoder_head(const struct bench_encoder *encoder, const struct bench_part *part,
                          const struct bench_place *place, uint8_t *out) {
    switch (encoder->codec) {
    case RTP_CODEC_VP8:
        return bench_vp8_head(encoder, part, place, out);
    case RTP_CODEC_VP9:
        return bench_vp9_head(encoder, part, place, out);
    case RTP_CODEC_H264:
        return bench_h264_head(part, place, out);
    case RTP_CODEC_AV1:
        return bench_av1_head(part, place, out);
    default:
        return 0;
    }
}

/* libwebrtc gives the three temporal layers 40, 20 and 40 % of the bits, for 1, 1 and 2 pictures of
 * four. */
unsigned bench_encoder_percent(const struct bench_encoder *encoder, const struct bench_part *part) {
    if (encoder->scalability == BENCH_L1T1)
        return 100;
    return part->temporal == 0 ? 160 : 80;
}
