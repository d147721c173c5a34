/* A room of members with slots 0…n−1 of each kind ("a0", "v0", …), whose decisions are kept as
 * text. */
#include "sfu/room.h"
#include "tests/unit/test.h"

#include <stdio.h>
#include <string.h>

static int carries;

static void on_carry(void *ctx, struct sfu_member *member, struct sfu_member_slot *slot,
                     struct sfu_published *was) {
    (void)ctx;
    (void)member;
    carries++;
    CHECK(slot->track != was);
}

static struct sfu_room *new_room(void) {
    struct sfu_room *room;
    CHECK_INT(sfu_room_create(&room, 1, on_carry, NULL), 0);
    return room;
}

static struct sfu_media media(const char *mid, bool video, enum sfu_direction direction) {
    struct sfu_media out = {.video = video, .direction = direction, .codec_count = 1};
    snprintf(out.mid, sizeof(out.mid), "%.16s", mid);
    out.codecs[0] = (struct sfu_codec){.codec = video ? RTP_CODEC_VP8 : RTP_CODEC_OPUS,
                                       .payload_type = video ? 96 : 111};
    return out;
}

struct profile {
    uint64_t microphone, camera; /* Track numbers, 0: none. */
    size_t slots;                /* Of each kind. */
};

static size_t write_media(struct sfu_media *out, const struct profile *profile) {
    size_t count = 0;
    char mid[32];
    out[count] = media("mic", false, profile->microphone ? SFU_PUBLISHES : SFU_INACTIVE);
    out[count++].track = profile->microphone;
    out[count] = media("cam", true, profile->camera ? SFU_PUBLISHES : SFU_INACTIVE);
    out[count].source = SFU_SOURCE_CAMERA;
    out[count++].track = profile->camera;
    for (size_t i = 0; i < profile->slots; i++) {
        snprintf(mid, sizeof(mid), "a%zu", i);
        out[count] = media(mid, false, SFU_SLOT);
        out[count++].slot_stream = (uint16_t)i;
        snprintf(mid, sizeof(mid), "v%zu", i);
        out[count] = media(mid, true, SFU_SLOT);
        out[count++].slot_stream = (uint16_t)i;
    }
    return count;
}

static void describe(struct sfu_member *member, struct profile profile) {
    struct sfu_media all[64];
    size_t count = write_media(all, &profile);
    CHECK_INT(sfu_member_describe(member, all, count), 0);
}

static struct sfu_member *join(struct sfu_room *room, uint64_t id, struct profile profile) {
    struct sfu_member *member;
    CHECK_INT(sfu_member_create(&member, room, id, 0), 0);
    describe(member, profile);
    return member;
}

/* "a0=11 v0=12 …", what the member's slots carry, the empty ones left out. */
static const char *slots_of(const struct sfu_member *member) {
    static char text[256];
    text[0] = '\0';
    for (size_t i = 0; i < member->slot_count; i++)
        if (member->slots[i].track != NULL)
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s=%llu",
                     text[0] ? " " : "", member->slots[i].media.mid,
                     (unsigned long long)member->slots[i].track->media.track);
    return text;
}

static void everyone_gets_everyone_elses_tracks(void) {
    struct sfu_room *room = new_room();
    struct sfu_member *a = join(room, 1, (struct profile){11, 12, 3});
    struct sfu_member *b = join(room, 2, (struct profile){21, 22, 3});
    struct sfu_member *c = join(room, 3, (struct profile){31, 32, 3});
    CHECK_STR(slots_of(a), "a0=21 v0=22 a1=31 v1=32");
    CHECK_STR(slots_of(b), "a0=11 v0=12 a1=31 v1=32");
    CHECK_STR(slots_of(c), "a0=11 v0=12 a1=21 v1=22");
    sfu_room_destroy(room);
}

static void audio_and_video_of_one_participant_share_a_place(void) {
    struct sfu_room *room = new_room();
    struct sfu_member *viewer = join(room, 1, (struct profile){0, 0, 3});
    join(room, 2, (struct profile){21, 0, 0}); /* Sound only: takes place 0. */
    join(room, 3, (struct profile){0, 32, 0}); /* Picture only: leaves place 0's to 2. */
    struct sfu_member *late = join(room, 4, (struct profile){0, 42, 0});
    CHECK_STR(slots_of(viewer), "a0=21 v1=32 v2=42");
    describe(late, (struct profile){41, 42, 0});
    CHECK_STR(slots_of(viewer), "a0=21 v1=32 a2=41 v2=42");
    sfu_room_destroy(room);
}

static void a_leaving_track_frees_its_slot_for_one_that_waits(void) {
    struct sfu_room *room = new_room();
    struct sfu_member *viewer = join(room, 1, (struct profile){0, 0, 1});
    struct sfu_member *first = join(room, 2, (struct profile){21, 22, 0});
    join(room, 3, (struct profile){31, 32, 0});
    CHECK_STR(slots_of(viewer), "a0=21 v0=22");
    sfu_member_destroy(first);
    CHECK_STR(slots_of(viewer), "a0=31 v0=32");
    sfu_room_destroy(room);
}

