/* Which of a simulcast camera's layers a slot carries. */
#include "tests/unit/sfu/slot_call.h"

static void begin_simulcast(void) {
    rig_open();
    call.publisher = rig_join();
    call.camera = rig_add_simulcast(call.publisher);
    call.viewer = rig_join();
    call.slot = rig_add(call.viewer, true, SFU_SLOT);
    connect_both();
}

/* Layer i: its k-th frame, numbers i * 1000 + k, 180, 360 or 720 lines. */
static void layer_frame(size_t i, unsigned k, bool key) {
    rig_put_picture(call.publisher, call.camera->ssrcs[i], (uint16_t)(i * 1000 + k), k,
                    (key ? RIG_KEY : RIG_START) | RIG_END, (uint16_t)(180 << i));
    rig_flush();
}

static unsigned target(void) {
    return rig_slot(call.viewer, call.slot)->selector.target.layer;
}

static void the_highest_layer_that_flows_and_fits_is_chosen(void) {
    begin_simulcast();
    layer_frame(0, 1, true);
    CHECK_INT(target(), 0);
    layer_frame(2, 1, true);
    CHECK_INT(target(), 2);
    layer_frame(1, 1, true);
    CHECK_INT(target(), 2);
    wish((struct sfu_wish){.max_height = 719});
    CHECK_INT(target(), 1);
    wish((struct sfu_wish){.max_height = 720});
    CHECK_INT(target(), 2);
    wish((struct sfu_wish){.max_width = 320});
    CHECK_INT(target(), 0);
    wish((struct sfu_wish){.max_height = 90}); /* None is so small. */
    CHECK_INT(target(), 0);
    rig_close();
}

static void a_layer_that_stops_gives_way_to_one_that_flows(void) {
    begin_simulcast();
    layer_frame(0, 1, true);
    layer_frame(2, 1, true);
    for (unsigned k = 2; k < 12; k++) {
        rig_run(33 * MS);
        layer_frame(0, k, false);
    }
    CHECK_INT(target(), 0);
    CHECK_STR(numbers(), "1 2001 1 2 3 4 5 6 7 8 9 10 11"); /* At once, out of the cache. */
    layer_frame(0, 12, false);
    check_consecutive();
    rig_close();
}

/* A busy machine held all of them up: what comes first says nothing of the others. */
static void a_publisher_that_stalls_loses_no_layer(void) {
    begin_simulcast();
    for (uint8_t layer = 0; layer < 3; layer++)
        layer_frame(layer, 1, true);
    CHECK_INT(target(), 2);
    rig_run(400 * MS);
    for (uint8_t layer = 0; layer < 3; layer++) {
        layer_frame(layer, 2, false);
        CHECK_INT(target(), 2);
        rig_run(10 * MS);
    }
    rig_run(400 * MS);
    for (unsigned k = 3; k < 14; k++) { /* One that does not come back is missed all the same. */
        layer_frame(0, k, false);
        rig_run(33 * MS);
    }
    CHECK_INT(target(), 0);
    rig_close();
}

static uint32_t lowest_bps(void) {
    struct rtp_rung rungs[RTP_RUNGS_MAX];
    CHECK_INT(sfu_track_rungs(rig_track(call.publisher, call.camera), rig.now_us, rungs), 1);
    return rungs[0].bps;
}

/* Packets of the same length: two of a keyframe, then two of other pictures. */
static void what_a_layer_takes_is_without_the_excess_of_keyframes(void) {
    begin_simulcast();
    rig_put_picture(call.publisher, call.camera->ssrcs[0], 1, 1, RIG_KEY, 180);
    rig_put_picture(call.publisher, call.camera->ssrcs[0], 2, 1, RIG_END, 180);
    rig_flush();
    uint32_t keyframe_bps = lowest_bps();
    layer_frame(0, 3, false);
    layer_frame(0, 4, false);
    CHECK(lowest_bps() > 4.5 * keyframe_bps && lowest_bps() < 5.5 * keyframe_bps);
    rig_close();
}

static void another_layer_begins_at_its_keyframe_and_the_old_flows_until_then(void) {
    begin_simulcast();
    layer_frame(0, 1, true);
    layer_frame(2, 1, false); /* Flows now, and is wanted. */
    CHECK_INT(target(), 2);
    layer_frame(0, 2, false);
    layer_frame(2, 2, false);
    rig.now_us += 33 * MS;
    layer_frame(2, 3, true);
    layer_frame(0, 3, false);
    layer_frame(2, 4, false);
    CHECK_STR(numbers(), "1 2 2003 2004");
    check_consecutive();
    CHECK_INT(rig_rtp_at(call.viewer, 2)->rtp.ssrc, call.slot->slot_ssrc);
    for (size_t i = 1; i < 4; i++)
        CHECK_INT((uint32_t)(rig_rtp_at(call.viewer, i)->rtp.timestamp -
                             rig_rtp_at(call.viewer, i - 1)->rtp.timestamp),
                  3000);
    rig_close();
}

static void the_target_layers_keyframe_is_asked_for(void) {
    begin_simulcast();
    layer_frame(0, 1, true);
    layer_frame(2, 1, false);
    rig_clear();
    rig_run(1 * MS);
    struct rtcp_packet pli;
    uint32_t sender, media;
    CHECK(rig_find_rtcp(call.publisher, RTCP_PSFB, RTCP_FMT_PLI, 0, &pli, NULL));
    CHECK_INT(rtcp_feedback_parse(&pli, &sender, &media), 0);
    CHECK_INT(media, call.camera->ssrcs[2]);
    rig_close();
}

