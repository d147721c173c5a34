#include "signaling/api.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "signaling/turn.h"
#include "signaling/web.h"

#define PAGE_SIZE 20
#define PAGE_SIZE_MAX 100
#define PAGE_MAX 1000000

struct sig_api {
    struct sig_api_options options;
};

static uint64_t clock_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct sig_api *sig_api_create(const struct sig_api_options *options) {
    struct sig_api *api = calloc(1, sizeof(*api));
    if (!api)
        return NULL;
    api->options = *options;
    if (!api->options.wall_ms)
        api->options.wall_ms = clock_ms;
    return api;
}

void sig_api_destroy(struct sig_api *api) {
    free(api);
}

/* An answer that waits for the store: at once, with a store in memory, or in a later turn. */
struct pending {
    struct sig_api *api;
    struct sig_http_request *request; /* NULL: it is gone. */
    json_t *answer;                   /* Owned. What is told when the store has it. */
    struct sig_identity identity;
    char call_id[SIG_UUID_SIZE];
    size_t page;
    size_t page_size;
    enum sig_store_order order;
    bool is_suspended;
    bool is_done;
};

static struct pending *pending_create(struct sig_api *api, struct sig_http_request *request,
                                      const struct sig_identity *identity) {
    struct pending *pending = calloc(1, sizeof(*pending));
    if (!pending) {
        sig_http_error(request, 503, "out_of_memory", "The server is out of memory");
        return NULL;
    }
    pending->api = api;
    pending->request = request;
    pending->identity = *identity;
    return pending;
}

static void pending_free(struct pending *pending) {
    json_decref(pending->answer);
    free(pending);
}

static void on_gone(struct sig_http_request *request, void *data) {
    (void)request;
    ((struct pending *)data)->request = NULL;
}

/* The handler's end: either the reply has been made by now, or it comes later. */
static void pending_wait(struct pending *pending) {
    if (pending->is_done) {
        pending_free(pending);
        return;
    }
    pending->is_suspended = true;
    sig_http_suspend(pending->request, on_gone, pending);
}

/* The callback's end. */
static void pending_finish(struct pending *pending) {
    pending->is_done = true;
    if (pending->is_suspended)
        pending_free(pending);
}

static void reply_refusal(struct sig_http_request *request, const struct sig_refusal *refusal) {
    sig_http_error(request, refusal->status, refusal->code, "%s", refusal->words);
}

static void on_stored(void *data, int status) {
    struct pending *pending = data;
    if (pending->request && status < 0)
        sig_http_error(pending->request, 503, "not_stored", "The change could not be stored");
    else if (pending->request)
        sig_http_reply_json(pending->request, 200, json_incref(pending->answer));
    pending_finish(pending);
}

static void remember_user(struct sig_api *api, const struct sig_identity *identity) {
    sig_store_save_user(api->options.store, identity->user_id, identity->name, NULL, NULL);
}

/* The call that the path names, in a shape that may be looked for; NULL after a 404. */
static const char *require_call_id(struct sig_http_request *request) {
    const char *id = sig_http_param(request, "id");
    if (id && sig_text_is_uuid(id))
        return id;
    sig_http_error(request, 404, "unknown_call", "There is no such call");
    return NULL;
}

