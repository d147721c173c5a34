/* What several slots of a subscriber replay on a link with a limit. */
#include "sfu/downlink.h"

#include "sfu/slot.h"
#include "sfu/transport.h"
#include "tests/unit/sfu/fixture_media.h"

enum { CAMERAS = 3, LINK_BPS = 1200000 }; /* Of which 15 packets go in 100 ms. */

static struct {
    struct rig_peer *publisher, *viewer;
    struct sfu_media *cameras[CAMERAS], *slots[CAMERAS];
} many;

static void begin(size_t count) {
    rig_open();
    many.publisher = rig_join();
    many.viewer = rig_join();
    for (size_t i = 0; i < count; i++) {
        many.cameras[i] = rig_add(many.publisher, true, SFU_PUBLISHES);
        many.slots[i] = rig_add(many.viewer, true, SFU_SLOT);
    }
    rig_connect(many.publisher);
    rig_connect(many.viewer);
}

static void narrow_the_link(void) {
    struct sfu_downlink *downlink = many.viewer->transport->downlink;
    downlink->source = SFU_DOWNLINK_TRANSPORT_CC;
    downlink->bwe.aimd.decreased_us = rig.now_us;
    downlink->bwe.bps = LINK_BPS;
}

static void put_keyframe(size_t camera, uint16_t first, uint16_t packets) {
    for (uint16_t i = 0; i < packets; i++) {
        uint8_t payload[1000] = {0};
        int flags = (i == 0 ? RIG_START | RIG_KEY : 0) | (i + 1 == packets ? RIG_END : 0);
        rig_vp8(payload, 1, flags, 720, first + i);
        rig_put(many.publisher, &(struct rig_rtp){.ssrc = many.cameras[camera]->ssrcs[0],
                                                  .payload_type = RIG_VP8_PT,
                                                  .seq = first + i,
                                                  .timestamp = 30 * first,
                                                  .marker = i + 1 == packets,
                                                  .payload = payload,
                                                  .len = sizeof(payload)});
    }
    rig_flush();
}

static void put_keyframes(size_t count, uint16_t packets) {
    for (size_t i = 0; i < count; i++)
        put_keyframe(i, 100, packets);
}

static void carry_one(size_t i) {
    rig_carry(many.viewer, many.slots[i], many.cameras[i]->track);
    rig_flush();
}

/* The last one first. */
static void carry(size_t count) {
    narrow_the_link();
    for (size_t i = count; i-- > 0;)
        carry_one(i);
}

static size_t count_of(size_t slot) {
    size_t count = 0;
    for (size_t i = 0; i < rig_rtp_count(many.viewer); i++)
        count += rig_rtp_at(many.viewer, i)->rtp.ssrc == many.slots[slot]->slot_ssrc;
    return count;
}

/* Each with what the link takes in 100 ms, they would fill its queue together. */
static void keyframes_of_several_slots_go_one_after_the_other(void) {
    begin(CAMERAS);
    put_keyframes(CAMERAS, 12);
    carry(CAMERAS);
    size_t at_once = rig_rtp_count(many.viewer);
    CHECK(at_once >= 15 && at_once <= 17);
    rig_run(50 * MS);
    size_t soon = rig_rtp_count(many.viewer);
    CHECK(soon >= at_once + 6 && soon <= at_once + 9);
    rig_run(150 * MS);
    CHECK_INT(rig_rtp_count(many.viewer), CAMERAS * 12);
    unsigned turns = 1;
    for (size_t i = 1; i < rig_rtp_count(many.viewer); i++)
        turns += rig_rtp_at(many.viewer, i)->rtp.ssrc != rig_rtp_at(many.viewer, i - 1)->rtp.ssrc;
    CHECK_INT(turns, CAMERAS);
    rig_close();
}

static void whose_turn_comes_late_begins_with_the_newest_keyframe(void) {
    begin(CAMERAS);
    put_keyframes(CAMERAS, 12);
    carry(CAMERAS);
    CHECK_INT(count_of(0), 0);
    put_keyframe(0, 112, 1);
    rig_run(200 * MS);
    CHECK_INT(count_of(2), 12);
    CHECK_INT(count_of(1), 12);
    CHECK_INT(count_of(0), 1);
    rig_close();
}

static void what_went_before_a_limit_was_known_is_not_counted(void) {
    begin(CAMERAS);
    put_keyframes(CAMERAS, 12);
    carry_one(0);
    carry_one(1);
    CHECK_INT(rig_rtp_count(many.viewer), 24);
    narrow_the_link();
    carry_one(2);
    CHECK_INT(count_of(2), 12);
    rig_close();
}

static void aim_all(size_t count, bool paused) {
    for (size_t i = 0; i < count; i++)
        sfu_slot_set_target(rig_slot(many.viewer, many.slots[i]), rig.now_us,
                            &(struct sfu_target){.paused = paused});
}

/* How many of so many slots, with 6 KB of each kept, begin out of that after a hold. */
static size_t begun_after_a_hold(size_t count) {
    begin(count);
    put_keyframes(count, 1);
    carry(count);
    put_keyframes(count, 6);
    size_t before = rig.engines[0]->counters.keyframes_replayed;
    aim_all(count, true);
    aim_all(count, false);
    rig_run(200 * MS);
    size_t begun = rig.engines[0]->counters.keyframes_replayed - before;
    rig_close();
    return begun;
}

static void after_a_hold_one_begins_with_what_is_kept(void) {
    CHECK_INT(begun_after_a_hold(1), 1);
}

/* A keyframe that the publisher sends for each is less than what all have kept. */
static void after_a_hold_many_begin_only_with_little(void) {
    CHECK_INT(begun_after_a_hold(CAMERAS), 0);
}

static const struct test tests[] = {
    {"keyframes_of_several_slots_go_one_after_the_other",
     keyframes_of_several_slots_go_one_after_the_other},
    {"whose_turn_comes_late_begins_with_the_newest_keyframe",
     whose_turn_comes_late_begins_with_the_newest_keyframe},
    {"what_went_before_a_limit_was_known_is_not_counted",
     what_went_before_a_limit_was_known_is_not_counted},
    {"after_a_hold_one_begins_with_what_is_kept", after_a_hold_one_begins_with_what_is_kept},
    {"after_a_hold_many_begin_only_with_little", after_a_hold_many_begin_only_with_little},
};

TEST_MAIN(tests)
