/* What is asked of calls: the state of one, and the history of a user's. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/api_internal.h"

#define PAGE_SIZE 20
#define PAGE_SIZE_MAX 100
#define PAGE_MAX 1000000

static bool may_see(const struct sig_call *call, const struct sig_identity *identity) {
    return sig_identity_may_enter(identity, call->id) &&
           (call->is_open || identity->is_admin || identity->call[0] ||
            sig_call_find(call, identity->user_id));
}

static void reply_status(struct sig_pending *pending, const struct sig_call *call) {
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
    struct sig_pending *pending = data;
    (void)total;
    if (pending->request && status < 0)
        sig_http_error(pending->request, 503, "store_failed", "The store does not answer");
    else if (pending->request)
        reply_status(pending, count ? calls[0] : NULL);
    sig_pending_finish(pending);
}

/* Calls that go on are asked themselves: only they know whose microphone is on. */
void sig_api_handle_status(struct sig_http_request *request, void *data) {
    struct sig_api *api = data;
    struct sig_identity identity;
    if (sig_auth_require(api->options.auth, request, &identity) < 0)
        return;
    const char *id = sig_api_require_call_id(request);
    struct sig_pending *pending = id ? sig_pending_create(api, request, &identity) : NULL;
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
    sig_pending_wait(pending);
}

/* A link to another page of the list, or null. */
static json_t *page_link(const struct sig_pending *pending, size_t page, bool exists) {
    if (!exists)
        return json_null();
    return json_sprintf("/api/v1/calls/?ordering=%s&page=%zu&page_size=%zu",
                        pending->order == SIG_STORE_NEWEST_FIRST ? "-created_at" : "created_at",
                        page, pending->page_size);
}

static json_t *history_json(const struct sig_pending *pending, const struct sig_call *const *calls,
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
    struct sig_pending *pending = data;
    if (pending->request && status < 0)
        sig_http_error(pending->request, 503, "store_failed", "The store does not answer");
    else if (pending->request)
        sig_http_reply_json(pending->request, 200, history_json(pending, calls, count, total));
    sig_pending_finish(pending);
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

static int read_query(struct sig_pending *pending) {
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

void sig_api_handle_history(struct sig_http_request *request, void *data) {
    struct sig_api *api = data;
    struct sig_identity identity;
    if (sig_auth_require(api->options.auth, request, &identity) < 0)
        return;
    struct sig_pending *pending = sig_pending_create(api, request, &identity);
    if (!pending)
        return;
    if (read_query(pending) < 0) {
        sig_http_error(request, 400, "bad_request",
                       "ordering is created_at or -created_at, page and page_size count from 1");
        sig_pending_free(pending);
        return;
    }
    const struct sig_store_query query = {.user_id = pending->identity.user_id,
                                          .order = pending->order,
                                          .offset = (pending->page - 1) * pending->page_size,
                                          .limit = pending->page_size};
    sig_store_list_calls(api->options.store, &query, on_calls_found, pending);
    sig_pending_wait(pending);
}
