/* One DTLS association. OpenSSL speaks the protocol; what it leaves to us is here: which records it
 * gets to see, so that nothing unauthenticated ends anything, and the retransmission of our flight,
 * since OpenSSL's own timer reads the clock. */
#include "sfu/dtls.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "sfu/dtls_context.h"
#include "sfu/dtls_record.h"

enum {
    RETRANSMIT_FIRST_US = 200000,
    RETRANSMIT_MAX_US = 2000000,
    /* Our flight again because the peer repeats its ClientHello, at most so often. */
    ANSWER_REPEAT_US = 50000,
    /* Another ClientHello takes the place of an attempt that was silent for so long: a client that
     * began anew repeats it, and one that someone forged does not break a running handshake. */
    ATTEMPT_SILENT_US = 1000000,
    /* From ServerHello to ServerHelloDone: 700 bytes with our certificate. */
    FLIGHT_MAX = 2 * SFU_DTLS_MTU,
    FLIGHT_DATAGRAMS_MAX = 4,
    /* The one encrypted message of a client's handshake: a header, 12 bytes (RFC 5246 section
     * 7.4.9), and a tag. */
    FINISHED_MIN = 12 + 12 + 16,
};

/* OpenSSL's own timer, out of the way. */
static const unsigned openssl_timer_us = 3600000000;

/* What a server repeats by timer is its flight up to ServerHelloDone, which is not encrypted. The
 * last flight is repeated by OpenSSL when the peer's Finished comes again. */
struct flight {
    uint8_t bytes[FLIGHT_MAX];
    size_t len;
    uint16_t datagrams[FLIGHT_DATAGRAMS_MAX];
    size_t count;
    uint64_t sent_us;
    uint64_t interval_us;
    bool held; /* Only repeated when asked for: a client that begins anew would take it for its own.
                */
};

struct sfu_dtls {
    /* Given. */
    struct sfu_dtls_context *context;
    sfu_dtls_send_fn send;
    void *ctx;
    uint8_t remote_fingerprint[SFU_FINGERPRINT_LEN];
    /* Owned. */
    SSL *ssl; /* The running attempt, or the connection. */
    /* State. */
    enum sfu_dtls_state state;
    const char *reason;
    uint64_t now_us;         /* Of the call that runs. */
    const uint8_t *incoming; /* The record that OpenSSL is to read next. */
    size_t incoming_len;
    uint64_t next_seq; /* Of epoch 0, across all attempts. */
    bool begun;        /* The attempt has seen of a ClientHello. */
    bool random_known;
    uint8_t random[SFU_DTLS_RANDOM_LEN]; /* That ClientHello's. */
    uint64_t heard_us;                   /* The attempt's last record. */
    struct flight flight;
    enum sfu_srtp_profile profile;
    struct sfu_srtp_key key_in;
    struct sfu_srtp_key key_out;
};

