#include "bench/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/source_packet.h"

enum {
    AUDIO_INTERVAL_US = 20000,
    AUDIO_LEN_MAX = 320, /* 128 kb/s; three of them fit in a packet. */
    DTX_INTERVAL_US = 400000,
    PACE_US = 5000,      /* How often libwebrtc's pacer wakes. */
    KEYFRAME_FACTOR = 6, /* A keyframe is so many times as long as another frame. */
    DEBT_FRAMES = 30,    /* In so many frames a keyframe's excess is saved. */
};

int bench_source_init(struct bench_source *source, const struct bench_source_config *config,
                      uint64_t now_us, uint64_t seed) {
    *source = (struct bench_source){.config = *config,
                                    .random = {seed},
                                    .begun_us = now_us,
                                    .next_us = UINT64_MAX,
                                    .level = 30,
                                    .keyframe_wanted = true};
    uint64_t random = bench_random_next(&source->random);
    source->seq = source->unsent_seq = random & 0x7fff;
    source->rtx_seq = random >> 16 & 0x7fff;
    source->first_timestamp = (uint32_t)bench_random_next(&source->random);
    source->encoder = (struct bench_encoder){
        .codec = config->codec == RTP_CODEC_NONE ? RTP_CODEC_VP8 : config->codec,
        .scalability = config->scalability,
        .width = config->width,
        .height = config->height,
        .first_picture_id = random >> 32 & 0x7fff,
        .tl0picidx = (uint8_t)(random >> 48)};
    if (!config->video)
        return 0;
    source->kept = calloc(BENCH_KEPT, sizeof(*source->kept));
    return source->kept ? 0 : -ENOMEM;
}

void bench_source_deinit(struct bench_source *source) {
    free(source->kept);
    source->kept = NULL;
}

static uint64_t interval_us(const struct bench_source *source) {
    return source->config.video ? 1000000 / source->config.fps : AUDIO_INTERVAL_US;
}

void bench_source_start(struct bench_source *source, uint64_t now_us) {
    source->frame_us = now_us + bench_random_next(&source->random) % interval_us(source);
    source->next_us = source->frame_us;
}

void bench_source_pause(struct bench_source *source, bool paused) {
    if (source->paused && !paused)
        source->keyframe_wanted = true;
    source->paused = paused;
}

uint32_t bench_source_timestamp(const struct bench_source *source, uint64_t now_us) {
    uint64_t rate = source->config.video ? 90000 : 48000;
    return source->first_timestamp + (uint32_t)((now_us - source->begun_us) * rate / 1000000);
}

/* --- Sound --- */

static void send_silence(struct bench_source *source, uint64_t now_us, bench_source_send_fn send,
                         void *ctx) {
    if (now_us - source->silent_us < DTX_INTERVAL_US)
        return;
    source->silent_us = now_us;
    source->earlier_count = 0;
    bench_source_send_audio(source, now_us, NULL, 1, send, ctx);
}

static void on_audio(struct bench_source *source, uint64_t now_us, bench_source_send_fn send,
                     void *ctx) {
    source->timestamp = bench_source_timestamp(source, source->frame_us);
    if (source->silent && source->config.dtx) {
        send_silence(source, now_us, send, ctx);
        return;
    }
    struct bench_stamp stamp = {
        .source = source->config.number, .sent_us = now_us, .frame = source->frame++, .packets = 1};
    size_t len = source->config.rate_bps / 8 * AUDIO_INTERVAL_US / 1000000;
    len = len > AUDIO_LEN_MAX ? AUDIO_LEN_MAX : len;
    bench_source_send_audio(source, now_us, &stamp, len, send, ctx);
}

/* --- Pictures --- */

/* The rates of an L3T3 camera at 720p are as unequal as those of simulcast. */
static uint32_t layer_bps(const struct bench_source *source, const struct bench_part *part) {
    const struct bench_source_config *config = &source->config;
    unsigned layers = bench_spatial_count(config->scalability);
    if (config->spatial_bps[0] != 0)
        return config->spatial_bps[part->spatial];
    static const uint32_t percent[] = {6, 19, 75};
    return layers == 1 ? config->rate_bps : config->rate_bps / 100 * percent[part->spatial];
}

