#include "bench/forwarding.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rtp/bytes.h"
#include "sfu/engine.h"
#include "sfu/transport.h"

enum {
    PUBLISHER = 1,
    TRACK = 1,
    OPUS_PT = 111,
    VP8_PT = 96,
    RTX_PT = 97,
    PAYLOAD_MAX = 1200,
    POOL_PACKETS = 4096,
    FRAME_US = 33333,
    FRAME_TICKS = 3000,
    KEYFRAME_EVERY = 300, /* Frames. */
};

struct stage {
    struct sfu_dtls_context *dtls;
    struct sfu_engine *engine;
    struct sfu_pool *pool;
    struct sfu_srtp_out *publisher; /* The client's end. */
    struct sfu_srtp_stream stream;
    struct sfu_media media[2];
    uint64_t now_us;
    uint16_t seq;
    uint32_t frame;
    uint64_t messages, datagrams;
};

static void on_send(void *ctx, const struct sfu_message *messages, size_t count) {
    struct stage *stage = ctx;
    stage->messages += count;
    for (size_t i = 0; i < count; i++)
        stage->datagrams += messages[i].segments;
}

static void on_event(void *ctx, const struct sfu_event *event) {
    (void)ctx;
    (void)event;
}

static struct sfu_media describe(bool audio, enum sfu_direction direction, uint32_t ssrc) {
    struct sfu_media media = {.mid = "0", .direction = direction, .video = !audio, .nack = !audio};
    media.transport_cc = true;
    media.codec_count = 1;
    media.codecs[0] = audio ? (struct sfu_codec){RTP_CODEC_OPUS, OPUS_PT, 0, 0}
                            : (struct sfu_codec){RTP_CODEC_VP8, VP8_PT, RTX_PT, 0};
    media.extensions.ids[RTP_EXT_AUDIO_LEVEL] = 1;
    media.extensions.ids[RTP_EXT_ABS_SEND_TIME] = 2;
    media.extensions.ids[RTP_EXT_TRANSPORT_SEQ] = 3;
    media.extensions.ids[RTP_EXT_MID] = 4;
    if (direction == SFU_SLOT) {
        media.slot_ssrc = ssrc;
        media.slot_rtx_ssrc = ssrc + 1;
        return media;
    }
    media.track = TRACK;
    media.source = audio ? SFU_SOURCE_MICROPHONE : SFU_SOURCE_CAMERA;
    media.layer_count = 1;
    media.ssrcs[0] = ssrc;
    media.rtx_ssrcs[0] = ssrc + 1;
    return media;
}

static struct sfu_address address_of(uint64_t participant) {
    struct sfu_address address = {.ip = {10, 0, 0, 0}, .port = 5000, .family = AF_INET};
    rtp_put16(address.ip + 2, (uint16_t)participant);
    return address;
}

/* As if ICE and DTLS had been done. */
static int connect_transport(struct stage *stage, uint64_t participant,
                             enum sfu_srtp_profile profile, const struct sfu_media *media) {
    struct sfu_description description = {.media = media, .media_count = 1};
    struct sfu_ice_credentials credentials;
    struct sfu_address address = address_of(participant);
    struct sfu_srtp_key up = {.key = {1, (uint8_t)participant}}, down = {.key = {2}};
    rtp_put64(down.key + 1, participant);
    snprintf(description.remote_ufrag, sizeof(description.remote_ufrag), "peer");
    sfu_ice_credentials_generate(&credentials);
    int result = sfu_engine_join(stage->engine, stage->now_us, participant, &credentials);
    if (result == 0)
        result = sfu_engine_negotiate(stage->engine, stage->now_us, participant, &description);
    struct sfu_transport *transport = sfu_table_get(&stage->engine->transports, &participant);
    if (result != 0 || transport == NULL)
        return result ? result : -EIO;
    transport->ice.selected = transport->ice.validated[0] = address;
    result = sfu_srtp_in_create(&transport->srtp_in, profile, &up);
    if (result == 0)
        result = sfu_srtp_out_create(&transport->srtp_out, profile, &down);
    if (result == 0)
        result = sfu_table_put(&stage->engine->by_address, &address, transport);
    if (result == 0 && participant == PUBLISHER)
        result = sfu_srtp_out_create(&stage->publisher, profile, &up);
    return result;
}

static int stage_init(struct stage *stage, const struct bench_forwarding_config *config) {
    *stage = (struct stage){.now_us = 1000000};
    struct sfu_engine_config engine = {
        .seed = 1, .consent_timeout_ms = UINT32_MAX, .send = on_send, .on_event = on_event};
    engine.ctx = stage;
    int result = sfu_dtls_context_create(&stage->dtls);
    engine.dtls = stage->dtls;
    if (result == 0)
        result = sfu_pool_create(&stage->pool, POOL_PACKETS);
    if (result == 0)
        result = sfu_engine_create(&stage->engine, &engine);
    stage->media[0] = describe(config->audio, SFU_PUBLISHES, 1000);
    if (result == 0)
        result = connect_transport(stage, PUBLISHER, config->profile, &stage->media[0]);
    for (size_t i = 0; i < config->subscribers && result == 0; i++) {
        uint64_t participant = PUBLISHER + 1 + i;
        stage->media[1] = describe(config->audio, SFU_SLOT, 2000);
        result = connect_transport(stage, participant, config->profile, &stage->media[1]);
        if (result == 0)
            result = sfu_engine_set_slot(stage->engine, stage->now_us, participant, "0", TRACK);
    }
    return result;
}

