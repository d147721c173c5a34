/* Redundant audio (RFC 2198): a packet of several blocks, older ones first, the one of the packet's
 * own time last. */
#ifndef RTP_RED_H
#define RTP_RED_H

#include <stddef.h>
#include <stdint.h>

enum { RTP_RED_BLOCKS_MAX = 32 };

struct rtp_red_block {
    uint8_t payload_type;
    uint16_t timestamp_offset; /* How much older than the packet's timestamp; 0 for the last. */
    uint16_t offset;           /* Of the block's first byte in the payload. */
    uint16_t len;
};

/* Lists the blocks of a payload. Returns how many (at least 1), or -EBADMSG when a header or a
 * block is cut short, or there are more than RTP_RED_BLOCKS_MAX; then blocks may hold anything. */
int rtp_red_blocks(const uint8_t *payload, size_t len,
                   struct rtp_red_block blocks[static RTP_RED_BLOCKS_MAX]);

/* One frame of Opus and its time. */
struct rtp_red_frame {
    uint32_t timestamp;
    const uint8_t *data;
    size_t len;
};

enum {
    RTP_RED_OFFSET_MAX = 0x3fff, /* 341 ms at 48 kHz. */
    RTP_RED_BLOCK_MAX = 0x3ff,
};

/* Writes a payload: the earlier frames that fit, and the primary. `earlier` is the oldest first; a
 * frame that is not older than the next, too old or too long for its header, or for which there is
 * no room, is left out, the oldest first. Returns the length, or -EMSGSIZE when not even the
 * primary fits, -EINVAL when it is empty. The output must not overlap the frames. */
int rtp_red_write(uint8_t payload_type, const struct rtp_red_frame *earlier, size_t count,
                  const struct rtp_red_frame *primary, uint8_t *out, size_t capacity);

/* The primary of a payload: what remains when the redundancy is stripped. -EBADMSG, then *out is
 * untouched. */
int rtp_red_primary(const uint8_t *payload, size_t len, struct rtp_red_block *out);

#endif
