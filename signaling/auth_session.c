/* The sessions of browsers that signed in by name: in memory, found by their cookie, and in the
 * order of their last use. */
#include "signaling/auth_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHAIN_COUNT 4096u

bool auth_sessions_init(struct auth_sessions *sessions) {
    sessions->chains = calloc(CHAIN_COUNT, sizeof(*sessions->chains));
    return sessions->chains != NULL;
}

/* Ids are random: any of their digits spread as well as a hash, and nobody chooses them. What a
 * client asks for may be anything, and only finds nothing. */
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

void auth_session_destroy(struct sig_auth *auth, struct auth_session *session) {
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

struct auth_session *auth_session_find(struct sig_auth *auth, const char *id) {
    struct auth_sessions *sessions = &auth->sessions;
    struct auth_session *session = *chain_of(sessions, id);
    while (session && !sig_text_is_secret(id, session->id))
        session = session->next;
    if (session == NULL)
        return NULL;
    if (is_expired(auth, session)) {
        auth_session_destroy(auth, session);
        return NULL;
    }
    session->used_s = auth_now_s(auth);
    unlink_use(sessions, session);
    link_newest(sessions, session);
    return session;
}

struct auth_session *auth_session_create(struct sig_auth *auth, const char *name) {
    struct auth_sessions *sessions = &auth->sessions;
    while (sessions->oldest &&
           (sessions->count >= auth->options.max_sessions || is_expired(auth, sessions->oldest)))
        auth_session_destroy(auth, sessions->oldest);
    struct auth_session *session = calloc(1, sizeof(*session));
    if (session == NULL)
        return NULL;
    sig_text_random_hex(session->id, AUTH_RANDOM_BYTES);
    sig_text_random_hex(session->csrf, AUTH_RANDOM_BYTES);
    sig_text_random_hex(session->user_id, AUTH_RANDOM_BYTES);
    snprintf(session->name, sizeof(session->name), "%s", name);
    session->used_s = auth_now_s(auth);
    struct auth_session **chain = chain_of(sessions, session->id);
    session->next = *chain;
    *chain = session;
    link_newest(sessions, session);
    sessions->count++;
    return session;
}

void auth_sessions_deinit(struct auth_sessions *sessions) {
    for (struct auth_session *session; (session = sessions->oldest) != NULL;) {
        sessions->oldest = session->newer;
        free(session);
    }
    free(sessions->chains);
}
