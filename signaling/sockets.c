#include "signaling/sockets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/listeners.h"
#include "signaling/outbox.h"
#include "signaling/session.h"
#include "signaling/websocket.h"

enum {
    CLOSE_TRY_AGAIN = 1013,
    CLOSE_UNAUTHORIZED = 4401,
    CLOSE_FORBIDDEN = 4403,
    CLOSE_UNKNOWN = 4404,
    CLOSE_TAKEN_OVER = 4408,
    CLOSE_OVER = 4409,
    CLOSE_RESUME_EXPIRED = 4410,
    CLOSE_LIMITED = 4429,
};

struct sig_sockets {
    /* Given. */
    const struct sig_config *config;
    struct sig_auth *auth;
    struct sig_calls *calls;

    /* Owned. */
    struct sig_outboxes outboxes;

    /* State. */
    bool is_closing;
};

/* One connection: to a call, or a listener for notifications. */
struct connection {
    struct sig_sockets *sockets;
    struct sig_websocket *socket;
    struct sig_session *session; /* NULL: a listener, or the session has ended. */
    struct sig_listener listener;
    struct sig_outbox outbox;
};

struct sig_sockets *sig_sockets_create(const struct sig_sockets_options *options) {
    struct sig_sockets *sockets = calloc(1, sizeof(*sockets));
    if (!sockets)
        return NULL;
    sockets->config = options->config;
    sockets->auth = options->auth;
    sockets->calls = options->calls;
    sig_outboxes_init(&sockets->outboxes, options->calls);
    return sockets;
}

void sig_sockets_close(struct sig_sockets *sockets) {
    sockets->is_closing = true;
}

void sig_sockets_destroy(struct sig_sockets *sockets) {
    if (sockets)
        sig_outboxes_deinit(&sockets->outboxes);
    free(sockets);
}

static void on_message(void *data, struct sig_frame *frame, bool may_wait) {
    sig_outbox_send(&((struct connection *)data)->outbox, frame, may_wait);
}

static void on_closed(struct sig_outbox *outbox) {
    free((char *)outbox - offsetof(struct connection, outbox));
}

static void on_session_end(void *data, enum sig_session_end why) {
    static const struct {
        uint16_t code;
        const char *reason;
    } closes[] = {
        [SIG_SESSION_LEFT] = {SIG_WEBSOCKET_NORMAL, "left"},
        [SIG_SESSION_CALL_OVER] = {CLOSE_OVER, "the call is over"},
        [SIG_SESSION_REMOVED] = {CLOSE_FORBIDDEN, "removed"},
        [SIG_SESSION_TAKEN_OVER] = {CLOSE_TAKEN_OVER, "connected elsewhere"},
        [SIG_SESSION_MEDIA_LOST] = {SIG_WEBSOCKET_NORMAL, "media lost"},
        [SIG_SESSION_SERVER_CLOSING] = {SIG_WEBSOCKET_GOING_AWAY, "the server goes down"},
    };
    struct connection *connection = data;
    connection->session = NULL;
    sig_outbox_close(&connection->outbox, closes[why].code, closes[why].reason, on_closed);
}

static const struct sig_session_owner owner = {.on_message = on_message, .on_end = on_session_end};

static void on_call_text(struct sig_websocket *socket, const char *text, size_t len, void *data) {
    struct sig_session *session = ((struct connection *)data)->session;
    (void)socket;
    if (session)
        sig_session_receive(session, text, len);
}

static void on_call_close(struct sig_websocket *socket, uint16_t code, void *data) {
    struct connection *connection = data;
    bool has_left = (code == SIG_WEBSOCKET_NORMAL || code == SIG_WEBSOCKET_GOING_AWAY) &&
                    !connection->sockets->is_closing;
    (void)socket;
    if (connection->session && has_left)
        sig_session_leave(connection->session, false);
    else if (connection->session)
        sig_session_detach(connection->session);
    sig_outbox_deinit(&connection->outbox); /* Leaving may have put something in. */
    free(connection);
}

static const struct sig_websocket_events call_events = {.on_text = on_call_text,
                                                        .on_close = on_call_close};

/* Upgrades, whoever asks: browsers are shown close codes but no HTTP status. */
static struct connection *upgrade(struct sig_sockets *sockets, struct sig_http_request *request,
                                  const struct sig_websocket_events *events) {
    /* Messages over the rate are refused one by one; twice the rate ends the connection. */
    const struct sig_websocket_limits limits = {
        .max_message_bytes = (size_t)sockets->config->max_message_bytes,
        .messages_per_second = (uint32_t)sockets->config->max_messages_per_second * 2,
    };
    struct connection *connection = calloc(1, sizeof(*connection));
    if (!connection) {
        sig_http_error(request, 503, "out_of_memory", "The server is out of memory");
        return NULL;
    }
    connection->sockets = sockets;
    if (sig_websocket_upgrade(&connection->socket, request, events, connection, &limits) < 0) {
        free(connection);
        return NULL;
    }
    sig_outbox_init(&connection->outbox, &sockets->outboxes, connection->socket);
    return connection;
}

static void close_connection(struct connection *connection, uint16_t code, const char *reason) {
    sig_websocket_close(connection->socket, code, reason);
    free(connection);
}

