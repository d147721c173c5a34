/* What a server repeats of its handshake by timer (RFC 6347 section 4.2.4): the flight up to
 * ServerHelloDone, which is not encrypted. */
#ifndef SFU_DTLS_FLIGHT_H
#define SFU_DTLS_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/dtls.h"

enum {
    SFU_DTLS_FLIGHT_MAX = 2 * SFU_DTLS_MTU, /* 700 bytes with our certificate. */
    SFU_DTLS_FLIGHT_DATAGRAMS_MAX = 4,
};

/* Zero-initialise. */
struct sfu_dtls_flight {
    uint8_t bytes[SFU_DTLS_FLIGHT_MAX];
    size_t len;
    uint16_t datagrams[SFU_DTLS_FLIGHT_DATAGRAMS_MAX];
    size_t count;
    uint64_t sent_us;
    uint64_t interval_us;
    bool held; /* Only repeated when asked for: a client that begins anew would take it for its own.
                */
};

/* Remembers a datagram that was just sent; one that does not fit is not repeated. */
void sfu_dtls_flight_keep(struct sfu_dtls_flight *flight, uint64_t now_us, const uint8_t *data,
                          size_t len);

/* Sends all of it again, its records under the next numbers. */
void sfu_dtls_flight_send(struct sfu_dtls_flight *flight, uint64_t now_us, uint64_t *next_seq,
                          sfu_dtls_send_fn send, void *ctx);

/* The timer, from 200 ms doubling to 2 s; UINT64_MAX: nothing is to be sent. */
uint64_t sfu_dtls_flight_deadline(const struct sfu_dtls_flight *flight);
void sfu_dtls_flight_back_off(struct sfu_dtls_flight *flight);

#endif
