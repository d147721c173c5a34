#include "sfu/load.h"

uint64_t sfu_load_on_wakeup(struct sfu_load *load, uint64_t now_us) {
    uint64_t elapsed_us = now_us - load->window_us;
    if (elapsed_us >= SFU_LOAD_WINDOW_US) {
        load->is_high = load->worked_us * 100 > elapsed_us * SFU_LOAD_HIGH_PERCENT;
        load->window_us = now_us;
        load->worked_us = 0;
    }
    load->woke_us = now_us;
    bool has_rested = now_us >= load->rested_us + SFU_LOAD_REST_US;
    return load->is_high && has_rested ? SFU_LOAD_GATHER_US : 0;
}

void sfu_load_on_gathered(struct sfu_load *load, uint64_t now_us) {
    load->woke_us = now_us;
}

void sfu_load_on_rest(struct sfu_load *load, uint64_t now_us) {
    load->worked_us += now_us - load->woke_us;
    load->woke_us = load->rested_us = now_us;
}
