#include "bench/sink.h"

#include <string.h>

#include "rtp/red.h"

enum {
    FREEZE_US = 150000, /* W3C webrtc-stats, freezeCount. */
    FREEZE_LONG_US = 500000,
    /* libwebrtc waits so long for a keyframe before it asks (kMaxWaitForKeyFrame). */
    KEYFRAME_WAIT_US = 200000,
    DELAY_FINE_MS = 256,
    DELAY_COARSE_MS = 16,
};

void bench_sink_init(struct bench_sink *sink, bool video, uint32_t ssrc, uint32_t rtx_ssrc) {
    memset(sink, 0, sizeof(*sink));
    sink->video = video;
    sink->ssrc = ssrc;
    sink->rtx_ssrc = rtx_ssrc;
    sink->receiver.clock_rate_hz = video ? 90000 : 48000;
    sink->keyframe_us = UINT64_MAX;
}

uint64_t bench_sink_lost(const struct bench_sink *sink) {
    const struct rtp_receiver *receiver = &sink->receiver;
    if (!receiver->started)
        return 0;
    uint64_t expected = receiver->highest_seq - receiver->first_seq + 1;
    return expected > sink->packets ? expected - sink->packets : 0;
}

/* --- Delays --- */

static void note_delay(struct bench_sink *sink, uint64_t delay_us) {
    uint64_t ms = delay_us / 1000;
    uint64_t bucket =
        ms < DELAY_FINE_MS ? ms : DELAY_FINE_MS + (ms - DELAY_FINE_MS) / DELAY_COARSE_MS;
    sink->delays[bucket < BENCH_DELAYS ? bucket : BENCH_DELAYS - 1]++;
    if (delay_us > sink->delay_max_us)
        sink->delay_max_us = delay_us;
}

uint64_t bench_sink_delay_us(const struct bench_sink *sink, unsigned of_1000) {
    uint64_t all = 0, below = 0;
    for (size_t i = 0; i < BENCH_DELAYS; i++)
        all += sink->delays[i];
    for (size_t i = 0; i < BENCH_DELAYS && all > 0; i++) {
        below += sink->delays[i];
        if (below * 1000 < all * of_1000)
            continue;
        uint64_t ms =
            i < DELAY_FINE_MS ? i + 1 : DELAY_FINE_MS + (i - DELAY_FINE_MS + 1) * DELAY_COARSE_MS;
        return ms * 1000;
    }
    return 0;
}

void bench_sink_mark(struct bench_sink *sink) {
    memset(sink->delays, 0, sizeof(sink->delays));
    sink->delay_max_us = sink->longest_gap_us = sink->frozen_us = 0;
    sink->freezes = sink->freezes_long = 0;
    sink->frames_complete = sink->frames_late = sink->frames_broken = 0;
    sink->frames_undecodable = sink->height_changes = sink->height_shortest_us = 0;
}

/* --- Pictures --- */

static struct bench_frame *frame_at(struct bench_sink *sink, uint32_t number) {
    return &sink->frames[number % BENCH_FRAMES];
}

static bool is_complete(const struct bench_frame *frame, uint32_t number) {
    return frame->packets != 0 && frame->number == number && frame->got == frame->packets;
}

static void forget(struct bench_sink *sink, const struct bench_frame *frame) {
    if (frame->packets == 0 || frame->decoded || !sink->decoding)
        return;
    sink->frames_broken += frame->got < frame->packets;
    sink->frames_undecodable += frame->got == frame->packets;
}

static void follow_source(struct bench_sink *sink, uint64_t now_us,
                          const struct bench_stamp *stamp) {
    if (sink->source == stamp->source)
        return;
    sink->source = stamp->source;
    sink->sources++;
    sink->decoding = false;
    sink->newest_frame = stamp->frame;
    sink->keyframe_us = now_us + KEYFRAME_WAIT_US;
    memset(sink->frames, 0, sizeof(sink->frames));
}

static void note_gap(struct bench_sink *sink, uint64_t gap_us) {
    if (gap_us > sink->longest_gap_us)
        sink->longest_gap_us = gap_us;
    bool frozen = gap_us > sink->mean_gap_us + FREEZE_US && gap_us > 3 * sink->mean_gap_us;
    sink->freezes += frozen;
    sink->freezes_long += gap_us > FREEZE_LONG_US;
    if (frozen || gap_us > FREEZE_LONG_US)
        sink->frozen_us += gap_us;
    sink->mean_gap_us = sink->mean_gap_us ? (sink->mean_gap_us * 15 + gap_us) / 16 : gap_us;
}

