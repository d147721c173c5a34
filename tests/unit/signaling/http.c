/* The HTTP server, driven over loopback connections. */
#include "signaling/http.h"

#include "tests/unit/signaling/site.h"

#define HOST "Host: localhost\r\n"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void on_echo(struct sig_http_request *request, void *data) {
    size_t len;
    const char *body = sig_http_body(request, &len);
    (void)data;
    sig_http_reply(request, 200, "text/plain", body, len);
}

static void on_asked(struct sig_http_request *request, void *data) {
    char text[512];
    const char *id = sig_http_param(request, "id");
    const char *query = sig_http_query(request, "q");
    const char *cookie = sig_http_cookie(request, "c");
    const char *other = sig_http_param(request, "other");
    (void)data;
    snprintf(text, sizeof(text), "%s %s id=%s q=%s c=%s other=%s peer=%s", sig_http_method(request),
             sig_http_path(request), id ? id : "-", query ? query : "-", cookie ? cookie : "-",
             other ? other : "-", sig_http_peer(request));
    sig_http_reply(request, 200, "text/plain", text, strlen(text));
}

static void on_json(struct sig_http_request *request, void *data) {
    json_t *body = sig_http_body_json(request);
    (void)data;
    if (body)
        sig_http_reply_json(request, 201, body);
}

static void on_forgotten(struct sig_http_request *request, void *data) {
    (void)request;
    (void)data;
}

static void on_twice(struct sig_http_request *request, void *data) {
    (void)data;
    sig_http_add_header(request, "X-Evil", "a\r\nSet-Cookie: b");
    sig_http_add_header(request, "X-Good", "yes");
    sig_http_error(request, 409, "wrong_state", "the first \xff reply");
    sig_http_reply(request, 200, "text/plain", "second", 6);
}

static void on_big(struct sig_http_request *request, void *data) {
    static char big[16000000];
    (void)data;
    sig_http_reply_static(request, 200, "application/octet-stream", big, sizeof(big));
}

static const struct sig_http_route routes[] = {
    {"POST", "/echo", on_echo, false},
    {"GET", "/calls/{id}", on_asked, false},
    {"POST", "/calls/{id}/{other}", on_asked, false},
    {"GET", "/", on_asked, false},
    {"POST", "/json", on_json, false},
    {"POST", "/open/{id}", on_asked, true},
    {"DELETE", "/open/{id}", on_asked, true},
    {"GET", "/forgotten", on_forgotten, false},
    {"GET", "/twice", on_twice, false},
    {"GET", "/big", on_big, false},
};

static struct site *open_site(const struct sig_http_options *options) {
    struct site *site = site_open(options);
    site_route(site, routes, COUNT(routes), NULL);
    return site;
}

static void paths_find_their_handlers(void) {
    static const struct {
        const char *method;
        const char *path;
        int status;
        const char *body;
    } rows[] = {
        {"GET", "/", 200, "GET / id=- q=- c=- other=- peer=127.0.0.1"},
        {"GET", "/calls/7", 200, "GET /calls/7 id=7 q=- c=- other=- peer=127.0.0.1"},
        {"GET", "/calls/7/", 200, "GET /calls/7/ id=7 q=- c=- other=- peer=127.0.0.1"},
        {"GET", "/calls/a%20b?q=x%26y", 200,
         "GET /calls/a b id=a b q=x&y c=- other=- peer=127.0.0.1"},
        {"POST", "/calls/7/join/", 200,
         "POST /calls/7/join/ id=7 q=- c=- other=join peer=127.0.0.1"},
        {"GET", "/calls/", 404, NULL},
        {"GET", "/calls//", 404, NULL},
        {"GET", "/calls/7/8/9", 404, NULL},
        {"GET", "/call", 404, NULL},
        {"GET", "/callsx/7", 404, NULL},
        {"GET", "/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a", 404, NULL},
        {"BREW", "/calls/7", 405, NULL},
    };
    struct site *site = open_site(NULL);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char request[256];
        snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\n" HOST "\r\n", rows[i].method,
                 rows[i].path);
        CHECK_INT(site_ask(site, request), rows[i].status);
        if (rows[i].body)
            CHECK_STR(site_body(site), rows[i].body);
    }
    site_close(site);
}

