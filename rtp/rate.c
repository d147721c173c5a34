/* A ring of buckets by the number of their time. */
#include "rtp/rate.h"

#include <string.h>

static uint32_t bucket_ms(const struct rtp_rate *rate) {
    return rate->bucket_ms ? rate->bucket_ms : RTP_RATE_BUCKET_MS;
}

/* Empties the buckets that come into use up to this one. */
static void advance(struct rtp_rate *rate, uint64_t bucket) {
    if (bucket - rate->newest >= RTP_RATE_BUCKETS) {
        memset(rate->bytes, 0, sizeof rate->bytes);
        rate->total = 0;
    } else {
        for (uint64_t i = rate->newest + 1; i <= bucket; i++) {
            rate->total -= rate->bytes[i % RTP_RATE_BUCKETS];
            rate->bytes[i % RTP_RATE_BUCKETS] = 0;
        }
    }
    rate->newest = bucket;
}

void rtp_rate_on_bytes(struct rtp_rate *rate, uint64_t now_us, size_t bytes) {
    uint64_t bucket = now_us / 1000 / bucket_ms(rate);
    if (bucket > rate->newest)
        advance(rate, bucket);
    rate->bytes[rate->newest % RTP_RATE_BUCKETS] += (uint32_t)bytes;
    rate->total += (uint32_t)bytes;
}

uint32_t rtp_rate_bps(const struct rtp_rate *rate, uint64_t now_us) {
    uint64_t bucket = now_us / 1000 / bucket_ms(rate);
    if (bucket >= rate->newest + RTP_RATE_BUCKETS)
        return 0;
    return (uint32_t)((uint64_t)rate->total * 8000 / (bucket_ms(rate) * RTP_RATE_BUCKETS));
}
