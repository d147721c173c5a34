/* The queue between the main loop and the storage thread. The thread takes all that waits, up to a
 * limit, and does it in one transaction: the more is asked, the less each costs. */
#include "signaling/store.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "signaling/log.h"
#include "signaling/store_internal.h"

#define BATCH_MAX 256
#define QUEUE_MAX 100000       /* Then new operations are refused. */
#define RETRY_MS 500           /* While the database cannot be used. */
#define STOP_MS UINT64_C(3000) /* For what is queued, at the end. */

struct queue {
    struct sig_op *first, **last;
    size_t count;
};

struct sig_store {
    /* Owned. */
    struct sig_sql *sql; /* The storage thread's; without a thread, ours. */
    char *server;
    uv_async_t async;
    pthread_t thread;

    /* Given. */
    uint64_t (*now_ms)(void);
    uv_loop_t *loop;

    /* Shared, under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t work;
    pthread_cond_t answers;
    struct queue queue;    /* To do. */
    struct queue finished; /* To answer. */
    size_t in_hand;        /* In the storage thread's batch. */
    bool is_stopping;
    bool is_answering;
    uint64_t batches;

    /* The main loop's. */
    bool is_stopped;
    uint64_t done, failed;
};

static uint64_t clock_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

const char *sig_store_server(const struct sig_store *store) {
    return store->server;
}

uint64_t sig_store_now_ms(const struct sig_store *store) {
    return store->now_ms();
}

/* Queues. */

static void queue_init(struct queue *queue) {
    *queue = (struct queue){.last = &queue->first};
}

static void queue_add(struct queue *queue, struct sig_op *op) {
    op->next = NULL;
    *queue->last = op;
    queue->last = &op->next;
    queue->count++;
}

static struct sig_op *queue_take(struct queue *queue) {
    struct sig_op *op = queue->first;
    if (!op)
        return NULL;
    queue->first = op->next;
    if (!queue->first)
        queue->last = &queue->first;
    queue->count--;
    return op;
}

/* Puts all of `front` before what is in the queue. */
static void queue_return(struct queue *queue, struct queue *front) {
    if (front->count == 0)
        return;
    *front->last = queue->first;
    if (!queue->first)
        queue->last = front->last;
    queue->first = front->first;
    queue->count += front->count;
    queue_init(front);
}

/* Operations. */

void *sig_op_create(struct sig_store *store, size_t size,
                    int (*run)(struct sig_op *op, struct sig_sql *sql)) {
    struct sig_op *op = calloc(1, size);
    if (!op)
        return NULL;
    op->store = store;
    op->run = run;
    return op;
}

static void op_free(struct sig_op *op) {
    sig_arena_clear(&op->given);
    sig_arena_clear(&op->found);
    free(op);
}

