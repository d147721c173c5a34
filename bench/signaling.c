#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/random.h"
#include "bench/signaling_internal.h"
#include "bench/token.h"

enum { HTTP_CONNECTIONS = 24, TOKEN_LIFE_S = 6 * 3600 };

static const struct bench_protocol *const protocols[] = {&bench_whip, &bench_weir, &bench_janus};

/* --- Creation --- */

/* scheme://HOST:PORT and its host, out of a URL. */
static int split_url(struct bench_signaling *signaling, const char *url) {
    const char *authority = strstr(url, "://");
    if (authority == NULL)
        return -EINVAL;
    authority += 3;
    size_t len = strcspn(authority, "/?#");
    size_t host_len = strcspn(authority, ":/?#");
    signaling->origin = strndup(url, (size_t)(authority - url) + len);
    signaling->host = strndup(authority, host_len);
    if (signaling->origin == NULL || signaling->host == NULL)
        return -ENOMEM;
    bool is_tls = strncmp(url, "https", 5) == 0;
    unsigned long port = authority[host_len] == ':' ? strtoul(authority + host_len + 1, NULL, 10)
                         : is_tls                   ? 443
                                                    : 80;
    signaling->address.sin_port = htons((uint16_t)port);
    return host_len > 0 ? 0 : -EINVAL;
}

static int resolve(struct bench_signaling *signaling) {
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found = NULL;
    if (getaddrinfo(signaling->host, NULL, &hints, &found) != 0)
        return -ENOENT;
    uint16_t port = signaling->address.sin_port;
    memcpy(&signaling->address, found->ai_addr, sizeof(signaling->address));
    signaling->address.sin_port = port;
    freeaddrinfo(found);
    return 0;
}

static int find_protocol(struct bench_signaling *signaling) {
    for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
        if (strcmp(protocols[i]->name, signaling->options.protocol) == 0)
            signaling->protocol = protocols[i];
    return signaling->protocol ? 0 : -EINVAL;
}

static int set_up(struct bench_signaling *signaling, char why[static BENCH_WHY_MAX]) {
    const struct bench_signaling_options *options = &signaling->options;
    const char *url = options->url ? options->url : options->whip ? options->whip : options->whep;
    if (find_protocol(signaling) < 0) {
        snprintf(why, BENCH_WHY_MAX, "no such protocol: %s", options->protocol);
        return -EINVAL;
    }
    if (url == NULL || split_url(signaling, url) < 0) {
        snprintf(why, BENCH_WHY_MAX, "the server's URL has to be as http://HOST:PORT");
        return -EINVAL;
    }
    if (resolve(signaling) < 0) {
        snprintf(why, BENCH_WHY_MAX, "no IPv4 address is known of %s", signaling->host);
        return -EINVAL;
    }
    snprintf(why, BENCH_WHY_MAX, "out of memory");
    signaling->rooms = calloc(options->rooms + 1, sizeof(*signaling->rooms));
    if (signaling->rooms == NULL ||
        bench_http_create(&signaling->http, signaling->loop, HTTP_CONNECTIONS) < 0)
        return -ENOMEM;
    return signaling->protocol->create ? signaling->protocol->create(signaling) : 0;
}

int bench_signaling_create(struct bench_signaling **out, struct bench_loop *loop,
                           const struct bench_signaling_options *options,
                           char why[static BENCH_WHY_MAX]) {
    struct bench_signaling *signaling = calloc(1, sizeof(*signaling));
    struct timespec now;
    if (signaling == NULL)
        return -ENOMEM;
    clock_gettime(CLOCK_REALTIME, &now);
    signaling->loop = loop;
    signaling->options = *options;
    signaling->random = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    int result = set_up(signaling, why);
    if (result < 0)
        bench_signaling_destroy(signaling);
    else
        *out = signaling;
    return result;
}

void bench_signaling_destroy(struct bench_signaling *signaling) {
    if (signaling == NULL)
        return;
    if (signaling->protocol != NULL && signaling->protocol->destroy != NULL)
        signaling->protocol->destroy(signaling);
    bench_http_destroy(signaling->http);
    free(signaling->rooms);
    free(signaling->host);
    free(signaling->origin);
    free(signaling);
}

bool bench_signaling_splits(const struct bench_signaling *signaling) {
    return signaling->protocol->splits;
}

const char *bench_signaling_host(const struct bench_signaling *signaling) {
    return signaling->host;
}

/* --- Rooms --- */

static void enter(struct bench_session *session) {
    const struct bench_room *room = &session->signaling->rooms[session->room];
    session->is_in = true;
    if (room->state == BENCH_ROOM_READY)
        session->signaling->protocol->join(session);
    else
        bench_session_fail(session, "the room could not be made: %s", room->why);
}

void bench_room_done(struct bench_signaling *signaling, size_t number, const char *id,
                     const char *words) {
    struct bench_room *room = &signaling->rooms[number];
    room->state = id ? BENCH_ROOM_READY : BENCH_ROOM_FAILED;
    snprintf(room->id, sizeof(room->id), "%s", id ? id : "");
    snprintf(room->why, sizeof(room->why), "%s", words ? words : "");
    while (room->waiting != NULL) {
        struct bench_session *session = room->waiting;
        room->waiting = session->next;
        enter(session);
    }
}

