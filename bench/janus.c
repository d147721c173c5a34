/* Janus's videoroom over its HTTP interface: one session with a handle for each client, whose
 * events come by one long poll. Who publishes offers; to those who watch the server offers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/signaling_internal.h"

enum { URL_MAX = 256, FIRST_ROOM = 1000000, ROOM_PUBLISHERS = 10000 };

struct janus_session {
    struct bench_session base; /* The first. */
    uint64_t handle;           /* 0: not yet. */
    bool watches;
};

struct janus {
    struct bench_signaling *signaling;
    uint64_t session, organizer; /* Handle that makes rooms. */
    uint64_t first_room;
    bool is_over;
    /* Those that wait for the session, then by their number: who gets an event. */
    struct janus_session **sessions;
    size_t capacity;
    char *asked; /* For rooms before the session was there: one flag each. */
};

static struct janus *state_of(const struct bench_signaling *signaling) {
    return signaling->state;
}

/* --- Requests --- */

/* body is consumed; `who` goes into the transaction, by which events find back. */
static struct bench_exchange *ask(struct janus *janus, uint64_t handle, uint64_t who, json_t *body,
                                  bench_reply_fn on_reply, void *ctx) {
    char url[URL_MAX], transaction[32];
    size_t at = (size_t)snprintf(url, sizeof(url), "%s/janus", janus->signaling->origin);
    if (janus->session != 0)
        at += (size_t)snprintf(url + at, sizeof(url) - at, "/%llu",
                               (unsigned long long)janus->session);
    if (handle != 0)
        snprintf(url + at, sizeof(url) - at, "/%llu", (unsigned long long)handle);
    snprintf(transaction, sizeof(transaction), "%llu", (unsigned long long)who);
    json_object_set_new(body, "transaction", json_string(transaction));
    return bench_http_post_json(janus->signaling, url, body, NULL, on_reply, ctx);
}

/* The id that "create" and "attach" give; 0 when they failed. */
static uint64_t read_id(const struct bench_reply *reply) {
    json_t *answer = json_loadb(reply->body, reply->len, 0, NULL);
    json_int_t id = json_integer_value(json_object_get(json_object_get(answer, "data"), "id"));
    json_decref(answer);
    return id > 0 ? (uint64_t)id : 0;
}

static json_t *attach_body(void) {
    return json_pack("{s:s, s:s}", "janus", "attach", "plugin", "janus.plugin.videoroom");
}

static uint64_t room_number(const struct bench_session *session) {
    return strtoull(session->signaling->rooms[session->room].id, NULL, 10);
}

/* --- Rooms --- */

struct opening {
    struct janus *janus;
    size_t room;
};

static unsigned long long number_of(const struct janus *janus, size_t room) {
    return janus->first_room + room;
}

static void on_room(void *ctx, const struct bench_reply *reply) {
    struct opening *opening = ctx;
    char id[24], words[BENCH_WHY_MAX];
    bool made = reply->status == 200 && strstr(reply->body, "\"created\"") != NULL;
    snprintf(id, sizeof(id), "%llu", number_of(opening->janus, opening->room));
    snprintf(words, sizeof(words), "%.200s", reply->status ? reply->body : reply->words);
    bench_room_done(opening->janus->signaling, opening->room, made ? id : NULL, words);
    free(opening);
}

static void make_room(struct janus *janus, size_t room) {
    if (janus->signaling->options.room != NULL) {
        bench_room_done(janus->signaling, room, janus->signaling->options.room, NULL);
        return;
    }
    struct opening *opening = calloc(1, sizeof(*opening));
    if (opening == NULL) {
        bench_room_done(janus->signaling, room, NULL, "out of memory");
        return;
    }
    *opening = (struct opening){janus, room};
    ask(janus, janus->organizer, 0,
        json_pack("{s:s, s:{s:s, s:I, s:i, s:i, s:s, s:s}}", "janus", "message", "body", "request",
                  "create", "room", (json_int_t)number_of(janus, room), "publishers",
                  ROOM_PUBLISHERS, "bitrate", 0, "videocodec", "vp8,vp9,h264,av1", "audiocodec",
                  "opus"),
        on_room, opening);
}

