#include "sfu/load.h"

#include "tests/unit/test.h"

/* Wakes up each 10 ms and works for so long, in all turns. Returns when it rests. */
static uint64_t work(struct sfu_load *load, int turns, uint64_t for_us) {
    static uint64_t now_us = 1000000, cpu_us;
    for (int i = 0; i < turns; i++) {
        now_us += 10000;
        if (sfu_load_is_window_over(load, now_us))
            sfu_load_on_window(load, now_us, cpu_us);
        cpu_us += for_us;
        sfu_load_on_rest(load, now_us + for_us);
    }
    return now_us + for_us;
}

static void nothing_is_gathered_below_half_a_load(void) {
    struct sfu_load load = {0};
    CHECK_INT(sfu_load_gather_us(&load, 1000), 0);
    uint64_t rested_us = work(&load, 100, 4900);
    CHECK_INT(sfu_load_gather_us(&load, rested_us + 1000), 0);
}

static void above_half_a_load_each_wakeup_after_a_rest_gathers(void) {
    struct sfu_load load = {0};
    uint64_t rested_us = work(&load, 100, 5500);
    CHECK_INT(sfu_load_gather_us(&load, rested_us + SFU_LOAD_REST_US - 1), 0);
    CHECK_INT(sfu_load_gather_us(&load, rested_us + SFU_LOAD_REST_US), SFU_LOAD_GATHER_US);
}

static void it_ends_with_the_load(void) {
    struct sfu_load load = {0};
    work(&load, 100, 9000);
    uint64_t rested_us = work(&load, 11, 1000);
    CHECK_INT(sfu_load_gather_us(&load, rested_us + 1000), 0);
}

static void what_was_used_before_the_first_window_does_not_count(void) {
    struct sfu_load load = {0};
    CHECK(sfu_load_is_window_over(&load, 1000000));
    sfu_load_on_window(&load, 1000000, 900000);
    CHECK_INT(sfu_load_gather_us(&load, 1000000), 0);
}

static void a_window_is_50_ms(void) {
    struct sfu_load load = {0};
    sfu_load_on_window(&load, 1000000, 0);
    CHECK(!sfu_load_is_window_over(&load, 1049999));
    CHECK(sfu_load_is_window_over(&load, 1050000));
}

static const struct test tests[] = {
    {"nothing_is_gathered_below_half_a_load", nothing_is_gathered_below_half_a_load},
    {"above_half_a_load_each_wakeup_after_a_rest_gathers",
     above_half_a_load_each_wakeup_after_a_rest_gathers},
    {"it_ends_with_the_load", it_ends_with_the_load},
    {"what_was_used_before_the_first_window_does_not_count",
     what_was_used_before_the_first_window_does_not_count},
    {"a_window_is_50_ms", a_window_is_50_ms},
};

TEST_MAIN(tests)
