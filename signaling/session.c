/* The life of a session: entering, being announced, losing and finding its client, leaving. */
#include "signaling/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/log.h"
#include "signaling/room.h"

#define SECOND_US UINT64_C(1000000)

const char *sig_session_call_id(const struct sig_session *session) {
    return session->room->call->id;
}

const char *sig_session_user_id(const struct sig_session *session) {
    return session->identity.user_id;
}

bool sig_session_is_watcher(const struct sig_session *session) {
    return session->role == SIG_SDP_WHEP;
}

struct sig_participant *sig_session_participant(const struct sig_session *session) {
    return sig_call_find(session->room->call, session->identity.user_id);
}

static struct sig_log_scope scope_of(const struct sig_session *session) {
    return (struct sig_log_scope){.call = sig_session_call_id(session),
                                  .user = session->identity.user_id};
}

static struct sig_room *find_room(struct sig_calls *calls, const char *call_id,
                                  const struct sig_session_options *options,
                                  struct sig_refusal *refusal) {
    struct sig_room *room = sig_calls_find_room(calls, call_id);
    if (room)
        return room;
    const struct sig_tombstone *past = sig_calls_recall(calls, call_id);
    bool may_begin = options->create_call && calls->config->demo && sig_text_is_uuid(call_id) &&
                     sig_identity_may_enter(options->identity, call_id) &&
                     (!past || past->is_on_demand);
    if (may_begin)
        return sig_calls_begin(calls, call_id, options->identity, refusal);
    sig_calls_refuse_unknown(calls, call_id, refusal);
    return NULL;
}

static int refuse_role(const struct sig_session_options *options, struct sig_refusal *refusal) {
    if (options->role == SIG_SDP_WHIP && !options->identity->can_publish)
        return sig_refuse(refusal, 403, "cannot_publish", "The token does not allow to publish");
    if (options->role == SIG_SDP_WHEP && !options->identity->can_subscribe)
        return sig_refuse(refusal, 403, "cannot_subscribe", "The token does not allow to watch");
    return 0;
}

static struct sig_session *make_session(struct sig_room *room,
                                        const struct sig_session_options *options) {
    struct sig_session *session = calloc(1, sizeof(*session));
    if (!session)
        return NULL;
    uint32_t rate = (uint32_t)room->calls->config->max_messages_per_second;
    session->owner = options->owner;
    session->data = options->data;
    session->identity = *options->identity;
    session->role = options->role;
    session->room = room;
    sig_text_random_hex(session->resume_token, SIG_RESUME_TOKEN_BYTES);
    sig_bucket_init(&session->messages, rate, rate * 2, room->calls->now_us());
    sig_bucket_init(&session->signals, SIG_SIGNALS_PER_SECOND, SIG_SIGNALS_PER_SECOND * 2,
                    room->calls->now_us());
    return session;
}

static void link_session(struct sig_session *session) {
    struct sig_room *room = session->room;
    session->next = room->sessions;
    session->at = &room->sessions;
    if (session->next)
        session->next->at = &session->next;
    room->sessions = session;
    room->session_count++;
    sig_room_index_session(room, session);
    if (!sig_session_is_watcher(session))
        sig_presence_come(room->calls->presence, session->identity.user_id);
    sig_room_check_direct(room);
}

/* Mesh clients have a peer connection with the old page and need to make a new one; for the others
 * the user never went. */
static void tell_mesh_left(struct sig_session *old) {
    if (old->media != SIG_MEDIA_MESH)
        return;
    for (struct sig_session *each = old->room->sessions; each; each = each->next)
        if (each != old && each->media == SIG_MEDIA_MESH)
            sig_session_send(each,
                             json_pack("{s:s, s:s, s:s}", "type", "user_left", "user_id",
                                       old->identity.user_id, "username", old->identity.name));
}

static struct sig_session *find_older(const struct sig_session *session) {
    struct sig_session *each = sig_room_first_of(session->room, session->identity.user_id);
    while (each && (each == session || each->role != SIG_SDP_CALL))
        each = sig_session_next_of(each);
    return each;
}