static void open_room(struct bench_signaling *signaling, size_t room) {
    struct janus *janus = state_of(signaling);
    if (janus->is_over)
        bench_room_done(signaling, room, NULL, "there is no session with Janus");
    else if (janus->organizer != 0)
        make_room(janus, room);
    else
        janus->asked[room] = 1;
}

/* --- Events --- */

static void poll_events(struct janus *janus);

static void on_offer(struct janus_session *session, const char *sdp) {
    struct bench_session *base = &session->base;
    struct bench_sdp *offer = malloc(sizeof(*offer));
    char prefer[SFU_ADDRESS_MAX];
    snprintf(prefer, sizeof(prefer), "%s", base->signaling->host);
    int result = offer ? bench_sdp_read(offer, sdp, prefer) : -1;
    if (result == 0)
        bench_sdp_answer(base->ours, offer);
    char *answer = result == 0 ? bench_sdp_write(base->ours) : NULL;
    if (answer == NULL) {
        bench_session_fail(base, "the offer cannot be used");
    } else {
        ask(state_of(base->signaling), session->handle, base->number,
            json_pack("{s:s, s:{s:s}, s:{s:s, s:s}}", "janus", "message", "body", "request",
                      "start", "jsep", "type", "answer", "sdp", answer),
            NULL, NULL);
        base->events.on_agreed(base->ctx, base->ours, &offer->transport);
    }
    free(answer);
    free(offer);
}

static void on_event(struct janus *janus, const json_t *event) {
    const char *transaction = json_string_value(json_object_get(event, "transaction"));
    size_t number = transaction ? strtoull(transaction, NULL, 10) : 0;
    struct janus_session *session = number < janus->capacity ? janus->sessions[number] : NULL;
    const json_t *data = json_object_get(json_object_get(event, "plugindata"), "data");
    const json_t *jsep = json_object_get(event, "jsep");
    const char *sdp = json_string_value(json_object_get(jsep, "sdp"));
    const char *error = json_string_value(json_object_get(data, "error"));
    if (session == NULL)
        return;
    if (error != NULL)
        bench_session_fail(&session->base, "Janus: %s", error);
    else if (sdp != NULL && session->watches)
        on_offer(session, sdp);
    else if (sdp != NULL)
        bench_session_answer(&session->base, sdp);
}

static void on_events(void *ctx, const struct bench_reply *reply) {
    struct janus *janus = ctx;
    json_t *events = json_loadb(reply->body, reply->len, 0, NULL), *event;
    size_t i;
    if (json_is_object(events))
        on_event(janus, events);
    json_array_foreach(events, i, event) on_event(janus, event);
    json_decref(events);
    if (reply->status == 200)
        poll_events(janus);
}

static void poll_events(struct janus *janus) {
    char url[URL_MAX];
    snprintf(url, sizeof(url), "%s/janus/%llu?maxev=50", janus->signaling->origin,
             (unsigned long long)janus->session);
    struct bench_request request = {.method = "GET", .url = url, .waits = true};
    bench_http_send(janus->signaling->http, &request, on_events, janus);
}

/* --- Clients --- */

static void on_message_taken(void *ctx, const struct bench_reply *reply) {
    struct janus_session *session = ctx;
    session->base.exchange = NULL;
    if (reply->status != 200 || strstr(reply->body, "\"error\"") != NULL)
        bench_session_fail_reply(&session->base, "Janus", reply);
}

static json_t *feeds_of(const struct bench_session *session) {
    json_t *streams = json_array();
    for (size_t i = 0; i < session->feed_count; i++)
        json_array_append_new(streams, json_pack("{s:I}", "feed", (json_int_t)session->feeds[i]));
    return streams;
}

static json_t *watch_body(const struct bench_session *session) {
    return json_pack("{s:s, s:{s:s, s:s, s:I, s:o}}", "janus", "message", "body", "request", "join",
                     "ptype", "subscriber", "room", (json_int_t)room_number(session), "streams",
                     feeds_of(session));
}

