/* A DTLS association and a client on OpenSSL, and an adversary between them that the input plays:
 * each step passes a datagram on, changes it, loses it, repeats it, sends one of its own, or lets
 * time go by. Nothing that it does makes the handshake fail for good, ends a connection (unless the
 * client gives up and says so), or yields other keys than the client has. */
#include "sfu/dtls.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { QUEUE_MAX = 64, LEN_MAX = 1500, STEPS_MAX = 200 };

struct queue {
    size_t count;
    size_t lens[QUEUE_MAX];
    uint8_t bytes[QUEUE_MAX][LEN_MAX];
};

struct world {
    struct sfu_dtls *server;
    SSL *client;
    uint64_t now_us;
    struct queue to_server;
    struct queue to_client;
    const uint8_t *reading; /* By the client. */
    size_t reading_len;
    bool was_connected;
    bool client_failed; /* And said so, perhaps. */
};

struct input {
    const uint8_t *data;
    size_t left;
};

static struct sfu_dtls_context *server_context;
static SSL_CTX *client_context;
static BIO_METHOD *client_bio;
static uint8_t client_fingerprint[SFU_FINGERPRINT_LEN];

static void check(bool invariant) {
    if (!invariant)
        abort();
}

static uint8_t input_byte(struct input *input) {
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->data++;
}

static void queue_put(struct queue *queue, const void *data, size_t len) {
    check(len <= LEN_MAX);
    if (queue->count == QUEUE_MAX)
        return;
    memcpy(queue->bytes[queue->count], data, len);
    queue->lens[queue->count++] = len;
}

static void queue_take(struct queue *queue, size_t index) {
    queue->count--;
    memmove(queue->bytes[index], queue->bytes[index + 1], (queue->count - index) * LEN_MAX);
    memmove(&queue->lens[index], &queue->lens[index + 1],
            (queue->count - index) * sizeof(queue->lens[0]));
}

static void server_send(void *ctx, const uint8_t *data, size_t len) {
    struct world *world = ctx;
    check(len > 0 && len <= SFU_DTLS_MTU);
    queue_put(&world->to_client, data, len);
}

static int client_read(BIO *bio, char *out, int size) {
    struct world *world = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (world->reading_len == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    int len = (int)world->reading_len < size ? (int)world->reading_len : size;
    memcpy(out, world->reading, (size_t)len);
    world->reading_len = 0;
    return len;
}

static int client_write(BIO *bio, const char *data, int len) {
    struct world *world = BIO_get_data(bio);
    queue_put(&world->to_server, data, (size_t)len);
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

static void client_certify(void) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x509 = X509_new();
    unsigned len = SFU_FINGERPRINT_LEN;
    X509_gmtime_adj(X509_getm_notBefore(x509), 0);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, key);
    check(X509_sign(x509, key, EVP_sha256()) > 0 &&
          X509_digest(x509, EVP_sha256(), client_fingerprint, &len) == 1 &&
          SSL_CTX_use_certificate(client_context, x509) == 1 &&
          SSL_CTX_use_PrivateKey(client_context, key) == 1);
    X509_free(x509);
    EVP_PKEY_free(key);
}

static void set_up(void) {
    if (client_context != NULL)
        return;
    check(sfu_dtls_context_create(&server_context) == 0);
    client_context = SSL_CTX_new(DTLS_client_method());
    SSL_CTX_set_options(client_context, SSL_OP_NO_QUERY_MTU);
    SSL_CTX_set_verify(client_context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(client_context, any_certificate, NULL);
    SSL_CTX_set_tlsext_use_srtp(client_context, "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM");
    client_certify();
    client_bio = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "client");
    BIO_meth_set_read(client_bio, client_read);
    BIO_meth_set_write(client_bio, client_write);
    BIO_meth_set_ctrl(client_bio, client_ctrl);
}

static void client_run(struct world *world) {
    uint8_t ignored[64];
    int result = SSL_is_init_finished(world->client)
                     ? SSL_read(world->client, ignored, sizeof(ignored))
                     : SSL_do_handshake(world->client);
    if (result != 1 && SSL_get_error(world->client, result) != SSL_ERROR_WANT_READ)
        world->client_failed = true;
    ERR_clear_error();
}

