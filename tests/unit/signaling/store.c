/* What every store keeps, over SQLite and over PostgreSQL alike: each test runs on both, with its
 * own empty database, through the storage thread. */
#include "signaling/store.h"

#include <errno.h>

#include "signaling/log.h"
#include "tests/unit/signaling/postgres.h"
#include "tests/unit/test.h"

static uint64_t clock_ms = 1000000;

static uint64_t now_ms(void) {
    return clock_ms;
}

/* The world of one test. */
static struct {
    uv_loop_t loop;
    struct sig_store *store;
    const char *database;
    char folder[64];
} world;

static struct sig_store *open_as(const char *server) {
    struct sig_store *store = NULL;
    char error[200] = "";
    const struct sig_store_options options = {
        .database = world.database, .server = server, .loop = &world.loop, .now_ms = now_ms};
    if (sig_store_open(&store, &options, error, sizeof(error)) < 0)
        test_fail(__FILE__, __LINE__, "%s", error);
    return store;
}

static void close_store(void) {
    sig_store_stop(world.store);
    uv_run(&world.loop, UV_RUN_DEFAULT);
    sig_store_destroy(world.store);
}

/* As a process that dies and starts again, apart from what a kill adds. */
static void reopen(void) {
    close_store();
    world.store = open_as("one");
}

static void wait_all(void) {
    sig_store_wait(world.store);
}

static void take_status(void *data, int status) {
    *(int *)data = status;
}

/* Calls. */

static struct sig_call *make_call(const char *id, const char *caller, const char *callee) {
    struct sig_call *call = sig_call_create(id, SIG_CALL_VIDEO, caller, caller, clock_ms);
    sig_call_add(call, callee, callee);
    sig_call_apply(call, NULL, SIG_CALL_EVENT_START, clock_ms);
    return call;
}

static int save(struct sig_call *call, const struct sig_participant *changed, const char *event) {
    int status = 1;
    call->event_count++;
    sig_store_save_change(world.store,
                          &(struct sig_store_change){.call = call,
                                                     .changed = changed,
                                                     .event = event,
                                                     .by = changed ? changed->user_id : NULL,
                                                     .at_ms = clock_ms},
                          take_status, &status);
    wait_all();
    return status;
}

static void keep(const char *id, const char *caller, const char *callee,
                 enum sig_call_event answer) {
    struct sig_call *call = make_call(id, caller, callee);
    sig_call_apply(call, call->participants[1], answer, clock_ms + 10);
    if (answer == SIG_CALL_EVENT_JOIN)
        sig_call_apply(call, NULL, SIG_CALL_EVENT_END, clock_ms + 20);
    CHECK_INT(save(call, NULL, "START"), 0);
    sig_call_destroy(call);
    clock_ms += 1000;
}

struct found {
    char ids[400];
    size_t total;
    struct sig_call *first;
};

static void collect(void *data, int status, const struct sig_call *const *calls, size_t count,
                    size_t total) {
    struct found *found = data;
    CHECK_INT(status, 0);
    found->ids[0] = '\0';
    for (size_t i = 0; i < count; i++)
        strcat(strcat(found->ids, calls[i]->id), " ");
    found->total = total;
    found->first = count ? sig_call_copy(calls[0]) : NULL;
}

static struct sig_call *find(const char *id) {
    struct found found = {.total = 0};
    sig_store_find_call(world.store, id, collect, &found);
    wait_all();
    return found.first;
}

static const char *list(struct sig_store_query query, size_t *total) {
    static struct found found;
    query.limit = query.limit ? query.limit : 20;
    sig_store_list_calls(world.store, &query, collect, &found);
    wait_all();
    sig_call_destroy(found.first);
    if (total)
        *total = found.total;
    return found.ids;
}

#define ALL .outgoing = SIG_STORE_ANY, .missed = SIG_STORE_ANY, .video = SIG_STORE_ANY