static void errors_are_json_with_words_and_a_code(void) {
    struct site *site = open_site(NULL);
    CHECK_INT(site_ask(site, "GET /nothing HTTP/1.1\r\n" HOST "\r\n"), 404);
    CHECK_STR(site_header(site, "Content-Type"), "application/json");
    CHECK_STR(
        site_body(site),
        "{\"success\":false,\"error\":\"there is nothing at /nothing\",\"code\":\"not_found\"}");
    site_close(site);
}

static void other_methods_get_405_with_allow(void) {
    struct site *site = open_site(NULL);
    CHECK_INT(site_ask(site, "DELETE /calls/7 HTTP/1.1\r\n" HOST "\r\n"), 405);
    CHECK_STR(site_header(site, "Allow"), "GET, HEAD, OPTIONS");
    CHECK_INT(site_ask(site, "GET /open/7 HTTP/1.1\r\n" HOST "\r\n"), 405);
    CHECK_STR(site_header(site, "Allow"), "POST, DELETE, OPTIONS");
    CHECK_STR(site_header(site, "Access-Control-Allow-Origin"), "*");
    site_close(site);
}

static void options_is_answered_and_says_what_other_origins_may(void) {
    struct site *site = open_site(NULL);
    CHECK_INT(site_ask(site, "OPTIONS /calls/7 HTTP/1.1\r\n" HOST "\r\n"), 204);
    CHECK_STR(site_header(site, "Allow"), "GET, HEAD, OPTIONS");
    CHECK_STR(site_header(site, "Access-Control-Allow-Origin"), "");
    CHECK_INT(site_ask(site, "OPTIONS /open/7 HTTP/1.1\r\n" HOST "\r\n"), 204);
    CHECK_STR(site_header(site, "Access-Control-Allow-Origin"), "*");
    CHECK_STR(site_header(site, "Access-Control-Allow-Methods"), "POST, DELETE, OPTIONS");
    CHECK_STR(site_header(site, "Access-Control-Allow-Headers"),
              "Authorization, Content-Type, If-Match, If-None-Match");
    site_close(site);
}

static void head_is_get_without_its_body(void) {
    struct site *site = open_site(NULL);
    CHECK_INT(site_ask(site, "HEAD /calls/7 HTTP/1.1\r\n" HOST "\r\n"), 200);
    CHECK_STR(site_body(site), "");
    CHECK(atoi(site_header(site, "Content-Length")) > 0);
    site_close(site);
}

static void cookies_are_found(void) {
    struct site *site = open_site(NULL);
    CHECK_INT(site_ask(site, "GET /calls/7 HTTP/1.1\r\n" HOST "Cookie: a=1; c=two; d=3\r\n\r\n"),
              200);
    CHECK(strstr(site_body(site), "c=two") != NULL);
    site_close(site);
}

