/* Channels and who is in them. */
#include <errno.h>
#include <stdlib.h>

#include "signaling/store_internal.h"

struct channel_op {
    struct sig_op op; /* First member. */
    const char *channel_id, *user_id, *name, *folded;
    uint64_t now_ms;
    bool is_there;
};

static void take_being_there(void *ctx, const struct sig_sql_row *row) {
    (void)row;
    ((struct channel_op *)ctx)->is_there = true;
}

static int add_member(struct channel_op *channel, struct sig_sql *sql) {
    return SIG_OP_SQL(&channel->op, sql,
                      "INSERT INTO members (channel_id, user_id, joined_at_ms)"
                      " VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                      NULL, NULL, SIG_SQL_TEXT(channel->channel_id), SIG_SQL_TEXT(channel->user_id),
                      SIG_SQL_INT(channel->now_ms));
}

static int create_channel(struct sig_op *op, struct sig_sql *sql) {
    struct channel_op *channel = (struct channel_op *)op;
    channel->is_there = false;
    int status = SIG_OP_SQL(op, sql,
                            "INSERT INTO channels"
                            " (channel_id, name, folded, created_by, created_at_ms)"
                            " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"
                            " RETURNING channel_id",
                            take_being_there, channel, SIG_SQL_TEXT(channel->channel_id),
                            SIG_SQL_TEXT(channel->name), SIG_SQL_TEXT(channel->folded),
                            SIG_SQL_TEXT(channel->user_id), SIG_SQL_INT(channel->now_ms));
    if (status < 0)
        return status;
    return channel->is_there ? add_member(channel, sql) : -EEXIST;
}

static int join_channel(struct sig_op *op, struct sig_sql *sql) {
    struct channel_op *channel = (struct channel_op *)op;
    channel->is_there = false;
    int status = SIG_OP_SQL(op, sql, "SELECT 1 FROM channels WHERE channel_id = $1",
                            take_being_there, channel, SIG_SQL_TEXT(channel->channel_id));
    if (status < 0)
        return status;
    return channel->is_there ? add_member(channel, sql) : -ENOENT;
}

static int leave_channel(struct sig_op *op, struct sig_sql *sql) {
    struct channel_op *channel = (struct channel_op *)op;
    channel->is_there = false;
    int status = SIG_OP_SQL(op, sql, "SELECT 1 FROM channels WHERE channel_id = $1",
                            take_being_there, channel, SIG_SQL_TEXT(channel->channel_id));
    if (status < 0 || !channel->is_there)
        return status < 0 ? status : -ENOENT;
    return SIG_OP_SQL(op, sql, "DELETE FROM members WHERE channel_id = $1 AND user_id = $2", NULL,
                      NULL, SIG_SQL_TEXT(channel->channel_id), SIG_SQL_TEXT(channel->user_id));
}

static struct channel_op *make_op(struct sig_store *store, const char *channel_id,
                                  const char *user_id,
                                  int (*run)(struct sig_op *op, struct sig_sql *sql)) {
    struct channel_op *channel = sig_op_create(store, sizeof(*channel), run);
    if (channel) {
        channel->channel_id = sig_arena_text(&channel->op.given, channel_id);
        channel->user_id = sig_arena_text(&channel->op.given, user_id);
        channel->now_ms = sig_store_now_ms(store);
    }
    return channel;
}

void sig_store_create_channel(struct sig_store *store, const char *channel_id, const char *name,
                              const char *user_id, sig_store_saved_fn done, void *data) {
    struct channel_op *channel = make_op(store, channel_id, user_id, create_channel);
    if (channel) {
        channel->name = sig_arena_text(&channel->op.given, name);
        channel->folded = sig_store_fold(&channel->op.given, name);
    }
    sig_op_submit_write(channel, done, data);
}

void sig_store_join_channel(struct sig_store *store, const char *channel_id, const char *user_id,
                            sig_store_saved_fn done, void *data) {
    sig_op_submit_write(make_op(store, channel_id, user_id, join_channel), done, data);
}

void sig_store_leave_channel(struct sig_store *store, const char *channel_id, const char *user_id,
                             sig_store_saved_fn done, void *data) {
    sig_op_submit_write(make_op(store, channel_id, user_id, leave_channel), done, data);
}

/* What is read. */

struct channels_op {
    struct sig_op op; /* First member. */
    /* Given. */
    const char *channel_id, *user_id;
    sig_store_channels_fn done_list;
    sig_store_channel_fn done_one;
    /* Found. */
    struct sig_store_channel *channels;
    size_t count;
    struct sig_store_user *members;
    size_t member_count;
};

