/* A ring of buckets by the number of their time. The window reaches from the beginning of the
 * oldest bucket to now, so that a bucket that has just begun does not pull the mean down. */
#include "rtp/rate.h"

#include <stdbool.h>
#include <string.h>

static uint64_t bucket_us(const struct rtp_rate *rate) {
    return (rate->bucket_ms ? rate->bucket_ms : RTP_RATE_BUCKET_MS) * UINT64_C(1000);
}

/* Nothing is in the window any more: the next bytes begin a new one. */
static bool is_idle(const struct rtp_rate *rate, uint64_t bucket) {
    return rate->total == 0 || bucket >= rate->newest + RTP_RATE_BUCKETS;
}

static void start(struct rtp_rate *rate, uint64_t now_us, uint64_t bucket) {
    memset(rate->bytes, 0, sizeof rate->bytes);
    rate->total = 0;
    rate->newest = bucket;
    rate->first = bucket;
    rate->first_offset_ms = (uint16_t)(now_us % bucket_us(rate) / 1000);
}

/* Empties the buckets that come into use up to this one. */
static void advance(struct rtp_rate *rate, uint64_t bucket) {
    for (uint64_t i = rate->newest + 1; i <= bucket; i++) {
        rate->total -= rate->bytes[i % RTP_RATE_BUCKETS];
        rate->bytes[i % RTP_RATE_BUCKETS] = 0;
    }
    rate->newest = bucket;
}

void rtp_rate_on_bytes(struct rtp_rate *rate, uint64_t now_us, size_t bytes) {
    uint64_t bucket = now_us / bucket_us(rate);
    if (is_idle(rate, bucket))
        start(rate, now_us, bucket);
    else if (bucket > rate->newest)
        advance(rate, bucket);
    rate->bytes[rate->newest % RTP_RATE_BUCKETS] += (uint32_t)bytes;
    rate->total += (uint32_t)bytes;
}

/* Of the buckets that are still in the window at this time. */
static uint32_t bytes_in_window(const struct rtp_rate *rate, uint64_t bucket) {
    uint32_t bytes = rate->total;
    for (uint64_t i = rate->newest + 1; i <= bucket; i++)
        bytes -= rate->bytes[i % RTP_RATE_BUCKETS];
    return bytes;
}

static uint64_t window_begin_us(const struct rtp_rate *rate, uint64_t bucket) {
    uint64_t oldest = bucket >= RTP_RATE_BUCKETS ? bucket - (RTP_RATE_BUCKETS - 1) : 0;
    return rate->first >= oldest
               ? rate->first * bucket_us(rate) + rate->first_offset_ms * UINT64_C(1000)
               : oldest * bucket_us(rate);
}

uint32_t rtp_rate_bps(const struct rtp_rate *rate, uint64_t now_us) {
    uint64_t bucket = now_us / bucket_us(rate);
    if (bucket < rate->newest) {
        bucket = rate->newest;
        now_us = bucket * bucket_us(rate);
    }
    if (is_idle(rate, bucket))
        return 0;
    uint64_t begin_us = window_begin_us(rate, bucket), length_us = bucket_us(rate);
    if (now_us > begin_us + length_us)
        length_us = now_us - begin_us;
    uint64_t bps = bytes_in_window(rate, bucket) * UINT64_C(8000000) / length_us;
    return bps < UINT32_MAX ? (uint32_t)bps : UINT32_MAX;
}
