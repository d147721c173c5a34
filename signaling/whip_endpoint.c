/* The endpoints: an offer comes in, a session is made, its answer goes out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "signaling/log.h"
#include "signaling/text.h"
#include "signaling/whip_internal.h"

/* How long a viewer waits before asking again whether anything is published. */
#define RETRY_AFTER_S "3"

static void on_end(void *data, enum sig_session_end why) {
    struct whip_resource *resource = data;
    (void)why; /* The session has logged it; its URL is 404 from now on. */
    whip_resource_remove(resource);
}

static const struct sig_session_owner owner = {.on_end = on_end};

/* Whether the client takes an SDP for an answer: one of the media ranges fits (RFC 9110 section
 * 12.5.1), or it does not say. */
static bool accepts_sdp(const struct sig_http_request *request) {
    static const char *const ranges[] = {"*/*", "application/*", WHIP_SDP};
    const char *accept = sig_http_header(request, "Accept");
    if (accept == NULL || *accept == '\0')
        return true;
    while (*accept != '\0') {
        accept += strspn(accept, ", \t");
        size_t len = strcspn(accept, ",; \t");
        for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
            if (strlen(ranges[i]) == len && strncasecmp(accept, ranges[i], len) == 0)
                return true;
        accept += strcspn(accept, ",");
    }
    return false;
}

static uint64_t no_track(void *ctx) {
    (void)ctx;
    return 1;
}

/* Negotiates for nobody: an offer that is refused must not be noticed in the call. */
static int check_offer(const struct sig_whip *whip, const struct sig_http_request *request,
                       struct sig_sdp_error *error) {
    struct sig_sdp_terms terms = {.role = whip_role(request),
                                  .can_publish = true,
                                  .can_subscribe = true,
                                  .new_track = no_track};
    struct sig_sdp_offer *offer = NULL;
    struct sig_sdp_agreement *agreement = NULL;
    size_t len = 0;
    const char *body = sig_http_body(request, &len);
    int result = sig_sdp_offer_parse(body, len, whip->options.max_mlines, &offer, error);
    if (result == 0)
        result = sig_sdp_negotiate(offer, NULL, &terms, &agreement, error);
    sig_sdp_agreement_destroy(agreement);
    sig_sdp_offer_destroy(offer);
    return result;
}

/* Whether a viewer has to wait until something is published. Who may not watch at all, and who asks
 * for a call that is not there, is told that instead; in demo mode a call is there as soon as
 * someone publishes into it. */
static bool has_to_wait(const struct sig_whip *whip, const struct sig_http_request *request,
                        const struct sig_identity *identity) {
    struct sig_calls *calls = whip->options.calls;
    const char *call = sig_http_param(request, "call");
    if (whip_role(request) != SIG_SDP_WHEP || !identity->can_subscribe ||
        !sig_identity_may_enter(identity, call) || sig_calls_is_draining(calls))
        return false;
    if (sig_calls_find(calls, call) == NULL)
        return sig_auth_is_demo(whip->options.auth) && !sig_calls_was(calls, call);
    return !sig_calls_has_tracks(calls, call);
}

/* What needs no identity. False after having replied. */
static bool is_acceptable(struct sig_http_request *request) {
    if (!sig_http_has_type(request, WHIP_SDP)) {
        sig_http_add_header(request, "Accept-Post", WHIP_SDP);
        sig_http_error(request, 415, "unsupported_media_type", "the body has to be " WHIP_SDP);
    } else if (!accepts_sdp(request)) {
        sig_http_error(request, 406, "not_acceptable", "the answer can only be " WHIP_SDP);
    } else if (!sig_text_is_uuid(sig_http_param(request, "call"))) {
        sig_http_error(request, 404, "unknown_call", "there is no such call");
    } else {
        return true;
    }
    return false;
}

