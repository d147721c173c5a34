#include "sfu/load.h"

#include "tests/unit/test.h"

/* Wakes up each 10 ms and works for so long. Returns for how long the last wake-up should gather.
 */
static uint64_t work(struct sfu_load *load, uint64_t from_us, int turns, uint64_t for_us) {
    uint64_t gather_us = 0;
    for (int i = 0; i < turns; i++) {
        uint64_t now_us = from_us + (uint64_t)i * 10000;
        gather_us = sfu_load_on_wakeup(load, now_us);
        sfu_load_on_rest(load, now_us + for_us);
    }
    return gather_us;
}

static void nothing_is_gathered_below_half_a_load(void) {
    struct sfu_load load = {0};
    CHECK_INT(work(&load, 1000000, 100, 4900), 0);
}

static void above_half_a_load_each_wakeup_after_a_rest_gathers(void) {
    struct sfu_load load = {0};
    CHECK_INT(work(&load, 1000000, 100, 5500), SFU_LOAD_GATHER_US);
}

static void a_wakeup_without_a_rest_before_it_does_not_gather(void) {
    struct sfu_load load = {0};
    work(&load, 1000000, 100, 9000);
    uint64_t rested_us = 1000000 + 99 * 10000 + 9000;
    CHECK_INT(sfu_load_on_wakeup(&load, rested_us + SFU_LOAD_REST_US - 1), 0);
    CHECK_INT(sfu_load_on_wakeup(&load, rested_us + SFU_LOAD_REST_US), SFU_LOAD_GATHER_US);
}

static void gathering_is_no_work(void) {
    struct sfu_load load = {0};
    for (uint64_t now_us = 1000000; now_us < 2000000; now_us += 1000) {
        sfu_load_on_wakeup(&load, now_us);
        sfu_load_on_gathered(&load, now_us + 300);
        sfu_load_on_rest(&load, now_us + 700); /* 70 % with the gathering, 40 % without. */
    }
    CHECK(!load.is_high);
}

static void it_ends_with_the_load(void) {
    struct sfu_load load = {0};
    work(&load, 1000000, 100, 9000);
    CHECK_INT(work(&load, 2000000, 11, 1000), 0);
}

static const struct test tests[] = {
    {"nothing_is_gathered_below_half_a_load", nothing_is_gathered_below_half_a_load},
    {"above_half_a_load_each_wakeup_after_a_rest_gathers",
     above_half_a_load_each_wakeup_after_a_rest_gathers},
    {"a_wakeup_without_a_rest_before_it_does_not_gather",
     a_wakeup_without_a_rest_before_it_does_not_gather},
    {"gathering_is_no_work", gathering_is_no_work},
    {"it_ends_with_the_load", it_ends_with_the_load},
};

TEST_MAIN(tests)
