/* What the parts of auth share: auth.c (the checks), auth_token.c, auth_session.c. */
#ifndef SIGNALING_AUTH_INTERNAL_H
#define SIGNALING_AUTH_INTERNAL_H

#include "signaling/auth.h"

/* 128 random bits in hexadecimal. */
#define AUTH_RANDOM_BYTES 16
#define AUTH_RANDOM_SIZE (2 * AUTH_RANDOM_BYTES + 1)

struct auth_session {
    /* Given. */
    char id[AUTH_RANDOM_SIZE];
    char csrf[AUTH_RANDOM_SIZE];
    char user_id[AUTH_RANDOM_SIZE];
    char name[SIG_NAME_SIZE];
    /* Links. */
    struct auth_session *next; /* Of the chain. */
    struct auth_session *older;
    struct auth_session *newer; /* By last use. */
    /* State. */
    uint64_t used_s;
};

struct auth_sessions {
    /* Owned. */
    struct auth_session **chains;
    /* State. */
    struct auth_session *oldest;
    struct auth_session *newest;
    unsigned count;
};

struct sig_auth {
    /* Owned. */
    struct sig_auth_options options; /* With strings of its own. */
    char **origins;
    struct auth_sessions sessions;
    /* Counters. */
    uint64_t sign_ins;
    uint64_t accepted;
    uint64_t refused_none;
    uint64_t refused_wrong;
    uint64_t refused_forged; /* CSRF and Origin. */
};

uint64_t auth_now_s(const struct sig_auth *auth);

/* auth_session.c */
bool auth_sessions_init(struct auth_sessions *sessions);
void auth_sessions_deinit(struct auth_sessions *sessions);
/* A session in use again, or NULL if there is none of this id or it has expired. */
struct auth_session *auth_session_find(struct sig_auth *auth, const char *id);
/* A new session; the one unused for longest goes when there are too many. NULL: no memory. */
struct auth_session *auth_session_create(struct sig_auth *auth, const char *name);
void auth_session_destroy(struct sig_auth *auth, struct auth_session *session);

#endif
