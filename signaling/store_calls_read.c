/* Calls as they are read: one, those that a start has to settle, those that are to be forgotten. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/store_internal.h"

#define DEAD_AFTER_MS 60000 /* A server that has been silent for so long has no calls any more. */
#define FORGET_MAX 200      /* At a time, so that others need not wait for long. */

static struct sig_call *read_call(struct sig_arena *arena, const struct sig_sql_row *row) {
    struct sig_call *call = sig_arena_alloc(arena, sizeof(*call));
    if (!call)
        return NULL;
    strncpy(call->id, sig_sql_text(row, 0), sizeof(call->id) - 1);
    sig_call_status_read(sig_sql_text(row, 1), &call->status);
    call->type = sig_sql_int(row, 2) ? SIG_CALL_VIDEO : SIG_CALL_AUDIO;
    call->is_open = sig_sql_int(row, 3);
    call->is_on_demand = sig_sql_int(row, 4);
    call->channel_id = sig_arena_text(arena, sig_sql_text(row, 5));
    call->initiator_id = sig_arena_text(arena, sig_sql_text(row, 6));
    call->created_at_ms = (uint64_t)sig_sql_int(row, 7);
    call->started_at_ms = (uint64_t)sig_sql_int(row, 8);
    call->ended_at_ms = (uint64_t)sig_sql_int(row, 9);
    call->event_count = (uint64_t)sig_sql_int(row, 10);
    call->people_count = (size_t)sig_sql_int(row, 11);
    return call;
}

static struct sig_participant *read_participant(struct sig_arena *arena,
                                                const struct sig_sql_row *row) {
    struct sig_participant *who = sig_arena_alloc(arena, sizeof(*who));
    if (!who)
        return NULL;
    who->user_id = sig_arena_text(arena, sig_sql_text(row, 12));
    who->name = sig_arena_text(arena, sig_sql_text(row, 13));
    sig_participant_status_read(sig_sql_text(row, 14), &who->status);
    who->is_guest = sig_sql_int(row, 15);
    who->is_audio_enabled = sig_sql_int(row, 16);
    who->is_video_enabled = sig_sql_int(row, 17);
    who->is_screen_sharing = sig_sql_int(row, 18);
    who->joined_at_ms = (uint64_t)sig_sql_int(row, 19);
    who->left_at_ms = (uint64_t)sig_sql_int(row, 20);
    who->total_ms = (uint64_t)sig_sql_int(row, 21);
    who->position = (size_t)sig_sql_int(row, 22);
    who->seen_at_ms = (uint64_t)sig_sql_int(row, 23);
    return who;
}

static struct sig_call *call_of_row(struct sig_store_found_calls *found,
                                    const struct sig_sql_row *row) {
    struct sig_call *last = found->count ? found->calls[found->count - 1] : NULL;
    if (last && strcmp(last->id, sig_sql_text(row, 0)) == 0)
        return last;
    struct sig_call *call = read_call(found->arena, row);
    found->calls =
        sig_arena_grow(found->arena, found->calls, found->count, sizeof(struct sig_call *));
    if (call && found->calls)
        found->calls[found->count++] = call;
    return found->calls ? call : NULL;
}

void sig_store_collect_call(void *ctx, const struct sig_sql_row *row) {
    struct sig_store_found_calls *found = ctx;
    struct sig_call *call = found->arena->failed ? NULL : call_of_row(found, row);
    struct sig_participant *who = call ? read_participant(found->arena, row) : NULL;
    if (!who)
        return;
    call->hook_count = (uint64_t)sig_sql_int(row, 24);
    call->participants = sig_arena_grow(found->arena, call->participants, call->participant_count,
                                        sizeof(struct sig_participant *));
    if (call->participants)
        call->participants[call->participant_count++] = who;
}

struct calls_op {
    struct sig_op op; /* First member. */
    /* Given. */
    char id[SIG_UUID_SIZE];
    uint64_t now_ms, since_ms;
    size_t limit;
    sig_store_calls_fn done;
    /* Found. */
    struct sig_store_found_calls found;
};

static void finish_calls(struct sig_op *op) {
    struct calls_op *calls = (struct calls_op *)op;
    size_t count = op->status == 0 ? calls->found.count : 0;
    calls->done(op->data, op->status, (const struct sig_call *const *)calls->found.calls, count,
                count);
}