static void a_body_arrives_whole_in_pieces_and_in_chunks(void) {
    struct site *site = open_site(NULL);
    int fd = site_connect(site);
    static const char pieces[][80] = {"POST /echo HTTP/1.1\r\n" HOST "Content-Le",
                                      "ngth: 10\r\n\r\n01", "234", "56789"};
    for (size_t i = 0; i < COUNT(pieces); i++) {
        CHECK(site_write(site, fd, pieces[i], strlen(pieces[i])));
        site_run(site, 5);
    }
    CHECK(site_read_reply(site, fd, true));
    CHECK_STR(site_body(site), "0123456789");
    CHECK_INT(site_ask_on(site, fd,
                          "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                          "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"),
              200);
    CHECK_STR(site_body(site), "abcdefg");
    close(fd);
    site_close(site);
}

static void a_connection_serves_pipelined_requests(void) {
    struct site *site = open_site(NULL);
    int fd = site_connect(site);
    static const char two[] = "GET /calls/1 HTTP/1.1\r\n" HOST "\r\n"
                              "GET /calls/2 HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n";
    CHECK(site_write(site, fd, two, strlen(two)));
    site_read_to_end(site, fd);
    CHECK(strstr(site->text, "id=1") != NULL);
    CHECK(strstr(site->text, "id=2") != NULL);
    close(fd);
    site_close(site);
}

static void a_body_over_the_limit_gets_413(void) {
    static const struct sig_http_options options = {.max_body_bytes = 1000};
    struct site *site = open_site(&options);
    char request[4000];
    size_t head;
    /* A little too much is read to its end, and the connection goes on. */
    int fd = site_connect(site);
    head = (size_t)sprintf(request, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1001\r\n\r\n");
    memset(request + head, 'x', 1001);
    request[head + 1001] = '\0';
    CHECK_INT(site_ask_on(site, fd, request), 413);
    CHECK(strstr(site_body(site), "\"too_large\"") != NULL);
    CHECK_INT(site_ask_on(site, fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx"),
              200);
    close(fd);
    /* Far too much, or with leave asked first, is answered before it comes. */
    CHECK_INT(site_ask(site, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 99999999\r\n\r\n"),
              413);
    CHECK_INT(site_ask(site, "POST /nothing HTTP/1.1\r\n" HOST
                             "Content-Length: 900\r\nExpect: 100-continue\r\n\r\n"),
              404);
    site_close(site);
}

static void chunks_without_end_are_cut(void) {
    static const struct sig_http_options options = {.max_body_bytes = 1000};
    struct site *site = open_site(&options);
    int fd = site_connect(site);
    char chunk[600];
    size_t len = (size_t)sprintf(chunk, "1f4\r\n");
    memset(chunk + len, 'x', 500);
    memcpy(chunk + len + 500, "\r\n", 2);
    static const char head[] = "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n";
    CHECK(site_write(site, fd, head, strlen(head)));
    bool is_open = true;
    for (int i = 0; i < 100 && is_open; i++)
        is_open = site_write(site, fd, chunk, len + 502);
    CHECK(!is_open);
    close(fd);
    site_close(site);
}

static void json_bodies_are_checked(void) {
    static const struct {
        const char *type;
        const char *body;
        int status;
    } rows[] = {
        {"application/json", "{\"a\":1}", 201},
        {"Application/JSON; charset=utf-8", "{}", 201},
        {"application/json", "", 201},
        {"text/plain", "", 201},
        {"text/plain", "{}", 415},
        {"application/jsonx", "{}", 415},
        {"application/json", "[1]", 400},
        {"application/json", "{\"a\":1,\"a\":2}", 400},
        {"application/json", "{\"a\":\"\\u0000\"}", 400},
        {"application/json", "{\"a\":\"\xff\"}", 400},
        {"application/json", "{} x", 400},
        {"application/json", "{", 400},
        {"application/json", "{\"a\":[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}", 400},
    };
    struct site *site = open_site(NULL);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char request[512];
        snprintf(request, sizeof(request),
                 "POST /json HTTP/1.1\r\n" HOST "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n%s",
                 rows[i].type, strlen(rows[i].body), rows[i].body);
        CHECK_INT(site_ask(site, request), rows[i].status);
    }
    site_close(site);
}

static void a_handler_that_forgets_to_reply_is_a_500(void) {
    struct site *site = open_site(NULL);
    CHECK_INT(site_ask(site, "GET /forgotten HTTP/1.1\r\n" HOST "\r\n"), 500);
    site_close(site);
}

static void the_first_reply_counts_and_headers_cannot_be_smuggled(void) {
    struct site *site = open_site(NULL);
    CHECK_INT(site_ask(site, "GET /twice HTTP/1.1\r\n" HOST "\r\n"), 409);
    CHECK_STR(site_header(site, "X-Good"), "yes");
    CHECK_STR(site_header(site, "X-Evil"), "");
    CHECK_STR(site_header(site, "Set-Cookie"), "");
    CHECK(strstr(site_body(site), "\"wrong_state\"") != NULL);
    site_close(site);
}

static void bytes_that_are_no_http_get_an_error_or_nothing(void) {
    static const char *const rows[] = {
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n", /* No Host. */
        "GET /\r\n\r\n",
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n",
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999999\r\n\r\n",
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    };
    static const struct sig_http_options options = {.receive_timeout_ms = 500};
    struct site *site = open_site(&options);
    for (size_t i = 0; i < COUNT(rows); i++) {
        int status = site_ask(site, rows[i]);
        CHECK(status == 0 || status >= 400);
    }
    CHECK_INT(site_ask(site, "GET / HTTP/1.1\r\n" HOST "\r\n"), 200);
    site_close(site);
}

/* Suspended requests. */

static struct {
    struct sig_http_request *request;
    int gone;
} pending;

static void on_pending_gone(struct sig_http_request *request, void *data) {
    CHECK(request == pending.request);
    CHECK(data == &pending);
    pending.request = NULL;
    pending.gone++;
}

static void on_later(struct sig_http_request *request, void *data) {
    (void)data;
    pending.request = request;
    sig_http_suspend(request, on_pending_gone, &pending);
}

static const struct sig_http_route later[] = {{"POST", "/later", on_later, false}};
static const char ask_later[] = "POST /later HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nhi";

static struct site *open_later(const struct sig_http_options *options) {
    struct site *site = open_site(options);
    site_route(site, later, 1, NULL);
    return site;
}

static int ask_and_wait(struct site *site) {
    int fd = site_connect(site);
    CHECK(site_write(site, fd, ask_later, strlen(ask_later)));
    while (pending.request == NULL && pending.gone == 0)
        site_turn(site, -1, 0);
    return fd;
}

static void a_suspended_request_is_answered_later_and_others_meanwhile(void) {
    struct site *site = open_later(NULL);
    int fd = ask_and_wait(site);
    CHECK_INT(site_ask(site, "GET / HTTP/1.1\r\n" HOST "\r\n"), 200);
    size_t len;
    CHECK_STR(sig_http_body(pending.request, &len), "hi");
    sig_http_add_header(pending.request, "Location", "/whip/1");
    sig_http_reply(pending.request, 201, "application/sdp", "v=0", 3);
    CHECK(site_read_reply(site, fd, true));
    CHECK_INT(site_status(site), 201);
    CHECK_STR(site_header(site, "Location"), "/whip/1");
    CHECK_INT(pending.gone, 0);
    pending.request = NULL;
    CHECK(site_write(site, fd, ask_later, strlen(ask_later)));
    while (pending.request == NULL)
        site_turn(site, -1, 0);
    sig_http_error(pending.request, 404, "no", "again");
    CHECK(site_read_reply(site, fd, true));
    CHECK_INT(site_status(site), 404);
    close(fd);
    site_close(site);
}

static void an_answer_for_a_client_that_left_goes_nowhere(void) {
    struct site *site = open_later(NULL);
    int fd = ask_and_wait(site);
    close(fd);
    site_run(site, 20);
    CHECK_INT(pending.gone, 0);
    sig_http_reply(pending.request, 201, "application/sdp", "v=0", 3);
    site_run(site, 20);
    CHECK_INT(site_ask(site, "GET / HTTP/1.1\r\n" HOST "\r\n"), 200);
    site_close(site);
}

static void an_answer_that_takes_too_long_is_a_503(void) {
    static const struct sig_http_options options = {.answer_timeout_ms = 60};
    struct site *site = open_later(&options);
    int fd = ask_and_wait(site);
    CHECK(site_read_reply(site, fd, true));
    CHECK_INT(site_status(site), 503);
    CHECK(atoi(site_header(site, "Retry-After")) > 0);
    CHECK_INT(pending.gone, 1);
    close(fd);
    site_close(site);
}

static void closing_tells_those_who_wait(void) {
    struct site *site = open_later(NULL);
    int fd = ask_and_wait(site);
    int idle = site_connect(site);
    int half = site_connect(site);
    CHECK(site_write(site, half, "GET / HT", 8));
    site_close(site);
    char text[1000] = "";
    CHECK(recv(fd, text, sizeof(text) - 1, 0) > 0);
    CHECK(strncmp(text, "HTTP/1.1 503 ", 13) == 0);
    CHECK_INT(pending.gone, 1);
    CHECK_INT(recv(idle, text, sizeof(text), 0), 0);
    close(fd);
    close(idle);
    close(half);
}

/* Limits. */

static void slow_clients_are_cut(void) {
    static const struct sig_http_options options = {.receive_timeout_ms = 80};
    static const char *const starts[] = {
        "", "GET / HTTP/1.1\r\nHo", "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nab"};
    struct site *site = open_site(&options);
    for (size_t i = 0; i < COUNT(starts); i++) {
        int fd = site_connect(site);
        uint64_t begin_ms = site_now_ms();
        CHECK(site_write(site, fd, starts[i], strlen(starts[i])));
        site_read_to_end(site, fd);
        CHECK_STR(site->text, "");
        CHECK(site_now_ms() - begin_ms >= 60);
        close(fd);
    }
    /* A byte now and then does not help. */
    int fd = site_connect(site);
    bool is_open = true;
    int bytes = 0;
    for (; bytes < 200 && is_open; bytes++) {
        is_open = site_write(site, fd, "G", 1);
        site_run(site, 5);
        char byte;
        is_open = is_open && recv(fd, &byte, 1, 0) != 0;
    }
    CHECK(!is_open);
    close(fd);
    site_close(site);
}

static void a_client_that_does_not_read_is_cut(void) {
    static const struct sig_http_options options = {.send_timeout_ms = 80};
    struct site *site = open_site(&options);
    int fd = site_connect(site);
    static const char get[] = "GET /big HTTP/1.1\r\n" HOST "\r\n";
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){4096}, sizeof(int));
    CHECK(site_write(site, fd, get, strlen(get)));
    site_run(site, 300);
    struct sig_metrics metrics = {0};
    sig_http_write_metrics(site->http, &metrics);
    CHECK(strstr(metrics.text, "{reason=\"send_timeout\"} 1\n") != NULL);
    CHECK(strstr(metrics.text, "weir_http_connections 0\n") != NULL);
    sig_metrics_deinit(&metrics);
    close(fd);
    site_close(site);
}

static void connections_of_an_address_are_limited(void) {
    static const struct sig_http_options options = {.connections_per_address = 3};
    struct site *site = open_site(&options);
    int fds[3];
    for (size_t i = 0; i < 3; i++) {
        fds[i] = site_connect(site);
        CHECK_INT(site_ask_on(site, fds[i], "GET / HTTP/1.1\r\n" HOST "\r\n"), 200);
    }
    int refused = site_connect(site);
    site_read_to_end(site, refused);
    CHECK_STR(site->text, "");
    close(refused);
    close(fds[0]);
    site_run(site, 20);
    CHECK_INT(site_ask(site, "GET / HTTP/1.1\r\n" HOST "\r\n"), 200);
    close(fds[1]);
    close(fds[2]);
    site_close(site);
}

static void connections_of_all_are_limited(void) {
    static const struct sig_http_options options = {.max_connections = 1};
    struct site *site = open_site(&options);
    int fd = site_connect(site);
    CHECK_INT(site_ask_on(site, fd, "GET / HTTP/1.1\r\n" HOST "\r\n"), 200);
    int refused = site_connect(site);
    site_read_to_end(site, refused);
    CHECK_STR(site->text, "");
    close(refused);
    close(fd);
    site_close(site);
}

static void requests_over_the_rate_get_429(void) {
    static const struct sig_http_options options = {.requests_per_second = 1};
    struct site *site = open_site(&options);
    int fd = site_connect(site);
    for (int i = 0; i < 5; i++)
        CHECK_INT(site_ask_on(site, fd, "GET / HTTP/1.1\r\n" HOST "\r\n"), 200);
    CHECK_INT(site_ask_on(site, fd, "GET / HTTP/1.1\r\n" HOST "\r\n"), 429);
    CHECK(atoi(site_header(site, "Retry-After")) > 0);
    close(fd);
    site_close(site);
}

static void a_hundred_clients_at_a_time_are_served(void) {
    struct site *site = open_site(NULL);
    int fds[100];
    for (size_t i = 0; i < COUNT(fds); i++)
        fds[i] = site_connect(site);
    for (size_t i = 0; i < COUNT(fds); i++) {
        char request[128];
        snprintf(request, sizeof(request), "GET /calls/%zu HTTP/1.1\r\n" HOST "\r\n", i);
        CHECK(site_write(site, fds[i], request, strlen(request)));
    }
    for (size_t i = COUNT(fds); i-- > 0;) {
        char wanted[32];
        snprintf(wanted, sizeof(wanted), "id=%zu ", i);
        CHECK(site_read_reply(site, fds[i], true));
        CHECK(strstr(site_body(site), wanted) != NULL);
        close(fds[i]);
    }
    site_close(site);
}

/* Addresses. */

static void several_addresses_are_listened_on(void) {
    static const char *const listen[] = {"localhost:0", "127.0.0.2:0"};
    static const struct sig_http_options options = {.listen = listen, .listen_count = 2};
    struct site *site = open_site(&options);
    CHECK(sig_http_port(site->http) != 0);
    CHECK_INT(site_ask(site, "GET / HTTP/1.1\r\n" HOST "\r\n"), 200);
    site_close(site);
}

static void a_port_in_use_is_an_error(void) {
    struct site *site = open_site(NULL);
    char address[32];
    snprintf(address, sizeof(address), "127.0.0.1:%u", sig_http_port(site->http));
    const char *const listen[] = {address};
    struct sig_http_options options = {.listen = listen, .listen_count = 1};
    struct sig_http *second = NULL;
    CHECK_INT(sig_http_create(&second, &site->loop, &options), -EADDRINUSE);
    options.tls_cert = options.tls_key = "/nonexistent";
    CHECK_INT(sig_http_create(&second, &site->loop, &options), -ENOENT);
    site_close(site);
}

static void metrics_count_what_happened(void) {
    struct site *site = open_site(NULL);
    struct sig_metrics metrics = {0};
    site_ask(site, "GET / HTTP/1.1\r\n" HOST "\r\n");
    site_ask(site, "GET /nothing HTTP/1.1\r\n" HOST "\r\n");
    sig_http_write_metrics(site->http, &metrics);
    CHECK(strstr(metrics.text, "weir_http_replies_total{status=\"2xx\"} 1\n") != NULL);
    CHECK(strstr(metrics.text, "weir_http_replies_total{status=\"4xx\"} 1\n") != NULL);
    CHECK(strstr(metrics.text, "weir_http_connections_total 2\n") != NULL);
    sig_metrics_deinit(&metrics);
    site_close(site);
}

static const struct test tests[] = {
    {"paths_find_their_handlers", paths_find_their_handlers},
    {"errors_are_json_with_words_and_a_code", errors_are_json_with_words_and_a_code},
    {"other_methods_get_405_with_allow", other_methods_get_405_with_allow},
    {"options_is_answered_and_says_what_other_origins_may",
     options_is_answered_and_says_what_other_origins_may},
    {"head_is_get_without_its_body", head_is_get_without_its_body},
    {"cookies_are_found", cookies_are_found},
    {"a_body_arrives_whole_in_pieces_and_in_chunks", a_body_arrives_whole_in_pieces_and_in_chunks},
    {"a_connection_serves_pipelined_requests", a_connection_serves_pipelined_requests},
    {"a_body_over_the_limit_gets_413", a_body_over_the_limit_gets_413},
    {"chunks_without_end_are_cut", chunks_without_end_are_cut},
    {"json_bodies_are_checked", json_bodies_are_checked},
    {"a_handler_that_forgets_to_reply_is_a_500", a_handler_that_forgets_to_reply_is_a_500},
    {"the_first_reply_counts_and_headers_cannot_be_smuggled",
     the_first_reply_counts_and_headers_cannot_be_smuggled},
    {"bytes_that_are_no_http_get_an_error_or_nothing",
     bytes_that_are_no_http_get_an_error_or_nothing},
    {"a_suspended_request_is_answered_later_and_others_meanwhile",
     a_suspended_request_is_answered_later_and_others_meanwhile},
    {"an_answer_for_a_client_that_left_goes_nowhere",
     an_answer_for_a_client_that_left_goes_nowhere},
    {"an_answer_that_takes_too_long_is_a_503", an_answer_that_takes_too_long_is_a_503},
    {"closing_tells_those_who_wait", closing_tells_those_who_wait},
    {"slow_clients_are_cut", slow_clients_are_cut},
    {"a_client_that_does_not_read_is_cut", a_client_that_does_not_read_is_cut},
    {"connections_of_an_address_are_limited", connections_of_an_address_are_limited},
    {"connections_of_all_are_limited", connections_of_all_are_limited},
    {"requests_over_the_rate_get_429", requests_over_the_rate_get_429},
    {"a_hundred_clients_at_a_time_are_served", a_hundred_clients_at_a_time_are_served},
    {"several_addresses_are_listened_on", several_addresses_are_listened_on},
    {"a_port_in_use_is_an_error", a_port_in_use_is_an_error},
    {"metrics_count_what_happened", metrics_count_what_happened},
};

TEST_MAIN(tests)
