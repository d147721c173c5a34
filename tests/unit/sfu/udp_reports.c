/* Over loopback sockets on free ports; a kernel that cannot steer is played. */
#include "sfu/udp_reports.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sfu/network.h"
#include "sfu/wakeups.h"
#include "tests/unit/test.h"

/* --- A kernel that cannot --- */

static bool cannot_steer;

int setsockopt(int fd, int level, int name, const void *value, socklen_t len) {
    if (cannot_steer && level == SOL_SOCKET && name == SO_ATTACH_REUSEPORT_CBPF) {
        errno = ENOPROTOOPT;
        return -1;
    }
    return (int)syscall(SYS_setsockopt, fd, level, name, value, len);
}

/* --- Two sockets --- */

static struct sfu_udp udp;
static int sender;

static void begin(const char *ip) {
    struct sockaddr_storage name;
    CHECK_INT(sfu_udp_open(&udp, ip, 0, false), 0);
    CHECK(udp.reports_fd >= 0);
    int len = sfu_sockaddr_parse(ip, sfu_udp_port(&udp), &name);
    CHECK(len > 0);
    sender = socket(name.ss_family, SOCK_DGRAM, 0);
    CHECK_INT(connect(sender, (struct sockaddr *)&name, (socklen_t)len), 0);
}

static void end(void) {
    close(sender);
    sfu_udp_close(&udp);
}

static void give(int fd, uint8_t first, uint8_t second) {
    uint8_t datagram[20] = {first, second};
    CHECK_INT(send(fd, datagram, sizeof(datagram), 0), sizeof(datagram));
}

static bool comes_by(int fd) {
    uint8_t bytes[64];
    return recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) >= 0;
}

static void check_waits(uint8_t first, uint8_t second, bool waits) {
    give(sender, first, second);
    CHECK_INT(comes_by(udp.reports_fd), waits);
    CHECK_INT(comes_by(udp.fd), !waits);
}

static void reports_come_apart_from_all_else(void) {
    static const char *const addresses[] = {"127.0.0.1", "::1"};
    for (size_t i = 0; i < 2; i++) {
        begin(addresses[i]);
        check_waits(0x80, 200, true);  /* SR */
        check_waits(0x9f, 201, true);  /* RR of 31 blocks */
        check_waits(0xa1, 201, true);  /* with padding */
        check_waits(0x8f, 205, true);  /* Transport-wide feedback */
        check_waits(0x81, 205, false); /* NACK */
        check_waits(0x81, 206, false); /* PLI */
        check_waits(0x8f, 206, false); /* REMB */
        check_waits(0x80, 203, false); /* BYE */
        check_waits(0x80, 96, false);
        check_waits(0x90, 96 | 0x80, false); /* A marked packet of RTP */
        check_waits(22, 254, false);         /* DTLS */
        check_waits(22, 201, false);
        end();
    }
}

static void a_check_of_ice_does_not_wait(void) {
    static const uint8_t request[20] = {0x00, 0x01, 0, 0, 0x21, 0x12, 0xa4, 0x42};
    begin("127.0.0.1");
    CHECK_INT(send(sender, request, sizeof(request), 0), sizeof(request));
    CHECK(!comes_by(udp.reports_fd));
    CHECK(comes_by(udp.fd));
    end();
}

static void the_port_is_still_nobody_elses(void) {
    struct sfu_udp other;
    begin("127.0.0.1");
    CHECK_INT(sfu_udp_open(&other, "127.0.0.1", sfu_udp_port(&udp), false), -EADDRINUSE);
    end();
}

static void all_comes_by_one_where_the_kernel_cannot_steer(void) {
    struct sockaddr_storage name;
    cannot_steer = true;
    CHECK_INT(sfu_udp_open(&udp, "127.0.0.1", 0, false), 0);
    cannot_steer = false;
    CHECK_INT(udp.reports_fd, -1);
    int len = sfu_sockaddr_parse("127.0.0.1", sfu_udp_port(&udp), &name);
    sender = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_INT(connect(sender, (struct sockaddr *)&name, (socklen_t)len), 0);
    give(sender, 0x80, 201);
    CHECK(comes_by(udp.fd));
    CHECK_INT(sfu_udp_dropped(&udp), 0);
    end();
}

static void what_is_no_socket_is_refused(void) {
    int fds[2];
    CHECK_INT(sfu_udp_reports_open(-1), -EBADF);
    CHECK_INT(pipe(fds), 0);
    CHECK_INT(sfu_udp_reports_open(fds[0]), -ENOTSOCK);
    close(fds[0]);
    close(fds[1]);
}