static void a_call_comes_back_as_it_was(void) {
    struct sig_call *call = make_call("c1", "ada",
                                      "b\xc3\xb6"
                                      "b");
    call->channel_id = strdup("general");
    call->is_open = true;
    CHECK_INT(save(call, NULL, "START"), 0);
    struct sig_participant *bob = call->participants[1];
    sig_call_apply(call, bob, SIG_CALL_EVENT_JOIN, clock_ms + 5);
    bob->is_audio_enabled = true;
    CHECK_INT(save(call, bob, "JOIN"), 0);
    reopen();
    struct sig_call *got = find("c1");
    CHECK(got != NULL);
    CHECK_STR(got->channel_id, "general");
    CHECK_STR(got->initiator_id, "ada");
    CHECK_INT(got->status, SIG_CALL_ACTIVE);
    CHECK_INT(got->type, SIG_CALL_VIDEO);
    CHECK(got->is_open && !got->is_on_demand);
    CHECK_INT(got->started_at_ms, clock_ms + 5);
    CHECK_INT(got->event_count, 2);
    CHECK_INT(got->participant_count, 2);
    CHECK_STR(got->participants[0]->user_id, "ada");
    CHECK_STR(got->participants[1]->name, "b\xc3\xb6"
                                          "b");
    CHECK_INT(got->participants[1]->status, SIG_PARTICIPANT_JOINED);
    CHECK_INT(got->participants[1]->joined_at_ms, clock_ms + 5);
    CHECK(got->participants[1]->is_audio_enabled);
    CHECK(find("c2") == NULL);
    sig_call_destroy(got);
    sig_call_destroy(call);
}

static void several_stays_of_one_person_add_up_over_a_restart(void) {
    struct sig_call *call = make_call("c1", "ada", "bob");
    struct sig_participant *bob = call->participants[1];
    sig_call_apply(call, bob, SIG_CALL_EVENT_JOIN, 2000000);
    sig_call_apply(call, bob, SIG_CALL_EVENT_LEAVE, 2003000);
    save(call, NULL, "LEAVE");
    sig_call_destroy(call);
    reopen();
    call = find("c1");
    sig_call_apply(call, call->participants[1], SIG_CALL_EVENT_JOIN, 2010000);
    sig_call_apply(call, call->participants[1], SIG_CALL_EVENT_LEAVE, 2011000);
    save(call, call->participants[1], "LEAVE");
    sig_call_destroy(call);
    call = find("c1");
    CHECK_INT(call->participants[1]->total_ms, 4000);
    CHECK_INT(call->participants[1]->left_at_ms, 2011000);
    sig_call_destroy(call);
}

static void the_history_is_filtered_searched_and_paged_in_either_order(void) {
    size_t total = 0;
    keep("a", "ada", "bob", SIG_CALL_EVENT_JOIN);
    keep("b", "bob", "ada", SIG_CALL_EVENT_MISS);
    keep("c", "ada",
         "\xc3\x89"
         "va 100%",
         SIG_CALL_EVENT_REJECT);
    keep("d", "bob", "cyn", SIG_CALL_EVENT_JOIN);
    CHECK_STR(list((struct sig_store_query){ALL, .user_id = "ada"}, &total), "c b a ");
    CHECK_INT(total, 3);
    CHECK_STR(
        list((struct sig_store_query){ALL, .user_id = "ada", .limit = 1, .offset = 1}, &total),
        "b ");
    CHECK_INT(total, 3);
    CHECK_STR(list((struct sig_store_query){ALL, .user_id = "ada", .offset = 3}, &total), "");
    CHECK_STR(list((struct sig_store_query){ALL, .user_id = "ada", .order = SIG_STORE_OLDEST_FIRST},
                   NULL),
              "a b c ");
    struct sig_store_query query = {ALL, .user_id = "ada"};
    query.outgoing = SIG_STORE_NO;
    CHECK_STR(list(query, NULL), "b ");
    query.outgoing = SIG_STORE_ANY;
    query.missed = SIG_STORE_YES;
    CHECK_STR(list(query, &total), "b ");
    CHECK_INT(total, 1);
    query.missed = SIG_STORE_ANY;
    query.video = SIG_STORE_NO;
    CHECK_STR(list(query, NULL), "");
    query.video = SIG_STORE_ANY;
    query.search = "\xc3\xa9"
                   "VA";
    CHECK_STR(list(query, &total), "c ");
    CHECK_INT(total, 1);
    query.offset = 5;
    CHECK_STR(list(query, &total), "");
    CHECK_INT(total, 1);
    query.offset = 0;
    query.search = "0%";
    CHECK_STR(list(query, NULL), "c ");
    query.search = "0_";
    CHECK_STR(list(query, NULL), "");
    CHECK_STR(list((struct sig_store_query){ALL, .user_id = "eve"}, NULL), "");
}

