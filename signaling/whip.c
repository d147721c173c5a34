/* WHIP and WHEP: the routes, the table of resources, and who may touch what. */
#include "signaling/whip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "signaling/text.h"
#include "signaling/whip_internal.h"

static const struct sig_http_route routes[] = {
    {"POST", "/whip/{call}", whip_on_post, true},
    {"GET", "/whip/{call}", whip_on_get, true},
    {"OPTIONS", "/whip/{call}", whip_on_endpoint_options, true},
    {"GET", "/whip/{call}/{id}", whip_on_get, true},
    {"PATCH", "/whip/{call}/{id}", whip_on_patch, true},
    {"DELETE", "/whip/{call}/{id}", whip_on_delete, true},
    {"OPTIONS", "/whip/{call}/{id}", whip_on_session_options, true},
    {"POST", "/whep/{call}", whip_on_post, true},
    {"GET", "/whep/{call}", whip_on_get, true},
    {"HEAD", "/whep/{call}", whip_on_head, true},
    {"OPTIONS", "/whep/{call}", whip_on_endpoint_options, true},
    {"GET", "/whep/{call}/{id}", whip_on_get, true},
    {"PATCH", "/whep/{call}/{id}", whip_on_patch, true},
    {"DELETE", "/whep/{call}/{id}", whip_on_delete, true},
    {"OPTIONS", "/whep/{call}/{id}", whip_on_session_options, true},
};

struct sig_whip *sig_whip_create(const struct sig_whip_options *options) {
    struct sig_whip *whip = calloc(1, sizeof(*whip));
    if (whip != NULL)
        whip->options = *options;
    return whip;
}

void sig_whip_destroy(struct sig_whip *whip) {
    if (whip == NULL)
        return;
    for (size_t i = 0; i < WHIP_BUCKETS; i++) {
        struct whip_resource *next = NULL;
        for (struct whip_resource *resource = whip->buckets[i]; resource; resource = next) {
            next = resource->next;
            sig_session_leave(resource->session, true);
            free(resource);
        }
    }
    free(whip);
}

int sig_whip_add_routes(struct sig_whip *whip, struct sig_http *http) {
    return sig_http_add_routes(http, routes, sizeof(routes) / sizeof(routes[0]), whip);
}

size_t sig_whip_count(const struct sig_whip *whip) {
    return whip->count;
}

enum sig_sdp_role whip_role(const struct sig_http_request *request) {
    return strncmp(sig_http_path(request), "/whip/", 6) == 0 ? SIG_SDP_WHIP : SIG_SDP_WHEP;
}

/* Ids are hexadecimal and random, so two digits spread well. */
static size_t bucket_of(const char *id) {
    char digits[3] = {id[0], id[0] ? id[1] : '\0', '\0'};
    return strtoul(digits, NULL, 16) % WHIP_BUCKETS;
}

void whip_resource_renew(struct whip_resource *resource) {
    resource->etag[0] = '"';
    sig_text_random_hex(resource->etag + 1, WHIP_ETAG_BYTES);
    memcpy(resource->etag + 1 + WHIP_ETAG_BYTES * 2, "\"", 2);
}

struct whip_resource *whip_resource_create(struct sig_whip *whip, enum sig_sdp_role role,
                                           const struct sig_identity *identity, bool is_guest) {
    struct whip_resource *resource = calloc(1, sizeof(*resource));
    if (resource == NULL)
        return NULL;
    resource->whip = whip;
    resource->role = role;
    resource->is_guest = is_guest;
    memcpy(resource->user_id, identity->user_id, sizeof(resource->user_id));
    sig_text_random_hex(resource->id, WHIP_ID_BYTES);
    whip_resource_renew(resource);
    return resource;
}

void whip_resource_add(struct whip_resource *resource) {
    struct whip_resource **bucket = &resource->whip->buckets[bucket_of(resource->id)];
    resource->next = *bucket;
    *bucket = resource;
    resource->whip->count++;
}

void whip_resource_remove(struct whip_resource *resource) {
    struct whip_resource **link = &resource->whip->buckets[bucket_of(resource->id)];
    while (*link != resource)
        link = &(*link)->next;
    *link = resource->next;
    resource->whip->count--;
    free(resource);
}

struct whip_resource *whip_resource_find(struct sig_whip *whip,
                                         const struct sig_http_request *request) {
    const char *id = sig_http_param(request, "id");
    const char *call = sig_http_param(request, "call");
    struct whip_resource *resource = whip->buckets[bucket_of(id)];
    while (resource != NULL && !sig_text_is_secret(id, resource->id))
        resource = resource->next;
    return resource != NULL && resource->role == whip_role(request) &&
                   strcasecmp(call, sig_session_call_id(resource->session)) == 0
               ? resource
               : NULL;
}

/* A guest is a new user each time, so that two encoders do not take each other's place. */
static void become_guest(struct sig_identity *identity, enum sig_sdp_role role) {
    static const char prefix[] = "guest-";
    memset(identity, 0, sizeof(*identity));
    memcpy(identity->user_id, prefix, sizeof(prefix));
    sig_text_random_hex(identity->user_id + sizeof(prefix) - 1, 8);
    memcpy(identity->name, role == SIG_SDP_WHIP ? "Stream" : "Viewer", sizeof("Stream"));
    identity->can_publish = true;
    identity->can_subscribe = true;
}

int whip_identify(struct sig_whip *whip, struct sig_http_request *request,
                  struct sig_identity *identity, bool *is_guest) {
    *is_guest = sig_auth_is_demo(whip->options.auth) &&
                sig_auth_check(whip->options.auth, request, identity, NULL) == -ENOENT;
    if (*is_guest) {
        become_guest(identity, whip_role(request));
        return 0;
    }
    return sig_auth_require(whip->options.auth, request, identity);
}

void whip_reply_refusal(struct sig_http_request *request, const struct sig_refusal *refusal) {
    sig_http_error(request, refusal->status, refusal->code, "%s", refusal->words);
}