static size_t part_len(struct bench_source *source, const struct bench_part *part) {
    size_t mean = layer_bps(source, part) / 8 / source->config.fps;
    size_t len = mean * bench_encoder_percent(&source->encoder, part) / 100;
    len = len * 3 / 4 + bench_random_next(&source->random) % (len / 2 + 1);
    if (part->keyframe) {
        source->debt_bytes += (int64_t)(mean * (KEYFRAME_FACTOR - 1));
        return mean * KEYFRAME_FACTOR;
    }
    int64_t saved = source->debt_bytes / DEBT_FRAMES;
    saved = saved > (int64_t)len / 4 ? (int64_t)len / 4 : saved;
    source->debt_bytes -= saved;
    return len - (size_t)saved;
}

static void queue_part(struct bench_source *source, uint64_t now_us,
                       const struct bench_part *part) {
    size_t len = part_len(source, part);
    size_t packets = (len + BENCH_PAYLOAD_MAX - 1) / BENCH_PAYLOAD_MAX;
    packets = packets ? packets : 1;
    packets = packets > BENCH_KEPT / 4 ? BENCH_KEPT / 4 : packets;
    struct bench_place place = {.packets = (uint16_t)packets};
    struct bench_stamp stamp = {.source = source->config.number,
                                .sent_us = now_us,
                                .frame = part->number,
                                .picture = part->picture,
                                .packets = place.packets,
                                .width = part->width,
                                .height = part->height,
                                .keyframe = part->keyframe,
                                .last = part->last,
                                .spatial = part->spatial,
                                .temporal = part->temporal};
    memcpy(stamp.references, part->references, sizeof(stamp.references));
    for (; place.packet < packets; place.packet++) {
        stamp.packet = place.packet;
        bench_source_queue(source, part, &place, &stamp, len / packets);
    }
}

static void on_picture(struct bench_source *source, uint64_t now_us) {
    struct bench_part parts[BENCH_SPATIAL_MAX];
    if (source->paused)
        return;
    bool keyframe = source->keyframe_wanted;
    source->keyframe_wanted = false;
    source->timestamp = bench_source_timestamp(source, source->frame_us);
    size_t count = bench_encoder_next(&source->encoder, keyframe, parts);
    for (size_t i = 0; i < count; i++)
        queue_part(source, now_us, &parts[i]);
    source->pictures++;
    source->keyframes += keyframe;
}

/* As libwebrtc: what may leave within the pacer's interval leaves at once. */
static void send_queued(struct bench_source *source, uint64_t now_us, bench_source_send_fn send,
                        void *ctx) {
    const struct bench_source_config *config = &source->config;
    if (source->paced_us < now_us)
        source->paced_us = now_us;
    while (source->unsent_seq != source->seq &&
           (config->unpaced || source->paced_us < now_us + PACE_US)) {
        const struct bench_kept *kept = &source->kept[source->unsent_seq % BENCH_KEPT];
        bench_source_send_kept(source, now_us, kept, false, send, ctx);
        source->unsent_seq++;
        source->paced_us += kept->len * UINT64_C(8000000) * 2 / 5 / (config->rate_bps + 1);
    }
}

void bench_source_on_deadline(struct bench_source *source, uint64_t now_us,
                              bench_source_send_fn send, void *ctx) {
    for (; source->frame_us <= now_us; source->frame_us += interval_us(source)) {
        if (source->config.video)
            on_picture(source, now_us);
        else
            on_audio(source, now_us, send, ctx);
    }
    if (source->config.video)
        send_queued(source, now_us, send, ctx);
    source->next_us = source->frame_us;
    if (source->unsent_seq != source->seq && source->paced_us < source->next_us)
        source->next_us = source->paced_us;
}

void bench_source_on_nack(struct bench_source *source, uint64_t now_us, const uint16_t *seqs,
                          size_t count, bench_source_send_fn send, void *ctx) {
    for (size_t i = 0; i < count && source->config.rtx_ssrc != 0 && source->kept != NULL; i++) {
        const struct bench_kept *kept = &source->kept[seqs[i] % BENCH_KEPT];
        if (kept->seq == seqs[i] && kept->len != 0)
            bench_source_send_kept(source, now_us, kept, true, send, ctx);
    }
}
