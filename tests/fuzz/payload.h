/* What must hold of every payload that a codec's reader takes: the fuzzers of the codecs share it.
 */
#ifndef TESTS_FUZZ_PAYLOAD_H
#define TESTS_FUZZ_PAYLOAD_H

#include <stdlib.h>
#include <string.h>

#include "rtp/codec.h"

static inline void check(bool invariant) {
    if (!invariant)
        abort();
}

static inline void payload_check_same(const struct rtp_descriptor *got,
                                      const struct rtp_descriptor *want) {
    check(got->keyframe == want->keyframe && got->frame_start == want->frame_start);
    check(got->frame_end == want->frame_end && got->layer_sync == want->layer_sync);
    check(got->inter_layer == want->inter_layer && got->discardable == want->discardable);
    check(got->spatial == want->spatial && got->temporal == want->temporal);
    check(got->width == want->width && got->height == want->height);
}

/* Rewritten to other numbers, the payload reads the same but for them. */
static inline void payload_check_rewrite(enum rtp_codec codec, const uint8_t *payload, size_t len,
                                         const struct rtp_descriptor *descriptor) {
    uint16_t picture_id = (uint16_t)(payload[len - 1] << 8 | payload[0]) & 0x7fff;
    uint8_t tl0picidx = payload[len / 2];
    /* Exactly as long as promised, so that the sanitizer sees a byte more. */
    uint8_t *out = malloc(RTP_DESCRIPTOR_MAX);
    size_t out_len = rtp_codec_rewrite(codec, payload, descriptor, picture_id, tl0picidx, out);
    check(out_len <= RTP_DESCRIPTOR_MAX && out_len >= descriptor->length);
    size_t rest = len - descriptor->length;
    uint8_t *sent = malloc(out_len + rest);
    memcpy(sent, out, out_len);
    memcpy(sent + out_len, payload + descriptor->length, rest);
    struct rtp_descriptor again;
    check(rtp_codec_parse(codec, sent, out_len + rest, NULL, &again) == 0);
    payload_check_same(&again, descriptor);
    check(again.length == out_len);
    check(again.picture_id == (descriptor->picture_id_bits ? picture_id : RTP_NO_NUMBER));
    check(again.tl0picidx == (descriptor->tl0picidx == RTP_NO_NUMBER ? RTP_NO_NUMBER : tl0picidx));
    free(out);
    free(sent);
}

static inline void payload_check(enum rtp_codec codec, const uint8_t *payload, size_t len) {
    struct rtp_descriptor descriptor, untouched;
    memset(&descriptor, 0x5a, sizeof(descriptor));
    memset(&untouched, 0x5a, sizeof(untouched));
    if (rtp_codec_parse(codec, payload, len, NULL, &descriptor) < 0) {
        check(memcmp(&descriptor, &untouched, sizeof(descriptor)) == 0);
        return;
    }
    check(len > 0 && descriptor.length < len && descriptor.length < RTP_DESCRIPTOR_MAX);
    check((descriptor.picture_id_bits == 0) == (descriptor.picture_id == RTP_NO_NUMBER));
    payload_check_rewrite(codec, payload, len, &descriptor);
}

#endif
