/* GET /api/v1/calls: a user's calls, filtered and searched, a page at a time. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/api_internal.h"

#define PAGE_SIZE 20
#define PAGE_SIZE_MAX 100
#define PAGE_MAX 1000000
#define SEARCH_MAX 100 /* Bytes. */

struct history {
    struct sig_pending *pending;
    struct sig_store_query query;
    size_t page;
    char link[600]; /* To another page of the same, but for its number. */
};

size_t sig_api_read_count(const struct sig_http_request *request, const char *name, size_t max,
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

/* One of two words, or none at all. */
static int read_choice(const struct sig_http_request *request, const char *name, const char *yes,
                       const char *no, enum sig_store_which *out) {
    const char *text = sig_http_query(request, name);
    *out = SIG_STORE_ANY;
    if (!text || text[0] == '\0')
        return 0;
    if (strcmp(text, yes) != 0 && strcmp(text, no) != 0)
        return -EBADMSG;
    *out = strcmp(text, yes) == 0 ? SIG_STORE_YES : SIG_STORE_NO;
    return 0;
}

static const char *read_query(const struct sig_http_request *request, struct history *history) {
    struct sig_store_query *query = &history->query;
    enum sig_store_which is_rising;
    history->page = sig_api_read_count(request, "page", PAGE_MAX, 1);
    query->limit = sig_api_read_count(request, "page_size", PAGE_SIZE_MAX, PAGE_SIZE);
    query->offset = (history->page - 1) * query->limit;
    query->search = sig_http_query(request, "search");
    if (read_choice(request, "ordering", "created_at", "-created_at", &is_rising) < 0)
        return "ordering is created_at or -created_at";
    query->order = is_rising == SIG_STORE_YES ? SIG_STORE_OLDEST_FIRST : SIG_STORE_NEWEST_FIRST;
    if (history->page == 0 || query->limit == 0)
        return "page and page_size count from 1, page_size to 100";
    if (read_choice(request, "direction", "outgoing", "incoming", &query->outgoing) < 0)
        return "direction is incoming or outgoing";
    if (read_choice(request, "missed", "true", "false", &query->missed) < 0)
        return "missed is true or false";
    if (read_choice(request, "call_type", "VIDEO", "AUDIO", &query->video) < 0)
        return "call_type is AUDIO or VIDEO";
    if (query->search && strlen(query->search) > SEARCH_MAX)
        return "search has at most 100 bytes";
    return NULL;
}

static size_t append_escaped(char *out, size_t size, const char *text) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t len = 0;
    for (; *text && len + 4 < size; text++)
        if (strchr(plain, *text))
            out[len++] = *text;
        else
            len += (size_t)snprintf(out + len, size - len, "%%%02X", (unsigned char)*text);
    out[len] = '\0';
    return len;
}

static void write_link(struct history *history) {
    static const char *const names[] = {"ordering", "page_size", "direction",
                                        "missed",   "call_type", "search"};
    size_t len = (size_t)snprintf(history->link, sizeof(history->link), "/api/v1/calls/?");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = sig_http_query(history->pending->request, names[i]);
        if (!value || !value[0])
            continue;
        len += (size_t)snprintf(history->link + len, sizeof(history->link) - len, "%s=", names[i]);
        len += append_escaped(history->link + len, sizeof(history->link) - len - 30, value);
        history->link[len++] = '&';
        history->link[len] = '\0';
    }
}

static json_t *link_json(const struct history *history, size_t page, bool exists) {
    return exists ? json_sprintf("%spage=%zu", history->link, page) : json_null();
}

static json_t *history_json(const struct history *history, const struct sig_call *const *calls,
                            size_t count, size_t total) {
    const struct sig_pending *pending = history->pending;
    uint64_t now_ms = pending->api->options.wall_ms();
    size_t pages = (total + history->query.limit - 1) / history->query.limit;
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list,
                              sig_api_history_json(calls[i], pending->identity.user_id, now_ms));
    return json_pack("{s:b, s:I, s:I, s:I, s:o, s:o, s:o}", "success", 1, "count",
                     (json_int_t)total, "page", (json_int_t)history->page, "pages",
                     (json_int_t)pages, "next",
                     link_json(history, history->page + 1, history->page < pages), "previous",
                     link_json(history, history->page - 1, history->page > 1), "calls", list);
}

static void on_calls(void *data, int status, const struct sig_call *const *calls, size_t count,
                     size_t total) {
    struct history *history = data;
    struct sig_pending *pending = history->pending;
    if (pending->request && status < 0)
        sig_http_error(pending->request, 503, "store_failed", "The store does not answer");
    else if (pending->request)
        sig_http_reply_json(pending->request, 200, history_json(history, calls, count, total));
    free(history);
    sig_pending_finish(pending);
}

void sig_api_handle_history(struct sig_http_request *request, void *data) {
    struct sig_api *api = data;
    struct sig_identity identity;
    if (sig_api_require_user(api, request, &identity) < 0)
        return;
    struct sig_pending *pending = sig_pending_create(api, request, &identity);
    struct history *history = pending ? calloc(1, sizeof(*history)) : NULL;
    if (!history) {
        if (pending) {
            sig_http_error(request, 503, "out_of_memory", "The server is out of memory");
            sig_pending_free(pending);
        }
        return;
    }
    const char *wrong = read_query(request, history);
    if (wrong) {
        sig_http_error(request, 400, "bad_request", "%s", wrong);
        free(history);
        sig_pending_free(pending);
        return;
    }
    history->pending = pending;
    history->query.user_id = pending->identity.user_id;
    write_link(history);
    sig_store_list_calls(api->options.store, &history->query, on_calls, history);
    sig_pending_wait(pending);
}
