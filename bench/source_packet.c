#include "bench/source_packet.h"

#include <string.h>

#include "rtp/bytes.h"

enum {
    OPUS_20_MS = 0x78, /* One frame of 20 ms (RFC 6716 section 3.1). */
    AUDIO_TIMESTAMP_STEP = 960,
    LEVEL_SILENCE = 127,
    STRUCTURE = BENCH_KEPT_DEPENDENCY + 1,
};

/* --- Headers --- */

static void set_name(struct rtp_extensions *extensions, const struct bench_source_config *config,
                     bool rtx) {
    extensions->mid = config->mid;
    extensions->mid_len = (uint8_t)strlen(config->mid);
    if (config->rid == NULL)
        return;
    extensions->present |= 1u << (rtx ? RTP_EXT_REPAIRED_RID : RTP_EXT_RID);
    extensions->rid = extensions->repaired_rid = config->rid;
    extensions->rid_len = extensions->repaired_rid_len = (uint8_t)strlen(config->rid);
}

static struct rtp_extensions make_extensions(struct bench_source *source, bool rtx,
                                             uint64_t now_us) {
    const struct bench_source_config *config = &source->config;
    struct rtp_extensions extensions = {
        .present = 1u << RTP_EXT_MID | 1u << RTP_EXT_ABS_SEND_TIME,
        .abs_send_time = (uint32_t)((now_us << 18) / 1000000) & 0xffffff,
    };
    set_name(&extensions, config, rtx);
    if (config->transport_seq != NULL && config->extensions.ids[RTP_EXT_TRANSPORT_SEQ] != 0) {
        extensions.present |= 1u << RTP_EXT_TRANSPORT_SEQ;
        extensions.transport_seq = (*config->transport_seq)++;
    }
    if (!config->video) {
        extensions.present |= 1u << RTP_EXT_AUDIO_LEVEL;
        extensions.audio_level = source->silent ? LEVEL_SILENCE : source->level;
        extensions.voice = !source->silent;
    }
    return extensions;
}

/* --- Pictures --- */

static void keep_dependency(struct bench_source *source, const struct bench_part *part,
                            const struct bench_place *place, struct bench_kept *kept) {
    uint8_t dependency[BENCH_DEPENDENCY_MAX];
    size_t len = bench_encoder_dependency(&source->encoder, part, place, dependency);
    kept->dependency_len = (uint8_t)len;
    if (len <= BENCH_KEPT_DEPENDENCY) {
        memcpy(kept->dependency, dependency, len);
        return;
    }
    kept->dependency_len = STRUCTURE;
    source->structure_len = (uint8_t)len;
    memcpy(source->structure, dependency, len);
}

void bench_source_queue(struct bench_source *source, const struct bench_part *part,
                        const struct bench_place *place, const struct bench_stamp *stamp,
                        size_t payload_len) {
    struct bench_kept *kept = &source->kept[source->seq % BENCH_KEPT];
    struct bench_place sized = *place;
    size_t least = BENCH_HEAD_MAX + BENCH_STAMP_LEN;
    sized.payload_len = (uint16_t)(payload_len > least ? payload_len : least);
    size_t at = bench_encoder_head(&source->encoder, part, &sized, kept->head);
    bench_stamp_write(kept->head + at, stamp);
    kept->head_len = (uint8_t)(at + BENCH_STAMP_LEN);
    kept->len = sized.payload_len;
    kept->seq = source->seq++;
    kept->marker = part->last && bench_place_is_last(place);
    kept->timestamp = source->timestamp;
    keep_dependency(source, part, place, kept);
}

