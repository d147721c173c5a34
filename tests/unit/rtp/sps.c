/* Picture sizes from parameter sets of real encoders. */
#include "rtp/sps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"

static int size_of(const uint8_t *nal, size_t len, uint16_t *width, uint16_t *height) {
    uint8_t *exact = malloc(len > 0 ? len : 1);
    memcpy(exact, nal, len);
    int result = rtp_sps_size(exact, len, width, height);
    free(exact);
    return result;
}

static void check_size(const char *hex, int wanted_width, int wanted_height) {
    uint8_t nal[512];
    size_t len = test_hex(hex, nal, sizeof(nal));
    uint16_t width = 0, height = 0;
    CHECK_INT(size_of(nal, len, &width, &height), 0);
    CHECK_INT(width, wanted_width);
    CHECK_INT(height, wanted_height);
}

static void baseline_sizes_are_cropped_to_the_picture(void) {
    /* openh264; of the heights, 192, 368 and 1088 lines are coded. */
    check_size("6742c00d8c8d40a0cbcf00f08846a0", 320, 180);
    check_size("6742c01e8c8d405017fcb00f08846a", 640, 360);
    check_size("6742c01f8c8d402802dd00f08846a0", 1280, 720);
    check_size("6742c0288c8d403c0113f2c03c2211a8", 1920, 1080);
}

static void high_profile_sizes_are_found_behind_the_chroma_format(void) {
    /* x264, High 4:2:2, with emulation prevention in the VUI. */
    check_size("677a001fbcd9405005ba10000003 00c000002ae0f1831960", 1280, 720);
    check_size("677a001ebcd940a02ff8984000000301800000 5683c58b6580", 640, 360);
}

static void a_set_cut_short_has_no_size_and_leaves_the_result(void) {
    static const uint8_t nal[] = {0x67, 0x42, 0xc0, 0x0d, 0x8c, 0x8d,
                                  0x40, 0xa0, 0xcb, 0xcf, 0x00, 0xf0};
    uint16_t width = 7, height = 8;
    for (size_t len = 0; len < 9; len++)
        CHECK_INT(size_of(nal, len, &width, &height), -EBADMSG);
    CHECK_INT(width, 7);
    CHECK_INT(height, 8);
}

/* Baseline with the given bits after profile, constraints and level. */
static int size_of_bits(const char *bits, uint16_t *width, uint16_t *height) {
    uint8_t nal[64] = {0x67, 66, 0, 10};
    size_t at = 32;
    for (; *bits; bits++) {
        if (*bits == '1')
            nal[at / 8] |= (uint8_t)(0x80 >> at % 8);
        at += *bits != ' ';
    }
    return size_of(nal, (at + 7) / 8, width, height);
}

static void interlaced_pictures_are_twice_as_high_as_a_field(void) {
    uint16_t width, height;
    /* id 0, frame_num 4, POC type 2, 1 reference, no gaps, 1 by 1 macroblock, fields, MBAFF, 8x8,
     * no cropping, no VUI, stop bit. */
    CHECK_INT(size_of_bits("1 1 011 010 0 1 1 0 1 1 0 0 1", &width, &height), 0);
    CHECK_INT(width, 16);
    CHECK_INT(height, 32);
}

static void a_picture_order_of_type_one_is_skipped(void) {
    uint16_t width, height;
    /* POC type 1: flag, two offsets, a cycle of two offsets. */
    CHECK_INT(size_of_bits("1 1 010 0 00101 1 011 010 1 010 0 010 1 1 1 0 0 1", &width, &height),
              0);
    CHECK_INT(width, 32);
    CHECK_INT(height, 16);
}

static void sizes_that_no_stream_has_are_refused(void) {
    uint16_t width, height;
    /* 2^31 macroblocks wide. */
    CHECK_INT(size_of_bits("1 1 011 010 0 0000000000000000000000000000000 1 "
                           "0000000000000000000000000000000 1 1 1 0 0 1",
                           &width, &height),
              -EBADMSG);
    /* Cropped by 8 chroma samples, all of its 16. */
    CHECK_INT(size_of_bits("1 1 011 010 0 1 1 1 1 1 0001001 1 1 1 0 1", &width, &height), -EBADMSG);
}

static const struct test tests[] = {
    {"baseline_sizes_are_cropped_to_the_picture", baseline_sizes_are_cropped_to_the_picture},
    {"high_profile_sizes_are_found_behind_the_chroma_format",
     high_profile_sizes_are_found_behind_the_chroma_format},
    {"a_set_cut_short_has_no_size_and_leaves_the_result",
     a_set_cut_short_has_no_size_and_leaves_the_result},
    {"interlaced_pictures_are_twice_as_high_as_a_field",
     interlaced_pictures_are_twice_as_high_as_a_field},
    {"a_picture_order_of_type_one_is_skipped", a_picture_order_of_type_one_is_skipped},
    {"sizes_that_no_stream_has_are_refused", sizes_that_no_stream_has_are_refused},
};

TEST_MAIN(tests)
