/* Reading and renumbering DTLS records. */
#include "sfu/dtls_record.h"

enum {
    VERSION_MAJOR = 254, /* Of every DTLS version. */
    TYPE_LAST = 26,      /* ACK of DTLS 1.3; what follows has another layout. */
    MESSAGE_HEADER = 12,
    CLIENT_HELLO = 1,
    CLIENT_HELLO_VERSION_LEN = 2,
};

static size_t read_24(const uint8_t *bytes) {
    return (size_t)bytes[0] << 16 | (size_t)bytes[1] << 8 | bytes[2];
}

bool sfu_dtls_record_next(const uint8_t **data, size_t *len, struct sfu_dtls_record *out) {
    const uint8_t *bytes = *data;
    if (*len < SFU_DTLS_RECORD_HEADER || bytes[0] < SFU_DTLS_CHANGE_CIPHER_SPEC ||
        bytes[0] > TYPE_LAST || bytes[1] != VERSION_MAJOR)
        return false;
    size_t record_len = SFU_DTLS_RECORD_HEADER + (size_t)(bytes[11] << 8 | bytes[12]);
    if (record_len > *len)
        return false;
    *out = (struct sfu_dtls_record){.type = bytes[0],
                                    .epoch = (uint16_t)(bytes[3] << 8 | bytes[4]),
                                    .bytes = bytes,
                                    .len = record_len};
    *data += record_len;
    *len -= record_len;
    return true;
}

bool sfu_dtls_record_is_handshake(const struct sfu_dtls_record *record) {
    if (record->type != SFU_DTLS_HANDSHAKE || record->epoch != 0 ||
        record->len == SFU_DTLS_RECORD_HEADER)
        return false;
    const uint8_t *message = record->bytes + SFU_DTLS_RECORD_HEADER;
    size_t left = record->len - SFU_DTLS_RECORD_HEADER;
    while (left > 0) {
        if (left < MESSAGE_HEADER)
            return false;
        size_t length = read_24(message + 1);
        size_t offset = read_24(message + 6);
        size_t fragment = read_24(message + 9);
        if (offset + fragment > length || fragment > left - MESSAGE_HEADER)
            return false;
        message += MESSAGE_HEADER + fragment;
        left -= MESSAGE_HEADER + fragment;
    }
    return true;
}

bool sfu_dtls_record_is_client_hello(const struct sfu_dtls_record *record, const uint8_t **random) {
    const uint8_t *message = record->bytes + SFU_DTLS_RECORD_HEADER;
    *random = NULL;
    if (!sfu_dtls_record_is_handshake(record) || message[0] != CLIENT_HELLO)
        return false;
    size_t offset = read_24(message + 6);
    size_t fragment = read_24(message + 9);
    if (offset == 0 && fragment >= CLIENT_HELLO_VERSION_LEN + SFU_DTLS_RANDOM_LEN)
        *random = message + MESSAGE_HEADER + CLIENT_HELLO_VERSION_LEN;
    return true;
}

void sfu_dtls_renumber(uint8_t *data, size_t len, uint64_t *next_seq) {
    const uint8_t *cursor = data;
    struct sfu_dtls_record record;
    while (sfu_dtls_record_next(&cursor, &len, &record)) {
        if (record.epoch != 0)
            continue;
        uint8_t *seq = data + (record.bytes - data) + 5;
        for (int i = 0; i < 6; i++)
            seq[i] = (uint8_t)(*next_seq >> (40 - 8 * i));
        ++*next_seq;
    }
}
