/* Tokens, sessions, and what protects them. Time is a parameter. */
#include "signaling/auth.h"

#include <jwt.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "signaling/websocket.h"
#include "tests/unit/signaling/site.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECRET "0123456789abcdef0123456789abcdef"
#define NOW_S 1790000000

static uint64_t clock_s = NOW_S;

static uint64_t now_s(void) {
    return clock_s;
}

static struct sig_auth *create(const char *secret, bool demo) {
    static const char *const origins[] = {"https://chat.example.org"};
    struct sig_auth *auth = sig_auth_create(&(struct sig_auth_options){
        .secret = secret,
        .demo = demo,
        .allowed_origins = origins,
        .allowed_origin_count = 1,
        .max_sessions = 3,
        .session_lifetime_s = 1000,
        .now_s = now_s,
    });
    CHECK(auth != NULL);
    return auth;
}

/* Tokens. */

static size_t base64url(const void *bytes, size_t len, char *out) {
    EVP_EncodeBlock((unsigned char *)out, bytes, (int)len);
    size_t text = strcspn(out, "=");
    out[text] = '\0';
    for (char *c = out; *c; c++)
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
    return text;
}

/* Signed by hand, so that headers and claims may be anything. */
static const char *sign(const char *header, const char *claims, const char *secret) {
    static char token[4096];
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned mac_len;
    size_t len = base64url(header, strlen(header), token);
    token[len++] = '.';
    len += base64url(claims, strlen(claims), token + len);
    HMAC(EVP_sha256(), secret, (int)strlen(secret), (unsigned char *)token, len, mac, &mac_len);
    token[len++] = '.';
    base64url(mac, mac_len, token + len);
    return token;
}

static const char *token_of(const char *claims) {
    return sign("{\"alg\":\"HS256\",\"typ\":\"JWT\"}", claims, SECRET);
}

static void a_token_says_who_and_what(void) {
    struct sig_auth *auth = create(SECRET, false);
    struct sig_identity who;
    const char *token = token_of("{\"sub\":\"u1\",\"name\":\"Zoë\",\"exp\":1790000100,"
                                 "\"call\":\"0B6CBC2A-8A1F-4C3D-9E5F-112233445566\","
                                 "\"grants\":[\"subscribe\",\"admin\"]}");
    CHECK_INT(sig_auth_read_token(auth, token, &who, NULL), 0);
    CHECK_STR(who.user_id, "u1");
    CHECK_STR(who.name, "Zoë");
    CHECK_STR(who.call, "0b6cbc2a-8a1f-4c3d-9e5f-112233445566");
    CHECK(who.can_subscribe && who.is_admin && !who.can_publish && !who.is_session);
    CHECK(sig_identity_may_enter(&who, "0b6cbc2a-8a1f-4c3d-9e5f-112233445566"));
    CHECK(!sig_identity_may_enter(&who, "0b6cbc2a-8a1f-4c3d-9e5f-112233445567"));
    CHECK_INT(
        sig_auth_read_token(auth, token_of("{\"sub\":\"u2\",\"exp\":1790000100.5}"), &who, NULL),
        0);
    CHECK_STR(who.name, "u2");
    CHECK(who.can_publish && who.can_subscribe && !who.is_admin);
    CHECK(sig_identity_may_enter(&who, "any"));
    sig_auth_destroy(auth);
}

static void wrong_claims_are_refused(void) {
    static const char *const rows[] = {
        "{\"sub\":\"u\"}",
        "{\"sub\":\"u\",\"exp\":\"1790000100\"}",
        "{\"sub\":\"u\",\"exp\":-1}",
        "{\"sub\":\"u\",\"exp\":1e300}",
        "{\"sub\":\"u\",\"exp\":null}",
        "{\"exp\":1790000100}",
        "{\"sub\":\"\",\"exp\":1790000100}",
        "{\"sub\":7,\"exp\":1790000100}",
        "{\"sub\":\"a b\",\"exp\":1790000100}",
        "{\"sub\":\"a\\nb\",\"exp\":1790000100}",
        "{\"sub\":\"u\",\"exp\":1790000100,\"name\":\"\"}",
        "{\"sub\":\"u\",\"exp\":1790000100,\"name\":7}",
        "{\"sub\":\"u\",\"exp\":1790000100,\"call\":\"x\"}",
        "{\"sub\":\"u\",\"exp\":1790000100,\"call\":7}",
        "{\"sub\":\"u\",\"exp\":1790000100,\"grants\":\"admin\"}",
        "{\"sub\":\"u\",\"exp\":1790000100,\"nbf\":\"soon\"}",
        "[]",
        "x",
    };
    struct sig_auth *auth = create(SECRET, false);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sig_identity who = {.user_id = "untouched"};
        const char *why = NULL;
        CHECK_INT(sig_auth_read_token(auth, token_of(rows[i]), &who, &why), -EACCES);
        CHECK(why != NULL);
        CHECK_STR(who.user_id, "untouched");
    }
    sig_auth_destroy(auth);
}