static void a_listed_call_has_its_first_people_and_oneself(void) {
    struct sig_call *call = sig_call_create("big", SIG_CALL_AUDIO, "ada", "ada", clock_ms);
    char id[20];
    for (int i = 0; i < 40; i++) {
        snprintf(id, sizeof(id), "user%d", i);
        sig_call_add(call, id, id);
    }
    save(call, NULL, NULL);
    sig_call_destroy(call);
    struct found found;
    const struct sig_store_query query = {ALL, .user_id = "user39", .limit = 5};
    sig_store_list_calls(world.store, &query, collect, &found);
    wait_all();
    CHECK_INT(found.first->participant_count, SIG_STORE_PEOPLE_LISTED + 1);
    CHECK_INT(found.first->people_count, 41);
    CHECK_STR(found.first->participants[0]->user_id, "ada");
    CHECK(sig_call_find(found.first, "user39") != NULL);
    sig_call_destroy(found.first);
}

static void what_was_not_over_is_found_at_the_start_with_when_it_was_last_alive(void) {
    struct found found;
    struct sig_call *call = make_call("on", "ada", "bob");
    sig_call_apply(call, call->participants[1], SIG_CALL_EVENT_JOIN, clock_ms);
    save(call, NULL, "JOIN");
    keep("over", "ada", "bob", SIG_CALL_EVENT_JOIN);
    sig_store_note_alive(world.store, clock_ms + 7000);
    reopen();
    sig_store_load_unfinished(world.store, collect, &found);
    wait_all();
    CHECK_STR(found.ids, "on ");
    CHECK_INT(found.first->participants[1]->seen_at_ms, clock_ms + 7000);
    sig_call_destroy(found.first);
    sig_store_load_ended(world.store, 0, 10, collect, &found);
    wait_all();
    CHECK_STR(found.ids, "over ");
    sig_call_destroy(found.first);
    sig_call_destroy(call);
}

static void events_are_kept_in_their_order_once(void *data, int status,
                                                const struct sig_store_event *events,
                                                size_t count) {
    CHECK_INT(status, 0);
    CHECK_INT(count, 2);
    CHECK_STR(events[0].event, "START");
    CHECK(events[0].user_id == NULL);
    CHECK_STR(events[1].event, "JOIN");
    CHECK_STR(events[1].user_id, "bob");
    *(bool *)data = true;
}

static void what_happened_is_kept_in_its_order(void) {
    bool is_told = false;
    struct sig_call *call = make_call("c1", "ada", "bob");
    save(call, NULL, "START");
    sig_call_apply(call, call->participants[1], SIG_CALL_EVENT_JOIN, clock_ms);
    save(call, call->participants[1], "JOIN");
    sig_store_list_events(world.store, "c1", events_are_kept_in_their_order_once, &is_told);
    wait_all();
    CHECK(is_told);
    sig_call_destroy(call);
}

static void old_calls_are_forgotten_with_all_that_is_theirs(void) {
    int status = -1;
    keep("old", "ada", "bob", SIG_CALL_EVENT_JOIN);
    keep("new", "ada", "bob", SIG_CALL_EVENT_JOIN);
    sig_store_forget_calls(world.store, clock_ms - 1000, take_status, &status);
    wait_all();
    CHECK_INT(status, 1);
    CHECK_STR(list((struct sig_store_query){ALL, .user_id = "ada"}, NULL), "new ");
}

/* Users. */

struct names {
    char text[300];
    size_t total;
};

static void take_users(void *data, int status, const struct sig_store_user *users, size_t count,
                       size_t total) {
    struct names *names = data;
    CHECK_INT(status, 0);
    names->text[0] = '\0';
    for (size_t i = 0; i < count; i++)
        strcat(strcat(names->text, users[i].name ? users[i].name : "-"), " ");
    names->total = total;
}

