#include "bench/people.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FEEDS_MAX = 128, LEVEL_SPEAKING = 25, LEVEL_SILENT = 127 };

void bench_people_init(struct bench_people *people, const struct bench_stage *stage) {
    *people = (struct bench_people){
        .stage = stage, .next_number = 1, .random = {(uint64_t)stage->plan->seed}};
}

static void note_first_frame(struct bench_people *people, const struct bench_member *member) {
    const struct bench_sink *sink;
    uint64_t first_us = UINT64_MAX;
    for (size_t i = 0; (sink = bench_client_sink(member->client, i)) != NULL; i++)
        if (sink->first_frame_us != 0 && sink->first_frame_us < first_us)
            first_us = sink->first_frame_us;
    if (first_us != UINT64_MAX && people->firsts < people->joins_capacity)
        people->first_us[people->firsts++] = first_us - member->begun_us;
}

/* Takes the i-th one out. */
static void remove_member(struct bench_people *people, size_t i) {
    struct bench_member *member = people->members[i];
    if (member->agreed_us != 0)
        bench_tally_add_client(&people->gone, member->client);
    note_first_frame(people, member);
    bench_member_destroy(member);
    people->members[i] = people->members[--people->count];
}

void bench_people_remove_last(struct bench_people *people) {
    remove_member(people, people->count - 1);
}

void bench_people_deinit(struct bench_people *people) {
    while (people->count > 0)
        bench_people_remove_last(people);
    free(people->members);
    free(people->guests);
    free(people->signaling_us);
    free(people->media_us);
    free(people->first_us);
}

/* --- Who is to come --- */

static void invite(struct bench_people *people, size_t room, enum bench_role role, size_t count,
                   size_t self) {
    for (size_t i = 0; i < count; i++)
        people->guests[people->guest_count++] =
            (struct bench_guest){room, role, self == SIZE_MAX ? self : self + i};
}

/* Both halves of a participant, where the server wants two clients of him. */
static void invite_participants(struct bench_people *people, size_t room, size_t count,
                                bool watching) {
    bool splits = bench_signaling_splits(people->stage->signaling);
    if (!watching)
        invite(people, room, splits ? BENCH_PUBLISHER : BENCH_PARTICIPANT, count, SIZE_MAX);
    else if (splits)
        invite(people, room, BENCH_SUBSCRIBER, count, people->published);
}

int bench_people_invite(struct bench_people *people, size_t first_room, size_t last_room,
                        const struct bench_plan *counts) {
    size_t participants = (size_t)counts->participants;
    size_t each = (size_t)counts->publishers + (size_t)counts->subscribers + 2 * participants +
                  (size_t)counts->idle;
    size_t all = people->guest_count + each * (last_room - first_room + 1);
    struct bench_guest *grown = realloc(people->guests, (all + 1) * sizeof(*grown));
    if (grown == NULL)
        return -ENOMEM;
    people->guests = grown;
    for (size_t room = first_room; room <= last_room; room++) {
        invite_participants(people, room, participants, false);
        invite(people, room, BENCH_PUBLISHER, (size_t)counts->publishers, SIZE_MAX);
    }
    for (size_t room = first_room; room <= last_room; room++) {
        invite_participants(people, room, participants, true);
        invite(people, room, BENCH_SUBSCRIBER, (size_t)counts->subscribers, SIZE_MAX);
        invite(people, room, BENCH_IDLE, (size_t)counts->idle, SIZE_MAX);
    }
    people->published += participants;
    return 0;
}

bool bench_people_next(const struct bench_people *people, enum bench_role *role) {
    if (people->arrived == people->guest_count)
        return false;
    *role = people->guests[people->arrived].role;
    return true;
}

/* --- Coming and going --- */

static bool reserve(struct bench_people *people) {
    if (people->count < people->capacity && people->next_number < people->joins_capacity)
        return true;
    size_t capacity = people->capacity * 2 + 64;
    size_t joins = (size_t)people->next_number * 2 + 64;
    struct bench_member **members = realloc(people->members, capacity * sizeof(*members));
    people->members = members ? members : people->members;
    uint64_t **lists[] = {&people->signaling_us, &people->media_us, &people->first_us};
    bool done = members != NULL;
    for (size_t i = 0; i < 3; i++) {
        uint64_t *list = realloc(*lists[i], joins * sizeof(*list));
        *lists[i] = list ? list : *lists[i];
        done &= list != NULL;
    }
    if (done) {
        people->capacity = capacity;
        people->joins_capacity = joins;
    }
    return done;
}

/* Whom an arrival watches: the room's publishers but himself, as many as he has slots for. */
static size_t find_feeds(const struct bench_people *people, const struct bench_guest *guest,
                         uint64_t feeds[static FEEDS_MAX]) {
    const struct bench_plan *plan = people->stage->plan;
    double slots = plan->tiles > plan->audio_slots ? plan->tiles : plan->audio_slots;
    size_t count = 0, seen = 0, max = slots < FEEDS_MAX ? (size_t)slots : FEEDS_MAX;
    for (size_t i = 0; i < people->count && count < max; i++) {
        const struct bench_member *member = people->members[i];
        if (member->room != guest->room || !bench_member_publishes(member))
            continue;
        if (seen++ != guest->self && member->state == BENCH_CONNECTED)
            feeds[count++] = member->number;
    }
    return count;
}