/* Janus would take the active role of actpass, which is ours. */
static json_t *publish_body(const struct bench_session *session) {
    session->ours->is_offer = false;
    char *offer = bench_sdp_write(session->ours);
    json_t *body = json_pack("{s:s, s:{s:s, s:s, s:I, s:I}, s:{s:s, s:s}}", "janus", "message",
                             "body", "request", "joinandconfigure", "ptype", "publisher", "room",
                             (json_int_t)room_number(session), "id", (json_int_t)session->number,
                             "jsep", "type", "offer", "sdp", offer ? offer : "");
    free(offer);
    return body;
}

static void on_attached(void *ctx, const struct bench_reply *reply) {
    struct janus_session *session = ctx;
    struct bench_session *base = &session->base;
    session->handle = read_id(reply);
    base->exchange = NULL;
    if (session->handle == 0) {
        bench_session_fail_reply(base, "Janus", reply);
        return;
    }
    base->exchange =
        ask(state_of(base->signaling), session->handle, base->number,
            session->watches ? watch_body(base) : publish_body(base), on_message_taken, session);
}

static bool register_session(struct janus *janus, struct janus_session *session) {
    size_t number = session->base.number;
    if (number >= janus->capacity) {
        size_t capacity = number * 2 + 64;
        struct janus_session **grown =
            realloc(janus->sessions, capacity * sizeof(struct janus_session *));
        if (grown == NULL)
            return false;
        memset(grown + janus->capacity, 0,
               (capacity - janus->capacity) * sizeof(struct janus_session *));
        janus->sessions = grown;
        janus->capacity = capacity;
    }
    janus->sessions[number] = session;
    return true;
}

static void join(struct bench_session *base) {
    struct janus *janus = state_of(base->signaling);
    struct janus_session *session = (struct janus_session *)base;
    const struct bench_sdp *ours = base->ours;
    session->watches = ours->count > 0 && ours->media[0].direction == SFU_SLOT;
    if (janus->session == 0 || !register_session(janus, session))
        bench_session_fail(base, "there is no session with Janus");
    else
        base->exchange = ask(janus, 0, base->number, attach_body(), on_attached, session);
}

static void leave(struct bench_session *base) {
    struct janus *janus = state_of(base->signaling);
    uint64_t handle = ((struct janus_session *)base)->handle;
    if (base->number < janus->capacity)
        janus->sessions[base->number] = NULL;
    if (handle != 0)
        ask(janus, handle, 0, json_pack("{s:s}", "janus", "detach"), NULL, NULL);
}

/* --- The session --- */

static void give_up(struct janus *janus) {
    janus->is_over = true;
    for (size_t i = 0; i < janus->signaling->options.rooms; i++)
        if (janus->asked[i])
            bench_room_done(janus->signaling, i, NULL, "there is no session with Janus");
}

static void on_organizer(void *ctx, const struct bench_reply *reply) {
    struct janus *janus = ctx;
    janus->organizer = read_id(reply);
    if (janus->organizer == 0) {
        give_up(janus);
        return;
    }
    for (size_t i = 0; i < janus->signaling->options.rooms; i++)
        if (janus->asked[i])
            make_room(janus, i);
}

static void on_session(void *ctx, const struct bench_reply *reply) {
    struct janus *janus = ctx;
    janus->session = read_id(reply);
    if (janus->session == 0) {
        give_up(janus);
        return;
    }
    poll_events(janus);
    ask(janus, 0, 0, attach_body(), on_organizer, janus);
}

static int create(struct bench_signaling *signaling) {
    struct janus *janus = calloc(1, sizeof(*janus));
    if (janus == NULL)
        return -1;
    signaling->state = janus;
    janus->signaling = signaling;
    janus->first_room = FIRST_ROOM + signaling->random / 1000 % 1000000000;
    janus->asked = calloc(signaling->options.rooms + 1, 1);
    if (janus->asked == NULL)
        return -1;
    ask(janus, 0, 0, json_pack("{s:s}", "janus", "create"), on_session, janus);
    return 0;
}

static void destroy(struct bench_signaling *signaling) {
    struct janus *janus = state_of(signaling);
    if (janus == NULL)
        return;
    free(janus->sessions);
    free(janus->asked);
    free(janus);
}

const struct bench_protocol bench_janus = {.name = "janus",
                                           .splits = true,
                                           .session_size = sizeof(struct janus_session),
                                           .create = create,
                                           .destroy = destroy,
                                           .open_room = open_room,
                                           .join = join,
                                           .leave = leave};
