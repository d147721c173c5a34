#include "bench/sink.h"

#include <string.h>

uint64_t bench_sink_lost(const struct bench_sink *sink) {
    const struct rtp_receiver *receiver = &sink->receiver;
    if (!receiver->started)
        return 0;
    uint64_t expected = receiver->highest_seq - receiver->first_seq + 1;
    return expected > sink->packets ? expected - sink->packets : 0;
}

static void follow_source(struct bench_sink *sink, const struct bench_stamp *stamp) {
    if (sink->source == stamp->source)
        return;
    sink->source = stamp->source;
    sink->sources++;
    sink->decoding = false;
    memset(sink->frames, 0, sizeof(sink->frames));
}

static bool note_packet(struct bench_frame *frame, const struct bench_stamp *stamp) {
    if (frame->number != stamp->frame || frame->packets == 0)
        *frame = (struct bench_frame){
            .number = stamp->frame, .packets = stamp->packets, .keyframe = stamp->keyframe};
    uint64_t bit = UINT64_C(1) << stamp->packet % 64;
    uint64_t *word = &frame->seen[stamp->packet / 64 % 4];
    frame->got += (*word & bit) == 0;
    *word |= bit;
    return frame->got == frame->packets;
}

static void decode(struct bench_sink *sink, uint64_t now_us, const struct bench_frame *frame) {
    if (sink->frames_complete > 0 && now_us - sink->last_frame_us > sink->longest_gap_us)
        sink->longest_gap_us = now_us - sink->last_frame_us;
    if (sink->first_frame_us == 0)
        sink->first_frame_us = now_us;
    sink->last_frame_us = now_us;
    sink->next_frame = frame->number + 1;
    sink->frames_complete++;
    sink->keyframes += frame->keyframe;
    sink->keyframe_needed = false;
}

static bool is_complete(const struct bench_sink *sink, uint32_t number) {
    const struct bench_frame *frame = &sink->frames[number % BENCH_FRAMES];
    return frame->packets != 0 && frame->number == number && frame->got == frame->packets;
}

static void on_complete(struct bench_sink *sink, uint64_t now_us, const struct bench_frame *frame) {
    bool newer = !sink->decoding || frame->number >= sink->next_frame;
    if (frame->keyframe && newer) {
        sink->decoding = true;
        decode(sink, now_us, frame);
    }
    while (sink->decoding && is_complete(sink, sink->next_frame))
        decode(sink, now_us, &sink->frames[sink->next_frame % BENCH_FRAMES]);
}

static void on_stamp(struct bench_sink *sink, uint64_t now_us, const struct bench_stamp *stamp,
                     bool newest) {
    if (stamp->source != sink->source && !newest)
        return; /* Overtaken by the first of another source. */
    follow_source(sink, stamp);
    uint64_t delay_us = now_us - stamp->sent_us;
    sink->delay_sum_us += delay_us;
    if (delay_us > sink->delay_max_us)
        sink->delay_max_us = delay_us;
    if (!sink->video) {
        sink->frames_complete++;
        return;
    }
    struct bench_frame *frame = &sink->frames[stamp->frame % BENCH_FRAMES];
    if (note_packet(frame, stamp))
        on_complete(sink, now_us, frame);
}

void bench_sink_on_packet(struct bench_sink *sink, uint64_t now_us, uint16_t seq,
                          uint32_t timestamp, const uint8_t *payload, size_t payload_len,
                          bool retransmitted) {
    uint64_t seq64;
    enum rtp_arrival arrival = rtp_receiver_on_packet(&sink->receiver, now_us, seq, timestamp,
                                                      payload_len, retransmitted, &seq64);
    if (arrival == RTP_ARRIVAL_DUPLICATE || arrival == RTP_ARRIVAL_SUSPECT)
        return;
    sink->packets++;
    if (rtp_nack_on_packet(&sink->nack, now_us, seq64))
        sink->keyframe_needed = sink->video;
    if (arrival == RTP_ARRIVAL_NEW) {
        sink->timestamps_back +=
            sink->timestamped && (int32_t)(timestamp - sink->last_timestamp) < 0;
        sink->timestamped = true;
        sink->last_timestamp = timestamp;
    }
    struct bench_stamp stamp;
    if (bench_stamp_find(payload, payload_len, &stamp))
        on_stamp(sink, now_us, &stamp, arrival == RTP_ARRIVAL_NEW);
}
