/* The part of DTLS that all associations share, for dtls.c. */
#ifndef SFU_DTLS_CONTEXT_H
#define SFU_DTLS_CONTEXT_H

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include "sfu/dtls.h"

struct sfu_dtls_context {
    /* Owned. */
    SSL_CTX *ssl_ctx;
    BIO_METHOD *bio_method; /* Its functions are dtls.c's; the BIO's data is the association. */
    char fingerprint[SFU_FINGERPRINT_TEXT];
};

/* The datagrams of an association: each read is one whole datagram, so is each write. */
BIO_METHOD *sfu_dtls_bio_method_create(void);

/* SHA-256 of the certificate. */
bool sfu_dtls_fingerprint(const X509 *certificate, uint8_t out[static SFU_FINGERPRINT_LEN]);

#endif
