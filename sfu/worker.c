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

#include "sfu/engine.h"
#include "sfu/track.h"
#include "sfu/udp.h"

enum {
    READS_PER_WAKEUP = 4, /* Of 64 datagrams each, then others get their turn. */
    PIPE_READS = 1024,
    NUMBERS_INTERVAL_MS = 1000,
};

struct udp_socket {
    struct sfu_udp udp;
    uv_poll_t poll;
    struct sfu_worker *worker;
    uint32_t via;
};

struct sfu_worker {
    /* Given. */
    struct sfu_worker_config config;

    /* Owned. */
    struct sfu_engine *engine;
    struct sfu_pool *pool;
    struct sfu_packet *packets[SFU_UDP_BATCH]; /* To be read into. */
    struct udp_socket sockets[SFU_SOCKETS_MAX];
    size_t socket_count;
    uv_loop_t loop;
    uv_async_t async;
    uv_timer_t timer;
    uv_timer_t numbers_timer;
    uv_thread_t thread;
    bool loop_open;

    /* State. */
    uint64_t to_wake; /* Bit i: worker i has something in its pipe. */
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
    for (size_t i = 0; i < count;) {
        size_t run = 1;
        while (i + run < count && messages[i + run].to.via == messages[i].to.via)
            run++;
        if (messages[i].to.via < worker->socket_count)
            sfu_udp_write(&worker->sockets[messages[i].to.via].udp, &messages[i], run);
        i += run;
    }
}

static void keep_event(void *ctx, const struct sfu_event *event) {
    struct sfu_worker *worker = ctx;
    struct sfu_news *news = calloc(1, sizeof(*news));
    if (news == NULL)
        return;
    news->event = *event;
    if (event->reason != NULL) {
        snprintf(news->reason, sizeof(news->reason), "%s", event->reason);
        news->event.reason = news->reason;
    }
    pthread_mutex_lock(&worker->lock);
    *worker->news_end = news;
    worker->news_end = &news->next;
    pthread_mutex_unlock(&worker->lock);
    worker->config.on_news(worker->config.ctx);
}

static bool push_to_pipe(void *ctx, unsigned index, const struct sfu_pipe_entry *entry) {
    struct sfu_worker *worker = ctx;
    worker->to_wake |= UINT64_C(1) << index;
    return worker->config.out[index] != NULL && sfu_pipe_push(worker->config.out[index], entry);
}

static void on_timer(uv_timer_t *timer);

/* Ends every wake-up: what was gathered leaves, others are woken, and the timer follows the engine.
 */
static void finish(struct sfu_worker *worker, uint64_t now) {
    sfu_engine_flush(worker->engine, now);
    for (uint64_t rest = worker->to_wake; rest != 0; rest &= rest - 1)
        uv_async_send(&worker->config.peers[__builtin_ctzll(rest)]->async);
    worker->to_wake = 0;
    uint64_t next_us = sfu_engine_next_deadline(worker->engine);
    if (next_us == UINT64_MAX) {
        uv_timer_stop(&worker->timer);
        return;
    }
    uint64_t wait_ms = next_us > now ? (next_us - now + 999) / 1000 : 0;
    uv_timer_start(&worker->timer, on_timer, wait_ms, 0);
}

static void on_timer(uv_timer_t *timer) {
    struct sfu_worker *worker = timer->data;
    uint64_t now = now_us();
    sfu_engine_on_deadline(worker->engine, now);
    finish(worker, now);
}

static bool refill_packets(struct sfu_worker *worker) {
    for (size_t i = 0; i < SFU_UDP_BATCH; i++) {
        if (worker->packets[i] == NULL)
            worker->packets[i] = sfu_pool_get(worker->pool);
        if (worker->packets[i] == NULL)
            return false;
    }
    return true;
}

/* A packet that nobody took a reference of is read into again. */
static void release_packet(struct sfu_worker *worker, size_t i) {
    if (atomic_load_explicit(&worker->packets[i]->refs, memory_order_acquire) == 1)
        return;
    sfu_packet_unref(worker->packets[i]);
    worker->packets[i] = NULL;
}

