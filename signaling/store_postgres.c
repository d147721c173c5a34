/* PostgreSQL by libpq, on the storage thread alone. Statements that want no rows are sent without
 * waiting for the one before (pipeline mode), so a batch of any size costs two round trips: its
 * last statement's and the commit's. A lost connection is made again when the next batch needs it;
 * the store waits between the attempts. Everything lives in the schema "weir". */
#include <errno.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "signaling/store_sql.h"

#define UNREAD_MAX 64         /* Results that may wait, so that neither side's buffers fill up. */
#define START_ATTEMPTS 20     /* While the server and we are being started at the same time, */
#define START_PAUSE_US 500000 /* so far apart. */
#define SCHEMA_LOCK "7305823" /* Any number: who has it changes the schema. */

static const char session_options[] =
    "-c statement_timeout=10s -c search_path=weir -c client_min_messages=warning"
    " -c jit=off -c random_page_cost=1.1";

struct postgres {
    struct sig_sql sql; /* First member. */
    PGconn *connection;
    char *uri;
    const char *prepared[SIG_SQL_STATEMENTS_MAX];
    size_t prepared_count;
    size_t unread; /* Commands whose results have not been read. */
    int failure;   /* Of the commands since the last synchronisation. */
};

/* https://www.postgresql.org/docs/15/errcodes-appendix.html, by class. */
static int error_of(const struct postgres *postgres, const PGresult *result) {
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    if (PQstatus(postgres->connection) != CONNECTION_OK || !state)
        return -EIO;
    if (strncmp(state, "53", 2) == 0)
        return -ENOSPC; /* Insufficient resources. */
    if (strncmp(state, "40", 2) == 0 || strncmp(state, "55", 2) == 0)
        return -EBUSY; /* Rolled back for another's sake, or locked. */
    if (strncmp(state, "08", 2) == 0 || strncmp(state, "57", 2) == 0 ||
        strncmp(state, "58", 2) == 0 || strncmp(state, "25006", 5) == 0)
        return -EIO; /* Going down, or a standby that takes no writes. */
    if (strncmp(state, "XX", 2) == 0)
        return -EBADMSG;
    return -EINVAL;
}

static int note_failure(struct postgres *postgres, const PGresult *result) {
    const char *words =
        result ? PQresultErrorMessage(result) : PQerrorMessage(postgres->connection);
    if (postgres->failure == 0) {
        postgres->failure = error_of(postgres, result);
        snprintf(postgres->sql.error, sizeof(postgres->sql.error), "%.*s",
                 (int)strcspn(words, "\n"), words);
    }
    return postgres->failure;
}

static void note_result(struct postgres *postgres, const PGresult *result) {
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_PIPELINE_SYNC &&
        status != PGRES_PIPELINE_ABORTED)
        note_failure(postgres, result);
}

/* Reads the results of the oldest unread command. */
static void read_one(struct postgres *postgres, sig_sql_row_fn on_row, void *ctx) {
    PGresult *result;
    while ((result = PQgetResult(postgres->connection))) {
        struct sig_sql_row row = {.driver = postgres->sql.driver, .handle = result};
        note_result(postgres, result);
        for (; on_row && row.index < PQntuples(result); row.index++)
            on_row(ctx, &row);
        ExecStatusType status = PQresultStatus(result);
        PQclear(result);
        if (status == PGRES_PIPELINE_SYNC)
            break; /* It comes alone, without the NULL that follows others. */
    }
    postgres->unread--;
}

static int read_all_but(struct postgres *postgres, size_t count) {
    if (postgres->unread > count && !PQsendFlushRequest(postgres->connection))
        note_failure(postgres, NULL);
    while (postgres->unread > count && PQstatus(postgres->connection) == CONNECTION_OK)
        read_one(postgres, NULL, NULL);
    if (PQstatus(postgres->connection) != CONNECTION_OK)
        note_failure(postgres, NULL);
    return postgres->failure;
}

