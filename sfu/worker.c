/* Everything below `on the worker's thread` runs there, the rest on the caller's. The queue, the
 * news and the published numbers are the only things that both touch, under one lock that no packet
 * waits for. */
#include "sfu/worker.h"

#include <errno.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sfu/engine.h"
#include "sfu/network.h"
#include "sfu/track.h"
#include "sfu/wakeups.h"

enum {
    PIPE_READS = 1024,
    NUMBERS_INTERVAL_MS = 1000,
};

struct sfu_worker {
    /* Given. */
    struct sfu_worker_config config;

    /* Owned. */
    struct sfu_engine *engine;
    struct sfu_pool *pool;
    struct sfu_network network;
    uv_loop_t loop;
    uv_async_t async;
    uv_prepare_t prepare;
    uv_timer_t timer;
    uv_timer_t numbers_timer;
    uv_thread_t thread;
    bool loop_open;

    /* State. */
    uint64_t to_wake; /* Bit i: worker i has something in its pipe. */
    struct sfu_wakeups wakeups;
    bool started;

    /* Shared, under the lock. */
    pthread_mutex_t lock;
    struct sfu_command *commands;
    struct sfu_command **commands_end;
    struct sfu_news *news;
    struct sfu_news **news_end;
    struct sfu_stats numbers;
};

/* --- On the worker's thread --- */

static uint64_t now_us(void) {
    return uv_hrtime() / 1000;
}

static void send_messages(void *ctx, const struct sfu_message *messages, size_t count) {
    struct sfu_worker *worker = ctx;
    sfu_network_write(&worker->network, messages, count);
}

/* News with room for what it points to; NULL: out of memory, and nothing is told. */
static struct sfu_news *news_create(enum sfu_news_type type, size_t bytes) {
    struct sfu_news *news = calloc(1, sizeof(*news) + bytes);
    if (news != NULL)
        news->type = type;
    return news;
}

static void tell(struct sfu_worker *worker, struct sfu_news *news) {
    pthread_mutex_lock(&worker->lock);
    *worker->news_end = news;
    worker->news_end = &news->next;
    pthread_mutex_unlock(&worker->lock);
    worker->config.on_news(worker->config.ctx);
}

static void keep_event(void *ctx, const struct sfu_event *event) {
    size_t words = event->reason != NULL ? strlen(event->reason) + 1 : 0;
    size_t slots = event->slot_count * sizeof(*event->slots);
    struct sfu_news *news = news_create(SFU_NEWS_EVENT, slots + words);
    if (news == NULL)
        return;
    news->event = *event;
    if (slots > 0)
        news->event.slots = memcpy(news->bytes, event->slots, slots);
    if (words > 0)
        news->event.reason = memcpy((char *)news->bytes + slots, event->reason, words);
    tell(ctx, news);
}

static void keep_levels(void *ctx, const struct sfu_level *levels, size_t count) {
    struct sfu_news *news = news_create(SFU_NEWS_LEVELS, count * sizeof(*levels));
    if (news == NULL)
        return;
    news->levels = memcpy(news->bytes, levels, count * sizeof(*levels));
    news->level_count = count;
    tell(ctx, news);
}

static void answer_why(struct sfu_worker *worker, uint64_t now_us,
                       const struct sfu_command *command) {
    size_t slots = sfu_engine_slot_count(worker->engine, command->participant);
    struct sfu_news *news = news_create(SFU_NEWS_WHY, slots * sizeof(struct sfu_why_slot));
    if (news == NULL)
        return;
    news->answer = command->answer;
    news->ctx = command->ctx;
    news->is_known = sfu_engine_why(worker->engine, now_us, command->participant, &news->why,
                                    (struct sfu_why_slot *)news->bytes, slots) == 0;
    tell(worker, news);
}

static bool push_to_pipe(void *ctx, unsigned index, const struct sfu_pipe_entry *entry) {
    struct sfu_worker *worker = ctx;
    worker->to_wake |= UINT64_C(1) << index;
    return worker->config.out[index] != NULL && sfu_pipe_push(worker->config.out[index], entry);
}

static void on_timer(uv_timer_t *timer);

static void wake_others(struct sfu_worker *worker) {
    for (uint64_t rest = worker->to_wake; rest != 0; rest &= rest - 1)
        uv_async_send(&worker->config.peers[__builtin_ctzll(rest)]->async);
    worker->to_wake = 0;
}

/* Ends every wake-up: what was gathered leaves, and the timer follows the engine. The other workers
 * are woken first: to send to a thousand takes milliseconds, in which they can do the same. */
