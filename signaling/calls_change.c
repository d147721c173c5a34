/* Calls as the REST API changes them: starting one, and what one of its people does to it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/log.h"
#include "signaling/room.h"

/* A name that is being looked up for somebody who was invited by id. */
struct name_wish {
    struct sig_calls *calls;
    char call_id[SIG_UUID_SIZE];
    char user_id[SIG_USER_ID_SIZE];
};

static void on_name(void *data, const char *name) {
    struct name_wish *wish = data;
    struct sig_room *room = name ? sig_calls_find_room(wish->calls, wish->call_id) : NULL;
    struct sig_participant *who = room ? sig_call_find(room->call, wish->user_id) : NULL;
    char *copy = who ? strdup(name) : NULL;
    if (copy) {
        free(who->name);
        who->name = copy;
    }
    free(wish);
}

static void wish_name(struct sig_room *room, const char *user_id) {
    struct name_wish *wish = calloc(1, sizeof(*wish));
    if (!wish)
        return; /* They go by their id. */
    wish->calls = room->calls;
    strcpy(wish->call_id, room->call->id);
    snprintf(wish->user_id, sizeof(wish->user_id), "%s", user_id);
    sig_store_find_user(room->calls->store, user_id, on_name, wish);
}

static int invite(struct sig_room *room, const struct sig_calls_invitation *invitation) {
    for (size_t i = 0; i < invitation->user_count; i++) {
        const char *user_id = invitation->user_ids[i];
        if (sig_call_find(room->call, user_id))
            continue;
        if (!sig_call_add(room->call, user_id, user_id))
            return -ENOMEM;
        wish_name(room, user_id);
    }
    return 0;
}

static int refuse_new(const struct sig_calls *calls, const struct sig_identity *caller,
                      struct sig_refusal *refusal) {
    struct sig_calls_stats stats;
    sig_calls_stats_get(calls, &stats);
    if (calls->is_draining)
        return sig_refuse(refusal, 503, "draining", "The server is going down for a while");
    if (caller->call[0])
        return sig_refuse(refusal, 403, "wrong_token", "The token is for one call only");
    if (calls->config->max_calls && stats.calls >= (size_t)calls->config->max_calls)
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

int sig_calls_initiate(struct sig_calls *calls, const struct sig_identity *caller,
                       const struct sig_calls_invitation *invitation, const struct sig_call **out,
                       struct sig_refusal *refusal, sig_store_saved_fn stored, void *data) {
    int status = refuse_new(calls, caller, refusal);
    if (status < 0)
        return status;
    struct sig_room *room = make_room(calls, caller, invitation);
    if (!room)
        return sig_refuse_memory(refusal);
    const struct sig_log_scope scope = {.call = room->call->id, .user = caller->user_id};
    size_t others = room->call->participant_count - 1;
    if (others == 0)
        sig_log(SIG_LOG_INFO, &scope, "opens a meeting by link");
    else
        sig_log(SIG_LOG_INFO, &scope, "calls %zu other%s", others, others == 1 ? "" : "s");
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
