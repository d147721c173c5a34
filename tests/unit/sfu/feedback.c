/* What the reports of peers make the engine do. */
#include <stdlib.h>

#include "tests/unit/sfu/fixture_media.h"

static struct {
    struct rig_peer *publisher, *viewer;
    struct sfu_media *microphone, *camera, *slot;
} call;

static void begin(void) {
    rig_open();
    call.publisher = rig_join();
    call.microphone = rig_add(call.publisher, false, SFU_PUBLISHES);
    call.camera = rig_add(call.publisher, true, SFU_PUBLISHES);
    call.viewer = rig_join();
    call.slot = rig_add(call.viewer, true, SFU_SLOT);
    rig_connect(call.publisher);
    rig_connect(call.viewer);
    rig_carry(call.viewer, call.slot, call.camera->track);
    rig_keyframe(call.publisher, call.camera->ssrcs[0], 10, 1);
}

static struct sfu_counters *counters(void) {
    return &rig.engines[0]->counters;
}

static const struct sfu_layer *layer_of(const struct sfu_media *media) {
    return &rig_track(call.publisher, media)->layers[0];
}

static struct rtcp_builder builder;
static uint8_t bytes[1200];

static struct rtcp_builder *fresh(void) {
    rtcp_builder_init(&builder, bytes, sizeof(bytes));
    return &builder;
}

/* --- What cannot be read --- */

static void malformed_rtcp_is_counted_and_changes_nothing(void) {
    begin();
    CHECK_INT(rtcp_append_pli(fresh(), 1, call.slot->slot_ssrc), 0);
    CHECK_INT(rtcp_append_pli(&builder, 1, call.slot->slot_ssrc), 0);
    bytes[12 + 3] = 9; /* The second one's length is beyond the end. */
    rig_send_rtcp(call.viewer, &builder);
    CHECK_INT(counters()->drop_rtcp_malformed, 1);
    CHECK_INT(counters()->keyframe_requests_received, 0);
    rig_close();
}

static void reports_of_ssrcs_that_are_not_ours_change_nothing(void) {
    begin();
    rig_nack(call.viewer, 4711, (uint16_t[]){1, 2}, 2);
    rig_pli(call.viewer, 4711);
    rig_sr(call.publisher, 4711, rig_ntp(5 * S), 1);
    rig_sr(call.publisher, call.camera->rtx_ssrcs[0], rig_ntp(5 * S), 1);
    rig_run(1 * MS);
    CHECK_INT(counters()->nacks_received, 0);
    CHECK_INT(counters()->nacks_unanswered, 0);
    CHECK_INT(rig_plis(call.publisher), 0);
    CHECK(!call.publisher->transport->has_clock);
    rig_close();
}

/* 20 pairs of a packet id and 16 bits of the following ones: 340 numbers in 92 bytes. */
static void of_one_nack_at_most_256_numbers_are_looked_up(void) {
    begin();
    uint8_t body[80];
    for (size_t i = 0; i < 20; i++) {
        rtp_put16(body + 4 * i, (uint16_t)(40000 + 17 * i));
        rtp_put16(body + 4 * i + 2, 0xffff);
    }
    CHECK_INT(rtcp_append_feedback(fresh(), RTCP_RTPFB, RTCP_FMT_NACK, 1, call.slot->slot_ssrc,
                                   body, sizeof(body)),
              0);
    rig_send_rtcp(call.viewer, &builder);
    CHECK_INT(counters()->nacks_received, 256);
    CHECK_INT(counters()->nacks_unanswered, 256);
    rig_close();
}

/* --- Keyframes --- */

static void a_pli_reaches_the_publisher(void) {
    begin();
    rig_run(S); /* Sooner, the keyframe would still be on its way. */
    rig_pli(call.viewer, call.slot->slot_ssrc);
    rig_run(1 * MS);
    CHECK_INT(rig_plis(call.publisher), 1);
    CHECK_INT(counters()->keyframe_requests_sent, 1);
    rig_close();
}

/* RFC 5104 section 4.3.1: what it asks for stands in its entries. */
static void a_fir_is_a_pli_to_the_publisher(void) {
    begin();
    rig_run(S);
    CHECK_INT(rtcp_append_fir(fresh(), 1, call.slot->slot_ssrc, 7), 0);
    rig_send_rtcp(call.viewer, &builder);
    rig_run(1 * MS);
    CHECK_INT(rig_plis(call.publisher), 1);
    CHECK_INT(counters()->keyframe_requests_received, 1);
    rig_close();
}

static void a_request_of_a_paused_slot_is_not_passed_on(void) {
    begin();
    struct sfu_wish wish = {.paused = true};
    memcpy(wish.mid, call.slot->mid, sizeof(wish.mid));
    CHECK_INT(sfu_engine_subscribe(rig.engines[0], rig.now_us, call.viewer->number, &wish), 0);
    rig_pli(call.viewer, call.slot->slot_ssrc);
    rig_run(1 * MS);
    CHECK_INT(rig_plis(call.publisher), 0);
    rig_close();
}

/* --- Round trips --- */

/* The viewer reports that it held our report of `left_us` for `held_us`. */
static void report(uint32_t ssrc, uint64_t left_us, uint64_t held_us) {
    struct rtcp_report_block block = {.ssrc = ssrc,
                                      .last_sr = left_us ? (uint32_t)(rig_ntp(left_us) >> 16) : 0,
                                      .delay_since_last_sr = (uint32_t)((held_us << 16) / S)};
    CHECK_INT(rtcp_append_rr(fresh(), 1, &block, 1), 0);
    rig_send_rtcp(call.viewer, &builder);
}

