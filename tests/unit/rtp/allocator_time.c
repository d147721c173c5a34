/* What time does to an allocation: how long a raise waits, what it learns from setbacks. */
#include "rtp/allocator.h"

#include "tests/unit/rtp/ladders.h"
#include "tests/unit/test.h"

enum { KBPS = 1000, SECOND = 1000 * 1000, TICK_US = 100 * 1000 };

/* Indices into ladder_simulcast. */
enum { Q8, Q15, Q30, H8, H15, H30, F8, F15, F30 };

static struct rtp_allocator_slot slots[2];
static size_t count = 1;
static uint64_t now_us = SECOND;

static void run(uint32_t kbps) {
    rtp_allocator_run(slots, count, (uint64_t)kbps * KBPS, now_us);
}

static void run_for(uint32_t kbps, uint64_t length_us) {
    for (uint64_t end_us = now_us + length_us; now_us < end_us; now_us += TICK_US)
        run(kbps);
    run(kbps);
}

/* How long until the slot has this rung; fails after ten minutes. */
static uint64_t time_until(int chosen, uint32_t kbps) {
    uint64_t begin_us = now_us;
    for (; slots[0].chosen != chosen; now_us += TICK_US) {
        CHECK(now_us - begin_us < (uint64_t)600 * SECOND);
        run(kbps);
    }
    return now_us - begin_us;
}

static void an_estimate_on_its_way_up_is_followed_after_a_second(void) {
    slots[0] = ladder_camera(1);
    run_for(300, 2 * SECOND);
    CHECK_INT(slots[0].chosen, Q30);
    uint64_t took_us = time_until(F30, 2800);
    CHECK(took_us > SECOND && took_us <= SECOND + 2 * TICK_US);
}

static void the_deadline_is_when_the_raise_is_due(void) {
    slots[0] = ladder_camera(1);
    run_for(300, 2 * SECOND);
    CHECK_INT(rtp_allocator_next_deadline(slots, 1), (int64_t)UINT64_MAX);
    run(2800);
    CHECK_INT(slots[0].reason, RTP_ALLOCATOR_HYSTERESIS);
    CHECK_INT(rtp_allocator_next_deadline(slots, 1), now_us + SECOND);
    now_us += SECOND;
    run(2800);
    CHECK_INT(slots[0].chosen, F30);
    CHECK_INT(rtp_allocator_next_deadline(slots, 1), (int64_t)UINT64_MAX);
}

static void a_raise_starts_to_wait_again_when_the_estimate_falls_meanwhile(void) {
    slots[0] = ladder_camera(1);
    run_for(300, 2 * SECOND);
    run_for(2800, SECOND / 2);
    run(320);
    now_us += TICK_US;
    uint64_t took_us = time_until(F30, 2800);
    CHECK(took_us > SECOND);
}

static void a_usual_estimate_is_trusted_after_ten_seconds(void) {
    slots[0] = ladder_camera(1);
    run_for(2640, 60 * SECOND);
    CHECK_INT(slots[0].chosen, F15);
    uint64_t took_us = time_until(F30, 3000);
    CHECK(took_us >= 10 * SECOND && took_us <= 10 * SECOND + 2 * TICK_US);
}

static void a_rung_is_lost_at_once_with_something_to_spare(void) {
    slots[0] = ladder_camera(1);
    run_for(3000, 20 * SECOND);
    run(2499);
    CHECK_INT(slots[0].chosen, F15);
    CHECK_STR(rtp_allocator_reason_name(slots[0].reason), "bandwidth");
    run(1999);
    CHECK_INT(slots[0].chosen, H30);
}