static void users_are_renamed_found_and_searched(void) {
    static const char *const ids[] = {"3", "nobody", "1"};
    struct names names;
    sig_store_save_user(world.store, "1", "One", NULL, NULL);
    sig_store_save_user(world.store, "2", "two", NULL, NULL);
    sig_store_save_user(world.store, "1", "Uno", NULL, NULL);
    sig_store_save_user(world.store, "3", "Three", NULL, NULL);
    sig_store_find_users(world.store, ids, 3, take_users, &names);
    wait_all();
    CHECK_STR(names.text, "Three - Uno ");
    sig_store_list_users(world.store, "T", 1, 10, take_users, &names);
    wait_all();
    CHECK_STR(names.text, "two ");
    CHECK_INT(names.total, 2);
    sig_store_list_users(world.store, NULL, 0, 2, take_users, &names);
    wait_all();
    CHECK_STR(names.text, "Three two ");
    CHECK_INT(names.total, 3);
}

static void take_sign_ins(void *data, int status, const struct sig_store_sign_in *sign_ins,
                          size_t count) {
    struct names *names = data;
    CHECK_INT(status, 0);
    names->text[0] = '\0';
    for (size_t i = 0; i < count; i++)
        strcat(strcat(names->text, sign_ins[i].name), sign_ins[i].csrf);
    names->total = count;
}

static void sign_in(const char *id, const char *name, uint64_t used_at_ms) {
    const struct sig_store_sign_in sign_in = {
        .id = id, .csrf = "!", .user_id = "u", .name = name, .used_at_ms = used_at_ms};
    sig_store_save_sign_in(world.store, &sign_in, NULL, NULL);
}

static void sign_ins_survive_until_they_end_or_expire(void) {
    struct names names;
    sign_in("1", "ada", 5000);
    sign_in("2", "bob", 4000);
    sign_in("3", "cyn", 6000);
    sign_in("4", "dan", 100);
    sig_store_delete_sign_in(world.store, "1", NULL, NULL);
    reopen();
    sig_store_load_sign_ins(world.store, 1000, 10, take_sign_ins, &names);
    wait_all();
    CHECK_STR(names.text, "bob!cyn!");
    sig_store_load_sign_ins(world.store, 0, 1, take_sign_ins, &names);
    wait_all();
    CHECK_STR(names.text, "cyn!");
}

/* Channels. */

static void take_channels(void *data, int status, const struct sig_store_channel *channels,
                          size_t count) {
    struct names *names = data;
    char line[100];
    CHECK_INT(status, 0);
    names->text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        snprintf(line, sizeof(line), "%s:%zu%s ", channels[i].name, channels[i].member_count,
                 channels[i].is_member ? "*" : "");
        strcat(names->text, line);
    }
}

static void take_channel(void *data, int status, const struct sig_store_channel *channel,
                         const struct sig_store_user *members, size_t count) {
    struct names *names = data;
    CHECK_INT(status, 0);
    snprintf(names->text, sizeof(names->text), "%s: ", channel ? channel->name : "none");
    for (size_t i = 0; i < count; i++)
        strcat(strcat(names->text, members[i].name ? members[i].name : members[i].user_id), " ");
}

static void channels_have_members_and_a_name_of_their_own(void) {
    int status[5];
    struct names names;
    sig_store_save_user(world.store, "ada", "Ada", NULL, NULL);
    sig_store_create_channel(world.store, "1", "General", "ada", take_status, &status[0]);
    sig_store_create_channel(world.store, "2", "GENERAL", "bob", take_status, &status[1]);
    sig_store_create_channel(world.store, "3", "Attic", "bob", take_status, &status[2]);
    clock_ms++;
    sig_store_join_channel(world.store, "1", "bob", take_status, &status[3]);
    sig_store_join_channel(world.store, "9", "bob", take_status, &status[4]);
    wait_all();
    CHECK_INT(status[0], 0);
    CHECK_INT(status[1], -EEXIST);
    CHECK_INT(status[2], 0);
    CHECK_INT(status[3], 0);
    CHECK_INT(status[4], -ENOENT);
    sig_store_list_channels(world.store, "ada", take_channels, &names);
    wait_all();
    CHECK_STR(names.text, "Attic:1 General:2* ");
    sig_store_find_channel(world.store, "1", NULL, take_channel, &names);
    wait_all();
    CHECK_STR(names.text, "General: Ada bob ");
    sig_store_leave_channel(world.store, "1", "ada", take_status, &status[0]);
    sig_store_join_channel(world.store, "1", "bob", take_status, &status[1]);
    sig_store_find_channel(world.store, "1", NULL, take_channel, &names);
    wait_all();
    CHECK_STR(names.text, "General: bob ");
    sig_store_find_channel(world.store, "9", NULL, take_channel, &names);
    wait_all();
    CHECK_STR(names.text, "none: ");
}

