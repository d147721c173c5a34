/* RTP headers and their extensions, read and written. Everything about one extension stands in two
 * places: its row in `kinds`, and its case in read_value and value_of. */
#include "rtp/rtp.h"

#include "rtp/bytes.h"

#include <errno.h>
#include <string.h>

enum {
    ONE_BYTE_PROFILE = 0xbede,
    TWO_BYTE_PROFILE = 0x1000, /* The low four bits are appbits, for nobody in particular. */
    ONE_BYTE_ID_MAX = 14,
    ONE_BYTE_LEN_MAX = 16,
    EXTENSION_BODY_MAX = RTP_HEADER_MAX - RTP_HEADER_LEN - 4,
};

struct kind {
    const char *uri;
    uint8_t min_len, max_len; /* Of the element. */
};

static const struct kind kinds[RTP_EXT_COUNT] = {
    [RTP_EXT_AUDIO_LEVEL] = {"urn:ietf:params:rtp-hdrext:ssrc-audio-level", 1, 1},
    [RTP_EXT_MID] = {"urn:ietf:params:rtp-hdrext:sdes:mid", 1, RTP_MID_MAX},
    [RTP_EXT_RID] = {"urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", 1, RTP_MID_MAX},
    [RTP_EXT_REPAIRED_RID] = {"urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id", 1,
                              RTP_MID_MAX},
    [RTP_EXT_ABS_SEND_TIME] = {"http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time", 3, 3},
    [RTP_EXT_TRANSPORT_SEQ] = {"http://www.ietf.org/id/"
                               "draft-holmer-rmcat-transport-wide-cc-extensions-01",
                               2, 2},
    [RTP_EXT_ROTATION] = {"urn:3gpp:video-orientation", 1, 1},
    [RTP_EXT_PLAYOUT_DELAY] = {"http://www.webrtc.org/experiments/rtp-hdrext/playout-delay", 3, 3},
    [RTP_EXT_DEPENDENCY] = {"https://aomediacodec.github.io/av1-rtp-spec/"
                            "#dependency-descriptor-rtp-header-extension",
                            3, 255},
    [RTP_EXT_CAPTURE_TIME] = {"http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time", 8,
                              16},
};

const char *rtp_ext_uri(enum rtp_ext ext) {
    return (unsigned)ext < RTP_EXT_COUNT ? kinds[ext].uri : NULL;
}

enum rtp_ext rtp_ext_from_uri(const char *uri, size_t len) {
    for (int ext = RTP_EXT_NONE + 1; ext < RTP_EXT_COUNT; ext++)
        if (strlen(kinds[ext].uri) == len && memcmp(kinds[ext].uri, uri, len) == 0)
            return (enum rtp_ext)ext;
    return RTP_EXT_NONE;
}

enum rtp_datagram_kind rtp_datagram_kind(const uint8_t *data, size_t len) {
    if (len < 2)
        return RTP_DATAGRAM_UNKNOWN;
    if (data[0] >= 128 && data[0] <= 191)
        return data[1] >= 192 && data[1] <= 223 ? RTP_DATAGRAM_RTCP : RTP_DATAGRAM_RTP;
    if (data[0] >= 20 && data[0] <= 63)
        return RTP_DATAGRAM_DTLS;
    return data[0] <= 3 ? RTP_DATAGRAM_STUN : RTP_DATAGRAM_UNKNOWN;
}

int rtp_parse(struct rtp_packet *out, const uint8_t *data, size_t len) {
    if (len < RTP_HEADER_LEN || len > UINT16_MAX || data[0] >> 6 != 2)
        return -EBADMSG;
    size_t offset = RTP_HEADER_LEN + 4u * (data[0] & 0x0f);
    size_t ext_offset = 0, ext_len = 0;
    uint16_t ext_profile = 0;
    if (data[0] & 0x10) {
        if (len < offset + 4)
            return -EBADMSG;
        ext_profile = rtp_get16(data + offset);
        ext_len = 4u * rtp_get16(data + offset + 2);
        ext_offset = offset + 4;
        offset = ext_offset + ext_len;
    }
    if (offset > len)
        return -EBADMSG;
    bool padded = data[0] & 0x20;
    size_t padding_len = padded ? data[len - 1] : 0;
    /* Padding may be all there is (probes), but not reach into the header. */
    if (padding_len > len - offset || (padded && padding_len == 0))
        return -EBADMSG;

    *out = (struct rtp_packet){
        .seq = rtp_get16(data + 2),
        .payload_type = data[1] & 0x7f,
        .marker = data[1] >> 7,
        .timestamp = rtp_get32(data + 4),
        .ssrc = rtp_get32(data + 8),
        .ext_profile = ext_profile,
        .ext_offset = (uint16_t)ext_offset,
        .ext_len = (uint16_t)ext_len,
        .payload_offset = (uint16_t)offset,
        .payload_len = (uint16_t)(len - offset - padding_len),
        .padding_len = (uint8_t)padding_len,
    };
    return 0;
}

