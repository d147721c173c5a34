/* WebSockets: framing by wslay over the socket that the HTTP server has let go of.
 *
 * Closing. The owner hears of the end at most once, and is then detached: events are not called any
 * more. The socket lives on until the closing handshake is done, or close_ms have passed, and is
 * freed when the loop has closed its handles. Events are called only from the loop, never inside a
 * call of the owner's. */
#include "signaling/websocket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wslay/wslay.h>

#include "signaling/http_internal.h"
#include "signaling/limits.h"
#include "signaling/websocket_internal.h"

#define MAX_MESSAGE_BYTES 65536u
#define MAX_QUEUE_BYTES 1048576u
#define MESSAGES_PER_SECOND 100u
#define MESSAGE_BURST_S 3u
/* Chromium and Firefox keep quiet sockets for minutes, but middle boxes forget them after 30 to 60
 * s. */
#define PING_MS 20000u
#define DEAD_MS 45000u
#define CLOSE_MS 5000u
/* What a client that broke a rule may still send, so that our close frame is not lost to a reset.
 */
#define LINGER_MS 1000u
#define REASON_BYTES_MAX 123u /* RFC 6455 section 5.5: 125 with the code. */
#define READ_SIZE 16384u

enum phase {
    PHASE_OPENING,   /* The 101 is on its way. */
    PHASE_OPEN,      /* Frames go both ways. */
    PHASE_LINGERING, /* Our close frame is out; what comes is thrown away. */
    PHASE_ENDED,     /* Waits for the loop to let go of the handles. */
};

struct sig_websocket {
    /* Given. */
    struct sig_http *http;
    struct sig_http_request *request;          /* NULL: it is over. */
    const struct sig_websocket_events *events; /* NULL: detached. */
    void *data;
    struct sig_websocket_limits limits;
    struct MHD_UpgradeResponseHandle *handle;
    int fd;

    /* Owned. */
    wslay_event_context_ptr frames;
    uint8_t *early; /* What came behind the request. */
    size_t early_len;
    size_t early_at;
    uv_poll_t poll;
    uv_poll_t tcp_poll; /* Under TLS: the library does not pass on the end of the stream. */
    uv_timer_t timer;

    /* State. */
    enum phase phase;
    bool has_poll;
    bool has_tcp_poll;
    bool is_over;        /* No way to read or write any more. */
    bool is_read_over;   /* Because the stream has ended. */
    uint16_t end_code;   /* What the owner is to be told; 0: nothing yet. */
    uint16_t close_code; /* Close frame to send when the queue is empty; 0: none. */
    uint8_t close_reason[REASON_BYTES_MAX];
    size_t close_reason_len;
    uint64_t close_deadline_ms; /* 0: not closing. */
    uint64_t heard_ms;
    uint64_t pinged_ms;
    struct sig_bucket bucket;
    unsigned handle_count;
};

static uint64_t now_ms(const struct sig_websocket *socket) {
    return uv_now(socket->http->loop);
}

static void on_timer(uv_timer_t *timer);
static void on_ready(uv_poll_t *poll, int status, int events);

/* Looks at everything from the loop, at once or when the next thing is due. */
static void schedule(struct sig_websocket *socket, uint64_t delay_ms) {
    if (socket->phase != PHASE_ENDED)
        uv_timer_start(&socket->timer, on_timer, delay_ms, 0);
}

/* Frames. */

