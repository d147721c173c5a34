/* A slot whose layers and sources are changed a thousand times shows one stream without a seam. */
#include "tests/sim/scenario.h"

enum { SWITCHES = 1000, PUBLISHERS = 3 };

static void wish_at_random(struct world_person *viewer, struct bench_random *random) {
    static const uint16_t heights[] = {180, 360, 720, 0};
    static const uint16_t rates[] = {8, 15, 30, 0};
    struct sfu_wish wish = {.track = 100 * (1 + bench_random_next(random) % PUBLISHERS),
                            .max_height = heights[bench_random_next(random) % 4],
                            .max_fps = rates[bench_random_next(random) % 4]};
    memcpy(wish.mid, world_slot(viewer, true, 0)->mid, sizeof(wish.mid));
    world_wish(viewer, &wish);
}

static void check_seamless(const struct bench_sink *sink) {
    const struct bench_continuity *continuity = &sink->continuity;
    SCENARIO_SAY("%lu sources, %lu pictures, %lu keyframes, %lu markers missing\n",
                 (unsigned long)sink->sources, (unsigned long)sink->frames_complete,
                 (unsigned long)sink->keyframes, (unsigned long)continuity->markers_missing);
    CHECK_INT(bench_sink_lost(sink), 0);
    CHECK_INT(continuity->malformed, 0);
    CHECK_INT(continuity->timestamps_back, 0);
    CHECK_INT(continuity->picture_jumps, 0);
    CHECK_INT(continuity->tl0picidx_jumps, 0);
    CHECK_INT(continuity->references_wrong, 0);
    CHECK_INT(continuity->markers_early, 0);
    CHECK_INT(sink->frames_broken, 0);
    CHECK_INT(sink->frames_undecodable, 0);
}

/* The network takes nothing and delays everything alike: all that is seen is the server's doing. */
static void run(enum rtp_codec codec, enum bench_scalability scalability, bool simulcast) {
    struct world *world = world_create(&(struct world_config){.seed = world_seed(1)});
    struct bench_random random = {world_seed(1)};
    struct bench_link_config link = {.delay_us = 20000};
    struct world_profile publisher = scenario_publisher();
    publisher.microphone = false;
    publisher.codec = codec;
    publisher.scalability = scalability;
    publisher.simulcast = simulcast;
    publisher.up = publisher.down = link;
    for (size_t i = 0; i < PUBLISHERS; i++)
        world_join(world, &publisher);
    struct world_profile profile = {.slots = 1, .up = link, .down = link};
    struct world_person *viewer = world_join(world, &profile);
    world_run(world, 3 * S);
    const struct bench_sink *sink = world_sink(viewer, true, 0);
    CHECK(sink->frames_complete > 30);
    bench_client_mark(viewer->client);
    for (size_t i = 0; i < SWITCHES; i++) {
        wish_at_random(viewer, &random);
        world_run(world, 40 * MS + bench_random_next(&random) % (600 * MS));
    }
    check_seamless(sink);
    CHECK_AT_LEAST(sink->sources, SWITCHES / 10);
    /* Keyframes are asked for at most once a second and layer, 40 ms away and 80 ms long. */
    CHECK_AT_MOST(sink->longest_gap_us / MS, 1000 + 40 + 80 + 34);
    world_destroy(world);
}

static void vp8_simulcast(void) {
    run(RTP_CODEC_VP8, BENCH_L1T3, true);
}

static void h264_simulcast(void) {
    run(RTP_CODEC_H264, BENCH_L1T1, true);
}

static void vp9_simulcast(void) {
    run(RTP_CODEC_VP9, BENCH_L1T3, true);
}

static void av1_simulcast(void) {
    run(RTP_CODEC_AV1, BENCH_L1T3, true);
}

static void vp9_l3t3(void) {
    run(RTP_CODEC_VP9, BENCH_L3T3, false);
}

static void vp9_l3t3_key(void) {
    run(RTP_CODEC_VP9, BENCH_L3T3_KEY, false);
}

static void av1_l3t3(void) {
    run(RTP_CODEC_AV1, BENCH_L3T3, false);
}

static void av1_l3t3_key(void) {
    run(RTP_CODEC_AV1, BENCH_L3T3_KEY, false);
}

static const struct test tests[] = {
    {"vp8_simulcast", vp8_simulcast}, {"h264_simulcast", h264_simulcast},
    {"vp9_simulcast", vp9_simulcast}, {"av1_simulcast", av1_simulcast},
    {"vp9_l3t3", vp9_l3t3},           {"vp9_l3t3_key", vp9_l3t3_key},
    {"av1_l3t3", av1_l3t3},           {"av1_l3t3_key", av1_l3t3_key},
};

TEST_MAIN(tests)
