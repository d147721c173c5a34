/* Who is in a room and what is published there, by user id and by number: chains, as many as there
 * have been sessions at a time. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/room.h"

#define FEW 8

int sig_room_index_init(struct sig_room *room) {
    room->last_track = &room->tracks;
    room->chain_count = FEW;
    room->chains = calloc(FEW, sizeof(*room->chains));
    return room->chains ? 0 : -ENOMEM;
}

void sig_room_index_deinit(struct sig_room *room) {
    free(room->chains);
}

static struct sig_chain *chain_at(const struct sig_room *room, uint64_t hash) {
    return &room->chains[hash % room->chain_count];
}

static struct sig_chain *chain_of(const struct sig_room *room, const char *user_id) {
    return chain_at(room, sig_text_hash(user_id));
}

static void link_session(struct sig_session **at, struct sig_session *session) {
    session->next_alike = *at;
    session->at_alike = at;
    if (*at)
        (*at)->at_alike = &session->next_alike;
    *at = session;
}

static void link_track(struct sig_track **at, struct sig_track *track) {
    track->next_alike = *at;
    track->at_alike = at;
    if (*at)
        (*at)->at_alike = &track->next_alike;
    *at = track;
}

/* Behind the others: the newest stays first, when the newest comes first. */
static void append_session(struct sig_chain *chain, struct sig_session *session) {
    struct sig_session **at = &chain->sessions;
    while (*at)
        at = &(*at)->next_alike;
    link_session(at, session);
}

/* Without memory the chains grow longer instead. The session that is new is in none yet. */
static void grow(struct sig_room *room, const struct sig_session *new) {
    size_t count = room->chain_count * 2;
    struct sig_chain *chains = calloc(count, sizeof(*chains));
    if (!chains)
        return;
    free(room->chains);
    room->chains = chains;
    room->chain_count = count;
    for (struct sig_session *each = room->sessions; each; each = each->next)
        if (each != new)
            append_session(chain_of(room, each->identity.user_id), each);
    for (struct sig_track *track = room->tracks; track; track = track->next)
        link_track(&chain_at(room, track->number)->tracks, track);
}

void sig_room_index_session(struct sig_room *room, struct sig_session *session) {
    if (room->session_count > room->chain_count)
        grow(room, session);
    link_session(&chain_of(room, session->identity.user_id)->sessions, session);
}

void sig_room_unindex_session(struct sig_session *session) {
    *session->at_alike = session->next_alike;
    if (session->next_alike)
        session->next_alike->at_alike = session->at_alike;
}

static struct sig_session *find_from(struct sig_session *session, const char *user_id) {
    while (session && strcmp(session->identity.user_id, user_id) != 0)
        session = session->next_alike;
    return session;
}

struct sig_session *sig_room_first_of(const struct sig_room *room, const char *user_id) {
    return find_from(chain_of(room, user_id)->sessions, user_id);
}

struct sig_session *sig_session_next_of(const struct sig_session *session) {
    return find_from(session->next_alike, session->identity.user_id);
}

void sig_room_index_tracks(struct sig_session *session) {
    struct sig_room *room = session->room;
    for (size_t i = 0; i < session->track_count; i++) {
        struct sig_track *track = &session->tracks[i];
        track->publisher = session;
        track->next = NULL;
        track->at = room->last_track;
        *room->last_track = track;
        room->last_track = &track->next;
        link_track(&chain_at(room, track->number)->tracks, track);
    }
}

void sig_room_unindex_tracks(struct sig_session *session) {
    for (size_t i = 0; i < session->track_count; i++) {
        struct sig_track *track = &session->tracks[i];
        *(track->next ? &track->next->at : &session->room->last_track) = track->at;
        *track->at = track->next;
        *track->at_alike = track->next_alike;
        if (track->next_alike)
            track->next_alike->at_alike = track->at_alike;
    }
}

const struct sig_track *sig_room_find_track(const struct sig_room *room, uint64_t number) {
    const struct sig_track *track = chain_at(room, number)->tracks;
    while (track && track->number != number)
        track = track->next_alike;
    return track;
}
