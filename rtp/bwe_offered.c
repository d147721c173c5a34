/* What was sent while the packets were sent that have arrived, with what of it was lost, against
 * what arrived. */
#include "rtp/bwe_offered.h"

/* The same share of the estimate as in rtp/bwe_alr; and what a probe has to reach not to count as
 * slowed down. */
static const double usage_ratio = 0.65, unsaturated = 0.9;

/* Bits a second of the packets that were sent in this time. */
static double sent_bps(const struct rtp_bwe *bwe, const struct rtp_bwe_acked_span *span) {
    uint64_t bytes = 0;
    uint32_t first_bytes = 0;
    for (uint32_t age = 0; age < RTP_BWE_SENT_MAX; age++) {
        uint16_t seq = (uint16_t)(bwe->newest_seq - age);
        const struct rtp_bwe_sent *sent = &bwe->sent[seq % RTP_BWE_SENT_MAX];
        if (sent->state == 0 || (int32_t)(sent->sent_us - span->last_us) > 0)
            continue;
        if ((int32_t)(sent->sent_us - span->first_us) < 0)
            break;
        bytes += sent->bytes;
        first_bytes = sent->bytes;
    }
    uint32_t length_us = span->last_us - span->first_us;
    return length_us > 0 ? (double)(bytes - first_bytes) * 8e6 / length_us : 0;
}

bool rtp_bwe_is_underfed(const struct rtp_bwe *bwe) {
    bool is_recent = bwe->recent_bps > 0 && bwe->recent_bps < bwe->acked_bps;
    uint32_t window_us = is_recent ? RTP_BWE_ACKED_SHORT_US : RTP_BWE_ACKED_WINDOW_US;
    double arrived_bps = is_recent ? bwe->recent_bps : bwe->acked_bps;
    struct rtp_bwe_acked_span span;
    if (arrived_bps <= 0 || !rtp_bwe_acked_sent_span(&bwe->acked, window_us, &span)) {
        span.last_us = (uint32_t)bwe->newest_sent_us;
        span.first_us = span.last_us - RTP_BWE_ACKED_WINDOW_US;
        return sent_bps(bwe, &span) < usage_ratio * bwe->aimd.bps;
    }
    double offered_bps = sent_bps(bwe, &span);
    return offered_bps < usage_ratio * bwe->aimd.bps && arrived_bps >= unsaturated * offered_bps;
}
