/* The process's certificate and what every association negotiates. */
#include "sfu/dtls_context.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

/* Every WebRTC client has one of these, and signs with ECDSA or RSA itself (RFC 8827 section 6.5).
 */
#define CIPHERS                                                                                    \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384"
#define GROUPS "X25519:P-256"
/* OpenSSL chooses by the server's order. AEAD_AES_128_GCM costs least to fan out. */
#define SRTP_PROFILES "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM"

enum {
    DAY_S = 86400,
    /* A peer's whole certificate chain; more is not buffered. */
    PEER_CERTIFICATES_MAX = 16384,
};

bool sfu_dtls_fingerprint(const X509 *certificate, uint8_t out[static SFU_FINGERPRINT_LEN]) {
    unsigned len = SFU_FINGERPRINT_LEN;
    return X509_digest(certificate, EVP_sha256(), out, &len) == 1;
}

/* A random serial number and name: nothing in the certificate tells servers apart or together. */
static bool certificate_fill(X509 *x509, EVP_PKEY *key) {
    uint8_t random[8];
    char name[2 * sizeof(random) + 1];
    if (RAND_bytes(random, sizeof(random)) != 1)
        return false;
    uint64_t serial = 0;
    for (size_t i = 0; i < sizeof(random); i++) {
        serial = serial << 8 | random[i];
        snprintf(name + 2 * i, 3, "%02x", random[i]);
    }
    X509_NAME *subject = X509_get_subject_name(x509);
    return X509_set_version(x509, X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), serial >> 1) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(x509), -DAY_S) != NULL &&
           X509_gmtime_adj(X509_getm_notAfter(x509), 365L * DAY_S) != NULL &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const uint8_t *)name, -1, -1,
                                      0) == 1 &&
           X509_set_issuer_name(x509, subject) == 1 && X509_set_pubkey(x509, key) == 1 &&
           X509_sign(x509, key, EVP_sha256()) > 0;
}

static bool certificate_use(struct sfu_dtls_context *context) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x509 = X509_new();
    uint8_t digest[SFU_FINGERPRINT_LEN];
    bool done = key && x509 && certificate_fill(x509, key) && sfu_dtls_fingerprint(x509, digest) &&
                SSL_CTX_use_certificate(context->ssl_ctx, x509) == 1 &&
                SSL_CTX_use_PrivateKey(context->ssl_ctx, key) == 1;
    for (size_t i = 0; done && i < sizeof(digest); i++)
        snprintf(context->fingerprint + 3 * i, 4, i + 1 < sizeof(digest) ? "%02X:" : "%02X",
                 digest[i]);
    X509_free(x509);
    EVP_PKEY_free(key);
    return done;
}

/* Browsers' certificates are self-signed: what counts is the fingerprint, and it is compared when
 * the handshake has proved that the peer has the key. */
static int accept_any_chain(X509_STORE_CTX *store, void *arg) {
    (void)store;
    (void)arg;
    return 1;
}

static bool settings_apply(SSL_CTX *ctx) {
    SSL_CTX_set_options(ctx, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                 SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_cert_list(ctx, PEER_CERTIFICATES_MAX);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, accept_any_chain, NULL);
    return SSL_CTX_set_min_proto_version(ctx, DTLS1_2_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(ctx, DTLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(ctx, CIPHERS) == 1 &&
           SSL_CTX_set1_groups_list(ctx, GROUPS) == 1 &&
           SSL_CTX_set_tlsext_use_srtp(ctx, SRTP_PROFILES) == 0; /* 0 is its success. */
}

int sfu_dtls_context_create(struct sfu_dtls_context **out) {
    struct sfu_dtls_context *context = calloc(1, sizeof(*context));
    if (context == NULL)
        return -ENOMEM;
    context->ssl_ctx = SSL_CTX_new(DTLS_server_method());
    context->bio_method = sfu_dtls_bio_method_create();
    if (context->ssl_ctx == NULL || context->bio_method == NULL ||
        !settings_apply(context->ssl_ctx) || !certificate_use(context)) {
        sfu_dtls_context_destroy(context);
        return -EIO;
    }
    *out = context;
    return 0;
}

void sfu_dtls_context_destroy(struct sfu_dtls_context *context) {
    if (context == NULL)
        return;
    SSL_CTX_free(context->ssl_ctx);
    BIO_meth_free(context->bio_method);
    free(context);
}

const char *sfu_dtls_context_fingerprint(const struct sfu_dtls_context *context) {
    return context->fingerprint;
}
