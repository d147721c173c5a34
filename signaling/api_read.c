/* The state of one call. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/api_internal.h"

static bool may_see(const struct sig_call *call, const struct sig_identity *identity) {
    return sig_identity_may_enter(identity, call->id) &&
           (call->is_open || identity->is_admin || identity->call[0] ||
            sig_call_find(call, identity->user_id));
}

bool sig_api_may_answer(struct sig_pending *pending, int status, const struct sig_call *call) {
    if (!pending->request)
        return false;
    if (status < 0)
        sig_http_error(pending->request, 503, "store_failed", "The store does not answer");
    else if (!call)
        sig_http_error(pending->request, 404, "unknown_call", "There is no such call");
    else if (!may_see(call, &pending->identity))
        sig_http_error(pending->request, 403, "not_invited", "You are not invited to this call");
    else
        return true;
    return false;
}

/* Calls that go on are asked themselves: only they know whose microphone is on. */
void sig_api_find_call(struct sig_pending *pending, const char *id, sig_store_calls_fn done,
                       void *data) {
    const struct sig_call *call = sig_calls_find(pending->api->options.calls, id);
    char lower[SIG_UUID_SIZE];
    for (size_t i = 0; i < sizeof(lower); i++)
        lower[i] = (char)tolower((unsigned char)id[i]);
    if (call)
        done(data, 0, &call, 1, 1);
    else
        sig_store_find_call(pending->api->options.store, lower, done, data);
}

static void on_call(void *data, int status, const struct sig_call *const *calls, size_t count,
                    size_t total) {
    struct sig_pending *pending = data;
    (void)total;
    if (sig_api_may_answer(pending, status, count ? calls[0] : NULL))
        sig_http_reply_json(pending->request, 200,
                            sig_api_status_json(calls[0], pending->api->options.wall_ms()));
    sig_pending_finish(pending);
}

void sig_api_handle_status(struct sig_http_request *request, void *data) {
    struct sig_api *api = data;
    struct sig_identity identity;
    if (sig_auth_require(api->options.auth, request, &identity) < 0)
        return;
    const char *id = sig_api_require_call_id(request);
    struct sig_pending *pending = id ? sig_pending_create(api, request, &identity) : NULL;
    if (!pending)
        return;
    sig_api_find_call(pending, id, on_call, pending);
    sig_pending_wait(pending);
}
