#include "sfu/table.h"
#include "tests/unit/test.h"

#include <string.h>

static int values[4096];

static void finds_what_was_put_and_nothing_else(void) {
    struct sfu_table table;
    CHECK_INT(sfu_table_init(&table, sizeof(uint64_t)), 0);
    for (uint64_t key = 1; key <= 2000; key++)
        CHECK_INT(sfu_table_put(&table, &key, &values[key]), 0);
    CHECK_INT(table.count, 2000);
    for (uint64_t key = 1; key <= 2000; key++)
        CHECK(sfu_table_get(&table, &key) == &values[key]);
    uint64_t absent = 2001;
    CHECK(sfu_table_get(&table, &absent) == NULL);
    CHECK(sfu_table_remove(&table, &absent) == NULL);
    sfu_table_deinit(&table);
}

static void replaces_the_value_of_a_key(void) {
    struct sfu_table table;
    uint64_t key = 7;
    sfu_table_init(&table, sizeof(key));
    sfu_table_put(&table, &key, &values[0]);
    sfu_table_put(&table, &key, &values[1]);
    CHECK_INT(table.count, 1);
    CHECK(sfu_table_get(&table, &key) == &values[1]);
    sfu_table_deinit(&table);
}

/* Removal closes the hole: everything behind it in a run stays reachable, in every order of
 * removal. */
static void keeps_the_others_when_one_is_removed(void) {
    struct sfu_table table;
    sfu_table_init(&table, sizeof(uint64_t));
    for (uint64_t key = 1; key <= 1000; key++)
        sfu_table_put(&table, &key, &values[key]);
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t key = i * 389 % 1000 + 1; /* 389 and 1000 have no common factor. */
        CHECK(sfu_table_remove(&table, &key) == &values[key]);
        for (uint64_t rest = i + 1; rest < 1000; rest += 97) {
            uint64_t other = rest * 389 % 1000 + 1;
            CHECK(sfu_table_get(&table, &other) == &values[other]);
        }
    }
    CHECK_INT(table.count, 0);
    CHECK(sfu_table_any(&table) == NULL);
    sfu_table_deinit(&table);
}

static void compares_every_byte_of_a_key(void) {
    struct sfu_table table;
    uint8_t key[SFU_TABLE_KEY_MAX] = {0};
    sfu_table_init(&table, sizeof(key));
    for (size_t i = 0; i < sizeof(key); i++) {
        key[i] = 1;
        sfu_table_put(&table, key, &values[i + 1]);
        key[i] = 0;
    }
    CHECK_INT(table.count, SFU_TABLE_KEY_MAX);
    CHECK(sfu_table_get(&table, key) == NULL);
    sfu_table_deinit(&table);
}

static void places_keys_by_a_secret(void) {
    struct sfu_table a, b;
    sfu_table_init(&a, sizeof(uint64_t));
    sfu_table_init(&b, sizeof(uint64_t));
    CHECK(memcmp(a.seed, b.seed, sizeof(a.seed)) != 0);
    sfu_table_deinit(&a);
    sfu_table_deinit(&b);
}

static const struct test tests[] = {
    {"finds_what_was_put_and_nothing_else", finds_what_was_put_and_nothing_else},
    {"replaces_the_value_of_a_key", replaces_the_value_of_a_key},
    {"keeps_the_others_when_one_is_removed", keeps_the_others_when_one_is_removed},
    {"compares_every_byte_of_a_key", compares_every_byte_of_a_key},
    {"places_keys_by_a_secret", places_keys_by_a_secret},
};

TEST_MAIN(tests)