static void finish(struct sfu_worker *worker, uint64_t now) {
    sfu_guard_on_wakeup_end(&worker->network);
    sfu_engine_feed_mirrors(worker->engine);
    wake_others(worker);
    sfu_engine_flush(worker->engine, now);
    wake_others(worker);
    uint64_t next_us = sfu_engine_next_deadline(worker->engine);
    if (next_us == UINT64_MAX) {
        uv_timer_stop(&worker->timer);
        return;
    }
    uint64_t next_ms = (next_us + 999) / 1000, now_ms = uv_now(&worker->loop);
    uint64_t wait_ms = next_ms > now_ms ? next_ms - now_ms : 0;
    uv_timer_start(&worker->timer, on_timer, wait_ms, 0);
}

static void on_timer(uv_timer_t *timer) {
    struct sfu_worker *worker = timer->data;
    uint64_t now = now_us();
    sfu_engine_on_deadline(worker->engine, now);
    finish(worker, now);
}

static void on_wakeup_end(void *ctx, uint64_t now) {
    finish(ctx, now);
}

static void publish_numbers(uv_timer_t *timer) {
    struct sfu_worker *worker = timer->data;
    sfu_guard_on_second(&worker->network);
    struct sfu_stats numbers = {
        .participants = worker->engine->transports.count,
        .slots = worker->engine->slots,
        .timers = worker->engine->agenda.count,
        .packets_in_use = sfu_pool_in_use(worker->pool),
        .counters = worker->engine->counters,
    };
    sfu_network_stats_add(&worker->network, &numbers);
    pthread_mutex_lock(&worker->lock);
    worker->numbers = numbers;
    pthread_mutex_unlock(&worker->lock);
}

static void run_commands(struct sfu_worker *worker, uint64_t now) {
    pthread_mutex_lock(&worker->lock);
    struct sfu_command *command = worker->commands;
    worker->commands = NULL;
    worker->commands_end = &worker->commands;
    pthread_mutex_unlock(&worker->lock);
    while (command != NULL) {
        struct sfu_command *next = command->next;
        if (command->type == SFU_COMMAND_STOP)
            uv_stop(&worker->loop);
        if (command->type == SFU_COMMAND_WHY)
            answer_why(worker, now, command);
        sfu_command_apply(command, worker->engine, now);
        free(command);
        command = next;
    }
}

static void read_pipe(struct sfu_worker *worker, struct sfu_pipe *pipe, uint64_t now) {
    struct sfu_pipe_entry entry;
    int count = 0;
    for (; count < PIPE_READS && sfu_pipe_pop(pipe, &entry); count++) {
        sfu_engine_on_pipe(worker->engine, now, &entry);
        if (entry.type == SFU_PIPE_PACKET)
            sfu_packet_unref(entry.packet);
    }
    if (count == PIPE_READS)
        uv_async_send(&worker->async); /* There may be more. */
}

static void on_async(uv_async_t *async) {
    struct sfu_worker *worker = async->data;
    uint64_t now = now_us();
    run_commands(worker, now);
    for (unsigned i = 0; i < worker->config.workers; i++)
        if (worker->config.in[i] != NULL)
            read_pipe(worker, worker->config.in[i], now);
    finish(worker, now);
}

/* Before the loop waits for what comes. */
static void on_prepare(uv_prepare_t *prepare) {
    struct sfu_worker *worker = prepare->data;
    uint64_t rest_us = sfu_wakeups_rest_us(&worker->wakeups, now_us());
    if (rest_us == 0)
        return;
    nanosleep(&(struct timespec){.tv_nsec = (long)rest_us * 1000}, NULL);
    uv_update_time(&worker->loop);
}

static void run_thread(void *arg) {
    struct sfu_worker *worker = arg;
    uv_run(&worker->loop, UV_RUN_DEFAULT);
}

/* --- On the caller's thread --- */

static int open_engine(struct sfu_worker *worker) {
    struct sfu_engine_config config = {
        .dtls = worker->config.dtls,
        .worker = worker->config.index,
        .consent_timeout_ms = worker->config.consent_timeout_ms,
        .send = send_messages,
        .on_event = keep_event,
        .pipe = push_to_pipe,
        .on_levels = keep_levels,
        .ctx = worker,
    };
    if (RAND_bytes((unsigned char *)&config.seed, sizeof(config.seed)) != 1)
        return -EIO;
    int result = sfu_pool_create(&worker->pool, worker->config.max_packets);
    return result < 0 ? result : sfu_engine_create(&worker->engine, &config);
}

