/* The whole forwarding unit on loopback: its threads and sockets, and WebRTC clients whose network
 * lets only TCP through. */
#include "bench/client.h"
#include "sfu/tcp_frames.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sfu/address.h"

enum { PEOPLE = 2, PATIENCE_US = 10 * 1000 * 1000 };

struct person {
    uint64_t number;
    struct bench_client *client;
    struct sfu_local local;
    struct sfu_media media[2];
    int fd;
    bool answered; /* A check on this connection; before it, nothing else is sent. */
    struct sfu_tcp_reader reader;
};

struct world {
    uv_loop_t loop;
    struct sfu *sfu;
    struct bench_dtls_context *dtls;
    struct person people[PEOPLE];
    unsigned events[SFU_EVENT_TYPES];
};

static uint64_t now_us(void) {
    return uv_hrtime() / 1000;
}

/* --- Clients --- */

static void send_frame(void *ctx, const uint8_t *data, size_t len) {
    const struct person *person = ctx;
    uint8_t frame[2 + 2048] = {(uint8_t)(len >> 8), (uint8_t)len};
    CHECK(len <= sizeof(frame) - 2);
    if (!person->answered && rtp_datagram_kind(data, len) != RTP_DATAGRAM_STUN)
        return;
    memcpy(frame + 2, data, len);
    CHECK_INT(send(person->fd, frame, 2 + len, MSG_NOSIGNAL), 2 + len);
}

static void connect_tcp(struct person *person) {
    const struct sfu_candidate *candidate = &person->local.candidates[1];
    struct sockaddr_storage name;
    CHECK(candidate->tcp);
    int len = sfu_sockaddr_parse(candidate->address, candidate->port, &name);
    person->fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(connect(person->fd, (struct sockaddr *)&name, (socklen_t)len), 0);
    person->reader = (struct sfu_tcp_reader){0};
    person->answered = false;
}

static void read_all(struct person *person) {
    uint8_t bytes[16384];
    ssize_t got;
    while ((got = recv(person->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
        const uint8_t *data = bytes, *frame;
        size_t len = (size_t)got, frame_len;
        person->answered = true;
        while (sfu_tcp_reader_next(&person->reader, &data, &len, &frame, &frame_len) == 1)
            bench_client_input(person->client, now_us(), frame, frame_len);
    }
}

static uint64_t packets_seen(const struct person *person) {
    return bench_client_sink(person->client, 0)->packets;
}

/* --- The world --- */

static void on_event(void *ctx, const struct sfu_event *event) {
    struct world *world = ctx;
    world->events[event->type]++;
}

static int create(struct world *world, uint16_t port, bool tcp, char error[static 128]) {
    static const char *const addresses[] = {"127.0.0.1"};
    struct sfu_config config = {
        .addresses = addresses,
        .address_count = 1,
        .port = port,
        .workers = 2,
        .tcp = tcp,
        .gso = true,
        .max_participants = 10,
        .consent_timeout_ms = 30000,
    };
    return sfu_create(&world->sfu, &config, &world->loop, on_event, world, error, 128);
}

static void world_init(struct world *world, bool tcp) {
    char error[128] = "";
    *world = (struct world){0};
    uv_loop_init(&world->loop);
    if (create(world, 0, tcp, error) < 0)
        test_fail(__FILE__, __LINE__, "%s", error);
    CHECK_INT(bench_dtls_context_create(&world->dtls, "SRTP_AEAD_AES_128_GCM"), 0);
}

static void world_deinit(struct world *world) {
    for (size_t i = 0; i < PEOPLE; i++) {
        if (world->people[i].client == NULL)
            continue;
        bench_client_destroy(world->people[i].client);
        close(world->people[i].fd);
    }
    sfu_destroy(world->sfu);
    bench_dtls_context_destroy(world->dtls);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&world->loop), 0);
}

/* The first person has a camera, the second a slot for it. */
static void write_media(struct sfu_media *media, bool publishes) {
    *media = (struct sfu_media){
        .mid = "0", .video = true, .nack = true, .codec_count = 1, .layer_count = publishes};
    media->direction = publishes ? SFU_PUBLISHES : SFU_SLOT;
    media->codecs[0] = (struct sfu_codec){RTP_CODEC_VP8, 96, 97, 0};
    media->extensions.ids[RTP_EXT_MID] = 4;
    if (publishes) {
        media->track = 1;
        media->source = SFU_SOURCE_CAMERA;
    } else {
        media->slot_ssrc = 1000;
        media->slot_rtx_ssrc = 1001;
    }
}

