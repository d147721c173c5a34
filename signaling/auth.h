/* Who is asking: bearer tokens (JWT, HS256) signed with the shared secret, and the cookie sessions
 * of the demo mode with their CSRF and Origin checks. */
#ifndef SIGNALING_AUTH_H
#define SIGNALING_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "signaling/http.h"
#include "signaling/store.h"
#include "signaling/text.h"
#include "signaling/throttle.h"

#define SIG_USER_ID_SIZE 129
#define SIG_NAME_CHARS_MAX 64
#define SIG_NAME_SIZE (SIG_NAME_CHARS_MAX * 4 + 1)

struct sig_identity {
    char user_id[SIG_USER_ID_SIZE];
    char name[SIG_NAME_SIZE]; /* The user id where the token has no name. */
    char call[SIG_UUID_SIZE]; /* The only call allowed, lower case; "": any. */
    bool can_publish;
    bool can_subscribe;
    bool is_admin;
    bool is_session; /* Signed in by name, with a cookie. */
};

struct sig_auth;

struct sig_auth_options {
    /* Given: copied. */
    const char *secret;                 /* NULL: no bearer tokens. */
    bool demo;                          /* Sign-in by name. */
    bool is_tls;                        /* Cookies are Secure. */
    const char *const *allowed_origins; /* Besides the request's own host. */
    size_t allowed_origin_count;
    unsigned max_sessions; /* 0: 10000. The one unused for longest makes room for a new one. */
    unsigned session_lifetime_s; /* 0: 86400. Since its last use. */
    uint64_t (*now_s)(void);     /* Seconds since 1970; NULL: the clock. */

    /* Given: borrowed for life. */
    struct sig_store *store; /* Keeps sign-ins and users; NULL: a restart signs everybody out. */
    struct sig_throttle *throttle; /* NULL: no limits. */
};

struct sig_auth *sig_auth_create(const struct sig_auth_options *options);
void sig_auth_destroy(struct sig_auth *auth);

/* Takes the sign-ins that the store knows. To be called once, at the start. */
void sig_auth_restore(struct sig_auth *auth);

bool sig_auth_is_demo(const struct sig_auth *auth);

/* Who made the request. Looks at `Authorization: Bearer`, then at ?access_token= (WebSocket
 * upgrades only), then at the session cookie; the first that is there decides. A cookie request
 * that changes state (any method but GET, HEAD and OPTIONS) needs X-CSRFToken, one that upgrades
 * needs our Origin. Returns 0 with the identity; -ENOENT no credentials; -EACCES wrong or expired
 * ones; -EPERM a CSRF or Origin check failed. On failure why (may be NULL) points to constant words
 * that say what is wrong. */
int sig_auth_check(struct sig_auth *auth, const struct sig_http_request *request,
                   struct sig_identity *identity, const char **why);

/* The same, replying 401 (with WWW-Authenticate) or 403 on failure. */
int sig_auth_require(struct sig_auth *auth, struct sig_http_request *request,
                     struct sig_identity *identity);

/* Has a browser that signed in by name keep its cookies for another lifetime from now on, as the
 * session does with each use. To be called before the reply to a request that was let in. */
void sig_auth_renew(struct sig_auth *auth, struct sig_http_request *request);

/* The name under which this user is signed in, of those who were here lately: the store may not
 * have it yet. Borrowed until the loop's next turn; NULL: unknown. */
const char *sig_auth_name_of(const struct sig_auth *auth, const char *user_id);

/* Whether the identity may touch this call at all (the token's call claim). */
bool sig_identity_may_enter(const struct sig_identity *identity, const char *call_id);

/* Reads a token without a request: 0 with the identity or -EACCES, why as above. */
int sig_auth_read_token(struct sig_auth *auth, const char *token, struct sig_identity *identity,
                        const char **why);

/* Serves /session: POST {"name": …} signs in, GET tells who is signed in and renews the cookies,
 * DELETE signs out. Without demo mode POST is 403. */
int sig_auth_add_routes(struct sig_auth *auth, struct sig_http *http);

/* Adds weir_auth_… families. */
void sig_auth_write_metrics(const struct sig_auth *auth, struct sig_metrics *metrics);

#endif
