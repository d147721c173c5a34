/* Who gets which rung, in which order, and why. */
#include "rtp/allocator.h"

#include "tests/unit/rtp/ladders.h"
#include "tests/unit/test.h"

enum { KBPS = 1000, SECOND = 1000 * 1000, PLENTY = 100 * 1000 * KBPS };

/* Indices into ladder_simulcast. */
enum { Q8, Q15, Q30, H8, H15, H30, F8, F15, F30 };

static struct rtp_allocator_slot slot;

static uint64_t run(uint64_t budget_bps) {
    return rtp_allocator_run(&slot, 1, budget_bps, SECOND);
}

/* What a fresh slot with this tile gets on an unlimited network. */
static int best_in(uint16_t width, uint16_t height, uint16_t fps) {
    slot = ladder_camera(1);
    slot.max_width = width;
    slot.max_height = height;
    slot.max_fps = fps;
    run(PLENTY);
    CHECK_INT(slot.chosen, slot.wanted);
    return slot.chosen;
}

static void the_best_is_taken_when_there_is_plenty(void) {
    slot = ladder_camera(1);
    CHECK_INT(run(PLENTY), 2750 * KBPS);
    CHECK_INT(slot.chosen, F30);
    CHECK_INT(slot.wanted, F30);
    CHECK_STR(rtp_allocator_reason_name(slot.reason), "wanted");
}

static void no_picture_is_larger_than_its_tile_needs(void) {
    CHECK_INT(best_in(320, 180, 0), Q30);
    CHECK_STR(rtp_allocator_reason_name(slot.reason), "size");
    CHECK_INT(best_in(640, 360, 0), H30);
    CHECK_INT(best_in(1920, 1080, 0), F30);
    CHECK_STR(rtp_allocator_reason_name(slot.reason), "wanted");
    /* 360 lines fill 90 % of this one. */
    CHECK_INT(best_in(711, 400, 0), H30);
    /* 180 lines would fill 64 %, and be stretched by half. */
    CHECK_INT(best_in(500, 280, 0), H30);
    /* A pixel less by rounding is no smaller tile. */
    CHECK_INT(best_in(639, 359, 0), H30);
    /* One side is enough to bind. */
    CHECK_INT(best_in(0, 180, 0), Q30);
    /* Nothing is small enough: the smallest. */
    CHECK_INT(best_in(64, 36, 0), Q30);
}

static void what_is_far_above_the_tile_is_not_taken(void) {
    /* The encoding between is missing: twice the tile in each direction. */
    static const struct rtp_rung rungs[] = {{150000, 320, 180, 30, 0, 0, 0},
                                            {2500000, 1280, 720, 30, 2, 0, 0}};
    slot = ladder_slot(1, rungs, 2);
    slot.max_width = 640;
    slot.max_height = 360;
    run(PLENTY);
    CHECK_INT(slot.chosen, 0);
    slot = ladder_slot(1, rungs + 1, 1);
    slot.max_width = 640;
    run(PLENTY);
    CHECK_INT(slot.chosen, 0);
}

static void no_more_frames_than_wished_for(void) {
    CHECK_INT(best_in(0, 0, 15), F15);
    CHECK_STR(rtp_allocator_reason_name(slot.reason), "fps");
    CHECK_INT(best_in(0, 0, 5), F8);
    CHECK_INT(best_in(0, 0, 29), F30);
}

static void frames_go_before_pixels_but_not_below_fluent(void) {
    /* At most so many kb/s, with 10 % to spare above the cheapest. */
    static const struct {
        uint32_t budget_kbps;
        int chosen;
    } rows[] = {{89, -1},   {90, Q8},   {131, Q8},   {132, Q15},  {165, Q30}, {330, Q30},
                {440, H15}, {550, H30}, {1650, H30}, {2200, F15}, {2750, F30}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        slot = ladder_camera(1);
        run((uint64_t)rows[i].budget_kbps * KBPS);
        CHECK_INT(slot.chosen, rows[i].chosen);
    }
}

static void a_screen_gives_frames_away_before_pixels(void) {
    slot = ladder_camera(1);
    slot.screen = true;
    run(1650 * KBPS);
    CHECK_INT(slot.chosen, F8);
    slot = ladder_camera(1);
    slot.screen = true;
    run(330 * KBPS);
    CHECK_INT(slot.chosen, H8);
}

static void a_screen_is_readable_before_a_camera_is_large(void) {
    struct rtp_allocator_slot slots[] = {ladder_camera(1), ladder_camera(2)};
    slots[1].screen = true;
    rtp_allocator_run(slots, 2, 1750 * KBPS, 0);
    CHECK(slots[0].chosen == Q8 && slots[1].chosen == F8);
}