static void the_kernel_drops_junk_here_too(void) {
    begin("127.0.0.1");
    uint8_t report[8] = {0x80, 201}; /* Shorter than any SRTCP. */
    CHECK_INT(send(sender, report, sizeof(report), 0), sizeof(report));
    CHECK(!comes_by(udp.reports_fd));
    CHECK_INT(sfu_udp_dropped(&udp), 1);
    end();
}

/* --- A worker's network --- */

static struct {
    uv_loop_t loop;
    struct sfu_dtls_context *dtls;
    struct sfu_engine *engine;
    struct sfu_pool *pool;
    struct sfu_network network;
    unsigned wakeups;
    int sender;
} world;

static void on_send(void *ctx, const struct sfu_message *messages, size_t count) {
    (void)ctx;
    (void)messages;
    (void)count;
}

static void on_wakeup_end(void *ctx, uint64_t now_us) {
    (void)ctx;
    (void)now_us;
    world.wakeups++;
}

static void world_init(void) {
    static const char *const addresses[] = {"127.0.0.1"};
    struct sockaddr_storage name;
    char error[128];
    world.wakeups = 0;
    CHECK_INT(uv_loop_init(&world.loop), 0);
    CHECK_INT(sfu_dtls_context_create(&world.dtls), 0);
    CHECK_INT(sfu_pool_create(&world.pool, 128), 0);
    struct sfu_engine_config engine = {.dtls = world.dtls, .seed = 1, .send = on_send};
    CHECK_INT(sfu_engine_create(&world.engine, &engine), 0);
    struct sfu_network_config config = {.loop = &world.loop,
                                        .engine = world.engine,
                                        .pool = world.pool,
                                        .addresses = addresses,
                                        .address_count = 1,
                                        .on_wakeup_end = on_wakeup_end};
    CHECK_INT(sfu_network_open(&world.network, &config, error, sizeof(error)), 0);
    int len = sfu_sockaddr_parse("127.0.0.1", world.network.config.port, &name);
    world.sender = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_INT(connect(world.sender, (struct sockaddr *)&name, (socklen_t)len), 0);
}

static void world_deinit(void) {
    close(world.sender);
    sfu_network_close(&world.network);
    uv_run(&world.loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&world.loop), 0);
    sfu_engine_destroy(world.engine);
    sfu_pool_destroy(world.pool);
    sfu_dtls_context_destroy(world.dtls);
}

static void run_for_ms(uint64_t ms) {
    uint64_t until_ns = uv_hrtime() + ms * 1000000;
    while (uv_hrtime() < until_ns)
        uv_run(&world.loop, UV_RUN_NOWAIT);
}

/* Three ticks' worth, in two rounds: after a pause the first is read at once again. */
static void reports_share_wakeups_and_none_is_left(void) {
    enum { ROUNDS = 2, REPORTS = 3 * SFU_TICK_MS };
    world_init();
    for (unsigned round = 1; round <= ROUNDS; round++) {
        for (int i = 0; i < REPORTS; i++) {
            give(world.sender, 0x80, 201);
            run_for_ms(1);
        }
        run_for_ms(3 * SFU_TICK_MS);
        CHECK_INT(world.engine->counters.datagrams_received, round * REPORTS);
    }
    CHECK(world.wakeups < ROUNDS * REPORTS / 2);
    world_deinit();
}

static void media_is_read_at_once_beside_reports(void) {
    world_init();
    for (int i = 0; i < 50; i++) {
        uint64_t before = world.engine->counters.drop_unknown_address;
        give(world.sender, 0x80, 201);
        give(world.sender, 0x80, 96);
        uv_run(&world.loop, UV_RUN_NOWAIT);
        CHECK(world.engine->counters.drop_unknown_address > before);
    }
    world_deinit();
}

static const struct test tests[] = {
    {"reports_come_apart_from_all_else", reports_come_apart_from_all_else},
    {"a_check_of_ice_does_not_wait", a_check_of_ice_does_not_wait},
    {"the_port_is_still_nobody_elses", the_port_is_still_nobody_elses},
    {"all_comes_by_one_where_the_kernel_cannot_steer",
     all_comes_by_one_where_the_kernel_cannot_steer},
    {"what_is_no_socket_is_refused", what_is_no_socket_is_refused},
    {"the_kernel_drops_junk_here_too", the_kernel_drops_junk_here_too},
    {"reports_share_wakeups_and_none_is_left", reports_share_wakeups_and_none_is_left},
    {"media_is_read_at_once_beside_reports", media_is_read_at_once_beside_reports},
};

TEST_MAIN(tests)
