#include "sfu/wakeups.h"

uint64_t sfu_tick_at_us(uint64_t us) {
    const uint64_t tick_us = SFU_TICK_MS * 1000;
    return (us + tick_us - 1) / tick_us * tick_us;
}

uint64_t sfu_tick_wait_ms(uint64_t now_ms) {
    return SFU_TICK_MS - now_ms % SFU_TICK_MS;
}

uint64_t sfu_wakeups_rest_us(struct sfu_wakeups *wakeups, uint64_t now_us) {
    if (wakeups->paid_us + SFU_WAKEUPS_BURST_US < now_us)
        wakeups->paid_us = now_us - SFU_WAKEUPS_BURST_US;
    wakeups->paid_us += SFU_WAKEUP_US;
    return wakeups->paid_us > now_us ? wakeups->paid_us - now_us : 0;
}
