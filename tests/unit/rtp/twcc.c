/* Transport-wide feedback: read as browsers send it, built, and read again. */
#include "rtp/twcc.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/test.h"

enum { MS = 1000, TICK = 250 };

static struct rtp_twcc_receiver receiver;
static uint8_t data[2048];
static size_t data_len;
static struct rtp_twcc_arrival arrivals[RTP_TWCC_REPORTED_MAX];
static size_t arrival_count;

static void remember(void *ctx, const struct rtp_twcc_arrival *arrival) {
    CHECK(ctx == &arrival_count);
    CHECK(arrival_count < RTP_TWCC_REPORTED_MAX);
    arrivals[arrival_count++] = *arrival;
}

static int parse(void) {
    struct rtcp_packet packet;
    size_t offset = 0;
    CHECK(rtcp_next(data, data_len, &offset, &packet));
    arrival_count = 0;
    return rtp_twcc_feedback_parse(&packet, remember, &arrival_count);
}

static int parse_hex(const char *hex) {
    data_len = test_hex(hex, data, sizeof data);
    return parse();
}

/* Builds one feedback into data, checks that it says so many numbers, and reads it. */
static void build(size_t capacity, int want) {
    uint8_t body[RTP_TWCC_BODY_MAX];
    size_t len = rtp_twcc_feedback_write(&receiver, body, capacity);
    CHECK(len <= capacity && len % 4 == 0 && len > 0);
    struct rtcp_builder builder;
    rtcp_builder_init(&builder, data, sizeof data);
    CHECK_INT(rtcp_append_feedback(&builder, RTCP_RTPFB, RTCP_FMT_TWCC, 1, 2, body, len), 0);
    data_len = builder.len;
    CHECK_INT(parse(), want);
}

static void check_body(const char *hex) {
    uint8_t want[256];
    CHECK_BYTES(data + 12, data_len - 12, want, test_hex(hex, want, sizeof want));
}

static void check_arrivals(uint16_t base, int64_t base_us, const int *ticks, size_t count) {
    CHECK_INT(arrival_count, count);
    for (size_t i = 0; i < count; i++) {
        CHECK_INT(arrivals[i].seq, (uint16_t)(base + i));
        CHECK_INT(arrivals[i].received, ticks[i] != INT32_MIN);
        CHECK_INT(arrivals[i].arrival_us, arrivals[i].received ? base_us + ticks[i] * TICK : 0);
    }
}

enum { GONE = INT32_MIN };

/* The first four are captures that came with Pion's tests. */
static void a_run_of_small_deltas_is_read(void) {
    CHECK_INT(parse_hex("afcd0007 fa17fa17 193dd8bb 00040007 10636e01 20074c24 24100c0c 10000003"),
              7);
    static const int ticks[] = {0x4c, 0x70, 0x94, 0xa4, 0xb0, 0xbc, 0xcc};
    check_arrivals(4, (int64_t)1074030 * 64 * MS, ticks, 7);
}

static void a_two_bit_vector_then_a_run_longer_than_the_count_are_read(void) {
    CHECK_INT(parse_hex("afcd0007 9b74f61f 9371dcbc 853c0009 63f916b3 d5520030 9baa6aaa 7b010901"),
              9);
    static const int ticks[] = {155, 325, 431, 601, 724, GONE, 989, GONE, GONE};
    check_arrivals(34108, (int64_t)6551830 * 64 * MS, ticks, 9);
}

static void a_one_bit_vector_is_read(void) {
    CHECK_INT(parse_hex("afcd0007 fa17fa17 43032fa0 9c14000c 75842000 bec0c13f 3b3f5390 3b000003"),
              12);
    static const int ticks[] = {193, 256, 315, 378, 461, GONE, 605, 664, GONE, GONE, GONE, GONE};
    check_arrivals(39956, (int64_t)7701536 * 64 * MS, ticks, 12);
}

static void large_deltas_before_small_ones_are_read(void) {
    CHECK_INT(parse_hex("8fcd0007 fa17fa17 193dd8bb 01740006 45b15a40 40022004 1ffe1f9a d000d000"),
              6);
    static const int ticks[] = {8190, 16280, 16488, 16488, 16696, 16696};
    check_arrivals(372, (int64_t)4567386 * 64 * MS, ticks, 6);
}

