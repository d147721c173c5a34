/* A subscriber's slot: counts what arrives as a decoder and a user would notice it. */
#ifndef BENCH_SINK_H
#define BENCH_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/stamp.h"
#include "rtp/nack.h"
#include "rtp/receiver.h"

enum { BENCH_FRAMES = 64 /* Incomplete frames remembered; a power of two. */ };

struct bench_frame {
    uint32_t number;
    uint16_t packets; /* In it; 0: unused. */
    uint16_t got;
    uint64_t seen[4]; /* Which. */
    bool keyframe;
};

struct bench_sink {
    /* Given. */
    bool video;
    uint32_t ssrc, rtx_ssrc;
    /* State. */
    struct rtp_receiver receiver;
    struct rtp_nack nack;
    bool keyframe_needed;
    bool timestamped;
    uint32_t last_timestamp;
    uint64_t source; /* Whose frames come now. */
    bool decoding;   /* A keyframe was complete; the frames behind it follow. */
    uint32_t next_frame;
    uint64_t last_frame_us;
    struct bench_frame frames[BENCH_FRAMES];
    /* Counters. */
    uint64_t packets;         /* Unique. */
    uint64_t first_frame_us;  /* When the first frame was complete, 0: none was. */
    uint64_t frames_complete; /* Decodable, in order. */
    uint64_t longest_gap_us;  /* Between two of them. */
    uint64_t delay_sum_us, delay_max_us;
    uint64_t sources;         /* How often another publisher's frames began. */
    uint64_t timestamps_back; /* Newer packets with an older timestamp: must not happen. */
    uint64_t keyframes;
};

/* Packets that never came, so far: the holes below the newest number. */
uint64_t bench_sink_lost(const struct bench_sink *sink);

/* A packet of the slot (RTX already unwrapped); payload begins with the payload descriptor. */
void bench_sink_on_packet(struct bench_sink *sink, uint64_t now_us, uint16_t seq,
                          uint32_t timestamp, const uint8_t *payload, size_t payload_len,
                          bool retransmitted);

#endif
