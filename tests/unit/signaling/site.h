/* A server in a loop and its clients on plain sockets, all in one thread: whoever waits turns the
 * loop. Included by the tests of what speaks HTTP. */
#ifndef TESTS_UNIT_SIGNALING_SITE_H
#define TESTS_UNIT_SIGNALING_SITE_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "signaling/http.h"
#include "tests/unit/test.h"

#define SITE_WAIT_MS 20000
#define SITE_READ_SIZE 4194304

struct site {
    uv_loop_t loop;
    struct sig_http *http;
    bool is_closed;
    char text[SITE_READ_SIZE]; /* What was read last, with a NUL. */
    size_t len;
};

/* options may be NULL. */
static inline struct site *site_open(const struct sig_http_options *options) {
    static const char *const listen[] = {"127.0.0.1:0"};
    struct sig_http_options all = options ? *options : (struct sig_http_options){0};
    struct site *site = calloc(1, sizeof(*site));
    if (all.listen_count == 0) {
        all.listen = listen;
        all.listen_count = 1;
    }
    CHECK_INT(uv_loop_init(&site->loop), 0);
    CHECK_INT(sig_http_create(&site->http, &site->loop, &all), 0);
    return site;
}

static inline void site_route(struct site *site, const struct sig_http_route *routes, size_t count,
                              void *data) {
    CHECK_INT(sig_http_add_routes(site->http, routes, count, data), 0);
}

static inline void site_on_closed(void *data) {
    ((struct site *)data)->is_closed = true;
}

/* Nothing of the server may be left in the loop. */
static inline void site_close(struct site *site) {
    sig_http_close(site->http, site_on_closed, site);
    uv_run(&site->loop, UV_RUN_DEFAULT);
    CHECK(site->is_closed);
    CHECK_INT(uv_loop_close(&site->loop), 0);
    free(site);
}

static inline int site_connect(struct site *site) {
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(sig_http_port(site->http)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    CHECK_INT(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

/* One turn, and at most a millisecond for the client's socket (-1: none). */
static inline void site_turn(struct site *site, int fd, short events) {
    struct pollfd client = {.fd = fd, .events = events};
    uv_run(&site->loop, UV_RUN_NOWAIT);
    poll(&client, 1, 1);
}

static inline uint64_t site_now_ms(void) {
    return uv_hrtime() / 1000000;
}

static inline void site_run(struct site *site, unsigned ms) {
    for (uint64_t end = site_now_ms() + ms; site_now_ms() < end;)
        site_turn(site, -1, 0);
}

/* Writes all; false when the server has hung up. */
static inline bool site_write(struct site *site, int fd, const void *bytes, size_t len) {
    const char *at = bytes;
    uint64_t end = site_now_ms() + SITE_WAIT_MS;
    while (len > 0) {
        ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            return false;
        at += sent > 0 ? sent : 0;
        len -= sent > 0 ? (size_t)sent : 0;
        CHECK(site_now_ms() < end);
        site_turn(site, fd, POLLOUT);
    }
    return true;
}

/* Reads more into text; false at the end of the stream. */
static inline bool site_read_some(struct site *site, int fd) {
    for (uint64_t end = site_now_ms() + SITE_WAIT_MS; site_now_ms() < end;) {
        ssize_t got = recv(fd, site->text + site->len, sizeof(site->text) - 1 - site->len, 0);
        if (got > 0) {
            site->len += (size_t)got;
            site->text[site->len] = '\0';
            return true;
        }
        if (got == 0 || errno != EAGAIN)
            return false;
        site_turn(site, fd, POLLIN);
    }
    test_fail(__FILE__, __LINE__, "nothing came for %d ms", SITE_WAIT_MS);
}

static inline void site_read_to_end(struct site *site, int fd) {
    site->len = 0;
    site->text[0] = '\0';
    while (site_read_some(site, fd))
        continue;
}

/* Reads one reply, of which text then holds the head and the body; false if there is none. */
static inline bool site_read_reply(struct site *site, int fd, bool has_body) {
    site->len = 0;
    site->text[0] = '\0';
    for (;;) {
        const char *end = strstr(site->text, "\r\n\r\n");
        const char *length = strcasestr(site->text, "\r\nContent-Length:");
        size_t body = has_body && length && length < end ? strtoul(length + 17, NULL, 10) : 0;
        if (end && site->len >= (size_t)(end + 4 - site->text) + body)
            return true;
        if (!site_read_some(site, fd))
            return false;
    }
}

/* The status of the reply in text, 0 if there is none. */
static inline int site_status(const struct site *site) {
    return strncmp(site->text, "HTTP/1.1 ", 9) == 0 ? atoi(site->text + 9) : 0;
}

/* Asks on an open connection, and returns the status. */
static inline int site_ask_on(struct site *site, int fd, const char *request) {
    CHECK(site_write(site, fd, request, strlen(request)));
    site_read_reply(site, fd, strncmp(request, "HEAD ", 5) != 0);
    return site_status(site);
}

/* Asks on a connection of its own. */
static inline int site_ask(struct site *site, const char *request) {
    int fd = site_connect(site);
    int status = site_ask_on(site, fd, request);
    close(fd);
    return status;
}

/* The value of a header of the reply in text, in a buffer that the next call overwrites; "" for
 * none. */
static inline const char *site_header(const struct site *site, const char *name) {
    static char value[4096];
    const char *end = strstr(site->text, "\r\n\r\n");
    size_t len = strlen(name);
    value[0] = '\0';
    for (const char *line = site->text; line && end && line < end; line = strstr(line, "\r\n")) {
        line += strncmp(line, "\r\n", 2) == 0 ? 2 : 0;
        if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
            const char *from = line + len + 1;
            from += strspn(from, " ");
            snprintf(value, sizeof(value), "%.*s", (int)strcspn(from, "\r"), from);
            return value;
        }
    }
    return value;
}

static inline const char *site_body(const struct site *site) {
    const char *end = strstr(site->text, "\r\n\r\n");
    return end ? end + 4 : "";
}

#endif
