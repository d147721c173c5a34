/* What a client is told of the call and of the people in it. */
#include <string.h>

#include "signaling/room.h"
#include "signaling/turn.h"
#include "signaling/when.h"

static bool is_present(const struct sig_room *room, const char *user_id) {
    const struct sig_session *each = NULL;
    for (each = room->sessions; each; each = each->next)
        if (each->is_announced && strcmp(each->identity.user_id, user_id) == 0)
            return true;
    return false;
}

static json_t *tracks_of(const struct sig_room *room, const char *user_id) {
    json_t *tracks = json_array();
    for (const struct sig_session *each = room->sessions; each; each = each->next)
        if (strcmp(each->identity.user_id, user_id) == 0)
            for (size_t i = 0; i < each->track_count; i++)
                json_array_append_new(tracks, sig_track_json(&each->tracks[i]));
    return tracks;
}

/* What is known of the user's connection, or NULL. */
static json_t *quality_of(const struct sig_room *room, const char *user_id) {
    const struct sig_session *session = sig_room_find_session(room, user_id, NULL);
    return session && session->quality.score > 0 ? sig_quality_json(&session->quality) : NULL;
}

static json_t *participant_json(const struct sig_room *room, const struct sig_participant *who) {
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:o, s:o*}", "user_id", who->user_id,
                     "username", who->name, "full_name", who->name, "status",
                     sig_participant_status_name(who->status), "is_audio_enabled",
                     who->is_audio_enabled, "is_video_enabled", who->is_video_enabled,
                     "is_screen_sharing", who->is_screen_sharing, "tracks",
                     tracks_of(room, who->user_id), "quality", quality_of(room, who->user_id));
}

/* Who is here, and who may still come. Who has joined without a connection yet will be announced.
 */
static bool is_listed(const struct sig_room *room, const struct sig_participant *who) {
    if (who->status == SIG_PARTICIPANT_JOINED)
        return is_present(room, who->user_id);
    return who->status == SIG_PARTICIPANT_INVITED || who->status == SIG_PARTICIPANT_RINGING;
}

static json_t *participants_json(const struct sig_session *session) {
    const struct sig_room *room = session->room;
    json_t *list = json_array();
    for (size_t i = 0; i < room->call->participant_count; i++) {
        const struct sig_participant *who = room->call->participants[i];
        if (strcmp(who->user_id, session->identity.user_id) != 0 && is_listed(room, who))
            json_array_append_new(list, participant_json(room, who));
    }
    return list;
}

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

void sig_session_tell_welcome(struct sig_session *session, bool is_resumed) {
    const struct sig_calls *calls = session->room->calls;
    json_t *servers =
        sig_turn_servers(calls->config, session->identity.user_id, calls->wall_ms() / 1000);
    sig_session_send(session,
                     json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:b, s:b}", "type", "welcome",
                               "you", you_json(session), "call", call_json(session->room->call),
                               "participants", participants_json(session), "ice_servers", servers,
                               "limits", limits_json(calls->config), "resume_token",
                               session->resume_token, "resumed", is_resumed, "direct_calls",
                               calls->config->direct_calls));
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
    sig_room_tell(session->room, session,
                  json_pack("{s:s, s:s, s:b}", "type", switches[which].type, "user_id",
                            who->user_id, switches[which].field, on));
}
