/* The network model: what it says about rates, queues and losses holds to the microsecond. */
#include "bench/link.h"
#include "bench/cross.h"
#include "bench/cubic.h"
#include "tests/unit/test.h"

static uint64_t send_one(struct bench_link *link, uint64_t now_us, size_t len) {
    uint64_t arrivals_us[2];
    return bench_link_send(link, now_us, len, arrivals_us) ? arrivals_us[0] : 0;
}

static void a_queue_drains_at_its_rate(void) {
    struct bench_link link;
    bench_link_init(&link, &(struct bench_link_config){.rate_bps = 1000000, .queue_us = 100000}, 1);
    CHECK_INT(send_one(&link, 1000, 1250), 11000);
    CHECK_INT(send_one(&link, 1000, 1250), 21000);
    CHECK_INT(send_one(&link, 50000, 1250), 60000);
}

static void a_full_queue_loses_the_tail(void) {
    struct bench_link link;
    bench_link_init(&link, &(struct bench_link_config){.rate_bps = 1000000, .queue_us = 20000}, 1);
    for (int i = 0; i < 3; i++)
        CHECK(send_one(&link, 0, 1250) != 0);
    CHECK_INT(send_one(&link, 0, 1250), 0);
    CHECK_INT(link.overflowed, 1);
    CHECK(send_one(&link, 10000, 1250) != 0);
}

static void a_queue_may_be_limited_by_bytes(void) {
    struct bench_link link;
    bench_link_init(&link,
                    &(struct bench_link_config){
                        .rate_bps = 1000000, .queue_us = UINT64_MAX, .queue_bytes = 2500},
                    1);
    CHECK(send_one(&link, 0, 1250) != 0);
    CHECK(send_one(&link, 0, 1250) != 0);
    CHECK_INT(send_one(&link, 0, 1250), 0);
    CHECK(send_one(&link, 10000, 1250) != 0);
}

static void a_change_of_rate_reaches_what_waits(void) {
    static const struct bench_link_step steps[] = {{.at_us = 10000, .rate_bps = 100000}};
    struct bench_link link;
    bench_link_init(&link,
                    &(struct bench_link_config){
                        .rate_bps = 1000000, .queue_us = 1000000, .steps = steps, .step_count = 1},
                    1);
    CHECK_INT(send_one(&link, 0, 1250), 10000);
    CHECK_INT(send_one(&link, 0, 1250), 110000);
    CHECK_INT(bench_link_wait_us(&link, 10000), 100000);
    CHECK_INT(bench_link_rate_bps(&link, 10000), 100000);
}

static void an_outage_loses_all(void) {
    static const struct bench_link_step steps[] = {{.at_us = 10, .down = true}, {.at_us = 20}};
    struct bench_link link;
    bench_link_init(&link, &(struct bench_link_config){.steps = steps, .step_count = 2}, 1);
    CHECK(send_one(&link, 9, 100) != 0);
    CHECK_INT(send_one(&link, 10, 100), 0);
    CHECK_INT(send_one(&link, 19, 100), 0);
    CHECK(send_one(&link, 20, 100) != 0);
}

static void jitter_reorders_only_when_it_may(void) {
    for (int in_order = 0; in_order < 2; in_order++) {
        struct bench_link link;
        bench_link_init(&link,
                        &(struct bench_link_config){
                            .delay_us = 1000, .jitter_us = 5000, .in_order = in_order != 0},
                        7);
        unsigned back = 0;
        uint64_t last_us = 0;
        for (uint64_t i = 0; i < 1000; i++) {
            uint64_t at_us = send_one(&link, i * 1000, 100);
            back += at_us < last_us;
            last_us = at_us;
        }
        CHECK(in_order ? back == 0 : back > 100);
    }
}