static void act(struct sig_http_request *request, struct sig_api *api, enum sig_call_event event) {
    struct sig_identity identity;
    struct sig_refusal refusal;
    if (sig_auth_require(api->options.auth, request, &identity) < 0)
        return;
    const char *id = require_call_id(request);
    struct pending *pending = id ? pending_create(api, request, &identity) : NULL;
    if (!pending)
        return;
    remember_user(api, &identity);
    pending->answer = event == SIG_CALL_EVENT_JOIN
                          ? json_pack("{s:b, s:s, s:s}", "success", 1, "call_id", id, "room_id", id)
                          : json_pack("{s:b}", "success", 1);
    if (sig_calls_act(api->options.calls, id, &identity, event, &refusal, on_stored, pending) ==
        0) {
        pending_wait(pending);
        return;
    }
    reply_refusal(request, &refusal);
    pending_free(pending);
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

/* Reads the list of invited users; *out is to be freed, its strings are the body's. */
static int read_users(const json_t *body, size_t max, const char ***out, size_t *count,
                      struct sig_refusal *refusal) {
    const json_t *list = json_object_get(body, "user_ids");
    *count = json_array_size(list);
    if (list && !json_is_null(list) && !json_is_array(list))
        return sig_refuse(refusal, 400, "bad_request", "user_ids has to be a list of user ids");
    if (max && *count > max)
        return sig_refuse(refusal, 429, "too_many_participants",
                          "A call has at most %zu participants", max);
    *out = calloc(*count + 1, sizeof(**out));
    if (!*out)
        return sig_refuse_memory(refusal);
    for (size_t i = 0; i < *count; i++) {
        (*out)[i] = json_string_value(json_array_get(list, i));
        if ((*out)[i] && sig_text_is_user_id((*out)[i]))
            continue;
        free(*out);
        *out = NULL;
        return sig_refuse(refusal, 400, "bad_request", "user_ids[%zu] is no user id", i);
    }
    return 0;
}

static int read_invitation(const json_t *body, struct sig_calls_invitation *out,
                           struct sig_refusal *refusal) {
    const json_t *type = json_object_get(body, "call_type");
    const json_t *channel = json_object_get(body, "channel_id");
    out->channel_id = json_string_value(channel);
    out->type = SIG_CALL_AUDIO;
    if (type && sig_call_type_read(json_string_value(type), &out->type) < 0)
        return sig_refuse(refusal, 400, "bad_request", "call_type has to be AUDIO or VIDEO");
    if (channel && !json_is_null(channel) &&
        !(out->channel_id && sig_text_is_user_id(out->channel_id)))
        return sig_refuse(refusal, 400, "bad_request", "channel_id is no id");
    return 0;
}

static int initiate(struct sig_api *api, struct pending *pending, const json_t *body,
                    struct sig_refusal *refusal) {
    char id[SIG_UUID_SIZE];
    struct sig_calls_invitation invitation = {.id = id};
    const struct sig_call *call = NULL;
    const char **users = NULL;
    size_t max = (size_t)api->options.config->max_participants_per_call;
    int status = read_invitation(body, &invitation, refusal);
    if (status == 0)
        status = read_users(body, max, &users, &invitation.user_count, refusal);
    if (status < 0)
        return status;
    sig_text_random_uuid(id);
    invitation.user_ids = users;
    pending->answer = json_pack("{s:b, s:s, s:s}", "success", 1, "call_id", id, "room_id", id);
    status = sig_calls_initiate(api->options.calls, &pending->identity, &invitation, &call, refusal,
                                on_stored, pending);
    free(users);
    return status;
}

static void handle_initiate(struct sig_http_request *request, void *data) {
    struct sig_api *api = data;
    struct sig_identity identity;
    struct sig_refusal refusal;
    if (sig_auth_require(api->options.auth, request, &identity) < 0)
        return;
    json_t *body = sig_http_body_json(request);
    struct pending *pending = body ? pending_create(api, request, &identity) : NULL;
    if (pending) {
        remember_user(api, &identity);
        if (initiate(api, pending, body, &refusal) == 0) {
            pending_wait(pending);
        } else {
            reply_refusal(request, &refusal);
            pending_free(pending);
        }
    }
    json_decref(body);
}

static bool may_see(const struct sig_call *call, const struct sig_identity *identity) {
    return sig_identity_may_enter(identity, call->id) &&
           (call->is_open || identity->is_admin || identity->call[0] ||
            sig_call_find(call, identity->user_id));
}

static void reply_status(struct pending *pending, const struct sig_call *call) {
    uint64_t now_ms = pending->api->options.wall_ms();
    if (!call)
        sig_http_error(pending->request, 404, "unknown_call", "There is no such call");
    else if (!may_see(call, &pending->identity))
        sig_http_error(pending->request, 403, "not_invited", "You are not invited to this call");
    else
        sig_http_reply_json(pending->request, 200, sig_api_status_json(call, now_ms));
}

static void on_call_found(void *data, int status, const struct sig_call *const *calls, size_t count,
                          size_t total) {
    struct pending *pending = data;
    (void)total;
    if (pending->request && status < 0)
        sig_http_error(pending->request, 503, "store_failed", "The store does not answer");
    else if (pending->request)
        reply_status(pending, count ? calls[0] : NULL);
    pending_finish(pending);
}

/* Calls that go on are asked themselves: only they know whose microphone is on. */
static void handle_status(struct sig_http_request *request, void *data) {
    struct sig_api *api = data;
    struct sig_identity identity;
    if (sig_auth_require(api->options.auth, request, &identity) < 0)
        return;
    const char *id = require_call_id(request);
    struct pending *pending = id ? pending_create(api, request, &identity) : NULL;
    if (!pending)
        return;
    const struct sig_call *call = sig_calls_find(api->options.calls, id);
    if (call) {
        on_call_found(pending, 0, &call, 1, 1);
    } else {
        char lower[SIG_UUID_SIZE];
        for (size_t i = 0; i < sizeof(lower); i++)
            lower[i] = (char)tolower((unsigned char)id[i]);
        sig_store_find_call(api->options.store, lower, on_call_found, pending);
    }
    pending_wait(pending);
}

/* A link to another page of the list, or null. */
static json_t *page_link(const struct pending *pending, size_t page, bool exists) {
    if (!exists)
        return json_null();
    return json_sprintf("/api/v1/calls/?ordering=%s&page=%zu&page_size=%zu",
                        pending->order == SIG_STORE_NEWEST_FIRST ? "-created_at" : "created_at",
                        page, pending->page_size);
}

static json_t *history_json(const struct pending *pending, const struct sig_call *const *calls,
                            size_t count, size_t total) {
    json_t *results = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(results, sig_api_history_json(calls[i], pending->identity.user_id,
                                                            pending->api->options.wall_ms()));
    bool has_next = pending->page * pending->page_size < total;
    return json_pack("{s:b, s:I, s:I, s:o, s:o, s:o}", "success", 1, "count", (json_int_t)total,
                     "page", (json_int_t)pending->page, "next",
                     page_link(pending, pending->page + 1, has_next), "previous",
                     page_link(pending, pending->page - 1, pending->page > 1), "results", results);
}

static void on_calls_found(void *data, int status, const struct sig_call *const *calls,
                           size_t count, size_t total) {
    struct pending *pending = data;
    if (pending->request && status < 0)
        sig_http_error(pending->request, 503, "store_failed", "The store does not answer");
    else if (pending->request)
        sig_http_reply_json(pending->request, 200, history_json(pending, calls, count, total));
    pending_finish(pending);
}

/* A positive number of the query, or `otherwise` when it is not there; 0: it is no such number. */
static size_t read_count(const struct sig_http_request *request, const char *name, size_t max,
                         size_t otherwise) {
    const char *text = sig_http_query(request, name);
    char *end = NULL;
    if (!text)
        return otherwise;
    if (text[0] < '0' || text[0] > '9')
        return 0;
    unsigned long value = strtoul(text, &end, 10);
    return *end == '\0' && value <= max ? (size_t)value : 0;
}

static int read_query(struct pending *pending) {
    const char *order = sig_http_query(pending->request, "ordering");
    pending->page = read_count(pending->request, "page", PAGE_MAX, 1);
    pending->page_size = read_count(pending->request, "page_size", PAGE_SIZE_MAX, PAGE_SIZE);
    bool is_rising = order && strcmp(order, "created_at") == 0;
    if (pending->page == 0 || pending->page_size == 0 ||
        (order && !is_rising && strcmp(order, "-created_at") != 0))
        return -EBADMSG;
    pending->order = is_rising ? SIG_STORE_OLDEST_FIRST : SIG_STORE_NEWEST_FIRST;
    return 0;
}

static void handle_history(struct sig_http_request *request, void *data) {
    struct sig_api *api = data;
    struct sig_identity identity;
    if (sig_auth_require(api->options.auth, request, &identity) < 0)
        return;
    struct pending *pending = pending_create(api, request, &identity);
    if (!pending)
        return;
    if (read_query(pending) < 0) {
        sig_http_error(request, 400, "bad_request",
                       "ordering is created_at or -created_at, page and page_size count from 1");
        pending_free(pending);
        return;
    }
    const struct sig_store_query query = {.user_id = pending->identity.user_id,
                                          .order = pending->order,
                                          .offset = (pending->page - 1) * pending->page_size,
                                          .limit = pending->page_size};
    sig_store_list_calls(api->options.store, &query, on_calls_found, pending);
    pending_wait(pending);
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

int sig_api_add_routes(struct sig_api *api, struct sig_http *http) {
    static const struct sig_http_route routes[] = {
        {.method = "POST", .path = "/calls/initiate", .handler = handle_initiate, .cors = true},
        {.method = "GET", .path = "/calls/{id}", .handler = handle_page},
        {.method = "POST", .path = "/calls/{id}/join", .handler = handle_join, .cors = true},
        {.method = "POST", .path = "/calls/{id}/leave", .handler = handle_leave, .cors = true},
        {.method = "POST", .path = "/calls/{id}/end", .handler = handle_end, .cors = true},
        {.method = "POST", .path = "/calls/{id}/reject", .handler = handle_reject, .cors = true},
        {.method = "POST", .path = "/calls/{id}/missed", .handler = handle_missed, .cors = true},
        {.method = "GET", .path = "/calls/{id}/status", .handler = handle_status, .cors = true},
        {.method = "GET", .path = "/favicon.ico", .handler = handle_icon},
        {.method = "GET", .path = "/api/v1/calls", .handler = handle_history, .cors = true},
        {.method = "GET",
         .path = "/api/v1/ice-servers",
         .handler = handle_ice_servers,
         .cors = true},
    };
    return sig_http_add_routes(http, routes, sizeof(routes) / sizeof(routes[0]), api);
}
