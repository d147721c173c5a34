/* H.264 in packetization mode 1 (RFC 6184): a keyframe begins with a STAP-A of its parameter sets,
 * every picture is one slice in FU-A, or alone when it is one packet. */
#include <string.h>

#include "bench/bit_writer.h"
#include "bench/encoder.h"
#include "rtp/bytes.h"

enum { NAL_SLICE = 1, NAL_IDR = 5, NAL_STAP_A = 24, NAL_FU_A = 28, REFERENCE = 0x60 };

/* Section 7.3.2.1.1 for constrained baseline, without what a decoder of one reference can do
 * without. No emulation prevention: the sizes of our layers need none. */
static size_t put_sps(const struct bench_part *part, uint8_t *out) {
    static const uint8_t head[] = {0x67, 66, 0xc0, 31};
    unsigned columns = (part->width + 15u) / 16, rows = (part->height + 15u) / 16;
    uint8_t body[24] = {0};
    struct bench_bits bits = {.data = body};
    bench_bits_golomb(&bits, 0);           /* seq_parameter_set_id */
    bench_bits_golomb(&bits, 4);           /* log2_max_frame_num_minus4 */
    bench_bits_golomb(&bits, 2);           /* pic_order_cnt_type: as decoded. */
    bench_bits_golomb(&bits, 1);           /* max_num_ref_frames */
    bench_bits_put(&bits, 1, 0);           /* gaps_in_frame_num_value_allowed_flag */
    bench_bits_golomb(&bits, columns - 1); /* pic_width_in_mbs_minus1 */
    bench_bits_golomb(&bits, rows - 1);    /* pic_height_in_map_units_minus1 */
    bench_bits_put(&bits, 2, 3);           /* frame_mbs_only_flag, direct_8x8_inference_flag */
    bench_bits_put(&bits, 1, 1);           /* frame_cropping_flag */
    bench_bits_golomb(&bits, 0);
    bench_bits_golomb(&bits, (columns * 16 - part->width) / 2);
    bench_bits_golomb(&bits, 0);
    bench_bits_golomb(&bits, (rows * 16 - part->height) / 2);
    bench_bits_put(&bits, 2, 1); /* No VUI; stop bit. */
    memcpy(out, head, sizeof(head));
    memcpy(out + sizeof(head), body, bench_bits_len(&bits));
    return sizeof(head) + bench_bits_len(&bits);
}

static size_t put_parameter_sets(const struct bench_part *part, uint8_t *out) {
    static const uint8_t pps[] = {0x68, 0xce, 0x3c, 0x80};
    size_t at = 0;
    out[at++] = REFERENCE | NAL_STAP_A;
    size_t len = put_sps(part, out + at + 2);
    rtp_put16(out + at, (uint16_t)len);
    at += 2 + len;
    rtp_put16(out + at, sizeof(pps));
    memcpy(out + at + 2, pps, sizeof(pps));
    return at + 2 + sizeof(pps);
}

/* The first slice of the picture is the last unit of the aggregate. */
static size_t put_keyframe(const struct bench_part *part, size_t payload_len, uint8_t *out) {
    size_t at = put_parameter_sets(part, out);
    rtp_put16(out + at, (uint16_t)(payload_len - at - 2));
    out[at + 2] = REFERENCE | NAL_IDR;
    return at + 3;
}

size_t bench_h264_head(const struct bench_part *part, const struct bench_place *place,
                       uint8_t *out) {
    uint8_t reference = part->referenced ? REFERENCE : 0;
    uint8_t type = part->keyframe ? NAL_IDR : NAL_SLICE;
    if (place->packet == 0 && part->keyframe)
        return put_keyframe(part, place->payload_len, out);
    if (place->packets == 1) {
        out[0] = reference | type;
        return 1;
    }
    bool begins = place->packet == (part->keyframe ? 1 : 0);
    out[0] = reference | NAL_FU_A;
    out[1] = (uint8_t)((begins ? 0x80 : 0) | (bench_place_is_last(place) ? 0x40 : 0) | type);
    return 2;
}
