/* What the files of WHIP and WHEP share: the table of resources, and who may touch one. */
#ifndef SIGNALING_WHIP_INTERNAL_H
#define SIGNALING_WHIP_INTERNAL_H

#include "signaling/session.h"
#include "signaling/whip.h"

#define WHIP_SDP "application/sdp"
#define WHIP_FRAGMENT "application/trickle-ice-sdpfrag"

enum {
    WHIP_ID_BYTES = 16, /* RFC 9725 section 5: the URL must not be guessable. */
    WHIP_ETAG_BYTES = 8,
    WHIP_BUCKETS = 256,
};

/* One WHIP or WHEP session. */
struct whip_resource {
    /* Links. */
    struct sig_whip *whip;
    struct sig_session *session;
    struct whip_resource *next; /* Of the same bucket. */

    /* State. */
    enum sig_sdp_role role;
    char id[WHIP_ID_BYTES * 2 + 1];
    char etag[WHIP_ETAG_BYTES * 2 + 3]; /* Quoted; names the ICE generation. */
    char user_id[SIG_USER_ID_SIZE];
    bool is_guest; /* Made without credentials, in demo mode: whoever knows the URL has it. */
};

struct sig_whip {
    /* Given. */
    struct sig_whip_options options;

    /* Owned. */
    struct whip_resource *buckets[WHIP_BUCKETS];

    /* Counters. */
    size_t count;
};

/* A resource with a fresh id and ETag, not in the table yet; NULL without memory. */
struct whip_resource *whip_resource_create(struct sig_whip *whip, enum sig_sdp_role role,
                                           const struct sig_identity *identity, bool is_guest);
void whip_resource_add(struct whip_resource *resource);

/* Takes it out of the table and frees it; its session is the caller's affair. */
void whip_resource_remove(struct whip_resource *resource);

/* The resource that the request's path names, in the role and call of the path, or NULL. */
struct whip_resource *whip_resource_find(struct sig_whip *whip,
                                         const struct sig_http_request *request);

/* Gives it the ETag of a new ICE generation. */
void whip_resource_renew(struct whip_resource *resource);

/* Who asks. In demo mode a request without credentials is a guest's. 0, or a negative errno after
 * having replied 401 or 403. */
int whip_identify(struct sig_whip *whip, struct sig_http_request *request,
                  struct sig_identity *identity, bool *is_guest);

void whip_reply_refusal(struct sig_http_request *request, const struct sig_refusal *refusal);

/* WHIP or WHEP, as the path begins. */
enum sig_sdp_role whip_role(const struct sig_http_request *request);

/* whip_endpoint.c: POST, HEAD and OPTIONS of /whip/{call} and /whep/{call}. */
void whip_on_post(struct sig_http_request *request, void *data);
void whip_on_head(struct sig_http_request *request, void *data);
void whip_on_get(struct sig_http_request *request, void *data);
void whip_on_endpoint_options(struct sig_http_request *request, void *data);

/* whip_session.c: PATCH, DELETE and OPTIONS of a session's URL. */
void whip_on_patch(struct sig_http_request *request, void *data);
void whip_on_delete(struct sig_http_request *request, void *data);
void whip_on_session_options(struct sig_http_request *request, void *data);

/* whip_link.c: adds a Link header for each URL of the ICE servers (RFC 9725 section 4.4). Takes
 * over the reference; NULL adds nothing. */
void whip_add_links(struct sig_http_request *request, json_t *ice_servers);

#endif
