#include "signaling/websocket_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define FEW 8
#define WRITE_FRAMES 64u

static struct sig_frame **at(const struct sig_websocket_queue *queue, size_t i) {
    return &queue->ring[(queue->first + i) & (queue->capacity - 1)];
}

static int grow(struct sig_websocket_queue *queue) {
    size_t capacity = queue->capacity ? queue->capacity * 2 : FEW;
    struct sig_frame **ring = malloc(capacity * sizeof(struct sig_frame *));
    if (!ring)
        return -ENOMEM;
    for (size_t i = 0; i < queue->count; i++)
        ring[i] = *at(queue, i);
    free(queue->ring);
    queue->ring = ring;
    queue->capacity = capacity;
    queue->first = 0;
    return 0;
}

int sig_websocket_queue_add(struct sig_websocket_queue *queue, struct sig_frame *frame) {
    if (queue->count == queue->capacity && grow(queue) < 0)
        return -ENOMEM;
    *at(queue, queue->count++) = sig_frame_hold(frame);
    queue->bytes += sig_frame_size(frame);
    return 0;
}

static void take(struct sig_websocket_queue *queue, size_t sent) {
    queue->bytes -= sent;
    queue->sent += sent;
    while (queue->count > 0 && queue->sent >= sig_frame_size(*at(queue, 0))) {
        struct sig_frame *frame = *at(queue, 0);
        queue->sent -= sig_frame_size(frame);
        queue->first = (queue->first + 1) & (queue->capacity - 1);
        queue->count--;
        sig_frame_release(frame);
    }
    if (queue->count == 0 && queue->capacity > FEW) /* After a burst. */
        sig_websocket_queue_clear(queue);
}

/* One message to the kernel: bytes, or a negative errno. */
static ssize_t write_some(const struct sig_websocket_queue *queue, int fd, size_t max) {
    struct iovec parts[WRITE_FRAMES];
    size_t count = queue->count < max ? queue->count : max;
    for (size_t i = 0; i < count; i++) {
        struct sig_frame *frame = *at(queue, i);
        size_t skipped = i == 0 ? queue->sent : 0;
        parts[i].iov_base = frame->bytes + skipped;
        parts[i].iov_len = sig_frame_size(frame) - skipped;
    }
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
    return sent < 0 ? -errno : sent;
}

/* While there are more than `until`. */
static int write_until(struct sig_websocket_queue *queue, int fd, size_t until, size_t max) {
    while (queue->count > until) {
        ssize_t sent = write_some(queue, fd, max);
        if (sent == -EAGAIN || sent == -EINTR)
            return 0;
        if (sent < 0)
            return (int)sent;
        take(queue, (size_t)sent);
    }
    return 0;
}

int sig_websocket_queue_write(struct sig_websocket_queue *queue, int fd) {
    return write_until(queue, fd, 0, WRITE_FRAMES);
}

int sig_websocket_queue_finish(struct sig_websocket_queue *queue, int fd) {
    return queue->sent > 0 ? write_until(queue, fd, queue->count - 1, 1) : 0;
}

void sig_websocket_queue_clear(struct sig_websocket_queue *queue) {
    for (size_t i = 0; i < queue->count; i++)
        sig_frame_release(*at(queue, i));
    free(queue->ring);
    *queue = (struct sig_websocket_queue){.count = 0};
}
