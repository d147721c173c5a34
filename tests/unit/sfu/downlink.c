/* What a subscriber's network carries, and what its slots get of it. */
#include "sfu/downlink.h"

#include "tests/unit/sfu/downlink_link.h"

/* --- Transport-cc --- */

static void the_best_layer_is_reached_by_probes_within_five_seconds(void) {
    net_begin(true, 5000000);
    net_run(5 * S);
    CHECK(net.padding > 0);
    CHECK(net_counters()->probes_sent > 0);
    CHECK_INT(net_counters()->padding_sent, net.padding);
    net_forget();
    net_run(5 * S);
    CHECK(net.media[2] > 0);
    CHECK_INT(net.media[0] + net.media[1], 0);
    CHECK(net.queue_us < 100 * MS);
    rig_close();
}

static void nothing_is_probed_once_everybody_has_what_they_want(void) {
    net_begin(true, 20000000);
    net_run(15 * S);
    net_forget();
    net_run(20 * S);
    CHECK_INT(net.padding, 0);
    CHECK_INT(net_downlink()->probe.want.id, 0);
    rig_close();
}

static void the_layer_is_one_that_the_link_carries(void) {
    net_begin(true, 900000);
    net_run(10 * S);
    uint64_t bps = net_bps(20);
    CHECK(bps < 900000);
    CHECK(net.media[1] > 0);
    CHECK(net.queue_us < 300 * MS);
    rig_close();
}

static void when_the_link_gets_narrow_less_is_sent_within_a_second(void) {
    net_begin(true, 3000000);
    net_run(10 * S);
    CHECK(net.media[2] > 0);
    net.rate_bps = 400000;
    net_run(1 * S);
    uint64_t bps = net_bps(2);
    CHECK(bps < 400000);
    net.rate_bps = 3000000;
    net_run(10 * S);
    net_forget();
    net_run(1 * S);
    CHECK(net.media[2] > 0);
    rig_close();
}

static void what_does_not_fit_is_paused_and_said_and_comes_back(void) {
    net_begin(true, 3000000);
    net_run(5 * S);
    CHECK_INT(net.pauses, 0);
    net.rate_bps = 60000;
    net_run(20 * S);
    CHECK(net.paused);
    CHECK_INT(net.pauses, net.resumes + 1);
    CHECK_INT(net_counters()->slots_paused, net.pauses);
    net.rate_bps = 3000000;
    net_run(30 * S);
    CHECK(!net.paused);
    net_forget();
    net_run(1 * S);
    CHECK(net.media[0] + net.media[1] + net.media[2] > 0);
    CHECK_INT(net_counters()->slots_resumed, net.resumes);
    rig_close();
}

static void who_promised_feedback_and_sends_none_gets_everything(void) {
    net_prepare(true, 0);
    net.mute = true;
    rig_connect(net.publisher);
    rig_connect(net.viewer);
    rig_carry(net.viewer, net.slot, net.camera->track);
    net.frame_at_us = rig.now_us;
    net_run(2200 * MS);
    net_forget();
    net_run(700 * MS);
    CHECK_INT(net.media[2], 0);
    net_run(3 * S);
    CHECK(net.media[2] > 0);
    rig_close();
}

static void feedback_that_cannot_be_read_is_counted(void) {
    net_begin(true, 3000000);
    net_run(2 * S);
    uint8_t data[64], body[16] = {0, 1, 0, 200}; /* 200 numbers, and no chunk of them. */
    struct rtcp_builder builder;
    rtcp_builder_init(&builder, data, sizeof(data));
    CHECK_INT(rtcp_append_feedback(&builder, RTCP_RTPFB, RTCP_FMT_TWCC, 1, 2, body, 16), 0);
    rig_send_rtcp(net.viewer, &builder);
    CHECK_INT(net_counters()->drop_rtcp_malformed, 1);
    rig_close();
}

