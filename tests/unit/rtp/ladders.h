/* Ladders as browsers send them, for the tests of the allocator. */
#ifndef TESTS_UNIT_RTP_LADDERS_H
#define TESTS_UNIT_RTP_LADDERS_H

#include <string.h>

#include "rtp/allocator.h"

enum { LADDER_SIMULCAST = 9, LADDER_SINGLE = 1 };

/* libwebrtc's three encodings of 720p (150, 500 and 2,500 kb/s), each with three temporal layers,
 * of which the lower two take 60 and 80 % in the shares of its default (0.4, 0.2, 0.4 rounded up
 * for VP8's larger base frames). */
static const struct rtp_rung ladder_simulcast[LADDER_SIMULCAST] = {
    {90000, 320, 180, 8, 0, 0, 0},     {120000, 320, 180, 15, 0, 0, 1},
    {150000, 320, 180, 30, 0, 0, 2},   {300000, 640, 360, 8, 1, 0, 0},
    {400000, 640, 360, 15, 1, 0, 1},   {500000, 640, 360, 30, 1, 0, 2},
    {1500000, 1280, 720, 8, 2, 0, 0},  {2000000, 1280, 720, 15, 2, 0, 1},
    {2500000, 1280, 720, 30, 2, 0, 2},
};
static const struct rtp_rung ladder_audio[LADDER_SINGLE] = {{40000, 0, 0, 0, 0, 0, 0}};

static inline struct rtp_allocator_slot ladder_slot(uint32_t id, const struct rtp_rung *rungs,
                                                    size_t count) {
    return (struct rtp_allocator_slot){.id = id, .rungs = rungs, .rung_count = (uint8_t)count};
}

static inline struct rtp_allocator_slot ladder_camera(uint32_t id) {
    return ladder_slot(id, ladder_simulcast, LADDER_SIMULCAST);
}

static inline uint64_t ladder_spent(const struct rtp_allocator_slot *slots, size_t count) {
    uint64_t bps = 0;
    for (size_t i = 0; i < count; i++)
        if (slots[i].chosen >= 0)
            bps += slots[i].rungs[slots[i].chosen].bps;
    return bps;
}

#endif
