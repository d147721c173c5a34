/* DTLS with someone between the two ends who sees all and sends what he likes. */
#include "tests/unit/sfu/dtls_world.h"

/* Whatever is not a right ClientHello and not encrypted, between each two real datagrams. */
static void send_junk(struct world *world, uint64_t *seed) {
    uint8_t junk[128];
    for (int i = 0; i < 20; i++) {
        size_t len = random_next(seed) % sizeof(junk);
        for (size_t k = 0; k < len; k++)
            junk[k] = (uint8_t)random_next(seed);
        sfu_dtls_input(world->server, clock_us, junk, len);
        /* Behind a plausible header: any type, epochs 0 to 2. */
        if (len < SFU_DTLS_RECORD_HEADER)
            continue;
        const uint8_t header[] = {(uint8_t)(20 + i % 6), 254, 253, 0, (uint8_t)(i % 3)};
        memcpy(junk, header, sizeof(header));
        junk[11] = 0;
        junk[12] = (uint8_t)(len - SFU_DTLS_RECORD_HEADER);
        if (header[0] != SFU_DTLS_CHANGE_CIPHER_SPEC)
            sfu_dtls_input(world->server, clock_us, junk, len);
    }
}

static void junk_does_not_end_a_handshake_or_a_connection(void) {
    uint64_t seed = 42;
    struct world world;
    world_make(&world, 3, &(struct client_kind){0});
    client_run(&world.client);
    while (!both_connected(&world)) {
        send_junk(&world, &seed);
        step_before_long(&world);
    }
    for (int i = 0; i < 100; i++)
        send_junk(&world, &seed);
    CHECK_INT(sfu_dtls_state(world.server), SFU_DTLS_CONNECTED);
    check_same_keys(&world);
    world_free(&world);
}

/* close_notify and fatal handshake_failure, not encrypted. */
static const uint8_t forged_alerts[][15] = {
    {21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 1, 0},
    {21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 98, 0, 2, 2, 40},
    {21, 254, 253, 0, 1, 0, 0, 0, 0, 0, 97, 0, 2, 1, 0},
};

static void forged_alerts_end_nothing(void) {
    struct world world;
    world_make(&world, 3, &(struct client_kind){0});
    client_run(&world.client);
    while (!both_connected(&world)) {
        for (size_t i = 0; i < 3; i++)
            sfu_dtls_input(world.server, clock_us, forged_alerts[i], sizeof(forged_alerts[i]));
        step_before_long(&world);
    }
    for (size_t i = 0; i < 3; i++)
        sfu_dtls_input(world.server, clock_us, forged_alerts[i], sizeof(forged_alerts[i]));
    CHECK_INT(sfu_dtls_state(world.server), SFU_DTLS_CONNECTED);
    world_free(&world);
}

static void another_client_hello_does_not_disturb_a_running_handshake(void) {
    struct world world;
    struct network aside = network_make(9);
    struct client attacker;
    world_make(&world, 3, &(struct client_kind){0});
    client_make(&attacker, &aside, &(struct client_kind){0});
    client_run(&attacker);
    struct datagram *forged = network_next(&aside);
    client_run(&world.client);
    while (!both_connected(&world)) {
        step_before_long(&world);
        sfu_dtls_input(world.server, clock_us, forged->bytes, forged->len);
    }
    check_same_keys(&world);
    /* Nor a connection, however late. */
    size_t sent = world.network.from_server;
    sfu_dtls_input(world.server, clock_us + 10000000, forged->bytes, forged->len);
    CHECK_INT(sfu_dtls_state(world.server), SFU_DTLS_CONNECTED);
    CHECK_INT(world.network.from_server, sent);
    client_free(&attacker);
    free(aside.datagrams);
    world_free(&world);
}

