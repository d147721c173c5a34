/* How clients come into a call, whatever the server speaks: WHIP and WHEP, Weir's own protocol over
 * WebSockets, or Janus's videoroom. Everything happens on the loop; answers come as events. */
#ifndef BENCH_SIGNALING_H
#define BENCH_SIGNALING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/http.h"
#include "bench/sdp.h"

enum { BENCH_ROOM_ID_MAX = 64, BENCH_WHY_MAX = 256 };

struct bench_signaling_options {
    const char *protocol; /* "whip", "weir", "janus". */
    const char *url;      /* http://HOST:PORT of the server. */
    const char *whip;     /* URLs of the endpoints, with {room} in them; NULL: Weir's. */
    const char *whep;
    const char *room;   /* The id of a room that is there already; NULL: rooms are made. */
    const char *token;  /* Bearer token for everything, or NULL. */
    const char *secret; /* To sign tokens with, or NULL. */
    size_t rooms;
};

/* What a client comes with. */
struct bench_hello {
    uint64_t number; /* Of the client, from 1, never twice. */
    size_t room;     /* From 0. */
    struct bench_sdp_wish wish;
    struct bench_remote local;
    const uint8_t *fingerprint;
    const uint64_t *feeds; /* Whom it watches, by number: for servers that want to be told. */
    size_t feed_count;
    uint16_t tile_height; /* Of what it watches; 0: any. */
};

struct bench_session;

struct bench_session_events {
    /* Both sides agreed on these m-lines, and there the server is. */
    void (*on_agreed)(void *ctx, const struct bench_sdp *ours, const struct bench_remote *server);
    /* Nothing comes after it. */
    void (*on_failed)(void *ctx, const char *why);
    /* Which layers of a published m-line anybody watches. */
    void (*on_layers)(void *ctx, const char *mid, uint8_t layers);
};

struct bench_signaling;

/* -EINVAL with what is wrong in `why`, or -ENOMEM. */
int bench_signaling_create(struct bench_signaling **out, struct bench_loop *loop,
                           const struct bench_signaling_options *options,
                           char why[static BENCH_WHY_MAX]);

/* All sessions have left. */
void bench_signaling_destroy(struct bench_signaling *signaling);

/* Whether a participant who publishes and watches needs two clients. */
bool bench_signaling_splits(const struct bench_signaling *signaling);

/* The host in the server's URL. */
const char *bench_signaling_host(const struct bench_signaling *signaling);

/* Begins to join; NULL when memory is out. Events may come before it returns. */
struct bench_session *bench_signaling_join(struct bench_signaling *signaling,
                                           const struct bench_hello *hello,
                                           const struct bench_session_events *events, void *ctx);

/* Tells the server; no events come any more, and the session is gone. */
void bench_signaling_leave(struct bench_session *session);

#endif