/* Reads the head of the element at *at, which is not padding, and moves behind it: false ends the
 * body. */
static bool element_head(const uint8_t *body, size_t len, bool one_byte, size_t *at,
                         struct rtp_ext_element *out) {
    uint8_t first = body[(*at)++];
    if (!one_byte) {
        if (*at == len)
            return false;
        out->id = first;
        out->len = body[(*at)++];
        return true;
    }
    out->id = first >> 4;
    out->len = (uint8_t)((first & 0x0f) + 1);
    /* RFC 8285 section 4.2: id 15, and id 0 with a length, end the processing. */
    return out->id != 0 && out->id <= ONE_BYTE_ID_MAX;
}

bool rtp_ext_next(const struct rtp_packet *packet, const uint8_t *data, size_t *offset,
                  struct rtp_ext_element *out) {
    bool one_byte = packet->ext_profile == ONE_BYTE_PROFILE;
    if (!one_byte && (packet->ext_profile & 0xfff0) != TWO_BYTE_PROFILE)
        return false;
    const uint8_t *body = data + packet->ext_offset;
    size_t len = packet->ext_len, at = *offset;
    while (at < len && body[at] == 0)
        at++;
    struct rtp_ext_element element;
    if (at >= len || !element_head(body, len, one_byte, &at, &element) || element.len > len - at)
        return false;
    element.data = body + at;
    *offset = at + element.len;
    *out = element;
    return true;
}

/* A MID or RID; libwebrtc's rule: what follows a NUL is padding. False for an empty one. */
static bool read_name(const struct rtp_ext_element *element, const char **name, uint8_t *len) {
    const uint8_t *nul = memchr(element->data, 0, element->len);
    uint8_t name_len = nul != NULL ? (uint8_t)(nul - element->data) : element->len;
    if (name_len == 0)
        return false;
    *name = (const char *)element->data;
    *len = name_len;
    return true;
}

/* Whether the element, whose length is within bounds, has a value; if not, an earlier one stands.
 */
static bool read_value(struct rtp_extensions *out, enum rtp_ext ext,
                       const struct rtp_ext_element *element) {
    const uint8_t *data = element->data;
    switch (ext) {
    case RTP_EXT_AUDIO_LEVEL:
        out->voice = data[0] >> 7;
        out->audio_level = data[0] & 0x7f;
        return true;
    case RTP_EXT_MID:
        return read_name(element, &out->mid, &out->mid_len);
    case RTP_EXT_RID:
        return read_name(element, &out->rid, &out->rid_len);
    case RTP_EXT_REPAIRED_RID:
        return read_name(element, &out->repaired_rid, &out->repaired_rid_len);
    case RTP_EXT_ABS_SEND_TIME:
        out->abs_send_time = rtp_get24(data);
        return true;
    case RTP_EXT_TRANSPORT_SEQ:
        out->transport_seq = rtp_get16(data);
        return true;
    case RTP_EXT_ROTATION:
        out->rotation = data[0];
        return true;
    case RTP_EXT_PLAYOUT_DELAY:
        out->playout_delay = rtp_get24(data);
        return true;
    case RTP_EXT_DEPENDENCY:
        out->dependency = data;
        out->dependency_len = element->len;
        return true;
    case RTP_EXT_CAPTURE_TIME:
        if (element->len != 8 && element->len != 16)
            return false;
        out->capture_time = data;
        out->capture_time_len = element->len;
        return true;
    case RTP_EXT_NONE:
    case RTP_EXT_COUNT:
        break;
    }
    return false;
}

void rtp_extensions_parse(struct rtp_extensions *out, const struct rtp_packet *packet,
                          const uint8_t *data, const struct rtp_ext_map *map) {
    *out = (struct rtp_extensions){0};
    struct rtp_ext_element element;
    for (size_t offset = 0; rtp_ext_next(packet, data, &offset, &element);) {
        const uint8_t *id = memchr(map->ids + 1, element.id, RTP_EXT_COUNT - 1);
        if (id == NULL)
            continue;
        enum rtp_ext ext = (enum rtp_ext)(id - map->ids);
        if (element.len >= kinds[ext].min_len && element.len <= kinds[ext].max_len &&
            read_value(out, ext, &element))
            out->present |= 1u << ext;
    }
}

/* An element to be written: its bytes are elsewhere, or in `number`. */
struct outgoing {
    const void *data;
    uint8_t number[3];
    uint8_t id;
    uint16_t len;
};

