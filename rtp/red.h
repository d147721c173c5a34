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

#endif
