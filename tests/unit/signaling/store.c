#include "signaling/store.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/test.h"

static uint64_t clock_ms = 1000;

static uint64_t now_ms(void) {
    return clock_ms;
}

static struct sig_store *open_store(size_t max_calls) {
    const struct sig_store_memory_options options = {
        .max_calls = max_calls, .max_users = 2, .max_age_ms = 10000, .now_ms = now_ms};
    return sig_store_memory_create(&options);
}

static void expect_saved(void *data, int status) {
    CHECK_INT(status, 0);
    ++*(int *)data;
}

/* Saves a call of ada's, over or going on. */
static void save(struct sig_store *store, const char *id, bool is_over) {
    int saved = 0;
    struct sig_call *call = sig_call_create(id, SIG_CALL_AUDIO, "ada", "Ada", clock_ms);
    sig_call_apply(call, NULL, SIG_CALL_EVENT_START, clock_ms);
    if (is_over)
        sig_call_apply(call, NULL, SIG_CALL_EVENT_END, clock_ms);
    sig_store_save_call(store, call, NULL, expect_saved, &saved);
    CHECK_INT(saved, 1);
    sig_call_destroy(call);
}

struct found {
    char ids[200];
    size_t total;
};

static void collect(void *data, int status, const struct sig_call *const *calls, size_t count,
                    size_t total) {
    struct found *found = data;
    CHECK_INT(status, 0);
    found->ids[0] = '\0';
    for (size_t i = 0; i < count; i++)
        strcat(strcat(found->ids, calls[i]->id), " ");
    found->total = total;
}

static void collect_name(void *data, const char *name) {
    snprintf(data, 20, "%s", name ? name : "-");
}

static void what_was_saved_is_found_as_it_was_then(void) {
    struct sig_store *store = open_store(10);
    struct found found;
    save(store, "one", false);
    save(store, "one", true);
    sig_store_find_call(store, "one", collect, &found);
    CHECK_STR(found.ids, "one ");
    sig_store_find_call(store, "two", collect, &found);
    CHECK_STR(found.ids, "");
    sig_store_list_unfinished(store, collect, &found);
    CHECK_INT(found.total, 0);
    sig_store_destroy(store);
}

static void a_users_calls_come_in_pages_in_either_order(void) {
    struct sig_store *store = open_store(10);
    struct found found;
    save(store, "a", true);
    save(store, "b", true);
    save(store, "c", false);
    struct sig_store_query query = {.user_id = "ada", .limit = 2};
    sig_store_list_calls(store, &query, collect, &found);
    CHECK_STR(found.ids, "c b ");
    CHECK_INT(found.total, 3);
    query.offset = 2;
    sig_store_list_calls(store, &query, collect, &found);
    CHECK_STR(found.ids, "a ");
    query = (struct sig_store_query){.user_id = "ada", .limit = 5, .order = SIG_STORE_OLDEST_FIRST};
    sig_store_list_calls(store, &query, collect, &found);
    CHECK_STR(found.ids, "a b c ");
    query.user_id = "eve";
    sig_store_list_calls(store, &query, collect, &found);
    CHECK_INT(found.total, 0);
    sig_store_destroy(store);
}

static void too_many_calls_push_out_the_oldest_that_are_over(void) {
    struct sig_store *store = open_store(2);
    struct found found;
    save(store, "live", false);
    save(store, "a", true);
    save(store, "b", true);
    struct sig_store_query query = {.user_id = "ada", .limit = 5};
    sig_store_list_calls(store, &query, collect, &found);
    CHECK_STR(found.ids, "b live ");
    sig_store_destroy(store);
}

static void calls_that_are_long_over_are_forgotten(void) {
    struct sig_store *store = open_store(10);
    struct found found;
    save(store, "old", true);
    clock_ms += 10001;
    sig_store_find_call(store, "old", collect, &found);
    CHECK_STR(found.ids, "");
    save(store, "new", true);
    struct sig_store_query query = {.user_id = "ada", .limit = 5};
    sig_store_list_calls(store, &query, collect, &found);
    CHECK_STR(found.ids, "new ");
    sig_store_destroy(store);
}

static void names_are_replaced_and_the_least_recent_goes_first(void) {
    struct sig_store *store = open_store(1);
    char name[20];
    sig_store_save_user(store, "1", "One", NULL, NULL);
    sig_store_save_user(store, "2", "Two", NULL, NULL);
    sig_store_save_user(store, "1", "Uno", NULL, NULL);
    sig_store_save_user(store, "3", "Three", NULL, NULL);
    sig_store_find_user(store, "1", collect_name, name);
    CHECK_STR(name, "Uno");
    sig_store_find_user(store, "2", collect_name, name);
    CHECK_STR(name, "-");
    sig_store_destroy(store);
}

static const struct test tests[] = {
#define T(name)                                                                                    \
    { #name, name }
    T(what_was_saved_is_found_as_it_was_then),
    T(a_users_calls_come_in_pages_in_either_order),
    T(too_many_calls_push_out_the_oldest_that_are_over),
    T(calls_that_are_long_over_are_forgotten),
    T(names_are_replaced_and_the_least_recent_goes_first),
#undef T
};

TEST_MAIN(tests)
