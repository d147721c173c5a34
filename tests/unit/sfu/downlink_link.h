/* A viewer behind a link of a rate, a queue and a delay, who answers with transport-wide feedback;
 * and a publisher of three layers. */
#ifndef TESTS_UNIT_SFU_DOWNLINK_LINK_H
#define TESTS_UNIT_SFU_DOWNLINK_LINK_H

#include "rtp/twcc.h"
#include "sfu/downlink.h"
#include "tests/unit/sfu/fixture_media.h"

enum { LINK_FPS = 25, LINK_FEEDBACK_US = 50 * 1000, LINK_PACKET = 1000 };

static const uint32_t layer_bps[3] = {150000, 500000, 1500000};

static struct {
    struct rig_peer *publisher, *viewer;
    struct sfu_media *camera, *slot;
    uint64_t rate_bps; /* 0: without end. */
    uint64_t delay_us;
    bool mute;        /* No feedback. */
    unsigned lose_up; /* Each so manieth packet of the publisher; 0: none. */
    /* State. */
    uint64_t free_at_us;
    uint64_t feedback_at_us;
    uint64_t frame_at_us;
    unsigned frame;
    uint16_t seqs[3];
    struct rtp_twcc_receiver receiver;
    struct {
        uint64_t at_us;
        uint16_t seq;
    } flying[4096];
    size_t flying_count;
    /* Counters. */
    uint64_t bytes; /* Sent to the viewer. */
    uint64_t padding;
    uint64_t media[3]; /* Packets of each layer. */
    uint64_t queue_us; /* The longest. */
    /* What was told. */
    bool paused;
    unsigned pauses, resumes;
    struct sfu_event qualities[3]; /* The newest, by participant. */
    unsigned quality_count[3];
    uint64_t quality_us[3];
    uint64_t quality_least_us; /* Between two of one participant. */
} net;

static inline void net_on_quality(const struct sfu_event *event) {
    uint64_t since_us = rig.now_us - net.quality_us[event->participant];
    if (net.quality_count[event->participant]++ > 0 && since_us < net.quality_least_us)
        net.quality_least_us = since_us;
    net.quality_us[event->participant] = rig.now_us;
    net.qualities[event->participant] = *event;
}

static inline void net_on_event(void *ctx, const struct sfu_event *event) {
    rig_on_event(ctx, event);
    if (event->type == SFU_EVENT_QUALITY)
        net_on_quality(event);
    for (size_t i = 0; event->type == SFU_EVENT_SLOTS && i < event->slot_count; i++) {
        CHECK_INT(event->participant, net.viewer->number);
        CHECK_STR(event->slots[i].mid, net.slot->mid);
        CHECK_INT(event->slots[i].track, net.camera->track);
        net.paused = event->slots[i].paused;
        net.pauses += net.paused;
        net.resumes += !net.paused;
    }
}

static inline void net_prepare(bool transport_cc, uint64_t rate_bps) {
    memset(&net, 0, sizeof(net));
    net.quality_least_us = UINT64_MAX;
    rig_open();
    rig.engines[0]->config.on_event = net_on_event;
    net.rate_bps = rate_bps;
    net.delay_us = 25 * MS;
    net.publisher = rig_join();
    net.camera = rig_add_simulcast(net.publisher);
    net.viewer = rig_join();
    net.slot = rig_add(net.viewer, true, SFU_SLOT);
    net.slot->transport_cc = transport_cc;
    if (!transport_cc)
        net.slot->extensions.ids[RTP_EXT_TRANSPORT_SEQ] = 0;
}

static inline void net_begin(bool transport_cc, uint64_t rate_bps) {
    net_prepare(transport_cc, rate_bps);
    rig_connect(net.publisher);
    rig_connect(net.viewer);
    rig_carry(net.viewer, net.slot, net.camera->track);
    net.frame_at_us = net.feedback_at_us = rig.now_us;
}

/* The payload's byte 20 names the layer. */
static inline void net_put(unsigned layer, int flags, size_t len) {
    uint8_t payload[LINK_PACKET];
    memset(payload, 0x55, sizeof(payload));
    rig_vp8(payload, net.frame, flags, (uint16_t)(180 << layer), net.seqs[layer]);
    payload[20] = (uint8_t)layer;
    struct rig_rtp rtp = {.ssrc = net.camera->ssrcs[layer],
                          .payload_type = RIG_VP8_PT,
                          .seq = net.seqs[layer]++,
                          .timestamp = net.frame * (90000 / LINK_FPS),
                          .marker = flags & RIG_END,
                          .payload = payload,
                          .len = len};
    if (net.lose_up == 0 || rtp.seq % net.lose_up != 0)
        rig_put(net.publisher, &rtp);
}

