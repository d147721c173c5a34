#include "bench/websocket.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wslay/wslay.h>

enum { HEAD_MAX = 4096, MESSAGE_MAX = 4 * 1024 * 1024 };

struct bench_websocket {
    struct bench_watch watch; /* The first. */
    struct bench_loop *loop;
    struct bench_websocket_events events;
    void *ctx;
    wslay_event_context_ptr frames;
    char *request; /* NULL: sent. */
    char head[HEAD_MAX];
    size_t head_len, head_end; /* What the server answered; what is behind it are frames. */
    size_t early_at;
    bool is_open, is_over, is_busy, is_closed;
};

/* --- Frames --- */

static ssize_t on_read(wslay_event_context_ptr frames, uint8_t *data, size_t len, int flags,
                       void *ctx) {
    struct bench_websocket *socket = ctx;
    (void)flags;
    size_t early = socket->head_len - socket->early_at;
    if (early > 0) {
        len = early < len ? early : len;
        memcpy(data, socket->head + socket->early_at, len);
        socket->early_at += len;
        return (ssize_t)len;
    }
    ssize_t got = recv(socket->watch.fd, data, len, 0);
    if (got > 0)
        return got;
    bool later = got < 0 && errno == EAGAIN;
    wslay_event_set_error(frames, later ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static ssize_t on_write(wslay_event_context_ptr frames, const uint8_t *data, size_t len, int flags,
                        void *ctx) {
    struct bench_websocket *socket = ctx;
    (void)flags;
    ssize_t sent = send(socket->watch.fd, data, len, MSG_NOSIGNAL);
    if (sent >= 0)
        return sent;
    wslay_event_set_error(frames,
                          errno == EAGAIN ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

/* RFC 6455 section 5.3: clients mask. */
static int on_mask(wslay_event_context_ptr frames, uint8_t *data, size_t len, void *ctx) {
    (void)frames;
    (void)ctx;
    return RAND_bytes(data, (int)len) == 1 ? 0 : -1;
}

static void end(struct bench_websocket *socket, const char *why) {
    if (socket->is_over)
        return;
    socket->is_over = true;
    bench_loop_remove(socket->loop, &socket->watch);
    socket->events.on_end(socket->ctx, why);
}

static void on_message(wslay_event_context_ptr frames,
                       const struct wslay_event_on_msg_recv_arg *message, void *ctx) {
    struct bench_websocket *socket = ctx;
    (void)frames;
    if (message->opcode == WSLAY_TEXT_FRAME && !socket->is_closed)
        socket->events.on_text(socket->ctx, (const char *)message->msg, message->msg_length);
}

static int init_frames(struct bench_websocket *socket) {
    struct wslay_event_callbacks callbacks = {.recv_callback = on_read,
                                              .send_callback = on_write,
                                              .genmask_callback = on_mask,
                                              .on_msg_recv_callback = on_message};
    if (wslay_event_context_client_init(&socket->frames, &callbacks, socket) != 0)
        return -ENOMEM;
    wslay_event_config_set_max_recv_msg_length(socket->frames, MESSAGE_MAX);
    return 0;
}

/* --- The handshake --- */

static char *write_request(const struct bench_websocket_target *target) {
    uint8_t random[16];
    char key[32], *text = NULL;
    size_t len;
    RAND_bytes(random, sizeof(random));
    EVP_EncodeBlock((unsigned char *)key, random, sizeof(random));
    FILE *out = open_memstream(&text, &len);
    if (out == NULL)
        return NULL;
    fprintf(out,
            "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n",
            target->path, target->host, key);
    for (const char *const *header = target->headers; header && *header; header++)
        fprintf(out, "%s\r\n", *header);
    fputs("\r\n", out);
    return fclose(out) == 0 ? text : NULL;
}

/* A request fits into an empty socket buffer. */
static void send_request(struct bench_websocket *socket) {
    size_t len = strlen(socket->request);
    ssize_t sent = send(socket->watch.fd, socket->request, len, MSG_NOSIGNAL);
    free(socket->request);
    socket->request = NULL;
    if (sent != (ssize_t)len)
        end(socket, "no connection");
}

static void read_head(struct bench_websocket *socket) {
    ssize_t got =
        recv(socket->watch.fd, socket->head + socket->head_len, HEAD_MAX - 1 - socket->head_len, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        end(socket, got < 0 ? strerror(errno) : "closed during the handshake");
        return;
    }
    socket->head_len += (size_t)got;
    socket->head[socket->head_len] = '\0';
    char *head_end = strstr(socket->head, "\r\n\r\n");
    if (head_end == NULL && socket->head_len < HEAD_MAX - 1)
        return;
    if (head_end == NULL || strncmp(socket->head, "HTTP/1.1 101", 12) != 0) {
        socket->head[strcspn(socket->head, "\r\n")] = '\0';
        end(socket, socket->head);
        return;
    }
    socket->early_at = (size_t)(head_end + 4 - socket->head);
    socket->is_open = true;
    socket->events.on_open(socket->ctx);
}

static void move_frames(struct bench_websocket *socket) {
    char why[64];
    bool failed = wslay_event_recv(socket->frames) != 0 || wslay_event_send(socket->frames) != 0;
    if (wslay_event_get_close_received(socket->frames)) {
        snprintf(why, sizeof(why), "closed by the server with code %u",
                 wslay_event_get_status_code_received(socket->frames));
        end(socket, why);
    } else if (failed) {
        end(socket, "the connection broke");
    }
}

static void socket_free(struct bench_websocket *socket) {
    close(socket->watch.fd);
    wslay_event_context_free(socket->frames);
    free(socket->request);
    free(socket);
}

static void on_ready(struct bench_watch *watch, uint32_t events) {
    struct bench_websocket *socket = (struct bench_websocket *)watch;
    (void)events;
    socket->is_busy = true;
    if (socket->request != NULL)
        send_request(socket);
    else if (!socket->is_open)
        read_head(socket);
    if (socket->is_open && !socket->is_over && !socket->is_closed)
        move_frames(socket);
    socket->is_busy = false;
    if (socket->is_closed) {
        socket_free(socket);
        return;
    }
    bool wants_write =
        socket->request || (socket->is_open && wslay_event_want_write(socket->frames));
    if (!socket->is_over)
        bench_loop_change(socket->loop, watch, EPOLLIN | (wants_write ? EPOLLOUT : 0u));
}

/* --- What the owner does --- */

int bench_websocket_open(struct bench_websocket **out, struct bench_loop *loop,
                         const struct bench_websocket_target *target,
                         const struct bench_websocket_events *events, void *ctx) {
    struct bench_websocket *websocket = calloc(1, sizeof(*websocket));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (websocket == NULL || fd < 0 || init_frames(websocket) < 0) {
        free(websocket);
        if (fd >= 0)
            close(fd);
        return -ENOMEM;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)); /* As browsers do. */
    websocket->watch = (struct bench_watch){fd, on_ready, 0};
    websocket->loop = loop;
    websocket->events = *events;
    websocket->ctx = ctx;
    websocket->request = write_request(target);
    int connected = connect(fd, (const struct sockaddr *)&target->address, sizeof(target->address));
    if (websocket->request == NULL || (connected < 0 && errno != EINPROGRESS) ||
        bench_loop_add(loop, &websocket->watch, EPOLLOUT) < 0) {
        socket_free(websocket);
        return -ECONNREFUSED;
    }
    *out = websocket;
    return 0;
}

void bench_websocket_send(struct bench_websocket *socket, const char *text) {
    struct wslay_event_msg message = {WSLAY_TEXT_FRAME, (const uint8_t *)text, strlen(text)};
    if (socket->is_over || wslay_event_queue_msg(socket->frames, &message) != 0)
        return;
    bench_loop_change(socket->loop, &socket->watch, EPOLLIN | EPOLLOUT);
}

void bench_websocket_close(struct bench_websocket *socket) {
    if (socket == NULL)
        return;
    if (socket->is_open && !socket->is_over) {
        wslay_event_queue_close(socket->frames, WSLAY_CODE_NORMAL_CLOSURE, NULL, 0);
        wslay_event_send(socket->frames);
    }
    if (!socket->is_over)
        bench_loop_remove(socket->loop, &socket->watch);
    socket->is_over = socket->is_closed = true;
    if (!socket->is_busy)
        socket_free(socket);
}
