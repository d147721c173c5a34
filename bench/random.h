/* A seeded generator (SplitMix64; Steele, Lea, Flood 2014): the same seed gives the same run. */
#ifndef BENCH_RANDOM_H
#define BENCH_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct bench_random {
    uint64_t state;
};

static inline uint64_t bench_random_next(struct bench_random *random) {
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* True so many times of a million. */
static inline bool bench_random_chance(struct bench_random *random, uint32_t of_million) {
    return bench_random_next(random) % 1000000 < of_million;
}

#endif
