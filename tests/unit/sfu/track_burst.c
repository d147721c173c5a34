/* What comes in one wake-up, and how it leaves: runs of one subscriber, over several tracks. */
#include "tests/unit/sfu/fixture_media.h"

enum { PEOPLE = 3 };

static struct {
    struct rig_peer *publisher, *viewer;
    struct sfu_media *camera, *slot;
} call;

static void begin(void) {
    rig_open();
    call.publisher = rig_join();
    call.camera = rig_add(call.publisher, true, SFU_PUBLISHES);
    call.viewer = rig_join();
    call.slot = rig_add(call.viewer, true, SFU_SLOT);
    rig_connect(call.publisher);
    rig_connect(call.viewer);
    rig_carry(call.viewer, call.slot, call.camera->track);
}

static void put_camera(uint16_t i, int flags) {
    rig_put_picture(call.publisher, call.camera->ssrcs[0], 10 + i, i, flags, 720);
}

/* --- One track --- */

static void a_burst_longer_than_64_is_forwarded_whole_and_in_order(void) {
    begin();
    for (uint16_t i = 0; i < 150; i++)
        put_camera(i, i ? RIG_START : RIG_KEY);
    rig_flush();
    CHECK_INT(rig_rtp_count(call.viewer), 150);
    for (size_t i = 0; i < 150; i++)
        CHECK_INT(rig_number(rig_rtp_at(call.viewer, i)), 10 + i);
    rig_close();
}

/* Runs of one subscriber: consecutive packets of equal length leave as one message. */
static void a_burst_leaves_subscriber_by_subscriber(void) {
    begin();
    struct rig_peer *other = rig_join();
    struct sfu_media *slot = rig_add(other, true, SFU_SLOT);
    call.slot->extensions.ids[RTP_EXT_MID] = slot->extensions.ids[RTP_EXT_MID] = 0;
    CHECK_INT(rig_negotiate(call.viewer), 0);
    rig_connect(other);
    rig_carry(other, slot, call.camera->track);
    for (uint16_t i = 0; i < 8; i++)
        put_camera(i, i ? 0 : RIG_KEY);
    rig_flush();
    CHECK_INT(rig_rtp_at(call.viewer, 0)->segments, 8);
    CHECK_INT(rig_rtp_at(other, 7)->segments, 8);
    rig_close();
}

/* --- Several --- */

static struct {
    struct rig_peer *speakers[PEOPLE], *listeners[PEOPLE];
    struct sfu_media *microphones[PEOPLE], *slots[PEOPLE][PEOPLE];
} sound;

/* Everybody's slot k carries speaker k, but they took them up in different orders. */
static void begin_sound(void) {
    rig_open();
    for (size_t i = 0; i < PEOPLE; i++) {
        sound.speakers[i] = rig_join();
        sound.microphones[i] = rig_add(sound.speakers[i], false, SFU_PUBLISHES);
        sound.listeners[i] = rig_join();
        for (size_t k = 0; k < PEOPLE; k++)
            sound.slots[i][k] = rig_add(sound.listeners[i], false, SFU_SLOT);
        rig_connect(sound.speakers[i]);
        rig_connect(sound.listeners[i]);
    }
    for (size_t k = 0; k < PEOPLE; k++)
        for (size_t i = 0; i < PEOPLE; i++) {
            size_t who = (i + k) % PEOPLE;
            rig_carry(sound.listeners[who], sound.slots[who][k], sound.microphones[k]->track);
        }
}

static void speak(size_t speaker, uint16_t seq, size_t len) {
    static const uint8_t payload[200] = {0x78};
    rig_put(sound.speakers[speaker], &(struct rig_rtp){.ssrc = sound.microphones[speaker]->ssrcs[0],
                                                       .payload_type = RIG_OPUS_PT,
                                                       .seq = seq,
                                                       .timestamp = seq * UINT32_C(960),
                                                       .payload = payload,
                                                       .len = len});
}

static void check_each_got(size_t packets, uint16_t segments) {
    for (size_t i = 0; i < PEOPLE; i++) {
        CHECK_INT(rig_rtp_count(sound.listeners[i]), packets);
        for (size_t k = 0; k < packets; k++)
            CHECK_INT(rig_rtp_at(sound.listeners[i], k)->segments, segments);
    }
}

