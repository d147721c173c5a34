/* What the protocols build on: sessions, rooms, identities. Of bench/signaling*, bench/whip,
 * bench/weir and bench/janus alone. */
#ifndef BENCH_SIGNALING_INTERNAL_H
#define BENCH_SIGNALING_INTERNAL_H

#include <jansson.h>
#include <netinet/in.h>

#include "bench/signaling.h"

struct bench_session {
    /* Given. */
    struct bench_signaling *signaling;
    struct bench_session_events events;
    void *ctx;
    uint64_t number;
    size_t room;
    uint16_t tile_height;
    /* Owned. */
    struct bench_sdp *ours;
    uint64_t *feeds;
    /* Links. */
    struct bench_session *next; /* Waiting for the same room. */
    /* State. */
    size_t feed_count;
    struct bench_exchange *exchange; /* The request that is on its way. */
    bool is_in;                      /* The protocol's join was called. */
};

enum bench_room_state { BENCH_ROOM_UNKNOWN, BENCH_ROOM_ASKED, BENCH_ROOM_READY, BENCH_ROOM_FAILED };

struct bench_room {
    char id[BENCH_ROOM_ID_MAX];
    enum bench_room_state state;
    char why[BENCH_WHY_MAX];
    struct bench_session *waiting;
};

struct bench_protocol {
    const char *name;
    bool splits;
    size_t session_size; /* Of the protocol's struct, which begins with a bench_session. */
    int (*create)(struct bench_signaling *signaling);
    void (*destroy)(struct bench_signaling *signaling);
    /* Answers, now or later, by bench_room_done. */
    void (*open_room)(struct bench_signaling *signaling, size_t room);
    void (*join)(struct bench_session *session);
    void (*leave)(struct bench_session *session); /* Before it is freed. */
};

struct bench_signaling {
    /* Given. */
    struct bench_loop *loop;
    struct bench_signaling_options options;
    const struct bench_protocol *protocol;
    /* Owned. */
    struct bench_http *http;
    struct bench_room *rooms;
    void *state; /* The protocol's. */
    char *host, *origin;
    /* State. */
    struct sockaddr_in address; /* Of the host. */
    uint64_t random;
    char token[1024]; /* Of the newest request. */
};

extern const struct bench_protocol bench_whip, bench_weir, bench_janus;

/* id NULL: it failed, and words say why. */
void bench_room_done(struct bench_signaling *signaling, size_t room, const char *id,
                     const char *words);

/* Reads a server's answer to our offer, and tells the owner. */
void bench_session_answer(struct bench_session *session, const char *sdp);
void bench_session_fail(struct bench_session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void bench_session_fail_reply(struct bench_session *session, const char *what,
                              const struct bench_reply *reply);

/* "Authorization: Bearer …" for a user in a room ("" for none), or NULL when there is neither token
 * nor secret; valid until the next call. */
const char *bench_identity_header(struct bench_signaling *signaling, const char *user,
                                  const char *room);

/* POST of a JSON value, which is consumed. */
struct bench_exchange *bench_http_post_json(struct bench_signaling *signaling, const char *url,
                                            json_t *body, const char *const *headers,
                                            bench_reply_fn on_reply, void *ctx);

/* A call of Weir's REST interface for a room; with a token or secret, or signing in by name. */
void bench_weir_open_room(struct bench_signaling *signaling, size_t room);

/* The name by which a client is known to the server. */
void bench_session_user(const struct bench_session *session, char out[static 32]);

#endif
