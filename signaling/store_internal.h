/* The inside of the store, for the store_*.c files: operations, which are made and answered on the
 * main loop's thread and run on the storage thread.
 *
 * An operation may be run more than once (its batch failed for another's sake, or the database was
 * away), so what it does has to be the same the second time, and what it found is cleared before.
 */
#ifndef SIGNALING_STORE_INTERNAL_H
#define SIGNALING_STORE_INTERNAL_H

#include "signaling/store.h"
#include "signaling/store_arena.h"
#include "signaling/store_sql.h"

struct sig_op {
    /* Given. */
    int (*run)(struct sig_op *op, struct sig_sql *sql); /* 0, or the negative errno to answer. */
    void (*finish)(struct sig_op *op); /* Calls the callback; NULL: `saved` is called. */
    sig_store_saved_fn saved;          /* Of writes, may be NULL. */
    void *data;
    bool is_write;

    /* Owned. */
    struct sig_arena given;
    struct sig_arena found;

    /* State. */
    struct sig_op *next;
    struct sig_store *store;
    int status;
    bool is_broken; /* status is a failure of the database, not an answer. */
};

/* Makes an operation: `size` bytes that begin with a struct sig_op, zeroed. NULL without memory;
 * give it to sig_op_submit all the same. */
void *sig_op_create(struct sig_store *store, size_t size,
                    int (*run)(struct sig_op *op, struct sig_sql *sql));

/* Queues a write (what sig_op_create made), or answers -ENOMEM when op is NULL or was not copied
 * whole. */
void sig_op_submit_write(void *op, sig_store_saved_fn saved, void *data);

/* Queues a read, whose finish answers for op->status; false: there was no memory, answer that. */
bool sig_op_submit_read(void *op, void (*finish)(struct sig_op *op), void *data);

/* For op->run: a statement; a failure of the database is noted in op. */
int sig_op_sql(struct sig_op *op, struct sig_sql *sql, const char *text,
               const struct sig_sql_value *values, size_t count, sig_sql_row_fn on_row, void *ctx);
#define SIG_OP_SQL(op, sql, text, on_row, ctx, ...)                                                \
    sig_op_sql(op, sql, text, (const struct sig_sql_value[]){__VA_ARGS__},                         \
               sizeof((const struct sig_sql_value[]){__VA_ARGS__}) / sizeof(struct sig_sql_value), \
               on_row, ctx)

const char *sig_store_server(const struct sig_store *store);
uint64_t sig_store_now_ms(const struct sig_store *store);

/* store_fold.c: the text as it is compared when case does not count; and as a pattern of LIKE
 * (with ESCAPE '!') that matches texts with this part. */
char *sig_store_fold(struct sig_arena *arena, const char *text);
char *sig_store_pattern(struct sig_arena *arena, const char *part);

/* store_calls.c: the columns of a call and of one of its participants, in the order in which
 * sig_store_collect_call expects them; rows of one call come together. */
#define SIG_STORE_CALL_COLUMNS                                                                     \
    "c.call_id, c.status, c.is_video, c.is_open, c.is_on_demand, c.channel_id, c.initiator_id,"    \
    " c.created_at_ms, c.started_at_ms, c.ended_at_ms, c.event_count, c.people_count,"             \
    " p.user_id, p.name, p.status, p.is_guest, p.is_audio_enabled, p.is_video_enabled,"            \
    " p.is_screen_sharing, p.joined_at_ms, p.left_at_ms, p.total_ms, p.position,"                  \
    " p.seen_at_ms, c.hook_count"
#define SIG_STORE_CALL_COLUMN_COUNT 25

struct sig_store_found_calls {
    struct sig_arena *arena;
    struct sig_call **calls;
    size_t count, total;
};

/* A sig_sql_row_fn whose ctx is a struct sig_store_found_calls. */
void sig_store_collect_call(void *ctx, const struct sig_sql_row *row);

#endif
