#include "sfu/uplink.h"

#include <stdlib.h>
#include <string.h>

#include "rtp/bwe.h"
#include "rtp/twcc.h"
#include "sfu/transport.h"

enum {
    ESTIMATE_US = 100 * 1000,
    REMB_US = 1000 * 1000,    /* Between two REMB while the estimate rises, */
    REMB_MIN_US = 200 * 1000, /* and when it falls by */
    FALL_PERCENT = 3,         /* as much, as libwebrtc. */
    SLACK_US = 100 * 1000,    /* Packets count as sent so long before the first one came. */
    SSRCS_MAX = 32,
    UDP_BYTES = 28,
    IDLE_US = 2 * 1000 * 1000,
};

static const struct rtp_bwe_config limits = {1000 * 1000, 100 * 1000, 50 * 1000 * 1000};

struct sfu_uplink {
    /* State. */
    uint64_t at_us;
    uint64_t last_packet_us;
    bool timed;         /* Packets bring abs-send-time: */
    uint32_t last_time; /* 6.18 seconds. */
    uint64_t sent_us;   /* What that is by our clock. */
    uint16_t seq;
    uint64_t bytes; /* Since then: */
    uint64_t since_us;
    uint64_t arrived_bps; /* Before that. */
    uint64_t grown_bps;   /* The estimate, and room to grow into. */
    uint64_t told_bps;
    uint64_t told_us;
    struct rtp_bwe bwe;
    struct rtp_twcc_receiver arrivals;
};

static struct sfu_uplink *begin(struct sfu_transport *transport, uint64_t now_us) {
    struct sfu_uplink *uplink = calloc(1, sizeof(*uplink)); /* Once, at the first packet. */
    if (uplink == NULL)
        return NULL;
    uplink->at_us = now_us + ESTIMATE_US;
    uplink->since_us = now_us;
    rtp_bwe_init(&uplink->bwe, now_us, &limits);
    sfu_transport_wake_at(transport, uplink->at_us);
    return transport->uplink = uplink;
}

void sfu_uplink_close(struct sfu_transport *transport) {
    free(transport->uplink);
    transport->uplink = NULL;
}

/* The sender's time by our clock, never after now. */
static uint64_t sent_at(struct sfu_uplink *uplink, uint64_t now_us, uint32_t abs_send_time) {
    int32_t ticks = (int32_t)((abs_send_time - uplink->last_time) << 8) >> 8; /* 24 bits. */
    if (!uplink->timed || now_us - uplink->last_packet_us > IDLE_US)
        uplink->sent_us = now_us - SLACK_US;
    else
        uplink->sent_us += (uint64_t)((int64_t)ticks * 1000000 / (1 << 18));
    if (uplink->sent_us > now_us)
        uplink->sent_us = now_us;
    uplink->timed = true;
    uplink->last_time = abs_send_time;
    return uplink->sent_us;
}

void sfu_uplink_on_packet(struct sfu_transport *transport, uint64_t now_us,
                          const struct sfu_packet *packet) {
    struct sfu_uplink *uplink = transport->uplink;
    if (uplink == NULL)
        uplink = begin(transport, now_us);
    if (uplink == NULL)
        return;
    size_t bytes = packet->len + UDP_BYTES;
    uplink->bytes += bytes;
    if (rtp_ext_has(&packet->extensions, RTP_EXT_ABS_SEND_TIME)) {
        uint64_t sent_us = sent_at(uplink, now_us, packet->extensions.abs_send_time);
        uplink->seq++;
        rtp_bwe_on_sent(&uplink->bwe, sent_us, uplink->seq, bytes, 0);
        rtp_twcc_on_packet(&uplink->arrivals, packet->received_us, uplink->seq);
    }
    uplink->last_packet_us = now_us;
    if (uplink->at_us == UINT64_MAX) {
        uplink->at_us = now_us + ESTIMATE_US;
        sfu_transport_wake_at(transport, uplink->at_us);
    }
}

/* What arrived, as the peer would have told it. */
static void feed_back(struct sfu_uplink *uplink, uint64_t now_us) {
    uint8_t body[8 + RTP_TWCC_BODY_MAX] = {0}; /* Behind two SSRCs. */
    for (int i = 0; i < 8 && rtp_twcc_pending(&uplink->arrivals) > 0; i++) {
        size_t len = rtp_twcc_feedback_write(&uplink->arrivals, body + 8, RTP_TWCC_BODY_MAX);
        struct rtcp_packet packet = {
            .type = RTCP_RTPFB, .count = RTCP_FMT_TWCC, .body = body, .body_len = 8 + len};
        if (len == 0 || rtp_bwe_on_feedback(&uplink->bwe, now_us, &packet) < 0)
            return;
    }
}

/* The estimator, which may send probes where it is at home, believes in little more than what
 * arrived. Here only the sender can send more: so while no queue grows, it is let to, by 8 % each
 * second up to half as much again (libwebrtc's bounds). */
static uint64_t grow(struct sfu_uplink *uplink) {
    struct rtp_bwe_figures figures;
    rtp_bwe_figures(&uplink->bwe, &figures);
    uint64_t most_bps = figures.acked_bps + (uint64_t)figures.acked_bps / 2;
    uint64_t grown_bps = uplink->grown_bps + uplink->grown_bps / 125;
    bool calm = figures.usage == RTP_BWE_NORMAL && figures.bps >= figures.acked_bps / 100 * 95;
    if (!calm || grown_bps > most_bps)
        grown_bps = calm ? most_bps : figures.bps;
    uplink->grown_bps = grown_bps > figures.bps ? grown_bps : figures.bps;
    return uplink->grown_bps;
}

static uint64_t estimate_bps(struct sfu_uplink *uplink, uint64_t now_us) {
    if (now_us - uplink->since_us >= REMB_US) {
        uplink->arrived_bps = uplink->bytes * 8000000 / (now_us - uplink->since_us);
        uplink->bytes = 0;
        uplink->since_us = now_us;
    }
    if (uplink->timed)
        return grow(uplink);
    uint64_t bps = uplink->arrived_bps * 3 / 2;
    return bps > limits.start_bps ? bps : limits.start_bps;
}

static void tell(struct sfu_transport *transport, uint64_t now_us, uint64_t bps) {
    struct sfu_uplink *uplink = transport->uplink;
    uint64_t since_us = now_us - uplink->told_us;
    bool falls = bps < uplink->told_bps / 100 * (100 - FALL_PERCENT);
    if (since_us < (falls ? REMB_MIN_US : REMB_US))
        return;
    uint32_t ssrcs[SSRCS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < transport->stream_count && count < SSRCS_MAX; i++)
        if (!transport->streams[i].rtx && transport->streams[i].track->media.remb)
            ssrcs[count++] = transport->streams[i].ssrc;
    sfu_reports_send_remb(transport, bps, ssrcs, count);
    uplink->told_bps = bps;
    uplink->told_us = now_us;
}

uint64_t sfu_uplink_on_deadline(struct sfu_transport *transport, uint64_t now_us) {
    struct sfu_uplink *uplink = transport->uplink;
    if (uplink == NULL)
        return UINT64_MAX;
    if (now_us < uplink->at_us)
        return uplink->at_us;
    feed_back(uplink, now_us);
    tell(transport, now_us, estimate_bps(uplink, now_us));
    /* Until the next packet, when none comes any more. */
    bool idle = now_us - uplink->last_packet_us > IDLE_US;
    uplink->at_us = idle ? UINT64_MAX : now_us + ESTIMATE_US;
    return uplink->at_us;
}
