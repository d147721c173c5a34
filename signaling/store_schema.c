/* The schema as numbered migrations: each is applied once, in order, and never changed afterwards.
 * The same text serves both databases; {clustered} is what makes SQLite keep a table in the order
 * of its key, and PostgreSQL leave room beside a row for its next version. Times are milliseconds
 * since 1970, 0 never; flags are 0 or 1. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/store_sql.h"

static const char *const migrations[] = {
    /* 1: everything that there was at first. */
    "CREATE TABLE users ("
    " user_id TEXT PRIMARY KEY, name TEXT NOT NULL, folded TEXT NOT NULL,"
    " seen_at_ms BIGINT NOT NULL){clustered};"
    "CREATE INDEX users_by_name ON users (folded, user_id);"

    "CREATE TABLE sign_ins ("
    " id TEXT PRIMARY KEY, csrf TEXT NOT NULL, user_id TEXT NOT NULL, name TEXT NOT NULL,"
    " used_at_ms BIGINT NOT NULL){clustered};"
    "CREATE INDEX sign_ins_by_use ON sign_ins (used_at_ms);"

    "CREATE TABLE channels ("
    " channel_id TEXT PRIMARY KEY, name TEXT NOT NULL, folded TEXT NOT NULL UNIQUE,"
    " created_by TEXT NOT NULL, created_at_ms BIGINT NOT NULL){clustered};"
    "CREATE TABLE members ("
    " channel_id TEXT NOT NULL, user_id TEXT NOT NULL, joined_at_ms BIGINT NOT NULL,"
    " PRIMARY KEY (channel_id, user_id)){clustered};"
    "CREATE INDEX members_by_user ON members (user_id, channel_id);"

    "CREATE TABLE servers (server TEXT PRIMARY KEY, alive_at_ms BIGINT NOT NULL){clustered};"

    /* people: the folded names of all participants and the channel, for searching. */
    "CREATE TABLE calls ("
    " call_id TEXT PRIMARY KEY, server TEXT NOT NULL, status TEXT NOT NULL,"
    " is_video BIGINT NOT NULL, is_open BIGINT NOT NULL, is_on_demand BIGINT NOT NULL,"
    " channel_id TEXT, initiator_id TEXT NOT NULL, created_at_ms BIGINT NOT NULL,"
    " started_at_ms BIGINT NOT NULL, ended_at_ms BIGINT NOT NULL, event_count BIGINT NOT NULL,"
    " people_count BIGINT NOT NULL, people TEXT NOT NULL){clustered};"
    "CREATE INDEX calls_unfinished ON calls (server) WHERE ended_at_ms = 0;"
    "CREATE INDEX calls_by_end ON calls (ended_at_ms);"

    /* created_at_ms, is_own, is_missed and is_video_call are there for the history's index, which
     * answers a page of it without looking at another row. */
    "CREATE TABLE participants ("
    " call_id TEXT NOT NULL, user_id TEXT NOT NULL, position BIGINT NOT NULL, name TEXT NOT NULL,"
    " status TEXT NOT NULL, is_guest BIGINT NOT NULL, is_audio_enabled BIGINT NOT NULL,"
    " is_video_enabled BIGINT NOT NULL, is_screen_sharing BIGINT NOT NULL,"
    " joined_at_ms BIGINT NOT NULL, left_at_ms BIGINT NOT NULL, total_ms BIGINT NOT NULL,"
    " seen_at_ms BIGINT NOT NULL, created_at_ms BIGINT NOT NULL, is_own BIGINT NOT NULL, is_missed "
    "BIGINT NOT NULL,"
    " is_video_call BIGINT NOT NULL, PRIMARY KEY (call_id, user_id)){clustered};"
    "CREATE INDEX participants_history ON participants"
    " (user_id, created_at_ms, call_id, is_own, is_missed, is_video_call);"
    "CREATE INDEX participants_by_position ON participants (call_id, position);"

    "CREATE TABLE call_events ("
    " call_id TEXT NOT NULL, seq BIGINT NOT NULL, at_ms BIGINT NOT NULL, event TEXT NOT NULL,"
    " user_id TEXT, PRIMARY KEY (call_id, seq)){clustered};"

    "CREATE TABLE samples ("
    " call_id TEXT NOT NULL, user_id TEXT NOT NULL, at_ms BIGINT NOT NULL, weight BIGINT NOT NULL,"
    " score BIGINT NOT NULL, score_min BIGINT NOT NULL, up_loss_permille BIGINT NOT NULL,"
    " down_loss_permille BIGINT NOT NULL, rtt_ms BIGINT NOT NULL, up_bps BIGINT NOT NULL,"
    " down_bps BIGINT NOT NULL, reason TEXT, PRIMARY KEY (call_id, user_id, at_ms)){clustered};"

    "CREATE TABLE hooks ("
    " call_id TEXT NOT NULL, seq BIGINT NOT NULL, server TEXT NOT NULL, id TEXT NOT NULL,"
    " event TEXT NOT NULL, body TEXT NOT NULL, attempts BIGINT NOT NULL,"
    " created_at_ms BIGINT NOT NULL, due_at_ms BIGINT NOT NULL,"
    " PRIMARY KEY (call_id, seq)){clustered};"
    "CREATE INDEX hooks_by_server ON hooks (server, due_at_ms);",

    /* 2: messages for the webhook are numbered within their call. */
    "ALTER TABLE calls ADD COLUMN hook_count BIGINT NOT NULL DEFAULT 0;",
};
#define MIGRATIONS (int64_t)(sizeof(migrations) / sizeof(migrations[0]))

