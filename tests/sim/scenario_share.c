/* A bottleneck that is shared: with another subscriber, with a download, with a constant stream. */
#include "tests/sim/scenario.h"

/* Four cameras, of which the lowest layers take 0.8 Mb/s and all 10 Mb/s: there is always something
 * to do with the next bit. */
enum { CAMERAS = 4 };

static void join_cameras(struct world *world) {
    struct world_profile publisher = scenario_publisher();
    for (size_t i = 0; i < CAMERAS; i++)
        world_join(world, &publisher);
}

static void two_subscribers_share_fairly(void) {
    struct world *world = world_create(&(struct world_config){.seed = world_seed(1)});
    struct bench_link *shared = world_link(
        world,
        &(struct bench_link_config){.delay_us = 20000, .rate_bps = 3000000, .queue_us = 300 * MS});
    struct bench_link_config own = {.delay_us = 5000};
    struct world_profile profile = scenario_viewer(CAMERAS, &own);
    profile.shared_down = shared;
    join_cameras(world);
    world_run(world, 2 * S);
    struct world_person *first = world_join(world, &profile);
    world_run(world, 5 * S);
    struct world_person *second = world_join(world, &profile);
    world_trace(first);
    world_trace(second);
    world_run(world, 70 * S);
    world_plot(first, "share_first");
    world_plot(second, "share_second");
    uint64_t from_us = world->now_us - 60 * S;
    double a = (double)world_received_bps(first, from_us, world->now_us);
    double b = (double)world_received_bps(second, from_us, world->now_us);
    SCENARIO_SAY("%.0f and %.0f b/s\n", a, b);
    CHECK_SHARE_AT_LEAST((a + b) * (a + b) / (2 * (a * a + b * b)), 0.9);
    CHECK(a + b >= 2000000);
    world_destroy(world);
}

/* The download begins in the tenth second; shares are of the minute that begins ten seconds later.
 */
static void a_download_leaves_a_third(void) {
    struct world *world = world_create(&(struct world_config){.seed = world_seed(1)});
    struct bench_link *shared = world_link(
        world,
        &(struct bench_link_config){.delay_us = 20000, .rate_bps = 3000000, .queue_us = 100 * MS});
    struct bench_link_config own = {.delay_us = 5000};
    struct world_profile profile = scenario_viewer(CAMERAS, &own);
    profile.shared_down = shared;
    join_cameras(world);
    struct world_person *viewer = world_join(world, &profile);
    world_trace(viewer);
    world_cubic(world, shared, 11 * S, UINT64_MAX);
    world_run(world, 80 * S);
    world_plot(viewer, "against_cubic");
    uint64_t from_us = world->now_us - 60 * S;
    CHECK_AT_LEAST(world_received_bps(viewer, from_us, world->now_us), 3000000 * 35 / 100);
    world_destroy(world);
}

static void a_constant_stream_is_made_room_for(void) {
    struct world *world = world_create(&(struct world_config){.seed = world_seed(1)});
    struct bench_link *shared = world_link(
        world,
        &(struct bench_link_config){.delay_us = 20000, .rate_bps = 4500000, .queue_us = 500 * MS});
    struct bench_link_config own = {.delay_us = 5000};
    struct world_profile profile = scenario_viewer(CAMERAS, &own);
    profile.shared_down = shared;
    join_cameras(world);
    struct world_person *viewer = world_join(world, &profile);
    world_trace(viewer);
    world_cross(world, shared, 2500000, 16 * S, 46 * S);
    world_run(world, 60 * S);
    world_plot(viewer, "cross_traffic");
    CHECK_AT_LEAST(world_received_bps(viewer, 26 * S, 46 * S), 1200000);
    CHECK_AT_LEAST(world_received_bps(viewer, 56 * S, 61 * S), 2000000);
    world_destroy(world);
}

static const struct test tests[] = {
    {"two_subscribers_share_fairly", two_subscribers_share_fairly},
    {"a_download_leaves_a_third", a_download_leaves_a_third},
    {"a_constant_stream_is_made_room_for", a_constant_stream_is_made_room_for},
};

TEST_MAIN(tests)