static inline void net_publish(void) {
    bool key = net.frame % LINK_FPS == 0;
    for (unsigned layer = 0; layer < 3; layer++) {
        size_t left = layer_bps[layer] / 8 / LINK_FPS;
        for (int first = 1; left > 0; first = 0) {
            size_t len = left < LINK_PACKET ? left : LINK_PACKET;
            left -= len;
            net_put(layer, (first ? RIG_START | (key ? RIG_KEY : 0) : 0) | (left ? 0 : RIG_END),
                    len < RIG_PAYLOAD_LEN ? RIG_PAYLOAD_LEN : len);
        }
    }
    net.frame++;
    rig_flush();
}

static inline void net_count(const struct rig_sent *sent) {
    net.bytes += sent->wire_len;
    if (sent->rtp.ssrc == net.slot->slot_rtx_ssrc)
        net.padding++;
    else if (sent->rtp.ssrc == net.slot->slot_ssrc)
        net.media[sent->data[sent->rtp.payload_offset + 20]]++;
}

/* What was sent goes onto the link; what it holds for more than half a second is lost. */
static inline void net_carry(void) {
    for (size_t i = 0; i < rig.sent_count; i++) {
        const struct rig_sent *sent = &rig.sent[i];
        if (sent->to != net.viewer || sent->kind != RTP_DATAGRAM_RTP)
            continue;
        net_count(sent);
        if (net.free_at_us < sent->at_us)
            net.free_at_us = sent->at_us;
        uint64_t wait_us = net.free_at_us - sent->at_us;
        net.queue_us = wait_us > net.queue_us ? wait_us : net.queue_us;
        struct rtp_extensions extensions;
        rtp_extensions_parse(&extensions, &sent->rtp, sent->data, &net.slot->extensions);
        if (wait_us > S / 2)
            continue;
        if (net.rate_bps > 0)
            net.free_at_us += (sent->wire_len + 28) * 8 * S / net.rate_bps;
        if (!rtp_ext_has(&extensions, RTP_EXT_TRANSPORT_SEQ))
            continue;
        CHECK(net.flying_count < 4096);
        net.flying[net.flying_count].at_us = net.free_at_us + net.delay_us;
        net.flying[net.flying_count++].seq = extensions.transport_seq;
    }
    rig_pump();
    rig_clear();
}

static inline void net_feed_back(void) {
    size_t kept = 0;
    for (size_t i = 0; i < net.flying_count; i++)
        if (net.flying[i].at_us <= rig.now_us)
            rtp_twcc_on_packet(&net.receiver, net.flying[i].at_us, net.flying[i].seq);
        else
            net.flying[kept++] = net.flying[i];
    net.flying_count = kept;
    while (!net.mute && rtp_twcc_pending(&net.receiver) > 0) {
        uint8_t body[RTP_TWCC_BODY_MAX], data[1300];
        struct rtcp_builder builder;
        size_t len = rtp_twcc_feedback_write(&net.receiver, body, sizeof(body));
        if (len == 0)
            break;
        rtcp_builder_init(&builder, data, sizeof(data) - 100);
        CHECK_INT(rtcp_append_feedback(&builder, RTCP_RTPFB, RTCP_FMT_TWCC, 1, 2, body, len), 0);
        rig_send_rtcp(net.viewer, &builder);
    }
}

static inline void net_run(uint64_t duration_us) {
    uint64_t end_us = rig.now_us + duration_us;
    while (rig.now_us < end_us) {
        rig_run_until(rig.now_us + 1 * MS);
        net.publisher->transport->ice.consent_us = rig.now_us;
        net.viewer->transport->ice.consent_us = rig.now_us;
        if (rig.now_us >= net.frame_at_us) {
            net.frame_at_us += S / LINK_FPS;
            net_publish();
        }
        net_carry();
        if (rig.now_us >= net.feedback_at_us) {
            net.feedback_at_us += LINK_FEEDBACK_US;
            net_feed_back();
        }
    }
}

static inline struct sfu_downlink *net_downlink(void) {
    return net.viewer->transport->downlink;
}

static inline struct sfu_counters *net_counters(void) {
    return &rig.engines[0]->counters;
}

/* The viewer's receiver report of what its slot lost, of 256. */
static inline void net_report(uint8_t fraction_lost) {
    uint8_t data[64];
    struct rtcp_builder builder;
    struct rtcp_report_block block = {.ssrc = net.slot->slot_ssrc, .fraction_lost = fraction_lost};
    rtcp_builder_init(&builder, data, sizeof(data));
    CHECK_INT(rtcp_append_rr(&builder, 1, &block, 1), 0);
    rig_send_rtcp(net.viewer, &builder);
}

static inline void net_forget(void) {
    net.bytes = net.padding = net.queue_us = 0;
    memset(net.media, 0, sizeof(net.media));
}

/* Of the next so many seconds. */
static inline uint64_t net_bps(uint64_t seconds) {
    net_forget();
    net_run(seconds * S);
    return net.bytes * 8 / seconds;
}

#endif
