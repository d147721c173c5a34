/* What the store is told to forget in time: past calls, and people who cannot come back. */
#ifndef SIGNALING_FORGETTING_H
#define SIGNALING_FORGETTING_H

#include <uv.h>

#include "signaling/config.h"
#include "signaling/store.h"

struct sig_forgetting {
    /* Given. */
    struct sig_store *store;
    int history_days;

    /* Owned. */
    uv_timer_t calls;
    uv_timer_t people;

    /* State. */
    bool is_stopped;
};

/* Begins with whatever the configuration asks for: past calls are forgotten after history-days. In
 * demo mode without a secret, where a name is all that anybody has, whoever's sign-in is over has
 * gone for good. */
void sig_forgetting_start(struct sig_forgetting *forgetting, uv_loop_t *loop,
                          struct sig_store *store, const struct sig_config *config);

/* No more is asked of the store. */
void sig_forgetting_stop(struct sig_forgetting *forgetting);

/* Closes the timers; the struct may go when the loop has run out. */
void sig_forgetting_close(struct sig_forgetting *forgetting);

#endif
