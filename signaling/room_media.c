/* What the SFU says of a call's media, as messages: who speaks, how good connections are, which
 * layers anybody watches. */
#include <string.h>

#include "signaling/room.h"

/* In a call of so many everybody is told how everybody's connection is; in a larger one the
 * participant itself, and who watches it. */
#define QUALITY_FOR_ALL_MAX 16

static bool hears_of_media(const struct sig_session *session) {
    return session->media == SIG_MEDIA_SFU && session->owner && session->owner->on_message;
}

/* --- Speakers --- */

static json_t *speakers_json(const struct sig_calls *calls, const struct sfu_event *event) {
    json_t *list = json_array();
    for (size_t i = 0; i < event->speaker_count; i++) {
        const struct sfu_speaker *speaker = &event->speakers[i];
        const struct sig_session *session = sig_calls_find_session(calls, speaker->participant);
        if (session)
            json_array_append_new(
                list, json_pack("{s:s, s:i, s:b}", "user_id", session->identity.user_id, "level_db",
                                speaker->level_db, "dominant", speaker->dominant));
    }
    return json_pack("{s:s, s:o}", "type", "speakers", "speakers", list);
}

void sig_calls_on_speakers(struct sig_calls *calls, const struct sfu_event *event) {
    struct sig_room *room = sig_calls_find_number(calls, event->room);
    if (!room)
        return;
    sig_frame_release(room->speakers);
    room->speakers = sig_frame_of_json(speakers_json(calls, event));
    for (struct sig_session *each = room->sessions; each; each = each->next)
        sig_room_tell_speakers(each);
}

void sig_room_tell_speakers(struct sig_session *session) {
    if (hears_of_media(session))
        sig_session_send_frame(session, session->room->speakers, sig_room_is_large(session->room));
}

/* --- Quality --- */

static json_t *direction_json(const struct sfu_quality *direction) {
    if (direction->score == 0)
        return json_null();
    return json_pack("{s:i, s:s}", "score", direction->score, "reason",
                     direction->reason ? direction->reason : "none");
}

json_t *sig_quality_json(const struct sig_quality *quality) {
    return json_pack("{s:i, s:o, s:o}", "score", quality->score, "up", direction_json(&quality->up),
                     "down", direction_json(&quality->down));
}

static bool watches(const struct sig_session *session, uint64_t participant) {
    for (size_t i = 0; i < session->slot_count; i++)
        if (session->slots[i].track != 0 && session->slots[i].participant == participant)
            return true;
    return false;
}

static void tell_watchers(const struct sig_session *session, struct sig_frame *frame) {
    const struct sig_room *room = session->room;
    bool is_for_all = room->session_count <= QUALITY_FOR_ALL_MAX;
    for (struct sig_session *each = room->sessions; each; each = each->next)
        if (each != session && hears_of_media(each) &&
            (is_for_all || watches(each, session->number)))
            sig_session_send_frame(each, frame, sig_room_is_large(room));
}

static bool says_the_same(const struct sfu_quality *a, const struct sfu_quality *b) {
    const char *why_a = a->reason ? a->reason : "none", *why_b = b->reason ? b->reason : "none";
    return a->score == b->score && strcmp(why_a, why_b) == 0;
}

void sig_session_on_quality(struct sig_session *session, const struct sfu_event *event) {
    bool is_same = session->quality.score == event->score &&
                   says_the_same(&session->quality.up, &event->up) &&
                   says_the_same(&session->quality.down, &event->down);
    session->quality = (struct sig_quality){
        .score = event->score, .up = event->up, .down = event->down, .rtt_us = event->rtt_us};
    if (is_same) /* Newer figures: they are sampled, not told. */
        return;
    session->changes++;
    if (sig_session_is_watcher(session) || event->score == 0)
        return;
    json_t *message = sig_quality_json(&session->quality);
    json_object_set_new(message, "type", json_string("quality"));
    json_object_set_new(message, "user_id", json_string(session->identity.user_id));
    struct sig_frame *frame = sig_frame_of_json(message);
    if (hears_of_media(session))
        sig_session_send_frame(session, frame, sig_room_is_large(session->room));
    if (session->track_count > 0 || session->room->session_count <= QUALITY_FOR_ALL_MAX)
        tell_watchers(session, frame);
    sig_frame_release(frame);
}

/* --- Layers --- */

static const struct sfu_media *find_media(const struct sig_session *session, uint64_t track) {
    const struct sfu_description *now =
        session->agreement ? sig_sdp_description(session->agreement) : NULL;
    for (size_t i = 0; now && i < now->media_count; i++)
        if (now->media[i].direction == SFU_PUBLISHES && now->media[i].track == track)
            return &now->media[i];
    return NULL;
}

static json_t *rids_json(const struct sfu_media *media, uint8_t watched) {
    json_t *rids = json_object();
    for (size_t i = 0; i < media->layer_count; i++)
        if (media->rids[i][0] != '\0')
            json_object_set_new(rids, media->rids[i], json_boolean(watched >> i & 1));
    return rids;
}

static void tell_layers(struct sig_session *session, const struct sig_track *track) {
    const struct sfu_media *media = find_media(session, track->number);
    if (!media)
        return;
    sig_session_send(session, json_pack("{s:s, s:s, s:o, s:b}", "type", "publish_layers", "mid",
                                        media->mid, "rids", rids_json(media, track->watched),
                                        "active", track->watched != 0));
}

void sig_session_on_layers(struct sig_session *session, const struct sfu_event *event) {
    for (size_t i = 0; i < session->track_count; i++) {
        struct sig_track *track = &session->tracks[i];
        if (track->number != event->track)
            continue;
        track->is_choice_known = true;
        track->watched = event->layers;
        tell_layers(session, track);
    }
}

void sig_session_tell_layers(struct sig_session *session) {
    for (size_t i = 0; i < session->track_count; i++)
        if (session->tracks[i].is_choice_known)
            tell_layers(session, &session->tracks[i]);
}
