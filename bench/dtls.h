/* The client's side of DTLS-SRTP, with time as a parameter: what a browser does towards the server.
 */
#ifndef BENCH_DTLS_H
#define BENCH_DTLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/sfu.h"
#include "sfu/srtp.h"

/* Certificate and settings, shared by all clients of a process. */
struct bench_dtls_context;

/* profiles as OpenSSL names them ("SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80"), in order of
 * preference. -ENOMEM or -EIO. */
int bench_dtls_context_create(struct bench_dtls_context **out, const char *profiles);
void bench_dtls_context_destroy(struct bench_dtls_context *context);

/* SHA-256 of the certificate. */
const uint8_t *bench_dtls_context_fingerprint(const struct bench_dtls_context *context);

typedef void (*bench_dtls_send_fn)(void *ctx, const uint8_t *data, size_t len);

struct bench_dtls;

int bench_dtls_create(struct bench_dtls **out, struct bench_dtls_context *context,
                      bench_dtls_send_fn send, void *ctx);
void bench_dtls_destroy(struct bench_dtls *dtls);

/* Sends the ClientHello. */
void bench_dtls_begin(struct bench_dtls *dtls, uint64_t now_us);

/* True when the handshake is done. */
bool bench_dtls_input(struct bench_dtls *dtls, uint64_t now_us, const uint8_t *data, size_t len);

/* UINT64_MAX for never. */
uint64_t bench_dtls_next_deadline(const struct bench_dtls *dtls);
void bench_dtls_on_deadline(struct bench_dtls *dtls, uint64_t now_us);

/* -EAGAIN until connected. `in` is what the server sends with. */
int bench_dtls_export(struct bench_dtls *dtls, enum sfu_srtp_profile *profile,
                      struct sfu_srtp_key *in, struct sfu_srtp_key *out);

void bench_dtls_close(struct bench_dtls *dtls);

#endif
