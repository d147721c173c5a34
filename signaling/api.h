/* The routes of the interface besides WHIP, WHEP, the sign-in and the static files: calls (REST),
 * the two WebSockets, ICE servers, health and metrics. */
#ifndef SIGNALING_API_H
#define SIGNALING_API_H

#include "sfu/sfu.h"
#include "signaling/auth.h"
#include "signaling/calls.h"
#include "signaling/config.h"
#include "signaling/http.h"
#include "signaling/store.h"
#include "signaling/whip.h"

struct sig_api;

struct sig_api_options {
    /* Given: borrowed for life. */
    const struct sig_config *config;
    struct sig_auth *auth;
    struct sig_calls *calls;
    struct sig_store *store;
    struct sig_whip *whip;
    struct sfu *sfu;
};

/* NULL without memory. */
struct sig_api *sig_api_create(const struct sig_api_options *options);

/* When no request comes any more and all WebSockets are closed. */
void sig_api_destroy(struct sig_api *api);

int sig_api_add_routes(struct sig_api *api, struct sig_http *http);

#endif
