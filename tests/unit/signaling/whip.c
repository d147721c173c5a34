/* WHIP and WHEP without a server: the handlers get requests from here, and what they call of HTTP,
 * tokens, calls and sessions stands here too. */
#include "signaling/whip.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "signaling/session.h"
#include "tests/unit/signaling/sdp_fixture.h"

#define CALL "3b8e0c9a-5f7d-4d1e-9c57-0a4f6d2b8e11"
#define SDP "application/sdp"
#define FRAGMENT "application/trickle-ice-sdpfrag"

/* A request and its reply. */
struct sig_http_request {
    const char *method;
    const char *path;
    const char *call;
    const char *id;
    const char *type;
    const char *if_match;
    const char *accept;
    const char *body;
    const char *user; /* NULL: no credentials. */

    unsigned status;
    char code[64];
    char reply_type[64];
    char text[20000];
    char location[128];
    char etag[64];
    char links[2048];
    char retry_after[16];
    char accept_post[64];
};

struct sig_session {
    const struct sig_session_owner *owner;
    void *data;
    enum sig_sdp_role role;
    bool create_call;
    char user_id[SIG_USER_ID_SIZE];
};

/* The world around. */
static bool is_demo;
static bool has_tracks;
static bool is_known_call;
static bool is_draining;
static bool restarts;
static unsigned offers;
static unsigned left;
static struct sig_session *newest;
static struct sig_calls *const no_calls = NULL;
static struct sig_auth *const no_auth = NULL;
static const struct sig_http_route *routes;
static size_t route_count;
static void *route_data;

int sig_http_add_routes(struct sig_http *http, const struct sig_http_route *added, size_t count,
                        void *data) {
    (void)http;
    routes = added;
    route_count = count;
    route_data = data;
    return 0;
}

const char *sig_http_path(const struct sig_http_request *request) {
    return request->path;
}

const char *sig_http_param(const struct sig_http_request *request, const char *name) {
    return strcmp(name, "call") == 0 ? request->call : request->id;
}

const char *sig_http_header(const struct sig_http_request *request, const char *name) {
    return strcmp(name, "If-Match") == 0 ? request->if_match : request->accept;
}

const char *sig_http_body(const struct sig_http_request *request, size_t *len) {
    *len = strlen(request->body);
    return request->body;
}

bool sig_http_has_type(const struct sig_http_request *request, const char *content_type) {
    return request->type != NULL && strcasecmp(request->type, content_type) == 0;
}

void sig_http_add_header(struct sig_http_request *request, const char *name, const char *value) {
    if (strcmp(name, "Location") == 0)
        snprintf(request->location, sizeof(request->location), "%s", value);
    else if (strcmp(name, "ETag") == 0)
        snprintf(request->etag, sizeof(request->etag), "%s", value);
    else if (strcmp(name, "Retry-After") == 0)
        snprintf(request->retry_after, sizeof(request->retry_after), "%s", value);
    else if (strcmp(name, "Accept-Post") == 0)
        snprintf(request->accept_post, sizeof(request->accept_post), "%s", value);
    else if (strcmp(name, "Link") == 0)
        snprintf(request->links + strlen(request->links),
                 sizeof(request->links) - strlen(request->links), "%s\n", value);
}

void sig_http_reply(struct sig_http_request *request, unsigned status, const char *content_type,
                    const void *body, size_t len) {
    CHECK_INT(request->status, 0);
    request->status = status;
    snprintf(request->reply_type, sizeof(request->reply_type), "%s",
             content_type ? content_type : "");
    snprintf(request->text, sizeof(request->text), "%.*s", (int)len,
             body ? (const char *)body : "");
}

void sig_http_error(struct sig_http_request *request, unsigned status, const char *code,
                    const char *format, ...) {
    va_list args;
    CHECK_INT(request->status, 0);
    request->status = status;
    snprintf(request->code, sizeof(request->code), "%s", code);
    va_start(args, format);
    vsnprintf(request->text, sizeof(request->text), format, args);
    va_end(args);
}

bool sig_auth_is_demo(const struct sig_auth *auth) {
    (void)auth;
    return is_demo;
}

int sig_auth_check(struct sig_auth *auth, const struct sig_http_request *request,
                   struct sig_identity *identity, const char **why) {
    (void)auth;
    (void)why;
    if (request->user == NULL)
        return -ENOENT;
    *identity = (struct sig_identity){.can_publish = true, .can_subscribe = true};
    snprintf(identity->user_id, sizeof(identity->user_id), "%s", request->user);
    return 0;
}

