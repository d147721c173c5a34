/* The estimate by losses. */
#include "rtp/bwe_loss.h"

#include "rtp/bwe_report.h"
#include "tests/unit/test.h"

#include <math.h>

enum { MS = 1000, SECOND = 1000000 };

static struct rtp_bwe_loss loss;
static uint64_t now_us;

static void begin(void) {
    now_us = 1000 * (uint64_t)SECOND;
    rtp_bwe_loss_init(&loss, 30e6);
}

/* Sends at sent_bps, of which a share is lost, evenly; returns the last estimate. */
static double observe(double seconds, double sent_bps, double share, double delay_bps,
                      bool application_limited) {
    double owed = 0, got = 0;
    uint64_t end_us = now_us + (uint64_t)(seconds * SECOND), step_us = (uint64_t)(8e9 / sent_bps);
    for (uint64_t told_us = now_us; now_us < end_us; now_us += step_us) {
        owed += share;
        rtp_bwe_loss_on_packet(&loss, now_us, 1000, owed >= 1);
        owed -= owed >= 1 ? 1 : 0;
        if (now_us - told_us < 100 * MS)
            continue;
        told_us = now_us;
        got = rtp_bwe_loss_update(&loss, now_us, delay_bps, sent_bps * (1 - share),
                                  application_limited);
    }
    return got;
}

static void without_losses_the_delay_decides(void) {
    begin();
    CHECK(fabs(observe(5, 1e6, 0, 2e6, false) - 2e6) < 1);
    CHECK_INT(loss.state, RTP_BWE_LOSS_UNLIMITED);
}

static void two_percent_limit_nothing(void) {
    begin();
    CHECK(fabs(observe(10, 1e6, 0.02, 2e6, false) - 2e6) < 1);
}

/* 1 Mb/s sent into 600 kb/s loses two fifths. */
static void what_exceeds_the_link_is_found(void) {
    begin();
    observe(2, 500e3, 0, 1e6, false);
    double bps = observe(3, 1e6, 0.4, 1e6, false);
    CHECK(bps > 500e3 && bps < 700e3);
    CHECK(loss.state != RTP_BWE_LOSS_UNLIMITED);
}

/* Lost at any rate alike: lowering it further does not help. */
static void inherent_losses_do_not_lower_it_without_end(void) {
    begin();
    observe(3, 2e6, 0.1, 2e6, false);
    CHECK(observe(60, 1e6, 0.1, 2e6, true) > 1e6);
    CHECK(observe(60, 300e3, 0.3, 2e6, true) > 200e3);
}

/* Above 5 % at most 100 kb/s over what is more. */
static void many_losses_bound_it_at_once(void) {
    begin();
    double bps = observe(4, 1e6, 0.25, 5e6, true);
    CHECK(fabs(rtp_bwe_loss_average(&loss) - 0.25) < 0.02);
    CHECK(fabs(rtp_bwe_loss_most(&loss) - 500e3) < 60e3);
    CHECK(bps < 800e3); /* No less than what arrived. */
}

static void one_bad_quarter_of_a_second_does_not_count(void) {
    begin();
    observe(3, 1e6, 0, 2e6, false);
    observe(0.25, 1e6, 1, 2e6, false);
    observe(1, 1e6, 0, 2e6, false);
    CHECK(rtp_bwe_loss_average(&loss) < 0.05);
    CHECK(observe(3, 1e6, 0, 2e6, false) > 1e6);
}

static void when_the_losses_end_it_rises_again(void) {
    begin();
    observe(2, 500e3, 0, 1e6, false);
    double low_bps = observe(3, 1e6, 0.4, 1e6, false);
    double bps = observe(8, low_bps, 0, 1e6, false);
    CHECK(bps > low_bps * 1.1);
    CHECK(fabs(observe(12, 800e3, 0, 1e6, false) - 1e6) < 1);
    CHECK_INT(loss.state, RTP_BWE_LOSS_UNLIMITED);
}

static void a_packet_that_came_late_is_taken_back(void) {
    begin();
    for (int i = 0; i < 200; i++, now_us += 10 * MS) {
        rtp_bwe_loss_on_packet(&loss, now_us, 1000, i % 2 == 0);
        if (i % 2 == 0)
            rtp_bwe_loss_on_late(&loss, 1000);
        rtp_bwe_loss_update(&loss, now_us, 1e6, 400e3, false);
    }
    CHECK(rtp_bwe_loss_average(&loss) < 0.001);
}

/* ---- Receiver reports ---- */

static struct rtp_bwe_report report;

static double tell(int times, uint8_t fraction_lost) {
    for (int i = 0; i < times; i++, now_us += SECOND)
        rtp_bwe_report_update(&report, now_us, fraction_lost, 1e6, 1e6, 2e6, 100 * MS);
    return report.bps;
}

static void reports_raise_hold_and_lower(void) {
    begin();
    report = (struct rtp_bwe_report){0};
    CHECK(fabs(tell(1, 0) - 1e6) < 1);
    CHECK(fabs(tell(1, 5) - 1.081e6) < 1);
    CHECK(fabs(tell(5, 13) - 1.081e6) < 1);
    CHECK(fabs(tell(1, 64) - 1.081e6 * 0.875) < 1);
    CHECK(fabs(tell(30, 0) - 2e6) < 1);
}

static void reports_lower_once_in_300_ms_and_a_round_trip(void) {
    begin();
    report = (struct rtp_bwe_report){0};
    tell(1, 0);
    for (int i = 0; i < 4; i++)
        rtp_bwe_report_update(&report, now_us + (uint64_t)i * 100 * MS, 128, 1e6, 1e6, 2e6,
                              100 * MS);
    CHECK(fabs(report.bps - 750e3) < 1);
}

#define TEST(name)                                                                                 \
    { #name, name }

static const struct test tests[] = {
    TEST(without_losses_the_delay_decides),   TEST(two_percent_limit_nothing),
    TEST(what_exceeds_the_link_is_found),     TEST(inherent_losses_do_not_lower_it_without_end),
    TEST(many_losses_bound_it_at_once),       TEST(one_bad_quarter_of_a_second_does_not_count),
    TEST(when_the_losses_end_it_rises_again), TEST(a_packet_that_came_late_is_taken_back),
    TEST(reports_raise_hold_and_lower),       TEST(reports_lower_once_in_300_ms_and_a_round_trip),
};

TEST_MAIN(tests)
