/* A session's transport: offers, ICE restarts, and what the SFU reports of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/log.h"
#include "signaling/room.h"

/* One offer on its way to being in force. */
struct negotiation {
    struct sig_sdp_offer *offer;
    struct sig_sdp_agreement *agreement;
    char *answer;
    uint64_t number;        /* In the SFU. */
    bool is_new;            /* A transport of its own, */
    bool has_joined;        /* which has to be left again if it comes to nothing. */
    struct sfu_local local; /* Our side of it. */
};

static int refuse_offer(struct sig_refusal *refusal, const struct sig_sdp_error *error) {
    return sig_refuse(refusal, error->status, error->code, "%s", error->words);
}

static int refuse_sfu(struct sig_refusal *refusal, int error) {
    if (error == -EBUSY)
        return sig_refuse(refusal, 503, "full", "The server has as many participants as it takes");
    if (error == -ENOMEM)
        return sig_refuse_memory(refusal);
    if (error == -ENOENT)
        return sig_refuse(refusal, 409, "no_transport", "There is no transport yet: send an offer");
    return sig_refuse(refusal, 422, "bad_offer", "The offer does not go with the one before: %s",
                      strerror(-error));
}

static uint64_t new_track(void *ctx) {
    return sig_calls_new_number(ctx);
}

static int agree(struct sig_session *session, const char *sdp, size_t len, struct negotiation *new,
                 struct sig_refusal *refusal) {
    const struct sig_config *config = session->room->calls->config;
    const struct sig_sdp_terms terms = {
        .role = session->role,
        .can_publish = session->identity.can_publish,
        .can_subscribe = session->identity.can_subscribe,
        .max_tracks = (size_t)config->max_tracks_per_participant,
        .sources = session->sources,
        .source_count = session->source_count,
        .new_track = new_track,
        .ctx = session->room->calls,
    };
    struct sig_sdp_error error;
    if (sig_sdp_offer_parse(sdp, len, (size_t)config->max_mlines_per_offer, &new->offer, &error) <
        0)
        return refuse_offer(refusal, &error);
    new->is_new = !session->agreement || !sig_sdp_is_same_peer(new->offer, session->agreement);
    const struct sig_sdp_agreement *before = new->is_new ? NULL : session->agreement;
    if (sig_sdp_negotiate(new->offer, before, &terms, &new->agreement, &error) < 0)
        return refuse_offer(refusal, &error);
    return 0;
}

/* Our credentials and candidates: new ones for a new transport and for an ICE restart. */
static int prepare_transport(struct sig_session *session, struct negotiation *new) {
    struct sfu *sfu = session->room->calls->sfu;
    new->number = session->number;
    if (new->is_new) {
        new->number = sig_calls_new_number(session->room->calls);
        return sfu_join(sfu, session->room->number, new->number, &new->local);
    }
    if (sig_sdp_is_ice_restart(new->agreement, session->agreement))
        return sfu_restart_ice(sfu, new->number, &new->local);
    return sfu_local_get(sfu, new->number, &new->local);
}

static int settle(struct sig_session *session, struct negotiation *new,
                  struct sig_refusal *refusal) {
    struct sfu *sfu = session->room->calls->sfu;
    int status = prepare_transport(session, new);
    if (status < 0)
        return refuse_sfu(refusal, status);
    new->has_joined = new->is_new;
    new->answer =
        sig_sdp_answer_write(new->offer, new->agreement, &new->local, sfu_fingerprint(sfu));
    if (!new->answer)
        return sig_refuse_memory(refusal);
    status = sfu_negotiate(sfu, new->number, sig_sdp_description(new->agreement));
    return status < 0 ? refuse_sfu(refusal, status) : 0;
}

/* Makes the negotiated transport the session's own. */
static int take_transport(struct sig_session *session, const struct negotiation *new) {
    if (!new->is_new)
        return 0;
    sig_session_reset_media(session);
    session->number = new->number;
    if (sig_calls_index_session(session->room->calls, session) == 0)
        return 0;
    session->number = 0;
    return -ENOMEM;
}

static int commit(struct sig_session *session, struct negotiation *new,
                  struct sig_refusal *refusal) {
    if (take_transport(session, new) < 0)
        return sig_refuse_memory(refusal);
    new->has_joined = false;
    session->is_media_lost = false;
    sig_sdp_agreement_destroy(session->agreement);
    session->agreement = new->agreement;
    new->agreement = NULL;
    if (sig_session_set_tracks(session, session->agreement) < 0) {
        sig_session_reset_media(session);
        return sig_refuse_memory(refusal);
    }
    return 0;
}

int sig_session_offer(struct sig_session *session, const char *sdp, size_t len, char **answer,
                      struct sig_refusal *refusal) {
    struct negotiation new = {0};
    int status = agree(session, sdp, len, &new, refusal);
    if (status == 0)
        status = settle(session, &new, refusal);
    if (status == 0)
        status = commit(session, &new, refusal);
    if (status < 0 && new.has_joined)
        sfu_leave(session->room->calls->sfu, new.number);
    if (status == 0) {
        *answer = new.answer;
        new.answer = NULL;
    }
    sig_sdp_offer_destroy(new.offer);
    sig_sdp_agreement_destroy(new.agreement);
    free(new.answer);
    return status;
}

