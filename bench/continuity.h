/* Whether a slot's stream goes on without a seam: what its newest packets, one after the other, say
 * of timestamps, markers and the numbers of the payload descriptor, compared with what the sender
 * stamped on them. */
#ifndef BENCH_CONTINUITY_H
#define BENCH_CONTINUITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/stamp.h"
#include "rtp/codec.h"
#include "rtp/dependency.h"

/* One packet, newer than all before it; borrowed. */
struct bench_seen {
    uint64_t seq; /* Unwrapped. */
    uint32_t timestamp;
    bool marker;
    enum rtp_codec codec;
    const uint8_t *payload;
    size_t payload_len;
    const uint8_t *dependency; /* NULL: none. */
    size_t dependency_len;
};

/* Zero-initialise. */
struct bench_continuity {
    /* State. */
    bool started;
    bool marker;
    uint64_t seq;
    uint32_t timestamp;
    uint64_t source;
    bool has_picture_id;
    uint16_t picture_id;
    bool has_tl0picidx;
    uint8_t tl0picidx;
    bool has_offset;       /* Of the numbers that references go by (VP9 picture id, AV1 frame */
    uint16_t offset;       /* number) to the sender's: the same until a keyframe. */
    uint16_t frame_number; /* AV1. */
    bool has_structure;
    struct rtp_dependency_structure structure;
    /* Counters, all of what must not happen. */
    uint64_t timestamps_back;
    uint64_t markers_missing; /* The next picture began without one: seen at every change of source
                                 in the middle of a picture. */
    uint64_t markers_early;   /* The same picture went on behind one. */
    uint64_t picture_jumps;   /* VP8: not the next one. VP9, AV1: back, or far ahead. */
    uint64_t tl0picidx_jumps;
    uint64_t references_wrong; /* The numbers lead elsewhere than the sender said. */
    uint64_t malformed;        /* No decoder would take it. */
};

/* stamp: NULL when it has none. */
void bench_continuity_on_packet(struct bench_continuity *continuity, const struct bench_seen *seen,
                                const struct bench_stamp *stamp);

#endif
