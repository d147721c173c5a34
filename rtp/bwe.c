/* The front of the estimator: what was sent, what was reported of it, and which figure counts. */
#include "rtp/bwe.h"

#include <errno.h>
#include <string.h>

#include "rtp/twcc.h"

static uint32_t clamp(uint32_t bps, uint32_t min_bps, uint32_t max_bps) {
    bps = bps < min_bps ? min_bps : bps;
    return bps > max_bps ? max_bps : bps;
}

void rtp_bwe_init(struct rtp_bwe *bwe, uint64_t now_us, const struct rtp_bwe_config *config) {
    (void)now_us;
    memset(bwe, 0, sizeof *bwe);
    bwe->config = *config;
    if (bwe->config.max_bps < bwe->config.min_bps)
        bwe->config.max_bps = bwe->config.min_bps;
    bwe->bps = clamp(config->start_bps, bwe->config.min_bps, bwe->config.max_bps);
}

void rtp_bwe_on_sent(struct rtp_bwe *bwe, uint64_t now_us, uint16_t transport_seq, size_t bytes,
                     uint8_t probe_id) {
    bwe->sent[transport_seq % RTP_BWE_SENT_MAX] =
        (struct rtp_bwe_sent){(uint32_t)now_us, (uint16_t)bytes, probe_id, 1};
    bwe->newest_seq = transport_seq;
    bwe->started = true;
}

static void on_arrival(void *ctx, const struct rtp_twcc_arrival *arrival) {
    (void)ctx;
    (void)arrival;
}

int rtp_bwe_on_feedback(struct rtp_bwe *bwe, uint64_t now_us, const struct rtcp_packet *packet) {
    (void)now_us;
    return rtp_twcc_feedback_parse(packet, on_arrival, bwe) < 0 ? -EBADMSG : 0;
}

void rtp_bwe_on_remb(struct rtp_bwe *bwe, uint64_t now_us, uint64_t bps) {
    (void)now_us;
    bwe->bps = clamp(bps > UINT32_MAX ? UINT32_MAX : (uint32_t)bps, bwe->config.min_bps,
                     bwe->config.max_bps);
}

void rtp_bwe_on_report(struct rtp_bwe *bwe, uint64_t now_us, uint8_t fraction_lost,
                       uint64_t sent_bps) {
    (void)bwe;
    (void)now_us;
    (void)fraction_lost;
    (void)sent_bps;
}

void rtp_bwe_on_rtt(struct rtp_bwe *bwe, uint64_t now_us, uint64_t rtt_us) {
    (void)bwe;
    (void)now_us;
    (void)rtt_us;
}

void rtp_bwe_set_demand(struct rtp_bwe *bwe, uint64_t now_us, uint64_t bps) {
    (void)bwe;
    (void)now_us;
    (void)bps;
}

bool rtp_bwe_next_probe(struct rtp_bwe *bwe, uint64_t now_us, struct rtp_bwe_probe *out) {
    (void)bwe;
    (void)now_us;
    (void)out;
    return false;
}

uint64_t rtp_bwe_next_deadline(const struct rtp_bwe *bwe) {
    (void)bwe;
    return UINT64_MAX;
}

void rtp_bwe_on_deadline(struct rtp_bwe *bwe, uint64_t now_us) {
    (void)bwe;
    (void)now_us;
}

uint32_t rtp_bwe_bps(const struct rtp_bwe *bwe) {
    return bwe->bps;
}

void rtp_bwe_figures(const struct rtp_bwe *bwe, struct rtp_bwe_figures *out) {
    *out = (struct rtp_bwe_figures){.bps = bwe->bps};
}

const char *rtp_bwe_limit_name(enum rtp_bwe_limit limit) {
    static const char *const names[] = {"start", "delay", "loss", "remb", "silence", "max"};
    return (size_t)limit < sizeof names / sizeof names[0] ? names[limit] : "unknown";
}
