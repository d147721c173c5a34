/* Who is in a room, what they publish, and what each slot carries. No I/O and no media: it decides,
 * and says what changed. Lives on the thread of sfu.h's caller. */
#ifndef SFU_ROOM_H
#define SFU_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtp/loudness.h"
#include "sfu/levels.h"
#include "sfu/sfu.h"

enum {
    SFU_LOUDEST = 3, /* Microphones that travel in a crowded room, if nothing else is said. */
    SFU_SPEAKERS_INTERVAL_US = 300 * 1000,
    SFU_SPEAKERS_MAX = RTP_LOUDNESS_LOUDEST_MAX,
};

struct sfu_member;

struct sfu_published {
    /* Given. */
    struct sfu_member *member;
    struct sfu_media media;
    /* Links. */
    struct sfu_published *next;     /* In the room, in the order of publishing. */
    struct sfu_published *next_own; /* Of the same member. */
    /* State. */
    bool is_microphone;
    struct rtp_loudness_speaker voice; /* Of a microphone. */
    bool travels;   /* A microphone that is heard where there are more than slots for them. */
    size_t carried; /* By so many slots. */
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
    struct sfu_published *own; /* What it publishes. */
    struct sfu_member *next;   /* In the room. */
    struct sfu_member *next_changed;
    /* State. */
    size_t slots_of[2];   /* For sound [0] and pictures [1]; */
    size_t free_slots[2]; /* those of them that carry nothing and wish for nothing, */
    size_t pins;          /* and those that wish for a track. */
    uint64_t spoke_us;    /* When it became the dominant speaker last, 0: never. */
    bool changed;         /* Some slot is. */
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
    struct rtp_loudness loudness;
    /* Links. */
    struct sfu_room *next_loud; /* The owner's, of rooms where somebody speaks. */
    /* State. */
    bool is_loud;      /* In the owner's list. */
    uint64_t favoured; /* The member that the owner has told the workers to favour. */
    size_t microphones;
    size_t sounds; /* Microphones and others. */
    struct sfu_published *travellers[RTP_LOUDNESS_LOUDEST_MAX];
    size_t traveller_count;
    uint64_t checked_us; /* When it was last looked who speaks. */
    uint64_t told_us;    /* When the speakers were told, and who they were: */
    size_t told_count;
    struct sfu_speaker told[SFU_SPEAKERS_MAX];
};

/* A room is gone when its last member is; -ENOMEM. */
int sfu_room_create(struct sfu_room **out, uint64_t id, sfu_carry_fn carry, void *ctx);

/* How many microphones travel where there are more than slots for them, while nobody is in. */
void sfu_room_set_loudest(struct sfu_room *room, unsigned loudest);
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

/* How loud one of the member's microphones is. Whoever speaks up is heard at once. */
void sfu_member_on_level(struct sfu_member *member, uint64_t now_us, const struct sfu_level *level);

/* Who speaks is decided by time too: when to call on_deadline next, UINT64_MAX for never. */
uint64_t sfu_room_next_deadline(const struct sfu_room *room);
void sfu_room_on_deadline(struct sfu_room *room, uint64_t now_us);

/* Fills in who speaks, at most SFU_SPEAKERS_MAX, if others do than were told last and that is
 * SFU_SPEAKERS_INTERVAL_US ago; else false. */
bool sfu_room_tell_speakers(struct sfu_room *room, uint64_t now_us, struct sfu_speaker *out,
                            size_t *count);

/* The member that speaks, or did last; NULL: nobody yet. */
struct sfu_member *sfu_room_dominant(const struct sfu_room *room);

/* floor.c: fills the free slots, the speakers' tracks first, and keeps those who travel. */
void sfu_floor_fill(struct sfu_member *member);
void sfu_floor_join(struct sfu_published *track);

/* Whether others travel now. */
bool sfu_floor_leave(struct sfu_published *track);

/* Of a member whose slots are filled: a track has joined, or left. What that changes for him does
 * not grow with the room. */
void sfu_floor_offer(struct sfu_member *member, struct sfu_published *track);
void sfu_floor_withdraw(struct sfu_member *member, const struct sfu_published *track,
                        bool others_travel);

/* Lets everybody see a picture, who has a slot that can give way. */
void sfu_floor_show(struct sfu_published *track);

/* room.c, for floor.c: the slot of a member that carries the track, or NULL; the slot of the other
 * kind that is played in step; whether it may carry a track; and to carry one. */
struct sfu_member_slot *sfu_member_slot_with(struct sfu_member *member,
                                             const struct sfu_published *track);
struct sfu_member_slot *sfu_member_partner(struct sfu_member *member,
                                           const struct sfu_member_slot *slot);
bool sfu_member_may_watch(const struct sfu_member *member, const struct sfu_published *track,
                          const struct sfu_member_slot *slot);
bool sfu_member_is_pinned(const struct sfu_member_slot *slot);
void sfu_member_carry(struct sfu_member *member, struct sfu_member_slot *slot,
                      struct sfu_published *track);

/* Whether a receiver that takes the slot's codecs can decode what the track sends first. */
bool sfu_media_fits(const struct sfu_media *track, const struct sfu_media *slot);

#endif
