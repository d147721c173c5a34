/* Who may be in a call. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/room.h"

int sig_calls_refuse_unknown(const struct sig_calls *calls, const char *call_id,
                             struct sig_refusal *refusal) {
    if (sig_calls_recall(calls, call_id))
        return sig_refuse(refusal, 409, "call_over", "This call is over");
    return sig_refuse(refusal, 404, "unknown_call", "There is no such call");
}

/* An open call lets anyone in, and so does a token that the host issued for this very call. */
static bool may_come_uninvited(const struct sig_call *call, const struct sig_identity *identity) {
    return call->is_open || identity->call[0] != '\0';
}

static int refuse_entry(struct sig_room *room, const struct sig_participant *who,
                        struct sig_refusal *refusal) {
    const struct sig_calls *calls = room->calls;
    size_t max = (size_t)calls->config->max_participants_per_call;
    if (who && who->status == SIG_PARTICIPANT_JOINED)
        return 0;
    if (calls->is_draining)
        return sig_refuse(refusal, 503, "draining", "The server is going down for a while");
    if (max && sig_call_count(room->call, SIG_PARTICIPANT_JOINED) >= max)
        return sig_refuse(refusal, 429, "call_full", "The call has its %zu participants", max);
    return 0;
}

static struct sig_participant *add_guest(struct sig_call *call,
                                         const struct sig_identity *identity) {
    if (call->participant_count >= SIG_GUESTS_KEPT)
        sig_call_forget_guest(call);
    struct sig_participant *guest = sig_call_add(call, identity->user_id, identity->name);
    if (guest)
        guest->is_guest = true;
    return guest;
}

/* A name that the identity brings is newer than the one that the invitation knew. */
static int rename_participant(struct sig_participant *who, const char *name) {
    if (strcmp(who->name, name) == 0)
        return 0;
    char *copy = strdup(name);
    if (!copy)
        return -ENOMEM;
    free(who->name);
    who->name = copy;
    return 0;
}

int sig_calls_admit(struct sig_room *room, const struct sig_identity *identity, bool is_joining,
                    struct sig_participant **out, struct sig_refusal *refusal) {
    struct sig_participant *who = sig_call_find(room->call, identity->user_id);
    if (!sig_identity_may_enter(identity, room->call->id))
        return sig_refuse(refusal, 403, "wrong_token", "The token is for another call");
    if (is_joining && sig_room_is_banned(room, identity->user_id))
        return sig_refuse(refusal, 403, "removed", "You have been removed from this call");
    if (!who && !may_come_uninvited(room->call, identity))
        return sig_refuse(refusal, 403, "not_invited", "You are not invited to this call");
    int status = is_joining ? refuse_entry(room, who, refusal) : 0;
    if (status < 0)
        return status;
    if (!who && is_joining)
        who = add_guest(room->call, identity);
    if (is_joining && (!who || rename_participant(who, identity->name) < 0))
        return sig_refuse_memory(refusal);
    *out = who;
    return 0;
}
