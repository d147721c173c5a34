/* Who is asking: the first kind of credentials that a request brings decides. */
#include "signaling/auth_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "signaling/log.h"
#include "signaling/websocket.h"

#define SESSIONS_MAX 10000u
#define SESSION_LIFETIME_S 86400u
#define HOST_SIZE 300

static const char session_cookie[] = "sessionid";
static const char csrf_cookie[] = "csrftoken";

uint64_t auth_now_s(const struct sig_auth *auth) {
    return auth->options.now_s ? auth->options.now_s() : (uint64_t)time(NULL);
}

static bool copy_origins(struct sig_auth *auth, const struct sig_auth_options *options) {
    auth->origins = calloc(options->allowed_origin_count + 1, sizeof(*auth->origins));
    for (size_t i = 0; auth->origins && i < options->allowed_origin_count; i++)
        if ((auth->origins[i] = strdup(options->allowed_origins[i])) == NULL)
            return false;
    return auth->origins != NULL;
}

struct sig_auth *sig_auth_create(const struct sig_auth_options *options) {
    struct sig_auth *auth = calloc(1, sizeof(*auth));
    if (auth == NULL)
        return NULL;
    auth->options = *options;
    auth->options.secret = options->secret ? strdup(options->secret) : NULL;
    if (auth->options.max_sessions == 0)
        auth->options.max_sessions = SESSIONS_MAX;
    if (auth->options.session_lifetime_s == 0)
        auth->options.session_lifetime_s = SESSION_LIFETIME_S;
    if ((options->secret && auth->options.secret == NULL) || !copy_origins(auth, options) ||
        !auth_sessions_init(&auth->sessions)) {
        sig_auth_destroy(auth);
        return NULL;
    }
    return auth;
}

void sig_auth_destroy(struct sig_auth *auth) {
    if (auth == NULL)
        return;
    for (char **origin = auth->origins; origin && *origin; origin++)
        free(*origin);
    free(auth->origins);
    auth_sessions_deinit(&auth->sessions);
    char *secret = (char *)(uintptr_t)auth->options.secret; /* Our own copy. */
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
    free(auth);
}

static void on_sign_ins(void *data, int status, const struct sig_store_sign_in *sign_ins,
                        size_t count) {
    if (status < 0)
        sig_log(SIG_LOG_ERROR, NULL, "the sign-ins cannot be read: %s", strerror(-status));
    for (size_t i = 0; i < count; i++)
        auth_session_restore(data, &sign_ins[i]);
}

void sig_auth_restore(struct sig_auth *auth) {
    uint64_t now_s = auth_now_s(auth), lifetime_s = auth->options.session_lifetime_s;
    if (!auth->options.demo || !auth->options.store)
        return;
    sig_store_load_sign_ins(auth->options.store,
                            (now_s > lifetime_s ? now_s - lifetime_s : 0) * 1000,
                            auth->options.max_sessions, on_sign_ins, auth);
    sig_store_wait(auth->options.store);
}

bool sig_auth_is_demo(const struct sig_auth *auth) {
    return auth->options.demo;
}

/* The request. */

static bool changes_state(const struct sig_http_request *request) {
    static const char *const safe[] = {"GET", "HEAD", "OPTIONS"};
    for (size_t i = 0; i < sizeof(safe) / sizeof(safe[0]); i++)
        if (strcmp(sig_http_method(request), safe[i]) == 0)
            return false;
    return true;
}

/* A WebSocket is not held back by the same-origin policy, so the server has to look (RFC 6455
 * section 10.2). Behind a proxy that ends TLS our own scheme is not the browser's: the host
 * decides. */
static bool is_our_origin(const struct sig_auth *auth, const struct sig_http_request *request) {
    const char *origin = sig_http_header(request, "Origin");
    const char *host = sig_http_header(request, "Host");
    if (origin == NULL)
        return false;
    for (char **allowed = auth->origins; *allowed; allowed++)
        if (strcasecmp(origin, *allowed) == 0)
            return true;
    const char *after_scheme = strstr(origin, "://");
    return host && after_scheme && strcasecmp(after_scheme + 3, host) == 0;
}

static int refuse(const char **why, const char *words, int error) {
    if (why)
        *why = words;
    return error;
}

