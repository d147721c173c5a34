/* What a track keeps, asks for and gives to other workers. */
#include "tests/unit/sfu/fixture_media.h"

static struct {
    struct rig_peer *publisher, *viewer;
    struct sfu_media *camera, *slot;
} call;

static void begin_at(unsigned viewers_worker) {
    rig_open();
    call.publisher = rig_join();
    call.camera = rig_add(call.publisher, true, SFU_PUBLISHES);
    call.viewer = rig_join_at(viewers_worker);
    call.slot = rig_add(call.viewer, true, SFU_SLOT);
    rig_connect(call.publisher);
    rig_connect(call.viewer);
}

static void begin(void) {
    begin_at(0);
}

static uint32_t ssrc(void) {
    return call.camera->ssrcs[0];
}

static struct sfu_track *track(void) {
    return rig_track(call.publisher, call.camera);
}

static void watch(void) {
    rig_carry(call.viewer, call.slot, call.camera->track);
}

/* --- Receiving --- */

static void send_rtx(uint16_t rtx_seq, uint16_t original_seq, unsigned frame, size_t padding_only) {
    uint8_t payload[2 + RIG_PAYLOAD_LEN];
    rtp_put16(payload, original_seq);
    rig_vp8(payload + 2, frame, RIG_START | RIG_END, 720, original_seq);
    rig_send(call.publisher, &(struct rig_rtp){.ssrc = call.camera->rtx_ssrcs[0],
                                               .payload_type = RIG_RTX_PT,
                                               .seq = rtx_seq,
                                               .timestamp = frame * 3000,
                                               .payload = payload,
                                               .len = padding_only ? padding_only - 1 : 42});
}

static void rtx_fills_its_place_in_the_layer(void) {
    begin();
    watch();
    rig_keyframe(call.publisher, ssrc(), 10, 1);
    rig_video(call.publisher, ssrc(), 12, 3, RIG_START | RIG_END);
    send_rtx(700, 11, 2, 0);
    CHECK_INT(rig_rtp_count(call.viewer), 3);
    const struct rig_sent *first = rig_rtp_at(call.viewer, 0);
    const struct rig_sent *repaired = rig_rtp_at(call.viewer, 2);
    CHECK_INT(rig_number(repaired), 11);
    CHECK_INT(repaired->rtp.seq, (uint16_t)(first->rtp.seq + 1));
    CHECK_INT(repaired->rtp.payload_type, RIG_VP8_PT);
    CHECK_INT(repaired->rtp.payload_len, first->rtp.payload_len);
    const struct rtp_receiver *receiver = &track()->layers[0].receiver;
    CHECK_INT(receiver->received, 3);
    CHECK_INT(receiver->recovered, 1);
    rig_close();
}

/* Browsers probe with RTX that repeats nothing, or what came long ago. */
static void rtx_probes_are_counted_by_nobody_and_forwarded_to_nobody(void) {
    begin();
    watch();
    rig_keyframe(call.publisher, ssrc(), 10, 1);
    send_rtx(700, 10, 1, 1); /* Nothing at all. */
    send_rtx(701, 10, 1, 3); /* A number alone. */
    send_rtx(702, 10, 1, 0); /* What came. */
    CHECK_INT(rig_rtp_count(call.viewer), 1);
    CHECK_INT(track()->layers[0].receiver.received, 1);
    CHECK_INT(rig.engines[0]->counters.drop_rtp_malformed, 0);
    CHECK_INT(rig.engines[0]->counters.drop_rtp_duplicate, 1);
    rig_close();
}

static void the_first_packet_is_told_once(void) {
    begin();
    CHECK_INT(call.publisher->events[SFU_EVENT_TRACK_FLOWS], 0);
    rig_keyframe(call.publisher, ssrc(), 10, 1);
    rig_keyframe(call.publisher, ssrc(), 11, 2);
    CHECK_INT(call.publisher->events[SFU_EVENT_TRACK_FLOWS], 1);
    CHECK_INT(call.publisher->event_track, call.camera->track);
    rig_close();
}

