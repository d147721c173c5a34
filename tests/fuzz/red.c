/* Redundant audio: the input is a payload, whose blocks must lie in it one after another; and it is
 * cut into frames, which must be found again in the payload that is written of them. */
#include "rtp/red.h"
#include "tests/fuzz/payload.h"
#include "tests/unit/rtp/red_find.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FRAMES = 5, TIMESTAMP = 4711 };

static void check_found(const struct rtp_red_frame *frame, const uint8_t *payload, size_t len,
                        const struct rtp_red_block *block) {
    check((size_t)block->offset + block->len <= len && block->len == frame->len);
    check(memcmp(payload + block->offset, frame->data, frame->len) == 0);
}

/* The input's first bytes say how long the frames are and how far apart, and how much room there
 * is. */
static void check_written(const uint8_t *data, size_t size) {
    struct rtp_red_frame frames[FRAMES];
    if (size < 2 * FRAMES + 2)
        return;
    size_t at = 2 * FRAMES + 2, capacity = (size_t)data[0] << 4 | data[1] >> 4;
    uint32_t timestamp = TIMESTAMP;
    for (int i = FRAMES - 1; i >= 0; i--) {
        size_t len = data[2 + i] * (size_t)(data[1] & 15);
        if (len > size - at)
            len = size - at;
        frames[i] = (struct rtp_red_frame){.timestamp = timestamp, .data = data + at, .len = len};
        timestamp -= (data[2 + FRAMES + i] + 1) * UINT32_C(48);
        at += len;
    }
    uint8_t *out = malloc(capacity + 1);
    int len = rtp_red_write(111, frames, FRAMES - 1, &frames[FRAMES - 1], out, capacity);
    struct rtp_red_block block;
    check(len <= (int)capacity);
    if (len > 0) {
        check(rtp_red_primary(out, (size_t)len, &block) == 0);
        check_found(&frames[FRAMES - 1], out, (size_t)len, &block);
    }
    for (int i = 0; len > 0 && i < FRAMES - 1; i++)
        if (red_find(out, (size_t)len, TIMESTAMP, frames[i].timestamp, &block) == 0)
            check_found(&frames[i], out, (size_t)len, &block);
    free(out);
}

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
    struct rtp_red_block block;
    if (rtp_red_primary(data, size, &block) == 0)
        check(count > 0 && (size_t)block.offset + block.len == size);
    if (red_find(data, size, TIMESTAMP, TIMESTAMP - 960, &block) == 0)
        check(block.timestamp_offset == 960 && (size_t)block.offset + block.len <= size);
    check_written(data, size);
    return 0;
}