static void what_is_carried_stays_where_it_is(void) {
    struct sfu_room *room = new_room();
    struct sfu_member *viewer = join(room, 1, (struct profile){0, 0, 3});
    join(room, 2, (struct profile){21, 22, 0});
    join(room, 3, (struct profile){31, 32, 0});
    int before = carries;
    join(room, 4, (struct profile){41, 42, 0});
    CHECK_INT(carries - before, 2);
    CHECK_STR(slots_of(viewer), "a0=21 v0=22 a1=31 v1=32 a2=41 v2=42");
    sfu_room_destroy(room);
}

static void a_pinned_track_goes_where_it_was_pinned(void) {
    struct sfu_room *room = new_room();
    struct sfu_member *viewer = join(room, 1, (struct profile){0, 0, 2});
    join(room, 2, (struct profile){0, 22, 0});
    join(room, 3, (struct profile){0, 32, 0});
    CHECK_STR(slots_of(viewer), "v0=22 v1=32");
    CHECK_INT(sfu_member_subscribe(viewer, &(struct sfu_wish){.mid = "v0", .track = 32}), 0);
    CHECK_STR(slots_of(viewer), "v0=32 v1=22");
    CHECK_INT(sfu_member_subscribe(viewer, &(struct sfu_wish){.mid = "nope", .track = 32}), -2);
    sfu_room_destroy(room);
}

static void a_pin_waits_for_its_track(void) {
    struct sfu_room *room = new_room();
    struct sfu_member *viewer = join(room, 1, (struct profile){0, 0, 1});
    sfu_member_subscribe(viewer, &(struct sfu_wish){.mid = "v0", .track = 32});
    join(room, 2, (struct profile){0, 22, 0});
    CHECK_STR(slots_of(viewer), "");
    join(room, 3, (struct profile){0, 32, 0});
    CHECK_STR(slots_of(viewer), "v0=32");
    sfu_room_destroy(room);
}

static void a_track_that_cannot_be_decoded_is_not_carried(void) {
    struct sfu_room *room = new_room();
    struct sfu_member *viewer = join(room, 1, (struct profile){0, 0, 1});
    struct sfu_member *publisher;
    struct sfu_media camera = media("cam", true, SFU_PUBLISHES);
    camera.track = 22;
    camera.codecs[0].codec = RTP_CODEC_AV1;
    CHECK_INT(sfu_member_create(&publisher, room, 2, 0), 0);
    CHECK_INT(sfu_member_describe(publisher, &camera, 1), 0);
    CHECK_STR(slots_of(viewer), "");
    sfu_room_destroy(room);
}

static void h264_profiles_have_to_agree(void) {
    struct sfu_media high = media("a", true, SFU_PUBLISHES);
    struct sfu_media baseline = media("b", true, SFU_SLOT);
    high.codecs[0] = (struct sfu_codec){.codec = RTP_CODEC_H264, .profile = 0x64001f};
    baseline.codecs[0] = (struct sfu_codec){.codec = RTP_CODEC_H264, .profile = 0x42e01f};
    CHECK(!sfu_media_fits(&high, &baseline));
    baseline.codecs[0].profile = 0x640c1f;
    CHECK(sfu_media_fits(&high, &baseline));
}

static void slots_come_and_go_with_offers(void) {
    struct sfu_room *room = new_room();
    struct sfu_member *viewer = join(room, 1, (struct profile){0, 0, 1});
    join(room, 2, (struct profile){21, 22, 0});
    join(room, 3, (struct profile){31, 32, 0});
    describe(viewer, (struct profile){0, 0, 2});
    CHECK_STR(slots_of(viewer), "a0=21 v0=22 a1=31 v1=32");
    struct sfu_media all[64];
    size_t count = write_media(all, &(struct profile){0, 0, 2});
    all[3].direction = SFU_INACTIVE; /* "v0" */
    CHECK_INT(sfu_member_describe(viewer, all, count), 0);
    CHECK_STR(slots_of(viewer), "a0=21 a1=31 v1=32");
    sfu_room_destroy(room);
}

static void offers_cannot_take_back_what_was_there(void) {
    struct sfu_room *room = new_room();
    struct sfu_member *member = join(room, 1, (struct profile){11, 12, 2});
    struct sfu_media all[64];
    size_t count = write_media(all, &(struct profile){11, 12, 2});
    CHECK_INT(sfu_member_describe(member, all, count - 1), -22);
    all[0].video = true;
    CHECK_INT(sfu_member_describe(member, all, count), -22);
    all[0].video = false;
    strcpy(all[2].mid, "other");
    CHECK_INT(sfu_member_describe(member, all, count), -22);
    sfu_room_destroy(room);
}

