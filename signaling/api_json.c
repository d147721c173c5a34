/* Calls as the REST API shows them. */
#include <string.h>

#include "signaling/api.h"
#include "signaling/when.h"

static uint64_t total_ms(const struct sig_participant *who, uint64_t now_ms) {
    bool is_in = who->status == SIG_PARTICIPANT_JOINED && now_ms > who->joined_at_ms;
    return who->total_ms + (is_in ? now_ms - who->joined_at_ms : 0);
}

static json_t *participant_json(const struct sig_participant *who, uint64_t now_ms) {
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:b, s:o, s:o, s:I}", "user_id", who->user_id,
        "username", who->name, "full_name", who->name, "status",
        sig_participant_status_name(who->status), "is_audio_enabled", who->is_audio_enabled,
        "is_video_enabled", who->is_video_enabled, "is_screen_sharing", who->is_screen_sharing,
        "is_busy", who->is_busy, "joined_at", sig_when_json(who->joined_at_ms), "left_at",
        sig_when_json(who->left_at_ms), "total_time", (json_int_t)(total_ms(who, now_ms) / 1000));
}

static json_t *participants_json(const struct sig_call *call, uint64_t now_ms) {
    json_t *list = json_array();
    for (size_t i = 0; i < call->participant_count; i++)
        json_array_append_new(list, participant_json(call->participants[i], now_ms));
    return list;
}

json_t *sig_api_status_json(const struct sig_call *call, uint64_t now_ms) {
    return json_pack(
        "{s:b, s:s, s:s, s:s, s:s, s:s?, s:s, s:o, s:o, s:o, s:I, s:I, s:o}", "success", 1,
        "call_id", call->id, "room_id", call->id, "status", sig_call_status_name(call->status),
        "call_type", sig_call_type_name(call->type), "channel_id", call->channel_id, "initiator_id",
        call->initiator_id, "created_at", sig_when_json(call->created_at_ms), "started_at",
        sig_when_json(call->started_at_ms), "ended_at", sig_when_json(call->ended_at_ms),
        "duration", (json_int_t)(sig_call_duration_ms(call, now_ms) / 1000), "participant_count",
        (json_int_t)call->people_count, "participants", participants_json(call, now_ms));
}

json_t *sig_api_history_json(const struct sig_call *call, const char *user_id, uint64_t now_ms) {
    bool is_own = strcmp(call->initiator_id, user_id) == 0;
    const struct sig_participant *who = sig_call_find(call, user_id);
    json_t *entry = sig_api_status_json(call, now_ms);
    json_t *more = json_pack("{s:s, s:s, s:{s:s, s:s}, s:b}", "id", call->id, "direction",
                             is_own ? "outgoing" : "incoming", "initiator", "user_id",
                             call->initiator_id, "full_name", call->participants[0]->name,
                             "is_missed", who && sig_call_has_missed(call, who));
    json_object_del(entry, "success");
    json_object_update(entry, more);
    json_decref(more);
    return entry;
}