static void the_last_512_packets_are_kept_and_no_more(void) {
    begin();
    rig_keyframe(call.publisher, ssrc(), 10, 1);
    for (uint16_t i = 1; i < 600; i++)
        rig_video(call.publisher, ssrc(), 10 + i, 1 + i, RIG_START | RIG_END);
    uint32_t newest = (uint32_t)track()->layers[0].newest_seq;
    CHECK(sfu_track_find(track(), 0, newest) != NULL);
    CHECK(sfu_track_find(track(), 0, newest - 511) != NULL);
    CHECK(sfu_track_find(track(), 0, newest - 512) == NULL);
    CHECK(sfu_track_find(track(), 0, newest + 1) == NULL);
    CHECK_INT(sfu_track_find(track(), 0, newest - 3)->rtp.seq, 606);
    CHECK_INT(sfu_pool_in_use(rig.pool), 512);
    rig_close();
}

static void a_restart_makes_what_was_kept_void(void) {
    begin();
    for (uint16_t i = 0; i < 20; i++)
        rig_keyframe(call.publisher, ssrc(), 100 + i, i);
    CHECK_INT(sfu_pool_in_use(rig.pool), 20);
    rig_keyframe(call.publisher, ssrc(), 30000, 1);
    rig_keyframe(call.publisher, ssrc(), 30001, 2);
    CHECK_INT(sfu_pool_in_use(rig.pool), 1);
    rig_close();
}

/* --- Keyframes --- */

static void plis_of_many_slots_are_one(void) {
    begin();
    watch();
    rig_keyframe(call.publisher, ssrc(), 10, 1);
    rig_run(S);
    rig_clear();
    for (int i = 0; i < 20; i++) {
        rig_pli(call.viewer, call.slot->slot_ssrc);
        rig_run(10 * MS);
    }
    CHECK_INT(rig_plis(call.publisher), 1);
    CHECK_INT(rig.engines[0]->counters.keyframe_requests_received, 20);
    rig_keyframe(call.publisher, ssrc(), 11, 2);
    rig_run(2 * S);
    CHECK_INT(rig_plis(call.publisher), 1); /* It came: no more are asked for. */
    rig_close();
}

static void requests_come_at_most_once_a_second(void) {
    begin();
    watch();
    rig_keyframe(call.publisher, ssrc(), 10, 1);
    rig_run(S);
    rig_clear();
    uint64_t begun_us = rig.now_us;
    for (uint16_t i = 0; i < 30; i++) { /* Each is answered at once, and asked for again. */
        sfu_track_want_keyframe(track(), rig.now_us, 0);
        rig_run(100 * MS);
        rig_keyframe(call.publisher, ssrc(), 11 + i, 2 + i);
    }
    CHECK_INT(rig_plis(call.publisher), 1 + (rig.now_us - begun_us) / S);
    rig_close();
}

/* When nothing comes the way there is congested: more and more seldom. */
static void a_request_is_repeated_after_1_1_2_and_2_s_until_a_keyframe_comes(void) {
    begin();
    watch();
    rig_video(call.publisher, ssrc(), 10, 1, RIG_START | RIG_END);
    static const uint64_t waits_us[] = {1 * S, 1 * S, 2 * S, 2 * S, 4 * S, 4 * S, 4 * S};
    rig_run(1 * MS);
    CHECK_INT(rig_plis(call.publisher), 1);
    for (size_t i = 1; i < 7; i++) {
        struct rtcp_packet pli;
        uint64_t last_us, this_us;
        rig_run(waits_us[i]);
        CHECK_INT(rig_plis(call.publisher), 1 + i);
        CHECK(rig_find_rtcp(call.publisher, RTCP_PSFB, RTCP_FMT_PLI, i - 1, &pli, &last_us));
        CHECK(rig_find_rtcp(call.publisher, RTCP_PSFB, RTCP_FMT_PLI, i, &pli, &this_us));
        CHECK_INT(this_us - last_us, waits_us[i]);
    }
    rig_keyframe(call.publisher, ssrc(), 11, 2);
    rig_run(5 * S);
    CHECK_INT(rig_plis(call.publisher), 7);
    rig_close();
}

static void what_else_is_due_does_not_hasten_a_request(void) {
    begin();
    watch();
    rig_video(call.publisher, ssrc(), 10, 1, RIG_START | RIG_END);
    for (uint16_t i = 0; i < 40; i++) { /* NACKs become due all the time. */
        rig_run(10 * MS);
        rig_video(call.publisher, ssrc(), 12 + 2 * i, 2, RIG_START | RIG_END);
    }
    CHECK(rig_rtcp_count(call.publisher, RTCP_RTPFB, RTCP_FMT_NACK) > 30);
    CHECK_INT(rig_plis(call.publisher), 1);
    rig_close();
}

