/* DTLS records as they stand in a datagram. */
#include "sfu/dtls_record.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"

/* An alert of epoch 0, an application record of epoch 1, and the first 40 of 100 bytes of a
 * ClientHello. */
static const char three_records[] =
    "15 fefd 0000 000000000005 0002 0100"
    "17 fefd 0001 000000000001 0003 aabbcc"
    "16 feff 0000 000000000006 0034 01 000064 0000 000000 000028 fefd"
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 000000000000";

static void a_datagram_is_taken_apart_into_its_records(void) {
    uint8_t bytes[128];
    const uint8_t *data = bytes;
    size_t len = test_hex(three_records, bytes, sizeof(bytes));
    struct sfu_dtls_record record;
    static const struct {
        uint8_t type;
        uint16_t epoch;
        size_t len;
    } wanted[] = {{SFU_DTLS_ALERT, 0, 15}, {23, 1, 16}, {SFU_DTLS_HANDSHAKE, 0, 65}};
    for (size_t i = 0; i < 3; i++) {
        CHECK(sfu_dtls_record_next(&data, &len, &record));
        CHECK_INT(record.type, wanted[i].type);
        CHECK_INT(record.epoch, wanted[i].epoch);
        CHECK_INT(record.len, wanted[i].len);
    }
    CHECK(!sfu_dtls_record_next(&data, &len, &record));
    CHECK_INT(len, 0);
}

static void a_record_that_is_cut_or_no_dtls_is_none(void) {
    uint8_t bytes[128];
    size_t whole = test_hex(three_records, bytes, sizeof(bytes));
    struct sfu_dtls_record record;
    for (size_t cut = 0; cut < 15; cut++) {
        const uint8_t *data = bytes;
        size_t len = cut;
        CHECK(!sfu_dtls_record_next(&data, &len, &record));
        CHECK(data == bytes && len == cut);
    }
    static const struct {
        size_t at;
        uint8_t value;
    } changes[] = {{0, 19}, {0, 32}, {1, 3}}; /* Unknown types; TLS. */
    for (size_t i = 0; i < 3; i++) {
        uint8_t changed[128];
        const uint8_t *data = changed;
        size_t len = whole;
        memcpy(changed, bytes, whole);
        changed[changes[i].at] = changes[i].value;
        CHECK(!sfu_dtls_record_next(&data, &len, &record));
    }
}

static struct sfu_dtls_record third_record(uint8_t *bytes, size_t capacity) {
    const uint8_t *data = bytes;
    size_t len = test_hex(three_records, bytes, capacity);
    struct sfu_dtls_record record;
    for (int i = 0; i < 3; i++)
        CHECK(sfu_dtls_record_next(&data, &len, &record));
    return record;
}

static void a_client_hello_shows_its_random_in_its_first_fragment(void) {
    uint8_t bytes[128];
    const uint8_t *random;
    struct sfu_dtls_record record = third_record(bytes, sizeof(bytes));
    uint8_t *message = bytes + (record.bytes - bytes) + SFU_DTLS_RECORD_HEADER;
    CHECK(sfu_dtls_record_is_client_hello(&record, &random));
    CHECK(random != NULL && random[0] == 0 && random[31] == 31);
    message[8] = 1; /* A later fragment. */
    CHECK(sfu_dtls_record_is_client_hello(&record, &random));
    CHECK(random == NULL);
    message[0] = 11; /* Certificate. */
    CHECK(!sfu_dtls_record_is_client_hello(&record, &random));
}

static void fragments_that_do_not_add_up_are_no_handshake(void) {
    uint8_t bytes[128];
    struct sfu_dtls_record record = third_record(bytes, sizeof(bytes));
    uint8_t *message = bytes + (record.bytes - bytes) + SFU_DTLS_RECORD_HEADER;
    CHECK(sfu_dtls_record_is_handshake(&record));
    message[11]++; /* Longer than the record. */
    CHECK(!sfu_dtls_record_is_handshake(&record));
    message[11] -= 2; /* A byte is left over. */
    CHECK(!sfu_dtls_record_is_handshake(&record));
    message[11]++;
    message[8] = 61; /* Ends behind the message's end. */
    CHECK(!sfu_dtls_record_is_handshake(&record));
    message[8] = 60;
    CHECK(sfu_dtls_record_is_handshake(&record));
}

static void only_records_of_epoch_0_get_new_numbers(void) {
    uint8_t bytes[128];
    uint8_t wanted[128];
    size_t len = test_hex(three_records, bytes, sizeof(bytes));
    memcpy(wanted, bytes, len);
    uint64_t next_seq = 0xffff;
    test_hex("00000000ffff", wanted + 5, 6);
    test_hex("000000010000", wanted + 31 + 5, 6);
    sfu_dtls_renumber(bytes, len, &next_seq);
    CHECK_BYTES(bytes, len, wanted, len);
    CHECK_INT(next_seq, 0x10001);
}

static const struct test tests[] = {
    {"a_datagram_is_taken_apart_into_its_records", a_datagram_is_taken_apart_into_its_records},
    {"a_record_that_is_cut_or_no_dtls_is_none", a_record_that_is_cut_or_no_dtls_is_none},
    {"a_client_hello_shows_its_random_in_its_first_fragment",
     a_client_hello_shows_its_random_in_its_first_fragment},
    {"fragments_that_do_not_add_up_are_no_handshake",
     fragments_that_do_not_add_up_are_no_handshake},
    {"only_records_of_epoch_0_get_new_numbers", only_records_of_epoch_0_get_new_numbers},
};

TEST_MAIN(tests)
