/* What the parts of the HTTP server share: http.c (the loop), http_access.c, http_listen.c,
 * http_metrics.c, http_router.c, http_request.c, http_reply.c and websocket*.c. */
#ifndef SIGNALING_HTTP_INTERNAL_H
#define SIGNALING_HTTP_INTERNAL_H

#include <arpa/inet.h>
#include <microhttpd.h>
#include <sys/socket.h>

#include "signaling/http.h"
#include "signaling/limits.h"

#define HTTP_LISTENERS_MAX 32
#define HTTP_SEGMENTS_MAX 12
#define HTTP_ALLOW_SIZE 96
#define HTTP_NO_DEADLINE UINT64_MAX

struct http_listener {
    struct sig_http *http;
    uv_poll_t poll;
    int fd;
    uint16_t port;
    bool is_open;
};

struct http_route {
    const struct sig_http_route *route; /* Given. */
    void *data;                         /* Given. */
};

enum http_refusal {
    HTTP_REFUSED_ADDRESS,    /* Connections of one address. */
    HTTP_REFUSED_CONNECTION, /* Connections of all. */
    HTTP_REFUSED_REQUEST,    /* Requests per second of one address. */
    HTTP_REFUSED_BODY,
    HTTP_REFUSED_RECEIVE, /* Slow to ask. */
    HTTP_REFUSED_SEND,    /* Slow to take the reply. */
    HTTP_REFUSED_ANSWER,  /* We were slow to answer. */
    HTTP_REFUSAL_COUNT,
};

struct sig_http {
    /* Given. */
    uv_loop_t *loop;
    struct sig_http_options options; /* Its strings are gone after the start. */
    void (*on_closed)(void *data);
    void *on_closed_data;

    /* Owned. */
    struct MHD_Daemon *daemon;
    struct sig_addresses *addresses;
    struct http_route *routes;
    size_t route_count;
    struct ssl_ctx_st *tls; /* OpenSSL's SSL_CTX; NULL: plain HTTP. */
    struct http_listener listeners[HTTP_LISTENERS_MAX];
    size_t listener_count;
    uv_poll_t daemon_poll;
    uv_idle_t idle;       /* Has the library run in the next turn, */
    uv_timer_t run_timer; /* or later. */
    uv_timer_t sweep_timer;
    uv_prepare_t write_turn;  /* At the end of each turn: the WebSockets that have something, */
    uv_timer_t write_delayed; /* and those whose messages may wait. */

    /* Links. */
    struct sig_websocket *unwritten, *delayed;
    struct http_connection *connections;
    struct http_tls_link *tls_links;
    struct http_connection *accepting; /* On its way through MHD_add_connection. */

    /* State. */
    bool is_running; /* Inside MHD_run. */
    bool is_closing;
    size_t handle_count; /* Handles of the loop that keep the server, ours and the WebSockets'. */

    /* Counters. */
    unsigned connection_count;
    unsigned websocket_count;
    uint64_t accepted;
    uint64_t replies[6]; /* By the status's first digit. */
    uint64_t refusals[HTTP_REFUSAL_COUNT];
};

/* One TCP connection, from accept to close, also while it is a WebSocket. */
struct http_connection {
    /* Given. */
    struct sig_http *http;
    struct sockaddr_storage address;
    int fd; /* The library's; under TLS the end of a pair. */
    /* Links. */
    struct http_connection *prev;
    struct http_connection *next;
    struct sig_http_request *request; /* The one under way, or NULL. */
    /* State. */
    uint64_t deadline_us;     /* Of what it is doing now; HTTP_NO_DEADLINE: it may take its time. */
    enum http_refusal missed; /* What it is when the deadline passes. */
};

struct http_header {
    struct http_header *next;
    char *name;
    char *value;
};

/* How a WebSocket hears of the request that it grew from. */
struct http_upgrade {
    /* The 101 was sent; early holds len bytes that came behind the request. Called inside MHD_run.
     */
    void (*on_open)(void *data, struct MHD_UpgradeResponseHandle *handle, int fd, const void *early,
                    size_t len);
    /* The connection ended before that. */
    void (*on_failed)(void *data);
    /* The server closes. */
    void (*on_shutdown)(void *data);
};