/* Without an SSRC there is nothing that a PLI could name. */
static void nothing_is_asked_before_the_first_packet_and_then_at_once(void) {
    rig_open();
    call.publisher = rig_join();
    call.camera = rig_add(call.publisher, true, SFU_PUBLISHES);
    call.camera->ssrcs[0] = call.camera->rtx_ssrcs[0] = 0;
    call.viewer = rig_join();
    call.slot = rig_add(call.viewer, true, SFU_SLOT);
    rig_connect(call.publisher);
    rig_connect(call.viewer);
    watch();
    rig_run(1050 * MS);
    CHECK_INT(rig_plis(call.publisher), 0);
    rig_video(call.publisher, 5000, 10, 1, RIG_START | RIG_END);
    rig_run(10 * MS);
    CHECK_INT(rig_plis(call.publisher), 1);
    rig_close();
}

static void a_first_packet_that_is_a_keyframe_needs_no_request(void) {
    rig_open();
    call.publisher = rig_join();
    call.camera = rig_add(call.publisher, true, SFU_PUBLISHES);
    call.camera->ssrcs[0] = call.camera->rtx_ssrcs[0] = 0;
    call.viewer = rig_join();
    call.slot = rig_add(call.viewer, true, SFU_SLOT);
    rig_connect(call.publisher);
    rig_connect(call.viewer);
    watch();
    rig_keyframe(call.publisher, 5000, 10, 1);
    rig_run(2 * S);
    CHECK_INT(rig_plis(call.publisher), 0);
    rig_close();
}

static void only_the_layer_that_is_wanted_is_asked(void) {
    rig_open();
    call.publisher = rig_join();
    call.camera = rig_add_simulcast(call.publisher);
    rig_connect(call.publisher);
    rig_keyframe(call.publisher, call.camera->ssrcs[0], 10, 1);
    rig_keyframe(call.publisher, call.camera->ssrcs[1], 10, 1);
    sfu_track_want_keyframe(track(), rig.now_us, 1);
    rig_run(1 * MS);
    struct rtcp_packet pli;
    uint32_t sender, media;
    CHECK(rig_find_rtcp(call.publisher, RTCP_PSFB, RTCP_FMT_PLI, 0, &pli, NULL));
    CHECK_INT(rtcp_feedback_parse(&pli, &sender, &media), 0);
    CHECK_INT(media, call.camera->ssrcs[1]);
    CHECK_INT(rig_plis(call.publisher), 1);
    rig_close();
}

/* A gap of more than 256 packets is not asked for but skipped. */
static void a_gap_too_wide_for_nack_asks_for_a_keyframe(void) {
    begin();
    rig_keyframe(call.publisher, ssrc(), 10, 1);
    rig_video(call.publisher, ssrc(), 400, 2, RIG_START | RIG_END);
    rig_run(1 * MS);
    CHECK_INT(rig_plis(call.publisher), 1);
    CHECK_INT(rig.engines[0]->counters.rtp_lost_upstream, 389);
    rig_close();
}

/* --- Layers --- */

/* Frames of the lowest layer, 33 ms apart, for so long. */
static uint16_t lowest = 100;
static void run_lowest(uint64_t duration_us) {
    for (uint64_t until_us = rig.now_us + duration_us; rig.now_us < until_us; lowest++) {
        rig_video(call.publisher, call.camera->ssrcs[0], lowest, lowest, RIG_START | RIG_END);
        rig_run(33 * MS);
    }
}

static void a_layer_that_others_leave_behind_for_250_ms_does_not_flow(void) {
    rig_open();
    call.publisher = rig_join();
    call.camera = rig_add_simulcast(call.publisher);
    rig_connect(call.publisher);
    const struct sfu_layer *layers = track()->layers;
    CHECK(!layers[1].flowing);
    rig_put_picture(call.publisher, call.camera->ssrcs[1], 10, 1, RIG_KEY | RIG_END, 360);
    rig_flush();
    CHECK(layers[1].flowing);
    CHECK_INT(layers[1].width, 640);
    CHECK_INT(layers[1].height, 360);
    run_lowest(230 * MS);
    CHECK(layers[1].flowing);
    run_lowest(120 * MS);
    CHECK(!layers[1].flowing);
    rig_close();
}

