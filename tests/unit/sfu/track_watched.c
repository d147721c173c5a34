/* Which layers a publisher hears that somebody watches. */
#include "tests/unit/sfu/slot_call.h"

static struct {
    unsigned count;
    uint8_t layers;
    uint64_t at_us;
} told;

static void on_event(void *ctx, const struct sfu_event *event) {
    rig_on_event(ctx, event);
    if (event->type != SFU_EVENT_PUBLISH_LAYERS)
        return;
    CHECK_INT(event->track, call.camera->track);
    told.count++;
    told.layers = event->layers;
    told.at_us = rig.now_us;
}

/* Three layers of 180, 360 and 720 lines flow; the viewer sits at this worker. */
static void begin_watched(unsigned worker) {
    rig_open();
    rig.engines[0]->config.on_event = on_event;
    call.publisher = rig_join();
    call.camera = rig_add_simulcast(call.publisher);
    call.viewer = rig_join_at(worker);
    call.slot = rig_add(call.viewer, true, SFU_SLOT);
    rig_connect(call.publisher);
    rig_connect(call.viewer);
    for (unsigned i = 0; i < 3; i++)
        rig_put_picture(call.publisher, call.camera->ssrcs[i], 10, 1, RIG_KEY | RIG_END,
                        (uint16_t)(180 << i));
    rig_flush();
}

static void watch(uint64_t track) {
    rig_carry(call.viewer, call.slot, track);
    rig_run_pipes();
}

static void run(uint64_t duration_us) {
    for (uint64_t until_us = rig.now_us + duration_us; rig.now_us < until_us;) {
        rig_run(100 * MS);
        rig_run_pipes();
    }
}

static void nobody_watches_is_told_after_five_seconds(void) {
    begin_watched(0);
    watch(call.camera->track);
    run(10 * S);
    CHECK_INT(told.count, 0); /* All are, as at the beginning. */
    uint64_t left_us = rig.now_us;
    watch(0);
    run(4900 * MS);
    CHECK_INT(told.count, 0);
    run(2 * S);
    CHECK_INT(told.count, 1);
    CHECK_INT(told.layers, 0);
    CHECK(told.at_us - left_us <= 6 * S);
    rig_close();
}

static void whoever_comes_back_in_time_changes_nothing(void) {
    begin_watched(0);
    watch(call.camera->track);
    watch(0);
    run(4 * S);
    watch(call.camera->track);
    run(10 * S);
    CHECK_INT(told.count, 0);
    rig_close();
}

static void a_watcher_is_told_at_once(void) {
    begin_watched(0);
    run(7 * S);
    CHECK_INT(told.layers, 0);
    uint64_t came_us = rig.now_us;
    watch(call.camera->track);
    rig_run(1 * MS);
    CHECK_INT(told.layers, 7);
    CHECK_INT(told.at_us, came_us);
    rig_close();
}

static void layers_up_to_the_largest_tile_are_watched(void) {
    begin_watched(0);
    watch(call.camera->track);
    wish((struct sfu_wish){.max_height = 400});
    run(7 * S);
    CHECK_INT(told.layers, 3);
    wish((struct sfu_wish){.max_height = 90});
    run(7 * S);
    CHECK_INT(told.layers, 1);
    wish((struct sfu_wish){.max_height = 720});
    rig_run(1 * MS);
    CHECK_INT(told.layers, 7);
    wish((struct sfu_wish){.paused = true});
    run(7 * S);
    CHECK_INT(told.layers, 0);
    rig_close();
}

/* What bandwidth denies is still wished for. */
static void a_target_below_the_wish_changes_nothing(void) {
    begin_watched(0);
    watch(call.camera->track);
    for (int i = 0; i < 70; i++) {
        sfu_slot_set_target(rig_slot(call.viewer, call.slot), rig.now_us,
                            &(struct sfu_target){.paused = true});
        run(100 * MS);
    }
    CHECK_INT(told.count, 0);
    rig_close();
}

static void mirrors_tell_their_owner(void) {
    begin_watched(1);
    CHECK_INT(sfu_engine_mirror_open(rig.engines[1], 0, call.camera), 0);
    sfu_engine_mirror_feed(rig.engines[0], call.camera->track, 1, true);
    rig_run_pipes();
    watch(call.camera->track);
    run(10 * S);
    CHECK_INT(told.count, 0);
    watch(0);
    run(7 * S);
    CHECK_INT(told.layers, 0);
    watch(call.camera->track);
    rig_run(1 * MS);
    CHECK_INT(told.layers, 7);
    sfu_engine_mirror_close(rig.engines[1], call.camera->track);
    sfu_engine_mirror_feed(rig.engines[0], call.camera->track, 1, false);
    run(7 * S);
    CHECK_INT(told.layers, 0);
    rig_close();
}

static const struct test tests[] = {
    {"nobody_watches_is_told_after_five_seconds", nobody_watches_is_told_after_five_seconds},
    {"whoever_comes_back_in_time_changes_nothing", whoever_comes_back_in_time_changes_nothing},
    {"a_watcher_is_told_at_once", a_watcher_is_told_at_once},
    {"layers_up_to_the_largest_tile_are_watched", layers_up_to_the_largest_tile_are_watched},
    {"a_target_below_the_wish_changes_nothing", a_target_below_the_wish_changes_nothing},
    {"mirrors_tell_their_owner", mirrors_tell_their_owner},
};

TEST_MAIN(tests)
