/* Bearer tokens: JWT (RFC 7519) with HS256 and nothing else. */
#include "signaling/auth_internal.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <jwt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEEWAY_S 60
#define TOKEN_BYTES_MAX 8192
/* Beyond this a number of seconds is nonsense, and would not survive the arithmetic. */
#define TIME_S_MAX 1e12

static int refuse(const char **why, const char *words) {
    if (why)
        *why = words;
    return -EACCES;
}

/* Times may have fractions (RFC 7519 section 2, NumericDate). */
static bool read_time(const json_t *claims, const char *name, double *time_s) {
    const json_t *value = json_object_get(claims, name);
    *time_s = json_number_value(value);
    return json_is_number(value) && *time_s >= 0 && *time_s < TIME_S_MAX;
}

static int check_times(const struct sig_auth *auth, const json_t *claims, const char **why) {
    double now_s = (double)auth_now_s(auth);
    double time_s;
    if (!read_time(claims, "exp", &time_s))
        return refuse(why, "the token has no exp");
    if (now_s >= time_s + LEEWAY_S)
        return refuse(why, "the token has expired");
    if (json_object_get(claims, "nbf") == NULL)
        return 0;
    if (!read_time(claims, "nbf", &time_s))
        return refuse(why, "the token's nbf is no time");
    return now_s + LEEWAY_S < time_s ? refuse(why, "the token is not valid yet") : 0;
}

static bool has_grant(const json_t *grants, const char *name) {
    size_t i;
    json_t *grant;
    json_array_foreach(grants, i, grant) {
        const char *text = json_string_value(grant);
        if (text && strcmp(text, name) == 0)
            return true;
    }
    return false;
}

/* Without a grants claim a token publishes and subscribes, as an ordinary participant does. */
static int read_grants(const json_t *grants, struct sig_identity *identity, const char **why) {
    if (grants && !json_is_array(grants))
        return refuse(why, "the token's grants are no list");
    identity->can_publish = grants == NULL || has_grant(grants, "publish");
    identity->can_subscribe = grants == NULL || has_grant(grants, "subscribe");
    identity->is_admin = grants && has_grant(grants, "admin");
    return 0;
}

static int read_who(const json_t *claims, struct sig_identity *identity, const char **why) {
    const char *user_id = json_string_value(json_object_get(claims, "sub"));
    const json_t *name = json_object_get(claims, "name");
    if (user_id == NULL || !sig_text_is_user_id(user_id))
        return refuse(why, "the token's sub is no user id");
    if (name &&
        (!json_is_string(name) ||
         !sig_text_is_name(json_string_value(name), json_string_length(name), SIG_NAME_CHARS_MAX)))
        return refuse(why, "the token's name is no name of 1 to 64 characters");
    snprintf(identity->user_id, sizeof(identity->user_id), "%s", user_id);
    snprintf(identity->name, sizeof(identity->name), "%s",
             name ? json_string_value(name) : user_id);
    return 0;
}

static int read_call(const json_t *call, struct sig_identity *identity, const char **why) {
    const char *id = json_string_value(call);
    if (call == NULL)
        return 0;
    if (id == NULL || !sig_text_is_uuid(id))
        return refuse(why, "the token's call is no call id");
    for (size_t i = 0; i < SIG_UUID_SIZE; i++)
        identity->call[i] = (char)tolower((unsigned char)id[i]);
    return 0;
}

static int read_claims(const struct sig_auth *auth, const json_t *claims,
                       struct sig_identity *identity, const char **why) {
    struct sig_identity read = {.is_session = false};
    if (check_times(auth, claims, why) != 0 || read_who(claims, &read, why) != 0 ||
        read_call(json_object_get(claims, "call"), &read, why) != 0 ||
        read_grants(json_object_get(claims, "grants"), &read, why) != 0)
        return -EACCES;
    *identity = read;
    return 0;
}

/* The claims of a token whose signature is good, or NULL. */
static json_t *open_token(const struct sig_auth *auth, const char *token) {
    jwt_t *jwt = NULL;
    json_t *claims = NULL;
    const char *secret = auth->options.secret;
    if (jwt_decode(&jwt, token, (const unsigned char *)secret, (int)strlen(secret)) != 0)
        return NULL;
    /* The library takes whatever algorithm the token names. */
    char *text = jwt_get_alg(jwt) == JWT_ALG_HS256 ? jwt_get_grants_json(jwt, NULL) : NULL;
    if (text)
        claims = json_loads(text, 0, NULL);
    free(text);
    jwt_free(jwt);
    return claims;
}

int sig_auth_read_token(struct sig_auth *auth, const char *token, struct sig_identity *identity,
                        const char **why) {
    if (auth->options.secret == NULL)
        return refuse(why, "this server takes no tokens");
    if (strlen(token) > TOKEN_BYTES_MAX)
        return refuse(why, "the token is too long");
    json_t *claims = open_token(auth, token);
    if (claims == NULL)
        return refuse(why, "the token is not one of ours (JWT, HS256)");
    int error = read_claims(auth, claims, identity, why);
    json_decref(claims);
    return error;
}
