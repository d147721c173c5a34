/* VP9 payload descriptors: the input is a payload. */
#include "tests/fuzz/payload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    payload_check(RTP_CODEC_VP9, data, size);
    return 0;
}
