/* The storage thread: takes all that waits, up to a limit, and does it in one transaction. The more
 * is asked, the less each costs. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "signaling/log.h"
#include "signaling/store_queue.h"
#include "signaling/when.h"

#define BATCH_MAX 256
#define RETRY_MS 500           /* While the database cannot be used. */
#define STOP_MS UINT64_C(3000) /* For what is queued, at the end. */

void sig_queue_init(struct sig_queue *queue) {
    *queue = (struct sig_queue){.last = &queue->first};
}

void sig_queue_add(struct sig_queue *queue, struct sig_op *op) {
    op->next = NULL;
    *queue->last = op;
    queue->last = &op->next;
    queue->count++;
}

struct sig_op *sig_queue_take(struct sig_queue *queue) {
    struct sig_op *op = queue->first;
    if (!op)
        return NULL;
    queue->first = op->next;
    if (!queue->first)
        queue->last = &queue->first;
    queue->count--;
    return op;
}

void sig_queue_return(struct sig_queue *queue, struct sig_queue *front) {
    if (front->count == 0)
        return;
    *front->last = queue->first;
    if (!queue->first)
        queue->last = front->last;
    queue->first = front->first;
    queue->count += front->count;
    sig_queue_init(front);
}

int sig_op_sql(struct sig_op *op, struct sig_sql *sql, const char *text,
               const struct sig_sql_value *values, size_t count, sig_sql_row_fn on_row, void *ctx) {
    int status = sig_sql_run(sql, text, values, count, on_row, ctx);
    if (status == 0 && op->found.failed)
        status = -ENOMEM;
    op->is_broken |= status < 0;
    return status;
}

static void run_op(struct sig_op *op, struct sig_sql *sql) {
    sig_arena_clear(&op->found);
    op->is_broken = false;
    op->status = op->run(op, sql);
}

/* One transaction. 0, or the failure of the database that undid it. */
static int run_batch(struct sig_sql *sql, struct sig_op *first, size_t count) {
    int status = sql->driver->begin(sql, false);
    struct sig_op *op = first;
    for (size_t i = 0; status == 0 && i < count; i++, op = op->next) {
        run_op(op, sql);
        status = op->is_broken ? op->status : 0;
    }
    if (status == 0)
        status = sql->driver->commit(sql);
    if (status < 0)
        sql->driver->rollback(sql);
    return status;
}

/* Whether it can be better next time, for the same operation. */
static bool is_passing(int status) {
    return status == -EIO || status == -ENOSPC || status == -EBUSY || status == -ENOMEM;
}

static void give_up(struct sig_op *op, int status, const char *why) {
    sig_log(SIG_LOG_ERROR, NULL, "the database refuses an operation: %s", why);
    op->status = status;
    op->is_broken = true;
}

/* Whatever undid the batch may be the fault of one of it: each gets a transaction of its own. What
 * is done goes to `finished`; returns the failure at which the rest waits, or 0. */
static int run_one_by_one(struct sig_sql *sql, struct sig_queue *batch,
                          struct sig_queue *finished) {
    while (batch->first) {
        int status = run_batch(sql, batch->first, 1);
        if (is_passing(status))
            return status;
        struct sig_op *op = sig_queue_take(batch);
        if (status < 0)
            give_up(op, status, sql->error);
        sig_queue_add(finished, op);
    }
    return 0;
}

static int run_all(struct sig_sql *sql, struct sig_queue *batch, struct sig_queue *finished) {
    int status = run_batch(sql, batch->first, batch->count);
    if (is_passing(status) && sql->driver->recover(sql) == 0)
        status = run_batch(sql, batch->first, batch->count);
    if (status < 0)
        return is_passing(status) && status != -ENOMEM ? status
                                                       : run_one_by_one(sql, batch, finished);
    while (batch->first)
        sig_queue_add(finished, sig_queue_take(batch));
    return 0;
}

/* A write that stays queued: its asker is told now. */
static struct sig_op *answer_early(struct sig_op *op, int status) {
    struct sig_op *early = op->saved ? calloc(1, sizeof(*early)) : NULL;
    if (!early)
        return NULL;
    *early = (struct sig_op){.store = op->store,
                             .saved = op->saved,
                             .data = op->data,
                             .is_write = true,
                             .status = status,
                             .is_broken = true};
    op->saved = NULL;
    return early;
}

/* The database cannot be used: reads fail, writes wait, and nobody waits for them. */
static void put_off(struct sig_queue *queue, struct sig_queue *finished, int status) {
    struct sig_queue kept;
    struct sig_op *op;
    sig_queue_init(&kept);
    while ((op = sig_queue_take(queue))) {
        struct sig_op *early = op->is_write ? answer_early(op, status) : op;
        op->status = status;
        op->is_broken = true;
        if (early)
            sig_queue_add(finished, early);
        if (op->is_write)
            sig_queue_add(&kept, op);
    }
    sig_queue_return(queue, &kept);
}

/* The storage thread. */

static void take_batch(struct sig_store *store, struct sig_queue *batch) {
    while (store->queue.first && batch->count < BATCH_MAX)
        sig_queue_add(batch, sig_queue_take(&store->queue));
    store->in_hand = batch->count;
}

static void wait_ms(struct sig_store *store, uint64_t ms) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    uint64_t ns = (uint64_t)until.tv_nsec + ms * 1000000;
    until.tv_sec += (time_t)(ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    pthread_cond_timedwait(&store->work, &store->lock, &until);
}

static void note_state(struct sig_store *store, int status) {
    bool is_answering = status == 0;
    if (is_answering != store->is_answering)
        sig_log(is_answering ? SIG_LOG_INFO : SIG_LOG_ERROR, NULL, "the database %s%s",
                is_answering ? "is written again" : "cannot be used: ",
                is_answering ? "" : store->sql->error);
    store->is_answering = is_answering;
}

static void publish(struct sig_store *store, struct sig_queue *finished) {
    struct sig_op *op;
    while ((op = sig_queue_take(finished)))
        sig_queue_add(&store->finished, op);
    if (store->finished.count > 0 && store->loop)
        uv_async_send(&store->async);
    pthread_cond_broadcast(&store->answers);
}

int sig_store_work(struct sig_store *store) {
    struct sig_queue batch, finished;
    sig_queue_init(&batch);
    sig_queue_init(&finished);
    take_batch(store, &batch);
    pthread_mutex_unlock(&store->lock);
    int status = run_all(store->sql, &batch, &finished);
    pthread_mutex_lock(&store->lock);
    store->in_hand = 0;
    store->batches++;
    sig_queue_return(&store->queue, &batch);
    if (status < 0)
        put_off(&store->queue, &finished, status);
    note_state(store, status);
    publish(store, &finished);
    return status;
}

void *sig_store_thread(void *data) {
    struct sig_store *store = data;
    uint64_t stop_by_ms = 0;
    pthread_setname_np(pthread_self(), "weir-store");
    pthread_mutex_lock(&store->lock);
    for (;;) {
        while (!store->queue.first && !store->is_stopping)
            pthread_cond_wait(&store->work, &store->lock);
        if (store->is_stopping && stop_by_ms == 0)
            stop_by_ms = sig_when_now_ms() + STOP_MS;
        if (!store->queue.first || (store->is_stopping && sig_when_now_ms() > stop_by_ms))
            break;
        if (sig_store_work(store) < 0 && !store->is_stopping)
            wait_ms(store, RETRY_MS);
    }
    pthread_mutex_unlock(&store->lock);
    return NULL;
}
