/* The sessions of browsers that signed in by name: in memory, found by their cookie, and in the
 * order of their last use. Each is in the store as well, so that a restart signs nobody out; its
 * last use only roughly. */
#include "signaling/auth_internal.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHAIN_COUNT 4096u
#define SAVES_PER_LIFETIME 24
#define NAMES_LATELY 200 /* Looked through for a name. */

bool auth_sessions_init(struct auth_sessions *sessions) {
    sessions->chains = calloc(CHAIN_COUNT, sizeof(*sessions->chains));
    return sessions->chains != NULL;
}

static void write_digest(char out[static AUTH_DIGEST_SIZE], const char *text) {
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)text, strlen(text), digest);
    for (size_t i = 0; i < sizeof(digest); i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

bool auth_is_digest_of(const char *digest, const char *text) {
    char own[AUTH_DIGEST_SIZE];
    if (!text)
        return false;
    write_digest(own, text);
    return sig_text_is_secret(own, digest);
}

/* Any digits of a digest spread as well as a hash. */
static struct auth_session **chain_of(struct auth_sessions *sessions, const char *id) {
    char digits[9];
    snprintf(digits, sizeof(digits), "%.8s", id);
    return &sessions->chains[strtoul(digits, NULL, 16) % CHAIN_COUNT];
}

static void unlink_use(struct auth_sessions *sessions, struct auth_session *session) {
    *(session->older ? &session->older->newer : &sessions->oldest) = session->newer;
    *(session->newer ? &session->newer->older : &sessions->newest) = session->older;
}

static void link_newest(struct auth_sessions *sessions, struct auth_session *session) {
    session->older = sessions->newest;
    session->newer = NULL;
    *(sessions->newest ? &sessions->newest->newer : &sessions->oldest) = session;
    sessions->newest = session;
}

static void forget(struct sig_auth *auth, struct auth_session *session) {
    struct auth_session **link = chain_of(&auth->sessions, session->id);
    while (*link != session)
        link = &(*link)->next;
    *link = session->next;
    unlink_use(&auth->sessions, session);
    auth->sessions.count--;
    free(session);
}

static bool is_expired(const struct sig_auth *auth, const struct auth_session *session) {
    return auth_now_s(auth) >= session->used_s + auth->options.session_lifetime_s;
}

void auth_session_destroy(struct sig_auth *auth, struct auth_session *session) {
    if (auth->options.store)
        sig_store_delete_sign_in(auth->options.store, session->id, NULL, NULL);
    forget(auth, session);
}

static void save(struct sig_auth *auth, struct auth_session *session) {
    const struct sig_store_sign_in sign_in = {.id = session->id,
                                              .csrf = session->csrf,
                                              .user_id = session->user_id,
                                              .name = session->name,
                                              .used_at_ms = session->used_s * 1000};
    session->saved_s = session->used_s;
    if (auth->options.store)
        sig_store_save_sign_in(auth->options.store, &sign_in, NULL, NULL);
}

static void use(struct sig_auth *auth, struct auth_session *session) {
    session->used_s = auth_now_s(auth);
    unlink_use(&auth->sessions, session);
    link_newest(&auth->sessions, session);
    if (session->used_s >=
        session->saved_s + auth->options.session_lifetime_s / SAVES_PER_LIFETIME + 1)
        save(auth, session);
}

struct auth_session *auth_session_find(struct sig_auth *auth, const char *cookie) {
    char id[AUTH_DIGEST_SIZE];
    write_digest(id, cookie);
    struct auth_session *session = *chain_of(&auth->sessions, id);
    while (session && strcmp(id, session->id) != 0)
        session = session->next;
    if (session == NULL)
        return NULL;
    if (is_expired(auth, session)) {
        auth_session_destroy(auth, session);
        return NULL;
    }
    use(auth, session);
    return session;
}

static void link_session(struct auth_sessions *sessions, struct auth_session *session) {
    struct auth_session **chain = chain_of(sessions, session->id);
    session->next = *chain;
    *chain = session;
    link_newest(sessions, session);
    sessions->count++;
}

struct auth_session *auth_session_create(struct sig_auth *auth, const char *name,
                                         struct auth_cookies *cookies) {
    struct auth_sessions *sessions = &auth->sessions;
    while (sessions->oldest &&
           (sessions->count >= auth->options.max_sessions || is_expired(auth, sessions->oldest)))
        auth_session_destroy(auth, sessions->oldest);
    struct auth_session *session = calloc(1, sizeof(*session));
    if (session == NULL)
        return NULL;
    sig_text_random_hex(cookies->id, AUTH_RANDOM_BYTES);
    sig_text_random_hex(cookies->csrf, AUTH_RANDOM_BYTES);
    sig_text_random_hex(session->user_id, AUTH_RANDOM_BYTES);
    write_digest(session->id, cookies->id);
    write_digest(session->csrf, cookies->csrf);
    snprintf(session->name, sizeof(session->name), "%s", name);
    session->used_s = auth_now_s(auth);
    link_session(sessions, session);
    save(auth, session);
    if (auth->options.store)
        sig_store_save_user(auth->options.store, session->user_id, name, NULL, NULL);
    return session;
}

const char *sig_auth_name_of(const struct sig_auth *auth, const char *user_id) {
    const struct auth_session *session = auth->sessions.newest;
    for (unsigned i = 0; session && i < NAMES_LATELY; i++, session = session->older)
        if (strcmp(session->user_id, user_id) == 0)
            return session->name;
    return NULL;
}

void auth_session_restore(struct sig_auth *auth, const struct sig_store_sign_in *sign_in) {
    struct auth_session *session = calloc(1, sizeof(*session));
    if (session == NULL)
        return;
    snprintf(session->id, sizeof(session->id), "%s", sign_in->id);
    snprintf(session->csrf, sizeof(session->csrf), "%s", sign_in->csrf);
    snprintf(session->user_id, sizeof(session->user_id), "%s", sign_in->user_id);
    snprintf(session->name, sizeof(session->name), "%s", sign_in->name);
    session->used_s = session->saved_s = sign_in->used_at_ms / 1000;
    link_session(&auth->sessions, session);
}

void auth_sessions_deinit(struct auth_sessions *sessions) {
    for (struct auth_session *session; (session = sessions->oldest) != NULL;) {
        sessions->oldest = session->newer;
        free(session);
    }
    free(sessions->chains);
}