int sig_auth_require(struct sig_auth *auth, struct sig_http_request *request,
                     struct sig_identity *identity) {
    int result = sig_auth_check(auth, request, identity, NULL);
    if (result < 0)
        sig_http_error(request, 401, "unauthorized", "no");
    return result;
}

bool sig_identity_may_enter(const struct sig_identity *identity, const char *call_id) {
    (void)identity;
    (void)call_id;
    return true;
}

bool sig_calls_is_draining(const struct sig_calls *calls) {
    (void)calls;
    return is_draining;
}

const struct sig_call *sig_calls_find(const struct sig_calls *calls, const char *call_id) {
    static int call;
    (void)calls;
    (void)call_id;
    return is_known_call ? (const struct sig_call *)(const void *)&call : NULL;
}

bool sig_calls_was(const struct sig_calls *calls, const char *call_id) {
    (void)calls;
    (void)call_id;
    return false;
}

bool sig_calls_has_tracks(const struct sig_calls *calls, const char *call_id) {
    (void)calls;
    (void)call_id;
    return has_tracks;
}

int sig_refuse(struct sig_refusal *refusal, unsigned status, const char *code, const char *format,
               ...) {
    (void)format;
    *refusal = (struct sig_refusal){.status = status, .code = code};
    return -EPROTO;
}

int sig_session_create(struct sig_session **out, struct sig_calls *calls, const char *call_id,
                       const struct sig_session_options *options, struct sig_refusal *refusal) {
    (void)calls;
    (void)call_id;
    if (is_draining)
        return sig_refuse(refusal, 503, "draining", "going down");
    if (!is_known_call && !options->create_call)
        return sig_refuse(refusal, 404, "unknown_call", "no such call");
    struct sig_session *session = calloc(1, sizeof(*session));
    session->owner = options->owner;
    session->data = options->data;
    session->role = options->role;
    session->create_call = options->create_call;
    memcpy(session->user_id, options->identity->user_id, sizeof(session->user_id));
    *out = newest = session;
    return 0;
}

int sig_session_offer(struct sig_session *session, const char *sdp, size_t len, char **answer,
                      struct sig_refusal *refusal) {
    (void)session;
    (void)sdp;
    (void)len;
    offers++;
    if (offers == 13)
        return sig_refuse(refusal, 429, "too_many_tracks", "no");
    *answer = strdup("v=0\r\n");
    return 0;
}

int sig_session_patch(struct sig_session *session, const struct sig_sdpfrag *fragment,
                      char **answer, struct sig_refusal *refusal) {
    (void)session;
    (void)fragment;
    (void)refusal;
    *answer = restarts ? strdup("a=ice-lite\r\n") : NULL;
    return 0;
}

void sig_session_leave(struct sig_session *session, bool is_final) {
    CHECK(is_final);
    left++;
    free(session);
}

const char *sig_session_call_id(const struct sig_session *session) {
    (void)session;
    return CALL;
}

const char *sig_session_user_id(const struct sig_session *session) {
    return session->user_id;
}

static json_t *ice_servers(void *ctx, const char *user_id) {
    (void)ctx;
    (void)user_id;
    return json_pack("[{s:s},{s:[s,s],s:s,s:s}]", "urls", "stun:192.0.2.1:3478", "urls",
                     "turn:192.0.2.1:3478", "turn:192.0.2.1:443?transport=tcp", "username",
                     "1763900000:\"a\"", "credential", "c2VjcmV0");
}

static struct sig_whip *open_whip(void) {
    struct sig_whip_options options = {
        .calls = no_calls, .auth = no_auth, .max_mlines = 16, .ice_servers = ice_servers};
    struct sig_whip *whip = sig_whip_create(&options);
    is_demo = true;
    sig_whip_add_routes(whip, NULL);
    return whip;
}

/* Finds the route as the router does, and calls it. */
static struct sig_http_request *ask(struct sig_http_request *request) {
    char pattern[64];
    snprintf(pattern, sizeof(pattern), "%.5s/{call}%s", request->path, request->id ? "/{id}" : "");
    if (request->body == NULL)
        request->body = "";
    if (request->call == NULL)
        request->call = CALL;
    for (size_t i = 0; i < route_count; i++) {
        if (strcmp(routes[i].method, request->method) != 0 || strcmp(routes[i].path, pattern) != 0)
            continue;
        CHECK(routes[i].cors);
        routes[i].handler(request, route_data);
        return request;
    }
    test_fail(__FILE__, __LINE__, "no route %s %s", request->method, pattern);
}

