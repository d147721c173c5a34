/* Sound as it is heard: a jitter buffer of a fixed length behind the fastest packet. A frame of 20
 * ms is played when it came before its turn, by itself or repeated in a later packet. */
#ifndef BENCH_PLAYOUT_H
#define BENCH_PLAYOUT_H

#include <stdbool.h>
#include <stdint.h>

enum {
    BENCH_PLAYOUT_US = 120000, /* What NetEq grows to on a lossy link with RED. */
    BENCH_PLAYOUT_FRAMES = 64, /* Remembered, a power of two. */
};

/* Zero-initialise. */
struct bench_playout {
    /* State. */
    bool started;
    uint32_t newest;  /* Frame. */
    uint64_t seen;    /* Bit i: newest - i came in time. */
    int64_t least_us; /* The shortest way from capture to here. */
    /* Counters. */
    uint64_t expected, played;
};

/* Another source: its frames are counted from its first one on. */
void bench_playout_begin(struct bench_playout *playout);

/* A frame came; true when it is to be played. */
bool bench_playout_on_frame(struct bench_playout *playout, uint64_t now_us, uint32_t frame,
                            uint64_t sent_us);

#endif
