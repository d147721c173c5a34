/* What a connection says and hears after its handshake, in every cipher suite. */
#include "tests/unit/sfu/dtls_world.h"

static const char *const suites[] = {"ECDHE-ECDSA-AES128-GCM-SHA256",
                                     "ECDHE-ECDSA-CHACHA20-POLY1305",
                                     "ECDHE-ECDSA-AES256-GCM-SHA384"};
enum { SUITES = sizeof(suites) / sizeof(suites[0]) };

static void make(struct world *world, size_t suite) {
    world_make(world, 3, &(struct client_kind){.ciphers = suites[suite]});
}

static void every_suite_tells_the_peer_that_it_closes(void) {
    for (size_t i = 0; i < SUITES; i++) {
        struct world world;
        make(&world, i);
        world_run(&world, FOREVER_US);
        CHECK_STR(SSL_get_cipher_name(world.client.ssl), suites[i]);
        sfu_dtls_close(world.server);
        world_drain(&world);
        CHECK(SSL_get_shutdown(world.client.ssl) & SSL_RECEIVED_SHUTDOWN);
        world_free(&world);
    }
}

static void every_suite_hears_that_the_peer_closes(void) {
    for (size_t i = 0; i < SUITES; i++) {
        struct world world;
        make(&world, i);
        world_run(&world, FOREVER_US);
        SSL_shutdown(world.client.ssl);
        struct datagram close = *network_next(&world.network);
        for (size_t at = 0; at < close.len; at++) { /* Every byte counts. */
            close.bytes[at] ^= 1;
            CHECK_INT(sfu_dtls_input(world.server, clock_us, close.bytes, close.len),
                      SFU_DTLS_CONNECTED);
            close.bytes[at] ^= 1;
            CHECK_INT(sfu_dtls_input(world.server, clock_us, close.bytes, at), SFU_DTLS_CONNECTED);
        }
        CHECK_INT(sfu_dtls_input(world.server, clock_us, close.bytes, close.len), SFU_DTLS_CLOSED);
        world_free(&world);
    }
}

static void run_until_the_server_is_connected(struct world *world) {
    client_run(&world->client);
    while (sfu_dtls_state(world->server) != SFU_DTLS_CONNECTED)
        step_before_long(world);
}

/* Twice: each repetition has new numbers, or the second would be taken for a replay. */
static void every_suite_repeats_its_last_flight_as_often_as_it_is_lost(void) {
    for (size_t i = 0; i < SUITES; i++) {
        struct world world;
        make(&world, i);
        run_until_the_server_is_connected(&world);
        for (int lost = 0; lost < 3; lost++) {
            while (world.network.from_server == 0)
                step_before_long(&world);
            for (struct datagram *next; (next = network_next(&world.network)) != NULL;) {
                CHECK(!next->to_server);
                next->delivered = true;
            }
            world.network.from_server = 0;
        }
        CHECK(!world.client.connected);
        world_run(&world, FOREVER_US);
        CHECK(both_connected(&world));
        sfu_dtls_close(world.server);
        world_drain(&world);
        CHECK(SSL_get_shutdown(world.client.ssl) & SSL_RECEIVED_SHUTDOWN);
        world_free(&world);
    }
}

static void a_storm_of_finished_is_answered_twenty_times_a_second(void) {
    struct world world;
    make(&world, 0);
    run_until_the_server_is_connected(&world);
    const struct datagram *flight = NULL;
    for (size_t i = 0; i < world.network.count; i++)
        if (world.network.datagrams[i].to_server)
            flight = &world.network.datagrams[i];
    CHECK(flight != NULL);
    world.network.from_server = 0;
    for (int i = 0; i < 1000; i++) {
        clock_us += 1000;
        sfu_dtls_input(world.server, clock_us, flight->bytes, flight->len);
    }
    CHECK_INT(world.network.from_server, 20);
    CHECK_INT(sfu_dtls_state(world.server), SFU_DTLS_CONNECTED);
    world_free(&world);
}

static const struct test tests[] = {
    {"every_suite_tells_the_peer_that_it_closes", every_suite_tells_the_peer_that_it_closes},
    {"every_suite_hears_that_the_peer_closes", every_suite_hears_that_the_peer_closes},
    {"every_suite_repeats_its_last_flight_as_often_as_it_is_lost",
     every_suite_repeats_its_last_flight_as_often_as_it_is_lost},
    {"a_storm_of_finished_is_answered_twenty_times_a_second",
     a_storm_of_finished_is_answered_twenty_times_a_second},
};

TEST_MAIN(tests)
