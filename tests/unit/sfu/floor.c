/* Whose sound travels and whose picture is shown in rooms that are larger than their slots. */
#include <stdio.h>
#include <string.h>

#include "sfu/room.h"
#include "tests/unit/test.h"

#define MS UINT64_C(1000)
#define S UINT64_C(1000000)

enum { LOUD = 25, PEOPLE = 64 };

static int carries;
static uint64_t now_us;
static struct sfu_room *room;
static struct sfu_member *members[PEOPLE];

static void on_carry(void *ctx, struct sfu_member *member, struct sfu_member_slot *slot,
                     struct sfu_published *was) {
    (void)ctx;
    (void)member;
    carries++;
    CHECK(slot->track != was);
}

static void begin(void) {
    CHECK_INT(sfu_room_create(&room, 1, on_carry, NULL), 0);
    now_us = 10 * S;
}

static void add(struct sfu_media *all, size_t *count, const char *mid, bool video,
                enum sfu_direction direction) {
    struct sfu_media *media = &all[(*count)++];
    *media = (struct sfu_media){.video = video, .direction = direction, .codec_count = 1};
    snprintf(media->mid, sizeof(media->mid), "%.16s", mid);
    media->source = video ? SFU_SOURCE_CAMERA : SFU_SOURCE_MICROPHONE;
    media->codecs[0].codec = video ? RTP_CODEC_VP8 : RTP_CODEC_OPUS;
}

static void describe(uint64_t id, bool screen, size_t audio, size_t video) {
    struct sfu_media all[32];
    size_t count = 0;
    char mid[32];
    add(all, &count, "mic", false, SFU_PUBLISHES);
    all[0].track = id * 10 + 1;
    add(all, &count, "cam", true, SFU_PUBLISHES);
    all[1].track = id * 10 + 2;
    add(all, &count, "screen", true, screen ? SFU_PUBLISHES : SFU_INACTIVE);
    all[2].source = SFU_SOURCE_SCREEN;
    all[2].track = screen ? id * 10 + 3 : 0;
    for (size_t i = 0; i < audio; i++) {
        snprintf(mid, sizeof(mid), "a%zu", i);
        add(all, &count, mid, false, SFU_SLOT);
        all[count - 1].slot_stream = (uint16_t)i;
    }
    for (size_t i = 0; i < video; i++) {
        snprintf(mid, sizeof(mid), "v%zu", i);
        add(all, &count, mid, true, SFU_SLOT);
        all[count - 1].slot_stream = (uint16_t)i;
    }
    CHECK_INT(sfu_member_describe(members[id], all, count), 0);
}

/* Participant `id` publishes tracks id·10 + 1 (microphone), + 2 (camera), + 3 (screen). */
static struct sfu_member *join(uint64_t id, size_t audio, size_t video) {
    CHECK_INT(sfu_member_create(&members[id], room, id, 0), 0);
    describe(id, false, audio, video);
    return members[id];
}

static void join_many(uint64_t last, size_t audio, size_t video) {
    for (uint64_t id = 1; id <= last; id++)
        join(id, audio, video);
}

static const char *slots_of(const struct sfu_member *member, bool video) {
    static char text[256];
    text[0] = '\0';
    for (size_t i = 0; i < member->slot_count; i++)
        if (member->slots[i].track != NULL && member->slots[i].media.video == video)
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s=%llu",
                     text[0] ? " " : "", member->slots[i].media.mid,
                     (unsigned long long)member->slots[i].track->media.track);
    return text;
}

static void settle(void) {
    if (sfu_room_next_deadline(room) <= now_us)
        sfu_room_on_deadline(room, now_us);
}

static void say(uint64_t id, uint8_t level, uint8_t packets) {
    struct sfu_level told = {.participant = id, .track = id * 10 + 1, .packets = packets};
    memset(told.levels, level, sizeof(told.levels));
    sfu_member_on_level(members[id], now_us, &told);
}

/* Two packets of the onset, then summaries: words of 400 ms, and pauses of 100 ms between them. */
static void speak(uint64_t id, uint64_t duration_us) {
    say(id, LOUD, 1);
    now_us += 20 * MS;
    say(id, LOUD, 1);
    for (uint64_t i = 1; i <= duration_us / (100 * MS); i++) {
        now_us += 100 * MS;
        say(id, i % 5 == 0 ? 70 : LOUD + i % 2 * 5, 5);
        settle();
    }
}

static void rest(uint64_t duration_us) {
    for (uint64_t end_us = now_us + duration_us; now_us < end_us; settle())
        now_us += 100 * MS;
}

static bool hears(const struct sfu_member *member, uint64_t id) {
    for (size_t i = 0; i < member->slot_count; i++)
        if (member->slots[i].track != NULL && member->slots[i].track->media.track == id * 10 + 1)
            return true;
    return false;
}

static bool sees(const struct sfu_member *member, uint64_t id) {
    for (size_t i = 0; i < member->slot_count; i++)
        if (member->slots[i].track != NULL && member->slots[i].track->media.track == id * 10 + 2)
            return true;
    return false;
}