static void take_over(struct sig_session *session) {
    struct sig_session *old = find_older(session);
    if (!old)
        return;
    const struct sig_log_scope scope = scope_of(session);
    sig_log(SIG_LOG_INFO, &scope, "connects again and takes over");
    session->is_announced = old->is_announced;
    tell_mesh_left(old);
    sig_session_end(old, true, SIG_SESSION_TAKEN_OVER);
}

static int join_call(struct sig_session *session, struct sig_participant *who,
                     struct sig_refusal *refusal) {
    int status = 0;
    if (who->status != SIG_PARTICIPANT_JOINED)
        status = sig_room_apply(session->room, who, SIG_CALL_EVENT_JOIN, who->user_id, NULL, NULL);
    if (status < 0)
        return sig_refuse(refusal, 409, "wrong_state", "Not possible now: you are %s",
                          sig_participant_status_name(who->status));
    sig_room_user_came(session->room, who);
    return 0;
}

/* The client is let in; what it is told first depends on how it speaks. */
static void start_session(struct sig_session *session) {
    if (session->role == SIG_SDP_CALL) {
        take_over(session);
        sig_session_tell_welcome(session, false);
        session->announce_at_us = session->room->calls->now_us() + SIG_ANNOUNCE_AFTER_US;
        sig_calls_wake_by(session->room->calls, session->announce_at_us);
    } else if (session->role == SIG_SDP_WHIP) {
        sig_session_announce(session, SIG_MEDIA_SFU);
    } else {
        session->media = SIG_MEDIA_SFU;
    }
}

int sig_session_create(struct sig_session **out, struct sig_calls *calls, const char *call_id,
                       const struct sig_session_options *options, struct sig_refusal *refusal) {
    int status = refuse_role(options, refusal);
    if (status < 0)
        return status;
    struct sig_room *room = find_room(calls, call_id, options, refusal);
    if (!room)
        return -ENOENT;
    bool is_watcher = options->role == SIG_SDP_WHEP;
    struct sig_participant *who = NULL;
    status = sig_calls_admit(room, options->identity, !is_watcher, &who, refusal);
    if (status < 0)
        return status;
    if (is_watcher && calls->is_draining)
        return sig_refuse(refusal, 503, "draining", "The server is going down for a while");
    struct sig_session *session = make_session(room, options);
    if (!session)
        return sig_refuse_memory(refusal);
    status = is_watcher ? 0 : join_call(session, who, refusal);
    if (status < 0) {
        free(session);
        return status;
    }
    link_session(session);
    start_session(session);
    *out = session;
    return 0;
}

static json_t *joined_json(const struct sig_session *session, bool should_offer) {
    const struct sig_participant *who = sig_session_participant(session);
    const char *name = session->identity.name;
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:b}", "type", "user_joined",
                     "user_id", session->identity.user_id, "user_name", name, "username", name,
                     "full_name", name, "should_create_offer", should_offer, "is_audio_enabled",
                     who && who->is_audio_enabled, "is_video_enabled", who && who->is_video_enabled,
                     "is_screen_sharing", who && who->is_screen_sharing);
}

/* What a mesh client sends the SFU never sees: it counts as sending what the call is for. */
static void assume_mesh_media(struct sig_session *session) {
    struct sig_participant *who = sig_session_participant(session);
    who->is_audio_enabled = !session->is_muted;
    who->is_video_enabled = session->room->call->type == SIG_CALL_VIDEO && !session->is_camera_off;
}

/* Two texts, however many are told. */
static void tell_joined(const struct sig_session *session) {
    struct sig_room *room = session->room;
    bool is_mesh = session->media == SIG_MEDIA_MESH, may_wait = sig_room_is_large(room);
    struct sig_frame *joined = sig_frame_of_json(joined_json(session, false));
    struct sig_frame *to_offer = is_mesh ? sig_frame_of_json(joined_json(session, true)) : NULL;
    for (struct sig_session *each = room->sessions; each; each = each->next) {
        bool should_offer = is_mesh && each->media == SIG_MEDIA_MESH;
        if (each != session && strcmp(each->identity.user_id, session->identity.user_id) != 0)
            sig_session_send_frame(each, should_offer ? to_offer : joined, may_wait);
    }
    sig_frame_release(joined);
    sig_frame_release(to_offer);
}

