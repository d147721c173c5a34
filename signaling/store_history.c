/* A user's past calls, a page at a time, and what happened in one. */
#include <errno.h>
#include <stdlib.h>

#include "signaling/store_internal.h"

#define EVENTS_MAX 1000

struct history_op {
    struct sig_op op; /* First member. */
    /* Given. */
    struct sig_store_query query;
    const char *pattern; /* NULL: no search. */
    sig_store_calls_fn done;
    /* Found. */
    struct sig_store_found_calls found;
};

/* Without a search the index participants_history alone says which calls they are and how many. A
 * search has to look at each call, so it counts on the way. */
#define FILTERS                                                                                    \
    " WHERE h.user_id = $1 AND ($2 = -1 OR h.is_own = $2)"                                         \
    " AND ($3 = -1 OR h.is_missed = $3) AND ($4 = -1 OR h.is_video_call = $4)"
#define MATCHES " FROM participants h" FILTERS
#define SEARCHED(pattern)                                                                          \
    " FROM participants h JOIN calls f ON f.call_id = h.call_id" FILTERS                           \
    " AND f.people LIKE " pattern " ESCAPE '!'"
#define PAGE(total, matches, direction)                                                            \
    "SELECT " SIG_STORE_CALL_COLUMNS ", page.total FROM"                                           \
    " (SELECT h.call_id, h.created_at_ms, " total " AS total" matches                              \
    " ORDER BY h.created_at_ms " direction ", h.call_id " direction " LIMIT $5 OFFSET $6) AS page" \
    " JOIN calls c ON c.call_id = page.call_id JOIN participants p ON p.call_id = page.call_id"    \
    " AND (p.position < 16 OR p.user_id = $1)"                                                     \
    " ORDER BY page.created_at_ms " direction ", page.call_id " direction ", p.position"
_Static_assert(SIG_STORE_PEOPLE_LISTED == 16, "as the statement says");

static const char *const counts[2] = {"SELECT COUNT(*)" MATCHES, "SELECT COUNT(*)" SEARCHED("$5")};
static const char *const pages[2][2] = {
    {PAGE("0", MATCHES, "DESC"), PAGE("0", MATCHES, "ASC")},
    {PAGE("COUNT(*) OVER ()", SEARCHED("$7"), "DESC"),
     PAGE("COUNT(*) OVER ()", SEARCHED("$7"), "ASC")},
};

static void take_total(void *ctx, const struct sig_sql_row *row) {
    ((struct history_op *)ctx)->found.total = (size_t)sig_sql_int(row, 0);
}

static int count_calls(struct history_op *history, struct sig_sql *sql) {
    const struct sig_store_query *query = &history->query;
    const struct sig_sql_value values[] = {
        SIG_SQL_TEXT(query->user_id), SIG_SQL_INT(query->outgoing), SIG_SQL_INT(query->missed),
        SIG_SQL_INT(query->video), SIG_SQL_TEXT(history->pattern)};
    bool is_searched = history->pattern != NULL;
    return sig_op_sql(&history->op, sql, counts[is_searched], values, is_searched ? 5 : 4,
                      take_total, history);
}

static void take_call(void *ctx, const struct sig_sql_row *row) {
    struct history_op *history = ctx;
    sig_store_collect_call(&history->found, row);
    if (history->pattern)
        history->found.total = (size_t)sig_sql_int(row, SIG_STORE_CALL_COLUMN_COUNT);
}

static int read_page(struct history_op *history, struct sig_sql *sql) {
    const struct sig_store_query *query = &history->query;
    const struct sig_sql_value values[] = {
        SIG_SQL_TEXT(query->user_id),  SIG_SQL_INT(query->outgoing), SIG_SQL_INT(query->missed),
        SIG_SQL_INT(query->video),     SIG_SQL_INT(query->limit),    SIG_SQL_INT(query->offset),
        SIG_SQL_TEXT(history->pattern)};
    bool is_searched = history->pattern != NULL;
    return sig_op_sql(&history->op, sql, pages[is_searched][query->order], values,
                      is_searched ? 7 : 6, take_call, history);
}

static int list_calls(struct sig_op *op, struct sig_sql *sql) {
    struct history_op *history = (struct history_op *)op;
    history->found = (struct sig_store_found_calls){.arena = &op->found};
    int status = 0;
    if (!history->pattern)
        status = count_calls(history, sql);
    if (status < 0 || (!history->pattern && history->found.total <= history->query.offset))
        return status;
    status = read_page(history, sql);
    bool is_past_the_end = history->found.count == 0 && history->query.offset > 0;
    return status == 0 && history->pattern && is_past_the_end ? count_calls(history, sql) : status;
}

static void finish_history(struct sig_op *op) {
    struct history_op *history = (struct history_op *)op;
    bool is_good = op->status == 0;
    history->done(op->data, op->status, (const struct sig_call *const *)history->found.calls,
                  is_good ? history->found.count : 0, is_good ? history->found.total : 0);
}

void sig_store_list_calls(struct sig_store *store, const struct sig_store_query *query,
                          sig_store_calls_fn done, void *data) {
    struct history_op *history = sig_op_create(store, sizeof(*history), list_calls);
    if (history) {
        history->query = *query;
        history->query.user_id = sig_arena_text(&history->op.given, query->user_id);
        if (query->search && query->search[0])
            history->pattern = sig_store_pattern(&history->op.given, query->search);
        history->done = done;
    }
    if (!sig_op_submit_read(history, finish_history, data))
        done(data, -ENOMEM, NULL, 0, 0);
}

struct events_op {
    struct sig_op op; /* First member. */
    /* Given. */
    const char *call_id;
    sig_store_events_fn done;
    /* Found. */
    struct sig_store_event *events;
    size_t count;
};

static void take_event(void *ctx, const struct sig_sql_row *row) {
    struct events_op *events = ctx;
    struct sig_arena *arena = &events->op.found;
    events->events = sig_arena_grow(arena, events->events, events->count, sizeof(*events->events));
    if (events->events)
        events->events[events->count++] =
            (struct sig_store_event){.at_ms = (uint64_t)sig_sql_int(row, 0),
                                     .event = sig_arena_text(arena, sig_sql_text(row, 1)),
                                     .user_id = sig_arena_text(arena, sig_sql_text(row, 2))};
}

static int list_events(struct sig_op *op, struct sig_sql *sql) {
    struct events_op *events = (struct events_op *)op;
    events->events = NULL;
    events->count = 0;
    return SIG_OP_SQL(op, sql,
                      "SELECT at_ms, event, user_id FROM call_events WHERE call_id = $1"
                      " ORDER BY seq LIMIT $2",
                      take_event, events, SIG_SQL_TEXT(events->call_id), SIG_SQL_INT(EVENTS_MAX));
}

static void finish_events(struct sig_op *op) {
    struct events_op *events = (struct events_op *)op;
    events->done(op->data, op->status, events->events, op->status == 0 ? events->count : 0);
}

void sig_store_list_events(struct sig_store *store, const char *call_id, sig_store_events_fn done,
                           void *data) {
    struct events_op *events = sig_op_create(store, sizeof(*events), list_events);
    if (events) {
        events->call_id = sig_arena_text(&events->op.given, call_id);
        events->done = done;
    }
    if (!sig_op_submit_read(events, finish_events, data))
        done(data, -ENOMEM, NULL, 0);
}
