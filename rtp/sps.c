/* H.264 sequence parameter sets, up to the picture size (ITU-T H.264 section 7.3.2.1.1). */
#include "rtp/sps.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "rtp/bits.h"

enum {
    RBSP_MAX = 256, /* The size comes before this even behind full scaling lists. */
    CHROMA_420 = 1,
    CHROMA_422 = 2,
    CHROMA_444 = 3,
};

/* The bytes without emulation prevention: 00 00 03 stands for 00 00 (section 7.4.1). */
static size_t unescape(const uint8_t *nal, size_t len, uint8_t *out) {
    size_t count = 0;
    int zeros = 0;
    for (size_t i = 0; i < len && count < RBSP_MAX; i++) {
        bool escape = zeros >= 2 && nal[i] == 3;
        zeros = nal[i] == 0 ? zeros + 1 : 0;
        if (!escape)
            out[count++] = nal[i];
    }
    return count;
}

static bool profile_has_chroma(uint32_t profile) {
    static const uint8_t profiles[] = {100, 110, 122, 244, 44,  83, 86,
                                       118, 128, 138, 139, 134, 135};
    return memchr(profiles, (int)profile, sizeof(profiles)) != NULL;
}

static int32_t read_signed(struct rtp_bits *bits) {
    uint32_t code = rtp_bits_golomb(bits);
    return code & 1 ? (int32_t)(code / 2 + 1) : -(int32_t)(code / 2);
}

static void skip_scaling_list(struct rtp_bits *bits, int count) {
    int32_t last = 8, next = 8;
    for (int i = 0; i < count && next != 0; i++) {
        next = (last + read_signed(bits) % 256 + 256) % 256;
        if (next != 0)
            last = next;
    }
}

/* Returns chroma_format_idc as it counts for cropping: 0 when the planes are coded apart. */
static uint32_t read_chroma(struct rtp_bits *bits) {
    uint32_t chroma = rtp_bits_golomb(bits);
    bool apart = chroma == CHROMA_444 && rtp_bits_flag(bits);
    rtp_bits_golomb(bits); /* Bit depths. */
    rtp_bits_golomb(bits);
    rtp_bits_flag(bits); /* qpprime_y_zero_transform_bypass_flag */
    bool scaling = rtp_bits_flag(bits);
    int lists = chroma == CHROMA_444 ? 12 : 8;
    for (int i = 0; scaling && i < lists; i++) {
        if (rtp_bits_flag(bits))
            skip_scaling_list(bits, i < 6 ? 16 : 64);
    }
    return apart ? 0 : chroma;
}

static void skip_picture_order(struct rtp_bits *bits) {
    uint32_t type = rtp_bits_golomb(bits);
    if (type == 0)
        rtp_bits_golomb(bits);
    if (type != 1)
        return;
    rtp_bits_flag(bits);
    rtp_bits_golomb(bits);
    rtp_bits_golomb(bits);
    uint32_t cycle = rtp_bits_golomb(bits);
    for (uint32_t i = 0; i < cycle && !bits->overrun; i++)
        rtp_bits_golomb(bits);
}

/* One direction: what is coded, less what is cropped at both ends in the given unit. */
static uint64_t cropped(uint64_t coded, uint64_t crop, uint64_t unit) {
    return crop * unit < coded ? coded - crop * unit : 0;
}

int rtp_sps_size(const uint8_t *nal, size_t len, uint16_t *width, uint16_t *height) {
    uint8_t rbsp[RBSP_MAX];
    struct rtp_bits bits = rtp_bits_of(rbsp, unescape(nal, len, rbsp));
    rtp_bits_read(&bits, 8);
    uint32_t profile = rtp_bits_read(&bits, 8);
    rtp_bits_read(&bits, 16); /* Constraints and level. */
    rtp_bits_golomb(&bits);   /* Id. */
    uint32_t chroma = profile_has_chroma(profile) ? read_chroma(&bits) : CHROMA_420;
    rtp_bits_golomb(&bits); /* log2_max_frame_num */
    skip_picture_order(&bits);
    rtp_bits_golomb(&bits); /* max_num_ref_frames */
    rtp_bits_flag(&bits);
    uint64_t columns = (uint64_t)rtp_bits_golomb(&bits) + 1;
    uint64_t rows = (uint64_t)rtp_bits_golomb(&bits) + 1;
    uint64_t fields = rtp_bits_flag(&bits) ? 1 : 2;
    if (fields == 2)
        rtp_bits_flag(&bits);
    rtp_bits_flag(&bits); /* direct_8x8_inference_flag */
    uint64_t crop_x = 0, crop_y = 0;
    if (rtp_bits_flag(&bits)) {
        crop_x = (uint64_t)rtp_bits_golomb(&bits) + rtp_bits_golomb(&bits);
        crop_y = (uint64_t)rtp_bits_golomb(&bits) + rtp_bits_golomb(&bits);
    }
    uint64_t unit_x = chroma == CHROMA_420 || chroma == CHROMA_422 ? 2 : 1;
    uint64_t unit_y = fields * (chroma == CHROMA_420 ? 2 : 1);
    uint64_t wide = cropped(columns * 16, crop_x, unit_x);
    uint64_t high = cropped(rows * 16 * fields, crop_y, unit_y);
    if (bits.overrun || wide == 0 || high == 0 || wide > UINT16_MAX || high > UINT16_MAX)
        return -EBADMSG;
    *width = (uint16_t)wide;
    *height = (uint16_t)high;
    return 0;
}
