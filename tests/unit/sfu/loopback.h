/* Bench clients on real sockets of the loopback interface, for the tests of what has threads. */
#ifndef TESTS_UNIT_SFU_LOOPBACK_H
#define TESTS_UNIT_SFU_LOOPBACK_H

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/client.h"
#include "sfu/ice.h"
#include "tests/unit/test.h"

enum { LOOPBACK_MEDIA_MAX = 4 };

struct loopback_client {
    uint64_t number;
    struct bench_client *client;
    struct bench_dtls_context *dtls;
    int fd;
    struct sfu_media media[LOOPBACK_MEDIA_MAX];
    size_t media_count;
};

static inline uint64_t loopback_now_us(void) {
    return uv_hrtime() / 1000;
}

static inline void loopback_send(void *ctx, const uint8_t *data, size_t len) {
    struct loopback_client *client = ctx;
    ssize_t sent = send(client->fd, data, len, MSG_DONTWAIT);
    (void)sent; /* A network may lose. */
}

static inline void loopback_open(struct loopback_client *client, uint64_t number,
                                 struct bench_dtls_context *dtls) {
    struct bench_client_config config = {.number = number,
                                         .seed = number,
                                         .dtls = dtls,
                                         .send = loopback_send,
                                         .ctx = client,
                                         .video_bps = 200000,
                                         .audio_bps = 32000};
    *client = (struct loopback_client){.number = number, .dtls = dtls, .fd = -1};
    CHECK_INT(bench_client_create(&client->client, &config), 0);
}

static inline void loopback_close(struct loopback_client *client) {
    bench_client_destroy(client->client);
    if (client->fd >= 0)
        close(client->fd);
}

/* One more m-line of video: a camera that is track number * 100, or a slot. */
static inline struct sfu_media *loopback_add(struct loopback_client *client,
                                             enum sfu_direction direction) {
    size_t place = client->media_count++;
    struct sfu_media *media = &client->media[place];
    uint32_t ssrc = (uint32_t)(client->number * 1000 + place * 10);
    *media =
        (struct sfu_media){.video = true, .direction = direction, .nack = true, .codec_count = 1};
    snprintf(media->mid, sizeof(media->mid), "%zu", place);
    media->codecs[0] = (struct sfu_codec){RTP_CODEC_VP8, 96, 97, 0};
    media->extensions.ids[RTP_EXT_MID] = 4;
    if (direction == SFU_SLOT) {
        media->slot_ssrc = ssrc;
        media->slot_rtx_ssrc = ssrc + 1;
    } else if (direction == SFU_PUBLISHES) {
        media->track = client->number * 100 + place;
        media->source = SFU_SOURCE_CAMERA;
        media->layer_count = 1;
    }
    return media;
}

static inline struct sfu_description loopback_describe(const struct loopback_client *client) {
    struct sfu_description description = {.media = client->media,
                                          .media_count = client->media_count};
    snprintf(description.remote_ufrag, sizeof(description.remote_ufrag), "%s",
             bench_client_ufrag(client->client));
    memcpy(description.remote_fingerprint, bench_dtls_context_fingerprint(client->dtls),
           SFU_FINGERPRINT_LEN);
    return description;
}

/* Begins ICE towards a port of 127.0.0.1. */
static inline void loopback_begin(struct loopback_client *client, const struct sfu_local *local,
                                  uint16_t port) {
    struct sockaddr_in server = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    client->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(client->fd >= 0);
    CHECK_INT(connect(client->fd, (struct sockaddr *)&server, sizeof(server)), 0);
    CHECK_INT(bench_client_begin(client->client, loopback_now_us(), local, client->media,
                                 client->media_count),
              0);
}

/* What is due and what has come. */
static inline void loopback_turn(struct loopback_client *client) {
    uint8_t data[2048];
    ssize_t len;
    if (client->fd < 0)
        return;
    if (bench_client_next_deadline(client->client) <= loopback_now_us())
        bench_client_on_deadline(client->client, loopback_now_us());
    while ((len = recv(client->fd, data, sizeof(data), MSG_DONTWAIT)) > 0)
        bench_client_input(client->client, loopback_now_us(), data, (size_t)len);
}

static inline uint64_t loopback_frames(const struct loopback_client *client) {
    return bench_client_sink(client->client, 0)->frames_complete;
}

#endif
