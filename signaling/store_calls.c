/* Calls, their participants, and what happened to them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/store_internal.h"

#define DEAD_AFTER_MS 60000 /* A server that has been silent for so long has no calls any more. */
#define HOOKS_MAX 8         /* Of one change: their numbers are made of the event's. */
#define FORGET_MAX 200      /* At a time, so that others need not wait for long. */

struct change_op {
    struct sig_op op; /* First member. */
    struct sig_call call;
    struct sig_participant *people; /* Those to write. */
    size_t people_count;
    const char *names; /* Of all, folded; NULL: as before. */
    const char *event, *by;
    uint64_t at_ms;
    struct sig_store_hook *hooks;
    size_t hook_count;
};

static int write_call(struct change_op *change, struct sig_sql *sql) {
    const struct sig_call *call = &change->call;
    return SIG_OP_SQL(
        &change->op, sql,
        "INSERT INTO calls (call_id, server, status, is_video, is_open, is_on_demand, channel_id,"
        " initiator_id, created_at_ms, started_at_ms, ended_at_ms, event_count, people_count,"
        " people) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
        " ON CONFLICT (call_id) DO UPDATE SET status = excluded.status,"
        " is_open = excluded.is_open, started_at_ms = excluded.started_at_ms,"
        " ended_at_ms = excluded.ended_at_ms, event_count = excluded.event_count,"
        " people_count = excluded.people_count,"
        " people = CASE excluded.people WHEN '' THEN calls.people ELSE excluded.people END",
        NULL, NULL, SIG_SQL_TEXT(call->id), SIG_SQL_TEXT(sig_store_server(change->op.store)),
        SIG_SQL_TEXT(sig_call_status_name(call->status)), SIG_SQL_INT(call->type == SIG_CALL_VIDEO),
        SIG_SQL_INT(call->is_open), SIG_SQL_INT(call->is_on_demand), SIG_SQL_TEXT(call->channel_id),
        SIG_SQL_TEXT(call->initiator_id), SIG_SQL_INT(call->created_at_ms),
        SIG_SQL_INT(call->started_at_ms), SIG_SQL_INT(call->ended_at_ms),
        SIG_SQL_INT(call->event_count), SIG_SQL_INT(call->people_count),
        SIG_SQL_TEXT(change->names ? change->names : ""));
}

static int write_participant(struct change_op *change, struct sig_sql *sql,
                             const struct sig_participant *who) {
    const struct sig_call *call = &change->call;
    return SIG_OP_SQL(
        &change->op, sql,
        "INSERT INTO participants (call_id, user_id, position, name, status, is_guest,"
        " is_audio_enabled, is_video_enabled, is_screen_sharing, joined_at_ms, left_at_ms,"
        " total_ms, created_at_ms, is_own, is_missed, is_video_call, seen_at_ms) VALUES"
        " ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
        " ON CONFLICT (call_id, user_id) DO UPDATE SET name = excluded.name,"
        " status = excluded.status, is_audio_enabled = excluded.is_audio_enabled,"
        " is_video_enabled = excluded.is_video_enabled,"
        " is_screen_sharing = excluded.is_screen_sharing, joined_at_ms = excluded.joined_at_ms,"
        " left_at_ms = excluded.left_at_ms, total_ms = excluded.total_ms,"
        " is_missed = excluded.is_missed, seen_at_ms = excluded.seen_at_ms",
        NULL, NULL, SIG_SQL_TEXT(call->id), SIG_SQL_TEXT(who->user_id), SIG_SQL_INT(who->position),
        SIG_SQL_TEXT(who->name), SIG_SQL_TEXT(sig_participant_status_name(who->status)),
        SIG_SQL_INT(who->is_guest), SIG_SQL_INT(who->is_audio_enabled),
        SIG_SQL_INT(who->is_video_enabled), SIG_SQL_INT(who->is_screen_sharing),
        SIG_SQL_INT(who->joined_at_ms), SIG_SQL_INT(who->left_at_ms), SIG_SQL_INT(who->total_ms),
        SIG_SQL_INT(call->created_at_ms),
        SIG_SQL_INT(strcmp(call->initiator_id, who->user_id) == 0),
        SIG_SQL_INT(sig_call_has_missed(call, who)), SIG_SQL_INT(call->type == SIG_CALL_VIDEO),
        SIG_SQL_INT(who->seen_at_ms));
}

static int write_event(struct change_op *change, struct sig_sql *sql) {
    if (!change->event)
        return 0;
    return SIG_OP_SQL(&change->op, sql,
                      "INSERT INTO call_events (call_id, seq, at_ms, event, user_id)"
                      " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
                      NULL, NULL, SIG_SQL_TEXT(change->call.id),
                      SIG_SQL_INT(change->call.event_count), SIG_SQL_INT(change->at_ms),
                      SIG_SQL_TEXT(change->event), SIG_SQL_TEXT(change->by));
}

