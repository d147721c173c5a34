#include "sfu/delay.h"

#include <stddef.h>

/* Close together around what is to be reached: 1 ms at half a load, 5 ms near the whole. */
const uint32_t sfu_delay_bounds_us[SFU_DELAY_BOUNDS] = {
    50,   100,  150,  200,  300,  400,  500,  600,   800,   900,   1000,
    1250, 1500, 2000, 3000, 4000, 5000, 7500, 10000, 20000, 50000, 100000,
};

void sfu_delays_note(struct sfu_delays *delays, uint64_t delay_us, uint64_t datagrams) {
    size_t i = 0;
    while (i < SFU_DELAY_BOUNDS && delay_us > sfu_delay_bounds_us[i])
        i++;
    delays->datagrams[i] += datagrams;
    delays->sum_us += delay_us * datagrams;
}

void sfu_delays_add(struct sfu_delays *sum, const struct sfu_delays *more) {
    for (size_t i = 0; i <= SFU_DELAY_BOUNDS; i++)
        sum->datagrams[i] += more->datagrams[i];
    sum->sum_us += more->sum_us;
}
