/* DTLS 1.2 server (RFC 6347) with use_srtp (RFC 5764), on OpenSSL with memory BIOs: datagrams in,
 * datagrams out by a callback, time as a parameter. The certificate is the process's; the peer's is
 * checked against its fingerprint before any key is handed out. */
#ifndef SFU_DTLS_H
#define SFU_DTLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/sfu.h"
#include "sfu/srtp.h"

enum {
    SFU_DTLS_MTU = 1200,       /* No datagram of a flight is longer. */
    SFU_FINGERPRINT_TEXT = 96, /* "AB:CD:…" with its NUL. */
};

/* Certificate and settings, made once and shared by all threads. */
struct sfu_dtls_context;

/* An ECDSA P-256 certificate with a random name, valid from yesterday for a year. -ENOMEM or -EIO.
 */
int sfu_dtls_context_create(struct sfu_dtls_context **out);
void sfu_dtls_context_destroy(struct sfu_dtls_context *context);
const char *sfu_dtls_context_fingerprint(const struct sfu_dtls_context *context);

enum sfu_dtls_state { SFU_DTLS_HANDSHAKING, SFU_DTLS_CONNECTED, SFU_DTLS_CLOSED, SFU_DTLS_FAILED };

/* Sends one datagram of at most SFU_DTLS_MTU bytes. */
typedef void (*sfu_dtls_send_fn)(void *ctx, const uint8_t *data, size_t len);

struct sfu_dtls;

/* One association, waiting for a ClientHello. send is only called from within functions of this
 * header. */
int sfu_dtls_create(struct sfu_dtls **out, struct sfu_dtls_context *context,
                    const uint8_t remote_fingerprint[static SFU_FINGERPRINT_LEN],
                    sfu_dtls_send_fn send, void *ctx);
void sfu_dtls_destroy(struct sfu_dtls *dtls);

/* Feeds one datagram (any bytes; from a validated address) and returns the state afterwards. What
 * is not DTLS of this association is dropped; a failed attempt during the handshake
 * starts the association anew instead of ending it; FAILED only when the peer's certificate does
 * not match its fingerprint or no SRTP profile is common, and even then a later right ClientHello
 * is answered again. CLOSED only by an authenticated close_notify or fatal
 * alert. */
enum sfu_dtls_state sfu_dtls_input(struct sfu_dtls *dtls, uint64_t now_us, const uint8_t *data,
                                   size_t len);

enum sfu_dtls_state sfu_dtls_state(const struct sfu_dtls *dtls);

/* Why the state is FAILED, in words. */
const char *sfu_dtls_reason(const struct sfu_dtls *dtls);

/* Retransmission timer (RFC 6347 section 4.2.4, from 200 ms doubling to 2 s): UINT64_MAX when
 * nothing is to be sent again. */
uint64_t sfu_dtls_next_deadline(const struct sfu_dtls *dtls);
void sfu_dtls_on_deadline(struct sfu_dtls *dtls, uint64_t now_us);

/* The SRTP profile and keys (RFC 5764 section 4.2): `in` is what the peer (client) sends with,
 * `out` is ours. -EAGAIN until connected. */
int sfu_dtls_export(const struct sfu_dtls *dtls, enum sfu_srtp_profile *profile,
                    struct sfu_srtp_key *in, struct sfu_srtp_key *out);

/* Sends close_notify, if connected. */
void sfu_dtls_close(struct sfu_dtls *dtls);

#endif
