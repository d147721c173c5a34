/* What operators ask: /healthz, /readyz, /metrics, /api/v1/server. */
#ifndef SIGNALING_OPS_H
#define SIGNALING_OPS_H

#include "signaling/auth.h"
#include "signaling/calls.h"
#include "signaling/http.h"
#include "signaling/throttle.h"
#include "signaling/whip.h"

struct sig_ops {
    /* Given: borrowed for life. */
    struct sig_auth *auth;
    struct sig_calls *calls;
    struct sfu *sfu;
    struct sig_whip *whip;
    struct sig_store *store;
    struct sig_throttle *throttle;
    struct sig_webhook *webhook; /* NULL: none. */
    uint64_t started_us;         /* By uv_hrtime. */
};

/* ops is borrowed for life. */
int sig_ops_add_routes(struct sig_ops *ops, struct sig_http *http);

#endif
