/* The table of codecs: names, and which file reads which payload. */
#include "rtp/codec.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static const char *const names[RTP_CODEC_COUNT] = {
    [RTP_CODEC_OPUS] = "opus", [RTP_CODEC_RED] = "red",   [RTP_CODEC_VP8] = "VP8",
    [RTP_CODEC_VP9] = "VP9",   [RTP_CODEC_H264] = "H264", [RTP_CODEC_AV1] = "AV1",
};

const char *rtp_codec_name(enum rtp_codec codec) {
    return (unsigned)codec < RTP_CODEC_COUNT ? names[codec] : NULL;
}

enum rtp_codec rtp_codec_from_name(const char *name, size_t len) {
    for (int codec = RTP_CODEC_NONE + 1; codec < RTP_CODEC_COUNT; codec++) {
        if (strlen(names[codec]) == len && strncasecmp(names[codec], name, len) == 0)
            return (enum rtp_codec)codec;
    }
    return RTP_CODEC_NONE;
}

int rtp_codec_parse(enum rtp_codec codec, const uint8_t *payload, size_t len,
                    const struct rtp_extensions *extensions, struct rtp_descriptor *out) {
    switch (codec) {
    case RTP_CODEC_OPUS:
        return rtp_opus_parse(payload, len, out);
    case RTP_CODEC_RED:
        return rtp_red_parse(payload, len, out);
    case RTP_CODEC_VP8:
        return rtp_vp8_parse(payload, len, out);
    case RTP_CODEC_VP9:
        return rtp_vp9_parse(payload, len, out);
    case RTP_CODEC_H264:
        return rtp_h264_parse(payload, len, out);
    case RTP_CODEC_AV1:
        return rtp_av1_parse(payload, len, extensions, out);
    case RTP_CODEC_NONE:
    case RTP_CODEC_COUNT:
        break;
    }
    return -EBADMSG;
}

size_t rtp_codec_rewrite(enum rtp_codec codec, const uint8_t *payload,
                         const struct rtp_descriptor *descriptor, uint16_t picture_id,
                         uint8_t tl0picidx, uint8_t *out) {
    if (codec == RTP_CODEC_VP8)
        return rtp_vp8_rewrite(payload, descriptor, picture_id, tl0picidx, out);
    if (codec == RTP_CODEC_VP9)
        return rtp_vp9_rewrite(payload, descriptor, picture_id, tl0picidx, out);
    return 0;
}