static void a_client_that_begins_anew_is_served_after_a_second(void) {
    struct world world;
    world_make(&world, 3, &(struct client_kind){0});
    client_run(&world.client);
    CHECK(world_step(&world));
    CHECK(sfu_dtls_next_deadline(world.server) != UINT64_MAX);
    client_forget(&world.client);
    uint64_t began = clock_us;
    world_run(&world, FOREVER_US);
    CHECK(both_connected(&world));
    CHECK(clock_us - began < 4000000);
    check_same_keys(&world);
    world_free(&world);
}

/* A client that begins anew would take the old attempt's flight for the answer to its own
 * ClientHello; so the timer waits until the old client shows that it is still there. */
static void after_another_client_hello_the_flight_is_repeated_only_when_asked_for(void) {
    struct world world;
    struct network aside = network_make(9);
    struct client other;
    world_make(&world, 3, &(struct client_kind){0});
    client_make(&other, &aside, &(struct client_kind){0});
    client_run(&other);
    client_run(&world.client);
    struct datagram *ours = network_next(&world.network);
    struct datagram *foreign = network_next(&aside);
    sfu_dtls_input(world.server, 5000000, ours->bytes, ours->len);
    CHECK_INT(sfu_dtls_next_deadline(world.server), 5200000);
    sfu_dtls_input(world.server, 5100000, foreign->bytes, foreign->len);
    CHECK_INT(sfu_dtls_next_deadline(world.server), UINT64_MAX);
    sfu_dtls_input(world.server, 5150000, ours->bytes, ours->len);
    CHECK_INT(sfu_dtls_next_deadline(world.server), 5350000);
    client_free(&other);
    free(aside.datagrams);
    world_free(&world);
}

/* A Certificate message with four wrong bytes: to OpenSSL the second message of a handshake. */
static const uint8_t forged_certificate[] = {22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 77, 0, 16, 11, 0,
                                             0,  4,   0,   1, 0, 0, 0, 0, 0, 4, 0,  0, 9,  9};

static void nothing_is_taken_before_a_client_hello(void) {
    struct world world;
    world_make(&world, 3, &(struct client_kind){0});
    sfu_dtls_input(world.server, clock_us, forged_certificate, sizeof(forged_certificate));
    client_run(&world.client);
    while (!both_connected(&world))
        step_before_long(&world);
    world_free(&world);
}

/* A forged message in its midst breaks OpenSSL's handshake; the association lives on. */
static void a_handshake_broken_by_a_forged_message_can_begin_anew(void) {
    struct world world;
    world_make(&world, 3, &(struct client_kind){0});
    client_run(&world.client);
    CHECK(world_step(&world));
    sfu_dtls_input(world.server, clock_us, forged_certificate, sizeof(forged_certificate));
    CHECK_INT(sfu_dtls_state(world.server), SFU_DTLS_HANDSHAKING);
    CHECK_INT(sfu_dtls_next_deadline(world.server), UINT64_MAX);
    client_forget(&world.client);
    world_run(&world, FOREVER_US);
    CHECK(both_connected(&world));
    world_free(&world);
}

static const struct test tests[] = {
    {"junk_does_not_end_a_handshake_or_a_connection",
     junk_does_not_end_a_handshake_or_a_connection},
    {"forged_alerts_end_nothing", forged_alerts_end_nothing},
    {"another_client_hello_does_not_disturb_a_running_handshake",
     another_client_hello_does_not_disturb_a_running_handshake},
    {"a_client_that_begins_anew_is_served_after_a_second",
     a_client_that_begins_anew_is_served_after_a_second},
    {"after_another_client_hello_the_flight_is_repeated_only_when_asked_for",
     after_another_client_hello_the_flight_is_repeated_only_when_asked_for},
    {"nothing_is_taken_before_a_client_hello", nothing_is_taken_before_a_client_hello},
    {"a_handshake_broken_by_a_forged_message_can_begin_anew",
     a_handshake_broken_by_a_forged_message_can_begin_anew},
};

TEST_MAIN(tests)
