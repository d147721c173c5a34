/* A thread with its own loop, sockets, packets and engine. Control reaches it as commands through a
 * queue, packets of other workers through pipes; what it has to say is kept until it is taken. */
#ifndef SFU_WORKER_H
#define SFU_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "sfu/command.h"
#include "sfu/dtls.h"
#include "sfu/network.h"
#include "sfu/pipe.h"
#include "sfu/sfu.h"

struct sfu_worker;

struct sfu_worker_config {
    unsigned index;
    unsigned workers;
    const char *const *addresses;
    size_t address_count; /* At most SFU_SOCKETS_MAX. */
    uint16_t port;
    bool gso;
    bool tcp;
    uint32_t consent_timeout_ms;
    size_t max_packets;
    struct sfu_dtls_context *dtls;
    struct sfu_worker *const *peers; /* All workers; filled before any is started. */
    struct sfu_pipe *const *in;      /* From each worker, NULL from itself. */
    struct sfu_pipe *const *out;
    void (*on_news)(void *ctx); /* On the worker's thread: there are events to take. */
    void *ctx;
};

enum sfu_news_type { SFU_NEWS_EVENT, SFU_NEWS_LEVELS, SFU_NEWS_WHY };

/* Something that a worker has to say, with all that it points to. */
struct sfu_news {
    enum sfu_news_type type;
    struct sfu_news *next;
    struct sfu_event event;

    /* SFU_NEWS_LEVELS. */
    const struct sfu_level *levels;
    size_t level_count;

    /* SFU_NEWS_WHY. */
    sfu_why_fn answer;
    void *ctx;
    bool is_known; /* The participant is there. */
    struct sfu_why_answer why;

    max_align_t bytes[]; /* What is pointed to. */
};

/* Binds the sockets. A negative errno, with the reason in words. */
int sfu_worker_create(struct sfu_worker **out, const struct sfu_worker_config *config, char *error,
                      size_t error_size);

/* The port that was bound. */
uint16_t sfu_worker_port(const struct sfu_worker *worker);

/* Starts the thread. */
int sfu_worker_start(struct sfu_worker *worker);

/* Everyone says goodbye, and the thread ends. */
void sfu_worker_stop(struct sfu_worker *worker);

/* Frees what a stopped worker had, in two steps, since others may hold its packets: all engines
 * first, then all pools. */
void sfu_worker_clear(struct sfu_worker *worker);
void sfu_worker_destroy(struct sfu_worker *worker);

/* Gives a command away, in the order of posting. */
void sfu_worker_post(struct sfu_worker *worker, struct sfu_command *command);

/* All news since the last call, oldest first; the caller frees each. */
struct sfu_news *sfu_worker_take_news(struct sfu_worker *worker);

/* Adds its numbers to the sums, as of the last second. */
void sfu_worker_stats_add(struct sfu_worker *worker, struct sfu_stats *stats);

#endif