static void what_somebody_gets_of_several_tracks_leaves_together(void) {
    begin_sound();
    for (size_t k = 0; k < PEOPLE; k++)
        speak(k, 10, 80);
    rig_flush();
    check_each_got(PEOPLE, PEOPLE);
    rig_close();
}

static void check_together(size_t first_len, size_t second_len) {
    begin_sound();
    speak(0, 10, first_len);
    speak(1, 10, second_len);
    rig_flush();
    check_each_got(2, 2);
    rig_close();
}

/* A shorter datagram may end a message, a longer one may not. */
static void a_longer_packet_goes_before_a_shorter_one(void) {
    check_together(80, 90);
}

static void a_shorter_packet_goes_behind_a_longer_one(void) {
    check_together(90, 80);
}

static void who_watches_one_of_them_gets_that_one(void) {
    begin_sound();
    rig_carry(sound.listeners[0], sound.slots[0][1], 0);
    rig_carry(sound.listeners[1], sound.slots[1][0], 0);
    rig_carry(sound.listeners[2], sound.slots[2][0], 0);
    speak(0, 10, 80);
    speak(1, 10, 80);
    rig_flush();
    for (size_t i = 0; i < PEOPLE; i++) {
        CHECK_INT(rig_rtp_count(sound.listeners[i]), 1);
        CHECK_INT(rig_rtp_at(sound.listeners[i], 0)->rtp.ssrc,
                  sound.slots[i][i == 0 ? 0 : 1]->slot_ssrc);
    }
    rig_close();
}

static void one_who_carries_a_track_twice_gets_it_twice(void) {
    begin_sound();
    rig_carry(sound.listeners[0], sound.slots[0][1], sound.microphones[0]->track);
    speak(0, 10, 80);
    speak(2, 10, 80);
    rig_flush();
    CHECK_INT(rig_rtp_count(sound.listeners[0]), 3);
    CHECK_INT(rig_rtp_at(sound.listeners[0], 0)->segments, 3);
    CHECK_INT(rig_rtp_count(sound.listeners[1]), 2);
    rig_carry(sound.listeners[0], sound.slots[0][0], 0);
    speak(0, 11, 80);
    rig_flush();
    CHECK_INT(rig_rtp_count(sound.listeners[0]), 4);
    rig_close();
}

/* More tracks than are forwarded together. */
static void twenty_tracks_reach_everybody(void) {
    enum { TRACKS = 20 };
    struct sfu_media *slots[TRACKS], *cameras[TRACKS];
    rig_open();
    struct rig_peer *publisher = rig_join(), *viewer = rig_join();
    for (size_t i = 0; i < TRACKS; i++) {
        cameras[i] = rig_add(publisher, true, SFU_PUBLISHES);
        slots[i] = rig_add(viewer, true, SFU_SLOT);
    }
    rig_connect(publisher);
    rig_connect(viewer);
    for (size_t i = 0; i < TRACKS; i++)
        rig_carry(viewer, slots[i], cameras[i]->track);
    for (size_t i = 0; i < TRACKS; i++)
        rig_put_picture(publisher, cameras[i]->ssrcs[0], (uint16_t)(10 + i), 1, RIG_KEY | RIG_END,
                        720);
    rig_flush();
    CHECK_INT(rig_rtp_count(viewer), TRACKS);
    CHECK(rig.engines[0]->dirty == NULL);
    rig_close();
}

static const struct test tests[] = {
    {"a_burst_longer_than_64_is_forwarded_whole_and_in_order",
     a_burst_longer_than_64_is_forwarded_whole_and_in_order},
    {"a_burst_leaves_subscriber_by_subscriber", a_burst_leaves_subscriber_by_subscriber},
    {"what_somebody_gets_of_several_tracks_leaves_together",
     what_somebody_gets_of_several_tracks_leaves_together},
    {"a_longer_packet_goes_before_a_shorter_one", a_longer_packet_goes_before_a_shorter_one},
    {"a_shorter_packet_goes_behind_a_longer_one", a_shorter_packet_goes_behind_a_longer_one},
    {"who_watches_one_of_them_gets_that_one", who_watches_one_of_them_gets_that_one},
    {"one_who_carries_a_track_twice_gets_it_twice", one_who_carries_a_track_twice_gets_it_twice},
    {"twenty_tracks_reach_everybody", twenty_tracks_reach_everybody},
};

TEST_MAIN(tests)
