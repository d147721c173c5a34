/* How busy a thread is, and whether it pays to gather: while it is, a wake-up that finds little to
 * do costs nearly as much as one that finds more, and packets of one frame that are read together
 * leave as one run. */
#ifndef SFU_LOAD_H
#define SFU_LOAD_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SFU_LOAD_WINDOW_US = 50 * 1000,
    SFU_LOAD_HIGH_PERCENT = 50,

    /* How long packets are gathered under load. With the work that follows it stays under the
     * millisecond that half a load may add. */
    SFU_LOAD_GATHER_US = 300,

    /* A thread that wakes up so soon had no rest: what came meanwhile has gathered already. */
    SFU_LOAD_REST_US = 50,
};

/* Zero-initialise. */
struct sfu_load {
    /* State. */
    uint64_t window_us; /* When it began. */
    uint64_t worked_us; /* In it. */
    uint64_t woke_us;
    uint64_t rested_us;
    bool is_high; /* In the last window. */
};

/* The thread woke up: for how long it should gather before it reads; 0: not at all. */
uint64_t sfu_load_on_wakeup(struct sfu_load *load, uint64_t now_us);

/* It gathered, and begins to work now. */
void sfu_load_on_gathered(struct sfu_load *load, uint64_t now_us);

/* It has done its work. */
void sfu_load_on_rest(struct sfu_load *load, uint64_t now_us);

#endif