static size_t heard(const struct sfu_member *member) {
    size_t count = 0;
    for (uint64_t id = 1; id < PEOPLE; id++)
        count += hears(member, id);
    return count;
}

/* --- Sound --- */

static void where_there_are_slots_for_all_all_travel(void) {
    begin();
    join_many(5, 4, 0);
    for (uint64_t id = 1; id <= 5; id++)
        CHECK_INT(heard(members[id]), 4);
    sfu_room_destroy(room);
}

static void of_more_than_the_slots_three_travel(void) {
    begin();
    join_many(6, 4, 0);
    struct sfu_member *listener = join(7, 4, 0);
    CHECK_STR(slots_of(listener, false), "a0=11 a1=21 a2=31");
    CHECK_INT(heard(members[1]), 2); /* It is one of the three. */
    sfu_room_destroy(room);
}

static void whoever_speaks_up_is_heard_by_all_after_two_packets(void) {
    begin();
    join_many(9, 3, 0);
    CHECK(!hears(members[1], 8));
    say(8, LOUD, 1);
    for (uint64_t id = 1; id <= 9; id++)
        CHECK(id == 8 || hears(members[id], 8));
    speak(5, 1 * S); /* All places are taken then. */
    speak(6, 1 * S);
    speak(7, 1 * S);
    rest(1 * S);
    say(4, LOUD, 1);
    now_us += 20 * MS;
    say(4, LOUD, 1);
    for (uint64_t id = 1; id <= 9; id++)
        CHECK(id == 4 || hears(members[id], 4));
    CHECK_INT(heard(members[9]), 3);
    sfu_room_destroy(room);
}

static void places_of_those_who_go_on_stay(void) {
    begin();
    join_many(9, 3, 0);
    speak(4, 1 * S);
    speak(5, 1 * S);
    speak(6, 1 * S);
    char before[256];
    snprintf(before, sizeof(before), "%s", slots_of(members[1], false));
    int carried = carries;
    for (int i = 0; i < 5; i++) {
        speak(4, 500 * MS);
        speak(5, 500 * MS);
        speak(6, 500 * MS);
    }
    CHECK_STR(slots_of(members[1], false), before);
    CHECK_INT(carries, carried);
    sfu_room_destroy(room);
}

static void a_change_costs_each_member_one_switch(void) {
    begin();
    join_many(40, 3, 0);
    for (uint64_t id = 1; id <= 3; id++)
        speak(id, 1 * S);
    rest(5 * S);
    int before = carries;
    speak(30, 1 * S);
    CHECK(hears(members[40], 30));
    CHECK(carries - before <= 40 + 2);
    sfu_room_destroy(room);
}

static void how_many_travel_is_configured(void) {
    begin();
    sfu_room_set_loudest(room, 1);
    join_many(6, 4, 0);
    speak(5, 1 * S);
    CHECK_STR(slots_of(members[1], false), "a0=51");
    sfu_room_destroy(room);
}

static void when_it_is_crowded_no_more_everybody_is_heard_again(void) {
    begin();
    join_many(6, 4, 0);
    CHECK_INT(heard(members[6]), 3);
    sfu_member_destroy(members[5]);
    for (uint64_t id = 1; id <= 6; id++)
        CHECK(id == 5 || heard(members[id]) == 4);
    join(7, 4, 0);
    CHECK_INT(heard(members[6]), 3);
    sfu_room_destroy(room);
}

static void a_pinned_microphone_is_heard_whatever_its_level(void) {
    begin();
    join_many(9, 3, 0);
    CHECK_INT(sfu_member_subscribe(members[1], &(struct sfu_wish){.mid = "a2", .track = 91}), 0);
    for (uint64_t id = 3; id <= 7; id++)
        speak(id, 1 * S);
    CHECK(hears(members[1], 9));
    sfu_room_destroy(room);
}

/* --- Pictures --- */

static void whoever_speaks_is_seen_instead_of_who_spoke_longest_ago(void) {
    begin();
    join_many(8, 8, 0);
    struct sfu_member *viewer = join(9, 8, 3);
    speak(1, 3 * S);
    speak(2, 3 * S);
    speak(3, 3 * S);
    CHECK(sees(viewer, 1) && sees(viewer, 2) && sees(viewer, 3));
    speak(7, 3 * S);
    CHECK(!sees(viewer, 1) && sees(viewer, 2) && sees(viewer, 3) && sees(viewer, 7));
    speak(2, 3 * S);
    speak(8, 3 * S);
    CHECK(!sees(viewer, 3) && sees(viewer, 2) && sees(viewer, 7) && sees(viewer, 8));
    sfu_room_destroy(room);
}

static void a_speaker_is_seen_beside_where_he_is_heard(void) {
    begin();
    join_many(8, 0, 0);
    struct sfu_member *viewer = join(9, 3, 3);
    speak(7, 3 * S);
    for (size_t i = 0; i < viewer->slot_count; i++) {
        struct sfu_member_slot *slot = &viewer->slots[i];
        if (slot->track != NULL && slot->track->media.track == 71)
            CHECK_INT(sfu_member_partner(viewer, slot)->track->media.track, 72);
    }
    CHECK(hears(viewer, 7) && sees(viewer, 7));
    sfu_room_destroy(room);
}