static void each_setback_doubles_the_wait_and_asks_for_more(void) {
    slots[0] = ladder_camera(1);
    run_for(3000, 20 * SECOND);
    static const uint32_t waits_s[] = {20, 40, 80};
    static const uint32_t enough_kbps[] = {3750, 5000, 5000}, little_kbps[] = {3740, 4990, 4990};
    for (int i = 0; i < 3; i++) {
        run_for(2400, 60 * SECOND);
        CHECK_INT(slots[0].state.setbacks, i + 1);
        slots[0].state.setback_total_bps = 100000 * KBPS; /* As if it had never been so little. */
        /* Slowly up, so that it is not on its way up. */
        for (uint32_t kbps = 2400; kbps < little_kbps[i]; kbps += 20)
            run_for(kbps, SECOND);
        CHECK_INT(slots[0].chosen, F15);
        uint64_t took_us = time_until(F30, enough_kbps[i]);
        CHECK(took_us >= (uint64_t)waits_s[i] * SECOND);
        CHECK(took_us <= (uint64_t)waits_s[i] * SECOND + 2 * TICK_US);
    }
}

static void a_network_that_falls_away_and_returns_is_used_again_at_once(void) {
    slots[0] = ladder_camera(1);
    run_for(3000, 20 * SECOND);
    run_for(2200, SECOND);
    run_for(1500, SECOND);
    run_for(500, 10 * SECOND);
    CHECK_INT(slots[0].chosen, H30);
    CHECK_INT(slots[0].state.setbacks, 0);
    uint64_t took_us = time_until(F30, 3000);
    CHECK(took_us <= SECOND + 2 * TICK_US);
}

static void a_much_better_network_is_a_new_one(void) {
    slots[0] = ladder_camera(1);
    run_for(3000, 20 * SECOND);
    run_for(2400, 30 * SECOND);
    CHECK_INT(slots[0].state.setbacks, 1);
    run(3800);
    CHECK_INT(slots[0].state.setbacks, 0);
}

static void a_setback_is_forgotten_after_ten_minutes(void) {
    slots[0] = ladder_camera(1);
    run_for(3000, 20 * SECOND);
    run_for(2400, (uint64_t)599 * SECOND);
    CHECK_INT(slots[0].state.setbacks, 1);
    run_for(2400, 2 * SECOND);
    CHECK_INT(slots[0].state.setbacks, 0);
}

static void a_paused_slot_resumes_only_when_that_will_last(void) {
    slots[0] = ladder_camera(1);
    run_for(95, 20 * SECOND);
    CHECK_INT(slots[0].chosen, Q8);
    run(85);
    CHECK_INT(slots[0].chosen, -1);
    run_for(130, 30 * SECOND);
    CHECK_INT(slots[0].chosen, -1);
    run_for(136, 30 * SECOND);
    CHECK(slots[0].chosen >= Q8);
}

static void a_pause_lasts_seconds_where_a_raise_would_wait_longer(void) {
    slots[0] = ladder_camera(1);
    run_for(95, 20 * SECOND);
    run(85);
    run_for(110, 20 * SECOND);
    CHECK_INT(slots[0].chosen, -1);
    run_for(140, 3 * SECOND);
    CHECK(slots[0].chosen >= Q8);
}

/* Paused by so little that it counts as a setback, and not lately. */
static void pause_slot(void) {
    slots[0] = ladder_camera(1);
    run_for(95, 20 * SECOND);
    run_for(85, 11 * SECOND);
    CHECK_INT(slots[0].chosen, -1);
}

static void who_comes_back_to_an_ample_network_does_not_wait(void) {
    pause_slot();
    run(140);
    CHECK_INT(slots[0].chosen, Q8);
    pause_slot();
    run(2800); /* Ample for the medium layer, and enough for the large one. */
    CHECK_INT(slots[0].chosen, H30);
    CHECK(time_until(F30, 2800) <= SECOND + 2 * TICK_US);
    pause_slot();
    run(3760);
    CHECK_INT(slots[0].chosen, F30);
}

/* As above, but what is ample for one is not for both. */
static void what_is_ample_is_given_once(void) {
    count = 2;
    slots[0] = ladder_camera(1);
    slots[1] = ladder_camera(2);
    run_for(190, 20 * SECOND);
    run_for(50, 11 * SECOND);
    CHECK(slots[0].chosen == -1 && slots[1].chosen == -1);
    run(150);
    CHECK(slots[0].chosen == Q8 && slots[1].chosen == -1);
}

