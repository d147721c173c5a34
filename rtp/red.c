/* Redundant audio (RFC 2198 section 3). */
#include "rtp/red.h"

#include <errno.h>

#include "rtp/bytes.h"
#include "rtp/codec.h"

enum { BIT_MORE = 0x80, BLOCK_HEADER_LEN = 4 };

/* Reads the headers up to the last, one-byte one; *at is then where the data begins. */
static int read_headers(const uint8_t *payload, size_t len, struct rtp_red_block *blocks,
                        size_t *at) {
    int count = 0;
    for (*at = 0; *at < len && (payload[*at] & BIT_MORE); *at += BLOCK_HEADER_LEN) {
        if (count == RTP_RED_BLOCKS_MAX - 1 || len - *at < BLOCK_HEADER_LEN)
            return -EBADMSG;
        uint32_t header = rtp_get32(payload + *at);
        blocks[count++] = (struct rtp_red_block){.payload_type = header >> 24 & 0x7f,
                                                 .timestamp_offset = header >> 10 & 0x3fff,
                                                 .len = header & 0x3ff};
    }
    if (*at >= len)
        return -EBADMSG;
    blocks[count++] = (struct rtp_red_block){.payload_type = payload[(*at)++]};
    return count;
}

int rtp_red_blocks(const uint8_t *payload, size_t len,
                   struct rtp_red_block blocks[static RTP_RED_BLOCKS_MAX]) {
    size_t at;
    if (len > UINT16_MAX)
        return -EBADMSG;
    int count = read_headers(payload, len, blocks, &at);
    for (int i = 0; i < count - 1; i++) {
        blocks[i].offset = (uint16_t)at;
        if (len - at < blocks[i].len)
            return -EBADMSG;
        at += blocks[i].len;
    }
    if (count > 0) {
        blocks[count - 1].offset = (uint16_t)at;
        blocks[count - 1].len = (uint16_t)(len - at);
    }
    return count;
}

/* Every packet can be decoded from. One without a primary block has nothing to play at its own time
 * and is malformed to us: no sender makes it. */
int rtp_red_parse(const uint8_t *payload, size_t len, struct rtp_descriptor *out) {
    struct rtp_red_block blocks[RTP_RED_BLOCKS_MAX];
    int count = rtp_red_blocks(payload, len, blocks);
    if (count < 0 || blocks[count - 1].len == 0)
        return -EBADMSG;
    *out = (struct rtp_descriptor){.keyframe = true,
                                   .frame_start = true,
                                   .frame_end = true,
                                   .picture_id = RTP_NO_NUMBER,
                                   .tl0picidx = RTP_NO_NUMBER};
    return 0;
}
