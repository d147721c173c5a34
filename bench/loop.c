#include "bench/loop.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MAX_US = 100000 };

int bench_loop_init(struct bench_loop *loop) {
    memset(loop, 0, sizeof(*loop));
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    sfu_agenda_init(&loop->agenda);
    bench_loop_now(loop);
    return loop->epoll_fd < 0 ? -errno : 0;
}

void bench_loop_deinit(struct bench_loop *loop) {
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    sfu_agenda_deinit(&loop->agenda);
}

uint64_t bench_loop_now(struct bench_loop *loop) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    loop->now_us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    return loop->now_us;
}

int bench_loop_add(struct bench_loop *loop, struct bench_watch *watch, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = watch};
    watch->events = events;
    return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) < 0 ? -errno : 0;
}

void bench_loop_change(struct bench_loop *loop, struct bench_watch *watch, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (watch->events == events)
        return;
    watch->events = events;
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event);
}

void bench_loop_remove(struct bench_loop *loop, struct bench_watch *watch) {
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    for (size_t i = loop->pending_at; i < loop->pending; i++)
        if (loop->ready[i] == watch)
            loop->ready[i] = NULL;
}

int bench_timer_init(struct bench_loop *loop, struct bench_timer *timer, bench_timer_fn on_due) {
    *timer = (struct bench_timer){.on_due = on_due};
    return sfu_agenda_reserve(&loop->agenda, ++loop->timers);
}

void bench_timer_deinit(struct bench_loop *loop, struct bench_timer *timer) {
    if (timer->on_due == NULL)
        return;
    sfu_agenda_set(&loop->agenda, &timer->deadline, UINT64_MAX);
    timer->on_due = NULL;
    loop->timers--;
}

void bench_timer_set(struct bench_loop *loop, struct bench_timer *timer, uint64_t at_us) {
    uint64_t due_us = at_us < loop->now_us ? loop->now_us : at_us;
    if (timer->deadline.place == 0 || timer->deadline.at_us != due_us)
        sfu_agenda_set(&loop->agenda, &timer->deadline, due_us);
}

static void run_deadlines(struct bench_loop *loop) {
    uint64_t until_us = bench_loop_now(loop);
    struct sfu_deadline *deadline;
    while ((deadline = sfu_agenda_take_due(&loop->agenda, until_us)) != NULL) {
        uint64_t late_us = bench_loop_now(loop) - deadline->at_us;
        loop->ticks++;
        loop->late_ticks += late_us > BENCH_LATE_US;
        if (late_us > loop->latest_us)
            loop->latest_us = late_us;
        struct bench_timer *timer = (struct bench_timer *)deadline;
        timer->on_due(timer);
    }
}

void bench_loop_turn(struct bench_loop *loop) {
    struct epoll_event events[BENCH_LOOP_EVENTS];
    run_deadlines(loop);
    uint64_t next_us = sfu_agenda_next(&loop->agenda), now_us = bench_loop_now(loop);
    uint64_t wait_us = next_us > now_us ? next_us - now_us : 0;
    wait_us = wait_us < WAIT_MAX_US ? wait_us : WAIT_MAX_US;
    struct timespec wait = {.tv_nsec = (long)(wait_us * 1000)};
    int count = epoll_pwait2(loop->epoll_fd, events, BENCH_LOOP_EVENTS, &wait, NULL);
    loop->pending = count > 0 ? (size_t)count : 0;
    for (size_t i = 0; i < loop->pending; i++)
        loop->ready[i] = events[i].data.ptr;
    for (loop->pending_at = 0; loop->pending_at < loop->pending;) {
        size_t i = loop->pending_at++;
        if (loop->ready[i] == NULL)
            continue;
        bench_loop_now(loop);
        loop->ready[i]->on_ready(loop->ready[i], events[i].events);
    }
    loop->pending = loop->pending_at = 0;
}
