/* Databases that are damaged, foreign, taken, full, or away; and their copies. */
#include "signaling/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/resource.h>

#include "signaling/log.h"
#include "tests/unit/signaling/postgres.h"
#include "tests/unit/test.h"

static uv_loop_t loop;
static char folder[64], file[100], database[300], error[400];

static int open_store(struct sig_store **out) {
    const struct sig_store_options options = {.database = database, .server = "one", .loop = &loop};
    error[0] = '\0';
    return sig_store_open(out, &options, error, sizeof(error));
}

static struct sig_store *must_open(void) {
    struct sig_store *store = NULL;
    if (open_store(&store) < 0)
        test_fail(__FILE__, __LINE__, "%s", error);
    return store;
}

static void must_close(struct sig_store *store) {
    sig_store_stop(store);
    uv_run(&loop, UV_RUN_DEFAULT);
    sig_store_destroy(store);
}

static void begin(void) {
    sig_log_init(SIG_LOG_ERROR, SIG_LOG_HUMAN, fopen("/dev/null", "w"));
    strcpy(folder, "/tmp/weir-trouble-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(file, sizeof(file), "%s/weir.db", folder);
    snprintf(database, sizeof(database), "sqlite:%s", file);
    uv_loop_init(&loop);
}

static void end(void) {
    CHECK_INT(uv_loop_close(&loop), 0);
    nftw(folder, postgres_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static void take_status(void *data, int status) {
    *(int *)data = status;
}

static int save_user(struct sig_store *store, const char *user_id, const char *name) {
    int status = 1;
    sig_store_save_user(store, user_id, name, take_status, &status);
    while (status == 1)
        uv_run(&loop, UV_RUN_ONCE);
    return status;
}

static void take_count(void *data, int status, const struct sig_store_user *users, size_t count,
                       size_t total) {
    (void)users;
    (void)count;
    *(int *)data = status < 0 ? status : (int)total;
}

static int count_users(struct sig_store *store) {
    int count = -1000;
    sig_store_list_users(store, NULL, 0, 1, take_count, &count);
    while (count == -1000)
        uv_run(&loop, UV_RUN_ONCE);
    return count;
}

/* Runs statements on the file behind the store's back. */
static void say(const char *statements) {
    sqlite3 *db = NULL;
    CHECK_INT(sqlite3_open(file, &db), SQLITE_OK);
    CHECK_INT(sqlite3_exec(db, statements, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void a_file_that_is_no_database_is_refused_and_left_alone(void) {
    struct sig_store *store = NULL;
    char text[100] = "";
    begin();
    FILE *stream = fopen(file, "w");
    for (int i = 0; i < 100; i++)
        fputs("this is somebody's diary, not a database\n", stream);
    fclose(stream);
    CHECK_INT(open_store(&store), -EBADMSG);
    CHECK(store == NULL);
    CHECK(strstr(error, "not a database") != NULL);
    stream = fopen(file, "r");
    CHECK(fgets(text, sizeof(text), stream) != NULL);
    CHECK(strncmp(text, "this is", 7) == 0);
    fclose(stream);
    end();
}

static void a_damaged_database_is_refused(void) {
    struct sig_store *store = NULL;
    static const char garbage[4096] = {1, 2, 3};
    begin();
    must_close(must_open());
    int descriptor = open(file, O_WRONLY);
    CHECK_INT(pwrite(descriptor, garbage, sizeof(garbage) - 200, 200), sizeof(garbage) - 200);
    close(descriptor);
    CHECK_INT(open_store(&store), -EBADMSG);
    CHECK(strstr(error, "malformed") != NULL);
    end();
}

static void a_newer_database_is_refused_with_both_versions(void) {
    struct sig_store *store = NULL;
    begin();
    must_close(must_open());
    say("INSERT INTO migrations VALUES (999, 0)");
    CHECK_INT(open_store(&store), -EPROTONOSUPPORT);
    CHECK(strstr(error, "999") != NULL);
    CHECK(strstr(error, "newer weir") != NULL);
    end();
}

static void a_database_of_somebody_else_is_refused(void) {
    struct sig_store *store = NULL;
    begin();
    say("CREATE TABLE recipes (name TEXT)");
    CHECK_INT(open_store(&store), -EBADMSG);
    CHECK(strstr(error, "something else") != NULL);
    end();
}

static void two_servers_cannot_have_one_file(void) {
    struct sig_store *second = NULL;
    begin();
    struct sig_store *store = must_open();
    CHECK_INT(open_store(&second), -EBUSY);
    CHECK(strstr(error, "another weir") != NULL);
    must_close(store);
    must_close(must_open());
    end();
}

static void a_full_disk_is_answered_and_made_up_for(void) {
    char name[1000] = "";
    struct rlimit limit;
    struct stat info;
    begin();
    memset(name, 'x', sizeof(name) - 1);
    struct sig_store *store = must_open();
    CHECK_INT(save_user(store, "1", "before"), 0);
    signal(SIGXFSZ, SIG_IGN);
    char log[120];
    snprintf(log, sizeof(log), "%s-wal", file);
    CHECK_INT(stat(log, &info), 0);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = (rlim_t)info.st_size;
    setrlimit(RLIMIT_FSIZE, &limit);
    CHECK(save_user(store, "2", name) < 0);
    CHECK(save_user(store, "3", name) < 0);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_FSIZE, &limit);
    CHECK_INT(save_user(store, "4", "after"), 0);
    CHECK_INT(count_users(store), 4);
    must_close(store);
    end();
}

static void what_cannot_be_written_before_the_stop_is_cancelled_in_seconds(void) {
    char name[1000] = "";
    struct rlimit limit;
    begin();
    memset(name, 'x', sizeof(name) - 1);
    struct sig_store *store = must_open();
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = 0;
    setrlimit(RLIMIT_FSIZE, &limit);
    CHECK(save_user(store, "2", name) < 0);
    time_t began = time(NULL);
    must_close(store);
    CHECK(time(NULL) - began < 10);
    end();
}

static void a_copy_made_while_others_write_has_all_that_was_written_before(void) {
    char copy[100], id[20];
    begin();
    snprintf(copy, sizeof(copy), "%s/copy.db", folder);
    struct sig_store *store = must_open();
    for (int i = 0; i < 1000; i++) {
        snprintf(id, sizeof(id), "%d", i);
        sig_store_save_user(store, id, "name", NULL, NULL);
    }
    CHECK_INT(save_user(store, "last", "name"), 0);
    for (int i = 0; i < 1000; i++) {
        snprintf(id, sizeof(id), "late%d", i);
        sig_store_save_user(store, id, "name", NULL, NULL);
    }
    CHECK_INT(sig_store_backup(database, copy, error, sizeof(error)), 0);
    CHECK_INT(sig_store_backup(database, copy, error, sizeof(error)), -EEXIST);
    must_close(store);
    snprintf(database, sizeof(database), "sqlite:%s", copy);
    store = must_open();
    CHECK(count_users(store) >= 1001);
    must_close(store);
    end();
}

static void a_server_that_is_away_is_answered_for_and_made_up_for(void) {
    CHECK(postgres_open());
    begin();
    snprintf(database, sizeof(database), "%s", postgres.uri);
    struct sig_store *store = must_open();
    CHECK_INT(save_user(store, "1", "before"), 0);
    postgres_stop_server(SIGINT);
    CHECK(save_user(store, "2", "away") < 0);
    CHECK(count_users(store) < 0);
    CHECK(postgres_start_server());
    for (int i = 0; i < 100 && count_users(store) < 0; i++)
        usleep(50000);
    CHECK_INT(count_users(store), 2);
    CHECK_INT(save_user(store, "3", "after"), 0);
    must_close(store);
    end();
    postgres_close();
}

static void a_connection_that_is_cut_is_made_again_unnoticed(void) {
    CHECK(postgres_open());
    begin();
    snprintf(database, sizeof(database), "%s", postgres.uri);
    struct sig_store *store = must_open();
    for (int i = 0; i < 5; i++) {
        CHECK_INT(save_user(store, "1", "name"), 0);
        PGconn *connection = PQconnectdb(postgres.uri);
        PQclear(PQexec(connection, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                                   " WHERE application_name = 'weir'"));
        PQfinish(connection);
    }
    CHECK_INT(count_users(store), 1);
    must_close(store);
    end();
    postgres_close();
}

static const struct test tests[] = {
#define T(name)                                                                                    \
    { #name, name }
    T(a_file_that_is_no_database_is_refused_and_left_alone),
    T(a_damaged_database_is_refused),
    T(a_newer_database_is_refused_with_both_versions),
    T(a_database_of_somebody_else_is_refused),
    T(two_servers_cannot_have_one_file),
    T(a_full_disk_is_answered_and_made_up_for),
    T(what_cannot_be_written_before_the_stop_is_cancelled_in_seconds),
    T(a_copy_made_while_others_write_has_all_that_was_written_before),
    T(a_server_that_is_away_is_answered_for_and_made_up_for),
    T(a_connection_that_is_cut_is_made_again_unnoticed),
#undef T
};

TEST_MAIN(tests)