static void a_negative_delta_goes_back(void) {
    CHECK_INT(parse_hex("8fcd0006 00000001 00000002 fffe0003 00000105 d6000064 ffb00000"), 3);
    static const int ticks[] = {0, 0x64, 0x14};
    check_arrivals(0xfffe, 64 * MS, ticks, 3);
}

static void malformed_feedback_makes_no_call(void) {
    static const char *const bad[] = {
        "8fcd0004 fa17fa17 00000000 00000000 00000000",                   /* No numbers. */
        "afcd0005 fa17fa17 43032fa0 00990003 3de80217 20039401",          /* Two deltas short. */
        "afcd0005 fa17fa17 43032fa0 00990002 3de80217 40029401",          /* Large ones short. */
        "8fcd0006 fa17fa17 43032fa0 00990001 3de80217 60019401 94010000", /* Symbol 3 in a run. */
        "8fcd0006 fa17fa17 43032fa0 00990001 3de80217 f0009401 94010000", /* Symbol 3 in a vector.
                                                                           */
        "8fcd0005 fa17fa17 43032fa0 009900ff 3de80217 00100010", /* Chunks for 32 of 255. */
        "8fcd0004 fa17fa17 43032fa0 00990001 3de80217",          /* No chunk. */
        "8fcd0003 fa17fa17 43032fa0 00990001",                   /* No head. */
        "8fcd0007 fa17fa17 43032fa0 0099ffff 3de80217 1fff1fff 1fff1fff 1fff1fff", /* Too many. */
        "8fcd0000",
        "8fce0005 fa17fa17 43032fa0 00990001 3de80217 20019401", /* PSFB. */
        "81cd0005 fa17fa17 43032fa0 00990001 3de80217 20019401", /* NACK. */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_INT(parse_hex(bad[i]), -EBADMSG);
        CHECK_INT(arrival_count, 0);
    }
}

static void symbols_beyond_the_count_are_ignored(void) {
    /* Of a two-bit vector only the first counts; the reserved ones behind it do not. */
    CHECK_INT(parse_hex("8fcd0005 fa17fa17 43032fa0 00990001 3de80217 dfff9401"), 1);
    CHECK_INT(arrivals[0].arrival_us, (int64_t)0x3de802 * 64 * MS + 0x94 * TICK);
}

static void nothing_arrived_is_nothing_to_say(void) {
    uint8_t body[64];
    CHECK_INT(rtp_twcc_pending(&receiver), 0);
    CHECK_INT(rtp_twcc_feedback_write(&receiver, body, sizeof body), 0);
}

static void even_arrivals_are_one_run(void) {
    for (uint16_t i = 0; i < 20; i++)
        rtp_twcc_on_packet(&receiver, 640 * MS + 1250 + i * 5000u, (uint16_t)(65530 + i));
    CHECK_INT(rtp_twcc_pending(&receiver), 20);
    build(RTP_TWCC_BODY_MAX, 20);
    check_body("fffa0014 00000a00 2014 05 1414141414 1414141414 1414141414 14141414 0000");
    CHECK_INT(rtp_twcc_pending(&receiver), 0);
    rtp_twcc_on_packet(&receiver, 800 * MS, 14);
    build(RTP_TWCC_BODY_MAX, 1);
    check_body("000e0001 00000c01 20018000");
}

static void single_losses_take_a_one_bit_vector(void) {
    for (uint16_t i = 0; i < 14; i++)
        if (i % 3 != 2)
            rtp_twcc_on_packet(&receiver, 64 * MS + i * 1000u, i);
    build(RTP_TWCC_BODY_MAX, 14);
    check_body("0000000e 00000100 b6db 0004 0804 0804 0804 0804");
}

static void a_large_delta_takes_a_two_bit_vector(void) {
    rtp_twcc_on_packet(&receiver, 64 * MS, 100);
    rtp_twcc_on_packet(&receiver, 64 * MS + 64000, 101);
    rtp_twcc_on_packet(&receiver, 64 * MS + 64250, 103);
    build(RTP_TWCC_BODY_MAX, 4);
    /* Small, large (256 ticks), missing, small. */
    check_body("00640004 00000100 d840 00 0100 01 0000");
}