static void take_channel(void *ctx, const struct sig_sql_row *row) {
    struct channels_op *channels = ctx;
    struct sig_arena *arena = &channels->op.found;
    channels->channels =
        sig_arena_grow(arena, channels->channels, channels->count, sizeof(*channels->channels));
    if (channels->channels)
        channels->channels[channels->count++] =
            (struct sig_store_channel){.channel_id = sig_arena_text(arena, sig_sql_text(row, 0)),
                                       .name = sig_arena_text(arena, sig_sql_text(row, 1)),
                                       .created_by = sig_arena_text(arena, sig_sql_text(row, 2)),
                                       .created_at_ms = (uint64_t)sig_sql_int(row, 3),
                                       .member_count = (size_t)sig_sql_int(row, 4),
                                       .is_member = sig_sql_int(row, 5) > 0};
}

#define CHANNEL_COLUMNS                                                                            \
    "SELECT channel_id, name, created_by, created_at_ms,"                                          \
    " (SELECT COUNT(*) FROM members m WHERE m.channel_id = c.channel_id),"                         \
    " (SELECT COUNT(*) FROM members m WHERE m.channel_id = c.channel_id AND m.user_id = $1)"       \
    " FROM channels c"

static int list_channels(struct sig_op *op, struct sig_sql *sql) {
    struct channels_op *channels = (struct channels_op *)op;
    channels->channels = NULL;
    channels->count = 0;
    return SIG_OP_SQL(op, sql, CHANNEL_COLUMNS " ORDER BY folded LIMIT 1000", take_channel,
                      channels, SIG_SQL_TEXT(channels->user_id));
}

static void finish_list(struct sig_op *op) {
    struct channels_op *channels = (struct channels_op *)op;
    channels->done_list(op->data, op->status, channels->channels,
                        op->status == 0 ? channels->count : 0);
}

void sig_store_list_channels(struct sig_store *store, const char *user_id,
                             sig_store_channels_fn done, void *data) {
    struct channels_op *channels = sig_op_create(store, sizeof(*channels), list_channels);
    if (channels) {
        channels->user_id = sig_arena_text(&channels->op.given, user_id);
        channels->done_list = done;
    }
    if (!sig_op_submit_read(channels, finish_list, data))
        done(data, -ENOMEM, NULL, 0);
}

static void take_member(void *ctx, const struct sig_sql_row *row) {
    struct channels_op *channels = ctx;
    struct sig_arena *arena = &channels->op.found;
    channels->members = sig_arena_grow(arena, channels->members, channels->member_count,
                                       sizeof(*channels->members));
    if (channels->members)
        channels->members[channels->member_count++] =
            (struct sig_store_user){.user_id = sig_arena_text(arena, sig_sql_text(row, 0)),
                                    .name = sig_arena_text(arena, sig_sql_text(row, 1))};
}

static int find_channel(struct sig_op *op, struct sig_sql *sql) {
    struct channels_op *channels = (struct channels_op *)op;
    channels->channels = NULL;
    channels->members = NULL;
    channels->count = channels->member_count = 0;
    int status =
        SIG_OP_SQL(op, sql, CHANNEL_COLUMNS " WHERE channel_id = $2", take_channel, channels,
                   SIG_SQL_TEXT(channels->user_id), SIG_SQL_TEXT(channels->channel_id));
    if (status < 0 || channels->count == 0)
        return status;
    return SIG_OP_SQL(op, sql,
                      "SELECT m.user_id, u.name FROM members m LEFT JOIN users u"
                      " ON u.user_id = m.user_id WHERE m.channel_id = $1"
                      " ORDER BY m.joined_at_ms, m.user_id",
                      take_member, channels, SIG_SQL_TEXT(channels->channel_id));
}

static void finish_one(struct sig_op *op) {
    struct channels_op *channels = (struct channels_op *)op;
    bool is_found = op->status == 0 && channels->count > 0;
    channels->done_one(op->data, op->status, is_found ? channels->channels : NULL,
                       channels->members, is_found ? channels->member_count : 0);
}

void sig_store_find_channel(struct sig_store *store, const char *channel_id, const char *user_id,
                            sig_store_channel_fn done, void *data) {
    struct channels_op *channels = sig_op_create(store, sizeof(*channels), find_channel);
    if (channels) {
        channels->channel_id = sig_arena_text(&channels->op.given, channel_id);
        channels->user_id = sig_arena_text(&channels->op.given, user_id);
        channels->done_one = done;
    }
    if (!sig_op_submit_read(channels, finish_one, data))
        done(data, -ENOMEM, NULL, NULL, 0);
}
