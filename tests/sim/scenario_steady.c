/* A link that does not change: nothing may flap. */
#include "tests/sim/scenario.h"

enum { CHANGES_MAX = 1024, FITS = 150 };

/* 2 Mb/s lie between the rates of three cameras' layers, so the choice is among near misses. */
static void a_steady_link_gives_a_steady_picture(void) {
    struct world *world = world_create(&(struct world_config){.seed = world_seed(1)});
    struct bench_link_config link = {.delay_us = 25000,
                                     .jitter_us = 5000,
                                     .in_order = true,
                                     .rate_bps = 2000000,
                                     .queue_us = 300 * MS};
    struct world_profile publisher = scenario_publisher();
    struct world_profile profile = scenario_viewer(3, &link);
    for (size_t i = 0; i < 3; i++)
        world_join(world, &publisher);
    struct world_person *viewer = world_join(world, &profile);
    world_trace(viewer);
    world_run(world, 600 * S);
    world_plot(viewer, "steady");
    uint64_t times_us[CHANGES_MAX], begun_us = bench_client_connected_us(viewer->client);
    size_t count =
        world_layer_changes(viewer, begun_us + 10 * S, world->now_us, times_us, CHANGES_MAX);
    uint64_t shortest_us = UINT64_MAX, late = 0;
    for (size_t i = 0; i < count && i < CHANGES_MAX; i++) {
        if (i > 0 && times_us[i] - times_us[i - 1] < shortest_us)
            shortest_us = times_us[i] - times_us[i - 1];
        late += times_us[i] > world->now_us - 300 * S;
        SCENARIO_SAY("change at %.2f s\n", (double)times_us[i] / 1e6);
    }
    CHECK_AT_LEAST(shortest_us / MS, 10000);
    CHECK_AT_MOST(late, 0);
    CHECK_AT_LEAST(world_sent_bps(viewer, world->now_us - 300 * S, world->now_us), 1200000);
    world_destroy(world);
}

/* As of a publisher on a busy machine: each 0.4 to 1.2 s nothing moves for up to 400 ms, and what
 * was held up comes at once. */
static void fits_draw(uint64_t seed, struct bench_link_step steps[static 2 * FITS]) {
    struct bench_random random = {seed};
    uint64_t at_us = 0;
    for (size_t i = 0; i < FITS; i++) {
        at_us += 400 * MS + bench_random_next(&random) % (800 * MS);
        steps[2 * i] = (struct bench_link_step){.at_us = at_us, .rate_bps = 100};
        at_us += bench_random_next(&random) % (400 * MS);
        steps[2 * i + 1] = (struct bench_link_step){.at_us = at_us, .rate_bps = 100000000};
    }
}

/* 500 kb/s lie between a camera's layers. What may change is how many frames there are of one: in
 * 25 seeds that was 6 to 16 times in two minutes, and mostly one keyframe more than the first. */
static void a_camera_that_comes_in_fits_is_shown_in_one_layer(void) {
    struct world *world = world_create(&(struct world_config){.seed = world_seed(1)});
    struct bench_link_config link = {.delay_us = 25000,
                                     .jitter_us = 10000,
                                     .in_order = true,
                                     .rate_bps = 500000,
                                     .queue_us = 300 * MS};
    struct bench_link_step steps[2 * FITS];
    fits_draw(world->config.seed, steps);
    struct world_profile publisher = scenario_publisher(), profile = scenario_viewer(1, &link);
    memcpy(publisher.layer_bps, (uint32_t[]){100000, 260000, 1000000}, 3 * sizeof(uint32_t));
    publisher.up.rate_bps = 100000000;
    publisher.up.queue_us = 10 * S;
    publisher.up.steps = steps;
    publisher.up.step_count = 2 * FITS;
    world_join(world, &publisher);
    world_run(world, 3 * S);
    struct world_person *viewer = world_join(world, &profile);
    world_trace(viewer);
    world_run(world, 117 * S);
    world_plot(viewer, "fits");
    const struct bench_sink *sink = world_sink(viewer, true, 0);
    uint64_t times_us[CHANGES_MAX], begun_us = bench_client_connected_us(viewer->client);
    CHECK_AT_MOST(
        world_layer_changes(viewer, begun_us + 5 * S, world->now_us, times_us, CHANGES_MAX), 25);
    CHECK_AT_MOST(sink->keyframes, 6);
    CHECK_AT_MOST(sink->longest_gap_us / MS, 700);
    CHECK_AT_LEAST(world_sent_bps(viewer, world->now_us - 60 * S, world->now_us), 230000);
    world_destroy(world);
}

static const struct test tests[] = {
    {"a_steady_link_gives_a_steady_picture", a_steady_link_gives_a_steady_picture},
    {"a_camera_that_comes_in_fits_is_shown_in_one_layer",
     a_camera_that_comes_in_fits_is_shown_in_one_layer},
};

TEST_MAIN(tests)