static int bio_read(BIO *bio, char *out, int size) {
    struct sfu_dtls *dtls = BIO_get_data(bio);
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

static void flight_keep(struct flight *flight, uint64_t now_us, const uint8_t *data, size_t len) {
    if (flight->count == FLIGHT_DATAGRAMS_MAX || len > FLIGHT_MAX - flight->len)
        return;
    memcpy(flight->bytes + flight->len, data, len);
    flight->len += len;
    flight->datagrams[flight->count++] = (uint16_t)len;
    flight->sent_us = now_us;
    flight->interval_us = RETRANSMIT_FIRST_US;
}

/* OpenSSL's numbers of epoch 0 are replaced by our own, because repeated records need new ones:
 * Firefox forgets a handshake message that comes too early but remembers its record's number. */
static int bio_write(BIO *bio, const char *data, int len) {
    struct sfu_dtls *dtls = BIO_get_data(bio);
    uint8_t datagram[SFU_DTLS_MTU];
    BIO_clear_retry_flags(bio);
    assert(len >= 0 && len <= SFU_DTLS_MTU);
    memcpy(datagram, data, (size_t)len);
    sfu_dtls_renumber(datagram, (size_t)len, &dtls->next_seq);
    if (dtls->state == SFU_DTLS_HANDSHAKING)
        flight_keep(&dtls->flight, dtls->now_us, datagram, (size_t)len);
    dtls->send(dtls->ctx, datagram, (size_t)len);
    return len;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer) {
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

BIO_METHOD *sfu_dtls_bio_method_create(void) {
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "association");
    if (method != NULL) {
        BIO_meth_set_read(method, bio_read);
        BIO_meth_set_write(method, bio_write);
        BIO_meth_set_ctrl(method, bio_ctrl);
    }
    return method;
}

static unsigned openssl_timer(SSL *ssl, unsigned timer_us) {
    (void)ssl;
    (void)timer_us;
    return openssl_timer_us;
}

static SSL *ssl_create(struct sfu_dtls *dtls) {
    SSL *ssl = SSL_new(dtls->context->ssl_ctx);
    BIO *bio = BIO_new(dtls->context->bio_method);
    if (ssl == NULL || bio == NULL) {
        SSL_free(ssl);
        BIO_free(bio);
        return NULL;
    }
    BIO_set_data(bio, dtls);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_mtu(ssl, SFU_DTLS_MTU);
    DTLS_set_timer_cb(ssl, openssl_timer);
    SSL_set_accept_state(ssl);
    return ssl;
}

/* Forgets the attempt and waits for a ClientHello. */
static int attempt_reset(struct sfu_dtls *dtls) {
    SSL_free(dtls->ssl);
    ERR_clear_error();
    dtls->ssl = ssl_create(dtls);
    dtls->flight.len = 0;
    dtls->flight.count = 0;
    dtls->flight.held = false;
    dtls->begun = false;
    dtls->random_known = false;
    return dtls->ssl ? 0 : -ENOMEM;
}

int sfu_dtls_create(struct sfu_dtls **out, struct sfu_dtls_context *context,
                    const uint8_t remote_fingerprint[static SFU_FINGERPRINT_LEN],
                    sfu_dtls_send_fn send, void *ctx) {
    struct sfu_dtls *dtls = calloc(1, sizeof(*dtls));
    if (dtls == NULL)
        return -ENOMEM;
    dtls->context = context;
    dtls->send = send;
    dtls->ctx = ctx;
    memcpy(dtls->remote_fingerprint, remote_fingerprint, SFU_FINGERPRINT_LEN);
    if (attempt_reset(dtls) != 0) {
        sfu_dtls_destroy(dtls);
        return -ENOMEM;
    }
    *out = dtls;
    return 0;
}

void sfu_dtls_destroy(struct sfu_dtls *dtls) {
    if (dtls == NULL)
        return;
    SSL_free(dtls->ssl);
    OPENSSL_cleanse(dtls, sizeof(*dtls));
    free(dtls);
}

static void flight_send(struct sfu_dtls *dtls) {
    struct flight *flight = &dtls->flight;
    uint8_t *datagram = flight->bytes;
    for (size_t i = 0; i < flight->count; i++) {
        sfu_dtls_renumber(datagram, flight->datagrams[i], &dtls->next_seq);
        dtls->send(dtls->ctx, datagram, flight->datagrams[i]);
        datagram += flight->datagrams[i];
    }
    flight->sent_us = dtls->now_us;
}

/* The peer repeats its ClientHello. */
static void flight_asked_for(struct sfu_dtls *dtls) {
    dtls->flight.held = false;
    if (dtls->now_us >= dtls->flight.sent_us + ANSWER_REPEAT_US)
        flight_send(dtls);
}

static void fail(struct sfu_dtls *dtls, const char *reason) {
    dtls->state = SFU_DTLS_FAILED;
    dtls->reason = reason;
    SSL_shutdown(dtls->ssl); /* The peer, which thinks that all is well, hears a close_notify. */
    attempt_reset(dtls);
}

static bool peer_is_right(const struct sfu_dtls *dtls) {
    uint8_t digest[SFU_FINGERPRINT_LEN];
    X509 *certificate = SSL_get1_peer_certificate(dtls->ssl);
    bool right = certificate != NULL && sfu_dtls_fingerprint(certificate, digest) &&
                 CRYPTO_memcmp(digest, dtls->remote_fingerprint, sizeof(digest)) == 0;
    X509_free(certificate);
    return right;
}

/* RFC 5764 section 4.2: client's key, server's key, client's salt, server's salt. */
static bool keys_export(struct sfu_dtls *dtls, enum sfu_srtp_profile profile) {
    static const char label[] = "EXTRACTOR-dtls_srtp";
    uint8_t material[2 * (SFU_SRTP_KEY_MAX + SFU_SRTP_SALT_MAX)];
    size_t key_len = sfu_srtp_key_len(profile);
    size_t salt_len = sfu_srtp_salt_len(profile);
    if (SSL_export_keying_material(dtls->ssl, material, 2 * (key_len + salt_len), label,
                                   sizeof(label) - 1, NULL, 0, 0) != 1)
        return false;
    memcpy(dtls->key_in.key, material, key_len);
    memcpy(dtls->key_out.key, material + key_len, key_len);
    memcpy(dtls->key_in.salt, material + 2 * key_len, salt_len);
    memcpy(dtls->key_out.salt, material + 2 * key_len + salt_len, salt_len);
    dtls->profile = profile;
    OPENSSL_cleanse(material, sizeof(material));
    return true;
}

/* The handshake proved that the peer has its certificate's key, so a failure here is the peer's own
 * and not the work of someone who forged a message. */
static void on_handshake_done(struct sfu_dtls *dtls) {
    const SRTP_PROTECTION_PROFILE *chosen = SSL_get_selected_srtp_profile(dtls->ssl);
    if (!peer_is_right(dtls)) {
        fail(dtls, "the certificate does not match the fingerprint");
    } else if (chosen == NULL) {
        fail(dtls, "no SRTP profile in common");
    } else if (!keys_export(dtls, (enum sfu_srtp_profile)chosen->id)) {
        fail(dtls, "the SRTP keys could not be exported");
    } else {
        dtls->state = SFU_DTLS_CONNECTED;
        dtls->flight.count = 0;
    }
}

/* Lets OpenSSL read what came on the connection: a close_notify or fatal alert, encrypted by the
 * peer as all that it takes, or a Finished that is repeated. Other errors change nothing, SRTP has
 * its keys. */
static void read_connection(struct sfu_dtls *dtls) {
    uint8_t ignored[64];
    while (SSL_read(dtls->ssl, ignored, sizeof(ignored)) > 0)
        ;
    if (SSL_get_shutdown(dtls->ssl) & SSL_RECEIVED_SHUTDOWN)
        dtls->state = SFU_DTLS_CLOSED;
    ERR_clear_error();
}

static void read_handshake(struct sfu_dtls *dtls) {
    int result = SSL_do_handshake(dtls->ssl);
    if (result == 1)
        on_handshake_done(dtls);
    else if (SSL_get_error(dtls->ssl, result) != SSL_ERROR_WANT_READ)
        attempt_reset(dtls);
    ERR_clear_error();
    if (dtls->state == SFU_DTLS_CONNECTED)
        read_connection(dtls);
}

/* Whether a ClientHello belongs to the running attempt, or begins one now. */
static bool client_hello_is_ours(struct sfu_dtls *dtls, const uint8_t *random) {
    if (random != NULL && dtls->random_known &&
        memcmp(random, dtls->random, sizeof(dtls->random)) != 0) {
        dtls->flight.held = true;
        if (dtls->now_us < dtls->heard_us + ATTEMPT_SILENT_US || attempt_reset(dtls) != 0)
            return false;
    }
    if (random != NULL) {
        memcpy(dtls->random, random, sizeof(dtls->random));
        dtls->random_known = true;
    }
    dtls->begun = true;
    dtls->state = SFU_DTLS_HANDSHAKING;
    return true;
}

/* Takes no alert that is not encrypted, nothing before a ClientHello, and no ClientHello of another
 * attempt than the running one. */
static bool handshake_takes(struct sfu_dtls *dtls, const struct sfu_dtls_record *record) {
    const uint8_t *random;
    if (dtls->ssl == NULL && attempt_reset(dtls) != 0)
        return false;
    if (sfu_dtls_record_is_client_hello(record, &random))
        return client_hello_is_ours(dtls, random);
    if (!dtls->begun || (record->type == SFU_DTLS_ALERT && record->epoch == 0))
        return false;
    /* OpenSSL keeps encrypted records until it has their key; one that is too short to be anything
     * then ends the handshake in some of its versions (3.0.20). */
    if (record->epoch != 0 && record->len < SFU_DTLS_RECORD_HEADER + FINISHED_MIN)
        return false;
    return record->type != SFU_DTLS_HANDSHAKE || record->epoch != 0 ||
           sfu_dtls_record_is_handshake(record);
}

static void on_handshake_record(struct sfu_dtls *dtls, const struct sfu_dtls_record *record) {
    if (!handshake_takes(dtls, record))
        return;
    dtls->heard_us = dtls->now_us;
    const uint8_t *random;
    if (dtls->flight.count > 0 && sfu_dtls_record_is_client_hello(record, &random))
        flight_asked_for(dtls);
    else
        read_handshake(dtls);
}

static void on_record(struct sfu_dtls *dtls, const struct sfu_dtls_record *record) {
    if (record->type > SFU_DTLS_HANDSHAKE || dtls->state == SFU_DTLS_CLOSED)
        return;
    dtls->incoming = record->bytes;
    dtls->incoming_len = record->len;
    if (dtls->state == SFU_DTLS_CONNECTED)
        read_connection(dtls);
    else
        on_handshake_record(dtls, record);
    dtls->incoming_len = 0;
}

enum sfu_dtls_state sfu_dtls_input(struct sfu_dtls *dtls, uint64_t now_us, const uint8_t *data,
                                   size_t len) {
    struct sfu_dtls_record record;
    dtls->now_us = now_us;
    while (sfu_dtls_record_next(&data, &len, &record))
        on_record(dtls, &record);
    return dtls->state;
}

enum sfu_dtls_state sfu_dtls_state(const struct sfu_dtls *dtls) {
    return dtls->state;
}

const char *sfu_dtls_reason(const struct sfu_dtls *dtls) {
    return dtls->reason ? dtls->reason : "";
}

uint64_t sfu_dtls_next_deadline(const struct sfu_dtls *dtls) {
    if (dtls->state != SFU_DTLS_HANDSHAKING || dtls->flight.count == 0 || dtls->flight.held)
        return UINT64_MAX;
    return dtls->flight.sent_us + dtls->flight.interval_us;
}

void sfu_dtls_on_deadline(struct sfu_dtls *dtls, uint64_t now_us) {
    if (now_us < sfu_dtls_next_deadline(dtls))
        return;
    dtls->now_us = now_us;
    flight_send(dtls);
    uint64_t doubled_us = 2 * dtls->flight.interval_us;
    dtls->flight.interval_us = doubled_us < RETRANSMIT_MAX_US ? doubled_us : RETRANSMIT_MAX_US;
}

int sfu_dtls_export(const struct sfu_dtls *dtls, enum sfu_srtp_profile *profile,
                    struct sfu_srtp_key *in, struct sfu_srtp_key *out) {
    if (dtls->state != SFU_DTLS_CONNECTED)
        return -EAGAIN;
    *profile = dtls->profile;
    *in = dtls->key_in;
    *out = dtls->key_out;
    return 0;
}

void sfu_dtls_close(struct sfu_dtls *dtls) {
    if (dtls->state != SFU_DTLS_CONNECTED)
        return;
    dtls->state = SFU_DTLS_CLOSED;
    SSL_shutdown(dtls->ssl);
    ERR_clear_error();
}
