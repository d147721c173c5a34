/* A subscriber's slot: counts what arrives as a decoder and a user would notice it. */
#ifndef BENCH_SINK_H
#define BENCH_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/continuity.h"
#include "bench/playout.h"
#include "bench/stamp.h"
#include "rtp/codec.h"
#include "rtp/nack.h"
#include "rtp/receiver.h"

enum {
    BENCH_FRAMES = 256, /* The newest frames remembered; a power of two. */
    BENCH_DELAYS = 512, /* Buckets: 1 ms each up to 256, then 16 ms each. */
};

/* One packet of a slot, out of its RTX; borrowed. */
struct bench_arrival {
    uint16_t seq;
    uint32_t timestamp;
    bool marker;
    bool retransmitted;
    enum rtp_codec codec;
    const uint8_t *payload; /* Begins with the payload descriptor. */
    size_t payload_len;
    const uint8_t *dependency; /* NULL: none. */
    size_t dependency_len;
};

struct bench_frame {
    uint32_t number, picture;
    uint64_t first_seq; /* Unwrapped. */
    uint64_t sent_us;
    uint16_t packets; /* In it; 0: unused. */
    uint16_t got;
    uint64_t seen[4]; /* Which. */
    uint16_t height;
    uint8_t references[BENCH_STAMP_REFERENCES];
    bool keyframe;
    bool decoded;
};

struct bench_sink {
    /* Given. */
    bool video;
    uint32_t ssrc, rtx_ssrc;
    /* State. */
    struct rtp_receiver receiver;
    struct rtp_nack nack;
    struct bench_continuity continuity;
    struct bench_playout playout; /* Of sound. */
    uint64_t keyframe_us;         /* When to ask for a keyframe next, UINT64_MAX: not. */
    uint64_t source;              /* Whose frames come now. */
    bool decoding;                /* A keyframe was complete; the frames behind it follow. */
    uint32_t newest_frame;        /* Complete or not. */
    uint32_t last_picture;        /* Decoded. */
    uint16_t height;              /* Of the picture seen now, 0: none. */
    uint16_t shown_height;        /* Of the picture before it. */
    uint64_t last_frame_us;       /* When it was decoded. */
    uint64_t mean_gap_us;         /* Between pictures, smoothed. */
    uint64_t height_changed_us;   /* When the picture's size changed last. */
    struct bench_frame frames[BENCH_FRAMES];
    /* Counters. */
    uint64_t packets, bytes;     /* Unique. */
    uint64_t first_frame_us;     /* When the first picture was decoded, 0: none was. */
    uint64_t frames_complete;    /* Pictures decoded in order, or 20 ms of sound. */
    uint64_t frames_late;        /* Decodable when a later one had been decoded. */
    uint64_t frames_broken;      /* Packets of them never came. */
    uint64_t frames_undecodable; /* Complete, but something that they need was not. */
    uint64_t keyframes;          /* Decoded. */
    uint64_t keyframe_requests;  /* Sent. */
    uint64_t longest_gap_us;     /* Between two pictures. */
    uint64_t freezes;            /* As getStats: gaps of 150 ms more, and of 3 times the mean. */
    uint64_t freezes_long;       /* Gaps over 500 ms. */
    uint64_t frozen_us;          /* All of these together. */
    uint64_t delay_max_us;       /* From capture to being decodable. */
    uint32_t delays[BENCH_DELAYS];
    uint64_t sources; /* How often another publisher's or layer's frames began. */
    uint64_t height_changes;
    uint64_t height_shortest_us; /* The shortest time between two of them, 0: none. */
    uint64_t timestamps_back;    /* Newer packets with an older timestamp: must not happen. */
};

void bench_sink_init(struct bench_sink *sink, bool video, uint32_t ssrc, uint32_t rtx_ssrc);

/* Packets that never came, so far: the holes below the newest number. */
uint64_t bench_sink_lost(const struct bench_sink *sink);

/* The delay from capture to being decodable that so many of 1,000 pictures, or packets of sound, do
 * not exceed; 0 when there were none. */
uint64_t bench_sink_delay_us(const struct bench_sink *sink, unsigned of_1000);

/* Begins the counters of freezes and delays anew, as a measurement does after its warm-up. */
void bench_sink_mark(struct bench_sink *sink);

void bench_sink_on_packet(struct bench_sink *sink, uint64_t now_us,
                          const struct bench_arrival *arrival);

#endif
