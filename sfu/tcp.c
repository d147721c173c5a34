/* Who may connect: a stranger may send nothing but STUN, has seconds to pass a check, and is the
 * first to go when there are too many. */
#include "sfu/tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sfu/tcp_connection.h"

enum {
    BACKLOG = 256,
    ACCEPTS_PER_WAKEUP = 64,
    SWEEP_INTERVAL_MS = 1000,
};

struct sfu_tcp_listener {
    struct sfu_tcp *tcp;
    int fd;
    uv_poll_t poll;
    struct sfu_tcp_listener *next;
};

/* --- Accepting --- */

/* Whoever has an IPv6 address has the 2^64 others of its network too. */
static bool same_host(const struct sfu_address *a, const struct sfu_address *b) {
    return a->family == b->family && memcmp(a->ip, b->ip, a->family == AF_INET ? 4 : 8) == 0;
}

static bool has_too_many_strangers(const struct sfu_tcp *tcp, const struct sfu_address *from) {
    size_t count = 0;
    for (const struct sfu_tcp_connection *other = tcp->connections; other != NULL;
         other = other->next)
        count += !other->known && same_host(&other->from, from);
    return count >= tcp->config.strangers_per_address;
}

/* A client of ours has passed its check a round trip after connecting, so the oldest stranger is
 * the least likely to be one. */
static bool make_room(struct sfu_tcp *tcp) {
    if (tcp->by_via.count < tcp->config.connections_max)
        return true;
    struct sfu_tcp_connection *oldest = tcp->connections;
    while (oldest != NULL && oldest->known)
        oldest = oldest->next;
    if (oldest == NULL)
        return false;
    tcp->counters.tcp_closed_strangers++;
    sfu_tcp_connection_close(oldest);
    return true;
}

int sfu_tcp_adopt(struct sfu_tcp *tcp, int fd, const struct sfu_address *from) {
    if (has_too_many_strangers(tcp, from) || !make_room(tcp)) {
        tcp->counters.tcp_refused++;
        sfu_tcp_reset_on_close(fd);
        close(fd);
        return -EBUSY;
    }
    int result = sfu_tcp_connection_open(tcp, fd, from);
    tcp->counters.tcp_accepted += result == 0;
    tcp->counters.tcp_accept_failures += result < 0;
    return result;
}

/* Whether more may wait. */
static bool accept_one(struct sfu_tcp_listener *listener) {
    struct sockaddr_storage name;
    socklen_t name_len = sizeof(name);
    struct sfu_address from;
    int fd =
        accept4(listener->fd, (struct sockaddr *)&name, &name_len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        if (sfu_address_from_sockaddr(&from, (struct sockaddr *)&name, 0))
            sfu_tcp_adopt(listener->tcp, fd, &from);
        else
            close(fd);
        return true;
    }
    if (errno == EAGAIN)
        return false;
    if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO)
        return true;
    /* Out of descriptors or memory: those who wait stay readable, so asking again at once would be
     * all that this thread does. The next sweep listens again. */
    listener->tcp->counters.tcp_accept_failures++;
    uv_poll_stop(&listener->poll);
    return false;
}

static void on_listener(uv_poll_t *poll, int status, int events) {
    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTS_PER_WAKEUP && accept_one(poll->data); i++)
        ;
}

/* --- Listening --- */