static void a_slow_camera_is_not_taken_for_a_thinned_one(void) {
    /* Ten frames a second in the dark: that is all there is. */
    static const struct rtp_rung rungs[] = {{100000, 320, 180, 10, 0, 0, 0},
                                            {400000, 640, 360, 10, 1, 0, 0}};
    slot = ladder_slot(1, rungs, 2);
    run(PLENTY);
    CHECK_INT(slot.chosen, 1);
}

static void unknown_sizes_leave_the_given_order(void) {
    static const struct rtp_rung rungs[] = {
        {100000, 0, 0, 0, 0, 0, 0}, {400000, 0, 0, 0, 1, 0, 0}, {900000, 0, 0, 0, 2, 0, 0}};
    slot = ladder_slot(1, rungs, 3);
    slot.max_width = 100;
    run(450 * KBPS);
    CHECK_INT(slot.chosen, 1);
    CHECK_INT(slot.wanted, 2);
}

static void a_layer_that_does_not_flow_is_not_waited_for(void) {
    struct rtp_rung rungs[LADDER_SIMULCAST];
    memcpy(rungs, ladder_simulcast, sizeof rungs);
    for (int i = F8; i <= F30; i++)
        rungs[i].bps = 0;
    slot = ladder_slot(1, rungs, LADDER_SIMULCAST);
    CHECK_INT(run(PLENTY), 550 * KBPS);
    CHECK_INT(slot.chosen, H30);
    CHECK_INT(slot.wanted, F30);
    CHECK_STR(rtp_allocator_reason_name(slot.reason), "not_flowing");
    for (int i = Q8; i <= H30; i++)
        rungs[i].bps = 0;
    CHECK_INT(run(PLENTY), 0);
    CHECK_INT(slot.chosen, -1);
    CHECK_STR(rtp_allocator_reason_name(slot.reason), "not_flowing");
    /* Only the largest flows, and the tile is small. */
    rungs[F30].bps = 2500 * KBPS;
    slot.max_width = 320;
    run(PLENTY);
    CHECK_INT(slot.chosen, F30);
}

static void reasons_tell_what_the_client_and_the_publisher_did(void) {
    slot = ladder_camera(1);
    slot.paused = true;
    CHECK_INT(run(PLENTY), 0);
    CHECK_INT(slot.chosen, -1);
    CHECK_STR(rtp_allocator_reason_name(slot.reason), "paused_by_client");
    slot = ladder_slot(1, NULL, 0);
    CHECK_INT(run(PLENTY), 0);
    CHECK_INT(slot.wanted, -1);
    CHECK_STR(rtp_allocator_reason_name(slot.reason), "nothing_published");
}

static void audio_goes_first_and_takes_what_it_needs(void) {
    struct rtp_allocator_slot slots[] = {ladder_camera(1),
                                         ladder_slot(2, ladder_audio, LADDER_SINGLE)};
    slots[1].audio = true;
    CHECK_INT(rtp_allocator_run(slots, 2, 129 * KBPS, 0), 3040 * KBPS);
    CHECK_INT(slots[0].chosen, -1);
    CHECK_INT(slots[1].chosen, 0);
    slots[0] = ladder_camera(1);
    rtp_allocator_run(slots, 2, 130 * KBPS, 0);
    CHECK_INT(slots[0].chosen, Q8);
    rtp_allocator_run(slots, 2, 0, 0);
    CHECK_INT(slots[0].chosen, -1);
    CHECK_INT(slots[1].chosen, 0);
}

/* What three cameras get of a budget when the second one is set apart by `make`. */
static void share_three(uint32_t budget_kbps, void (*make)(struct rtp_allocator_slot *),
                        int8_t chosen[3]) {
    struct rtp_allocator_slot slots[] = {ladder_camera(1), ladder_camera(2), ladder_camera(3)};
    make(&slots[1]);
    rtp_allocator_run(slots, 3, (uint64_t)budget_kbps * KBPS, 0);
    for (int i = 0; i < 3; i++)
        chosen[i] = slots[i].chosen;
}

static void make_nothing(struct rtp_allocator_slot *one) {
    (void)one;
}
static void make_pinned(struct rtp_allocator_slot *one) {
    one->priority = 1;
}
static void make_screen(struct rtp_allocator_slot *one) {
    one->screen = true;
}
static void make_speaking(struct rtp_allocator_slot *one) {
    one->speaking = true;
}

