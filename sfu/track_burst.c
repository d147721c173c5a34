/* What came for tracks in one wake-up, on its way to everybody who watches: subscriber by
 * subscriber, so that what is equally long leaves as one message. The hot path. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sfu/engine.h"
#include "sfu/slot.h"
#include "sfu/track.h"
#include "sfu/transport.h"

/* --- Who watches --- */

static uint64_t participant_at(const struct sfu_track *track, size_t place) {
    return track->slots[place]->transport->participant;
}

/* Of the first slot whose participant is not below this one. */
static size_t find_place(const struct sfu_track *track, uint64_t participant) {
    size_t from = 0, to = track->slot_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (participant_at(track, middle) < participant)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

int sfu_track_attach(struct sfu_track *track, struct sfu_slot *slot) {
    if (track->slot_count == track->slot_capacity) {
        size_t capacity = track->slot_capacity ? track->slot_capacity * 2 : 4;
        struct sfu_slot **slots = realloc(track->slots, capacity * sizeof(struct sfu_slot *));
        if (slots == NULL)
            return -ENOMEM;
        track->slots = slots;
        track->slot_capacity = capacity;
    }
    struct sfu_slot **place = &track->slots[find_place(track, slot->transport->participant)];
    struct sfu_slot **end = &track->slots[track->slot_count++];
    memmove(place + 1, place, (size_t)(end - place) * sizeof(struct sfu_slot *));
    *place = slot;
    slot->track = track;
    sfu_track_on_wishes(track);
    return 0;
}

void sfu_track_detach(struct sfu_track *track, struct sfu_slot *slot) {
    struct sfu_slot **place = &track->slots[find_place(track, slot->transport->participant)];
    while (*place != slot)
        place++;
    struct sfu_slot **end = &track->slots[--track->slot_count];
    memmove(place, place + 1, (size_t)(end - place) * sizeof(struct sfu_slot *));
    slot->track = NULL;
    sfu_track_on_wishes(track);
}

/* --- Bursts --- */

void sfu_track_join_burst(struct sfu_track *track, uint64_t now_us, struct sfu_packet *packet) {
    track->burst[track->burst_count++] = sfu_packet_ref(packet);
    if (track->burst_count == SFU_BURST_MAX)
        sfu_track_flush(track, now_us);
    if (track->dirty)
        return;
    track->dirty = true;
    track->next_dirty = track->engine->dirty;
    track->engine->dirty = track;
}

void sfu_track_forget_burst(struct sfu_track *track) {
    for (size_t i = 0; i < track->burst_count; i++)
        sfu_packet_unref(track->burst[i]);
    track->burst_count = 0;
    track->fed_count = 0;
}

bool sfu_track_is_to_come(const struct sfu_track *track, const struct sfu_packet *packet,
                          const struct sfu_packet *other) {
    size_t i = 0;
    while (i < track->burst_count && track->burst[i] != packet)
        i++;
    while (i < track->burst_count && track->burst[i] != other)
        i++;
    return i < track->burst_count;
}

void sfu_track_feed_burst(struct sfu_track *track) {
    struct sfu_engine *engine = track->engine;
    for (uint64_t rest = track->mirrors; rest != 0; rest &= rest - 1) {
        unsigned worker = (unsigned)__builtin_ctzll(rest);
        for (size_t i = track->fed_count; i < track->burst_count; i++) {
            struct sfu_pipe_entry entry = {.type = SFU_PIPE_PACKET,
                                           .track = track->id,
                                           .packet = sfu_packet_ref(track->burst[i])};
            if (engine->config.pipe(engine->config.ctx, worker, &entry))
                continue;
            sfu_packet_unref(entry.packet);
            engine->counters.drop_pipe_full++;
        }
    }
    track->fed_count = track->burst_count;
}

/* Rooms are larger than the caches: while one subscriber's packets are encrypted, what those of the
 * next ones need is on its way, each pointer's target one step earlier than what it points to. */
static inline void fetch_ahead(const struct sfu_track *track, size_t i) {
    if (i + 4 < track->slot_count)
        sfu_slot_fetch(track->slots[i + 4]);
    if (i + 3 < track->slot_count)
        sfu_transport_fetch(track->slots[i + 3]->transport);
    if (i + 2 < track->slot_count)
        sfu_slot_fetch_near(track->slots[i + 2]);
    if (i + 1 < track->slot_count)
        sfu_slot_fetch_far(track->slots[i + 1], track->burst_count, track->burst[0]->len);
}

/* --- Turns --- */

/* How far a track has come. */
struct turn {
    struct sfu_track *track;
    size_t place;
    uint64_t participant; /* Whose turn it is; UINT64_MAX: everybody has had his. */
};

static inline void look_at_next(struct turn *turn) {
    turn->participant = turn->place < turn->track->slot_count
                            ? participant_at(turn->track, turn->place)
                            : UINT64_MAX;
}

static inline void take_turn(struct turn *turn, uint64_t now_us) {
    struct sfu_track *track = turn->track;
    struct sfu_slot *slot = track->slots[turn->place];
    fetch_ahead(track, turn->place);
    if (slot->replaying)
        sfu_slot_replay(slot, now_us);
    for (size_t i = 0; i < track->burst_count; i++)
        sfu_slot_forward(slot, now_us, track->burst[i]);
    turn->place++;
    look_at_next(turn);
}

/* The track whose next subscriber is the first one, and who comes after him in the others. */
static struct turn *find_first(struct turn *turns, size_t count, uint64_t *after) {
    struct turn *first = &turns[0];
    *after = UINT64_MAX;
    for (size_t i = 1; i < count; i++) {
        struct turn *later = &turns[i];
        if (later->participant < first->participant) {
            later = first;
            first = &turns[i];
        }
        if (later->participant < *after)
            *after = later->participant;
    }
    return first;
}

static void take_turns(struct turn *turns, size_t count, uint64_t now_us) {
    uint64_t after;
    for (struct turn *first;
         (first = find_first(turns, count, &after))->participant != UINT64_MAX;) {
        uint64_t participant = first->participant;
        while (first->participant < after)
            take_turn(first, now_us);
        if (participant < after)
            continue;
        for (size_t i = 0; i < count; i++)
            while (turns[i].participant == participant)
                take_turn(&turns[i], now_us);
    }
}

/* The longest packets first: what is shorter may end a run but not begin it. */
static void line_up(struct sfu_track *const *tracks, size_t count, struct turn *out) {
    for (size_t i = 0; i < count; i++) {
        struct turn turn = {.track = tracks[i]};
        size_t place = i;
        look_at_next(&turn);
        for (; place > 0 && out[place - 1].track->burst[0]->rtp.payload_len <
                                turn.track->burst[0]->rtp.payload_len;
             place--)
            out[place] = out[place - 1];
        out[place] = turn;
    }
}

void sfu_tracks_flush(struct sfu_track *const *tracks, size_t count, uint64_t now_us) {
    struct turn turns[SFU_TOGETHER_MAX];
    if (count == 0)
        return;
    line_up(tracks, count, turns);
    take_turns(turns, count, now_us);
    for (size_t i = 0; i < count; i++) {
        sfu_track_feed_burst(tracks[i]);
        sfu_track_forget_burst(tracks[i]);
    }
}

void sfu_track_flush(struct sfu_track *track, uint64_t now_us) {
    if (track->burst_count > 0)
        sfu_tracks_flush(&track, 1, now_us);
}
