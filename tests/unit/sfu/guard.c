/* When the kernel is told who may come, over loopback sockets on free ports. */
#include "sfu/guard.h"

#include <string.h>
#include <unistd.h>

#include "sfu/network.h"
#include "tests/unit/test.h"

static struct {
    uv_loop_t loop;
    struct sfu_dtls_context *dtls;
    struct sfu_engine *engine;
    struct sfu_pool *pool;
    struct sfu_network network;
    int sender;
    struct sfu_address from; /* The sender's. */
} world;

static void on_send(void *ctx, const struct sfu_message *messages, size_t count) {
    (void)ctx;
    (void)messages;
    (void)count;
}

static void on_wakeup_end(void *ctx, uint64_t now_us) {
    (void)ctx;
    (void)now_us;
}

static void begin(void) {
    static const char *const addresses[] = {"127.0.0.1"};
    struct sockaddr_storage name;
    char error[128];
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
    socklen_t len = (socklen_t)sfu_sockaddr_parse("127.0.0.1", 0, &name);
    world.sender = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_INT(bind(world.sender, (struct sockaddr *)&name, len), 0);
    getsockname(world.sender, (struct sockaddr *)&name, &len);
    CHECK(sfu_address_from_sockaddr(&world.from, (struct sockaddr *)&name, 0));
    sfu_sockaddr_parse("127.0.0.1", world.network.config.port, &name);
    CHECK_INT(connect(world.sender, (struct sockaddr *)&name, len), 0);
}

static void end(void) {
    close(world.sender);
    sfu_table_remove(&world.engine->by_address, &world.from);
    sfu_network_close(&world.network);
    uv_run(&world.loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&world.loop), 0);
    sfu_engine_destroy(world.engine);
    sfu_pool_destroy(world.pool);
    sfu_dtls_context_destroy(world.dtls);
}

/* Whether media from the sender gets as far as to us. */
static bool is_read(void) {
    uint8_t media[100] = {0x80, 96};
    uint64_t before = world.engine->counters.datagrams_received;
    CHECK_INT(send(world.sender, media, sizeof(media), 0), sizeof(media));
    uv_run(&world.loop, UV_RUN_NOWAIT);
    return world.engine->counters.datagrams_received > before;
}

static void come_strangers(uint64_t count) {
    world.engine->counters.drop_unknown_address += count / 2;
    world.engine->counters.drop_dtls_unvalidated += count - count / 2;
    sfu_guard_on_second(&world.network);
}

/* A transport would be the value; nothing looks into it here. */
static void validate_sender(void) {
    CHECK_INT(sfu_table_put(&world.engine->by_address, &world.from, &world), 0);
    world.engine->addresses_validated++;
    sfu_guard_on_wakeup_end(&world.network);
}

static void a_few_strangers_are_read(void) {
    begin();
    for (int second = 0; second < 20; second++)
        come_strangers(SFU_GUARD_STRANGERS - 1);
    CHECK(is_read());
    end();
}

static void many_strangers_are_left_to_the_kernel_for_ten_seconds(void) {
    begin();
    come_strangers(SFU_GUARD_STRANGERS);
    for (int second = 0; second < SFU_GUARD_CALM_S; second++) {
        CHECK(!is_read());
        come_strangers(0);
    }
    CHECK(is_read());
    end();
}

static void what_the_kernel_drops_counts_too(void) {
    enum { PER_SECOND = SFU_GUARD_STRANGERS };
    uint8_t media[12] = {0x80};
    begin();
    come_strangers(SFU_GUARD_STRANGERS);
    for (int second = 0; second < SFU_GUARD_CALM_S + 2; second++) {
        for (int i = 0; i < PER_SECOND; i++)
            CHECK_INT(send(world.sender, media, sizeof(media), 0), sizeof(media));
        come_strangers(0);
    }
    CHECK(!is_read());
    end();
}

static void who_is_validated_meanwhile_is_let_in_at_once(void) {
    begin();
    come_strangers(SFU_GUARD_STRANGERS);
    CHECK(!is_read());
    validate_sender();
    uint64_t refused = sfu_udp_dropped(&world.network.sockets[0].udp);
    uint8_t media[100] = {0x80, 96}, got[100];
    CHECK_INT(send(world.sender, media, sizeof(media), 0), sizeof(media));
    CHECK_INT(recv(world.network.sockets[0].udp.fd, got, sizeof(got), 0), sizeof(media));
    CHECK_INT(sfu_udp_dropped(&world.network.sockets[0].udp), refused);
    end();
}

static void who_has_left_is_shut_out_with_the_next_second(void) {
    begin();
    come_strangers(SFU_GUARD_STRANGERS);
    validate_sender();
    sfu_table_remove(&world.engine->by_address, &world.from);
    come_strangers(SFU_GUARD_STRANGERS);
    CHECK(!is_read());
    end();
}

static const struct test tests[] = {
    {"a_few_strangers_are_read", a_few_strangers_are_read},
    {"many_strangers_are_left_to_the_kernel_for_ten_seconds",
     many_strangers_are_left_to_the_kernel_for_ten_seconds},
    {"what_the_kernel_drops_counts_too", what_the_kernel_drops_counts_too},
    {"who_is_validated_meanwhile_is_let_in_at_once", who_is_validated_meanwhile_is_let_in_at_once},
    {"who_has_left_is_shut_out_with_the_next_second",
     who_has_left_is_shut_out_with_the_next_second},
};

TEST_MAIN(tests)
