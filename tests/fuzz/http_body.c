/* What comes in over HTTP. The first byte chooses: a whole stream of requests, the body of a
 * sign-in, a JSON body, or a bearer token. */
#include <stdint.h>
#include <string.h>

#include "signaling/auth.h"
#include "signaling/json.h"
#include "tests/fuzz/server.h"

#define SECRET "0123456789abcdef0123456789abcdef"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sig_auth *auth;

static void on_any(struct sig_http_request *request, void *data) {
    struct sig_identity who;
    json_t *body = sig_http_body_json(request);
    (void)data;
    sig_auth_check(auth, request, &who, NULL);
    if (body)
        sig_http_reply_json(request, 200, body);
}

static uint64_t now_s(void) {
    return 1790000000;
}

static void start(void) {
    static const struct sig_http_route routes[] = {{"POST", "/{any}", on_any, true},
                                                   {"GET", "/{any}/{more}", on_any, false}};
    auth = sig_auth_create(&(struct sig_auth_options){
        .secret = SECRET, .demo = true, .max_sessions = 10, .now_s = now_s});
    server_start(routes, 2, NULL);
    if (auth == NULL || sig_auth_add_routes(auth, server) != 0)
        abort();
}

static void post(const char *path, const uint8_t *body, size_t size) {
    char request[10000];
    int head = snprintf(request, sizeof(request),
                        "POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                        "Content-Length: %zu\r\n\r\n",
                        path, size);
    memcpy(request + head, body, size);
    server_feed(server_connect(), request, (size_t)head + size);
}

/* What was taken is written as JSON that is taken again. */
static void parse(const uint8_t *text, size_t size) {
    char error[100];
    json_t *first = sig_json_parse((const char *)text, size, error, sizeof(error));
    if (first == NULL)
        return;
    char *again = json_dumps(first, JSON_COMPACT);
    json_t *second = again ? sig_json_parse(again, strlen(again), error, sizeof(error)) : NULL;
    if (second == NULL || !json_equal(first, second))
        abort();
    free(again);
    json_decref(first);
    json_decref(second);
}

static void read_token(const uint8_t *text, size_t size) {
    struct sig_identity who;
    char *token = strndup((const char *)text, size);
    sig_auth_read_token(auth, token, &who, NULL);
    free(token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (auth == NULL)
        start();
    if (size < 1 || size > 8192)
        return 0;
    switch (data[0] % 4) {
    case 0:
        server_feed(server_connect(), data + 1, size - 1);
        break;
    case 1:
        post("/session/", data + 1, size - 1);
        break;
    case 2:
        parse(data + 1, size - 1);
        post("/json", data + 1, size - 1);
        break;
    default:
        read_token(data + 1, size - 1);
    }
    return 0;
}