static void submit_calls(struct calls_op *calls, sig_store_calls_fn done, void *data) {
    if (calls)
        calls->done = done;
    if (!sig_op_submit_read(calls, finish_calls, data))
        done(data, -ENOMEM, NULL, 0, 0);
}

static void begin_calls(struct calls_op *calls) {
    calls->found = (struct sig_store_found_calls){.arena = &calls->op.found};
}

static int find_call(struct sig_op *op, struct sig_sql *sql) {
    struct calls_op *calls = (struct calls_op *)op;
    begin_calls(calls);
    return SIG_OP_SQL(op, sql,
                      "SELECT " SIG_STORE_CALL_COLUMNS " FROM calls c"
                      " JOIN participants p ON p.call_id = c.call_id"
                      " WHERE c.call_id = $1 ORDER BY p.position",
                      sig_store_collect_call, &calls->found, SIG_SQL_TEXT(calls->id));
}

void sig_store_find_call(struct sig_store *store, const char *id, sig_store_calls_fn done,
                         void *data) {
    struct calls_op *calls = sig_op_create(store, sizeof(*calls), find_call);
    if (calls)
        strncpy(calls->id, id, sizeof(calls->id) - 1);
    submit_calls(calls, done, data);
}

/* Whoever is in was there when the server last lived, or when something last happened. */
static void collect_unfinished(void *ctx, const struct sig_sql_row *row) {
    struct sig_store_found_calls *found = ctx;
    sig_store_collect_call(ctx, row);
    uint64_t alive_ms = (uint64_t)sig_sql_int(row, SIG_STORE_CALL_COLUMN_COUNT);
    uint64_t event_ms = (uint64_t)sig_sql_int(row, SIG_STORE_CALL_COLUMN_COUNT + 1);
    struct sig_call *call = found->count ? found->calls[found->count - 1] : NULL;
    struct sig_participant *who =
        call && call->participant_count ? call->participants[call->participant_count - 1] : NULL;
    if (who && who->status == SIG_PARTICIPANT_JOINED && who->seen_at_ms == 0)
        who->seen_at_ms = alive_ms > event_ms ? alive_ms : event_ms;
}

/* Its messages for the webhook are ours as well. */
static int load_unfinished(struct sig_op *op, struct sig_sql *sql) {
    struct calls_op *calls = (struct calls_op *)op;
    begin_calls(calls);
    uint64_t dead_ms = calls->now_ms > DEAD_AFTER_MS ? calls->now_ms - DEAD_AFTER_MS : 0;
    const char *server = sig_store_server(op->store);
    int status = SIG_OP_SQL(
        op, sql,
        "SELECT " SIG_STORE_CALL_COLUMNS ", COALESCE(s.alive_at_ms, 0),"
        " COALESCE((SELECT MAX(at_ms) FROM call_events e WHERE e.call_id = c.call_id), 0)"
        " FROM calls c JOIN participants p ON p.call_id = c.call_id"
        " LEFT JOIN servers s ON s.server = c.server WHERE c.ended_at_ms = 0"
        " AND (c.server = $1 OR COALESCE(s.alive_at_ms, 0) < $2)"
        " ORDER BY c.created_at_ms, c.call_id, p.position",
        collect_unfinished, &calls->found, SIG_SQL_TEXT(server), SIG_SQL_INT(dead_ms));
    for (size_t i = 0; status == 0 && i < calls->found.count; i++)
        status = SIG_OP_SQL(op, sql, "UPDATE calls SET server = $1 WHERE call_id = $2", NULL, NULL,
                            SIG_SQL_TEXT(server), SIG_SQL_TEXT(calls->found.calls[i]->id));
    if (status < 0)
        return status;
    return SIG_OP_SQL(op, sql,
                      "UPDATE hooks SET server = $1 WHERE server <> $1 AND COALESCE((SELECT"
                      " alive_at_ms FROM servers s WHERE s.server = hooks.server), 0) < $2",
                      NULL, NULL, SIG_SQL_TEXT(server), SIG_SQL_INT(dead_ms));
}

