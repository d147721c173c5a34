/* How busy a thread is, and whether it pays to gather: while it is busy, a wake-up that finds
 * little to do costs nearly as much as one that finds more, and packets of one frame that are read
 * together leave as one run. */
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
    uint64_t window_us; /* When it began, */
    uint64_t cpu_us;    /* and what the thread had used then. */
    uint64_t rested_us;
    bool is_high; /* In the last window. */
};

/* Whether sfu_load_on_window is to be called, which wants a clock that is dear to read. */
bool sfu_load_is_window_over(const struct sfu_load *load, uint64_t now_us);

/* A window is over, at whose end the thread has used so much CPU since it began to run. */
void sfu_load_on_window(struct sfu_load *load, uint64_t now_us, uint64_t cpu_us);

/* For how long a wake-up at now_us should gather before it reads; 0: not at all. */
uint64_t sfu_load_gather_us(const struct sfu_load *load, uint64_t now_us);

/* The thread has done its work. */
void sfu_load_on_rest(struct sfu_load *load, uint64_t now_us);

#endif
