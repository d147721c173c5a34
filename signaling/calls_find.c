/* Which call is meant, and who is in another one. */
#include <stdlib.h>
#include <string.h>

#include "signaling/room.h"

/* The only one who is called, or NULL: nobody, or several. */
static const char *only_callee(const struct sig_identity *caller,
                               const struct sig_calls_invitation *invitation) {
    const char *callee = NULL;
    for (size_t i = 0; i < invitation->user_count; i++) {
        const char *user_id = invitation->user_ids[i];
        if (strcmp(user_id, caller->user_id) == 0 || (callee && strcmp(callee, user_id) == 0))
            continue;
        if (callee)
            return NULL;
        callee = user_id;
    }
    return callee;
}

static bool is_between(const struct sig_call *call, const char *one, const char *other) {
    return !call->channel_id && call->participant_count == 2 && sig_call_find(call, one) &&
           sig_call_find(call, other);
}

struct sig_room *sig_calls_find_same(const struct sig_calls *calls,
                                     const struct sig_identity *caller,
                                     const struct sig_calls_invitation *invitation) {
    const char *callee = invitation->channel_id ? NULL : only_callee(caller, invitation);
    for (struct sig_room *room = calls->rooms; room; room = room->next) {
        const char *channel_id = room->call->channel_id;
        if (invitation->channel_id && channel_id && strcmp(invitation->channel_id, channel_id) == 0)
            return room;
        if (callee && is_between(room->call, caller->user_id, callee))
            return room;
    }
    return NULL;
}

const struct sig_call *sig_calls_find_in_channel(const struct sig_calls *calls,
                                                 const char *channel_id) {
    for (const struct sig_room *room = calls->rooms; room; room = room->next)
        if (room->call->channel_id && strcmp(room->call->channel_id, channel_id) == 0)
            return room->call;
    return NULL;
}

void sig_calls_mark_busy(const struct sig_calls *calls, struct sig_call *call) {
    for (const struct sig_room *room = calls->rooms; room; room = room->next)
        for (const struct sig_session *each = room->sessions; each; each = each->next) {
            struct sig_participant *who =
                room->call == call ? NULL : sig_call_find(call, each->identity.user_id);
            if (who && !sig_session_is_watcher(each))
                who->is_busy = true;
        }
}
