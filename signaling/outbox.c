#include "signaling/outbox.h"

#include <stdlib.h>
#include <string.h>

#define HELD_MAX 10000 /* Messages; a store that answers nothing for so long is not waited for. */

struct sig_held {
    struct sig_held *next;      /* Of all; */
    struct sig_held *next_mine; /* of the outbox. */
    struct sig_outbox *outbox;  /* NULL: delivered already, or of no use any more. */
    struct sig_frame *frame;    /* NULL: it is to be closed. */
    const char *reason;
    uint64_t after; /* Of the changes asked for, so many have to be stored. */
    uint16_t close_code;
    bool may_wait;
};

/* The owner is gone after a close. */
static void deliver(struct sig_outbox *outbox, const struct sig_held *held) {
    if (held->frame) {
        sig_websocket_send_frame(outbox->socket, held->frame, held->may_wait);
    } else {
        sig_websocket_close(outbox->socket, held->close_code, held->reason);
        outbox->on_closed(outbox);
    }
}

/* Takes the outbox's first out of it; it stays among all until its turn. */
static void leave(struct sig_outbox *outbox) {
    struct sig_held *held = outbox->first;
    outbox->first = held->next_mine;
    if (!outbox->first)
        outbox->last = &outbox->first;
    outbox->count--;
    held->outbox = NULL;
}

static void drop_frame(struct sig_held *held) {
    sig_frame_release(held->frame);
    held->frame = NULL;
}

static void deliver_first(struct sig_outbox *outbox) {
    struct sig_held *held = outbox->first;
    leave(outbox);
    deliver(outbox, held);
    drop_frame(held);
}

static void on_stored(void *data, uint64_t stored) {
    struct sig_outboxes *all = data;
    while (all->first && all->first->after <= stored) {
        struct sig_held *held = all->first;
        if (held->outbox) /* Whose first it is. */
            deliver_first(held->outbox);
        all->first = held->next;
        if (!all->first)
            all->last = &all->first;
        free(held);
    }
}

void sig_outboxes_init(struct sig_outboxes *outboxes, struct sig_calls *calls) {
    *outboxes = (struct sig_outboxes){.calls = calls, .last = &outboxes->first};
    sig_calls_on_stored(calls, on_stored, outboxes);
}

void sig_outboxes_deinit(struct sig_outboxes *outboxes) {
    while (outboxes->first) {
        struct sig_held *held = outboxes->first;
        outboxes->first = held->next;
        drop_frame(held);
        free(held);
    }
}

void sig_outbox_init(struct sig_outbox *outbox, struct sig_outboxes *all,
                     struct sig_websocket *socket) {
    *outbox = (struct sig_outbox){.all = all, .socket = socket, .last = &outbox->first};
}

static int hold(struct sig_outbox *outbox, const struct sig_held *what) {
    struct sig_outboxes *all = outbox->all;
    struct sig_held *held = outbox->count < HELD_MAX ? malloc(sizeof(*held)) : NULL;
    if (!held)
        return -1;
    *held = *what;
    held->outbox = outbox;
    if (held->frame)
        sig_frame_hold(held->frame);
    *outbox->last = held;
    outbox->last = &held->next_mine;
    outbox->count++;
    *all->last = held;
    all->last = &held->next;
    return 0;
}

static void put(struct sig_outbox *outbox, struct sig_held what) {
    what.after = sig_calls_changes_asked(outbox->all->calls);
    bool waits = outbox->first || sig_calls_changes_stored(outbox->all->calls) < what.after;
    if (waits && hold(outbox, &what) == 0)
        return;
    while (outbox->first)
        deliver_first(outbox);
    deliver(outbox, &what);
}

void sig_outbox_send(struct sig_outbox *outbox, struct sig_frame *frame, bool may_wait) {
    if (!sig_outbox_is_closing(outbox)) /* Nothing comes behind it. */
        put(outbox, (struct sig_held){.frame = frame, .may_wait = may_wait});
}

void sig_outbox_close(struct sig_outbox *outbox, uint16_t code, const char *reason,
                      void (*on_closed)(struct sig_outbox *outbox)) {
    outbox->on_closed = on_closed;
    put(outbox, (struct sig_held){.close_code = code, .reason = reason});
}

void sig_outbox_deinit(struct sig_outbox *outbox) {
    while (outbox->first) {
        drop_frame(outbox->first);
        leave(outbox);
    }
}
