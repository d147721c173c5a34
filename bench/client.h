/* A WebRTC client without I/O and clock: ICE (controlling), DTLS, SRTP, publishing sources and
 * receiving sinks. Datagrams go in and out with the time they happen. Signaling is the caller's: it
 * hands over what both sides agreed on. */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/dtls.h"
#include "bench/sink.h"
#include "bench/source.h"
#include "sfu/sfu.h"

enum { BENCH_STREAMS_MAX = 64 /* Sources and sinks of a client, each. */ };

typedef void (*bench_client_send_fn)(void *ctx, const uint8_t *data, size_t len);

struct bench_client_config {
    uint64_t number; /* In its stamps. */
    uint64_t seed;
    struct bench_dtls_context *dtls;
    bench_client_send_fn send;
    void *ctx;
    uint32_t video_bps; /* Of its camera; of a layer: halved twice downwards. */
    uint32_t audio_bps;
    uint32_t layer_bps[SFU_LAYERS_MAX]; /* Of simulcast, or of SVC's spatial layers, from the
                                           lowest; all 0: by video_bps. */
    enum bench_scalability scalability; /* Of every encoding. */
    uint16_t width, height;             /* Of the highest layer; 0: 1280 × 720. */
    bool dtx;
    bool unpaced;
    uint32_t feedback_interval_us; /* Of transport-cc; 0: 50 ms, what libwebrtc sends at 1 Mb/s. */
};

/* What the whole client received, and what it knows. */
struct bench_client_figures {
    uint64_t packets, bytes;  /* RTP with SRTP's overhead, padding and RTX as well. */
    uint64_t padding_packets; /* Without media. */
    uint64_t repairs;         /* RTX with media. */
    uint64_t rtt_us;          /* By receiver reports of what we send; 0: not known. */
};

/* What the other side's description says of its end of the transport. */
struct bench_remote {
    char ufrag[SFU_CREDENTIAL_MAX + 1];
    char pwd[SFU_CREDENTIAL_MAX + 1];
    char address[SFU_ADDRESS_MAX];
    uint16_t port;
};

struct bench_client;

/* -ENOMEM. */
int bench_client_create(struct bench_client **out, const struct bench_client_config *config);
void bench_client_destroy(struct bench_client *client);

/* What our side of the description says. */
const char *bench_client_ufrag(const struct bench_client *client);
const char *bench_client_pwd(const struct bench_client *client);

/* Takes over what was agreed: publishes on the m-lines that publish and receives on the slots.
 * Begins ICE. -ENOMEM. */
int bench_client_begin(struct bench_client *client, uint64_t now_us, const struct sfu_local *remote,
                       const struct sfu_media *media, size_t media_count);

/* The same with any server. */
int bench_client_begin_with(struct bench_client *client, uint64_t now_us,
                            const struct bench_remote *remote, const struct sfu_media *media,
                            size_t media_count);

/* New ICE credentials of the server: an ICE restart. */
void bench_client_restart(struct bench_client *client, uint64_t now_us,
                          const struct sfu_local *remote);

void bench_client_input(struct bench_client *client, uint64_t now_us, const uint8_t *data,
                        size_t len);

uint64_t bench_client_next_deadline(const struct bench_client *client);
void bench_client_on_deadline(struct bench_client *client, uint64_t now_us);

bool bench_client_is_connected(const struct bench_client *client);

/* When DTLS was done, 0: not yet. */
uint64_t bench_client_connected_us(const struct bench_client *client);

/* The n-th slot or publishing layer, in the order of the m-lines; NULL beyond the last. */
const struct bench_sink *bench_client_sink(const struct bench_client *client, size_t n);
const struct bench_source *bench_client_source(const struct bench_client *client, size_t n);

/* What a publishing m-line encodes: bit i of layers is its i-th layer. With them off nothing
 * is sent. */
void bench_client_publish_layers(struct bench_client *client, const char *mid, uint8_t layers);

/* Whether someone speaks into the microphone (from the beginning: yes), and how loud in −dBov. */
void bench_client_speak(struct bench_client *client, bool speaks, uint8_t level);

/* Begins the counters of freezes and delays of all sinks anew. */
void bench_client_mark(struct bench_client *client);

const struct bench_client_figures *bench_client_figures(const struct bench_client *client);

/* Protects any bytes as RTP (a header of header_len bytes first) or RTCP and sends them, for tests
 * that misbehave; nothing before it is connected. */
void bench_client_send_rtp(struct bench_client *client, const uint8_t *data, size_t header_len,
                           size_t len);
void bench_client_send_rtcp(struct bench_client *client, const uint8_t *data, size_t len);

/* Sends close_notify. */
void bench_client_close(struct bench_client *client);

#endif
