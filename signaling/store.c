/* The main loop's side of the store: operations are made, queued and answered here. */
#include "signaling/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "signaling/log.h"
#include "signaling/store_queue.h"
#include "signaling/when.h"

#define QUEUE_MAX 100000 /* Then new operations are refused. */

const char *sig_store_server(const struct sig_store *store) {
    return store->server;
}

uint64_t sig_store_now_ms(const struct sig_store *store) {
    return store->now_ms();
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

/* The main loop's side. */

static void deliver(struct sig_store *store) {
    struct sig_queue finished;
    pthread_mutex_lock(&store->lock);
    sig_queue_init(&finished);
    sig_queue_return(&finished, &store->finished);
    pthread_mutex_unlock(&store->lock);
    struct sig_op *op;
    while ((op = sig_queue_take(&finished)))
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
        sig_queue_add(&store->queue, op);
        sig_store_work(store);
        pthread_mutex_unlock(&store->lock);
        deliver(store);
    } else {
        pthread_mutex_lock(&store->lock);
        bool is_full = store->queue.count >= QUEUE_MAX;
        if (!is_full)
            sig_queue_add(&store->queue, op);
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
    while ((op = sig_queue_take(&store->queue)))
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
    status = -pthread_create(&store->thread, NULL, sig_store_thread, store);
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
    uint64_t (*now_ms)(void) = options->now_ms ? options->now_ms : sig_when_now_ms;
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
    sig_queue_init(&store->queue);
    sig_queue_init(&store->finished);
    status = start_thread(store, error, error_size);
    if (status < 0) {
        sig_store_destroy(store);
        return status;
    }
    *out = store;
    return 0;
}
