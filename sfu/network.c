#include "sfu/network.h"

#include <stdio.h>
#include <string.h>

#include "sfu/wakeups.h"

enum {
    READS_PER_WAKEUP = 4,              /* Of 64 datagrams each, then others get their turn. */
    REPORTS_REST_MS = SFU_TICK_MS / 2, /* From one reading of reports to the next, at least. */
};

static uint64_t now_us(void) {
    return uv_hrtime() / 1000;
}

/* --- Writing --- */

static void write_run(struct sfu_network *network, const struct sfu_message *messages,
                      size_t count) {
    const struct sfu_address *to = &messages[0].to;
    if (to->tcp && network->tcp != NULL)
        sfu_tcp_write(network->tcp, messages, count);
    else if (!to->tcp && to->via < network->socket_count)
        sfu_udp_write(&network->sockets[to->via].udp, messages, count);
}

static bool same_way(const struct sfu_address *a, const struct sfu_address *b) {
    return a->tcp == b->tcp && (a->tcp || a->via == b->via);
}

static void note_delay(struct sfu_network *network, const struct sfu_message *messages,
                       size_t count) {
    uint64_t now = now_us(), since_us = network->config.engine->since_us, datagrams = 0;
    for (size_t i = 0; i < count; i++)
        datagrams += messages[i].segments;
    sfu_delays_note(&network->delays, now > since_us ? now - since_us : 0, datagrams);
}

void sfu_network_write(struct sfu_network *network, const struct sfu_message *messages,
                       size_t count) {
    if (network->config.engine->since_us != 0)
        note_delay(network, messages, count);
    for (size_t i = 0; i < count;) {
        size_t run = 1;
        while (i + run < count && same_way(&messages[i + run].to, &messages[i].to))
            run++;
        write_run(network, &messages[i], run);
        i += run;
    }
}

/* --- Reading --- */

static bool refill_packets(struct sfu_network *network) {
    for (size_t i = 0; i < SFU_UDP_BATCH; i++) {
        if (network->inbox.packets[i] == NULL)
            network->inbox.packets[i] = sfu_pool_get(network->config.pool);
        if (network->inbox.packets[i] == NULL)
            return false;
    }
    return true;
}

/* A packet that nobody took a reference of is read into again. */
static void release_packet(struct sfu_network *network, size_t i) {
    if (atomic_load_explicit(&network->inbox.packets[i]->refs, memory_order_acquire) == 1)
        return;
    sfu_packet_unref(network->inbox.packets[i]);
    network->inbox.packets[i] = NULL;
}

static int read_batch(struct sfu_udp_socket *socket, int fd) {
    struct sfu_network *network = socket->network;
    struct sfu_udp_inbox *inbox = &network->inbox;
    if (!refill_packets(network)) {
        int discarded = sfu_udp_discard(fd);
        network->config.engine->counters.drop_no_packet += (uint64_t)discarded;
        return discarded;
    }
    int count = sfu_udp_read(fd, socket->via, inbox);
    for (int i = 0; i < count; i++) {
        sfu_engine_input_stamped(network->config.engine, inbox->now_us, &inbox->from[i],
                                 inbox->packets[i]);
        release_packet(network, (size_t)i);
    }
    return count;
}

static int read_all(struct sfu_udp_socket *socket, int fd) {
    int count = 0;
    for (int i = 0; i < READS_PER_WAKEUP && count == i * SFU_UDP_BATCH; i++)
        count += read_batch(socket, fd);
    socket->network->config.on_wakeup_end(socket->network->config.ctx, now_us());
    return count;
}

/* --- Reports --- */

static void on_tick(uv_timer_t *timer);

/* A tick that is close is left out: they have just been read. */
static void rest_until_tick(struct sfu_udp_socket *socket, bool is_drained) {
    uint64_t wait_ms = sfu_tick_wait_ms(uv_now(socket->network->config.loop));
    if (wait_ms < REPORTS_REST_MS)
        wait_ms += SFU_TICK_MS;
    uv_timer_start(&socket->reports_timer, on_tick, is_drained ? wait_ms : 0, 0);
}

/* How many there were. */
static int read_reports(struct sfu_udp_socket *socket) {
    int count = read_all(socket, socket->udp.reports_fd);
    if (count > 0)
        rest_until_tick(socket, count < READS_PER_WAKEUP * SFU_UDP_BATCH);
    return count;
}

static void on_report(uv_poll_t *poll, int status, int events) {
    (void)status;
    (void)events;
    if (read_reports(poll->data) > 0)
        uv_poll_stop(poll);
}

static void on_tick(uv_timer_t *timer) {
    struct sfu_udp_socket *socket = timer->data;
    if (read_reports(socket) == 0)
        uv_poll_start(&socket->reports_poll, UV_READABLE, on_report);
}

/* --- Media --- */

static void on_readable(uv_poll_t *poll, int status, int events) {
    struct sfu_udp_socket *socket = poll->data;
    uv_timer_t *timer = &socket->reports_timer;
    (void)status;
    (void)events;
    read_all(socket, socket->udp.fd);
    /* Who is awake anyway need not be woken by the tick. */
    if (socket->udp.reports_fd >= 0 && uv_is_active((uv_handle_t *)timer) &&
        uv_timer_get_due_in(timer) <= REPORTS_REST_MS)
        read_reports(socket);
}