/* Calls the callback of an operation that is done. */
static void answer(struct sig_op *op) {
    op->store->done++;
    op->store->failed += op->status < 0 && op->is_broken;
    if (op->finish)
        op->finish(op);
    else if (op->saved)
        op->saved(op->data, op->status);
    op_free(op);
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
static int run_one_by_one(struct sig_sql *sql, struct queue *batch, struct queue *finished) {
    while (batch->first) {
        int status = run_batch(sql, batch->first, 1);
        if (is_passing(status))
            return status;
        struct sig_op *op = queue_take(batch);
        if (status < 0)
            give_up(op, status, sql->error);
        queue_add(finished, op);
    }
    return 0;
}

static int run_all(struct sig_sql *sql, struct queue *batch, struct queue *finished) {
    int status = run_batch(sql, batch->first, batch->count);
    if (is_passing(status) && sql->driver->recover(sql) == 0)
        status = run_batch(sql, batch->first, batch->count);
    if (status < 0)
        return is_passing(status) && status != -ENOMEM ? status
                                                       : run_one_by_one(sql, batch, finished);
    while (batch->first)
        queue_add(finished, queue_take(batch));
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
static void put_off(struct queue *queue, struct queue *finished, int status) {
    struct queue kept;
    struct sig_op *op;
    queue_init(&kept);
    while ((op = queue_take(queue))) {
        struct sig_op *early = op->is_write ? answer_early(op, status) : op;
        op->status = status;
        op->is_broken = true;
        if (early)
            queue_add(finished, early);
        if (op->is_write)
            queue_add(&kept, op);
    }
    queue_return(queue, &kept);
}

/* The storage thread. */

static void take_batch(struct sig_store *store, struct queue *batch) {
    while (store->queue.first && batch->count < BATCH_MAX)
        queue_add(batch, queue_take(&store->queue));
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

static void publish(struct sig_store *store, struct queue *finished) {
    struct sig_op *op;
    while ((op = queue_take(finished)))
        queue_add(&store->finished, op);
    if (store->finished.count > 0 && store->loop)
        uv_async_send(&store->async);
    pthread_cond_broadcast(&store->answers);
}

/* One turn, entered and left with the lock held. */
static int work(struct sig_store *store) {
    struct queue batch, finished;
    queue_init(&batch);
    queue_init(&finished);
    take_batch(store, &batch);
    pthread_mutex_unlock(&store->lock);
    int status = run_all(store->sql, &batch, &finished);
    pthread_mutex_lock(&store->lock);
    store->in_hand = 0;
    store->batches++;
    queue_return(&store->queue, &batch);
    if (status < 0)
        put_off(&store->queue, &finished, status);
    note_state(store, status);
    publish(store, &finished);
    return status;
}

static void *storage_thread(void *data) {
    struct sig_store *store = data;
    uint64_t stop_by_ms = 0;
    pthread_setname_np(pthread_self(), "weir-store");
    pthread_mutex_lock(&store->lock);
    for (;;) {
        while (!store->queue.first && !store->is_stopping)
            pthread_cond_wait(&store->work, &store->lock);
        if (store->is_stopping && stop_by_ms == 0)
            stop_by_ms = clock_ms() + STOP_MS;
        if (!store->queue.first || (store->is_stopping && clock_ms() > stop_by_ms))
            break;
        if (work(store) < 0 && !store->is_stopping)
            wait_ms(store, RETRY_MS);
    }
    pthread_mutex_unlock(&store->lock);
    return NULL;
}

/* The main loop's side. */

static void deliver(struct sig_store *store) {
    struct queue finished;
    pthread_mutex_lock(&store->lock);
    queue_init(&finished);
    queue_return(&finished, &store->finished);
    pthread_mutex_unlock(&store->lock);
    struct sig_op *op;
    while ((op = queue_take(&finished)))
        answer(op);
}

static void on_async(uv_async_t *async) {
    deliver(async->data);
}

static void refuse(struct sig_op *op, int status) {
    op->status = status;
    op->is_broken = true;
    answer(op);
}

static void submit(struct sig_op *op) {
    struct sig_store *store = op->store;
    if (op->given.failed) {
        refuse(op, -ENOMEM);
    } else if (store->is_stopped) {
        refuse(op, -ECANCELED);
    } else if (!store->loop) {
        pthread_mutex_lock(&store->lock);
        queue_add(&store->queue, op);
        work(store);
        pthread_mutex_unlock(&store->lock);
        deliver(store);
    } else {
        pthread_mutex_lock(&store->lock);
        bool is_full = store->queue.count >= QUEUE_MAX;
        if (!is_full)
            queue_add(&store->queue, op);
        pthread_cond_signal(&store->work);
        pthread_mutex_unlock(&store->lock);
        if (is_full)
            refuse(op, -EBUSY);
    }
}

void sig_op_submit_write(void *made, sig_store_saved_fn saved, void *data) {
    struct sig_op *op = made;
    if (!op) {
        if (saved)
            saved(data, -ENOMEM);
        return;
    }
    op->saved = saved;
    op->data = data;
    op->is_write = true;
    submit(op);
}

bool sig_op_submit_read(void *made, void (*finish)(struct sig_op *op), void *data) {
    struct sig_op *op = made;
    if (!op)
        return false;
    op->finish = finish;
    op->data = data;
    submit(op);
    return true;
}

void sig_store_wait(struct sig_store *store) {
    bool is_idle = false;
    while (!is_idle && store->loop && !store->is_stopped) {
        pthread_mutex_lock(&store->lock);
        while (!store->finished.first && store->is_answering &&
               (store->queue.first || store->in_hand))
            pthread_cond_wait(&store->answers, &store->lock);
        is_idle = !store->finished.first;
        pthread_mutex_unlock(&store->lock);
        deliver(store);
    }
}

void sig_store_stats_get(struct sig_store *store, struct sig_store_stats *out) {
    pthread_mutex_lock(&store->lock);
    *out = (struct sig_store_stats){.queued = store->queue.count + store->in_hand,
                                    .done = store->done,
                                    .batches = store->batches,
                                    .failed = store->failed,
                                    .is_answering = store->is_answering,
                                    .driver = store->sql->driver->name};
    pthread_mutex_unlock(&store->lock);
}

void sig_store_stop(struct sig_store *store) {
    struct sig_op *op;
    if (!store || store->is_stopped)
        return;
    if (store->loop) {
        pthread_mutex_lock(&store->lock);
        store->is_stopping = true;
        pthread_cond_signal(&store->work);
        pthread_mutex_unlock(&store->lock);
        pthread_join(store->thread, NULL);
        uv_close((uv_handle_t *)&store->async, NULL);
    }
    store->is_stopped = true;
    deliver(store);
    if (store->queue.count > 0)
        sig_log(SIG_LOG_ERROR, NULL, "%zu operations never reached the database",
                store->queue.count);
    while ((op = queue_take(&store->queue)))
        refuse(op, -ECANCELED);
}

void sig_store_destroy(struct sig_store *store) {
    if (!store)
        return;
    sig_store_stop(store);
    store->sql->driver->close(store->sql);
    pthread_mutex_destroy(&store->lock);
    pthread_cond_destroy(&store->work);
    pthread_cond_destroy(&store->answers);
    free(store->server);
    free(store);
}

static int open_database(struct sig_sql **out, const char *database, char *error,
                         size_t error_size) {
    if (strncmp(database, "sqlite:", 7) == 0)
        return sig_sql_open_sqlite(out, database + 7, error, error_size);
    if (strncmp(database, "postgres://", 11) == 0 || strncmp(database, "postgresql://", 13) == 0)
        return sig_sql_open_postgres(out, database, error, error_size);
    snprintf(error, error_size, "%s: neither sqlite:FILE nor postgresql://…", database);
    return -EINVAL;
}

static int start_thread(struct sig_store *store, char *error, size_t error_size) {
    if (!store->loop)
        return 0;
    int status = uv_async_init(store->loop, &store->async, on_async);
    store->async.data = store;
    if (status < 0)
        return status;
    status = -pthread_create(&store->thread, NULL, storage_thread, store);
    if (status == 0)
        return 0;
    snprintf(error, error_size, "no thread: %s", strerror(-status));
    uv_close((uv_handle_t *)&store->async, NULL);
    store->loop = NULL;
    return status;
}

int sig_store_open(struct sig_store **out, const struct sig_store_options *options, char *error,
                   size_t error_size) {
    struct sig_store *store = calloc(1, sizeof(*store));
    char *server = strdup(options->server ? options->server : "weir");
    struct sig_sql *sql = NULL;
    *out = NULL;
    int status =
        store && server ? open_database(&sql, options->database, error, error_size) : -ENOMEM;
    uint64_t (*now_ms)(void) = options->now_ms ? options->now_ms : clock_ms;
    if (status == 0)
        status = sig_sql_migrate(sql, now_ms(), error, error_size);
    if (status < 0) {
        if (sql)
            sql->driver->close(sql);
        free(server);
        free(store);
        return status;
    }
    store->sql = sql;
    store->server = server;
    store->now_ms = now_ms;
    store->loop = options->loop;
    store->is_answering = true;
    pthread_mutex_init(&store->lock, NULL);
    pthread_cond_init(&store->work, NULL);
    pthread_cond_init(&store->answers, NULL);
    queue_init(&store->queue);
    queue_init(&store->finished);
    status = start_thread(store, error, error_size);
    if (status < 0) {
        sig_store_destroy(store);
        return status;
    }
    *out = store;
    return 0;
}
