/* Writes bits, most significant first, into a buffer that the caller has zeroed and that is large
 * enough. */
#ifndef BENCH_BIT_WRITER_H
#define BENCH_BIT_WRITER_H

#include <stddef.h>
#include <stdint.h>

struct bench_bits {
    uint8_t *data;
    size_t position; /* In bits. */
};

static inline void bench_bits_put(struct bench_bits *bits, unsigned count, uint32_t value) {
    while (count-- > 0) {
        bits->data[bits->position / 8] |=
            (uint8_t)((value >> count & 1) << (7 - bits->position % 8));
        bits->position++;
    }
}

/* ue(v) of H.264, section 9.1. */
static inline void bench_bits_golomb(struct bench_bits *bits, uint32_t value) {
    unsigned len = 0;
    while ((value + 1) >> (len + 1) != 0)
        len++;
    bench_bits_put(bits, len, 0);
    bench_bits_put(bits, len + 1, value + 1);
}

/* ns(n) of AV1, section 4.10.7: one of `count` values. */
static inline void bench_bits_below(struct bench_bits *bits, uint32_t count, uint32_t value) {
    unsigned width = 0;
    while (count >> width != 0)
        width++;
    uint32_t short_codes = (1u << width) - count;
    if (value < short_codes)
        bench_bits_put(bits, width - 1, value);
    else
        bench_bits_put(bits, width, value + short_codes);
}

static inline size_t bench_bits_len(const struct bench_bits *bits) {
    return (bits->position + 7) / 8;
}

#endif
