/* ICE-TCP, passive (RFC 6544): for clients whose network lets no UDP through. Listens, reads and
 * writes framed datagrams (RFC 4571), and keeps strangers from holding anything for long. Runs on
 * its loop's thread. */
#ifndef SFU_TCP_H
#define SFU_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "sfu/address.h"
#include "sfu/batch.h"
#include "sfu/sfu.h"

enum {
    SFU_TCP_CONNECTIONS_MAX = 1024,

    /* Only of those that have not passed a check: a company behind one NAT may have many more
     * people in calls than this. */
    SFU_TCP_STRANGERS_PER_ADDRESS = 64,

    /* A connection whose peer did not pass a check, or whose participant left, ends after this. */
    SFU_TCP_STRANGER_US = 5 * 1000 * 1000,

    /* Browsers check even a pair that they hold in reserve every 25 s (RFC 7675 wants 5 s). */
    SFU_TCP_IDLE_US = 60 * 1000 * 1000,
};

struct sfu_tcp;

struct sfu_tcp_config {
    uv_loop_t *loop;
    size_t connections_max;
    size_t strangers_per_address; /* An IPv4 address or an IPv6 /64. */

    uint64_t (*now_us)(void);

    /* One datagram, valid during the call. `from` names the connection: its tcp is set, and its
     * via is of this connection alone. */
    void (*on_datagram)(void *ctx, uint64_t now_us, const struct sfu_address *from,
                        const uint8_t *data, size_t len);

    /* Whether the peer has passed a connectivity check of a participant who is still there. */
    bool (*is_known)(void *ctx, const struct sfu_address *from);

    /* Ends a wake-up in which datagrams came. */
    void (*on_wakeup_end)(void *ctx, uint64_t now_us);

    void *ctx; /* Of all three. */
};

/* -ENOMEM. */
int sfu_tcp_create(struct sfu_tcp **out, const struct sfu_tcp_config *config);

/* Closes everything at once; the memory is freed by the loop's next turn. NULL is fine. */
void sfu_tcp_destroy(struct sfu_tcp *tcp);

/* Accepts connections to an IP address and port. A negative errno. */
int sfu_tcp_listen(struct sfu_tcp *tcp, const char *address, uint16_t port);

/* Takes a connected, non-blocking stream socket as if it had been accepted; `from` without via. The
 * socket is taken or, over a limit (-EBUSY) or without memory (-ENOMEM), closed. */
int sfu_tcp_adopt(struct sfu_tcp *tcp, int fd, const struct sfu_address *from);

/* Sends messages to the connections that they name. What a connection's buffer has no room for, or
 * whose connection is gone, is counted and lost, each datagram as a whole. */
void sfu_tcp_write(struct sfu_tcp *tcp, const struct sfu_message *messages, size_t count);

/* Closes connections that are strangers or silent for too long, and listens again where accepting
 * had failed; called by itself every second. */
void sfu_tcp_sweep(struct sfu_tcp *tcp, uint64_t now_us);

size_t sfu_tcp_connection_count(const struct sfu_tcp *tcp);

/* What it counted: datagrams_sent, bytes_sent, sends_failed and tcp_*. */
const struct sfu_counters *sfu_tcp_counters(const struct sfu_tcp *tcp);

#endif
