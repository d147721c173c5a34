/* The HTTP server in the loop: libmicrohttpd watches its sockets with an epoll descriptor of its
 * own, which the loop polls; what it wants to do later is a timer. Each connection has one deadline
 * at a time, looked at a few times a second. */
#include "signaling/http_internal.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/address.h"
#include "signaling/log.h"
#include "signaling/websocket_internal.h"

#define MAX_BODY_BYTES 65536u
#define MAX_CONNECTIONS 1000u
#define RECEIVE_TIMEOUT_MS 10000u
#define SEND_TIMEOUT_MS 60000u
#define ANSWER_TIMEOUT_MS 15000u
#define SWEEP_MS 1000u
/* Own checks come first; the library's limit only must not. */
#define LIBRARY_CONNECTIONS_SPARE 64u

uint64_t http_now_us(const struct sig_http *http) {
    return uv_now(http->loop) * 1000;
}

void http_hold(struct sig_http *http) {
    http->handle_count++;
}

void http_release(struct sig_http *http) {
    if (--http->handle_count > 0 || !http->is_closing)
        return;
    void (*on_closed)(void *) = http->on_closed;
    void *data = http->on_closed_data;
    sig_addresses_destroy(http->addresses);
    free(http->routes);
    http_tls_destroy(http->tls);
    free(http);
    if (on_closed)
        on_closed(data);
}

/* The loop. */

static void on_run_timer(uv_timer_t *timer);
static void on_idle(uv_idle_t *idle);

static void run_again(struct sig_http *http) {
    MHD_UNSIGNED_LONG_LONG timeout_ms;
    if (http->is_closing || MHD_get_timeout(http->daemon, &timeout_ms) != MHD_YES)
        return;
    /* At once is the next turn, after the other descriptors have had theirs. */
    if (timeout_ms == 0)
        uv_idle_start(&http->idle, on_idle);
    else
        uv_timer_start(&http->run_timer, on_run_timer, timeout_ms, 0);
}

static void run(struct sig_http *http) {
    uv_idle_stop(&http->idle);
    http->is_running = true;
    MHD_run(http->daemon);
    http->is_running = false;
    run_again(http);
}

static void on_daemon_ready(uv_poll_t *poll, int status, int events) {
    (void)status;
    (void)events;
    run(poll->data);
}

static void on_run_timer(uv_timer_t *timer) {
    run(timer->data);
}

/* Runs once in each turn while it is started, and keeps the turn from waiting. */
static void on_idle(uv_idle_t *idle) {
    run(idle->data);
}

void http_kick(struct sig_http *http) {
    if (!http->is_closing)
        uv_idle_start(&http->idle, on_idle);
}

static void on_sweep(uv_timer_t *timer) {
    struct sig_http *http = timer->data;
    uint64_t now_us = http_now_us(http);
    struct http_connection *next;
    for (struct http_connection *at = http->connections; at; at = next) {
        next = at->next;
        if (now_us >= at->deadline_us)
            http_on_missed(at);
    }
    sig_addresses_sweep(http->addresses, now_us);
    http_listen_resume(http);
}

/* A quarter of the shortest time that is kept, so that tests may keep short ones. */
static uint64_t sweep_ms(const struct sig_http_options *options) {
    uint64_t ms = SWEEP_MS;
    const unsigned timeouts_ms[] = {options->receive_timeout_ms, options->send_timeout_ms,
                                    options->answer_timeout_ms};
    for (size_t i = 0; i < 3; i++)
        ms = timeouts_ms[i] / 4 < ms ? timeouts_ms[i] / 4 : ms;
    return ms ? ms : 1;
}

/* Starting and ending. */

__attribute__((format(printf, 2, 0))) static void on_library_log(void *data, const char *format,
                                                                 va_list args) {
    char line[512];
    (void)data;
    vsnprintf(line, sizeof(line), format, args);
    line[strcspn(line, "\n")] = '\0';
    sig_log_throttled(SIG_LOG_DEBUG, NULL, line, "http: %s", line);
}

static int start_daemon(struct sig_http *http) {
    const unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_UPGRADE |
                           MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    http->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, http_on_access, http, MHD_OPTION_EXTERNAL_LOGGER, on_library_log,
        http, MHD_OPTION_NOTIFY_COMPLETED, http_on_completed, http, MHD_OPTION_NOTIFY_CONNECTION,
        http_on_connection, http, MHD_OPTION_CONNECTION_LIMIT,
        http->options.max_connections + LIBRARY_CONNECTIONS_SPARE, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
    if (http->daemon)
        return 0;
    sig_log(SIG_LOG_ERROR, NULL, "http: cannot start");
    return -EINVAL;
}

