/* DTLS with clients of all kinds, on good networks and bad ones, from ClientHello to close_notify.
 */
#include "tests/unit/sfu/dtls_world.h"

static void connects_with_every_kind_of_client(void) {
    static const struct client_kind kinds[] = {
        {0},
        {.groups = "P-256"},
        {.groups = "P-384:X25519:P-256"},
        {.rsa = true},
        {.ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305"},
        {.ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384", .mtu = 300},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct world world;
        world_make(&world, i, &kinds[i]);
        enum sfu_srtp_profile profile;
        struct sfu_srtp_key key;
        CHECK_INT(sfu_dtls_export(world.server, &profile, &key, &key), -EAGAIN);
        world_run(&world, FOREVER_US);
        CHECK(both_connected(&world));
        CHECK_INT(sfu_dtls_next_deadline(world.server), UINT64_MAX);
        check_same_keys(&world);
        world_free(&world);
    }
}

static void chooses_the_srtp_profile_in_its_own_order(void) {
    static const struct {
        const char *offered;
        enum sfu_srtp_profile chosen;
    } rows[] = {
        /* Chromium 156, Firefox ESR 153, libdatachannel, Pion 3, GStreamer 1.22. */
        {"SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM",
         SFU_SRTP_AEAD_AES_128_GCM},
        {"SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80:"
         "SRTP_AES128_CM_SHA1_32",
         SFU_SRTP_AEAD_AES_128_GCM},
        {"SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80",
         SFU_SRTP_AEAD_AES_128_GCM},
        {"SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80", SFU_SRTP_AEAD_AES_128_GCM},
        {"SRTP_AES128_CM_SHA1_80", SFU_SRTP_AES128_CM_SHA1_80},
        {"SRTP_AEAD_AES_256_GCM", SFU_SRTP_AEAD_AES_256_GCM},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world world;
        world_make(&world, i, &(struct client_kind){.profiles = rows[i].offered});
        world_run(&world, FOREVER_US);
        CHECK(both_connected(&world));
        CHECK_INT(SSL_get_selected_srtp_profile(world.client.ssl)->id, rows[i].chosen);
        check_same_keys(&world);
        world_free(&world);
    }
}

/* Thirty percent lost each way, a tenth doubled, order shuffled within 100 ms. */
static void connects_through_loss_reordering_and_duplication(void) {
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct world world;
        world_make(&world, seed, &(struct client_kind){.mtu = seed % 2 ? 300 : 1200});
        world.network.loss_percent = 30;
        world.network.duplicate_percent = 10;
        world.network.jitter_us = 100000;
        world_run(&world, FOREVER_US);
        if (!both_connected(&world))
            test_fail(__FILE__, __LINE__, "seed %d: server in state %d, client %d", (int)seed,
                      sfu_dtls_state(world.server), world.client.connected);
        check_same_keys(&world);
        world_free(&world);
    }
}

static void no_datagram_is_longer_than_the_mtu(void) {
    struct world world;
    world_make(&world, 1, &(struct client_kind){.mtu = 1200});
    world_run(&world, FOREVER_US);
    CHECK(both_connected(&world));
    CHECK(world.network.longest_from_server > 300);
    CHECK(world.network.longest_from_server <= SFU_DTLS_MTU);
    world_free(&world);
}

/* RFC 6347 section 4.2.4.1, with a first interval of 200 ms. */
static void repeats_its_flight_after_200_ms_doubling_to_2_s(void) {
    struct world world;
    world_make(&world, 1, &(struct client_kind){0});
    client_run(&world.client);
    struct datagram *hello = network_next(&world.network);
    CHECK_INT(sfu_dtls_next_deadline(world.server), UINT64_MAX);
    sfu_dtls_input(world.server, 5000000, hello->bytes, hello->len);
    size_t flight = world.network.from_server;
    CHECK(flight > 0);

    static const unsigned intervals_ms[] = {200, 400, 800, 1600, 2000, 2000};
    uint64_t at_us = 5000000;
    for (size_t i = 0; i < sizeof(intervals_ms) / sizeof(intervals_ms[0]); i++) {
        at_us += intervals_ms[i] * 1000;
        CHECK_INT(sfu_dtls_next_deadline(world.server), at_us);
        sfu_dtls_on_deadline(world.server, at_us - 1);
        CHECK_INT(world.network.from_server, flight * (i + 1));
        sfu_dtls_on_deadline(world.server, at_us);
        CHECK_INT(world.network.from_server, flight * (i + 2));
    }
    world_free(&world);
}

static uint64_t record_seq(const uint8_t *record) {
    uint64_t seq = 0;
    for (int i = 5; i < 11; i++)
        seq = seq << 8 | record[i];
    return seq;
}

static void repeated_records_have_new_sequence_numbers(void) {
    struct world world;
    world_make(&world, 1, &(struct client_kind){0});
    client_run(&world.client);
    struct datagram *hello = network_next(&world.network);
    hello->delivered = true;
    sfu_dtls_input(world.server, clock_us, hello->bytes, hello->len);
    sfu_dtls_on_deadline(world.server, clock_us + 200000);
    uint64_t expected = 0;
    for (size_t i = 0; i < world.network.count; i++) {
        const uint8_t *cursor = world.network.datagrams[i].bytes;
        size_t left = world.network.datagrams[i].len;
        struct sfu_dtls_record record;
        while (!world.network.datagrams[i].to_server &&
               sfu_dtls_record_next(&cursor, &left, &record))
            CHECK_INT(record_seq(record.bytes), expected++);
    }
    CHECK(expected >= 10);
    world_free(&world);
}

static void answers_a_repeated_client_hello_at_once_but_not_a_storm_of_them(void) {
    struct world world;
    world_make(&world, 1, &(struct client_kind){0});
    client_run(&world.client);
    struct datagram *hello = network_next(&world.network);
    sfu_dtls_input(world.server, 5000000, hello->bytes, hello->len);
    size_t flight = world.network.from_server;
    for (int i = 1; i <= 49; i++)
        sfu_dtls_input(world.server, 5000000 + i * 1000, hello->bytes, hello->len);
    CHECK_INT(world.network.from_server, flight);
    sfu_dtls_input(world.server, 5050000, hello->bytes, hello->len);
    CHECK_INT(world.network.from_server, 2 * flight);
    world_free(&world);
}

static void put_24(uint8_t *out, size_t value) {
    out[0] = (uint8_t)(value >> 16);
    out[1] = (uint8_t)(value >> 8);
    out[2] = (uint8_t)value;
}

/* The part of a ClientHello (one record, unfragmented) from offset on, as a record of its own. */
static size_t fragment_make(const struct datagram *hello, size_t offset, size_t len, uint8_t seq,
                            uint8_t *out) {
    memcpy(out, hello->bytes, 25);
    out[10] = seq;
    out[11] = (uint8_t)((12 + len) >> 8);
    out[12] = (uint8_t)(12 + len);
    put_24(out + 19, offset);
    put_24(out + 22, len);
    memcpy(out + 25, hello->bytes + 25 + offset, len);
    return 25 + len;
}

static void takes_the_fragments_of_a_client_hello_in_any_order_and_repetition(void) {
    static const uint8_t orders[][6] = {
        {0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}, {2, 2, 1, 1, 0, 0},
    };
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        struct world world;
        world_make(&world, i, &(struct client_kind){0});
        client_run(&world.client);
        struct datagram *hello = network_next(&world.network);
        hello->delivered = true;
        size_t body = hello->len - 25;
        size_t third = body / 3;
        for (size_t k = 0; k < (i == 6 ? 6 : 3); k++) {
            uint8_t record[DATAGRAM_LEN_MAX];
            size_t offset = orders[i][k] * third;
            size_t len = orders[i][k] == 2 ? body - offset : third;
            size_t record_len = fragment_make(hello, offset, len, (uint8_t)k, record);
            CHECK(k >= 3 || world.network.from_server == 0);
            sfu_dtls_input(world.server, clock_us, record, record_len);
        }
        CHECK(world.network.from_server > 0);
        world_run(&world, FOREVER_US);
        CHECK(both_connected(&world));
        world_free(&world);
    }
}

