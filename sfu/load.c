#include "sfu/load.h"

bool sfu_load_is_window_over(const struct sfu_load *load, uint64_t now_us) {
    return now_us >= load->window_us + SFU_LOAD_WINDOW_US;
}

void sfu_load_on_window(struct sfu_load *load, uint64_t now_us, uint64_t cpu_us) {
    uint64_t elapsed_us = now_us - load->window_us;
    load->is_high =
        load->window_us != 0 && (cpu_us - load->cpu_us) * 100 > elapsed_us * SFU_LOAD_HIGH_PERCENT;
    load->window_us = now_us;
    load->cpu_us = cpu_us;
}

uint64_t sfu_load_gather_us(const struct sfu_load *load, uint64_t now_us) {
    bool has_rested = now_us >= load->rested_us + SFU_LOAD_REST_US;
    return load->is_high && has_rested ? SFU_LOAD_GATHER_US : 0;
}

void sfu_load_on_rest(struct sfu_load *load, uint64_t now_us) {
    load->rested_us = now_us;
}
