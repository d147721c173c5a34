/* Messages for the host's webhook that have not been delivered. */
#include <errno.h>
#include <stdlib.h>

#include "signaling/store_internal.h"

struct hooks_op {
    struct sig_op op; /* First member. */
    /* Given. */
    uint64_t now_ms;
    size_t limit;
    sig_store_hooks_fn done;
    /* Found. */
    struct sig_store_hook *hooks;
    size_t count;
    uint64_t next_due_ms;
};

static void take_hook(void *ctx, const struct sig_sql_row *row) {
    struct hooks_op *hooks = ctx;
    struct sig_arena *arena = &hooks->op.found;
    hooks->hooks = sig_arena_grow(arena, hooks->hooks, hooks->count, sizeof(*hooks->hooks));
    if (hooks->hooks)
        hooks->hooks[hooks->count++] =
            (struct sig_store_hook){.call_id = sig_arena_text(arena, sig_sql_text(row, 0)),
                                    .seq = (uint64_t)sig_sql_int(row, 1),
                                    .id = sig_arena_text(arena, sig_sql_text(row, 2)),
                                    .event = sig_arena_text(arena, sig_sql_text(row, 3)),
                                    .body = sig_arena_text(arena, sig_sql_text(row, 4)),
                                    .attempts = (unsigned)sig_sql_int(row, 5),
                                    .created_at_ms = (uint64_t)sig_sql_int(row, 6)};
}

static void take_next(void *ctx, const struct sig_sql_row *row) {
    int64_t due_ms = sig_sql_int(row, 0);
    ((struct hooks_op *)ctx)->next_due_ms = due_ms < 0 ? UINT64_MAX : (uint64_t)due_ms;
}

#define OLDEST                                                                                     \
    " FROM hooks h WHERE h.server = $1 AND h.seq ="                                                \
    " (SELECT MIN(o.seq) FROM hooks o WHERE o.call_id = h.call_id)"

static int list_hooks(struct sig_op *op, struct sig_sql *sql) {
    struct hooks_op *hooks = (struct hooks_op *)op;
    const char *server = sig_store_server(op->store);
    hooks->hooks = NULL;
    hooks->count = 0;
    int status = SIG_OP_SQL(op, sql,
                            "SELECT call_id, seq, id, event, body, attempts, created_at_ms" OLDEST
                            " AND due_at_ms <= $2 ORDER BY due_at_ms, created_at_ms LIMIT $3",
                            take_hook, hooks, SIG_SQL_TEXT(server), SIG_SQL_INT(hooks->now_ms),
                            SIG_SQL_INT(hooks->limit));
    if (status < 0)
        return status;
    return SIG_OP_SQL(op, sql, "SELECT COALESCE(MIN(due_at_ms), -1)" OLDEST " AND due_at_ms > $2",
                      take_next, hooks, SIG_SQL_TEXT(server), SIG_SQL_INT(hooks->now_ms));
}

static void finish_hooks(struct sig_op *op) {
    struct hooks_op *hooks = (struct hooks_op *)op;
    bool is_good = op->status == 0;
    hooks->done(op->data, op->status, hooks->hooks, is_good ? hooks->count : 0,
                is_good ? hooks->next_due_ms : UINT64_MAX);
}

void sig_store_list_hooks(struct sig_store *store, uint64_t now_ms, size_t limit,
                          sig_store_hooks_fn done, void *data) {
    struct hooks_op *hooks = sig_op_create(store, sizeof(*hooks), list_hooks);
    if (hooks) {
        hooks->now_ms = now_ms;
        hooks->limit = limit;
        hooks->done = done;
    }
    if (!sig_op_submit_read(hooks, finish_hooks, data))
        done(data, -ENOMEM, NULL, 0, UINT64_MAX);
}

struct count_op {
    struct sig_op op; /* First member. */
    sig_store_saved_fn done;
    int count;
};

static void take_count(void *ctx, const struct sig_sql_row *row) {
    ((struct count_op *)ctx)->count = (int)sig_sql_int(row, 0);
}

static int count_hooks(struct sig_op *op, struct sig_sql *sql) {
    return SIG_OP_SQL(op, sql, "SELECT COUNT(*) FROM hooks WHERE server = $1", take_count, op,
                      SIG_SQL_TEXT(sig_store_server(op->store)));
}

static void finish_count(struct sig_op *op) {
    struct count_op *count = (struct count_op *)op;
    count->done(op->data, op->status < 0 ? op->status : count->count);
}

void sig_store_count_hooks(struct sig_store *store, sig_store_saved_fn done, void *data) {
    struct count_op *count = sig_op_create(store, sizeof(*count), count_hooks);
    if (count)
        count->done = done;
    if (!sig_op_submit_read(count, finish_count, data))
        done(data, -ENOMEM);
}

struct hook_op {
    struct sig_op op; /* First member. */
    const char *call_id;
    uint64_t seq, due_at_ms;
};

static int delete_hook(struct sig_op *op, struct sig_sql *sql) {
    const struct hook_op *hook = (struct hook_op *)op;
    return SIG_OP_SQL(op, sql, "DELETE FROM hooks WHERE call_id = $1 AND seq = $2", NULL, NULL,
                      SIG_SQL_TEXT(hook->call_id), SIG_SQL_INT(hook->seq));
}

/* Done twice it counts once: the second time it is due then already. */
static int delay_hook(struct sig_op *op, struct sig_sql *sql) {
    const struct hook_op *hook = (struct hook_op *)op;
    return SIG_OP_SQL(op, sql,
                      "UPDATE hooks SET attempts = attempts + 1, due_at_ms = $3"
                      " WHERE call_id = $1 AND seq = $2 AND due_at_ms < $3",
                      NULL, NULL, SIG_SQL_TEXT(hook->call_id), SIG_SQL_INT(hook->seq),
                      SIG_SQL_INT(hook->due_at_ms));
}

static struct hook_op *make_op(struct sig_store *store, const char *call_id, uint64_t seq,
                               int (*run)(struct sig_op *op, struct sig_sql *sql)) {
    struct hook_op *hook = sig_op_create(store, sizeof(*hook), run);
    if (hook) {
        hook->call_id = sig_arena_text(&hook->op.given, call_id);
        hook->seq = seq;
    }
    return hook;
}

void sig_store_delete_hook(struct sig_store *store, const char *call_id, uint64_t seq,
                           sig_store_saved_fn done, void *data) {
    sig_op_submit_write(make_op(store, call_id, seq, delete_hook), done, data);
}

void sig_store_delay_hook(struct sig_store *store, const char *call_id, uint64_t seq,
                          uint64_t due_at_ms, sig_store_saved_fn done, void *data) {
    struct hook_op *hook = make_op(store, call_id, seq, delay_hook);
    if (hook)
        hook->due_at_ms = due_at_ms;
    sig_op_submit_write(hook, done, data);
}
