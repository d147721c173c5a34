/* Plays a plan: who comes when, who speaks, who goes; measures meanwhile. */
#ifndef BENCH_PLAY_H
#define BENCH_PLAY_H

#include <signal.h>

#include "bench/results.h"

/* Runs until the end of the plan, or until *stop is set (then the results so far stand). -EINVAL or
 * another negative errno with why in words. */
int bench_play(const struct bench_plan *plan, const volatile sig_atomic_t *stop,
               struct bench_results *out, char why[static BENCH_PLAN_WHY_MAX]);

#endif