static void ask_for_room(struct bench_signaling *signaling, size_t number) {
    signaling->rooms[number].state = BENCH_ROOM_ASKED;
    if (signaling->options.room != NULL && signaling->protocol->create == NULL)
        bench_room_done(signaling, number, signaling->options.room, NULL);
    else
        signaling->protocol->open_room(signaling, number);
}

/* --- Sessions --- */

static struct bench_session *session_create(struct bench_signaling *signaling,
                                            const struct bench_hello *hello) {
    struct bench_session *session = calloc(1, signaling->protocol->session_size);
    struct bench_sdp *ours = calloc(1, sizeof(*ours));
    uint64_t *feeds = calloc(hello->feed_count + 1, sizeof(*feeds));
    if (session == NULL || ours == NULL || feeds == NULL) {
        free(session);
        free(ours);
        free(feeds);
        return NULL;
    }
    if (hello->feed_count > 0)
        memcpy(feeds, hello->feeds, hello->feed_count * sizeof(*feeds));
    bench_sdp_offer(ours, &hello->wish);
    ours->transport = hello->local;
    memcpy(ours->fingerprint, hello->fingerprint, sizeof(ours->fingerprint));
    session->ours = ours;
    session->feeds = feeds;
    session->feed_count = hello->feed_count;
    session->number = hello->number;
    session->room = hello->room;
    session->tile_height = hello->tile_height;
    return session;
}

struct bench_session *bench_signaling_join(struct bench_signaling *signaling,
                                           const struct bench_hello *hello,
                                           const struct bench_session_events *events, void *ctx) {
    struct bench_room *room = &signaling->rooms[hello->room];
    struct bench_session *session = session_create(signaling, hello);
    if (session == NULL)
        return NULL;
    session->signaling = signaling;
    session->events = *events;
    session->ctx = ctx;
    if (room->state == BENCH_ROOM_UNKNOWN)
        ask_for_room(signaling, hello->room);
    if (room->state == BENCH_ROOM_ASKED) {
        session->next = room->waiting;
        room->waiting = session;
    } else {
        enter(session);
    }
    return session;
}

static void stop_waiting(struct bench_session *session) {
    struct bench_session **place = &session->signaling->rooms[session->room].waiting;
    while (*place != NULL && *place != session)
        place = &(*place)->next;
    if (*place == session)
        *place = session->next;
}

void bench_signaling_leave(struct bench_session *session) {
    if (session == NULL)
        return;
    stop_waiting(session);
    bench_http_forget(session->exchange);
    if (session->is_in)
        session->signaling->protocol->leave(session);
    free(session->ours);
    free(session->feeds);
    free(session);
}

void bench_session_user(const struct bench_session *session, char out[static 32]) {
    snprintf(out, 32, "bench-%llu", (unsigned long long)session->number);
}

void bench_session_fail(struct bench_session *session, const char *format, ...) {
    char why[BENCH_WHY_MAX];
    va_list list;
    va_start(list, format);
    vsnprintf(why, sizeof(why), format, list);
    va_end(list);
    session->events.on_failed(session->ctx, why);
}

void bench_session_fail_reply(struct bench_session *session, const char *what,
                              const struct bench_reply *reply) {
    if (reply->status == 0)
        bench_session_fail(session, "%s: %s", what, reply->words);
    else
        bench_session_fail(session, "%s was answered by %ld: %.120s", what, reply->status,
                           reply->body);
}

void bench_session_answer(struct bench_session *session, const char *sdp) {
    char prefer[SFU_ADDRESS_MAX];
    struct bench_sdp *answer = malloc(sizeof(*answer));
    if (answer == NULL) {
        bench_session_fail(session, "out of memory");
        return;
    }
    inet_ntop(AF_INET, &session->signaling->address.sin_addr, prefer, sizeof(prefer));
    int result = bench_sdp_read(answer, sdp, prefer);
    if (result < 0) {
        bench_session_fail(session, "the answer cannot be used: %s", strerror(-result));
    } else {
        bench_sdp_agree(session->ours, answer);
        session->events.on_agreed(session->ctx, session->ours, &answer->transport);
    }
    free(answer);
}

/* --- Identities --- */

const char *bench_identity_header(struct bench_signaling *signaling, const char *user,
                                  const char *room) {
    static const char head[] = "Authorization: Bearer ";
    size_t at = sizeof(head) - 1;
    memcpy(signaling->token, head, sizeof(head));
    if (signaling->options.token != NULL) {
        snprintf(signaling->token + at, sizeof(signaling->token) - at, "%s",
                 signaling->options.token);
        return signaling->token;
    }
    if (signaling->options.secret == NULL)
        return NULL;
    bench_token_write(signaling->token + at, sizeof(signaling->token) - at,
                      signaling->options.secret, user, room, time(NULL) + TOKEN_LIFE_S);
    return signaling->token;
}

struct bench_exchange *bench_http_post_json(struct bench_signaling *signaling, const char *url,
                                            json_t *body, const char *const *headers,
                                            bench_reply_fn on_reply, void *ctx) {
    char *text = json_dumps(body, JSON_COMPACT);
    struct bench_request request = {
        .method = "POST", .url = url, .type = "application/json", .headers = headers};
    request.body = text;
    json_decref(body);
    struct bench_exchange *exchange = bench_http_send(signaling->http, &request, on_reply, ctx);
    free(text);
    return exchange;
}
