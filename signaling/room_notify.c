/* What browsers outside a call are told of it: that it rings, and that it rings no more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/room.h"
#include "signaling/when.h"

static bool is_waiting(const struct sig_participant *who) {
    return who->status == SIG_PARTICIPANT_INVITED || who->status == SIG_PARTICIPANT_RINGING;
}

static json_t *ring_json(const struct sig_room *room, const struct sig_participant *who) {
    const struct sig_call *call = room->call;
    const char *caller = call->participants[0]->name;
    char id[SIG_UUID_SIZE], link[64], created_at[SIG_WHEN_SIZE];
    sig_text_random_uuid(id);
    snprintf(link, sizeof(link), "/calls/%s/", call->id);
    sig_when_write(created_at, room->calls->wall_ms());
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:s, s:s?, s:b, s:s}", "type",
                     "notification", "id", id, "notification_type", "CALL", "title",
                     call->type == SIG_CALL_VIDEO ? "Incoming Video Call" : "Incoming Audio Call",
                     "content", json_sprintf("%s is calling you", caller), "link", link, "call_id",
                     call->id, "call_type", sig_call_type_name(call->type), "initiator_id",
                     call->initiator_id, "channel_id", call->channel_id, "is_busy", who->is_busy,
                     "created_at", created_at);
}

static void ring(struct sig_room *room, struct sig_participant *who) {
    if (sig_listeners_tell(&room->calls->listeners, who->user_id, ring_json(room, who)) == 0)
        return;
    who->is_rung = true;
    sig_call_apply(room->call, who, SIG_CALL_EVENT_RING, room->calls->wall_ms());
}

/* Who joined or declined did so on one of their devices; the others need not ring on. */
static void stop_ringing(struct sig_room *room, struct sig_participant *who) {
    bool answered =
        who->status == SIG_PARTICIPANT_JOINED || who->status == SIG_PARTICIPANT_REJECTED;
    who->is_rung = false;
    sig_listeners_tell(&room->calls->listeners, who->user_id,
                       json_pack("{s:s, s:s}", "type",
                                 answered ? "call_answered_elsewhere" : "call_cancelled", "call_id",
                                 room->call->id));
}

void sig_room_notify(struct sig_room *room) {
    for (size_t i = 0; i < room->call->participant_count; i++) {
        struct sig_participant *who = room->call->participants[i];
        if (who->is_rung && !is_waiting(who))
            stop_ringing(room, who);
        else if (!who->is_rung && is_waiting(who))
            ring(room, who);
    }
}

void sig_room_ring_listener(struct sig_room *room, struct sig_listener *listener) {
    struct sig_participant *who = sig_call_find(room->call, listener->user_id);
    if (!who || !is_waiting(who))
        return;
    struct sig_frame *frame = sig_frame_of_json(ring_json(room, who));
    if (frame)
        listener->on_message(listener->data, frame, false);
    sig_frame_release(frame);
    who->is_rung = true;
    sig_call_apply(room->call, who, SIG_CALL_EVENT_RING, room->calls->wall_ms());
}