static bool was_asked(uint32_t ssrc) {
    struct rtcp_packet pli;
    uint32_t sender, media = 0;
    for (size_t i = 0; rig_find_rtcp(call.publisher, RTCP_PSFB, RTCP_FMT_PLI, i, &pli, NULL); i++)
        if (rtcp_feedback_parse(&pli, &sender, &media) == 0 && media == ssrc)
            return true;
    return false;
}

static void watch_anew(void) {
    rig_pump();
    rig_clear();
    wish((struct sfu_wish){.paused = true});
    wish((struct sfu_wish){.paused = false});
    rig_run(1 * MS);
}

static void who_has_nothing_waits_for_the_lowest_layer_too(void) {
    begin_simulcast();
    for (unsigned k = 1; k <= SFU_REPLAY_FRAMES + 2; k++) { /* No picture can be replayed. */
        rig.now_us += 33 * MS;
        layer_frame(0, k, k == 1);
        layer_frame(2, k, false);
    }
    rig_run(1 * MS);
    watch_anew();
    CHECK(was_asked(call.camera->ssrcs[0]));
    rig_close();
}

/* So that somebody who joins a little later need not wait for the publisher. */
static void a_keyframe_is_asked_for_while_the_last_one_can_still_be_replayed(void) {
    begin_simulcast();
    layer_frame(0, 1, true);
    layer_frame(2, 1, true);
    watch_anew();
    CHECK(!was_asked(call.camera->ssrcs[0]));
    const struct sfu_track *track = rig_slot(call.viewer, call.slot)->track;
    for (uint16_t seq = 2; sfu_track_cached(track, 0, 0) <= SFU_REPLAY_STALE_BYTES; seq++) {
        rig_put_picture(call.publisher, call.camera->ssrcs[0], seq, 2, 0, 180);
        rig_flush();
    }
    size_t replayed = counters()->keyframes_replayed;
    watch_anew();
    CHECK_INT(counters()->keyframes_replayed, replayed + 1);
    CHECK(was_asked(call.camera->ssrcs[0]));
    rig_close();
}

static void a_keyframe_that_still_comes_is_not_begun_with_where_a_lower_one_is_there(void) {
    begin_simulcast();
    layer_frame(0, 1, true);
    layer_frame(0, 2, false);
    rig_put_picture(call.publisher, call.camera->ssrcs[2], 2001, 1, RIG_KEY, 720);
    rig_flush();
    watch_anew();
    CHECK_STR(numbers(), "1 2");
    rig_close();
}

/* The slot remembers what it sent of the highest layer, which is no more. */
static void a_track_may_come_back_with_fewer_layers(void) {
    begin_simulcast();
    layer_frame(2, 1, true);
    layer_frame(2, 2, false);
    rig_sr(call.publisher, call.camera->ssrcs[2], rig_ntp(rig.now_us), 0);
    uint16_t sent = rig_slot(call.viewer, call.slot)->rewriter.out_seq;
    call.camera->layer_count = 1;
    CHECK_INT(rig_negotiate(call.publisher), 0);
    rig_carry(call.viewer, call.slot, call.camera->track);
    rig_clear();
    rig.now_us += S;
    rig_nack(call.viewer, call.slot->slot_ssrc, &sent, 1);
    CHECK_INT(rig_rtp_count(call.viewer), 0);
    rig_sr(call.publisher, call.camera->ssrcs[0], rig_ntp(rig.now_us), 0);
    layer_frame(0, 3, true);
    CHECK_INT(rig_rtp_count(call.viewer), 1);
    rig_nack(call.viewer, call.slot->slot_ssrc, &sent, 1);
    rig_close();
}

static const struct test tests[] = {
    {"a_keyframe_is_asked_for_while_the_last_one_can_still_be_replayed",
     a_keyframe_is_asked_for_while_the_last_one_can_still_be_replayed},
    {"a_keyframe_that_still_comes_is_not_begun_with_where_a_lower_one_is_there",
     a_keyframe_that_still_comes_is_not_begun_with_where_a_lower_one_is_there},
    {"a_track_may_come_back_with_fewer_layers", a_track_may_come_back_with_fewer_layers},
    {"the_highest_layer_that_flows_and_fits_is_chosen",
     the_highest_layer_that_flows_and_fits_is_chosen},
    {"a_layer_that_stops_gives_way_to_one_that_flows",
     a_layer_that_stops_gives_way_to_one_that_flows},
    {"a_publisher_that_stalls_loses_no_layer", a_publisher_that_stalls_loses_no_layer},
    {"what_a_layer_takes_is_without_the_excess_of_keyframes",
     what_a_layer_takes_is_without_the_excess_of_keyframes},
    {"another_layer_begins_at_its_keyframe_and_the_old_flows_until_then",
     another_layer_begins_at_its_keyframe_and_the_old_flows_until_then},
    {"the_target_layers_keyframe_is_asked_for", the_target_layers_keyframe_is_asked_for},
    {"who_has_nothing_waits_for_the_lowest_layer_too",
     who_has_nothing_waits_for_the_lowest_layer_too},
};

TEST_MAIN(tests)