static ssize_t on_frames_read(wslay_event_context_ptr frames, uint8_t *data, size_t len, int flags,
                              void *user) {
    struct sig_websocket *socket = user;
    (void)flags;
    size_t early = socket->early_len - socket->early_at;
    if (early > 0) {
        size_t part = early < len ? early : len;
        memcpy(data, socket->early + socket->early_at, part);
        socket->early_at += part;
        return (ssize_t)part;
    }
    ssize_t got = recv(socket->fd, data, len, 0);
    if (got > 0) {
        socket->heard_ms = now_ms(socket);
        return got;
    }
    bool may_come = got < 0 && (errno == EAGAIN || errno == EINTR);
    socket->is_read_over = !may_come;
    wslay_event_set_error(frames, may_come ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static ssize_t on_frames_write(wslay_event_context_ptr frames, const uint8_t *data, size_t len,
                               int flags, void *user) {
    struct sig_websocket *socket = user;
    ssize_t sent =
        send(socket->fd, data, len, MSG_NOSIGNAL | (flags & WSLAY_MSG_MORE ? MSG_MORE : 0));
    if (sent >= 0)
        return sent;
    bool may_go = errno == EAGAIN || errno == EINTR;
    wslay_event_set_error(frames, may_go ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

/* A rule was broken: no more is read, and the close frame overtakes what is queued. */
static void refuse(struct sig_websocket *socket, uint16_t code, const char *reason) {
    wslay_event_shutdown_read(socket->frames);
    wslay_event_queue_close(socket->frames, code, (const uint8_t *)reason, strlen(reason));
    socket->end_code = socket->end_code ? socket->end_code : code;
}

/* Every frame counts, also pings and fragments without content. */
static void on_frame(wslay_event_context_ptr frames,
                     const struct wslay_event_on_frame_recv_start_arg *frame, void *user) {
    struct sig_websocket *socket = user;
    (void)frames;
    (void)frame;
    if (!sig_bucket_take(&socket->bucket, now_ms(socket) * 1000))
        refuse(socket, SIG_WEBSOCKET_POLICY, "too many messages");
}

static void deliver(struct sig_websocket *socket, const uint8_t *message, size_t len) {
    char *text = malloc(len + 1);
    if (text == NULL) {
        refuse(socket, SIG_WEBSOCKET_POLICY, "no memory");
        return;
    }
    if (len > 0)
        memcpy(text, message, len);
    text[len] = '\0';
    socket->events->on_text(socket, text, len, socket->data);
    free(text);
}

static void on_message(wslay_event_context_ptr frames,
                       const struct wslay_event_on_msg_recv_arg *message, void *user) {
    struct sig_websocket *socket = user;
    (void)frames;
    if (socket->events == NULL || socket->end_code)
        return;
    if (message->opcode == WSLAY_TEXT_FRAME)
        deliver(socket, message->msg, message->msg_length);
    else if (message->opcode == WSLAY_BINARY_FRAME)
        refuse(socket, SIG_WEBSOCKET_UNSUPPORTED, "text only");
    else if (message->opcode == WSLAY_CONNECTION_CLOSE)
        socket->end_code = message->status_code ? message->status_code : WSLAY_CODE_NO_STATUS_RCVD;
}

/* The end. */

static void on_handle_closed(uv_handle_t *handle) {
    struct sig_websocket *socket = handle->data;
    struct sig_http *http = socket->http;
    if (--socket->handle_count > 0)
        return;
    free(socket);
    http_release(http);
}

static void end(struct sig_websocket *socket) {
    if (socket->phase == PHASE_ENDED)
        return;
    socket->phase = PHASE_ENDED;
    socket->http->websocket_count--;
    if (socket->request)
        socket->request->upgrade = NULL;
    uv_close((uv_handle_t *)&socket->timer, on_handle_closed);
    if (socket->handle) {
        /* The loop lets go of the descriptors before the library closes them. */
        if (socket->has_poll)
            uv_close((uv_handle_t *)&socket->poll, on_handle_closed);
        if (socket->has_tcp_poll)
            uv_close((uv_handle_t *)&socket->tcp_poll, on_handle_closed);
        MHD_upgrade_action(socket->handle, MHD_UPGRADE_ACTION_CLOSE);
        http_kick(socket->http);
    }
    wslay_event_context_free(socket->frames);
    free(socket->early);
    socket->frames = NULL;
    socket->early = NULL;
}

/* Calls on_close, once. */
static void tell(struct sig_websocket *socket, uint16_t code) {
    const struct sig_websocket_events *events = socket->events;
    socket->events = NULL;
    if (events)
        events->on_close(socket, code, socket->data);
}

static void want(struct sig_websocket *socket) {
    int events = UV_READABLE;
    if (socket->phase == PHASE_OPEN)
        events = (wslay_event_want_read(socket->frames) ? UV_READABLE : 0) |
                 (wslay_event_want_write(socket->frames) ? UV_WRITABLE : 0);
    uv_poll_start(&socket->poll, events, on_ready);
}

static void queue_close_in_turn(struct sig_websocket *socket) {
    if (socket->close_code == 0 || wslay_event_get_queued_msg_count(socket->frames) > 0)
        return;
    wslay_event_queue_close(socket->frames, socket->close_code, socket->close_reason,
                            socket->close_reason_len);
    socket->close_code = 0;
    wslay_event_send(socket->frames);
}

/* Writes what the socket takes. Errors are left for the loop. */
static void flush(struct sig_websocket *socket) {
    if (socket->phase != PHASE_OPEN || socket->is_over)
        return;
    if (wslay_event_send(socket->frames) != 0)
        socket->is_over = true;
    else
        queue_close_in_turn(socket);
    if (socket->is_over)
        schedule(socket, 0);
    else
        want(socket);
}

/* Our close frame is out and the client's is not in, nor will be read: wait for it to hang up. */
static void linger(struct sig_websocket *socket) {
    socket->phase = PHASE_LINGERING;
    socket->close_deadline_ms = now_ms(socket) + LINGER_MS;
    if (!socket->has_tcp_poll)
        shutdown(socket->fd, SHUT_WR);
    want(socket);
    schedule(socket, LINGER_MS);
}

/* For what breaks a frame itself, such as a ping of 126 bytes, the library queues a close frame
 * without a code. Ours goes instead, unless it would fall into the middle of another frame. */
static bool fail(struct sig_websocket *socket) {
    static const uint8_t frame[] = {0x88, 2, SIG_WEBSOCKET_PROTOCOL_ERROR >> 8,
                                    SIG_WEBSOCKET_PROTOCOL_ERROR & 0xff};
    if (wslay_event_get_queued_msg_count(socket->frames) != 1 ||
        send(socket->fd, frame, sizeof(frame), MSG_NOSIGNAL) != sizeof(frame))
        return false;
    tell(socket, SIG_WEBSOCKET_PROTOCOL_ERROR);
    linger(socket);
    return true;
}

static void throw_away(struct sig_websocket *socket) {
    uint8_t nothing[READ_SIZE];
    ssize_t got = recv(socket->fd, nothing, sizeof(nothing), 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        end(socket);
}

/* After anything happened in the open phase: is it over, and what does the owner hear? */
static void settle(struct sig_websocket *socket) {
    bool is_read_out = !wslay_event_get_read_enabled(socket->frames);
    if (is_read_out && socket->end_code == 0 && wslay_event_get_close_sent(socket->frames))
        socket->end_code = wslay_event_get_status_code_sent(socket->frames);
    if (socket->is_over && socket->end_code == 0)
        socket->end_code = SIG_WEBSOCKET_ABNORMAL;
    if (socket->end_code && socket->close_deadline_ms == 0) {
        socket->close_deadline_ms = now_ms(socket) + socket->limits.close_ms;
        schedule(socket, socket->limits.close_ms);
    }
    if (socket->end_code)
        tell(socket, socket->end_code);
    if (socket->is_over || (wslay_event_get_close_sent(socket->frames) &&
                            wslay_event_get_close_received(socket->frames)))
        end(socket);
    else if (is_read_out && wslay_event_get_close_sent(socket->frames))
        linger(socket);
}

static void pump(struct sig_websocket *socket) {
    if (socket->phase == PHASE_LINGERING) {
        throw_away(socket);
        return;
    }
    if (!socket->is_over && wslay_event_recv(socket->frames) != 0) {
        if (!socket->is_read_over && fail(socket))
            return;
        socket->is_over = true;
    }
    flush(socket);
    settle(socket);
}

static void on_ready(uv_poll_t *poll, int status, int events) {
    (void)status; /* Errors show again when reading. */
    (void)events;
    pump(poll->data);
}

/* Under TLS what the client sent last is still on its way through the library. */
static void on_tcp_closed(uv_poll_t *poll, int status, int events) {
    struct sig_websocket *socket = poll->data;
    (void)status;
    (void)events;
    uv_poll_stop(poll);
    if (socket->close_deadline_ms == 0)
        socket->close_deadline_ms = now_ms(socket) + LINGER_MS;
    schedule(socket, LINGER_MS);
}

/* Time. */

static void keep_alive(struct sig_websocket *socket) {
    uint64_t silent_ms = now_ms(socket) - socket->heard_ms;
    if (silent_ms >= socket->limits.dead_ms) {
        socket->is_over = true;
    } else if (silent_ms >= socket->limits.ping_ms &&
               now_ms(socket) - socket->pinged_ms >= socket->limits.ping_ms) {
        socket->pinged_ms = now_ms(socket);
        wslay_event_queue_msg(socket->frames, &(struct wslay_event_msg){.opcode = WSLAY_PING});
    }
}

static void on_timer(uv_timer_t *timer) {
    struct sig_websocket *socket = timer->data;
    if (socket->phase == PHASE_OPENING) {
        /* Nothing to do but to fail. */
        tell(socket, SIG_WEBSOCKET_ABNORMAL);
        end(socket);
        return;
    }
    if (socket->close_deadline_ms && now_ms(socket) >= socket->close_deadline_ms)
        socket->is_over = true;
    if (socket->phase == PHASE_LINGERING && socket->is_over) {
        end(socket);
        return;
    }
    if (socket->close_deadline_ms == 0)
        keep_alive(socket);
    pump(socket);
    uint64_t next_ms = socket->limits.ping_ms / 4 + 1;
    if (socket->phase != PHASE_ENDED && !uv_is_active((uv_handle_t *)timer))
        schedule(socket,
                 socket->close_deadline_ms ? socket->close_deadline_ms - now_ms(socket) : next_ms);
}

/* From the HTTP server. */

static void on_open(void *data, struct MHD_UpgradeResponseHandle *handle, int fd, int tcp_fd,
                    const void *early, size_t len) {
    struct sig_websocket *socket = data;
    socket->handle = handle;
    socket->fd = fd;
    socket->phase = PHASE_OPEN;
    socket->heard_ms = now_ms(socket);
    socket->early = len ? malloc(len) : NULL;
    socket->is_over = len > 0 && socket->early == NULL;
    if (socket->early) {
        memcpy(socket->early, early, len);
        socket->early_len = len;
    }
    socket->poll.data = socket->tcp_poll.data = socket;
    if (uv_poll_init(socket->http->loop, &socket->poll, fd) == 0) {
        socket->has_poll = true;
        socket->handle_count++;
    } else {
        socket->is_over = true;
    }
    if (tcp_fd != fd && uv_poll_init(socket->http->loop, &socket->tcp_poll, tcp_fd) == 0) {
        socket->has_tcp_poll = true;
        socket->handle_count++;
        uv_poll_start(&socket->tcp_poll, UV_DISCONNECT, on_tcp_closed);
    }
    /* We are inside the library here: the rest is for the loop. */
    schedule(socket, 0);
}

static void on_failed(void *data) {
    schedule(data, 0);
}

static void on_shutdown(void *data) {
    static const char reason[] = "the server is closing";
    struct sig_websocket *socket = data;
    if (socket->phase == PHASE_OPEN) {
        wslay_event_queue_close(socket->frames, SIG_WEBSOCKET_GOING_AWAY, (const uint8_t *)reason,
                                sizeof(reason) - 1);
        flush(socket);
    }
    tell(socket, SIG_WEBSOCKET_GOING_AWAY);
    end(socket);
}

static const struct http_upgrade upgrade = {on_open, on_failed, on_shutdown};

static void on_upgraded(void *data, struct MHD_Connection *mhd, void *context, const char *early,
                        size_t len, MHD_socket fd, struct MHD_UpgradeResponseHandle *handle) {
    struct sig_http_request *request = context;
    (void)data;
    (void)mhd;
    request->phase = HTTP_UPGRADED;
    request->connection->deadline_us = HTTP_NO_DEADLINE;
    request->upgrade->on_open(request->upgrade_data, handle, fd, request->connection->fd, early,
                              len);
}

/* From the owner. */

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
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = on_frames_read,
        .send_callback = on_frames_write,
        .on_frame_recv_start_callback = on_frame,
        .on_msg_recv_callback = on_message,
    };
    struct sig_websocket *socket = calloc(1, sizeof(*socket));
    if (socket == NULL ||
        wslay_event_context_server_init(&socket->frames, &callbacks, socket) != 0) {
        free(socket);
        return NULL;
    }
    socket->http = request->connection->http;
    socket->request = request;
    socket->limits = with_defaults(limits);
    socket->fd = -1;
    wslay_event_config_set_max_recv_msg_length(socket->frames, socket->limits.max_message_bytes);
    sig_bucket_init(&socket->bucket, socket->limits.messages_per_second,
                    socket->limits.messages_per_second * MESSAGE_BURST_S, now_ms(socket) * 1000);
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
    request->upgrade = &upgrade;
    request->upgrade_data = socket;
    http_reply_set(request, MHD_HTTP_SWITCHING_PROTOCOLS, response);
    *out = socket;
    return 0;
}

int sig_websocket_send(struct sig_websocket *socket, const char *text, size_t len) {
    if (socket->phase > PHASE_OPEN || socket->is_over || socket->end_code ||
        socket->close_deadline_ms)
        return -EPIPE;
    if (wslay_event_get_queued_msg_length(socket->frames) + len > socket->limits.max_queue_bytes) {
        /* A slow reader would get a close frame only after all this: it is cut off. */
        socket->end_code = SIG_WEBSOCKET_POLICY;
        socket->is_over = true;
        if (socket->phase == PHASE_OPEN)
            schedule(socket, 0);
        return -EMSGSIZE;
    }
    int error = wslay_event_queue_msg(socket->frames, &(struct wslay_event_msg){
                                                          .opcode = WSLAY_TEXT_FRAME,
                                                          .msg = (const uint8_t *)text,
                                                          .msg_length = len,
                                                      });
    if (error != 0)
        return error == WSLAY_ERR_NOMEM ? -ENOMEM : -EPIPE;
    flush(socket);
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
    if (socket->phase > PHASE_OPEN || socket->close_deadline_ms)
        return;
    size_t len = reason ? strlen(reason) : 0;
    socket->close_reason_len = len < REASON_BYTES_MAX ? len : REASON_BYTES_MAX;
    memcpy(socket->close_reason, reason ? reason : "", socket->close_reason_len);
    socket->close_code = code;
    socket->close_deadline_ms = now_ms(socket) + socket->limits.close_ms;
    if (socket->phase == PHASE_OPEN)
        schedule(socket, 0);
}