static int write_hook(struct change_op *change, struct sig_sql *sql, size_t index) {
    const struct sig_store_hook *hook = &change->hooks[index];
    return SIG_OP_SQL(&change->op, sql,
                      "INSERT INTO hooks (call_id, seq, server, id, event, body, attempts,"
                      " created_at_ms, due_at_ms) VALUES ($1, $2, $3, $4, $5, $6, 0, $7, 0)"
                      " ON CONFLICT DO NOTHING",
                      NULL, NULL, SIG_SQL_TEXT(change->call.id),
                      SIG_SQL_INT(change->call.event_count * HOOKS_MAX + index),
                      SIG_SQL_TEXT(sig_store_server(change->op.store)), SIG_SQL_TEXT(hook->id),
                      SIG_SQL_TEXT(hook->event), SIG_SQL_TEXT(hook->body),
                      SIG_SQL_INT(change->at_ms));
}

static int save_change(struct sig_op *op, struct sig_sql *sql) {
    struct change_op *change = (struct change_op *)op;
    int status = write_call(change, sql);
    for (size_t i = 0; status == 0 && i < change->people_count; i++)
        status = write_participant(change, sql, &change->people[i]);
    if (status == 0)
        status = write_event(change, sql);
    for (size_t i = 0; status == 0 && i < change->hook_count; i++)
        status = write_hook(change, sql, i);
    return status;
}

static void copy_participant(struct change_op *op, const struct sig_participant *from) {
    struct sig_participant *to = &op->people[op->people_count++];
    *to = *from;
    to->user_id = sig_arena_text(&op->op.given, from->user_id);
    to->name = sig_arena_text(&op->op.given, from->name);
}

static void copy_people(struct change_op *op, const struct sig_store_change *change) {
    size_t count = change->changed ? 1 : change->call->participant_count;
    op->people = sig_arena_alloc(&op->op.given, (count + 1) * sizeof(*op->people));
    if (!op->people)
        return;
    if (change->changed)
        copy_participant(op, change->changed);
    for (size_t i = 0; !change->changed && i < count; i++)
        copy_participant(op, change->call->participants[i]);
}

/* The names change with the list of people: when all of them are written, and when one more is. */
static bool has_new_names(const struct sig_store_change *change) {
    return !change->changed || change->changed->joined_at_ms == change->at_ms;
}

static char *list_names(struct sig_arena *arena, const struct sig_call *call) {
    size_t len = call->channel_id ? strlen(call->channel_id) + 1 : 0;
    for (size_t i = 0; i < call->participant_count; i++)
        len += strlen(call->participants[i]->name) + 1;
    char *names = sig_arena_alloc(arena, len + 1), *to = names;
    for (size_t i = 0; names && i < call->participant_count; i++)
        to = stpcpy(stpcpy(to, call->participants[i]->name), "\n");
    return names ? sig_store_fold(arena, names) : NULL;
}

static void copy_hooks(struct change_op *op, const struct sig_store_change *change) {
    op->hook_count = change->hook_count < HOOKS_MAX ? change->hook_count : HOOKS_MAX;
    op->hooks = sig_arena_alloc(&op->op.given, (op->hook_count + 1) * sizeof(*op->hooks));
    for (size_t i = 0; op->hooks && i < op->hook_count; i++)
        op->hooks[i] =
            (struct sig_store_hook){.id = sig_arena_text(&op->op.given, change->hooks[i].id),
                                    .event = sig_arena_text(&op->op.given, change->hooks[i].event),
                                    .body = sig_arena_text(&op->op.given, change->hooks[i].body)};
}

void sig_store_save_change(struct sig_store *store, const struct sig_store_change *change,
                           sig_store_saved_fn done, void *data) {
    struct change_op *op = sig_op_create(store, sizeof(*op), save_change);
    if (op) {
        struct sig_arena *arena = &op->op.given;
        op->call = *change->call;
        op->call.initiator_id = sig_arena_text(arena, change->call->initiator_id);
        op->call.channel_id = sig_arena_text(arena, change->call->channel_id);
        op->call.participants = NULL;
        op->event = sig_arena_text(arena, change->event);
        op->by = sig_arena_text(arena, change->by);
        op->at_ms = change->at_ms;
        op->names = has_new_names(change) ? list_names(arena, change->call) : NULL;
        copy_people(op, change);
        copy_hooks(op, change);
    }
    sig_op_submit_write(op, done, data);
}

/* What is read. */

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
    return status;
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
        "DELETE FROM samples WHERE call_id = $1", "DELETE FROM call_events WHERE call_id = $1",
        "DELETE FROM hooks WHERE call_id = $1",   "DELETE FROM participants WHERE call_id = $1",
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
