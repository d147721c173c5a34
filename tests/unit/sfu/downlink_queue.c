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

/* What is given away at most after a queue that 40 packets filled at once, of whom so many bytes
 * arrived before each 20 ms, and who was given so much, of which the least is this; the estimate is
 * 500 kb/s. */
static uint32_t cap_after_burst(uint32_t bytes, uint64_t given_bps, uint64_t least_bps) {
    static const struct rtp_bwe_config config = {500000, 30000, 5000000};
    static struct sfu_downlink own;
    uint64_t now_us = 100 * S;
    uint16_t seq = 0;
    uint8_t body[20] = {0};
    const struct rtcp_packet packet = {.body = body, .body_len = sizeof(body)};
    memset(&own, 0, sizeof(own));
    rtp_bwe_init(&own.bwe, now_us, &config);
    own.bwe.aimd.decreased_us = now_us;
    own.allocated_bps = given_bps;
    own.least_bps = least_bps;
    body[11] = 1;
    for (; seq < 100; seq++, now_us += 20 * MS) {
        struct rtp_bwe_packet arrived = {.sent_us = now_us, .arrival_us = now_us, .bytes = bytes};
        rtp_bwe_on_sent(&own.bwe, now_us, seq, bytes, 0);
        rtp_bwe_acked_on_packet(&own.bwe.acked, &arrived);
        body[8] = (uint8_t)(seq >> 8);
        body[9] = (uint8_t)seq;
        sfu_downlink_measure_queue(&own, now_us + 15 * MS, &packet);
    }
    own.bwe.acked_bps = rtp_bwe_acked_bps(&own.bwe.acked);
    for (int i = 0; i < 40; i++)
        rtp_bwe_on_sent(&own.bwe, now_us, seq++, LINK_PACKET, 0);
    CHECK(sfu_downlink_measure_queue(&own, now_us + 200 * MS, &packet));
    CHECK(own.queue.holds);
    return own.queue.cap_bps;
}

/* Of all up to a packet. */
static bool report(struct sfu_downlink *own, uint64_t now_us, uint16_t seq) {
    uint8_t body[20] = {[8] = (uint8_t)(seq >> 8), [9] = (uint8_t)seq, [11] = 1};
    const struct rtcp_packet packet = {.body = body, .body_len = sizeof(body)};
    return sfu_downlink_measure_queue(own, now_us, &packet);
}

/* The last packets of a queue are reported late; then the link was idle, until eight cameras began
 * again: what arrived meanwhile is not what it carries. */
static void what_arrived_of_an_idle_link_is_not_what_it_carries(void) {
    static const struct rtp_bwe_config config = {500000, 30000, 5000000};
    static struct sfu_downlink own;
    uint64_t now_us = 100 * S;
    uint16_t seq = 0;
    rtp_bwe_init(&own.bwe, now_us, &config);
    own.bwe.aimd.decreased_us = now_us;
    for (; seq < 100; seq++, now_us += 20 * MS) {
        rtp_bwe_on_sent(&own.bwe, now_us, seq, LINK_PACKET, 0);
        own.queue.sent_bytes += LINK_PACKET;
        report(&own, now_us + 15 * MS, seq);
    }
    for (int i = 0; i < 4; i++, own.queue.sent_bytes += LINK_PACKET)
        rtp_bwe_on_sent(&own.bwe, now_us, seq + i, LINK_PACKET, 0);
    for (int i = 0; i < 3; i++)
        report(&own, now_us + (500 + 50 * i) * MS, seq + i);
    for (int i = 4; i < 13; i++, own.queue.sent_bytes += LINK_PACKET)
        rtp_bwe_on_sent(&own.bwe, now_us + 650 * MS, seq + i, LINK_PACKET, 0);
    CHECK(!report(&own, now_us + 655 * MS, seq + 3));
    CHECK_INT(own.queue.backlog_bps, 0);
}

static void a_burst_after_little_was_sent_does_not_cap_the_link(void) {
    CHECK_INT(cap_after_burst(200, 0, 0), 0);
    uint32_t cap_bps = cap_after_burst(1000, 0, 0); /* Of 400 kb/s. */
    CHECK(cap_bps > 320000 && cap_bps < 360000);
}

/* On average it was less than the 400 kb/s that arrived: its keyframe was not. */
static void what_filled_a_queue_is_not_given_again(void) {
    CHECK_INT(cap_after_burst(1000, 300000, 0), 255000);
    CHECK_INT(cap_after_burst(1000, 390000, 0), 331500);
    uint32_t by_link_bps = cap_after_burst(1000, 0, 0);
    CHECK_INT(cap_after_burst(1000, 450000, 0), by_link_bps); /* More than arrived. */
    CHECK_INT(cap_after_burst(1000, 150000, 0), by_link_bps); /* Too little to fill anything. */
    CHECK_INT(cap_after_burst(200, 150000, 0), 0);
}

static void the_least_is_given_again_as_far_as_the_link_carries_it(void) {
    uint32_t by_link_bps = cap_after_burst(1000, 0, 0);
    CHECK_INT(cap_after_burst(1000, 300000, 250000), 290000);
    CHECK_INT(cap_after_burst(1000, 300000, 200000), 255000);
    CHECK_INT(cap_after_burst(1000, 300000, 300000), by_link_bps);
    CHECK_INT(cap_after_burst(200, 150000, 100000), 0);
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
    {"what_arrived_of_an_idle_link_is_not_what_it_carries",
     what_arrived_of_an_idle_link_is_not_what_it_carries},
    {"a_burst_after_little_was_sent_does_not_cap_the_link",
     a_burst_after_little_was_sent_does_not_cap_the_link},
    {"what_filled_a_queue_is_not_given_again", what_filled_a_queue_is_not_given_again},
    {"the_least_is_given_again_as_far_as_the_link_carries_it",
     the_least_is_given_again_as_far_as_the_link_carries_it},
    {"a_large_keyframe_holds_nothing_back", a_large_keyframe_holds_nothing_back},
};

TEST_MAIN(tests)
