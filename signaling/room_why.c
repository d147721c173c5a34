/* Why a participant gets the pictures it gets: the SFU's answer, in the names of the call. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/room.h"

/* A question under way. */
struct sig_why {
    struct sig_calls *calls;
    struct sig_why *next, **at;
    sig_calls_why_fn answer;
    void *ctx;
    char call_id[SIG_UUID_SIZE];
};

static void forget(struct sig_why *why) {
    *why->at = why->next;
    if (why->next)
        why->next->at = why->at;
    free(why);
}

void sig_calls_end_whys(struct sig_calls *calls) {
    while (calls->whys) {
        struct sig_why *why = calls->whys;
        why->answer(why->ctx, NULL);
        forget(why);
    }
}

static json_t *layer_json(const struct sfu_why_slot *slot, int index) {
    if (index < 0 || index >= slot->layer_count)
        return json_null();
    const struct sfu_why_layer *layer = &slot->layers[index];
    return json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:I}", "rid", layer->rid, "spatial",
                     layer->spatial, "temporal", layer->temporal, "width", layer->width, "height",
                     layer->height, "fps", layer->fps, "bps", (json_int_t)layer->bps);
}

static json_t *layers_json(const struct sfu_why_slot *slot) {
    json_t *list = json_array();
    for (int i = 0; i < slot->layer_count; i++)
        json_array_append_new(list, layer_json(slot, i));
    return list;
}

static json_t *wish_json(const struct sfu_wish *wish) {
    return json_pack("{s:b, s:i, s:i, s:i, s:i, s:b}", "pinned", wish->track != 0, "max_width",
                     wish->max_width, "max_height", wish->max_height, "max_fps", wish->max_fps,
                     "priority", wish->priority, "paused", wish->paused);
}

static json_t *slot_json(const struct sig_room *room, const struct sfu_why_slot *slot) {
    const struct sig_track *track =
        room && slot->track ? sig_room_find_track(room, slot->track) : NULL;
    json_t *json = json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "mid", slot->mid, "kind",
        slot->video ? "video" : "audio", "wish", wish_json(&slot->wish), "track",
        track ? sig_track_json(track) : json_null(), "wanted", layer_json(slot, slot->wanted),
        "available", layers_json(slot), "chosen", layer_json(slot, slot->chosen), "forwarded",
        layer_json(slot, slot->forwarded), "reason", slot->reason ? slot->reason : "nothing");
    if (track)
        json_object_set_new(json, "user_id", json_string(track->publisher->identity.user_id));
    return json;
}

static json_t *estimate_json(const struct sfu_why_answer *answer) {
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:f, s:f}", "source",
                     answer->source ? answer->source : "none", "limited_by",
                     answer->limited_by ? answer->limited_by : "none", "bps",
                     (json_int_t)answer->estimate_bps, "acked_bps", (json_int_t)answer->acked_bps,
                     "sent_bps", (json_int_t)answer->sent_bps, "demand_bps",
                     (json_int_t)answer->demand_bps, "rtt_ms", answer->rtt_us / 1000.0, "loss",
                     (double)answer->loss);
}

static json_t *answer_json(const struct sig_why *why, const struct sfu_why_answer *answer) {
    const struct sig_session *session = sig_calls_find_session(why->calls, answer->participant);
    const struct sig_room *room = sig_calls_find_room(why->calls, why->call_id);
    json_t *slots = json_array();
    for (size_t i = 0; i < answer->slot_count; i++)
        json_array_append_new(slots, slot_json(room, &answer->slots[i]));
    return json_pack("{s:b, s:s?, s:o, s:o, s:o}", "success", 1, "user_id",
                     session ? session->identity.user_id : NULL, "quality",
                     session && session->quality.score > 0 ? sig_quality_json(&session->quality)
                                                           : json_null(),
                     "estimate", estimate_json(answer), "slots", slots);
}

static void on_answer(void *ctx, const struct sfu_why_answer *answer) {
    struct sig_why *why = ctx;
    why->answer(why->ctx, answer ? answer_json(why, answer) : NULL);
    forget(why);
}

static struct sig_why *remember(struct sig_calls *calls, const char *call_id,
                                sig_calls_why_fn answer, void *ctx) {
    struct sig_why *why = calloc(1, sizeof(*why));
    if (!why)
        return NULL;
    why->calls = calls;
    strcpy(why->call_id, call_id);
    why->answer = answer;
    why->ctx = ctx;
    why->next = calls->whys;
    why->at = &calls->whys;
    if (why->next)
        why->next->at = &why->next;
    calls->whys = why;
    return why;
}

static int refuse_question(const struct sig_room *room, const struct sig_identity *who,
                           struct sig_refusal *refusal) {
    if (!sig_identity_may_enter(who, room->call->id))
        return sig_refuse(refusal, 403, "wrong_token", "The token is for another call");
    if (!who->is_admin && !sig_call_find(room->call, who->user_id))
        return sig_refuse(refusal, 403, "not_invited", "You are not invited to this call");
    return 0;
}

int sig_calls_why(struct sig_calls *calls, const char *call_id, const struct sig_identity *who,
                  const char *user_id, struct sig_refusal *refusal, sig_calls_why_fn answer,
                  void *ctx) {
    const struct sig_room *room = sig_calls_find_room(calls, call_id);
    if (!room)
        return sig_calls_refuse_unknown(calls, call_id, refusal);
    int status = refuse_question(room, who, refusal);
    if (status < 0)
        return status;
    const struct sig_session *session = sig_room_find_session(room, user_id, NULL);
    if (!session)
        return sig_refuse(refusal, 404, "unknown_participant", "This user is not in the call");
    struct sig_why *why = remember(calls, room->call->id, answer, ctx);
    if (!why)
        return sig_refuse_memory(refusal);
    if (session->number != 0 && sfu_why(calls->sfu, session->number, on_answer, why) == 0)
        return 0;
    forget(why);
    return sig_refuse(refusal, 409, "no_transport", "This user's media do not go through here");
}
