/* All calls that are going on: finding them and their sessions, deadlines, and what is kept of
 * those that are over. */
#include "signaling/calls.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "signaling/log.h"
#include "signaling/room.h"
#include "signaling/when.h"

#define TOMBSTONES 1024
#define ALIVE_EVERY_US UINT64_C(1000000)
#define TOMBSTONE_US (3600 * UINT64_C(1000000))

static uint64_t monotonic_us(void) {
    return uv_hrtime() / 1000;
}

struct sig_calls *sig_calls_create(const struct sig_calls_options *options) {
    struct sig_calls *calls = calloc(1, sizeof(*calls));
    if (!calls)
        return NULL;
    calls->config = options->config;
    calls->sfu = options->sfu;
    calls->store = options->store;
    calls->throttle = options->throttle;
    calls->webhook = options->webhook;
    calls->now_us = options->now_us ? options->now_us : monotonic_us;
    calls->wall_ms = options->wall_ms ? options->wall_ms : sig_when_now_ms;
    calls->deadline_us = UINT64_MAX;
    calls->tombstones = calloc(TOMBSTONES, sizeof(*calls->tombstones));
    calls->presence =
        sig_presence_create(&(struct sig_presence_options){.listeners = &calls->listeners,
                                                           .store = calls->store,
                                                           .now_us = calls->now_us,
                                                           .is_told = calls->config->demo});
    if (calls->tombstones && calls->presence)
        return calls;
    sig_presence_destroy(calls->presence);
    free(calls->tombstones);
    free(calls);
    return NULL;
}

static void bury(struct sig_calls *calls) {
    while (calls->dead_sessions) {
        struct sig_session *session = calls->dead_sessions;
        calls->dead_sessions = session->next;
        sig_session_free(session);
    }
    while (calls->dead_rooms) {
        struct sig_room *room = calls->dead_rooms;
        calls->dead_rooms = room->next;
        sig_room_free(room);
    }
}

void sig_calls_destroy(struct sig_calls *calls) {
    if (!calls)
        return;
    while (calls->rooms) {
        struct sig_room *room = calls->rooms;
        while (room->sessions)
            sig_session_end(room->sessions, true, SIG_SESSION_SERVER_CLOSING);
        sig_calls_remove_room(room);
    }
    sig_listeners_close(&calls->listeners);
    sig_calls_end_whys(calls);
    bury(calls);
    sig_presence_destroy(calls->presence);
    free(calls->tombstones);
    free(calls);
}

uint64_t sig_calls_new_number(struct sig_calls *calls) {
    return ++calls->last_number;
}

static int compare_rooms(const void *a, const void *b) {
    return strcasecmp(((const struct sig_room *)a)->key, ((const struct sig_room *)b)->key);
}

struct sig_room *sig_calls_find_room(const struct sig_calls *calls, const char *call_id) {
    struct sig_room wanted = {.key = call_id};
    void *node = tfind(&wanted, &calls->rooms_by_id, compare_rooms);
    return node ? *(struct sig_room **)node : NULL;
}

static int compare_numbers(const void *a, const void *b) {
    uint64_t x = ((const struct sig_room *)a)->number;
    uint64_t y = ((const struct sig_room *)b)->number;
    return x < y ? -1 : x > y;
}

struct sig_room *sig_calls_find_number(const struct sig_calls *calls, uint64_t number) {
    struct sig_room wanted = {.number = number};
    void *node = tfind(&wanted, &calls->rooms_by_number, compare_numbers);
    return node ? *(struct sig_room **)node : NULL;
}

/* Under its id and its number: 0, or -ENOMEM and nothing happened. */
static int index_room(struct sig_calls *calls, struct sig_room *room) {
    if (!tsearch(room, &calls->rooms_by_id, compare_rooms))
        return -ENOMEM;
    if (tsearch(room, &calls->rooms_by_number, compare_numbers))
        return 0;
    tdelete(room, &calls->rooms_by_id, compare_rooms);
    return -ENOMEM;
}

struct sig_room *sig_calls_add_room(struct sig_calls *calls, struct sig_call *call) {
    struct sig_room *room = calloc(1, sizeof(*room));
    if (!room || !call)
        goto fail;
    room->calls = calls;
    room->call = call;
    room->key = call->id;
    room->number = sig_calls_new_number(calls);
    if (sig_room_index_init(room) < 0 || index_room(calls, room) < 0)
        goto fail;
    calls->room_count++;
    room->next = calls->rooms;
    room->at = &calls->rooms;
    if (room->next)
        room->next->at = &room->next;
    calls->rooms = room;
    calls->stats.started++;
    return room;
fail:
    if (room)
        sig_room_index_deinit(room);
    free(room);
    sig_call_destroy(call);
    return NULL;
}

void sig_calls_remove_room(struct sig_room *room) {
    struct sig_calls *calls = room->calls;
    tdelete(room, &calls->rooms_by_id, compare_rooms);
    tdelete(room, &calls->rooms_by_number, compare_numbers);
    calls->room_count--;
    *room->at = room->next;
    if (room->next)
        room->next->at = room->at;
    room->next = calls->dead_rooms;
    calls->dead_rooms = room;
    sig_calls_wake_by(calls, 0);
}

void sig_calls_remember(struct sig_calls *calls, const struct sig_call *call) {
    struct sig_tombstone *tombstone = &calls->tombstones[calls->tombstone_next++ % TOMBSTONES];
    memcpy(tombstone->id, call->id, sizeof(tombstone->id));
    tombstone->is_on_demand = call->is_on_demand;
    tombstone->until_us = calls->now_us() + TOMBSTONE_US;
}

