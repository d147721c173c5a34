/* A crowd that grows until quality breaks: how far it has come, and whether it goes on. */
#ifndef BENCH_RAMP_H
#define BENCH_RAMP_H

#include "bench/people.h"
#include "bench/results.h"

enum bench_ramp_verdict { BENCH_RAMP_OVER, BENCH_RAMP_AGAIN, BENCH_RAMP_GROW };

struct bench_ramp {
    /* Given. */
    struct bench_plan *plan; /* Grows with it. */
    /* State. */
    double *field; /* Of the plan; NULL: nothing grows. */
    double size, good_size;
    double first_rate; /* Of the first window: packets a second that each of the watching got. */
    unsigned strikes;
};

void bench_ramp_init(struct bench_ramp *ramp, struct bench_plan *plan);

/* What is next after a window, noted in the results too. A window that was not good is measured
 * once more, unless somebody could not come. Where each gets much less than in the first, the
 * server has paused what it could not send without loss: that is not good either, and the window
 * says so then. */
enum bench_ramp_verdict bench_ramp_judge(struct bench_ramp *ramp, struct bench_window *window,
                                         bool somebody_failed, struct bench_results *results);

/* Grows to the next size and invites those who are new. A negative errno. */
int bench_ramp_grow(struct bench_ramp *ramp, struct bench_people *people);

#endif
