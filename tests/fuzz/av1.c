/* AV1 packets: the first byte is the payload's length, what follows the payload is the dependency
 * descriptor. */
#include "tests/fuzz/payload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    size_t payload_len = data[0] < size - 1 ? data[0] : size - 1;
    const uint8_t *payload = data + 1;
    payload_check(RTP_CODEC_AV1, payload, payload_len);
    struct rtp_extensions extensions = {.present = 1u << RTP_EXT_DEPENDENCY,
                                        .dependency = payload + payload_len,
                                        .dependency_len = (uint16_t)(size - 1 - payload_len)};
    struct rtp_descriptor alone, with;
    int result = rtp_codec_parse(RTP_CODEC_AV1, payload, payload_len, NULL, &alone);
    check(rtp_codec_parse(RTP_CODEC_AV1, payload, payload_len, &extensions, &with) == result);
    check(result < 0 || !alone.keyframe || with.keyframe);
    return 0;
}
