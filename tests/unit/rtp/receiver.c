/* Reception statistics: RFC 3550 section 6.4 and appendix A. */
#include "rtp/receiver.h"

#include <string.h>

#include "tests/unit/test.h"

enum { MS = 1000, SECOND = 1000 * MS };

static struct rtp_receiver receiver = {.clock_rate_hz = 90000};
static uint64_t seq64;

/* A packet that is in time, so that only its number matters. */
static enum rtp_arrival arrive(uint16_t seq) {
    return rtp_receiver_on_packet(&receiver, SECOND, seq, 0, 100, false, &seq64);
}

static enum rtp_arrival arrive_by_rtx(uint16_t seq) {
    return rtp_receiver_on_packet(&receiver, SECOND, seq, 0, 100, true, &seq64);
}

static struct rtcp_report_block report(void) {
    struct rtcp_report_block block;
    CHECK(rtp_receiver_report(&receiver, SECOND, 0xabcd, &block));
    CHECK_INT(block.ssrc, 0xabcd);
    return block;
}

static void nothing_received_is_nothing_to_report(void) {
    struct rtcp_report_block block;
    CHECK(!rtp_receiver_report(&receiver, SECOND, 1, &block));
}

static void numbers_unwrap_and_report_their_cycles(void) {
    CHECK_INT(arrive(65534), RTP_ARRIVAL_NEW);
    CHECK_INT(seq64, 65536 + 65534);
    CHECK_INT(report().highest_seq, 65534);
    CHECK_INT(arrive(65535), RTP_ARRIVAL_NEW);
    CHECK_INT(arrive(0), RTP_ARRIVAL_NEW);
    CHECK_INT(seq64, 131072);
    CHECK_INT(report().highest_seq, 0x10000);
    CHECK_INT(report().cumulative_lost, 0);
}

static void late_and_duplicate_packets_are_told_apart(void) {
    CHECK_INT(arrive(10), RTP_ARRIVAL_NEW);
    CHECK_INT(arrive(13), RTP_ARRIVAL_NEW);
    CHECK_INT(arrive(11), RTP_ARRIVAL_LATE);
    CHECK_INT(seq64, 65547);
    CHECK_INT(arrive(11), RTP_ARRIVAL_DUPLICATE);
    CHECK_INT(arrive(13), RTP_ARRIVAL_DUPLICATE);
    CHECK_INT(arrive_by_rtx(12), RTP_ARRIVAL_LATE);
    CHECK_INT(arrive(12), RTP_ARRIVAL_DUPLICATE);
    CHECK_INT(receiver.received, 4);
    CHECK_INT(receiver.received_bytes, 400);
    CHECK_INT(receiver.recovered, 1);
    CHECK_INT(receiver.duplicates, 3);
}

static void places_of_the_window_are_used_anew(void) {
    for (int round = 0; round < 3; round++)
        for (uint32_t seq = 0; seq < 65536; seq++)
            CHECK_INT(arrive((uint16_t)seq), RTP_ARRIVAL_NEW);
    arrive(2998);
    for (uint16_t seq = 2997; seq > 2998 - RTP_MAX_MISORDER; seq--)
        CHECK_INT(arrive(seq), RTP_ARRIVAL_LATE);
    CHECK_INT(arrive(2998 - RTP_MAX_MISORDER), RTP_ARRIVAL_SUSPECT);
}

static void a_jump_restarts_with_its_second_packet(void) {
    arrive(1000);
    CHECK_INT(arrive(1000 + RTP_MAX_DROPOUT), RTP_ARRIVAL_SUSPECT);
    CHECK_INT(arrive(1000 + RTP_MAX_DROPOUT - 1), RTP_ARRIVAL_NEW);
    CHECK_INT(arrive(20000), RTP_ARRIVAL_SUSPECT);
    CHECK_INT(arrive(20002), RTP_ARRIVAL_SUSPECT);
    CHECK_INT(report().highest_seq, 3999);
    CHECK_INT(arrive(20003), RTP_ARRIVAL_RESTART);
    CHECK_INT(seq64, 65536 + 20003);
    CHECK_INT(arrive(20002), RTP_ARRIVAL_LATE);
    CHECK_INT(arrive(20004), RTP_ARRIVAL_NEW);
}