static void the_largest_small_delta_is_255_ticks(void) {
    rtp_twcc_on_packet(&receiver, 64 * MS, 1);
    rtp_twcc_on_packet(&receiver, 64 * MS + 255 * TICK + 249, 2);
    build(RTP_TWCC_BODY_MAX, 2);
    check_body("00010002 00000100 2002 00ff");
}

static void reordering_makes_a_negative_delta(void) {
    rtp_twcc_on_packet(&receiver, 64 * MS + 10 * MS, 2);
    rtp_twcc_on_packet(&receiver, 64 * MS + 12 * MS, 1);
    CHECK_INT(rtp_twcc_pending(&receiver), 2);
    build(RTP_TWCC_BODY_MAX, 2);
    check_body("00010002 00000100 d800 30 fff8 000000");
    CHECK_INT(arrivals[0].arrival_us, 76 * MS);
    CHECK_INT(arrivals[1].arrival_us, 74 * MS);
}

static void a_gap_of_more_than_sixteen_bits_begins_another_feedback(void) {
    rtp_twcc_on_packet(&receiver, 64 * MS, 7);
    rtp_twcc_on_packet(&receiver, 64 * MS + 32767 * TICK, 8);
    rtp_twcc_on_packet(&receiver, 64 * MS + 32767 * TICK + 32768 * TICK, 10);
    build(RTP_TWCC_BODY_MAX, 3);
    CHECK_INT(arrivals[1].arrival_us, 64 * MS + 32767 * TICK);
    CHECK_INT(rtp_twcc_pending(&receiver), 1);
    build(RTP_TWCC_BODY_MAX, 1);
    CHECK_INT(arrivals[0].seq, 10);
    CHECK_INT(arrivals[0].arrival_us, 64 * MS + 65535 * TICK);
}

static void a_late_arrival_is_reported_again_with_what_follows(void) {
    rtp_twcc_on_packet(&receiver, 64 * MS, 1);
    rtp_twcc_on_packet(&receiver, 65 * MS, 3);
    build(RTP_TWCC_BODY_MAX, 3);
    CHECK(!arrivals[1].received);
    rtp_twcc_on_packet(&receiver, 66 * MS, 3);
    rtp_twcc_on_packet(&receiver, 66 * MS, 1);
    CHECK_INT(rtp_twcc_pending(&receiver), 0);
    rtp_twcc_on_packet(&receiver, 66 * MS, 2);
    rtp_twcc_on_packet(&receiver, 67 * MS, 4);
    build(RTP_TWCC_BODY_MAX, 3);
    CHECK_INT(arrivals[0].seq, 2);
    CHECK_INT(arrivals[0].arrival_us, 66 * MS);
    CHECK_INT(arrivals[1].arrival_us, 65 * MS);
    CHECK_INT(arrivals[2].arrival_us, 67 * MS);
}

static void a_place_of_the_window_forgets_the_number_before(void) {
    for (int seq = 0; seq < RTP_TWCC_WINDOW; seq++)
        rtp_twcc_on_packet(&receiver, 64 * MS, (uint16_t)seq);
    build(RTP_TWCC_BODY_MAX, RTP_TWCC_WINDOW);
    rtp_twcc_on_packet(&receiver, 65 * MS, RTP_TWCC_WINDOW + 2);
    build(RTP_TWCC_BODY_MAX, 3);
    CHECK(!arrivals[0].received && !arrivals[1].received && arrivals[2].received);
}

static void what_falls_out_of_the_window_is_not_reported(void) {
    rtp_twcc_on_packet(&receiver, 64 * MS, 100);
    rtp_twcc_on_packet(&receiver, 65 * MS, 100 + RTP_TWCC_WINDOW - 1);
    CHECK_INT(rtp_twcc_pending(&receiver), RTP_TWCC_WINDOW);
    rtp_twcc_on_packet(&receiver, 66 * MS, 100 + RTP_TWCC_WINDOW);
    CHECK_INT(rtp_twcc_pending(&receiver), RTP_TWCC_WINDOW);
    rtp_twcc_on_packet(&receiver, 67 * MS, 100); /* Too late. */
    build(RTP_TWCC_BODY_MAX, RTP_TWCC_WINDOW);
    CHECK_INT(arrivals[0].seq, 101);
    size_t received = 0;
    for (size_t i = 0; i < arrival_count; i++)
        received += arrivals[i].received;
    CHECK_INT(received, 2);
    rtp_twcc_on_packet(&receiver, 68 * MS, 30000);
    build(RTP_TWCC_BODY_MAX, RTP_TWCC_WINDOW);
    CHECK_INT(arrivals[RTP_TWCC_WINDOW - 1].seq, 30000);
}

