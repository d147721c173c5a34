/* A session's URL: candidates trickle in, ICE restarts, and it ends. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "signaling/log.h"
#include "signaling/whip_internal.h"

/* The resource of the request for one who may touch it; NULL after having replied. To know the URL
 * is not enough where there are users: it must be the one who made it. */
static struct whip_resource *authorize(struct sig_whip *whip, struct sig_http_request *request) {
    struct sig_identity identity;
    bool is_guest = false;
    if (whip_identify(whip, request, &identity, &is_guest) < 0)
        return NULL;
    struct whip_resource *resource = whip_resource_find(whip, request);
    if (resource == NULL) {
        sig_http_error(request, 404, "unknown_session", "there is no such session");
        return NULL;
    }
    if (!resource->is_guest && strcmp(resource->user_id, identity.user_id) != 0) {
        sig_http_error(request, 403, "not_yours", "this session is another user's");
        return NULL;
    }
    return resource;
}

/* If-Match (RFC 9110 section 13.1.1) compares strongly: W/"…" never matches. */
static bool is_match(const char *if_match, const char *etag) {
    size_t etag_len = strlen(etag);
    while (*if_match != '\0') {
        if_match += strspn(if_match, ", \t");
        size_t len = strcspn(if_match, ", \t");
        if ((len == 1 && *if_match == '*') ||
            (len == etag_len && strncmp(if_match, etag, len) == 0))
            return true;
        if_match += len;
    }
    return false;
}

/* False after having replied: RFC 9725 section 4.3.1. */
static bool is_condition_met(struct sig_http_request *request,
                             const struct whip_resource *resource) {
    const char *if_match = sig_http_header(request, "If-Match");
    if (if_match == NULL)
        sig_http_error(request, 428, "if_match_required",
                       "If-Match has to name the session's ETag, or \"*\" to restart ICE");
    else if (!is_match(if_match, resource->etag))
        sig_http_error(request, 412, "stale_etag", "If-Match names another ICE generation");
    else
        return true;
    return false;
}

static void reply_restarted(struct sig_http_request *request, struct whip_resource *resource,
                            const char *answer) {
    struct sig_log_scope scope = {.call = sig_session_call_id(resource->session),
                                  .user = sig_session_user_id(resource->session)};
    whip_resource_renew(resource);
    sig_log(SIG_LOG_INFO, &scope, "ICE restarted by PATCH");
    sig_http_add_header(request, "ETag", resource->etag);
    sig_http_reply(request, 200, WHIP_FRAGMENT, answer, strlen(answer));
}

static void patch(struct sig_http_request *request, struct whip_resource *resource) {
    struct sig_sdpfrag fragment;
    struct sig_sdp_error error;
    struct sig_refusal refusal;
    char *answer = NULL;
    size_t len = 0;
    const char *body = sig_http_body(request, &len);
    if (sig_sdpfrag_parse(&fragment, body, len, &error) < 0)
        sig_http_error(request, error.status, error.code, "%s", error.words);
    else if (sig_session_patch(resource->session, &fragment, &answer, &refusal) < 0)
        whip_reply_refusal(request, &refusal);
    else if (answer != NULL)
        reply_restarted(request, resource, answer);
    else
        sig_http_reply(request, 204, NULL, NULL, 0);
    free(answer);
}

void whip_on_patch(struct sig_http_request *request, void *data) {
    struct whip_resource *resource = authorize(data, request);
    if (resource == NULL)
        return;
    if (!sig_http_has_type(request, WHIP_FRAGMENT)) {
        sig_http_add_header(request, "Accept-Patch", WHIP_FRAGMENT);
        sig_http_error(request, 415, "unsupported_media_type", "the body has to be " WHIP_FRAGMENT);
    } else if (is_condition_met(request, resource)) {
        patch(request, resource);
    }
}

/* The ETag does not matter here (RFC 9725 section 4.2). */
void whip_on_delete(struct sig_http_request *request, void *data) {
    struct whip_resource *resource = authorize(data, request);
    if (resource == NULL)
        return;
    struct sig_session *session = resource->session;
    struct sig_log_scope scope = {.call = sig_session_call_id(session),
                                  .user = sig_session_user_id(session)};
    sig_log(SIG_LOG_INFO, &scope, "session ended by DELETE");
    whip_resource_remove(resource);
    sig_session_leave(session, true);
    sig_http_reply(request, 200, NULL, NULL, 0);
}

void whip_on_session_options(struct sig_http_request *request, void *data) {
    (void)data;
    sig_http_add_header(request, "Accept-Patch", WHIP_FRAGMENT);
    sig_http_reply(request, 200, NULL, NULL, 0);
}
