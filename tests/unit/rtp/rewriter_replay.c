/* A source that begins with a replay of the past, and numbers that are filled with nothing. */
#include "rtp/rewriter.h"

#include "tests/unit/test.h"

enum { CAPACITY = 1024, FRAME = 3000 };

static struct rtp_rewriter_entry ring[CAPACITY];
static struct rtp_rewriter rewriter;
static uint64_t now_us = 10 * 1000 * 1000;
static struct rtp_rewritten out;

static void begin(void) {
    rtp_rewriter_init(&rewriter, ring, CAPACITY, 90000, 1000, 500000);
    rtp_rewriter_switch(&rewriter, false, 0);
}

static uint32_t map(uint64_t seq, uint32_t timestamp) {
    CHECK(rtp_rewriter_map(&rewriter, now_us, seq, timestamp, NULL, &out));
    return out.timestamp;
}

/* Frames 1 to 60 of another source at once, and then live. */
static void a_replay_is_squeezed_into_the_time_that_has_passed(void) {
    begin();
    uint32_t last = map(70000, 7000);
    now_us += 33333;
    rtp_rewriter_switch(&rewriter, false, 0);
    rtp_rewriter_replay(&rewriter, 90000 + 60 * FRAME, 60);
    uint32_t before = last;
    for (uint32_t i = 1; i <= 60; i++) {
        uint32_t now = map(80000 + i, 90000 + i * FRAME);
        CHECK((int32_t)(now - before) > 0);
        before = now;
    }
    CHECK_INT(before - last, FRAME); /* The newest is where a live one would be, */
    now_us += 33333;
    CHECK_INT(map(80061, 90000 + 61 * FRAME) - before, FRAME); /* and the next one follows it. */
}

static void long_after_the_last_source_frames_are_a_millisecond_apart(void) {
    begin();
    uint32_t last = map(70000, 7000);
    now_us += 2000000;
    rtp_rewriter_switch(&rewriter, false, 0);
    rtp_rewriter_replay(&rewriter, 90000 + 29 * FRAME, 30);
    uint32_t first = map(80000, 90000);
    uint32_t second = map(80001, 90000 + FRAME);
    CHECK(second - first <= 96 && second - first >= 85);
    CHECK_INT(map(80029, 90000 + 29 * FRAME) - last, 180000);
}

static void a_stream_may_begin_with_a_replay(void) {
    begin();
    rtp_rewriter_replay(&rewriter, 90000 + 9 * FRAME, 10);
    CHECK_INT(map(80000, 90000), 500000);
    uint32_t newest = map(80009, 90000 + 9 * FRAME);
    CHECK_INT(newest, 500000 + 10 * 90);
    CHECK_INT(map(80010, 90000 + 10 * FRAME), newest + FRAME);
    CHECK_INT(rtp_rewriter_timestamp(&rewriter, 90000 + 9 * FRAME), newest);
}

static void a_late_packet_of_a_replayed_frame_has_its_frames_time(void) {
    begin();
    rtp_rewriter_replay(&rewriter, 90000 + 9 * FRAME, 10);
    map(80000, 90000);
    uint32_t second = map(80001, 90000 + FRAME);
    map(80009, 90000 + 9 * FRAME);
    CHECK_INT(map(80002, 90000 + FRAME), second);
}

static void a_replay_of_one_frame_is_live(void) {
    begin();
    uint32_t last = map(70000, 7000);
    now_us += 40000;
    rtp_rewriter_switch(&rewriter, false, 0);
    rtp_rewriter_replay(&rewriter, 90000, 1);
    CHECK_INT(map(80000, 90000) - last, 3600);
}

static void what_comes_too_late_to_be_left_out_fills_its_number(void) {
    begin();
    map(70000, 7000);
    uint16_t first = out.seq;
    map(70002, 7000 + 2 * FRAME);
    CHECK_INT(out.seq, (uint16_t)(first + 2));
    rtp_rewriter_drop(&rewriter, 70001, NULL);
    CHECK(rtp_rewriter_fill(&rewriter, now_us, 70001, 7000 + FRAME, &out));
    CHECK_INT(out.seq, (uint16_t)(first + 1));
    CHECK_INT(rtp_rewriter_find(&rewriter, out.seq)->resends, RTP_REWRITER_NEVER);
    CHECK(!rtp_rewriter_fill(&rewriter, now_us, 70001, 7000 + FRAME, &out)); /* Once. */
    CHECK(!rtp_rewriter_map(&rewriter, now_us, 70001, 7000 + FRAME, NULL, &out));
    rtp_rewriter_drop(&rewriter, 70003, NULL);
    CHECK(!rtp_rewriter_fill(&rewriter, now_us, 70003, 7000, &out)); /* It has no number. */
    map(70004, 7000 + 4 * FRAME);
    CHECK_INT(out.seq, (uint16_t)(first + 3));
}

/* It is ahead of the last packet that was sent: what follows must not take its number again. */
static void a_number_that_was_filled_is_not_given_again(void) {
    begin();
    map(70000, 7000);
    uint16_t first = out.seq;
    rtp_rewriter_drop(&rewriter, 70002, NULL);
    CHECK(rtp_rewriter_fill(&rewriter, now_us, 70001, 7000 + FRAME, &out));
    CHECK_INT(out.seq, (uint16_t)(first + 1));
    rtp_rewriter_switch(&rewriter, false, 0);
    uint32_t filled = out.timestamp;
    CHECK((int32_t)(map(90000, 1) - filled) > 0);
    CHECK_INT(out.seq, (uint16_t)(first + 2));
}

static void frame_numbers_have_sixteen_bits(void) {
    begin();
    struct rtp_descriptor descriptor = {.picture_id = 65530,
                                        .picture_id_bits = 16,
                                        .picture_id_fixed = true,
                                        .tl0picidx = RTP_NO_NUMBER};
    CHECK(rtp_rewriter_map(&rewriter, now_us, 70000, 0, &descriptor, &out));
    uint16_t first = out.picture_id;
    for (uint16_t i = 1; i < 20; i++) {
        descriptor.picture_id = (uint16_t)(65530 + i);
        CHECK(rtp_rewriter_map(&rewriter, now_us, 70000 + i, i * 3000u, &descriptor, &out));
        CHECK_INT(out.picture_id, (uint16_t)(first + i));
    }
    rtp_rewriter_switch(&rewriter, false, 0);
    descriptor.picture_id = 40000;
    CHECK(rtp_rewriter_map(&rewriter, now_us, 90000, 0, &descriptor, &out));
    CHECK_INT(out.picture_id, (uint16_t)(first + 20));
}

static const struct test tests[] = {
    {"a_replay_is_squeezed_into_the_time_that_has_passed",
     a_replay_is_squeezed_into_the_time_that_has_passed},
    {"long_after_the_last_source_frames_are_a_millisecond_apart",
     long_after_the_last_source_frames_are_a_millisecond_apart},
    {"a_stream_may_begin_with_a_replay", a_stream_may_begin_with_a_replay},
    {"a_late_packet_of_a_replayed_frame_has_its_frames_time",
     a_late_packet_of_a_replayed_frame_has_its_frames_time},
    {"a_replay_of_one_frame_is_live", a_replay_of_one_frame_is_live},
    {"what_comes_too_late_to_be_left_out_fills_its_number",
     what_comes_too_late_to_be_left_out_fills_its_number},
    {"a_number_that_was_filled_is_not_given_again", a_number_that_was_filled_is_not_given_again},
    {"frame_numbers_have_sixteen_bits", frame_numbers_have_sixteen_bits},
};

TEST_MAIN(tests)
