#include "bench/client.h"

#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <stun/stunagent.h>
#include <stun/usages/ice.h>

#include "rtp/bytes.h"
#include "rtp/codec.h"
#include "rtp/history.h"
#include "rtp/rtcp.h"
#include "sfu/srtp.h"

enum {
    CHECK_FIRST_US = 50000,     /* RFC 8445 section 14.2: Ta. */
    CHECK_CONSENT_US = 2500000, /* Half of RFC 7675's five seconds, as browsers do. */
    REPORT_US = 1000000,
    RTT_US = 100000, /* Assumed for NACK. */
    NACK_MAX = 64,
    PACKET_MAX = 1600,
};

struct bench_client {
    /* Given. */
    struct bench_client_config config;
    /* Owned. */
    struct bench_dtls *dtls;
    struct sfu_srtp_in *srtp_in;
    struct sfu_srtp_out *srtp_out;
    struct bench_source *sources;
    struct bench_sink *sinks;
    struct sfu_media *media;
    /* State. */
    struct bench_random random;
    StunAgent stun;
    char ufrag[16];
    char pwd[32];
    struct sfu_local remote;
    size_t source_count, sink_count;
    struct sfu_srtp_stream source_streams[BENCH_STREAMS_MAX], rtx_streams[BENCH_STREAMS_MAX];
    size_t sending; /* Which source's packets are being sent. */
    uint32_t ssrc;
    bool begun;
    bool selected; /* A check was answered. */
    uint64_t connected_us;
    uint64_t check_at_us;
    uint64_t report_at_us;
};

static void random_text(struct bench_random *random, char *out, size_t len) {
    for (size_t i = 0; i < len; i++)
        out[i] = (char)('a' + bench_random_next(random) % 26);
    out[len] = '\0';
}

static void dtls_send(void *ctx, const uint8_t *data, size_t len) {
    struct bench_client *client = ctx;
    client->config.send(client->config.ctx, data, len);
}

