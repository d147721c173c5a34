/* A WebSocket client (RFC 6455) on the loop, of text messages; framing by wslay. Plain TCP. */
#ifndef BENCH_WEBSOCKET_H
#define BENCH_WEBSOCKET_H

#include <netinet/in.h>
#include <stddef.h>

#include "bench/loop.h"

struct bench_websocket;

struct bench_websocket_events {
    void (*on_open)(void *ctx);
    void (*on_text)(void *ctx, const char *text, size_t len); /* Not NUL-terminated. */
    /* It is over, and may be closed now; why: a status line, a close code, an error. */
    void (*on_end)(void *ctx, const char *why);
};

struct bench_websocket_target {
    struct sockaddr_in address;
    const char *host;           /* For the Host header. */
    const char *path;           /* With the query. */
    const char *const *headers; /* More, "Name: value", up to NULL; or NULL. */
};

/* A negative errno. Events come from the loop alone. */
int bench_websocket_open(struct bench_websocket **out, struct bench_loop *loop,
                         const struct bench_websocket_target *target,
                         const struct bench_websocket_events *events, void *ctx);

/* Queued until it can be sent. */
void bench_websocket_send(struct bench_websocket *socket, const char *text);

/* Says goodbye (1000) if it can at once, and is gone. */
void bench_websocket_close(struct bench_websocket *socket);

#endif
