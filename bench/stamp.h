/* What the test media carry in their payload: who sent what when, in a shape that a receiver can
 * check without a codec. */
#ifndef BENCH_STAMP_H
#define BENCH_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BENCH_STAMP_LEN = 32 };

struct bench_stamp {
    uint64_t source;  /* The publisher's number and the layer. */
    uint64_t sent_us; /* On the publisher's clock. */
    uint32_t frame;
    uint16_t packet;  /* Of the frame. */
    uint16_t packets; /* In the frame. */
    bool keyframe;
};

void bench_stamp_write(uint8_t out[static BENCH_STAMP_LEN], const struct bench_stamp *stamp);

/* Finds the stamp in a payload (behind the payload descriptor, or behind a frame's header); false
 * when there is none. */
bool bench_stamp_find(const uint8_t *payload, size_t len, struct bench_stamp *out);

#endif
