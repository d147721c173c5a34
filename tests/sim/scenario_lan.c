/* Subscribers next door: nothing limits, and everything arrives in the same moment. */
#include "tests/sim/scenario.h"

enum { WATCHERS = 40 };

static const struct bench_link_config next_door = {.delay_us = 50, .jitter_us = 40};

/* A camera in one layer of 1.5 Mb/s, three times what an estimate begins with. With seed 13 what is
 * sent first overtakes the end of a handshake. */
static void everybody_next_door_gets_a_picture_that_has_one_layer(void) {
    struct world *world = world_create(&(struct world_config){.seed = world_seed(13)});
    struct world_profile publisher = {.camera = true,
                                      .microphone = true,
                                      .unpaced = true,
                                      .video_bps = 1500000,
                                      .up = next_door,
                                      .down = next_door};
    struct world_profile viewer = {.slots = 1, .up = next_door, .down = next_door};
    struct world_person *viewers[WATCHERS];
    world_join(world, &publisher);
    world_run(world, 500 * MS);
    for (size_t i = 0; i < WATCHERS; i++) {
        viewers[i] = world_join(world, &viewer);
        world_run(world, 10 * MS);
    }
    world_run(world, 1 * S);
    uint64_t before[WATCHERS];
    for (size_t i = 0; i < WATCHERS; i++)
        before[i] = world_sink(viewers[i], true, 0)->frames_complete;
    world_run(world, 5 * S);
    for (size_t i = 0; i < WATCHERS; i++)
        CHECK_AT_LEAST(world_sink(viewers[i], true, 0)->frames_complete - before[i], 145);
    world_destroy(world);
}

static const struct test tests[] = {
    {"everybody_next_door_gets_a_picture_that_has_one_layer",
     everybody_next_door_gets_a_picture_that_has_one_layer},
};

TEST_MAIN(tests)
