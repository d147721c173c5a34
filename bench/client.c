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
#include "rtp/twcc.h"
#include "sfu/srtp.h"

enum {
    CHECK_FIRST_US = 50000,     /* RFC 8445 section 14.2: Ta. */
    CHECK_CONSENT_US = 2500000, /* Half of RFC 7675's five seconds, as browsers do. */
    REPORT_US = 1000000,
    RTT_US = 100000, /* Assumed for NACK while it is not known, as libwebrtc does. */
    FEEDBACK_US = 50000,
    KEYFRAME_AGAIN_US = 200000, /* libwebrtc asks so often while it waits for a keyframe. */
    NACK_MAX = 64,
    PACKET_MAX = 1600,
    SSRC_BUCKETS = 256,
};

/* Which sink an SSRC is of. */
struct bucket {
    uint32_t ssrc; /* 0: empty. */
    uint8_t sink;
    bool rtx;
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
    const struct sfu_media **slots; /* Of the sinks; into media. */
    struct sfu_media *media;
    struct rtp_twcc_receiver *twcc; /* NULL: not negotiated. */
    struct sfu_srtp_stream *source_streams, *rtx_streams;
    /* State. */
    struct bench_random random;
    StunAgent stun;
    char ufrag[16];
    char pwd[32];
    struct sfu_local remote;
    size_t source_count, sink_count;
    struct bucket buckets[SSRC_BUCKETS];
    size_t sending; /* Which source's packets are being sent. */
    uint32_t ssrc;
    bool begun;
    bool selected; /* A check was answered. */
    uint64_t connected_us;
    uint64_t check_at_us;
    uint64_t report_at_us;
    uint64_t feedback_at_us;
    uint64_t next_us; /* The soonest of all deadlines, or sooner. */
    uint16_t transport_seq;
    uint64_t remb_bps;
    struct bench_client_figures figures;
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
    client->next_us = UINT64_MAX;
    client->check_at_us = client->report_at_us = client->feedback_at_us = UINT64_MAX;
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
    free(client->slots);
    free(client->twcc);
    free(client->source_streams);
    free(client->rtx_streams);
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

static bool has_extension(const struct sfu_media *media, enum rtp_ext ext) {
    return media->extensions.ids[ext] != 0;
}

static const struct sfu_codec *find_codec(const struct sfu_media *media, enum rtp_codec codec) {
    for (size_t i = 0; i < media->codec_count; i++)
        if (media->codecs[i].codec == codec)
            return &media->codecs[i];
    return NULL;
}

/* What is encoded, and RED around it when that comes first. */
static void set_codec(struct bench_source_config *config, const struct sfu_media *media) {
    const struct sfu_codec *codec = &media->codecs[0];
    if (codec->codec == RTP_CODEC_RED && find_codec(media, RTP_CODEC_OPUS) != NULL) {
        config->red_payload_type = codec->payload_type;
        codec = find_codec(media, RTP_CODEC_OPUS);
    }
    config->codec = codec->codec;
    config->payload_type = codec->payload_type;
    config->rtx_payload_type = codec->rtx_payload_type;
}

static void set_rate(const struct bench_client *client, struct bench_source_config *config,
                     const struct sfu_media *media, size_t layer) {
    const struct bench_client_config *from = &client->config;
    uint32_t scale = media->layer_count > 1 ? 1u << (media->layer_count - 1 - layer) : 1;
    config->fps = 30;
    config->width = (uint16_t)((from->width ? from->width : 1280) / scale);
    config->height = (uint16_t)((from->height ? from->height : 720) / scale);
    config->rate_bps = media->video ? from->video_bps / (scale * scale) : from->audio_bps;
    if (!media->video || from->layer_bps[0] == 0)
        return;
    if (media->layer_count > 1) {
        config->rate_bps = from->layer_bps[layer];
        return;
    }
    config->rate_bps = 0;
    for (size_t i = 0; i < bench_spatial_count(from->scalability); i++) {
        config->spatial_bps[i] = from->layer_bps[i];
        config->rate_bps += from->layer_bps[i];
    }
}

static int add_source(struct bench_client *client, uint64_t now_us, const struct sfu_media *media,
                      size_t layer) {
    struct bench_source_config config = {
        .video = media->video,
        .scalability = client->config.scalability,
        .number =
            client->config.number << 8 | layer, /* Layers count their frames for themselves. */
        .ssrc = media->ssrcs[layer] ? media->ssrcs[layer]
                                    : (uint32_t)bench_random_next(&client->random),
        .mid = media->mid,
        .rid = media->rids[layer][0] ? media->rids[layer] : NULL,
        .extensions = media->extensions,
        .transport_seq = media->transport_cc ? &client->transport_seq : NULL,
        .unpaced = client->config.unpaced,
        .dtx = client->config.dtx,
    };
    set_codec(&config, media);
    set_rate(client, &config, media, layer);
    if (config.rtx_payload_type != 0)
        config.rtx_ssrc = media->rtx_ssrcs[layer] ? media->rtx_ssrcs[layer] : config.ssrc + 1;
    struct bench_source *source = &client->sources[client->source_count];
    if (bench_source_init(source, &config, now_us, bench_random_next(&client->random)) < 0)
        return -ENOMEM;
    client->source_count++;
    return 0;
}

static void note_ssrc(struct bench_client *client, uint32_t ssrc, bool rtx) {
    size_t i = ssrc * UINT32_C(2654435761) >> 24;
    while (client->buckets[i].ssrc != 0)
        i = (i + 1) % SSRC_BUCKETS;
    client->buckets[i] =
        (struct bucket){.ssrc = ssrc, .sink = (uint8_t)client->sink_count, .rtx = rtx};
}

static void add_sink(struct bench_client *client, const struct sfu_media *media) {
    bench_sink_init(&client->sinks[client->sink_count], media->video, media->slot_ssrc,
                    media->slot_rtx_ssrc);
    client->slots[client->sink_count] = media;
    note_ssrc(client, media->slot_ssrc, false);
    if (media->slot_rtx_ssrc != 0)
        note_ssrc(client, media->slot_rtx_ssrc, true);
    client->sink_count++;
}

static size_t source_count_of(const struct sfu_media *media) {
    if (media->direction != SFU_PUBLISHES)
        return 0;
    return media->layer_count ? media->layer_count : 1;
}

static int add_streams(struct bench_client *client, uint64_t now_us, size_t media_count) {
    for (size_t i = 0; i < media_count; i++) {
        const struct sfu_media *media = &client->media[i];
        if (media->direction == SFU_SLOT && client->sink_count < BENCH_STREAMS_MAX)
            add_sink(client, media);
        size_t layers = source_count_of(media);
        for (size_t layer = 0; layer < layers && client->source_count < BENCH_STREAMS_MAX; layer++)
            if (add_source(client, now_us, media, layer) < 0)
                return -ENOMEM;
    }
    return 0;
}

static int allocate(struct bench_client *client, const struct sfu_media *media,
                    size_t media_count) {
    size_t sources = 0, sinks = 0;
    bool feedback = false;
    for (size_t i = 0; i < media_count; i++) {
        sources += source_count_of(&media[i]);
        sinks += media[i].direction == SFU_SLOT;
        feedback |= media[i].direction == SFU_SLOT && media[i].transport_cc &&
                    has_extension(&media[i], RTP_EXT_TRANSPORT_SEQ);
    }
    client->sources = calloc(sources + 1, sizeof(*client->sources));
    client->source_streams = calloc(sources + 1, sizeof(*client->source_streams));
    client->rtx_streams = calloc(sources + 1, sizeof(*client->rtx_streams));
    client->sinks = calloc(sinks + 1, sizeof(*client->sinks));
    client->slots = calloc(sinks + 1, sizeof(*client->slots));
    client->media = calloc(media_count + 1, sizeof(*media));
    client->twcc = feedback ? calloc(1, sizeof(*client->twcc)) : NULL;
    return client->sources && client->source_streams && client->rtx_streams && client->sinks &&
                   client->slots && client->media && (client->twcc || !feedback)
               ? 0
               : -ENOMEM;
}

int bench_client_begin(struct bench_client *client, uint64_t now_us, const struct sfu_local *remote,
                       const struct sfu_media *media, size_t media_count) {
    if (allocate(client, media, media_count) < 0)
        return -ENOMEM;
    memcpy(client->media, media, media_count * sizeof(*media));
    client->remote = *remote;
    client->begun = true;
    client->check_at_us = client->next_us = now_us;
    return add_streams(client, now_us, media_count);
}

void bench_client_restart(struct bench_client *client, uint64_t now_us,
                          const struct sfu_local *remote) {
    client->remote = *remote;
    client->check_at_us = client->next_us = now_us;
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
        bench_source_start(&client->sources[i], now_us);
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

static const struct bucket *find_bucket(const struct bench_client *client, uint32_t ssrc) {
    size_t i = ssrc * UINT32_C(2654435761) >> 24;
    for (; client->buckets[i].ssrc != 0; i = (i + 1) % SSRC_BUCKETS)
        if (client->buckets[i].ssrc == ssrc)
            return &client->buckets[i];
    return NULL;
}

static uint64_t sooner(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static uint64_t sink_deadline(const struct bench_sink *sink) {
    return sooner(sink->keyframe_us, rtp_nack_next_deadline(&sink->nack));
}

/* Padding and RTX count as well: they say as much about the network. */
static void note_transport_seq(struct bench_client *client, uint64_t now_us,
                               const struct rtp_extensions *extensions) {
    if (client->twcc == NULL || !rtp_ext_has(extensions, RTP_EXT_TRANSPORT_SEQ))
        return;
    rtp_twcc_on_packet(client->twcc, now_us, extensions->transport_seq);
    if (client->feedback_at_us != UINT64_MAX)
        return;
    uint32_t interval_us = client->config.feedback_interval_us;
    client->feedback_at_us = now_us + (interval_us ? interval_us : FEEDBACK_US);
}

static enum rtp_codec codec_of(const struct sfu_media *slot, uint8_t payload_type) {
    for (size_t i = 0; i < slot->codec_count; i++)
        if (slot->codecs[i].payload_type == payload_type ||
            slot->codecs[i].rtx_payload_type == payload_type)
            return slot->codecs[i].codec;
    return RTP_CODEC_NONE;
}

static void on_media(struct bench_client *client, uint64_t now_us, const uint8_t *data,
                     const struct rtp_packet *packet, const struct rtp_extensions *extensions,
                     const struct bucket *bucket) {
    struct bench_arrival arrival = {
        .seq = packet->seq,
        .timestamp = packet->timestamp,
        .marker = packet->marker,
        .retransmitted = bucket->rtx,
        .codec = codec_of(client->slots[bucket->sink], packet->payload_type),
        .payload = data + packet->payload_offset,
        .payload_len = packet->payload_len,
    };
    if (rtp_ext_has(extensions, RTP_EXT_DEPENDENCY)) {
        arrival.dependency = extensions->dependency;
        arrival.dependency_len = extensions->dependency_len;
    }
    if (bucket->rtx && rtp_rtx_parse(arrival.payload, arrival.payload_len, &arrival.seq) < 0)
        arrival.payload_len = 0; /* Padding alone. */
    size_t head_len = bucket->rtx ? 2 : 0;
    if (arrival.payload_len <= head_len) {
        client->figures.padding_packets++;
        return;
    }
    arrival.payload += head_len;
    arrival.payload_len -= head_len;
    client->figures.repairs += bucket->rtx;
    struct bench_sink *sink = &client->sinks[bucket->sink];
    bench_sink_on_packet(sink, now_us, &arrival);
    client->next_us = sooner(client->next_us, sink_deadline(sink));
}

static void on_rtp(struct bench_client *client, uint64_t now_us, uint8_t *data, size_t len) {
    struct rtp_packet packet;
    struct rtp_extensions extensions;
    size_t wire_len = len;
    if (client->srtp_in == NULL || sfu_srtp_unprotect_rtp(client->srtp_in, data, &len) < 0 ||
        rtp_parse(&packet, data, len) < 0)
        return;
    client->figures.packets++;
    client->figures.bytes += wire_len;
    const struct bucket *bucket = find_bucket(client, packet.ssrc);
    if (bucket == NULL)
        return;
    rtp_extensions_parse(&extensions, &packet, data, &client->slots[bucket->sink]->extensions);
    note_transport_seq(client, now_us, &extensions);
    client->next_us = sooner(client->next_us, client->feedback_at_us);
    on_media(client, now_us, data, &packet, &extensions, bucket);
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

static void on_rtcp(struct bench_client *client, uint64_t now_us, uint8_t *data, size_t len) {
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
    if (kind != RTP_DATAGRAM_RTP)
        client->next_us = 0; /* Anything may have changed. */
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
    if (client->remb_bps != 0 && client->sink_count > 0)
        rtcp_append_remb(&builder, client->ssrc, client->remb_bps, &client->sinks[0].ssrc, 1);
    send_rtcp(client, &builder);
    client->report_at_us = now_us + REPORT_US;
}

static void send_feedback(struct bench_client *client) {
    uint8_t data[1200], body[RTP_TWCC_BODY_MAX];
    size_t body_len;
    while ((body_len = rtp_twcc_feedback_write(client->twcc, body, sizeof(body))) > 0) {
        struct rtcp_builder builder;
        rtcp_builder_init(&builder, data, sizeof(data));
        rtcp_append_feedback(&builder, RTCP_RTPFB, RTCP_FMT_TWCC, client->ssrc,
                             client->sinks[0].ssrc, body, body_len);
        send_rtcp(client, &builder);
    }
    client->feedback_at_us = UINT64_MAX;
}

static void ask_again(struct bench_client *client, uint64_t now_us, struct bench_sink *sink) {
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
    send_rtcp(client, &builder);
}

static void on_media_deadline(struct bench_client *client, uint64_t now_us) {
    if (now_us >= client->report_at_us)
        send_reports(client, now_us);
    if (now_us >= client->feedback_at_us)
        send_feedback(client);
    for (client->sending = 0; client->sending < client->source_count; client->sending++)
        if (client->sources[client->sending].next_us <= now_us)
            bench_source_on_deadline(&client->sources[client->sending], now_us, send_media, client);
    for (size_t i = 0; i < client->sink_count; i++)
        if (sink_deadline(&client->sinks[i]) <= now_us)
            ask_again(client, now_us, &client->sinks[i]);
}

static uint64_t find_deadline(const struct bench_client *client) {
    uint64_t next_us = sooner(client->check_at_us, bench_dtls_next_deadline(client->dtls));
    if (client->connected_us == 0)
        return next_us;
    next_us = sooner(next_us, client->report_at_us);
    next_us = sooner(next_us, client->feedback_at_us);
    for (size_t i = 0; i < client->source_count; i++)
        next_us = sooner(next_us, client->sources[i].next_us);
    for (size_t i = 0; i < client->sink_count; i++)
        next_us = sooner(next_us, sink_deadline(&client->sinks[i]));
    return next_us;
}

uint64_t bench_client_next_deadline(const struct bench_client *client) {
    return client->next_us;
}

void bench_client_on_deadline(struct bench_client *client, uint64_t now_us) {
    if (now_us >= client->check_at_us)
        send_check(client, now_us);
    bench_dtls_on_deadline(client->dtls, now_us);
    if (client->connected_us != 0)
        on_media_deadline(client, now_us);
    client->next_us = find_deadline(client);
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

void bench_client_publish_layers(struct bench_client *client, const char *mid, uint8_t layers) {
    for (size_t i = 0; i < client->source_count; i++)
        if (strcmp(client->sources[i].config.mid, mid) == 0)
            bench_source_pause(&client->sources[i],
                               !(layers >> (client->sources[i].config.number & 0xff) & 1));
}

void bench_client_speak(struct bench_client *client, bool speaks, uint8_t level) {
    for (size_t i = 0; i < client->source_count; i++) {
        if (client->sources[i].config.video)
            continue;
        client->sources[i].silent = !speaks;
        client->sources[i].level = level;
    }
}

void bench_client_set_remb(struct bench_client *client, uint64_t now_us, uint64_t bps) {
    client->remb_bps = bps;
    client->report_at_us = sooner(client->report_at_us, now_us);
    client->next_us = sooner(client->next_us, client->report_at_us);
}

void bench_client_mark(struct bench_client *client) {
    for (size_t i = 0; i < client->sink_count; i++)
        bench_sink_mark(&client->sinks[i]);
}

const struct bench_client_figures *bench_client_figures(const struct bench_client *client) {
    return &client->figures;
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
