#include "signaling/store_sql.h"

int sig_sql_run(struct sig_sql *sql, const char *text, const struct sig_sql_value *values,
                size_t count, sig_sql_row_fn on_row, void *ctx) {
    return sql->driver->execute(sql, text, values, count, on_row, ctx);
}

int64_t sig_sql_int(const struct sig_sql_row *row, int column) {
    return row->driver->row_int(row, column);
}

const char *sig_sql_text(const struct sig_sql_row *row, int column) {
    return row->driver->row_text(row, column);
}
