/* Probes: what is sent when, and what it measures; and the application-limited region. */
#include "rtp/bwe_probe.h"

#include "rtp/bwe_alr.h"
#include "tests/unit/test.h"

enum { MS = 1000, SECOND = 1000000 };

static struct rtp_bwe_prober prober;
static struct rtp_bwe_outlook outlook;
static uint64_t now_us;

static void begin(double bps, double cap_bps, bool is_answered) {
    now_us = 1000 * (uint64_t)SECOND;
    rtp_bwe_prober_init(&prober);
    outlook = (struct rtp_bwe_outlook){bps, cap_bps, true, is_answered};
}

/* The rate of the next probe; 0 for none. */
static uint32_t next(struct rtp_bwe_probe *probe) {
    rtp_bwe_prober_plan(&prober, now_us, &outlook);
    return rtp_bwe_prober_next(&prober, now_us, probe) ? probe->rate_bps : 0;
}

/* Sends a probe in packets of a fifth, of which `got` arrive, at so many times the spacing. */
static bool answer(const struct rtp_bwe_probe *probe, int got, double stretch,
                   struct rtp_bwe_probe_result *out) {
    uint32_t bytes = probe->bytes / 5 + 1;
    double spacing_us = bytes * 8e6 / probe->rate_bps;
    for (int i = 0; i < 5; i++) {
        rtp_bwe_prober_on_sent(&prober, probe->id, bytes);
        struct rtp_bwe_packet packet = {.sent_us = now_us + (uint64_t)(i * spacing_us),
                                        .arrival_us =
                                            5 * now_us + (uint64_t)(i * spacing_us * stretch),
                                        .bytes = bytes,
                                        .probe_id = probe->id};
        if (i < got)
            rtp_bwe_prober_on_packet(&prober, &packet);
    }
    return rtp_bwe_prober_result(&prober, now_us, outlook.cap_bps, out);
}

static bool is_near(double got, double want) {
    return got > want * 0.99 && got < want * 1.01;
}

static void the_first_are_three_and_six_times_the_start(void) {
    struct rtp_bwe_probe probe;
    begin(300e3, 5e6, false);
    CHECK_INT(next(&probe), 900000);
    CHECK(probe.id != 0 && probe.bytes == 900000 / 8 * 3 / 100);
    uint8_t first = probe.id;
    CHECK_INT(next(&probe), 0); /* That one is not out yet. */
    rtp_bwe_prober_on_sent(&prober, first, probe.bytes);
    CHECK_INT(next(&probe), 1800000);
    CHECK(probe.id != first);
}

static void the_first_are_repeated_for_five_seconds_without_an_answer(void) {
    struct rtp_bwe_probe probe;
    int count = 0;
    begin(300e3, 5e6, false);
    for (int i = 0; i < 200; i++, now_us += 100 * MS) {
        if (next(&probe) == 900000)
            count++;
        if (i > 60)
            CHECK(rtp_bwe_prober_deadline(&prober, &outlook) == UINT64_MAX);
    }
    CHECK(count >= 3 && count <= 5);
}

static void a_success_is_followed_by_twice_as_much(void) {
    struct rtp_bwe_probe probe;
    struct rtp_bwe_probe_result result;
    begin(1e6, 20e6, true);
    CHECK_INT(next(&probe), 2000000);
    CHECK(answer(&probe, 5, 1.0, &result));
    CHECK(is_near(result.bps, 2e6) && !result.is_saturated);
    uint32_t further = next(&probe);
    CHECK(is_near(further, 4e6));
    CHECK(answer(&probe, 5, 4.0, &result));
    CHECK(is_near(result.bps, 0.95e6) && result.is_saturated);
    CHECK_INT(next(&probe), 0);
}

static void regular_ones_come_at_growing_intervals(void) {
    struct rtp_bwe_probe probe;
    struct rtp_bwe_probe_result result;
    uint64_t at_us[6];
    begin(1e6, 20e6, true);
    for (int count = 0; count < 6; now_us += 50 * MS)
        if (next(&probe) > 0) {
            at_us[count++] = now_us;
            CHECK(answer(&probe, 5, 2.5, &result));
        }
    CHECK(at_us[1] - at_us[0] >= SECOND && at_us[1] - at_us[0] < 1200 * MS);
    CHECK(at_us[5] - at_us[4] >= 2500 * MS && at_us[5] - at_us[4] < 2700 * MS);
}

