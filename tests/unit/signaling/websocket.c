/* WebSockets, driven frame by frame over loopback connections. */
#include "signaling/websocket.h"

#include <netinet/tcp.h>

#include "signaling/websocket_internal.h"
#include "tests/unit/signaling/site.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TEXT 1
#define BINARY 2
#define CLOSE 8
#define PING 9
#define PONG 10
#define FIN 0x80

/* The handshake of RFC 6455 section 1.3. */
#define HANDSHAKE(path)                                                                            \
    "GET " path " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"                           \
    "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"           \
    "Sec-WebSocket-Version: 13\r\n\r\n"

/* What the server's side saw. */
static struct {
    struct sig_websocket *socket;
    int opened;
    int texts;
    int closed;
    uint16_t code;
    size_t last_len;
    struct sig_websocket_limits limits;
} seen;

static void on_text(struct sig_websocket *socket, const char *text, size_t len, void *data) {
    CHECK(data == &seen);
    CHECK(text[len] == '\0');
    seen.texts++;
    seen.last_len = len;
    if (strcmp(text, "close me") == 0) {
        sig_websocket_send(socket, "bye", 3);
        sig_websocket_close(socket, 4409, "call over");
    } else {
        sig_websocket_send(socket, text, len);
    }
}

static void on_close(struct sig_websocket *socket, uint16_t code, void *data) {
    CHECK(data == &seen);
    CHECK(socket == seen.socket);
    seen.socket = NULL;
    seen.closed++;
    seen.code = code;
}

static const struct sig_websocket_events events = {on_text, on_close};

static void on_echo(struct sig_http_request *request, void *data) {
    (void)data;
    if (sig_websocket_upgrade(&seen.socket, request, &events, &seen, &seen.limits) == 0)
        seen.opened++;
}

static void on_refuse(struct sig_http_request *request, void *data) {
    (void)data;
    struct sig_websocket *socket;
    if (sig_websocket_upgrade(&socket, request, &events, &seen, &seen.limits) != 0)
        return;
    CHECK_INT(sig_websocket_send_json(socket, json_pack("{s:s}", "type", "error")), 0);
    sig_websocket_close(socket, 4401, "no credentials");
}

static const struct sig_http_route routes[] = {
    {"GET", "/ws/{id}", on_echo, false},
    {"POST", "/ws/{id}", on_echo, false},
    {"GET", "/refuse", on_refuse, false},
};

static struct site *open_site(void) {
    struct site *site = site_open(NULL);
    site_route(site, routes, COUNT(routes), NULL);
    return site;
}

static int ws_open(struct site *site, const char *handshake) {
    int fd = site_connect(site);
    CHECK(site_write(site, fd, handshake, strlen(handshake)));
    CHECK(site_read_reply(site, fd, false));
    CHECK_INT(site_status(site), 101);
    /* What came behind the head is kept. */
    size_t head = (size_t)(site_body(site) - site->text);
    site->len -= head;
    memmove(site->text, site->text + head, site->len + 1);
    return fd;
}

/* A masked frame of a client. Returns its length. */
static size_t frame(uint8_t *out, uint8_t first, const void *payload, size_t len) {
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    size_t at = 0;
    out[at++] = first;
    if (len < 126) {
        out[at++] = (uint8_t)(0x80 | len);
    } else if (len < 65536) {
        out[at++] = 0x80 | 126;
        out[at++] = (uint8_t)(len >> 8);
        out[at++] = (uint8_t)len;
    } else {
        out[at++] = 0x80 | 127;
        for (int shift = 56; shift >= 0; shift -= 8)
            out[at++] = (uint8_t)((uint64_t)len >> shift);
    }
    memcpy(out + at, mask, 4);
    at += 4;
    for (size_t i = 0; i < len; i++)
        out[at++] = ((const uint8_t *)payload)[i] ^ mask[i % 4];
    return at;
}

static bool ws_send(struct site *site, int fd, uint8_t first, const void *payload, size_t len) {
    uint8_t *bytes = malloc(len + 14);
    bool sent = site_write(site, fd, bytes, frame(bytes, first, payload, len));
    free(bytes);
    return sent;
}

