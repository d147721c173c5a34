/* The acknowledged rate. */
#include "rtp/bwe_acked.h"

#include "tests/unit/test.h"

enum { MS = 1000 };

static struct rtp_bwe_acked acked;

static void packet(uint64_t sent_us, uint64_t arrival_us, uint32_t bytes) {
    struct rtp_bwe_packet one = {.sent_us = sent_us, .arrival_us = arrival_us, .bytes = bytes};
    rtp_bwe_acked_on_packet(&acked, &one);
}

static bool is_near(double got, double want) {
    return got > want * 0.97 && got < want * 1.03;
}

/* Packets of 1,000 bytes, one each sent_ms and arriving each arrival_ms. */
static void stream(int count, uint64_t sent_ms, uint64_t arrival_ms) {
    acked = (struct rtp_bwe_acked){0};
    for (int i = 0; i < count; i++)
        packet(10000 * MS + (uint64_t)i * sent_ms * MS, 50000 * MS + (uint64_t)i * arrival_ms * MS,
               1000);
}

static void nine_packets_are_too_few(void) {
    stream(9, 8, 8);
    CHECK_INT(rtp_bwe_acked_bps(&acked), 0);
    stream(10, 8, 8);
    CHECK(is_near(rtp_bwe_acked_bps(&acked), 1e6));
}

static void it_is_the_lesser_of_what_was_sent_and_what_came(void) {
    stream(200, 8, 8);
    CHECK(is_near(rtp_bwe_acked_bps(&acked), 1e6));
    stream(200, 8, 16);
    CHECK(is_near(rtp_bwe_acked_bps(&acked), 0.5e6));
    stream(200, 16, 8);
    CHECK(is_near(rtp_bwe_acked_bps(&acked), 0.5e6));
}

static void what_came_lately_is_measured_however_it_was_sent(void) {
    stream(200, 16, 8);
    CHECK(is_near(rtp_bwe_acked_recent_bps(&acked), 1e6));
}

static void one_long_gap_does_not_count(void) {
    acked = (struct rtp_bwe_acked){0};
    for (uint64_t i = 0; i < 40; i++) {
        uint64_t at_us = 50000 * MS + i * 8 * MS + (i >= 20 ? 150 * MS : 0);
        packet(at_us, at_us, 1000);
    }
    double bps = rtp_bwe_acked_bps(&acked);
    CHECK(bps > 650e3); /* By what was sent, which has the gap as well. */
    acked = (struct rtp_bwe_acked){0};
    for (uint64_t i = 0; i < 40; i++)
        packet(50000 * MS + i * 8 * MS, 50000 * MS + i * 8 * MS + (i >= 20 ? 150 * MS : 0), 1000);
    CHECK(is_near(rtp_bwe_acked_bps(&acked), 1e6));
}

static void half_a_second_is_remembered(void) {
    stream(100, 8, 8);
    for (uint64_t i = 0; i < 70; i++) {
        uint64_t at_us = 800 * MS + i * 8 * MS;
        packet(10000 * MS + at_us, 50000 * MS + at_us, 250);
    }
    CHECK(is_near(rtp_bwe_acked_bps(&acked), 250e3));
}

static void a_silence_of_two_seconds_begins_anew(void) {
    stream(100, 8, 8);
    packet(13000 * MS, 53000 * MS, 1000);
    CHECK_INT(rtp_bwe_acked_bps(&acked), 0);
}

static void the_low_halves_of_the_clocks_wrap(void) {
    uint64_t wrap_us = (uint64_t)1 << 32;
    acked = (struct rtp_bwe_acked){0};
    for (uint64_t i = 0; i < 100; i++)
        packet(3 * wrap_us - 400 * MS + i * 8 * MS, 5 * wrap_us - 300 * MS + i * 8 * MS, 1000);
    CHECK(is_near(rtp_bwe_acked_bps(&acked), 1e6));
}

#define TEST(name)                                                                                 \
    { #name, name }

static const struct test tests[] = {
    TEST(nine_packets_are_too_few),
    TEST(it_is_the_lesser_of_what_was_sent_and_what_came),
    TEST(what_came_lately_is_measured_however_it_was_sent),
    TEST(one_long_gap_does_not_count),
    TEST(half_a_second_is_remembered),
    TEST(a_silence_of_two_seconds_begins_anew),
    TEST(the_low_halves_of_the_clocks_wrap),
};

TEST_MAIN(tests)