static void other_algorithms_and_signatures_are_refused(void) {
    static const char claims[] = "{\"sub\":\"u\",\"exp\":1790000100}";
    struct sig_auth *auth = create(SECRET, false);
    struct sig_identity who;
    char text[4096];
    CHECK_INT(sig_auth_read_token(auth, sign("{\"alg\":\"HS256\"}", claims, SECRET), &who, NULL),
              0);
    static const char *const headers[] = {"{\"alg\":\"none\"}", "{\"alg\":\"HS512\"}",
                                          "{\"alg\":\"RS256\"}", "{\"alg\":\"hs257\"}", "{}"};
    for (size_t i = 0; i < COUNT(headers); i++)
        CHECK_INT(sig_auth_read_token(auth, sign(headers[i], claims, SECRET), &who, NULL), -EACCES);
    CHECK_INT(
        sig_auth_read_token(auth, sign("{\"alg\":\"HS256\"}", claims, SECRET "x"), &who, NULL),
        -EACCES);
    /* HS512 with the right secret is right, and still not ours. */
    jwt_t *jwt;
    jwt_new(&jwt);
    jwt_add_grants_json(jwt, claims);
    jwt_set_alg(jwt, JWT_ALG_HS512, (const unsigned char *)SECRET, (int)strlen(SECRET));
    char *token = jwt_encode_str(jwt);
    CHECK_INT(sig_auth_read_token(auth, token, &who, NULL), -EACCES);
    free(token);
    jwt_free(jwt);
    /* A token without its signature, and one with another's claims. */
    snprintf(text, sizeof(text), "%s", sign("{\"alg\":\"none\"}", claims, SECRET));
    strrchr(text, '.')[1] = '\0';
    CHECK_INT(sig_auth_read_token(auth, text, &who, NULL), -EACCES);
    static const char *const junk[] = {"", ".", "..", "a.b.c", "e30.e30.", "\xff\xff.\xff.\xff"};
    for (size_t i = 0; i < COUNT(junk); i++)
        CHECK_INT(sig_auth_read_token(auth, junk[i], &who, NULL), -EACCES);
    sig_auth_destroy(auth);
}

static void times_are_kept_with_a_minute_of_leeway(void) {
    static const struct {
        const char *claims;
        int64_t at_s;
        int error;
    } rows[] = {
        {"{\"sub\":\"u\",\"exp\":1790000000}", 1790000059, 0},
        {"{\"sub\":\"u\",\"exp\":1790000000}", 1790000060, -EACCES},
        {"{\"sub\":\"u\",\"exp\":1790009999,\"nbf\":1790000000}", 1789999940, 0},
        {"{\"sub\":\"u\",\"exp\":1790009999,\"nbf\":1790000000}", 1789999939, -EACCES},
    };
    struct sig_auth *auth = create(SECRET, false);
    struct sig_identity who;
    for (size_t i = 0; i < COUNT(rows); i++) {
        clock_s = (uint64_t)rows[i].at_s;
        CHECK_INT(sig_auth_read_token(auth, token_of(rows[i].claims), &who, NULL), rows[i].error);
    }
    sig_auth_destroy(auth);
}

/* Requests. */

static void on_who(struct sig_http_request *request, void *data) {
    struct sig_identity who;
    if (sig_auth_require(data, request, &who) == 0)
        sig_http_reply(request, 200, "text/plain", who.name, strlen(who.name));
}

static void on_socket_closed(struct sig_websocket *socket, uint16_t code, void *data) {
    (void)socket;
    (void)code;
    (void)data;
}

