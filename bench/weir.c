/* Weir's own protocol: a WebSocket for each participant, one connection for both directions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/signaling_internal.h"
#include "bench/websocket.h"

enum { URL_MAX = 256, PATH_MAX_LEN = 128, COOKIES_MAX = 512 };

struct weir_session {
    struct bench_session base; /* The first. */
    struct bench_websocket *socket;
    char cookies[COOKIES_MAX]; /* Of a sign-in by name. */
    bool has_joined;
};

/* --- Signing in by name, where there is neither token nor secret --- */

/* "Cookie: a=…; b=…" out of what the server sets, and the token that goes with it. */
static void take_cookies(const struct bench_reply *reply, char *out, size_t size, char *csrf,
                         size_t csrf_size) {
    const char *line;
    size_t at = (size_t)snprintf(out, size, "Cookie: ");
    csrf[0] = '\0';
    for (size_t i = 0; (line = bench_http_header(reply, "Set-Cookie", i)) != NULL; i++) {
        size_t len = strcspn(line, ";");
        if (strncmp(line, "csrftoken=", 10) == 0 && len > 10)
            snprintf(csrf, csrf_size, "X-CSRFToken: %.*s", (int)(len - 10), line + 10);
        if (at + len + 3 >= size)
            return;
        at += (size_t)snprintf(out + at, size - at, "%s%.*s", i ? "; " : "", (int)len, line);
    }
}

static void sign_in(struct bench_signaling *signaling, const char *name, bench_reply_fn on_reply,
                    void *ctx) {
    char url[URL_MAX];
    snprintf(url, sizeof(url), "%s/session/", signaling->origin);
    bench_http_post_json(signaling, url, json_pack("{s:s}", "name", name), NULL, on_reply, ctx);
}

/* --- Rooms --- */

/* Whoever begins the calls. */
struct opening {
    struct bench_signaling *signaling;
    size_t room;
};

static void on_initiated(void *ctx, const struct bench_reply *reply) {
    struct opening *opening = ctx;
    char words[BENCH_WHY_MAX];
    json_t *answer = json_loadb(reply->body, reply->len, 0, NULL);
    const char *id = json_string_value(json_object_get(answer, "call_id"));
    if (reply->status == 0)
        snprintf(words, sizeof(words), "%s", reply->words);
    else
        snprintf(words, sizeof(words), "%ld %.160s", reply->status, reply->body);
    bench_room_done(opening->signaling, opening->room, reply->status < 300 ? id : NULL, words);
    json_decref(answer);
    free(opening);
}

static void initiate(struct opening *opening, const char *const *headers) {
    char url[URL_MAX];
    snprintf(url, sizeof(url), "%s/calls/initiate/", opening->signaling->origin);
    bench_http_post_json(opening->signaling, url,
                         json_pack("{s:s, s:[]}", "call_type", "VIDEO", "user_ids"), headers,
                         on_initiated, opening);
}

static void on_organizer(void *ctx, const struct bench_reply *reply) {
    char cookies[COOKIES_MAX], csrf[128];
    take_cookies(reply, cookies, sizeof(cookies), csrf, sizeof(csrf));
    initiate(ctx, (const char *[]){cookies, csrf, NULL});
}

void bench_weir_open_room(struct bench_signaling *signaling, size_t room) {
    struct opening *opening = calloc(1, sizeof(*opening));
    if (opening == NULL) {
        bench_room_done(signaling, room, NULL, "out of memory");
        return;
    }
    *opening = (struct opening){signaling, room};
    const char *bearer = bench_identity_header(signaling, "bench-organizer", "");
    if (bearer != NULL)
        initiate(opening, (const char *[]){bearer, NULL});
    else
        sign_in(signaling, "bench organizer", on_organizer, opening);
}

/* --- Messages --- */

static void say(struct weir_session *session, json_t *message) {
    char *text = json_dumps(message, JSON_COMPACT);
    if (text != NULL)
        bench_websocket_send(session->socket, text);
    free(text);
    json_decref(message);
}

static void say_sources(struct weir_session *session) {
    json_t *tracks = json_array();
    for (size_t i = 0; i < session->base.ours->count; i++) {
        const struct sfu_media *media = &session->base.ours->media[i];
        if (media->direction == SFU_PUBLISHES)
            json_array_append_new(tracks, json_pack("{s:s, s:s}", "mid", media->mid, "source",
                                                    media->video ? "camera" : "microphone"));
    }
    if (json_array_size(tracks) > 0)
        say(session, json_pack("{s:s, s:O}", "type", "publish", "tracks", tracks));
    json_decref(tracks);
}

static void say_wishes(struct weir_session *session) {
    json_t *slots = json_array();
    for (size_t i = 0; i < session->base.ours->count; i++) {
        const struct sfu_media *media = &session->base.ours->media[i];
        if (media->direction == SFU_SLOT && media->video)
            json_array_append_new(slots, json_pack("{s:s, s:i}", "mid", media->mid, "max_height",
                                                   session->base.tile_height));
    }
    if (session->base.tile_height > 0 && json_array_size(slots) > 0)
        say(session, json_pack("{s:s, s:O}", "type", "subscribe", "slots", slots));
    json_decref(slots);
}

static void say_offer(struct weir_session *session) {
    char *offer = bench_sdp_write(session->base.ours);
    say(session, json_pack("{s:s, s:s}", "type", "join", "media", "sfu"));
    say_sources(session);
    if (offer != NULL)
        say(session, json_pack("{s:s, s:{s:s, s:s}}", "type", "offer", "offer", "type", "offer",
                               "sdp", offer));
    free(offer);
}