void sig_session_announce(struct sig_session *session, enum sig_media media) {
    session->announce_at_us = 0;
    if (session->media == media)
        return;
    session->media = media;
    if (media == SIG_MEDIA_MESH)
        assume_mesh_media(session);
    session->is_announced = true;
    tell_joined(session);
}

struct sig_session *sig_session_find(struct sig_calls *calls, const char *call_id,
                                     const struct sig_identity *identity,
                                     const char *resume_token) {
    const struct sig_room *room = sig_calls_find_room(calls, call_id);
    struct sig_session *each = room ? sig_room_first_of(room, identity->user_id) : NULL;
    while (each &&
           (each->role != SIG_SDP_CALL || !sig_text_is_secret(resume_token, each->resume_token)))
        each = sig_session_next_of(each);
    return each;
}

void sig_session_attach(struct sig_session *session, const struct sig_session_owner *owner,
                        void *data) {
    const struct sig_log_scope scope = scope_of(session);
    const struct sig_session_owner *old = session->owner;
    void *old_data = session->data;
    session->owner = owner;
    session->data = data;
    session->gone_at_us = 0;
    if (old)
        old->on_end(old_data, SIG_SESSION_TAKEN_OVER);
    sig_log(SIG_LOG_INFO, &scope, "is back");
    sig_session_tell_welcome(session, true);
    if (session->media == SIG_MEDIA_SFU)
        sig_session_tell_tracks(session, false);
    if (session->slot_count > 0)
        sig_session_tell_slots(session, session->slots, session->slot_count);
    sig_session_tell_layers(session);
    sig_room_tell_speakers(session);
    sig_session_tell_direct(session);
}

void sig_session_detach(struct sig_session *session) {
    struct sig_calls *calls = session->room->calls;
    const struct sig_log_scope scope = scope_of(session);
    session->owner = NULL;
    if (session->is_media_lost) {
        sig_session_leave(session, false);
        return;
    }
    sig_log(SIG_LOG_INFO, &scope, "lost the connection, may come back within %d s",
            calls->config->resume_grace_s);
    session->gone_at_us = calls->now_us() + (uint64_t)calls->config->resume_grace_s * SECOND_US + 1;
    sig_calls_wake_by(calls, session->gone_at_us);
}

void sig_session_end(struct sig_session *session, bool tell, enum sig_session_end why) {
    struct sig_room *room = session->room;
    sig_session_reset_media(session);
    *session->at = session->next;
    if (session->next)
        session->next->at = session->at;
    room->session_count--;
    sig_room_unindex_session(session);
    if (!sig_session_is_watcher(session))
        sig_presence_go(room->calls->presence, session->identity.user_id);
    session->next = room->calls->dead_sessions;
    room->calls->dead_sessions = session;
    sig_calls_wake_by(room->calls, 0);
    const struct sig_session_owner *owner = session->owner;
    session->owner = NULL;
    sig_room_check_direct(room);
    if (tell && owner)
        owner->on_end(session->data, why);
}

void sig_session_free(struct sig_session *session) {
    sig_sdp_agreement_destroy(session->agreement);
    free(session->sources);
    free(session->tracks); /* Which have been unpublished. */
    free(session->slots);
    sig_card_deinit(&session->card);
    free(session);
}

void sig_session_leave(struct sig_session *session, bool is_final) {
    struct sig_room *room = session->room;
    const struct sig_log_scope scope = scope_of(session);
    struct sig_participant *who = sig_session_participant(session);
    bool is_last = !sig_session_is_watcher(session) && who &&
                   !sig_room_find_session(room, who->user_id, session);
    sig_log(SIG_LOG_INFO, &scope, "session closed");
    if (is_last)
        sig_room_tell_left(room, who);
    sig_session_end(session, false, SIG_SESSION_LEFT);
    if (is_last)
        sig_room_user_gone(room, who->user_id, is_final);
}
