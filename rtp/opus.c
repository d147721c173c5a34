/* Opus (RFC 7587): a payload is one Opus packet, and every one can be decoded from. */
#include "rtp/codec.h"

#include <errno.h>

/* Only the byte that says how frames are packed is judged (RFC 6716 section 3.1): what follows may
 * be encrypted end to end. Packings 2 and 3 have a second byte (requirements R4 and R6). */
int rtp_opus_parse(const uint8_t *payload, size_t len, struct rtp_descriptor *out) {
    if (len == 0 || (len == 1 && (payload[0] & 3) >= 2))
        return -EBADMSG;
    *out = (struct rtp_descriptor){.keyframe = true,
                                   .frame_start = true,
                                   .frame_end = true,
                                   .picture_id = RTP_NO_NUMBER,
                                   .tl0picidx = RTP_NO_NUMBER};
    return 0;
}