const struct sig_tombstone *sig_calls_recall(const struct sig_calls *calls, const char *call_id) {
    uint64_t now_us = calls->now_us();
    for (size_t i = 0; i < TOMBSTONES; i++)
        if (calls->tombstones[i].until_us > now_us &&
            strcasecmp(calls->tombstones[i].id, call_id) == 0)
            return &calls->tombstones[i];
    return NULL;
}

const struct sig_call *sig_calls_find(const struct sig_calls *calls, const char *call_id) {
    const struct sig_room *room = sig_calls_find_room(calls, call_id);
    return room ? room->call : NULL;
}

bool sig_calls_was(const struct sig_calls *calls, const char *call_id) {
    return !sig_calls_find_room(calls, call_id) && sig_calls_recall(calls, call_id) != NULL;
}

bool sig_calls_has_tracks(const struct sig_calls *calls, const char *call_id) {
    const struct sig_room *room = sig_calls_find_room(calls, call_id);
    return room && room->tracks;
}

static int compare_sessions(const void *a, const void *b) {
    uint64_t x = ((const struct sig_session *)a)->number;
    uint64_t y = ((const struct sig_session *)b)->number;
    return x < y ? -1 : x > y;
}

int sig_calls_index_session(struct sig_calls *calls, struct sig_session *session) {
    return tsearch(session, &calls->sessions_by_number, compare_sessions) ? 0 : -ENOMEM;
}

void sig_calls_unindex_session(struct sig_calls *calls, struct sig_session *session) {
    if (session->number)
        tdelete(session, &calls->sessions_by_number, compare_sessions);
}

struct sig_session *sig_calls_find_session(const struct sig_calls *calls, uint64_t number) {
    struct sig_session wanted = {.number = number};
    void *node = tfind(&wanted, &calls->sessions_by_number, compare_sessions);
    return node ? *(struct sig_session **)node : NULL;
}

void sig_calls_on_sfu_event(void *ctx, const struct sfu_event *event) {
    struct sig_calls *calls = *(struct sig_calls **)ctx;
    if (!calls)
        return;
    if (event->type == SFU_EVENT_SPEAKERS) {
        sig_calls_on_speakers(calls, event);
        return;
    }
    struct sig_session *session = sig_calls_find_session(calls, event->participant);
    if (session)
        sig_session_on_sfu_event(session, event);
}

void sig_calls_wake_by(struct sig_calls *calls, uint64_t deadline_us) {
    if (deadline_us < calls->deadline_us)
        calls->deadline_us = deadline_us;
}

uint64_t sig_calls_next_deadline(const struct sig_calls *calls) {
    uint64_t presence_us = sig_presence_next_deadline(calls->presence);
    return presence_us < calls->deadline_us ? presence_us : calls->deadline_us;
}

/* Only while there are calls: it is their end that is reckoned by it. */
static void note_alive(struct sig_calls *calls, uint64_t now_us) {
    if (!calls->rooms)
        return;
    if (calls->alive_due_us <= now_us) {
        sig_store_note_alive(calls->store, calls->wall_ms());
        sig_calls_sample(calls);
        calls->alive_due_us = now_us + ALIVE_EVERY_US;
    }
    sig_calls_wake_by(calls, calls->alive_due_us);
}

void sig_calls_on_deadline(struct sig_calls *calls, uint64_t now_us) {
    struct sig_room *next;
    sig_presence_on_deadline(calls->presence, now_us);
    if (calls->deadline_us > now_us)
        return;
    for (struct sig_room *room = calls->rooms; room; room = next) {
        next = room->next;
        sig_room_on_deadline(room, now_us);
    }
    bury(calls);
    calls->deadline_us = UINT64_MAX;
    for (const struct sig_room *room = calls->rooms; room; room = room->next)
        sig_calls_wake_by(calls, sig_room_next_deadline(room));
    note_alive(calls, now_us);
}

void sig_calls_add_listener(struct sig_calls *calls, struct sig_listener *listener) {
    sig_listeners_add(&calls->listeners, listener);
    sig_presence_come(calls->presence, listener->user_id);
    for (struct sig_room *room = calls->rooms; room; room = room->next)
        sig_room_ring_listener(room, listener);
}

void sig_calls_remove_listener(struct sig_calls *calls, struct sig_listener *listener) {
    sig_listeners_remove(&calls->listeners, listener);
    sig_presence_go(calls->presence, listener->user_id);
}

bool sig_calls_is_online(const struct sig_calls *calls, const char *user_id) {
    return sig_presence_is_online(calls->presence, user_id);
}

void sig_calls_drain(struct sig_calls *calls) {
    calls->is_draining = true;
}

bool sig_calls_is_draining(const struct sig_calls *calls) {
    return calls->is_draining;
}

static void count_room(const struct sig_room *room, struct sig_calls_stats *out) {
    out->calls++;
    out->ringing += room->call->status == SIG_CALL_RINGING;
    out->active += room->call->status == SIG_CALL_ACTIVE;
    out->sessions += room->session_count;
    for (const struct sig_session *each = room->sessions; each; each = each->next) {
        out->detached += each->owner == NULL;
        out->tracks += each->track_count;
    }
}

void sig_calls_stats_get(const struct sig_calls *calls, struct sig_calls_stats *out) {
    *out = calls->stats;
    for (const struct sig_room *room = calls->rooms; room; room = room->next)
        count_room(room, out);
    out->listeners = calls->listeners.count;
    out->online = sig_presence_count(calls->presence);
}