static void on_socket(struct sig_http_request *request, void *data) {
    static const struct sig_websocket_events events = {.on_close = on_socket_closed};
    struct sig_websocket *socket;
    struct sig_identity who;
    if (sig_auth_require(data, request, &who) == 0 &&
        sig_websocket_upgrade(&socket, request, &events, NULL, NULL) == 0)
        sig_websocket_close(socket, 1000, who.name);
}

static const struct sig_http_route routes[] = {
    {"GET", "/who", on_who, false},
    {"POST", "/who", on_who, false},
    {"GET", "/ws", on_socket, false},
};

static struct site *open_site(struct sig_auth *auth) {
    struct site *site = site_open(NULL);
    CHECK_INT(sig_auth_add_routes(auth, site->http), 0);
    site_route(site, routes, COUNT(routes), auth);
    return site;
}

/* Asks with more header lines. */
static int ask(struct site *site, const char *method_path, const char *headers, const char *body) {
    char request[8192];
    snprintf(request, sizeof(request),
             "%s HTTP/1.1\r\nHost: call.example.org\r\n%sContent-Length: %zu\r\n\r\n%s",
             method_path, headers, strlen(body), body);
    return site_ask(site, request);
}

#define JSON "Content-Type: application/json\r\n"
#define UPGRADE                                                                                    \
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"                   \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

/* The cookie's value of the reply in text, in a buffer of the caller's. */
static void read_cookie(struct site *site, const char *name, char out[64]) {
    char start[64];
    snprintf(start, sizeof(start), "Set-Cookie: %s=", name);
    const char *at = strstr(site->text, start);
    CHECK(at != NULL);
    at += strlen(start);
    snprintf(out, 64, "%.*s", (int)strcspn(at, ";"), at);
}

static void a_bearer_token_opens_requests_and_in_the_query_only_sockets(void) {
    struct sig_auth *auth = create(SECRET, false);
    struct site *site = open_site(auth);
    char header[1024];
    char path[1024];
    const char *token = token_of("{\"sub\":\"u1\",\"exp\":1790000100}");
    snprintf(header, sizeof(header), "Authorization: Bearer %s\r\n", token);
    CHECK_INT(ask(site, "GET /who", header, ""), 200);
    CHECK_STR(site_body(site), "u1");
    CHECK_INT(ask(site, "POST /who", header, ""), 200);
    snprintf(path, sizeof(path), "GET /ws?access_token=%s", token);
    CHECK_INT(ask(site, path, UPGRADE, ""), 101);
    snprintf(path, sizeof(path), "GET /who?access_token=%s", token);
    CHECK_INT(ask(site, path, "", ""), 401);
    site_close(site);
    sig_auth_destroy(auth);
}

static void no_or_bad_credentials_get_401_and_how_to_do_better(void) {
    struct sig_auth *auth = create(SECRET, false);
    struct site *site = open_site(auth);
    CHECK_INT(ask(site, "GET /who", "", ""), 401);
    CHECK_STR(site_header(site, "WWW-Authenticate"), "Bearer realm=\"weir\"");
    CHECK(strstr(site_body(site), "\"no_credentials\"") != NULL);
    static const char *const rows[] = {"Authorization: Bearer\r\n", "Authorization: Bearer x\r\n",
                                       "Authorization: Basic dTpw\r\n", "Cookie: sessionid=x\r\n"};
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_INT(ask(site, "GET /who", rows[i], ""), 401);
        CHECK_STR(site_header(site, "WWW-Authenticate"),
                  "Bearer realm=\"weir\", error=\"invalid_token\"");
        CHECK(strstr(site_body(site), "\"bad_credentials\"") != NULL);
    }
    site_close(site);
    sig_auth_destroy(auth);
}

