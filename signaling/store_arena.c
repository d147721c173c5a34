#include "signaling/store_arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES 1000u

struct sig_arena_chunk {
    struct sig_arena_chunk *next;
    size_t used, size;
    max_align_t bytes[];
};

static struct sig_arena_chunk *add_chunk(struct sig_arena *arena, size_t size) {
    size_t bytes = size > CHUNK_BYTES ? size : CHUNK_BYTES;
    struct sig_arena_chunk *chunk = malloc(sizeof(*chunk) + bytes);
    if (!chunk) {
        arena->failed = true;
        return NULL;
    }
    chunk->used = 0;
    chunk->size = bytes;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    return chunk;
}

void *sig_arena_alloc(struct sig_arena *arena, size_t size) {
    size_t needed = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    struct sig_arena_chunk *chunk = arena->chunks;
    if (!chunk || chunk->size - chunk->used < needed)
        chunk = add_chunk(arena, needed);
    if (!chunk)
        return NULL;
    void *bytes = (char *)chunk->bytes + chunk->used;
    chunk->used += needed;
    return memset(bytes, 0, size);
}

char *sig_arena_text(struct sig_arena *arena, const char *text) {
    size_t size = text ? strlen(text) + 1 : 0;
    char *copy = text ? sig_arena_alloc(arena, size) : NULL;
    return copy ? memcpy(copy, text, size) : NULL;
}

/* The capacity is the next power of two, so it need not be kept: count says when to double. */
void *sig_arena_grow(struct sig_arena *arena, void *array, size_t count, size_t element_size) {
    if (count & (count - 1) || (count == 0 && array))
        return array;
    void *bigger = sig_arena_alloc(arena, (count ? count * 2 : 1) * element_size);
    if (bigger && count)
        memcpy(bigger, array, count * element_size);
    return bigger;
}

void sig_arena_clear(struct sig_arena *arena) {
    while (arena->chunks) {
        struct sig_arena_chunk *chunk = arena->chunks;
        arena->chunks = chunk->next;
        free(chunk);
    }
    arena->failed = false;
}
