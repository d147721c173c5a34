/* Connections over socket pairs, with the engine's part played by the test and its clock turned by
 * hand. Only what listening itself does needs a port of loopback. */
#include "sfu/tcp.h"
#include "sfu/tcp_frames.h"
#include "tests/unit/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 4, STRANGERS_MAX = 3, SEEN_MAX = 64 };

/* Header of a binding request (RFC 8489 section 5); whether it is a good one is the engine's
 * business. */
static const uint8_t check[20] = {0x00, 0x01, 0, 0, 0x21, 0x12, 0xa4, 0x42};
static const uint8_t media[13] = {0x80, 111, 0, 1};

struct datagram {
    struct sfu_address from;
    uint8_t data[32];
    size_t len;
};

struct world {
    uv_loop_t loop;
    struct sfu_tcp *tcp;
    struct datagram seen[SEEN_MAX];
    size_t seen_count;
    size_t wakeups;
    bool admits;    /* Whose check comes in while this is set is known from then on. */
    uint32_t known; /* Bit i: the connection with via i. */
};

static uint64_t clock_us;

static uint64_t read_clock(void) {
    return clock_us;
}

static void on_datagram(void *ctx, uint64_t now_us, const struct sfu_address *from,
                        const uint8_t *data, size_t len) {
    struct world *world = ctx;
    CHECK_INT(now_us, clock_us);
    CHECK(world->seen_count < SEEN_MAX);
    struct datagram *datagram = &world->seen[world->seen_count++];
    datagram->from = *from;
    datagram->len = len < sizeof(datagram->data) ? len : sizeof(datagram->data);
    memcpy(datagram->data, data, datagram->len);
    if (world->admits)
        world->known |= 1u << from->via;
}

static bool is_known(void *ctx, const struct sfu_address *from) {
    struct world *world = ctx;
    return world->known >> from->via & 1;
}

static void on_wakeup_end(void *ctx, uint64_t now_us) {
    struct world *world = ctx;
    (void)now_us;
    world->wakeups++;
}

static void world_init(struct world *world) {
    *world = (struct world){.admits = true};
    clock_us = 1000 * 1000 * 1000;
    uv_loop_init(&world->loop);
    struct sfu_tcp_config config = {
        .loop = &world->loop,
        .connections_max = CONNECTIONS_MAX,
        .strangers_per_address = STRANGERS_MAX,
        .now_us = read_clock,
        .on_datagram = on_datagram,
        .is_known = is_known,
        .on_wakeup_end = on_wakeup_end,
        .ctx = world,
    };
    CHECK_INT(sfu_tcp_create(&world->tcp, &config), 0);
}

static void world_deinit(struct world *world) {
    sfu_tcp_destroy(world->tcp);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&world->loop), 0);
}

static void turn(struct world *world) {
    for (int i = 0; i < 4; i++)
        uv_run(&world->loop, UV_RUN_NOWAIT);
}

static struct sfu_address address_of(const char *ip) {
    struct sockaddr_storage name;
    struct sfu_address address;
    CHECK(sfu_sockaddr_parse(ip, 5000, &name) > 0);
    CHECK(sfu_address_from_sockaddr(&address, (struct sockaddr *)&name, 0));
    return address;
}

/* The peer's end of a new connection, or a negative errno. */
static int connect_from(struct world *world, const char *ip) {
    int ends[2];
    struct sfu_address from = address_of(ip);
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    int result = sfu_tcp_adopt(world->tcp, ends[0], &from);
    if (result == 0)
        return ends[1];
    close(ends[1]);
    return result;
}

static void send_frame(int fd, const uint8_t *data, size_t len) {
    const uint8_t length[2] = {(uint8_t)(len >> 8), (uint8_t)len};
    CHECK_INT(send(fd, length, 2, MSG_NOSIGNAL), 2);
    CHECK_INT(send(fd, data, len, MSG_NOSIGNAL), len);
}

static int connect_known(struct world *world, const char *ip) {
    int fd = connect_from(world, ip);
    world->admits = true;
    send_frame(fd, check, sizeof(check));
    turn(world);
    return fd;
}

static bool is_closed(int fd) {
    uint8_t byte;
    ssize_t len = recv(fd, &byte, 1, MSG_DONTWAIT);
    return len == 0 || (len < 0 && errno != EAGAIN);
}

static void pass(struct world *world, uint64_t time_us) {
    clock_us += time_us;
    sfu_tcp_sweep(world->tcp, clock_us);
    turn(world);
}

