/* The VP8 payload descriptor (RFC 7741 section 4.2) and the head of a keyframe (section 4.3 and
 * RFC 6386 section 9.1). */
#include "rtp/codec.h"

#include <errno.h>
#include <string.h>

#include "rtp/bytes.h"

enum {
    BIT_X = 0x80,
    BIT_N = 0x20,
    BIT_S = 0x10,
    PARTITION_MASK = 0x07,
    BIT_I = 0x80,
    BIT_L = 0x40,
    BIT_T = 0x20,
    BIT_K = 0x10,
    BIT_M = 0x80,
    BIT_Y = 0x20,
    BIT_INTER_FRAME = 0x01,
    KEYFRAME_HEADER_LEN = 10,
};

/* Where the extension's fields are; the flags say which there are. */
static int parse_extension(const uint8_t *payload, size_t len, struct rtp_descriptor *out) {
    size_t at = 2;
    if (len <= at)
        return -EBADMSG;
    uint8_t flags = payload[1];
    if (flags & BIT_I) {
        bool wide = payload[at] & BIT_M;
        if (len <= at + (wide ? 2 : 1))
            return -EBADMSG;
        out->picture_id_bits = wide ? 15 : 7;
        out->picture_id = wide ? rtp_get16(payload + at) & 0x7fff : payload[at];
        at += wide ? 2 : 1;
    }
    if (flags & BIT_L)
        out->tl0picidx = payload[at++];
    if (flags & (BIT_T | BIT_K)) {
        if (len <= at)
            return -EBADMSG;
        /* With only K set the layer bits mean nothing (section 4.2). */
        if (flags & BIT_T) {
            out->temporal = payload[at] >> 6;
            out->layer_sync = payload[at] & BIT_Y;
        }
        at++;
    }
    out->length = (uint8_t)at;
    return 0;
}

/* A keyframe's header is never split over packets by any sender, and decoders rely on that. */
static int parse_keyframe(const uint8_t *frame, size_t len, struct rtp_descriptor *out) {
    static const uint8_t start_code[] = {0x9d, 0x01, 0x2a};
    if (len < KEYFRAME_HEADER_LEN || memcmp(frame + 3, start_code, sizeof(start_code)) != 0)
        return -EBADMSG;
    out->keyframe = true;
    out->width = (uint16_t)((frame[7] << 8 | frame[6]) & 0x3fff); /* The upper two bits scale. */
    out->height = (uint16_t)((frame[9] << 8 | frame[8]) & 0x3fff);
    return 0;
}

int rtp_vp8_parse(const uint8_t *payload, size_t len, struct rtp_descriptor *out) {
    struct rtp_descriptor parsed = {
        .picture_id = RTP_NO_NUMBER, .tl0picidx = RTP_NO_NUMBER, .length = 1};
    if (len == 0)
        return -EBADMSG;
    if ((payload[0] & BIT_X) && parse_extension(payload, len, &parsed) < 0)
        return -EBADMSG;
    if (len <= parsed.length)
        return -EBADMSG;
    parsed.discardable = payload[0] & BIT_N;
    parsed.frame_start = (payload[0] & BIT_S) && (payload[0] & PARTITION_MASK) == 0;
    const uint8_t *frame = payload + parsed.length;
    if (parsed.frame_start && !(frame[0] & BIT_INTER_FRAME) &&
        parse_keyframe(frame, len - parsed.length, &parsed) < 0)
        return -EBADMSG;
    *out = parsed;
    return 0;
}

size_t rtp_vp8_rewrite(const uint8_t *payload, const struct rtp_descriptor *descriptor,
                       uint16_t picture_id, uint8_t tl0picidx, uint8_t *out) {
    if (!(payload[0] & BIT_X)) {
        out[0] = payload[0];
        return 1;
    }
    size_t from = 2, to = 2;
    memcpy(out, payload, 2);
    if (descriptor->picture_id_bits != 0) {
        rtp_put16(out + to, (uint16_t)(BIT_M << 8 | (picture_id & 0x7fff)));
        from += descriptor->picture_id_bits == 15 ? 2 : 1;
        to += 2;
    }
    if (descriptor->tl0picidx != RTP_NO_NUMBER) {
        out[to++] = tl0picidx;
        from++;
    }
    if (from < descriptor->length)
        out[to++] = payload[from];
    return to;
}
