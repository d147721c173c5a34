/* Who has the floor of a room: whose sound travels where there are more microphones than slots for
 * them, and whose picture is shown where there are more cameras. One decision a room; members are
 * visited only when it changes. */
#include <stddef.h>

#include "sfu/room.h"

/* Smoothed; a voice is above it, a quiet room below. */
enum { SPEAKING_DB = -60 };

static bool is_microphone(const struct sfu_published *track) {
    return !track->media.video && track->media.source == SFU_SOURCE_MICROPHONE;
}

static bool is_screen(const struct sfu_published *track) {
    return track->media.source == SFU_SOURCE_SCREEN ||
           track->media.source == SFU_SOURCE_SCREEN_AUDIO;
}

static struct sfu_published *whose(const struct rtp_loudness_speaker *voice) {
    return (struct sfu_published *)((char *)voice - offsetof(struct sfu_published, voice));
}

struct sfu_member *sfu_room_dominant(const struct sfu_room *room) {
    return room->loudness.dominant != NULL ? whose(room->loudness.dominant)->member : NULL;
}

/* --- Whose sound travels --- */

/* Those who speak, then those who did, then whoever came first. Returns whether others do now. */
static bool choose_travellers(struct sfu_room *room) {
    size_t left = room->loudness.places - room->loudness.loudest_count;
    bool changed = false;
    room->traveller_count = 0;
    for (struct sfu_published *track = room->tracks; track != NULL; track = track->next) {
        bool travelled = track->travels;
        track->travels =
            track->is_microphone && (track->voice.is_loudest || (travelled && left > 0));
        left -= track->travels && !track->voice.is_loudest;
        changed = changed || track->travels != travelled;
        if (track->travels)
            room->travellers[room->traveller_count++] = track;
    }
    for (struct sfu_published *track = room->tracks; track != NULL && left > 0;
         track = track->next) {
        if (!track->is_microphone || track->travels)
            continue;
        track->travels = changed = true;
        room->travellers[room->traveller_count++] = track;
        left--;
    }
    return changed;
}

void sfu_floor_join(struct sfu_published *track) {
    struct sfu_room *room = track->member->room;
    track->is_microphone = is_microphone(track);
    if (!track->is_microphone)
        return;
    room->microphones++;
    rtp_loudness_add(&room->loudness, &track->voice, track->media.track);
    choose_travellers(room);
}

bool sfu_floor_leave(struct sfu_published *track) {
    struct sfu_room *room = track->member->room;
    if (!track->is_microphone)
        return false;
    room->microphones--;
    rtp_loudness_remove(&room->loudness, &track->voice);
    return choose_travellers(room);
}

static size_t microphones_of_others(const struct sfu_member *member) {
    size_t others = member->room->microphones;
    for (const struct sfu_published *track = member->own; track != NULL; track = track->next_own)
        others -= track->is_microphone;
    return others;
}

/* Whether there are more microphones than the member has slots for. */
static bool is_crowded(const struct sfu_member *member) {
    return microphones_of_others(member) > member->slots_of[false];
}

/* --- Which slot --- */

/* A microphone and a camera of one participant belong together, and a screen and its sound. */
static bool are_siblings(const struct sfu_published *a, const struct sfu_published *b) {
    return a->member == b->member && a->media.video != b->media.video &&
           is_screen(a) == is_screen(b);
}

/* How well a track goes into a free slot: best beside its sibling, next best where the place of its
 * sibling is still free. */
static int rank(struct sfu_member *member, const struct sfu_member_slot *slot,
                const struct sfu_published *track) {
    const struct sfu_member_slot *partner = sfu_member_partner(member, slot);
    if (partner == NULL)
        return 1;
    if (partner->track == NULL)
        return 2;
    return are_siblings(partner->track, track) ? 3 : 0;
}

/* Carries sound that does not travel any more. */
static bool is_stale(const struct sfu_member_slot *slot) {
    return slot->track != NULL && !sfu_member_is_pinned(slot) && slot->track->is_microphone &&
           !slot->track->travels;
}