static void what_was_just_taken_away_is_waited_for(void) {
    pause_slot();
    run(140);
    run_for(85, SECOND);
    CHECK_INT(slots[0].chosen, -1);
    run(4000);
    CHECK_INT(slots[0].chosen, -1);
    CHECK(time_until(F30, 4000) <= SECOND + 2 * TICK_US);
}

/* The estimate is not on its way up, and any other raise would wait for ten. */
static void a_second_after_the_pause_the_rest_follows(void) {
    pause_slot();
    for (uint32_t kbps = 85; kbps < 136; kbps += 2)
        run_for(kbps, 2 * SECOND);
    CHECK_INT(slots[0].chosen, Q8);
    CHECK(time_until(Q15, 150) <= SECOND + 2 * TICK_US);
    CHECK(time_until(Q30, 181) >= 10 * SECOND);
}

static void a_tile_that_was_hidden_is_served_at_once(void) {
    slots[0] = ladder_camera(1);
    run_for(3000, 20 * SECOND);
    slots[0].paused = true;
    run_for(3000, 20 * SECOND);
    slots[0].paused = false;
    run(3000);
    CHECK_INT(slots[0].chosen, F30);
}

/* A camera of fine steps lost the last of them, and has the second. */
static void fail_finely(void) {
    static const struct rtp_rung rungs[] = {{1000000, 1280, 720, 10, 0, 0, 0},
                                            {1100000, 1280, 720, 15, 0, 0, 1},
                                            {1200000, 1280, 720, 20, 0, 0, 2},
                                            {1300000, 1280, 720, 30, 0, 0, 3}};
    slots[0] = ladder_slot(1, rungs, 4);
    run_for(1600, 20 * SECOND);
    CHECK_INT(slots[0].chosen, 3);
    run_for(1290, SECOND);
    run_for(1110, 30 * SECOND);
    CHECK_INT(slots[0].chosen, 1);
}

/* With the margin that a setback asks for otherwise, the estimate would have to be 1,800. */
static void on_the_way_up_a_setback_costs_no_fine_step_below_it(void) {
    fail_finely();
    CHECK(time_until(2, 1600) <= SECOND + 2 * TICK_US);
}

static void on_the_way_up_what_was_too_much_is_not_tried_again(void) {
    fail_finely();
    run_for(1900, 30 * SECOND);
    CHECK_INT(slots[0].chosen, 2);
    CHECK_INT(slots[0].state.setbacks, 1);
}

static void a_larger_tile_is_served_at_once(void) {
    slots[0] = ladder_camera(1);
    slots[0].max_width = 320;
    run_for(3000, 20 * SECOND);
    CHECK_INT(slots[0].chosen, Q30);
    slots[0].max_width = 1280;
    run(3100);
    CHECK_INT(slots[0].chosen, F30);
}

static void whoever_begins_to_speak_takes_over_what_the_silent_has(void) {
    count = 2;
    slots[0] = ladder_camera(1);
    slots[1] = ladder_camera(2);
    slots[1].speaking = true;
    run_for(3300, 30 * SECOND);
    CHECK(slots[0].chosen == H30 && slots[1].chosen == F30);
    slots[1].speaking = false;
    run_for(3300, 30 * SECOND);
    /* Between equals, whoever has it keeps it. */
    CHECK(slots[0].chosen == H30 && slots[1].chosen == F30);
    slots[0].speaking = true;
    CHECK(time_until(F30, 3300) <= SECOND + 2 * TICK_US);
    CHECK_INT(slots[1].chosen, H30);
    /* That was not the network's doing. */
    CHECK_INT(slots[1].state.setbacks, 0);
}

