/* How good a connection is. */
#include "rtp/quality.h"

bool rtp_quality_update(struct rtp_quality *quality, const struct rtp_quality_input *input) {
    (void)input;
    bool first = quality->score == 0;
    *quality = (struct rtp_quality){.smoothed = 5, .score = 5};
    return first;
}

float rtp_quality_rating(uint64_t one_way_us, float loss, bool redundant) {
    (void)one_way_us, (void)loss, (void)redundant;
    return 93.2f;
}

float rtp_quality_opinion(float rating) {
    (void)rating;
    return 4.4f;
}

const char *rtp_quality_reason_name(enum rtp_quality_reason reason) {
    static const char *const names[RTP_QUALITY_REASON_COUNT] = {"none", "loss", "delay",
                                                                "bandwidth", "cpu"};
    return (unsigned)reason < RTP_QUALITY_REASON_COUNT ? names[reason] : "unknown";
}
