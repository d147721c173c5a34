/* One subscriber whose packets get lost: at random, in bursts, all for a while. */
#include "tests/sim/scenario.h"

/* What a picture or sound takes without losses, to know what a loss adds. */
static uint64_t lossless_us(bool video) {
    struct world *world = world_create(&(struct world_config){.seed = 1});
    struct world_profile publisher = scenario_publisher();
    struct world_profile profile = scenario_viewer(1, &scenario_good);
    world_join(world, &publisher);
    struct world_person *viewer = world_join(world, &profile);
    world_run(world, 10 * S);
    bench_client_mark(viewer->client);
    world_run(world, 10 * S);
    uint64_t delay_us = bench_sink_delay_us(world_sink(viewer, video, 0), 500);
    world_destroy(world);
    return delay_us;
}

static double complete(const struct bench_sink *sink) {
    uint64_t bad = sink->frames_broken + sink->frames_undecodable;
    uint64_t good = sink->frames_complete + sink->frames_late;
    return (double)good / (double)(good + bad);
}

static void ten_percent_loss_is_repaired(void) {
    struct world *world = world_create(&(struct world_config){.seed = world_seed(1)});
    struct world_profile publisher = scenario_publisher();
    struct bench_link_config lossy = scenario_good;
    lossy.loss_ppm = 100000;
    struct world_profile profile = scenario_viewer(1, &lossy);
    world_join(world, &publisher);
    struct world_person *viewer = world_join(world, &profile);
    world_trace(viewer);
    world_run(world, 10 * S);
    bench_client_mark(viewer->client);
    world_run(world, 50 * S);
    world_plot(viewer, "loss_10_percent");
    viewer->down.config.loss_ppm = 0;
    world_run(world, 1 * S); /* What is being repaired is not lost. */
    const struct bench_sink *sink = world_sink(viewer, true, 0);
    uint64_t added_us = bench_sink_delay_us(sink, 950) - lossless_us(true);
    SCENARIO_SAY("height %u, %lu keyframes, %lu sources\n", sink->height,
                 (unsigned long)sink->keyframes, (unsigned long)sink->sources);
    CHECK_SHARE_AT_LEAST(complete(sink), 0.999);
    CHECK_AT_MOST(bench_sink_lost(sink) * 1000, sink->packets);
    CHECK_AT_LEAST(sink->frames_complete + sink->frames_late, 50 * 15 * 99 / 100);
    CHECK_AT_MOST(added_us / MS, 150);
    world_destroy(world);
}

static void sound_survives_thirty_percent_loss_by_red(void) {
    struct world *world = world_create(&(struct world_config){.seed = world_seed(1)});
    struct world_profile speaker = {
        .microphone = true, .red = true, .up = scenario_good, .down = scenario_good};
    struct bench_link_config lossy = scenario_good;
    lossy.loss_ppm = 300000;
    struct world_profile profile = scenario_viewer(1, &lossy);
    profile.red = true;
    world_join(world, &speaker);
    struct world_person *viewer = world_join(world, &profile);
    world_run(world, 7 * S); /* What is lost has to be reported first. */
    const struct bench_sink *sink = world_sink(viewer, false, 0);
    uint64_t expected = sink->playout.expected, played = sink->playout.played;
    world_run(world, 55 * S);
    expected = sink->playout.expected - expected;
    played = sink->playout.played - played;
    CHECK_AT_LEAST(expected, 54 * 50);
    CHECK_SHARE_AT_LEAST((double)played / (double)expected, 0.99);
    world_destroy(world);
}

/* Six outages of 300 ms, five seconds apart. */
static void outages_cost_half_a_second_and_one_keyframe(void) {
    enum { OUTAGES = 6 };
    static struct bench_link_step steps[2 * OUTAGES];
    struct world *world = world_create(&(struct world_config){.seed = world_seed(1)});
    for (uint64_t i = 0; i < OUTAGES; i++) {
        steps[2 * i] = (struct bench_link_step){.at_us = 16 * S + i * 5 * S, .down = true};
        steps[2 * i + 1] = (struct bench_link_step){.at_us = 16 * S + i * 5 * S + 300 * MS};
    }
    struct bench_link_config link = scenario_good;
    link.steps = steps;
    link.step_count = 2 * OUTAGES;
    struct world_profile publisher = scenario_publisher();
    struct world_profile profile = scenario_viewer(1, &link);
    struct world_person *camera = world_join(world, &publisher);
    struct world_person *viewer = world_join(world, &profile);
    world_trace(viewer);
    world_run(world, 15 * S - 500 * MS);
    const struct bench_sink *sink = world_sink(viewer, true, 0);
    for (size_t i = 0; i < OUTAGES; i++) {
        uint64_t asked[3];
        for (size_t layer = 0; layer < 3; layer++)
            asked[layer] = bench_client_source(camera->client, 1 + layer)->keyframe_requests;
        bench_client_mark(viewer->client);
        world_run(world, 5 * S);
        /* A frame's time before the outage, and the outage itself, are not the server's. */
        CHECK_AT_MOST(sink->longest_gap_us / MS, 300 + 34 + 500);
        CHECK(sink->last_frame_us > world->now_us - 200 * MS);
        for (size_t layer = 0; layer < 3; layer++)
            CHECK_AT_MOST(bench_client_source(camera->client, 1 + layer)->keyframe_requests -
                              asked[layer],
                          1);
    }
    world_plot(viewer, "outages");
    world_destroy(world);
}

static const struct test tests[] = {
    {"outages_cost_half_a_second_and_one_keyframe", outages_cost_half_a_second_and_one_keyframe},
    {"ten_percent_loss_is_repaired", ten_percent_loss_is_repaired},
    {"sound_survives_thirty_percent_loss_by_red", sound_survives_thirty_percent_loss_by_red},
};

TEST_MAIN(tests)
