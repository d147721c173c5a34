/* What is asked of one participant of a call: why its slots carry what they do, and to be taken
 * out. */
#include <stdlib.h>

#include "signaling/api_internal.h"

/* An answer that waits for the SFU. */
struct question {
    struct sig_http_request *request; /* NULL: it is gone. */
};

static void on_gone(struct sig_http_request *request, void *data) {
    (void)request;
    ((struct question *)data)->request = NULL;
}

static void on_answer(void *ctx, json_t *answer) {
    struct question *question = ctx;
    if (question->request && answer)
        sig_http_reply_json(question->request, 200, answer);
    else if (question->request)
        sig_http_error(question->request, 404, "unknown_participant",
                       "This user is not in the call any more");
    else
        json_decref(answer);
    free(question);
}

void sig_api_handle_why(struct sig_http_request *request, void *data) {
    struct sig_api *api = data;
    struct sig_identity identity;
    struct sig_refusal refusal;
    if (sig_auth_require(api->options.auth, request, &identity) < 0)
        return;
    const char *id = sig_api_require_call_id(request);
    struct question *question = id ? calloc(1, sizeof(*question)) : NULL;
    if (!question) {
        if (id)
            sig_http_error(request, 503, "out_of_memory", "The server is out of memory");
        return;
    }
    question->request = request;
    sig_http_add_header(request, "Cache-Control", "no-store");
    if (sig_calls_why(api->options.calls, id, &identity, sig_http_param(request, "user"), &refusal,
                      on_answer, question) == 0) {
        sig_http_suspend(request, on_gone, question);
        return;
    }
    sig_api_refuse(request, &refusal);
    free(question);
}

static void on_stored(void *data, int status) {
    struct sig_pending *pending = data;
    if (pending->request && status < 0)
        sig_http_error(pending->request, 503, "not_stored", "The change could not be stored");
    else if (pending->request)
        sig_http_reply_json(pending->request, 200, json_incref(pending->answer));
    sig_pending_finish(pending);
}

void sig_api_handle_remove(struct sig_http_request *request, void *data) {
    struct sig_api *api = data;
    struct sig_identity identity;
    struct sig_refusal refusal;
    if (sig_auth_require(api->options.auth, request, &identity) < 0)
        return;
    const char *id = sig_api_require_call_id(request);
    struct sig_pending *pending = id ? sig_pending_create(api, request, &identity) : NULL;
    if (!pending)
        return;
    pending->answer = json_pack("{s:b}", "success", 1);
    if (sig_calls_remove(api->options.calls, id, &identity, sig_http_param(request, "user"),
                         &refusal, on_stored, pending) == 0) {
        sig_pending_wait(pending);
        return;
    }
    sig_api_refuse(request, &refusal);
    sig_pending_free(pending);
}