static void stage_deinit(struct stage *stage) {
    if (stage->engine != NULL)
        sfu_engine_destroy(stage->engine);
    sfu_srtp_out_destroy(stage->publisher);
    if (stage->pool != NULL)
        sfu_pool_destroy(stage->pool);
    if (stage->dtls != NULL)
        sfu_dtls_context_destroy(stage->dtls);
}

/* A VP8 payload descriptor with a 15-bit picture id and TL0PICIDX, and a frame header. */
static void write_payload(uint8_t out[static PAYLOAD_MAX], uint32_t frame, bool starts) {
    bool keyframe = frame % KEYFRAME_EVERY == 0;
    memset(out, 0x55, PAYLOAD_MAX);
    out[0] = starts ? 0x90 : 0x80;
    out[1] = 0xe0;
    rtp_put16(out + 2, (uint16_t)(0x8000 | (frame & 0x7fff)));
    out[4] = (uint8_t)frame;
    out[5] = 0;
    out[6] = keyframe ? 0x10 : 0x11;
    if (keyframe && starts)
        memcpy(out + 9, (uint8_t[]){0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02}, 7);
}

static int input_packet(struct stage *stage, const struct bench_forwarding_config *config,
                        bool starts, bool ends) {
    struct sfu_packet *packet = sfu_pool_get(stage->pool);
    uint8_t payload[PAYLOAD_MAX];
    if (packet == NULL)
        return -ENOMEM;
    struct rtp_header header = {.payload_type = config->audio ? OPUS_PT : VP8_PT,
                                .marker = ends && !config->audio,
                                .seq = stage->seq++,
                                .timestamp = stage->frame * FRAME_TICKS,
                                .ssrc = stage->media[0].ssrcs[0]};
    struct rtp_extensions extensions = {.present = 1u << RTP_EXT_TRANSPORT_SEQ |
                                                   (uint32_t)config->audio << RTP_EXT_AUDIO_LEVEL,
                                        .transport_seq = header.seq,
                                        .audio_level = 30};
    size_t header_len =
        rtp_header_write(packet->data, &header, &extensions, &stage->media[0].extensions);
    write_payload(payload, stage->frame, starts);
    packet->len = (uint32_t)sfu_srtp_protect_rtp(stage->publisher, &stage->stream, packet->data,
                                                 header_len, NULL, 0, payload, config->payload_len);
    struct sfu_address from = address_of(PUBLISHER);
    sfu_engine_input(stage->engine, stage->now_us, &from, packet);
    sfu_packet_unref(packet);
    return 0;
}

static uint64_t cpu_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static int run_frame(struct stage *stage, const struct bench_forwarding_config *config,
                     struct bench_forwarding_result *out) {
    int result = 0;
    for (size_t i = 0; i < config->burst && result == 0; i++)
        result = input_packet(stage, config, i == 0, i + 1 == config->burst);
    uint64_t before_ns = cpu_ns();
    sfu_engine_flush(stage->engine, stage->now_us);
    out->flush_cpu_ns += cpu_ns() - before_ns;
    stage->frame++;
    stage->now_us += FRAME_US;
    return result;
}

int bench_forwarding_run(const struct bench_forwarding_config *config,
                         struct bench_forwarding_result *out) {
    struct stage stage = {0};
    *out = (struct bench_forwarding_result){0};
    int result = config->payload_len <= PAYLOAD_MAX && config->subscribers > 0 && config->burst > 0
                     ? stage_init(&stage, config)
                     : -EINVAL;
    if (result == 0)
        result = run_frame(&stage, config, out); /* The keyframe with which everybody begins. */
    uint64_t begun_ns = cpu_ns(), before = result == 0 ? stage.engine->counters.rtp_forwarded : 0;
    *out = (struct bench_forwarding_result){0};
    stage.messages = stage.datagrams = 0;
    while (result == 0 && out->forwarded < config->packets) {
        result = run_frame(&stage, config, out);
        uint64_t forwarded = stage.engine->counters.rtp_forwarded - before;
        if (forwarded == out->forwarded)
            result = -EIO; /* Nothing gets through. */
        out->forwarded = forwarded;
    }
    out->cpu_ns = cpu_ns() - begun_ns;
    out->mean_run = stage.messages ? (double)stage.datagrams / (double)stage.messages : 0;
    stage_deinit(&stage);
    return result;
}
