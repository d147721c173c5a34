/* Scores and their reasons, against the published model and what people would say. */
#include "rtp/quality.h"

#include <math.h>

#include "tests/unit/test.h"

enum { MS = 1000, KBPS = 1000 };

static struct rtp_quality quality;

static void check_near(float got, float want, float error) {
    if (!(fabsf(got - want) <= error))
        test_fail(__FILE__, __LINE__, "%f is not about %f", (double)got, (double)want);
}

/* Until it has settled. */
static void settle(const struct rtp_quality_input *input) {
    for (int i = 0; i < 30; i++)
        rtp_quality_update(&quality, input);
}

static void check_settles(const struct rtp_quality_input *input, int score,
                          enum rtp_quality_reason reason) {
    settle(input);
    CHECK_INT(quality.score, score);
    CHECK_STR(rtp_quality_reason_name(quality.reason), rtp_quality_reason_name(reason));
}

static void ratings_become_opinions_as_in_annex_b(void) {
    /* ITU-T G.107 table B.1: the lower limits of its categories of quality. */
    check_near(rtp_quality_opinion(90), 4.34f, 0.01f);
    check_near(rtp_quality_opinion(80), 4.03f, 0.01f);
    check_near(rtp_quality_opinion(70), 3.60f, 0.01f);
    check_near(rtp_quality_opinion(60), 3.10f, 0.01f);
    check_near(rtp_quality_opinion(50), 2.58f, 0.01f);
    check_near(rtp_quality_opinion(-5), 1, 0);
    check_near(rtp_quality_opinion(101), 4.5f, 0);
}

static void delay_and_loss_lower_the_rating(void) {
    check_near(rtp_quality_rating(0, 0, false), 93.2f, 0.01f);
    check_near(rtp_quality_rating(150 * MS, 0, false), 89.6f, 0.01f);
    check_near(rtp_quality_rating(400 * MS, 0, false), 59.1f, 0.1f);
    check_near(rtp_quality_rating(0, 0.05f, false), 77.4f, 0.1f);
    check_near(rtp_quality_rating(0, 0.10f, false), 66.1f, 0.1f);
    /* A tenth of a tenth. */
    check_near(rtp_quality_rating(0, 0.10f, true), rtp_quality_rating(0, 0.01f, false), 0.01f);
    check_near(rtp_quality_rating(60000 * MS, 1, false), 0, 0);
}

static void a_good_connection_is_a_five(void) {
    struct rtp_quality_input input = {.audio = true,
                                      .video = true,
                                      .rtt_us = 80 * MS,
                                      .jitter_us = 5 * MS,
                                      .fraction_lost = 2,
                                      .wanted_bps = 2500 * KBPS,
                                      .got_bps = 2400 * KBPS,
                                      .slots = 9};
    check_settles(&input, 5, RTP_QUALITY_NONE);
}

static void lost_sound_is_heard_unless_it_is_redundant(void) {
    struct rtp_quality_input input = {.audio = true, .fraction_lost = 26};
    check_settles(&input, 4, RTP_QUALITY_LOSS);
    input.fraction_lost = 51;
    check_settles(&input, 3, RTP_QUALITY_LOSS);
    input.fraction_lost = 128;
    check_settles(&input, 2, RTP_QUALITY_LOSS);
    input.fraction_lost = 26;
    input.audio_redundant = true;
    check_settles(&input, 5, RTP_QUALITY_NONE);
}

static void a_long_way_is_delay(void) {
    struct rtp_quality_input input = {.audio = true, .rtt_us = 600 * MS};
    check_settles(&input, 4, RTP_QUALITY_DELAY);
    input.rtt_us = 1000 * MS;
    check_settles(&input, 2, RTP_QUALITY_DELAY);
    /* Jitter has to be waited out. */
    input = (struct rtp_quality_input){.audio = true, .rtt_us = 60 * MS, .jitter_us = 200 * MS};
    check_settles(&input, 3, RTP_QUALITY_DELAY);
    /* Pictures without sound are not better for it. */
    input = (struct rtp_quality_input){.video = true, .rtt_us = 1000 * MS};
    check_settles(&input, 2, RTP_QUALITY_DELAY);
}

static void less_than_wanted_is_bandwidth(void) {
    struct rtp_quality_input input = {
        .audio = true, .video = true, .wanted_bps = 2500 * KBPS, .got_bps = 500 * KBPS, .slots = 1};
    check_settles(&input, 3, RTP_QUALITY_BANDWIDTH);
    input.got_bps = 150 * KBPS;
    check_settles(&input, 2, RTP_QUALITY_BANDWIDTH);
    input.got_bps = 0;
    input.slots_paused = 1;
    check_settles(&input, 1, RTP_QUALITY_BANDWIDTH);
    input = (struct rtp_quality_input){.video = true, .slots = 4, .slots_paused = 1};
    check_settles(&input, 4, RTP_QUALITY_BANDWIDTH);
}

