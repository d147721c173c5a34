/* What the parts of auth share: auth.c (the checks), auth_token.c, auth_session.c. */
#ifndef SIGNALING_AUTH_INTERNAL_H
#define SIGNALING_AUTH_INTERNAL_H

#include "signaling/auth.h"

/* 128 random bits in hexadecimal. */
#define AUTH_RANDOM_BYTES 16
#define AUTH_RANDOM_SIZE (2 * AUTH_RANDOM_BYTES + 1)

/* SHA-256 in hexadecimal: what is kept of a cookie, here and in the store. */
#define AUTH_DIGEST_SIZE 65

struct auth_session {
    /* Given. */
    char id[AUTH_DIGEST_SIZE];
    char csrf[AUTH_DIGEST_SIZE];
    char user_id[AUTH_RANDOM_SIZE];
    char name[SIG_NAME_SIZE];
    /* Links. */
    struct auth_session *next; /* Of the chain. */
    struct auth_session *older;
    struct auth_session *newer; /* By last use. */
    /* State. */
    uint64_t used_s;
    uint64_t saved_s; /* used_s, as the store knows it. */
};

/* What a browser gets, and nobody keeps. */
struct auth_cookies {
    char id[AUTH_RANDOM_SIZE];
    char csrf[AUTH_RANDOM_SIZE];
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
/* The session of this cookie, in use again, or NULL if there is none or it has expired. */
struct auth_session *auth_session_find(struct sig_auth *auth, const char *cookie);
/* A new session and its cookies; the one unused for longest goes when there are too many. NULL: no
 * memory. */
struct auth_session *auth_session_create(struct sig_auth *auth, const char *name,
                                         struct auth_cookies *cookies);
/* The end of a session, here and in the store. */
void auth_session_destroy(struct sig_auth *auth, struct auth_session *session);
/* Takes a session from the store; the callback's work of sig_auth_restore. */
void auth_session_restore(struct sig_auth *auth, const struct sig_store_sign_in *sign_in);

/* Whether this is the text whose digest is kept. */
bool auth_is_digest_of(const char *digest, const char *text);

#endif
