/* A publisher's stream of test media: pictures of a synthetic encoder or Opus packets, with stamps,
 * as a browser paces them; answers NACK and PLI. */
#ifndef BENCH_SOURCE_H
#define BENCH_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/encoder.h"
#include "bench/random.h"
#include "bench/stamp.h"
#include "rtp/rtp.h"
#include "sfu/sfu.h"

enum {
    BENCH_PAYLOAD_MAX = 1100,
    BENCH_KEPT = 1024,         /* Packets for retransmission; a power of two. */
    BENCH_RED_DISTANCE = 2,    /* Earlier packets that one with RED repeats, as browsers do. */
    BENCH_KEPT_DEPENDENCY = 24 /* Bytes; longer ones attach the structure, kept once. */
};

struct bench_source_config {
    bool video;
    enum rtp_codec codec; /* Of video; none: VP8. */
    enum bench_scalability scalability;
    uint64_t number; /* In the stamps: whose stream it is. */
    uint32_t ssrc;
    uint32_t rtx_ssrc; /* 0: NACKs are not answered. */
    uint8_t payload_type;
    uint8_t rtx_payload_type;
    uint8_t red_payload_type; /* Sound: not 0 sends RED, of packets of payload_type. */
    const char *mid; /* Sent in every packet when the map has an id; borrowed, NUL-terminated. */
    const char *rid; /* The same; NULL for none. */
    struct rtp_ext_map extensions;
    uint16_t *transport_seq; /* The transport's next number, or NULL; borrowed. */
    uint32_t rate_bps;
    uint32_t spatial_bps[BENCH_SPATIAL_MAX]; /* Of SVC; all 0: by the size of the pictures. */
    uint32_t fps;                            /* Video; audio is 50 packets a second. */
    uint16_t width, height;
    bool unpaced; /* A frame leaves at once; otherwise at 2.5 times the rate, in 5 ms. */
    bool dtx;     /* Silence is a packet of one byte every 400 ms. */
};

/* What a packet is made of again; behind the head the payload is filler. */
struct bench_kept {
    uint16_t seq;
    uint16_t len; /* Of the payload; 0: unused. */
    uint8_t head_len;
    uint8_t dependency_len; /* Above BENCH_KEPT_DEPENDENCY: see the source's structure. */
    bool marker;
    uint32_t timestamp;
    uint8_t head[BENCH_HEAD_MAX + BENCH_STAMP_LEN];
    uint8_t dependency[BENCH_KEPT_DEPENDENCY];
};

struct bench_source {
    /* Given. */
    struct bench_source_config config;
    /* Owned. */
    struct bench_kept *kept; /* Of video. */
    /* State. */
    struct bench_random random;
    struct bench_encoder encoder;
    uint64_t begun_us;
    uint64_t next_us;  /* When it next has something to send, UINT64_MAX: not started. */
    uint64_t frame_us; /* When the next frame is due. */
    uint64_t paced_us; /* When the next packet may leave. */
    uint32_t frame;
    uint16_t seq, rtx_seq;
    uint16_t unsent_seq; /* The first that has not left. */
    uint32_t timestamp, first_timestamp;
    int64_t debt_bytes; /* What keyframes took too much, to be saved. */
    bool keyframe_wanted;
    bool paused;        /* This layer is not wanted. */
    bool silent;        /* Sound: nobody speaks. */
    uint8_t level;      /* −dBov of who speaks. */
    uint64_t silent_us; /* When the last packet of a silence was sent. */
    struct bench_stamp earlier[BENCH_RED_DISTANCE]; /* The newest last. */
    uint8_t earlier_count;
    uint8_t structure_len;
    uint8_t structure[BENCH_DEPENDENCY_MAX];
    /* Counters. */
    uint64_t packets, octets;
    uint64_t keyframes, pictures;
    uint64_t keyframe_requests;
};

/* Sends one packet: a header of header_len bytes, then the payload. */
typedef void (*bench_source_send_fn)(void *ctx, bool rtx, const uint8_t *header, size_t header_len,
                                     const uint8_t *payload, size_t payload_len);

/* -ENOMEM. */
int bench_source_init(struct bench_source *source, const struct bench_source_config *config,
                      uint64_t now_us, uint64_t seed);
void bench_source_deinit(struct bench_source *source);

/* The first frame follows within one frame's time, by the seed. */
void bench_source_start(struct bench_source *source, uint64_t now_us);

/* Sends the packets that are due. */
void bench_source_on_deadline(struct bench_source *source, uint64_t now_us,
                              bench_source_send_fn send, void *ctx);

/* Sends again what a NACK names. */
void bench_source_on_nack(struct bench_source *source, uint64_t now_us, const uint16_t *seqs,
                          size_t count, bench_source_send_fn send, void *ctx);

/* Stops and resumes the encoding of a layer; it resumes with a keyframe. */
void bench_source_pause(struct bench_source *source, bool paused);

/* The RTP timestamp of a time. */
uint32_t bench_source_timestamp(const struct bench_source *source, uint64_t now_us);

#endif