static void a_publisher_that_sends_less_over_a_clean_uplink_is_busy(void) {
    struct rtp_quality_input input = {
        .video = true, .publisher_limited = true, .wanted_bps = 3150 * KBPS, .got_bps = 650 * KBPS};
    check_settles(&input, 3, RTP_QUALITY_CPU);
    input.fraction_lost = 12;
    check_settles(&input, 3, RTP_QUALITY_BANDWIDTH);
    input = (struct rtp_quality_input){.video = true, .publisher_limited = true};
    check_settles(&input, 4, RTP_QUALITY_CPU);
}

static void frozen_pictures_are_seen(void) {
    struct rtp_quality_input input = {.video = true, .frozen_ms_per_s = 250, .fraction_lost = 13};
    check_settles(&input, 3, RTP_QUALITY_LOSS);
    input.frozen_ms_per_s = 1000;
    input.fraction_lost = 0;
    check_settles(&input, 1, RTP_QUALITY_BANDWIDTH);
}

static void worse_is_told_at_once_and_better_when_it_lasts(void) {
    struct rtp_quality_input good = {.audio = true}, bad = {.audio = true, .fraction_lost = 128};
    CHECK(rtp_quality_update(&quality, &good));
    CHECK_INT(quality.score, 5);
    CHECK(!rtp_quality_update(&quality, &good));
    CHECK(rtp_quality_update(&quality, &bad));
    CHECK_INT(quality.score, 2);
    CHECK_INT(quality.reason, RTP_QUALITY_LOSS);
    settle(&bad);
    int updates = 0;
    for (; quality.score < 5; updates++) {
        rtp_quality_update(&quality, &good);
        CHECK_INT(quality.reason, quality.score < 5 ? RTP_QUALITY_LOSS : RTP_QUALITY_NONE);
    }
    CHECK(updates >= 3 && updates <= 6);
}

static void a_connection_between_two_scores_keeps_one(void) {
    struct rtp_quality_input input = {.audio = true};
    unsigned changes = 0;
    settle(&input);
    for (int i = 0; i < 200; i++) {
        input.fraction_lost = i % 2 ? 7 : 11; /* About 4.5. */
        changes += rtp_quality_update(&quality, &input);
    }
    CHECK(changes <= 1);
}

static void who_sends_nothing_keeps_the_score(void) {
    struct rtp_quality_input bad = {.audio = true, .fraction_lost = 255}, none = {.rtt_us = 10};
    settle(&bad);
    CHECK(!rtp_quality_update(&quality, &none));
    CHECK_INT(quality.score, 1);
}

static void the_worst_input_is_a_one(void) {
    struct rtp_quality_input worst = {.audio = true,
                                      .video = true,
                                      .fraction_lost = 255,
                                      .rtt_us = UINT64_MAX / 4,
                                      .jitter_us = UINT64_MAX / 16,
                                      .wanted_bps = UINT64_MAX,
                                      .slots = 1,
                                      .slots_paused = UINT16_MAX,
                                      .frozen_ms_per_s = UINT32_MAX,
                                      .publisher_limited = true};
    settle(&worst);
    CHECK_INT(quality.score, 1);
}

static const struct test tests[] = {
    {"ratings_become_opinions_as_in_annex_b", ratings_become_opinions_as_in_annex_b},
    {"delay_and_loss_lower_the_rating", delay_and_loss_lower_the_rating},
    {"a_good_connection_is_a_five", a_good_connection_is_a_five},
    {"lost_sound_is_heard_unless_it_is_redundant", lost_sound_is_heard_unless_it_is_redundant},
    {"a_long_way_is_delay", a_long_way_is_delay},
    {"less_than_wanted_is_bandwidth", less_than_wanted_is_bandwidth},
    {"a_publisher_that_sends_less_over_a_clean_uplink_is_busy",
     a_publisher_that_sends_less_over_a_clean_uplink_is_busy},
    {"frozen_pictures_are_seen", frozen_pictures_are_seen},
    {"worse_is_told_at_once_and_better_when_it_lasts",
     worse_is_told_at_once_and_better_when_it_lasts},
    {"a_connection_between_two_scores_keeps_one", a_connection_between_two_scores_keeps_one},
    {"who_sends_nothing_keeps_the_score", who_sends_nothing_keeps_the_score},
    {"the_worst_input_is_a_one", the_worst_input_is_a_one},
};

TEST_MAIN(tests)
