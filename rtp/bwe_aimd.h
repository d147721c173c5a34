/* Of the bandwidth estimate: what the delay allows. Rises by 8 % a second, or near the link's
 * capacity by a packet a response time; falls to 85 % of what arrived (draft-ietf-rmcat-gcc-02
 * section 5.5), or, where that was only what there was to send, or so little that it is not known
 * any more, to 85 % of what it was. */
#ifndef RTP_BWE_AIMD_H
#define RTP_BWE_AIMD_H

#include <stdbool.h>
#include <stdint.h>

#include "rtp/bwe_probe.h"
#include "rtp/bwe_trend.h"

struct rtp_bwe_aimd {
    /* State. */
    double bps;
    bool is_rising;        /* Otherwise it holds. */
    bool is_known;         /* It ever followed from a measurement. */
    bool has_arrived;      /* It was ever known what arrives. */
    uint64_t changed_us;   /* When it last rose or fell. */
    uint64_t decreased_us; /* When it last fell; 0: never. */
    uint64_t steep_us;     /* When it last fell by more than half; 0: never. */
    double capacity_kbps;  /* Where overuse began, on average; 0: unknown. */
    double deviation_kbps; /* Variance of that over its mean. */
};

void rtp_bwe_aimd_init(struct rtp_bwe_aimd *aimd, double start_bps);

/* What is known of the path. */
struct rtp_bwe_path {
    uint32_t acked_bps,
        recent_bps; /* Arrived over half a second, over the last 100 ms; 0: unknown. */
    uint64_t rtt_us;
    bool is_underfed; /* In overuse: what arrived is not what the link carries. */
};

/* Takes what the trend says now. */
void rtp_bwe_aimd_update(struct rtp_bwe_aimd *aimd, uint64_t now_us, enum rtp_bwe_usage usage,
                         const struct rtp_bwe_path *path);

/* A probe showed what the link carries. */
void rtp_bwe_aimd_on_probe(struct rtp_bwe_aimd *aimd, uint64_t now_us,
                           const struct rtp_bwe_probe_result *result);

#endif