void sig_store_load_unfinished(struct sig_store *store, sig_store_calls_fn done, void *data) {
    struct calls_op *calls = sig_op_create(store, sizeof(*calls), load_unfinished);
    if (calls)
        calls->now_ms = sig_store_now_ms(store);
    submit_calls(calls, done, data);
}

static void collect_ended(void *ctx, const struct sig_sql_row *row) {
    call_of_row(ctx, row);
}

static int load_ended(struct sig_op *op, struct sig_sql *sql) {
    struct calls_op *calls = (struct calls_op *)op;
    begin_calls(calls);
    return SIG_OP_SQL(op, sql,
                      "SELECT call_id, status, is_video, is_open, is_on_demand, channel_id,"
                      " initiator_id, created_at_ms, started_at_ms, ended_at_ms, event_count,"
                      " people_count FROM calls WHERE ended_at_ms > $1"
                      " ORDER BY ended_at_ms DESC LIMIT $2",
                      collect_ended, &calls->found, SIG_SQL_INT(calls->since_ms),
                      SIG_SQL_INT(calls->limit));
}

void sig_store_load_ended(struct sig_store *store, uint64_t since_ms, size_t limit,
                          sig_store_calls_fn done, void *data) {
    struct calls_op *calls = sig_op_create(store, sizeof(*calls), load_ended);
    if (calls) {
        calls->since_ms = since_ms;
        calls->limit = limit;
    }
    submit_calls(calls, done, data);
}

/* Being alive, and forgetting. */

struct moment_op {
    struct sig_op op; /* First member. */
    uint64_t ms;
    struct sig_store_found_calls found;
};

static int note_alive(struct sig_op *op, struct sig_sql *sql) {
    return SIG_OP_SQL(op, sql,
                      "INSERT INTO servers (server, alive_at_ms) VALUES ($1, $2)"
                      " ON CONFLICT (server) DO UPDATE SET alive_at_ms = excluded.alive_at_ms",
                      NULL, NULL, SIG_SQL_TEXT(sig_store_server(op->store)),
                      SIG_SQL_INT(((struct moment_op *)op)->ms));
}

static void finish_alive(struct sig_op *op) {
    (void)op;
}

/* Not worth being made up for. */
void sig_store_note_alive(struct sig_store *store, uint64_t now_ms) {
    struct moment_op *op = sig_op_create(store, sizeof(*op), note_alive);
    if (op)
        op->ms = now_ms;
    sig_op_submit_read(op, finish_alive, NULL);
}

static int forget_call(struct sig_op *op, struct sig_sql *sql, const char *call_id) {
    static const char *const statements[] = {
        "DELETE FROM samples WHERE call_id = $1",
        "DELETE FROM call_events WHERE call_id = $1",
        "DELETE FROM participants WHERE call_id = $1",
        "DELETE FROM calls WHERE call_id = $1",
    };
    int status = 0;
    for (size_t i = 0; status == 0 && i < sizeof(statements) / sizeof(statements[0]); i++)
        status = SIG_OP_SQL(op, sql, statements[i], NULL, NULL, SIG_SQL_TEXT(call_id));
    return status;
}

static int forget_calls(struct sig_op *op, struct sig_sql *sql) {
    struct moment_op *moment = (struct moment_op *)op;
    moment->found = (struct sig_store_found_calls){.arena = &op->found};
    int status =
        SIG_OP_SQL(op, sql,
                   "SELECT call_id, status, is_video, is_open, is_on_demand, channel_id,"
                   " initiator_id, created_at_ms, started_at_ms, ended_at_ms, event_count,"
                   " people_count FROM calls WHERE ended_at_ms > 0 AND ended_at_ms < $1"
                   " ORDER BY ended_at_ms LIMIT $2",
                   collect_ended, &moment->found, SIG_SQL_INT(moment->ms), SIG_SQL_INT(FORGET_MAX));
    for (size_t i = 0; status == 0 && i < moment->found.count; i++)
        status = forget_call(op, sql, moment->found.calls[i]->id);
    return status < 0 ? status : (int)moment->found.count;
}

void sig_store_forget_calls(struct sig_store *store, uint64_t before_ms, sig_store_saved_fn done,
                            void *data) {
    struct moment_op *op = sig_op_create(store, sizeof(*op), forget_calls);
    if (op)
        op->ms = before_ms;
    sig_op_submit_write(op, done, data);
}
