/* What a client is told of the call and of the people in it. */
#include <stdlib.h>
#include <string.h>

#include "signaling/room.h"
#include "signaling/turn.h"
#include "signaling/when.h"

static json_t *call_json(const struct sig_call *call) {
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "call_id", call->id, "room_id",
                     call->id, "call_type", sig_call_type_name(call->type), "status",
                     sig_call_status_name(call->status), "initiator_id", call->initiator_id,
                     "created_at", sig_when_json(call->created_at_ms), "started_at",
                     sig_when_json(call->started_at_ms));
}

static json_t *you_json(const struct sig_session *session) {
    const struct sig_identity *you = &session->identity;
    const struct sig_participant *who = sig_session_participant(session);
    return json_pack("{s:s, s:s, s:s, s:b, s:b, s:b, s:b, s:b}", "user_id", you->user_id,
                     "username", you->name, "full_name", you->name, "can_publish", you->can_publish,
                     "can_subscribe", you->can_subscribe, "is_audio_enabled",
                     who && who->is_audio_enabled, "is_video_enabled", who && who->is_video_enabled,
                     "is_screen_sharing", who && who->is_screen_sharing);
}

static json_t *limits_json(const struct sig_config *config) {
    return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i}", "max_participants_per_call",
                     config->max_participants_per_call, "max_tracks_per_participant",
                     config->max_tracks_per_participant, "max_mlines_per_offer",
                     config->max_mlines_per_offer, "max_message_bytes", config->max_message_bytes,
                     "max_messages_per_second", config->max_messages_per_second, "resume_grace_s",
                     config->resume_grace_s);
}

static json_t *welcome_json(const struct sig_session *session, bool is_resumed) {
    const struct sig_calls *calls = session->room->calls;
    return json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:s, s:b, s:b}", "type", "welcome", "you", you_json(session),
        "call", call_json(session->room->call), "ice_servers",
        sig_turn_servers(calls->config, session->identity.user_id, calls->wall_ms() / 1000),
        "limits", limits_json(calls->config), "resume_token", session->resume_token, "resumed",
        is_resumed, "direct_calls", calls->config->direct_calls);
}

/* The list is text already: it goes in before the object's end. */
static struct sig_frame *with_participants(const char *object, const char *list, size_t list_len) {
    static const char name[] = ",\"participants\":";
    size_t object_len = strlen(object) - 1;
    char *text = malloc(object_len + strlen(name) + list_len + 2);
    if (!text)
        return NULL;
    char *end = mempcpy(text, object, object_len);
    end = mempcpy(stpcpy(end, name), list, list_len);
    *end++ = '}';
    struct sig_frame *frame = sig_frame_create(text, (size_t)(end - text));
    free(text);
    return frame;
}

void sig_session_tell_welcome(struct sig_session *session, bool is_resumed) {
    size_t len = 0;
    char *list = sig_session_list_others(session, &len);
    json_t *welcome = welcome_json(session, is_resumed);
    char *object = welcome ? json_dumps(welcome, JSON_COMPACT) : NULL;
    struct sig_frame *frame = list && object ? with_participants(object, list, len) : NULL;
    sig_session_send_frame(session, frame, false);
    sig_frame_release(frame);
    json_decref(welcome);
    free(object);
    free(list);
}

void sig_session_tell_error(struct sig_session *session, const struct sig_refusal *refusal,
                            const char *in_reply_to) {
    session->room->calls->stats.errors++;
    sig_session_send(session,
                     json_pack("{s:s, s:s, s:s, s:s?}", "type", "error", "code", refusal->code,
                               "message", refusal->words, "in_reply_to", in_reply_to));
}

static const struct {
    const char *type;
    const char *field;
} switches[] = {
    [SIG_SWITCH_AUDIO] = {"audio_toggled", "enabled"},
    [SIG_SWITCH_VIDEO] = {"video_toggled", "enabled"},
    [SIG_SWITCH_SCREEN] = {"screen_share_toggled", "is_sharing"},
};

void sig_session_set_switch(struct sig_session *session, enum sig_switch which, bool on) {
    struct sig_participant *who = sig_session_participant(session);
    bool *states[] = {&who->is_audio_enabled, &who->is_video_enabled, &who->is_screen_sharing};
    *states[which] = on;
    sig_room_tell_news(session->room, session,
                       json_pack("{s:s, s:s, s:b}", "type", switches[which].type, "user_id",
                                 who->user_id, switches[which].field, on));
}