static void none_in_overuse_or_when_the_demand_is_met(void) {
    struct rtp_bwe_probe probe;
    begin(1e6, 20e6, true);
    outlook.is_calm = false;
    CHECK_INT(next(&probe), 0);
    begin(1e6, 1.04e6, true);
    CHECK_INT(next(&probe), 0);
    CHECK(rtp_bwe_prober_deadline(&prober, &outlook) == UINT64_MAX);
    outlook.cap_bps = 1.5e6;
    CHECK_INT(next(&probe), 1500000);
}

static void a_new_demand_is_probed_at_once(void) {
    struct rtp_bwe_probe probe;
    struct rtp_bwe_probe_result result;
    begin(1e6, 1.5e6, true);
    CHECK_INT(next(&probe), 1500000);
    answer(&probe, 5, 2.5, &result);
    now_us += 100 * MS;
    CHECK_INT(next(&probe), 0);
    outlook.cap_bps = 3e6;
    CHECK_INT(next(&probe), 2000000);
}

static void a_steep_fall_is_tried_again_by_who_has_least_first(void) {
    struct rtp_bwe_probe probe;
    uint64_t waited_us[2];
    for (int i = 0; i < 2; i++) {
        begin(3e6, 4e6, true);
        CHECK_INT(next(&probe), 4000000);
        rtp_bwe_prober_on_sent(&prober, probe.id, probe.bytes);
        now_us += 2 * SECOND;
        outlook.bps = i == 0 ? 300e3 : 1.5e6;
        rtp_bwe_prober_on_drop(&prober, now_us, 3e6, outlook.bps);
        uint64_t fell_us = now_us;
        uint32_t rate = 0;
        while (rate == 0 && now_us < fell_us + 5 * (uint64_t)SECOND) {
            rate = next(&probe);
            now_us += 10 * MS;
        }
        waited_us[i] = now_us - fell_us;
        CHECK_INT(rate, 2550000);
    }
    CHECK(waited_us[0] + 500 * MS < waited_us[1]);
    CHECK(waited_us[1] < 2 * SECOND);
}

static void what_says_nothing_is_no_result(void) {
    struct rtp_bwe_probe probe;
    struct rtp_bwe_probe_result result;
    begin(1e6, 20e6, true);
    CHECK(next(&probe) > 0);
    CHECK(!answer(&probe, 3, 1.0, &result)); /* Three of five. */
    now_us += SECOND;
    begin(1e6, 20e6, true);
    CHECK(next(&probe) > 0);
    CHECK(!answer(&probe, 5, 0.3, &result)); /* Three times as fast as it was sent. */
    begin(1e6, 20e6, true);
    CHECK(next(&probe) > 0);
    CHECK(!answer(&probe, 5, 0.0, &result)); /* All in one instant. */
}

static void packets_of_forgotten_probes_are_ignored(void) {
    struct rtp_bwe_probe probe;
    struct rtp_bwe_probe_result result;
    begin(1e6, 20e6, true);
    CHECK(next(&probe) > 0);
    now_us += 1100 * MS;
    CHECK(next(&probe) > 0);
    struct rtp_bwe_probe old = {.id = (uint8_t)(probe.id - 1), .rate_bps = 2000000, .bytes = 5000};
    CHECK(!answer(&old, 5, 1.0, &result));
    CHECK(answer(&probe, 5, 1.0, &result));
}

static void an_idle_sender_is_application_limited(void) {
    struct rtp_bwe_alr alr = {0};
    now_us = SECOND;
    for (int i = 0; i < 20; i++, now_us += 100 * MS)
        rtp_bwe_alr_update(&alr, now_us, 11000, 1e6);
    CHECK(!alr.is_limited);
    for (int i = 0; i < 20; i++, now_us += 100 * MS)
        rtp_bwe_alr_update(&alr, now_us, 2000, 1e6);
    CHECK(alr.is_limited);
    for (int i = 0; i < 20; i++, now_us += 100 * MS)
        rtp_bwe_alr_update(&alr, now_us, 10000, 1e6);
    CHECK(!alr.is_limited);
}

#define TEST(name)                                                                                 \
    { #name, name }

static const struct test tests[] = {
    TEST(the_first_are_three_and_six_times_the_start),
    TEST(the_first_are_repeated_for_five_seconds_without_an_answer),
    TEST(a_success_is_followed_by_twice_as_much),
    TEST(regular_ones_come_at_growing_intervals),
    TEST(none_in_overuse_or_when_the_demand_is_met),
    TEST(a_new_demand_is_probed_at_once),
    TEST(a_steep_fall_is_tried_again_by_who_has_least_first),
    TEST(what_says_nothing_is_no_result),
    TEST(packets_of_forgotten_probes_are_ignored),
    TEST(an_idle_sender_is_application_limited),
};

TEST_MAIN(tests)