static void on_tcp_datagram(void *ctx, uint64_t now, const struct sfu_address *from,
                            const uint8_t *data, size_t len) {
    struct sfu_network *network = ctx;
    if (network->inbox.packets[0] == NULL)
        network->inbox.packets[0] = sfu_pool_get(network->config.pool);
    struct sfu_packet *packet = network->inbox.packets[0];
    if (packet == NULL) {
        network->config.engine->counters.drop_no_packet++;
        return;
    }
    memcpy(packet->data, data, len);
    packet->len = (uint32_t)len;
    sfu_engine_input(network->config.engine, now, from, packet);
    release_packet(network, 0);
}

static bool is_tcp_peer_known(void *ctx, const struct sfu_address *from) {
    struct sfu_network *network = ctx;
    return sfu_table_get(&network->config.engine->by_address, from) != NULL;
}

static void on_tcp_wakeup_end(void *ctx, uint64_t now) {
    struct sfu_network *network = ctx;
    network->config.on_wakeup_end(network->config.ctx, now);
}

/* --- Opening and closing --- */

static int explain(const struct sfu_network *network, const char *protocol, const char *address,
                   int result, char *error, size_t error_size) {
    if (result < 0)
        snprintf(error, error_size, "%s %s port %u cannot be bound: %s", protocol, address,
                 network->config.port, strerror(-result));
    return result;
}

static void watch(struct sfu_udp_socket *socket) {
    uv_loop_t *loop = socket->network->config.loop;
    uv_poll_init(loop, &socket->poll, socket->udp.fd);
    socket->poll.data = socket;
    uv_poll_start(&socket->poll, UV_READABLE, on_readable);
    if (socket->udp.reports_fd < 0)
        return;
    uv_poll_init(loop, &socket->reports_poll, socket->udp.reports_fd);
    uv_timer_init(loop, &socket->reports_timer);
    socket->reports_poll.data = socket->reports_timer.data = socket;
    uv_poll_start(&socket->reports_poll, UV_READABLE, on_report);
}

static void close_udp(struct sfu_udp_socket *socket) {
    uv_close((uv_handle_t *)&socket->poll, NULL);
    if (socket->udp.reports_fd >= 0) {
        uv_close((uv_handle_t *)&socket->reports_poll, NULL);
        uv_close((uv_handle_t *)&socket->reports_timer, NULL);
    }
    sfu_udp_close(&socket->udp);
}

static int open_udp(struct sfu_network *network, const char *address, char *error,
                    size_t error_size) {
    struct sfu_udp_socket *socket = &network->sockets[network->socket_count];
    int result = sfu_udp_open(&socket->udp, address, network->config.port, network->config.gso);
    if (result < 0)
        return explain(network, "UDP", address, result, error, error_size);
    network->config.port = sfu_udp_port(&socket->udp);
    socket->network = network;
    socket->via = (uint32_t)network->socket_count++;
    watch(socket);
    return 0;
}

static int open_tcp(struct sfu_network *network) {
    struct sfu_tcp_config config = {
        .loop = network->config.loop,
        .connections_max = SFU_TCP_CONNECTIONS_MAX,
        .strangers_per_address = SFU_TCP_STRANGERS_PER_ADDRESS,
        .now_us = now_us,
        .on_datagram = on_tcp_datagram,
        .is_known = is_tcp_peer_known,
        .on_wakeup_end = on_tcp_wakeup_end,
        .ctx = network,
    };
    return network->config.tcp ? sfu_tcp_create(&network->tcp, &config) : 0;
}

int sfu_network_open(struct sfu_network *network, const struct sfu_network_config *config,
                     char *error, size_t error_size) {
    *network = (struct sfu_network){.config = *config};
    int result = open_tcp(network);
    for (size_t i = 0; i < config->address_count && result == 0; i++) {
        const char *address = config->addresses[i];
        result = open_udp(network, address, error, error_size);
        if (result == 0 && network->tcp != NULL)
            result = explain(network, "TCP", address,
                             sfu_tcp_listen(network->tcp, address, network->config.port), error,
                             error_size);
    }
    return result;
}

void sfu_network_close(struct sfu_network *network) {
    sfu_tcp_destroy(network->tcp);
    network->tcp = NULL;
    for (size_t i = 0; i < network->socket_count; i++)
        close_udp(&network->sockets[i]);
    network->socket_count = 0;
    for (size_t i = 0; i < SFU_UDP_BATCH; i++) {
        sfu_packet_unref(network->inbox.packets[i]);
        network->inbox.packets[i] = NULL;
    }
}

/* --- Counting --- */

void sfu_network_stats_add(const struct sfu_network *network, struct sfu_stats *stats) {
    sfu_delays_add(&stats->delays, &network->delays);
    for (size_t i = 0; i < network->socket_count; i++) {
        const struct sfu_udp *udp = &network->sockets[i].udp;
        stats->counters.datagrams_sent += udp->sent;
        stats->counters.bytes_sent += udp->sent_bytes;
        stats->counters.sends_failed += udp->failed;
        stats->counters.gso_messages += udp->gso_messages;
        stats->counters.gso_segments += udp->gso_segments;
        stats->counters.drop_in_kernel += sfu_udp_dropped(udp);
    }
    if (network->tcp == NULL)
        return;
    stats->tcp_connections += sfu_tcp_connection_count(network->tcp);
    sfu_counters_add(&stats->counters, sfu_tcp_counters(network->tcp));
}