/* The text with every {clustered} replaced. */
static char *fit(const struct sig_sql *sql, const char *text) {
    static const char mark[] = "{clustered}";
    const char *instead =
        strcmp(sql->driver->name, "sqlite") == 0 ? "WITHOUT ROWID" : "WITH (fillfactor = 70)";
    char *out = malloc(strlen(text) * 3 + 1), *to = out;
    while (out && *text) {
        bool is_mark = strncmp(text, mark, sizeof(mark) - 1) == 0;
        if (is_mark)
            to = stpcpy(to, instead);
        else
            *to++ = *text;
        text += is_mark ? sizeof(mark) - 1 : 1;
    }
    if (out)
        *to = '\0';
    return out;
}

static void take_version(void *ctx, const struct sig_sql_row *row) {
    *(int64_t *)ctx = sig_sql_int(row, 0);
}

static int read_version(struct sig_sql *sql, int64_t *out) {
    bool is_there = false;
    *out = 0;
    int status = sql->driver->has_schema(sql, &is_there);
    if (status == 0 && is_there)
        return sig_sql_run(sql, "SELECT COALESCE(MAX(version), 0) FROM migrations", NULL, 0,
                           take_version, out);
    if (status == 0)
        status = sql->driver->script(sql, "CREATE TABLE migrations ("
                                          " version BIGINT PRIMARY KEY, applied_at_ms BIGINT)");
    return status;
}

static int apply(struct sig_sql *sql, int64_t version, uint64_t now_ms) {
    char *text = fit(sql, migrations[version - 1]);
    int status = text ? sql->driver->script(sql, text) : -ENOMEM;
    free(text);
    if (status < 0)
        return status;
    return SIG_SQL_RUN(sql, "INSERT INTO migrations (version, applied_at_ms) VALUES ($1, $2)", NULL,
                       NULL, SIG_SQL_INT(version), SIG_SQL_INT(now_ms));
}

static int migrate(struct sig_sql *sql, uint64_t now_ms) {
    int64_t version = 0;
    int status = read_version(sql, &version);
    if (status == 0 && version > MIGRATIONS) {
        snprintf(sql->error, sizeof(sql->error),
                 "a newer weir has written it: its schema has version %lld, this weir knows %lld",
                 (long long)version, (long long)MIGRATIONS);
        return -EPROTONOSUPPORT;
    }
    while (status == 0 && version < MIGRATIONS)
        status = apply(sql, ++version, now_ms);
    return status;
}

int sig_sql_migrate(struct sig_sql *sql, uint64_t now_ms, char *error, size_t error_size) {
    snprintf(sql->error, sizeof(sql->error), "it holds something else than weir's data");
    int status = sql->driver->begin(sql, true);
    if (status == 0)
        status = migrate(sql, now_ms);
    if (status == 0)
        status = sql->driver->commit(sql);
    if (status == 0)
        return 0;
    snprintf(error, error_size, "%s", sql->error);
    sql->driver->rollback(sql);
    return status;
}