static void another_network_is_learnt_anew(void) {
    net_begin(true, 20000000);
    net_run(10 * S);
    CHECK(rtp_bwe_bps(&net_downlink()->bwe) > 1500000);
    sfu_downlink_restart(net.viewer->transport, rig.now_us);
    CHECK(rtp_bwe_bps(&net_downlink()->bwe) < 1000000);
    CHECK_INT(net_downlink()->source, SFU_DOWNLINK_NONE);
    net_run(10 * S);
    CHECK(rtp_bwe_bps(&net_downlink()->bwe) > 1500000);
    rig_close();
}

/* --- Without it --- */

static void of_whom_nothing_bad_is_heard_everything_is_sent(void) {
    net_begin(false, 0);
    net_run(3 * S);
    CHECK(net.media[2] > 0);
    CHECK_INT(net.padding, 0);
    CHECK_INT(sfu_downlink_budget(net_downlink(), rig.now_us), UINT64_MAX);
    CHECK_INT(sfu_downlink_burst(net.viewer->transport, rig.now_us), SIZE_MAX);
    rig_close();
}

static void remb(uint64_t bps) {
    uint8_t data[64];
    struct rtcp_builder builder;
    rtcp_builder_init(&builder, data, sizeof(data));
    CHECK_INT(rtcp_append_remb(&builder, 1, bps, &net.slot->slot_ssrc, 1), 0);
    rig_send_rtcp(net.viewer, &builder);
}

static void a_remb_limits_what_is_sent(void) {
    net_begin(false, 0);
    net_run(3 * S);
    for (int i = 0; i < 20; i++) {
        remb(700000);
        net_run(250 * MS);
    }
    CHECK_INT(net_downlink()->source, SFU_DOWNLINK_REMB);
    CHECK(net_bps(1) < 700000);
    CHECK(net.media[1] > 0);
    for (int i = 0; i < 60; i++) {
        remb(7000000);
        net_run(250 * MS);
    }
    net_forget();
    net_run(1 * S);
    CHECK(net.media[2] > 0);
    rig_close();
}

static void reports_of_much_loss_limit_what_is_sent(void) {
    net_begin(false, 0);
    net_run(3 * S);
    for (int i = 0; i < 5; i++) {
        net_report(12); /* Less than a tenth. */
        net_run(1 * S);
    }
    CHECK_INT(net_downlink()->source, SFU_DOWNLINK_NONE);
    for (int i = 0; i < 15; i++) {
        net_report(80);
        net_run(1 * S);
    }
    CHECK_INT(net_downlink()->source, SFU_DOWNLINK_REPORTS);
    CHECK(net_bps(1) < layer_bps[2]);
    CHECK_INT(net.media[2], 0);
    rig_close();
}

/* --- The rest --- */

static void without_slots_there_is_none(void) {
    net_begin(true, 0);
    CHECK(net.publisher->transport->downlink == NULL);
    sfu_downlink_wake(net.publisher->transport, rig.now_us);
    CHECK(sfu_downlink_may_resend(net.publisher->transport, rig.now_us, 1000));
    CHECK_INT(sfu_downlink_on_deadline(net.publisher->transport, rig.now_us), UINT64_MAX);
    rig_close();
}

static void many_changes_are_one_choice(void) {
    net_begin(true, 3000000);
    net_run(5 * S);
    struct sfu_wish wish = {.max_height = 200};
    memcpy(wish.mid, net.slot->mid, sizeof(wish.mid));
    sfu_downlink_wake(net.viewer->transport, rig.now_us);
    uint64_t at_us = net_downlink()->allocate_at_us;
    for (int i = 0; i < 100; i++) {
        wish.priority = (uint8_t)i;
        CHECK_INT(sfu_engine_subscribe(rig.engines[0], rig.now_us, net.viewer->number, &wish), 0);
    }
    CHECK_INT(net_downlink()->allocate_at_us, at_us);
    CHECK(at_us <= rig.now_us + 20 * MS);
    net_run(2 * S);
    net_forget();
    net_run(1 * S);
    CHECK(net.media[0] > 0 && net.media[1] == 0 && net.media[2] == 0);
    rig_close();
}