static uint16_t close_code(const struct sig_refusal *refusal) {
    switch (refusal->status) {
    case 403:
        return CLOSE_FORBIDDEN;
    case 404:
        return CLOSE_UNKNOWN;
    case 429:
        return CLOSE_LIMITED;
    case 503:
        return CLOSE_TRY_AGAIN;
    default:
        return CLOSE_OVER;
    }
}

/* Close reasons are short; the words go ahead as a message. */
static void close_refused(struct connection *connection, const struct sig_refusal *refusal) {
    uint16_t code = close_code(refusal);
    if (code != CLOSE_TRY_AGAIN)
        sig_websocket_send_json(connection->socket,
                                json_pack("{s:s, s:s, s:s, s:n}", "type", "error", "code",
                                          refusal->code, "message", refusal->words, "in_reply_to"));
    close_connection(connection, code, refusal->code);
}

static void resume(struct connection *connection, const char *call_id, const char *token,
                   const struct sig_identity *identity) {
    connection->session = sig_session_find(connection->sockets->calls, call_id, identity, token);
    if (connection->session)
        sig_session_attach(connection->session, &owner, connection);
    else
        close_connection(connection, CLOSE_RESUME_EXPIRED, "resume_expired");
}

static void enter(struct connection *connection, const char *call_id,
                  const struct sig_identity *identity) {
    const struct sig_session_options options = {
        .identity = identity, .owner = &owner, .data = connection, .role = SIG_SDP_CALL};
    struct sig_refusal refusal;
    if (sig_session_create(&connection->session, connection->sockets->calls, call_id, &options,
                           &refusal) < 0)
        close_refused(connection, &refusal);
}

/* 0, or having replied: foreign origins get nothing to talk to, and a server that drains is to be
 * looked for elsewhere. */
static int refuse_handshake(struct sig_sockets *sockets, struct sig_http_request *request,
                            int auth_status, const char *why) {
    if (auth_status == -EPERM) {
        sig_http_error(request, 403, "forbidden", "%s", why);
        return -EPERM;
    }
    if (auth_status < 0 || !sig_calls_is_draining(sockets->calls) ||
        sig_http_query(request, "resume"))
        return 0;
    sig_http_error(request, 503, "draining", "The server is going down for a while");
    return -EBUSY;
}

static void handle_call(struct sig_http_request *request, void *data) {
    struct sig_sockets *sockets = data;
    struct sig_identity identity;
    const char *why = "";
    int status = sig_auth_check(sockets->auth, request, &identity, &why);
    if (refuse_handshake(sockets, request, status, why) < 0)
        return;
    char call_id[SIG_UUID_SIZE] = "";
    char token[64] = "";
    const char *asked = sig_http_query(request, "resume");
    if (sig_text_is_uuid(sig_http_param(request, "id")))
        strcpy(call_id, sig_http_param(request, "id"));
    if (asked && strlen(asked) < sizeof(token))
        strcpy(token, asked);
    struct connection *connection = upgrade(sockets, request, &call_events);
    if (!connection)
        return;
    if (status < 0)
        close_connection(connection, CLOSE_UNAUTHORIZED, why);
    else if (asked)
        resume(connection, call_id, token, &identity);
    else
        enter(connection, call_id, &identity);
}

static void on_listener_text(struct sig_websocket *socket, const char *text, size_t len,
                             void *data) {
    (void)socket, (void)text, (void)len, (void)data; /* There is nothing to say. */
}

static void on_listener_close(struct sig_websocket *socket, uint16_t code, void *data) {
    struct connection *connection = data;
    (void)socket, (void)code;
    if (!sig_outbox_is_closing(&connection->outbox))
        sig_calls_remove_listener(connection->sockets->calls, &connection->listener);
    sig_outbox_deinit(&connection->outbox);
    free(connection);
}

static void on_listener_end(void *data) {
    sig_outbox_close(&((struct connection *)data)->outbox, SIG_WEBSOCKET_GOING_AWAY,
                     "the server goes down", on_closed);
}

static const struct sig_websocket_events listener_events = {.on_text = on_listener_text,
                                                            .on_close = on_listener_close};

static void listen_to_calls(struct connection *connection, const struct sig_identity *identity) {
    struct sig_listener *listener = &connection->listener;
    strcpy(listener->user_id, identity->user_id);
    listener->on_message = on_message;
    listener->on_end = on_listener_end;
    listener->data = connection;
    sig_calls_add_listener(connection->sockets->calls, listener);
}

static void handle_notifications(struct sig_http_request *request, void *data) {
    struct sig_sockets *sockets = data;
    struct sig_identity identity;
    const char *why = "";
    int status = sig_auth_check(sockets->auth, request, &identity, &why);
    if (status == -EPERM) {
        sig_http_error(request, 403, "forbidden", "%s", why);
        return;
    }
    struct connection *connection = upgrade(sockets, request, &listener_events);
    if (!connection)
        return;
    if (status < 0)
        close_connection(connection, CLOSE_UNAUTHORIZED, why);
    else if (identity.call[0])
        close_connection(connection, CLOSE_FORBIDDEN, "the token is for one call only");
    else
        listen_to_calls(connection, &identity);
}

int sig_sockets_add_routes(struct sig_sockets *sockets, struct sig_http *http) {
    static const struct sig_http_route routes[] = {
        {.method = "GET", .path = "/ws/call/{id}", .handler = handle_call},
        {.method = "GET", .path = "/ws/notifications", .handler = handle_notifications},
    };
    return sig_http_add_routes(http, routes, sizeof(routes) / sizeof(routes[0]), sockets);
}
