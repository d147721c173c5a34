/* What the test media carry in their payload: who sent what when, and what it refers to, in a shape
 * that a receiver can check without a codec. */
#ifndef BENCH_STAMP_H
#define BENCH_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BENCH_STAMP_LEN = 40, BENCH_STAMP_REFERENCES = 2 };

struct bench_stamp {
    uint64_t source;  /* The publisher's number and the layer. */
    uint64_t sent_us; /* When the frame was captured, on the publisher's clock. */
    uint32_t frame;   /* Of the source; each spatial layer's part of a picture is one. */
    uint32_t picture;
    uint16_t packet;  /* Of the frame. */
    uint16_t packets; /* In the frame. */
    uint16_t width, height;
    bool keyframe;
    bool last; /* Of its picture. */
    uint8_t spatial, temporal;
    uint8_t references[BENCH_STAMP_REFERENCES]; /* Back to the frames that it needs; 0: none. */
};

void bench_stamp_write(uint8_t out[static BENCH_STAMP_LEN], const struct bench_stamp *stamp);

/* Finds the stamp in a payload, behind the payload descriptor and a frame's header; false when
 * there is none. */
bool bench_stamp_find(const uint8_t *payload, size_t len, struct bench_stamp *out);

#endif