/* A screen that does not change, DTX: nothing to change to, nothing to draw from it. */
static void a_track_that_pauses_has_not_stopped(void) {
    rig_open();
    call.publisher = rig_join();
    call.camera = rig_add_simulcast(call.publisher);
    rig_connect(call.publisher);
    for (size_t i = 0; i < 3; i++)
        rig_keyframe(call.publisher, call.camera->ssrcs[i], 10, 1);
    rig_run(10 * S);
    for (size_t i = 0; i < 3; i++)
        rig_video(call.publisher, call.camera->ssrcs[i], 11, 301, RIG_START | RIG_END);
    for (size_t i = 0; i < 3; i++)
        CHECK(track()->layers[i].flowing);
    rig_close();
}

static void a_slow_layer_may_be_silent_for_three_of_its_frames(void) {
    rig_open();
    call.publisher = rig_join();
    call.camera = rig_add_simulcast(call.publisher);
    rig_connect(call.publisher);
    const struct sfu_layer *layers = track()->layers;
    for (uint16_t i = 0; i < 20; i++) { /* 5 a second. */
        rig_video(call.publisher, call.camera->ssrcs[1], 10 + i, 1 + 6 * i, RIG_START | RIG_END);
        run_lowest(200 * MS);
        CHECK(layers[1].flowing);
    }
    run_lowest(300 * MS);
    CHECK(layers[1].flowing);
    run_lowest(300 * MS);
    CHECK(!layers[1].flowing);
    rig_close();
}

/* A sender without bandwidth stops its upper layers; keyframes of the others would not help it. */
static void a_layer_that_stopped_is_asked_when_it_flows_again(void) {
    rig_open();
    call.publisher = rig_join();
    call.camera = rig_add_simulcast(call.publisher);
    rig_connect(call.publisher);
    rig_video(call.publisher, call.camera->ssrcs[1], 10, 1, RIG_START | RIG_END);
    sfu_track_want_keyframe(track(), rig.now_us, 1);
    run_lowest(S);
    size_t asked = rig_plis(call.publisher);
    CHECK_INT(asked, 1);
    run_lowest(5 * S);
    CHECK_INT(rig_plis(call.publisher), asked);
    rig_video(call.publisher, call.camera->ssrcs[1], 11, 2, RIG_START | RIG_END);
    rig_run(1 * MS);
    CHECK_INT(rig_plis(call.publisher), asked + 1);
    rig_close();
}

/* --- Mirrors --- */

static void open_mirror(void) {
    CHECK_INT(sfu_engine_mirror_open(rig.engines[1], 0, call.camera), 0);
    sfu_engine_mirror_feed(rig.engines[0], call.camera->track, 1, true);
    watch();
    rig_run_pipes();
}

static void a_mirror_forwards_what_its_owner_receives(void) {
    begin_at(1);
    open_mirror();
    for (uint16_t i = 0; i < 3; i++)
        rig_video(call.publisher, ssrc(), 10 + i, i, i ? RIG_START | RIG_END : RIG_KEY | RIG_END);
    CHECK_INT(rig.piped_count, 3);
    rig_run_pipes();
    CHECK_INT(rig_rtp_count(call.viewer), 3);
    uint16_t first = rig_rtp_at(call.viewer, 0)->rtp.seq;
    rig_nack(call.viewer, call.slot->slot_ssrc, &first, 1); /* From a history of its own. */
    CHECK_INT(rig_rtp_at(call.viewer, 3)->rtp.ssrc, call.slot->slot_rtx_ssrc);
    CHECK_INT(rig_rtp_at(call.viewer, 0)->rtp.ssrc, call.slot->slot_ssrc);
    rig_close();
}

/* The other worker forwards while this one does. */
static void a_mirror_has_its_packets_before_they_are_forwarded_here_and_once(void) {
    begin_at(1);
    open_mirror();
    struct sfu_track *track = sfu_table_get(&rig.engines[0]->tracks, &call.camera->track);
    struct sfu_packet *packet = sfu_pool_get(rig.pool);
    sfu_track_join_burst(track, rig.now_us, packet);
    sfu_engine_feed_mirrors(rig.engines[0]);
    CHECK_INT(rig.piped_count, 1);
    CHECK_INT(rig.piped[0].entry.type, SFU_PIPE_PACKET);
    sfu_engine_flush(rig.engines[0], rig.now_us);
    CHECK_INT(rig.piped_count, 1);
    sfu_packet_unref(packet);
    rig_close();
}

