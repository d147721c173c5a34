#include "bench/dtls.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "sfu/dtls_record.h"
#include "sfu/dtls_session.h"

enum {
    MTU = 1200,
    FLIGHT_DATAGRAMS = 8,
    RETRANSMIT_FIRST_US = 200000, /* As today's browsers: RFC 6347's second is felt by the user. */
    RETRANSMIT_MAX_US = 2000000,
    OPENSSL_TIMER_US = 3600000000U, /* Out of the way: it reads the clock. */
};

struct bench_dtls_context {
    SSL_CTX *ssl_ctx;
    BIO_METHOD *method;
    uint8_t fingerprint[SFU_FINGERPRINT_LEN];
};

struct bench_dtls {
    /* Given. */
    bench_dtls_send_fn send;
    void *ctx;
    /* Owned. */
    SSL *ssl;
    /* State. */
    bool connected;
    const uint8_t *incoming;
    size_t incoming_len;
    bool answering; /* OpenSSL has written nothing yet since the last datagram came. */
    uint8_t flight[FLIGHT_DATAGRAMS][MTU]; /* Our latest, to be sent again. */
    size_t flight_len[FLIGHT_DATAGRAMS];
    size_t flight_count;
    uint64_t next_seq;               /* Of epoch 0, in place of OpenSSL's. */
    struct sfu_dtls_session session; /* Once our Finished has been repeated. */
    bool has_session;
    uint64_t resend_at_us;
    uint64_t interval_us;
};

