/* Browsers that wait for notifications (`/ws/notifications/`): who they are and how to reach them.
 */
#ifndef SIGNALING_LISTENERS_H
#define SIGNALING_LISTENERS_H

#include <jansson.h>
#include <stddef.h>

#include "signaling/auth.h"
#include "signaling/frame.h"

#define SIG_LISTENERS_CHAINS 1024

/* One browser. Embedded in its owner; links are the list's. */
struct sig_listener {
    /* Given. */
    char user_id[SIG_USER_ID_SIZE];
    void (*on_message)(void *data, struct sig_frame *frame, bool may_wait);
    void (*on_end)(void *data); /* The list is closed; the listener is out of it. */
    void *data;

    /* Links. */
    struct sig_listener *next, **at;             /* Of all. */
    struct sig_listener *next_alike, **at_alike; /* Of those whose users share a chain. */
};

/* Zero-initialised: empty. */
struct sig_listeners {
    struct sig_listener *first;
    struct sig_listener *chains[SIG_LISTENERS_CHAINS];
    size_t count;
};

void sig_listeners_add(struct sig_listeners *listeners, struct sig_listener *listener);
void sig_listeners_remove(struct sig_listeners *listeners, struct sig_listener *listener);

/* Sends a message to every browser of the user and takes over its reference; returns how many there
 * were. */
size_t sig_listeners_tell(struct sig_listeners *listeners, const char *user_id, json_t *message);

/* The same to all browsers. */
size_t sig_listeners_tell_all(struct sig_listeners *listeners, json_t *message);

/* Ends all of them. */
void sig_listeners_close(struct sig_listeners *listeners);

#endif