/* The first picture waits for them: as many as after an outage. */
static void a_new_link_may_have_repairs_at_once(void) {
    net_begin(true, 3000000);
    unsigned count = 0;
    while (sfu_downlink_may_resend(net.viewer->transport, rig.now_us, 1000))
        count++;
    CHECK(count > 25);
    CHECK(count < 50);
    rig_close();
}

static void repairs_get_a_quarter_and_half_a_second_at_once(void) {
    net_begin(true, 3000000);
    net_run(10 * S);
    uint64_t bps = sfu_downlink_budget(net_downlink(), rig.now_us);
    uint64_t burst = 0, later = 0;
    rig.now_us += 10 * S;
    while (sfu_downlink_may_resend(net.viewer->transport, rig.now_us, 1000))
        burst += 1028 * 8;
    CHECK(burst > bps * 45 / 100 && burst < bps * 55 / 100);
    for (int i = 0; i < 1000; i++) {
        rig.now_us += 1 * MS;
        while (sfu_downlink_may_resend(net.viewer->transport, rig.now_us, 1000))
            later += 1028 * 8;
    }
    CHECK(later > bps * 20 / 100 && later < bps * 30 / 100);
    rig_close();
}

static void who_speaks_is_favoured_where_there_is_not_enough(void) {
    net_prepare(true, 20000000);
    struct sfu_media *other = rig_add_simulcast(net.publisher);
    struct sfu_media *slot = rig_add(net.viewer, true, SFU_SLOT);
    slot->transport_cc = true;
    rig_connect(net.publisher);
    rig_connect(net.viewer);
    rig_carry(net.viewer, net.slot, net.camera->track);
    rig_carry(net.viewer, slot, other->track);
    const struct sfu_track *tracks[] = {rig_track(net.publisher, net.camera),
                                        rig_track(net.publisher, other)};
    sfu_engine_favour(rig.engines[0], rig.now_us, other->track, true);
    CHECK(!tracks[0]->favoured && tracks[1]->favoured);
    net_downlink()->is_short = true;
    net_downlink()->allocate_at_us = UINT64_MAX;
    sfu_engine_favour(rig.engines[0], rig.now_us, net.camera->track, true);
    CHECK(net_downlink()->allocate_at_us != UINT64_MAX);
    net_downlink()->is_short = false; /* With enough for all nothing is chosen anew. */
    net_downlink()->allocate_at_us = UINT64_MAX;
    sfu_engine_favour(rig.engines[0], rig.now_us, other->track, false);
    CHECK_INT(net_downlink()->allocate_at_us, UINT64_MAX);
    sfu_engine_favour(rig.engines[0], rig.now_us, 4711, true);
    rig_close();
}

static void why_says_what_is_chosen_and_what_holds_it_down(void) {
    net_begin(true, 900000);
    net_run(20 * S);
    struct sfu_why_answer answer;
    struct sfu_why_slot slot;
    CHECK_INT(sfu_engine_slot_count(rig.engines[0], net.viewer->number), 1);
    CHECK_INT(sfu_engine_why(rig.engines[0], rig.now_us, net.viewer->number, &answer, &slot, 1), 0);
    CHECK_STR(answer.source, "transport-cc");
    CHECK(answer.estimate_bps > 400000 && answer.estimate_bps < 1200000);
    CHECK(answer.demand_bps > 1500000);
    CHECK(answer.sent_bps > 300000);
    CHECK_INT(answer.slot_count, 1);
    CHECK_STR(slot.mid, net.slot->mid);
    CHECK_INT(slot.track, net.camera->track);
    CHECK_INT(slot.layer_count, 3);
    CHECK_STR(slot.layers[0].rid, "q");
    CHECK_INT(slot.layers[2].height, 720);
    CHECK_INT(slot.wanted, 2);
    CHECK_INT(slot.chosen, 1);
    CHECK_INT(slot.forwarded, 1);
    CHECK_STR(slot.reason, "bandwidth");
    CHECK_INT(sfu_engine_why(rig.engines[0], rig.now_us, 4711, &answer, &slot, 1), -2);
    rig_close();
}

