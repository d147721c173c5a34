/* Shared by the api_*.c files: answers that wait for the store. */
#ifndef SIGNALING_API_INTERNAL_H
#define SIGNALING_API_INTERNAL_H

#include "signaling/api.h"

struct sig_api {
    struct sig_api_options options;
};

/* An answer that waits for the store: at once, with a store in memory, or in a later turn. */
struct sig_pending {
    struct sig_api *api;
    struct sig_http_request *request; /* NULL: it is gone. */
    json_t *answer;                   /* Owned. What is told when the store has it. */
    struct sig_identity identity;
    size_t page, page_size; /* Of a history. */
    enum sig_store_order order;
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

void sig_api_refuse(struct sig_http_request *request, const struct sig_refusal *refusal);

/* The call that the path names, in a shape that may be looked for; NULL after a 404. */
const char *sig_api_require_call_id(struct sig_http_request *request);

/* api_why.c */
void sig_api_handle_why(struct sig_http_request *request, void *data);
void sig_api_handle_remove(struct sig_http_request *request, void *data);

/* api_read.c */
void sig_api_handle_status(struct sig_http_request *request, void *data);
void sig_api_handle_history(struct sig_http_request *request, void *data);

#endif