static void what_a_waiting_raise_will_take_goes_to_nobody_else(void) {
    count = 2;
    slots[0] = ladder_camera(1);
    slots[0].priority = 1;
    slots[1] = ladder_camera(2);
    slots[0].max_fps = 5;
    run_for(100, 30 * SECOND);
    CHECK(slots[0].chosen == Q8 && slots[1].chosen == -1);
    /* Enough for the paused one, just not for long enough, when the other wishes for more. */
    slots[0].max_fps = 0;
    run(220);
    CHECK(slots[0].chosen == Q8 && slots[1].chosen == -1);
    run_for(220, 2 * SECOND);
    CHECK(slots[0].chosen >= Q8 && slots[1].chosen >= Q8);
}

static void a_rung_that_stops_flowing_is_left_without_a_setback(void) {
    struct rtp_rung rungs[LADDER_SIMULCAST];
    memcpy(rungs, ladder_simulcast, sizeof rungs);
    slots[0] = ladder_slot(1, rungs, LADDER_SIMULCAST);
    run_for(3000, 5 * SECOND);
    slots[0].rung_count = F8;
    run(3000);
    CHECK_INT(slots[0].chosen, H30);
    CHECK_INT(slots[0].state.setbacks, 0);
    slots[0].rung_count = LADDER_SIMULCAST;
    run(3000);
    CHECK_INT(slots[0].chosen, F30);
}

static const struct test tests[] = {
    {"an_estimate_on_its_way_up_is_followed_after_a_second",
     an_estimate_on_its_way_up_is_followed_after_a_second},
    {"the_deadline_is_when_the_raise_is_due", the_deadline_is_when_the_raise_is_due},
    {"a_raise_starts_to_wait_again_when_the_estimate_falls_meanwhile",
     a_raise_starts_to_wait_again_when_the_estimate_falls_meanwhile},
    {"a_usual_estimate_is_trusted_after_ten_seconds",
     a_usual_estimate_is_trusted_after_ten_seconds},
    {"a_rung_is_lost_at_once_with_something_to_spare",
     a_rung_is_lost_at_once_with_something_to_spare},
    {"each_setback_doubles_the_wait_and_asks_for_more",
     each_setback_doubles_the_wait_and_asks_for_more},
    {"a_network_that_falls_away_and_returns_is_used_again_at_once",
     a_network_that_falls_away_and_returns_is_used_again_at_once},
    {"a_much_better_network_is_a_new_one", a_much_better_network_is_a_new_one},
    {"a_setback_is_forgotten_after_ten_minutes", a_setback_is_forgotten_after_ten_minutes},
    {"a_paused_slot_resumes_only_when_that_will_last",
     a_paused_slot_resumes_only_when_that_will_last},
    {"a_pause_lasts_seconds_where_a_raise_would_wait_longer",
     a_pause_lasts_seconds_where_a_raise_would_wait_longer},
    {"who_comes_back_to_an_ample_network_does_not_wait",
     who_comes_back_to_an_ample_network_does_not_wait},
    {"what_is_ample_is_given_once", what_is_ample_is_given_once},
    {"what_was_just_taken_away_is_waited_for", what_was_just_taken_away_is_waited_for},
    {"a_second_after_the_pause_the_rest_follows", a_second_after_the_pause_the_rest_follows},
    {"a_tile_that_was_hidden_is_served_at_once", a_tile_that_was_hidden_is_served_at_once},
    {"on_the_way_up_a_setback_costs_no_fine_step_below_it",
     on_the_way_up_a_setback_costs_no_fine_step_below_it},
    {"on_the_way_up_what_was_too_much_is_not_tried_again",
     on_the_way_up_what_was_too_much_is_not_tried_again},
    {"a_larger_tile_is_served_at_once", a_larger_tile_is_served_at_once},
    {"whoever_begins_to_speak_takes_over_what_the_silent_has",
     whoever_begins_to_speak_takes_over_what_the_silent_has},
    {"what_a_waiting_raise_will_take_goes_to_nobody_else",
     what_a_waiting_raise_will_take_goes_to_nobody_else},
    {"a_rung_that_stops_flowing_is_left_without_a_setback",
     a_rung_that_stops_flowing_is_left_without_a_setback},
};

TEST_MAIN(tests)
