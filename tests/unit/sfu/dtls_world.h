/* A DTLS server, a client on OpenSSL, and a seeded network between them in virtual time: OpenSSL's
 * client reads the clock by gettimeofday, which this file replaces. */
#ifndef TESTS_UNIT_SFU_DTLS_WORLD_H
#define TESTS_UNIT_SFU_DTLS_WORLD_H

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
static inline uint64_t random_next(uint64_t *state) {
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

static inline void network_put(struct network *network, bool to_server, const void *data,
                               size_t len) {
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

static inline struct datagram *network_next(struct network *network) {
    struct datagram *first = NULL;
    for (size_t i = 0; i < network->count; i++) {
        struct datagram *datagram = &network->datagrams[i];
        if (!datagram->delivered && (first == NULL || datagram->at_us < first->at_us))
            first = datagram;
    }
    return first;
}

static inline struct network network_make(uint64_t seed) {
    return (struct network){.seed = seed * 2 + 1,
                            .datagrams = calloc(DATAGRAMS_MAX, sizeof(struct datagram))};
}

static inline int client_read(BIO *bio, char *out, int size) {
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

static inline int client_write(BIO *bio, const char *data, int len) {
    struct client *client = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (!client->muted)
        network_put(client->network, true, data, (size_t)len);
    return len;
}

static inline long client_ctrl(BIO *bio, int command, long number, void *pointer) {
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static inline int any_certificate(X509_STORE_CTX *store, void *arg) {
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

static inline void client_certify(struct client *client, const struct client_kind *kind) {
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
static inline unsigned client_timer(SSL *ssl, unsigned timer_us) {
    (void)ssl;
    return timer_us == 0 ? 100000 : timer_us < 2000000 ? 2 * timer_us : timer_us;
}

static inline void client_start(struct client *client) {
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
static inline void client_forget(struct client *client) {
    struct datagram *datagram;
    while ((datagram = network_next(client->network)) != NULL)
        datagram->delivered = true;
    client_start(client);
}

static inline void client_make(struct client *client, struct network *network,
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

static inline void client_run(struct client *client) {
    uint8_t ignored[64];
    if (!client->connected)
        client->connected = SSL_do_handshake(client->ssl) == 1;
    else
        SSL_read(client->ssl, ignored, sizeof(ignored));
    ERR_clear_error();
}

static inline void client_free(struct client *client) {
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

static inline void server_send(void *ctx, const uint8_t *data, size_t len) {
    struct world *world = ctx;
    world->network.from_server++;
    if (len > world->network.longest_from_server)
        world->network.longest_from_server = len;
    network_put(&world->network, false, data, len);
}

static inline void world_make(struct world *world, uint64_t seed, const struct client_kind *kind) {
    memset(world, 0, sizeof(*world));
    world->network = network_make(seed);
    client_make(&world->client, &world->network, kind);
    CHECK_INT(sfu_dtls_context_create(&world->context), 0);
    CHECK_INT(sfu_dtls_create(&world->server, world->context, world->client.fingerprint,
                              server_send, world),
              0);
}

static inline void world_free(struct world *world) {
    sfu_dtls_destroy(world->server);
    sfu_dtls_context_destroy(world->context);
    client_free(&world->client);
    free(world->network.datagrams);
}

static inline uint64_t client_deadline(struct client *client) {
    struct timeval left;
    if (client->connected || DTLSv1_get_timeout(client->ssl, &left) != 1)
        return UINT64_MAX;
    return clock_us + (uint64_t)left.tv_sec * 1000000 + (uint64_t)left.tv_usec;
}

static inline void deliver(struct world *world, struct datagram *datagram) {
    datagram->delivered = true;
    if (datagram->to_server) {
        sfu_dtls_input(world->server, clock_us, datagram->bytes, datagram->len);
    } else {
        world->client.inbox = *datagram;
        client_run(&world->client);
    }
}

/* The next thing that happens; false when nothing will. */
static inline bool world_step(struct world *world) {
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
static inline void step_before_long(struct world *world) {
    CHECK(world_step(world));
    CHECK(clock_us < 3000000);
}

static inline bool both_connected(const struct world *world) {
    return world->client.connected && sfu_dtls_state(world->server) == SFU_DTLS_CONNECTED;
}

static inline void world_run(struct world *world, uint64_t for_us) {
    uint64_t end = clock_us + for_us;
    client_run(&world->client);
    while (clock_us < end && !both_connected(world) && world_step(world))
        ;
}

/* Delivers what is on the way. */
static inline void world_drain(struct world *world) {
    struct datagram *datagram;
    while ((datagram = network_next(&world->network)) != NULL) {
        clock_us = datagram->at_us > clock_us ? datagram->at_us : clock_us;
        deliver(world, datagram);
    }
}

static inline void check_same_keys(const struct world *world) {
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

#endif
