/* One DTLS association. OpenSSL speaks the handshake; what it leaves to us is here: which records
 * it gets to see, so that nothing unauthenticated ends anything, and the retransmission of our
 * flight, since OpenSSL's own timer reads the clock. What the connection has to say afterwards
 * sfu/dtls_session does. */
#include "sfu/dtls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "sfu/dtls_internal.h"

enum {
    /* Our flight again because the peer repeats its ClientHello, at most so often. */
    ANSWER_REPEAT_US = 50000,
    /* Another ClientHello takes the place of an attempt that was silent for so long: a client that
     * began anew repeats it, and one that someone forged does not break a running handshake. */
    ATTEMPT_SILENT_US = 1000000,
    /* The one encrypted message of a client's handshake: a header, 12 bytes (RFC 5246 section
     * 7.4.9), and a tag. */
    FINISHED_MIN = 12 + 12 + 16,
};

static void attempt_end(struct sfu_dtls *dtls) {
    if (dtls->attempt == NULL)
        return;
    SSL_free(dtls->attempt->ssl);
    ERR_clear_error();
    free(dtls->attempt);
    dtls->attempt = NULL;
}

/* Forgets the attempt and waits for a ClientHello. */
static int attempt_reset(struct sfu_dtls *dtls) {
    struct sfu_dtls_attempt *attempt = dtls->attempt;
    SSL_free(attempt->ssl);
    ERR_clear_error();
    *attempt = (struct sfu_dtls_attempt){.ssl = sfu_dtls_ssl_create(dtls)};
    return attempt->ssl ? 0 : -ENOMEM;
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
    dtls->attempt = calloc(1, sizeof(*dtls->attempt));
    if (dtls->attempt == NULL || attempt_reset(dtls) != 0) {
        sfu_dtls_destroy(dtls);
        return -ENOMEM;
    }
    *out = dtls;
    return 0;
}

void sfu_dtls_destroy(struct sfu_dtls *dtls) {
    if (dtls == NULL)
        return;
    attempt_end(dtls);
    OPENSSL_cleanse(dtls, sizeof(*dtls));
    free(dtls);
}

static void flight_send(struct sfu_dtls *dtls) {
    sfu_dtls_flight_send(&dtls->attempt->flight, dtls->now_us, &dtls->next_seq, dtls->send,
                         dtls->ctx);
}

/* The peer repeats its ClientHello. */
static void flight_asked_for(struct sfu_dtls *dtls) {
    dtls->attempt->flight.held = false;
    if (dtls->now_us >= dtls->attempt->flight.sent_us + ANSWER_REPEAT_US)
        flight_send(dtls);
}

static void fail(struct sfu_dtls *dtls, const char *reason) {
    dtls->state = SFU_DTLS_FAILED;
    dtls->reason = reason;
    SSL_shutdown(
        dtls->attempt->ssl); /* The peer, which thinks that all is well, hears a close_notify. */
    attempt_reset(dtls);
}