/* Gilbert and Elliott: bursts of 10 that begin after 90 on average lose a tenth, in runs. */
static void bursts_lose_in_runs(void) {
    struct bench_link link;
    bench_link_init(&link,
                    &(struct bench_link_config){.burst_begin_ppm = 1000000 / 90,
                                                .burst_end_ppm = 100000,
                                                .burst_loss_ppm = 1000000},
                    3);
    unsigned lost = 0, runs = 0;
    bool was_lost = false;
    for (uint64_t i = 0; i < 100000; i++) {
        bool is_lost = send_one(&link, i, 100) == 0 && i > 0;
        lost += is_lost;
        runs += is_lost && !was_lost;
        was_lost = is_lost;
    }
    CHECK(lost > 9000 && lost < 11000);
    CHECK(lost / runs >= 8 && lost / runs <= 12);
}

static void run_flow(struct bench_cubic *flow, uint64_t until_us) {
    uint64_t at_us;
    while ((at_us = bench_cubic_next_deadline(flow)) <= until_us)
        bench_cubic_on_deadline(flow, at_us);
}

static void a_loss_based_flow_fills_the_link_and_its_queue(void) {
    struct bench_link link;
    struct bench_cubic flow;
    bench_link_init(
        &link,
        &(struct bench_link_config){.rate_bps = 2000000, .delay_us = 25000, .queue_us = 300000}, 1);
    bench_cubic_init(&flow, &link, 25000, 0, UINT64_MAX);
    run_flow(&flow, 60000000);
    CHECK(flow.delivered_bytes * 8 / 60 > 1900000);
    CHECK(link.overflowed > 0);
    CHECK(link.overflowed < link.sent / 20);
}

/* RFC 9438 section 5: two flows with the same round trip converge. */
static void two_loss_based_flows_share(void) {
    struct bench_link link;
    struct bench_cubic flows[2];
    bench_link_init(
        &link,
        &(struct bench_link_config){.rate_bps = 4000000, .delay_us = 25000, .queue_us = 200000}, 1);
    bench_cubic_init(&flows[0], &link, 25000, 0, UINT64_MAX);
    bench_cubic_init(&flows[1], &link, 26000, 5000000, UINT64_MAX);
    for (uint64_t now_us = 0; now_us < 120000000;) {
        uint64_t a_us = bench_cubic_next_deadline(&flows[0]);
        uint64_t b_us = bench_cubic_next_deadline(&flows[1]);
        now_us = a_us < b_us ? a_us : b_us;
        bench_cubic_on_deadline(&flows[a_us < b_us ? 0 : 1], now_us);
    }
    uint64_t more = flows[0].delivered_bytes, less = flows[1].delivered_bytes;
    CHECK(less * 3 > more && less < more * 3); /* A full queue favours one, by phase. */
}

static void cross_traffic_takes_its_rate(void) {
    struct bench_link link;
    struct bench_cross cross;
    bench_link_init(&link, &(struct bench_link_config){0}, 1);
    bench_cross_init(&cross, &link, 960000, 1000000, 11000000);
    while (cross.next_us <= 60000000)
        bench_cross_on_deadline(&cross, cross.next_us);
    CHECK(cross.delivered_bytes >= 1200000 && cross.delivered_bytes <= 1202400);
}

static const struct test tests[] = {
    {"a_queue_drains_at_its_rate", a_queue_drains_at_its_rate},
    {"a_full_queue_loses_the_tail", a_full_queue_loses_the_tail},
    {"a_queue_may_be_limited_by_bytes", a_queue_may_be_limited_by_bytes},
    {"a_change_of_rate_reaches_what_waits", a_change_of_rate_reaches_what_waits},
    {"an_outage_loses_all", an_outage_loses_all},
    {"jitter_reorders_only_when_it_may", jitter_reorders_only_when_it_may},
    {"bursts_lose_in_runs", bursts_lose_in_runs},
    {"a_loss_based_flow_fills_the_link_and_its_queue",
     a_loss_based_flow_fills_the_link_and_its_queue},
    {"two_loss_based_flows_share", two_loss_based_flows_share},
    {"cross_traffic_takes_its_rate", cross_traffic_takes_its_rate},
};

TEST_MAIN(tests)
