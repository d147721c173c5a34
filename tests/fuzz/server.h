/* A server that lives as long as the fuzzer, and a client that writes bytes to it and hangs up. */
#ifndef TESTS_FUZZ_SERVER_H
#define TESTS_FUZZ_SERVER_H

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "signaling/http.h"
#include "signaling/log.h"

/* Far more than any input needs: what still waits then waits for a timeout. */
#define SERVER_TURNS_MAX 200

static uv_loop_t server_loop;
static struct sig_http *server;

static inline void server_start(const struct sig_http_route *routes, size_t count, void *data) {
    static const char *const listen[] = {"127.0.0.1:0"};
    const struct sig_http_options options = {.listen = listen, .listen_count = 1};
    sig_log_init(SIG_LOG_ERROR, SIG_LOG_HUMAN, NULL);
    if (uv_loop_init(&server_loop) != 0 || sig_http_create(&server, &server_loop, &options) != 0 ||
        sig_http_add_routes(server, routes, count, data) != 0)
        abort();
}

static inline int server_connect(void) {
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(sig_http_port(server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
        abort();
    return fd;
}

/* Writes the bytes, says that no more come, and turns the loop until the server hangs up or has
 * nothing more to do. */
static inline void server_feed(int fd, const void *bytes, size_t len) {
    char answer[4096];
    if (send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
        shutdown(fd, SHUT_WR);
    for (int turn = 0; turn < SERVER_TURNS_MAX; turn++) {
        uv_run(&server_loop, UV_RUN_NOWAIT);
        if (recv(fd, answer, sizeof(answer), MSG_DONTWAIT) == 0)
            break;
    }
    /* With a reset, so that no port is left waiting. */
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(fd);
    uv_run(&server_loop, UV_RUN_NOWAIT);
    uv_run(&server_loop, UV_RUN_NOWAIT);
}

#endif
