/* The trend of the delay. */
#include "rtp/bwe_trend.h"

#include "tests/unit/test.h"

enum { MS = 1000, RATE = 2000000 };

static struct rtp_bwe_trend trend;
static uint64_t sent_us, delay_us;

static void begin(void) {
    rtp_bwe_trend_init(&trend);
    sent_us = 100000 * (uint64_t)MS;
    delay_us = 30 * MS;
}

/* Groups of one packet each 20 ms, each later than the one before by so much. */
static void groups(int count, int later_us) {
    for (int i = 0; i < count; i++, sent_us += 20 * MS) {
        delay_us = (uint64_t)((int64_t)delay_us + later_us);
        struct rtp_bwe_packet packet = {.sent_us = sent_us,
                                        .arrival_us = 7000 * (uint64_t)MS + sent_us + delay_us,
                                        .bytes = 900};
        rtp_bwe_trend_on_packet(&trend, &packet, RATE);
    }
}

static void an_even_delay_is_normal(void) {
    begin();
    groups(200, 0);
    CHECK_INT(trend.usage, RTP_BWE_NORMAL);
    CHECK(trend.trend_ms > -0.01 && trend.trend_ms < 0.01);
}

static void a_growing_delay_is_overuse_within_half_a_second(void) {
    begin();
    groups(100, 0);
    groups(25, 3 * MS);
    CHECK_INT(trend.usage, RTP_BWE_OVERUSE);
}

static void a_shrinking_delay_is_underuse(void) {
    begin();
    delay_us = 500 * MS;
    groups(60, 0);
    groups(25, -5 * MS);
    CHECK_INT(trend.usage, RTP_BWE_UNDERUSE);
}

static void a_jump_that_lasts_two_groups_is_overuse_at_once(void) {
    begin();
    groups(40, 0);
    groups(1, 60 * MS);
    CHECK_INT(trend.usage, RTP_BWE_NORMAL);
    groups(1, 20 * MS);
    CHECK_INT(trend.usage, RTP_BWE_NORMAL); /* It is not known to be whole. */
    rtp_bwe_trend_on_feedback_end(&trend);
    CHECK_INT(trend.usage, RTP_BWE_OVERUSE);
}

static void a_single_late_group_is_no_overuse(void) {
    begin();
    groups(40, 0);
    groups(1, 80 * MS);
    groups(1, -80 * MS);
    rtp_bwe_trend_on_feedback_end(&trend);
    CHECK_INT(trend.usage, RTP_BWE_NORMAL);
    groups(40, 0);
    CHECK_INT(trend.usage, RTP_BWE_NORMAL);
}

/* The threshold follows the trend by 0.0087 (up) and 0.039 (down) a millisecond of the distance
 * (draft-ietf-rmcat-gcc-02, section 5.4). */
static void the_threshold_adapts(void) {
    begin();
    groups(100, 0);
    CHECK(trend.threshold_ms > 12.4 && trend.threshold_ms < 12.6);
    groups(60, 1300);
    double high_ms = trend.threshold_ms;
    CHECK(high_ms > 13);
    groups(300, 0);
    CHECK(trend.threshold_ms < high_ms && trend.threshold_ms < 12.6);
}

/* A burst of 60 packets in 60 ms over a link of `link` fills a queue that drains afterwards. */
static int overuse_of_burst(uint32_t link_bps, uint32_t believed_bps) {
    begin();
    groups(40, 0);
    uint64_t free_us = 0;
    int overuse = 0;
    for (int i = 0; i < 120; i++) {
        uint64_t arrival_us = free_us > sent_us ? free_us : sent_us;
        free_us = arrival_us + 1200 * 8 * (uint64_t)1000000 / link_bps;
        struct rtp_bwe_packet packet = {sent_us, 7030 * (uint64_t)MS + free_us, 1200, 0};
        rtp_bwe_trend_on_packet(&trend, &packet, believed_bps);
        overuse += trend.usage == RTP_BWE_OVERUSE;
        sent_us += i < 60 ? MS : 10 * MS;
    }
    return overuse;
}

