/* Ramps: when a crowd grows, when a step is repeated, when it is over, and whose fault that was. */
#include "bench/ramp.h"

#include <string.h>

#include "tests/unit/test.h"

static struct bench_plan plan;
static struct bench_results results;
static struct bench_ramp ramp;

static void begin(const char *what, double size) {
    results = (struct bench_results){0};
    CHECK_INT(bench_plan_init(&plan, "ramp"), 0);
    snprintf(plan.ramp, sizeof(plan.ramp), "%s", what);
    plan.subscribers = plan.rooms = size;
    bench_ramp_init(&ramp, &plan);
}

static enum bench_ramp_verdict judge(bool is_good, bool is_bottleneck, bool somebody_failed) {
    struct bench_window window = {.is_good = is_good, .is_bottleneck = is_bottleneck};
    return bench_ramp_judge(&ramp, &window, somebody_failed, &results);
}

static void a_good_step_makes_it_grow(void) {
    begin("subscribers", 50);
    CHECK_INT(judge(true, false, false), BENCH_RAMP_GROW);
    CHECK_INT(results.capacity, 50);
}

static void a_bad_step_is_measured_twice_and_the_last_good_one_counts(void) {
    begin("rooms", 8);
    CHECK_INT(judge(true, false, false), BENCH_RAMP_GROW);
    *ramp.field = ramp.size = 10;
    CHECK_INT(judge(false, false, false), BENCH_RAMP_AGAIN);
    CHECK_INT(judge(false, false, false), BENCH_RAMP_OVER);
    CHECK_INT(results.capacity, 8);
    CHECK(!results.capacity_is_crowds);
}

static void one_bad_measurement_between_good_ones_is_forgiven(void) {
    begin("rooms", 8);
    CHECK_INT(judge(false, false, false), BENCH_RAMP_AGAIN);
    CHECK_INT(judge(true, false, false), BENCH_RAMP_GROW);
    CHECK_INT(judge(false, false, false), BENCH_RAMP_AGAIN);
}

static void who_cannot_come_ends_it_at_once(void) {
    begin("subscribers", 50);
    CHECK_INT(judge(false, false, true), BENCH_RAMP_OVER);
    CHECK_INT(results.capacity, 0);
}

/* A server that pauses pictures loses nothing. */
static void a_step_in_which_each_gets_less_is_not_good(void) {
    static const double rates[] = {1000, 990, 100};
    enum bench_ramp_verdict verdicts[3];
    begin("rooms", 8);
    for (size_t i = 0; i < 3; i++) {
        struct bench_window window = {
            .is_good = true, .watching = 10, .packets_per_s = rates[i] * 10};
        verdicts[i] = bench_ramp_judge(&ramp, &window, false, &results);
    }
    CHECK_INT(verdicts[1], BENCH_RAMP_GROW);
    CHECK_INT(verdicts[2], BENCH_RAMP_AGAIN);
}

static void a_crowd_that_broke_first_says_so(void) {
    begin("subscribers", 50);
    judge(false, true, false);
    CHECK_INT(judge(false, true, false), BENCH_RAMP_OVER);
    CHECK(results.capacity_is_crowds);
}

static void it_goes_no_further_than_told(void) {
    begin("subscribers", 50);
    plan.ramp_max = 50;
    CHECK_INT(judge(true, false, false), BENCH_RAMP_OVER);
}

static void without_a_ramp_one_window_is_all(void) {
    begin("none", 50);
    CHECK_INT(judge(true, false, false), BENCH_RAMP_OVER);
}

static const struct test tests[] = {
    {"a_good_step_makes_it_grow", a_good_step_makes_it_grow},
    {"a_bad_step_is_measured_twice_and_the_last_good_one_counts",
     a_bad_step_is_measured_twice_and_the_last_good_one_counts},
    {"one_bad_measurement_between_good_ones_is_forgiven",
     one_bad_measurement_between_good_ones_is_forgiven},
    {"who_cannot_come_ends_it_at_once", who_cannot_come_ends_it_at_once},
    {"a_step_in_which_each_gets_less_is_not_good", a_step_in_which_each_gets_less_is_not_good},
    {"a_crowd_that_broke_first_says_so", a_crowd_that_broke_first_says_so},
    {"it_goes_no_further_than_told", it_goes_no_further_than_told},
    {"without_a_ramp_one_window_is_all", without_a_ramp_one_window_is_all},
};

TEST_MAIN(tests)
