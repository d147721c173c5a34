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
/* Much is not kept until the turn ends. */
#define WRITE_AT_ONCE_BYTES 65536u

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

static bool is_sending(const struct sig_websocket *socket) {
    return socket->phase <= WEBSOCKET_OPEN && !socket->is_over && !socket->end_code &&
           !socket->close_deadline_ms;
}

/* A slow reader would get a close frame only after all that is queued: it is cut off. */
static void cut_off(struct sig_websocket *socket) {
    socket->end_code = SIG_WEBSOCKET_POLICY;
    socket->is_over = true;
    if (socket->phase == WEBSOCKET_OPEN)
        websocket_schedule(socket, 0);
}

int sig_websocket_send_frame(struct sig_websocket *socket, struct sig_frame *frame, bool may_wait) {
    struct sig_websocket_queue *queue = &socket->queue;
    if (!is_sending(socket))
        return -EPIPE;
    if (queue->count > 0 && queue->bytes + sig_frame_size(frame) > socket->limits.max_queue_bytes) {
        cut_off(socket);
        return -EMSGSIZE;
    }
    if (sig_websocket_queue_add(queue, frame) < 0)
        return -ENOMEM;
    if (socket->phase != WEBSOCKET_OPEN) /* Written when it opens. */
        return 0;
    if (queue->bytes > WRITE_AT_ONCE_BYTES)
        websocket_flush(socket);
    else
        websocket_write_soon(socket, may_wait);
    return 0;
}

int sig_websocket_send(struct sig_websocket *socket, const char *text, size_t len) {
    struct sig_frame *frame = sig_frame_create(text, len);
    int error = frame ? sig_websocket_send_frame(socket, frame, false) : -ENOMEM;
    sig_frame_release(frame);
    return error;
}

int sig_websocket_send_json(struct sig_websocket *socket, json_t *value) {
    struct sig_frame *frame = sig_frame_of_json(value);
    int error = frame ? sig_websocket_send_frame(socket, frame, false) : -EINVAL;
    sig_frame_release(frame);
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