enum http_phase {
    HTTP_RECEIVING, /* The body. */
    HTTP_HANDLING,  /* Inside the handler, or before it. */
    HTTP_SUSPENDED,
    HTTP_REPLYING, /* Handed to the library. */
    HTTP_UPGRADED,
};

struct sig_http_request {
    /* Given. */
    struct http_connection *connection;
    struct MHD_Connection *mhd;
    const char *method;               /* The library's. */
    const struct http_route *matched; /* NULL: none. */

    /* Owned. */
    char *path;          /* As asked, decoded. */
    char *segments_text; /* The same, cut. */
    char *body;
    struct http_header *headers;
    struct MHD_Response *response; /* Made, but not handed over yet. */

    /* State. */
    enum http_phase phase;
    const char *segments[HTTP_SEGMENTS_MAX];
    size_t segment_count;
    size_t body_len;
    size_t body_capacity;
    size_t discarded;
    bool is_body_too_big;
    bool is_suspend_asked;
    unsigned status; /* Of the response; 0: none yet. */
    char allow[HTTP_ALLOW_SIZE];
    char peer[INET6_ADDRSTRLEN];

    /* Who waits. */
    void (*on_gone)(struct sig_http_request *request, void *data);
    void *on_gone_data;
    const struct http_upgrade *upgrade; /* NULL: no WebSocket, or not any more. */
    void *upgrade_data;
};

/* http.c */
uint64_t http_now_us(const struct sig_http *http);
/* Has the library run in the next turn of the loop. */
void http_kick(struct sig_http *http);
/* Pairs: a handle of the loop that the server has to outlive. */
void http_hold(struct sig_http *http);
void http_release(struct sig_http *http);

/* http_access.c: what the library calls for a request's headers, each piece of its body, its end,
 * and after resuming; when a request is over; and when a connection begins and ends. */
enum MHD_Result http_on_access(void *data, struct MHD_Connection *mhd, const char *url,
                               const char *method, const char *version, const char *upload,
                               size_t *upload_size, void **context);
void http_on_completed(void *data, struct MHD_Connection *mhd, void **context,
                       enum MHD_RequestTerminationCode why);
void http_on_connection(void *data, struct MHD_Connection *mhd, void **context,
                        enum MHD_ConnectionNotificationCode what);
/* The connection's deadline has passed. */
void http_on_missed(struct http_connection *connection);
/* Forgets a connection that has ended. */
void http_connection_unlink(struct http_connection *connection);

/* http_listen.c: opens all of options.listen, 0 or a negative errno after logging. */
int http_listen(struct sig_http *http);
void http_listen_close(struct sig_http *http);
/* Goes on accepting after descriptors ran out. */
void http_listen_resume(struct sig_http *http);

/* http_tls.c: the context of a certificate and its key, 0 or a negative errno after logging. */
int http_tls_create(struct ssl_ctx_st **out, const char *cert, const char *key);
void http_tls_destroy(struct ssl_ctx_st *context);
/* Puts TLS in front of an accepted socket, which it takes over. Returns the descriptor that carries
 * the plain bytes, which is the caller's, or a negative errno. */
int http_tls_accept(struct sig_http *http, int tcp_fd);
/* Gives all connections a last moment to send what they hold. */
void http_tls_close(struct sig_http *http);

/* http_router.c: cuts the path and finds matched; when there is none, replies 404, 405 or to
 * OPTIONS. */
void http_route(struct sig_http_request *request);

/* http_request.c */
struct sig_http_request *http_request_create(struct http_connection *connection,
                                             struct MHD_Connection *mhd, const char *path,
                                             const char *method);
void http_request_destroy(struct sig_http_request *request);
/* Adds body bytes or replies 413; -EMSGSIZE when the connection should be cut. */
int http_request_receive(struct sig_http_request *request, const char *data, size_t len);

/* http_reply.c: hands response to the library (MHD_YES), or says that it failed. */
enum MHD_Result http_reply_queue(struct sig_http_request *request);
/* Takes over a response, with the headers added so far and the standard ones. */
void http_reply_set(struct sig_http_request *request, unsigned status,
                    struct MHD_Response *response);

#endif
