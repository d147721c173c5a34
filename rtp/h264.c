/* H.264 payloads (RFC 6184): which NAL units a packet carries. Packetization modes 0 and 1, the
 * only ones that WebRTC negotiates (RFC 7742 section 6.2). */
#include "rtp/codec.h"

#include <errno.h>
#include <string.h>

#include "rtp/bytes.h"
#include "rtp/sps.h"

enum {
    NAL_SLICE = 1,
    NAL_PARTITION_C = 4,
    NAL_IDR = 5,
    NAL_SPS = 7,
    NAL_SINGLE_MAX = 23,
    NAL_STAP_A = 24,
    NAL_FU_A = 28,
    TYPE_MASK = 0x1f,
    REFERENCE_MASK = 0x60,
    FU_START = 0x80,
};

/* What was met among the NAL units of a packet. */
struct contents {
    bool idr;
    bool sps;
    bool other_slice;
    uint16_t width, height;
};

static void note_nal(struct contents *contents, uint8_t type) {
    contents->idr |= type == NAL_IDR;
    contents->sps |= type == NAL_SPS;
    contents->other_slice |= type >= NAL_SLICE && type <= NAL_PARTITION_C;
}

static void note_whole_nal(struct contents *contents, const uint8_t *nal, size_t len) {
    note_nal(contents, nal[0] & TYPE_MASK);
    /* A size that cannot be read is not known; whether the decoder minds is its affair. */
    if ((nal[0] & TYPE_MASK) == NAL_SPS)
        (void)rtp_sps_size(nal, len, &contents->width, &contents->height);
}

/* STAP-A (section 5.7.1): after the first byte, units each with a 16-bit length. */
static int note_aggregate(struct contents *contents, const uint8_t *payload, size_t len) {
    size_t at = 1;
    do {
        if (len - at < 2)
            return -EBADMSG;
        size_t nal_len = rtp_get16(payload + at);
        at += 2;
        if (nal_len == 0 || len - at < nal_len)
            return -EBADMSG;
        note_whole_nal(contents, payload + at, nal_len);
        at += nal_len;
    } while (at < len);
    return 0;
}

/* FU-A (section 5.8). Every fragment names the type, so that each packet of an IDR slice is known
 * as one; parameter sets count where they begin. */
static int note_fragment(struct contents *contents, const uint8_t *payload, size_t len) {
    if (len < 3)
        return -EBADMSG;
    uint8_t type = payload[1] & TYPE_MASK;
    if (type != NAL_SPS || (payload[1] & FU_START))
        note_nal(contents, type);
    return 0;
}

static int note_packet(struct contents *contents, const uint8_t *payload, size_t len) {
    uint8_t type = len > 0 ? payload[0] & TYPE_MASK : 0;
    if (type == NAL_STAP_A)
        return note_aggregate(contents, payload, len);
    if (type == NAL_FU_A)
        return note_fragment(contents, payload, len);
    if (type == 0 || type > NAL_SINGLE_MAX)
        return -EBADMSG;
    note_whole_nal(contents, payload, len);
    return 0;
}

/* A decoder can begin where parameter sets come in band: with an IDR slice alone it would take the
 * last source's. So an SPS starts a keyframe, unless slices that are none come with it. */
int rtp_h264_parse(const uint8_t *payload, size_t len, struct rtp_descriptor *out) {
    struct contents contents = {0};
    int result = note_packet(&contents, payload, len);
    if (result < 0)
        return result;
    *out = (struct rtp_descriptor){
        .keyframe = contents.idr || (contents.sps && !contents.other_slice),
        .frame_start = contents.sps,
        .discardable = contents.other_slice && (payload[0] & REFERENCE_MASK) == 0,
        .width = contents.width,
        .height = contents.height,
        .picture_id = RTP_NO_NUMBER,
        .tl0picidx = RTP_NO_NUMBER,
    };
    return 0;
}
