/* VP8 as libwebrtc sends it: RFC 7741 with 15-bit picture ids, TL0PICIDX and, with temporal layers,
 * the layer index; then the frame's header (RFC 6386 section 9.1). */
#include <string.h>

#include "bench/encoder.h"
#include "rtp/bytes.h"

size_t bench_vp8_head(const struct bench_encoder *encoder, const struct bench_part *part,
                      const struct bench_place *place, uint8_t *out) {
    bool first = place->packet == 0;
    bool layered = encoder->scalability != BENCH_L1T1;
    size_t at = 0;
    out[at++] = (uint8_t)(0x80 | (part->referenced ? 0 : 0x20) | (first ? 0x10 : 0));
    out[at++] = layered ? 0xe0 : 0xc0; /* I, L, T. */
    rtp_put16(out + at,
              (uint16_t)(0x8000 | ((encoder->first_picture_id + part->picture) & 0x7fff)));
    at += 2;
    out[at++] = encoder->tl0picidx;
    if (layered)
        out[at++] = (uint8_t)(part->temporal << 6 | (part->sync && part->temporal > 0 ? 0x20 : 0));
    if (!first)
        return at;
    out[at++] = part->keyframe ? 0x10 : 0x11; /* Inverse keyframe flag; show_frame. */
    out[at++] = 0;
    out[at++] = 0;
    if (!part->keyframe)
        return at;
    static const uint8_t start_code[] = {0x9d, 0x01, 0x2a};
    memcpy(out + at, start_code, sizeof(start_code));
    at += sizeof(start_code);
    out[at++] = (uint8_t)part->width;
    out[at++] = (uint8_t)(part->width >> 8);
    out[at++] = (uint8_t)part->height;
    out[at++] = (uint8_t)(part->height >> 8);
    return at;
}
