/* WHIP (RFC 9725) for those who publish, WHEP for those who watch: one request each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/random.h"
#include "bench/signaling_internal.h"

enum { URL_MAX = 512 };

struct whip_session {
    struct bench_session base; /* The first. */
    char *location;            /* NULL: not there yet. */
};

static bool publishes(const struct bench_session *session) {
    return session->ours->count > 0 && session->ours->media[0].direction == SFU_PUBLISHES;
}

/* A version 4 UUID (RFC 9562 section 5.4). */
static void write_uuid(struct bench_signaling *signaling, char out[static 37]) {
    struct bench_random random = {signaling->random++};
    uint64_t high = bench_random_next(&random), low = bench_random_next(&random);
    snprintf(out, 37, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(high >> 32),
             (unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xfff),
             (unsigned)(low >> 48 & 0x3fff) | 0x8000, (unsigned long long)(low & 0xffffffffffff));
}

/* Weir in demo mode makes a call of any id on its first publisher; with a secret, calls are begun
 * by its interface; other servers take rooms by any name in their URL. */
static void open_room(struct bench_signaling *signaling, size_t room) {
    char id[37];
    bool is_weir = signaling->options.whip == NULL && signaling->options.whep == NULL;
    write_uuid(signaling, id);
    if (is_weir && (signaling->options.secret != NULL || signaling->options.token != NULL))
        bench_weir_open_room(signaling, room);
    else
        bench_room_done(signaling, room, id, NULL);
}

/* {room} in the template is replaced. */
static void write_url(const struct bench_session *session, char out[static URL_MAX]) {
    const struct bench_signaling *signaling = session->signaling;
    const struct bench_signaling_options *options = &signaling->options;
    const char *room = signaling->rooms[session->room].id;
    const char *template = publishes(session) ? options->whip : options->whep;
    if (template == NULL) {
        snprintf(out, URL_MAX, "%s/%s/%s", signaling->origin, publishes(session) ? "whip" : "whep",
                 room);
        return;
    }
    const char *place = strstr(template, "{room}");
    if (place == NULL)
        snprintf(out, URL_MAX, "%s", template);
    else
        snprintf(out, URL_MAX, "%.*s%s%s", (int)(place - template), template, room, place + 6);
}

static void on_reply(void *ctx, const struct bench_reply *reply) {
    struct whip_session *session = ctx;
    char url[URL_MAX];
    session->base.exchange = NULL;
    if (reply->status != 201 && reply->status != 200) {
        bench_session_fail_reply(&session->base, publishes(&session->base) ? "WHIP" : "WHEP",
                                 reply);
        return;
    }
    const char *location = bench_http_header(reply, "Location", 0);
    write_url(&session->base, url);
    if (location != NULL)
        session->location = bench_http_resolve(url, location);
    bench_session_answer(&session->base, reply->body);
}

static const char *identity(struct bench_session *session) {
    char user[32];
    bench_session_user(session, user);
    return bench_identity_header(session->signaling, user,
                                 session->signaling->rooms[session->room].id);
}

static void join(struct bench_session *session) {
    char url[URL_MAX];
    char *offer = bench_sdp_write(session->ours);
    write_url(session, url);
    const char *headers[] = {identity(session), NULL};
    struct bench_request request = {
        .method = "POST", .url = url, .type = "application/sdp", .headers = headers};
    request.body = offer;
    if (offer != NULL)
        session->exchange = bench_http_send(session->signaling->http, &request, on_reply, session);
    free(offer);
}

static void ignore(void *ctx, const struct bench_reply *reply) {
    (void)ctx;
    (void)reply;
}

static void leave(struct bench_session *base) {
    struct whip_session *session = (struct whip_session *)base;
    const char *headers[] = {identity(base), NULL};
    struct bench_request request = {
        .method = "DELETE", .url = session->location, .headers = headers};
    if (session->location != NULL)
        bench_http_send(base->signaling->http, &request, ignore, NULL);
    free(session->location);
}

const struct bench_protocol bench_whip = {.name = "whip",
                                          .splits = true,
                                          .session_size = sizeof(struct whip_session),
                                          .open_room = open_room,
                                          .join = join,
                                          .leave = leave};
