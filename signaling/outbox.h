/* What a WebSocket is to be told, held back until the store has what was asked of it before: so
 * nobody hears of an event of a call (a `welcome` after joining, a `call_ended`) that a crash could
 * still undo. Nothing is held while nothing is being written. */
#ifndef SIGNALING_OUTBOX_H
#define SIGNALING_OUTBOX_H

#include <stdbool.h>

#include "signaling/calls.h"
#include "signaling/websocket.h"

struct sig_held;

/* All outboxes of a server. */
struct sig_outboxes {
    /* Given. */
    struct sig_calls *calls;

    /* Owned: what any of them holds, in the order of the changes waited for. */
    struct sig_held *first, **last;
};

/* One connection's. Embedded in its owner, who may be gone before it: see sig_outbox_close. */
struct sig_outbox {
    /* Given. */
    struct sig_outboxes *all;
    struct sig_websocket *socket;

    /* Links. */
    struct sig_held *first, **last; /* What it holds. */

    /* State. */
    size_t count;
    void (*on_closed)(
        struct sig_outbox *outbox); /* Set: it is to be closed, and frees its owner. */
};

/* Lets the outboxes be emptied whenever the store has answered. */
void sig_outboxes_init(struct sig_outboxes *outboxes, struct sig_calls *calls);

/* After the outboxes themselves. */
void sig_outboxes_deinit(struct sig_outboxes *outboxes);

void sig_outbox_init(struct sig_outbox *outbox, struct sig_outboxes *all,
                     struct sig_websocket *socket);

/* The frame is held until it is sent; may_wait as for sig_websocket_send_frame. */
void sig_outbox_send(struct sig_outbox *outbox, struct sig_frame *frame, bool may_wait);

/* Closes the socket behind what is held, and then calls on_closed, at once or later. reason is a
 * constant. */
void sig_outbox_close(struct sig_outbox *outbox, uint16_t code, const char *reason,
                      void (*on_closed)(struct sig_outbox *outbox));

/* Whether it is to be closed: then its owner hears nothing more of what it was for. */
static inline bool sig_outbox_is_closing(const struct sig_outbox *outbox) {
    return outbox->on_closed != NULL;
}

/* The socket is gone: what is held is thrown away, and on_closed is not called any more. The last
 * that is done with it. */
void sig_outbox_deinit(struct sig_outbox *outbox);

#endif