static void client_start(struct world *world) {
    SSL_free(world->client);
    world->client = SSL_new(client_context);
    BIO *bio = BIO_new(client_bio);
    BIO_set_data(bio, world);
    BIO_set_init(bio, 1);
    SSL_set_bio(world->client, bio, bio);
    SSL_set_mtu(world->client, 1200);
    SSL_set_connect_state(world->client);
    client_run(world);
}

/* In memory of exactly its length. */
static void server_gets(struct world *world, const uint8_t *data, size_t len) {
    uint8_t *exact = malloc(len ? len : 1);
    if (len > 0)
        memcpy(exact, data, len);
    sfu_dtls_input(world->server, world->now_us, exact, len);
    free(exact);
}

static void pass(struct world *world, struct input *input, bool to_server, bool take, bool change) {
    struct queue *queue = to_server ? &world->to_server : &world->to_client;
    if (queue->count == 0)
        return;
    size_t index = (change ? input_byte(input) : 0) % queue->count;
    uint8_t bytes[LEN_MAX];
    size_t len = queue->lens[index];
    memcpy(bytes, queue->bytes[index], len);
    if (take)
        queue_take(queue, index);
    if (change) {
        size_t at = (size_t)(input_byte(input) << 8 | input_byte(input)) % len;
        bytes[at] ^= input_byte(input);
    }
    if (to_server) {
        server_gets(world, bytes, len);
    } else {
        world->reading = bytes;
        world->reading_len = len;
        client_run(world);
        world->reading = NULL;
        world->reading_len = 0;
    }
}

static void send_own(struct world *world, struct input *input) {
    size_t len = (size_t)(input_byte(input) << 8 | input_byte(input));
    len = len < input->left ? len : input->left;
    server_gets(world, input->data, len);
    input->data += len;
    input->left -= len;
}

static void time_goes_by(struct world *world, struct input *input) {
    world->now_us += (uint64_t)input_byte(input) * 10000;
    sfu_dtls_on_deadline(world->server, world->now_us);
}

static void lose(struct world *world, bool to_server) {
    struct queue *queue = to_server ? &world->to_server : &world->to_client;
    if (queue->count > 0)
        queue_take(queue, 0);
}

static void step(struct world *world, struct input *input) {
    uint8_t what = input_byte(input);
    bool to_server = what & 1;
    switch (what >> 1 & 7) {
    case 0:
    case 1:
        pass(world, input, to_server, true, false);
        return;
    case 2:
        pass(world, input, to_server, to_server, true);
        return;
    case 3:
        pass(world, input, to_server, false, false);
        return;
    case 4:
        lose(world, to_server);
        return;
    case 5:
        send_own(world, input);
        return;
    case 6:
        time_goes_by(world, input);
        return;
    default:
        if (!world->was_connected && !SSL_is_init_finished(world->client))
            client_start(world);
        return;
    }
}

static void check_keys(const struct world *world) {
    uint8_t material[56];
    enum sfu_srtp_profile profile;
    struct sfu_srtp_key in;
    struct sfu_srtp_key out;
    check(sfu_dtls_export(world->server, &profile, &in, &out) == 0);
    check(profile == SFU_SRTP_AEAD_AES_128_GCM);
    if (!SSL_is_init_finished(world->client))
        return;
    check(SSL_export_keying_material(world->client, material, sizeof(material),
                                     "EXTRACTOR-dtls_srtp", 19, NULL, 0, 0) == 1);
    check(memcmp(in.key, material, 16) == 0 && memcmp(out.key, material + 16, 16) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct world world;
    struct input input = {.data = data, .left = size};
    set_up();
    memset(&world, 0, sizeof(world));
    world.now_us = 1000000;
    check(sfu_dtls_create(&world.server, server_context, client_fingerprint, server_send, &world) ==
          0);
    client_start(&world);
    for (int i = 0; i < STEPS_MAX && input.left > 0; i++) {
        step(&world, &input);
        enum sfu_dtls_state state = sfu_dtls_state(world.server);
        check(state != SFU_DTLS_FAILED);
        check(!world.was_connected || state != SFU_DTLS_HANDSHAKING);
        check(state != SFU_DTLS_CLOSED || (world.was_connected && world.client_failed));
        world.was_connected |= state == SFU_DTLS_CONNECTED;
        if (state == SFU_DTLS_CONNECTED)
            check_keys(&world);
    }
    sfu_dtls_close(world.server);
    sfu_dtls_destroy(world.server);
    SSL_free(world.client);
    return 0;
}
