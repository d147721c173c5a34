/* Rates of streams that begin, flow, pause and burst. */
#include "rtp/rate.h"

#include "tests/unit/test.h"

enum { MS = 1000, SECOND = 1000 * 1000 };

static struct rtp_rate rate;

/* Bytes each so many microseconds, from begin until before end. */
static void flow(uint64_t begin_us, uint64_t end_us, uint64_t each_us, size_t bytes) {
    for (uint64_t now_us = begin_us; now_us < end_us; now_us += each_us)
        rtp_rate_on_bytes(&rate, now_us, bytes);
}

static void check_near(uint32_t got, uint32_t want, uint32_t percent) {
    CHECK((uint64_t)got * 100 >= (uint64_t)want * (100 - percent));
    CHECK((uint64_t)got * 100 <= (uint64_t)want * (100 + percent));
}

static void a_steady_stream_has_its_rate_at_any_time(void) {
    /* 1,250 bytes each 10 ms are 1 Mb/s. */
    for (uint64_t now_us = 5 * SECOND; now_us < 9 * SECOND; now_us += 10 * MS) {
        rtp_rate_on_bytes(&rate, now_us, 1250);
        if (now_us >= 7 * SECOND)
            check_near(rtp_rate_bps(&rate, now_us + 9 * MS), 1000000, 2);
    }
}

static void a_stream_that_begins_is_not_taken_for_a_slow_one(void) {
    for (uint64_t now_us = 12345 * MS; now_us < 14 * SECOND; now_us += 5 * MS) {
        rtp_rate_on_bytes(&rate, now_us, 625);
        if (now_us >= 12345 * MS + 150 * MS)
            check_near(rtp_rate_bps(&rate, now_us), 1000000, 5);
    }
}

static void a_single_packet_is_spread_over_a_bucket(void) {
    rtp_rate_on_bytes(&rate, SECOND, 1250);
    CHECK_INT(rtp_rate_bps(&rate, SECOND), 100000);
    CHECK_INT(rtp_rate_bps(&rate, SECOND + 100 * MS), 100000);
    CHECK_INT(rtp_rate_bps(&rate, SECOND + 500 * MS), 20000);
}

static void an_idle_stream_falls_to_nothing_within_the_window(void) {
    flow(SECOND, 3 * SECOND, 10 * MS, 1250);
    /* The window is 900 ms long when a bucket begins, and 1 s when it ends. */
    check_near(rtp_rate_bps(&rate, 3 * SECOND + 500 * MS), 444444, 1);
    check_near(rtp_rate_bps(&rate, 3 * SECOND + 599 * MS), 400000, 1);
    CHECK_INT(rtp_rate_bps(&rate, 4 * SECOND), 0);
    CHECK_INT(rtp_rate_bps(&rate, 100 * (uint64_t)SECOND), 0);
}

static void a_stream_that_resumes_is_measured_afresh(void) {
    flow(SECOND, 3 * SECOND, 10 * MS, 1250);
    flow(60 * (uint64_t)SECOND, 60 * (uint64_t)SECOND + 300 * MS, 10 * MS, 2500);
    check_near(rtp_rate_bps(&rate, 60 * (uint64_t)SECOND + 299 * MS), 2000000, 4);
}

static void the_window_may_be_longer(void) {
    rate.bucket_ms = 250;
    flow(SECOND, 5 * SECOND, 10 * MS, 1250);
    check_near(rtp_rate_bps(&rate, 6 * SECOND), 600000, 10);
    CHECK_INT(rtp_rate_bps(&rate, 8 * SECOND), 0);
}

static void a_keyframe_counts_once_and_leaves_again(void) {
    flow(SECOND, 5 * SECOND, 10 * MS, 1250);
    rtp_rate_on_bytes(&rate, 5 * SECOND, 60000);
    flow(5 * SECOND, 8 * SECOND, 10 * MS, 1250);
    check_near(rtp_rate_bps(&rate, 8 * SECOND - MS), 1000000, 2);
}

static void time_that_goes_back_counts_as_the_newest(void) {
    flow(SECOND, 3 * SECOND, 10 * MS, 1250);
    rtp_rate_on_bytes(&rate, SECOND, 1250);
    check_near(rtp_rate_bps(&rate, 3 * SECOND - MS), 1010000, 2);
    check_near(rtp_rate_bps(&rate, SECOND), 1100000, 12);
}

static void the_fastest_stream_does_not_overflow(void) {
    for (int i = 0; i < 100; i++)
        rtp_rate_on_bytes(&rate, SECOND + (uint64_t)i * MS, 10000000);
    CHECK_INT(rtp_rate_bps(&rate, SECOND + 100 * MS), (int64_t)UINT32_MAX);
}

static const struct test tests[] = {
    {"a_steady_stream_has_its_rate_at_any_time", a_steady_stream_has_its_rate_at_any_time},
    {"a_stream_that_begins_is_not_taken_for_a_slow_one",
     a_stream_that_begins_is_not_taken_for_a_slow_one},
    {"a_single_packet_is_spread_over_a_bucket", a_single_packet_is_spread_over_a_bucket},
    {"an_idle_stream_falls_to_nothing_within_the_window",
     an_idle_stream_falls_to_nothing_within_the_window},
    {"a_stream_that_resumes_is_measured_afresh", a_stream_that_resumes_is_measured_afresh},
    {"the_window_may_be_longer", the_window_may_be_longer},
    {"a_keyframe_counts_once_and_leaves_again", a_keyframe_counts_once_and_leaves_again},
    {"time_that_goes_back_counts_as_the_newest", time_that_goes_back_counts_as_the_newest},
    {"the_fastest_stream_does_not_overflow", the_fastest_stream_does_not_overflow},
};

TEST_MAIN(tests)
