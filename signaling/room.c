/* One call that is going on: what its events bring about for those in it, and what time does. */
#include "signaling/room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/log.h"

#define SECOND_US UINT64_C(1000000)

/* From so many sessions on news of people wait for each other. */
#define LARGE 50

void sig_room_free(struct sig_room *room) {
    sig_call_destroy(room->call);
    sig_frame_release(room->speakers);
    sig_room_index_deinit(room);
    for (size_t i = 0; i < room->ban_count; i++)
        free(room->banned[i]);
    free(room->banned);
    free(room);
}

static uint64_t grace_us(const struct sig_room *room) {
    return (uint64_t)room->calls->config->resume_grace_s * SECOND_US;
}

static uint64_t ring_us(const struct sig_room *room) {
    return (uint64_t)room->calls->config->ring_timeout_s * SECOND_US;
}

bool sig_room_is_large(const struct sig_room *room) {
    return room->session_count >= LARGE;
}

void sig_session_send_frame(struct sig_session *session, struct sig_frame *frame, bool may_wait) {
    if (frame && session->owner && session->owner->on_message)
        session->owner->on_message(session->data, frame, may_wait);
}

void sig_session_send(struct sig_session *session, json_t *message) {
    struct sig_frame *frame = sig_frame_of_json(message);
    sig_session_send_frame(session, frame, false);
    sig_frame_release(frame);
}

static void tell(struct sig_room *room, const struct sig_session *but, json_t *message,
                 bool may_wait) {
    struct sig_frame *frame = sig_frame_of_json(message);
    for (struct sig_session *each = room->sessions; each; each = each->next)
        if (each != but)
            sig_session_send_frame(each, frame, may_wait);
    sig_frame_release(frame);
}

void sig_room_tell(struct sig_room *room, const struct sig_session *but, json_t *message) {
    tell(room, but, message, false);
}

void sig_room_tell_news(struct sig_room *room, const struct sig_session *but, json_t *message) {
    tell(room, but, message, sig_room_is_large(room));
}

struct sig_session *sig_room_find_session(const struct sig_room *room, const char *user_id,
                                          const struct sig_session *but) {
    struct sig_session *each = sig_room_first_of(room, user_id);
    while (each && (each == but || sig_session_is_watcher(each)))
        each = sig_session_next_of(each);
    return each;
}

void sig_room_tell_left(struct sig_room *room, const struct sig_participant *who) {
    bool is_announced = false;
    struct sig_session *each = sig_room_first_of(room, who->user_id);
    for (; each; each = sig_session_next_of(each)) {
        is_announced |= each->is_announced;
        each->is_announced = false;
    }
    if (is_announced)
        sig_room_tell_news(room, NULL,
                           json_pack("{s:s, s:s, s:s}", "type", "user_left", "user_id",
                                     who->user_id, "username", who->name));
}

static void on_over(struct sig_room *room, const char *by) {
    struct sig_call *call = room->call;
    const struct sig_log_scope scope = {.call = call->id, .user = by};
    sig_log(SIG_LOG_INFO, &scope, "the call is over: %s after %llu s",
            sig_call_status_name(call->status),
            (unsigned long long)(sig_call_duration_ms(call, call->ended_at_ms) / 1000));
    sig_room_tell(room, NULL,
                  json_pack("{s:s, s:s?, s:s}", "type", "call_ended", "user_id", by, "status",
                            sig_call_status_name(call->status)));
    while (room->sessions)
        sig_session_end(room->sessions, true, SIG_SESSION_CALL_OVER);
    sig_calls_remember(room->calls, call);
    sig_calls_remove_room(room);
}

static bool is_waited_for(const struct sig_call *call) {
    return sig_call_count(call, SIG_PARTICIPANT_INVITED) +
               sig_call_count(call, SIG_PARTICIPANT_RINGING) >
           0;
}

/* Sets when to look again: the ring timeout, and for who has joined without a session yet when they
 * count as not coming. Later than the ring timeout, so that a caller without a connection misses
 * nobody's answer. */
static void set_deadlines(struct sig_room *room, struct sig_participant *who) {
    uint64_t now_us = room->calls->now_us();
    if (!is_waited_for(room->call))
        room->ring_until_us = 0;
    else if (room->ring_until_us == 0)
        room->ring_until_us = now_us + ring_us(room);
    if (who && who->status == SIG_PARTICIPANT_JOINED &&
        !sig_room_find_session(room, who->user_id, NULL))
        who->gone_at_us = now_us + ring_us(room) + grace_us(room);
    if (room->ring_until_us)
        sig_calls_wake_by(room->calls, room->ring_until_us);
    if (who && who->gone_at_us)
        sig_calls_wake_by(room->calls, who->gone_at_us);
}

static void log_event(const struct sig_room *room, const struct sig_participant *who) {
    const struct sig_log_scope scope = {.call = room->call->id, .user = who->user_id};
    sig_log(SIG_LOG_INFO, &scope, "is %s, the call %s", sig_participant_status_name(who->status),
            sig_call_status_name(room->call->status));
}

