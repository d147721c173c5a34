#include "sfu/table.h"

#include <errno.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { INITIAL_CAPACITY = 32 };

static uint64_t fold(uint64_t a, uint64_t b) {
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static size_t place_of(const struct sfu_table *table, const uint8_t key[SFU_TABLE_KEY_MAX]) {
    uint64_t words[SFU_TABLE_KEY_MAX / 8];
    memcpy(words, key, sizeof(words));
    uint64_t hash = fold(words[0] ^ table->seed[0], words[1] ^ table->seed[1]);
    hash = fold(hash ^ words[2], table->seed[0] | 1);
    return (size_t)(hash ^ hash >> 32) & (table->capacity - 1);
}

/* The place of a key, or the empty one where it would go. */
static size_t find(const struct sfu_table *table, const uint8_t key[SFU_TABLE_KEY_MAX]) {
    size_t i = place_of(table, key);
    while (table->entries[i].value != NULL &&
           memcmp(table->entries[i].key, key, SFU_TABLE_KEY_MAX) != 0)
        i = (i + 1) & (table->capacity - 1);
    return i;
}

static void pad_key(const struct sfu_table *table, const void *key,
                    uint8_t out[SFU_TABLE_KEY_MAX]) {
    memset(out, 0, SFU_TABLE_KEY_MAX);
    memcpy(out, key, table->key_len);
}

int sfu_table_init(struct sfu_table *table, size_t key_len) {
    *table = (struct sfu_table){.key_len = key_len, .capacity = INITIAL_CAPACITY};
    if (RAND_bytes((unsigned char *)table->seed, sizeof(table->seed)) != 1)
        return -EIO;
    table->entries = calloc(table->capacity, sizeof(*table->entries));
    return table->entries ? 0 : -ENOMEM;
}

void sfu_table_deinit(struct sfu_table *table) {
    free(table->entries);
    table->entries = NULL;
}

void *sfu_table_get(const struct sfu_table *table, const void *key) {
    uint8_t padded[SFU_TABLE_KEY_MAX];
    pad_key(table, key, padded);
    return table->entries[find(table, padded)].value;
}

static int grow(struct sfu_table *table) {
    struct sfu_table bigger = *table;
    bigger.capacity *= 2;
    bigger.entries = calloc(bigger.capacity, sizeof(*bigger.entries));
    if (bigger.entries == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < table->capacity; i++)
        if (table->entries[i].value != NULL)
            bigger.entries[find(&bigger, table->entries[i].key)] = table->entries[i];
    free(table->entries);
    *table = bigger;
    return 0;
}

int sfu_table_put(struct sfu_table *table, const void *key, void *value) {
    /* Half full at most, so that runs stay short. */
    if ((table->count + 1) * 2 > table->capacity && grow(table) < 0)
        return -ENOMEM;
    uint8_t padded[SFU_TABLE_KEY_MAX];
    pad_key(table, key, padded);
    struct sfu_table_entry *entry = &table->entries[find(table, padded)];
    table->count += entry->value == NULL;
    memcpy(entry->key, padded, sizeof(padded));
    entry->value = value;
    return 0;
}

/* Moves later entries of the run back over the hole, where their own place allows it. */
static void close_hole(struct sfu_table *table, size_t hole) {
    size_t mask = table->capacity - 1;
    for (size_t i = (hole + 1) & mask; table->entries[i].value != NULL; i = (i + 1) & mask) {
        size_t home = place_of(table, table->entries[i].key);
        bool may_move = ((i - home) & mask) >= ((i - hole) & mask);
        if (!may_move)
            continue;
        table->entries[hole] = table->entries[i];
        hole = i;
    }
    table->entries[hole].value = NULL;
}

void *sfu_table_remove(struct sfu_table *table, const void *key) {
    uint8_t padded[SFU_TABLE_KEY_MAX];
    pad_key(table, key, padded);
    size_t i = find(table, padded);
    void *value = table->entries[i].value;
    if (value == NULL)
        return NULL;
    close_hole(table, i);
    table->count--;
    return value;
}

void *sfu_table_any(const struct sfu_table *table) {
    for (size_t i = 0; table->count > 0 && i < table->capacity; i++)
        if (table->entries[i].value != NULL)
            return table->entries[i].value;
    return NULL;
}
