/* The budget of the application-limited region. */
#include "rtp/bwe_alr.h"

static const double usage_ratio = 0.65, window_s = 0.5, enter_level = 0.80, leave_level = 0.50;

void rtp_bwe_alr_update(struct rtp_bwe_alr *alr, uint64_t now_us, uint64_t bytes, double bps) {
    double target = bps * usage_ratio / 8, most = target * window_s;
    if (alr->updated_us != 0 && now_us > alr->updated_us)
        alr->budget_bytes += target * (double)(now_us - alr->updated_us) / 1e6;
    alr->updated_us = now_us;
    alr->budget_bytes -= (double)bytes;
    if (alr->budget_bytes > most)
        alr->budget_bytes = most;
    if (alr->budget_bytes < -most)
        alr->budget_bytes = -most;
    if (alr->budget_bytes > enter_level * most)
        alr->is_limited = true;
    else if (alr->budget_bytes < leave_level * most)
        alr->is_limited = false;
}