static struct person *join(struct world *world, size_t i) {
    struct person *person = &world->people[i];
    person->number = i + 1;
    struct bench_client_config config = {.number = person->number,
                                         .seed = person->number,
                                         .dtls = world->dtls,
                                         .send = send_frame,
                                         .ctx = person,
                                         .video_bps = 1000000};
    CHECK_INT(bench_client_create(&person->client, &config), 0);
    CHECK_INT(sfu_join(world->sfu, 1, person->number, &person->local), 0);
    write_media(&person->media[0], i == 0);
    struct sfu_description description = {.media = person->media, .media_count = 1};
    snprintf(description.remote_ufrag, sizeof(description.remote_ufrag), "%s",
             bench_client_ufrag(person->client));
    snprintf(description.remote_pwd, sizeof(description.remote_pwd), "%s",
             bench_client_pwd(person->client));
    memcpy(description.remote_fingerprint, bench_dtls_context_fingerprint(world->dtls),
           SFU_FINGERPRINT_LEN);
    CHECK_INT(sfu_negotiate(world->sfu, person->number, &description), 0);
    connect_tcp(person);
    CHECK_INT(bench_client_begin(person->client, now_us(), &person->local, person->media, 1), 0);
    return person;
}

static void turn(struct world *world) {
    struct pollfd fds[PEOPLE];
    for (size_t i = 0; i < PEOPLE; i++)
        fds[i] = (struct pollfd){.fd = world->people[i].fd, .events = POLLIN};
    poll(fds, PEOPLE, 1);
    uv_run(&world->loop, UV_RUN_NOWAIT);
    for (size_t i = 0; i < PEOPLE; i++) {
        read_all(&world->people[i]);
        if (bench_client_next_deadline(world->people[i].client) <= now_us())
            bench_client_on_deadline(world->people[i].client, now_us());
    }
}

static void run_until_packets(struct world *world, const struct person *person, uint64_t count) {
    uint64_t limit_us = now_us() + PATIENCE_US;
    while (packets_seen(person) < count && now_us() < limit_us)
        turn(world);
    CHECK(packets_seen(person) >= count);
}

/* --- Tests --- */

static void a_picture_goes_from_tcp_to_tcp_across_workers(void) {
    struct world world;
    world_init(&world, true);
    join(&world, 0);
    struct person *watcher = join(&world, 1);
    CHECK(world.people[0].local.candidates[1].port != watcher->local.candidates[1].port);
    run_until_packets(&world, watcher, 100);
    CHECK_INT(world.events[SFU_EVENT_CONNECTED], 2);
    CHECK(bench_client_sink(watcher->client, 0)->frames_complete >= 10);
    CHECK_INT(bench_sink_lost(bench_client_sink(watcher->client, 0)), 0);
    world_deinit(&world);
}

/* The dead connection's end tears nothing down, and the next check moves the media. */
static void a_new_connection_takes_over_from_one_that_died(void) {
    struct world world;
    world_init(&world, true);
    join(&world, 0);
    struct person *watcher = join(&world, 1);
    run_until_packets(&world, watcher, 50);
    close(watcher->fd);
    connect_tcp(watcher);
    run_until_packets(&world, watcher, packets_seen(watcher) + 50);
    CHECK_INT(world.events[SFU_EVENT_CONNECTED], 2);
    CHECK_INT(world.events[SFU_EVENT_CLOSED] + world.events[SFU_EVENT_FAILED] +
                  world.events[SFU_EVENT_ICE_TIMEOUT],
              0);
    world_deinit(&world);
}

static void each_udp_candidate_is_followed_by_a_tcp_one_unless_switched_off(void) {
    for (int tcp = 0; tcp < 2; tcp++) {
        struct world world;
        struct sfu_local local;
        world_init(&world, tcp);
        CHECK_INT(sfu_join(world.sfu, 1, 1, &local), 0);
        CHECK_INT(local.candidate_count, 1 + tcp);
        CHECK(!local.candidates[0].tcp);
        for (int i = 0; i < tcp; i++) {
            CHECK(local.candidates[1].tcp);
            CHECK_STR(local.candidates[1].address, "127.0.0.1");
            CHECK_INT(local.candidates[1].port, local.candidates[0].port);
        }
        world_deinit(&world);
    }
}

static void says_which_tcp_port_is_busy(void) {
    struct world world = {0};
    char error[128] = "", want[128];
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(name);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(bind(fd, (struct sockaddr *)&name, len), 0);
    CHECK_INT(listen(fd, 1), 0);
    getsockname(fd, (struct sockaddr *)&name, &len);
    uv_loop_init(&world.loop);
    CHECK_INT(create(&world, ntohs(name.sin_port), true, error), -EADDRINUSE);
    snprintf(want, sizeof(want), "TCP 127.0.0.1 port %u cannot be bound: Address already in use",
             ntohs(name.sin_port));
    CHECK_STR(error, want);
    uv_run(&world.loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&world.loop), 0);
    close(fd);
}

static const struct test tests[] = {
    {"a_picture_goes_from_tcp_to_tcp_across_workers",
     a_picture_goes_from_tcp_to_tcp_across_workers},
    {"a_new_connection_takes_over_from_one_that_died",
     a_new_connection_takes_over_from_one_that_died},
    {"each_udp_candidate_is_followed_by_a_tcp_one_unless_switched_off",
     each_udp_candidate_is_followed_by_a_tcp_one_unless_switched_off},
    {"says_which_tcp_port_is_busy", says_which_tcp_port_is_busy},
};

TEST_MAIN(tests)