static void a_wrong_fingerprint_fails_without_keys(void) {
    struct world world;
    world_make(&world, 1, &(struct client_kind){0});
    sfu_dtls_destroy(world.server);
    world.client.fingerprint[31] ^= 1;
    CHECK_INT(sfu_dtls_create(&world.server, world.context, world.client.fingerprint, server_send,
                              &world),
              0);
    world_run(&world, 5000000);
    CHECK_INT(sfu_dtls_state(world.server), SFU_DTLS_FAILED);
    CHECK_STR(sfu_dtls_reason(world.server), "the certificate does not match the fingerprint");
    enum sfu_srtp_profile profile;
    struct sfu_srtp_key key;
    CHECK_INT(sfu_dtls_export(world.server, &profile, &key, &key), -EAGAIN);
    CHECK_INT(sfu_dtls_next_deadline(world.server), UINT64_MAX);
    world_free(&world);
}

static void after_a_failure_the_right_client_is_still_answered(void) {
    struct world world;
    struct client right;
    world_make(&world, 1, &(struct client_kind){0});
    client_make(&right, &world.network, &(struct client_kind){0});
    sfu_dtls_destroy(world.server);
    CHECK_INT(sfu_dtls_create(&world.server, world.context, right.fingerprint, server_send, &world),
              0);
    world_run(&world, 5000000);
    CHECK_INT(sfu_dtls_state(world.server), SFU_DTLS_FAILED);
    world_drain(&world);

    struct client wrong = world.client;
    world.client = right;
    BIO_set_data(SSL_get_rbio(world.client.ssl), &world.client);
    world_run(&world, FOREVER_US);
    CHECK(both_connected(&world));
    check_same_keys(&world);
    client_free(&wrong);
    world_free(&world);
}

