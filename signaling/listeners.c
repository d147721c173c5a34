#include "signaling/listeners.h"

#include <string.h>

#include "signaling/text.h"

static struct sig_listener **chain_of(struct sig_listeners *listeners, const char *user_id) {
    return &listeners->chains[sig_text_hash(user_id) % SIG_LISTENERS_CHAINS];
}

void sig_listeners_add(struct sig_listeners *listeners, struct sig_listener *listener) {
    struct sig_listener **chain = chain_of(listeners, listener->user_id);
    listener->next = listeners->first;
    listener->at = &listeners->first;
    if (listener->next)
        listener->next->at = &listener->next;
    listeners->first = listener;
    listener->next_alike = *chain;
    listener->at_alike = chain;
    if (listener->next_alike)
        listener->next_alike->at_alike = &listener->next_alike;
    *chain = listener;
    listeners->count++;
}

void sig_listeners_remove(struct sig_listeners *listeners, struct sig_listener *listener) {
    *listener->at = listener->next;
    if (listener->next)
        listener->next->at = listener->at;
    *listener->at_alike = listener->next_alike;
    if (listener->next_alike)
        listener->next_alike->at_alike = listener->at_alike;
    listeners->count--;
}

size_t sig_listeners_tell(struct sig_listeners *listeners, const char *user_id, json_t *message) {
    struct sig_frame *frame = NULL;
    size_t told = 0;
    struct sig_listener *next;
    for (struct sig_listener *each = *chain_of(listeners, user_id); each; each = next) {
        next = each->next_alike;
        if (strcmp(each->user_id, user_id) != 0)
            continue;
        if (!frame && !(frame = sig_frame_of_json(json_incref(message))))
            break;
        each->on_message(each->data, frame, false);
        told++;
    }
    sig_frame_release(frame);
    json_decref(message);
    return told;
}

size_t sig_listeners_tell_all(struct sig_listeners *listeners, json_t *message) {
    struct sig_frame *frame = sig_frame_of_json(message);
    size_t told = 0;
    struct sig_listener *next;
    for (struct sig_listener *each = frame ? listeners->first : NULL; each; each = next) {
        next = each->next;
        each->on_message(each->data, frame, false);
        told++;
    }
    sig_frame_release(frame);
    return told;
}

void sig_listeners_close(struct sig_listeners *listeners) {
    while (listeners->first) {
        struct sig_listener *listener = listeners->first;
        sig_listeners_remove(listeners, listener);
        listener->on_end(listener->data);
    }
}
