/* What the store needs of a SQL database: one connection, used by one thread. The statements are
 * the same text for all; two drivers carry them out. Numbers are BIGINT, everything else is TEXT.
 */
#ifndef SIGNALING_STORE_SQL_H
#define SIGNALING_STORE_SQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIG_SQL_VALUES_MAX 20
#define SIG_SQL_STATEMENTS_MAX 96

struct sig_sql_value {
    bool is_text;
    const char *text; /* NULL: NULL. */
    int64_t number;
};
#define SIG_SQL_TEXT(value) ((struct sig_sql_value){.is_text = true, .text = (value)})
#define SIG_SQL_INT(value) ((struct sig_sql_value){.number = (int64_t)(value)})

struct sig_sql;
struct sig_sql_row;

/* A row, valid during the call. */
typedef void (*sig_sql_row_fn)(void *ctx, const struct sig_sql_row *row);

struct sig_sql_driver {
    const char *name;

    /* A transaction, which may be one for changing the schema that only one process has. */
    int (*begin)(struct sig_sql *sql, bool for_schema);
    int (*commit)(struct sig_sql *sql);
    void (*rollback)(struct sig_sql *sql);
    int (*execute)(struct sig_sql *sql, const char *text, const struct sig_sql_value *values,
                   size_t count, sig_sql_row_fn on_row, void *ctx);

    /* Statements without values, separated by semicolons, at once. */
    int (*script)(struct sig_sql *sql, const char *text);

    /* Whether there is a weir's schema, there is nothing, or there are others' tables. */
    int (*has_schema)(struct sig_sql *sql, bool *out);

    /* After a failure: makes the connection usable again, or -EIO. */
    int (*recover)(struct sig_sql *sql);
    int64_t (*row_int)(const struct sig_sql_row *row, int column);
    const char *(*row_text)(const struct sig_sql_row *row, int column);
    void (*close)(struct sig_sql *sql);
};

/* What each driver's own struct begins with. */
struct sig_sql {
    const struct sig_sql_driver *driver;
    char error[256]; /* Of the last failure, in words. */
};

struct sig_sql_row {
    const struct sig_sql_driver *driver;
    void *handle; /* The driver's. */
    int index;
};

/* Runs one statement with its values $1, $2, …. text has to be a constant: it is prepared once, by
 * its address. on_row NULL: no rows are wanted, and the driver may let the statement's failure show
 * at the commit. 0 or a negative errno: -EIO the connection is lost, -ENOSPC, -EBUSY, -EBADMSG the
 * database is damaged, -EINVAL the statement is wrong. */
int sig_sql_run(struct sig_sql *sql, const char *text, const struct sig_sql_value *values,
                size_t count, sig_sql_row_fn on_row, void *ctx);

#define SIG_SQL_RUN(sql, text, on_row, ctx, ...)                                                   \
    sig_sql_run(sql, text, (const struct sig_sql_value[]){__VA_ARGS__},                            \
                sizeof((const struct sig_sql_value[]){__VA_ARGS__}) /                              \
                    sizeof(struct sig_sql_value),                                                  \
                on_row, ctx)

int64_t sig_sql_int(const struct sig_sql_row *row, int column);

/* NULL of NULL. */
const char *sig_sql_text(const struct sig_sql_row *row, int column);

/* "sqlite:FILE" and libpq URIs. As sig_store_open. */
int sig_sql_open_sqlite(struct sig_sql **out, const char *file, char *error, size_t error_size);
int sig_sql_open_postgres(struct sig_sql **out, const char *uri, char *error, size_t error_size);

/* store_schema.c: brings the schema up to date, in one transaction. */
int sig_sql_migrate(struct sig_sql *sql, uint64_t now_ms, char *error, size_t error_size);

#endif
