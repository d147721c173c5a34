#include "bench/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/stamp.h"
#include "rtp/bytes.h"
#include "rtp/codec.h"

enum {
    AUDIO_INTERVAL_US = 20000,
    KEYFRAME_FACTOR = 4, /* A keyframe is so many times as long as another frame. */
    VP8_DESCRIPTOR_LEN = 5,
};

int bench_source_init(struct bench_source *source, const struct bench_source_config *config,
                      uint64_t now_us, uint64_t seed) {
    *source = (struct bench_source){.config = *config,
                                    .random = {seed},
                                    .begun_us = now_us,
                                    .next_us = now_us,
                                    .keyframe_wanted = true};
    source->kept = calloc(BENCH_KEPT, sizeof(*source->kept));
    uint64_t random = bench_random_next(&source->random);
    source->seq = random & 0x7fff;
    source->rtx_seq = random >> 16 & 0x7fff;
    source->picture_id = random >> 32 & 0x7fff;
    source->tl0picidx = (uint8_t)(random >> 48);
    source->first_timestamp = (uint32_t)bench_random_next(&source->random);
    return source->kept ? 0 : -ENOMEM;
}

void bench_source_deinit(struct bench_source *source) {
    free(source->kept);
    source->kept = NULL;
}

uint32_t bench_source_timestamp(const struct bench_source *source, uint64_t now_us) {
    uint64_t rate = source->config.video ? 90000 : 48000;
    return source->first_timestamp + (uint32_t)((now_us - source->begun_us) * rate / 1000000);
}

static size_t write_header(const struct bench_source *source, uint8_t *out, bool rtx,
                           const struct bench_kept *kept, uint16_t seq, uint64_t now_us) {
    const struct bench_source_config *config = &source->config;
    struct rtp_header header = {
        .payload_type = rtx ? config->rtx_payload_type : config->payload_type,
        .marker = kept->marker,
        .seq = seq,
        .timestamp = kept->timestamp,
        .ssrc = rtx ? config->rtx_ssrc : config->ssrc,
    };
    struct rtp_extensions extensions = {
        .present = 1u << RTP_EXT_MID | 1u << RTP_EXT_ABS_SEND_TIME,
        .mid = config->mid,
        .mid_len = (uint8_t)strlen(config->mid),
        .abs_send_time = (uint32_t)((now_us << 18) / 1000000) & 0xffffff,
    };
    if (config->rid != NULL) {
        extensions.present |= 1u << (rtx ? RTP_EXT_REPAIRED_RID : RTP_EXT_RID);
        extensions.rid = extensions.repaired_rid = config->rid;
        extensions.rid_len = extensions.repaired_rid_len = (uint8_t)strlen(config->rid);
    }
    if (!config->video) {
        extensions.present |= 1u << RTP_EXT_AUDIO_LEVEL;
        extensions.audio_level = 30;
        extensions.voice = true;
    }
    return rtp_header_write(out, &header, &extensions, &config->extensions);
}

static void send_kept(struct bench_source *source, uint64_t now_us, const struct bench_kept *kept,
                      bench_source_send_fn send, void *ctx) {
    uint8_t header[RTP_HEADER_MAX];
    size_t header_len = write_header(source, header, false, kept, kept->seq, now_us);
    send(ctx, false, header, header_len, kept->payload, kept->len);
    source->packets++;
    source->octets += kept->len;
}

/* RFC 7741: X, S on the first packet of a frame; I with 15 bits, L. Behind it on a frame's first
 * packet the VP8 header (RFC 6386 section 9.1), which for a keyframe has the start code and the
 * size. */
static size_t write_vp8(const struct bench_source *source, uint8_t *out, bool first,
                        bool keyframe) {
    out[0] = (uint8_t)(0x80 | (first ? 0x10 : 0));
    out[1] = 0xc0;
    rtp_put16(out + 2, source->picture_id | 0x8000);
    out[4] = source->tl0picidx;
    if (!first)
        return VP8_DESCRIPTOR_LEN;
    uint8_t *frame = out + VP8_DESCRIPTOR_LEN;
    frame[0] = keyframe ? 0x10 : 0x11; /* Inverse keyframe flag; show_frame. */
    frame[1] = frame[2] = 0;
    if (!keyframe)
        return VP8_DESCRIPTOR_LEN + 3;
    memcpy(frame + 3, "\x9d\x01\x2a", 3);
    frame[6] = (uint8_t)source->config.width;
    frame[7] = (uint8_t)(source->config.width >> 8);
    frame[8] = (uint8_t)source->config.height;
    frame[9] = (uint8_t)(source->config.height >> 8);
    return VP8_DESCRIPTOR_LEN + 10;
}

