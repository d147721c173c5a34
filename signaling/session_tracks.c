/* What sessions publish and what their slots carry, and telling of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/log.h"
#include "signaling/room.h"

/* A track's number on the wire: numbers of JSON lose digits beyond 2^53. */
#define TRACK_ID_SIZE 24

static const char *const source_names[] = {
    [SFU_SOURCE_MICROPHONE] = "microphone",
    [SFU_SOURCE_CAMERA] = "camera",
    [SFU_SOURCE_SCREEN] = "screen",
    [SFU_SOURCE_SCREEN_AUDIO] = "screen_audio",
};

const char *sig_source_name(enum sfu_source source) {
    return source_names[source];
}

int sig_source_read(const char *text, enum sfu_source *out) {
    for (int i = SFU_SOURCE_MICROPHONE; i <= SFU_SOURCE_SCREEN_AUDIO; i++)
        if (text && strcmp(text, source_names[i]) == 0) {
            *out = (enum sfu_source)i;
            return 0;
        }
    return -EBADMSG;
}

static json_t *track_id_json(uint64_t number) {
    return json_sprintf("%llu", (unsigned long long)number);
}

json_t *sig_track_json(const struct sig_track *track) {
    return json_pack("{s:o, s:s, s:s, s:b}", "track_id", track_id_json(track->number), "kind",
                     track->is_video ? "video" : "audio", "source", sig_source_name(track->source),
                     "simulcast", track->is_simulcast);
}

/* Whether the client could show the track in one of its slots; a client without a slot of the kind
 * may get one yet. */
static bool is_supported(const struct sig_session *session, const struct sig_track *track) {
    if (!session->agreement)
        return true;
    const struct sfu_description *now = sig_sdp_description(session->agreement);
    bool has_slot = false;
    for (size_t i = 0; i < now->media_count; i++) {
        const struct sfu_media *media = &now->media[i];
        if (media->direction != SFU_SLOT || media->video != track->is_video)
            continue;
        has_slot = true;
        if (sfu_track_fits(session->room->calls->sfu, track->number, media))
            return true;
    }
    return !has_slot;
}

static struct sig_frame *published_frame(const struct sig_track *track, bool supported) {
    json_t *message = sig_track_json(track);
    json_object_set_new(message, "type", json_string("track_published"));
    json_object_set_new(message, "user_id", json_string(track->publisher->identity.user_id));
    json_object_set_new(message, "supported", json_boolean(supported));
    return sig_frame_of_json(message);
}

/* The text is kept for all who are told the same, now and when they come. */
static void tell_published(struct sig_session *to, struct sig_track *track, bool supported) {
    if (!track->told[supported])
        track->told[supported] = published_frame(track, supported);
    sig_session_send_frame(to, track->told[supported], sig_room_is_large(to->room));
}

static void tell_all_published(const struct sig_session *publisher, struct sig_track *track) {
    for (struct sig_session *each = publisher->room->sessions; each; each = each->next)
        if (each != publisher && each->media == SIG_MEDIA_SFU)
            tell_published(each, track, is_supported(each, track));
}

static void tell_all_unpublished(const struct sig_session *publisher,
                                 const struct sig_track *track) {
    struct sig_frame *frame = sig_frame_of_json(
        json_pack("{s:s, s:o, s:s, s:s}", "type", "track_unpublished", "track_id",
                  track_id_json(track->number), "user_id", publisher->identity.user_id, "source",
                  sig_source_name(track->source)));
    for (struct sig_session *each = publisher->room->sessions; each; each = each->next)
        if (each != publisher && each->media == SIG_MEDIA_SFU)
            sig_session_send_frame(each, frame, sig_room_is_large(publisher->room));
    sig_frame_release(frame);
}

void sig_session_tell_tracks(struct sig_session *session, bool only_unsupported) {
    for (struct sig_track *track = session->room->tracks; track; track = track->next) {
        bool supported = track->publisher == session || is_supported(session, track);
        if (track->publisher != session && (!supported || !only_unsupported))
            tell_published(session, track, supported);
    }
}

/* What an agreement publishes; NULL without memory. */
static struct sig_track *tracks_of(const struct sfu_description *description, size_t *count) {
    size_t media_count = description ? description->media_count : 0;
    struct sig_track *tracks = calloc(media_count + 1, sizeof(*tracks));
    *count = 0;
    for (size_t i = 0; tracks && i < media_count; i++) {
        const struct sfu_media *media = &description->media[i];
        if (media->direction == SFU_PUBLISHES)
            tracks[(*count)++] = (struct sig_track){
                .number = media->track,
                .source = media->source,
                .is_video = media->video,
                .is_simulcast = media->layer_count > 1 && media->rids[0][0] != '\0',
            };
    }
    return tracks;
}

static struct sig_track *find_track(struct sig_track *tracks, size_t count,
                                    const struct sig_track *track) {
    for (size_t i = 0; i < count; i++)
        if (tracks[i].number == track->number && tracks[i].source == track->source)
            return &tracks[i];
    return NULL;
}

static bool has_source(const struct sig_track *tracks, size_t count, enum sfu_source source) {
    for (size_t i = 0; i < count; i++)
        if (tracks[i].source == source)
            return true;
    return false;
}

