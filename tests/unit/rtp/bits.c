/* The bit reader and its variable-length numbers. */
#include "rtp/bits.h"

#include "tests/unit/test.h"

static void bits_are_read_most_significant_first(void) {
    static const uint8_t data[] = {0xa5, 0x0f, 0xff, 0x00, 0x80};
    struct rtp_bits bits = rtp_bits_of(data, sizeof(data));
    CHECK_INT(rtp_bits_read(&bits, 3), 5);
    CHECK_INT(rtp_bits_read(&bits, 9), 0x50);
    CHECK_INT(rtp_bits_read(&bits, 0), 0);
    CHECK_INT(rtp_bits_read(&bits, 28), 0xfff0080);
    CHECK(!bits.overrun);
}

static void past_the_end_there_are_zeros_and_it_is_remembered(void) {
    static const uint8_t data[] = {0xff};
    struct rtp_bits bits = rtp_bits_of(data, sizeof(data));
    CHECK_INT(rtp_bits_read(&bits, 8), 0xff);
    CHECK(!bits.overrun);
    CHECK_INT(rtp_bits_read(&bits, 32), 0);
    CHECK(bits.overrun);
}

static void numbers_below_five_are_coded_as_in_the_av1_specification(void) {
    /* ns(5): 00, 01, 10, 110, 111. */
    static const uint8_t data[] = {0x1b, 0x70};
    struct rtp_bits bits = rtp_bits_of(data, sizeof(data));
    for (unsigned i = 0; i < 5; i++)
        CHECK_INT(rtp_bits_below(&bits, 5), i);
    CHECK_INT(bits.position, 12);
    CHECK_INT(rtp_bits_below(&bits, 1), 0);
    CHECK_INT(bits.position, 12);
    CHECK_INT(rtp_bits_below(&bits, 4), 0);
    CHECK_INT(bits.position, 14);
}

static void exp_golomb_numbers_are_read_as_in_h264_table_9_2(void) {
    /* 1, 010, 011, 00100, 00101, 0001000 */
    static const uint8_t data[] = {0xa6, 0x42, 0x88, 0x00};
    struct rtp_bits bits = rtp_bits_of(data, sizeof(data));
    static const uint32_t wanted[] = {0, 1, 2, 3, 4};
    for (unsigned i = 0; i < 5; i++)
        CHECK_INT(rtp_bits_golomb(&bits), wanted[i]);
    CHECK_INT(rtp_bits_golomb(&bits), 7);
    CHECK(!bits.overrun);
    rtp_bits_golomb(&bits);
    CHECK(bits.overrun);
}

static void the_largest_exp_golomb_number_fits(void) {
    static const uint8_t largest[] = {0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfe};
    struct rtp_bits bits = rtp_bits_of(largest, sizeof(largest));
    CHECK_INT(rtp_bits_golomb(&bits), 0xfffffffe);
    CHECK(!bits.overrun);
    static const uint8_t beyond[] = {0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff};
    bits = rtp_bits_of(beyond, sizeof(beyond));
    CHECK_INT(rtp_bits_golomb(&bits), 0);
    CHECK(bits.overrun);
}

static const struct test tests[] = {
    {"bits_are_read_most_significant_first", bits_are_read_most_significant_first},
    {"past_the_end_there_are_zeros_and_it_is_remembered",
     past_the_end_there_are_zeros_and_it_is_remembered},
    {"numbers_below_five_are_coded_as_in_the_av1_specification",
     numbers_below_five_are_coded_as_in_the_av1_specification},
    {"exp_golomb_numbers_are_read_as_in_h264_table_9_2",
     exp_golomb_numbers_are_read_as_in_h264_table_9_2},
    {"the_largest_exp_golomb_number_fits", the_largest_exp_golomb_number_fits},
};

TEST_MAIN(tests)
