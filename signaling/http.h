/* The HTTP server: libmicrohttpd inside a libuv loop, routes, requests and replies. Everything runs
 * on the loop's thread.
 *
 * A handler is called once per request, when its body is complete. Before it returns it replies
 * (sig_http_reply and its kin), or upgrades (signaling/websocket.h), or suspends and replies later.
 * A request lives until its reply has been sent; suspended, until it is replied to or its on_gone
 * ran. */
#ifndef SIGNALING_HTTP_H
#define SIGNALING_HTTP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "signaling/metrics.h"

struct sig_http;
struct sig_http_request;

struct sig_http_options {
    /* Given: borrowed during sig_http_create only. */
    const char *const *listen; /* "127.0.0.1:8080", "[::1]:0", "localhost:8080" (both families). */
    size_t listen_count;
    const char *tls_cert; /* PEM files; NULL: plain HTTP. */
    const char *tls_key;

    /* Limits; 0 takes the value in brackets. */
    size_t max_body_bytes;            /* [65536] */
    unsigned max_connections;         /* [1000] */
    unsigned connections_per_address; /* 0: no limit. */
    unsigned requests_per_second;     /* Per address; 0: no limit. */
    unsigned receive_timeout_ms;      /* [10000] From a connection's start, or its last reply, to a
                                       * complete request; idle keep-alive counts. */
    unsigned send_timeout_ms;         /* [60000] For the client to take the reply. */
    unsigned answer_timeout_ms;       /* [15000] For a suspended request, which then gets 503. */
};

typedef void (*sig_http_handler_fn)(struct sig_http_request *request, void *data);

/* Segments in braces match one non-empty segment: "/calls/{id}/join". Patterns have no slash at the
 * end; requests may. GET answers HEAD too unless HEAD has a route of its own; OPTIONS is answered
 * with Allow unless it has one. */
struct sig_http_route {
    const char *method;
    const char *path;
    sig_http_handler_fn handler;
    bool cors; /* Any origin may call it, with a bearer token; every answer says so. */
};

/* Opens the listening sockets on the loop. Returns 0 with a server to sig_http_close, or a negative
 * errno after logging what was wrong (an address, a port in use, a TLS file). */
int sig_http_create(struct sig_http **out, uv_loop_t *loop, const struct sig_http_options *options);

/* Adds routes, which are borrowed for life, with the data that their handlers get. 0 or -ENOMEM. */
int sig_http_add_routes(struct sig_http *http, const struct sig_http_route *routes, size_t count,
                        void *data);

/* The port of the first listening socket: the real one where 0 was asked for. */
uint16_t sig_http_port(const struct sig_http *http);
bool sig_http_is_tls(const struct sig_http *http);

/* Ends everything: no new connections, suspended requests get 503 (and on_gone), WebSockets still
 * open get 1001 and on_close, then on_closed is called (may be NULL) and http is freed.
 * Not from inside a handler. */
void sig_http_close(struct sig_http *http, void (*on_closed)(void *data), void *data);

/* Adds weir_http_… families: requests by status class, connections, WebSockets, refusals by reason.
 */
void sig_http_write_metrics(const struct sig_http *http, struct sig_metrics *metrics);

/* What was asked. Strings are borrowed and live as long as the request; NULL: not there. */
const char *sig_http_method(const struct sig_http_request *request);
const char *sig_http_path(const struct sig_http_request *request);
const char *sig_http_param(const struct sig_http_request *request, const char *name); /* {name} */
const char *sig_http_query(const struct sig_http_request *request, const char *name);
const char *sig_http_header(const struct sig_http_request *request, const char *name);
const char *sig_http_cookie(const struct sig_http_request *request, const char *name);
const char *sig_http_peer(const struct sig_http_request *request); /* "192.0.2.1" for the log. */
const char *sig_http_body(const struct sig_http_request *request,
                          size_t *len); /* Has a NUL after it. */
struct sig_http *sig_http_server(const struct sig_http_request *request);

/* Whether the Content-Type is this one, parameters aside, in any case. */
bool sig_http_has_type(const struct sig_http_request *request, const char *content_type);

/* The body as a JSON object (a new reference), an empty body as an empty object; or NULL after
 * having replied 415 (there is a body of another type) or 400. */
json_t *sig_http_body_json(struct sig_http_request *request);

/* Adds a header to the reply to come, before it. Names and values with control characters are
 * dropped and logged: no value from outside can add a header. */
void sig_http_add_header(struct sig_http_request *request, const char *name, const char *value);

/* Replies, once; a later reply to the same request is ignored. content_type may be NULL for none;
 * body is copied, and may be NULL with len 0. */
void sig_http_reply(struct sig_http_request *request, unsigned status, const char *content_type,
                    const void *body, size_t len);

/* The same with a body that outlives the server, not copied. */
void sig_http_reply_static(struct sig_http_request *request, unsigned status,
                           const char *content_type, const void *body, size_t len);

/* Replies with a JSON value and takes over its reference; NULL (out of memory) replies 500. */
void sig_http_reply_json(struct sig_http_request *request, unsigned status, json_t *value);

/* Replies {"success": false, "error": words, "code": code}; 429 and 503 get Retry-After unless
 * added. */
void sig_http_error(struct sig_http_request *request, unsigned status, const char *code,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Lets the handler return without a reply. on_gone (may be NULL) is called if the request ends
 * without the handler's reply (answer timeout, server closing): it must be forgotten then. A client
 * that went away in the meantime is not told apart: the reply is made in vain. */
void sig_http_suspend(struct sig_http_request *request,
                      void (*on_gone)(struct sig_http_request *request, void *data), void *data);

#endif
