/* Shared by the api_*.c files: answers that wait for the store. */
#ifndef SIGNALING_API_INTERNAL_H
#define SIGNALING_API_INTERNAL_H

#include "signaling/api.h"

struct sig_api {
    struct sig_api_options options;
};

/* An answer that waits for the store: at once, without a storage thread, or in a later turn. */
struct sig_pending {
    struct sig_api *api;
    struct sig_http_request *request; /* NULL: it is gone. */
    json_t *answer;                   /* Owned. What is told when the store has it. */
    struct sig_identity identity;
    int status;     /* What the store said while the answer was held. */
    bool is_held;   /* The answer is not made yet: */
    bool is_stored; /* though the store has done its part. */
    bool is_suspended;
    bool is_done;
};

/* An answer to this request; NULL after having replied 503. */
struct sig_pending *sig_pending_create(struct sig_api *api, struct sig_http_request *request,
                                       const struct sig_identity *identity);
void sig_pending_free(struct sig_pending *pending);

/* The handler's end: either the reply has been made by now, or it comes later. */
void sig_pending_wait(struct sig_pending *pending);

/* The end of the store's callback. */
void sig_pending_finish(struct sig_pending *pending);

/* The store's callback for a change: replies with the answer, or 503. While the answer is held it
 * waits for the release. */
void sig_api_on_stored(void *pending, int status);
void sig_pending_release(struct sig_pending *pending);

/* Notes the name that the identity brings. */
void sig_api_remember_user(struct sig_api *api, const struct sig_identity *identity);

/* Replies 503 when the store does not answer, 404 or 403 when there is no such call or it is none
 * of theirs; true: neither. */
bool sig_api_may_answer(struct sig_pending *pending, int status, const struct sig_call *call);

/* Looks for a call: among those that go on, else in the store. */
void sig_api_find_call(struct sig_pending *pending, const char *id, sig_store_calls_fn done,
                       void *data);

void sig_api_refuse(struct sig_http_request *request, const struct sig_refusal *refusal);

/* The call that the path names, in a shape that may be looked for; NULL after a 404. */
const char *sig_api_require_call_id(struct sig_http_request *request);

/* api_users.c: who is asking, 0; or -1 after having replied: 401, 403 for a token that is for one
 * call only, and (of a member) 404 where people and channels are the host's. */
int sig_api_require_user(struct sig_api *api, struct sig_http_request *request,
                         struct sig_identity *identity);
int sig_api_require_member(struct sig_api *api, struct sig_http_request *request,
                           struct sig_identity *identity);
json_t *sig_api_user_json(const struct sig_api *api, const struct sig_store_user *user);
void sig_api_handle_users(struct sig_http_request *request, void *data);

/* api_channels.c */
void sig_api_handle_channels(struct sig_http_request *request, void *data);
void sig_api_handle_channel(struct sig_http_request *request, void *data);
void sig_api_handle_channel_create(struct sig_http_request *request, void *data);
void sig_api_handle_channel_join(struct sig_http_request *request, void *data);
void sig_api_handle_channel_leave(struct sig_http_request *request, void *data);

/* api_history.c: a positive number of the query, or `otherwise` when it is not there; 0: it is no
 * such number. */
size_t sig_api_read_count(const struct sig_http_request *request, const char *name, size_t max,
                          size_t otherwise);

/* api_why.c */
void sig_api_handle_why(struct sig_http_request *request, void *data);
void sig_api_handle_remove(struct sig_http_request *request, void *data);

/* api_initiate.c, api_read.c, api_history.c, api_analytics.c */
void sig_api_handle_initiate(struct sig_http_request *request, void *data);
void sig_api_handle_status(struct sig_http_request *request, void *data);
void sig_api_handle_history(struct sig_http_request *request, void *data);
void sig_api_handle_analytics(struct sig_http_request *request, void *data);

#endif
