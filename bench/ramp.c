#include "bench/ramp.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { STRIKES = 2 };

static const double least_share = 0.8;

static double *field_of(struct bench_plan *plan) {
    if (strcmp(plan->ramp, "subscribers") == 0)
        return &plan->subscribers;
    if (strcmp(plan->ramp, "participants") == 0)
        return &plan->participants;
    if (strcmp(plan->ramp, "publishers") == 0)
        return &plan->publishers;
    return strcmp(plan->ramp, "rooms") == 0 ? &plan->rooms : NULL;
}

void bench_ramp_init(struct bench_ramp *ramp, struct bench_plan *plan) {
    *ramp = (struct bench_ramp){.plan = plan, .field = field_of(plan)};
    ramp->size = ramp->field ? *ramp->field : 0;
}

static double next_size(const struct bench_ramp *ramp) {
    double next = ceil(ramp->size * ramp->plan->ramp_factor);
    return next < ramp->plan->ramp_max ? next : ramp->plan->ramp_max;
}

static bool is_whole(struct bench_ramp *ramp, const struct bench_window *window) {
    double rate = window->watching > 0 ? window->packets_per_s / (double)window->watching : 0;
    if (ramp->first_rate == 0)
        ramp->first_rate = rate;
    return rate >= least_share * ramp->first_rate;
}

enum bench_ramp_verdict bench_ramp_judge(struct bench_ramp *ramp, struct bench_window *window,
                                         bool somebody_failed, struct bench_results *results) {
    if (ramp->field == NULL)
        return BENCH_RAMP_OVER;
    window->is_good = is_whole(ramp, window) && window->is_good;
    if (window->is_good) {
        ramp->good_size = ramp->size;
        ramp->strikes = 0;
    } else if (++ramp->strikes < STRIKES && !somebody_failed) {
        return BENCH_RAMP_AGAIN;
    }
    results->capacity = ramp->good_size;
    results->capacity_is_crowds = !window->is_good && window->is_bottleneck;
    return window->is_good && next_size(ramp) > ramp->size ? BENCH_RAMP_GROW : BENCH_RAMP_OVER;
}

int bench_ramp_grow(struct bench_ramp *ramp, struct bench_people *people) {
    struct bench_plan counts = {0};
    size_t rooms = (size_t)ramp->plan->rooms;
    double next = next_size(ramp), more = next - ramp->size;
    *ramp->field = ramp->size = next;
    if (ramp->field == &ramp->plan->rooms)
        return bench_people_invite(people, rooms, rooms + (size_t)more - 1, ramp->plan);
    snprintf(counts.ramp, sizeof(counts.ramp), "%s", ramp->plan->ramp);
    *field_of(&counts) = more;
    return bench_people_invite(people, 0, rooms - 1, &counts);
}
