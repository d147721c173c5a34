/* VP9's payload descriptor (RFC 9628 section 4.2). L3T3 is in flexible mode, where each packet
 * names the pictures that it needs; the others say once in the scalability structure how pictures
 * refer to one another, and carry TL0PICIDX. */
#include "bench/encoder.h"
#include "rtp/bytes.h"

enum {
    BIT_I = 0x80,
    BIT_P = 0x40,
    BIT_L = 0x20,
    BIT_F = 0x10,
    BIT_B = 0x08,
    BIT_E = 0x04,
    BIT_V = 0x02,
    BIT_Z = 0x01
};

/* The pictures of a group as temporal layer, U, and distances: kTemporalStructureMode3 of
 * libwebrtc. */
static size_t put_group(const struct bench_encoder *encoder, uint8_t *out) {
    static const uint8_t layered[] = {4, 0x04, 4, 0x54, 1, 0x34, 2, 0x48, 1, 2};
    static const uint8_t flat[] = {1, 0x04, 1};
    bool has_layers = encoder->scalability != BENCH_L1T1;
    size_t len = has_layers ? sizeof(layered) : sizeof(flat);
    for (size_t i = 0; i < len; i++)
        out[i] = has_layers ? layered[i] : flat[i];
    return len;
}

static size_t put_structure(const struct bench_encoder *encoder, bool flexible, uint8_t *out) {
    unsigned layers = bench_spatial_count(encoder->scalability);
    size_t at = 0;
    out[at++] = (uint8_t)((layers - 1) << 5 | 0x10 | (flexible ? 0 : 0x08)); /* N_S, Y, G. */
    for (unsigned i = 0; i < layers; i++, at += 4) {
        rtp_put16(out + at, encoder->width >> (layers - 1 - i));
        rtp_put16(out + at + 2, encoder->height >> (layers - 1 - i));
    }
    return flexible ? at : at + put_group(encoder, out + at);
}

/* Whether a part of a layer above needs this one. */
static bool is_needed_above(const struct bench_encoder *encoder, const struct bench_part *part) {
    return !part->last && (part->keyframe || encoder->scalability == BENCH_L3T3);
}

size_t bench_vp9_head(const struct bench_encoder *encoder, const struct bench_part *part,
                      const struct bench_place *place, uint8_t *out) {
    bool first = place->packet == 0;
    bool flexible = encoder->scalability == BENCH_L3T3;
    bool structured = first && part->keyframe && part->spatial == 0;
    size_t at = 0;
    out[at++] = (uint8_t)(BIT_I | (part->keyframe ? 0 : BIT_P) | BIT_L | (flexible ? BIT_F : 0) |
                          (first ? BIT_B : 0) | (bench_place_is_last(place) ? BIT_E : 0) |
                          (structured ? BIT_V : 0) | (is_needed_above(encoder, part) ? 0 : BIT_Z));
    rtp_put16(out + at,
              (uint16_t)(0x8000 | ((encoder->first_picture_id + part->picture) & 0x7fff)));
    at += 2;
    out[at++] = (uint8_t)(part->temporal << 5 | (part->sync && !part->keyframe ? 0x10 : 0) |
                          part->spatial << 1 | part->inter_layer);
    if (!flexible)
        out[at++] = encoder->tl0picidx;
    else if (!part->keyframe)
        out[at++] = (uint8_t)(part->distance << 1);
    if (structured)
        at += put_structure(encoder, flexible, out + at);
    return at;
}