/* Quality. */

static void take_samples(void *data, int status, const struct sig_store_sample *samples,
                         size_t count) {
    CHECK_INT(status, 0);
    CHECK_INT(count, 3);
    CHECK_STR(samples[0].user_id, "ada");
    CHECK_INT(samples[0].at_ms, 1000);
    CHECK_INT(samples[0].weight, 4);
    CHECK_INT(samples[0].score, 450);
    CHECK_INT(samples[0].score_min, 300);
    CHECK_STR(samples[0].reason, "loss");
    CHECK_INT(samples[1].at_ms, 61000);
    CHECK(samples[1].reason == NULL);
    CHECK_STR(samples[2].user_id, "bob");
    *(bool *)data = true;
}

static void quality_is_summed_up_over_intervals(void) {
    bool is_told = false;
    const struct sig_store_sample samples[] = {
        {.user_id = "ada", .at_ms = 1500, .weight = 3, .score = 500, .score_min = 480},
        {.user_id = "ada",
         .at_ms = 2500,
         .weight = 1,
         .score = 300,
         .score_min = 300,
         .reason = "loss"},
        {.user_id = "ada", .at_ms = 70000, .weight = 1, .score = 500, .score_min = 500},
        {.user_id = "bob", .at_ms = 2000, .weight = 1, .score = 400, .score_min = 400},
    };
    sig_store_save_samples(world.store, "c1", samples, 4, NULL, NULL);
    sig_store_list_samples(world.store, "c1", 1000, 60000, take_samples, &is_told);
    wait_all();
    CHECK(is_told);
}

/* Webhook messages. */

struct hooks {
    char text[300];
    uint64_t seq, next_due_ms;
};

static void take_hooks(void *data, int status, const struct sig_store_hook *hooks, size_t count,
                       uint64_t next_due_ms) {
    struct hooks *got = data;
    char line[100];
    CHECK_INT(status, 0);
    got->text[0] = '\0';
    got->next_due_ms = next_due_ms;
    for (size_t i = 0; i < count; i++) {
        snprintf(line, sizeof(line), "%s/%s/%u ", hooks[i].call_id, hooks[i].body,
                 hooks[i].attempts);
        strcat(got->text, line);
        got->seq = hooks[i].seq;
    }
}

static const char *hooks_at(uint64_t ms, struct hooks *hooks) {
    sig_store_list_hooks(world.store, ms, 10, take_hooks, hooks);
    wait_all();
    return hooks->text;
}

static void save_with_hooks(const char *id, const char *one, const char *two) {
    struct sig_call *call = make_call(id, "ada", "bob");
    const struct sig_store_hook hooks[] = {
        {.seq = 1, .id = one, .event = "call.started", .body = one},
        {.seq = 2, .id = two, .event = "call.ended", .body = two}};
    call->event_count++;
    sig_store_save_change(
        world.store,
        &(struct sig_store_change){.call = call, .at_ms = 100, .hooks = hooks, .hook_count = 2},
        NULL, NULL);
    sig_call_destroy(call);
}

static void webhook_messages_wait_in_the_order_of_their_call(void) {
    struct hooks hooks;
    save_with_hooks("c1", "m1", "m2");
    CHECK_STR(hooks_at(1000, &hooks), "c1/m1/0 ");
    CHECK(hooks.next_due_ms == UINT64_MAX);
    sig_store_delay_hook(world.store, "c1", hooks.seq, 5000, NULL, NULL);
    CHECK_STR(hooks_at(1000, &hooks), "");
    CHECK_INT(hooks.next_due_ms, 5000);
    save_with_hooks("c2", "m3", "m4");
    CHECK_STR(hooks_at(1000, &hooks), "c2/m3/0 ");
    reopen();
    CHECK_STR(hooks_at(5000, &hooks), "c2/m3/0 c1/m1/1 ");
    sig_store_delete_hook(world.store, "c1", hooks.seq, NULL, NULL);
    CHECK_STR(hooks_at(5000, &hooks), "c1/m2/0 c2/m3/0 ");
}