/* Whether the size of what is seen changed is known when the next picture begins: then all parts of
 * the last one that came are in. */
static void note_height(struct bench_sink *sink, uint64_t now_us) {
    if (sink->shown_height != 0 && sink->height != sink->shown_height) {
        uint64_t lasted_us = now_us - sink->height_changed_us;
        if (sink->height_changes++ > 0 &&
            (sink->height_shortest_us == 0 || lasted_us < sink->height_shortest_us))
            sink->height_shortest_us = lasted_us;
        sink->height_changed_us = now_us;
    }
    sink->shown_height = sink->height;
}

static void show(struct bench_sink *sink, uint64_t now_us, const struct bench_frame *frame) {
    note_height(sink, now_us);
    if (sink->first_frame_us == 0)
        sink->first_frame_us = now_us;
    else
        note_gap(sink, now_us - sink->last_frame_us);
    note_delay(sink, now_us - frame->sent_us);
    sink->last_frame_us = now_us;
    sink->last_picture = frame->picture;
    sink->height = frame->height;
    sink->frames_complete++;
}

/* What is missing before a keyframe is not asked for any more, as libwebrtc does. */
static void forget_missing(struct bench_sink *sink, uint64_t before_seq) {
    struct rtp_nack *nack = &sink->nack;
    uint16_t count = 0;
    while (count < nack->count && nack->missing[count].seq < before_seq)
        count++;
    nack->count -= count;
    memmove(nack->missing, nack->missing + count, nack->count * sizeof(nack->missing[0]));
}

/* Shown as well where a jitter buffer waits so long: pictures of the upper temporal layers, which
 * nothing else waits for. */
static void come_late(struct bench_sink *sink, uint64_t now_us, const struct bench_frame *frame) {
    sink->frames_late++;
    note_delay(sink, now_us - frame->sent_us);
}

static void decode(struct bench_sink *sink, uint64_t now_us, struct bench_frame *frame) {
    bool begins = frame->keyframe && !sink->decoding;
    frame->decoded = true;
    if (begins || (int32_t)(frame->picture - sink->last_picture) > 0)
        show(sink, now_us, frame);
    else if (frame->picture != sink->last_picture)
        come_late(sink, now_us, frame);
    else if (frame->height > sink->height)
        sink->height = frame->height;
    if (!frame->keyframe)
        return;
    sink->keyframes++;
    sink->decoding = true;
    sink->keyframe_us = UINT64_MAX;
    forget_missing(sink, frame->first_seq);
}

static bool is_decodable(struct bench_sink *sink, const struct bench_frame *frame) {
    if (!frame->keyframe && !sink->decoding)
        return false;
    for (size_t i = 0; i < BENCH_STAMP_REFERENCES; i++) {
        uint32_t number = frame->number - frame->references[i];
        const struct bench_frame *needed = frame_at(sink, number);
        if (frame->references[i] != 0 && (needed->number != number || !needed->decoded))
            return false;
    }
    return true;
}

/* The frame, and those that waited for it. */
static void on_complete(struct bench_sink *sink, uint64_t now_us, uint32_t number) {
    for (; (int32_t)(sink->newest_frame - number) >= 0; number++) {
        struct bench_frame *frame = frame_at(sink, number);
        if (is_complete(frame, number) && !frame->decoded && is_decodable(sink, frame))
            decode(sink, now_us, frame);
    }
}

static struct bench_frame *take_frame(struct bench_sink *sink, const struct bench_stamp *stamp,
                                      uint64_t seq) {
    struct bench_frame *frame = frame_at(sink, stamp->frame);
    if (frame->packets != 0 && frame->number == stamp->frame)
        return frame;
    if (frame->packets != 0 && (int32_t)(stamp->frame - frame->number) < 0)
        return NULL; /* Older than what is remembered. */
    forget(sink, frame);
    *frame = (struct bench_frame){.number = stamp->frame,
                                  .picture = stamp->picture,
                                  .first_seq = seq - stamp->packet,
                                  .sent_us = stamp->sent_us,
                                  .packets = stamp->packets,
                                  .height = stamp->height,
                                  .keyframe = stamp->keyframe};
    memcpy(frame->references, stamp->references, sizeof(frame->references));
    if ((int32_t)(stamp->frame - sink->newest_frame) > 0)
        sink->newest_frame = stamp->frame;
    return frame;
}

