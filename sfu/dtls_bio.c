/* Between OpenSSL and the network: what it reads, what it sends, and its timer, which is ours. */
#include <assert.h>
#include <string.h>

#include "sfu/dtls_internal.h"

/* OpenSSL's own timer, out of the way. */
static const unsigned openssl_timer_us = 3600000000;

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

static void finished_keep(struct sfu_dtls_attempt *attempt, const uint8_t *data, size_t len) {
    struct sfu_dtls_record record;
    while (sfu_dtls_record_next(&data, &len, &record)) {
        if (record.type != SFU_DTLS_HANDSHAKE || record.epoch == 0 ||
            record.len > sizeof(attempt->finished))
            continue;
        memcpy(attempt->finished, record.bytes, record.len);
        attempt->finished_len = record.len;
    }
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
        sfu_dtls_flight_keep(&dtls->attempt->flight, dtls->now_us, datagram, (size_t)len);
    finished_keep(dtls->attempt, datagram, (size_t)len);
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

SSL *sfu_dtls_ssl_create(struct sfu_dtls *dtls) {
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
