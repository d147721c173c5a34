/* A WebSocket's frames, its end and its time, driven by the loop.
 *
 * Closing. The owner hears of the end at most once, and is then detached: events are not called any
 * more. The socket lives on until the closing handshake is done, or close_ms have passed, and is
 * freed when the loop has closed its handles. Events are called only from the loop, never inside a
 * call of the owner's. */
#include "signaling/websocket_internal.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* What a client that broke a rule may still send, so that our close frame is not lost to a reset.
 */
#define LINGER_MS 1000u
#define READ_SIZE 16384u

uint64_t websocket_now_ms(const struct sig_websocket *socket) {
    return uv_now(socket->http->loop);
}

static void on_timer(uv_timer_t *timer);
static void on_ready(uv_poll_t *poll, int status, int events);

void websocket_schedule(struct sig_websocket *socket, uint64_t delay_ms) {
    if (socket->phase != WEBSOCKET_ENDED)
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
        socket->heard_ms = websocket_now_ms(socket);
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
    if (!sig_bucket_take(&socket->bucket, websocket_now_ms(socket) * 1000))
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

const struct wslay_event_callbacks websocket_callbacks = {
    .recv_callback = on_frames_read,
    .send_callback = on_frames_write,
    .on_frame_recv_start_callback = on_frame,
    .on_msg_recv_callback = on_message,
};

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
    if (socket->phase == WEBSOCKET_ENDED)
        return;
    socket->phase = WEBSOCKET_ENDED;
    socket->http->websocket_count--;
    if (socket->request)
        socket->request->upgrade = NULL;
    uv_close((uv_handle_t *)&socket->timer, on_handle_closed);
    if (socket->handle) {
        /* The loop lets go of the descriptors before the library closes them. */
        if (socket->has_poll)
            uv_close((uv_handle_t *)&socket->poll, on_handle_closed);
        MHD_upgrade_action(socket->handle, MHD_UPGRADE_ACTION_CLOSE);
        http_kick(socket->http);
    }
    websocket_forget_writing(socket);
    sig_websocket_queue_clear(&socket->queue);
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

static bool is_unwritten(const struct sig_websocket *socket) {
    return socket->queue.count > 0 || wslay_event_want_write(socket->frames);
}

static void want(struct sig_websocket *socket) {
    int events = UV_READABLE;
    if (socket->phase == WEBSOCKET_OPEN)
        events = (wslay_event_want_read(socket->frames) ? UV_READABLE : 0) |
                 (is_unwritten(socket) ? UV_WRITABLE : 0);
    if (events == socket->watched)
        return;
    socket->watched = events;
    uv_poll_start(&socket->poll, events, on_ready);
}

static void queue_close_in_turn(struct sig_websocket *socket) {
    if (socket->close_code == 0 || is_unwritten(socket))
        return;
    wslay_event_queue_close(socket->frames, socket->close_code, socket->close_reason,
                            socket->close_reason_len);
    socket->close_code = 0;
    wslay_event_send(socket->frames);
}

/* Control frames go between messages, and nothing goes behind a close frame. */
static int write_frames(struct sig_websocket *socket) {
    int error = sig_websocket_queue_finish(&socket->queue, socket->fd);
    if (error < 0 || socket->queue.sent > 0)
        return error;
    if (wslay_event_send(socket->frames) != 0)
        return -EPIPE;
    if (wslay_event_want_write(socket->frames))
        return 0;
    if (wslay_event_get_close_sent(socket->frames))
        sig_websocket_queue_clear(&socket->queue);
    return sig_websocket_queue_write(&socket->queue, socket->fd);
}

void websocket_flush(struct sig_websocket *socket) {
    if (socket->phase != WEBSOCKET_OPEN || socket->is_over)
        return;
    websocket_forget_writing(socket);
    if (write_frames(socket) < 0)
        socket->is_over = true;
    else
        queue_close_in_turn(socket);
    if (socket->is_over)
        websocket_schedule(socket, 0);
    else
        want(socket);
}

/* Our close frame is out and the client's is not in, nor will be read: wait for it to hang up. */
static void linger(struct sig_websocket *socket) {
    socket->phase = WEBSOCKET_LINGERING;
    socket->close_deadline_ms = websocket_now_ms(socket) + LINGER_MS;
    shutdown(socket->fd, SHUT_WR);
    want(socket);
    websocket_schedule(socket, LINGER_MS);
}

/* For what breaks a frame itself, such as a ping of 126 bytes, the library queues a close frame
 * without a code. Ours goes instead, unless it would fall into the middle of another frame. */
static bool fail(struct sig_websocket *socket) {
    static const uint8_t frame[] = {0x88, 2, SIG_WEBSOCKET_PROTOCOL_ERROR >> 8,
                                    SIG_WEBSOCKET_PROTOCOL_ERROR & 0xff};
    if (socket->queue.sent > 0 || wslay_event_get_queued_msg_count(socket->frames) != 1 ||
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
        socket->close_deadline_ms = websocket_now_ms(socket) + socket->limits.close_ms;
        websocket_schedule(socket, socket->limits.close_ms);
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
    if (socket->phase == WEBSOCKET_LINGERING) {
        throw_away(socket);
        return;
    }
    if (!socket->is_over && wslay_event_recv(socket->frames) != 0) {
        if (!socket->is_read_over && fail(socket))
            return;
        socket->is_over = true;
    }
    websocket_flush(socket);
    settle(socket);
}

static void on_ready(uv_poll_t *poll, int status, int events) {
    (void)status; /* Errors show again when reading. */
    (void)events;
    pump(poll->data);
}

/* Time. */

static void keep_alive(struct sig_websocket *socket) {
    uint64_t silent_ms = websocket_now_ms(socket) - socket->heard_ms;
    if (silent_ms >= socket->limits.dead_ms) {
        socket->is_over = true;
    } else if (silent_ms >= socket->limits.ping_ms &&
               websocket_now_ms(socket) - socket->pinged_ms >= socket->limits.ping_ms) {
        socket->pinged_ms = websocket_now_ms(socket);
        wslay_event_queue_msg(socket->frames, &(struct wslay_event_msg){.opcode = WSLAY_PING});
    }
}

static void on_timer(uv_timer_t *timer) {
    struct sig_websocket *socket = timer->data;
    if (socket->phase == WEBSOCKET_OPENING) {
        /* Nothing to do but to fail. */
        tell(socket, SIG_WEBSOCKET_ABNORMAL);
        end(socket);
        return;
    }
    if (socket->close_deadline_ms && websocket_now_ms(socket) >= socket->close_deadline_ms)
        socket->is_over = true;
    if (socket->phase == WEBSOCKET_LINGERING && socket->is_over) {
        end(socket);
        return;
    }
    if (socket->close_deadline_ms == 0)
        keep_alive(socket);
    pump(socket);
    uint64_t next_ms = socket->limits.ping_ms / 4 + 1;
    if (socket->phase != WEBSOCKET_ENDED && !uv_is_active((uv_handle_t *)timer))
        websocket_schedule(socket, socket->close_deadline_ms
                                       ? socket->close_deadline_ms - websocket_now_ms(socket)
                                       : next_ms);
}

/* From the HTTP server. */

static void on_open(void *data, struct MHD_UpgradeResponseHandle *handle, int fd, const void *early,
                    size_t len) {
    struct sig_websocket *socket = data;
    socket->handle = handle;
    socket->fd = fd;
    socket->phase = WEBSOCKET_OPEN;
    socket->heard_ms = websocket_now_ms(socket);
    socket->early = len ? malloc(len) : NULL;
    socket->is_over = len > 0 && socket->early == NULL;
    if (socket->early) {
        memcpy(socket->early, early, len);
        socket->early_len = len;
    }
    /* The library has had small messages wait for each other's acknowledgement again. Fails under
     * TLS, where the socket of the connection is another. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    socket->poll.data = socket;
    if (uv_poll_init(socket->http->loop, &socket->poll, fd) == 0) {
        socket->has_poll = true;
        socket->handle_count++;
    } else {
        socket->is_over = true;
    }
    /* We are inside the library here: the rest is for the loop. */
    websocket_schedule(socket, 0);
}

static void on_failed(void *data) {
    websocket_schedule(data, 0);
}

static void on_shutdown(void *data) {
    static const char reason[] = "the server is closing";
    struct sig_websocket *socket = data;
    if (socket->phase == WEBSOCKET_OPEN) {
        websocket_flush(socket);
        wslay_event_queue_close(socket->frames, SIG_WEBSOCKET_GOING_AWAY, (const uint8_t *)reason,
                                sizeof(reason) - 1);
        websocket_flush(socket);
    }
    tell(socket, SIG_WEBSOCKET_GOING_AWAY);
    end(socket);
}

const struct http_upgrade websocket_upgrade = {on_open, on_failed, on_shutdown};