static void no_srtp_profile_in_common_fails(void) {
    static const char *const offers[] = {"", "SRTP_AES128_CM_SHA1_32"};
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        world_make(&world, i, &(struct client_kind){.profiles = offers[i]});
        world_run(&world, 5000000);
        CHECK_INT(sfu_dtls_state(world.server), SFU_DTLS_FAILED);
        CHECK_STR(sfu_dtls_reason(world.server), "no SRTP profile in common");
        world_free(&world);
    }
}

static void never_connects_a_client_without_certificate_or_with_dtls_1_0(void) {
    static const struct client_kind kinds[] = {
        {.no_certificate = true},
        {.version = DTLS1_VERSION, .ciphers = "ALL:@SECLEVEL=0"},
    };
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        world_make(&world, i, &kinds[i]);
        world_run(&world, 5000000);
        CHECK_INT(sfu_dtls_state(world.server), SFU_DTLS_HANDSHAKING);
        world_free(&world);
    }
}

static void the_last_flight_is_repeated_when_the_finished_comes_again(void) {
    struct world world;
    world_make(&world, 3, &(struct client_kind){0});
    client_run(&world.client);
    while (sfu_dtls_state(world.server) != SFU_DTLS_CONNECTED)
        step_before_long(&world);
    /* The server's CCS and Finished are lost. */
    network_next(&world.network)->delivered = true;
    CHECK(network_next(&world.network) == NULL);
    CHECK(!world.client.connected);
    world_run(&world, FOREVER_US);
    CHECK(both_connected(&world));
    world_free(&world);
}

static void a_close_notify_of_the_peer_closes(void) {
    struct world world;
    world_make(&world, 1, &(struct client_kind){0});
    world_run(&world, FOREVER_US);
    SSL_shutdown(world.client.ssl);
    struct datagram *close = network_next(&world.network);
    uint8_t tampered[DATAGRAM_LEN_MAX];
    memcpy(tampered, close->bytes, close->len);
    tampered[close->len - 1] ^= 1;
    CHECK_INT(sfu_dtls_input(world.server, clock_us, tampered, close->len), SFU_DTLS_CONNECTED);
    CHECK_INT(sfu_dtls_input(world.server, clock_us, close->bytes, close->len), SFU_DTLS_CLOSED);
    world_free(&world);
}

/* OpenSSL's client gives up at a record of a type that there is not, and says so in an encrypted
 * alert since it has sent its Finished. */
static void a_fatal_alert_of_the_peer_closes_when_it_is_authentic(void) {
    struct world world;
    world_make(&world, 3, &(struct client_kind){0});
    client_run(&world.client);
    while (sfu_dtls_state(world.server) != SFU_DTLS_CONNECTED)
        step_before_long(&world);
    network_next(&world.network)->bytes[0] = 54;
    CHECK(world_step(&world));
    struct datagram *alert = network_next(&world.network);
    CHECK_INT(alert->bytes[0], SFU_DTLS_ALERT);
    CHECK_INT(sfu_dtls_input(world.server, clock_us, alert->bytes, alert->len), SFU_DTLS_CLOSED);
    world_free(&world);
}