static void place(struct sfu_member *member, struct sfu_published *track, bool crowded) {
    bool may_displace = crowded && track->is_microphone; /* What is stale. */
    if (track->member == member || (may_displace && !track->travels) ||
        (!may_displace && member->free_slots[track->media.video] == 0) ||
        sfu_member_slot_with(member, track) != NULL)
        return;
    struct sfu_member_slot *best = NULL;
    int best_rank = -1;
    for (size_t i = 0; i < member->slot_count; i++) {
        struct sfu_member_slot *slot = &member->slots[i];
        bool is_free = slot->track == NULL || (crowded && is_stale(slot));
        if (!is_free || sfu_member_is_pinned(slot) || !sfu_member_may_watch(member, track, slot))
            continue;
        int slot_rank = rank(member, slot, track);
        if (slot_rank > best_rank) {
            best = slot;
            best_rank = slot_rank;
        }
    }
    if (best != NULL)
        sfu_member_carry(member, best, track);
}

static void place_all(struct sfu_member *member, const struct sfu_member *whose_tracks,
                      bool crowded) {
    struct sfu_published *track = whose_tracks != NULL ? whose_tracks->own : NULL;
    for (; track != NULL; track = track->next_own)
        place(member, track, crowded);
}

/* Whether going through all tracks may find something for a free slot. */
static bool has_place(const struct sfu_member *member, bool crowded) {
    const struct sfu_room *room = member->room;
    return member->free_slots[true] > 0 ||
           (member->free_slots[false] > 0 && (!crowded || room->sounds > room->microphones));
}

static void drop_stale(struct sfu_member *member) {
    for (size_t i = 0; i < member->slot_count; i++)
        if (is_stale(&member->slots[i]))
            sfu_member_carry(member, &member->slots[i], NULL);
}

void sfu_floor_fill(struct sfu_member *member) {
    const struct sfu_room *room = member->room;
    bool crowded = is_crowded(member);
    place_all(member, sfu_room_dominant(room), crowded);
    for (size_t i = 0; i < room->loudness.loudest_count; i++)
        place_all(member, whose(room->loudness.loudest[i])->member, crowded);
    for (size_t i = 0; crowded && i < room->traveller_count; i++)
        place(member, room->travellers[i], crowded);
    for (struct sfu_published *track = room->tracks; track != NULL && has_place(member, crowded);
         track = track->next)
        place(member, track, crowded);
    if (crowded)
        drop_stale(member);
}

void sfu_floor_offer(struct sfu_member *member, struct sfu_published *track) {
    bool crowded = is_crowded(member);
    bool begins = track->is_microphone && track->member != member &&
                  microphones_of_others(member) == member->slots_of[false] + 1;
    if (begins)
        sfu_floor_fill(member);
    else
        place(member, track, crowded);
}

void sfu_floor_withdraw(struct sfu_member *member, const struct sfu_published *track,
                        bool others_travel) {
    bool ends = track->is_microphone && microphones_of_others(member) == member->slots_of[false];
    if (ends || others_travel)
        sfu_floor_fill(member);
}

/* --- Whose picture is shown --- */

/* The slot that gives way: beside the newcomer's sound if whoever is there is not heard, else of
 * whoever spoke longest ago. */
static struct sfu_member_slot *find_victim(struct sfu_member *member,
                                           const struct sfu_published *track) {
    struct sfu_member_slot *victim = NULL;
    for (size_t i = 0; i < member->slot_count; i++) {
        struct sfu_member_slot *slot = &member->slots[i];
        if (slot->track == NULL || sfu_member_is_pinned(slot) || is_screen(slot->track) ||
            !sfu_member_may_watch(member, track, slot))
            continue;
        if (slot->track->member->spoke_us == 0 && rank(member, slot, track) == 3)
            return slot;
        if (victim == NULL || slot->track->member->spoke_us <= victim->track->member->spoke_us)
            victim = slot;
    }
    return victim;
}

static void show(struct sfu_member *member, struct sfu_published *track) {
    place(member, track, false);
    if (track->member == member || sfu_member_slot_with(member, track) != NULL)
        return;
    struct sfu_member_slot *victim = find_victim(member, track);
    if (victim != NULL)
        sfu_member_carry(member, victim, track);
}

void sfu_floor_show(struct sfu_published *track) {
    if (!track->media.video)
        return;
    for (struct sfu_member *member = track->member->room->members; member != NULL;
         member = member->next)
        show(member, track);
}

