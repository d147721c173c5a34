/* What peers report: as publishers (sender reports) and as subscribers (receiver reports, NACK,
 * PLI, FIR). */
#include "sfu/transport.h"

enum {
    NACKS_MAX = 256,         /* Answered of one packet; no honest receiver asks for more. */
    CLOCK_STEP_US = 1000000, /* No network delays so much: somebody has set the clock. */
};

static struct sfu_stream *find_stream(struct sfu_transport *transport, uint32_t ssrc) {
    for (size_t i = 0; i < transport->stream_count; i++)
        if (transport->streams[i].ssrc == ssrc)
            return &transport->streams[i];
    return NULL;
}

/* The m-line of a slot; mline_count: there is none. */
static size_t slot_place(const struct sfu_transport *transport, uint32_t ssrc) {
    size_t i = 0;
    while (i < transport->mline_count &&
           (transport->mlines[i].slot == NULL || transport->mlines[i].media.slot_ssrc != ssrc))
        i++;
    return i;
}

static struct sfu_slot *find_slot(const struct sfu_transport *transport, uint32_t ssrc) {
    size_t i = slot_place(transport, ssrc);
    return i < transport->mline_count ? transport->mlines[i].slot : NULL;
}

static int64_t ntp_to_us(uint64_t ntp) {
    return (int64_t)(ntp >> 32) * 1000000 + (int64_t)(((ntp & UINT32_MAX) * 1000000) >> 32);
}

static void shift_clocks(struct sfu_transport *transport, int64_t by_us) {
    for (size_t i = 0; i < transport->stream_count; i++) {
        const struct sfu_stream *stream = &transport->streams[i];
        const struct sfu_layer *layer = &stream->track->layers[stream->layer];
        if (!stream->rtx && layer->has_clock)
            sfu_track_set_clock(stream->track, stream->layer, layer->clock_us + (uint64_t)by_us,
                                layer->clock_timestamp);
    }
}

/* One offset for all streams of a publisher, so that what is late for one is late for all and lips
 * stay in sync. The least delayed report is the truest; the slow rise follows a clock that drifts.
 * What other streams reported stays true but for a clock that was set. */
static void learn_clock(struct sfu_transport *transport, uint64_t received_us,
                        int64_t publisher_us) {
    int64_t by_us = (int64_t)received_us - publisher_us - transport->clock_offset_us;
    bool was_set = !transport->has_clock || by_us < -CLOCK_STEP_US || by_us > CLOCK_STEP_US;
    if (by_us > 0 && !was_set)
        by_us /= 64;
    transport->clock_offset_us += by_us;
    transport->has_clock = true;
    if (!was_set)
        shift_clocks(transport, by_us);
}

static void on_sender_info(struct sfu_transport *transport, uint64_t received_us,
                           const struct rtcp_packet *packet) {
    struct rtcp_sender_info info;
    if (rtcp_sr_parse(packet, &info) < 0)
        return;
    struct sfu_stream *stream = find_stream(transport, info.ssrc);
    if (stream == NULL || stream->rtx)
        return;
    rtp_receiver_on_sr(&stream->track->layers[stream->layer].receiver, received_us, &info);
    int64_t publisher_us = ntp_to_us(info.ntp);
    learn_clock(transport, received_us, publisher_us);
    sfu_track_set_clock(stream->track, stream->layer,
                        (uint64_t)(publisher_us + transport->clock_offset_us), info.rtp_timestamp);
}

/* RFC 3550 section 6.4.1: when it came, less when the report left us, less how long the peer held
 * it. */
static void learn_rtt(struct sfu_transport *transport, uint64_t now_us, uint64_t received_us,
                      const struct rtcp_report_block *block) {
    if (block->last_sr == 0)
        return;
    uint32_t received_q16 =
        (uint32_t)((received_us / 1000000) << 16 | ((received_us % 1000000) << 16) / 1000000);
    uint32_t rtt_q16 = received_q16 - block->last_sr - block->delay_since_last_sr;
    if (rtt_q16 > 10u << 16) /* More than ten seconds: a clock jumped. */
        return;
    uint64_t rtt_us = ((uint64_t)rtt_q16 * 1000000) >> 16;
    transport->rtt_us = (transport->rtt_us * 7 + rtt_us) / 8;
    transport->has_rtt = true;
    sfu_downlink_on_rtt(transport, now_us);
}

/* What the slots' blocks of one packet say together: each counts by what it was sent since its
 * last. */
struct loss {
    uint64_t packets;
    uint64_t lost_of_256;
};