int bench_client_create(struct bench_client **out, const struct bench_client_config *config) {
    struct bench_client *client = calloc(1, sizeof(*client));
    if (client == NULL)
        return -ENOMEM;
    client->config = *config;
    client->random.state = config->seed;
    random_text(&client->random, client->ufrag, 8);
    random_text(&client->random, client->pwd, 24);
    client->ssrc = (uint32_t)bench_random_next(&client->random) | 1;
    client->check_at_us = client->report_at_us = UINT64_MAX;
    static const uint16_t known[] = {
        STUN_ATTRIBUTE_USERNAME,       STUN_ATTRIBUTE_MESSAGE_INTEGRITY,
        STUN_ATTRIBUTE_FINGERPRINT,    STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS,
        STUN_ATTRIBUTE_ICE_CONTROLLED, STUN_ATTRIBUTE_ICE_CONTROLLING,
        STUN_ATTRIBUTE_USE_CANDIDATE,  STUN_ATTRIBUTE_PRIORITY,
        STUN_ATTRIBUTE_ERROR_CODE,     0};
    stun_agent_init(&client->stun, known, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
    if (bench_dtls_create(&client->dtls, config->dtls, dtls_send, client) < 0) {
        free(client);
        return -ENOMEM;
    }
    *out = client;
    return 0;
}

void bench_client_destroy(struct bench_client *client) {
    if (client == NULL)
        return;
    for (size_t i = 0; i < client->source_count; i++)
        bench_source_deinit(&client->sources[i]);
    free(client->sources);
    free(client->sinks);
    free(client->media);
    bench_dtls_destroy(client->dtls);
    sfu_srtp_in_destroy(client->srtp_in);
    sfu_srtp_out_destroy(client->srtp_out);
    free(client);
}

const char *bench_client_ufrag(const struct bench_client *client) {
    return client->ufrag;
}

const char *bench_client_pwd(const struct bench_client *client) {
    return client->pwd;
}

/* --- Streams --- */

static int add_source(struct bench_client *client, uint64_t now_us, const struct sfu_media *media,
                      size_t layer) {
    uint32_t scale = media->layer_count > 1 ? 1u << (media->layer_count - 1 - layer) : 1;
    struct bench_source_config config = {
        .video = media->video,
        .number =
            client->config.number << 8 | layer, /* Layers count their frames for themselves. */
        .ssrc = media->ssrcs[layer] ? media->ssrcs[layer]
                                    : (uint32_t)bench_random_next(&client->random),
        .payload_type = media->codecs[0].payload_type,
        .rtx_payload_type = media->codecs[0].rtx_payload_type,
        .mid = media->mid,
        .rid = media->rids[layer][0] ? media->rids[layer] : NULL,
        .extensions = media->extensions,
        .rate_bps =
            media->video ? client->config.video_bps / (scale * scale) : client->config.audio_bps,
        .fps = 30,
        .width = (uint16_t)(1280 / scale),
        .height = (uint16_t)(720 / scale),
    };
    if (config.rtx_payload_type != 0)
        config.rtx_ssrc = media->rtx_ssrcs[layer] ? media->rtx_ssrcs[layer] : config.ssrc + 1;
    struct bench_source *source = &client->sources[client->source_count];
    if (bench_source_init(source, &config, now_us, bench_random_next(&client->random)) < 0)
        return -ENOMEM;
    client->source_count++;
    return 0;
}

static int add_streams(struct bench_client *client, uint64_t now_us, size_t media_count) {
    for (size_t i = 0; i < media_count; i++) {
        const struct sfu_media *media = &client->media[i];
        if (media->direction == SFU_SLOT && client->sink_count < BENCH_STREAMS_MAX) {
            struct bench_sink *sink = &client->sinks[client->sink_count++];
            *sink = (struct bench_sink){.video = media->video,
                                        .ssrc = media->slot_ssrc,
                                        .rtx_ssrc = media->slot_rtx_ssrc,
                                        .keyframe_needed = media->video};
            sink->receiver.clock_rate_hz = media->video ? 90000 : 48000;
        }
        size_t layers = media->direction != SFU_PUBLISHES ? 0
                        : media->layer_count              ? media->layer_count
                                                          : 1;
        for (size_t layer = 0; layer < layers && client->source_count < BENCH_STREAMS_MAX; layer++)
            if (add_source(client, now_us, media, layer) < 0)
                return -ENOMEM;
    }
    return 0;
}

int bench_client_begin(struct bench_client *client, uint64_t now_us, const struct sfu_local *remote,
                       const struct sfu_media *media, size_t media_count) {
    client->sources = calloc(BENCH_STREAMS_MAX, sizeof(*client->sources));
    client->sinks = calloc(BENCH_STREAMS_MAX, sizeof(*client->sinks));
    client->media = calloc(media_count + 1, sizeof(*media));
    if (client->sources == NULL || client->sinks == NULL || client->media == NULL)
        return -ENOMEM;
    memcpy(client->media, media, media_count * sizeof(*media));
    client->remote = *remote;
    client->begun = true;
    client->check_at_us = now_us;
    return add_streams(client, now_us, media_count);
}

void bench_client_restart(struct bench_client *client, uint64_t now_us,
                          const struct sfu_local *remote) {
    client->remote = *remote;
    client->check_at_us = now_us;
}

/* --- ICE --- */

static void send_check(struct bench_client *client, uint64_t now_us) {
    char username[SFU_UFRAG_LEN + 32];
    int username_len =
        snprintf(username, sizeof(username), "%s:%s", client->remote.ufrag, client->ufrag);
    uint8_t buffer[512];
    StunMessage message;
    size_t len = stun_usage_ice_conncheck_create(
        &client->stun, &message, buffer, sizeof(buffer), (uint8_t *)username, (size_t)username_len,
        (uint8_t *)client->remote.pwd, strlen(client->remote.pwd), true, true, 1862270975,
        client->config.seed, NULL, STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
    if (len > 0)
        client->config.send(client->config.ctx, buffer, len);
    client->check_at_us = now_us + (client->selected ? CHECK_CONSENT_US : CHECK_FIRST_US);
}

static void on_stun(struct bench_client *client, uint64_t now_us, const uint8_t *data, size_t len) {
    StunMessage message;
    if (stun_agent_validate(&client->stun, &message, data, len, NULL, NULL) !=
            STUN_VALIDATION_SUCCESS ||
        stun_message_get_class(&message) != STUN_RESPONSE)
        return;
    if (client->selected)
        return;
    client->selected = true;
    client->check_at_us = now_us + CHECK_CONSENT_US;
    bench_dtls_begin(client->dtls, now_us);
}

/* --- DTLS and SRTP --- */

static void on_connected(struct bench_client *client, uint64_t now_us) {
    enum sfu_srtp_profile profile;
    struct sfu_srtp_key in, out;
    if (bench_dtls_export(client->dtls, &profile, &in, &out) < 0 ||
        sfu_srtp_in_create(&client->srtp_in, profile, &in) < 0 ||
        sfu_srtp_out_create(&client->srtp_out, profile, &out) < 0)
        return;
    client->connected_us = now_us;
    client->report_at_us = now_us + REPORT_US;
    for (size_t i = 0; i < client->source_count; i++)
        client->sources[i].next_us = now_us;
}

static void send_rtcp(struct bench_client *client, const struct rtcp_builder *builder) {
    uint8_t packet[PACKET_MAX];
    size_t len = builder->len;
    if (len == 0 || client->srtp_out == NULL)
        return;
    memcpy(packet, builder->data, len);
    if (sfu_srtp_protect_rtcp(client->srtp_out, packet, &len) == 0)
        client->config.send(client->config.ctx, packet, len);
}

static void send_media(void *ctx, bool rtx, const uint8_t *header, size_t header_len,
                       const uint8_t *payload, size_t payload_len) {
    struct bench_client *client = ctx;
    uint8_t packet[PACKET_MAX];
    struct sfu_srtp_stream *stream =
        rtx ? &client->rtx_streams[client->sending] : &client->source_streams[client->sending];
    memcpy(packet, header, header_len);
    size_t len = sfu_srtp_protect_rtp(client->srtp_out, stream, packet, header_len, NULL, 0,
                                      payload, payload_len);
    client->config.send(client->config.ctx, packet, len);
}

/* --- RTP --- */

static struct bench_sink *find_sink(struct bench_client *client, uint32_t ssrc, bool *rtx) {
    for (size_t i = 0; i < client->sink_count; i++) {
        struct bench_sink *sink = &client->sinks[i];
        *rtx = sink->rtx_ssrc == ssrc && ssrc != 0;
        if (sink->ssrc == ssrc || *rtx)
            return sink;
    }
    return NULL;
}

static void on_rtp(struct bench_client *client, uint64_t now_us, uint8_t *data, size_t len) {
    struct rtp_packet packet;
    bool rtx = false;
    if (client->srtp_in == NULL || sfu_srtp_unprotect_rtp(client->srtp_in, data, &len) < 0 ||
        rtp_parse(&packet, data, len) < 0)
        return;
    struct bench_sink *sink = find_sink(client, packet.ssrc, &rtx);
    if (sink == NULL || packet.payload_len == 0)
        return;
    const uint8_t *payload = data + packet.payload_offset;
    size_t payload_len = packet.payload_len;
    uint16_t seq = packet.seq;
    if (rtx && (rtp_rtx_parse(payload, payload_len, &seq) < 0 || payload_len == 2))
        return;
    if (rtx) {
        payload += 2;
        payload_len -= 2;
    }
    bench_sink_on_packet(sink, now_us, seq, packet.timestamp, payload, payload_len, rtx);
}

/* --- RTCP --- */

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
        bench_source_on_nack(&client->sources[i], now_us, seqs, count, send_media, client);
    }
}