static void pinned_pictures_and_screens_stay(void) {
    begin();
    join_many(8, 8, 0);
    struct sfu_member *viewer = join(9, 8, 3);
    CHECK_INT(sfu_member_subscribe(viewer, &(struct sfu_wish){.mid = "v0", .track = 52}), 0);
    describe(6, true, 8, 0);
    char text[256];
    snprintf(text, sizeof(text), "%s", slots_of(viewer, true));
    CHECK(strstr(text, "v0=52") != NULL && strstr(text, "=63") != NULL);
    for (uint64_t id = 1; id <= 8; id++)
        speak(id, 3 * S);
    snprintf(text, sizeof(text), "%s", slots_of(viewer, true));
    CHECK(strstr(text, "v0=52") != NULL && strstr(text, "=63") != NULL);
    CHECK(strstr(text, "=82") != NULL);
    sfu_room_destroy(room);
}

static void who_comes_late_sees_and_hears_the_speaker(void) {
    begin();
    join_many(9, 3, 1);
    speak(6, 3 * S);
    struct sfu_member *late = join(10, 1, 1);
    CHECK_STR(slots_of(late, false), "a0=61");
    CHECK_STR(slots_of(late, true), "v0=62");
    sfu_room_destroy(room);
}

/* --- Who speaks --- */

static struct sfu_speaker speakers[SFU_SPEAKERS_MAX];
static size_t speaker_count;

static bool told(void) {
    return sfu_room_tell_speakers(room, now_us, speakers, &speaker_count);
}

static void speakers_are_told_when_they_change(void) {
    begin();
    join_many(5, 4, 0);
    CHECK(!told());
    speak(2, 1 * S);
    CHECK(told());
    CHECK_INT(speaker_count, 1);
    CHECK_INT(speakers[0].participant, 2);
    CHECK(speakers[0].level_db <= -20 && speakers[0].level_db >= -45);
    speak(2, 1 * S);
    if (told()) /* It has become the dominant one meanwhile. */
        CHECK(speakers[0].dominant);
    speak(2, 1 * S);
    CHECK(!told());
    rest(10 * S);
    CHECK(told());
    CHECK_INT(speaker_count, 0);
    CHECK_INT(sfu_room_next_deadline(room), UINT64_MAX);
    sfu_room_destroy(room);
}

static void speakers_are_told_each_300_ms_at_most(void) {
    begin();
    join_many(5, 4, 0);
    unsigned count = 0;
    uint64_t begun_us = now_us;
    for (int i = 0; i < 100; i++) {
        say(1 + (uint64_t)i % 5, LOUD, 5);
        now_us += 50 * MS;
        settle();
        count += told();
    }
    CHECK(count > 0 && count <= (now_us - begun_us) / (300 * MS) + 1);
    sfu_room_destroy(room);
}

static void a_speaker_who_leaves_is_forgotten(void) {
    begin();
    join_many(5, 4, 1);
    speak(2, 3 * S);
    CHECK(sfu_room_dominant(room) == members[2]);
    sfu_member_destroy(members[2]);
    CHECK(sfu_room_dominant(room) != members[2]);
    settle();
    told();
    for (size_t i = 0; i < speaker_count; i++)
        CHECK(speakers[i].participant != 2);
    sfu_room_destroy(room);
}

static const struct test tests[] = {
    {"where_there_are_slots_for_all_all_travel", where_there_are_slots_for_all_all_travel},
    {"of_more_than_the_slots_three_travel", of_more_than_the_slots_three_travel},
    {"whoever_speaks_up_is_heard_by_all_after_two_packets",
     whoever_speaks_up_is_heard_by_all_after_two_packets},
    {"places_of_those_who_go_on_stay", places_of_those_who_go_on_stay},
    {"a_change_costs_each_member_one_switch", a_change_costs_each_member_one_switch},
    {"how_many_travel_is_configured", how_many_travel_is_configured},
    {"when_it_is_crowded_no_more_everybody_is_heard_again",
     when_it_is_crowded_no_more_everybody_is_heard_again},
    {"a_pinned_microphone_is_heard_whatever_its_level",
     a_pinned_microphone_is_heard_whatever_its_level},
    {"whoever_speaks_is_seen_instead_of_who_spoke_longest_ago",
     whoever_speaks_is_seen_instead_of_who_spoke_longest_ago},
    {"a_speaker_is_seen_beside_where_he_is_heard", a_speaker_is_seen_beside_where_he_is_heard},
    {"pinned_pictures_and_screens_stay", pinned_pictures_and_screens_stay},
    {"who_comes_late_sees_and_hears_the_speaker", who_comes_late_sees_and_hears_the_speaker},
    {"speakers_are_told_when_they_change", speakers_are_told_when_they_change},
    {"speakers_are_told_each_300_ms_at_most", speakers_are_told_each_300_ms_at_most},
    {"a_speaker_who_leaves_is_forgotten", a_speaker_who_leaves_is_forgotten},
};

TEST_MAIN(tests)
