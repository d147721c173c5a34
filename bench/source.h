/* A publisher's stream of test media: VP8 frames or Opus packets with stamps, as a browser paces
 * them; answers NACK and PLI. */
#ifndef BENCH_SOURCE_H
#define BENCH_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/random.h"
#include "rtp/rtp.h"
#include "sfu/sfu.h"

enum {
    BENCH_PAYLOAD_MAX = 1100,
    BENCH_KEPT = 1024, /* Packets for retransmission; a power of two. */
};

struct bench_source_config {
    bool video;
    uint64_t number; /* In the stamps: whose stream it is. */
    uint32_t ssrc;
    uint32_t rtx_ssrc; /* 0: NACKs are not answered. */
    uint8_t payload_type;
    uint8_t rtx_payload_type;
    const char *mid; /* Sent in every packet when the map has an id; borrowed, NUL-terminated. */
    const char *rid; /* The same; NULL for none. */
    struct rtp_ext_map extensions;
    uint32_t rate_bps;
    uint32_t fps; /* Video; audio is 50 packets a second. */
    uint16_t width, height;
};

struct bench_kept {
    uint16_t seq;
    uint16_t len; /* Of the payload. */
    bool marker;
    uint32_t timestamp;
    uint8_t payload[BENCH_PAYLOAD_MAX];
};

struct bench_source {
    /* Given. */
    struct bench_source_config config;
    /* Owned. */
    struct bench_kept *kept;
    /* State. */
    struct bench_random random;
    uint64_t begun_us;
    uint64_t next_us; /* When the next frame is due. */
    uint32_t frame;
    uint16_t seq, rtx_seq;
    uint16_t picture_id;
    uint8_t tl0picidx;
    uint32_t timestamp, first_timestamp;
    bool keyframe_wanted;
    /* Counters. */
    uint64_t packets, octets;
    uint64_t keyframes;
};

/* Sends one packet: a header of header_len bytes, then the payload. */
typedef void (*bench_source_send_fn)(void *ctx, bool rtx, const uint8_t *header, size_t header_len,
                                     const uint8_t *payload, size_t payload_len);

/* -ENOMEM. */
int bench_source_init(struct bench_source *source, const struct bench_source_config *config,
                      uint64_t now_us, uint64_t seed);
void bench_source_deinit(struct bench_source *source);

/* Sends the frames that are due. */
void bench_source_on_deadline(struct bench_source *source, uint64_t now_us,
                              bench_source_send_fn send, void *ctx);

/* Sends again what a NACK names. */
void bench_source_on_nack(struct bench_source *source, uint64_t now_us, const uint16_t *seqs,
                          size_t count, bench_source_send_fn send, void *ctx);

/* The RTP timestamp of a time. */
uint32_t bench_source_timestamp(const struct bench_source *source, uint64_t now_us);

#endif