/* The queue. */

static void note_order(void *data, int status) {
    static int next;
    CHECK_INT(status, 0);
    CHECK_INT((intptr_t)data, next++);
}

static void thousands_of_writes_are_answered_in_order_in_few_transactions(void) {
    struct sig_store_stats stats;
    char id[20];
    for (intptr_t i = 0; i < 5000; i++) {
        snprintf(id, sizeof(id), "user%d", (int)(i % 100));
        sig_store_save_user(world.store, id, id, note_order, (void *)i);
    }
    wait_all();
    sig_store_stats_get(world.store, &stats);
    CHECK_INT(stats.done, 5000);
    CHECK_INT(stats.failed, 0);
    CHECK(stats.batches < 500);
}

static void what_is_queued_at_the_stop_is_written_and_later_ones_are_refused(void) {
    int status = 1, late = 1;
    struct names names;
    for (int i = 0; i < 500; i++)
        sig_store_save_user(world.store, "1", "One", take_status, &status);
    sig_store_stop(world.store);
    CHECK_INT(status, 0);
    sig_store_save_user(world.store, "1", "Two", take_status, &late);
    CHECK_INT(late, -ECANCELED);
    reopen();
    sig_store_list_users(world.store, "", 0, 5, take_users, &names);
    wait_all();
    CHECK_STR(names.text, "One ");
}

/* Each on both. */

static void begin(const char *database) {
    static FILE *nowhere;
    nowhere = fopen("/dev/null", "w");
    sig_log_init(SIG_LOG_ERROR, SIG_LOG_HUMAN, nowhere);
    world.database = database;
    uv_loop_init(&world.loop);
    world.store = open_as("one");
}

static void end(void) {
    close_store();
    CHECK_INT(uv_loop_close(&world.loop), 0);
}

static void on_sqlite(void (*test)(void)) {
    char database[100];
    strcpy(world.folder, "/tmp/weir-store-XXXXXX");
    CHECK(mkdtemp(world.folder) != NULL);
    snprintf(database, sizeof(database), "sqlite:%s/weir.db", world.folder);
    begin(database);
    test();
    end();
    nftw(world.folder, postgres_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static void on_postgres(void (*test)(void)) {
    CHECK(postgres.server > 0);
    CHECK(postgres_say("SET client_min_messages = error; DROP SCHEMA IF EXISTS weir CASCADE"));
    begin(postgres.uri);
    test();
    end();
}

#define BEHAVIOURS                                                                                 \
    X(a_call_comes_back_as_it_was)                                                                 \
    X(several_stays_of_one_person_add_up_over_a_restart)                                           \
    X(the_history_is_filtered_searched_and_paged_in_either_order)                                  \
    X(a_listed_call_has_its_first_people_and_oneself)                                              \
    X(what_was_not_over_is_found_at_the_start_with_when_it_was_last_alive)                         \
    X(what_happened_is_kept_in_its_order)                                                          \
    X(old_calls_are_forgotten_with_all_that_is_theirs)                                             \
    X(users_are_renamed_found_and_searched)                                                        \
    X(sign_ins_survive_until_they_end_or_expire)                                                   \
    X(channels_have_members_and_a_name_of_their_own)                                               \
    X(quality_is_summed_up_over_intervals)                                                         \
    X(webhook_messages_wait_in_the_order_of_their_call)                                            \
    X(thousands_of_writes_are_answered_in_order_in_few_transactions)                               \
    X(what_is_queued_at_the_stop_is_written_and_later_ones_are_refused)

#define X(name)                                                                                    \
    static void sqlite_##name(void) {                                                              \
        on_sqlite(name);                                                                           \
    }                                                                                              \
    static void postgres_##name(void) {                                                            \
        on_postgres(name);                                                                         \
    }
BEHAVIOURS
#undef X

static const struct test tests[] = {
#define X(name) {"sqlite: " #name, sqlite_##name}, {"postgresql: " #name, postgres_##name},
    BEHAVIOURS
#undef X
};

int main(int argc, char **argv) {
    if (!postgres_open())
        printf("  PostgreSQL does not start\n");
    int status = test_main(tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
    postgres_close();
    return status;
}
