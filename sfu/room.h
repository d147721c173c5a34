/* Who is in a room, what they publish, and what each slot carries. No I/O and no media: it decides,
 * and says what changed. Lives on the thread of sfu.h's caller. */
#ifndef SFU_ROOM_H
#define SFU_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/sfu.h"

struct sfu_member;

struct sfu_published {
    /* Given. */
    struct sfu_member *member;
    struct sfu_media media;
    /* Links. */
    struct sfu_published *next; /* In the room, in the order of publishing. */
    /* State. */
    uint32_t
        watchers[SFU_WORKERS_MAX]; /* Slots that carry it, by worker; kept by the room's owner. */
};

struct sfu_member_slot {
    /* Given. */
    struct sfu_media media;
    /* State. */
    struct sfu_wish wish;
    struct sfu_published *track; /* NULL: nothing. */
    bool paused;                 /* By bandwidth, as its worker says. */
    bool changed;                /* Since the member was last told. */
};

struct sfu_member {
    /* Given. */
    struct sfu_room *room;
    uint64_t id;
    unsigned worker;
    /* Owned. */
    struct sfu_media *media; /* As last described. */
    size_t media_count;
    struct sfu_member_slot *slots;
    size_t slot_count;
    /* Links. */
    struct sfu_member *next; /* In the room. */
    struct sfu_member *next_changed;
    /* State. */
    bool changed; /* Some slot is. */
};

/* What the room's owner does about a decision: a slot of a member carries another track than it was
 * (either may be NULL). */
typedef void (*sfu_carry_fn)(void *ctx, struct sfu_member *member, struct sfu_member_slot *slot,
                             struct sfu_published *was);

struct sfu_room {
    /* Given. */
    uint64_t id;
    sfu_carry_fn carry;
    void *ctx;
    /* Owned. */
    struct sfu_member *members;
    struct sfu_published *tracks;
};

/* A room is gone when its last member is; -ENOMEM. */
int sfu_room_create(struct sfu_room **out, uint64_t id, sfu_carry_fn carry, void *ctx);
void sfu_room_destroy(struct sfu_room *room);

int sfu_member_create(struct sfu_member **out, struct sfu_room *room, uint64_t id, unsigned worker);
void sfu_member_destroy(struct sfu_member *member);

/* Whether the m-lines do not continue what was described before: places, mids and kinds are for
 * ever, but for those of inactive m-lines. */
bool sfu_member_contradicts(const struct sfu_member *member, const struct sfu_media *media,
                            size_t count);

/* Takes over what was negotiated: m-lines keep their place, mid and kind. New tracks go to
 * everyone who has a free slot, ended ones leave theirs. -EINVAL, -ENOMEM; then nothing changed. */
int sfu_member_describe(struct sfu_member *member, const struct sfu_media *media, size_t count);

/* -ENOENT: no slot has that mid. */
int sfu_member_subscribe(struct sfu_member *member, const struct sfu_wish *wish);

/* Takes over what a slot's worker says of it, if it speaks of the track that the slot carries; true
 * when that changed something. */
bool sfu_member_set_paused(struct sfu_member *member, const struct sfu_slot_state *state);

/* Whether a receiver that takes the slot's codecs can decode what the track sends first. */
bool sfu_media_fits(const struct sfu_media *track, const struct sfu_media *slot);

#endif
