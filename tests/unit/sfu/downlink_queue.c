/* The queue of a subscriber's link: how it is noticed, and what is held back until it has drained.
 */
#include "sfu/downlink.h"

#include "tests/unit/sfu/downlink_link.h"

static void behind_a_full_queue_no_pictures_are_sent_until_it_has_drained(void) {
    net_begin(true, 3000000);
    net_run(10 * S);
    net.rate_bps = 300000;
    uint64_t begun_us = rig.now_us;
    while (!net_downlink()->queue.holds && rig.now_us < begun_us + 1 * S)
        net_run(10 * MS);
    CHECK(net_downlink()->queue.holds);
    CHECK(rig.now_us - begun_us < 400 * MS);
    CHECK_INT(net.pauses, 0); /* It is no news. */
    net_forget();
    net_run(200 * MS);
    CHECK(net.media[0] + net.media[1] + net.media[2] <= 2);
    net_run(2 * S);
    CHECK(!net_downlink()->queue.holds);
    net_forget();
    net_run(10 * S);
    CHECK(net.media[0] > 0);
    rig_close();
}

static void fill_the_queue(uint64_t rate_bps) {
    net.rate_bps = rate_bps;
    while (!net_downlink()->queue.holds)
        net_run(1 * MS);
}

/* What a full queue dropped looks like a part of it until its end is reported. Sound that is sent
 * again in place is not numbered: then nothing at all comes back. */
static void a_hold_ends_in_its_time_without_any_feedback_too(void) {
    net_begin(true, 3000000);
    net_run(10 * S);
    fill_the_queue(300000);
    net.mute = true;
    net_run(390 * MS);
    CHECK(net_downlink()->queue.holds);
    net_run(20 * MS);
    CHECK(!net_downlink()->queue.holds);
    net_forget();
    net_run(200 * MS);
    CHECK(net.media[0] > 0);
    rig_close();
}

/* The publisher sends a keyframe each second, which is old by then. */
static void what_pictures_go_on_with_is_asked_for_when_they_are_held(void) {
    net_begin(true, 3000000);
    net_run(10 * S + 400 * MS);
    uint64_t before = net_counters()->keyframe_requests_sent;
    fill_the_queue(300000);
    net_run(10 * MS);
    CHECK_INT(net_counters()->keyframe_requests_sent, before + 1);
    CHECK(net_downlink()->queue.holds);
    rig_close();
}

/* The link was never full before: the estimate is only what was tried, and falls a report later. */
static void a_queue_is_known_by_what_comes_out_of_it_before_the_estimate_falls(void) {
    net_begin(true, 3000000);
    net_run(10 * S + 50 * MS);
    uint64_t begun_us = rig.now_us;
    fill_the_queue(500000);
    CHECK(rig.now_us - begun_us <= 210 * MS);
    CHECK(net_downlink()->queue.backlog_bps > 400000);
    CHECK(net_downlink()->queue.backlog_bps < 600000);
    rig_close();
}

/* What arrived meanwhile is the link's rate, and the trend of its draining no overuse. */
static void after_a_full_queue_the_estimate_is_what_the_link_carried(void) {
    net_begin(true, 3000000);
    net_run(10 * S);
    fill_the_queue(300000);
    while (net_downlink()->queue.holds)
        net_run(10 * MS);
    CHECK(net_downlink()->queue.carried_bps > 270000);
    CHECK(net_downlink()->queue.carried_bps < 330000);
    CHECK(net_downlink()->queue.cap_bps < 300000);
    net_run(1 * S);
    CHECK(rtp_bwe_bps(&net_downlink()->bwe) > 200000);
    rig_close();
}

static void a_large_keyframe_holds_nothing_back(void) {
    net_begin(true, 3000000);
    for (int i = 0; i < 100; i++) {
        net_run(100 * MS);
        CHECK(!net_downlink()->queue.holds);
    }
    rig_close();
}

static const struct test tests[] = {
    {"behind_a_full_queue_no_pictures_are_sent_until_it_has_drained",
     behind_a_full_queue_no_pictures_are_sent_until_it_has_drained},
    {"a_hold_ends_in_its_time_without_any_feedback_too",
     a_hold_ends_in_its_time_without_any_feedback_too},
    {"what_pictures_go_on_with_is_asked_for_when_they_are_held",
     what_pictures_go_on_with_is_asked_for_when_they_are_held},
    {"a_queue_is_known_by_what_comes_out_of_it_before_the_estimate_falls",
     a_queue_is_known_by_what_comes_out_of_it_before_the_estimate_falls},
    {"after_a_full_queue_the_estimate_is_what_the_link_carried",
     after_a_full_queue_the_estimate_is_what_the_link_carried},
    {"a_large_keyframe_holds_nothing_back", a_large_keyframe_holds_nothing_back},
};

TEST_MAIN(tests)