static int read_batch(struct sfu_worker *worker, struct udp_socket *socket, uint64_t now) {
    struct sfu_address from[SFU_UDP_BATCH];
    if (!refill_packets(worker)) {
        /* The kernel's queue waits or drops; nothing here can. */
        worker->engine->counters.drop_no_packet++;
        return 0;
    }
    int count = sfu_udp_read(&socket->udp, socket->via, worker->packets, from);
    for (int i = 0; i < count; i++) {
        sfu_engine_input(worker->engine, now, &from[i], worker->packets[i]);
        release_packet(worker, (size_t)i);
    }
    return count;
}

static void on_readable(uv_poll_t *poll, int status, int events) {
    struct udp_socket *socket = poll->data;
    struct sfu_worker *worker = socket->worker;
    (void)status;
    (void)events;
    uint64_t now = now_us();
    for (int i = 0; i < READS_PER_WAKEUP; i++) {
        if (read_batch(worker, socket, now) < SFU_UDP_BATCH)
            break;
        sfu_engine_flush(worker->engine, now);
        now = now_us();
    }
    finish(worker, now);
}

static void publish_numbers(uv_timer_t *timer) {
    struct sfu_worker *worker = timer->data;
    struct sfu_stats numbers = {
        .participants = worker->engine->transports.count,
        .slots = worker->engine->slots,
        .timers = worker->engine->agenda.count,
        .packets_in_use = sfu_pool_in_use(worker->pool),
        .counters = worker->engine->counters,
    };
    for (size_t i = 0; i < worker->socket_count; i++) {
        const struct sfu_udp *udp = &worker->sockets[i].udp;
        numbers.counters.datagrams_sent += udp->sent;
        numbers.counters.bytes_sent += udp->sent_bytes;
        numbers.counters.sends_failed += udp->failed;
        numbers.counters.gso_messages += udp->gso_messages;
        numbers.counters.gso_segments += udp->gso_segments;
    }
    pthread_mutex_lock(&worker->lock);
    worker->numbers = numbers;
    pthread_mutex_unlock(&worker->lock);
}

static void do_join(struct sfu_worker *worker, uint64_t now, const struct sfu_command *command) {
    sfu_engine_join(worker->engine, now, command->participant, &command->credentials);
}

static void do_restart_ice(struct sfu_worker *worker, uint64_t now,
                           const struct sfu_command *command) {
    (void)now;
    sfu_engine_restart_ice(worker->engine, command->participant, &command->credentials);
}

static void do_negotiate(struct sfu_worker *worker, uint64_t now,
                         const struct sfu_command *command) {
    sfu_engine_negotiate(worker->engine, now, command->participant, &command->description);
}

static void do_subscribe(struct sfu_worker *worker, uint64_t now,
                         const struct sfu_command *command) {
    sfu_engine_subscribe(worker->engine, now, command->participant, &command->wish);
}

static void do_set_slot(struct sfu_worker *worker, uint64_t now,
                        const struct sfu_command *command) {
    sfu_engine_set_slot(worker->engine, now, command->participant, command->wish.mid,
                        command->track);
}

static void do_leave(struct sfu_worker *worker, uint64_t now, const struct sfu_command *command) {
    sfu_engine_leave(worker->engine, now, command->participant);
}

static void do_mirror_open(struct sfu_worker *worker, uint64_t now,
                           const struct sfu_command *command) {
    (void)now;
    sfu_engine_mirror_open(worker->engine, command->worker, &command->media[0]);
}

static void do_mirror_close(struct sfu_worker *worker, uint64_t now,
                            const struct sfu_command *command) {
    (void)now;
    sfu_engine_mirror_close(worker->engine, command->track);
}

static void do_mirror_feed(struct sfu_worker *worker, uint64_t now,
                           const struct sfu_command *command) {
    (void)now;
    sfu_engine_mirror_feed(worker->engine, command->track, command->worker, command->on);
}

static void do_stop(struct sfu_worker *worker, uint64_t now, const struct sfu_command *command) {
    (void)now;
    (void)command;
    uv_stop(&worker->loop);
}

typedef void (*command_fn)(struct sfu_worker *worker, uint64_t now,
                           const struct sfu_command *command);

