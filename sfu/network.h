/* A worker's sockets: UDP and TCP at the same port of each address. What they bring goes to the
 * engine, what the engine sends goes out by the one that it names. Runs on the loop's thread. */
#ifndef SFU_NETWORK_H
#define SFU_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "sfu/delay.h"
#include "sfu/engine.h"
#include "sfu/guard.h"
#include "sfu/packet.h"
#include "sfu/sfu.h"
#include "sfu/tcp.h"
#include "sfu/udp.h"

enum { SFU_SOCKETS_MAX = 8 /* Addresses that a worker binds. */ };

struct sfu_network_config {
    uv_loop_t *loop;
    struct sfu_engine *engine;
    struct sfu_pool *pool;
    const char *const *addresses;
    size_t address_count; /* At most SFU_SOCKETS_MAX. */
    uint16_t port;        /* 0: one that is free, and then that one. */
    bool gso;
    bool tcp;
    void (*on_wakeup_end)(void *ctx, uint64_t now_us); /* Datagrams were read. */
    void *ctx;
};

struct sfu_udp_socket {
    struct sfu_udp udp;
    uv_poll_t poll;
    /* Whether a report has come is watched while none has lately; else they are read at ticks, or
       with media. */
    uv_poll_t reports_poll;
    uv_timer_t reports_timer;
    struct sfu_network *network;
    uint32_t via;
};

/* Embedded in a worker, and to outlive the loop's last turn. */
struct sfu_network {
    /* Given. */
    struct sfu_network_config config;
    /* Owned. */
    struct sfu_udp_inbox inbox;
    struct sfu_udp_socket sockets[SFU_SOCKETS_MAX];
    struct sfu_tcp *tcp; /* NULL: switched off. */
    /* State. */
    size_t socket_count;
    struct sfu_guard guard;
    /* Counters. */
    struct sfu_delays delays;
};

/* Binds all sockets and begins to read. A negative errno, with the reason in words; what was opened
 * is to be closed in every case. */
int sfu_network_open(struct sfu_network *network, const struct sfu_network_config *config,
                     char *error, size_t error_size);

/* Closes all sockets and gives the packets back; a zeroed network is fine. The loop has to turn
 * once more before the memory may go. */
void sfu_network_close(struct sfu_network *network);

/* Sends the engine's messages. */
void sfu_network_write(struct sfu_network *network, const struct sfu_message *messages,
                       size_t count);

/* Adds what the sockets counted. */
void sfu_network_stats_add(const struct sfu_network *network, struct sfu_stats *stats);

#endif
