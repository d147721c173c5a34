/* Increase and decrease by the delay. */
#include "rtp/bwe_aimd.h"

#include "tests/unit/test.h"

enum { MS = 1000, SECOND = 1000000, RTT = 100 * MS };

static struct rtp_bwe_aimd aimd;
static uint64_t now_us;

static void begin(double bps) {
    now_us = 1000 * (uint64_t)SECOND;
    rtp_bwe_aimd_init(&aimd, bps);
}

static void update_once(uint64_t at_us, enum rtp_bwe_usage usage, uint32_t acked_bps,
                        uint32_t recent_bps) {
    const struct rtp_bwe_path path = {
        .acked_bps = acked_bps, .recent_bps = recent_bps, .rtt_us = RTT};
    rtp_bwe_aimd_update(&aimd, at_us, usage, &path);
}

static void update(enum rtp_bwe_usage usage, int count, uint32_t acked_bps) {
    for (int i = 0; i < count; i++, now_us += 100 * MS)
        update_once(now_us, usage, acked_bps, acked_bps);
}

static bool is_near(double got, double want) {
    return got > want * 0.999 && got < want * 1.001;
}

static void far_from_the_capacity_it_rises_by_eight_percent_a_second(void) {
    begin(1e6);
    update(RTP_BWE_NORMAL, 11, 5000000);
    CHECK(is_near(aimd.bps, 1.08e6));
    update(RTP_BWE_NORMAL, 10, 5000000);
    CHECK(is_near(aimd.bps, 1.08 * 1.08e6));
}

static void overuse_lowers_it_to_85_percent_of_what_arrived(void) {
    begin(1e6);
    update(RTP_BWE_OVERUSE, 1, 600000);
    CHECK(is_near(aimd.bps, 510e3));
}

static void what_arrived_lately_counts_when_it_is_less(void) {
    begin(3e6);
    update_once(now_us, RTP_BWE_OVERUSE, 2000000, 500000);
    CHECK(is_near(aimd.bps, 425e3));
    CHECK(aimd.steep_us == now_us);
}

static void overuse_without_anything_arrived_halves_it(void) {
    begin(1e6);
    update(RTP_BWE_OVERUSE, 1, 0);
    CHECK(is_near(aimd.bps, 500e3));
}

static void it_never_rises_in_overuse(void) {
    begin(1e6);
    update(RTP_BWE_OVERUSE, 30, 5000000);
    CHECK(aimd.bps <= 1e6);
}

static void it_falls_once_a_round_trip(void) {
    begin(1e6);
    update_once(now_us, RTP_BWE_OVERUSE, 900000, 900000);
    double first_bps = aimd.bps;
    update_once(now_us + 50 * MS, RTP_BWE_OVERUSE, 800000, 800000);
    CHECK(is_near(aimd.bps, first_bps));
    update_once(now_us + 60 * MS, RTP_BWE_OVERUSE, 300000, 300000);
    CHECK(is_near(aimd.bps, 255e3)); /* Unless that was not nearly enough. */
    update_once(now_us + 160 * MS, RTP_BWE_OVERUSE, 250000, 250000);
    CHECK(is_near(aimd.bps, 212.5e3));
}

/* As seen with a browser, feedback each 50 ms: a link of 500 kb/s got narrow, so a lower layer was
 * sent, of which 245, then 70 kb/s arrived. The estimate was 59 kb/s after 350 ms. */
static void what_arrives_of_a_link_that_is_not_full_does_not_pull_it_down(void) {
    static const uint32_t acked_bps[] = {245000, 245000, 160000, 70000, 70000, 0, 0, 0};
    begin(373e3);
    for (int i = 0; i < 8; i++, now_us += 50 * MS) {
        const struct rtp_bwe_path path = {
            .acked_bps = acked_bps[i], .rtt_us = 88 * MS, .is_underfed = true};
        rtp_bwe_aimd_update(&aimd, now_us, RTP_BWE_OVERUSE, &path);
    }
    CHECK(is_near(aimd.bps, 0.85 * 0.85 * 373e3)); /* At 0 and at 200 ms. */
    CHECK_INT(aimd.capacity_kbps, 0);
}

static void overuse_without_anything_arrived_halves_it_once_a_round_trip(void) {
    begin(1e6);
    for (int i = 0; i < 4; i++)
        update_once(now_us + (uint64_t)i * 33 * MS, RTP_BWE_OVERUSE, 0, 0);
    CHECK(is_near(aimd.bps, 500e3));
}