static uint32_t random_state = 12345;

static uint32_t random_below(uint32_t limit) {
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 8) % limit;
}

/* Every number of every feedback says what arrived, whatever the capacity. */
static void split_feedback_tells_the_same_as_whole(void) {
    enum { COUNT = 1000 };
    static const size_t capacities[] = {64, 65, 67, 100, 333, RTP_TWCC_BODY_MAX, 65536};
    for (size_t c = 0; c < sizeof capacities / sizeof capacities[0]; c++) {
        static uint8_t body[65536];
        int64_t want[COUNT];
        uint64_t now_us = (uint64_t)(5000 + c) * 64 * MS;
        receiver = (struct rtp_twcc_receiver){0};
        for (uint32_t i = 0; i < COUNT; i++) {
            bool lost = i > 0 && i < COUNT - 1 && random_below(100) < (i / 200) * 20u;
            now_us += random_below(i % 300 < 50 ? 200 * MS : 6 * MS);
            want[i] = lost ? 0 : (int64_t)(now_us / TICK * TICK);
            if (!lost)
                rtp_twcc_on_packet(&receiver, now_us, (uint16_t)(65000 + i));
        }
        size_t at = 0;
        while (rtp_twcc_pending(&receiver) > 0) {
            size_t len = rtp_twcc_feedback_write(&receiver, body, capacities[c]);
            CHECK(len > 0 && len <= capacities[c] && len <= RTP_TWCC_BODY_MAX);
            struct rtcp_builder builder;
            rtcp_builder_init(&builder, data, sizeof data);
            rtcp_append_feedback(&builder, RTCP_RTPFB, RTCP_FMT_TWCC, 1, 2, body, len);
            data_len = builder.len;
            CHECK(parse() > 0);
            for (size_t i = 0; i < arrival_count; i++, at++) {
                CHECK_INT(arrivals[i].seq, (uint16_t)(65000 + at));
                CHECK_INT(arrivals[i].arrival_us, want[at]);
            }
        }
        CHECK_INT(at, COUNT);
    }
}

static void the_base_time_wraps_at_24_bits(void) {
    uint64_t wrap_us = (uint64_t)(1 << 24) * 64 * MS;
    rtp_twcc_on_packet(&receiver, wrap_us - TICK, 1);
    rtp_twcc_on_packet(&receiver, wrap_us + TICK, 2);
    build(RTP_TWCC_BODY_MAX, 2);
    check_body("00010002 ffffff00 2002 ff02");
    rtp_twcc_on_packet(&receiver, wrap_us + 2 * TICK, 3);
    build(RTP_TWCC_BODY_MAX, 1);
    check_body("00030001 00000001 2001 0200");
}

#define TEST(name)                                                                                 \
    { #name, name }

static const struct test tests[] = {
    TEST(a_run_of_small_deltas_is_read),
    TEST(a_two_bit_vector_then_a_run_longer_than_the_count_are_read),
    TEST(a_one_bit_vector_is_read),
    TEST(large_deltas_before_small_ones_are_read),
    TEST(a_negative_delta_goes_back),
    TEST(malformed_feedback_makes_no_call),
    TEST(symbols_beyond_the_count_are_ignored),
    TEST(nothing_arrived_is_nothing_to_say),
    TEST(even_arrivals_are_one_run),
    TEST(single_losses_take_a_one_bit_vector),
    TEST(a_large_delta_takes_a_two_bit_vector),
    TEST(the_largest_small_delta_is_255_ticks),
    TEST(reordering_makes_a_negative_delta),
    TEST(a_gap_of_more_than_sixteen_bits_begins_another_feedback),
    TEST(a_late_arrival_is_reported_again_with_what_follows),
    TEST(a_place_of_the_window_forgets_the_number_before),
    TEST(what_falls_out_of_the_window_is_not_reported),
    TEST(split_feedback_tells_the_same_as_whole),
    TEST(the_base_time_wraps_at_24_bits),
};

TEST_MAIN(tests)
