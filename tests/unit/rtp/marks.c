/* The sliding bitmap. */
#include "rtp/marks.h"

#include "tests/unit/test.h"

static void marks_are_forgotten_when_they_slide_out(void) {
    struct rtp_marks marks;
    rtp_marks_start(&marks, 100);
    rtp_marks_set(&marks, 100, true);
    rtp_marks_advance(&marks, 100 + RTP_MARKS_SPAN - 1);
    CHECK(rtp_marks_has(&marks, 100));
    rtp_marks_advance(&marks, 100 + RTP_MARKS_SPAN);
    CHECK(!rtp_marks_has(&marks, 100));
    CHECK(!rtp_marks_has(&marks, 100 + RTP_MARKS_SPAN));
}

static void a_jump_over_the_whole_span_forgets_everything(void) {
    struct rtp_marks marks;
    rtp_marks_start(&marks, 0);
    for (uint64_t number = 0; number < RTP_MARKS_SPAN; number++) {
        rtp_marks_advance(&marks, number);
        rtp_marks_set(&marks, number, true);
    }
    CHECK_INT(rtp_marks_count_after(&marks, 0), RTP_MARKS_SPAN - 1);
    rtp_marks_advance(&marks, 5000);
    CHECK_INT(rtp_marks_count_after(&marks, 5000 - RTP_MARKS_SPAN), 0);
}

static void counting_agrees_with_looking_at_each(void) {
    struct rtp_marks marks;
    uint64_t first = UINT64_MAX - 700; /* Across the end of the 64 bits too. */
    rtp_marks_start(&marks, first);
    uint32_t random = 1;
    for (uint64_t i = 1; i < 2000; i++) {
        random = random * 1664525 + 1013904223;
        rtp_marks_advance(&marks, first + i);
        rtp_marks_set(&marks, first + i, random >> 30 == 0);
    }
    unsigned count = 0;
    for (uint64_t i = 0; i < RTP_MARKS_SPAN; i++) {
        CHECK_INT(rtp_marks_count_after(&marks, marks.newest - i), count);
        count += rtp_marks_has(&marks, marks.newest - i);
    }
    CHECK(count > 200 && count < 320);
}

static void numbers_that_are_not_covered_are_left_alone(void) {
    struct rtp_marks marks;
    rtp_marks_start(&marks, 2000);
    rtp_marks_set(&marks, 2001, true);
    rtp_marks_set(&marks, 2000 - RTP_MARKS_SPAN, true);
    CHECK(!rtp_marks_has(&marks, 2001));
    CHECK(!rtp_marks_has(&marks, 2000));
    CHECK(rtp_marks_is_newer(&marks, 2001));
    CHECK(!rtp_marks_is_newer(&marks, 2000));
    CHECK(!rtp_marks_covers(&marks, 2001));
}

static void a_mark_can_be_taken_back(void) {
    struct rtp_marks marks;
    rtp_marks_start(&marks, 63);
    rtp_marks_set(&marks, 63, true);
    rtp_marks_set(&marks, 62, true);
    rtp_marks_set(&marks, 63, false);
    CHECK(!rtp_marks_has(&marks, 63));
    CHECK(rtp_marks_has(&marks, 62));
}

static const struct test tests[] = {
    {"marks_are_forgotten_when_they_slide_out", marks_are_forgotten_when_they_slide_out},
    {"a_jump_over_the_whole_span_forgets_everything",
     a_jump_over_the_whole_span_forgets_everything},
    {"counting_agrees_with_looking_at_each", counting_agrees_with_looking_at_each},
    {"numbers_that_are_not_covered_are_left_alone", numbers_that_are_not_covered_are_left_alone},
    {"a_mark_can_be_taken_back", a_mark_can_be_taken_back},
};

TEST_MAIN(tests)