static void log_track(const struct sig_session *session, const struct sig_track *track,
                      const char *what) {
    const struct sig_log_scope scope = {.call = sig_session_call_id(session),
                                        .user = session->identity.user_id};
    sig_log(SIG_LOG_INFO, &scope, "%s %s, track %llu%s", what, sig_source_name(track->source),
            (unsigned long long)track->number, track->is_simulcast ? ", simulcast" : "");
}

/* A microphone that begins is on unless the client said otherwise; one that ends is off. The screen
 * is said by its own message. */
static void settle_switch(struct sig_session *session, enum sig_switch which, bool was, bool is,
                          bool is_off) {
    const struct sig_participant *who = sig_session_participant(session);
    if (was == is || !who)
        return;
    bool on = is && !is_off;
    bool now = which == SIG_SWITCH_AUDIO ? who->is_audio_enabled : who->is_video_enabled;
    if (now != on)
        sig_session_set_switch(session, which, on);
}

static void forget_old_slots(struct sig_session *session,
                             const struct sig_sdp_agreement *agreement) {
    size_t kept = 0;
    for (size_t i = 0; i < session->slot_count; i++) {
        const struct sfu_media *media =
            agreement ? sig_sdp_media_find(agreement, session->slots[i].mid) : NULL;
        if (media && media->direction == SFU_SLOT)
            session->slots[kept++] = session->slots[i];
    }
    session->slot_count = kept;
}

/* The track goes on under another agreement. */
static void take_over(struct sig_track *track, struct sig_track *before) {
    track->is_choice_known = before->is_choice_known;
    track->watched = before->watched;
    for (int i = 0; i < 2 && track->is_simulcast == before->is_simulcast; i++) {
        track->told[i] = before->told[i];
        before->told[i] = NULL;
    }
}

static void forget_told(struct sig_track *tracks, size_t count) {
    for (size_t i = 0; i < count; i++)
        for (int supported = 0; supported < 2; supported++)
            sig_frame_release(tracks[i].told[supported]);
}

int sig_session_set_tracks(struct sig_session *session, const struct sig_sdp_agreement *agreement) {
    const struct sfu_description *now = agreement ? sig_sdp_description(agreement) : NULL;
    struct sig_track *old = session->tracks;
    size_t old_count = session->track_count, count;
    struct sig_track *tracks = tracks_of(now, &count);
    if (!tracks && agreement)
        return -ENOMEM;
    sig_room_unindex_tracks(session);
    session->tracks = tracks;
    session->track_count = count;
    session->changes++;
    sig_room_index_tracks(session);
    for (size_t i = 0; i < old_count; i++)
        if (!find_track(tracks, count, &old[i])) {
            log_track(session, &old[i], "unpublishes");
            tell_all_unpublished(session, &old[i]);
        }
    for (size_t i = 0; i < count; i++) {
        struct sig_track *before = find_track(old, old_count, &tracks[i]);
        if (before) {
            take_over(&tracks[i], before);
            continue;
        }
        log_track(session, &tracks[i], "publishes");
        tell_all_published(session, &tracks[i]);
    }
    settle_switch(session, SIG_SWITCH_AUDIO, has_source(old, old_count, SFU_SOURCE_MICROPHONE),
                  has_source(tracks, count, SFU_SOURCE_MICROPHONE), session->is_muted);
    settle_switch(session, SIG_SWITCH_VIDEO, has_source(old, old_count, SFU_SOURCE_CAMERA),
                  has_source(tracks, count, SFU_SOURCE_CAMERA), session->is_camera_off);
    forget_told(old, old_count);
    free(old);
    forget_old_slots(session, agreement);
    return 0;
}

static json_t *slot_json(const struct sig_room *room, const struct sfu_slot_state *slot) {
    const struct sig_track *track = slot->track ? sig_room_find_track(room, slot->track) : NULL;
    if (!track)
        return json_pack("{s:s, s:n}", "mid", slot->mid, "track_id");
    return json_pack("{s:s, s:o, s:s, s:s, s:s*}", "mid", slot->mid, "track_id",
                     track_id_json(track->number), "user_id", track->publisher->identity.user_id,
                     "source", sig_source_name(track->source), "paused",
                     slot->paused ? "bandwidth" : NULL);
}

void sig_session_tell_slots(struct sig_session *session, const struct sfu_slot_state *slots,
                            size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, slot_json(session->room, &slots[i]));
    sig_session_send(session, json_pack("{s:s, s:o}", "type", "slots", "slots", list));
}

static struct sfu_slot_state *find_slot(struct sig_session *session, const char *mid) {
    for (size_t i = 0; i < session->slot_count; i++)
        if (strcmp(session->slots[i].mid, mid) == 0)
            return &session->slots[i];
    return NULL;
}

static void remember_slot(struct sig_session *session, const struct sfu_slot_state *slot) {
    struct sfu_slot_state *known = find_slot(session, slot->mid);
    if (known) {
        *known = *slot;
        return;
    }
    struct sfu_slot_state *more =
        realloc(session->slots, (session->slot_count + 1) * sizeof(*more));
    if (!more)
        return; /* A resuming client will lack it until it changes next. */
    session->slots = more;
    session->slots[session->slot_count++] = *slot;
}

void sig_session_set_slots(struct sig_session *session, const struct sfu_slot_state *slots,
                           size_t count) {
    for (size_t i = 0; i < count; i++)
        remember_slot(session, &slots[i]);
    sig_session_tell_slots(session, slots, count);
}
