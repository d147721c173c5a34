/* Who is online: whoever has a connection for notifications or is in a call. Told to the others
 * when it changes: to everybody where few are connected, else to those who share a channel.
 *
 * A page that is left for another one loses its connection for a moment, so that somebody counts as
 * gone only after some seconds; and a crowd that comes at once (a server that was restarted) is
 * told bit by bit. */
#ifndef SIGNALING_PRESENCE_H
#define SIGNALING_PRESENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "signaling/listeners.h"
#include "signaling/store.h"

#define SIG_PRESENCE_GRACE_US UINT64_C(5000000)

/* So many connections are few: everybody is told of everybody. */
#define SIG_PRESENCE_FEW 200

/* Messages in a tenth of a second; the rest waits. */
#define SIG_PRESENCE_MESSAGES 2000
#define SIG_PRESENCE_TURN_US UINT64_C(100000)

struct sig_presence_options {
    /* Given: borrowed for life. */
    struct sig_listeners *listeners;
    struct sig_store *store;
    uint64_t (*now_us)(void);
    bool is_told; /* Otherwise it is only known. */
};

struct sig_presence;

struct sig_presence *sig_presence_create(const struct sig_presence_options *options);
void sig_presence_destroy(struct sig_presence *presence);

/* One more, one less connection of this user. Pairs. */
void sig_presence_come(struct sig_presence *presence, const char *user_id);
void sig_presence_go(struct sig_presence *presence, const char *user_id);

bool sig_presence_is_online(const struct sig_presence *presence, const char *user_id);
size_t sig_presence_count(const struct sig_presence *presence);

/* When it wants to be called next; UINT64_MAX: never, as things are. */
uint64_t sig_presence_next_deadline(const struct sig_presence *presence);
void sig_presence_on_deadline(struct sig_presence *presence, uint64_t now_us);

#endif
