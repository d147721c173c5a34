/* The listening sockets. Connections are accepted here, not in the library, so that there may be
 * several addresses and so that the limits are looked at before a connection costs anything. */
#include "signaling/http_internal.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "signaling/address.h"
#include "signaling/log.h"

#define BACKLOG 511
#define ACCEPTS_PER_TURN 64

static bool is_allowed(struct sig_http *http, const struct sockaddr *address) {
    char text[INET6_ADDRSTRLEN];
    enum http_refusal refusal = HTTP_REFUSED_CONNECTION;
    if (http->connection_count < http->options.max_connections) {
        refusal = HTTP_REFUSED_ADDRESS;
        if (sig_addresses_open(http->addresses, address, http_now_us(http)) == 0)
            return true;
    }
    http->refusals[refusal]++;
    sig_address_text(address, text);
    sig_log_throttled(
        SIG_LOG_WARN, NULL, "http-accept", "http: refused a connection from %s: %s", text,
        refusal == HTTP_REFUSED_ADDRESS ? "max-connections-per-address" : "max-connections");
    return false;
}

static struct http_connection *create_connection(struct sig_http *http, int fd,
                                                 const struct sockaddr_storage *address) {
    struct http_connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL)
        return NULL;
    connection->http = http;
    connection->fd = fd;
    connection->address = *address;
    connection->deadline_us = http_now_us(http) + (uint64_t)http->options.receive_timeout_ms * 1000;
    connection->missed = HTTP_REFUSED_RECEIVE;
    connection->next = http->connections;
    if (http->connections)
        http->connections->prev = connection;
    http->connections = connection;
    http->connection_count++;
    return connection;
}

static void take(struct sig_http *http, int fd, const struct sockaddr_storage *address,
                 socklen_t address_len) {
    const struct sockaddr *peer = (const struct sockaddr *)address;
    if (!is_allowed(http, peer)) {
        close(fd);
        return;
    }
    /* Signaling is small messages that somebody waits for. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (http->tls && (fd = http_tls_accept(http, fd)) < 0) {
        sig_addresses_close(http->addresses, peer);
        return;
    }
    struct http_connection *connection = create_connection(http, fd, address);
    if (connection == NULL) {
        sig_addresses_close(http->addresses, peer);
        close(fd);
        return;
    }
    http->accepted++;
    http->accepting = connection;
    /* The socket is the library's from here on, also when this fails. */
    if (MHD_add_connection(http->daemon, fd, peer, address_len) != MHD_YES && http->accepting)
        http_connection_unlink(connection);
    http->accepting = NULL;
}

static void on_readable(uv_poll_t *poll, int status, int events) {
    struct http_listener *listener = poll->data;
    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct sockaddr_storage address;
        socklen_t len = sizeof(address);
        int fd =
            accept4(listener->fd, (struct sockaddr *)&address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            take(listener->http, fd, &address, len);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            /* The waiting connection stays readable: look again when the next sweep has passed. */
            sig_log_throttled(SIG_LOG_ERROR, NULL, "http-descriptors",
                              "http: cannot accept connections: %s", strerror(errno));
            uv_poll_stop(poll);
        }
        if (errno != ECONNABORTED && errno != EINTR)
            break;
    }
    http_kick(listener->http);
}

static int open_socket(const struct sockaddr *address) {
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    /* [::] and 0.0.0.0 are two addresses, which may both be given. */
    if (address->sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, sizeof(int));
    if (bind(fd, address, sig_address_size(address)) != 0 || listen(fd, BACKLOG) != 0) {
        int error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

static void set_port(struct sockaddr_storage *address, uint16_t port) {
    if (address->ss_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)address)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)(void *)address)->sin_port = htons(port);
}

static int open_listener(struct sig_http *http, const struct sockaddr_storage *address) {
    if (http->listener_count == HTTP_LISTENERS_MAX)
        return -ENOSPC;
    struct http_listener *listener = &http->listeners[http->listener_count];
    listener->http = http;
    listener->fd = open_socket((const struct sockaddr *)address);
    if (listener->fd < 0)
        return listener->fd;
    int error = uv_poll_init(http->loop, &listener->poll, listener->fd);
    if (error) {
        close(listener->fd);
        return error;
    }
    struct sockaddr_storage bound;
    socklen_t len = sizeof(bound);
    getsockname(listener->fd, (struct sockaddr *)&bound, &len);
    listener->port = sig_address_port((struct sockaddr *)&bound);
    listener->poll.data = listener;
    listener->is_open = true;
    http->listener_count++;
    http_hold(http);
    return uv_poll_start(&listener->poll, UV_READABLE, on_readable);
}

/* The second address of "localhost" may be missing on a machine without IPv6, and takes the port
 * that the first was given. */
static int open_all_of(struct sig_http *http, const char *text) {
    struct sockaddr_storage addresses[SIG_ADDRESS_LISTEN_MAX];
    int count = sig_address_parse_listen(text, addresses);
    int error = count < 0 ? count : 0;
    for (int i = 0; i < count && error == 0; i++) {
        if (i > 0)
            set_port(&addresses[i], http->listeners[http->listener_count - 1].port);
        error = open_listener(http, &addresses[i]);
        if (i > 0 && (error == -EAFNOSUPPORT || error == -EADDRNOTAVAIL))
            error = 0;
    }
    if (error != 0)
        sig_log(SIG_LOG_ERROR, NULL, "http: cannot listen on %s: %s", text, strerror(-error));
    return error;
}

int http_listen(struct sig_http *http) {
    int error = http->options.listen_count > 0 ? 0 : -EINVAL;
    for (size_t i = 0; i < http->options.listen_count && error == 0; i++)
        error = open_all_of(http, http->options.listen[i]);
    return error;
}

void http_listen_resume(struct sig_http *http) {
    for (size_t i = 0; i < http->listener_count; i++)
        if (http->listeners[i].is_open && !uv_is_active((uv_handle_t *)&http->listeners[i].poll))
            uv_poll_start(&http->listeners[i].poll, UV_READABLE, on_readable);
}

static void on_listener_closed(uv_handle_t *handle) {
    struct http_listener *listener = handle->data;
    http_release(listener->http);
}

void http_listen_close(struct sig_http *http) {
    for (size_t i = 0; i < http->listener_count; i++) {
        struct http_listener *listener = &http->listeners[i];
        listener->is_open = false;
        uv_close((uv_handle_t *)&listener->poll, on_listener_closed);
        close(listener->fd);
    }
}
