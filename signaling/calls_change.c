/* Calls as the REST API changes them: starting one, and what one of its people does to it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/log.h"
#include "signaling/room.h"

static int invite(struct sig_room *room, const struct sig_calls_invitation *invitation) {
    for (size_t i = 0; i < invitation->user_count; i++) {
        const char *user_id = invitation->user_ids[i];
        const char *name = invitation->names ? invitation->names[i] : NULL;
        if (!sig_call_add(room->call, user_id, name ? name : user_id))
            return -ENOMEM;
    }
    sig_calls_mark_busy(room->calls, room->call);
    return 0;
}

static int refuse_new(const struct sig_calls *calls, const struct sig_identity *caller,
                      struct sig_refusal *refusal) {
    if (calls->is_draining)
        return sig_refuse(refusal, 503, "draining", "The server is going down for a while");
    if (caller->call[0])
        return sig_refuse(refusal, 403, "wrong_token", "The token is for one call only");
    if (calls->config->max_calls && calls->room_count >= (size_t)calls->config->max_calls)
        return sig_refuse(refusal, 503, "full", "The server has its %d calls",
                          calls->config->max_calls);
    return 0;
}

static struct sig_room *make_room(struct sig_calls *calls, const struct sig_identity *caller,
                                  const struct sig_calls_invitation *invitation) {
    struct sig_call *call = sig_call_create(invitation->id, invitation->type, caller->user_id,
                                            caller->name, calls->wall_ms());
    if (call && invitation->channel_id && !(call->channel_id = strdup(invitation->channel_id))) {
        sig_call_destroy(call);
        return NULL;
    }
    struct sig_room *room = sig_calls_add_room(calls, call);
    if (!room)
        return NULL;
    room->call->is_open = calls->config->demo;
    if (invite(room, invitation) == 0)
        return room;
    sig_calls_remove_room(room);
    return NULL;
}

static void log_start(const struct sig_call *call) {
    const struct sig_log_scope scope = {.call = call->id, .user = call->initiator_id};
    size_t others = call->participant_count - 1;
    if (others == 0)
        sig_log(SIG_LOG_INFO, &scope, "opens a meeting by link");
    else
        sig_log(SIG_LOG_INFO, &scope, "calls %zu other%s", others, others == 1 ? "" : "s");
}

/* The call is on already: who calls answers it. */
static int join_same(struct sig_room *room, const struct sig_identity *caller, bool is_member,
                     struct sig_refusal *refusal, sig_store_saved_fn stored, void *data) {
    if (is_member && !sig_call_add(room->call, caller->user_id, caller->name))
        return sig_refuse_memory(refusal);
    return sig_calls_act(room->calls, room->call->id, caller, SIG_CALL_EVENT_JOIN, refusal, stored,
                         data);
}

int sig_calls_initiate(struct sig_calls *calls, const struct sig_identity *caller,
                       const struct sig_calls_invitation *invitation, const struct sig_call **out,
                       struct sig_refusal *refusal, sig_store_saved_fn stored, void *data) {
    if (caller->call[0])
        return sig_refuse(refusal, 403, "wrong_token", "The token is for one call only");
    struct sig_room *room = sig_calls_find_same(calls, caller, invitation);
    if (room)
        *out = room->call;
    if (room)
        return join_same(room, caller, invitation->is_member, refusal, stored, data);
    int status = refuse_new(calls, caller, refusal);
    if (status < 0)
        return status;
    room = make_room(calls, caller, invitation);
    if (!room)
        return sig_refuse_memory(refusal);
    log_start(room->call);
    *out = room->call;
    return sig_room_apply(room, NULL, SIG_CALL_EVENT_START, caller->user_id, stored, data);
}

struct sig_room *sig_calls_begin(struct sig_calls *calls, const char *call_id,
                                 const struct sig_identity *initiator,
                                 struct sig_refusal *refusal) {
    struct sig_identity unbound = *initiator;
    unbound.call[0] = '\0';
    if (refuse_new(calls, &unbound, refusal) < 0)
        return NULL;
    struct sig_call *call = sig_call_create(call_id, SIG_CALL_VIDEO, initiator->user_id,
                                            initiator->name, calls->wall_ms());
    struct sig_room *room = sig_calls_add_room(calls, call);
    if (!room) {
        sig_refuse_memory(refusal);
        return NULL;
    }
    room->call->is_open = room->call->is_on_demand = true;
    sig_room_apply(room, NULL, SIG_CALL_EVENT_START, initiator->user_id, NULL, NULL);
    return room;
}

static int refuse_event(const struct sig_room *room, const struct sig_participant *who,
                        enum sig_call_event event, struct sig_refusal *refusal) {
    if (event == SIG_CALL_EVENT_JOIN)
        return 0;
    if (!who)
        return sig_refuse(refusal, 403, "not_invited", "You are not invited to this call");
    if (event == SIG_CALL_EVENT_END && strcmp(room->call->initiator_id, who->user_id) != 0)
        return sig_refuse(refusal, 403, "not_initiator", "Only who started the call may end it");
    return 0;
}

/* Whoever has left by the API takes all their connections along. */
static void end_sessions_of(struct sig_room *room, const char *user_id) {
    struct sig_session *session;
    while ((session = sig_room_find_session(room, user_id, NULL)))
        sig_session_end(session, true, SIG_SESSION_LEFT);
}

int sig_calls_act(struct sig_calls *calls, const char *call_id, const struct sig_identity *who,
                  enum sig_call_event event, struct sig_refusal *refusal, sig_store_saved_fn stored,
                  void *data) {
    struct sig_room *room = sig_calls_find_room(calls, call_id);
    if (!room)
        return sig_calls_refuse_unknown(calls, call_id, refusal);
    struct sig_participant *participant = NULL;
    int status = sig_calls_admit(room, who, event == SIG_CALL_EVENT_JOIN, &participant, refusal);
    if (status == 0)
        status = refuse_event(room, participant, event, refusal);
    if (status < 0)
        return status;
    bool is_for_all = event == SIG_CALL_EVENT_END;
    if (event == SIG_CALL_EVENT_LEAVE && participant->status == SIG_PARTICIPANT_JOINED)
        sig_room_tell_left(room, participant);
    if (sig_room_apply(room, is_for_all ? NULL : participant, event, who->user_id, stored, data) <
        0)
        return sig_refuse(refusal, 409, "wrong_state", "Not possible now: you are %s",
                          sig_participant_status_name(participant->status));
    if (event == SIG_CALL_EVENT_LEAVE)
        end_sessions_of(room, who->user_id);
    return 0;
}