/* --- Who speaks --- */

static void settle(struct sfu_room *room, uint64_t now_us, unsigned changed) {
    if ((changed & RTP_LOUDNESS_CHANGED_LOUDEST) != 0 && choose_travellers(room))
        for (struct sfu_member *member = room->members; member != NULL; member = member->next)
            sfu_floor_fill(member);
    struct sfu_member *dominant = sfu_room_dominant(room);
    if ((changed & RTP_LOUDNESS_CHANGED_DOMINANT) == 0 || dominant == NULL)
        return;
    dominant->spoke_us = now_us;
    for (struct sfu_published *track = dominant->own; track != NULL; track = track->next_own)
        sfu_floor_show(track);
}

void sfu_member_on_level(struct sfu_member *member, uint64_t now_us,
                         const struct sfu_level *level) {
    struct sfu_published *track = member->own;
    while (track != NULL && (track->media.track != level->track || !track->is_microphone))
        track = track->next_own;
    if (track == NULL)
        return;
    unsigned changed = 0;
    for (uint8_t i = 0; i < level->packets; i++) {
        uint64_t ago_us = (uint64_t)(level->packets - 1 - i) * RTP_LOUDNESS_LEVEL_US;
        changed |=
            rtp_loudness_on_level(&member->room->loudness, &track->voice,
                                  now_us > ago_us ? now_us - ago_us : 0, level->levels[i], 1);
    }
    settle(member->room, now_us, changed);
}

uint64_t sfu_room_next_deadline(const struct sfu_room *room) {
    uint64_t decide_us = rtp_loudness_next_deadline(&room->loudness);
    uint64_t check_us = room->checked_us + SFU_SPEAKERS_INTERVAL_US;
    return room->told_count > 0 && check_us < decide_us ? check_us : decide_us;
}

void sfu_room_on_deadline(struct sfu_room *room, uint64_t now_us) {
    room->checked_us = now_us;
    settle(room, now_us, rtp_loudness_on_deadline(&room->loudness, now_us));
}

static bool is_louder(const struct sfu_speaker *a, const struct sfu_speaker *b) {
    return a->dominant != b->dominant ? a->dominant : a->level_db > b->level_db;
}

/* Of somebody with two microphones one counts. */
static bool is_listed(const struct sfu_speaker *speakers, size_t count, uint64_t participant) {
    for (size_t i = 0; i < count; i++)
        if (speakers[i].participant == participant)
            return true;
    return false;
}

static size_t list_speakers(const struct sfu_room *room, uint64_t now_us, struct sfu_speaker *out) {
    size_t count = 0;
    for (size_t i = 0; i < room->loudness.loudest_count; i++) {
        const struct rtp_loudness_speaker *voice = room->loudness.loudest[i];
        int level_db = rtp_loudness_level_db(voice, now_us);
        if (level_db < SPEAKING_DB || is_listed(out, count, whose(voice)->member->id))
            continue;
        struct sfu_speaker speaker = {.participant = whose(voice)->member->id,
                                      .level_db = (int8_t)level_db,
                                      .dominant = voice == room->loudness.dominant};
        size_t place = count++;
        for (; place > 0 && is_louder(&speaker, &out[place - 1]); place--)
            out[place] = out[place - 1];
        out[place] = speaker;
    }
    return count;
}

static bool was_told(const struct sfu_room *room, const struct sfu_speaker *speaker) {
    for (size_t i = 0; i < room->told_count; i++)
        if (room->told[i].participant == speaker->participant)
            return room->told[i].dominant == speaker->dominant;
    return false;
}

bool sfu_room_tell_speakers(struct sfu_room *room, uint64_t now_us, struct sfu_speaker *out,
                            size_t *count) {
    if (room->told_us != 0 && now_us - room->told_us < SFU_SPEAKERS_INTERVAL_US)
        return false;
    *count = list_speakers(room, now_us, out);
    bool changed = *count != room->told_count;
    for (size_t i = 0; i < *count; i++)
        changed = changed || !was_told(room, &out[i]);
    if (!changed)
        return false;
    room->told_us = now_us;
    room->told_count = *count;
    for (size_t i = 0; i < *count; i++)
        room->told[i] = out[i];
    return true;
}
