/* Unwrapping of 16-bit sequence numbers: the nearest number to the newest one wins. */
#include "rtp/seqnum.h"

uint64_t rtp_unwrapper_peek(const struct rtp_unwrapper *unwrapper, uint16_t seq) {
    if (!unwrapper->started)
        return 65536u + (uint64_t)seq;
    int16_t distance = rtp_seq_distance(seq, (uint16_t)unwrapper->last);
    return unwrapper->last + (uint64_t)(int64_t)distance;
}

uint64_t rtp_unwrapper_unwrap(struct rtp_unwrapper *unwrapper, uint16_t seq) {
    uint64_t unwrapped = rtp_unwrapper_peek(unwrapper, seq);
    if (!unwrapper->started || unwrapped > unwrapper->last)
        unwrapper->last = unwrapped;
    unwrapper->started = true;
    return unwrapped;
}
