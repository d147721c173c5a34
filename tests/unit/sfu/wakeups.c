#include "sfu/wakeups.h"
#include "tests/unit/test.h"

enum { SECOND_US = 1000 * 1000 };

/* Wake-ups in a second when something comes every so often and takes so long. */
static uint64_t wakeups_in_a_second(struct sfu_wakeups *wakeups, uint64_t from_us,
                                    uint64_t every_us, uint64_t work_us, uint64_t *longest_us) {
    uint64_t now_us = from_us, count = 0;
    *longest_us = 0;
    while (now_us < from_us + SECOND_US) {
        uint64_t next_us = (now_us / every_us + 1) * every_us;
        now_us = next_us + work_us;
        uint64_t rest_us = sfu_wakeups_rest_us(wakeups, now_us);
        *longest_us = rest_us > *longest_us ? rest_us : *longest_us;
        now_us += rest_us;
        count++;
    }
    return count;
}

static void seldom_wakeups_never_wait(void) {
    struct sfu_wakeups wakeups = {0};
    uint64_t longest_us;
    CHECK_INT(wakeups_in_a_second(&wakeups, 5 * SECOND_US, 1000, 50, &longest_us), 1000);
    CHECK_INT(longest_us, 0);
}

static void many_wakeups_become_2000_a_second(void) {
    struct sfu_wakeups wakeups = {0};
    uint64_t longest_us;
    wakeups_in_a_second(&wakeups, 5 * SECOND_US, 40, 10, &longest_us);
    uint64_t count = wakeups_in_a_second(&wakeups, 6 * SECOND_US, 40, 10, &longest_us);
    CHECK(count >= SECOND_US / SFU_WAKEUP_US * 9 / 10);
    CHECK(count <= SECOND_US / SFU_WAKEUP_US + 1);
    CHECK(longest_us <= SFU_WAKEUP_US);
}

static void a_burst_after_a_quiet_time_does_not_wait(void) {
    struct sfu_wakeups wakeups = {0};
    uint64_t now_us = SECOND_US;
    for (uint64_t i = 1; i * SFU_WAKEUP_US <= SFU_WAKEUPS_BURST_US; i++)
        CHECK_INT(sfu_wakeups_rest_us(&wakeups, now_us), 0);
    CHECK_INT(sfu_wakeups_rest_us(&wakeups, now_us), SFU_WAKEUP_US);
}

static void work_that_takes_as_long_is_no_reason_to_wait(void) {
    struct sfu_wakeups wakeups = {0};
    uint64_t longest_us;
    wakeups_in_a_second(&wakeups, 5 * SECOND_US, 10, SFU_WAKEUP_US, &longest_us);
    CHECK_INT(longest_us, 0);
}

static void ticks_divide_the_clock(void) {
    CHECK_INT(sfu_tick_at_us(0), 0);
    CHECK_INT(sfu_tick_at_us(1), SFU_TICK_MS * 1000);
    CHECK_INT(sfu_tick_at_us(7 * SFU_TICK_MS * 1000), 7 * SFU_TICK_MS * 1000);
    CHECK_INT(sfu_tick_at_us(7 * SFU_TICK_MS * 1000 + 1), 8 * SFU_TICK_MS * 1000);
    CHECK_INT(sfu_tick_wait_ms(7 * SFU_TICK_MS), SFU_TICK_MS);
    CHECK_INT(sfu_tick_wait_ms(8 * SFU_TICK_MS - 1), 1);
}

static const struct test tests[] = {
    {"seldom_wakeups_never_wait", seldom_wakeups_never_wait},
    {"many_wakeups_become_2000_a_second", many_wakeups_become_2000_a_second},
    {"a_burst_after_a_quiet_time_does_not_wait", a_burst_after_a_quiet_time_does_not_wait},
    {"work_that_takes_as_long_is_no_reason_to_wait", work_that_takes_as_long_is_no_reason_to_wait},
    {"ticks_divide_the_clock", ticks_divide_the_clock},
};

TEST_MAIN(tests)
