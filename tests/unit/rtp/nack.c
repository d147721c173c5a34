/* Which packets are asked for again, when, and when they are given up. */
#include "rtp/nack.h"

#include "tests/unit/test.h"

enum { MS = 1000, RTT = 50 * MS };

static struct rtp_nack nack;
static uint16_t seqs[RTP_NACK_MAX_MISSING];
static bool gave_up;

static size_t due(uint64_t now_us) {
    return rtp_nack_due(&nack, now_us, RTT, seqs, RTP_NACK_MAX_MISSING, &gave_up);
}

static void no_gap_is_never_due(void) {
    CHECK_INT(rtp_nack_next_deadline(&nack), (int64_t)UINT64_MAX);
    for (uint64_t seq = 65530; seq < 65560; seq++)
        CHECK(!rtp_nack_on_packet(&nack, 0, seq));
    CHECK_INT(due(1000 * MS), 0);
    CHECK_INT(rtp_nack_next_deadline(&nack), (int64_t)UINT64_MAX);
}

static void a_gap_is_asked_for_after_ten_milliseconds(void) {
    rtp_nack_on_packet(&nack, 0, 65534);
    rtp_nack_on_packet(&nack, 5 * MS, 65538);
    CHECK_INT(rtp_nack_next_deadline(&nack), 15 * MS);
    CHECK_INT(due(15 * MS - 1), 0);
    CHECK_INT(due(15 * MS), 3);
    CHECK_INT(seqs[0], 65535);
    CHECK_INT(seqs[1], 0);
    CHECK_INT(seqs[2], 1);
    CHECK(!gave_up);
    CHECK_INT(due(15 * MS), 0);
}

static void a_reordered_packet_is_not_asked_for(void) {
    rtp_nack_on_packet(&nack, 0, 100);
    rtp_nack_on_packet(&nack, 0, 103);
    rtp_nack_on_packet(&nack, 3 * MS, 101);
    rtp_nack_on_packet(&nack, 3 * MS, 101);
    CHECK_INT(due(10 * MS), 1);
    CHECK_INT(seqs[0], 102);
    CHECK_INT(nack.recovered, 0);
    rtp_nack_on_packet(&nack, 40 * MS, 102);
    CHECK_INT(nack.recovered, 1);
    CHECK_INT(nack.count, 0);
    CHECK_INT(rtp_nack_next_deadline(&nack), (int64_t)UINT64_MAX);
}

static void it_is_asked_again_after_a_round_trip(void) {
    rtp_nack_on_packet(&nack, 0, 1);
    rtp_nack_on_packet(&nack, 0, 3);
    CHECK_INT(due(12 * MS), 1);
    CHECK_INT(rtp_nack_next_deadline(&nack), 12 * MS + RTT);
    CHECK_INT(due(12 * MS + RTT - 1), 0);
    CHECK_INT(due(12 * MS + RTT), 1);
    CHECK_INT(rtp_nack_next_deadline(&nack), 12 * MS + RTT + RTT / 2);
}

static void a_short_round_trip_counts_as_twenty_milliseconds(void) {
    rtp_nack_on_packet(&nack, 0, 1);
    rtp_nack_on_packet(&nack, 0, 3);
    CHECK_INT(rtp_nack_due(&nack, 10 * MS, 300, seqs, 8, &gave_up), 1);
    CHECK_INT(rtp_nack_next_deadline(&nack), 30 * MS);
}

static void nack_gives_up_after_ten_tries(void) {
    rtp_nack_on_packet(&nack, 0, 1);
    rtp_nack_on_packet(&nack, 0, 3);
    uint64_t now_us = 0;
    for (int i = 0; i < RTP_NACK_MAX_TRIES; i++) {
        now_us = rtp_nack_next_deadline(&nack);
        CHECK_INT(due(now_us), 1);
        CHECK(!gave_up);
    }
    CHECK_INT(now_us, 10 * MS + RTT + 8 * RTT / 2);
    CHECK_INT(due(now_us + RTT / 2 - 1), 0);
    CHECK(!gave_up);
    CHECK_INT(due(rtp_nack_next_deadline(&nack)), 0);
    CHECK(gave_up);
    CHECK_INT(nack.given_up, 1);
    CHECK_INT(rtp_nack_next_deadline(&nack), (int64_t)UINT64_MAX);
}

