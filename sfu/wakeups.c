#include "sfu/wakeups.h"

uint64_t sfu_wakeups_rest_us(struct sfu_wakeups *wakeups, uint64_t now_us) {
    if (wakeups->paid_us + SFU_WAKEUPS_BURST_US < now_us)
        wakeups->paid_us = now_us - SFU_WAKEUPS_BURST_US;
    wakeups->paid_us += SFU_WAKEUP_US;
    return wakeups->paid_us > now_us ? wakeups->paid_us - now_us : 0;
}
