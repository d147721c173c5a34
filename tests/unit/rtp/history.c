/* The ring of packets for retransmission. */
#include "rtp/history.h"

#include <errno.h>

#include "tests/unit/test.h"

enum { CAPACITY = 8 };

static struct rtp_history_entry entries[CAPACITY];
static struct rtp_history history = {.entries = entries, .capacity = CAPACITY};
static char packets[32];

static void a_packet_is_found_under_its_number_alone(void) {
    CHECK(rtp_history_put(&history, 100, &packets[0]) == NULL);
    CHECK(rtp_history_get(&history, 100) == &packets[0]);
    CHECK(rtp_history_get(&history, 108) == NULL);
    CHECK(rtp_history_get(&history, 92) == NULL);
    CHECK(rtp_history_get(&history, 101) == NULL);
}

static void a_newer_packet_hands_back_the_one_a_ring_older(void) {
    for (int i = 0; i < CAPACITY; i++)
        CHECK(rtp_history_put(&history, 65534u + (unsigned)i, &packets[i]) == NULL);
    CHECK(rtp_history_put(&history, 65534 + CAPACITY, &packets[8]) == &packets[0]);
    CHECK(rtp_history_get(&history, 65534) == NULL);
    CHECK(rtp_history_get(&history, 65534 + CAPACITY) == &packets[8]);
    CHECK(rtp_history_get(&history, 65535) == &packets[1]);
}

static void an_older_packet_and_a_duplicate_are_handed_back_themselves(void) {
    rtp_history_put(&history, 20, &packets[0]);
    CHECK(rtp_history_put(&history, 12, &packets[1]) == &packets[1]);
    CHECK(rtp_history_put(&history, 20, &packets[2]) == &packets[2]);
    CHECK(rtp_history_get(&history, 20) == &packets[0]);
}

static void a_late_packet_fills_its_empty_place(void) {
    rtp_history_put(&history, 10, &packets[0]);
    rtp_history_put(&history, 12, &packets[2]);
    CHECK(rtp_history_put(&history, 11, &packets[1]) == NULL);
    CHECK(rtp_history_get(&history, 11) == &packets[1]);
}

static void taking_empties_every_place_once(void) {
    for (int i = 0; i < 5; i++)
        rtp_history_put(&history, 65536u + (unsigned)i, &packets[i]);
    int taken = 0;
    for (size_t i = 0; i < CAPACITY; i++)
        taken += rtp_history_take(&history, i) != NULL;
    CHECK_INT(taken, 5);
    for (size_t i = 0; i < CAPACITY; i++)
        CHECK(rtp_history_take(&history, i) == NULL);
    CHECK(rtp_history_get(&history, 65536) == NULL);
    CHECK(rtp_history_put(&history, 4, &packets[9]) == NULL);
}

static void an_rtx_payload_begins_with_the_original_number(void) {
    uint16_t seq = 7;
    CHECK_INT(rtp_rtx_parse((const uint8_t[]){0x12, 0x34, 0x90}, 3, &seq), 0);
    CHECK_INT(seq, 0x1234);
    CHECK_INT(rtp_rtx_parse((const uint8_t[]){0xff, 0xfe}, 2, &seq), 0);
    CHECK_INT(seq, 65534);
    CHECK_INT(rtp_rtx_parse((const uint8_t[]){0x12}, 1, &seq), -EBADMSG);
    CHECK_INT(rtp_rtx_parse(NULL, 0, &seq), -EBADMSG);
    CHECK_INT(seq, 65534);
}

static const struct test tests[] = {
    {"a_packet_is_found_under_its_number_alone", a_packet_is_found_under_its_number_alone},
    {"a_newer_packet_hands_back_the_one_a_ring_older",
     a_newer_packet_hands_back_the_one_a_ring_older},
    {"an_older_packet_and_a_duplicate_are_handed_back_themselves",
     an_older_packet_and_a_duplicate_are_handed_back_themselves},
    {"a_late_packet_fills_its_empty_place", a_late_packet_fills_its_empty_place},
    {"taking_empties_every_place_once", taking_empties_every_place_once},
    {"an_rtx_payload_begins_with_the_original_number",
     an_rtx_payload_begins_with_the_original_number},
};

TEST_MAIN(tests)
