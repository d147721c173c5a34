/* The RTCP that a transport sends by the clock: sender and receiver reports, transport-wide
 * feedback, NACKs; and keyframe requests. */
#include "sfu/transport.h"

#include <stdio.h>

#include "sfu/wakeups.h"

enum {
    RTCP_LEN_MAX = 1200 - SFU_SRTCP_OVERHEAD_MAX, /* One unfragmented datagram. */
    BLOCKS_MAX = 31,                              /* RC has five bits. */
    NACKS_MAX = 128,                              /* Asked for in one packet. */

    /* Transport-wide feedback takes a twentieth of what it reports on, as libwebrtc has it, which
     * counts 68 bytes for one. */
    TWCC_BITS = 68 * 8,
    TWCC_SHARE = 20,
};

struct report {
    struct rtcp_builder builder;
    uint8_t data[1200];
};

static void report_init(struct report *report) {
    rtcp_builder_init(&report->builder, report->data, RTCP_LEN_MAX);
}

static void report_send(struct sfu_transport *transport, struct report *report) {
    if (report->builder.len > 0)
        sfu_transport_send_rtcp(transport, report->data, report->builder.len);
    report_init(report);
}

/* Where there are more streams than fit, they take turns. */
static size_t collect_blocks(struct sfu_transport *transport, uint64_t now_us,
                             struct rtcp_report_block blocks[BLOCKS_MAX]) {
    size_t count = 0, streams = transport->stream_count;
    for (size_t i = 0; i < streams && count < BLOCKS_MAX; i++) {
        size_t turn = transport->report_turn++ % streams;
        struct sfu_stream *stream = &transport->streams[turn];
        struct rtp_receiver *receiver = &stream->track->layers[stream->layer].receiver;
        if (stream->rtx || !rtp_receiver_report(receiver, now_us, stream->ssrc, &blocks[count]))
            continue;
        sfu_quality_on_block(&transport->quality.up, &blocks[count],
                             receiver->received - stream->reported_packets,
                             receiver->clock_rate_hz);
        transport->quality.up.bytes += receiver->received_bytes - stream->reported_bytes;
        stream->reported_packets = receiver->received;
        stream->reported_bytes = receiver->received_bytes;
        count++;
    }
    if (count < BLOCKS_MAX)
        transport->report_turn = 0;
    return count;
}

/* What the answer calls the slot's stream (RFC 3550 section 6.5.1): slots of one name are played in
 * step. */
static int append_cname(struct report *report, const struct sfu_slot *slot) {
    char cname[16];
    snprintf(cname, sizeof(cname), "slot-%u", slot->media.slot_stream);
    return rtcp_append_sdes(&report->builder, slot->media.slot_ssrc, cname);
}

/* Both or none; false when they do not fit. */
static bool append_sender(struct report *report, const struct sfu_slot *slot,
                          const struct rtcp_sender_info *info,
                          const struct rtcp_report_block *blocks, size_t block_count) {
    size_t before = report->builder.len;
    if (rtcp_append_sr(&report->builder, info, blocks, block_count) == 0 &&
        append_cname(report, slot) == 0)
        return true;
    report->builder.len = before;
    return false;
}

/* A compound begins with a report and its SDES (RFC 3550 section 6.1); the sender reports of the
 * other slots follow. */
uint64_t sfu_reports_send(struct sfu_transport *transport, uint64_t now_us) {
    struct rtcp_report_block blocks[BLOCKS_MAX];
    size_t block_count = collect_blocks(transport, now_us, blocks);
    struct report report;
    report_init(&report);
    bool begun = false;
    for (size_t i = 0; i < transport->mline_count; i++) {
        struct sfu_slot *slot = transport->mlines[i].slot;
        struct rtcp_sender_info info;
        if (slot == NULL || !sfu_slot_report(slot, now_us, &info))
            continue;
        if (!append_sender(&report, slot, &info, blocks, begun ? 0 : block_count)) {
            report_send(transport, &report);
            append_sender(&report, slot, &info, NULL, 0);
        }
        begun = true;
    }
    if (!begun && block_count > 0) {
        rtcp_append_rr(&report.builder, transport->ssrc, blocks, block_count);
        rtcp_append_sdes(&report.builder, transport->ssrc, "weir");
    }
    report_send(transport, &report);
    sfu_quality_update(transport, now_us);
    return sfu_tick_at_us(now_us + SFU_REPORT_INTERVAL_US);
}