static void on_pli(struct bench_client *client, const struct rtcp_packet *packet) {
    uint32_t sender, media;
    if (packet->count != RTCP_FMT_PLI || rtcp_feedback_parse(packet, &sender, &media) < 0)
        return;
    for (size_t i = 0; i < client->source_count; i++)
        if (client->sources[i].config.ssrc == media)
            client->sources[i].keyframe_wanted = true;
}

static void on_rtcp(struct bench_client *client, uint64_t now_us, uint8_t *data, size_t len) {
    struct rtcp_packet packet;
    if (client->srtp_in == NULL || sfu_srtp_unprotect_rtcp(client->srtp_in, data, &len) < 0)
        return;
    for (size_t offset = 0; rtcp_next(data, len, &offset, &packet);) {
        if (packet.type == RTCP_RTPFB && packet.count == RTCP_FMT_NACK)
            on_nack(client, now_us, &packet);
        else if (packet.type == RTCP_PSFB)
            on_pli(client, &packet);
    }
}

void bench_client_input(struct bench_client *client, uint64_t now_us, const uint8_t *data,
                        size_t len) {
    uint8_t copy[PACKET_MAX];
    if (!client->begun || len > sizeof(copy))
        return;
    memcpy(copy, data, len);
    enum rtp_datagram_kind kind = rtp_datagram_kind(copy, len);
    if (kind == RTP_DATAGRAM_STUN)
        on_stun(client, now_us, copy, len);
    else if (kind == RTP_DATAGRAM_RTP)
        on_rtp(client, now_us, copy, len);
    else if (kind == RTP_DATAGRAM_RTCP)
        on_rtcp(client, now_us, copy, len);
    else if (kind == RTP_DATAGRAM_DTLS && bench_dtls_input(client->dtls, now_us, copy, len) &&
             client->connected_us == 0)
        on_connected(client, now_us);
}

