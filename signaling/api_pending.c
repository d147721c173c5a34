/* Answers that wait for the store, and what all handlers of calls begin and end with. */
#include <stdlib.h>

#include "signaling/api_internal.h"

struct sig_pending *sig_pending_create(struct sig_api *api, struct sig_http_request *request,
                                       const struct sig_identity *identity) {
    struct sig_pending *pending = calloc(1, sizeof(*pending));
    if (!pending) {
        sig_http_error(request, 503, "out_of_memory", "The server is out of memory");
        return NULL;
    }
    pending->api = api;
    pending->request = request;
    pending->identity = *identity;
    return pending;
}

void sig_pending_free(struct sig_pending *pending) {
    json_decref(pending->answer);
    free(pending);
}

static void on_gone(struct sig_http_request *request, void *data) {
    (void)request;
    ((struct sig_pending *)data)->request = NULL;
}

void sig_pending_wait(struct sig_pending *pending) {
    if (pending->is_done) {
        sig_pending_free(pending);
        return;
    }
    pending->is_suspended = true;
    sig_http_suspend(pending->request, on_gone, pending);
}

void sig_pending_finish(struct sig_pending *pending) {
    pending->is_done = true;
    if (pending->is_suspended)
        sig_pending_free(pending);
}

void sig_api_on_stored(void *data, int status) {
    struct sig_pending *pending = data;
    pending->status = status;
    pending->is_stored = true;
    if (pending->is_held)
        return;
    if (pending->request && status < 0)
        sig_http_error(pending->request, 503, "not_stored", "The change could not be stored");
    else if (pending->request)
        sig_http_reply_json(pending->request, 200, json_incref(pending->answer));
    sig_pending_finish(pending);
}

void sig_pending_release(struct sig_pending *pending) {
    pending->is_held = false;
    if (pending->is_stored)
        sig_api_on_stored(pending, pending->status);
}

void sig_api_remember_user(struct sig_api *api, const struct sig_identity *identity) {
    sig_store_save_user(api->options.store, identity->user_id, identity->name, NULL, NULL);
}

void sig_api_refuse(struct sig_http_request *request, const struct sig_refusal *refusal) {
    sig_http_error(request, refusal->status, refusal->code, "%s", refusal->words);
}

const char *sig_api_require_call_id(struct sig_http_request *request) {
    const char *id = sig_http_param(request, "id");
    if (id && sig_text_is_uuid(id))
        return id;
    sig_http_error(request, 404, "unknown_call", "There is no such call");
    return NULL;
}
