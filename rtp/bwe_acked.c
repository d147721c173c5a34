/* The acknowledged rate as libwebrtc's RobustThroughputEstimator measures it, over bins of arrivals
 * instead of packets, so that 3 KiB remember half a second of any rate. */
#include "rtp/bwe_acked.h"

#include <string.h>

enum {
    BIN_US = 4000, /* Times RTP_BWE_ACKED_BINS is more than the window. */
    PACKETS_MIN = 10,
    PACKETS_SHORT_MIN = 4,
    DURATION_MIN_US = 20000,
    GAP_MAX_US = 2000000, /* Silence after which the old says nothing about the new. */
    LATE_MAX_US = 1000000,
};

static struct rtp_bwe_acked_bin *newest(struct rtp_bwe_acked *acked) {
    return &acked->bins[acked->head];
}

static void bin_begin(struct rtp_bwe_acked *acked, const struct rtp_bwe_packet *packet) {
    acked->head = (acked->head + 1) % RTP_BWE_ACKED_BINS;
    if (acked->count < RTP_BWE_ACKED_BINS)
        acked->count++;
    uint32_t arrival_us = (uint32_t)packet->arrival_us, sent_us = (uint32_t)packet->sent_us;
    *newest(acked) =
        (struct rtp_bwe_acked_bin){arrival_us, arrival_us, sent_us, sent_us, packet->bytes, 1};
}

static void bin_extend(struct rtp_bwe_acked_bin *bin, const struct rtp_bwe_packet *packet) {
    uint32_t arrival_us = (uint32_t)packet->arrival_us, sent_us = (uint32_t)packet->sent_us;
    if ((int32_t)(arrival_us - bin->last_arrival_us) > 0)
        bin->last_arrival_us = arrival_us;
    if ((int32_t)(sent_us - bin->last_sent_us) > 0)
        bin->last_sent_us = sent_us;
    if ((int32_t)(sent_us - bin->first_sent_us) < 0)
        bin->first_sent_us = sent_us;
    bin->bytes += packet->bytes;
    bin->packets++;
}

void rtp_bwe_acked_on_packet(struct rtp_bwe_acked *acked, const struct rtp_bwe_packet *packet) {
    bool is_newest = packet->arrival_us >= acked->newest_us;
    uint64_t away_us =
        is_newest ? packet->arrival_us - acked->newest_us : acked->newest_us - packet->arrival_us;
    if (acked->count == 0 || (is_newest ? away_us > GAP_MAX_US : away_us > LATE_MAX_US))
        acked->count = 0;
    if (acked->count == 0 || is_newest)
        acked->newest_us = packet->arrival_us;
    if (acked->count == 0 ||
        (int32_t)((uint32_t)packet->arrival_us - newest(acked)->first_arrival_us) >= BIN_US)
        bin_begin(acked, packet);
    else
        bin_extend(newest(acked), packet);
}

/* What lies in the window. */
struct sums {
    uint64_t bytes;
    uint32_t packets, oldest_bytes, newest_sent_bytes;
    uint32_t first_arrival_us, last_arrival_us, first_sent_us, last_sent_us;
    uint32_t gap_us, second_gap_us; /* The two longest between bins. */
};

static void gap_note(struct sums *sums, uint32_t gap_us) {
    if (gap_us > sums->gap_us) {
        sums->second_gap_us = sums->gap_us;
        sums->gap_us = gap_us;
    } else if (gap_us > sums->second_gap_us) {
        sums->second_gap_us = gap_us;
    }
}

/* Adds a bin older than those before it. */
static void sums_add(struct sums *sums, const struct rtp_bwe_acked_bin *bin) {
    if (sums->packets == 0) {
        sums->last_arrival_us = bin->last_arrival_us;
        sums->last_sent_us = bin->last_sent_us;
        sums->first_sent_us = bin->first_sent_us;
        sums->newest_sent_bytes = bin->bytes / bin->packets;
    } else {
        gap_note(sums, sums->first_arrival_us - bin->last_arrival_us);
    }
    if ((int32_t)(bin->last_sent_us - sums->last_sent_us) > 0)
        sums->last_sent_us = bin->last_sent_us;
    if ((int32_t)(bin->first_sent_us - sums->first_sent_us) < 0)
        sums->first_sent_us = bin->first_sent_us;
    sums->first_arrival_us = bin->first_arrival_us;
    sums->oldest_bytes = bin->bytes / bin->packets;
    sums->bytes += bin->bytes;
    sums->packets += bin->packets;
}

static uint64_t rate(uint64_t bytes, uint32_t duration_us) {
    duration_us = duration_us < DURATION_MIN_US ? DURATION_MIN_US : duration_us;
    return bytes * 8 * 1000000 / duration_us;
}

/* False when there are too few packets. */
static bool window_sum(const struct rtp_bwe_acked *acked, int32_t window_us, uint32_t packets_min,
                       struct sums *sums) {
    *sums = (struct sums){0};
    for (uint32_t i = 0; i < acked->count; i++) {
        const struct rtp_bwe_acked_bin *bin =
            &acked->bins[(acked->head + RTP_BWE_ACKED_BINS - i) % RTP_BWE_ACKED_BINS];
        if ((int32_t)((uint32_t)acked->newest_us - bin->first_arrival_us) > window_us)
            break;
        sums_add(sums, bin);
    }
    return sums->packets >= packets_min;
}

/* The longest gap may be a pause of the sender's or of the link's: it counts as the second. */
static uint64_t received_bps(const struct sums *sums) {
    uint32_t all_us = sums->last_arrival_us - sums->first_arrival_us;
    return rate(sums->bytes - sums->oldest_bytes, all_us - sums->gap_us + sums->second_gap_us);
}

uint32_t rtp_bwe_acked_bps(const struct rtp_bwe_acked *acked) {
    struct sums sums;
    if (!window_sum(acked, RTP_BWE_ACKED_WINDOW_US, PACKETS_MIN, &sums))
        return 0;
    uint64_t received = received_bps(&sums);
    uint64_t sent =
        rate(sums.bytes - sums.newest_sent_bytes, sums.last_sent_us - sums.first_sent_us);
    uint64_t bps = received < sent ? received : sent;
    return bps > UINT32_MAX ? UINT32_MAX : (uint32_t)bps;
}

uint32_t rtp_bwe_acked_recent_bps(const struct rtp_bwe_acked *acked) {
    struct sums sums;
    if (!window_sum(acked, RTP_BWE_ACKED_SHORT_US, PACKETS_SHORT_MIN, &sums))
        return 0;
    uint64_t bps = received_bps(&sums);
    return bps > UINT32_MAX ? UINT32_MAX : (uint32_t)bps;
}

bool rtp_bwe_acked_sent_span(const struct rtp_bwe_acked *acked, uint32_t window_us,
                             struct rtp_bwe_acked_span *out) {
    struct sums sums;
    bool is_known = window_sum(acked, (int32_t)window_us, 1, &sums);
    *out = (struct rtp_bwe_acked_span){sums.first_sent_us, sums.last_sent_us};
    return is_known;
}