static void fill_identity(const struct auth_session *session, struct sig_identity *identity) {
    *identity = (struct sig_identity){
        .can_publish = true,
        .can_subscribe = true,
        .is_session = true,
    };
    snprintf(identity->user_id, sizeof(identity->user_id), "%s", session->user_id);
    snprintf(identity->name, sizeof(identity->name), "%s", session->name);
}

static bool is_csrf_right(const struct sig_http_request *request,
                          const struct auth_session *session) {
    return auth_is_digest_of(session->csrf, sig_http_header(request, "X-CSRFToken")) &&
           auth_is_digest_of(session->csrf, sig_http_cookie(request, csrf_cookie));
}

static int check_session(struct sig_auth *auth, const struct sig_http_request *request,
                         const char *id, struct sig_identity *identity, const char **why) {
    const struct auth_session *session = auth_session_find(auth, id);
    if (session == NULL)
        return refuse(why, "the session is unknown or has expired", -EACCES);
    if (sig_websocket_is_asked(request) && !is_our_origin(auth, request))
        return refuse(why, "the Origin is not allowed", -EPERM);
    if (changes_state(request) && !is_csrf_right(request, session))
        return refuse(why, "X-CSRFToken is not the csrftoken cookie", -EPERM);
    fill_identity(session, identity);
    return 0;
}

static int find_out(struct sig_auth *auth, const struct sig_http_request *request,
                    struct sig_identity *identity, const char **why) {
    const char *header = sig_http_header(request, "Authorization");
    const char *query = sig_http_query(request, "access_token");
    const char *cookie = sig_http_cookie(request, session_cookie);
    if (header && strncasecmp(header, "Bearer ", 7) != 0)
        return refuse(why, "Authorization must be Bearer", -EACCES);
    if (header)
        return sig_auth_read_token(auth, header + 7 + strspn(header + 7, " "), identity, why);
    if (query && sig_websocket_is_asked(request))
        return sig_auth_read_token(auth, query, identity, why);
    if (cookie)
        return check_session(auth, request, cookie, identity, why);
    return refuse(why, "there are no credentials", -ENOENT);
}

int sig_auth_check(struct sig_auth *auth, const struct sig_http_request *request,
                   struct sig_identity *identity, const char **why) {
    int error = find_out(auth, request, identity, why);
    auth->accepted += error == 0;
    auth->refused_none += error == -ENOENT;
    auth->refused_wrong += error == -EACCES;
    auth->refused_forged += error == -EPERM;
    return error;
}

int sig_auth_require(struct sig_auth *auth, struct sig_http_request *request,
                     struct sig_identity *identity) {
    const char *why = NULL;
    int error = sig_auth_check(auth, request, identity, &why);
    if (error == -EPERM) {
        sig_http_error(request, 403, "forged", "%s", why);
    } else if (error != 0) {
        /* RFC 6750 section 3.1: an error code only where a token was tried. */
        sig_http_add_header(request, "WWW-Authenticate",
                            error == -ENOENT ? "Bearer realm=\"weir\""
                                             : "Bearer realm=\"weir\", error=\"invalid_token\"");
        sig_http_error(request, 401, error == -ENOENT ? "no_credentials" : "bad_credentials", "%s",
                       why);
    }
    return error;
}

bool sig_identity_may_enter(const struct sig_identity *identity, const char *call_id) {
    return identity->call[0] == '\0' || strcasecmp(identity->call, call_id) == 0;
}

/* /session */

static void set_cookie(struct sig_auth *auth, struct sig_http_request *request, const char *name,
                       const char *value, bool is_for_scripts) {
    char header[256];
    snprintf(header, sizeof(header), "%s=%s; Path=/; SameSite=Lax; Max-Age=%u%s%s", name, value,
             *value ? auth->options.session_lifetime_s : 0, is_for_scripts ? "" : "; HttpOnly",
             auth->options.is_tls ? "; Secure" : "");
    sig_http_add_header(request, "Set-Cookie", header);
}

void sig_auth_renew(struct sig_auth *auth, struct sig_http_request *request) {
    const char *id = sig_http_cookie(request, session_cookie);
    const char *csrf = sig_http_cookie(request, csrf_cookie);
    const struct auth_session *session = id ? auth_session_find(auth, id) : NULL;
    if (session == NULL || !auth_is_digest_of(session->csrf, csrf))
        return;
    set_cookie(auth, request, session_cookie, id, false);
    set_cookie(auth, request, csrf_cookie, csrf, true);
}