void bench_source_send_kept(struct bench_source *source, uint64_t now_us,
                            const struct bench_kept *kept, bool rtx, bench_source_send_fn send,
                            void *ctx) {
    const struct bench_source_config *config = &source->config;
    struct rtp_header header = {
        .payload_type = rtx ? config->rtx_payload_type : config->payload_type,
        .marker = kept->marker,
        .seq = rtx ? source->rtx_seq++ : kept->seq,
        .timestamp = kept->timestamp,
        .ssrc = rtx ? config->rtx_ssrc : config->ssrc,
    };
    struct rtp_extensions extensions = make_extensions(source, rtx, now_us);
    if (kept->dependency_len > 0) {
        bool attached = kept->dependency_len == STRUCTURE;
        extensions.present |= 1u << RTP_EXT_DEPENDENCY;
        extensions.dependency = attached ? source->structure : kept->dependency;
        extensions.dependency_len = attached ? source->structure_len : kept->dependency_len;
    }
    uint8_t bytes[RTP_HEADER_MAX], payload[2 + BENCH_PAYLOAD_MAX + BENCH_HEAD_MAX];
    size_t bytes_len = rtp_header_write(bytes, &header, &extensions, &config->extensions);
    size_t at = rtx ? 2 : 0;
    if (rtx)
        rtp_put16(payload, kept->seq);
    memcpy(payload + at, kept->head, kept->head_len);
    memset(payload + at + kept->head_len, kept->seq & 0x7f, kept->len - kept->head_len);
    send(ctx, rtx, bytes, bytes_len, payload, kept->len + at);
    source->packets += !rtx;
    source->octets += rtx ? 0 : kept->len;
}

/* --- Sound --- */

static size_t put_opus(uint8_t *out, const struct bench_stamp *stamp, size_t len) {
    size_t least = 1 + BENCH_STAMP_LEN;
    out[0] = OPUS_20_MS;
    bench_stamp_write(out + 1, stamp);
    if (len <= least)
        return least;
    memset(out + least, (int)stamp->frame & 0x7f, len - least);
    return len;
}

/* RFC 2198 section 3: the headers of the earlier ones, the primary's, then all blocks. */
static size_t put_red(struct bench_source *source, uint8_t *out, const struct bench_stamp *stamp,
                      size_t len) {
    uint8_t type = source->config.payload_type;
    size_t at = 0, least = 1 + BENCH_STAMP_LEN;
    size_t block_len = len > least ? len : least;
    for (unsigned i = 0; i < source->earlier_count; i++, at += 4) {
        uint32_t offset = AUDIO_TIMESTAMP_STEP * (uint32_t)(source->earlier_count - i);
        rtp_put32(out + at,
                  0x80000000u | (uint32_t)type << 24 | offset << 10 | (uint32_t)block_len);
    }
    out[at++] = type;
    for (unsigned i = 0; i < source->earlier_count; i++)
        at += put_opus(out + at, &source->earlier[i], len);
    return at + put_opus(out + at, stamp, len);
}

static void remember(struct bench_source *source, const struct bench_stamp *stamp) {
    if (source->earlier_count < BENCH_RED_DISTANCE) {
        source->earlier[source->earlier_count++] = *stamp;
        return;
    }
    memmove(source->earlier, source->earlier + 1, sizeof(source->earlier) - sizeof(*stamp));
    source->earlier[BENCH_RED_DISTANCE - 1] = *stamp;
}

void bench_source_send_audio(struct bench_source *source, uint64_t now_us,
                             const struct bench_stamp *stamp, size_t len, bench_source_send_fn send,
                             void *ctx) {
    const struct bench_source_config *config = &source->config;
    bool red = config->red_payload_type != 0 && stamp != NULL;
    struct rtp_header header = {.payload_type =
                                    red ? config->red_payload_type : config->payload_type,
                                .marker = source->earlier_count == 0,
                                .seq = source->seq++,
                                .timestamp = source->timestamp,
                                .ssrc = config->ssrc};
    struct rtp_extensions extensions = make_extensions(source, false, now_us);
    uint8_t bytes[RTP_HEADER_MAX], payload[BENCH_PAYLOAD_MAX] = {OPUS_20_MS};
    size_t bytes_len = rtp_header_write(bytes, &header, &extensions, &config->extensions);
    size_t payload_len = 1;
    if (red)
        payload_len = put_red(source, payload, stamp, len);
    else if (stamp != NULL)
        payload_len = put_opus(payload, stamp, len);
    send(ctx, false, bytes, bytes_len, payload, payload_len);
    source->packets++;
    source->octets += payload_len;
    source->unsent_seq = source->seq;
    if (stamp != NULL)
        remember(source, stamp);
}
