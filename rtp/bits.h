/* A bounded reader of bits, most significant first. Past the end it reads zeros and remembers that
 * it did, so that a parser checks once at its end instead of at every field. */
#ifndef RTP_BITS_H
#define RTP_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rtp_bits {
    /* Given. */
    const uint8_t *data;
    size_t bit_count;
    /* State. */
    size_t position; /* In bits. */
    bool overrun;
};

static inline struct rtp_bits rtp_bits_of(const uint8_t *data, size_t len) {
    return (struct rtp_bits){.data = data, .bit_count = len * 8};
}

/* The next count bits as an unsigned number, at most 32. */
static inline uint32_t rtp_bits_read(struct rtp_bits *bits, unsigned count) {
    uint32_t value = 0;
    for (unsigned i = 0; i < count; i++) {
        uint32_t bit = 0;
        if (bits->position < bits->bit_count)
            bit = bits->data[bits->position / 8] >> (7 - bits->position % 8) & 1u;
        else
            bits->overrun = true;
        bits->position++;
        value = value << 1 | bit;
    }
    return value;
}

static inline bool rtp_bits_flag(struct rtp_bits *bits) {
    return rtp_bits_read(bits, 1) != 0;
}

/* A number from 0 to count - 1 in as few bits as that takes: ns(n) of the AV1 specification,
 * section 4.10.7. count is 1 to 2^31. */
static inline uint32_t rtp_bits_below(struct rtp_bits *bits, uint32_t count) {
    unsigned width = 0;
    while (width < 32 && count >> width != 0)
        width++;
    uint32_t short_codes = (uint32_t)((UINT64_C(1) << width) - count);
    uint32_t value = rtp_bits_read(bits, width - 1);
    if (value < short_codes)
        return value;
    return (value << 1 | rtp_bits_read(bits, 1)) - short_codes;
}

/* An unsigned Exp-Golomb number: ue(v) of H.264, section 9.1. One that has more than 31 leading
 * zeros is an overrun. */
static inline uint32_t rtp_bits_golomb(struct rtp_bits *bits) {
    unsigned zeros = 0;
    while (zeros < 32 && !rtp_bits_flag(bits))
        zeros++;
    if (zeros == 32) {
        bits->overrun = true;
        return 0;
    }
    return (UINT32_C(1) << zeros) - 1 + rtp_bits_read(bits, zeros);
}

#endif
