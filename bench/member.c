#include "bench/member.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JOIN_TIMEOUT_US = 20000000, SILENT = 127 };

/* --- What it comes with --- */

static struct bench_sdp_wish wish_of(const struct bench_member *member) {
    const struct bench_plan *plan = member->stage->plan;
    bool publishes = bench_member_publishes(member), watches = member->role != BENCH_PUBLISHER;
    struct bench_sdp_wish wish = {
        .audio = publishes && plan->audio,
        .video = publishes && plan->video,
        .layers = (uint8_t)plan->layers,
        .red = plan->red,
        .no_feedback = !plan->feedback,
        .codec = rtp_codec_from_name(plan->codec, strlen(plan->codec)),
        .ssrc = (uint32_t)(member->number * 16 + 1),
    };
    if (member->role == BENCH_IDLE) {
        wish.audio_slots = 1;
    } else if (watches) {
        wish.audio_slots = plan->audio ? (uint8_t)plan->audio_slots : 0;
        wish.video_slots = plan->video ? (uint8_t)plan->tiles : 0;
    }
    return wish;
}

static struct bench_client_config client_config(struct bench_member *member) {
    const struct bench_plan *plan = member->stage->plan;
    return (struct bench_client_config){
        .number = member->number,
        .seed = member->number * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)plan->seed,
        .dtls = member->stage->dtls,
        .send = bench_endpoint_send,
        .ctx = &member->endpoint,
        .video_bps = (uint32_t)(plan->video_kbps * 1000),
        .audio_bps = (uint32_t)(plan->audio_kbps * 1000),
        .scalability =
            plan->layers > 1 && strcmp(plan->codec, "h264") != 0 ? BENCH_L1T3 : BENCH_L1T1,
        .dtx = plan->dtx,
        .unpaced = !plan->paced,
    };
}

/* The same ones at every run, spread evenly. */
static bool has_bad_network(const struct bench_member *member) {
    double share = member->stage->plan->bad_share / 100, n = (double)member->number;
    return member->role != BENCH_PUBLISHER && (uint64_t)(n * share) != (uint64_t)((n - 1) * share);
}

static struct bench_crowd_network network_of(const struct bench_plan *plan) {
    struct bench_link_config link = {.delay_us = (uint64_t)(plan->delay_ms * 1000),
                                     .jitter_us = (uint64_t)(plan->jitter_ms * 1000),
                                     .in_order = true,
                                     .loss_ppm = (uint32_t)(plan->loss * 10000)};
    struct bench_crowd_network network = {.down = link, .up = link};
    network.down.rate_bps = (uint64_t)(plan->bandwidth_kbps * 1000);
    network.down.queue_us = 300000; /* A mobile network's buffer. */
    return network;
}

/* --- Signaling --- */

static void fail(struct bench_member *member, const char *why) {
    if (member->state == BENCH_FAILED)
        return;
    member->state = BENCH_FAILED;
    snprintf(member->why, sizeof(member->why), "%s", why);
}

static void on_failed(void *ctx, const char *why) {
    fail(ctx, why);
}

static void on_agreed(void *ctx, const struct bench_sdp *ours, const struct bench_remote *server) {
    struct bench_member *member = ctx;
    uint64_t now_us = bench_loop_now(member->stage->loop);
    if (member->state != BENCH_JOINING)
        return;
    int result = bench_client_begin_with(member->client, now_us, server, ours->media, ours->count);
    if (result == 0 && member->stage->plan->speakers > 0)
        bench_client_speak(member->client, false, SILENT);
    if (result == 0)
        result = bench_endpoint_attach(&member->endpoint, member->client, server);
    if (result < 0) {
        fail(member, strerror(-result));
        return;
    }
    member->agreed_us = now_us;
    member->state = BENCH_CHECKING;
}

static void on_layers(void *ctx, const char *mid, uint8_t layers) {
    struct bench_member *member = ctx;
    if (member->agreed_us == 0)
        return;
    bench_client_publish_layers(member->client, mid, layers);
    bench_endpoint_wake(&member->endpoint);
}

static int join(struct bench_member *member, const uint64_t *feeds, size_t feed_count) {
    static const struct bench_session_events events = {on_agreed, on_failed, on_layers};
    struct bench_hello hello = {
        .number = member->number,
        .room = member->room,
        .wish = wish_of(member),
        .fingerprint = bench_dtls_context_fingerprint(member->stage->dtls),
        .feeds = feeds,
        .feed_count = feed_count,
        .tile_height = (uint16_t)member->stage->plan->tile_height,
    };
    snprintf(hello.local.ufrag, sizeof(hello.local.ufrag), "%s",
             bench_client_ufrag(member->client));
    snprintf(hello.local.pwd, sizeof(hello.local.pwd), "%s", bench_client_pwd(member->client));
    bench_crowd_address(member->stage->crowd, hello.local.address);
    hello.local.port = member->endpoint.port;
    member->session = bench_signaling_join(member->stage->signaling, &hello, &events, member);
    return member->session ? 0 : -ENOMEM;
}

/* --- Life --- */

int bench_member_create(struct bench_member **out, const struct bench_stage *stage, uint64_t number,
                        size_t room, enum bench_role role, const uint64_t *feeds,
                        size_t feed_count) {
    struct bench_member *member = calloc(1, sizeof(*member));
    if (member == NULL)
        return -ENOMEM;
    member->stage = stage;
    member->number = number;
    member->room = room;
    member->role = role;
    member->begun_us = bench_loop_now(stage->loop);
    struct bench_client_config config = client_config(member);
    struct bench_crowd_network network = network_of(stage->plan);
    int result = bench_endpoint_open(&member->endpoint, stage->crowd,
                                     has_bad_network(member) ? &network : NULL, config.seed);
    if (result == 0)
        result = bench_client_create(&member->client, &config);
    if (result == 0)
        result = join(member, feeds, feed_count);
    if (result < 0) {
        bench_member_destroy(member);
        return result;
    }
    *out = member;
    return 0;
}

void bench_member_destroy(struct bench_member *member) {
    if (member == NULL)
        return;
    if (member->state == BENCH_CONNECTED)
        bench_client_close(member->client);
    bench_signaling_leave(member->session);
    bench_endpoint_close(&member->endpoint);
    bench_client_destroy(member->client);
    free(member);
}

void bench_member_check(struct bench_member *member) {
    uint64_t now_us = member->stage->loop->now_us;
    if (member->state != BENCH_JOINING && member->state != BENCH_CHECKING)
        return;
    if (member->state == BENCH_CHECKING && bench_client_is_connected(member->client)) {
        member->state = BENCH_CONNECTED;
        member->connected_us = bench_client_connected_us(member->client);
    } else if (now_us > member->begun_us + JOIN_TIMEOUT_US) {
        fail(member, member->state == BENCH_JOINING
                         ? "no answer in 20 seconds"
                         : "no connection in 20 seconds: do UDP packets get through?");
    }
}
