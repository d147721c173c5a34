#include "sfu/room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int sfu_room_create(struct sfu_room **out, uint64_t id, sfu_carry_fn carry, void *ctx) {
    struct sfu_room *room = calloc(1, sizeof(*room));
    if (room == NULL)
        return -ENOMEM;
    *room = (struct sfu_room){.id = id, .carry = carry, .ctx = ctx};
    sfu_room_set_loudest(room, SFU_LOUDEST);
    *out = room;
    return 0;
}

void sfu_room_set_loudest(struct sfu_room *room, unsigned loudest) {
    rtp_loudness_init(&room->loudness,
                      loudest < RTP_LOUDNESS_LOUDEST_MAX ? loudest : RTP_LOUDNESS_LOUDEST_MAX);
}

void sfu_room_destroy(struct sfu_room *room) {
    while (room != NULL && room->members != NULL)
        sfu_member_destroy(room->members);
    free(room);
}

int sfu_member_create(struct sfu_member **out, struct sfu_room *room, uint64_t id,
                      unsigned worker) {
    struct sfu_member *member = calloc(1, sizeof(*member));
    if (member == NULL)
        return -ENOMEM;
    *member = (struct sfu_member){.room = room, .id = id, .worker = worker, .next = room->members};
    room->members = member;
    *out = member;
    return 0;
}

/* --- What fits where --- */

/* Redundancy around Opus is the slot's to add and to strip. */
static enum rtp_codec plain_codec(enum rtp_codec codec) {
    return codec == RTP_CODEC_RED ? RTP_CODEC_OPUS : codec;
}

/* H264 decoders differ by profile_idc, the first byte of profile-level-id (RFC 6184 section 8.1).
 */
static bool codec_fits(const struct sfu_codec *sent, const struct sfu_codec *taken) {
    if (plain_codec(sent->codec) != plain_codec(taken->codec))
        return false;
    return sent->codec != RTP_CODEC_H264 || sent->profile >> 16 == taken->profile >> 16 ||
           sent->profile == 0 || taken->profile == 0;
}

bool sfu_media_fits(const struct sfu_media *track, const struct sfu_media *slot) {
    for (size_t i = 0; i < slot->codec_count; i++)
        if (codec_fits(&track->codecs[0], &slot->codecs[i]))
            return track->video == slot->video;
    return false;
}

bool sfu_member_may_watch(const struct sfu_member *member, const struct sfu_published *track,
                          const struct sfu_member_slot *slot) {
    return track->member != member && slot->media.direction == SFU_SLOT &&
           sfu_media_fits(&track->media, &slot->media);
}

struct sfu_member_slot *sfu_member_slot_with(struct sfu_member *member,
                                             const struct sfu_published *track) {
    for (size_t i = 0; i < member->slot_count; i++)
        if (member->slots[i].track == track)
            return &member->slots[i];
    return NULL;
}

struct sfu_member_slot *sfu_member_partner(struct sfu_member *member,
                                           const struct sfu_member_slot *slot) {
    for (size_t i = 0; i < member->slot_count; i++) {
        const struct sfu_media *media = &member->slots[i].media;
        if (media->video != slot->media.video && media->slot_stream == slot->media.slot_stream)
            return &member->slots[i];
    }
    return NULL;
}

static struct sfu_published *find_track(const struct sfu_room *room, uint64_t id) {
    struct sfu_published *track = room->tracks;
    while (track != NULL && track->media.track != id)
        track = track->next;
    return track;
}

/* --- Filling slots --- */

bool sfu_member_is_pinned(const struct sfu_member_slot *slot) {
    return slot->wish.track != 0;
}

static bool is_free(const struct sfu_member_slot *slot) {
    return slot->track == NULL && slot->media.direction == SFU_SLOT && !sfu_member_is_pinned(slot);
}

/* After m-lines or wishes have changed. */
static void count_slots(struct sfu_member *member) {
    memset(member->slots_of, 0, sizeof(member->slots_of));
    memset(member->free_slots, 0, sizeof(member->free_slots));
    member->pins = 0;
    for (size_t i = 0; i < member->slot_count; i++) {
        const struct sfu_member_slot *slot = &member->slots[i];
        member->slots_of[slot->media.video] += slot->media.direction == SFU_SLOT;
        member->free_slots[slot->media.video] += is_free(slot);
        member->pins += sfu_member_is_pinned(slot);
    }
}

