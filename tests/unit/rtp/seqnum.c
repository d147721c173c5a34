/* Wrapping comparison and unwrapping of sequence numbers. */
#include "rtp/seqnum.h"

#include "tests/unit/test.h"

static void a_number_is_newer_across_the_wrap(void) {
    CHECK(rtp_seq_newer(1, 65535));
    CHECK(!rtp_seq_newer(65535, 1));
    CHECK(!rtp_seq_newer(7, 7));
    CHECK(rtp_seq_newer(0x7fff, 0));
    CHECK(!rtp_seq_newer(0x8000, 0));
    CHECK_INT(rtp_seq_distance(2, 65534), 4);
    CHECK_INT(rtp_seq_distance(65534, 2), -4);
}

static void a_timestamp_is_newer_across_the_wrap(void) {
    CHECK(rtp_timestamp_newer(960, 0xffffff00u));
    CHECK(!rtp_timestamp_newer(0xffffff00u, 960));
    CHECK(!rtp_timestamp_newer(5, 5));
}

static void the_first_number_leaves_room_for_older_ones(void) {
    struct rtp_unwrapper unwrapper = {0};
    CHECK_INT(rtp_unwrapper_unwrap(&unwrapper, 3), 65539);
    CHECK_INT(rtp_unwrapper_unwrap(&unwrapper, 65534), 65534);
    CHECK_INT(unwrapper.last, 65539);
}

static void numbers_go_on_rising_over_many_wraps(void) {
    struct rtp_unwrapper unwrapper = {0};
    uint64_t expected = 65536 + 65000;
    CHECK_INT(rtp_unwrapper_unwrap(&unwrapper, 65000), expected);
    for (int i = 0; i < 300; i++) {
        expected += 1000;
        CHECK_INT(rtp_unwrapper_unwrap(&unwrapper, (uint16_t)expected), expected);
    }
}

static void a_late_number_does_not_move_the_newest(void) {
    struct rtp_unwrapper unwrapper = {0};
    rtp_unwrapper_unwrap(&unwrapper, 65535);
    CHECK_INT(rtp_unwrapper_unwrap(&unwrapper, 2), 131074);
    CHECK_INT(rtp_unwrapper_unwrap(&unwrapper, 65533), 131069);
    CHECK_INT(rtp_unwrapper_unwrap(&unwrapper, 3), 131075);
}

static void half_the_number_space_away_is_older(void) {
    struct rtp_unwrapper unwrapper = {0};
    rtp_unwrapper_unwrap(&unwrapper, 0);
    CHECK_INT(rtp_unwrapper_peek(&unwrapper, 0x7fff), 65536 + 0x7fff);
    CHECK_INT(rtp_unwrapper_peek(&unwrapper, 0x8000), 65536 - 0x8000);
}

static void peeking_changes_nothing(void) {
    struct rtp_unwrapper unwrapper = {0};
    CHECK_INT(rtp_unwrapper_peek(&unwrapper, 10), 65546);
    CHECK(!unwrapper.started);
    rtp_unwrapper_unwrap(&unwrapper, 10);
    CHECK_INT(rtp_unwrapper_peek(&unwrapper, 500), 66036);
    CHECK_INT(unwrapper.last, 65546);
}

static const struct test tests[] = {
    {"a_number_is_newer_across_the_wrap", a_number_is_newer_across_the_wrap},
    {"a_timestamp_is_newer_across_the_wrap", a_timestamp_is_newer_across_the_wrap},
    {"the_first_number_leaves_room_for_older_ones", the_first_number_leaves_room_for_older_ones},
    {"numbers_go_on_rising_over_many_wraps", numbers_go_on_rising_over_many_wraps},
    {"a_late_number_does_not_move_the_newest", a_late_number_does_not_move_the_newest},
    {"half_the_number_space_away_is_older", half_the_number_space_away_is_older},
    {"peeking_changes_nothing", peeking_changes_nothing},
};

TEST_MAIN(tests)