/* Ends a run of the pipeline: everything sent is answered afterwards. Returns what failed in it. */
static int synchronise(struct postgres *postgres) {
    if (PQpipelineSync(postgres->connection)) {
        postgres->unread++;
        while (postgres->unread > 0 && PQstatus(postgres->connection) == CONNECTION_OK)
            read_one(postgres, NULL, NULL);
    } else {
        note_failure(postgres, NULL);
    }
    if (PQstatus(postgres->connection) != CONNECTION_OK)
        note_failure(postgres, NULL);
    int failure = postgres->failure;
    postgres->failure = 0;
    postgres->unread = 0;
    return failure;
}

static int sent(struct postgres *postgres, int is_sent) {
    if (!is_sent)
        return note_failure(postgres, NULL);
    postgres->unread++;
    return postgres->unread > UNREAD_MAX ? read_all_but(postgres, 0) : 0;
}

static int prepare(struct postgres *postgres, const char *text, char name[static 16]) {
    size_t i = 0;
    while (i < postgres->prepared_count && postgres->prepared[i] != text)
        i++;
    snprintf(name, 16, "s%zu", i);
    if (i < postgres->prepared_count)
        return 0;
    if (i == SIG_SQL_STATEMENTS_MAX)
        return -ENOMEM;
    int status = sent(postgres, PQsendPrepare(postgres->connection, name, text, 0, NULL));
    if (status == 0)
        postgres->prepared[postgres->prepared_count++] = text;
    return status;
}

static int send_prepared(struct postgres *postgres, const char *name,
                         const struct sig_sql_value *values, size_t count) {
    const char *texts[SIG_SQL_VALUES_MAX];
    char numbers[SIG_SQL_VALUES_MAX][24];
    for (size_t i = 0; i < count; i++) {
        snprintf(numbers[i], sizeof(numbers[i]), "%lld", (long long)values[i].number);
        texts[i] = values[i].is_text ? values[i].text : numbers[i];
    }
    return sent(postgres,
                PQsendQueryPrepared(postgres->connection, name, (int)count, texts, NULL, NULL, 0));
}

static int execute(struct sig_sql *sql, const char *text, const struct sig_sql_value *values,
                   size_t count, sig_sql_row_fn on_row, void *ctx) {
    struct postgres *postgres = (struct postgres *)sql;
    char name[16];
    int status = postgres->failure;
    if (status == 0)
        status = prepare(postgres, text, name);
    if (status == 0)
        status = send_prepared(postgres, name, values, count);
    if (status < 0 || !on_row)
        return status;
    status = read_all_but(postgres, 1);
    if (status == 0 && postgres->unread == 1) {
        PQsendFlushRequest(postgres->connection);
        read_one(postgres, on_row, ctx);
    }
    return PQstatus(postgres->connection) == CONNECTION_OK ? postgres->failure
                                                           : note_failure(postgres, NULL);
}

static int send_text(struct postgres *postgres, const char *text) {
    return sent(postgres,
                PQsendQueryParams(postgres->connection, text, 0, NULL, NULL, NULL, NULL, 0));
}

/* Scripts have several statements, which the pipeline does not take. */
static int script(struct sig_sql *sql, const char *text) {
    struct postgres *postgres = (struct postgres *)sql;
    int status = synchronise(postgres);
    if (status < 0)
        return status;
    PQexitPipelineMode(postgres->connection);
    PGresult *result = PQexec(postgres->connection, text);
    note_result(postgres, result);
    PQclear(result);
    if (PQstatus(postgres->connection) == CONNECTION_OK)
        PQenterPipelineMode(postgres->connection);
    status = postgres->failure;
    postgres->failure = 0;
    return status;
}

static int begin(struct sig_sql *sql, bool for_schema) {
    struct postgres *postgres = (struct postgres *)sql;
    if (PQstatus(postgres->connection) != CONNECTION_OK)
        return -EIO;
    if (for_schema)
        return script(sql, "BEGIN; SELECT pg_advisory_xact_lock(" SCHEMA_LOCK ");"
                           "CREATE SCHEMA IF NOT EXISTS weir");
    return send_text(postgres, "BEGIN");
}

