#include "sfu/pipe.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "sfu/packet.h"

struct sfu_pipe {
    /* Given. */
    size_t capacity;
    /* State; each end has a cache line of its own. */
    _Alignas(64) atomic_size_t head; /* Next to read. */
    _Alignas(64) atomic_size_t tail; /* Next to write. */
    _Alignas(64) struct sfu_pipe_entry entries[];
};

int sfu_pipe_create(struct sfu_pipe **out, size_t capacity) {
    size_t size = sizeof(struct sfu_pipe) + capacity * sizeof(struct sfu_pipe_entry);
    struct sfu_pipe *pipe = aligned_alloc(64, (size + 63) / 64 * 64);
    if (pipe == NULL)
        return -ENOMEM;
    pipe->capacity = capacity;
    atomic_init(&pipe->head, 0);
    atomic_init(&pipe->tail, 0);
    *out = pipe;
    return 0;
}

void sfu_pipe_destroy(struct sfu_pipe *pipe) {
    struct sfu_pipe_entry entry;
    while (pipe != NULL && sfu_pipe_pop(pipe, &entry))
        if (entry.type == SFU_PIPE_PACKET)
            sfu_packet_unref(entry.packet);
    free(pipe);
}

bool sfu_pipe_push(struct sfu_pipe *pipe, const struct sfu_pipe_entry *entry) {
    size_t tail = atomic_load_explicit(&pipe->tail, memory_order_relaxed);
    if (tail - atomic_load_explicit(&pipe->head, memory_order_acquire) == pipe->capacity)
        return false;
    pipe->entries[tail & (pipe->capacity - 1)] = *entry;
    atomic_store_explicit(&pipe->tail, tail + 1, memory_order_release);
    return true;
}

bool sfu_pipe_pop(struct sfu_pipe *pipe, struct sfu_pipe_entry *out) {
    size_t head = atomic_load_explicit(&pipe->head, memory_order_relaxed);
    if (head == atomic_load_explicit(&pipe->tail, memory_order_acquire))
        return false;
    *out = pipe->entries[head & (pipe->capacity - 1)];
    atomic_store_explicit(&pipe->head, head + 1, memory_order_release);
    return true;
}
