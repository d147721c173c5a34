/* HTTP requests of a crowd, many at a time, on its loop (libcurl). */
#ifndef BENCH_HTTP_H
#define BENCH_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/loop.h"

struct bench_http;
struct bench_exchange; /* A request on its way. */

struct bench_request {
    const char *method;
    const char *url;
    const char *type;           /* Content-Type of the body, NULL: none. */
    const char *body;           /* NULL: none. Copied. */
    const char *const *headers; /* "Name: value", up to NULL; or NULL. */
    bool waits;                 /* A long poll: has no time limit of its own. */
};

struct bench_reply {
    long status;       /* 0: there was none. */
    const char *words; /* What went wrong when there was none. */
    const char *body;  /* NUL-terminated, valid during the call. */
    size_t len;
    const struct bench_exchange *exchange;
};

typedef void (*bench_reply_fn)(void *ctx, const struct bench_reply *reply);

/* connections: at a time, to all servers. -ENOMEM. */
int bench_http_create(struct bench_http **out, struct bench_loop *loop, long connections);

/* Without answering what is on its way. */
void bench_http_destroy(struct bench_http *http);

/* NULL when memory is out: no reply comes. */
struct bench_exchange *bench_http_send(struct bench_http *http, const struct bench_request *request,
                                       bench_reply_fn on_reply, void *ctx);

/* No reply comes any more. */
void bench_http_forget(struct bench_exchange *exchange);

/* The n-th header of that name, NULL beyond the last; until the next call. */
const char *bench_http_header(const struct bench_reply *reply, const char *name, size_t n);

/* An absolute URL out of a reference relative to `base`, of malloc. NULL: malformed. */
char *bench_http_resolve(const char *base, const char *reference);

#endif