static const command_fn handlers[] = {
    [SFU_COMMAND_JOIN] = do_join,
    [SFU_COMMAND_RESTART_ICE] = do_restart_ice,
    [SFU_COMMAND_NEGOTIATE] = do_negotiate,
    [SFU_COMMAND_SUBSCRIBE] = do_subscribe,
    [SFU_COMMAND_SET_SLOT] = do_set_slot,
    [SFU_COMMAND_LEAVE] = do_leave,
    [SFU_COMMAND_MIRROR_OPEN] = do_mirror_open,
    [SFU_COMMAND_MIRROR_CLOSE] = do_mirror_close,
    [SFU_COMMAND_MIRROR_FEED] = do_mirror_feed,
    [SFU_COMMAND_STOP] = do_stop,
};

static void run_commands(struct sfu_worker *worker, uint64_t now) {
    pthread_mutex_lock(&worker->lock);
    struct sfu_command *command = worker->commands;
    worker->commands = NULL;
    worker->commands_end = &worker->commands;
    pthread_mutex_unlock(&worker->lock);
    while (command != NULL) {
        struct sfu_command *next = command->next;
        handlers[command->type](worker, now, command);
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

static void run_thread(void *arg) {
    struct sfu_worker *worker = arg;
    uv_run(&worker->loop, UV_RUN_DEFAULT);
}

/* --- On the caller's thread --- */

static int open_sockets(struct sfu_worker *worker, char *error, size_t error_size) {
    const struct sfu_worker_config *config = &worker->config;
    for (size_t i = 0; i < config->address_count; i++) {
        struct udp_socket *socket = &worker->sockets[i];
        int result = sfu_udp_open(&socket->udp, config->addresses[i], config->port, config->gso);
        if (result < 0) {
            snprintf(error, error_size, "UDP %s port %u cannot be bound: %s", config->addresses[i],
                     config->port, strerror(-result));
            return result;
        }
        worker->socket_count++;
        socket->worker = worker;
        socket->via = (uint32_t)i;
        socket->poll.data = socket;
        uv_poll_init(&worker->loop, &socket->poll, socket->udp.fd);
        uv_poll_start(&socket->poll, UV_READABLE, on_readable);
    }
    return 0;
}

static int open_engine(struct sfu_worker *worker) {
    struct sfu_engine_config config = {
        .dtls = worker->config.dtls,
        .worker = worker->config.index,
        .consent_timeout_ms = worker->config.consent_timeout_ms,
        .send = send_messages,
        .on_event = keep_event,
        .pipe = push_to_pipe,
        .ctx = worker,
    };
    if (RAND_bytes((unsigned char *)&config.seed, sizeof(config.seed)) != 1)
        return -EIO;
    int result = sfu_pool_create(&worker->pool, worker->config.max_packets);
    return result < 0 ? result : sfu_engine_create(&worker->engine, &config);
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
        uv_timer_init(&worker->loop, &worker->timer);
        uv_timer_init(&worker->loop, &worker->numbers_timer);
        worker->async.data = worker->timer.data = worker->numbers_timer.data = worker;
        uv_timer_start(&worker->numbers_timer, publish_numbers, 0, NUMBERS_INTERVAL_MS);
        result = open_engine(worker);
    }
    if (result == 0)
        result = open_sockets(worker, error, error_size);
    if (result < 0) {
        sfu_worker_clear(worker);
        sfu_worker_destroy(worker);
        return result;
    }
    *out = worker;
    return 0;
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
    for (size_t i = 0; i < SFU_UDP_BATCH; i++)
        sfu_packet_unref(worker->packets[i]);
    if (worker->loop_open) {
        uv_walk(&worker->loop, close_handle, NULL);
        uv_run(&worker->loop, UV_RUN_DEFAULT);
        uv_loop_close(&worker->loop);
    }
    for (size_t i = 0; i < worker->socket_count; i++)
        sfu_udp_close(&worker->sockets[i].udp);
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

struct sfu_command *sfu_command_create(enum sfu_command_type type, size_t media_count) {
    struct sfu_command *command =
        calloc(1, sizeof(*command) + media_count * sizeof(struct sfu_media));
    if (command != NULL)
        command->type = type;
    return command;
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
#define X(name) stats->counters.name += numbers->counters.name;
    SFU_COUNTERS(X)
#undef X
    pthread_mutex_unlock(&worker->lock);
}
