#include "signaling/listeners.h"

#include <stdlib.h>
#include <string.h>

void sig_listeners_add(struct sig_listeners *listeners, struct sig_listener *listener) {
    listener->next = listeners->first;
    listener->at = &listeners->first;
    if (listener->next)
        listener->next->at = &listener->next;
    listeners->first = listener;
    listeners->count++;
}

void sig_listeners_remove(struct sig_listeners *listeners, struct sig_listener *listener) {
    *listener->at = listener->next;
    if (listener->next)
        listener->next->at = listener->at;
    listeners->count--;
}

size_t sig_listeners_tell(struct sig_listeners *listeners, const char *user_id, json_t *message) {
    char *text = NULL;
    size_t told = 0;
    struct sig_listener *next;
    for (struct sig_listener *each = listeners->first; each; each = next) {
        next = each->next;
        if (strcmp(each->user_id, user_id) != 0)
            continue;
        if (!text && !(text = json_dumps(message, JSON_COMPACT)))
            break;
        each->on_message(each->data, text, strlen(text));
        told++;
    }
    free(text);
    json_decref(message);
    return told;
}

void sig_listeners_close(struct sig_listeners *listeners) {
    while (listeners->first) {
        struct sig_listener *listener = listeners->first;
        sig_listeners_remove(listeners, listener);
        listener->on_end(listener->data);
    }
}
