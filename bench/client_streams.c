/* The sources and sinks of a client, out of its m-lines. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/client_state.h"

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
        i = (i + 1) % BENCH_CLIENT_BUCKETS;
    client->buckets[i] =
        (struct bench_client_bucket){.ssrc = ssrc, .sink = (uint8_t)client->sink_count, .rtx = rtx};
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

int bench_client_streams_init(struct bench_client *client, uint64_t now_us,
                              const struct sfu_media *media, size_t media_count) {
    if (allocate(client, media, media_count) < 0)
        return -ENOMEM;
    memcpy(client->media, media, media_count * sizeof(*media));
    return add_streams(client, now_us, media_count);
}

void bench_client_streams_deinit(struct bench_client *client) {
    for (size_t i = 0; i < client->source_count; i++)
        bench_source_deinit(&client->sources[i]);
    free(client->sources);
    free(client->source_streams);
    free(client->rtx_streams);
    free(client->sinks);
    free(client->slots);
    free(client->media);
    free(client->twcc);
}