static bool peer_is_right(const struct sfu_dtls *dtls) {
    uint8_t digest[SFU_FINGERPRINT_LEN];
    X509 *certificate = SSL_get1_peer_certificate(dtls->attempt->ssl);
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
    if (SSL_export_keying_material(dtls->attempt->ssl, material, 2 * (key_len + salt_len), label,
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
    struct sfu_dtls_attempt *attempt = dtls->attempt;
    const SRTP_PROTECTION_PROFILE *chosen = SSL_get_selected_srtp_profile(attempt->ssl);
    if (!peer_is_right(dtls)) {
        fail(dtls, "the certificate does not match the fingerprint");
    } else if (chosen == NULL) {
        fail(dtls, "no SRTP profile in common");
    } else if (!keys_export(dtls, (enum sfu_srtp_profile)chosen->id) ||
               !sfu_dtls_session_begin(&dtls->session, attempt->ssl, attempt->finished,
                                       attempt->finished_len)) {
        fail(dtls, "the keys could not be exported");
    } else {
        dtls->state = SFU_DTLS_CONNECTED;
        attempt_end(dtls);
    }
}

/* --- The connection --- */

/* ChangeCipherSpec and Finished once more, under new record numbers. */
static void repeat_last_flight(struct sfu_dtls *dtls) {
    uint8_t datagram[SFU_DTLS_RECORD_HEADER + 1 + SFU_DTLS_SEALED_MAX] = {
        SFU_DTLS_CHANGE_CIPHER_SPEC, DTLS1_2_VERSION >> 8, DTLS1_2_VERSION & 0xff};
    size_t len = SFU_DTLS_RECORD_HEADER + 1;
    datagram[len - 2] = datagram[len - 1] = 1; /* Its length, and its only message. */
    sfu_dtls_renumber(datagram, len, &dtls->next_seq);
    len += sfu_dtls_session_seal(&dtls->session, SFU_DTLS_HANDSHAKE, dtls->session.finished,
                                 SFU_DTLS_FINISHED_LEN, datagram + len);
    dtls->send(dtls->ctx, datagram, len);
}

static void send_alert(struct sfu_dtls *dtls, uint8_t description) {
    const uint8_t alert[] = {SSL3_AL_WARNING, description};
    uint8_t record[SFU_DTLS_SEALED_MAX];
    size_t len =
        sfu_dtls_session_seal(&dtls->session, SFU_DTLS_ALERT, alert, sizeof(alert), record);
    if (len > 0)
        dtls->send(dtls->ctx, record, len);
}

/* The peer's Finished again, or a ClientHello that wants to renegotiate. */
static void answer_handshake(struct sfu_dtls *dtls, uint8_t message) {
    if (dtls->answered_us != 0 && dtls->now_us < dtls->answered_us + ANSWER_REPEAT_US)
        return;
    dtls->answered_us = dtls->now_us;
    if (message == SSL3_MT_FINISHED)
        repeat_last_flight(dtls);
    else if (message == SSL3_MT_CLIENT_HELLO)
        send_alert(dtls, SSL_AD_NO_RENEGOTIATION);
}

/* All that is taken is encrypted by the peer. The rest changes nothing, SRTP has its keys. */
static void on_connection_record(struct sfu_dtls *dtls, const struct sfu_dtls_record *record) {
    uint8_t text[SFU_DTLS_OPENED_MAX];
    size_t len = sfu_dtls_session_open(&dtls->session, record, text);
    if (record->type == SFU_DTLS_HANDSHAKE && len > 0)
        answer_handshake(dtls, text[0]);
    else if (record->type == SFU_DTLS_ALERT && len == 2 &&
             (text[0] == SSL3_AL_FATAL || text[1] == SSL_AD_CLOSE_NOTIFY))
        dtls->state = SFU_DTLS_CLOSED;
    ERR_clear_error();
}

/* --- The handshake --- */

static void read_handshake(struct sfu_dtls *dtls) {
    SSL *ssl = dtls->attempt->ssl;
    int result = SSL_do_handshake(ssl);
    if (result == 1)
        on_handshake_done(dtls);
    else if (SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ)
        attempt_reset(dtls);
    ERR_clear_error();
}

/* Whether a ClientHello belongs to the running attempt, or begins one now. */
static bool client_hello_is_ours(struct sfu_dtls *dtls, const uint8_t *random) {
    struct sfu_dtls_attempt *attempt = dtls->attempt;
    if (random != NULL && attempt->random_known &&
        memcmp(random, attempt->random, sizeof(attempt->random)) != 0) {
        attempt->flight.held = true;
        if (dtls->now_us < attempt->heard_us + ATTEMPT_SILENT_US || attempt_reset(dtls) != 0)
            return false;
    }
    if (random != NULL) {
        memcpy(attempt->random, random, sizeof(attempt->random));
        attempt->random_known = true;
    }
    attempt->begun = true;
    dtls->state = SFU_DTLS_HANDSHAKING;
    return true;
}

/* Takes no alert that is not encrypted, nothing before a ClientHello, and no ClientHello of another
 * attempt than the running one. */
static bool handshake_takes(struct sfu_dtls *dtls, const struct sfu_dtls_record *record) {
    const uint8_t *random;
    if (dtls->attempt->ssl == NULL && attempt_reset(dtls) != 0)
        return false;
    if (sfu_dtls_record_is_client_hello(record, &random))
        return client_hello_is_ours(dtls, random);
    if (!dtls->attempt->begun || (record->type == SFU_DTLS_ALERT && record->epoch == 0))
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
    dtls->attempt->heard_us = dtls->now_us;
    const uint8_t *random;
    if (dtls->attempt->flight.count > 0 && sfu_dtls_record_is_client_hello(record, &random))
        flight_asked_for(dtls);
    else
        read_handshake(dtls);
}

static void on_record(struct sfu_dtls *dtls, const struct sfu_dtls_record *record) {
    if (record->type > SFU_DTLS_HANDSHAKE || dtls->state == SFU_DTLS_CLOSED)
        return;
    if (dtls->state == SFU_DTLS_CONNECTED) {
        on_connection_record(dtls, record);
        return;
    }
    dtls->incoming = record->bytes;
    dtls->incoming_len = record->len;
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
    bool waits = dtls->state == SFU_DTLS_HANDSHAKING && dtls->attempt != NULL;
    return waits ? sfu_dtls_flight_deadline(&dtls->attempt->flight) : UINT64_MAX;
}

void sfu_dtls_on_deadline(struct sfu_dtls *dtls, uint64_t now_us) {
    if (now_us < sfu_dtls_next_deadline(dtls))
        return;
    dtls->now_us = now_us;
    flight_send(dtls);
    sfu_dtls_flight_back_off(&dtls->attempt->flight);
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
    send_alert(dtls, SSL_AD_CLOSE_NOTIFY);
    ERR_clear_error();
}
