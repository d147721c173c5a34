/* WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep): publishing into a call and watching it by HTTP.
 * A POST makes a session in the call; its URL, which nobody can guess, is what PATCH (trickle, ICE
 * restart) and DELETE work on. All on the main loop's thread. */
#ifndef SIGNALING_WHIP_H
#define SIGNALING_WHIP_H

#include <jansson.h>
#include <stddef.h>

#include "signaling/auth.h"
#include "signaling/calls.h"
#include "signaling/http.h"

struct sig_whip;

struct sig_whip_options {
    /* Given: borrowed for life. */
    struct sig_calls *calls;
    struct sig_auth *auth;
    size_t max_mlines; /* Of an offer. */
    /* The ICE servers for a user, as RTCPeerConnection takes them (a new reference to an array),
     * for the Link headers of an answer. NULL: there are none. */
    json_t *(*ice_servers)(void *ctx, const char *user_id);
    void *ctx;
};

struct sig_whip *sig_whip_create(const struct sig_whip_options *options);

/* Ends every session that is left. Call it before sig_calls_destroy, and when no request comes any
 * more. */
void sig_whip_destroy(struct sig_whip *whip);

/* Serves /whip/{call}, /whep/{call} and the sessions below them. In demo mode without a token. */
int sig_whip_add_routes(struct sig_whip *whip, struct sig_http *http);

/* How many sessions there are. */
size_t sig_whip_count(const struct sig_whip *whip);

#endif
