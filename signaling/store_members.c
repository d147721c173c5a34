/* Who is in which channel, for all that needs more than one channel or one user at a time. */
#include <errno.h>
#include <stdlib.h>

#include "signaling/store_internal.h"

#define DAY_MS UINT64_C(86400000)

struct members_op {
    struct sig_op op; /* First member. */
    /* Given. */
    const char *user_id;
    size_t limit;
    sig_store_memberships_fn done;
    sig_store_users_fn done_users;
    /* Found. */
    struct sig_store_membership *memberships;
    struct sig_store_user *users;
    size_t count;
};

static void take_membership(void *ctx, const struct sig_sql_row *row) {
    struct members_op *members = ctx;
    struct sig_arena *arena = &members->op.found;
    members->memberships =
        sig_arena_grow(arena, members->memberships, members->count, sizeof(*members->memberships));
    if (members->memberships)
        members->memberships[members->count++] =
            (struct sig_store_membership){.channel_id = sig_arena_text(arena, sig_sql_text(row, 0)),
                                          .user_id = sig_arena_text(arena, sig_sql_text(row, 1))};
}

static int list_memberships(struct sig_op *op, struct sig_sql *sql) {
    struct members_op *members = (struct members_op *)op;
    members->memberships = NULL;
    members->count = 0;
    return SIG_OP_SQL(op, sql,
                      "SELECT channel_id, user_id FROM members ORDER BY channel_id LIMIT $1",
                      take_membership, members, SIG_SQL_INT(members->limit));
}

static void finish_memberships(struct sig_op *op) {
    struct members_op *members = (struct members_op *)op;
    members->done(op->data, op->status, members->memberships, op->status == 0 ? members->count : 0);
}

void sig_store_list_memberships(struct sig_store *store, size_t limit,
                                sig_store_memberships_fn done, void *data) {
    struct members_op *members = sig_op_create(store, sizeof(*members), list_memberships);
    if (members) {
        members->limit = limit;
        members->done = done;
    }
    if (!sig_op_submit_read(members, finish_memberships, data))
        done(data, -ENOMEM, NULL, 0);
}

static void take_neighbour(void *ctx, const struct sig_sql_row *row) {
    struct members_op *members = ctx;
    struct sig_arena *arena = &members->op.found;
    members->users = sig_arena_grow(arena, members->users, members->count, sizeof(*members->users));
    if (members->users)
        members->users[members->count++] =
            (struct sig_store_user){.user_id = sig_arena_text(arena, sig_sql_text(row, 0))};
}

static int list_neighbours(struct sig_op *op, struct sig_sql *sql) {
    struct members_op *members = (struct members_op *)op;
    members->users = NULL;
    members->count = 0;
    return SIG_OP_SQL(op, sql,
                      "SELECT DISTINCT o.user_id FROM members m"
                      " JOIN members o ON o.channel_id = m.channel_id"
                      " WHERE m.user_id = $1 AND o.user_id <> $1 LIMIT $2",
                      take_neighbour, members, SIG_SQL_TEXT(members->user_id),
                      SIG_SQL_INT(members->limit));
}

static void finish_neighbours(struct sig_op *op) {
    struct members_op *members = (struct members_op *)op;
    size_t count = op->status == 0 ? members->count : 0;
    members->done_users(op->data, op->status, members->users, count, count);
}

void sig_store_list_neighbours(struct sig_store *store, const char *user_id, size_t limit,
                               sig_store_users_fn done, void *data) {
    struct members_op *members = sig_op_create(store, sizeof(*members), list_neighbours);
    if (members) {
        members->user_id = sig_arena_text(&members->op.given, user_id);
        members->limit = limit;
        members->done_users = done;
    }
    if (!sig_op_submit_read(members, finish_neighbours, data))
        done(data, -ENOMEM, NULL, 0, 0);
}

struct forget_op {
    struct sig_op op; /* First member. */
    uint64_t before_ms;
};

static int forget_users(struct sig_op *op, struct sig_sql *sql) {
    uint64_t before_ms = ((struct forget_op *)op)->before_ms;
    int status = SIG_OP_SQL(op, sql,
                            "DELETE FROM users WHERE seen_at_ms < $1"
                            " AND user_id NOT IN (SELECT user_id FROM sign_ins)",
                            NULL, NULL, SIG_SQL_INT(before_ms));
    if (status == 0)
        status = SIG_OP_SQL(op, sql,
                            "DELETE FROM members WHERE joined_at_ms < $1"
                            " AND user_id NOT IN (SELECT user_id FROM users)",
                            NULL, NULL, SIG_SQL_INT(before_ms));
    if (status < 0)
        return status;
    return SIG_OP_SQL(op, sql,
                      "DELETE FROM channels WHERE created_at_ms < $1"
                      " AND channel_id NOT IN (SELECT channel_id FROM members)",
                      NULL, NULL, SIG_SQL_INT(before_ms > DAY_MS ? before_ms - DAY_MS : 0));
}

void sig_store_forget_users(struct sig_store *store, uint64_t before_ms, sig_store_saved_fn done,
                            void *data) {
    struct forget_op *op = sig_op_create(store, sizeof(*op), forget_users);
    if (op)
        op->before_ms = before_ms;
    sig_op_submit_write(op, done, data);
}