/* What is capped is what the slots were chosen by, whatever the estimator says. */
static void why_says_what_a_full_queue_leaves(void) {
    struct sfu_why_answer answer;
    struct sfu_why_slot slot;
    net_begin(true, 3000000);
    net_run(10 * S);
    net.rate_bps = 300000;
    while (!net_downlink()->queue.holds)
        net_run(1 * MS);
    while (net_downlink()->queue.holds)
        net_run(1 * MS);
    net_downlink()->bwe.limit = RTP_BWE_LIMIT_LOSS;
    net_downlink()->bwe.bps = 2000000;
    CHECK_INT(sfu_engine_why(rig.engines[0], rig.now_us, net.viewer->number, &answer, &slot, 1), 0);
    CHECK(net_downlink()->queue.cap_bps > 0);
    CHECK_INT(answer.estimate_bps, net_downlink()->queue.cap_bps);
    CHECK_STR(answer.limited_by, "delay");
    CHECK_STR(slot.reason, "bandwidth");
    net_downlink()->queue.cap_bps = 0;
    CHECK_INT(sfu_engine_why(rig.engines[0], rig.now_us, net.viewer->number, &answer, &slot, 1), 0);
    CHECK_INT(answer.estimate_bps, 2000000);
    CHECK_STR(answer.limited_by, "loss");
    rig_close();
}

static const struct test tests[] = {
    {"the_best_layer_is_reached_by_probes_within_five_seconds",
     the_best_layer_is_reached_by_probes_within_five_seconds},
    {"nothing_is_probed_once_everybody_has_what_they_want",
     nothing_is_probed_once_everybody_has_what_they_want},
    {"the_layer_is_one_that_the_link_carries", the_layer_is_one_that_the_link_carries},
    {"when_the_link_gets_narrow_less_is_sent_within_a_second",
     when_the_link_gets_narrow_less_is_sent_within_a_second},
    {"what_does_not_fit_is_paused_and_said_and_comes_back",
     what_does_not_fit_is_paused_and_said_and_comes_back},
    {"who_promised_feedback_and_sends_none_gets_everything",
     who_promised_feedback_and_sends_none_gets_everything},
    {"feedback_that_cannot_be_read_is_counted", feedback_that_cannot_be_read_is_counted},
    {"another_network_is_learnt_anew", another_network_is_learnt_anew},
    {"of_whom_nothing_bad_is_heard_everything_is_sent",
     of_whom_nothing_bad_is_heard_everything_is_sent},
    {"a_remb_limits_what_is_sent", a_remb_limits_what_is_sent},
    {"reports_of_much_loss_limit_what_is_sent", reports_of_much_loss_limit_what_is_sent},
    {"without_slots_there_is_none", without_slots_there_is_none},
    {"many_changes_are_one_choice", many_changes_are_one_choice},
    {"a_new_link_may_have_repairs_at_once", a_new_link_may_have_repairs_at_once},
    {"repairs_get_a_quarter_and_half_a_second_at_once",
     repairs_get_a_quarter_and_half_a_second_at_once},
    {"who_speaks_is_favoured_where_there_is_not_enough",
     who_speaks_is_favoured_where_there_is_not_enough},
    {"why_says_what_is_chosen_and_what_holds_it_down",
     why_says_what_is_chosen_and_what_holds_it_down},
    {"why_says_what_a_full_queue_leaves", why_says_what_a_full_queue_leaves},
};

TEST_MAIN(tests)
