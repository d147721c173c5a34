/* Sign-ins by name, so that a restart signs nobody out. */
#include <errno.h>
#include <stdlib.h>

#include "signaling/store_internal.h"

struct sign_in_op {
    struct sig_op op; /* First member. */
    struct sig_store_sign_in sign_in;
};

static int save_sign_in(struct sig_op *op, struct sig_sql *sql) {
    const struct sig_store_sign_in *sign_in = &((struct sign_in_op *)op)->sign_in;
    return SIG_OP_SQL(op, sql,
                      "INSERT INTO sign_ins (id, csrf, user_id, name, used_at_ms)"
                      " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE SET"
                      " name = excluded.name, used_at_ms = excluded.used_at_ms",
                      NULL, NULL, SIG_SQL_TEXT(sign_in->id), SIG_SQL_TEXT(sign_in->csrf),
                      SIG_SQL_TEXT(sign_in->user_id), SIG_SQL_TEXT(sign_in->name),
                      SIG_SQL_INT(sign_in->used_at_ms));
}

void sig_store_save_sign_in(struct sig_store *store, const struct sig_store_sign_in *sign_in,
                            sig_store_saved_fn done, void *data) {
    struct sign_in_op *op = sig_op_create(store, sizeof(*op), save_sign_in);
    if (op)
        op->sign_in =
            (struct sig_store_sign_in){.id = sig_arena_text(&op->op.given, sign_in->id),
                                       .csrf = sig_arena_text(&op->op.given, sign_in->csrf),
                                       .user_id = sig_arena_text(&op->op.given, sign_in->user_id),
                                       .name = sig_arena_text(&op->op.given, sign_in->name),
                                       .used_at_ms = sign_in->used_at_ms};
    sig_op_submit_write(op, done, data);
}

static int delete_sign_in(struct sig_op *op, struct sig_sql *sql) {
    return SIG_OP_SQL(op, sql, "DELETE FROM sign_ins WHERE id = $1", NULL, NULL,
                      SIG_SQL_TEXT(((struct sign_in_op *)op)->sign_in.id));
}

void sig_store_delete_sign_in(struct sig_store *store, const char *id, sig_store_saved_fn done,
                              void *data) {
    struct sign_in_op *op = sig_op_create(store, sizeof(*op), delete_sign_in);
    if (op)
        op->sign_in.id = sig_arena_text(&op->op.given, id);
    sig_op_submit_write(op, done, data);
}

struct load_op {
    struct sig_op op; /* First member. */
    /* Given. */
    uint64_t since_ms;
    size_t limit;
    sig_store_sign_ins_fn done;
    /* Found. */
    struct sig_store_sign_in *sign_ins;
    size_t count;
};

static void take_sign_in(void *ctx, const struct sig_sql_row *row) {
    struct load_op *load = ctx;
    struct sig_arena *arena = &load->op.found;
    load->sign_ins = sig_arena_grow(arena, load->sign_ins, load->count, sizeof(*load->sign_ins));
    if (load->sign_ins)
        load->sign_ins[load->count++] =
            (struct sig_store_sign_in){.id = sig_arena_text(arena, sig_sql_text(row, 0)),
                                       .csrf = sig_arena_text(arena, sig_sql_text(row, 1)),
                                       .user_id = sig_arena_text(arena, sig_sql_text(row, 2)),
                                       .name = sig_arena_text(arena, sig_sql_text(row, 3)),
                                       .used_at_ms = (uint64_t)sig_sql_int(row, 4)};
}

static int load_sign_ins(struct sig_op *op, struct sig_sql *sql) {
    struct load_op *load = (struct load_op *)op;
    load->sign_ins = NULL;
    load->count = 0;
    int status = SIG_OP_SQL(op, sql, "DELETE FROM sign_ins WHERE used_at_ms < $1", NULL, NULL,
                            SIG_SQL_INT(load->since_ms));
    if (status < 0)
        return status;
    return SIG_OP_SQL(op, sql,
                      "SELECT id, csrf, user_id, name, used_at_ms FROM"
                      " (SELECT * FROM sign_ins ORDER BY used_at_ms DESC LIMIT $1) AS recent"
                      " ORDER BY used_at_ms",
                      take_sign_in, load, SIG_SQL_INT(load->limit));
}

static void finish_load(struct sig_op *op) {
    struct load_op *load = (struct load_op *)op;
    load->done(op->data, op->status, load->sign_ins, op->status == 0 ? load->count : 0);
}

void sig_store_load_sign_ins(struct sig_store *store, uint64_t since_ms, size_t limit,
                             sig_store_sign_ins_fn done, void *data) {
    struct load_op *load = sig_op_create(store, sizeof(*load), load_sign_ins);
    if (load) {
        load->since_ms = since_ms;
        load->limit = limit;
        load->done = done;
    }
    if (!sig_op_submit_read(load, finish_load, data))
        done(data, -ENOMEM, NULL, 0);
}