static void a_burst_of_ours_is_no_overuse(void) {
    CHECK_INT(overuse_of_burst(4000000, 4000000), 0);
    CHECK_INT(overuse_of_burst(4000000, 3500000), 0);
}

static void a_burst_into_a_slower_link_than_believed_is(void) {
    CHECK(overuse_of_burst(1000000, 4000000) > 0);
}

/* By 5 % of the time: 12 ms when scaled, less than the least threshold. */
static void a_queue_that_grows_slowly_is_overuse_once_it_is_long(void) {
    begin();
    groups(100, 0);
    groups(60, 1 * MS);
    CHECK_INT(trend.usage, RTP_BWE_NORMAL);
    groups(60, 1 * MS);
    CHECK_INT(trend.usage, RTP_BWE_OVERUSE);
}

/* As groups(), but so far apart, and of as many bytes as a belief explains with a queue so long. */
static void explained_groups(int count, int apart_us, int later_us, int queue_us) {
    for (int i = 0; i < count; i++, sent_us += (uint64_t)apart_us) {
        delay_us = (uint64_t)((int64_t)delay_us + later_us);
        struct rtp_bwe_packet packet = {sent_us, 7000 * (uint64_t)MS + sent_us + delay_us,
                                        (uint32_t)queue_us / 8, 0};
        rtp_bwe_trend_on_packet(&trend, &packet, 1000000);
    }
}

/* What explains the end of a queue, by a lower estimate, need not have explained its beginning. */
static void a_queue_that_is_gone_is_no_overuse_whatever_explained_it(void) {
    begin();
    explained_groups(40, 20 * MS, 0, 100);
    explained_groups(4, 20 * MS, 60 * MS, 100);
    explained_groups(1, 80 * MS, 0, 150 * MS);
    CHECK_INT(trend.usage, RTP_BWE_OVERUSE);
    explained_groups(4, 80 * MS, -60 * MS, 100);
    explained_groups(5, 20 * MS, 0, 100);
    CHECK(rtp_bwe_trend_queue_ms(&trend) < 1);
    CHECK(trend.usage != RTP_BWE_OVERUSE);
    rtp_bwe_trend_on_feedback_end(&trend);
    CHECK(trend.usage != RTP_BWE_OVERUSE);
}

static void the_queue_is_measured(void) {
    begin();
    groups(100, 0);
    CHECK(rtp_bwe_trend_queue_ms(&trend) < 1);
    groups(50, 2 * MS);
    CHECK(rtp_bwe_trend_queue_ms(&trend) > 90 && rtp_bwe_trend_queue_ms(&trend) < 101);
}

static void a_clock_that_is_set_begins_anew(void) {
    begin();
    groups(100, 0);
    groups(1, 5000 * MS);
    groups(3, 0);
    CHECK_INT(trend.usage, RTP_BWE_NORMAL);
    CHECK(trend.deltas < 5);
}

#define TEST(name)                                                                                 \
    { #name, name }

static const struct test tests[] = {
    TEST(an_even_delay_is_normal),
    TEST(a_growing_delay_is_overuse_within_half_a_second),
    TEST(a_shrinking_delay_is_underuse),
    TEST(a_jump_that_lasts_two_groups_is_overuse_at_once),
    TEST(a_single_late_group_is_no_overuse),
    TEST(the_threshold_adapts),
    TEST(a_burst_of_ours_is_no_overuse),
    TEST(a_burst_into_a_slower_link_than_believed_is),
    TEST(a_queue_that_grows_slowly_is_overuse_once_it_is_long),
    TEST(a_queue_that_is_gone_is_no_overuse_whatever_explained_it),
    TEST(the_queue_is_measured),
    TEST(a_clock_that_is_set_begins_anew),
};

TEST_MAIN(tests)
