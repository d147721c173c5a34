/* The REST API of calls: routes, what they take, what they answer. */
#ifndef SIGNALING_API_H
#define SIGNALING_API_H

#include <jansson.h>

#include "signaling/auth.h"
#include "signaling/calls.h"
#include "signaling/http.h"
#include "signaling/store.h"

struct sig_api_options {
    /* Given: borrowed for life. */
    const struct sig_config *config;
    struct sig_auth *auth;
    struct sig_calls *calls;
    struct sig_store *store;
    struct sig_throttle *throttle; /* NULL: no limits. */
    uint64_t (*wall_ms)(void);     /* NULL: the clock. */
};

struct sig_api;

struct sig_api *sig_api_create(const struct sig_api_options *options);
int sig_api_add_routes(struct sig_api *api, struct sig_http *http);
void sig_api_destroy(struct sig_api *api);

/* A call as `status` answers it. */
json_t *sig_api_status_json(const struct sig_call *call, uint64_t now_ms);

/* A call as an entry of this user's history. */
json_t *sig_api_history_json(const struct sig_call *call, const char *user_id, uint64_t now_ms);

#endif
