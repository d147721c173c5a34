/* Memory that is given back all at once: what an operation was given, and what it found. */
#ifndef SIGNALING_STORE_ARENA_H
#define SIGNALING_STORE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct sig_arena_chunk;

/* Zero-initialised: empty. */
struct sig_arena {
    struct sig_arena_chunk *chunks; /* Owned. */
    bool failed;                    /* There was no memory once. */
};

/* Zeroed bytes for any type, or NULL (then failed is set). */
void *sig_arena_alloc(struct sig_arena *arena, size_t size);

/* A copy; NULL of NULL. */
char *sig_arena_text(struct sig_arena *arena, const char *text);

/* Room for one more element behind count of them: the array, perhaps elsewhere, or NULL. */
void *sig_arena_grow(struct sig_arena *arena, void *array, size_t count, size_t element_size);

void sig_arena_clear(struct sig_arena *arena);

#endif