static int open_socket(const struct sockaddr_storage *local, socklen_t len) {
    int fd = socket(local->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int one = 1;
    /* Connections of the server before this one may still be in TIME_WAIT. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (local->ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
    if (bind(fd, (const struct sockaddr *)local, len) < 0 || listen(fd, BACKLOG) < 0) {
        int error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

static int listener_create(struct sfu_tcp *tcp, int fd) {
    struct sfu_tcp_listener *listener = calloc(1, sizeof(*listener));
    int result = listener != NULL ? uv_poll_init(tcp->config.loop, &listener->poll, fd) : -ENOMEM;
    if (result < 0) {
        free(listener);
        return result;
    }
    listener->tcp = tcp;
    listener->fd = fd;
    listener->poll.data = listener;
    listener->next = tcp->listeners;
    tcp->listeners = listener;
    tcp->handles++;
    uv_poll_start(&listener->poll, UV_READABLE, on_listener);
    return 0;
}

int sfu_tcp_listen(struct sfu_tcp *tcp, const char *address, uint16_t port) {
    struct sockaddr_storage local;
    int len = sfu_sockaddr_parse(address, port, &local);
    if (len < 0)
        return len;
    int fd = open_socket(&local, (socklen_t)len);
    int result = fd < 0 ? fd : listener_create(tcp, fd);
    if (result < 0 && fd >= 0)
        close(fd);
    return result;
}

static void listener_free(uv_handle_t *handle) {
    struct sfu_tcp_listener *listener = handle->data;
    sfu_tcp_handle_closed(listener->tcp);
    free(listener);
}

static void listener_close(struct sfu_tcp_listener *listener) {
    uv_close((uv_handle_t *)&listener->poll, listener_free);
    close(listener->fd);
}

/* --- Time --- */

static void sweep_connection(struct sfu_tcp_connection *connection, uint64_t now_us) {
    struct sfu_tcp *tcp = connection->tcp;
    connection->known = tcp->config.is_known(tcp->config.ctx, &connection->from);
    if (connection->known)
        connection->known_us = now_us;
    bool strange = now_us >= connection->known_us + SFU_TCP_STRANGER_US;
    bool idle = now_us >= connection->heard_us + SFU_TCP_IDLE_US;
    if (!strange && !idle)
        return;
    tcp->counters.tcp_closed_strangers += strange;
    tcp->counters.tcp_closed_idle += !strange;
    sfu_tcp_connection_close(connection);
}

void sfu_tcp_sweep(struct sfu_tcp *tcp, uint64_t now_us) {
    for (struct sfu_tcp_connection *connection = tcp->connections, *next; connection != NULL;
         connection = next) {
        next = connection->next;
        sweep_connection(connection, now_us);
    }
    for (struct sfu_tcp_listener *listener = tcp->listeners; listener != NULL;
         listener = listener->next)
        if (!uv_is_active((uv_handle_t *)&listener->poll))
            uv_poll_start(&listener->poll, UV_READABLE, on_listener);
}

static void on_timer(uv_timer_t *timer) {
    struct sfu_tcp *tcp = timer->data;
    sfu_tcp_sweep(tcp, tcp->config.now_us());
}

/* --- All of it --- */

int sfu_tcp_create(struct sfu_tcp **out, const struct sfu_tcp_config *config) {
    struct sfu_tcp *tcp = calloc(1, sizeof(*tcp));
    if (tcp == NULL)
        return -ENOMEM;
    if (sfu_table_init(&tcp->by_via, sizeof(uint32_t)) < 0) {
        free(tcp);
        return -ENOMEM;
    }
    tcp->config = *config;
    tcp->connections_end = &tcp->connections;
    tcp->handles = 1;
    uv_timer_init(config->loop, &tcp->timer);
    tcp->timer.data = tcp;
    uv_timer_start(&tcp->timer, on_timer, SWEEP_INTERVAL_MS, SWEEP_INTERVAL_MS);
    *out = tcp;
    return 0;
}

void sfu_tcp_handle_closed(struct sfu_tcp *tcp) {
    if (--tcp->handles > 0)
        return;
    sfu_table_deinit(&tcp->by_via);
    free(tcp);
}

static void timer_closed(uv_handle_t *handle) {
    sfu_tcp_handle_closed(handle->data);
}

void sfu_tcp_destroy(struct sfu_tcp *tcp) {
    if (tcp == NULL)
        return;
    while (tcp->connections != NULL)
        sfu_tcp_connection_close(tcp->connections);
    for (struct sfu_tcp_listener *listener = tcp->listeners, *next; listener != NULL;
         listener = next) {
        next = listener->next;
        listener_close(listener);
    }
    tcp->listeners = NULL;
    uv_close((uv_handle_t *)&tcp->timer, timer_closed);
}

size_t sfu_tcp_connection_count(const struct sfu_tcp *tcp) {
    return tcp->by_via.count;
}

const struct sfu_counters *sfu_tcp_counters(const struct sfu_tcp *tcp) {
    return &tcp->counters;
}