static int commit(struct sig_sql *sql) {
    struct postgres *postgres = (struct postgres *)sql;
    send_text(postgres, "COMMIT");
    return synchronise(postgres);
}

/* What was prepared after the failure was not, so all of it is forgotten. */
static void rollback(struct sig_sql *sql) {
    struct postgres *postgres = (struct postgres *)sql;
    char error[sizeof(sql->error)];
    memcpy(error, sql->error, sizeof(error));
    synchronise(postgres);
    if (PQstatus(postgres->connection) == CONNECTION_OK)
        script(sql, "ROLLBACK; DEALLOCATE ALL");
    postgres->prepared_count = 0;
    memcpy(sql->error, error, sizeof(error));
}

static void take_presence(void *ctx, const struct sig_sql_row *row) {
    *(bool *)ctx = sig_sql_int(row, 0) > 0;
}

static int has_schema(struct sig_sql *sql, bool *out) {
    return sig_sql_run(sql,
                       "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'weir'"
                       " AND tablename = 'migrations'",
                       NULL, 0, take_presence, out);
}

static int64_t row_int(const struct sig_sql_row *row, int column) {
    return strtoll(PQgetvalue(row->handle, row->index, column), NULL, 10);
}

static const char *row_text(const struct sig_sql_row *row, int column) {
    if (PQgetisnull(row->handle, row->index, column))
        return NULL;
    return PQgetvalue(row->handle, row->index, column);
}

static void close_postgres(struct sig_sql *sql) {
    struct postgres *postgres = (struct postgres *)sql;
    PQfinish(postgres->connection);
    free(postgres->uri);
    free(postgres);
}

/* Limits for a network that swallows packets: nothing waits for ever. */
static int open_connection(struct postgres *postgres) {
    static const char *const names[] = {"dbname",          "fallback_application_name",
                                        "connect_timeout", "tcp_user_timeout",
                                        "options",         NULL};
    const char *values[] = {postgres->uri, "weir", "3", "5000", session_options, NULL};
    PQfinish(postgres->connection);
    postgres->connection = PQconnectdbParams(names, values, 1);
    postgres->prepared_count = postgres->unread = 0;
    postgres->failure = 0;
    if (PQstatus(postgres->connection) != CONNECTION_OK) {
        note_failure(postgres, NULL);
        postgres->failure = 0;
        return -EIO;
    }
    PQsetClientEncoding(postgres->connection, "UTF8");
    PQenterPipelineMode(postgres->connection);
    return 0;
}

static int recover(struct sig_sql *sql) {
    struct postgres *postgres = (struct postgres *)sql;
    if (PQstatus(postgres->connection) == CONNECTION_OK)
        return 0; /* The transaction was rolled back. */
    return open_connection(postgres);
}

static const struct sig_sql_driver driver = {
    .name = "postgresql",
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .execute = execute,
    .script = script,
    .has_schema = has_schema,
    .recover = recover,
    .row_int = row_int,
    .row_text = row_text,
    .close = close_postgres,
};

int sig_sql_open_postgres(struct sig_sql **out, const char *uri, char *error, size_t error_size) {
    struct postgres *postgres = calloc(1, sizeof(*postgres));
    if (!postgres || !(postgres->uri = strdup(uri))) {
        free(postgres);
        snprintf(error, error_size, "%s", strerror(ENOMEM));
        return -ENOMEM;
    }
    postgres->sql.driver = &driver;
    int status = open_connection(postgres);
    for (int i = 1; status < 0 && i < START_ATTEMPTS; i++) {
        usleep(START_PAUSE_US);
        status = open_connection(postgres);
    }
    if (status < 0) {
        snprintf(error, error_size, "%s", postgres->sql.error);
        close_postgres(&postgres->sql);
        return -ECONNREFUSED;
    }
    *out = &postgres->sql;
    return 0;
}
