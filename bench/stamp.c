#include "bench/stamp.h"

#include "rtp/bytes.h"

static const uint32_t magic = 0x57454952; /* "WEIR" */

void bench_stamp_write(uint8_t out[static BENCH_STAMP_LEN], const struct bench_stamp *stamp) {
    rtp_put32(out, magic);
    rtp_put64(out + 4, stamp->source);
    rtp_put64(out + 12, stamp->sent_us);
    rtp_put32(out + 20, stamp->frame);
    rtp_put16(out + 24, stamp->packet);
    rtp_put16(out + 26, stamp->packets);
    rtp_put32(out + 28, stamp->keyframe);
}

bool bench_stamp_find(const uint8_t *payload, size_t len, struct bench_stamp *out) {
    /* A descriptor and a VP8 keyframe header are 16 bytes at most. */
    for (size_t i = 0; i <= 16 && i + BENCH_STAMP_LEN <= len; i++) {
        const uint8_t *at = payload + i;
        if (rtp_get32(at) != magic)
            continue;
        *out = (struct bench_stamp){
            .source = rtp_get64(at + 4),
            .sent_us = rtp_get64(at + 12),
            .frame = rtp_get32(at + 20),
            .packet = rtp_get16(at + 24),
            .packets = rtp_get16(at + 26),
            .keyframe = rtp_get32(at + 28) != 0,
        };
        return true;
    }
    return false;
}