static const struct sfu_counters *counters(const struct world *world) {
    return sfu_tcp_counters(world->tcp);
}

/* --- Reading --- */

static void gives_each_datagram_with_an_address_of_its_connection_alone(void) {
    struct world world;
    world_init(&world);
    int one = connect_known(&world, "192.0.2.7"), other = connect_known(&world, "192.0.2.7");
    send_frame(one, media, sizeof(media));
    turn(&world);
    CHECK_INT(world.seen_count, 3);
    CHECK_BYTES(world.seen[0].data, world.seen[0].len, check, sizeof(check));
    CHECK_BYTES(world.seen[2].data, world.seen[2].len, media, sizeof(media));
    CHECK(sfu_address_equal(&world.seen[0].from, &world.seen[2].from));
    CHECK(!sfu_address_equal(&world.seen[0].from, &world.seen[1].from));
    struct sfu_address expected = address_of("192.0.2.7");
    expected.tcp = true;
    expected.via = world.seen[0].from.via;
    CHECK(sfu_address_equal(&world.seen[0].from, &expected));
    close(one);
    close(other);
    world_deinit(&world);
}

static void ends_a_wakeup_once_for_all_its_datagrams(void) {
    struct world world;
    world_init(&world);
    int fd = connect_known(&world, "192.0.2.7");
    size_t before = world.wakeups;
    for (int i = 0; i < 20; i++)
        send_frame(fd, media, sizeof(media));
    turn(&world);
    CHECK_INT(world.seen_count, 21);
    CHECK_INT(world.wakeups - before, 1);
    close(fd);
    world_deinit(&world);
}

static void closes_when_a_frame_is_too_long(void) {
    struct world world;
    world_init(&world);
    int fd = connect_known(&world, "192.0.2.7");
    uint8_t long_frame[SFU_TCP_FRAME_MAX + 1] = {0x80};
    send_frame(fd, media, sizeof(media));
    send_frame(fd, long_frame, sizeof(long_frame));
    turn(&world);
    CHECK_INT(world.seen_count, 2);
    CHECK(is_closed(fd));
    CHECK_INT(counters(&world)->tcp_closed_malformed, 1);
    CHECK_INT(sfu_tcp_connection_count(world.tcp), 0);
    close(fd);
    world_deinit(&world);
}

static void forgets_a_connection_that_the_peer_closes(void) {
    struct world world;
    world_init(&world);
    int fd = connect_known(&world, "192.0.2.7");
    send_frame(fd, media, sizeof(media));
    close(fd);
    turn(&world);
    CHECK_INT(world.seen_count, 2);
    CHECK_INT(sfu_tcp_connection_count(world.tcp), 0);
    world_deinit(&world);
}

/* --- Strangers --- */

static void closes_a_stranger_that_sends_anything_but_stun(void) {
    struct world world;
    world_init(&world);
    int fd = connect_from(&world, "192.0.2.7");
    send_frame(fd, media, sizeof(media));
    turn(&world);
    CHECK_INT(world.seen_count, 0);
    CHECK(is_closed(fd));
    CHECK_INT(counters(&world)->tcp_closed_strangers, 1);
    close(fd);
    world_deinit(&world);
}

static void takes_no_media_behind_a_check_that_failed(void) {
    struct world world;
    world_init(&world);
    world.admits = false;
    int fd = connect_from(&world, "192.0.2.7");
    send_frame(fd, check, sizeof(check));
    send_frame(fd, media, sizeof(media));
    turn(&world);
    CHECK_INT(world.seen_count, 1);
    CHECK(is_closed(fd));
    close(fd);
    world_deinit(&world);
}

static void lets_a_stranger_try_for_five_seconds(void) {
    struct world world;
    world_init(&world);
    world.admits = false;
    int silent = connect_from(&world, "192.0.2.7"), wrong = connect_from(&world, "192.0.2.7");
    pass(&world, 4900 * 1000);
    send_frame(wrong, check, sizeof(check));
    turn(&world);
    CHECK(!is_closed(silent));
    CHECK(!is_closed(wrong));
    pass(&world, 100 * 1000);
    CHECK(is_closed(silent));
    CHECK(is_closed(wrong));
    CHECK_INT(counters(&world)->tcp_closed_strangers, 2);
    close(silent);
    close(wrong);
    world_deinit(&world);
}

