/* The pool: chunks of packets, a free list of the owning thread, and a stack onto which any thread
 * may push what it was the last to use. The owner takes that stack whole, so it cannot suffer from
 * ABA. */
#include "sfu/packet.h"

#include <errno.h>
#include <stdlib.h>

enum { CHUNK_PACKETS = 64 };

struct chunk {
    struct chunk *next;
    struct sfu_packet packets[CHUNK_PACKETS];
};

struct sfu_pool {
    /* Given. */
    size_t max_packets;
    /* Owned. */
    struct chunk *chunks;
    /* State. */
    struct sfu_packet *free;
    _Atomic(struct sfu_packet *) returned;
    size_t allocated;
    atomic_size_t taken; /* Got less returned. */
};

int sfu_pool_create(struct sfu_pool **out, size_t max_packets) {
    struct sfu_pool *pool = calloc(1, sizeof(*pool));
    if (pool == NULL)
        return -ENOMEM;
    pool->max_packets = max_packets;
    *out = pool;
    return 0;
}

void sfu_pool_destroy(struct sfu_pool *pool) {
    if (pool == NULL)
        return;
    while (pool->chunks != NULL) {
        struct chunk *next = pool->chunks->next;
        free(pool->chunks);
        pool->chunks = next;
    }
    free(pool);
}

static void pool_grow(struct sfu_pool *pool) {
    if (pool->allocated + CHUNK_PACKETS > pool->max_packets)
        return;
    struct chunk *chunk = malloc(sizeof(*chunk));
    if (chunk == NULL)
        return;
    chunk->next = pool->chunks;
    pool->chunks = chunk;
    pool->allocated += CHUNK_PACKETS;
    for (size_t i = 0; i < CHUNK_PACKETS; i++) {
        chunk->packets[i].pool = pool;
        chunk->packets[i].next = pool->free;
        pool->free = &chunk->packets[i];
    }
}

struct sfu_packet *sfu_pool_get(struct sfu_pool *pool) {
    if (pool->free == NULL)
        pool->free = atomic_exchange_explicit(&pool->returned, NULL, memory_order_acquire);
    if (pool->free == NULL)
        pool_grow(pool);
    struct sfu_packet *packet = pool->free;
    if (packet == NULL)
        return NULL;
    pool->free = packet->next;
    packet->next = NULL;
    packet->len = 0;
    atomic_store_explicit(&packet->refs, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&pool->taken, 1, memory_order_relaxed);
    return packet;
}

size_t sfu_pool_in_use(const struct sfu_pool *pool) {
    return atomic_load_explicit(&pool->taken, memory_order_relaxed);
}

void sfu_packet_unref(struct sfu_packet *packet) {
    if (packet == NULL || atomic_fetch_sub_explicit(&packet->refs, 1, memory_order_acq_rel) != 1)
        return;
    struct sfu_pool *pool = packet->pool;
    /* Counted down first: afterwards the pool's owner may find every packet back and free it all.
     */
    atomic_fetch_sub_explicit(&pool->taken, 1, memory_order_relaxed);
    struct sfu_packet *head = atomic_load_explicit(&pool->returned, memory_order_relaxed);
    do
        packet->next = head;
    while (!atomic_compare_exchange_weak_explicit(&pool->returned, &head, packet,
                                                  memory_order_release, memory_order_relaxed));
}
