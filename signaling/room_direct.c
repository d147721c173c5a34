/* Two who are alone in a call may send their media straight to each other. Who may, and when that
 * ends, is settled here, since only the server knows of a third, a watcher and a client that
 * cannot; how they connect is theirs, by offers that we relay. */
#include <stdlib.h>
#include <string.h>

#include "signaling/json.h"
#include "signaling/room.h"

#define SECOND_US UINT64_C(1000000)

/* Somebody who has just left may be back, and a call that begins has other things to do. */
#define DIRECT_AFTER_US (2 * SECOND_US)

/* After a path that failed; twice as long after each further one. */
#define DIRECT_RETRY_US (15 * SECOND_US)
#define DIRECT_RETRIES_COUNTED 6u

static bool can_go_direct(const struct sig_session *session) {
    return session->role == SIG_SDP_CALL && session->media == SIG_MEDIA_SFU && session->can_direct;
}

static bool is_pair(const struct sig_room *room) {
    return room->calls->config->direct_calls && room->session_count == 2 &&
           can_go_direct(room->sessions) && can_go_direct(room->sessions->next);
}

static bool is_connected(const struct sig_room *room) {
    return room->sessions->owner && room->sessions->next->owner;
}

static void tell_begin(struct sig_session *session, bool should_offer) {
    const struct sig_session *first = session->room->sessions;
    const struct sig_session *other = first == session ? first->next : first;
    sig_session_send(session, json_pack("{s:s, s:s, s:b}", "type", "direct", "user_id",
                                        other->identity.user_id, "should_offer", should_offer));
}

static void tell_end(struct sig_session *session, const char *reason) {
    sig_session_send(session,
                     json_pack("{s:s, s:n, s:s}", "type", "direct", "user_id", "reason", reason));
}

/* Returns whether it was on. */
static bool end(struct sig_room *room, const char *reason) {
    bool was_on = room->is_direct;
    for (struct sig_session *each = was_on ? room->sessions : NULL; each; each = each->next) {
        if (each->is_direct)
            tell_end(each, reason);
        each->is_direct = false;
    }
    room->is_direct = false;
    return was_on;
}

static bool is_on(const struct sig_room *room) {
    return is_pair(room) && room->sessions->is_direct && room->sessions->next->is_direct;
}

static void begin_at(struct sig_room *room, uint64_t at_us) {
    room->direct_due_us = at_us;
    sig_calls_wake_by(room->calls, at_us);
}

void sig_room_check_direct(struct sig_room *room) {
    if (is_on(room))
        return;
    end(room, "not_alone");
    if (!is_pair(room)) {
        room->direct_due_us = 0;
        room->direct_failures = 0;
    } else if (room->direct_due_us == 0) {
        begin_at(room, room->calls->now_us() + DIRECT_AFTER_US);
    }
}

void sig_room_begin_direct(struct sig_room *room) {
    room->direct_due_us = 0;
    if (!is_pair(room))
        return;
    if (!is_connected(room)) {
        begin_at(room, room->calls->now_us() + DIRECT_AFTER_US);
        return;
    }
    for (struct sig_session *each = room->sessions; each; each = each->next)
        each->is_direct = room->is_direct = true;
    for (struct sig_session *each = room->sessions; each; each = each->next)
        tell_begin(each, each == room->sessions);
}

void sig_session_tell_direct(struct sig_session *session) {
    if (session->is_direct)
        tell_begin(session, session == session->room->sessions);
    else if (session->can_direct && session->room->calls->config->direct_calls)
        tell_end(session, "not_alone");
}

int sig_message_direct(struct sig_session *session, const json_t *message,
                       struct sig_refusal *refusal) {
    struct sig_room *room = session->room;
    const char *state = sig_json_text(message, "state");
    if (!state || strcmp(state, "failed") != 0)
        return sig_refuse(refusal, 400, "bad_message", "state has to be \"failed\"");
    if (!session->is_direct) /* It ended while this was on its way. */
        return 0;
    end(room, "failed");
    begin_at(room, room->calls->now_us() + (DIRECT_RETRY_US << room->direct_failures));
    if (room->direct_failures < DIRECT_RETRIES_COUNTED)
        room->direct_failures++;
    return 0;
}