static void a_restart_goes_on_rising_and_counts_loss_anew(void) {
    arrive(30000);
    arrive(30010);
    CHECK_INT(report().cumulative_lost, 9);
    CHECK_INT(arrive(5), RTP_ARRIVAL_SUSPECT);
    CHECK_INT(arrive(6), RTP_ARRIVAL_RESTART);
    CHECK_INT(seq64, 2 * 65536 + 6);
    CHECK_INT(arrive(8), RTP_ARRIVAL_NEW);
    struct rtcp_report_block block = report();
    CHECK_INT(block.cumulative_lost, 1);
    CHECK_INT(block.fraction_lost, 256 / 3);
    CHECK_INT(block.highest_seq, 65536 + 8);
    CHECK_INT(receiver.received, 4);
}

static void a_stray_packet_does_not_prepare_a_restart(void) {
    arrive(100);
    CHECK_INT(arrive(40000), RTP_ARRIVAL_SUSPECT);
    CHECK_INT(arrive(101), RTP_ARRIVAL_NEW);
    CHECK_INT(arrive(40001), RTP_ARRIVAL_SUSPECT);
    CHECK_INT(arrive(102), RTP_ARRIVAL_NEW);
}

static void a_retransmission_restarts_nothing(void) {
    arrive(100);
    CHECK_INT(arrive_by_rtx(40000), RTP_ARRIVAL_SUSPECT);
    CHECK_INT(arrive_by_rtx(40001), RTP_ARRIVAL_SUSPECT);
    CHECK_INT(arrive(40001), RTP_ARRIVAL_SUSPECT);
    CHECK_INT(arrive(101), RTP_ARRIVAL_NEW);
}

/* Appendix A.3. */
static void loss_is_counted_per_interval_and_in_total(void) {
    for (uint16_t seq = 0; seq < 100; seq++)
        if (seq % 4 != 3 || seq == 99)
            arrive(seq);
    struct rtcp_report_block block = report();
    CHECK_INT(block.cumulative_lost, 24);
    CHECK_INT(block.fraction_lost, 24 * 256 / 100);
    for (uint16_t seq = 100; seq < 200; seq++)
        arrive(seq);
    block = report();
    CHECK_INT(block.cumulative_lost, 24);
    CHECK_INT(block.fraction_lost, 0);
    block = report();
    CHECK_INT(block.fraction_lost, 0);
}

static void late_packets_repair_the_count_and_duplicates_make_it_negative(void) {
    arrive(1);
    arrive(3);
    CHECK_INT(report().cumulative_lost, 1);
    arrive(2);
    struct rtcp_report_block block = report();
    CHECK_INT(block.cumulative_lost, 0);
    CHECK_INT(block.fraction_lost, 0);
    arrive(3);
    arrive(3);
    CHECK_INT(report().cumulative_lost, -2);
}

static void what_came_by_rtx_was_still_lost(void) {
    arrive(1);
    arrive_by_rtx(2);
    arrive(3);
    arrive_by_rtx(3);
    struct rtcp_report_block block = report();
    CHECK_INT(block.cumulative_lost, 1);
    CHECK_INT(block.fraction_lost, 256 / 3);
    arrive_by_rtx(4);
    CHECK_INT(report().fraction_lost, 255);
}

static void cumulative_loss_stops_at_24_bits(void) {
    uint16_t seq = 0;
    arrive(seq);
    for (int i = 0; i < 2800; i++)
        CHECK_INT(arrive(seq = (uint16_t)(seq + 2999)), RTP_ARRIVAL_NEW);
    struct rtcp_report_block block = report();
    CHECK_INT(block.cumulative_lost, 0x7fffff);
    CHECK_INT(block.fraction_lost, 255);
}