static char *publisher_offer(void) {
    return sdp_read("libdatachannel-whip");
}

static struct sig_http_request *publish(struct sig_http_request *request, const char *user) {
    char *offer = publisher_offer();
    *request = (struct sig_http_request){
        .method = "POST", .path = "/whip/" CALL, .type = SDP, .body = offer, .user = user};
    ask(request);
    request->body = NULL;
    free(offer);
    return request;
}

static struct sig_http_request *watch(struct sig_http_request *request) {
    char *offer = sdp_read("pion-whep");
    *request = (struct sig_http_request){
        .method = "POST", .path = "/whep/" CALL, .type = SDP, .body = offer};
    ask(request);
    request->body = NULL;
    free(offer);
    return request;
}

/* The last segment of the Location. */
static const char *id_of(const struct sig_http_request *request) {
    return strrchr(request->location, '/') + 1;
}

static const char candidate[] = "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n";

static struct sig_http_request *patch(struct sig_http_request *request, const char *id,
                                      const char *if_match, const char *user) {
    *request = (struct sig_http_request){.method = "PATCH",
                                         .path = "/whip/" CALL,
                                         .id = id,
                                         .type = FRAGMENT,
                                         .if_match = if_match,
                                         .body = candidate,
                                         .user = user};
    return ask(request);
}

static void a_post_makes_a_session(void) {
    struct sig_http_request request;
    struct sig_whip *whip = open_whip();
    CHECK_INT(publish(&request, NULL)->status, 201);
    CHECK_STR(request.reply_type, SDP);
    CHECK_STR(request.text, "v=0\r\n");
    CHECK(strncmp(request.location, "/whip/" CALL "/", 43) == 0);
    CHECK_INT(strlen(id_of(&request)), 32); /* 128 bits. */
    CHECK_INT(strlen(request.etag), 18);
    CHECK(request.etag[0] == '"' && request.etag[17] == '"');
    CHECK_INT(newest->role, SIG_SDP_WHIP);
    CHECK(newest->create_call);
    CHECK_INT(sig_whip_count(whip), 1);
    sig_whip_destroy(whip);
    CHECK_INT(left, 1);
}

static void ice_servers_are_links(void) {
    struct sig_http_request request;
    struct sig_whip *whip = open_whip();
    publish(&request, NULL);
    CHECK_STR(request.links,
              "<stun:192.0.2.1:3478>; rel=\"ice-server\"\n"
              "<turn:192.0.2.1:3478>; rel=\"ice-server\"; username=\"1763900000:\\\"a\\\"\"; "
              "credential=\"c2VjcmV0\"; credential-type=\"password\"\n"
              "<turn:192.0.2.1:443?transport=tcp>; rel=\"ice-server\"; "
              "username=\"1763900000:\\\"a\\\"\"; credential=\"c2VjcmV0\"; "
              "credential-type=\"password\"\n");
    sig_whip_destroy(whip);
}

static void bad_posts_are_refused_before_anyone_notices(void) {
    char *offer = publisher_offer();
    struct {
        struct sig_http_request request;
        unsigned status;
        const char *code;
    } rows[] = {
        {{.type = "text/plain", .body = offer}, 415, "unsupported_media_type"},
        {{.type = NULL, .body = offer}, 415, "unsupported_media_type"},
        {{.type = SDP, .body = offer, .accept = "text/html, application/json"},
         406,
         "not_acceptable"},
        {{.type = SDP, .body = offer, .call = "not-a-uuid"}, 404, "unknown_call"},
        {{.type = SDP, .body = ""}, 400, "sdp_malformed"},
        {{.type = SDP, .body = "v=0\r\n"}, 400, "sdp_no_media"},
        {{.type = SDP, .body = short_offer}, 422, "sdp_direction"},
    };
    struct sig_whip *whip = open_whip();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rows[i].request.method = "POST";
        rows[i].request.path = "/whip/x";
        ask(&rows[i].request);
        CHECK_INT(rows[i].request.status, rows[i].status);
        CHECK_STR(rows[i].request.code, rows[i].code);
    }
    CHECK(newest == NULL);
    CHECK_STR(rows[0].request.accept_post, SDP);
    struct sig_http_request fine = {.method = "POST",
                                    .path = "/whip/x",
                                    .type = "Application/SDP",
                                    .accept = "text/html, application/*;q=0.5",
                                    .body = offer};
    CHECK_INT(ask(&fine)->status, 201);
    sig_whip_destroy(whip);
    free(offer);
}

