/* What the files of a DTLS association share. */
#ifndef SFU_DTLS_INTERNAL_H
#define SFU_DTLS_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "sfu/dtls.h"
#include "sfu/dtls_context.h"
#include "sfu/dtls_flight.h"
#include "sfu/dtls_record.h"
#include "sfu/dtls_session.h"

/* A handshake; gone when it is done. */
struct sfu_dtls_attempt {
    /* Owned. */
    SSL *ssl;
    /* State. */
    bool begun; /* It has seen of a ClientHello. */
    bool random_known;
    uint8_t random[SFU_DTLS_RANDOM_LEN]; /* That ClientHello's. */
    uint64_t heard_us;                   /* The last record. */
    struct sfu_dtls_flight flight;
    uint8_t finished[SFU_DTLS_SEALED_MAX]; /* Ours, as it was sent. */
    size_t finished_len;
};

struct sfu_dtls {
    /* Given. */
    struct sfu_dtls_context *context;
    sfu_dtls_send_fn send;
    void *ctx;
    uint8_t remote_fingerprint[SFU_FINGERPRINT_LEN];
    /* Owned. */
    struct sfu_dtls_attempt *attempt; /* NULL when it has succeeded. */
    /* State. */
    enum sfu_dtls_state state;
    const char *reason;
    uint64_t now_us;         /* Of the call that runs. */
    const uint8_t *incoming; /* The record that OpenSSL is to read next. */
    size_t incoming_len;
    uint64_t next_seq;    /* Of epoch 0, across all attempts. */
    uint64_t answered_us; /* When a handshake message was last answered on the connection. */
    struct sfu_dtls_session session; /* Once connected. */
    enum sfu_srtp_profile profile;
    struct sfu_srtp_key key_in;
    struct sfu_srtp_key key_out;
};

/* dtls_bio.c: OpenSSL's end of a handshake, which reads what stands in incoming and sends through
 * us. NULL when memory is out. */
SSL *sfu_dtls_ssl_create(struct sfu_dtls *dtls);

#endif