static int start_loop(struct sig_http *http) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    int error = info ? uv_poll_init(http->loop, &http->daemon_poll, info->epoll_fd) : -EINVAL;
    if (error)
        return error;
    uv_timer_init(http->loop, &http->run_timer);
    uv_timer_init(http->loop, &http->sweep_timer);
    uv_idle_init(http->loop, &http->idle);
    http->run_timer.data = http->sweep_timer.data = http->daemon_poll.data = http;
    http->idle.data = http;
    http->handle_count = 4;
    websocket_start_writing(http);
    uint64_t every_ms = sweep_ms(&http->options);
    uv_timer_start(&http->sweep_timer, on_sweep, every_ms, every_ms);
    return uv_poll_start(&http->daemon_poll, UV_READABLE, on_daemon_ready);
}

static void fill_defaults(struct sig_http_options *options) {
    options->max_body_bytes = options->max_body_bytes ? options->max_body_bytes : MAX_BODY_BYTES;
    options->max_connections =
        options->max_connections ? options->max_connections : MAX_CONNECTIONS;
    options->receive_timeout_ms =
        options->receive_timeout_ms ? options->receive_timeout_ms : RECEIVE_TIMEOUT_MS;
    options->send_timeout_ms =
        options->send_timeout_ms ? options->send_timeout_ms : SEND_TIMEOUT_MS;
    options->answer_timeout_ms =
        options->answer_timeout_ms ? options->answer_timeout_ms : ANSWER_TIMEOUT_MS;
}

/* Ends what did not start: as usual once the loop has handles of it, at once before. */
static void abandon(struct sig_http *http) {
    if (http->handle_count > 0) {
        sig_http_close(http, NULL, NULL);
        return;
    }
    if (http->daemon)
        MHD_stop_daemon(http->daemon);
    http->is_closing = true;
    http_hold(http);
    http_release(http);
}

int sig_http_create(struct sig_http **out, uv_loop_t *loop,
                    const struct sig_http_options *options) {
    struct sig_http *http = calloc(1, sizeof(*http));
    if (http == NULL)
        return -ENOMEM;
    http->loop = loop;
    http->options = *options;
    fill_defaults(&http->options);
    http->addresses = sig_addresses_create(&(struct sig_address_limits){
        .connections = options->connections_per_address,
        .requests_per_s = options->requests_per_second,
    });
    int error = http->addresses ? 0 : -ENOMEM;
    if (error == 0 && options->tls_cert)
        error = http_tls_create(&http->tls, options->tls_cert, options->tls_key);
    signal(SIGPIPE, SIG_IGN); /* A client that left is an EPIPE. */
    if (error == 0)
        error = start_daemon(http);
    if (error == 0)
        error = start_loop(http);
    if (error == 0)
        error = http_listen(http);
    if (error == 0)
        *out = http;
    else
        abandon(http);
    return error;
}

uint16_t sig_http_port(const struct sig_http *http) {
    return http->listeners[0].port;
}

bool sig_http_is_tls(const struct sig_http *http) {
    return http->tls != NULL;
}

static void on_handle_closed(uv_handle_t *handle) {
    http_release(handle->data);
}

/* Everything that waits is told; the library may not be stopped while a request is suspended. */
static void end_requests(struct sig_http *http) {
    struct http_connection *next;
    for (struct http_connection *at = http->connections; at; at = next) {
        struct sig_http_request *request = at->request;
        next = at->next;
        if (request && request->phase == HTTP_UPGRADED && request->upgrade) {
            request->upgrade->on_shutdown(request->upgrade_data);
        } else if (request && request->phase == HTTP_SUSPENDED) {
            if (request->on_gone)
                request->on_gone(request, request->on_gone_data);
            sig_http_error(request, 503, "closing", "the server is closing");
        }
    }
}

void sig_http_close(struct sig_http *http, void (*on_closed)(void *data), void *data) {
    assert(!http->is_running);
    http->on_closed = on_closed;
    http->on_closed_data = data;
    http->is_closing = true;
    http_listen_close(http);
    end_requests(http);
    /* Once to resume, once to write what that has queued; and some may have become WebSockets. */
    MHD_run(http->daemon);
    MHD_run(http->daemon);
    end_requests(http);
    uv_close((uv_handle_t *)&http->daemon_poll, on_handle_closed);
    uv_close((uv_handle_t *)&http->idle, on_handle_closed);
    uv_close((uv_handle_t *)&http->run_timer, on_handle_closed);
    uv_close((uv_handle_t *)&http->sweep_timer, on_handle_closed);
    websocket_stop_writing(http);
    MHD_stop_daemon(http->daemon);
    http_tls_close(http);
}
