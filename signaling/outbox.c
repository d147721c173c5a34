#include "signaling/outbox.h"

#include <stdlib.h>
#include <string.h>

#define HELD_MAX 10000 /* Messages; a store that answers nothing for so long is not waited for. */

struct sig_held {
    struct sig_held *next;
    uint64_t after;      /* Of the changes asked for, so many have to be stored. */
    uint16_t close_code; /* 0: a message. */
    const char *reason;
    size_t len;
    char text[];
};

/* The owner is gone after a close. */
static void deliver(struct sig_outbox *outbox, uint16_t close_code, const char *reason,
                    const char *text, size_t len) {
    if (close_code) {
        sig_websocket_close(outbox->socket, close_code, reason);
        outbox->on_closed(outbox);
    } else {
        sig_websocket_send(outbox->socket, text, len);
    }
}

static void unlink_outbox(struct sig_outbox *outbox) {
    if (!outbox->at)
        return;
    *outbox->at = outbox->next;
    if (outbox->next)
        outbox->next->at = outbox->at;
    outbox->at = NULL;
}

static struct sig_held *take(struct sig_outbox *outbox) {
    struct sig_held *held = outbox->first;
    outbox->first = held->next;
    outbox->count--;
    if (!outbox->first) {
        outbox->last = &outbox->first;
        unlink_outbox(outbox);
    }
    return held;
}

static void flush(struct sig_outbox *outbox, uint64_t stored) {
    bool is_closed = false;
    while (!is_closed && outbox->first && outbox->first->after <= stored) {
        struct sig_held *held = take(outbox);
        is_closed = held->close_code != 0; /* Nothing comes behind it. */
        deliver(outbox, held->close_code, held->reason, held->text, held->len);
        free(held);
    }
}

static void on_stored(void *data, uint64_t stored) {
    struct sig_outboxes *outboxes = data;
    struct sig_outbox *next;
    for (struct sig_outbox *outbox = outboxes->waiting; outbox; outbox = next) {
        next = outbox->next;
        flush(outbox, stored);
    }
}

void sig_outboxes_init(struct sig_outboxes *outboxes, struct sig_calls *calls) {
    *outboxes = (struct sig_outboxes){.calls = calls};
    sig_calls_on_stored(calls, on_stored, outboxes);
}

void sig_outbox_init(struct sig_outbox *outbox, struct sig_outboxes *all,
                     struct sig_websocket *socket) {
    *outbox = (struct sig_outbox){.all = all, .socket = socket, .last = &outbox->first};
}

static void hold(struct sig_outbox *outbox, struct sig_held *held) {
    struct sig_outboxes *all = outbox->all;
    *outbox->last = held;
    outbox->last = &held->next;
    if (outbox->count++ > 0)
        return;
    outbox->next = all->waiting;
    outbox->at = &all->waiting;
    if (outbox->next)
        outbox->next->at = &outbox->next;
    all->waiting = outbox;
}

static void put(struct sig_outbox *outbox, uint16_t close_code, const char *reason,
                const char *text, size_t len) {
    uint64_t asked = sig_calls_changes_asked(outbox->all->calls);
    bool waits = outbox->first || sig_calls_changes_stored(outbox->all->calls) < asked;
    struct sig_held *held =
        waits && outbox->count < HELD_MAX ? calloc(1, sizeof(*held) + len + 1) : NULL;
    if (!held) {
        flush(outbox, UINT64_MAX);
        deliver(outbox, close_code, reason, text, len);
        return;
    }
    held->after = asked;
    held->close_code = close_code;
    held->reason = reason;
    held->len = len;
    if (len > 0)
        memcpy(held->text, text, len);
    hold(outbox, held);
}

void sig_outbox_send(struct sig_outbox *outbox, const char *text, size_t len) {
    put(outbox, 0, NULL, text, len);
}

void sig_outbox_close(struct sig_outbox *outbox, uint16_t code, const char *reason,
                      void (*on_closed)(struct sig_outbox *outbox)) {
    outbox->on_closed = on_closed;
    put(outbox, code, reason, NULL, 0);
}

void sig_outbox_deinit(struct sig_outbox *outbox) {
    while (outbox->first)
        free(take(outbox));
}