static int admit(struct bench_people *people, const struct bench_guest *guest) {
    uint64_t feeds[FEEDS_MAX];
    struct bench_member *member = NULL;
    size_t feed_count = guest->role == BENCH_SUBSCRIBER ? find_feeds(people, guest, feeds) : 0;
    if (!reserve(people))
        return -ENOMEM;
    int result = bench_member_create(&member, people->stage, people->next_number++, guest->room,
                                     guest->role, feeds, feed_count);
    if (result < 0)
        return result;
    people->members[people->count++] = member;
    people->joining++;
    people->joining_publishers += bench_member_publishes(member);
    return 0;
}

int bench_people_admit(struct bench_people *people) {
    return admit(people, &people->guests[people->arrived++]);
}

static void note_join(struct bench_people *people, const struct bench_member *member) {
    people->signaling_us[people->joins] = member->agreed_us - member->begun_us;
    people->media_us[people->joins++] = member->connected_us - member->begun_us;
    if (people->stage->plan->speakers > 0 && bench_member_publishes(member))
        bench_client_speak(member->client, false, LEVEL_SILENT);
}

static void note_failure(struct bench_people *people, size_t i) {
    if (people->failure[0] == '\0')
        snprintf(people->failure, sizeof(people->failure), "%s", people->members[i]->why);
    people->failed++;
    remove_member(people, i);
}

void bench_people_check(struct bench_people *people) {
    people->joining = people->joining_publishers = 0;
    for (size_t i = people->count; i-- > 0;) {
        struct bench_member *member = people->members[i];
        enum bench_member_state before = member->state;
        bench_member_check(member);
        if (member->state == BENCH_CONNECTED && before != BENCH_CONNECTED)
            note_join(people, member);
        bool is_joining = member->state == BENCH_JOINING || member->state == BENCH_CHECKING;
        people->joining += is_joining;
        people->joining_publishers += is_joining && bench_member_publishes(member);
        if (member->state == BENCH_FAILED)
            note_failure(people, i);
    }
}

size_t bench_people_connected(const struct bench_people *people, size_t *watching) {
    size_t connected = 0;
    *watching = 0;
    for (size_t i = 0; i < people->count; i++) {
        const struct bench_member *member = people->members[i];
        connected += member->state == BENCH_CONNECTED;
        *watching += member->state == BENCH_CONNECTED && member->role != BENCH_PUBLISHER;
    }
    return connected;
}

void bench_people_replace_one(struct bench_people *people) {
    size_t start = people->count ? bench_random_next(&people->random) % people->count : 0;
    for (size_t n = 0; n < people->count; n++) {
        size_t i = (start + n) % people->count;
        const struct bench_member *member = people->members[i];
        struct bench_guest again = {member->room, BENCH_SUBSCRIBER, SIZE_MAX};
        if (member->role != BENCH_SUBSCRIBER || member->state != BENCH_CONNECTED)
            continue;
        remove_member(people, i);
        people->left++;
        admit(people, &again);
        return;
    }
}

void bench_people_speak(struct bench_people *people, size_t speakers, bool next_turn) {
    size_t rooms = people->stage->plan->rooms > 0 ? (size_t)people->stage->plan->rooms : 1;
    size_t publishers = 0;
    for (size_t i = 0; i < people->count; i++)
        publishers += bench_member_publishes(people->members[i]);
    size_t in_room = publishers / rooms ? publishers / rooms : 1;
    people->speaking_from = (people->speaking_from + (next_turn ? speakers : 0)) % in_room;
    for (size_t i = 0, seen = 0; i < people->count; i++) {
        const struct bench_member *member = people->members[i];
        if (!bench_member_publishes(member) || member->agreed_us == 0)
            continue;
        bool speaks = (seen++ % in_room + in_room - people->speaking_from) % in_room < speakers;
        bench_client_speak(member->client, speaks, speaks ? LEVEL_SPEAKING : LEVEL_SILENT);
    }
}

/* --- Figures --- */

void bench_people_tally(const struct bench_people *people, size_t stride, struct bench_tally *out) {
    *out = people->gone;
    for (size_t i = 0; i < people->count; i += stride)
        if (people->members[i]->agreed_us != 0)
            bench_tally_add_client(out, people->members[i]->client);
}

static double percentile_ms(uint64_t *values, size_t count, unsigned of_1000) {
    return (double)bench_percentile(values, count, of_1000) / 1000;
}

void bench_people_report(struct bench_people *people, struct bench_results *out) {
    for (size_t i = 0; i < people->count; i++)
        note_first_frame(people, people->members[i]);
    out->asked = people->arrived + people->left;
    out->connected = people->joins;
    out->failed = people->failed;
    out->left = people->left;
    snprintf(out->failure, sizeof(out->failure), "%s", people->failure);
    out->join_signaling_p50_ms = percentile_ms(people->signaling_us, people->joins, 500);
    out->join_signaling_p99_ms = percentile_ms(people->signaling_us, people->joins, 990);
    out->join_media_p50_ms = percentile_ms(people->media_us, people->joins, 500);
    out->join_media_p99_ms = percentile_ms(people->media_us, people->joins, 990);
    out->first_frame_p50_ms = percentile_ms(people->first_us, people->firsts, 500);
    out->first_frame_p99_ms = percentile_ms(people->first_us, people->firsts, 990);
}
