/* Payloads as hex strings for the tests of the codecs, each in a buffer of exactly its length so
 * that the sanitizer sees a byte read past the end. */
#ifndef TESTS_UNIT_RTP_PAYLOAD_H
#define TESTS_UNIT_RTP_PAYLOAD_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rtp/codec.h"
#include "tests/unit/test.h"

/* Parses the first len bytes of bytes. */
static inline int payload_parse_bytes(enum rtp_codec codec, const uint8_t *bytes, size_t len,
                                      struct rtp_descriptor *out) {
    uint8_t *exact = malloc(len > 0 ? len : 1);
    memcpy(exact, bytes, len);
    int result = rtp_codec_parse(codec, exact, len, NULL, out);
    free(exact);
    return result;
}

static inline int payload_try(enum rtp_codec codec, const char *hex, struct rtp_descriptor *out) {
    uint8_t bytes[512];
    return payload_parse_bytes(codec, bytes, test_hex(hex, bytes, sizeof(bytes)), out);
}

/* The descriptor of a payload that is well formed. */
static inline struct rtp_descriptor payload_parse(enum rtp_codec codec, const char *hex) {
    struct rtp_descriptor descriptor;
    CHECK_INT(payload_try(codec, hex, &descriptor), 0);
    return descriptor;
}

/* Checks that a payload is refused and the result left alone. */
static inline void payload_check_refused(enum rtp_codec codec, const char *hex) {
    struct rtp_descriptor descriptor, untouched;
    memset(&descriptor, 0x5a, sizeof(descriptor));
    memset(&untouched, 0x5a, sizeof(untouched));
    CHECK_INT(payload_try(codec, hex, &descriptor), -EBADMSG);
    CHECK_BYTES(&descriptor, sizeof(descriptor), &untouched, sizeof(untouched));
}

/* Checks that the payload is refused when cut to any length below the given one. */
static inline void payload_check_cut(enum rtp_codec codec, const char *hex, size_t shortest) {
    uint8_t bytes[512];
    size_t len = test_hex(hex, bytes, sizeof(bytes));
    struct rtp_descriptor descriptor;
    for (size_t cut = 0; cut <= len; cut++)
        CHECK_INT(payload_parse_bytes(codec, bytes, cut, &descriptor),
                  cut < shortest ? -EBADMSG : 0);
}

/* Rewrites the payload's descriptor and compares what comes of it. */
static inline void payload_check_rewrite(enum rtp_codec codec, const char *hex, uint16_t picture_id,
                                         uint8_t tl0picidx, const char *wanted_hex) {
    uint8_t bytes[512], wanted[RTP_DESCRIPTOR_MAX], out[RTP_DESCRIPTOR_MAX];
    size_t len = test_hex(hex, bytes, sizeof(bytes));
    struct rtp_descriptor descriptor;
    CHECK_INT(payload_parse_bytes(codec, bytes, len, &descriptor), 0);
    size_t out_len = rtp_codec_rewrite(codec, bytes, &descriptor, picture_id, tl0picidx, out);
    CHECK_BYTES(out, out_len, wanted, test_hex(wanted_hex, wanted, sizeof(wanted)));
}

#endif