static void set_number(struct outgoing *out, uint32_t value, uint16_t len) {
    rtp_put24(out->number, value << (24 - 8 * len));
    out->data = out->number;
    out->len = len;
}

static void set_bytes(struct outgoing *out, const void *data, uint16_t len) {
    out->data = data;
    out->len = len;
}

static void value_of(struct outgoing *out, const struct rtp_extensions *from, enum rtp_ext ext) {
    switch (ext) {
    case RTP_EXT_AUDIO_LEVEL:
        set_number(out, (uint32_t)from->voice << 7 | (from->audio_level & 0x7f), 1);
        return;
    case RTP_EXT_MID:
        set_bytes(out, from->mid, from->mid_len);
        return;
    case RTP_EXT_RID:
        set_bytes(out, from->rid, from->rid_len);
        return;
    case RTP_EXT_REPAIRED_RID:
        set_bytes(out, from->repaired_rid, from->repaired_rid_len);
        return;
    case RTP_EXT_ABS_SEND_TIME:
        set_number(out, from->abs_send_time, 3);
        return;
    case RTP_EXT_TRANSPORT_SEQ:
        set_number(out, from->transport_seq, 2);
        return;
    case RTP_EXT_ROTATION:
        set_number(out, from->rotation, 1);
        return;
    case RTP_EXT_PLAYOUT_DELAY:
        set_number(out, from->playout_delay, 3);
        return;
    case RTP_EXT_DEPENDENCY:
        set_bytes(out, from->dependency, from->dependency_len);
        return;
    case RTP_EXT_CAPTURE_TIME:
        set_bytes(out, from->capture_time, from->capture_time_len);
        return;
    case RTP_EXT_NONE:
    case RTP_EXT_COUNT:
        break;
    }
    out->len = 0;
}

/* Collects what is present and negotiated, empty and oversized elements left out. */
static size_t collect(struct outgoing out[static RTP_EXT_COUNT], const struct rtp_extensions *from,
                      const struct rtp_ext_map *map, bool *one_byte) {
    size_t count = 0;
    *one_byte = true;
    uint32_t todo = from->present & ((1u << RTP_EXT_COUNT) - 1);
    for (; todo != 0; todo &= todo - 1) {
        enum rtp_ext ext = (enum rtp_ext)__builtin_ctz(todo);
        struct outgoing *element = &out[count];
        if (map->ids[ext] == 0)
            continue;
        value_of(element, from, ext);
        if (element->len == 0 || element->len > EXTENSION_BODY_MAX - 2)
            continue;
        element->id = map->ids[ext];
        *one_byte &= element->id <= ONE_BYTE_ID_MAX && element->len <= ONE_BYTE_LEN_MAX;
        count++;
    }
    return count;
}

/* Writes the extension block, its 4-byte head included; returns its length, 0 for none. */
static size_t write_extensions(uint8_t *out, const struct rtp_extensions *from,
                               const struct rtp_ext_map *map) {
    struct outgoing elements[RTP_EXT_COUNT];
    bool one_byte;
    size_t count = collect(elements, from, map, &one_byte);
    size_t head_len = one_byte ? 1 : 2, len = 0;
    uint8_t *body = out + 4;
    for (size_t i = 0; i < count; i++) {
        const struct outgoing *element = &elements[i];
        if (len + head_len + element->len > EXTENSION_BODY_MAX)
            continue;
        body[len] = one_byte ? (uint8_t)(element->id << 4 | (element->len - 1)) : element->id;
        if (!one_byte)
            body[len + 1] = (uint8_t)element->len;
        memcpy(body + len + head_len, element->data, element->len);
        len += head_len + element->len;
    }
    if (len == 0)
        return 0;
    while (len % 4 != 0)
        body[len++] = 0;
    rtp_put16(out, one_byte ? ONE_BYTE_PROFILE : TWO_BYTE_PROFILE);
    rtp_put16(out + 2, (uint16_t)(len / 4));
    return len + 4;
}

size_t rtp_header_write(uint8_t *out, const struct rtp_header *header,
                        const struct rtp_extensions *extensions, const struct rtp_ext_map *map) {
    size_t len = RTP_HEADER_LEN;
    if (extensions != NULL && extensions->present != 0)
        len += write_extensions(out + len, extensions, map);
    out[0] = (uint8_t)(0x80 | header->padding << 5 | (len > RTP_HEADER_LEN) << 4);
    out[1] = (uint8_t)(header->marker << 7 | (header->payload_type & 0x7f));
    rtp_put16(out + 2, header->seq);
    rtp_put32(out + 4, header->timestamp);
    rtp_put32(out + 8, header->ssrc);
    return len;
}
