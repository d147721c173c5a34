/* A session: one client's presence in a call, with its own transport, tracks and slots in the SFU.
 * How its client is reached differs: a WebSocket that may drop and resume, or an HTTP resource
 * (WHIP, WHEP). Its owner drives it by these functions and hears of it by callbacks. All on the
 * main loop's thread.
 *
 *     WebSocket: create → receive… → detach → attach (resumed) → receive… → leave
 *     WHIP:      create → offer → patch… → leave
 *
 * A session ends once: by sig_session_leave (no callback), or from elsewhere, told by on_end. */
#ifndef SIGNALING_SESSION_H
#define SIGNALING_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "signaling/auth.h"
#include "signaling/calls.h"
#include "signaling/frame.h"
#include "signaling/refusal.h"
#include "signaling/sdp.h"

struct sig_session;

enum sig_session_end {
    SIG_SESSION_LEFT,       /* Its user left the call by other means. */
    SIG_SESSION_CALL_OVER,  /* The call ended. */
    SIG_SESSION_REMOVED,    /* Its user was taken out of the call. */
    SIG_SESSION_TAKEN_OVER, /* Its user connected again: SIG_SDP_CALL sessions only. */
    SIG_SESSION_MEDIA_LOST, /* The transport failed, closed or died: WHIP and WHEP only, since a
                               WebSocket client is told and may offer again. */
    SIG_SESSION_SERVER_CLOSING,
};

struct sig_session_owner {
    /* A message for the client: JSON text, to be held when it is kept. may_wait: a moment, for
     * others to go along. NULL: messages are not wanted. */
    void (*on_message)(void *data, struct sig_frame *frame, bool may_wait);
    /* The session is no more; the pointer is invalid. Never called from within a function that the
     * owner called on this session, but sig_session_receive. */
    void (*on_end)(void *data, enum sig_session_end why);
};

struct sig_session_options {
    /* Given. */
    const struct sig_identity *identity;   /* Copied. */
    const struct sig_session_owner *owner; /* Borrowed for life. */
    void *data;
    enum sig_sdp_role role;
    bool create_call; /* In demo mode a call that is not there is begun, with this user as initiator
                         (its id has to be a UUID). */
};

/* Enters a call: the user joins it if not joined yet. SIG_SDP_CALL: an older session of this user
 * is taken over, the client gets `welcome`. SIG_SDP_WHIP: announced as a participant; SIG_SDP_WHEP:
 * a mere watcher, neither announced nor a participant. Refusals as for sig_calls_act, and 403
 * cannot_publish or cannot_subscribe. */
int sig_session_create(struct sig_session **out, struct sig_calls *calls, const char *call_id,
                       const struct sig_session_options *options, struct sig_refusal *refusal);

/* The session of this user with this resume token, SIG_SDP_CALL only, or NULL. */
struct sig_session *sig_session_find(struct sig_calls *calls, const char *call_id,
                                     const struct sig_identity *identity, const char *resume_token);

/* The client is back (or its old connection is not known to be dead yet: then that owner gets
 * SIG_SESSION_TAKEN_OVER): from now on this owner has the session, and its client is sent `welcome`
 * and everything it needs to be up to date. Others notice nothing. */
void sig_session_attach(struct sig_session *session, const struct sig_session_owner *owner,
                        void *data);

/* The client's connection is lost: the owner is called no more, and the session waits for the
 * configured grace to be resumed. Without media it could resume (the SFU says the transport is
 * gone) it ends at once. */
void sig_session_detach(struct sig_session *session);

/* Takes a message of the client. Whatever is wrong with it is answered by an `error` message to
 * this client alone. May end the session (end_call). */
void sig_session_receive(struct sig_session *session, const char *text, size_t len);

/* Negotiates an offer: the first one starts the transport, later ones change it (with new ICE
 * credentials they restart ICE, with another fingerprint they replace the transport). *answer is to
 * be freed. Returns 0, or a negative errno with refusal filled and everything as before. */
int sig_session_offer(struct sig_session *session, const char *sdp, size_t len, char **answer,
                      struct sig_refusal *refusal);

/* Takes a trickled fragment. With new ICE credentials it restarts ICE: *answer is then our fragment
 * (to be freed), otherwise NULL. 409 before the first offer. */
int sig_session_patch(struct sig_session *session, const struct sig_sdpfrag *fragment,
                      char **answer, struct sig_refusal *refusal);

/* Leaves: at once, for good. The pointer is invalid afterwards. is_final: the user is known to have
 * meant it, so that a call whose last participant this was ends now; otherwise it waits for the
 * grace time, since a page that reloads looks the same. */
void sig_session_leave(struct sig_session *session, bool is_final);

const char *sig_session_call_id(const struct sig_session *session);
const char *sig_session_user_id(const struct sig_session *session);

#endif
