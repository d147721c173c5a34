/* What a receiver of RED looks for: a lost frame in a later packet. */
#ifndef TESTS_UNIT_RTP_RED_FIND_H
#define TESTS_UNIT_RTP_RED_FIND_H

#include <errno.h>

#include "rtp/red.h"

/* Of a payload whose packet has this timestamp, the earlier block that has the wanted timestamp.
 * -ENOENT when it carries none (an empty one counts as none), -EBADMSG; then *out is untouched. */
static inline int red_find(const uint8_t *payload, size_t len, uint32_t timestamp, uint32_t wanted,
                           struct rtp_red_block *out) {
    struct rtp_red_block blocks[RTP_RED_BLOCKS_MAX];
    int count = rtp_red_blocks(payload, len, blocks);
    if (count < 0)
        return -EBADMSG;
    for (int i = 0; i < count - 1; i++)
        if (blocks[i].len > 0 && timestamp - blocks[i].timestamp_offset == wanted) {
            *out = blocks[i];
            return 0;
        }
    return -ENOENT;
}

#endif
