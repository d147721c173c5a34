/* What a crowd received, summed; two tallies of the same crowd differ by what happened between. */
#ifndef BENCH_TALLY_H
#define BENCH_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "bench/client.h"

#define BENCH_TALLY_COUNTERS(X)                                                                    \
    X(clients)   /* That had connected. */                                                         \
    X(datagrams) /* SRTP that came, all of it. */                                                  \
    X(bytes)                                                                                       \
    X(packets) /* Of media, each once. */                                                          \
    X(lost)    /* Never came, or not yet. */                                                       \
    X(duplicates)                                                                                  \
    X(repairs) /* Came by RTX. */                                                                  \
    X(padding)                                                                                     \
    X(pictures)                                                                                    \
    X(pictures_broken)                                                                             \
    X(sounds) /* 20 ms each. */                                                                    \
    X(freezes)                                                                                     \
    X(frozen_us)                                                                                   \
    X(keyframes)                                                                                   \
    X(keyframe_requests)                                                                           \
    X(sent) /* Packets published. */                                                               \
    X(published_keyframes)                                                                         \
    X(keyframes_wanted) /* Asked of who publishes. */

struct bench_tally {
#define X(name) uint64_t name;
    BENCH_TALLY_COUNTERS(X)
#undef X
    uint64_t video_delays[BENCH_DELAYS], audio_delays[BENCH_DELAYS];
};

/* Adds all that a client has received and sent. */
void bench_tally_add_client(struct bench_tally *tally, const struct bench_client *client);

/* later - earlier; what went back is 0. */
void bench_tally_between(struct bench_tally *out, const struct bench_tally *earlier,
                         const struct bench_tally *later);

double bench_tally_lost_percent(const struct bench_tally *tally);

/* The delay that so many of 1,000 do not exceed, of delays as a sink counts them; 0: there were
 * none. */
double bench_delay_ms(const uint64_t delays[static BENCH_DELAYS], unsigned of_1000);

/* Of pictures, or of sound where there are no pictures. */
double bench_tally_delay_ms(const struct bench_tally *tally, unsigned of_1000);

/* The value below which so many of 1,000 are, of any numbers; sorts them. 0: there are none. */
uint64_t bench_percentile(uint64_t *values, size_t count, unsigned of_1000);

double bench_median(double *values, size_t count);

#endif
