/* How good the connection of a participant is said to be. */
#include "sfu/quality.h"

#include "tests/unit/sfu/downlink_link.h"

static const struct sfu_event *quality_of(const struct rig_peer *peer) {
    CHECK(net.quality_count[peer->number] > 0);
    return &net.qualities[peer->number];
}

static void a_good_connection_is_a_five(void) {
    net_begin(true, 20000000);
    net_run(20 * S);
    const struct sfu_event *event = quality_of(net.publisher);
    CHECK_INT(event->score, 5);
    CHECK_INT(event->up.score, 5);
    CHECK_STR(event->up.reason, "none");
    CHECK_INT(event->down.score, 0); /* It receives nothing. */
    event = quality_of(net.viewer);
    CHECK_INT(event->down.score, 5);
    CHECK_INT(event->up.score, 0);
    rig_close();
}

static void losses_on_the_way_up_are_the_publishers(void) {
    net_begin(true, 20000000);
    net_run(10 * S);
    net.lose_up = 4;
    net_run(10 * S);
    CHECK(quality_of(net.publisher)->up.score <= 3);
    CHECK_STR(quality_of(net.publisher)->up.reason, "loss");
    CHECK_INT(quality_of(net.viewer)->up.score, 0);
    rig_close();
}

static void losses_on_the_way_down_are_the_viewers(void) {
    net_begin(true, 20000000);
    for (int i = 0; i < 10; i++) {
        net_run(1 * S);
        net_report(80);
    }
    CHECK(quality_of(net.viewer)->down.score <= 3);
    CHECK_STR(quality_of(net.viewer)->down.reason, "loss");
    CHECK_INT(quality_of(net.publisher)->score, 5);
    rig_close();
}

static void a_narrow_link_is_a_matter_of_bandwidth(void) {
    net_begin(true, 300000);
    net_run(20 * S);
    CHECK(quality_of(net.viewer)->down.score <= 3);
    CHECK_STR(quality_of(net.viewer)->down.reason, "bandwidth");
    CHECK_INT(quality_of(net.publisher)->score, 5);
    rig_close();
}

static void it_is_told_each_two_seconds_at_most_and_when_it_changes(void) {
    net_begin(true, 20000000);
    for (int i = 0; i < 60; i++) {
        net.lose_up = i % 6 < 3 ? 3 : 0;
        net_run(1 * S);
    }
    CHECK(net.quality_count[net.publisher->number] > 3);
    CHECK(net.quality_least_us >= SFU_QUALITY_INTERVAL_US);
    net.lose_up = 0;
    net_run(20 * S);
    unsigned before = net.quality_count[net.publisher->number];
    net_run(30 * S); /* Nothing but figures. */
    CHECK_INT(net.quality_count[net.publisher->number], before + 6);
    rig_close();
}

static void it_comes_with_loss_rates_and_round_trip(void) {
    net_begin(true, 20000000);
    net_run(10 * S);
    net.lose_up = 4;
    net_run(10 * S);
    const struct sfu_event *event = quality_of(net.publisher);
    CHECK(event->up.loss_permille > 200 && event->up.loss_permille < 300);
    CHECK_INT(event->down.bps, 0);
    uint64_t sent_bps = event->up.bps;
    event = quality_of(net.viewer);
    CHECK(event->down.bps > sent_bps / 2 && event->down.bps < sent_bps * 2);
    CHECK_INT(event->up.loss_permille, 0);
    CHECK_INT(event->up.bps, 0);
    rig_close();
}

static const struct test tests[] = {
    {"a_good_connection_is_a_five", a_good_connection_is_a_five},
    {"losses_on_the_way_up_are_the_publishers", losses_on_the_way_up_are_the_publishers},
    {"losses_on_the_way_down_are_the_viewers", losses_on_the_way_down_are_the_viewers},
    {"a_narrow_link_is_a_matter_of_bandwidth", a_narrow_link_is_a_matter_of_bandwidth},
    {"it_is_told_each_two_seconds_at_most_and_when_it_changes",
     it_is_told_each_two_seconds_at_most_and_when_it_changes},
    {"it_comes_with_loss_rates_and_round_trip", it_comes_with_loss_rates_and_round_trip},
};

TEST_MAIN(tests)