static void add_loss(struct loss *loss, struct sfu_transport *transport, size_t mline,
                     const struct rtcp_report_block *block) {
    if (transport->downlink == NULL)
        return;
    struct sfu_downlink_slot *known = &transport->downlink->slots[mline];
    uint32_t packets = transport->mlines[mline].slot->packets;
    uint32_t since = packets - known->reported_packets;
    known->reported_packets = packets;
    loss->packets += since;
    loss->lost_of_256 += (uint64_t)since * block->fraction_lost;
    sfu_quality_on_block(&transport->quality.down, block, since,
                         transport->mlines[mline].slot->rewriter.clock_rate_hz);
}

static void on_report_blocks(struct sfu_transport *transport, uint64_t now_us, uint64_t received_us,
                             const struct rtcp_packet *packet) {
    struct rtcp_report_block block;
    struct loss loss = {0};
    for (size_t i = 0; rtcp_report_block_at(packet, i, &block); i++) {
        struct sfu_slot *slot = find_slot(transport, block.ssrc);
        if (slot == NULL)
            continue;
        learn_rtt(transport, now_us, received_us, &block);
        sfu_slot_on_report(slot, now_us, &block);
        add_loss(&loss, transport, slot_place(transport, block.ssrc), &block);
    }
    if (loss.packets > 0)
        sfu_downlink_on_report(transport, now_us, (uint8_t)(loss.lost_of_256 / loss.packets));
}

static void on_nack(struct sfu_transport *transport, uint64_t now_us,
                    const struct rtcp_packet *packet) {
    uint32_t sender_ssrc, media_ssrc;
    if (rtcp_feedback_parse(packet, &sender_ssrc, &media_ssrc) < 0)
        return;
    struct sfu_slot *slot = find_slot(transport, media_ssrc);
    uint16_t seqs[NACKS_MAX];
    size_t count = slot ? rtcp_nack_parse(packet, seqs, NACKS_MAX) : 0;
    transport->engine->counters.nacks_received += count;
    if (slot != NULL)
        sfu_slot_on_nack(slot, now_us, seqs, count);
}

static void on_keyframe_request(struct sfu_transport *transport, uint64_t now_us, uint32_t ssrc) {
    transport->engine->counters.keyframe_requests_received++;
    struct sfu_slot *slot = find_slot(transport, ssrc);
    if (slot != NULL)
        sfu_slot_on_keyframe_request(slot, now_us);
}

static void on_payload_feedback(struct sfu_transport *transport, uint64_t now_us,
                                const struct rtcp_packet *packet) {
    uint32_t sender_ssrc, media_ssrc;
    if (packet->count == RTCP_FMT_PLI &&
        rtcp_feedback_parse(packet, &sender_ssrc, &media_ssrc) == 0)
        on_keyframe_request(transport, now_us, media_ssrc);
    uint8_t command_seq;
    if (packet->count == RTCP_FMT_FIR)
        for (size_t i = 0; rtcp_fir_at(packet, i, &media_ssrc, &command_seq); i++)
            on_keyframe_request(transport, now_us, media_ssrc);
}

/* It speaks of our slots, or of nothing: then it is another application's. */
static void on_remb(struct sfu_transport *transport, uint64_t now_us,
                    const struct rtcp_packet *packet) {
    uint64_t bps;
    uint32_t ssrcs[8];
    size_t count;
    if (rtcp_remb_parse(packet, &bps, ssrcs, sizeof(ssrcs) / sizeof(ssrcs[0]), &count) == 0)
        sfu_downlink_on_remb(transport, now_us, bps);
}

void sfu_feedback_on_rtcp(struct sfu_transport *transport, uint64_t now_us,
                          const struct sfu_packet *from) {
    if (rtcp_validate(from->data, from->len) < 0) {
        transport->engine->counters.drop_rtcp_malformed++;
        return;
    }
    struct rtcp_packet packet;
    for (size_t offset = 0; rtcp_next(from->data, from->len, &offset, &packet);) {
        if (packet.type == RTCP_SR)
            on_sender_info(transport, from->received_us, &packet);
        if (packet.type == RTCP_SR || packet.type == RTCP_RR)
            on_report_blocks(transport, now_us, from->received_us, &packet);
        if (packet.type == RTCP_RTPFB && packet.count == RTCP_FMT_NACK)
            on_nack(transport, now_us, &packet);
        if (packet.type == RTCP_RTPFB && packet.count == RTCP_FMT_TWCC)
            sfu_downlink_on_feedback(transport, now_us, &packet);
        if (packet.type == RTCP_PSFB && packet.count == RTCP_FMT_APP)
            on_remb(transport, now_us, &packet);
        if (packet.type == RTCP_PSFB)
            on_payload_feedback(transport, now_us, &packet);
    }
}