void sfu_member_carry(struct sfu_member *member, struct sfu_member_slot *slot,
                      struct sfu_published *track) {
    struct sfu_published *was = slot->track;
    if (was == track)
        return;
    size_t *free_slots = &member->free_slots[slot->media.video];
    *free_slots -= is_free(slot);
    slot->track = track;
    *free_slots += is_free(slot);
    if (was != NULL)
        was->carried--;
    if (track != NULL)
        track->carried++;
    slot->paused = false;
    slot->changed = true;
    member->room->carry(member->room->ctx, member, slot, was);
}

static void fill_pinned(struct sfu_member *member, struct sfu_member_slot *slot) {
    struct sfu_published *wanted = find_track(member->room, slot->wish.track);
    if (wanted != NULL && !sfu_member_may_watch(member, wanted, slot))
        wanted = NULL;
    struct sfu_member_slot *other = wanted ? sfu_member_slot_with(member, wanted) : NULL;
    if (other != NULL && other != slot)
        sfu_member_carry(member, other, NULL);
    sfu_member_carry(member, slot, wanted);
}

static void fill(struct sfu_member *member) {
    for (size_t i = 0; member->pins > 0 && i < member->slot_count; i++)
        if (sfu_member_is_pinned(&member->slots[i]))
            fill_pinned(member, &member->slots[i]);
    sfu_floor_fill(member);
}

static void offer(struct sfu_member *member, struct sfu_published *track) {
    for (size_t i = 0; member->pins > 0 && i < member->slot_count; i++)
        if (member->slots[i].wish.track == track->media.track)
            fill_pinned(member, &member->slots[i]);
    sfu_floor_offer(member, track);
}

/* --- Publishing --- */

static struct sfu_published *publish(struct sfu_member *member, const struct sfu_media *media) {
    struct sfu_published *track = calloc(1, sizeof(*track));
    if (track == NULL)
        return NULL;
    track->member = member;
    track->media = *media;
    struct sfu_published **end = &member->room->tracks;
    while (*end != NULL)
        end = &(*end)->next;
    *end = track;
    track->next_own = member->own;
    member->own = track;
    member->room->sounds += !media->video;
    sfu_floor_join(track);
    return track;
}

static void unpublish(struct sfu_room *room, struct sfu_published *track) {
    struct sfu_published **link = &room->tracks;
    while (*link != track)
        link = &(*link)->next;
    *link = track->next;
    link = &track->member->own;
    while (*link != track)
        link = &(*link)->next_own;
    *link = track->next_own;
    room->sounds -= !track->media.video;
    bool others_travel = sfu_floor_leave(track);
    for (struct sfu_member *member = room->members; member != NULL; member = member->next) {
        struct sfu_member_slot *slot =
            track->carried > 0 ? sfu_member_slot_with(member, track) : NULL;
        if (slot != NULL) {
            sfu_member_carry(member, slot, NULL);
            fill(member);
        } else {
            sfu_floor_withdraw(member, track, others_travel);
        }
    }
    free(track);
}

static bool still_published(const struct sfu_published *track, const struct sfu_media *media,
                            size_t count) {
    for (size_t i = 0; i < count; i++)
        if (media[i].direction == SFU_PUBLISHES && media[i].track == track->media.track)
            return true;
    return false;
}

static void end_tracks(struct sfu_member *member, const struct sfu_media *media, size_t count) {
    for (struct sfu_published *track = member->room->tracks, *next; track != NULL; track = next) {
        next = track->next;
        if (track->member == member && !still_published(track, media, count))
            unpublish(member->room, track);
    }
}

static void begin_tracks(struct sfu_member *member) {
    struct sfu_room *room = member->room;
    for (size_t i = 0; i < member->media_count; i++) {
        const struct sfu_media *media = &member->media[i];
        if (media->direction != SFU_PUBLISHES)
            continue;
        struct sfu_published *track = find_track(room, media->track);
        if (track != NULL) {
            track->media = *media;
            continue;
        }
        track = publish(member, media);
        for (struct sfu_member *other = room->members; track != NULL && other != NULL;
             other = other->next)
            offer(other, track);
        if (track != NULL && media->source == SFU_SOURCE_SCREEN)
            sfu_floor_show(track);
    }
}

/* --- Slots --- */

static void begin_slot(struct sfu_member_slot *slot, const struct sfu_media *media) {
    *slot = (struct sfu_member_slot){.media = *media};
    memcpy(slot->wish.mid, media->mid, sizeof(slot->wish.mid));
}