static void signing_in_by_name_gives_cookies_that_work(void) {
    struct sig_auth *auth = create(NULL, true);
    struct site *site = open_site(auth);
    char id[64], csrf[64], header[512];
    CHECK_INT(ask(site, "POST /session/", JSON, "{\"name\":\"Ann\"}"), 200);
    CHECK(strstr(site->text, "; HttpOnly\r\n") != NULL);
    CHECK(strstr(site->text, "; Secure") == NULL);
    CHECK(strstr(site_body(site), "\"name\":\"Ann\"") != NULL);
    CHECK(strstr(site_body(site), "\"user_id\":\"") != NULL);
    read_cookie(site, "sessionid", id);
    read_cookie(site, "csrftoken", csrf);
    CHECK_INT(strlen(id), 32);
    CHECK(strcmp(id, csrf) != 0);

    snprintf(header, sizeof(header), "Cookie: sessionid=%s; csrftoken=%s\r\n", id, csrf);
    CHECK_INT(ask(site, "GET /who", header, ""), 200);
    CHECK_STR(site_body(site), "Ann");
    CHECK_INT(ask(site, "GET /session", header, ""), 200);
    CHECK_INT(ask(site, "POST /who", header, ""), 403);
    CHECK(strstr(site_body(site), "\"forged\"") != NULL);
    size_t len = strlen(header);
    snprintf(header + len, sizeof(header) - len, "X-CSRFToken: %s\r\n", csrf);
    CHECK_INT(ask(site, "POST /who", header, ""), 200);
    CHECK_INT(ask(site, "DELETE /session", header, ""), 200);
    CHECK(strstr(site->text, "Set-Cookie: sessionid=; ") != NULL);
    CHECK_INT(ask(site, "GET /who", header, ""), 401);
    site_close(site);
    sig_auth_destroy(auth);
}

static void who_has_just_signed_in_has_a_name(void) {
    struct sig_auth *auth = create(NULL, true);
    struct site *site = open_site(auth);
    CHECK_INT(ask(site, "POST /session/", JSON, "{\"name\":\"Ann\"}"), 200);
    json_t *answer = json_loads(site_body(site), 0, NULL);
    CHECK_STR(sig_auth_name_of(auth, json_string_value(json_object_get(answer, "user_id"))), "Ann");
    CHECK(sig_auth_name_of(auth, "somebody") == NULL);
    json_decref(answer);
    site_close(site);
    sig_auth_destroy(auth);
}

static void a_token_against_forgery_must_be_the_sessions_own(void) {
    struct sig_auth *auth = create(NULL, true);
    struct site *site = open_site(auth);
    char id[64], csrf[64], header[512];
    CHECK_INT(ask(site, "POST /session/", JSON, "{\"name\":\"Ann\"}"), 200);
    read_cookie(site, "sessionid", id);
    read_cookie(site, "csrftoken", csrf);
    /* A cookie planted from a neighbouring host matches its header, but not the session. */
    snprintf(header, sizeof(header), "Cookie: sessionid=%s; csrftoken=x\r\nX-CSRFToken: x\r\n", id);
    CHECK_INT(ask(site, "POST /who", header, ""), 403);
    snprintf(header, sizeof(header), "Cookie: sessionid=%s\r\nX-CSRFToken: %s\r\n", id, csrf);
    CHECK_INT(ask(site, "POST /who", header, ""), 403);
    site_close(site);
    sig_auth_destroy(auth);
}

static void sockets_with_a_cookie_need_an_origin_of_ours(void) {
    static const struct {
        const char *origin;
        int status;
    } rows[] = {
        {"", 403},
        {"Origin: https://evil.example.org\r\n", 403},
        {"Origin: https://call.example.org.evil.org\r\n", 403},
        {"Origin: null\r\n", 403},
        {"Origin: http://call.example.org:8080\r\n", 403},
        {"Origin: https://call.example.org\r\n", 101},
        {"Origin: http://CALL.example.org\r\n", 101},
        {"Origin: https://chat.example.org\r\n", 101},
        {"Origin: http://chat.example.org\r\n", 403},
    };
    struct sig_auth *auth = create(NULL, true);
    struct site *site = open_site(auth);
    char id[64], header[1024];
    CHECK_INT(ask(site, "POST /session/", JSON, "{\"name\":\"Ann\"}"), 200);
    read_cookie(site, "sessionid", id);
    for (size_t i = 0; i < COUNT(rows); i++) {
        snprintf(header, sizeof(header), UPGRADE "Cookie: sessionid=%s\r\n%s", id, rows[i].origin);
        CHECK_INT(ask(site, "GET /ws", header, ""), rows[i].status);
    }
    site_close(site);
    sig_auth_destroy(auth);
}

