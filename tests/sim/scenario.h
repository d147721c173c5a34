/* What the scenarios have in common: who takes part, and how a measured number is judged. */
#ifndef TESTS_SIM_SCENARIO_H
#define TESTS_SIM_SCENARIO_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/world.h"
#include "tests/unit/test.h"

/* An RTT of 50 ms, as far as the network is not the matter. */
static const struct bench_link_config scenario_good = {
    .delay_us = 25000, .jitter_us = 2000, .in_order = true};

/* What libwebrtc gives a simulcast camera of 720 lines. */
#define SCENARIO_LADDER                                                                            \
    { 150000, 500000, 2500000 }

static inline struct world_profile scenario_publisher(void) {
    return (struct world_profile){.microphone = true,
                                  .camera = true,
                                  .simulcast = true,
                                  .scalability = BENCH_L1T3,
                                  .layer_bps = SCENARIO_LADDER,
                                  .up = scenario_good,
                                  .down = scenario_good};
}

/* Sees and hears `slots` others. It has a microphone: without sending anything nobody knows a round
 * trip. */
static inline struct world_profile scenario_viewer(size_t slots,
                                                   const struct bench_link_config *down) {
    return (struct world_profile){
        .microphone = true, .slots = slots, .up = scenario_good, .down = *down};
}

/* Says what was measured when the environment's WEIR_VERBOSE asks for it. */
#define SCENARIO_SAY(...)                                                                          \
    do {                                                                                           \
        if (getenv("WEIR_VERBOSE") != NULL)                                                        \
            printf("  " __VA_ARGS__);                                                              \
    } while (0)

/* A bound on a measured number; says the number when it does not hold. */
#define CHECK_AT_MOST(got, bound) scenario_bound(__FILE__, __LINE__, #got, (got), (bound), true)
#define CHECK_AT_LEAST(got, bound) scenario_bound(__FILE__, __LINE__, #got, (got), (bound), false)

/* The same for a share, 0 to 1. */
#define CHECK_SHARE_AT_MOST(got, bound)                                                            \
    scenario_share(__FILE__, __LINE__, #got, (got), (bound), true)
#define CHECK_SHARE_AT_LEAST(got, bound)                                                           \
    scenario_share(__FILE__, __LINE__, #got, (got), (bound), false)

static inline void scenario_share(const char *file, int line, const char *what, double got,
                                  double bound, bool at_most) {
    const char *relation = at_most ? "at most" : "at least";
    SCENARIO_SAY("%s: %.4f (%s %.4f)\n", what, got, relation, bound);
    if (at_most ? got > bound : got < bound)
        test_fail(file, line, "%s is %.4f, not %s %.4f", what, got, relation, bound);
}

static inline void scenario_bound(const char *file, int line, const char *what, uint64_t got,
                                  uint64_t bound, bool at_most) {
    const char *relation = at_most ? "at most" : "at least";
    SCENARIO_SAY("%s: %" PRIu64 " (%s %" PRIu64 ")\n", what, got, relation, bound);
    if (at_most ? got > bound : got < bound)
        test_fail(file, line, "%s is %" PRIu64 ", not %s %" PRIu64, what, got, relation, bound);
}

#endif
