/* Redundant audio: the input is a payload, whose blocks must lie in it one after another. */
#include "rtp/red.h"
#include "tests/fuzz/payload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    payload_check(RTP_CODEC_RED, data, size);
    struct rtp_red_block blocks[RTP_RED_BLOCKS_MAX];
    int count = rtp_red_blocks(data, size, blocks);
    check(count < 0 || (count >= 1 && count <= RTP_RED_BLOCKS_MAX));
    size_t at = 4 * (size_t)(count > 0 ? count - 1 : 0) + 1;
    for (int i = 0; i < count; i++) {
        check(blocks[i].offset == at);
        at += blocks[i].len;
    }
    check(count < 0 || at == size);
    return 0;
}
