#include "sfu/dtls_flight.h"

#include <string.h>

#include "sfu/dtls_record.h"

enum { RETRANSMIT_FIRST_US = 200000, RETRANSMIT_MAX_US = 2000000 };

void sfu_dtls_flight_keep(struct sfu_dtls_flight *flight, uint64_t now_us, const uint8_t *data,
                          size_t len) {
    if (flight->count == SFU_DTLS_FLIGHT_DATAGRAMS_MAX || len > SFU_DTLS_FLIGHT_MAX - flight->len)
        return;
    memcpy(flight->bytes + flight->len, data, len);
    flight->len += len;
    flight->datagrams[flight->count++] = (uint16_t)len;
    flight->sent_us = now_us;
    flight->interval_us = RETRANSMIT_FIRST_US;
}

void sfu_dtls_flight_send(struct sfu_dtls_flight *flight, uint64_t now_us, uint64_t *next_seq,
                          sfu_dtls_send_fn send, void *ctx) {
    uint8_t *datagram = flight->bytes;
    for (size_t i = 0; i < flight->count; i++) {
        sfu_dtls_renumber(datagram, flight->datagrams[i], next_seq);
        send(ctx, datagram, flight->datagrams[i]);
        datagram += flight->datagrams[i];
    }
    flight->sent_us = now_us;
}

uint64_t sfu_dtls_flight_deadline(const struct sfu_dtls_flight *flight) {
    return flight->count == 0 || flight->held ? UINT64_MAX : flight->sent_us + flight->interval_us;
}

void sfu_dtls_flight_back_off(struct sfu_dtls_flight *flight) {
    uint64_t doubled_us = 2 * flight->interval_us;
    flight->interval_us = doubled_us < RETRANSMIT_MAX_US ? doubled_us : RETRANSMIT_MAX_US;
}