static int open_network(struct sfu_worker *worker, char *error, size_t error_size) {
    struct sfu_network_config config = {
        .loop = &worker->loop,
        .engine = worker->engine,
        .pool = worker->pool,
        .addresses = worker->config.addresses,
        .address_count = worker->config.address_count,
        .port = worker->config.port,
        .gso = worker->config.gso,
        .tcp = worker->config.tcp,
        .on_wakeup_end = on_wakeup_end,
        .ctx = worker,
    };
    return sfu_network_open(&worker->network, &config, error, error_size);
}

int sfu_worker_create(struct sfu_worker **out, const struct sfu_worker_config *config, char *error,
                      size_t error_size) {
    struct sfu_worker *worker = calloc(1, sizeof(*worker));
    snprintf(error, error_size, "out of memory");
    if (worker == NULL)
        return -ENOMEM;
    worker->config = *config;
    worker->commands_end = &worker->commands;
    worker->news_end = &worker->news;
    pthread_mutex_init(&worker->lock, NULL);
    int result = uv_loop_init(&worker->loop);
    worker->loop_open = result == 0;
    if (result == 0) {
        uv_async_init(&worker->loop, &worker->async, on_async);
        uv_prepare_init(&worker->loop, &worker->prepare);
        uv_timer_init(&worker->loop, &worker->timer);
        uv_timer_init(&worker->loop, &worker->numbers_timer);
        worker->async.data = worker->prepare.data = worker;
        worker->timer.data = worker->numbers_timer.data = worker;
        uv_prepare_start(&worker->prepare, on_prepare);
        uv_timer_start(&worker->numbers_timer, publish_numbers, 0, NUMBERS_INTERVAL_MS);
        result = open_engine(worker);
    }
    if (result == 0)
        result = open_network(worker, error, error_size);
    if (result < 0) {
        sfu_worker_clear(worker);
        sfu_worker_destroy(worker);
        return result;
    }
    *out = worker;
    return 0;
}

uint16_t sfu_worker_port(const struct sfu_worker *worker) {
    return worker->network.config.port;
}

int sfu_worker_start(struct sfu_worker *worker) {
    int result = uv_thread_create(&worker->thread, run_thread, worker);
    worker->started = result == 0;
    return result;
}

void sfu_worker_stop(struct sfu_worker *worker) {
    struct sfu_command *stop = sfu_command_create(SFU_COMMAND_STOP, 0);
    if (!worker->started || stop == NULL) {
        free(stop);
        return;
    }
    sfu_worker_post(worker, stop);
    uv_thread_join(&worker->thread);
    worker->started = false;
}

static void close_handle(uv_handle_t *handle, void *arg) {
    (void)arg;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void sfu_worker_clear(struct sfu_worker *worker) {
    sfu_engine_destroy(worker->engine);
    worker->engine = NULL;
    sfu_network_close(&worker->network);
    if (worker->loop_open) {
        uv_walk(&worker->loop, close_handle, NULL);
        uv_run(&worker->loop, UV_RUN_DEFAULT);
        uv_loop_close(&worker->loop);
    }
}

void sfu_worker_destroy(struct sfu_worker *worker) {
    if (worker == NULL)
        return;
    while (worker->commands != NULL) {
        struct sfu_command *next = worker->commands->next;
        free(worker->commands);
        worker->commands = next;
    }
    for (struct sfu_news *news = worker->news, *next; news != NULL; news = next) {
        next = news->next;
        free(news);
    }
    sfu_pool_destroy(worker->pool);
    pthread_mutex_destroy(&worker->lock);
    free(worker);
}

void sfu_worker_post(struct sfu_worker *worker, struct sfu_command *command) {
    command->next = NULL;
    pthread_mutex_lock(&worker->lock);
    *worker->commands_end = command;
    worker->commands_end = &command->next;
    pthread_mutex_unlock(&worker->lock);
    uv_async_send(&worker->async);
}

struct sfu_news *sfu_worker_take_news(struct sfu_worker *worker) {
    pthread_mutex_lock(&worker->lock);
    struct sfu_news *news = worker->news;
    worker->news = NULL;
    worker->news_end = &worker->news;
    pthread_mutex_unlock(&worker->lock);
    return news;
}

void sfu_worker_stats_add(struct sfu_worker *worker, struct sfu_stats *stats) {
    pthread_mutex_lock(&worker->lock);
    const struct sfu_stats *numbers = &worker->numbers;
    stats->timers += numbers->timers;
    stats->packets_in_use += numbers->packets_in_use;
    stats->tcp_connections += numbers->tcp_connections;
    sfu_delays_add(&stats->delays, &numbers->delays);
    sfu_counters_add(&stats->counters, &numbers->counters);
    pthread_mutex_unlock(&worker->lock);
}