static void closes_when_the_participant_has_left(void) {
    struct world world;
    world_init(&world);
    int fd = connect_known(&world, "192.0.2.7");
    pass(&world, 20 * 1000 * 1000);
    CHECK(!is_closed(fd));
    world.known = 0;
    pass(&world, 4 * 1000 * 1000);
    CHECK(!is_closed(fd));
    pass(&world, 1000 * 1000);
    CHECK(is_closed(fd));
    close(fd);
    world_deinit(&world);
}

static void closes_after_a_minute_of_silence(void) {
    struct world world;
    world_init(&world);
    int fd = connect_known(&world, "192.0.2.7");
    for (int i = 0; i < 3; i++) {
        pass(&world, 59 * 1000 * 1000);
        CHECK(!is_closed(fd));
        send_frame(fd, media, sizeof(media));
        turn(&world);
    }
    pass(&world, 60 * 1000 * 1000);
    CHECK(is_closed(fd));
    CHECK_INT(counters(&world)->tcp_closed_idle, 1);
    close(fd);
    world_deinit(&world);
}

/* --- Limits --- */

static void refuses_more_strangers_of_one_address_but_not_of_others(void) {
    static const char *const hosts[][2] = {
        {"192.0.2.7", "192.0.2.8"},
        {"2001:db8::1", "2001:db8:0:1::1"},
    };
    for (int i = 0; i < 2; i++) {
        struct world world;
        int fds[STRANGERS_MAX + 1];
        world_init(&world);
        for (int k = 0; k < STRANGERS_MAX; k++)
            fds[k] = connect_from(&world, hosts[i][0]);
        CHECK_INT(connect_from(&world, hosts[i][0]), -EBUSY);
        CHECK_INT(counters(&world)->tcp_refused, 1);
        fds[STRANGERS_MAX] = connect_from(&world, hosts[i][1]);
        CHECK_INT(sfu_tcp_connection_count(world.tcp), STRANGERS_MAX + 1);
        for (int k = 0; k <= STRANGERS_MAX; k++)
            close(fds[k]);
        world_deinit(&world);
    }
}

static void counts_a_whole_ipv6_network_as_one_address(void) {
    struct world world;
    int fds[STRANGERS_MAX];
    char ip[32];
    world_init(&world);
    for (int k = 0; k < STRANGERS_MAX; k++) {
        snprintf(ip, sizeof(ip), "2001:db8::%d:1", k + 1);
        fds[k] = connect_from(&world, ip);
    }
    CHECK_INT(connect_from(&world, "2001:db8::ffff"), -EBUSY);
    for (int k = 0; k < STRANGERS_MAX; k++)
        close(fds[k]);
    world_deinit(&world);
}

static void lets_any_number_of_known_peers_share_an_address(void) {
    struct world world;
    int fds[CONNECTIONS_MAX];
    world_init(&world);
    for (int k = 0; k < CONNECTIONS_MAX; k++)
        fds[k] = connect_known(&world, "192.0.2.7");
    CHECK_INT(sfu_tcp_connection_count(world.tcp), CONNECTIONS_MAX);
    CHECK_INT(connect_from(&world, "192.0.2.8"), -EBUSY);
    for (int k = 0; k < CONNECTIONS_MAX; k++) {
        CHECK(!is_closed(fds[k]));
        close(fds[k]);
    }
    world_deinit(&world);
}

static void gives_the_place_of_the_oldest_stranger_when_full(void) {
    struct world world;
    int fds[CONNECTIONS_MAX];
    world_init(&world);
    fds[0] = connect_known(&world, "192.0.2.7");
    fds[1] = connect_from(&world, "192.0.2.8");
    fds[2] = connect_from(&world, "192.0.2.8");
    fds[3] = connect_known(&world, "192.0.2.7");
    int late = connect_known(&world, "192.0.2.7");
    CHECK(late >= 0);
    CHECK(is_closed(fds[1]));
    CHECK(!is_closed(fds[0]) && !is_closed(fds[2]) && !is_closed(fds[3]) && !is_closed(late));
    CHECK_INT(counters(&world)->tcp_closed_strangers, 1);
    for (int k = 0; k < CONNECTIONS_MAX; k++)
        close(fds[k]);
    close(late);
    world_deinit(&world);
}

/* --- Writing --- */

static void write_run(struct world *world, const struct sfu_address *to, uint8_t *data, size_t len,
                      size_t segment_len) {
    struct sfu_message message = {
        .to = *to,
        .data = data,
        .len = (uint32_t)len,
        .segment_len = (uint16_t)segment_len,
        .segments = (uint16_t)((len + segment_len - 1) / segment_len),
    };
    sfu_tcp_write(world->tcp, &message, 1);
}