/* Appendix A.8: every packet 16 units later than the one before: J += (|D| − J) / 16. */
static void jitter_follows_the_formula(void) {
    receiver.clock_rate_hz = 8000;
    static const uint32_t want_q4[] = {0, 16, 31, 45, 58, 70, 82, 93};
    for (uint16_t i = 0; i < 8; i++) {
        uint64_t now_us = SECOND + (uint64_t)i * 22 * MS;
        rtp_receiver_on_packet(&receiver, now_us, i, i * 160u, 100, false, &seq64);
        CHECK_INT(receiver.jitter_q4, want_q4[i]);
    }
    CHECK_INT(report().jitter, 93 / 16);
    for (uint16_t i = 8; i < 200; i++)
        rtp_receiver_on_packet(&receiver, SECOND + (uint64_t)i * 22 * MS, i, i * 160u, 100, false,
                               &seq64);
    /* The rounding of the formula comes to rest at 248/16. */
    CHECK_INT(receiver.jitter_q4, 248);
    CHECK_INT(report().jitter, 15);
}

static void an_even_stream_has_no_jitter_across_the_timestamp_wrap(void) {
    uint32_t timestamp = 0xfffffff0;
    for (uint16_t i = 0; i < 100; i++, timestamp += 3000)
        rtp_receiver_on_packet(&receiver, 3000000000000 + i * 100000u / 3, i, timestamp, 100, false,
                               &seq64);
    CHECK_INT(report().jitter, 0);
}

static void neither_rtx_nor_a_set_clock_is_jitter(void) {
    rtp_receiver_on_packet(&receiver, SECOND, 1, 0, 100, false, &seq64);
    rtp_receiver_on_packet(&receiver, 2 * SECOND, 2, 900, 100, true, &seq64);
    rtp_receiver_on_packet(&receiver, 2 * SECOND, 3, 90000, 100, false, &seq64);
    CHECK_INT(receiver.jitter_q4, 0);
    rtp_receiver_on_packet(&receiver, 3 * SECOND, 4, 0x80000000, 100, false, &seq64);
    rtp_receiver_on_packet(&receiver, 4 * SECOND, 5, 0x80000000 + 90000, 100, false, &seq64);
    CHECK_INT(receiver.jitter_q4, 0);
}

/* RFC 3550 section 6.4.1, figure 2: the SR of 10 Nov 1995 11:33:25.125, answered 5.250 s later. */
static void the_round_trip_fields_are_those_of_the_figure(void) {
    struct rtcp_sender_info info = {.ssrc = 1, .ntp = 0xb44db70520000000};
    arrive(1);
    CHECK_INT(report().last_sr, 0);
    CHECK_INT(report().delay_since_last_sr, 0);
    rtp_receiver_on_sr(&receiver, 7 * SECOND, &info);
    struct rtcp_report_block block;
    CHECK(rtp_receiver_report(&receiver, 7 * SECOND + 5250 * MS, 1, &block));
    CHECK_INT(block.last_sr, 0xb7052000);
    CHECK_INT(block.delay_since_last_sr, 0x00054000);
    CHECK(rtp_receiver_report(&receiver, (uint64_t)1 << 62, 1, &block));
    CHECK_INT(block.delay_since_last_sr, 0xffff0000);
}

#define TEST(name)                                                                                 \
    { #name, name }

static const struct test tests[] = {
    TEST(nothing_received_is_nothing_to_report),
    TEST(numbers_unwrap_and_report_their_cycles),
    TEST(late_and_duplicate_packets_are_told_apart),
    TEST(places_of_the_window_are_used_anew),
    TEST(a_jump_restarts_with_its_second_packet),
    TEST(a_restart_goes_on_rising_and_counts_loss_anew),
    TEST(a_stray_packet_does_not_prepare_a_restart),
    TEST(a_retransmission_restarts_nothing),
    TEST(loss_is_counted_per_interval_and_in_total),
    TEST(late_packets_repair_the_count_and_duplicates_make_it_negative),
    TEST(what_came_by_rtx_was_still_lost),
    TEST(cumulative_loss_stops_at_24_bits),
    TEST(jitter_follows_the_formula),
    TEST(an_even_stream_has_no_jitter_across_the_timestamp_wrap),
    TEST(neither_rtx_nor_a_set_clock_is_jitter),
    TEST(the_round_trip_fields_are_those_of_the_figure),
};

TEST_MAIN(tests)