static void a_mirror_asks_its_owner_for_keyframes(void) {
    begin_at(1);
    open_mirror();
    rig_keyframe(call.publisher, ssrc(), 10, 1);
    rig_run_pipes();
    rig_run(S);
    rig_clear();
    for (int i = 0; i < 10; i++)
        rig_pli(call.viewer, call.slot->slot_ssrc);
    CHECK_INT(rig.piped_count, 1);
    CHECK_INT(rig.piped[0].worker, 0);
    CHECK_INT(rig.piped[0].entry.type, SFU_PIPE_KEYFRAME);
    rig_run_pipes();
    rig_run(1 * MS);
    CHECK_INT(rig_plis(call.publisher), 1);
    rig_close();
}

/* Else whoever lacks one would wait until he asks himself: VP9 stood still for 3.5 s where a link
 * became narrow. */
static void a_mirror_does_not_keep_what_it_may_not_ask_yet_to_itself(void) {
    begin_at(1);
    open_mirror();
    rig_keyframe(call.publisher, ssrc(), 10, 1);
    rig_run_pipes();
    rig_run(S);
    struct sfu_track *mirror = sfu_table_get(&rig.engines[1]->tracks, &call.camera->track);
    rig_clear();
    sfu_track_want_keyframe(mirror, rig.now_us, 0);
    rig_run_pipes();
    rig_run(100 * MS);
    rig_keyframe(call.publisher, ssrc(), 11, 2);
    rig_run_pipes();
    CHECK(!mirror->layers[0].keyframe_wanted);
    sfu_track_want_keyframe(mirror, rig.now_us, 0);
    rig_run_pipes();
    rig_run(100 * MS);
    CHECK_INT(rig_plis(call.publisher), 1);
    rig_run(S);
    CHECK_INT(rig_plis(call.publisher), 2);
    rig_close();
}

static void a_mirror_learns_the_clock_even_if_it_opens_late(void) {
    begin_at(1);
    rig_keyframe(call.publisher, ssrc(), 10, 1);
    rig_sr(call.publisher, ssrc(), rig_ntp(rig.now_us), 3000);
    open_mirror();
    const struct sfu_track *mirror = sfu_table_get(&rig.engines[1]->tracks, &call.camera->track);
    CHECK(mirror->layers[0].has_clock);
    CHECK_INT(mirror->layers[0].clock_us, rig.now_us);
    CHECK_INT(mirror->layers[0].clock_timestamp, 3000);
    rig_close();
}

static void who_watches_through_a_new_mirror_sees_the_newest_keyframe_at_once(void) {
    begin_at(1);
    for (uint16_t i = 0; i < 3; i++)
        rig_video(call.publisher, ssrc(), 10 + i, i, i ? RIG_START | RIG_END : RIG_KEY | RIG_END);
    open_mirror();
    CHECK_INT(rig_rtp_count(call.viewer), 3);
    CHECK_INT(rig_number(rig_rtp_at(call.viewer, 2)), 12);
    rig_video(call.publisher, ssrc(), 13, 3, RIG_START | RIG_END);
    rig_run_pipes();
    CHECK_INT(rig_rtp_count(call.viewer), 4);
    rig_run(1 * MS);
    CHECK_INT(rig_plis(call.publisher), 0);
    rig_close();
}

static void what_finds_its_pipe_full_is_counted_and_lost(void) {
    begin_at(1);
    open_mirror();
    rig.pipe_full = true;
    rig_keyframe(call.publisher, ssrc(), 10, 1);
    CHECK_INT(rig.engines[0]->counters.drop_pipe_full, 1);
    CHECK_INT(sfu_pool_in_use(rig.pool), 1); /* The history's. */
    rig_close();
}

static void a_closed_mirror_is_fed_no_more_and_gives_its_packets_back(void) {
    begin_at(1);
    open_mirror();
    rig_keyframe(call.publisher, ssrc(), 10, 1); /* On its way when the mirror closes. */
    sfu_engine_mirror_close(rig.engines[1], call.camera->track);
    sfu_engine_mirror_feed(rig.engines[0], call.camera->track, 1, false);
    CHECK(rig_slot(call.viewer, call.slot)->track == NULL);
    CHECK_INT(rig.engines[1]->tracks.count, 0);
    rig_run_pipes();
    rig_keyframe(call.publisher, ssrc(), 11, 2);
    CHECK_INT(rig.piped_count, 0);
    CHECK_INT(rig_rtp_count(call.viewer), 0);
    CHECK_INT(sfu_pool_in_use(rig.pool), 2);
    rig_close();
}