static void writes_each_segment_of_a_message_as_a_frame(void) {
    struct world world;
    world_init(&world);
    int fd = connect_known(&world, "192.0.2.7");
    uint8_t data[] = "aaaabbbbcc", got[32];
    static const uint8_t want[] = "\0\4aaaa\0\4bbbb\0\2cc";
    write_run(&world, &world.seen[0].from, data, 10, 4);
    CHECK_BYTES(got, (size_t)recv(fd, got, sizeof(got), MSG_DONTWAIT), want, sizeof(want) - 1);
    CHECK_INT(counters(&world)->datagrams_sent, 3);
    CHECK_INT(counters(&world)->bytes_sent, 10);
    close(fd);
    world_deinit(&world);
}

static void counts_what_is_sent_to_a_connection_that_is_gone(void) {
    struct world world;
    world_init(&world);
    int gone = connect_known(&world, "192.0.2.7");
    uint8_t data[10] = {0};
    close(gone);
    turn(&world);
    int fd = connect_known(&world, "192.0.2.7");
    write_run(&world, &world.seen[0].from, data, 10, 4);
    CHECK_INT(counters(&world)->sends_failed, 3);
    CHECK(!is_closed(fd)); /* And nothing came to the next one, either. */
    close(fd);
    world_deinit(&world);
}

/* Reads what waits and counts whole frames of `len` equal bytes each, whose first four are rising
 * numbers. */
static size_t read_frames(int fd, struct sfu_tcp_reader *reader, size_t len, uint32_t *last) {
    uint8_t bytes[4096];
    size_t frames = 0;
    ssize_t got;
    while ((got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
        const uint8_t *data = bytes, *frame;
        size_t rest = (size_t)got, frame_len;
        while (sfu_tcp_reader_next(reader, &data, &rest, &frame, &frame_len) == 1) {
            uint32_t number;
            CHECK_INT(frame_len, len);
            memcpy(&number, frame, sizeof(number));
            CHECK(number > *last);
            *last = number;
            frames++;
        }
    }
    return frames;
}

static void drops_whole_datagrams_for_a_slow_reader_and_goes_on(void) {
    struct world world;
    world_init(&world);
    int fd = connect_known(&world, "192.0.2.7");
    struct sfu_tcp_reader reader = {0};
    uint8_t data[1111] = {0};
    uint32_t sent = 0, last = 0;
    size_t got = 0;
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 1500; i++) {
            sent++;
            memcpy(data, &sent, sizeof(sent));
            write_run(&world, &world.seen[0].from, data, sizeof(data), sizeof(data));
        }
        CHECK(counters(&world)->sends_failed > (uint64_t)round * 500);
        for (int i = 0; i < 40; i++) {
            got += read_frames(fd, &reader, sizeof(data), &last);
            turn(&world);
        }
    }
    CHECK_INT(got + counters(&world)->sends_failed, sent);
    CHECK_INT(got, counters(&world)->datagrams_sent);
    sent++;
    memcpy(data, &sent, sizeof(sent));
    write_run(&world, &world.seen[0].from, data, sizeof(data), sizeof(data));
    CHECK_INT(read_frames(fd, &reader, sizeof(data), &last), 1);
    close(fd);
    world_deinit(&world);
}

static void survives_writing_to_a_peer_that_closed(void) {
    struct world world;
    world_init(&world);
    int fd = connect_known(&world, "192.0.2.7");
    uint8_t data[100] = {0};
    close(fd);
    for (int i = 0; i < 3; i++)
        write_run(&world, &world.seen[0].from, data, sizeof(data), sizeof(data));
    CHECK_INT(sfu_tcp_connection_count(world.tcp), 0);
    turn(&world);
    world_deinit(&world);
}

/* --- Listening --- */

/* A port that was free a moment ago. */
static uint16_t free_port(void) {
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(name);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(bind(fd, (struct sockaddr *)&name, len), 0);
    CHECK_INT(getsockname(fd, (struct sockaddr *)&name, &len), 0);
    close(fd);
    return ntohs(name.sin_port);
}

static int connect_to(uint16_t port) {
    struct sockaddr_in name = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    return fd;
}

