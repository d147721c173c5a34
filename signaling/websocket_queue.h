/* What a WebSocket has still to send: frames that others may be sent too, in order, written many at
 * a time. */
#ifndef SIGNALING_WEBSOCKET_QUEUE_H
#define SIGNALING_WEBSOCKET_QUEUE_H

#include <stdbool.h>

#include "signaling/frame.h"

/* Zero-initialised: empty. */
struct sig_websocket_queue {
    /* Owned. */
    struct sig_frame **ring;
    /* State. */
    size_t capacity; /* A power of two, or 0. */
    size_t first;
    size_t count;
    size_t sent;  /* Bytes of the first frame. */
    size_t bytes; /* Of all, without those. */
};

/* Puts the frame behind the others and holds it: 0 or -ENOMEM. */
int sig_websocket_queue_add(struct sig_websocket_queue *queue, struct sig_frame *frame);

/* Writes what the socket takes: 0 when the rest has to wait, or a negative errno when the socket
 * is broken. */
int sig_websocket_queue_write(struct sig_websocket_queue *queue, int fd);

/* Ends the frame that has been begun, and no other: as above. */
int sig_websocket_queue_finish(struct sig_websocket_queue *queue, int fd);

void sig_websocket_queue_clear(struct sig_websocket_queue *queue);

#endif