/* --- Time --- */

static void send_reports(struct bench_client *client, uint64_t now_us) {
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
    send_rtcp(client, &builder);
    client->report_at_us = now_us + REPORT_US;
}

static void ask_again(struct bench_client *client, uint64_t now_us, struct bench_sink *sink) {
    uint8_t data[1100];
    struct rtcp_builder builder;
    uint16_t seqs[NACK_MAX];
    size_t written;
    bool gave_up = false;
    size_t count = rtp_nack_due(&sink->nack, now_us, RTT_US, seqs, NACK_MAX, &gave_up);
    bool ask_keyframe = sink->video && (gave_up || (sink->keyframe_needed && sink->packets > 0));
    rtcp_builder_init(&builder, data, sizeof(data));
    if (count > 0)
        rtcp_append_nack(&builder, client->ssrc, sink->ssrc, seqs, count, &written);
    if (ask_keyframe)
        rtcp_append_pli(&builder, client->ssrc, sink->ssrc);
    sink->keyframe_needed = false;
    send_rtcp(client, &builder);
}

static uint64_t sooner(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* A keyframe is asked for at once when packets come of which none can be decoded. */
static uint64_t sink_deadline(const struct bench_sink *sink) {
    bool asks = sink->keyframe_needed && sink->packets > 0;
    return asks ? 0 : rtp_nack_next_deadline(&sink->nack);
}

uint64_t bench_client_next_deadline(const struct bench_client *client) {
    uint64_t next_us = sooner(client->check_at_us, bench_dtls_next_deadline(client->dtls));
    if (client->connected_us == 0)
        return next_us;
    next_us = sooner(next_us, client->report_at_us);
    for (size_t i = 0; i < client->source_count; i++)
        next_us = sooner(next_us, client->sources[i].next_us);
    for (size_t i = 0; i < client->sink_count; i++)
        next_us = sooner(next_us, sink_deadline(&client->sinks[i]));
    return next_us;
}

void bench_client_on_deadline(struct bench_client *client, uint64_t now_us) {
    if (now_us >= client->check_at_us)
        send_check(client, now_us);
    bench_dtls_on_deadline(client->dtls, now_us);
    if (client->connected_us == 0)
        return;
    if (now_us >= client->report_at_us)
        send_reports(client, now_us);
    for (client->sending = 0; client->sending < client->source_count; client->sending++)
        bench_source_on_deadline(&client->sources[client->sending], now_us, send_media, client);
    for (size_t i = 0; i < client->sink_count; i++)
        if (sink_deadline(&client->sinks[i]) <= now_us)
            ask_again(client, now_us, &client->sinks[i]);
}

bool bench_client_is_connected(const struct bench_client *client) {
    return client->connected_us != 0;
}

uint64_t bench_client_connected_us(const struct bench_client *client) {
    return client->connected_us;
}

const struct bench_sink *bench_client_sink(const struct bench_client *client, size_t n) {
    return n < client->sink_count ? &client->sinks[n] : NULL;
}

const struct bench_source *bench_client_source(const struct bench_client *client, size_t n) {
    return n < client->source_count ? &client->sources[n] : NULL;
}

void bench_client_send_rtp(struct bench_client *client, const uint8_t *data, size_t header_len,
                           size_t len) {
    uint8_t packet[PACKET_MAX];
    struct sfu_srtp_stream stream = {0};
    if (client->srtp_out == NULL || len + SFU_SRTP_OVERHEAD_MAX > sizeof(packet))
        return;
    memcpy(packet, data, header_len);
    size_t protected_len = sfu_srtp_protect_rtp(client->srtp_out, &stream, packet, header_len, NULL,
                                                0, data + header_len, len - header_len);
    client->config.send(client->config.ctx, packet, protected_len);
}

void bench_client_send_rtcp(struct bench_client *client, const uint8_t *data, size_t len) {
    uint8_t copy[PACKET_MAX];
    struct rtcp_builder builder = {.data = copy, .len = len};
    if (len + SFU_SRTCP_OVERHEAD_MAX > sizeof(copy))
        return;
    memcpy(copy, data, len);
    send_rtcp(client, &builder);
}

void bench_client_close(struct bench_client *client) {
    bench_dtls_close(client->dtls);
}
