#include "bench/stamp.h"

#include "rtp/bytes.h"

static const uint32_t magic = 0x57454952; /* "WEIR" */

/* H.264's parameter sets are the longest that comes before. */
enum { STAMP_OFFSET_MAX = 64, FLAG_KEYFRAME = 1, FLAG_LAST = 2 };

void bench_stamp_write(uint8_t out[static BENCH_STAMP_LEN], const struct bench_stamp *stamp) {
    rtp_put32(out, magic);
    rtp_put64(out + 4, stamp->source);
    rtp_put64(out + 12, stamp->sent_us);
    rtp_put32(out + 20, stamp->frame);
    rtp_put32(out + 24, stamp->picture);
    rtp_put16(out + 28, stamp->packet);
    rtp_put16(out + 30, stamp->packets);
    rtp_put16(out + 32, stamp->width);
    rtp_put16(out + 34, stamp->height);
    out[36] = (uint8_t)((stamp->keyframe ? FLAG_KEYFRAME : 0) | (stamp->last ? FLAG_LAST : 0));
    out[37] = (uint8_t)(stamp->spatial << 4 | stamp->temporal);
    out[38] = stamp->references[0];
    out[39] = stamp->references[1];
}

static void read(const uint8_t *at, struct bench_stamp *out) {
    *out = (struct bench_stamp){
        .source = rtp_get64(at + 4),
        .sent_us = rtp_get64(at + 12),
        .frame = rtp_get32(at + 20),
        .picture = rtp_get32(at + 24),
        .packet = rtp_get16(at + 28),
        .packets = rtp_get16(at + 30),
        .width = rtp_get16(at + 32),
        .height = rtp_get16(at + 34),
        .keyframe = at[36] & FLAG_KEYFRAME,
        .last = at[36] & FLAG_LAST,
        .spatial = at[37] >> 4,
        .temporal = at[37] & 15,
        .references = {at[38], at[39]},
    };
}

bool bench_stamp_find(const uint8_t *payload, size_t len, struct bench_stamp *out) {
    for (size_t i = 0; i <= STAMP_OFFSET_MAX && i + BENCH_STAMP_LEN <= len; i++) {
        if (rtp_get32(payload + i) != magic)
            continue;
        read(payload + i, out);
        return true;
    }
    return false;
}
