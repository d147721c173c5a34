/* What a slot that begins gets out of the track's history: the newest keyframe and what followed.
 */
#include "sfu/downlink.h"
#include "tests/unit/sfu/slot_call.h"

/* A second of the camera: a keyframe, and 29 frames after it. */
static void film(uint16_t first, unsigned frame) {
    for (uint16_t i = 0; i < 30; i++) {
        rig_video(call.publisher, camera_ssrc(), first + i, frame + i,
                  i ? RIG_START | RIG_END : RIG_KEY | RIG_END);
        rig.now_us += 33 * MS;
    }
}

static void begin_unwatched(void) {
    prepare();
    rig_connect(call.publisher);
    rig_connect(call.viewer);
}

static void carry(const struct sfu_media *camera) {
    rig_carry(call.viewer, call.slot, camera->track);
    rig_flush();
}

static uint32_t timestamp_of(size_t i) {
    return rig_rtp_at(call.viewer, i)->rtp.timestamp;
}

static void who_joins_sees_at_once_what_the_others_see(void) {
    begin_unwatched();
    film(100, 1);
    carry(call.camera);
    CHECK_INT(rig_rtp_count(call.viewer), 30);
    CHECK_INT(rig_number(rig_rtp_at(call.viewer, 0)), 100);
    CHECK_INT(rig_number(rig_rtp_at(call.viewer, 29)), 129);
    check_consecutive();
    rig_run(1 * MS);
    CHECK_INT(rig_plis(call.publisher), 0);
    CHECK_INT(counters()->keyframes_replayed, 1);
    rig_close();
}

static void a_keyframe_that_comes_by_itself_is_not_replayed(void) {
    begin_unwatched();
    carry(call.camera);
    film(100, 1);
    CHECK_INT(rig_rtp_count(call.viewer), 30);
    CHECK_INT(counters()->keyframes_replayed, 0);
    rig_close();
}

static void what_is_replayed_takes_no_time(void) {
    begin_unwatched();
    film(100, 1);
    carry(call.camera);
    for (size_t i = 1; i < 30; i++) {
        uint32_t step = timestamp_of(i) - timestamp_of(i - 1);
        CHECK(step > 0 && step <= 100);
    }
    rig_video(call.publisher, camera_ssrc(), 130, 31, RIG_START | RIG_END);
    CHECK_INT(timestamp_of(30) - timestamp_of(29), 3000);
    rig_close();
}

/* Another camera after 40 ms: its 30 frames fit between the last one and now. */
static void a_switch_of_source_neither_goes_back_nor_delays(void) {
    begin_unwatched();
    rig_keyframe(call.publisher, call.second->ssrcs[0], 60000, 7);
    carry(call.second);
    film(100, 1);
    rig_video(call.publisher, call.second->ssrcs[0], 60001, 37, RIG_START | RIG_END);
    uint32_t last = timestamp_of(rig_rtp_count(call.viewer) - 1);
    rig.now_us += 40 * MS;
    rig_clear();
    carry(call.camera);
    CHECK_INT(rig_rtp_count(call.viewer), 30);
    for (size_t i = 0; i < 30; i++) {
        CHECK((int32_t)(timestamp_of(i) - last) > 0);
        CHECK_INT(timestamp_of(29) - timestamp_of(i) < 3600, true);
    }
    CHECK_INT(timestamp_of(29) - last, 3600);
    rig_close();
}

static void what_was_lost_of_a_replay_is_sent_again(void) {
    begin_unwatched();
    film(100, 1);
    carry(call.camera);
    uint16_t seq = rig_rtp_at(call.viewer, 7)->rtp.seq;
    rig_nack(call.viewer, call.slot->slot_ssrc, &seq, 1);
    const struct rig_sent *again = rig_rtp_at(call.viewer, 30);
    CHECK_INT(again->rtp.ssrc, call.slot->slot_rtx_ssrc);
    CHECK_INT(rig_number(again), 107);
    CHECK_INT(again->rtp.timestamp, timestamp_of(7));
    rig_close();
}

static void a_keyframe_too_far_back_is_asked_for_anew(void) {
    begin_unwatched();
    for (uint16_t i = 0; i < 10; i++)
        film(100 + 30 * i, 1 + 30 * i);
    for (uint16_t i = 0; i < 151; i++) /* More frames than a decoder takes at once. */
        rig_video(call.publisher, camera_ssrc(), 400 + i, 301 + i, RIG_START | RIG_END);
    carry(call.camera);
    CHECK_INT(rig_rtp_count(call.viewer), 0);
    rig_run(1 * MS);
    CHECK_INT(rig_plis(call.publisher), 1);
    rig_close();
}

