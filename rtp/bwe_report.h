/* Of the bandwidth estimate, for clients without transport-wide feedback: the loss controller of
 * receiver reports (draft-ietf-rmcat-gcc-02 section 6). Zero-initialise. */
#ifndef RTP_BWE_REPORT_H
#define RTP_BWE_REPORT_H

#include <stdint.h>

struct rtp_bwe_report {
    /* State. */
    double bps; /* 0: no report yet. */
    uint64_t increased_us, decreased_us;
    double loss;
};

/* Takes a report: fraction_lost of 256, what was sent meanwhile; bps is the estimate so far and
 * most_bps where it stops to rise. */
void rtp_bwe_report_update(struct rtp_bwe_report *report, uint64_t now_us, uint8_t fraction_lost,
                           double sent_bps, double bps, double most_bps, uint64_t rtt_us);

#endif