static void an_inactive_m_line_is_recycled(void) {
    struct sfu_room *room = new_room();
    struct sfu_member *viewer = join(room, 1, (struct profile){0, 0, 1});
    join(room, 2, (struct profile){21, 22, 0});
    struct sfu_media all[64];
    size_t count = write_media(all, &(struct profile){0, 0, 1});
    all[3].direction = SFU_INACTIVE; /* "v0" */
    CHECK_INT(sfu_member_describe(viewer, all, count), 0);
    all[3] = media("new", true, SFU_SLOT);
    CHECK_INT(sfu_member_describe(viewer, all, count), 0);
    CHECK_STR(slots_of(viewer), "a0=21 new=22");
    all[3].direction = SFU_INACTIVE;
    CHECK_INT(sfu_member_describe(viewer, all, count), 0);
    all[3] = media("sound", false, SFU_SLOT);
    CHECK_INT(sfu_member_describe(viewer, all, count), 0);
    CHECK_INT(viewer->slot_count, 2);
    sfu_room_destroy(room);
}

static void a_pause_is_of_the_track_that_is_carried(void) {
    struct sfu_room *room = new_room();
    struct sfu_member *viewer = join(room, 1, (struct profile){0, 0, 1});
    struct sfu_member *publisher = join(room, 2, (struct profile){0, 22, 0});
    struct sfu_slot_state state = {.mid = "v0", .track = 22, .paused = true};
    struct sfu_member_slot *slot = &viewer->slots[1];
    slot->changed = false;
    CHECK(sfu_member_set_paused(viewer, &state));
    CHECK(slot->paused && slot->changed);
    CHECK(!sfu_member_set_paused(viewer, &state)); /* It is no news. */
    state.track = 32;
    state.paused = false;
    CHECK(!sfu_member_set_paused(viewer, &state)); /* It came too late. */
    CHECK(slot->paused);
    sfu_member_destroy(publisher);
    CHECK(!slot->paused);
    join(room, 3, (struct profile){0, 32, 0});
    CHECK(!slot->paused);
    sfu_room_destroy(room);
}

/* --- Many --- */

enum { CROWD = 12, TURNS = 5000 };

static uint32_t draw(uint32_t below) {
    static uint32_t state = 1;
    state = state * 1664525 + 1013904223; /* Numerical Recipes' generator. */
    return (state >> 8) % below;
}

static void turn(struct sfu_room *room, struct sfu_member *members[CROWD]) {
    uint32_t i = draw(CROWD);
    struct sfu_wish wish = {.track = draw(3) ? 2 * draw(CROWD) + 101 + draw(2) : 0};
    snprintf(wish.mid, sizeof(wish.mid), "%c%u", draw(2) ? 'a' : 'v', draw(5));
    struct profile profile = {draw(4) ? 2 * i + 101 : 0, draw(3) ? 2 * i + 102 : 0, 1 + i % 7};
    if (members[i] == NULL) {
        members[i] = join(room, i + 1, profile);
    } else if (draw(3) == 0) {
        sfu_member_destroy(members[i]);
        members[i] = NULL;
    } else if (draw(2) == 0) {
        describe(members[i], profile);
    } else {
        sfu_member_subscribe(members[i], &wish);
    }
}

/* So what a newcomer or a leaver changes for a member is all that there is to change. */
static void nothing_is_left_to_be_filled_whoever_comes_and_goes(void) {
    struct sfu_room *room = new_room();
    struct sfu_member *members[CROWD] = {0};
    for (int i = 0; i < TURNS; i++) {
        turn(room, members);
        carries = 0;
        for (size_t k = 0; k < CROWD; k++)
            if (members[k] != NULL)
                sfu_floor_fill(members[k]);
        CHECK_INT(carries, 0);
    }
    sfu_room_destroy(room);
}

static const struct test tests[] = {
    {"nothing_is_left_to_be_filled_whoever_comes_and_goes",
     nothing_is_left_to_be_filled_whoever_comes_and_goes},
    {"a_pause_is_of_the_track_that_is_carried", a_pause_is_of_the_track_that_is_carried},
    {"everyone_gets_everyone_elses_tracks", everyone_gets_everyone_elses_tracks},
    {"audio_and_video_of_one_participant_share_a_place",
     audio_and_video_of_one_participant_share_a_place},
    {"a_leaving_track_frees_its_slot_for_one_that_waits",
     a_leaving_track_frees_its_slot_for_one_that_waits},
    {"what_is_carried_stays_where_it_is", what_is_carried_stays_where_it_is},
    {"a_pinned_track_goes_where_it_was_pinned", a_pinned_track_goes_where_it_was_pinned},
    {"a_pin_waits_for_its_track", a_pin_waits_for_its_track},
    {"a_track_that_cannot_be_decoded_is_not_carried",
     a_track_that_cannot_be_decoded_is_not_carried},
    {"h264_profiles_have_to_agree", h264_profiles_have_to_agree},
    {"slots_come_and_go_with_offers", slots_come_and_go_with_offers},
    {"an_inactive_m_line_is_recycled", an_inactive_m_line_is_recycled},
    {"offers_cannot_take_back_what_was_there", offers_cannot_take_back_what_was_there},
};

TEST_MAIN(tests)
