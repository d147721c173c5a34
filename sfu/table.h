/* A hash map from keys of up to 24 bytes to pointers: exact keys, a secret seed (an attacker who
 * chooses addresses cannot make them collide), open addressing without tombstones. */
#ifndef SFU_TABLE_H
#define SFU_TABLE_H

#include <stddef.h>
#include <stdint.h>

enum { SFU_TABLE_KEY_MAX = 24 };

struct sfu_table_entry {
    uint8_t key[SFU_TABLE_KEY_MAX]; /* Zero behind the key. */
    void *value;                    /* NULL: empty. */
};

struct sfu_table {
    /* Given. */
    size_t key_len;
    /* Owned. */
    struct sfu_table_entry *entries;
    /* State. */
    uint64_t seed[2];
    size_t capacity; /* A power of two. */
    size_t count;
};

/* Keys of key_len bytes. -ENOMEM. */
int sfu_table_init(struct sfu_table *table, size_t key_len);
void sfu_table_deinit(struct sfu_table *table);

/* The value of a key, or NULL. */
void *sfu_table_get(const struct sfu_table *table, const void *key);

/* Sets a key's value (not NULL), replacing an older one. -ENOMEM when it had to grow and could not.
 */
int sfu_table_put(struct sfu_table *table, const void *key, void *value);

/* Takes a key out and returns its value, or NULL. */
void *sfu_table_remove(struct sfu_table *table, const void *key);

/* Some value, or NULL when there is none: for emptying a table. */
void *sfu_table_any(const struct sfu_table *table);

/* The value at place i < capacity, or NULL: for walking over all while nothing is put or removed.
 */
static inline void *sfu_table_at(const struct sfu_table *table, size_t i) {
    return table->entries[i].value;
}

#endif
