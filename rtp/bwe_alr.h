/* Of the bandwidth estimate: is the sender limited by what it has to send? Libwebrtc's
 * application-limited region: a budget that fills at 65 % of the estimate and is spent by what is
 * sent, over half a second. Zero-initialise. */
#ifndef RTP_BWE_ALR_H
#define RTP_BWE_ALR_H

#include <stdbool.h>
#include <stdint.h>

struct rtp_bwe_alr {
    /* State. */
    uint64_t updated_us;
    double budget_bytes;
    bool is_limited;
};

/* bytes: sent since the last call. */
void rtp_bwe_alr_update(struct rtp_bwe_alr *alr, uint64_t now_us, uint64_t bytes, double bps);

#endif
