#include "signaling/api.h"

#include <stdlib.h>
#include <time.h>

#include "signaling/api_internal.h"
#include "signaling/turn.h"
#include "signaling/web.h"
#include "signaling/when.h"

struct sig_api *sig_api_create(const struct sig_api_options *options) {
    struct sig_api *api = calloc(1, sizeof(*api));
    if (!api)
        return NULL;
    api->options = *options;
    if (!api->options.wall_ms)
        api->options.wall_ms = sig_when_now_ms;
    return api;
}

void sig_api_destroy(struct sig_api *api) {
    free(api);
}

/* Not going on: it is over, or it never was. */
static void on_past_call(void *data, int status, const struct sig_call *const *calls, size_t count,
                         size_t total) {
    struct sig_pending *pending = data;
    (void)total;
    if (sig_api_may_answer(pending, status, count ? calls[0] : NULL))
        sig_http_error(pending->request, 409, "call_over", "This call is over");
    sig_pending_finish(pending);
}

static void refuse_act(struct sig_pending *pending, const char *id,
                       const struct sig_refusal *refusal) {
    if (refusal->status == 404) {
        sig_api_find_call(pending, id, on_past_call, pending);
        sig_pending_wait(pending);
    } else {
        sig_api_refuse(pending->request, refusal);
        sig_pending_free(pending);
    }
}

static void act(struct sig_http_request *request, struct sig_api *api, enum sig_call_event event) {
    struct sig_identity identity;
    struct sig_refusal refusal;
    if (sig_auth_require(api->options.auth, request, &identity) < 0)
        return;
    const char *id = sig_api_require_call_id(request);
    struct sig_pending *pending = id ? sig_pending_create(api, request, &identity) : NULL;
    if (!pending)
        return;
    sig_api_remember_user(api, &identity);
    pending->answer = event == SIG_CALL_EVENT_JOIN
                          ? json_pack("{s:b, s:s, s:s}", "success", 1, "call_id", id, "room_id", id)
                          : json_pack("{s:b}", "success", 1);
    if (sig_calls_act(api->options.calls, id, &identity, event, &refusal, sig_api_on_stored,
                      pending) == 0) {
        sig_pending_wait(pending);
        return;
    }
    refuse_act(pending, id, &refusal);
}

static void handle_join(struct sig_http_request *request, void *data) {
    act(request, data, SIG_CALL_EVENT_JOIN);
}

static void handle_leave(struct sig_http_request *request, void *data) {
    act(request, data, SIG_CALL_EVENT_LEAVE);
}

static void handle_end(struct sig_http_request *request, void *data) {
    act(request, data, SIG_CALL_EVENT_END);
}

static void handle_reject(struct sig_http_request *request, void *data) {
    act(request, data, SIG_CALL_EVENT_REJECT);
}

static void handle_missed(struct sig_http_request *request, void *data) {
    act(request, data, SIG_CALL_EVENT_MISS);
}

static void handle_ice_servers(struct sig_http_request *request, void *data) {
    struct sig_api *api = data;
    struct sig_identity identity;
    if (sig_auth_require(api->options.auth, request, &identity) < 0)
        return;
    json_t *servers =
        sig_turn_servers(api->options.config, identity.user_id, api->options.wall_ms() / 1000);
    sig_http_add_header(request, "Cache-Control", "no-store");
    sig_http_reply_json(request, 200,
                        json_pack("{s:b, s:o, s:i}", "success", 1, "iceServers", servers, "ttl",
                                  SIG_TURN_LIFETIME_S));
}

static void handle_page(struct sig_http_request *request, void *data) {
    (void)data;
    sig_web_reply_page(request, "call.html");
}

/* Browsers ask for it on every page without an icon of its own, even on JSON. */
static void handle_icon(struct sig_http_request *request, void *data) {
    (void)data;
    sig_web_reply_page(request, "weir.svg");
}

/* Who one is, and whether a name is all that it takes to be somebody else. */
static void handle_me(struct sig_http_request *request, void *data) {
    struct sig_api *api = data;
    struct sig_identity identity;
    if (sig_auth_require(api->options.auth, request, &identity) < 0)
        return;
    if (identity.is_session)
        sig_auth_renew(api->options.auth, request);
    sig_http_reply_json(request, 200,
                        json_pack("{s:b, s:s, s:s, s:b}", "success", 1, "user_id", identity.user_id,
                                  "name", identity.name, "demo",
                                  sig_auth_is_demo(api->options.auth)));
}

int sig_api_add_routes(struct sig_api *api, struct sig_http *http) {
    static const struct sig_http_route routes[] = {
        {.method = "POST",
         .path = "/calls/initiate",
         .handler = sig_api_handle_initiate,
         .cors = true},
        {.method = "GET", .path = "/calls/{id}", .handler = handle_page},
        {.method = "POST", .path = "/calls/{id}/join", .handler = handle_join, .cors = true},
        {.method = "POST", .path = "/calls/{id}/leave", .handler = handle_leave, .cors = true},
        {.method = "POST", .path = "/calls/{id}/end", .handler = handle_end, .cors = true},
        {.method = "POST", .path = "/calls/{id}/reject", .handler = handle_reject, .cors = true},
        {.method = "POST", .path = "/calls/{id}/missed", .handler = handle_missed, .cors = true},
        {.method = "GET",
         .path = "/calls/{id}/status",
         .handler = sig_api_handle_status,
         .cors = true},
        {.method = "POST",
         .path = "/calls/{id}/participants/{user}/remove",
         .handler = sig_api_handle_remove,
         .cors = true},
        {.method = "GET",
         .path = "/api/v1/calls/{id}/participants/{user}/why",
         .handler = sig_api_handle_why,
         .cors = true},
        {.method = "GET", .path = "/favicon.ico", .handler = handle_icon},
        {.method = "GET", .path = "/api/v1/me", .handler = handle_me, .cors = true},
        {.method = "GET", .path = "/api/v1/users", .handler = sig_api_handle_users, .cors = true},
        {.method = "GET",
         .path = "/api/v1/channels",
         .handler = sig_api_handle_channels,
         .cors = true},
        {.method = "POST",
         .path = "/api/v1/channels",
         .handler = sig_api_handle_channel_create,
         .cors = true},
        {.method = "GET",
         .path = "/api/v1/channels/{id}",
         .handler = sig_api_handle_channel,
         .cors = true},
        {.method = "POST",
         .path = "/api/v1/channels/{id}/join",
         .handler = sig_api_handle_channel_join,
         .cors = true},
        {.method = "POST",
         .path = "/api/v1/channels/{id}/leave",
         .handler = sig_api_handle_channel_leave,
         .cors = true},
        {.method = "GET", .path = "/api/v1/calls", .handler = sig_api_handle_history, .cors = true},
        {.method = "GET",
         .path = "/api/v1/calls/{id}/analytics",
         .handler = sig_api_handle_analytics,
         .cors = true},
        {.method = "GET",
         .path = "/api/v1/ice-servers",
         .handler = handle_ice_servers,
         .cors = true},
    };
    return sig_http_add_routes(http, routes, sizeof(routes) / sizeof(routes[0]), api);
}