static void nack_gives_up_after_one_second(void) {
    enum { LONG_RTT = 400 * MS };
    rtp_nack_on_packet(&nack, 0, 1);
    rtp_nack_on_packet(&nack, 0, 3);
    int asked = 0;
    uint64_t now_us = 0;
    for (gave_up = false; !gave_up;
         asked += (int)rtp_nack_due(&nack, now_us, LONG_RTT, seqs, 8, &gave_up))
        now_us = rtp_nack_next_deadline(&nack);
    CHECK_INT(asked, 4); /* At 10, 410, 610 and 810 ms. */
    CHECK_INT(now_us, 1000 * MS);
}

static void a_call_asks_for_no_more_than_its_capacity(void) {
    rtp_nack_on_packet(&nack, 0, 100);
    rtp_nack_on_packet(&nack, 0, 111);
    CHECK_INT(rtp_nack_due(&nack, 10 * MS, RTT, seqs, 4, &gave_up), 4);
    CHECK_INT(seqs[3], 104);
    CHECK_INT(rtp_nack_next_deadline(&nack), 10 * MS);
    CHECK_INT(rtp_nack_due(&nack, 10 * MS, RTT, seqs, 100, &gave_up), 6);
    CHECK_INT(seqs[0], 105);
}

static void a_gap_of_the_limit_is_asked_for_whole(void) {
    rtp_nack_on_packet(&nack, 0, 65535);
    CHECK(!rtp_nack_on_packet(&nack, 0, 65535 + RTP_NACK_MAX_MISSING + 1));
    CHECK_INT(due(10 * MS), RTP_NACK_MAX_MISSING);
    CHECK_INT(nack.given_up, 0);
}

static void a_gap_beyond_the_limit_needs_a_keyframe(void) {
    rtp_nack_on_packet(&nack, 0, 100);
    rtp_nack_on_packet(&nack, 0, 102);
    CHECK(!rtp_nack_on_packet(&nack, 0, 102 + RTP_NACK_MAX_MISSING));
    CHECK_INT(nack.count, RTP_NACK_MAX_MISSING);
    uint64_t newest = nack.newest;
    CHECK(rtp_nack_on_packet(&nack, 0, newest + RTP_NACK_MAX_MISSING + 2));
    CHECK_INT(nack.count, 0);
    CHECK_INT(due(10 * MS), 0);
    CHECK_INT(nack.given_up, 2 * RTP_NACK_MAX_MISSING + 1);
    CHECK(!rtp_nack_on_packet(&nack, 0, newest + RTP_NACK_MAX_MISSING + 4));
    CHECK_INT(due(10 * MS), 1);
}

static void the_oldest_make_room_for_a_new_gap(void) {
    rtp_nack_on_packet(&nack, 0, 1000);
    CHECK(!rtp_nack_on_packet(&nack, 0, 1201));
    CHECK(rtp_nack_on_packet(&nack, 0, 1302));
    CHECK_INT(nack.given_up, 44);
    CHECK_INT(due(10 * MS), RTP_NACK_MAX_MISSING);
    CHECK_INT(seqs[0], 1045);
    CHECK_INT(seqs[155], 1200);
    CHECK_INT(seqs[156], 1202);
    CHECK_INT(seqs[255], 1301);
}

#define TEST(name)                                                                                 \
    { #name, name }

static const struct test tests[] = {
    TEST(no_gap_is_never_due),
    TEST(a_gap_is_asked_for_after_ten_milliseconds),
    TEST(a_reordered_packet_is_not_asked_for),
    TEST(it_is_asked_again_after_a_round_trip),
    TEST(a_short_round_trip_counts_as_twenty_milliseconds),
    TEST(nack_gives_up_after_ten_tries),
    TEST(nack_gives_up_after_one_second),
    TEST(a_call_asks_for_no_more_than_its_capacity),
    TEST(a_gap_of_the_limit_is_asked_for_whole),
    TEST(a_gap_beyond_the_limit_needs_a_keyframe),
    TEST(the_oldest_make_room_for_a_new_gap),
};

TEST_MAIN(tests)