static uint64_t rtt_ms(void) {
    return (call.viewer->transport->rtt_us + 500) / 1000;
}

/* RFC 3550 section 6.4.1; smoothed by an eighth from 100 ms: 100 · 7/8 + 60 / 8. */
static void reports_teach_the_round_trip(void) {
    begin();
    uint64_t left_us = rig.now_us;
    CHECK_INT(rtt_ms(), 100);
    rig_run(560 * MS);
    report(call.slot->slot_ssrc, left_us, 500 * MS);
    CHECK_INT(rtt_ms(), 95);
    for (int i = 0; i < 60; i++)
        report(call.slot->slot_ssrc, left_us, 500 * MS);
    CHECK_INT(rtt_ms(), 60);
    rig_close();
}

static void absurd_reports_teach_nothing(void) {
    begin();
    uint64_t left_us = rig.now_us;
    rig_run(50 * MS);
    report(call.slot->slot_ssrc, 0, 0);             /* It has had none of ours. */
    report(4711, left_us, 0);                       /* Of somebody else. */
    report(call.slot->slot_ssrc, left_us, 60 * MS); /* Held for longer than it was away. */
    report(call.slot->slot_ssrc, left_us + 30 * S, 0);
    CHECK_INT(rtt_ms(), 100);
    rig_close();
}

/* --- The publisher's clock --- */

static void a_sender_report_tells_where_a_timestamp_is_on_our_clock(void) {
    begin();
    rig_sr(call.publisher, call.camera->ssrcs[0], rig_ntp(3900000 * S), 123456);
    CHECK(layer_of(call.camera)->has_clock);
    CHECK(!layer_of(call.microphone)->has_clock);
    CHECK_INT(layer_of(call.camera)->clock_timestamp, 123456);
    CHECK_INT(layer_of(call.camera)->clock_us, rig.now_us);
    rig_close();
}

/* What delays one report delays no stream against the other. */
static void the_least_delayed_report_counts_for_all_streams(void) {
    begin();
    uint64_t ahead_us = 1000 * S;
    rig_sr(call.publisher, call.camera->ssrcs[0], rig_ntp(rig.now_us + ahead_us), 90000);
    rig.now_us += 50 * MS; /* The next one says when it left, and came 40 ms late. */
    rig_sr(call.publisher, call.microphone->ssrcs[0], rig_ntp(rig.now_us - 40 * MS + ahead_us), 48);
    int64_t error_us =
        (int64_t)layer_of(call.microphone)->clock_us - (int64_t)(rig.now_us - 40 * MS);
    CHECK(error_us >= 0 && error_us <= 40000 / 64 + 1);
    rig.now_us += 50 * MS; /* And one that came quicker than the first. */
    rig_sr(call.publisher, call.camera->ssrcs[0], rig_ntp(rig.now_us + 30 * MS + ahead_us), 90000);
    CHECK(llabs((int64_t)(layer_of(call.camera)->clock_us - rig.now_us)) <= 1);
    /* What the microphone's said was at its own time, less what the truth is better by. */
    CHECK(llabs((int64_t)(layer_of(call.microphone)->clock_us - (rig.now_us - 120 * MS))) <= 1);
    rig_close();
}

static void a_clock_that_was_set_is_followed_at_once(void) {
    begin();
    rig_sr(call.publisher, call.camera->ssrcs[0], rig_ntp(1000 * S), 90000);
    rig_run(S);
    rig_sr(call.publisher, call.camera->ssrcs[0], rig_ntp(500 * S), 180000); /* Back by 501 s. */
    CHECK(llabs((int64_t)(layer_of(call.camera)->clock_us - rig.now_us)) <= 1);
    rig_run(S);
    rig_sr(call.publisher, call.microphone->ssrcs[0], rig_ntp(502 * S), 48);
    uint64_t microphone_us = layer_of(call.microphone)->clock_us;
    rig_sr(call.publisher, call.camera->ssrcs[0], rig_ntp(4000 * S), 270000);
    CHECK_INT(layer_of(call.microphone)->clock_us, microphone_us); /* It was true of its time. */
    CHECK(llabs((int64_t)(layer_of(call.camera)->clock_us - rig.now_us)) <= 1);
    rig_close();
}

static const struct test tests[] = {
    {"malformed_rtcp_is_counted_and_changes_nothing",
     malformed_rtcp_is_counted_and_changes_nothing},
    {"reports_of_ssrcs_that_are_not_ours_change_nothing",
     reports_of_ssrcs_that_are_not_ours_change_nothing},
    {"of_one_nack_at_most_256_numbers_are_looked_up",
     of_one_nack_at_most_256_numbers_are_looked_up},
    {"a_pli_reaches_the_publisher", a_pli_reaches_the_publisher},
    {"a_fir_is_a_pli_to_the_publisher", a_fir_is_a_pli_to_the_publisher},
    {"a_request_of_a_paused_slot_is_not_passed_on", a_request_of_a_paused_slot_is_not_passed_on},
    {"reports_teach_the_round_trip", reports_teach_the_round_trip},
    {"absurd_reports_teach_nothing", absurd_reports_teach_nothing},
    {"a_sender_report_tells_where_a_timestamp_is_on_our_clock",
     a_sender_report_tells_where_a_timestamp_is_on_our_clock},
    {"the_least_delayed_report_counts_for_all_streams",
     the_least_delayed_report_counts_for_all_streams},
    {"a_clock_that_was_set_is_followed_at_once", a_clock_that_was_set_is_followed_at_once},
};

TEST_MAIN(tests)
