/* Limits on what a user and an address may do in a minute: signing in, making calls and channels,
 * writing chat messages. Whoever has been still may do a minute's worth at once. */
#ifndef SIGNALING_THROTTLE_H
#define SIGNALING_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "signaling/http.h"

enum sig_throttle_kind {
    SIG_THROTTLE_SIGN_INS,
    SIG_THROTTLE_CALLS,
    SIG_THROTTLE_CHANNELS,
    SIG_THROTTLE_CHATS,
    SIG_THROTTLE_KINDS
};

/* An address has many users. */
#define SIG_THROTTLE_USERS_PER_ADDRESS 10

struct sig_throttle_options {
    uint32_t per_minute[SIG_THROTTLE_KINDS]; /* Of a user; sign-ins: of an address. 0: no limit. */
    uint64_t (*now_us)(void);                /* Monotonic; NULL: the clock. */
};

struct sig_throttle;

struct sig_throttle *sig_throttle_create(const struct sig_throttle_options *options);
void sig_throttle_destroy(struct sig_throttle *throttle);

/* Counts one of this kind for the user and for the address, each of which may be NULL. 0, or the
 * seconds to wait, and then it counts for neither. IPv6 addresses count by their /64. A throttle of
 * NULL has no limits. */
unsigned sig_throttle_take(struct sig_throttle *throttle, enum sig_throttle_kind kind,
                           const char *user_id, const char *address);

/* The same for a request of this user (NULL: nobody yet): true, or false after replying 429 with
 * Retry-After. */
bool sig_throttle_allows(struct sig_throttle *throttle, enum sig_throttle_kind kind,
                         struct sig_http_request *request, const char *user_id);

/* How many of this kind were refused. */
uint64_t sig_throttle_refused(const struct sig_throttle *throttle, enum sig_throttle_kind kind);
const char *sig_throttle_name(enum sig_throttle_kind kind);

#endif
