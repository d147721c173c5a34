/* Users and sign-ins by name. */
#include <errno.h>
#include <stdlib.h>

#include "signaling/store_internal.h"

#define FIND_USERS_MAX 1000

struct user_op {
    struct sig_op op; /* First member. */
    const char *user_id, *name, *folded;
    uint64_t now_ms;
};

static int save_user(struct sig_op *op, struct sig_sql *sql) {
    const struct user_op *user = (struct user_op *)op;
    return SIG_OP_SQL(op, sql,
                      "INSERT INTO users (user_id, name, folded, seen_at_ms)"
                      " VALUES ($1, $2, $3, $4) ON CONFLICT (user_id) DO UPDATE SET"
                      " name = excluded.name, folded = excluded.folded,"
                      " seen_at_ms = excluded.seen_at_ms",
                      NULL, NULL, SIG_SQL_TEXT(user->user_id), SIG_SQL_TEXT(user->name),
                      SIG_SQL_TEXT(user->folded), SIG_SQL_INT(user->now_ms));
}

void sig_store_save_user(struct sig_store *store, const char *user_id, const char *name,
                         sig_store_saved_fn done, void *data) {
    struct user_op *user = sig_op_create(store, sizeof(*user), save_user);
    if (user) {
        user->user_id = sig_arena_text(&user->op.given, user_id);
        user->name = sig_arena_text(&user->op.given, name);
        user->folded = sig_store_fold(&user->op.given, name);
        user->now_ms = sig_store_now_ms(store);
    }
    sig_op_submit_write(user, done, data);
}

struct users_op {
    struct sig_op op; /* First member. */
    /* Given. */
    const char **user_ids;
    size_t id_count;
    const char *pattern;
    size_t offset, limit;
    sig_store_users_fn done;
    /* Found. */
    struct sig_store_user *users;
    size_t count, total;
};

static void finish_users(struct sig_op *op) {
    struct users_op *users = (struct users_op *)op;
    size_t count = op->status == 0 ? users->count : 0;
    users->done(op->data, op->status, users->users, count, op->status == 0 ? users->total : 0);
}

static void submit_users(struct users_op *users, sig_store_users_fn done, void *data) {
    if (users)
        users->done = done;
    if (!sig_op_submit_read(users, finish_users, data))
        done(data, -ENOMEM, NULL, 0, 0);
}

static void take_name(void *ctx, const struct sig_sql_row *row) {
    struct users_op *users = ctx;
    users->users[users->count].name = sig_arena_text(&users->op.found, sig_sql_text(row, 0));
}

static int find_users(struct sig_op *op, struct sig_sql *sql) {
    struct users_op *users = (struct users_op *)op;
    users->users = sig_arena_alloc(&op->found, (users->id_count + 1) * sizeof(*users->users));
    int status = users->users ? 0 : -ENOMEM;
    for (users->count = 0; status == 0 && users->count < users->id_count; users->count++) {
        users->users[users->count].user_id = users->user_ids[users->count];
        status = SIG_OP_SQL(op, sql, "SELECT name FROM users WHERE user_id = $1", take_name, users,
                            SIG_SQL_TEXT(users->user_ids[users->count]));
    }
    users->total = users->count;
    return status;
}

void sig_store_find_users(struct sig_store *store, const char *const *user_ids, size_t count,
                          sig_store_users_fn done, void *data) {
    struct users_op *users = sig_op_create(store, sizeof(*users), find_users);
    if (users) {
        users->id_count = count < FIND_USERS_MAX ? count : FIND_USERS_MAX;
        users->user_ids =
            sig_arena_alloc(&users->op.given, (users->id_count + 1) * sizeof(*users->user_ids));
        for (size_t i = 0; users->user_ids && i < users->id_count; i++)
            users->user_ids[i] = sig_arena_text(&users->op.given, user_ids[i]);
    }
    submit_users(users, done, data);
}

static void take_user(void *ctx, const struct sig_sql_row *row) {
    struct users_op *users = ctx;
    users->users =
        sig_arena_grow(&users->op.found, users->users, users->count, sizeof(*users->users));
    if (users->users)
        users->users[users->count++] = (struct sig_store_user){
            .user_id = sig_arena_text(&users->op.found, sig_sql_text(row, 0)),
            .name = sig_arena_text(&users->op.found, sig_sql_text(row, 1))};
}

static void take_total(void *ctx, const struct sig_sql_row *row) {
    ((struct users_op *)ctx)->total = (size_t)sig_sql_int(row, 0);
}

static int list_users(struct sig_op *op, struct sig_sql *sql) {
    struct users_op *users = (struct users_op *)op;
    users->users = NULL;
    users->count = 0;
    int status = SIG_OP_SQL(op, sql, "SELECT COUNT(*) FROM users WHERE folded LIKE $1 ESCAPE '!'",
                            take_total, users, SIG_SQL_TEXT(users->pattern));
    if (status < 0)
        return status;
    return SIG_OP_SQL(op, sql,
                      "SELECT user_id, name FROM users WHERE folded LIKE $1 ESCAPE '!'"
                      " ORDER BY folded, user_id LIMIT $2 OFFSET $3",
                      take_user, users, SIG_SQL_TEXT(users->pattern), SIG_SQL_INT(users->limit),
                      SIG_SQL_INT(users->offset));
}

void sig_store_list_users(struct sig_store *store, const char *search, size_t offset, size_t limit,
                          sig_store_users_fn done, void *data) {
    struct users_op *users = sig_op_create(store, sizeof(*users), list_users);
    if (users) {
        users->pattern = sig_store_pattern(&users->op.given, search ? search : "");
        users->offset = offset;
        users->limit = limit;
    }
    submit_users(users, done, data);
}
