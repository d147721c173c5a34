/* WebSockets as their owners see them: framing by wslay over the socket that the HTTP server has
 * let go of. What happens on the socket is in websocket_io.c. */
#include "signaling/websocket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/websocket_internal.h"

#define MAX_MESSAGE_BYTES 65536u
#define MAX_QUEUE_BYTES 1048576u
#define MESSAGES_PER_SECOND 100u
#define MESSAGE_BURST_S 3u
/* Browsers keep quiet sockets for long, but boxes on the way forget them after half a minute. */
#define PING_MS 20000u
#define DEAD_MS 45000u
#define CLOSE_MS 5000u

static void on_upgraded(void *data, struct MHD_Connection *mhd, void *context, const char *early,
                        size_t len, MHD_socket fd, struct MHD_UpgradeResponseHandle *handle) {
    struct sig_http_request *request = context;
    (void)data;
    (void)mhd;
    request->phase = HTTP_UPGRADED;
    request->connection->deadline_us = HTTP_NO_DEADLINE;
    request->upgrade->on_open(request->upgrade_data, handle, fd, early, len);
}

static struct sig_websocket_limits with_defaults(const struct sig_websocket_limits *limits) {
    struct sig_websocket_limits all = limits ? *limits : (struct sig_websocket_limits){0};
    all.max_message_bytes = all.max_message_bytes ? all.max_message_bytes : MAX_MESSAGE_BYTES;
    all.max_queue_bytes = all.max_queue_bytes ? all.max_queue_bytes : MAX_QUEUE_BYTES;
    all.messages_per_second =
        all.messages_per_second ? all.messages_per_second : MESSAGES_PER_SECOND;
    all.ping_ms = all.ping_ms ? all.ping_ms : PING_MS;
    all.dead_ms = all.dead_ms ? all.dead_ms : DEAD_MS;
    all.close_ms = all.close_ms ? all.close_ms : CLOSE_MS;
    return all;
}

static struct sig_websocket *create(struct sig_http_request *request,
                                    const struct sig_websocket_limits *limits) {
    struct sig_websocket *socket = calloc(1, sizeof(*socket));
    if (socket == NULL ||
        wslay_event_context_server_init(&socket->frames, &websocket_callbacks, socket) != 0) {
        free(socket);
        return NULL;
    }
    socket->http = request->connection->http;
    socket->request = request;
    socket->limits = with_defaults(limits);
    socket->fd = -1;
    wslay_event_config_set_max_recv_msg_length(socket->frames, socket->limits.max_message_bytes);
    sig_bucket_init(&socket->bucket, socket->limits.messages_per_second,
                    socket->limits.messages_per_second * MESSAGE_BURST_S,
                    websocket_now_ms(socket) * 1000);
    return socket;
}

static struct MHD_Response *create_response(const struct sig_http_request *request) {
    char accept[WEBSOCKET_ACCEPT_SIZE];
    struct MHD_Response *response = MHD_create_response_for_upgrade(on_upgraded, NULL);
    if (response == NULL)
        return NULL;
    websocket_accept_key(sig_http_header(request, "Sec-WebSocket-Key"), accept);
    MHD_add_response_header(response, "Upgrade", "websocket");
    MHD_add_response_header(response, "Sec-WebSocket-Accept", accept);
    return response;
}

int sig_websocket_upgrade(struct sig_websocket **out, struct sig_http_request *request,
                          const struct sig_websocket_events *events, void *data,
                          const struct sig_websocket_limits *limits) {
    if (!websocket_check_handshake(request))
        return -EBADMSG;
    struct MHD_Response *response = create_response(request);
    struct sig_websocket *socket = response ? create(request, limits) : NULL;
    if (socket == NULL) {
        if (response)
            MHD_destroy_response(response);
        sig_http_error(request, 503, "full", "the server has no memory left");
        return -ENOMEM;
    }
    socket->events = events;
    socket->data = data;
    uv_timer_init(socket->http->loop, &socket->timer);
    socket->timer.data = socket;
    socket->handle_count = 1;
    socket->http->websocket_count++;
    http_hold(socket->http);
    request->upgrade = &websocket_upgrade;
    request->upgrade_data = socket;
    http_reply_set(request, MHD_HTTP_SWITCHING_PROTOCOLS, response);
    *out = socket;
    return 0;
}

int sig_websocket_send(struct sig_websocket *socket, const char *text, size_t len) {
    if (socket->phase > WEBSOCKET_OPEN || socket->is_over || socket->end_code ||
        socket->close_deadline_ms)
        return -EPIPE;
    if (wslay_event_get_queued_msg_length(socket->frames) + len > socket->limits.max_queue_bytes) {
        /* A slow reader would get a close frame only after all this: it is cut off. */
        socket->end_code = SIG_WEBSOCKET_POLICY;
        socket->is_over = true;
        if (socket->phase == WEBSOCKET_OPEN)
            websocket_schedule(socket, 0);
        return -EMSGSIZE;
    }
    int error = wslay_event_queue_msg(socket->frames, &(struct wslay_event_msg){
                                                          .opcode = WSLAY_TEXT_FRAME,
                                                          .msg = (const uint8_t *)text,
                                                          .msg_length = len,
                                                      });
    if (error != 0)
        return error == WSLAY_ERR_NOMEM ? -ENOMEM : -EPIPE;
    websocket_flush(socket);
    return 0;
}

int sig_websocket_send_json(struct sig_websocket *socket, json_t *value) {
    char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
    json_decref(value);
    if (text == NULL)
        return -EINVAL;
    int error = sig_websocket_send(socket, text, strlen(text));
    free(text);
    return error;
}

void sig_websocket_close(struct sig_websocket *socket, uint16_t code, const char *reason) {
    socket->events = NULL;
    if (socket->phase > WEBSOCKET_OPEN || socket->close_deadline_ms)
        return;
    size_t len = reason ? strlen(reason) : 0;
    socket->close_reason_len = len < WEBSOCKET_REASON_BYTES_MAX ? len : WEBSOCKET_REASON_BYTES_MAX;
    memcpy(socket->close_reason, reason ? reason : "", socket->close_reason_len);
    socket->close_code = code;
    socket->close_deadline_ms = websocket_now_ms(socket) + socket->limits.close_ms;
    if (socket->phase == WEBSOCKET_OPEN)
        websocket_schedule(socket, 0);
}
