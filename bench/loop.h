/* What one thread waits for: file descriptors (epoll) and deadlines. It keeps account of how well
 * it keeps up, so that a crowd that is too large for its core is not taken for a slow server. */
#ifndef BENCH_LOOP_H
#define BENCH_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/agenda.h"

enum {
    BENCH_LOOP_EVENTS = 128,
    BENCH_LATE_US = 5000, /* A deadline met later than that is a late tick. */
};

struct bench_watch;
typedef void (*bench_watch_fn)(struct bench_watch *watch, uint32_t events);

/* A file descriptor; embedded in its owner. */
struct bench_watch {
    int fd;
    bench_watch_fn on_ready;
    uint32_t events;
};

struct bench_timer;
typedef void (*bench_timer_fn)(struct bench_timer *timer);

/* A deadline; embedded in its owner. */
struct bench_timer {
    struct sfu_deadline deadline; /* The first. */
    bench_timer_fn on_due;
};

struct bench_loop {
    /* Owned. */
    int epoll_fd;
    struct sfu_agenda agenda;
    /* State. */
    size_t timers;
    uint64_t now_us; /* Of the last look at the clock. */
    size_t pending, pending_at;
    struct bench_watch *ready[BENCH_LOOP_EVENTS]; /* NULL: removed meanwhile. */
    /* Counters. */
    uint64_t ticks, late_ticks, latest_us;
};

/* A negative errno. */
int bench_loop_init(struct bench_loop *loop);
void bench_loop_deinit(struct bench_loop *loop);

/* Looks at the clock. */
uint64_t bench_loop_now(struct bench_loop *loop);

/* events as of epoll; the fd stays the owner's. */
int bench_loop_add(struct bench_loop *loop, struct bench_watch *watch, uint32_t events);
void bench_loop_change(struct bench_loop *loop, struct bench_watch *watch, uint32_t events);
void bench_loop_remove(struct bench_loop *loop, struct bench_watch *watch);

/* Called once before a timer is set for the first time. -ENOMEM. */
int bench_timer_init(struct bench_loop *loop, struct bench_timer *timer, bench_timer_fn on_due);
void bench_timer_deinit(struct bench_loop *loop, struct bench_timer *timer);

/* UINT64_MAX: not. What is past already is due at the loop's next turn. */
void bench_timer_set(struct bench_loop *loop, struct bench_timer *timer, uint64_t at_us);

/* One turn: waits until something is ready or due, and does it. */
void bench_loop_turn(struct bench_loop *loop);

#endif
