/* The WebSockets of the interface: `/ws/call/{id}/`, a session in a call, and `/ws/notifications/`.
 *
 * Close codes: 4401 no or bad credentials, 4403 not allowed, 4404 no such call, 4409 the call is
 * over or not in a state to be entered, 4408 the same user connected again and took over, 4410 the
 * resume token is unknown or too old (join anew), 4429 over a limit, 1013 try again later, 1001 the
 * server goes down, 1000 the user left the call by the API. A client that closes with 1000 or 1001
 * has left; any other end can be resumed. */
#ifndef SIGNALING_SOCKETS_H
#define SIGNALING_SOCKETS_H

#include "signaling/auth.h"
#include "signaling/calls.h"
#include "signaling/http.h"

struct sig_sockets;

struct sig_sockets_options {
    /* Given: borrowed for life. */
    const struct sig_config *config;
    struct sig_auth *auth;
    struct sig_calls *calls;
};

struct sig_sockets *sig_sockets_create(const struct sig_sockets_options *options);
int sig_sockets_add_routes(struct sig_sockets *sockets, struct sig_http *http);

/* From now on connections end because the server does: nobody is taken to have left. */
void sig_sockets_close(struct sig_sockets *sockets);

/* After all connections have ended. */
void sig_sockets_destroy(struct sig_sockets *sockets);

#endif
