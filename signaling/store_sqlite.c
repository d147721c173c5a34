/* SQLite: one file (with its -wal and -shm), for one server. Write-ahead logging with synchronous
 * NORMAL: a commit is in the kernel when it returns, so it survives the death of the process at any
 * moment; should the machine itself lose power, the last moments may be missing, and the file is
 * consistent all the same. A lock beside the file keeps a second server out. */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "signaling/store_sql.h"

#define BUSY_MS 5000 /* A backup, or somebody's shell, has the file for a moment. */

struct prepared {
    const char *text;
    sqlite3_stmt *statement;
};

struct sqlite {
    struct sig_sql sql; /* First member. */
    sqlite3 *db;
    int lock; /* Descriptor, or -1. */
    struct prepared prepared[SIG_SQL_STATEMENTS_MAX];
    size_t prepared_count;
};

static int error_of(int code) {
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return -EBADMSG;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return -EIO;
    default:
        return -EINVAL;
    }
}

static int failed(struct sqlite *sqlite, int code) {
    snprintf(sqlite->sql.error, sizeof(sqlite->sql.error), "%s", sqlite3_errmsg(sqlite->db));
    return error_of(code);
}

static int script(struct sig_sql *sql, const char *text) {
    struct sqlite *sqlite = (struct sqlite *)sql;
    int code = sqlite3_exec(sqlite->db, text, NULL, NULL, NULL);
    return code == SQLITE_OK ? 0 : failed(sqlite, code);
}

/* Nobody else writes: the lock is taken at the beginning, so that a later one cannot be refused. */
static int begin(struct sig_sql *sql, bool for_schema) {
    (void)for_schema;
    return script(sql, "BEGIN IMMEDIATE");
}

static int commit(struct sig_sql *sql) {
    return script(sql, "COMMIT");
}

static void rollback(struct sig_sql *sql) {
    struct sqlite *sqlite = (struct sqlite *)sql;
    if (!sqlite3_get_autocommit(sqlite->db))
        sqlite3_exec(sqlite->db, "ROLLBACK", NULL, NULL, NULL);
}

static int prepare(struct sqlite *sqlite, const char *text, sqlite3_stmt **out) {
    for (size_t i = 0; i < sqlite->prepared_count; i++)
        if (sqlite->prepared[i].text == text) {
            *out = sqlite->prepared[i].statement;
            return 0;
        }
    if (sqlite->prepared_count == SIG_SQL_STATEMENTS_MAX)
        return -ENOMEM;
    int code = sqlite3_prepare_v3(sqlite->db, text, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
    if (code != SQLITE_OK)
        return failed(sqlite, code);
    sqlite->prepared[sqlite->prepared_count++] = (struct prepared){text, *out};
    return 0;
}

/* "$1" is a name to SQLite, so a value that comes twice is bound once, wherever it stands first. */
static int bind(struct sqlite *sqlite, sqlite3_stmt *statement, const struct sig_sql_value *values,
                size_t count) {
    for (size_t i = 0; i < count; i++) {
        char name[24];
        snprintf(name, sizeof(name), "$%zu", i + 1);
        int at = sqlite3_bind_parameter_index(statement, name);
        int code = values[i].is_text
                       ? sqlite3_bind_text(statement, at, values[i].text, -1, SQLITE_STATIC)
                       : sqlite3_bind_int64(statement, at, values[i].number);
        if (code != SQLITE_OK)
            return failed(sqlite, code);
    }
    return 0;
}

static int execute(struct sig_sql *sql, const char *text, const struct sig_sql_value *values,
                   size_t count, sig_sql_row_fn on_row, void *ctx) {
    struct sqlite *sqlite = (struct sqlite *)sql;
    sqlite3_stmt *statement = NULL;
    int status = prepare(sqlite, text, &statement);
    if (status == 0)
        status = bind(sqlite, statement, values, count);
    if (status < 0)
        return status;
    const struct sig_sql_row row = {.driver = sql->driver, .handle = statement};
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW)
        if (on_row)
            on_row(ctx, &row);
    status = code == SQLITE_DONE ? 0 : failed(sqlite, code);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return status;
}

static void take_count(void *ctx, const struct sig_sql_row *row) {
    *(int64_t *)ctx = sig_sql_int(row, 0);
}

static int has_schema(struct sig_sql *sql, bool *out) {
    int64_t ours = 0, all = 0;
    int status = sig_sql_run(sql, "SELECT COUNT(*) FROM sqlite_master WHERE name = 'migrations'",
                             NULL, 0, take_count, &ours);
    if (status == 0)
        status = sig_sql_run(sql, "SELECT COUNT(*) FROM sqlite_master", NULL, 0, take_count, &all);
    *out = ours > 0;
    return status < 0 ? status : ours == 0 && all > 0 ? -EBADMSG : 0;
}

static int recover(struct sig_sql *sql) {
    rollback(sql);
    return 0;
}

static int64_t row_int(const struct sig_sql_row *row, int column) {
    return sqlite3_column_int64(row->handle, column);
}

static const char *row_text(const struct sig_sql_row *row, int column) {
    return (const char *)sqlite3_column_text(row->handle, column);
}

static void close_sqlite(struct sig_sql *sql) {
    struct sqlite *sqlite = (struct sqlite *)sql;
    for (size_t i = 0; i < sqlite->prepared_count; i++)
        sqlite3_finalize(sqlite->prepared[i].statement);
    sqlite3_close(sqlite->db);
    if (sqlite->lock >= 0)
        close(sqlite->lock);
    free(sqlite);
}

static const struct sig_sql_driver driver = {
    .name = "sqlite",
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .execute = execute,
    .script = script,
    .has_schema = has_schema,
    .recover = recover,
    .row_int = row_int,
    .row_text = row_text,
    .close = close_sqlite,
};

static int take_lock(struct sqlite *sqlite, const char *file, char *error, size_t error_size) {
    char path[4096];
    if (strcmp(file, ":memory:") == 0)
        return 0;
    snprintf(path, sizeof(path), "%s.lock", file);
    sqlite->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (sqlite->lock < 0) {
        snprintf(error, error_size, "%s: %s", path, strerror(errno));
        return -errno;
    }
    if (flock(sqlite->lock, LOCK_EX | LOCK_NB) == 0)
        return 0;
    snprintf(error, error_size, "%s: another weir uses this database (--data names another folder)",
             file);
    return -EBUSY;
}

static int open_file(struct sqlite *sqlite, const char *file) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int code = sqlite3_open_v2(file, &sqlite->db, flags, NULL);
    if (code != SQLITE_OK)
        return failed(sqlite, code);
    sqlite3_extended_result_codes(sqlite->db, 1);
    sqlite3_busy_timeout(sqlite->db, BUSY_MS);
    return script(&sqlite->sql, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                                "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192;"
                                "PRAGMA journal_size_limit = 16777216;");
}

int sig_sql_open_sqlite(struct sig_sql **out, const char *file, char *error, size_t error_size) {
    struct sqlite *sqlite = calloc(1, sizeof(*sqlite));
    if (!sqlite) {
        snprintf(error, error_size, "%s", strerror(ENOMEM));
        return -ENOMEM;
    }
    sqlite->sql.driver = &driver;
    sqlite->lock = -1;
    int status = take_lock(sqlite, file, error, error_size);
    if (status == 0 && (status = open_file(sqlite, file)) < 0)
        snprintf(error, error_size, "%s: %s", file, sqlite->sql.error);
    if (status < 0) {
        close_sqlite(&sqlite->sql);
        return status;
    }
    *out = &sqlite->sql;
    return 0;
}