/* Takes the next frame of the server out of what was read. False at the end of the stream. */
static bool ws_read(struct site *site, int fd, uint8_t *first, char *payload, size_t *len) {
    for (;;) {
        const uint8_t *at = (const uint8_t *)site->text;
        size_t head = 2;
        size_t size = site->len >= 2 ? at[1] : 0;
        if (size == 126 && site->len >= 4) {
            size = (size_t)(at[2] << 8 | at[3]);
            head = 4;
        } else if (size == 127 && site->len >= 10) {
            size = (size_t)at[6] << 24 | (size_t)at[7] << 16 | (size_t)at[8] << 8 | at[9];
            head = 10;
        }
        if (site->len >= head && site->len >= 2 && site->len >= head + size) {
            CHECK(!(at[1] & 0x80)); /* A server does not mask. */
            *first = at[0];
            *len = size;
            memcpy(payload, at + head, size);
            payload[size] = '\0';
            site->len -= head + size;
            memmove(site->text, site->text + head + size, site->len);
            return true;
        }
        if (!site_read_some(site, fd))
            return false;
    }
}

static char payload[4194304];

static void expect_text(struct site *site, int fd, const char *text) {
    uint8_t first;
    size_t len;
    CHECK(ws_read(site, fd, &first, payload, &len));
    CHECK_INT(first, FIN | TEXT);
    CHECK_STR(payload, text);
}

static void expect_close(struct site *site, int fd, uint16_t code, const char *reason) {
    uint8_t first;
    size_t len;
    do
        CHECK(ws_read(site, fd, &first, payload, &len));
    while ((first & 15) != CLOSE);
    CHECK(len >= 2);
    CHECK_INT((uint8_t)payload[0] << 8 | (uint8_t)payload[1], code);
    if (reason)
        CHECK_STR(payload + 2, reason);
}

static void wait_for_close(struct site *site) {
    for (uint64_t end = site_now_ms() + SITE_WAIT_MS; !seen.closed && site_now_ms() < end;)
        site_turn(site, -1, 0);
    CHECK_INT(seen.closed, 1);
}