int sig_room_apply(struct sig_room *room, struct sig_participant *who, enum sig_call_event event,
                   const char *by, sig_store_saved_fn stored, void *data) {
    struct sig_calls *calls = room->calls;
    enum sig_participant_status before = who ? who->status : SIG_PARTICIPANT_INVITED;
    enum sig_call_status call_before = room->call->status;
    if (sig_call_apply(room->call, who, event, calls->wall_ms()) < 0)
        return -EPROTO;
    bool is_over = sig_call_is_over(room->call);
    if (who && who->status != before)
        log_event(room, who);
    sig_calls_save(room, is_over || event == SIG_CALL_EVENT_TIMEOUT ? NULL : who,
                   sig_call_event_name(event), by, stored, data);
    sig_room_notify(room);
    if (room->call->status != call_before)
        sig_room_tell_changed(room);
    if (is_over)
        on_over(room, by);
    else
        set_deadlines(room, event == SIG_CALL_EVENT_START ? room->call->participants[0] : who);
    return 0;
}

void sig_room_user_came(struct sig_room *room, struct sig_participant *who) {
    bool is_back = who->seen_at_ms != 0;
    who->gone_at_us = who->seen_at_ms = 0;
    if (is_back)
        sig_calls_save(room, who, "RESUME", who->user_id, NULL, NULL);
}

void sig_room_resume(struct sig_room *room, uint64_t ring_until_us) {
    room->ring_until_us = is_waited_for(room->call) ? ring_until_us : 0;
    for (size_t i = 0; i < room->call->participant_count; i++) {
        struct sig_participant *who = room->call->participants[i];
        if (who->status == SIG_PARTICIPANT_JOINED)
            who->gone_at_us =
                (room->ring_until_us ? ring_until_us : room->calls->now_us()) + grace_us(room);
    }
    sig_calls_wake_by(room->calls, sig_room_next_deadline(room));
}

static bool is_last(const struct sig_room *room) {
    return sig_call_count(room->call, SIG_PARTICIPANT_JOINED) == 1;
}

void sig_room_user_gone(struct sig_room *room, const char *user_id, bool is_final) {
    struct sig_participant *who = sig_call_find(room->call, user_id);
    if (!who || who->status != SIG_PARTICIPANT_JOINED)
        return;
    bool waits = is_last(room) && (!is_final || room->call->is_on_demand);
    if (waits) {
        who->gone_at_us = room->calls->now_us() + grace_us(room);
        who->seen_at_ms = room->calls->wall_ms();
        sig_calls_wake_by(room->calls, who->gone_at_us);
        return;
    }
    sig_room_apply(room, who, SIG_CALL_EVENT_LEAVE, user_id, NULL, NULL);
}

static uint64_t earlier(uint64_t deadline_us, uint64_t other_us) {
    return other_us != 0 && other_us < deadline_us ? other_us : deadline_us;
}

uint64_t sig_room_next_deadline(const struct sig_room *room) {
    uint64_t deadline_us = earlier(earlier(UINT64_MAX, room->ring_until_us), room->direct_due_us);
    for (size_t i = 0; i < room->call->participant_count; i++)
        deadline_us = earlier(deadline_us, room->call->participants[i]->gone_at_us);
    for (const struct sig_session *each = room->sessions; each; each = each->next)
        deadline_us = earlier(earlier(deadline_us, each->announce_at_us), each->gone_at_us);
    return deadline_us;
}

static bool is_due(uint64_t deadline_us, uint64_t now_us) {
    return deadline_us != 0 && deadline_us <= now_us;
}

/* The first session whose grace is over, or NULL. */
static struct sig_session *find_gone(const struct sig_room *room, uint64_t now_us) {
    struct sig_session *each = room->sessions;
    while (each && !is_due(each->gone_at_us, now_us))
        each = each->next;
    return each;
}

static struct sig_participant *find_absent(const struct sig_room *room, uint64_t now_us) {
    for (size_t i = 0; i < room->call->participant_count; i++)
        if (is_due(room->call->participants[i]->gone_at_us, now_us))
            return room->call->participants[i];
    return NULL;
}

void sig_room_on_deadline(struct sig_room *room, uint64_t now_us) {
    struct sig_session *session;
    struct sig_participant *who;
    for (session = room->sessions; session; session = session->next)
        if (is_due(session->announce_at_us, now_us))
            sig_session_announce(session, SIG_MEDIA_MESH);
    while ((session = find_gone(room, now_us)))
        sig_session_leave(session, true);
    if (is_due(room->direct_due_us, now_us))
        sig_room_begin_direct(room);
    if (!sig_call_is_over(room->call) && is_due(room->ring_until_us, now_us))
        sig_room_apply(room, NULL, SIG_CALL_EVENT_TIMEOUT, NULL, NULL, NULL);
    while (!sig_call_is_over(room->call) && (who = find_absent(room, now_us))) {
        who->gone_at_us = 0;
        sig_room_apply(room, who, SIG_CALL_EVENT_LEAVE, who->user_id, NULL, NULL);
    }
}