static void on_picture(struct bench_sink *sink, uint64_t now_us, const struct bench_stamp *stamp,
                       uint64_t seq, bool newest) {
    if (stamp->source != sink->source && !newest)
        return; /* Overtaken by the first of another source. */
    follow_source(sink, now_us, stamp);
    struct bench_frame *frame = take_frame(sink, stamp, seq);
    if (frame == NULL)
        return;
    uint64_t bit = UINT64_C(1) << stamp->packet % 64;
    uint64_t *word = &frame->seen[stamp->packet / 64 % 4];
    bool fresh = (*word & bit) == 0;
    *word |= bit;
    frame->got += fresh;
    if (fresh && frame->got == frame->packets)
        on_complete(sink, now_us, frame->number);
}

/* --- Sound --- */

static void on_sound(struct bench_sink *sink, uint64_t now_us, const struct bench_stamp *stamp) {
    if (sink->source != stamp->source) {
        sink->source = stamp->source;
        sink->sources++;
        bench_playout_begin(&sink->playout);
    }
    if (bench_playout_on_frame(&sink->playout, now_us, stamp->frame, stamp->sent_us)) {
        sink->frames_complete++;
        note_delay(sink, now_us - stamp->sent_us);
    }
}

static void on_audio(struct bench_sink *sink, uint64_t now_us,
                     const struct bench_arrival *arrival) {
    struct bench_stamp stamp;
    struct rtp_red_block blocks[RTP_RED_BLOCKS_MAX];
    if (arrival->codec != RTP_CODEC_RED) {
        if (bench_stamp_find(arrival->payload, arrival->payload_len, &stamp))
            on_sound(sink, now_us, &stamp);
        return;
    }
    int count = rtp_red_blocks(arrival->payload, arrival->payload_len, blocks);
    for (int i = count - 1; i >= 0; i--)
        if (bench_stamp_find(arrival->payload + blocks[i].offset, blocks[i].len, &stamp))
            on_sound(sink, now_us, &stamp);
}

/* --- Packets --- */

static void note_continuity(struct bench_sink *sink, const struct bench_arrival *arrival,
                            uint64_t seq64, const struct bench_stamp *stamp) {
    struct bench_seen seen = {.seq = seq64,
                              .timestamp = arrival->timestamp,
                              .marker = arrival->marker,
                              .codec = arrival->codec,
                              .payload = arrival->payload,
                              .payload_len = arrival->payload_len,
                              .dependency = arrival->dependency,
                              .dependency_len = arrival->dependency_len};
    bench_continuity_on_packet(&sink->continuity, &seen, stamp);
    sink->timestamps_back = sink->continuity.timestamps_back;
}

void bench_sink_on_packet(struct bench_sink *sink, uint64_t now_us,
                          const struct bench_arrival *arrival) {
    uint64_t seq64;
    enum rtp_arrival kind =
        rtp_receiver_on_packet(&sink->receiver, now_us, arrival->seq, arrival->timestamp,
                               arrival->payload_len, arrival->retransmitted, &seq64);
    if (kind == RTP_ARRIVAL_DUPLICATE || kind == RTP_ARRIVAL_SUSPECT)
        return;
    if (sink->video && sink->packets == 0)
        sink->keyframe_us = now_us + KEYFRAME_WAIT_US;
    sink->packets++;
    sink->bytes += arrival->payload_len;
    if (rtp_nack_on_packet(&sink->nack, now_us, seq64) && sink->video)
        sink->keyframe_us = now_us;
    if (!sink->video) {
        on_audio(sink, now_us, arrival);
        return;
    }
    struct bench_stamp stamp;
    bool stamped = bench_stamp_find(arrival->payload, arrival->payload_len, &stamp);
    if (kind == RTP_ARRIVAL_NEW)
        note_continuity(sink, arrival, seq64, stamped ? &stamp : NULL);
    if (stamped)
        on_picture(sink, now_us, &stamp, seq64, kind == RTP_ARRIVAL_NEW);
}
