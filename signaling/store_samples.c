/* Quality over the time of a call. */
#include <errno.h>
#include <stdlib.h>

#include "signaling/store_internal.h"

#define SAMPLES_MAX 5000 /* Of an answer. */

struct samples_op {
    struct sig_op op; /* First member. */
    /* Given; or found. */
    struct sig_store_sample *samples;
    size_t count;
    const char *call_id;
    uint64_t from_ms, interval_ms;
    sig_store_samples_fn done;
};

static int save_sample(struct sig_op *op, struct sig_sql *sql, const char *call_id,
                       const struct sig_store_sample *sample) {
    return SIG_OP_SQL(
        op, sql,
        "INSERT INTO samples (call_id, user_id, at_ms, weight, score, score_min,"
        " up_loss_permille, down_loss_permille, rtt_ms, up_bps, down_bps, reason)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING",
        NULL, NULL, SIG_SQL_TEXT(call_id), SIG_SQL_TEXT(sample->user_id),
        SIG_SQL_INT(sample->at_ms), SIG_SQL_INT(sample->weight), SIG_SQL_INT(sample->score),
        SIG_SQL_INT(sample->score_min), SIG_SQL_INT(sample->up_loss_permille),
        SIG_SQL_INT(sample->down_loss_permille), SIG_SQL_INT(sample->rtt_ms),
        SIG_SQL_INT(sample->up_bps), SIG_SQL_INT(sample->down_bps), SIG_SQL_TEXT(sample->reason));
}

static int save_samples(struct sig_op *op, struct sig_sql *sql) {
    const struct samples_op *samples = (struct samples_op *)op;
    int status = 0;
    for (size_t i = 0; status == 0 && i < samples->count; i++)
        status = save_sample(op, sql, samples->call_id, &samples->samples[i]);
    return status;
}

void sig_store_save_samples(struct sig_store *store, const char *call_id,
                            const struct sig_store_sample *samples, size_t count,
                            sig_store_saved_fn done, void *data) {
    struct samples_op *op = sig_op_create(store, sizeof(*op), save_samples);
    struct sig_arena *arena = op ? &op->op.given : NULL;
    if (op) {
        op->call_id = sig_arena_text(arena, call_id);
        op->samples = sig_arena_alloc(arena, (count + 1) * sizeof(*samples));
        op->count = op->samples ? count : 0;
    }
    for (size_t i = 0; op && i < op->count; i++) {
        op->samples[i] = samples[i];
        op->samples[i].user_id = sig_arena_text(arena, samples[i].user_id);
        op->samples[i].reason = sig_arena_text(arena, samples[i].reason);
    }
    sig_op_submit_write(op, done, data);
}

static void take_sample(void *ctx, const struct sig_sql_row *row) {
    struct samples_op *op = ctx;
    struct sig_arena *arena = &op->op.found;
    op->samples = sig_arena_grow(arena, op->samples, op->count, sizeof(*op->samples));
    if (!op->samples)
        return;
    int64_t weight = sig_sql_int(row, 2) > 0 ? sig_sql_int(row, 2) : 1;
    op->samples[op->count++] = (struct sig_store_sample){
        .user_id = sig_arena_text(arena, sig_sql_text(row, 0)),
        .at_ms = op->from_ms + (uint64_t)sig_sql_int(row, 1) * op->interval_ms,
        .weight = (unsigned)weight,
        .score = (unsigned)(sig_sql_int(row, 3) / weight),
        .score_min = (unsigned)sig_sql_int(row, 4),
        .up_loss_permille = (unsigned)(sig_sql_int(row, 5) / weight),
        .down_loss_permille = (unsigned)(sig_sql_int(row, 6) / weight),
        .rtt_ms = (unsigned)(sig_sql_int(row, 7) / weight),
        .up_bps = (uint64_t)(sig_sql_int(row, 8) / weight),
        .down_bps = (uint64_t)(sig_sql_int(row, 9) / weight),
        .reason = sig_arena_text(arena, sig_sql_text(row, 10))};
}

static int list_samples(struct sig_op *op, struct sig_sql *sql) {
    struct samples_op *samples = (struct samples_op *)op;
    samples->samples = NULL;
    samples->count = 0;
    return SIG_OP_SQL(
        op, sql,
        "SELECT user_id, (at_ms - $2) / $3 AS part, CAST(SUM(weight) AS BIGINT),"
        " CAST(SUM(weight * score) AS BIGINT), MIN(score_min),"
        " CAST(SUM(weight * up_loss_permille) AS BIGINT),"
        " CAST(SUM(weight * down_loss_permille) AS BIGINT), CAST(SUM(weight * rtt_ms) AS BIGINT),"
        " CAST(SUM(weight * up_bps) AS BIGINT), CAST(SUM(weight * down_bps) AS BIGINT),"
        " MIN(reason) FROM samples WHERE call_id = $1 AND at_ms >= $2"
        " GROUP BY user_id, part ORDER BY user_id, part LIMIT $4",
        take_sample, samples, SIG_SQL_TEXT(samples->call_id), SIG_SQL_INT(samples->from_ms),
        SIG_SQL_INT(samples->interval_ms), SIG_SQL_INT(SAMPLES_MAX));
}

static void finish_samples(struct sig_op *op) {
    struct samples_op *samples = (struct samples_op *)op;
    samples->done(op->data, op->status, samples->samples, op->status == 0 ? samples->count : 0);
}

void sig_store_list_samples(struct sig_store *store, const char *call_id, uint64_t from_ms,
                            uint64_t interval_ms, sig_store_samples_fn done, void *data) {
    struct samples_op *op = sig_op_create(store, sizeof(*op), list_samples);
    if (op) {
        op->call_id = sig_arena_text(&op->op.given, call_id);
        op->from_ms = from_ms;
        op->interval_ms = interval_ms;
        op->done = done;
    }
    if (!sig_op_submit_read(op, finish_samples, data))
        done(data, -ENOMEM, NULL, 0);
}