static void what_comes_while_it_is_replayed_comes_once(void) {
    begin_unwatched();
    film(100, 1);
    rig_put_picture(call.publisher, camera_ssrc(), 130, 31, RIG_START | RIG_END, 720);
    rig_carry(call.viewer, call.slot, call.camera->track); /* In the same wake-up. */
    rig_flush();
    CHECK_INT(rig_rtp_count(call.viewer), 31);
    check_consecutive();
    rig_close();
}

/* A keyframe of so many packets, of 1 KB each, from the from-th on. */
static void put_keyframe_from(uint16_t first, uint16_t packets, uint16_t from) {
    for (uint16_t i = from; i < packets; i++) {
        uint8_t payload[1000] = {0};
        int flags = (i == 0 ? RIG_KEY : 0) | (i + 1 == packets ? RIG_END : 0);
        rig_vp8(payload, 1, flags, 720, first + i);
        rig_put(call.publisher, &(struct rig_rtp){.ssrc = camera_ssrc(),
                                                  .payload_type = RIG_VP8_PT,
                                                  .seq = first + i,
                                                  .timestamp = 3000,
                                                  .marker = i + 1 == packets,
                                                  .payload = payload,
                                                  .len = sizeof(payload)});
    }
    rig_flush();
}

static void put_large_keyframe(uint16_t first, uint16_t packets) {
    put_keyframe_from(first, packets, 0);
}

/* 24 KB at once, and 3 KB each 10 ms, though the publisher sends nothing meanwhile. */
static void what_is_too_much_at_once_goes_on_by_itself(void) {
    begin_unwatched();
    struct sfu_downlink *downlink = call.viewer->transport->downlink;
    downlink->source = SFU_DOWNLINK_REMB;
    downlink->remb_bps = 1200000;
    put_large_keyframe(100, 40);
    carry(call.camera);
    size_t at_once = rig_rtp_count(call.viewer);
    CHECK(at_once >= 24 && at_once <= 26);
    rig_run(10 * MS);
    CHECK(rig_rtp_count(call.viewer) > at_once && rig_rtp_count(call.viewer) <= at_once + 4);
    rig_run(60 * MS);
    CHECK_INT(rig_rtp_count(call.viewer), 40);
    check_consecutive();
    rig_close();
}

static void narrow_the_link(void) {
    struct sfu_downlink *downlink = call.viewer->transport->downlink;
    downlink->source = SFU_DOWNLINK_TRANSPORT_CC;
    downlink->bwe.aimd.decreased_us = rig.now_us;
    downlink->bwe.bps = 1200000;
}

/* As it comes, it would overflow the link's queue. The one that a slot begins with, and each after
 * it. */
static void on_a_narrow_link_a_keyframe_goes_at_its_pace(void) {
    begin_unwatched();
    carry(call.camera);
    for (uint16_t first = 100; first <= 140; first += 40) {
        narrow_the_link();
        size_t before = rig_rtp_count(call.viewer);
        put_large_keyframe(first, 40);
        size_t at_once = rig_rtp_count(call.viewer) - before;
        CHECK(at_once >= 15 && at_once <= 17);
        rig_run(100 * MS);
        CHECK_INT(rig_rtp_count(call.viewer) - before, 40);
    }
    CHECK_INT(counters()->keyframes_replayed, 0);
    check_consecutive();
    rig_close();
}

/* Of a keyframe whose first packet comes last, and comes twice, nothing is left to be paced. */
static void behind_a_keyframe_that_begins_late_nothing_waits(void) {
    begin_unwatched();
    carry(call.camera);
    rig_keyframe(call.publisher, camera_ssrc(), 99, 1);
    narrow_the_link();
    put_keyframe_from(100, 40, 1);
    size_t before = rig_rtp_count(call.viewer);
    for (unsigned twice = 0; twice < 2; twice++) {
        put_keyframe_from(100, 1, 0);
        rig_video(call.publisher, camera_ssrc(), 140 + twice, 3 + twice, RIG_START | RIG_END);
    }
    CHECK_INT(rig_rtp_count(call.viewer) - before, 3);
    CHECK_INT(rig_number(rig_rtp_at(call.viewer, before + 1)), 140);
    CHECK_INT(rig_number(rig_rtp_at(call.viewer, before + 2)), 141);
    rig_close();
}

