/* GET /api/v1/users: everybody who is signed in by name, a page at a time, and who of them is
 * online. A host application has its own list. */
#include <stdlib.h>
#include <string.h>

#include "signaling/api_internal.h"

#define PAGE_SIZE 50
#define PAGE_SIZE_MAX 100
#define PAGE_MAX 1000000
#define SEARCH_MAX 100 /* Bytes. */

struct listing {
    struct sig_pending *pending;
    size_t page, page_size;
};

int sig_api_require_user(struct sig_api *api, struct sig_http_request *request,
                         struct sig_identity *identity) {
    int status = sig_auth_require(api->options.auth, request, identity);
    if (status == 0 && identity->call[0]) {
        sig_http_error(request, 403, "wrong_token", "The token is for one call only");
        return -1;
    }
    return status;
}

int sig_api_require_member(struct sig_api *api, struct sig_http_request *request,
                           struct sig_identity *identity) {
    int status = sig_api_require_user(api, request, identity);
    if (status == 0 && !api->options.config->demo) {
        sig_http_error(request, 404, "host_mode",
                       "People and channels are those of the host application");
        return -1;
    }
    return status;
}

json_t *sig_api_user_json(const struct sig_api *api, const struct sig_store_user *user) {
    return json_pack("{s:s, s:s, s:b}", "user_id", user->user_id, "name",
                     user->name ? user->name : user->user_id, "online",
                     sig_calls_is_online(api->options.calls, user->user_id));
}

static json_t *listing_json(const struct listing *listing, const struct sig_store_user *users,
                            size_t count, size_t total) {
    size_t pages = (total + listing->page_size - 1) / listing->page_size;
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, sig_api_user_json(listing->pending->api, &users[i]));
    return json_pack("{s:b, s:I, s:I, s:I, s:o}", "success", 1, "count", (json_int_t)total, "page",
                     (json_int_t)listing->page, "pages", (json_int_t)pages, "users", list);
}

static void on_users(void *data, int status, const struct sig_store_user *users, size_t count,
                     size_t total) {
    struct listing *listing = data;
    struct sig_pending *pending = listing->pending;
    if (pending->request && status < 0)
        sig_http_error(pending->request, 503, "store_failed", "The store does not answer");
    else if (pending->request)
        sig_http_reply_json(pending->request, 200, listing_json(listing, users, count, total));
    free(listing);
    sig_pending_finish(pending);
}

static void list_users(struct sig_pending *pending, const struct listing *asked,
                       const char *search) {
    struct listing *listing = malloc(sizeof(*listing));
    if (!listing) {
        sig_http_error(pending->request, 503, "out_of_memory", "The server is out of memory");
        sig_pending_finish(pending);
        return;
    }
    *listing = *asked;
    listing->pending = pending;
    sig_store_list_users(pending->api->options.store, search,
                         (listing->page - 1) * listing->page_size, listing->page_size, on_users,
                         listing);
}

void sig_api_handle_users(struct sig_http_request *request, void *data) {
    struct sig_api *api = data;
    struct sig_identity identity;
    const char *search = sig_http_query(request, "search");
    const struct listing asked = {
        .page = sig_api_read_count(request, "page", PAGE_MAX, 1),
        .page_size = sig_api_read_count(request, "page_size", PAGE_SIZE_MAX, PAGE_SIZE)};
    if (sig_api_require_member(api, request, &identity) < 0)
        return;
    if (asked.page == 0 || asked.page_size == 0 || (search && strlen(search) > SEARCH_MAX)) {
        sig_http_error(request, 400, "bad_request",
                       "page and page_size count from 1, page_size to %d; search has at most %d "
                       "bytes",
                       PAGE_SIZE_MAX, SEARCH_MAX);
        return;
    }
    struct sig_pending *pending = sig_pending_create(api, request, &identity);
    if (!pending)
        return;
    list_users(pending, &asked, search);
    sig_pending_wait(pending);
}
