#include "sfu/handshakes.h"

#include "tests/unit/test.h"

static const struct sfu_address from = {.ip = {127, 0, 0, 1}, .port = 4000, .family = AF_INET};

static void they_come_out_in_the_order_they_came(void) {
    struct sfu_handshakes handshakes = {0};
    struct sfu_handshake out;
    struct sfu_pool *pool;
    CHECK_INT(sfu_pool_create(&pool, 64), 0);
    for (uint32_t turn = 0; turn < 1000; turn++) {
        struct sfu_address address = from;
        for (uint32_t i = 0; i < 3; i++) {
            struct sfu_packet *packet = sfu_pool_get(pool);
            packet->len = turn * 3 + i;
            address.via = packet->len;
            CHECK(sfu_handshakes_push(&handshakes, &address, packet));
            sfu_packet_unref(packet); /* It has its own. */
        }
        for (uint32_t i = 0; i < 3; i++) {
            CHECK(sfu_handshakes_pop(&handshakes, &out));
            CHECK_INT(out.packet->len, turn * 3 + i);
            CHECK_INT(out.from.via, turn * 3 + i);
            sfu_packet_unref(out.packet);
        }
        CHECK(!sfu_handshakes_pop(&handshakes, &out));
    }
    CHECK_INT(sfu_pool_in_use(pool), 0);
    sfu_pool_destroy(pool);
}

static void what_finds_no_room_is_not_kept(void) {
    struct sfu_handshakes handshakes = {0};
    struct sfu_pool *pool;
    CHECK_INT(sfu_pool_create(&pool, 64), 0);
    struct sfu_packet *packet = sfu_pool_get(pool);
    for (int i = 0; i < SFU_HANDSHAKES_WAITING_MAX; i++)
        CHECK(sfu_handshakes_push(&handshakes, &from, packet));
    CHECK(!sfu_handshakes_push(&handshakes, &from, packet));
    sfu_handshakes_deinit(&handshakes);
    sfu_packet_unref(packet);
    CHECK_INT(sfu_pool_in_use(pool), 0);
    sfu_pool_destroy(pool);
}

static const struct test tests[] = {
    {"they_come_out_in_the_order_they_came", they_come_out_in_the_order_they_came},
    {"what_finds_no_room_is_not_kept", what_finds_no_room_is_not_kept},
};

TEST_MAIN(tests)
