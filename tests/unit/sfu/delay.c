#include "sfu/delay.h"

#include "tests/unit/test.h"

static void bounds_rise(void) {
    for (int i = 1; i < SFU_DELAY_BOUNDS; i++)
        CHECK(sfu_delay_bounds_us[i] > sfu_delay_bounds_us[i - 1]);
}

static void a_delay_counts_up_to_its_bound(void) {
    struct sfu_delays delays = {0};
    sfu_delays_note(&delays, 0, 1);
    sfu_delays_note(&delays, sfu_delay_bounds_us[0], 10);
    sfu_delays_note(&delays, sfu_delay_bounds_us[0] + 1, 100);
    sfu_delays_note(&delays, sfu_delay_bounds_us[SFU_DELAY_BOUNDS - 1] + 1, 1000);
    CHECK_INT(delays.datagrams[0], 11);
    CHECK_INT(delays.datagrams[1], 100);
    CHECK_INT(delays.datagrams[SFU_DELAY_BOUNDS], 1000);
}

static void every_datagram_has_the_delay_of_its_call(void) {
    struct sfu_delays delays = {0};
    sfu_delays_note(&delays, 300, 7);
    CHECK_INT(delays.sum_us, 2100);
}

static void sums_are_by_bound(void) {
    struct sfu_delays sum = {0}, more = {0};
    sfu_delays_note(&sum, 60, 2);
    sfu_delays_note(&more, 70, 3);
    sfu_delays_note(&more, UINT32_MAX, 1);
    sfu_delays_add(&sum, &more);
    CHECK_INT(sum.datagrams[1], 5);
    CHECK_INT(sum.datagrams[SFU_DELAY_BOUNDS], 1);
    CHECK_INT(sum.sum_us, UINT64_C(330) + UINT32_MAX);
}

static const struct test tests[] = {
    {"bounds_rise", bounds_rise},
    {"a_delay_counts_up_to_its_bound", a_delay_counts_up_to_its_bound},
    {"every_datagram_has_the_delay_of_its_call", every_datagram_has_the_delay_of_its_call},
    {"sums_are_by_bound", sums_are_by_bound},
};

TEST_MAIN(tests)