static void the_handshake_is_the_one_of_the_rfc(void) {
    struct site *site = open_site();
    int fd = site_connect(site);
    CHECK_INT(site_ask_on(site, fd, HANDSHAKE("/ws/1")), 101);
    CHECK_STR(site_header(site, "Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    CHECK_STR(site_header(site, "Upgrade"), "websocket");
    CHECK(strcasestr(site_header(site, "Connection"), "upgrade") != NULL);
    CHECK_STR(site_header(site, "Sec-WebSocket-Extensions"), "");
    close(fd);
    site_close(site);
}

static void what_is_no_handshake_is_refused(void) {
    static const struct {
        const char *request;
        int status;
    } rows[] = {
        {"GET /ws/1 HTTP/1.1\r\nHost: a\r\n\r\n", 426},
        {"GET /ws/1 HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: close\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
         426},
        {"GET /ws/1 HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
         426},
        {"GET /ws/1 HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n",
         426},
        {"GET /ws/1 HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
         "Sec-WebSocket-Key: short==\r\nSec-WebSocket-Version: 13\r\n\r\n",
         400},
        {"GET /ws/1 HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
         "Sec-WebSocket-Version: 13\r\n\r\n",
         400},
        {"POST /ws/1 HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
         426},
    };
    struct site *site = open_site();
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_INT(site_ask(site, rows[i].request), rows[i].status);
    CHECK_INT(seen.opened, 0);
    site_close(site);
}

static void text_goes_both_ways(void) {
    static char big[60000];
    struct site *site = open_site();
    int fd = ws_open(site, HANDSHAKE("/ws/1"));
    CHECK(ws_send(site, fd, FIN | TEXT, "Hello", 5));
    expect_text(site, fd, "Hello");
    CHECK(ws_send(site, fd, FIN | TEXT, "", 0));
    expect_text(site, fd, "");
    memset(big, 'b', sizeof(big) - 1);
    CHECK(ws_send(site, fd, FIN | TEXT, big, sizeof(big) - 1));
    expect_text(site, fd, big);
    CHECK(ws_send(site, fd, FIN | TEXT, "gr\xc3\xbc\xc3\x9f dich", 11));
    expect_text(site, fd, "gr\xc3\xbc\xc3\x9f dich");
    CHECK_INT(seen.texts, 4);
    close(fd);
    wait_for_close(site);
    CHECK_INT(seen.code, SIG_WEBSOCKET_ABNORMAL);
    site_close(site);
}

static void frames_that_come_with_the_request_or_byte_by_byte_are_read(void) {
    uint8_t bytes[600] = HANDSHAKE("/ws/1");
    size_t len = strlen((char *)bytes);
    struct site *site = open_site();
    int fd = site_connect(site);
    len += frame(bytes + len, FIN | TEXT, "early", 5);
    CHECK(site_write(site, fd, bytes, len));
    CHECK(site_read_reply(site, fd, false));
    site->len -= (size_t)(site_body(site) - site->text);
    memmove(site->text, site_body(site), site->len);
    expect_text(site, fd, "early");
    len = frame(bytes, FIN | TEXT, "slowly", 6);
    for (size_t i = 0; i < len; i++) {
        CHECK(site_write(site, fd, bytes + i, 1));
        site_run(site, 2);
    }
    expect_text(site, fd, "slowly");
    close(fd);
    site_close(site);
}

static void fragments_make_one_message_with_pings_between(void) {
    struct site *site = open_site();
    int fd = ws_open(site, HANDSHAKE("/ws/1"));
    uint8_t first;
    size_t len;
    CHECK(ws_send(site, fd, TEXT, "one ", 4));
    CHECK(ws_send(site, fd, FIN | PING, "are you there", 13));
    CHECK(ws_send(site, fd, 0, "two ", 4));
    CHECK(ws_send(site, fd, FIN | 0, "three", 5));
    CHECK(ws_read(site, fd, &first, payload, &len));
    CHECK_INT(first, FIN | PONG);
    CHECK_STR(payload, "are you there");
    expect_text(site, fd, "one two three");
    close(fd);
    site_close(site);
}

static void the_client_closes_and_is_answered(void) {
    struct site *site = open_site();
    int fd = ws_open(site, HANDSHAKE("/ws/1"));
    CHECK(ws_send(site, fd, FIN | CLOSE, "\x03\xe9gone", 6));
    expect_close(site, fd, 1001, NULL);
    CHECK(!site_read_some(site, fd));
    CHECK_INT(seen.closed, 1);
    CHECK_INT(seen.code, 1001);
    close(fd);
    seen.closed = 0;
    fd = ws_open(site, HANDSHAKE("/ws/1"));
    CHECK(ws_send(site, fd, FIN | CLOSE, "", 0));
    wait_for_close(site);
    CHECK_INT(seen.code, 1005);
    close(fd);
    site_close(site);
}

static void the_owner_closes_after_the_handshake_with_a_code(void) {
    struct site *site = open_site();
    int fd = ws_open(site, HANDSHAKE("/refuse"));
    expect_text(site, fd, "{\"type\":\"error\"}");
    expect_close(site, fd, 4401, "no credentials");
    CHECK(ws_send(site, fd, FIN | TEXT, "too late", 8));
    CHECK(ws_send(site, fd, FIN | CLOSE, "\x11\x31", 2));
    CHECK(!site_read_some(site, fd));
    CHECK_INT(seen.texts, 0);
    CHECK_INT(seen.closed, 0);
    close(fd);
    site_close(site);
}

static void the_owner_closes_inside_an_event_and_hears_no_more(void) {
    struct site *site = open_site();
    int fd = ws_open(site, HANDSHAKE("/ws/1"));
    uint8_t bytes[100];
    size_t len = frame(bytes, FIN | TEXT, "close me", 8);
    len += frame(bytes + len, FIN | TEXT, "again", 5);
    CHECK(site_write(site, fd, bytes, len));
    expect_text(site, fd, "bye");
    expect_close(site, fd, 4409, "call over");
    CHECK_INT(seen.texts, 1);
    close(fd);
    site_run(site, 20);
    CHECK_INT(seen.closed, 0);
    site_close(site);
}

static void a_client_that_does_not_answer_the_close_is_dropped(void) {
    struct site *site = open_site();
    seen.limits.close_ms = 60;
    int fd = ws_open(site, HANDSHAKE("/refuse"));
    expect_text(site, fd, "{\"type\":\"error\"}");
    expect_close(site, fd, 4401, NULL);
    CHECK(!site_read_some(site, fd));
    close(fd);
    site_close(site);
}

static void broken_rules_are_closed_with_their_codes(void) {
    static const struct {
        const char *bytes;
        size_t len;
        uint16_t code;
    } rows[] = {
        {"\x81\x05Hello", 7, 1002}, /* Not masked. */
        {"\x82\x83"
         "abcd"
         "xyz",
         9, 1003}, /* Binary. */
        {"\xc1\x80"
         "abcd",
         6, 1002}, /* A reserved bit: compression. */
        {"\x83\x80"
         "abcd",
         6, 1002}, /* A reserved opcode. */
        {"\x80\x80"
         "abcd",
         6, 1002},                                 /* Continues nothing. */
        {"\x81\x82\0\0\0\0\xc3\x28", 8, 1007},     /* No UTF-8. */
        {"\x81\x83\0\0\0\0\xed\xa0\x80", 9, 1007}, /* A surrogate. */
        {"\x89\xfe\x00\x7e"
         "abcd",
         8, 1002}, /* A ping of 126 bytes. */
        {"\x09\x80"
         "abcd",
         6, 1002},                             /* A ping in fragments. */
        {"\x88\x82\0\0\0\0\x03\xed", 8, 1002}, /* 1005 is not for sending. */
        {"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff"
         "abcdX",
         15, 1009},
        {"\x81\xff\0\0\0\0\0\1\0\1"
         "abcdX",
         15, 1009}, /* 65537 bytes. */
    };
    struct site *site = open_site();
    for (size_t i = 0; i < COUNT(rows); i++) {
        seen.closed = 0;
        int fd = ws_open(site, HANDSHAKE("/ws/1"));
        CHECK(site_write(site, fd, rows[i].bytes, rows[i].len));
        expect_close(site, fd, rows[i].code, NULL);
        wait_for_close(site);
        CHECK_INT(seen.code, rows[i].code);
        close(fd);
    }
    CHECK_INT(seen.texts, 0);
    site_close(site);
}

static void fragments_over_the_limit_are_closed_with_1009(void) {
    struct site *site = open_site();
    seen.limits.max_message_bytes = 100;
    int fd = ws_open(site, HANDSHAKE("/ws/1"));
    char half[60];
    memset(half, 'h', sizeof(half));
    CHECK(ws_send(site, fd, TEXT, half, 60));
    CHECK(ws_send(site, fd, 0, half, 60));
    expect_close(site, fd, 1009, NULL);
    close(fd);
    site_close(site);
}

static void a_flood_is_closed_with_1008(void) {
    static const uint8_t opcodes[] = {FIN | TEXT, FIN | PING, FIN | PONG};
    struct site *site = open_site();
    seen.limits.messages_per_second = 5; /* Fifteen at a time. */
    for (size_t kind = 0; kind < COUNT(opcodes); kind++) {
        seen.closed = seen.texts = 0;
        int fd = ws_open(site, HANDSHAKE("/ws/1"));
        for (int i = 0; i < 1000; i++)
            if (!ws_send(site, fd, opcodes[kind], "x", 1))
                break;
        wait_for_close(site);
        CHECK_INT(seen.code, SIG_WEBSOCKET_POLICY);
        CHECK(seen.texts <= 16);
        expect_close(site, fd, SIG_WEBSOCKET_POLICY, "too many messages");
        close(fd);
    }
    site_close(site);
}

static void a_slow_reader_is_cut_off_and_the_sender_told(void) {
    static char big[50000];
    struct site *site = open_site();
    seen.limits.max_queue_bytes = 100000;
    int fd = ws_open(site, HANDSHAKE("/ws/1"));
    memset(big, 'b', sizeof(big));
    int error = 0;
    int sent = 0;
    for (; error == 0 && sent < 10000; sent++)
        error = sig_websocket_send(seen.socket, big, sizeof(big));
    CHECK_INT(error, -EMSGSIZE);
    CHECK_INT(sig_websocket_send(seen.socket, big, 1), -EPIPE);
    CHECK_INT(seen.closed, 0); /* Never inside the owner's call. */
    wait_for_close(site);
    CHECK_INT(seen.code, SIG_WEBSOCKET_POLICY);
    close(fd);
    site_close(site);
}

static void what_is_queued_arrives_in_order_and_before_the_close(void) {
    static char big[50000];
    struct site *site = open_site();
    seen.limits.max_queue_bytes = 100000000;
    int fd = ws_open(site, HANDSHAKE("/ws/1"));
    for (int i = 0; i < 200; i++) {
        memset(big, 'a' + i % 26, sizeof(big) - 1);
        CHECK_INT(sig_websocket_send(seen.socket, big, sizeof(big) - 1), 0);
    }
    sig_websocket_close(seen.socket, 1000, "done");
    for (int i = 0; i < 200; i++) {
        memset(big, 'a' + i % 26, sizeof(big) - 1);
        expect_text(site, fd, big);
    }
    expect_close(site, fd, 1000, "done");
    close(fd);
    site_close(site);
}

static void small_messages_do_not_wait_for_each_other(void) {
    struct site *site = open_site();
    int fd = ws_open(site, HANDSHAKE("/ws/1"));
    int is_on = 0;
    CHECK(ws_send(site, fd, FIN | TEXT, "a", 1));
    expect_text(site, fd, "a");
    CHECK_INT(
        getsockopt(seen.socket->fd, IPPROTO_TCP, TCP_NODELAY, &is_on, &(socklen_t){sizeof(is_on)}),
        0);
    CHECK(is_on != 0);
    close(fd);
    site_close(site);
}

static void what_may_wait_goes_with_what_may_not_and_in_order(void) {
    struct site *site = open_site();
    int fd = ws_open(site, HANDSHAKE("/ws/1"));
    struct sig_frame *late = sig_frame_create("late", 4), *now = sig_frame_create("now", 3);
    CHECK(ws_send(site, fd, FIN | TEXT, "a", 1));
    expect_text(site, fd, "a");
    uv_update_time(&site->loop);
    CHECK_INT(sig_websocket_send_frame(seen.socket, late, true), 0);
    uv_run(&site->loop, UV_RUN_NOWAIT);
    CHECK_INT(seen.socket->queue.count, 1);
    CHECK_INT(sig_websocket_send_frame(seen.socket, now, false), 0);
    CHECK_INT(sig_websocket_send_frame(seen.socket, late, true), 0);
    uv_run(&site->loop, UV_RUN_NOWAIT);
    CHECK_INT(seen.socket->queue.count, 0);
    expect_text(site, fd, "late");
    expect_text(site, fd, "now");
    expect_text(site, fd, "late");
    CHECK_INT(sig_websocket_send_frame(seen.socket, late, true), 0); /* By itself. */
    expect_text(site, fd, "late");
    CHECK_INT(now->holders, 1);
    CHECK_INT(late->holders, 1);
    sig_frame_release(late);
    sig_frame_release(now);
    close(fd);
    site_close(site);
}

static void what_waits_goes_with_a_socket_that_is_lost(void) {
    struct site *site = open_site();
    int fd = ws_open(site, HANDSHAKE("/ws/1"));
    struct sig_frame *late = sig_frame_create("late", 4);
    CHECK_INT(sig_websocket_send_frame(seen.socket, late, true), 0);
    close(fd);
    wait_for_close(site);
    CHECK_INT(late->holders, 1);
    sig_frame_release(late);
    site_close(site);
}

static void silence_is_pinged_and_then_lost(void) {
    struct site *site = open_site();
    seen.limits.ping_ms = 40;
    seen.limits.dead_ms = 400;
    int fd = ws_open(site, HANDSHAKE("/ws/1"));
    uint8_t first;
    size_t len;
    uint64_t begin_ms = site_now_ms();
    for (int i = 0; i < 3; i++) {
        CHECK(ws_read(site, fd, &first, payload, &len));
        CHECK_INT(first, FIN | PING);
        CHECK(ws_send(site, fd, FIN | PONG, payload, len));
    }
    CHECK(site_now_ms() - begin_ms >= 100);
    wait_for_close(site);
    CHECK_INT(seen.code, SIG_WEBSOCKET_ABNORMAL);
    CHECK(site_now_ms() - begin_ms >= 400);
    close(fd);
    site_close(site);
}

static void a_client_that_vanishes_during_the_handshake_is_a_1006(void) {
    struct site *site = open_site();
    int fd = site_connect(site);
    CHECK(site_write(site, fd, HANDSHAKE("/ws/1"), strlen(HANDSHAKE("/ws/1"))));
    struct linger abort = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
    close(fd);
    site_run(site, 50);
    CHECK_INT(seen.opened, seen.closed);
    site_close(site);
}

static void closing_the_server_says_going_away(void) {
    struct site *site = open_site();
    int fd = ws_open(site, HANDSHAKE("/ws/1"));
    struct sig_websocket *owned = seen.socket;
    int refused = ws_open(site, HANDSHAKE("/refuse"));
    int half = ws_open(site, HANDSHAKE("/ws/2"));
    uint8_t bytes[32];
    CHECK(site_write(site, half, bytes, frame(bytes, FIN | TEXT, "half", 4) - 2));
    site_run(site, 20);
    seen.closed = 0;
    sig_websocket_close(seen.socket, 1000, NULL);
    seen.socket = owned;
    site_close(site);
    /* Of the three, the first alone still had an owner. */
    CHECK_INT(seen.closed, 1);
    CHECK_INT(seen.code, SIG_WEBSOCKET_GOING_AWAY);
    char text[100];
    CHECK_INT(recv(fd, text, sizeof(text), 0), 2 + 2 + 21);
    CHECK_INT((uint8_t)text[0], FIN | CLOSE);
    CHECK_INT((uint8_t)text[2] << 8 | (uint8_t)text[3], 1001);
    close(fd);
    close(refused);
    close(half);
}

static void a_thousand_come_and_go_without_a_trace(void) {
    struct site *site = open_site();
    for (int i = 0; i < 1000; i++) {
        int fd = ws_open(site, HANDSHAKE("/ws/1"));
        CHECK(ws_send(site, fd, FIN | TEXT, "x", 1));
        expect_text(site, fd, "x");
        if (i % 2)
            CHECK(ws_send(site, fd, FIN | CLOSE, "\x03\xe8", 2));
        close(fd);
    }
    site_run(site, 100);
    CHECK_INT(seen.opened, 1000);
    CHECK_INT(seen.closed, 1000);
    struct sig_metrics metrics = {0};
    sig_http_write_metrics(site->http, &metrics);
    CHECK(strstr(metrics.text, "weir_websockets 0\n") != NULL);
    CHECK(strstr(metrics.text, "weir_http_connections 0\n") != NULL);
    sig_metrics_deinit(&metrics);
    site_close(site);
}

static const struct test tests[] = {
    {"the_handshake_is_the_one_of_the_rfc", the_handshake_is_the_one_of_the_rfc},
    {"what_is_no_handshake_is_refused", what_is_no_handshake_is_refused},
    {"text_goes_both_ways", text_goes_both_ways},
    {"frames_that_come_with_the_request_or_byte_by_byte_are_read",
     frames_that_come_with_the_request_or_byte_by_byte_are_read},
    {"fragments_make_one_message_with_pings_between",
     fragments_make_one_message_with_pings_between},
    {"the_client_closes_and_is_answered", the_client_closes_and_is_answered},
    {"the_owner_closes_after_the_handshake_with_a_code",
     the_owner_closes_after_the_handshake_with_a_code},
    {"the_owner_closes_inside_an_event_and_hears_no_more",
     the_owner_closes_inside_an_event_and_hears_no_more},
    {"a_client_that_does_not_answer_the_close_is_dropped",
     a_client_that_does_not_answer_the_close_is_dropped},
    {"broken_rules_are_closed_with_their_codes", broken_rules_are_closed_with_their_codes},
    {"fragments_over_the_limit_are_closed_with_1009",
     fragments_over_the_limit_are_closed_with_1009},
    {"a_flood_is_closed_with_1008", a_flood_is_closed_with_1008},
    {"a_slow_reader_is_cut_off_and_the_sender_told", a_slow_reader_is_cut_off_and_the_sender_told},
    {"what_is_queued_arrives_in_order_and_before_the_close",
     what_is_queued_arrives_in_order_and_before_the_close},
    {"small_messages_do_not_wait_for_each_other", small_messages_do_not_wait_for_each_other},
    {"what_may_wait_goes_with_what_may_not_and_in_order",
     what_may_wait_goes_with_what_may_not_and_in_order},
    {"what_waits_goes_with_a_socket_that_is_lost", what_waits_goes_with_a_socket_that_is_lost},
    {"silence_is_pinged_and_then_lost", silence_is_pinged_and_then_lost},
    {"a_client_that_vanishes_during_the_handshake_is_a_1006",
     a_client_that_vanishes_during_the_handshake_is_a_1006},
    {"closing_the_server_says_going_away", closing_the_server_says_going_away},
    {"a_thousand_come_and_go_without_a_trace", a_thousand_come_and_go_without_a_trace},
};

TEST_MAIN(tests)