static void accepts_and_tells_who_connected(void) {
    struct world world;
    world_init(&world);
    uint16_t port = free_port();
    CHECK_INT(sfu_tcp_listen(world.tcp, "127.0.0.1", port), 0);
    int fd = connect_to(port);
    send_frame(fd, check, sizeof(check));
    turn(&world);
    CHECK_INT(world.seen_count, 1);
    struct sfu_address want;
    struct sockaddr_in name;
    socklen_t len = sizeof(name);
    getsockname(fd, (struct sockaddr *)&name, &len);
    sfu_address_from_sockaddr(&want, (struct sockaddr *)&name, world.seen[0].from.via);
    want.tcp = true;
    CHECK(sfu_address_equal(&world.seen[0].from, &want));
    close(fd);
    world_deinit(&world);
}

static void says_when_the_port_is_busy(void) {
    struct world world;
    world_init(&world);
    uint16_t port = free_port();
    CHECK_INT(sfu_tcp_listen(world.tcp, "127.0.0.1", port), 0);
    CHECK_INT(sfu_tcp_listen(world.tcp, "127.0.0.1", port), -EADDRINUSE);
    CHECK_INT(sfu_tcp_listen(world.tcp, "localhost", port), -EINVAL);
    world_deinit(&world);
}

static void waits_for_the_next_sweep_when_descriptors_are_out(void) {
    struct world world;
    struct rlimit limit, none;
    world_init(&world);
    uint16_t port = free_port();
    CHECK_INT(sfu_tcp_listen(world.tcp, "127.0.0.1", port), 0);
    int fd = connect_to(port);
    getrlimit(RLIMIT_NOFILE, &limit);
    none = limit;
    none.rlim_cur = (rlim_t)fd + 1;
    setrlimit(RLIMIT_NOFILE, &none);
    for (int i = 0; i < 10; i++)
        turn(&world);
    CHECK_INT(counters(&world)->tcp_accept_failures, 1);
    pass(&world, 1000 * 1000);
    CHECK_INT(counters(&world)->tcp_accept_failures, 2);
    setrlimit(RLIMIT_NOFILE, &limit);
    pass(&world, 1000 * 1000);
    CHECK_INT(counters(&world)->tcp_accepted, 1);
    close(fd);
    world_deinit(&world);
}

static const struct test tests[] = {
    {"gives_each_datagram_with_an_address_of_its_connection_alone",
     gives_each_datagram_with_an_address_of_its_connection_alone},
    {"ends_a_wakeup_once_for_all_its_datagrams", ends_a_wakeup_once_for_all_its_datagrams},
    {"closes_when_a_frame_is_too_long", closes_when_a_frame_is_too_long},
    {"forgets_a_connection_that_the_peer_closes", forgets_a_connection_that_the_peer_closes},
    {"closes_a_stranger_that_sends_anything_but_stun",
     closes_a_stranger_that_sends_anything_but_stun},
    {"takes_no_media_behind_a_check_that_failed", takes_no_media_behind_a_check_that_failed},
    {"lets_a_stranger_try_for_five_seconds", lets_a_stranger_try_for_five_seconds},
    {"closes_when_the_participant_has_left", closes_when_the_participant_has_left},
    {"closes_after_a_minute_of_silence", closes_after_a_minute_of_silence},
    {"refuses_more_strangers_of_one_address_but_not_of_others",
     refuses_more_strangers_of_one_address_but_not_of_others},
    {"counts_a_whole_ipv6_network_as_one_address", counts_a_whole_ipv6_network_as_one_address},
    {"lets_any_number_of_known_peers_share_an_address",
     lets_any_number_of_known_peers_share_an_address},
    {"gives_the_place_of_the_oldest_stranger_when_full",
     gives_the_place_of_the_oldest_stranger_when_full},
    {"writes_each_segment_of_a_message_as_a_frame", writes_each_segment_of_a_message_as_a_frame},
    {"counts_what_is_sent_to_a_connection_that_is_gone",
     counts_what_is_sent_to_a_connection_that_is_gone},
    {"drops_whole_datagrams_for_a_slow_reader_and_goes_on",
     drops_whole_datagrams_for_a_slow_reader_and_goes_on},
    {"survives_writing_to_a_peer_that_closed", survives_writing_to_a_peer_that_closed},
    {"accepts_and_tells_who_connected", accepts_and_tells_who_connected},
    {"says_when_the_port_is_busy", says_when_the_port_is_busy},
    {"waits_for_the_next_sweep_when_descriptors_are_out",
     waits_for_the_next_sweep_when_descriptors_are_out},
};

TEST_MAIN(tests)