static void reply_identity(struct sig_http_request *request, const struct sig_identity *identity) {
    sig_http_reply_json(request, 200,
                        json_pack("{s:b, s:s, s:s}", "success", 1, "user_id", identity->user_id,
                                  "name", identity->name));
}

static void sign_in(struct sig_auth *auth, struct sig_http_request *request, const char *name) {
    struct sig_identity identity;
    const char *old_id = sig_http_cookie(request, session_cookie);
    struct auth_session *old = old_id ? auth_session_find(auth, old_id) : NULL;
    if (old)
        auth_session_destroy(auth, old);
    struct auth_cookies cookies;
    struct auth_session *session = auth_session_create(auth, name, &cookies);
    if (session == NULL) {
        sig_http_error(request, 503, "full", "the server has no memory left");
        return;
    }
    auth->sign_ins++;
    set_cookie(auth, request, session_cookie, cookies.id, false);
    set_cookie(auth, request, csrf_cookie, cookies.csrf, true);
    fill_identity(session, &identity);
    reply_identity(request, &identity);
}

/* Needs no token against forgery: no page of another origin can send JSON here, since it would have
 * to ask first and is never answered yes. */
static void on_post(struct sig_http_request *request, void *data) {
    struct sig_auth *auth = data;
    if (!auth->options.demo) {
        sig_http_error(request, 403, "demo_off", "signing in by name is for the demo mode");
        return;
    }
    if (!sig_http_has_type(request, "application/json")) {
        sig_http_error(request, 415, "media_type", "the body must be application/json");
        return;
    }
    json_t *body = sig_http_body_json(request);
    if (body == NULL)
        return;
    const json_t *name = json_object_get(body, "name");
    if (!json_is_string(name) ||
        !sig_text_is_name(json_string_value(name), json_string_length(name), SIG_NAME_CHARS_MAX))
        sig_http_error(request, 400, "bad_name",
                       "name must be 1 to 64 characters without control characters");
    else if (sig_throttle_allows(auth->options.throttle, SIG_THROTTLE_SIGN_INS, request, NULL))
        sign_in(auth, request, json_string_value(name));
    json_decref(body);
}

static void on_get(struct sig_http_request *request, void *data) {
    struct sig_identity identity;
    if (sig_auth_require(data, request, &identity) < 0)
        return;
    if (identity.is_session)
        sig_auth_renew(data, request);
    reply_identity(request, &identity);
}

static void on_delete(struct sig_http_request *request, void *data) {
    struct sig_auth *auth = data;
    struct sig_identity identity;
    if (sig_auth_require(auth, request, &identity) != 0)
        return;
    const char *id = sig_http_cookie(request, session_cookie);
    struct auth_session *session = identity.is_session ? auth_session_find(auth, id) : NULL;
    if (session)
        auth_session_destroy(auth, session);
    set_cookie(auth, request, session_cookie, "", false);
    set_cookie(auth, request, csrf_cookie, "", true);
    sig_http_reply_json(request, 200, json_pack("{s:b}", "success", 1));
}

int sig_auth_add_routes(struct sig_auth *auth, struct sig_http *http) {
    static const struct sig_http_route routes[] = {
        {"POST", "/session", on_post, false},
        {"GET", "/session", on_get, false},
        {"DELETE", "/session", on_delete, false},
    };
    return sig_http_add_routes(http, routes, sizeof(routes) / sizeof(routes[0]), auth);
}

void sig_auth_write_metrics(const struct sig_auth *auth, struct sig_metrics *metrics) {
    const struct {
        const char *result;
        uint64_t count;
    } rows[] = {
        {"accepted", auth->accepted},
        {"none", auth->refused_none},
        {"wrong", auth->refused_wrong},
        {"forged", auth->refused_forged},
    };
    sig_metrics_family(metrics, "weir_auth_checks_total", SIG_METRICS_COUNTER,
                       "Requests whose credentials were looked at, by what came of it.");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        sig_metrics_sample(metrics, (double)rows[i].count,
                           &(struct sig_metrics_label){"result", rows[i].result}, 1);
    sig_metrics_counter(metrics, "weir_auth_sign_ins_total", "Sign-ins by name.", auth->sign_ins);
    sig_metrics_gauge(metrics, "weir_auth_sessions", "Sessions signed in by name.",
                      auth->sessions.count);
}