static struct sfu_member_slot *find_slot(struct sfu_member *member, const char *mid) {
    for (size_t i = 0; i < member->slot_count; i++)
        if (strcmp(member->slots[i].media.mid, mid) == 0)
            return &member->slots[i];
    return NULL;
}

static bool is_described(const struct sfu_member *member, const char *mid) {
    for (size_t i = 0; i < member->media_count; i++)
        if (strcmp(member->media[i].mid, mid) == 0)
            return true;
    return false;
}

/* Slots whose m-line was recycled are gone. */
static void drop_slots(struct sfu_member *member) {
    size_t kept = 0;
    for (size_t i = 0; i < member->slot_count; i++) {
        struct sfu_member_slot *slot = &member->slots[i];
        if (is_described(member, slot->media.mid))
            member->slots[kept++] = *slot;
        else
            sfu_member_carry(member, slot, NULL);
    }
    member->slot_count = kept;
}

/* Slots that are inactive now carry nothing, and keep their place should they come back. */
static void update_slots(struct sfu_member *member, struct sfu_member_slot *slots) {
    if (member->slot_count > 0)
        memcpy(slots, member->slots, member->slot_count * sizeof(*slots));
    free(member->slots);
    member->slots = slots;
    drop_slots(member);
    for (size_t i = 0; i < member->media_count; i++) {
        const struct sfu_media *media = &member->media[i];
        struct sfu_member_slot *slot = find_slot(member, media->mid);
        if (slot != NULL) {
            if (media->direction != SFU_SLOT)
                sfu_member_carry(member, slot, NULL);
            slot->media = *media;
        } else if (media->direction == SFU_SLOT) {
            begin_slot(&member->slots[member->slot_count++], media);
        }
    }
    count_slots(member);
}

bool sfu_member_contradicts(const struct sfu_member *member, const struct sfu_media *media,
                            size_t count) {
    if (count < member->media_count)
        return true;
    for (size_t i = 0; i < member->media_count; i++) {
        const struct sfu_media *before = &member->media[i];
        /* A refused or inactive m-line may be recycled under another mid (RFC 8829 section 5.2.2).
         */
        if (before->direction != SFU_INACTIVE &&
            (strcmp(before->mid, media[i].mid) != 0 || before->video != media[i].video))
            return true;
    }
    return false;
}

int sfu_member_describe(struct sfu_member *member, const struct sfu_media *media, size_t count) {
    if (sfu_member_contradicts(member, media, count))
        return -EINVAL;
    struct sfu_media *copy = malloc((count ? count : 1) * sizeof(*copy));
    struct sfu_member_slot *slots = calloc(member->slot_count + count + 1, sizeof(*slots));
    if (copy == NULL || slots == NULL) {
        free(copy);
        free(slots);
        return -ENOMEM;
    }
    memcpy(copy, media, count * sizeof(*copy));
    free(member->media);
    member->media = copy;
    member->media_count = count;
    update_slots(member, slots);
    end_tracks(member, copy, count);
    begin_tracks(member);
    fill(member);
    return 0;
}

int sfu_member_subscribe(struct sfu_member *member, const struct sfu_wish *wish) {
    struct sfu_member_slot *slot = find_slot(member, wish->mid);
    if (slot == NULL)
        return -ENOENT;
    slot->wish = *wish;
    count_slots(member);
    fill(member);
    return 0;
}

bool sfu_member_set_paused(struct sfu_member *member, const struct sfu_slot_state *state) {
    struct sfu_member_slot *slot = find_slot(member, state->mid);
    uint64_t track = slot != NULL && slot->track != NULL ? slot->track->media.track : 0;
    if (track == 0 || track != state->track || slot->paused == state->paused)
        return false;
    slot->paused = state->paused;
    slot->changed = true;
    return true;
}

void sfu_member_destroy(struct sfu_member *member) {
    if (member == NULL)
        return;
    for (size_t i = 0; i < member->slot_count; i++)
        sfu_member_carry(member, &member->slots[i], NULL);
    member->slot_count = 0; /* Nothing is placed here any more. */
    count_slots(member);
    end_tracks(member, NULL, 0);
    struct sfu_member **link = &member->room->members;
    while (*link != member)
        link = &(*link)->next;
    *link = member->next;
    free(member->slots);
    free(member->media);
    free(member);
}
