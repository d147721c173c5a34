/* The codecs that are forwarded, and what an SFU must know of one packet: does it begin a keyframe,
 * which layer is it of, which numbers in its payload descriptor have to stay continuous. One file
 * per codec does the reading. */
#ifndef RTP_CODEC_H
#define RTP_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtp/rtp.h"

enum rtp_codec {
    RTP_CODEC_NONE,
    RTP_CODEC_OPUS,
    RTP_CODEC_RED,
    RTP_CODEC_VP8,
    RTP_CODEC_VP9,
    RTP_CODEC_H264,
    RTP_CODEC_AV1,
    RTP_CODEC_COUNT
};

static inline bool rtp_codec_is_video(enum rtp_codec codec) {
    return codec >= RTP_CODEC_VP8 && codec < RTP_CODEC_COUNT;
}

static inline uint32_t rtp_codec_clock_rate_hz(enum rtp_codec codec) {
    return rtp_codec_is_video(codec) ? 90000 : 48000;
}

/* The encoding name of a=rtpmap ("VP8"), NULL for RTP_CODEC_NONE. */
const char *rtp_codec_name(enum rtp_codec codec);

/* The codec of an encoding name of len bytes, case ignored, or RTP_CODEC_NONE. */
enum rtp_codec rtp_codec_from_name(const char *name, size_t len);

enum { RTP_NO_NUMBER = -1 };

/* What one packet says of itself; what only its neighbours could tell is false. Decoding begins at
 * a packet that rtp_descriptor_is_entry says yes to. */
struct rtp_descriptor {
    bool keyframe;    /* Belongs to a picture from which decoding can begin (for SVC: of its layer).
                         VP8    tells only at the frame's first packet. */
    bool frame_start; /* First packet of a frame (of a layer frame for SVC). H264: of a frame that
                         brings its parameter sets. AV1 without dependency descriptor: of a new
                         sequence. */
    bool frame_end; /* VP9 and AV1's dependency descriptor; the others have the marker bit alone. */
    bool layer_sync;  /* From this packet on, its temporal layer may be taken up (VP8 Y, VP9 U, AV1
                         switch). */
    bool up_switch;   /* VP9 U: what layer_sync says of a picture's own layer holds for all higher
                         ones. */
    bool inter_layer; /* VP9 D: needs the spatial layer below it of the same picture. */
    bool not_referenced_up; /* VP9 Z: no higher spatial layer needs it. */
    bool discardable;       /* No other frame needs it (VP8 N). */
    uint8_t spatial;
    uint8_t temporal;
    uint8_t
        picture_id_bits;    /* 0, 7 or 15; 16: it is the frame number of a dependency descriptor. */
    bool picture_id_fixed;  /* VP9: references are distances between picture ids, so that the ids of
                               a source may be shifted but not closed up where pictures are left out.
                             */
    int32_t picture_id;     /* RTP_NO_NUMBER when absent. */
    int32_t tl0picidx;      /* RTP_NO_NUMBER when absent. */
    uint16_t width, height; /* Of the highest layer, when the packet says (keyframe header,
                               parameter set, scalability structure), else 0. */
    uint8_t length; /* Bytes at the front of the payload that rtp_codec_rewrite replaces: 0 for
                       codecs without numbers. VP9's references and structure come after them. */
};

/* Whether a decoder that has nothing yet can begin with this packet. */
static inline bool rtp_descriptor_is_entry(const struct rtp_descriptor *descriptor) {
    return descriptor->keyframe && descriptor->frame_start && !descriptor->inter_layer;
}

/* Reads the payload descriptor (and for AV1 the dependency descriptor in extensions, of which one
 * packet tells start, end and an attached structure). extensions may be NULL. 0, or -EBADMSG for a
 * payload that no decoder would take; an empty payload is malformed for every codec. */
int rtp_codec_parse(enum rtp_codec codec, const uint8_t *payload, size_t len,
                    const struct rtp_extensions *extensions, struct rtp_descriptor *out);

int rtp_vp8_parse(const uint8_t *payload, size_t len, struct rtp_descriptor *out);  /* RFC 7741 */
int rtp_vp9_parse(const uint8_t *payload, size_t len, struct rtp_descriptor *out);  /* RFC 9628 */
int rtp_h264_parse(const uint8_t *payload, size_t len, struct rtp_descriptor *out); /* RFC 6184 */
int rtp_av1_parse(const uint8_t *payload, size_t len, const struct rtp_extensions *extensions,
                  struct rtp_descriptor *out); /* AV1 RTP payload specification 1.0 */
int rtp_opus_parse(const uint8_t *payload, size_t len, struct rtp_descriptor *out); /* RFC 7587 */
int rtp_red_parse(const uint8_t *payload, size_t len, struct rtp_descriptor *out);  /* RFC 2198 */

enum { RTP_DESCRIPTOR_MAX = 16 };

/* Writes the payload's descriptor with other numbers to out (RTP_DESCRIPTOR_MAX bytes): the first
 * `descriptor->length` bytes of the payload, those of picture id and TL0PICIDX that it has
 * replaced. Returns its new length: a 7-bit VP8/VP9 picture id grows to 15 bits. Codecs without
 * such numbers return 0. What is sent is out and then the payload from descriptor->length on. */
size_t rtp_codec_rewrite(enum rtp_codec codec, const uint8_t *payload,
                         const struct rtp_descriptor *descriptor, uint16_t picture_id,
                         uint8_t tl0picidx, uint8_t *out);

/* The two that have such numbers. */
size_t rtp_vp8_rewrite(const uint8_t *payload, const struct rtp_descriptor *descriptor,
                       uint16_t picture_id, uint8_t tl0picidx, uint8_t *out);
size_t rtp_vp9_rewrite(const uint8_t *payload, const struct rtp_descriptor *descriptor,
                       uint16_t picture_id, uint8_t tl0picidx, uint8_t *out);

#endif