uint64_t sfu_reports_twcc_interval_us(struct sfu_transport *transport, uint64_t now_us) {
    uint64_t elapsed_us = now_us - transport->twcc_since_us;
    bool first = transport->twcc_since_us == 0;
    if (elapsed_us >= SFU_TWCC_INTERVAL_MIN_US) { /* Less says little of the rate. */
        transport->twcc_bps = transport->twcc_bytes * 8 * 1000000 / elapsed_us;
        transport->twcc_bytes = 0;
        transport->twcc_since_us = now_us;
    }
    if (first) /* The publisher's probes want an answer. */
        return SFU_TWCC_INTERVAL_MIN_US;
    uint64_t interval_us = TWCC_BITS * TWCC_SHARE * UINT64_C(1000000) / (transport->twcc_bps + 1);
    if (interval_us < SFU_TWCC_INTERVAL_MIN_US)
        return SFU_TWCC_INTERVAL_MIN_US;
    return interval_us < SFU_TWCC_INTERVAL_MAX_US ? interval_us : SFU_TWCC_INTERVAL_MAX_US;
}

uint64_t sfu_reports_send_twcc(struct sfu_transport *transport, uint64_t now_us) {
    uint32_t media_ssrc = transport->stream_count ? transport->streams[0].ssrc : 0;
    uint8_t body[RTP_TWCC_BODY_MAX];
    /* As many as a window can need, so that the loop is bounded whatever the body holds. */
    for (int i = 0; i < 8 && rtp_twcc_pending(transport->twcc) > 0; i++) {
        struct report report;
        report_init(&report);
        size_t len = rtp_twcc_feedback_write(transport->twcc, body, sizeof(body));
        if (len == 0)
            break;
        rtcp_append_feedback(&report.builder, RTCP_RTPFB, RTCP_FMT_TWCC, transport->ssrc,
                             media_ssrc, body, len);
        report_send(transport, &report);
    }
    (void)now_us;
    return UINT64_MAX; /* Until the next packet. */
}

static void send_nack(struct sfu_transport *transport, uint32_t media_ssrc, const uint16_t *seqs,
                      size_t count) {
    size_t written = 0;
    struct report report;
    report_init(&report);
    rtcp_append_nack(&report.builder, transport->ssrc, media_ssrc, seqs, count, &written);
    report_send(transport, &report);
    transport->engine->counters.nacks_sent += written;
}

static uint64_t nack_layer(struct sfu_transport *transport, uint64_t now_us,
                           const struct sfu_stream *stream) {
    struct sfu_layer *layer = &stream->track->layers[stream->layer];
    uint16_t seqs[NACKS_MAX];
    bool gave_up = false;
    uint64_t given_up_before = layer->nack.given_up;
    /* Sound is due before long, so the next try does not wait for the answer of the last. */
    uint64_t retry_us = stream->track->media.video ? transport->rtt_us : transport->rtt_us / 2;
    size_t count = rtp_nack_due(&layer->nack, now_us, retry_us, seqs, NACKS_MAX, &gave_up);
    if (count > 0)
        send_nack(transport, stream->ssrc, seqs, count);
    transport->engine->counters.rtp_lost_upstream += layer->nack.given_up - given_up_before;
    if (gave_up && stream->track->media.video)
        sfu_track_want_keyframe(stream->track, now_us, stream->layer);
    return rtp_nack_next_deadline(&layer->nack);
}

uint64_t sfu_reports_send_nacks(struct sfu_transport *transport, uint64_t now_us) {
    uint64_t next_us = UINT64_MAX;
    for (size_t i = 0; i < transport->stream_count; i++) {
        const struct sfu_stream *stream = &transport->streams[i];
        if (stream->rtx || !stream->track->media.nack)
            continue;
        uint64_t at_us = nack_layer(transport, now_us, stream);
        next_us = at_us < next_us ? at_us : next_us;
    }
    return next_us;
}

void sfu_reports_send_remb(struct sfu_transport *transport, uint64_t bps, const uint32_t *ssrcs,
                           size_t count) {
    struct report report;
    report_init(&report);
    rtcp_append_remb(&report.builder, transport->ssrc, bps, ssrcs, count);
    report_send(transport, &report);
}

void sfu_reports_send_pli(struct sfu_transport *transport, uint32_t media_ssrc) {
    struct report report;
    report_init(&report);
    rtcp_append_pli(&report.builder, transport->ssrc, media_ssrc);
    report_send(transport, &report);
    transport->engine->counters.keyframe_requests_sent++;
}