static int open_session(struct whip_resource *resource, const struct sig_http_request *request,
                        const struct sig_identity *identity, char **answer,
                        struct sig_refusal *refusal) {
    struct sig_whip *whip = resource->whip;
    struct sig_session_options options = {.identity = identity,
                                          .owner = &owner,
                                          .data = resource,
                                          .role = resource->role,
                                          .create_call = resource->role == SIG_SDP_WHIP &&
                                                         sig_auth_is_demo(whip->options.auth)};
    size_t len = 0;
    const char *offer = sig_http_body(request, &len);
    int result = sig_session_create(&resource->session, whip->options.calls,
                                    sig_http_param(request, "call"), &options, refusal);
    if (result < 0)
        return result;
    result = sig_session_offer(resource->session, offer, len, answer, refusal);
    if (result < 0)
        sig_session_leave(resource->session, true);
    return result;
}

static void reply_created(struct sig_http_request *request, const struct whip_resource *resource,
                          const char *answer) {
    const struct sig_whip_options *options = &resource->whip->options;
    const char *call = sig_session_call_id(resource->session);
    const char *user = sig_session_user_id(resource->session);
    const char *kind = resource->role == SIG_SDP_WHIP ? "whip" : "whep";
    char location[sizeof("/whip/") + SIG_UUID_SIZE + sizeof(resource->id)];
    snprintf(location, sizeof(location), "/%s/%s/%s", kind, call, resource->id);
    sig_http_add_header(request, "Location", location);
    sig_http_add_header(request, "ETag", resource->etag);
    if (options->ice_servers != NULL)
        whip_add_links(request, options->ice_servers(options->ctx, user));
    sig_log(SIG_LOG_INFO, &(struct sig_log_scope){.call = call, .user = user}, "%s session opened",
            kind);
    sig_http_reply(request, 201, WHIP_SDP, answer, strlen(answer));
}

static void create(struct sig_whip *whip, struct sig_http_request *request,
                   const struct sig_identity *identity, bool is_guest) {
    char *answer = NULL;
    struct sig_refusal refusal;
    struct whip_resource *resource =
        whip_resource_create(whip, whip_role(request), identity, is_guest);
    if (resource == NULL) {
        sig_http_error(request, 503, "out_of_memory", "the server is out of memory");
        return;
    }
    if (open_session(resource, request, identity, &answer, &refusal) < 0) {
        free(resource);
        whip_reply_refusal(request, &refusal);
        return;
    }
    whip_resource_add(resource);
    reply_created(request, resource, answer);
    free(answer);
}

void whip_on_post(struct sig_http_request *request, void *data) {
    struct sig_whip *whip = data;
    struct sig_identity identity;
    struct sig_sdp_error error;
    bool is_guest = false;
    if (whip_identify(whip, request, &identity, &is_guest) < 0 || !is_acceptable(request))
        return;
    if (check_offer(whip, request, &error) < 0) {
        sig_http_error(request, error.status, error.code, "%s", error.words);
    } else if (has_to_wait(whip, request, &identity)) {
        sig_http_add_header(request, "Retry-After", RETRY_AFTER_S);
        sig_http_error(request, 409, "nothing_published", "nothing is published in this call yet");
    } else {
        create(whip, request, &identity, is_guest);
    }
}

/* Reserved by RFC 9725 section 4: no content, and it says nothing of what is there. */
void whip_on_get(struct sig_http_request *request, void *data) {
    (void)data;
    sig_http_reply(request, 204, NULL, NULL, 0);
}

/* How a player finds out that a URL is a WHEP endpoint. */
void whip_on_head(struct sig_http_request *request, void *data) {
    (void)data;
    sig_http_reply(request, 200, WHIP_SDP, NULL, 0);
}

void whip_on_endpoint_options(struct sig_http_request *request, void *data) {
    (void)data;
    sig_http_add_header(request, "Accept-Post", WHIP_SDP);
    sig_http_reply(request, 200, NULL, NULL, 0);
}
