/* What browsers are told when a call or a channel is not what it was: that they look again. */
#include <stdlib.h>
#include <string.h>

#include "signaling/room.h"

/* A message for the members of a channel, and for some who may be none. */
struct telling {
    struct sig_calls *calls;
    json_t *message;
    json_t *others; /* User ids as keys. */
};

static void on_members(void *data, int status, const struct sig_store_channel *channel,
                       const struct sig_store_user *members, size_t count) {
    struct telling *telling = data;
    const char *user_id;
    json_t *unused;
    (void)status, (void)channel;
    for (size_t i = 0; i < count; i++)
        json_object_set_new(telling->others, members[i].user_id, json_null());
    json_object_foreach(telling->others, user_id, unused)
        sig_listeners_tell(&telling->calls->listeners, user_id, json_incref(telling->message));
    json_decref(telling->message);
    json_decref(telling->others);
    free(telling);
}

/* Takes over both references. */
static void tell_members(struct sig_calls *calls, const char *channel_id, json_t *message,
                         json_t *others) {
    struct telling *telling = malloc(sizeof(*telling));
    if (!telling || !message || !others) {
        json_decref(message);
        json_decref(others);
        free(telling);
        return;
    }
    *telling = (struct telling){.calls = calls, .message = message, .others = others};
    if (channel_id && calls->config->demo) /* Other channels are the host's. */
        sig_store_find_channel(calls->store, channel_id, NULL, on_members, telling);
    else
        on_members(telling, 0, NULL, NULL, 0);
}

void sig_room_tell_changed(struct sig_room *room) {
    const struct sig_call *call = room->call;
    json_t *people = json_object();
    for (size_t i = 0; i < call->participant_count; i++)
        json_object_set_new(people, call->participants[i]->user_id, json_null());
    tell_members(room->calls, call->channel_id,
                 json_pack("{s:s, s:s, s:s?, s:s}", "type", "call_changed", "call_id", call->id,
                           "channel_id", call->channel_id, "status",
                           sig_call_status_name(call->status)),
                 people);
}

void sig_calls_tell_channel_changed(struct sig_calls *calls, const char *channel_id) {
    json_t *message = json_pack("{s:s, s:s}", "type", "channel_changed", "channel_id", channel_id);
    if (calls->listeners.count > SIG_PRESENCE_FEW)
        tell_members(calls, channel_id, message, json_object());
    else
        sig_listeners_tell_all(&calls->listeners, message);
}
