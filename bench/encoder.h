/* A synthetic encoder: which frames there are, what refers to what, and what an RTP packetizer puts
 * before the payload, as browsers do it for each codec and scalability mode. The payload itself is
 * the caller's. */
#ifndef BENCH_ENCODER_H
#define BENCH_ENCODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtp/codec.h"

enum {
    BENCH_SPATIAL_MAX = 3,
    BENCH_TEMPORAL_MAX = 3,
    BENCH_REFERENCES_MAX = 2,
    BENCH_HEAD_MAX = 64,
    BENCH_DEPENDENCY_MAX = 192,
};

/* As the "Scalable Video Coding (SVC) Extension for WebRTC" names them. */
enum bench_scalability { BENCH_L1T1, BENCH_L1T3, BENCH_L3T3, BENCH_L3T3_KEY };

/* The part of a picture that one spatial layer is: what decoders call a frame. */
struct bench_part {
    uint32_t number;  /* Of all parts of the stream. */
    uint32_t picture; /* Which picture it is of. */
    uint8_t spatial, temporal;
    bool keyframe;    /* The picture needs no other. */
    bool inter_layer; /* Needs the part below it. */
    bool sync;        /* Its temporal layer may be taken up here. */
    bool referenced;  /* Another picture may need it. */
    bool last;        /* Of its picture. */
    uint8_t reference_count;
    uint8_t references[BENCH_REFERENCES_MAX]; /* Back to what it needs, in parts. */
    uint8_t distance; /* Back to the picture that it needs, in pictures; 0: none. */
    uint8_t chains[BENCH_SPATIAL_MAX]; /* Back to the last part of each layer's chain; 0: none. */
    uint16_t width, height;            /* Of this layer. */
};

/* Which packet of a part. */
struct bench_place {
    uint16_t packet, packets;
    uint16_t payload_len; /* Of the packet, with what the head takes. */
};

static inline bool bench_place_is_last(const struct bench_place *place) {
    return place->packet + 1 == place->packets;
}

struct bench_encoder {
    /* Given. */
    enum rtp_codec codec;
    enum bench_scalability scalability;
    uint16_t width, height; /* Of the highest layer. */
    uint16_t first_picture_id;
    /* State. */
    uint8_t tl0picidx;
    uint32_t number, picture; /* Of the next part and picture. */
    unsigned position;        /* In the temporal pattern, since the keyframe. */
    uint32_t last[BENCH_SPATIAL_MAX][BENCH_TEMPORAL_MAX]; /* Numbers of the newest parts. */
    uint32_t last_picture[BENCH_TEMPORAL_MAX];
    uint32_t last_chain[BENCH_SPATIAL_MAX];
};

static inline unsigned bench_spatial_count(enum bench_scalability scalability) {
    return scalability >= BENCH_L3T3 ? 3 : 1;
}

/* The parts of the next picture, from the lowest layer up; returns how many. The first picture is
 * to be a keyframe. */
size_t bench_encoder_next(struct bench_encoder *encoder, bool keyframe,
                          struct bench_part out[static BENCH_SPATIAL_MAX]);

/* What comes before the payload in a packet of the part: the payload descriptor, and in the first
 * packet what decoders look for at the beginning. At most BENCH_HEAD_MAX bytes. */
size_t bench_encoder_head(const struct bench_encoder *encoder, const struct bench_part *part,
                          const struct bench_place *place, uint8_t *out);

/* AV1's dependency descriptor for a packet of the part, at most BENCH_DEPENDENCY_MAX bytes; 0 for
 * the other codecs. A keyframe's first packet attaches the structure. */
size_t bench_encoder_dependency(const struct bench_encoder *encoder, const struct bench_part *part,
                                const struct bench_place *place, uint8_t *out);

/* How large a part is, among those of its spatial layer, in percent of the mean: lower temporal
 * layers get more bits. */
unsigned bench_encoder_percent(const struct bench_encoder *encoder, const struct bench_part *part);

/* One file per codec. */
size_t bench_vp8_head(const struct bench_encoder *encoder, const struct bench_part *part,
                      const struct bench_place *place, uint8_t *out);
size_t bench_vp9_head(const struct bench_encoder *encoder, const struct bench_part *part,
                      const struct bench_place *place, uint8_t *out);
size_t bench_h264_head(const struct bench_part *part, const struct bench_place *place,
                       uint8_t *out);
size_t bench_av1_head(const struct bench_part *part, const struct bench_place *place, uint8_t *out);

#endif
