/* What a client is made of, shared by its files: client (ICE, DTLS, time), client_streams (what is
 * published and received), client_rtp and client_rtcp (what comes in, what is reported). */
#ifndef BENCH_CLIENT_STATE_H
#define BENCH_CLIENT_STATE_H

#include <stun/stunagent.h>

#include "bench/client.h"
#include "bench/random.h"
#include "rtp/rtcp.h"
#include "rtp/twcc.h"
#include "sfu/srtp.h"

enum { BENCH_CLIENT_PACKET_MAX = 1600, BENCH_CLIENT_BUCKETS = 256 };

/* Which sink an SSRC is of. */
struct bench_client_bucket {
    uint32_t ssrc; /* 0: empty. */
    uint8_t sink;
    bool rtx;
};

struct bench_client {
    /* Given. */
    struct bench_client_config config;
    /* Owned. */
    struct bench_dtls *dtls;
    struct sfu_srtp_in *srtp_in;
    struct sfu_srtp_out *srtp_out;
    struct bench_source *sources;
    struct bench_sink *sinks;
    const struct sfu_media **slots; /* Of the sinks; into media. */
    struct sfu_media *media;
    struct rtp_twcc_receiver *twcc; /* NULL: not negotiated. */
    struct sfu_srtp_stream *source_streams, *rtx_streams;
    /* State. */
    struct bench_random random;
    StunAgent stun;
    char ufrag[16];
    char pwd[32];
    struct bench_remote remote;
    size_t source_count, sink_count;
    struct bench_client_bucket buckets[BENCH_CLIENT_BUCKETS];
    size_t sending; /* Which source's packets are being sent. */
    uint32_t ssrc;
    bool begun;
    bool selected; /* A check was answered. */
    uint64_t connected_us;
    uint64_t check_at_us;
    uint64_t report_at_us;
    uint64_t feedback_at_us;
    uint64_t next_us; /* The soonest of all deadlines, or sooner. */
    uint16_t transport_seq;
    struct bench_client_figures figures;
};

static inline uint64_t bench_sooner(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* When a sink has something to ask for. */
static inline uint64_t bench_sink_deadline(const struct bench_sink *sink) {
    return bench_sooner(sink->keyframe_us, rtp_nack_next_deadline(&sink->nack));
}

/* client_streams: takes over the m-lines and makes their sources and sinks; -ENOMEM. */
int bench_client_streams_init(struct bench_client *client, uint64_t now_us,
                              const struct sfu_media *media, size_t media_count);
void bench_client_streams_deinit(struct bench_client *client);

/* client: protects and sends. */
void bench_client_send_compound(struct bench_client *client, const struct rtcp_builder *builder);
void bench_client_send_media(void *ctx, bool rtx, const uint8_t *header, size_t header_len,
                             const uint8_t *payload, size_t payload_len);

/* client_rtp, client_rtcp: a protected packet, which is changed. */
void bench_client_on_rtp(struct bench_client *client, uint64_t now_us, uint8_t *data, size_t len);
void bench_client_on_rtcp(struct bench_client *client, uint64_t now_us, uint8_t *data, size_t len);

/* client_rtcp: reports on everything, transport-wide feedback, and what one sink asks for. */
void bench_client_report(struct bench_client *client, uint64_t now_us);
void bench_client_feedback(struct bench_client *client);
void bench_client_ask(struct bench_client *client, uint64_t now_us, struct bench_sink *sink);

#endif
