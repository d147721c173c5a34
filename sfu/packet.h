/* Received packets: buffers from a pool, counted references, and what was read of them once. After
 * a packet has been published to others (the history, another worker) nothing in it changes but the
 * count. */
#ifndef SFU_PACKET_H
#define SFU_PACKET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtp/codec.h"
#include "rtp/dependency.h"
#include "rtp/rtp.h"

/* A datagram longer than this is dropped: above every MTU of the Internet, and what browsers send
 * stays below 1,300. */
enum { SFU_PACKET_CAPACITY = 1600 };

struct sfu_pool;

struct sfu_packet {
    /* Links. */
    struct sfu_packet *next; /* In the free list. */
    struct sfu_pool *pool;

    /* State. */
    atomic_uint refs;
    uint32_t len;
    uint64_t received_us;

    /* RTP only, filled by the engine that received it. */
    uint64_t track; /* Its number. */
    uint64_t seq;   /* Unwrapped. */
    uint8_t layer;
    bool restarts; /* The source began new sequence numbers with it. */
    bool skip; /* Counted, but nothing to forward: padding only, or a payload that no decoder would
                  take. */
    enum rtp_codec codec;
    struct rtp_packet rtp;
    struct rtp_extensions extensions;
    struct rtp_descriptor descriptor;
    bool plain;          /* Whoever gets the layer at all gets this: rtp_selectable_is_plain. */
    bool is_held;        /* The structure that its dependency descriptor refers to is missing. */
    bool has_dependency; /* Layers are told by the dependency descriptor; active targets are filled
                            in. */
    struct rtp_dependency dependency;

    uint8_t data[SFU_PACKET_CAPACITY];
};

/* A pool belongs to one thread, which alone gets packets from it; references may be dropped on any.
 */
int sfu_pool_create(struct sfu_pool **out, size_t max_packets);

/* All packets must have come back. */
void sfu_pool_destroy(struct sfu_pool *pool);

/* A packet with one reference; NULL when max_packets are in use or memory is out. */
struct sfu_packet *sfu_pool_get(struct sfu_pool *pool);

size_t sfu_pool_in_use(const struct sfu_pool *pool);

static inline struct sfu_packet *sfu_packet_ref(struct sfu_packet *packet) {
    atomic_fetch_add_explicit(&packet->refs, 1, memory_order_relaxed);
    return packet;
}

/* Drops a reference, from any thread; NULL is fine. */
void sfu_packet_unref(struct sfu_packet *packet);

#endif
