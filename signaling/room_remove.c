/* Taking somebody out of a call for good. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/log.h"
#include "signaling/room.h"

bool sig_room_is_banned(const struct sig_room *room, const char *user_id) {
    for (size_t i = 0; i < room->ban_count; i++)
        if (strcmp(room->banned[i], user_id) == 0)
            return true;
    return false;
}

static int ban(struct sig_room *room, const char *user_id) {
    char **more = realloc(room->banned, (room->ban_count + 1) * sizeof(*more));
    char *copy = strdup(user_id);
    if (more)
        room->banned = more;
    if (!more || !copy) {
        free(copy);
        return -ENOMEM;
    }
    room->banned[room->ban_count++] = copy;
    return 0;
}

static int refuse_removal(struct sig_room *room, const struct sig_identity *who,
                          const struct sig_participant *victim, struct sig_refusal *refusal) {
    if (!sig_identity_may_enter(who, room->call->id))
        return sig_refuse(refusal, 403, "wrong_token", "The token is for another call");
    if (!who->is_admin && strcmp(room->call->initiator_id, who->user_id) != 0)
        return sig_refuse(refusal, 403, "not_initiator",
                          "Only who started the call may remove others");
    if (!victim)
        return sig_refuse(refusal, 404, "unknown_participant", "This user is not in the call");
    if (victim->status != SIG_PARTICIPANT_JOINED || strcmp(victim->user_id, who->user_id) == 0)
        return sig_refuse(refusal, 409, "wrong_state", "Not possible: %s is %s", victim->name,
                          sig_participant_status_name(victim->status));
    return 0;
}

/* Those who were told why are told before their connection ends. */
static void end_sessions(struct sig_room *room, const char *user_id) {
    static const struct sig_refusal removed = {.code = "removed",
                                               .words = "You have been removed from this call"};
    struct sig_session *session;
    while ((session = sig_room_find_session(room, user_id, NULL))) {
        sig_session_tell_error(session, &removed, NULL);
        sig_session_end(session, true, SIG_SESSION_REMOVED);
    }
}

int sig_calls_remove(struct sig_calls *calls, const char *call_id, const struct sig_identity *who,
                     const char *user_id, struct sig_refusal *refusal, sig_store_saved_fn stored,
                     void *data) {
    struct sig_room *room = sig_calls_find_room(calls, call_id);
    if (!room)
        return sig_calls_refuse_unknown(calls, call_id, refusal);
    struct sig_participant *victim = sig_call_find(room->call, user_id);
    int status = refuse_removal(room, who, victim, refusal);
    if (status < 0)
        return status;
    if (ban(room, victim->user_id) < 0)
        return sig_refuse_memory(refusal);
    const struct sig_log_scope scope = {.call = room->call->id, .user = victim->user_id};
    sig_log(SIG_LOG_INFO, &scope, "is removed by %s", who->user_id);
    sig_room_tell_left(room, victim);
    end_sessions(room, victim->user_id);
    sig_room_apply(room, victim, SIG_CALL_EVENT_LEAVE, who->user_id, stored, data);
    return 0;
}