static void names_are_checked(void) {
    static const struct {
        const char *headers;
        const char *body;
        int status;
    } rows[] = {
        {JSON, "{\"name\":\"\"}", 400},
        {JSON, "{\"name\":\"   \"}", 400},
        {JSON, "{\"name\":\"a\\u0007b\"}", 400},
        {JSON, "{\"name\":\"a\\u202eb\"}", 400},
        {JSON, "{\"name\":7}", 400},
        {JSON, "{}", 400},
        {JSON, "", 400},
        {JSON, "{\"name\":", 400},
        {JSON, "{\"name\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
         400},
        {JSON, "{\"name\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
         200},
        {JSON, "{\"name\":\"\xe6\x97\xa5\xe6\x9c\xac\"}", 200},
        {"Content-Type: text/plain\r\n", "{\"name\":\"Ann\"}", 415},
        {"", "{\"name\":\"Ann\"}", 415},
    };
    struct sig_auth *auth = create(NULL, true);
    struct site *site = open_site(auth);
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_INT(ask(site, "POST /session/", rows[i].headers, rows[i].body), rows[i].status);
    site_close(site);
    sig_auth_destroy(auth);
}

static void without_demo_mode_nobody_signs_in_by_name(void) {
    struct sig_auth *auth = create(SECRET, false);
    struct site *site = open_site(auth);
    CHECK_INT(ask(site, "POST /session/", JSON, "{\"name\":\"Ann\"}"), 403);
    CHECK(strstr(site_body(site), "\"demo_off\"") != NULL);
    site_close(site);
    sig_auth_destroy(auth);
}

static void sessions_expire_and_the_unused_one_makes_room(void) {
    struct sig_auth *auth = create(NULL, true);
    struct site *site = open_site(auth);
    char header[4][128];
    for (int i = 0; i < 4; i++) {
        char id[64];
        CHECK_INT(ask(site, "POST /session/", JSON, "{\"name\":\"Ann\"}"), 200);
        read_cookie(site, "sessionid", id);
        snprintf(header[i], sizeof(header[i]), "Cookie: sessionid=%s\r\n", id);
        clock_s++;
        /* The first is used all the time, so that the second goes when the fourth comes. */
        CHECK_INT(ask(site, "GET /who", header[0], ""), 200);
    }
    CHECK_INT(ask(site, "GET /who", header[1], ""), 401);
    CHECK_INT(ask(site, "GET /who", header[2], ""), 200);
    clock_s += 999;
    CHECK_INT(ask(site, "GET /who", header[0], ""), 200);
    clock_s += 1;
    CHECK_INT(ask(site, "GET /who", header[3], ""), 401);
    CHECK_INT(ask(site, "GET /who", header[0], ""), 200);
    site_close(site);
    sig_auth_destroy(auth);
}

static const struct test tests[] = {
    {"a_token_says_who_and_what", a_token_says_who_and_what},
    {"wrong_claims_are_refused", wrong_claims_are_refused},
    {"other_algorithms_and_signatures_are_refused", other_algorithms_and_signatures_are_refused},
    {"times_are_kept_with_a_minute_of_leeway", times_are_kept_with_a_minute_of_leeway},
    {"a_bearer_token_opens_requests_and_in_the_query_only_sockets",
     a_bearer_token_opens_requests_and_in_the_query_only_sockets},
    {"no_or_bad_credentials_get_401_and_how_to_do_better",
     no_or_bad_credentials_get_401_and_how_to_do_better},
    {"signing_in_by_name_gives_cookies_that_work", signing_in_by_name_gives_cookies_that_work},
    {"who_has_just_signed_in_has_a_name", who_has_just_signed_in_has_a_name},
    {"a_token_against_forgery_must_be_the_sessions_own",
     a_token_against_forgery_must_be_the_sessions_own},
    {"sockets_with_a_cookie_need_an_origin_of_ours", sockets_with_a_cookie_need_an_origin_of_ours},
    {"names_are_checked", names_are_checked},
    {"without_demo_mode_nobody_signs_in_by_name", without_demo_mode_nobody_signs_in_by_name},
    {"sessions_expire_and_the_unused_one_makes_room",
     sessions_expire_and_the_unused_one_makes_room},
};

TEST_MAIN(tests)