static void what_is_too_little_to_measure_does_not_halve_it(void) {
    begin(150e3);
    update_once(now_us, RTP_BWE_NORMAL, 150000, 150000);
    for (int i = 0; i < 3; i++)
        update_once(now_us + (uint64_t)i * RTT, RTP_BWE_OVERUSE, 0, 0);
    CHECK(is_near(aimd.bps, 0.85 * 0.85 * 150e3)); /* At 0 and 200 ms. */
}

static void near_the_capacity_it_rises_by_a_packet_a_response_time(void) {
    begin(1e6);
    update(RTP_BWE_OVERUSE, 1, 1000000);
    double from_bps = aimd.bps;
    CHECK(is_near(from_bps, 850e3));
    update(RTP_BWE_NORMAL, 11, 1000000);
    /* 850 kb/s at 30 frames are 28,333 bits a frame, three packets of 9,444 bits; the response
     * time is twice 100 ms and the round trip. */
    CHECK(aimd.bps - from_bps > 0.9 * 9444 / 0.4 && aimd.bps - from_bps < 1.1 * 9444 / 0.4);
}

static void more_than_the_capacity_carried_forgets_it(void) {
    begin(1e6);
    update(RTP_BWE_OVERUSE, 1, 1000000);
    update(RTP_BWE_NORMAL, 1, 2000000);
    CHECK(aimd.capacity_kbps <= 0);
}

static void it_does_not_rise_beyond_what_arrives(void) {
    begin(1e6);
    update(RTP_BWE_NORMAL, 50, 500000);
    CHECK(is_near(aimd.bps, 1e6)); /* Nor falls. */
    update(RTP_BWE_NORMAL, 100, 1100000);
    CHECK(aimd.bps > 1.1e6 && aimd.bps < 1.12e6);
}

static void underuse_holds(void) {
    begin(1e6);
    update(RTP_BWE_UNDERUSE, 50, 5000000);
    CHECK(is_near(aimd.bps, 1e6));
    update(RTP_BWE_NORMAL, 1, 5000000);
    CHECK(is_near(aimd.bps, 1e6)); /* The hold is not made up for. */
}

static void a_probe_raises_it_at_once_and_never_lowers_it(void) {
    begin(1e6);
    struct rtp_bwe_probe_result result = {3000000, false};
    rtp_bwe_aimd_on_probe(&aimd, now_us, &result);
    CHECK(is_near(aimd.bps, 3e6));
    result.bps = 500000;
    rtp_bwe_aimd_on_probe(&aimd, now_us, &result);
    CHECK(is_near(aimd.bps, 3e6));
}

static void a_saturated_probe_raises_it_by_a_step(void) {
    begin(1e6);
    struct rtp_bwe_probe_result result = {5000000, true};
    rtp_bwe_aimd_on_probe(&aimd, now_us, &result);
    CHECK(is_near(aimd.bps, 1.5e6));
    begin(10e6);
    result.bps = 20000000;
    rtp_bwe_aimd_on_probe(&aimd, now_us, &result);
    CHECK(is_near(aimd.bps, 12e6));
}

#define TEST(name)                                                                                 \
    { #name, name }

static const struct test tests[] = {
    TEST(far_from_the_capacity_it_rises_by_eight_percent_a_second),
    TEST(overuse_lowers_it_to_85_percent_of_what_arrived),
    TEST(what_arrived_lately_counts_when_it_is_less),
    TEST(overuse_without_anything_arrived_halves_it),
    TEST(it_never_rises_in_overuse),
    TEST(it_falls_once_a_round_trip),
    TEST(what_arrives_of_a_link_that_is_not_full_does_not_pull_it_down),
    TEST(overuse_without_anything_arrived_halves_it_once_a_round_trip),
    TEST(what_is_too_little_to_measure_does_not_halve_it),
    TEST(near_the_capacity_it_rises_by_a_packet_a_response_time),
    TEST(more_than_the_capacity_carried_forgets_it),
    TEST(it_does_not_rise_beyond_what_arrives),
    TEST(underuse_holds),
    TEST(a_probe_raises_it_at_once_and_never_lowers_it),
    TEST(a_saturated_probe_raises_it_by_a_step),
};

TEST_MAIN(tests)
