/* What a client is told by RTCP, and what it reports and asks for. */
#include "bench/client_state.h"

enum {
    REPORT_US = 1000000,
    RTT_US = 100000,            /* Assumed for NACK while it is not known, as libwebrtc does. */
    KEYFRAME_AGAIN_US = 200000, /* libwebrtc asks so often while it waits for a keyframe. */
    NACK_MAX = 64,
};

static void on_nack(struct bench_client *client, uint64_t now_us,
                    const struct rtcp_packet *packet) {
    uint32_t sender, media;
    uint16_t seqs[NACK_MAX];
    if (rtcp_feedback_parse(packet, &sender, &media) < 0)
        return;
    size_t count = rtcp_nack_parse(packet, seqs, NACK_MAX);
    for (size_t i = 0; i < client->source_count; i++) {
        if (client->sources[i].config.ssrc != media)
            continue;
        client->sending = i;
        bench_source_on_nack(&client->sources[i], now_us, seqs, count, bench_client_send_media,
                             client);
    }
}

static void on_pli(struct bench_client *client, const struct rtcp_packet *packet) {
    uint32_t sender, media;
    if (packet->count != RTCP_FMT_PLI || rtcp_feedback_parse(packet, &sender, &media) < 0)
        return;
    for (size_t i = 0; i < client->source_count; i++) {
        if (client->sources[i].config.ssrc != media)
            continue;
        client->sources[i].keyframe_wanted = true;
        client->sources[i].keyframe_requests++;
    }
}

/* RFC 3550 section 6.4.1, as the server does it. */
static void learn_rtt(struct bench_client *client, uint64_t now_us,
                      const struct rtcp_packet *packet) {
    struct rtcp_report_block block;
    for (size_t i = 0; rtcp_report_block_at(packet, i, &block); i++) {
        if (block.last_sr == 0)
            continue;
        uint32_t now_q16 =
            (uint32_t)((now_us / 1000000) << 16 | ((now_us % 1000000) << 16) / 1000000);
        uint32_t rtt_q16 = now_q16 - block.last_sr - block.delay_since_last_sr;
        uint64_t rtt_us = ((uint64_t)rtt_q16 * 1000000) >> 16;
        uint64_t known_us = client->figures.rtt_us;
        if (rtt_q16 < 10u << 16)
            client->figures.rtt_us = known_us ? (known_us * 7 + rtt_us) / 8 : rtt_us;
    }
}

void bench_client_on_rtcp(struct bench_client *client, uint64_t now_us, uint8_t *data, size_t len) {
    struct rtcp_packet packet;
    if (client->srtp_in == NULL || sfu_srtp_unprotect_rtcp(client->srtp_in, data, &len) < 0)
        return;
    for (size_t offset = 0; rtcp_next(data, len, &offset, &packet);) {
        if (packet.type == RTCP_RTPFB && packet.count == RTCP_FMT_NACK)
            on_nack(client, now_us, &packet);
        else if (packet.type == RTCP_PSFB)
            on_pli(client, &packet);
        else if (packet.type == RTCP_SR || packet.type == RTCP_RR)
            learn_rtt(client, now_us, &packet);
    }
}

void bench_client_report(struct bench_client *client, uint64_t now_us) {
    uint8_t data[1100];
    struct rtcp_builder builder;
    struct rtcp_report_block blocks[31];
    size_t count = 0;
    for (size_t i = 0; i < client->sink_count && count < 31; i++)
        count += rtp_receiver_report(&client->sinks[i].receiver, now_us, client->sinks[i].ssrc,
                                     &blocks[count]);
    rtcp_builder_init(&builder, data, sizeof(data));
    rtcp_append_rr(&builder, client->ssrc, blocks, count);
    rtcp_append_sdes(&builder, client->ssrc, client->ufrag);
    for (size_t i = 0; i < client->source_count; i++) {
        const struct bench_source *source = &client->sources[i];
        struct rtcp_sender_info info = {.ssrc = source->config.ssrc,
                                        .ntp = (now_us / 1000000) << 32 |
                                               ((now_us % 1000000) << 32) / 1000000,
                                        .rtp_timestamp = bench_source_timestamp(source, now_us),
                                        .packet_count = (uint32_t)source->packets,
                                        .octet_count = (uint32_t)source->octets};
        rtcp_append_sr(&builder, &info, NULL, 0);
    }
    bench_client_send_compound(client, &builder);
    client->report_at_us = now_us + REPORT_US;
}

void bench_client_feedback(struct bench_client *client) {
    uint8_t data[1200], body[RTP_TWCC_BODY_MAX];
    size_t body_len;
    while ((body_len = rtp_twcc_feedback_write(client->twcc, body, sizeof(body))) > 0) {
        struct rtcp_builder builder;
        rtcp_builder_init(&builder, data, sizeof(data));
        rtcp_append_feedback(&builder, RTCP_RTPFB, RTCP_FMT_TWCC, client->ssrc,
                             client->sinks[0].ssrc, body, body_len);
        bench_client_send_compound(client, &builder);
    }
    client->feedback_at_us = UINT64_MAX;
}

void bench_client_ask(struct bench_client *client, uint64_t now_us, struct bench_sink *sink) {
    uint8_t data[1100];
    struct rtcp_builder builder;
    uint16_t seqs[NACK_MAX];
    size_t written;
    bool gave_up = false;
    uint64_t rtt_us = client->figures.rtt_us ? client->figures.rtt_us : RTT_US;
    size_t count = rtp_nack_due(&sink->nack, now_us, rtt_us, seqs, NACK_MAX, &gave_up);
    rtcp_builder_init(&builder, data, sizeof(data));
    if (count > 0)
        rtcp_append_nack(&builder, client->ssrc, sink->ssrc, seqs, count, &written);
    if (sink->video && (gave_up || sink->keyframe_us <= now_us)) {
        rtcp_append_pli(&builder, client->ssrc, sink->ssrc);
        sink->keyframe_us = now_us + KEYFRAME_AGAIN_US;
        sink->keyframe_requests++;
    }
    bench_client_send_compound(client, &builder);
}