static void a_mirror_is_opened_once_and_a_track_is_none(void) {
    begin_at(1);
    open_mirror();
    CHECK_INT(sfu_engine_mirror_open(rig.engines[1], 0, call.camera), -17); /* EEXIST */
    CHECK_INT(sfu_engine_mirror_open(rig.engines[0], 1, call.camera), -17);
    sfu_engine_mirror_close(rig.engines[0], call.camera->track); /* Not its publisher's. */
    CHECK_INT(rig.engines[0]->tracks.count, 1);
    rig_close();
}

static const struct test tests[] = {
    {"rtx_fills_its_place_in_the_layer", rtx_fills_its_place_in_the_layer},
    {"rtx_probes_are_counted_by_nobody_and_forwarded_to_nobody",
     rtx_probes_are_counted_by_nobody_and_forwarded_to_nobody},
    {"the_first_packet_is_told_once", the_first_packet_is_told_once},
    {"the_last_512_packets_are_kept_and_no_more", the_last_512_packets_are_kept_and_no_more},
    {"a_restart_makes_what_was_kept_void", a_restart_makes_what_was_kept_void},
    {"plis_of_many_slots_are_one", plis_of_many_slots_are_one},
    {"requests_come_at_most_once_a_second", requests_come_at_most_once_a_second},
    {"a_request_is_repeated_after_1_1_2_and_2_s_until_a_keyframe_comes",
     a_request_is_repeated_after_1_1_2_and_2_s_until_a_keyframe_comes},
    {"what_else_is_due_does_not_hasten_a_request", what_else_is_due_does_not_hasten_a_request},
    {"nothing_is_asked_before_the_first_packet_and_then_at_once",
     nothing_is_asked_before_the_first_packet_and_then_at_once},
    {"a_first_packet_that_is_a_keyframe_needs_no_request",
     a_first_packet_that_is_a_keyframe_needs_no_request},
    {"only_the_layer_that_is_wanted_is_asked", only_the_layer_that_is_wanted_is_asked},
    {"a_gap_too_wide_for_nack_asks_for_a_keyframe", a_gap_too_wide_for_nack_asks_for_a_keyframe},
    {"a_layer_that_others_leave_behind_for_250_ms_does_not_flow",
     a_layer_that_others_leave_behind_for_250_ms_does_not_flow},
    {"a_track_that_pauses_has_not_stopped", a_track_that_pauses_has_not_stopped},
    {"a_slow_layer_may_be_silent_for_three_of_its_frames",
     a_slow_layer_may_be_silent_for_three_of_its_frames},
    {"a_layer_that_stopped_is_asked_when_it_flows_again",
     a_layer_that_stopped_is_asked_when_it_flows_again},
    {"a_mirror_forwards_what_its_owner_receives", a_mirror_forwards_what_its_owner_receives},
    {"a_mirror_has_its_packets_before_they_are_forwarded_here_and_once",
     a_mirror_has_its_packets_before_they_are_forwarded_here_and_once},
    {"a_mirror_asks_its_owner_for_keyframes", a_mirror_asks_its_owner_for_keyframes},
    {"a_mirror_does_not_keep_what_it_may_not_ask_yet_to_itself",
     a_mirror_does_not_keep_what_it_may_not_ask_yet_to_itself},
    {"a_mirror_learns_the_clock_even_if_it_opens_late",
     a_mirror_learns_the_clock_even_if_it_opens_late},
    {"who_watches_through_a_new_mirror_sees_the_newest_keyframe_at_once",
     who_watches_through_a_new_mirror_sees_the_newest_keyframe_at_once},
    {"what_finds_its_pipe_full_is_counted_and_lost", what_finds_its_pipe_full_is_counted_and_lost},
    {"a_closed_mirror_is_fed_no_more_and_gives_its_packets_back",
     a_closed_mirror_is_fed_no_more_and_gives_its_packets_back},
    {"a_mirror_is_opened_once_and_a_track_is_none", a_mirror_is_opened_once_and_a_track_is_none},
};

TEST_MAIN(tests)