static int bio_read(BIO *bio, char *out, int size) {
    struct bench_dtls *dtls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (dtls->incoming_len == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t len = dtls->incoming_len < (size_t)size ? dtls->incoming_len : (size_t)size;
    memcpy(out, dtls->incoming, len);
    dtls->incoming_len = 0;
    return (int)len;
}

static int bio_write(BIO *bio, const char *data, int len) {
    struct bench_dtls *dtls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (dtls->answering)
        dtls->flight_count = 0; /* A new flight takes the place of the old. */
    dtls->answering = false;
    assert(dtls->flight_count < FLIGHT_DATAGRAMS && len <= MTU);
    uint8_t *datagram = dtls->flight[dtls->flight_count];
    memcpy(datagram, data, (size_t)len);
    sfu_dtls_renumber(datagram, (size_t)len, &dtls->next_seq);
    dtls->flight_len[dtls->flight_count++] = (size_t)len;
    dtls->send(dtls->ctx, datagram, (size_t)len);
    return len;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer) {
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static int accept_any_chain(X509_STORE_CTX *store, void *arg) {
    (void)store;
    (void)arg;
    return 1;
}

static bool use_certificate(struct bench_dtls_context *context) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x509 = X509_new();
    unsigned len = SFU_FINGERPRINT_LEN;
    bool done = key && x509 && X509_set_version(x509, 2) == 1 &&
                ASN1_INTEGER_set(X509_get_serialNumber(x509), 1) == 1 &&
                X509_gmtime_adj(X509_getm_notBefore(x509), -86400) &&
                X509_gmtime_adj(X509_getm_notAfter(x509), 86400L * 30) &&
                X509_set_pubkey(x509, key) == 1 && X509_sign(x509, key, EVP_sha256()) > 0 &&
                X509_digest(x509, EVP_sha256(), context->fingerprint, &len) == 1 &&
                SSL_CTX_use_certificate(context->ssl_ctx, x509) == 1 &&
                SSL_CTX_use_PrivateKey(context->ssl_ctx, key) == 1;
    X509_free(x509);
    EVP_PKEY_free(key);
    return done;
}

int bench_dtls_context_create(struct bench_dtls_context **out, const char *profiles) {
    struct bench_dtls_context *context = calloc(1, sizeof(*context));
    if (context == NULL)
        return -ENOMEM;
    context->ssl_ctx = SSL_CTX_new(DTLS_client_method());
    context->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "client");
    if (context->ssl_ctx == NULL || context->method == NULL || !use_certificate(context) ||
        SSL_CTX_set_tlsext_use_srtp(context->ssl_ctx, profiles) != 0) {
        bench_dtls_context_destroy(context);
        return -EIO;
    }
    BIO_meth_set_read(context->method, bio_read);
    BIO_meth_set_write(context->method, bio_write);
    BIO_meth_set_ctrl(context->method, bio_ctrl);
    SSL_CTX_set_options(context->ssl_ctx, SSL_OP_NO_QUERY_MTU);
    SSL_CTX_set_verify(context->ssl_ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(context->ssl_ctx, accept_any_chain, NULL);
    *out = context;
    return 0;
}

void bench_dtls_context_destroy(struct bench_dtls_context *context) {
    if (context == NULL)
        return;
    SSL_CTX_free(context->ssl_ctx);
    BIO_meth_free(context->method);
    free(context);
}

const uint8_t *bench_dtls_context_fingerprint(const struct bench_dtls_context *context) {
    return context->fingerprint;
}

static unsigned openssl_timer(SSL *ssl, unsigned timer_us) {
    (void)ssl;
    (void)timer_us;
    return OPENSSL_TIMER_US;
}

int bench_dtls_create(struct bench_dtls **out, struct bench_dtls_context *context,
                      bench_dtls_send_fn send, void *ctx) {
    struct bench_dtls *dtls = calloc(1, sizeof(*dtls));
    SSL *ssl = SSL_new(context->ssl_ctx);
    BIO *bio = BIO_new(context->method);
    if (dtls == NULL || ssl == NULL || bio == NULL) {
        free(dtls);
        SSL_free(ssl);
        BIO_free(bio);
        return -ENOMEM;
    }
    *dtls = (struct bench_dtls){.send = send, .ctx = ctx, .ssl = ssl, .resend_at_us = UINT64_MAX};
    BIO_set_data(bio, dtls);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_mtu(ssl, MTU);
    DTLS_set_timer_cb(ssl, openssl_timer);
    SSL_set_connect_state(ssl);
    *out = dtls;
    return 0;
}

void bench_dtls_destroy(struct bench_dtls *dtls) {
    if (dtls == NULL)
        return;
    SSL_free(dtls->ssl);
    free(dtls);
}

static void step(struct bench_dtls *dtls, uint64_t now_us) {
    dtls->answering = true;
    if (SSL_do_handshake(dtls->ssl) == 1)
        dtls->connected = true;
    ERR_clear_error();
    if (!dtls->answering) {
        dtls->interval_us = RETRANSMIT_FIRST_US;
        dtls->resend_at_us = now_us + dtls->interval_us;
    }
    if (dtls->connected)
        dtls->resend_at_us = UINT64_MAX;
}

void bench_dtls_begin(struct bench_dtls *dtls, uint64_t now_us) {
    step(dtls, now_us);
}

bool bench_dtls_input(struct bench_dtls *dtls, uint64_t now_us, const uint8_t *data, size_t len) {
    if (dtls->connected)
        return true;
    dtls->incoming = data;
    dtls->incoming_len = len;
    step(dtls, now_us);
    dtls->incoming_len = 0;
    return dtls->connected;
}

uint64_t bench_dtls_next_deadline(const struct bench_dtls *dtls) {
    return dtls->resend_at_us;
}

/* Our Finished is encrypted under its number, and OpenSSL encrypts it again only by its own clock.
 */
static void finished_renew(struct bench_dtls *dtls, const struct sfu_dtls_record *record) {
    uint8_t sealed[SFU_DTLS_SEALED_MAX];
    if (!dtls->has_session)
        dtls->has_session =
            sfu_dtls_session_begin(&dtls->session, dtls->ssl, record->bytes, record->len);
    if (dtls->has_session &&
        sfu_dtls_session_seal(&dtls->session, SFU_DTLS_HANDSHAKE, dtls->session.finished,
                              SFU_DTLS_FINISHED_LEN, sealed) == record->len)
        memcpy((uint8_t *)record->bytes, sealed, record->len);
}

/* RFC 6347 section 4.2.4: what is sent again has new record numbers, since old ones are replays. */
static void flight_renumber(struct bench_dtls *dtls, uint8_t *datagram, size_t len) {
    const uint8_t *data = datagram;
    struct sfu_dtls_record record;
    sfu_dtls_renumber(datagram, len, &dtls->next_seq);
    while (sfu_dtls_record_next(&data, &len, &record))
        if (record.epoch > 0 && record.type == SFU_DTLS_HANDSHAKE)
            finished_renew(dtls, &record);
}

void bench_dtls_on_deadline(struct bench_dtls *dtls, uint64_t now_us) {
    if (now_us < dtls->resend_at_us)
        return;
    for (size_t i = 0; i < dtls->flight_count; i++) {
        flight_renumber(dtls, dtls->flight[i], dtls->flight_len[i]);
        dtls->send(dtls->ctx, dtls->flight[i], dtls->flight_len[i]);
    }
    dtls->interval_us =
        dtls->interval_us * 2 < RETRANSMIT_MAX_US ? dtls->interval_us * 2 : RETRANSMIT_MAX_US;
    dtls->resend_at_us = now_us + dtls->interval_us;
}

/* RFC 5764 section 4.2: client's key, server's key, client's salt, server's salt. */
int bench_dtls_export(struct bench_dtls *dtls, enum sfu_srtp_profile *profile,
                      struct sfu_srtp_key *in, struct sfu_srtp_key *out) {
    static const char label[] = "EXTRACTOR-dtls_srtp";
    const SRTP_PROTECTION_PROFILE *chosen = SSL_get_selected_srtp_profile(dtls->ssl);
    if (!dtls->connected || chosen == NULL)
        return -EAGAIN;
    *profile = (enum sfu_srtp_profile)chosen->id;
    size_t key_len = sfu_srtp_key_len(*profile);
    size_t salt_len = sfu_srtp_salt_len(*profile);
    uint8_t material[2 * (SFU_SRTP_KEY_MAX + SFU_SRTP_SALT_MAX)];
    if (SSL_export_keying_material(dtls->ssl, material, 2 * (key_len + salt_len), label,
                                   sizeof(label) - 1, NULL, 0, 0) != 1)
        return -EIO;
    memcpy(out->key, material, key_len);
    memcpy(in->key, material + key_len, key_len);
    memcpy(out->salt, material + 2 * key_len, salt_len);
    memcpy(in->salt, material + 2 * key_len + salt_len, salt_len);
    return 0;
}

/* Numbers that repeated records have used are unknown to OpenSSL. */
static void close_notify(struct bench_dtls *dtls) {
    const uint8_t alert[] = {SSL3_AL_WARNING, SSL_AD_CLOSE_NOTIFY};
    uint8_t record[SFU_DTLS_SEALED_MAX];
    size_t len =
        sfu_dtls_session_seal(&dtls->session, SFU_DTLS_ALERT, alert, sizeof(alert), record);
    if (len > 0)
        dtls->send(dtls->ctx, record, len);
}

void bench_dtls_close(struct bench_dtls *dtls) {
    if (dtls->connected && dtls->has_session)
        close_notify(dtls);
    dtls->answering = true;
    if (dtls->connected && !dtls->has_session)
        SSL_shutdown(dtls->ssl);
    ERR_clear_error();
}
