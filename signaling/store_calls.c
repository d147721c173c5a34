/* Calls, their participants, and what happens to them, as they are written. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/store_internal.h"

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
        " people, hook_count) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, "
        "$15)"
        " ON CONFLICT (call_id) DO UPDATE SET status = excluded.status,"
        " is_open = excluded.is_open, started_at_ms = excluded.started_at_ms,"
        " ended_at_ms = excluded.ended_at_ms, event_count = excluded.event_count,"
        " people_count = excluded.people_count, hook_count = excluded.hook_count,"
        " people = CASE excluded.people WHEN '' THEN calls.people ELSE excluded.people END",
        NULL, NULL, SIG_SQL_TEXT(call->id), SIG_SQL_TEXT(sig_store_server(change->op.store)),
        SIG_SQL_TEXT(sig_call_status_name(call->status)), SIG_SQL_INT(call->type == SIG_CALL_VIDEO),
        SIG_SQL_INT(call->is_open), SIG_SQL_INT(call->is_on_demand), SIG_SQL_TEXT(call->channel_id),
        SIG_SQL_TEXT(call->initiator_id), SIG_SQL_INT(call->created_at_ms),
        SIG_SQL_INT(call->started_at_ms), SIG_SQL_INT(call->ended_at_ms),
        SIG_SQL_INT(call->event_count), SIG_SQL_INT(call->people_count),
        SIG_SQL_TEXT(change->names ? change->names : ""), SIG_SQL_INT(call->hook_count));
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

static int write_hook(struct change_op *change, struct sig_sql *sql,
                      const struct sig_store_hook *hook) {
    return SIG_OP_SQL(&change->op, sql,
                      "INSERT INTO hooks (call_id, seq, server, id, event, body, attempts,"
                      " created_at_ms, due_at_ms) VALUES ($1, $2, $3, $4, $5, $6, 0, $7, 0)"
                      " ON CONFLICT DO NOTHING",
                      NULL, NULL, SIG_SQL_TEXT(change->call.id), SIG_SQL_INT(hook->seq),
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
        status = write_hook(change, sql, &change->hooks[i]);
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
    op->hook_count = change->hook_count;
    op->hooks = sig_arena_alloc(&op->op.given, (op->hook_count + 1) * sizeof(*op->hooks));
    for (size_t i = 0; op->hooks && i < op->hook_count; i++)
        op->hooks[i] =
            (struct sig_store_hook){.seq = change->hooks[i].seq,
                                    .id = sig_arena_text(&op->op.given, change->hooks[i].id),
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
        op->call.participants = op->call.chains = NULL;
        op->event = sig_arena_text(arena, change->event);
        op->by = sig_arena_text(arena, change->by);
        op->at_ms = change->at_ms;
        op->names = has_new_names(change) ? list_names(arena, change->call) : NULL;
        copy_people(op, change);
        copy_hooks(op, change);
    }
    sig_op_submit_write(op, done, data);
}
