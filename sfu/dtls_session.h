/* What is left of a DTLS 1.2 association once its handshake is done: the keys of its records (RFC
 * 5288, RFC 7905) and our Finished, 200 bytes where OpenSSL's object takes 100 KB. Enough to tell
 * and to hear a close_notify or a fatal alert, and to repeat the last flight (RFC 6347 section
 * 4.2.4); nothing else is said on a connection whose media is SRTP. */
#ifndef SFU_DTLS_SESSION_H
#define SFU_DTLS_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "sfu/dtls_record.h"

enum {
    SFU_DTLS_FINISHED_LEN = 24, /* RFC 5246 section 7.4.9, with its header. */
    SFU_DTLS_SEALED_MAX = 96,   /* Of the records that are written and kept here. */
    SFU_DTLS_OPENED_MAX = 1500, /* Longer ones fit into no datagram. */
    SFU_DTLS_KEY_MAX = 32,
    SFU_DTLS_IV_LEN = 12,
};

/* The keys of one direction. */
struct sfu_dtls_keys {
    uint8_t key[SFU_DTLS_KEY_MAX];
    uint8_t iv[SFU_DTLS_IV_LEN]; /* GCM: the first four bytes. */
};

struct sfu_dtls_session {
    /* State. */
    const EVP_CIPHER *cipher;
    bool chacha; /* Its nonces are not in the records. */
    struct sfu_dtls_keys read, write;
    uint64_t write_seq;   /* Of the next record in epoch 1, */
    uint64_t write_nonce; /* and the part of its nonce that stands in it. */
    uint8_t finished[SFU_DTLS_FINISHED_LEN];
};

/* Takes over from OpenSSL, which has sent our Finished in this record. False: memory is out, or it
 * is none of our cipher suites. */
bool sfu_dtls_session_begin(struct sfu_dtls_session *session, SSL *ssl, const uint8_t *finished,
                            size_t len);

/* Decrypts a record of epoch 1 into out; its length, 0 when it is not authentic, empty or too long.
 */
size_t sfu_dtls_session_open(const struct sfu_dtls_session *session,
                             const struct sfu_dtls_record *record,
                             uint8_t out[static SFU_DTLS_OPENED_MAX]);

/* Writes the next record of epoch 1, with at most SFU_DTLS_FINISHED_LEN bytes in it; its length, 0
 * when the cipher failed. */
size_t sfu_dtls_session_seal(struct sfu_dtls_session *session, uint8_t type, const uint8_t *text,
                             size_t len, uint8_t out[static SFU_DTLS_SEALED_MAX]);

#endif