static void send_packet(struct bench_source *source, uint64_t now_us, struct bench_stamp *stamp,
                        size_t payload_len, bench_source_send_fn send, void *ctx) {
    struct bench_kept *kept = &source->kept[source->seq % BENCH_KEPT];
    bool first = stamp->packet == 0;
    size_t at = source->config.video ? write_vp8(source, kept->payload, first, stamp->keyframe) : 1;
    if (!source->config.video)
        kept->payload[0] = 0x78; /* Opus, 20 ms, one frame (RFC 6716 section 3.1). */
    bench_stamp_write(kept->payload + at, stamp);
    size_t least = at + BENCH_STAMP_LEN;
    kept->len = (uint16_t)(payload_len > least ? payload_len : least);
    memset(kept->payload + least, (int)stamp->frame, kept->len - least);
    kept->seq = source->seq++;
    kept->marker = source->config.video && stamp->packet + 1 == stamp->packets;
    kept->timestamp = source->timestamp;
    send_kept(source, now_us, kept, send, ctx);
}

static size_t frame_len(struct bench_source *source, bool keyframe) {
    const struct bench_source_config *config = &source->config;
    uint32_t per_second = config->video ? config->fps : 1000000 / AUDIO_INTERVAL_US;
    size_t mean = config->rate_bps / 8 / per_second;
    if (!config->video)
        return mean;
    size_t len = mean * 3 / 4 + bench_random_next(&source->random) % (mean / 2 + 1);
    return keyframe ? len * KEYFRAME_FACTOR : len;
}

static void send_frame(struct bench_source *source, uint64_t now_us, bench_source_send_fn send,
                       void *ctx) {
    bool keyframe = source->config.video && source->keyframe_wanted;
    size_t len = frame_len(source, keyframe);
    size_t packets = (len + BENCH_PAYLOAD_MAX - 1) / BENCH_PAYLOAD_MAX;
    packets = packets ? packets : 1;
    struct bench_stamp stamp = {.source = source->config.number,
                                .sent_us = now_us,
                                .frame = source->frame,
                                .packets = (uint16_t)packets,
                                .keyframe = keyframe};
    source->timestamp = bench_source_timestamp(source, now_us);
    for (; stamp.packet < packets; stamp.packet++)
        send_packet(source, now_us, &stamp, len / packets, send, ctx);
    source->frame++;
    source->picture_id = (source->picture_id + 1) & 0x7fff;
    source->tl0picidx++;
    source->keyframes += keyframe;
    if (keyframe)
        source->keyframe_wanted = false;
}

void bench_source_on_deadline(struct bench_source *source, uint64_t now_us,
                              bench_source_send_fn send, void *ctx) {
    uint64_t interval_us = source->config.video ? 1000000 / source->config.fps : AUDIO_INTERVAL_US;
    for (; source->next_us <= now_us; source->next_us += interval_us)
        send_frame(source, now_us, send, ctx);
}

void bench_source_on_nack(struct bench_source *source, uint64_t now_us, const uint16_t *seqs,
                          size_t count, bench_source_send_fn send, void *ctx) {
    for (size_t i = 0; i < count && source->config.rtx_ssrc != 0; i++) {
        const struct bench_kept *kept = &source->kept[seqs[i] % BENCH_KEPT];
        if (kept->seq != seqs[i] || kept->len == 0)
            continue;
        uint8_t header[RTP_HEADER_MAX];
        uint8_t payload[2 + BENCH_PAYLOAD_MAX];
        size_t header_len = write_header(source, header, true, kept, source->rtx_seq++, now_us);
        rtp_put16(payload, kept->seq);
        memcpy(payload + 2, kept->payload, kept->len);
        send(ctx, true, header, header_len, payload, kept->len + 2u);
    }
}
