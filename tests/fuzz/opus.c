/* Opus payloads: the input is one. */
#include "tests/fuzz/payload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    payload_check(RTP_CODEC_OPUS, data, size);
    return 0;
}
