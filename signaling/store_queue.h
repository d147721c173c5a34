/* The two sides of the store: the queues that they share. The main loop's is in store.c, the
 * storage thread's in store_thread.c. */
#ifndef SIGNALING_STORE_QUEUE_H
#define SIGNALING_STORE_QUEUE_H

#include <pthread.h>

#include "signaling/store_internal.h"

struct sig_queue {
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
    struct sig_queue queue;    /* To do. */
    struct sig_queue finished; /* To answer. */
    size_t in_hand;            /* In the storage thread's batch. */
    bool is_stopping;
    bool is_answering;
    uint64_t batches;

    /* The main loop's. */
    bool is_stopped;
    uint64_t done, failed;
};

void sig_queue_init(struct sig_queue *queue);
void sig_queue_add(struct sig_queue *queue, struct sig_op *op);

/* The first, or NULL. */
struct sig_op *sig_queue_take(struct sig_queue *queue);

/* Puts all of `front` before what is in the queue. */
void sig_queue_return(struct sig_queue *queue, struct sig_queue *front);

/* One turn: a batch of what is queued is done and put to what is to be answered. Entered and left
 * with the lock held. The failure of the database at which the rest waits, or 0. */
int sig_store_work(struct sig_store *store);

/* The thread's function: turns until the store is stopped. data is the store. */
void *sig_store_thread(void *data);

#endif