static void credentials_are_asked_for_outside_of_the_demo(void) {
    struct sig_http_request request;
    struct sig_whip *whip = open_whip();
    is_demo = false;
    is_known_call = true;
    CHECK_INT(publish(&request, NULL)->status, 401);
    CHECK_INT(publish(&request, "ann")->status, 201);
    CHECK(!newest->create_call);
    is_known_call = false;
    CHECK_INT(publish(&request, "ann")->status, 404);
    sig_whip_destroy(whip);
}

static void a_session_that_cannot_be_negotiated_is_left(void) {
    struct sig_http_request request;
    struct sig_whip *whip = open_whip();
    offers = 12;
    CHECK_INT(publish(&request, NULL)->status, 429);
    CHECK_INT(sig_whip_count(whip), 0);
    CHECK_INT(left, 1);
    sig_whip_destroy(whip);
}

static void a_viewer_waits_until_something_is_published(void) {
    struct sig_http_request request;
    struct sig_whip *whip = open_whip();
    CHECK_INT(watch(&request)->status, 409);
    CHECK_STR(request.retry_after, "3");
    is_known_call = true;
    CHECK_INT(watch(&request)->status, 409);
    has_tracks = true;
    CHECK_INT(watch(&request)->status, 201);
    CHECK(strncmp(request.location, "/whep/", 6) == 0);
    CHECK_INT(newest->role, SIG_SDP_WHEP);
    CHECK(!newest->create_call);
    is_draining = true;
    has_tracks = false;
    CHECK_INT(watch(&request)->status, 503);
    sig_whip_destroy(whip);
}

static void trickling_is_204_and_needs_the_etag(void) {
    struct sig_http_request made;
    struct sig_http_request request;
    char list[128];
    struct sig_whip *whip = open_whip();
    publish(&made, NULL);
    CHECK_INT(patch(&request, id_of(&made), made.etag, NULL)->status, 204);
    CHECK_STR(request.etag, "");
    CHECK_STR(request.text, "");
    CHECK_INT(patch(&request, id_of(&made), NULL, NULL)->status, 428);
    CHECK_INT(patch(&request, id_of(&made), "\"another\"", NULL)->status, 412);
    snprintf(list, sizeof(list), "\"another\", %s", made.etag);
    CHECK_INT(patch(&request, id_of(&made), list, NULL)->status, 204);
    snprintf(list, sizeof(list), "W/%s", made.etag);
    CHECK_INT(patch(&request, id_of(&made), list, NULL)->status, 412);
    CHECK_INT(patch(&request, id_of(&made), "*", NULL)->status, 204);
    sig_whip_destroy(whip);
}

static void a_restart_makes_the_old_etag_stale(void) {
    struct sig_http_request made;
    struct sig_http_request request;
    struct sig_whip *whip = open_whip();
    publish(&made, NULL);
    restarts = true;
    CHECK_INT(patch(&request, id_of(&made), "*", NULL)->status, 200);
    CHECK_STR(request.reply_type, FRAGMENT);
    CHECK_STR(request.text, "a=ice-lite\r\n");
    CHECK(request.etag[0] == '"' && strcmp(request.etag, made.etag) != 0);
    restarts = false;
    struct sig_http_request late;
    CHECK_INT(patch(&late, id_of(&made), made.etag, NULL)->status, 412);
    CHECK_INT(patch(&late, id_of(&made), request.etag, NULL)->status, 204);
    sig_whip_destroy(whip);
}

