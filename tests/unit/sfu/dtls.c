/* DTLS against clients on OpenSSL, over a seeded network in virtual time: OpenSSL's client reads
 * the clock by gettimeofday, which this file replaces. */
#include "sfu/dtls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>

#include "sfu/dtls_record.h"
#include "tests/unit/test.h"

enum {
    DATAGRAMS_MAX = 4096,
    DATAGRAM_LEN_MAX = 1500,
    DELAY_US = 20000,
    FOREVER_US = 60000000,
};

static uint64_t clock_us = 1000000;

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    now->tv_sec = (time_t)(clock_us / 1000000);
    now->tv_usec = (suseconds_t)(clock_us % 1000000);
    return 0;
}

/* xorshift64*: the same network for the same seed. */
static uint64_t random_next(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 2685821657736338717ULL;
}

struct datagram {
    uint64_t at_us;
    bool to_server;
    bool delivered;
    size_t len;
    uint8_t bytes[DATAGRAM_LEN_MAX];
};

struct network {
    /* Given. */
    unsigned loss_percent;
    unsigned duplicate_percent;
    unsigned jitter_us;
    /* State. */
    uint64_t seed;
    size_t count;
    struct datagram *datagrams;
    size_t from_server;
    size_t longest_from_server;
};

struct client {
    SSL_CTX *ctx;
    SSL *ssl;
    struct network *network;
    bool connected;
    uint8_t fingerprint[SFU_FINGERPRINT_LEN];
    struct datagram inbox;
    bool muted; /* What it sends is lost. */
};

static void network_put(struct network *network, bool to_server, const void *data, size_t len) {
    CHECK(len <= DATAGRAM_LEN_MAX && network->count < DATAGRAMS_MAX);
    if (random_next(&network->seed) % 100 < network->loss_percent)
        return;
    unsigned copies = random_next(&network->seed) % 100 < network->duplicate_percent ? 2 : 1;
    while (copies-- > 0) {
        struct datagram *datagram = &network->datagrams[network->count++];
        uint64_t jitter = network->jitter_us ? random_next(&network->seed) % network->jitter_us : 0;
        *datagram = (struct datagram){
            .at_us = clock_us + DELAY_US + jitter, .to_server = to_server, .len = len};
        memcpy(datagram->bytes, data, len);
    }
}

static struct datagram *network_next(struct network *network) {
    struct datagram *first = NULL;
    for (size_t i = 0; i < network->count; i++) {
        struct datagram *datagram = &network->datagrams[i];
        if (!datagram->delivered && (first == NULL || datagram->at_us < first->at_us))
            first = datagram;
    }
    return first;
}

static struct network network_make(uint64_t seed) {
    return (struct network){.seed = seed * 2 + 1,
                            .datagrams = calloc(DATAGRAMS_MAX, sizeof(struct datagram))};
}

static int client_read(BIO *bio, char *out, int size) {
    struct client *client = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (client->inbox.len == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    int len = (int)client->inbox.len < size ? (int)client->inbox.len : size;
    memcpy(out, client->inbox.bytes, (size_t)len);
    client->inbox.len = 0;
    return len;
}

static int client_write(BIO *bio, const char *data, int len) {
    struct client *client = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (!client->muted)
        network_put(client->network, true, data, (size_t)len);
    return len;
}

static long client_ctrl(BIO *bio, int command, long number, void *pointer) {
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static int any_certificate(X509_STORE_CTX *store, void *arg) {
    (void)store;
    (void)arg;
    return 1;
}

/* What a client is like, as far as the tests vary it. NULL: the usual. */
struct client_kind {
    const char *profiles;
    const char *groups;
    const char *ciphers;
    bool rsa;
    bool no_certificate;
    long mtu;
    int version;
};

static void client_certify(struct client *client, const struct client_kind *kind) {
    EVP_PKEY *key = kind->rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
    X509 *x509 = X509_new();
    unsigned len = SFU_FINGERPRINT_LEN;
    CHECK(key != NULL && x509 != NULL);
    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 7);
    X509_gmtime_adj(X509_getm_notBefore(x509), 0);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                               (const uint8_t *)"client", -1, -1, 0);
    X509_set_issuer_name(x509, X509_get_subject_name(x509));
    X509_set_pubkey(x509, key);
    CHECK(X509_sign(x509, key, EVP_sha256()) > 0);
    CHECK(X509_digest(x509, EVP_sha256(), client->fingerprint, &len) == 1);
    if (!kind->no_certificate) {
        CHECK(SSL_CTX_use_certificate(client->ctx, x509) == 1);
        CHECK(SSL_CTX_use_PrivateKey(client->ctx, key) == 1);
    }
    X509_free(x509);
    EVP_PKEY_free(key);
}

