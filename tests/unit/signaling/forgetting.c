/* Past calls go after their days, and people whose sign-in is over, where the server is asked to.
 */
#include "signaling/forgetting.h"

#include "signaling/when.h"
#include "tests/unit/test.h"

#define DAY_MS (24 * 3600 * UINT64_C(1000))

static struct {
    uv_loop_t loop;
    struct sig_store *store;
    struct sig_forgetting forgetting;
    struct sig_config config;
} world;

/* The store's clock: what it is told is of ten minutes ago. */
static uint64_t earlier_ms(void) {
    return sig_when_now_ms() - 600 * 1000;
}

static void begin(void) {
    char error[200];
    uv_loop_init(&world.loop);
    CHECK_INT(sig_store_open(&world.store,
                             &(struct sig_store_options){.database = "sqlite::memory:",
                                                         .server = "one",
                                                         .loop = &world.loop,
                                                         .now_ms = earlier_ms},
                             error, sizeof(error)),
              0);
}

static void end(void) {
    sig_forgetting_stop(&world.forgetting);
    sig_store_stop(world.store);
    sig_forgetting_close(&world.forgetting);
    uv_run(&world.loop, UV_RUN_DEFAULT);
    sig_store_destroy(world.store);
    uv_loop_close(&world.loop);
}

static void keep_call(const char *id, uint64_t ended_ms) {
    struct sig_call *call = sig_call_create(id, SIG_CALL_AUDIO, "ada", "Ada", ended_ms - 1000);
    sig_call_apply(call, NULL, SIG_CALL_EVENT_START, ended_ms - 1000);
    sig_call_apply(call, NULL, SIG_CALL_EVENT_END, ended_ms);
    sig_store_save_change(world.store, &(struct sig_store_change){.call = call, .event = "END"},
                          NULL, NULL);
    sig_call_destroy(call);
}

static void take_count(void *data, int status, const struct sig_call *const *calls, size_t count,
                       size_t total) {
    (void)calls, (void)total;
    CHECK_INT(status, 0);
    *(size_t *)data = count;
}

static bool has_call(const char *id) {
    size_t count = 0;
    sig_store_find_call(world.store, id, take_count, &count);
    sig_store_wait(world.store);
    return count == 1;
}

static void take_people(void *data, int status, const struct sig_store_user *users, size_t count,
                        size_t total) {
    (void)users, (void)total;
    CHECK_INT(status, 0);
    *(size_t *)data = count;
}

static size_t people(void) {
    size_t count = 0;
    sig_store_list_users(world.store, NULL, 0, 10, take_people, &count);
    sig_store_wait(world.store);
    return count;
}

static void start(void) {
    sig_forgetting_start(&world.forgetting, &world.loop, world.store, &world.config);
}

/* The first tick is a timer's: what it does is awaited by what the store has then done. */
static void turn_until_done(uint64_t operations) {
    struct sig_store_stats stats;
    do {
        uv_run(&world.loop, UV_RUN_ONCE);
        sig_store_stats_get(world.store, &stats);
    } while (stats.done < operations);
    sig_store_wait(world.store);
}

static uint64_t done_so_far(void) {
    struct sig_store_stats stats;
    sig_store_wait(world.store);
    sig_store_stats_get(world.store, &stats);
    return stats.done;
}

static void calls_are_kept_for_their_days(void) {
    begin();
    world.config.history_days = 2;
    keep_call("older", sig_when_now_ms() - 3 * DAY_MS);
    keep_call("newer", sig_when_now_ms() - 1 * DAY_MS);
    uint64_t done = done_so_far();
    start();
    turn_until_done(done + 1);
    CHECK(!has_call("older"));
    CHECK(has_call("newer"));
    end();
}

static void without_days_calls_are_kept_for_ever(void) {
    begin();
    keep_call("old", sig_when_now_ms() - 4000 * DAY_MS);
    start();
    CHECK(!uv_is_active((uv_handle_t *)&world.forgetting.calls));
    CHECK(has_call("old"));
    end();
}

static void people_without_a_sign_in_go_where_a_name_is_all_they_have(void) {
    begin();
    world.config.demo = true;
    sig_store_save_user(world.store, "ada", "Ada", NULL, NULL);
    CHECK_INT(people(), 1);
    uint64_t done = done_so_far();
    start();
    turn_until_done(done + 1);
    CHECK_INT(people(), 0);
    end();
}

static void people_are_the_hosts_where_there_is_a_secret(void) {
    begin();
    world.config.demo = true;
    char secret[] = "0123456789abcdef0123456789abcdef";
    world.config.secret = secret;
    start();
    CHECK(!uv_is_active((uv_handle_t *)&world.forgetting.people));
    end();
}

static void nothing_is_asked_of_the_store_once_stopped(void) {
    begin();
    world.config.demo = true;
    world.config.history_days = 1;
    start();
    sig_forgetting_stop(&world.forgetting);
    CHECK(!uv_is_active((uv_handle_t *)&world.forgetting.people));
    CHECK(!uv_is_active((uv_handle_t *)&world.forgetting.calls));
    end();
}

static const struct test tests[] = {
    {"calls_are_kept_for_their_days", calls_are_kept_for_their_days},
    {"without_days_calls_are_kept_for_ever", without_days_calls_are_kept_for_ever},
    {"people_without_a_sign_in_go_where_a_name_is_all_they_have",
     people_without_a_sign_in_go_where_a_name_is_all_they_have},
    {"people_are_the_hosts_where_there_is_a_secret", people_are_the_hosts_where_there_is_a_secret},
    {"nothing_is_asked_of_the_store_once_stopped", nothing_is_asked_of_the_store_once_stopped},
};

TEST_MAIN(tests)