/* {q, h, f: wanted or not} */
static void on_layers(struct weir_session *session, const json_t *message) {
    const char *mid = json_string_value(json_object_get(message, "mid"));
    const json_t *rids = json_object_get(message, "rids");
    for (size_t i = 0; mid != NULL && i < session->base.ours->count; i++) {
        const struct sfu_media *media = &session->base.ours->media[i];
        uint8_t layers = 0;
        if (strcmp(media->mid, mid) != 0)
            continue;
        for (uint8_t layer = 0; layer < media->layer_count; layer++) {
            const char *rid = media->rids[layer];
            bool wanted = rid[0] == '\0' || json_is_true(json_object_get(rids, rid));
            layers |= (uint8_t)(wanted << layer);
        }
        session->base.events.on_layers(session->base.ctx, mid, layers);
    }
}

static void on_error(struct weir_session *session, const json_t *message) {
    const char *code = json_string_value(json_object_get(message, "code"));
    const char *words = json_string_value(json_object_get(message, "message"));
    bench_session_fail(&session->base, "%s: %s", code ? code : "error", words ? words : "");
}

static void on_answer(struct weir_session *session, const json_t *message) {
    const json_t *answer = json_object_get(message, "answer");
    const char *sdp = json_string_value(json_object_get(answer, "sdp"));
    if (sdp == NULL)
        return;
    bench_session_answer(&session->base, sdp);
    say_wishes(session);
}

static void on_welcome(struct weir_session *session, const json_t *message) {
    (void)message;
    if (session->has_joined)
        return;
    session->has_joined = true;
    say_offer(session);
}

static const struct {
    const char *type;
    void (*handle)(struct weir_session *session, const json_t *message);
    bool is_read; /* Not for its type alone. */
} messages[] = {
    {"answer", on_answer, true},
    {"publish_layers", on_layers, true},
    {"error", on_error, true},
    {"welcome", on_welcome, false},
};

/* The type comes first. In a large room most messages are news of others, and the list of who is
 * there is long: to read all that would cost the crowd more than the server to write it. */
static void on_text(void *ctx, const char *text, size_t len) {
    static const char begin[] = "{\"type\":\"";
    size_t skip = strlen(begin);
    const char *end =
        len > skip && memcmp(text, begin, skip) == 0 ? memchr(text + skip, '"', len - skip) : NULL;
    size_t type_len = end != NULL ? (size_t)(end - text) - skip : 0;
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        if (strlen(messages[i].type) != type_len ||
            memcmp(messages[i].type, text + skip, type_len) != 0)
            continue;
        json_t *message = messages[i].is_read ? json_loadb(text, len, 0, NULL) : NULL;
        messages[i].handle(ctx, message);
        json_decref(message);
    }
}

static void on_open(void *ctx) {
    (void)ctx; /* The server speaks first. */
}

static void on_end(void *ctx, const char *why) {
    struct weir_session *session = ctx;
    bench_session_fail(&session->base, "WebSocket: %s", why);
}

/* --- Joining --- */

static void connect_socket(struct weir_session *session, const char *identity) {
    static const struct bench_websocket_events events = {on_open, on_text, on_end};
    const struct bench_signaling *signaling = session->base.signaling;
    char path[PATH_MAX_LEN], origin[URL_MAX];
    snprintf(path, sizeof(path), "/ws/call/%s/", signaling->rooms[session->base.room].id);
    snprintf(origin, sizeof(origin), "Origin: %s", signaling->origin);
    const char *headers[] = {identity, origin, NULL};
    struct bench_websocket_target target = {.address = signaling->address,
                                            .host = strstr(signaling->origin, "://") + 3,
                                            .path = path,
                                            .headers = headers};
    if (bench_websocket_open(&session->socket, signaling->loop, &target, &events, session) < 0)
        bench_session_fail(&session->base, "WebSocket: no connection");
}

static void on_signed_in(void *ctx, const struct bench_reply *reply) {
    struct weir_session *session = ctx;
    char csrf[128];
    session->base.exchange = NULL;
    if (reply->status != 200 && reply->status != 201) {
        bench_session_fail_reply(&session->base, "sign-in", reply);
        return;
    }
    take_cookies(reply, session->cookies, sizeof(session->cookies), csrf, sizeof(csrf));
    connect_socket(session, session->cookies);
}

static void join(struct bench_session *base) {
    struct bench_signaling *signaling = base->signaling;
    char user[32], url[URL_MAX];
    bench_session_user(base, user);
    const char *bearer = bench_identity_header(signaling, user, signaling->rooms[base->room].id);
    if (bearer != NULL) {
        connect_socket((struct weir_session *)base, bearer);
        return;
    }
    snprintf(url, sizeof(url), "%s/session/", signaling->origin);
    base->exchange = bench_http_post_json(signaling, url, json_pack("{s:s}", "name", user), NULL,
                                          on_signed_in, base);
}

static void leave(struct bench_session *base) {
    bench_websocket_close(((struct weir_session *)base)->socket);
}

const struct bench_protocol bench_weir = {.name = "weir",
                                          .splits = false,
                                          .session_size = sizeof(struct weir_session),
                                          .open_room = bench_weir_open_room,
                                          .join = join,
                                          .leave = leave};