/* By its timestamp, what comes after the pause would be from the future. */
static void what_came_before_a_pause_of_the_publisher_is_not_replayed(void) {
    begin_unwatched();
    film(100, 1);
    rig.now_us += 5 * S;
    carry(call.camera);
    CHECK_INT(rig_rtp_count(call.viewer), 0);
    rig_run(1 * MS);
    CHECK_INT(rig_plis(call.publisher), 1);
    rig_keyframe(call.publisher, camera_ssrc(), 130, 181);
    CHECK_STR(numbers(), "130");
    rig_close();
}

static void a_gap_in_the_cache_is_kept_free(void) {
    begin_unwatched();
    rig_keyframe(call.publisher, camera_ssrc(), 100, 1);
    rig_video(call.publisher, camera_ssrc(), 102, 3, RIG_START | RIG_END);
    carry(call.camera);
    CHECK_STR(numbers(), "100 102");
    rig_video(call.publisher, camera_ssrc(), 101, 2, RIG_START | RIG_END);
    CHECK_STR(numbers(), "100 102 101");
    uint16_t first = rig_rtp_at(call.viewer, 0)->rtp.seq;
    CHECK_INT(rig_rtp_at(call.viewer, 1)->rtp.seq, (uint16_t)(first + 2));
    CHECK_INT(rig_rtp_at(call.viewer, 2)->rtp.seq, (uint16_t)(first + 1));
    rig_close();
}

/* Its publisher has been asked for it already, or it is lost on the way and asked for again. */
static void who_asks_for_what_is_on_its_way_is_not_heard(void) {
    begin_unwatched();
    film(100, 1);
    carry(call.camera);
    rig.now_us += 50 * MS; /* Half of the round trip. */
    rig_pli(call.viewer, call.slot->slot_ssrc);
    rig_run(1 * MS);
    CHECK_INT(rig_plis(call.publisher), 0);
    rig_run(S);
    rig_pli(call.viewer, call.slot->slot_ssrc);
    rig_run(1 * MS);
    CHECK_INT(rig_plis(call.publisher), 1);
    rig_close();
}

/* After 1, 2, then every 4 s: the others pay for each keyframe too. */
static void who_asks_all_the_time_is_heard_more_and_more_seldom(void) {
    begin();
    uint16_t seq = 10;
    rig_keyframe(call.publisher, camera_ssrc(), seq++, 1);
    rig_run(S);
    for (unsigned i = 0; i < 52; i++) {
        size_t before = rig_plis(call.publisher);
        rig_pli(call.viewer, call.slot->slot_ssrc);
        rig_run(10 * MS);
        if (rig_plis(call.publisher) > before)
            rig_keyframe(call.publisher, camera_ssrc(), seq++, 2 + i);
        rig_run(190 * MS);
    }
    CHECK_INT(rig_plis(call.publisher), 4); /* At 0, 1, 3 and 7 s. */
    rig_close();
}

static const struct test tests[] = {
    {"who_joins_sees_at_once_what_the_others_see", who_joins_sees_at_once_what_the_others_see},
    {"a_keyframe_that_comes_by_itself_is_not_replayed",
     a_keyframe_that_comes_by_itself_is_not_replayed},
    {"what_is_replayed_takes_no_time", what_is_replayed_takes_no_time},
    {"a_switch_of_source_neither_goes_back_nor_delays",
     a_switch_of_source_neither_goes_back_nor_delays},
    {"what_was_lost_of_a_replay_is_sent_again", what_was_lost_of_a_replay_is_sent_again},
    {"a_keyframe_too_far_back_is_asked_for_anew", a_keyframe_too_far_back_is_asked_for_anew},
    {"what_comes_while_it_is_replayed_comes_once", what_comes_while_it_is_replayed_comes_once},
    {"on_a_narrow_link_a_keyframe_goes_at_its_pace", on_a_narrow_link_a_keyframe_goes_at_its_pace},
    {"behind_a_keyframe_that_begins_late_nothing_waits",
     behind_a_keyframe_that_begins_late_nothing_waits},
    {"what_is_too_much_at_once_goes_on_by_itself", what_is_too_much_at_once_goes_on_by_itself},
    {"what_came_before_a_pause_of_the_publisher_is_not_replayed",
     what_came_before_a_pause_of_the_publisher_is_not_replayed},
    {"a_gap_in_the_cache_is_kept_free", a_gap_in_the_cache_is_kept_free},
    {"who_asks_for_what_is_on_its_way_is_not_heard", who_asks_for_what_is_on_its_way_is_not_heard},
    {"who_asks_all_the_time_is_heard_more_and_more_seldom",
     who_asks_all_the_time_is_heard_more_and_more_seldom},
};

TEST_MAIN(tests)
