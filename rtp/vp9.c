/* The VP9 payload descriptor (RFC 9628 section 4.2): layers, and the scalability structure. */
#include "rtp/codec.h"

#include <errno.h>
#include <string.h>

#include "rtp/bytes.h"

enum {
    BIT_I = 0x80,
    BIT_P = 0x40,
    BIT_L = 0x20,
    BIT_F = 0x10,
    BIT_B = 0x08,
    BIT_E = 0x04,
    BIT_V = 0x02,
    BIT_Z = 0x01,
    BIT_M = 0x80,
    BIT_U = 0x10,
    BIT_D = 0x01,
    BIT_MORE_REFERENCES = 0x01,
    BIT_SIZES = 0x10,
    BIT_GROUP = 0x08,
    REFERENCES_MAX = 3,
};

/* A cursor that fails once and for all when a field is cut short. */
struct cursor {
    const uint8_t *data;
    size_t len;
    size_t at;
    bool cut;
};

static const uint8_t *take(struct cursor *cursor, size_t count) {
    static const uint8_t zeros[4];
    if (cursor->cut || cursor->len - cursor->at < count) {
        cursor->cut = true;
        return zeros;
    }
    cursor->at += count;
    return cursor->data + cursor->at - count;
}

static void parse_picture_id(struct cursor *cursor, struct rtp_descriptor *out) {
    uint8_t first = *take(cursor, 1);
    bool wide = first & BIT_M;
    out->picture_id_bits = wide ? 15 : 7;
    out->picture_id = wide ? (first & 0x7f) << 8 | *take(cursor, 1) : first;
}

static void parse_layer(struct cursor *cursor, bool flexible, struct rtp_descriptor *out) {
    uint8_t layer = *take(cursor, 1);
    out->temporal = layer >> 5;
    out->layer_sync = out->up_switch = layer & BIT_U;
    out->spatial = layer >> 1 & 7;
    out->inter_layer = layer & BIT_D;
    if (!flexible)
        out->tl0picidx = *take(cursor, 1);
}

static bool skip_references(struct cursor *cursor) {
    for (int i = 0; i < REFERENCES_MAX; i++) {
        if (!(*take(cursor, 1) & BIT_MORE_REFERENCES))
            return true;
    }
    return false;
}

/* Of the sizes, the last one is the highest layer's. */
static void parse_structure(struct cursor *cursor, struct rtp_descriptor *out) {
    uint8_t head = *take(cursor, 1);
    int layers = (head >> 5) + 1;
    for (int i = 0; (head & BIT_SIZES) && i < layers; i++) {
        const uint8_t *size = take(cursor, 4);
        out->width = rtp_get16(size);
        out->height = rtp_get16(size + 2);
    }
    int pictures = head & BIT_GROUP ? *take(cursor, 1) : 0;
    for (int i = 0; i < pictures && !cursor->cut; i++)
        take(cursor, *take(cursor, 1) >> 2 & 3);
}

int rtp_vp9_parse(const uint8_t *payload, size_t len, struct rtp_descriptor *out) {
    if (len == 0)
        return -EBADMSG;
    uint8_t flags = payload[0];
    struct cursor cursor = {.data = payload, .len = len, .at = 1};
    struct rtp_descriptor parsed = {.keyframe = !(flags & BIT_P),
                                    .frame_start = flags & BIT_B,
                                    .frame_end = flags & BIT_E,
                                    .not_referenced_up = flags & BIT_Z,
                                    .picture_id_fixed = true,
                                    .picture_id = RTP_NO_NUMBER,
                                    .tl0picidx = RTP_NO_NUMBER};
    if (flags & BIT_I)
        parse_picture_id(&cursor, &parsed);
    if (flags & BIT_L)
        parse_layer(&cursor, flags & BIT_F, &parsed);
    parsed.length = (uint8_t)cursor.at;
    if ((flags & BIT_F) && (flags & BIT_P) && !skip_references(&cursor))
        return -EBADMSG;
    if (flags & BIT_V)
        parse_structure(&cursor, &parsed);
    if (cursor.cut || cursor.at == len)
        return -EBADMSG;
    *out = parsed;
    return 0;
}

size_t rtp_vp9_rewrite(const uint8_t *payload, const struct rtp_descriptor *descriptor,
                       uint16_t picture_id, uint8_t tl0picidx, uint8_t *out) {
    size_t from = 1, to = 1;
    out[0] = payload[0];
    if (descriptor->picture_id_bits != 0) {
        rtp_put16(out + to, (uint16_t)(BIT_M << 8 | (picture_id & 0x7fff)));
        from += descriptor->picture_id_bits == 15 ? 2 : 1;
        to += 2;
    }
    if (payload[0] & BIT_L)
        out[to++] = payload[from++];
    if (descriptor->tl0picidx != RTP_NO_NUMBER)
        out[to++] = tl0picidx;
    return to;
}