static void everybody_is_seen_before_anybody_is_large(void) {
    int8_t got[3];
    share_three(270, make_nothing, got);
    CHECK(got[0] == Q8 && got[1] == Q8 && got[2] == Q8);
    /* What is left over by the one that cannot be seen is not lost to the others. */
    share_three(269, make_nothing, got);
    CHECK(got[0] == Q30 && got[1] == Q8 && got[2] == -1);
    /* All at 360 lines before the first has 720. */
    share_three(1650, make_nothing, got);
    CHECK(got[0] == H30 && got[1] == H30 && got[2] == H30);
    share_three(3300, make_nothing, got);
    CHECK(got[0] == F15 && got[1] == H30 && got[2] == H30);
    share_three(3850, make_nothing, got);
    CHECK(got[0] == F30 && got[1] == H30 && got[2] == H30);
}

static void the_more_important_is_raised_first(void) {
    static void (*const makes[])(struct rtp_allocator_slot *) = {make_pinned, make_screen,
                                                                 make_speaking};
    int8_t got[3];
    for (int i = 0; i < 3; i++) {
        share_three(3850, makes[i], got);
        CHECK(got[0] == H30 && got[1] == F30 && got[2] == H30);
        share_three(90, makes[i], got);
        CHECK(got[0] == -1 && got[1] == Q8 && got[2] == -1);
    }
}

static void priority_outweighs_screen_and_screen_outweighs_speech(void) {
    struct rtp_allocator_slot slots[] = {ladder_camera(1), ladder_camera(2), ladder_camera(3)};
    slots[0].speaking = true;
    slots[1].screen = true;
    slots[2].priority = 1;
    rtp_allocator_run(slots, 3, 100 * KBPS, 0);
    CHECK(slots[0].chosen < 0 && slots[1].chosen < 0 && slots[2].chosen == Q8);
    slots[2].priority = 0;
    for (int i = 0; i < 3; i++)
        slots[i].state = (struct rtp_allocator_state){0};
    rtp_allocator_run(slots, 3, 100 * KBPS, 0);
    CHECK(slots[0].chosen < 0 && slots[1].chosen == Q8 && slots[2].chosen < 0);
}

static void a_paused_slot_says_bandwidth(void) {
    slot = ladder_camera(1);
    CHECK_INT(run(50 * KBPS), 3000 * KBPS);
    CHECK_INT(slot.chosen, -1);
    CHECK_INT(slot.wanted, F30);
    CHECK_STR(rtp_allocator_reason_name(slot.reason), "bandwidth");
}

static void no_budget_is_too_large(void) {
    slot = ladder_camera(1);
    run(UINT64_MAX);
    CHECK_INT(slot.chosen, F30);
    run(UINT64_MAX);
    CHECK_INT(slot.chosen, F30);
}

static const struct test tests[] = {
    {"the_best_is_taken_when_there_is_plenty", the_best_is_taken_when_there_is_plenty},
    {"no_picture_is_larger_than_its_tile_needs", no_picture_is_larger_than_its_tile_needs},
    {"what_is_far_above_the_tile_is_not_taken", what_is_far_above_the_tile_is_not_taken},
    {"no_more_frames_than_wished_for", no_more_frames_than_wished_for},
    {"frames_go_before_pixels_but_not_below_fluent", frames_go_before_pixels_but_not_below_fluent},
    {"a_screen_gives_frames_away_before_pixels", a_screen_gives_frames_away_before_pixels},
    {"a_screen_is_readable_before_a_camera_is_large",
     a_screen_is_readable_before_a_camera_is_large},
    {"a_slow_camera_is_not_taken_for_a_thinned_one", a_slow_camera_is_not_taken_for_a_thinned_one},
    {"unknown_sizes_leave_the_given_order", unknown_sizes_leave_the_given_order},
    {"a_layer_that_does_not_flow_is_not_waited_for", a_layer_that_does_not_flow_is_not_waited_for},
    {"reasons_tell_what_the_client_and_the_publisher_did",
     reasons_tell_what_the_client_and_the_publisher_did},
    {"audio_goes_first_and_takes_what_it_needs", audio_goes_first_and_takes_what_it_needs},
    {"everybody_is_seen_before_anybody_is_large", everybody_is_seen_before_anybody_is_large},
    {"the_more_important_is_raised_first", the_more_important_is_raised_first},
    {"priority_outweighs_screen_and_screen_outweighs_speech",
     priority_outweighs_screen_and_screen_outweighs_speech},
    {"a_paused_slot_says_bandwidth", a_paused_slot_says_bandwidth},
    {"no_budget_is_too_large", no_budget_is_too_large},
};

TEST_MAIN(tests)
