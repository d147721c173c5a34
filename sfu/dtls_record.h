/* The outside of DTLS records (RFC 6347 section 4.1) and of the handshake messages in them (section
 * 4.2.2), as far as they can be read before anything is decrypted. */
#ifndef SFU_DTLS_RECORD_H
#define SFU_DTLS_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SFU_DTLS_RECORD_HEADER = 13,
    SFU_DTLS_RANDOM_LEN = 32,
    SFU_DTLS_CHANGE_CIPHER_SPEC = 20,
    SFU_DTLS_ALERT = 21,
    SFU_DTLS_HANDSHAKE = 22,
};

struct sfu_dtls_record {
    uint8_t type;
    uint16_t epoch;       /* 0: not encrypted. */
    const uint8_t *bytes; /* With the header. */
    size_t len;
};

/* Takes the next record from the len bytes at *data and moves both on; false at the end, or where
 * no whole record stands. */
bool sfu_dtls_record_next(const uint8_t **data, size_t *len, struct sfu_dtls_record *out);

/* Whether a handshake record that is not encrypted is made of whole fragments of messages. */
bool sfu_dtls_record_is_handshake(const struct sfu_dtls_record *record);

/* Whether the record begins with a fragment of a ClientHello. *random is its 32 random bytes, or
 * NULL when they are in another fragment. */
bool sfu_dtls_record_is_client_hello(const struct sfu_dtls_record *record, const uint8_t **random);

/* Gives each record of epoch 0 in a datagram the next sequence number. */
void sfu_dtls_renumber(uint8_t *data, size_t len, uint64_t *next_seq);

#endif