static void closing_tells_the_peer(void) {
    struct world world;
    world_make(&world, 1, &(struct client_kind){0});
    sfu_dtls_close(world.server); /* Not connected: nothing to say. */
    CHECK_INT(world.network.from_server, 0);
    world_run(&world, FOREVER_US);
    sfu_dtls_close(world.server);
    CHECK_INT(sfu_dtls_state(world.server), SFU_DTLS_CLOSED);
    world_drain(&world);
    CHECK(SSL_get_shutdown(world.client.ssl) & SSL_RECEIVED_SHUTDOWN);
    world_free(&world);
}

static void renegotiation_is_refused(void) {
    struct world world;
    world_make(&world, 1, &(struct client_kind){0});
    world_run(&world, FOREVER_US);
    world.network.longest_from_server = 0;
    SSL_renegotiate(world.client.ssl);
    SSL_do_handshake(world.client.ssl);
    CHECK(world_step(&world));
    CHECK(world.network.longest_from_server > 0);
    CHECK(world.network.longest_from_server < 100); /* An alert, no ServerHello. */
    CHECK_INT(sfu_dtls_state(world.server), SFU_DTLS_CONNECTED);
    CHECK_INT(sfu_dtls_next_deadline(world.server), UINT64_MAX);
    world_free(&world);
}

static void the_fingerprint_is_that_of_the_certificate_shown(void) {
    struct world world;
    world_make(&world, 1, &(struct client_kind){0});
    world_run(&world, FOREVER_US);
    uint8_t digest[SFU_FINGERPRINT_LEN];
    unsigned len = sizeof(digest);
    X509 *shown = SSL_get1_peer_certificate(world.client.ssl);
    CHECK(X509_digest(shown, EVP_sha256(), digest, &len) == 1);
    char text[SFU_FINGERPRINT_TEXT + 1];
    for (size_t i = 0; i < len; i++)
        snprintf(text + 3 * i, 4, "%02X:", digest[i]);
    text[95] = '\0';
    CHECK_STR(sfu_dtls_context_fingerprint(world.context), text);
    CHECK(X509_cmp_time(X509_get0_notBefore(shown), &(time_t){time(NULL) - 3600}) < 0);
    CHECK(X509_cmp_time(X509_get0_notAfter(shown), &(time_t){time(NULL) + 86400L * 364}) > 0);
    X509_free(shown);
    world_free(&world);
}

static const struct test tests[] = {
    {"connects_with_every_kind_of_client", connects_with_every_kind_of_client},
    {"chooses_the_srtp_profile_in_its_own_order", chooses_the_srtp_profile_in_its_own_order},
    {"connects_through_loss_reordering_and_duplication",
     connects_through_loss_reordering_and_duplication},
    {"no_datagram_is_longer_than_the_mtu", no_datagram_is_longer_than_the_mtu},
    {"repeats_its_flight_after_200_ms_doubling_to_2_s",
     repeats_its_flight_after_200_ms_doubling_to_2_s},
    {"repeated_records_have_new_sequence_numbers", repeated_records_have_new_sequence_numbers},
    {"answers_a_repeated_client_hello_at_once_but_not_a_storm_of_them",
     answers_a_repeated_client_hello_at_once_but_not_a_storm_of_them},
    {"takes_the_fragments_of_a_client_hello_in_any_order_and_repetition",
     takes_the_fragments_of_a_client_hello_in_any_order_and_repetition},
    {"a_wrong_fingerprint_fails_without_keys", a_wrong_fingerprint_fails_without_keys},
    {"after_a_failure_the_right_client_is_still_answered",
     after_a_failure_the_right_client_is_still_answered},
    {"no_srtp_profile_in_common_fails", no_srtp_profile_in_common_fails},
    {"never_connects_a_client_without_certificate_or_with_dtls_1_0",
     never_connects_a_client_without_certificate_or_with_dtls_1_0},
    {"the_last_flight_is_repeated_when_the_finished_comes_again",
     the_last_flight_is_repeated_when_the_finished_comes_again},
    {"a_close_notify_of_the_peer_closes", a_close_notify_of_the_peer_closes},
    {"a_fatal_alert_of_the_peer_closes_when_it_is_authentic",
     a_fatal_alert_of_the_peer_closes_when_it_is_authentic},
    {"closing_tells_the_peer", closing_tells_the_peer},
    {"renegotiation_is_refused", renegotiation_is_refused},
    {"the_fingerprint_is_that_of_the_certificate_shown",
     the_fingerprint_is_that_of_the_certificate_shown},
};

TEST_MAIN(tests)
