/* The sockets of a crowd: one for each client, with what comes in taken a run at a time (UDP_GRO)
 * and what goes out a batch at a time, and a network of its own for each where one is modelled. One
 * thread. */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/client.h"
#include "bench/link.h"
#include "bench/loop.h"

struct bench_crowd_counters {
    uint64_t datagrams_in, bytes_in;
    uint64_t runs_in; /* System calls that gave them. */
    uint64_t datagrams_out, bytes_out;
    uint64_t sends_failed;
};

struct bench_crowd {
    /* Given. */
    struct bench_loop *loop;
    /* Owned. */
    uint8_t *incoming; /* One run. */
    struct bench_outgoing *outgoing;
    /* State. */
    struct in_addr local;     /* From which the servers are reached. */
    uint64_t arrived_us;      /* When the run that is being taken arrived. */
    uint64_t offset_us;       /* Of the wall clock, by which the kernel stamps, */
    uint64_t offset_until_us; /* and until when that holds. */
    /* Counters. */
    struct bench_crowd_counters counters;
};

/* The network of one client, both ways. */
struct bench_crowd_network {
    struct bench_link_config down, up;
};

struct bench_delayed;

/* One client's socket; embedded in its owner. */
struct bench_endpoint {
    struct bench_watch watch; /* The first. */
    struct bench_timer timer;
    /* Given. */
    struct bench_crowd *crowd;
    struct bench_client *client;
    /* Owned: what is on its way through the modelled network. */
    struct bench_link down, up;
    struct bench_delayed *delayed; /* The next to arrive first. */
    /* State. */
    bool is_open, is_connected, is_modelled;
    uint16_t port; /* Ours. */
};

/* server: host and port, or the host alone, that clients will talk to. A negative errno. */
int bench_crowd_init(struct bench_crowd *crowd, struct bench_loop *loop, const char *host);
void bench_crowd_deinit(struct bench_crowd *crowd);

/* Our address as text. */
void bench_crowd_address(const struct bench_crowd *crowd, char out[static SFU_ADDRESS_MAX]);

/* Opens a socket for a client that is to be given by bench_endpoint_attach. network: NULL for that
 * of the machine. A negative errno. */
int bench_endpoint_open(struct bench_endpoint *endpoint, struct bench_crowd *crowd,
                        const struct bench_crowd_network *network, uint64_t seed);

/* Where the client's datagrams go from now on, and what they are answered by; the client has begun.
 * A negative errno. */
int bench_endpoint_attach(struct bench_endpoint *endpoint, struct bench_client *client,
                          const struct bench_remote *remote);

/* What was changed in the client from outside may have brought its deadline forward. */
void bench_endpoint_wake(struct bench_endpoint *endpoint);

void bench_endpoint_close(struct bench_endpoint *endpoint);

/* A client's bench_client_send_fn with its endpoint as ctx. */
void bench_endpoint_send(void *ctx, const uint8_t *data, size_t len);

#endif
