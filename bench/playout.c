#include "bench/playout.h"

void bench_playout_begin(struct bench_playout *playout) {
    playout->started = false;
}

static void start(struct bench_playout *playout, uint32_t frame, int64_t way_us) {
    playout->started = true;
    playout->newest = frame - 1;
    playout->seen = 0;
    playout->least_us = way_us;
}

bool bench_playout_on_frame(struct bench_playout *playout, uint64_t now_us, uint32_t frame,
                            uint64_t sent_us) {
    int64_t way_us = (int64_t)(now_us - sent_us);
    if (!playout->started)
        start(playout, frame, way_us);
    if (way_us < playout->least_us)
        playout->least_us = way_us;
    int32_t ahead = (int32_t)(frame - playout->newest);
    if (ahead > 0) {
        playout->seen = ahead < BENCH_PLAYOUT_FRAMES ? playout->seen << ahead : 0;
        playout->newest = frame;
        playout->expected += (uint32_t)ahead;
    }
    uint32_t back = playout->newest - frame;
    if (back >= BENCH_PLAYOUT_FRAMES || way_us > playout->least_us + BENCH_PLAYOUT_US)
        return false;
    uint64_t bit = UINT64_C(1) << back;
    bool fresh = (playout->seen & bit) == 0;
    playout->seen |= bit;
    playout->played += fresh;
    return fresh;
}
