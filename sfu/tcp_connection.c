/* No connection's end changes anything in the engine: a transport that sent by it moves by another
 * check or loses consent in time. */
#include "sfu/tcp_connection.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "rtp/rtp.h"

/* Above this the kernel takes nothing more: what waits should wait where it is bounded and can be
 * dropped, not in megabytes of a socket's buffer. */
enum { UNSENT_MAX = 64 * 1024 };

/* --- Ending --- */

static void connection_free(uv_handle_t *handle) {
    struct sfu_tcp_connection *connection = handle->data;
    sfu_tcp_handle_closed(connection->tcp);
    free(connection);
}

void sfu_tcp_reset_on_close(int fd) {
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

void sfu_tcp_connection_close(struct sfu_tcp_connection *connection) {
    struct sfu_tcp *tcp = connection->tcp;
    if (connection->closed)
        return;
    connection->closed = true;
    *connection->link = connection->next;
    if (connection->next != NULL)
        connection->next->link = connection->link;
    else
        tcp->connections_end = connection->link;
    sfu_table_remove(&tcp->by_via, &connection->from.via);
    sfu_tcp_output_deinit(&connection->output);
    uv_close((uv_handle_t *)&connection->poll, connection_free);
    if (!connection->known)
        sfu_tcp_reset_on_close(connection->fd);
    close(connection->fd);
}

/* --- Writing --- */

static void on_connection(uv_poll_t *poll, int status, int events);

static void wait_for_room(struct sfu_tcp_connection *connection, bool waits) {
    if (connection->waits_for_room == waits)
        return;
    connection->waits_for_room = waits;
    uv_poll_start(&connection->poll, UV_READABLE | (waits ? UV_WRITABLE : 0), on_connection);
}

static void flush(struct sfu_tcp_connection *connection) {
    struct iovec pieces[2];
    int count;
    while ((count = sfu_tcp_output_peek(&connection->output, pieces)) > 0) {
        struct msghdr header = {.msg_iov = pieces, .msg_iovlen = (size_t)count};
        ssize_t sent = sendmsg(connection->fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0) {
            sfu_tcp_output_advance(&connection->output, (size_t)sent);
        } else if (errno == EAGAIN) {
            wait_for_room(connection, true);
            return;
        } else if (errno != EINTR) {
            sfu_tcp_connection_close(connection);
            return;
        }
    }
    wait_for_room(connection, false);
}

static size_t segments_of(const struct sfu_message *message) {
    return (message->len + message->segment_len - 1u) / message->segment_len;
}

static void put_segments(struct sfu_tcp_connection *connection, const struct sfu_message *message) {
    struct sfu_counters *counters = &connection->tcp->counters;
    for (size_t offset = 0; offset < message->len; offset += message->segment_len) {
        size_t rest = message->len - offset;
        size_t len = rest < message->segment_len ? rest : message->segment_len;
        if (sfu_tcp_output_put(&connection->output, message->data + offset, len) < 0) {
            counters->sends_failed++;
            continue;
        }
        counters->datagrams_sent++;
        counters->bytes_sent += len;
    }
}

void sfu_tcp_write(struct sfu_tcp *tcp, const struct sfu_message *messages, size_t count) {
    struct sfu_tcp_connection *written = NULL;
    for (size_t i = 0; i < count; i++) {
        struct sfu_tcp_connection *connection = sfu_table_get(&tcp->by_via, &messages[i].to.via);
        if (connection == NULL) {
            tcp->counters.sends_failed += segments_of(&messages[i]);
            continue;
        }
        put_segments(connection, &messages[i]);
        if (connection->written)
            continue;
        connection->written = true;
        connection->next_written = written;
        written = connection;
    }
    for (struct sfu_tcp_connection *next; written != NULL; written = next) {
        next = written->next_written;
        written->written = false;
        if (!written->waits_for_room)
            flush(written);
    }
}

/* --- Reading --- */

static void on_frame(struct sfu_tcp_connection *connection, uint64_t now_us, const uint8_t *data,
                     size_t len) {
    struct sfu_tcp *tcp = connection->tcp;
    const struct sfu_tcp_config *config = &tcp->config;
    if (!connection->known && rtp_datagram_kind(data, len) != RTP_DATAGRAM_STUN) {
        tcp->counters.tcp_closed_strangers++;
        sfu_tcp_connection_close(connection);
        return;
    }
    config->on_datagram(config->ctx, now_us, &connection->from, data, len);
    if (!connection->known)
        connection->known = config->is_known(config->ctx, &connection->from);
}

static void read_frames(struct sfu_tcp_connection *connection, uint64_t now_us, const uint8_t *data,
                        size_t len) {
    const uint8_t *frame;
    size_t frame_len;
    int result = 1;
    while (!connection->closed && result > 0) {
        result = sfu_tcp_reader_next(&connection->reader, &data, &len, &frame, &frame_len);
        if (result > 0)
            on_frame(connection, now_us, frame, frame_len);
    }
    if (result >= 0)
        return;
    connection->tcp->counters.tcp_closed_malformed++;
    sfu_tcp_connection_close(connection);
}

static void read_some(struct sfu_tcp_connection *connection, uint64_t now_us) {
    struct sfu_tcp *tcp = connection->tcp;
    ssize_t len = recv(connection->fd, tcp->read_buffer, SFU_TCP_READ_BYTES, MSG_DONTWAIT);
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (len <= 0) { /* The peer closed or reset it. */
        sfu_tcp_connection_close(connection);
        return;
    }
    connection->heard_us = now_us;
    read_frames(connection, now_us, tcp->read_buffer, (size_t)len);
}

static void on_connection(uv_poll_t *poll, int status, int events) {
    struct sfu_tcp_connection *connection = poll->data;
    struct sfu_tcp *tcp = connection->tcp;
    uint64_t now_us = tcp->config.now_us();
    if (status < 0) {
        sfu_tcp_connection_close(connection);
        return;
    }
    if (events & UV_WRITABLE)
        flush(connection);
    if (connection->closed || !(events & UV_READABLE))
        return;
    read_some(connection, now_us);
    tcp->config.on_wakeup_end(tcp->config.ctx, now_us);
}

/* --- Beginning --- */

static uint32_t next_via(struct sfu_tcp *tcp) {
    do
        tcp->last_via++;
    while (sfu_table_get(&tcp->by_via, &tcp->last_via) != NULL);
    return tcp->last_via;
}

static void set_options(int fd) {
    int one = 1, unsent = UNSENT_MAX;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
}

static void append(struct sfu_tcp_connection *connection) {
    struct sfu_tcp *tcp = connection->tcp;
    connection->link = tcp->connections_end;
    *tcp->connections_end = connection;
    tcp->connections_end = &connection->next;
}

int sfu_tcp_connection_open(struct sfu_tcp *tcp, int fd, const struct sfu_address *from) {
    struct sfu_tcp_connection *connection = calloc(1, sizeof(*connection));
    uint32_t via = next_via(tcp);
    if (connection == NULL || sfu_table_put(&tcp->by_via, &via, connection) < 0 ||
        uv_poll_init(tcp->config.loop, &connection->poll, fd) < 0) {
        sfu_table_remove(&tcp->by_via, &via);
        free(connection);
        close(fd);
        return -ENOMEM;
    }
    connection->tcp = tcp;
    connection->fd = fd;
    connection->from = *from;
    connection->from.tcp = true;
    connection->from.via = via;
    connection->heard_us = connection->known_us = tcp->config.now_us();
    connection->poll.data = connection;
    tcp->handles++;
    append(connection);
    set_options(fd);
    uv_poll_start(&connection->poll, UV_READABLE, on_connection);
    return 0;
}