/* The credentials in force, as a fragment that brings them back. */
static struct sig_sdpfrag current_credentials(const struct sig_session *session) {
    const struct sfu_description *now = sig_sdp_description(session->agreement);
    struct sig_sdpfrag fragment = {0};
    memcpy(fragment.ufrag, now->remote_ufrag, sizeof(fragment.ufrag));
    memcpy(fragment.pwd, now->remote_pwd, sizeof(fragment.pwd));
    return fragment;
}

static int restart_ice(struct sig_session *session, const struct sig_sdpfrag *fragment,
                       struct sfu_local *local) {
    struct sfu *sfu = session->room->calls->sfu;
    const struct sig_sdpfrag before = current_credentials(session);
    int status = sfu_restart_ice(sfu, session->number, local);
    if (status < 0)
        return status;
    sig_sdpfrag_apply(fragment, session->agreement);
    status = sfu_negotiate(sfu, session->number, sig_sdp_description(session->agreement));
    if (status < 0)
        sig_sdpfrag_apply(&before, session->agreement);
    return status;
}

int sig_session_patch(struct sig_session *session, const struct sig_sdpfrag *fragment,
                      char **answer, struct sig_refusal *refusal) {
    struct sfu_local local;
    *answer = NULL;
    if (!session->agreement)
        return refuse_sfu(refusal, -ENOENT);
    if (!sig_sdpfrag_is_restart(fragment, session->agreement))
        return 0;
    int status = restart_ice(session, fragment, &local);
    if (status < 0)
        return refuse_sfu(refusal, status);
    *answer = sig_sdpfrag_write(session->agreement, &local);
    return *answer ? 0 : sig_refuse_memory(refusal);
}

void sig_session_reset_media(struct sig_session *session) {
    struct sig_calls *calls = session->room->calls;
    sig_session_set_tracks(session, NULL);
    session->slot_count = 0;
    session->quality = (struct sig_quality){0};
    session->changes++;
    sig_sdp_agreement_destroy(session->agreement);
    session->agreement = NULL;
    if (session->number == 0)
        return;
    sig_calls_unindex_session(calls, session);
    sfu_leave(calls->sfu, session->number);
    session->number = 0;
}

/* An HTTP client has no other way to hear of it than that its resource is gone. */
static void end_resource(struct sig_session *session) {
    const struct sig_session_owner *owner = session->owner;
    void *data = session->data;
    sig_session_leave(session, false);
    if (owner)
        owner->on_end(data, SIG_SESSION_MEDIA_LOST);
}

static bool is_resource(const struct sig_session *session) {
    return session->role != SIG_SDP_CALL;
}

static void on_media_lost(struct sig_session *session) {
    static const struct sig_refusal timeout = {
        .code = "ice_timeout", .words = "No media path for 30 seconds: restart ICE"};
    session->is_media_lost = true;
    if (is_resource(session))
        end_resource(session);
    else if (!session->owner)
        sig_session_leave(session, false);
    else
        sig_session_tell_error(session, &timeout, NULL);
}

static void on_transport_gone(struct sig_session *session, const char *reason) {
    struct sig_refusal failed = {.code = "transport_failed"};
    if (is_resource(session)) {
        end_resource(session);
        return;
    }
    sig_session_reset_media(session);
    session->is_media_lost = true;
    if (!session->owner)
        sig_session_leave(session, false);
    else if (reason) {
        snprintf(failed.words, sizeof(failed.words), "The media transport failed: %s", reason);
        sig_session_tell_error(session, &failed, NULL);
    }
}

void sig_session_on_sfu_event(struct sig_session *session, const struct sfu_event *event) {
    const struct sig_log_scope scope = {.call = sig_session_call_id(session),
                                        .user = session->identity.user_id};
    switch (event->type) {
    case SFU_EVENT_CONNECTED:
        sig_log(SIG_LOG_INFO, &scope, "media connected");
        break;
    case SFU_EVENT_ICE_TIMEOUT:
        sig_log(SIG_LOG_INFO, &scope, "media path lost");
        on_media_lost(session);
        break;
    case SFU_EVENT_ICE_RECOVERED:
        sig_log(SIG_LOG_INFO, &scope, "media path is back");
        session->is_media_lost = false;
        break;
    case SFU_EVENT_CLOSED:
        sig_log(SIG_LOG_INFO, &scope, "media closed by the client");
        on_transport_gone(session, NULL);
        break;
    case SFU_EVENT_FAILED:
        sig_log(SIG_LOG_WARN, &scope, "media failed: %s", event->reason ? event->reason : "?");
        on_transport_gone(session, event->reason ? event->reason : "unknown");
        break;
    case SFU_EVENT_SLOTS:
        sig_session_set_slots(session, event->slots, event->slot_count);
        break;
    case SFU_EVENT_TRACK_FLOWS:
        sig_log(SIG_LOG_DEBUG, &scope, "track %llu flows", (unsigned long long)event->track);
        break;
    case SFU_EVENT_PUBLISH_LAYERS:
        sig_session_on_layers(session, event);
        break;
    case SFU_EVENT_QUALITY:
        sig_session_on_quality(session, event);
        break;
    case SFU_EVENT_SPEAKERS: /* Of a room, not of a participant. */
        break;
    }
}