static void bad_patches_are_refused(void) {
    struct sig_http_request made;
    struct sig_whip *whip = open_whip();
    publish(&made, NULL);
    struct sig_http_request typed = {
        .method = "PATCH", .path = "/whip/x", .id = id_of(&made), .type = SDP, .if_match = "*"};
    CHECK_INT(ask(&typed)->status, 415);
    struct sig_http_request nonsense = {.method = "PATCH",
                                        .path = "/whip/x",
                                        .id = id_of(&made),
                                        .type = FRAGMENT,
                                        .if_match = "*",
                                        .body = "nonsense"};
    CHECK_INT(ask(&nonsense)->status, 400);
    struct sig_http_request request;
    CHECK_INT(patch(&request, "00000000000000000000000000000000", "*", NULL)->status, 404);
    CHECK_INT(patch(&request, "x", "*", NULL)->status, 404);
    sig_whip_destroy(whip);
}

static void only_its_maker_touches_a_session(void) {
    struct sig_http_request made;
    struct sig_http_request request;
    struct sig_whip *whip = open_whip();
    publish(&made, "ann");
    CHECK_INT(patch(&request, id_of(&made), "*", "bob")->status, 403);
    CHECK_INT(patch(&request, id_of(&made), "*", NULL)->status, 403);
    CHECK_INT(patch(&request, id_of(&made), "*", "ann")->status, 204);
    struct sig_http_request other = {
        .method = "DELETE", .path = "/whip/x", .id = id_of(&made), .user = "bob"};
    CHECK_INT(ask(&other)->status, 403);
    struct sig_http_request kind = {
        .method = "DELETE", .path = "/whep/x", .id = id_of(&made), .user = "ann"};
    CHECK_INT(ask(&kind)->status, 404);
    CHECK_INT(sig_whip_count(whip), 1);
    sig_whip_destroy(whip);
}

static void delete_ends_a_session(void) {
    struct sig_http_request made;
    struct sig_whip *whip = open_whip();
    publish(&made, NULL);
    struct sig_http_request request = {
        .method = "DELETE", .path = "/whip/x", .id = id_of(&made), .if_match = "\"wrong\""};
    CHECK_INT(ask(&request)->status, 200);
    CHECK_INT(left, 1);
    CHECK_INT(sig_whip_count(whip), 0);
    request.status = 0;
    CHECK_INT(ask(&request)->status, 404);
    sig_whip_destroy(whip);
}

static void a_session_that_ends_elsewhere_is_gone(void) {
    struct sig_http_request made;
    struct sig_http_request request;
    struct sig_whip *whip = open_whip();
    publish(&made, NULL);
    newest->owner->on_end(newest->data, SIG_SESSION_MEDIA_LOST);
    free(newest);
    CHECK_INT(patch(&request, id_of(&made), "*", NULL)->status, 404);
    CHECK_INT(left, 0);
    sig_whip_destroy(whip);
}

static void other_methods_say_what_is_possible(void) {
    struct sig_whip *whip = open_whip();
    struct sig_http_request options = {.method = "OPTIONS", .path = "/whip/x"};
    CHECK_INT(ask(&options)->status, 200);
    CHECK_STR(options.accept_post, SDP);
    struct sig_http_request head = {.method = "HEAD", .path = "/whep/x"};
    CHECK_INT(ask(&head)->status, 200);
    CHECK_STR(head.reply_type, SDP);
    struct sig_http_request get = {.method = "GET", .path = "/whip/x"};
    CHECK_INT(ask(&get)->status, 204);
    sig_whip_destroy(whip);
}

static const struct test tests[] = {
    {"a_post_makes_a_session", a_post_makes_a_session},
    {"ice_servers_are_links", ice_servers_are_links},
    {"bad_posts_are_refused_before_anyone_notices", bad_posts_are_refused_before_anyone_notices},
    {"credentials_are_asked_for_outside_of_the_demo",
     credentials_are_asked_for_outside_of_the_demo},
    {"a_session_that_cannot_be_negotiated_is_left", a_session_that_cannot_be_negotiated_is_left},
    {"a_viewer_waits_until_something_is_published", a_viewer_waits_until_something_is_published},
    {"trickling_is_204_and_needs_the_etag", trickling_is_204_and_needs_the_etag},
    {"a_restart_makes_the_old_etag_stale", a_restart_makes_the_old_etag_stale},
    {"bad_patches_are_refused", bad_patches_are_refused},
    {"only_its_maker_touches_a_session", only_its_maker_touches_a_session},
    {"delete_ends_a_session", delete_ends_a_session},
    {"a_session_that_ends_elsewhere_is_gone", a_session_that_ends_elsewhere_is_gone},
    {"other_methods_say_what_is_possible", other_methods_say_what_is_possible},
};

TEST_MAIN(tests)