/* Like browsers, which do not wait as long as OpenSSL does by itself. */
static unsigned client_timer(SSL *ssl, unsigned timer_us) {
    (void)ssl;
    return timer_us == 0 ? 100000 : timer_us < 2000000 ? 2 * timer_us : timer_us;
}

static void client_start(struct client *client) {
    static BIO_METHOD *method;
    if (method == NULL) {
        method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "client");
        BIO_meth_set_read(method, client_read);
        BIO_meth_set_write(method, client_write);
        BIO_meth_set_ctrl(method, client_ctrl);
    }
    SSL_free(client->ssl);
    client->connected = false;
    client->ssl = SSL_new(client->ctx);
    BIO *bio = BIO_new(method);
    BIO_set_data(bio, client);
    BIO_set_init(bio, 1);
    SSL_set_bio(client->ssl, bio, bio);
    SSL_set_connect_state(client->ssl);
    SSL_set_mtu(client->ssl, 1200);
    DTLS_set_timer_cb(client->ssl, client_timer);
}

/* Begins anew, and what is still on the way never arrives. */
static void client_forget(struct client *client) {
    struct datagram *datagram;
    while ((datagram = network_next(client->network)) != NULL)
        datagram->delivered = true;
    client_start(client);
}

static void client_make(struct client *client, struct network *network,
                        const struct client_kind *kind) {
    *client = (struct client){.ctx = SSL_CTX_new(DTLS_client_method()), .network = network};
    int version = kind->version ? kind->version : DTLS1_2_VERSION;
    SSL_CTX_set_min_proto_version(client->ctx, version);
    SSL_CTX_set_max_proto_version(client->ctx, version);
    SSL_CTX_set_options(client->ctx, SSL_OP_NO_QUERY_MTU);
    SSL_CTX_set_verify(client->ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(client->ctx, any_certificate, NULL);
    if (version == DTLS1_VERSION)
        SSL_CTX_set_security_level(client->ctx, 0);
    if (kind->groups)
        CHECK(SSL_CTX_set1_groups_list(client->ctx, kind->groups) == 1);
    if (kind->ciphers)
        CHECK(SSL_CTX_set_cipher_list(client->ctx, kind->ciphers) == 1);
    const char *profiles = kind->profiles ? kind->profiles : "SRTP_AEAD_AES_128_GCM";
    if (profiles[0] != '\0')
        CHECK(SSL_CTX_set_tlsext_use_srtp(client->ctx, profiles) == 0);
    client_certify(client, kind);
    client_start(client);
    if (kind->mtu)
        SSL_set_mtu(client->ssl, kind->mtu);
}

static void client_run(struct client *client) {
    uint8_t ignored[64];
    if (!client->connected)
        client->connected = SSL_do_handshake(client->ssl) == 1;
    else
        SSL_read(client->ssl, ignored, sizeof(ignored));
    ERR_clear_error();
}

static void client_free(struct client *client) {
    SSL_free(client->ssl);
    SSL_CTX_free(client->ctx);
}

/* A server, a client and the network between them. */
struct world {
    struct network network;
    struct client client;
    struct sfu_dtls_context *context;
    struct sfu_dtls *server;
};

static void server_send(void *ctx, const uint8_t *data, size_t len) {
    struct world *world = ctx;
    world->network.from_server++;
    if (len > world->network.longest_from_server)
        world->network.longest_from_server = len;
    network_put(&world->network, false, data, len);
}

static void world_make(struct world *world, uint64_t seed, const struct client_kind *kind) {
    memset(world, 0, sizeof(*world));
    world->network = network_make(seed);
    client_make(&world->client, &world->network, kind);
    CHECK_INT(sfu_dtls_context_create(&world->context), 0);
    CHECK_INT(sfu_dtls_create(&world->server, world->context, world->client.fingerprint,
                              server_send, world),
              0);
}

static void world_free(struct world *world) {
    sfu_dtls_destroy(world->server);
    sfu_dtls_context_destroy(world->context);
    client_free(&world->client);
    free(world->network.datagrams);
}

static uint64_t client_deadline(struct client *client) {
    struct timeval left;
    if (client->connected || DTLSv1_get_timeout(client->ssl, &left) != 1)
        return UINT64_MAX;
    return clock_us + (uint64_t)left.tv_sec * 1000000 + (uint64_t)left.tv_usec;
}

static void deliver(struct world *world, struct datagram *datagram) {
    datagram->delivered = true;
    if (datagram->to_server) {
        sfu_dtls_input(world->server, clock_us, datagram->bytes, datagram->len);
    } else {
        world->client.inbox = *datagram;
        client_run(&world->client);
    }
}

/* The next thing that happens; false when nothing will. */
static bool world_step(struct world *world) {
    struct datagram *datagram = network_next(&world->network);
    uint64_t arrival = datagram ? datagram->at_us : UINT64_MAX;
    uint64_t server = sfu_dtls_next_deadline(world->server);
    uint64_t client = client_deadline(&world->client);
    uint64_t next = arrival < server ? arrival : server;
    next = next < client ? next : client;
    if (next == UINT64_MAX)
        return false;
    clock_us = next > clock_us ? next : clock_us;
    if (next == arrival)
        deliver(world, datagram);
    else if (next == server)
        sfu_dtls_on_deadline(world->server, clock_us);
    else
        DTLSv1_handle_timeout(world->client.ssl);
    return true;
}

/* Without loss a handshake is over in a tenth of this. */
static void step_before_long(struct world *world) {
    CHECK(world_step(world));
    CHECK(clock_us < 3000000);
}

static bool both_connected(const struct world *world) {
    return world->client.connected && sfu_dtls_state(world->server) == SFU_DTLS_CONNECTED;
}

static void world_run(struct world *world, uint64_t for_us) {
    uint64_t end = clock_us + for_us;
    client_run(&world->client);
    while (clock_us < end && !both_connected(world) && world_step(world))
        ;
}

/* Delivers what is on the way. */
static void world_drain(struct world *world) {
    struct datagram *datagram;
    while ((datagram = network_next(&world->network)) != NULL) {
        clock_us = datagram->at_us > clock_us ? datagram->at_us : clock_us;
        deliver(world, datagram);
    }
}

static void check_same_keys(const struct world *world) {
    static const char label[] = "EXTRACTOR-dtls_srtp";
    uint8_t material[128];
    enum sfu_srtp_profile profile;
    struct sfu_srtp_key in;
    struct sfu_srtp_key out;
    CHECK_INT(sfu_dtls_export(world->server, &profile, &in, &out), 0);
    SRTP_PROTECTION_PROFILE *theirs = SSL_get_selected_srtp_profile(world->client.ssl);
    CHECK(theirs != NULL);
    CHECK_INT(profile, theirs->id);
    size_t key = sfu_srtp_key_len(profile);
    size_t salt = sfu_srtp_salt_len(profile);
    CHECK(SSL_export_keying_material(world->client.ssl, material, 2 * (key + salt), label,
                                     strlen(label), NULL, 0, 0) == 1);
    CHECK_BYTES(in.key, key, material, key);
    CHECK_BYTES(out.key, key, material + key, key);
    CHECK_BYTES(in.salt, salt, material + 2 * key, salt);
    CHECK_BYTES(out.salt, salt, material + 2 * key + salt, salt);
}

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
