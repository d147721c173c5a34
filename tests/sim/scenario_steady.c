/* A link that does not change: nothing may flap. */
#include "tests/sim/scenario.h"

enum { CHANGES_MAX = 1024 };

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

static const struct test tests[] = {
    {"a_steady_link_gives_a_steady_picture", a_steady_link_gives_a_steady_picture},
};

TEST_MAIN(tests)
