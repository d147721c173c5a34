/* Writing of dependency descriptors: what was read, with other numbers. Active decode targets stand
 * among bits, so everything behind them moves. */
#include "rtp/bits.h"
#include "rtp/bytes.h"
#include "rtp/dependency.h"

#include <string.h>

enum {
    MANDATORY_LEN = 3,
    STRUCTURE_AT = 29, /* Behind the five flags. */
    FLAG_TARGETS = 0x40,
};

struct writer {
    uint8_t *out;
    size_t position; /* In bits. */
};

static void put(struct writer *writer, uint32_t value, unsigned count) {
    while (count-- > 0) {
        uint8_t bit = (uint8_t)((value >> count & 1) << (7 - writer->position % 8));
        writer->out[writer->position++ / 8] |= bit;
    }
}

static void copy(struct writer *writer, struct rtp_bits *bits, size_t from, size_t to) {
    bits->position = from;
    while (bits->position < to) {
        size_t left = to - bits->position;
        unsigned count = left < 8 ? (unsigned)left : 8;
        put(writer, rtp_bits_read(bits, count), count);
    }
}

size_t rtp_dependency_write(const uint8_t *data, size_t len,
                            const struct rtp_dependency *dependency, uint8_t target_count,
                            uint16_t frame_number, uint32_t targets, uint8_t *out,
                            size_t capacity) {
    bool extended = len > MANDATORY_LEN;
    size_t structure_bits = extended ? dependency->targets_at - (size_t)STRUCTURE_AT : 0;
    size_t rest_bits = extended ? dependency->end_at - (size_t)dependency->rest_at : 0;
    size_t needed = (STRUCTURE_AT + structure_bits + target_count + rest_bits + 7) / 8;
    if (needed > capacity)
        return 0;
    memset(out, 0, needed);
    out[0] = data[0];
    rtp_put16(out + 1, frame_number);
    out[MANDATORY_LEN] = (uint8_t)((extended ? data[MANDATORY_LEN] & 0xf8 : 0) | FLAG_TARGETS);
    struct writer writer = {.out = out, .position = STRUCTURE_AT};
    struct rtp_bits bits = rtp_bits_of(data, len);
    if (extended)
        copy(&writer, &bits, STRUCTURE_AT, dependency->targets_at);
    put(&writer, targets, target_count);
    if (extended)
        copy(&writer, &bits, dependency->rest_at, dependency->end_at);
    return needed;
}
