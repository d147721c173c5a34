/* The rewriter, behaviour by behaviour; rewriter_random.c checks them together. */
#include "rtp/rewriter.h"

#include "tests/unit/test.h"

enum {
    CAPACITY = 256,
    FIRST_SEQ = 1000,
    FIRST_TIMESTAMP = 5000000,
    FRAME = 3000,
    FRAME_US = 33333
};

static struct rtp_rewriter_entry ring[CAPACITY];
static struct rtp_rewriter rewriter;
static uint64_t now_us;

static void begin(uint32_t clock_rate_hz) {
    now_us = 1000000;
    rtp_rewriter_init(&rewriter, ring, CAPACITY, clock_rate_hz, FIRST_SEQ, FIRST_TIMESTAMP);
    rtp_rewriter_switch(&rewriter, false, 0);
}

/* The first packet of a frame with a 15-bit picture id, or without one. */
static struct rtp_descriptor picture(int32_t id) {
    return (struct rtp_descriptor){.frame_start = true,
                                   .picture_id_bits = id == RTP_NO_NUMBER ? 0 : 15,
                                   .picture_id = id,
                                   .tl0picidx = RTP_NO_NUMBER};
}

static struct rtp_rewritten map(uint64_t seq, uint32_t timestamp, int32_t picture_id) {
    struct rtp_descriptor descriptor = picture(picture_id);
    struct rtp_rewritten out;
    CHECK(rtp_rewriter_map(&rewriter, now_us, seq, timestamp, &descriptor, &out));
    return out;
}

static int seq_of(uint64_t seq) {
    return map(seq, 0, RTP_NO_NUMBER).seq;
}

static bool refused(uint64_t seq) {
    struct rtp_descriptor descriptor = picture(RTP_NO_NUMBER);
    struct rtp_rewritten out;
    return !rtp_rewriter_map(&rewriter, now_us, seq, 0, &descriptor, &out);
}

static void drop(uint64_t seq, int32_t picture_id) {
    struct rtp_descriptor descriptor = picture(picture_id);
    rtp_rewriter_drop(&rewriter, seq, &descriptor);
}

static void the_first_packet_leaves_with_the_given_numbers(void) {
    begin(90000);
    struct rtp_rewritten got = map(70000, 123456, RTP_NO_NUMBER);
    CHECK_INT(got.seq, FIRST_SEQ);
    CHECK_INT(got.timestamp, FIRST_TIMESTAMP);
    got = map(70001, 123456 + FRAME, RTP_NO_NUMBER);
    CHECK_INT(got.seq, FIRST_SEQ + 1);
    CHECK_INT(got.timestamp, FIRST_TIMESTAMP + FRAME);
}

static void nothing_is_sent_before_a_source(void) {
    rtp_rewriter_init(&rewriter, ring, CAPACITY, 90000, FIRST_SEQ, 0);
    CHECK(refused(70000));
}

static void a_lost_packet_leaves_its_number_free(void) {
    begin(90000);
    CHECK_INT(seq_of(70000), 1000);
    CHECK_INT(seq_of(70003), 1003);
    CHECK_INT(seq_of(70001), 1001);
    CHECK_INT(seq_of(70004), 1004);
    CHECK_INT(seq_of(70002), 1002);
}

static void a_packet_is_sent_once(void) {
    begin(90000);
    seq_of(70000);
    seq_of(70001);
    CHECK(refused(70001));
    CHECK(refused(70000));
}

static void packets_from_before_the_first_are_refused(void) {
    begin(90000);
    seq_of(70000);
    CHECK(refused(69999));
}

static void what_is_left_out_leaves_no_gap(void) {
    begin(90000);
    CHECK_INT(seq_of(70000), 1000);
    drop(70001, RTP_NO_NUMBER);
    drop(70002, RTP_NO_NUMBER);
    CHECK_INT(seq_of(70003), 1001);
    CHECK(refused(70001));
}

static void a_late_packet_from_before_a_drop_gets_its_own_number(void) {
    begin(90000);
    CHECK_INT(seq_of(70000), 1000);
    drop(70002, RTP_NO_NUMBER);
    CHECK_INT(seq_of(70003), 1002);
    drop(70005, RTP_NO_NUMBER);
    CHECK_INT(seq_of(70006), 1004);
    CHECK_INT(seq_of(70004), 1003);
    CHECK_INT(seq_of(70001), 1001);
}

static void an_older_packet_cannot_be_left_out_any_more(void) {
    begin(90000);
    CHECK_INT(seq_of(70000), 1000);
    CHECK_INT(seq_of(70002), 1002);
    drop(70001, RTP_NO_NUMBER);
    CHECK_INT(seq_of(70003), 1003);
    CHECK_INT(seq_of(70001), 1001);
}

static void a_late_packet_can_become_the_newest_sent(void) {
    begin(90000);
    CHECK_INT(seq_of(70000), 1000);
    drop(70002, RTP_NO_NUMBER);
    CHECK_INT(seq_of(70001), 1001);
    rtp_rewriter_switch(&rewriter, false, 0);
    CHECK_INT(seq_of(90000), 1002);
}

static void loss_inside_a_left_out_picture_leaves_no_gap(void) {
    begin(90000);
    CHECK_INT(map(70000, 0, 10).seq, 1000);
    drop(70001, 11);
    drop(70004, 11);
    CHECK_INT(map(70005, 0, 12).seq, 1001);
    CHECK(refused(70002));
    /* Between two pictures it is not known whose the lost one is. */
    drop(70006, 13);
    drop(70008, 14);
    CHECK_INT(map(70009, 0, 15).seq, 1003);
}

static void loss_between_left_out_spatial_layers_keeps_its_number(void) {
    begin(90000);
    CHECK_INT(map(70000, 0, 10).seq, 1000);
    struct rtp_descriptor base = picture(11), top = picture(11);
    top.spatial = 2;
    rtp_rewriter_drop(&rewriter, 70001, &base);
    rtp_rewriter_drop(&rewriter, 70003, &top);
    CHECK_INT(map(70004, 0, 12).seq, 1002);
}

static void what_the_ring_forgot_is_refused(void) {
    begin(90000);
    seq_of(70000);
    seq_of(70001 + CAPACITY);
    CHECK(refused(70001));
    CHECK_INT(seq_of(70002), 1002);
}

static void a_jump_further_than_loss_explains_is_closed_up(void) {
    begin(90000);
    CHECK_INT(seq_of(70000), 1000);
    CHECK_INT(seq_of(70000 + 2999), 1000 + 2999);
    CHECK_INT(seq_of(80000), 1000 + 3000);
    CHECK(refused(79999));
    drop(90000, RTP_NO_NUMBER);
    CHECK_INT(seq_of(90001), 1000 + 3001);
}

static void numbers_go_on_over_a_switch(void) {
    begin(90000);
    CHECK_INT(seq_of(70000), 1000);
    rtp_rewriter_switch(&rewriter, false, 0);
    CHECK_INT(seq_of(65536 + 12), 1001);
    CHECK(refused(65536 + 11));
    rtp_rewriter_switch(&rewriter, false, 0);
    rtp_rewriter_switch(&rewriter, false, 0);
    CHECK_INT(seq_of(1 << 20), 1002);
}

static void outgoing_numbers_wrap(void) {
    begin(90000);
    for (uint64_t i = 0; i < 140000; i++)
        CHECK_INT(seq_of(70000 + i), (FIRST_SEQ + i) % 65536);
}

static void a_new_source_continues_from_the_time_elapsed(void) {
    begin(90000);
    map(70000, 0, RTP_NO_NUMBER);
    rtp_rewriter_switch(&rewriter, false, 0);
    now_us += 500000;
    CHECK_INT(map(90000, 777, RTP_NO_NUMBER).timestamp, FIRST_TIMESTAMP + 45000);
    CHECK_INT(rtp_rewriter_timestamp(&rewriter, 777 + FRAME), FIRST_TIMESTAMP + 45000 + FRAME);
}

static void a_new_source_is_at_least_one_frame_ahead(void) {
    begin(90000);
    map(70000, 0, RTP_NO_NUMBER);
    rtp_rewriter_switch(&rewriter, false, 0);
    now_us += 1000;
    CHECK_INT(map(90000, 777, RTP_NO_NUMBER).timestamp, FIRST_TIMESTAMP + 3000);
    begin(48000);
    map(70000, 0, RTP_NO_NUMBER);
    rtp_rewriter_switch(&rewriter, false, 0);
    CHECK_INT(map(90000, 777, RTP_NO_NUMBER).timestamp, FIRST_TIMESTAMP + 960);
}

/* What the first timestamp of a source is ahead when alignment says `wanted`, after 200 ms. */
static int advance_when_aligned_to(int32_t wanted) {
    begin(90000);
    map(70000, 0, RTP_NO_NUMBER);
    now_us += 200000;
    rtp_rewriter_switch(&rewriter, true, FIRST_TIMESTAMP + (uint32_t)wanted - 777);
    return (int)(map(90000, 777, RTP_NO_NUMBER).timestamp - FIRST_TIMESTAMP);
}

static void alignment_is_used_where_it_can_be_true(void) {
    CHECK_INT(advance_when_aligned_to(16000), 16000);
    CHECK_INT(advance_when_aligned_to(3000), 3000);
    CHECK_INT(advance_when_aligned_to(18000 + 6750), 18000 + 6750); /* 75 ms in the future. */
    CHECK_INT(advance_when_aligned_to(18000 + 6751), 18000);
    CHECK_INT(advance_when_aligned_to(0), 3000);
    CHECK_INT(advance_when_aligned_to(-3750), 3000);
    CHECK_INT(advance_when_aligned_to(-3751), 18000);
    CHECK_INT(advance_when_aligned_to(INT32_MIN), 18000);
}

static void a_pause_of_a_day_does_not_look_like_going_back(void) {
    begin(90000);
    map(70000, 0, RTP_NO_NUMBER);
    rtp_rewriter_switch(&rewriter, false, 0);
    now_us += UINT64_C(86400) * 1000000;
    CHECK_INT(map(90000, 777, RTP_NO_NUMBER).timestamp, FIRST_TIMESTAMP + 3600u * 90000u);
}

static void picture_ids_go_on_over_a_switch(void) {
    begin(90000);
    int last = map(70000, 0, 32767).picture_id;
    CHECK_INT(map(70001, 0, 32767).picture_id, last);
    CHECK_INT(map(70002, FRAME, 0).picture_id, last + 1);
    rtp_rewriter_switch(&rewriter, false, 0);
    CHECK_INT(map(90000, 0, 20000).picture_id, last + 2);
    rtp_rewriter_switch(&rewriter, false, 0);
    map(70010, 0, RTP_NO_NUMBER); /* A source without picture ids in between. */
    rtp_rewriter_switch(&rewriter, false, 0);
    CHECK_INT(map(90010, 0, 5).picture_id, last + 3);
}

static void seven_bit_picture_ids_are_followed_over_their_wrap(void) {
    begin(90000);
    struct rtp_descriptor descriptor = {
        .frame_start = true, .picture_id_bits = 7, .tl0picidx = RTP_NO_NUMBER};
    struct rtp_rewritten first, got;
    CHECK(rtp_rewriter_map(&rewriter, now_us, 70000, 0, &descriptor, &first));
    for (uint32_t i = 1; i < 1000; i++) {
        descriptor.picture_id = i & 0x7f;
        CHECK(rtp_rewriter_map(&rewriter, now_us, 70000 + i, i * FRAME, &descriptor, &got));
        CHECK_INT(got.picture_id, (first.picture_id + i) & 0x7fff);
    }
}

static void the_picture_id_of_what_is_left_out_closes_up(void) {
    begin(90000);
    int first = map(70000, 0, 100).picture_id;
    drop(70001, 101);
    CHECK_INT(map(70002, 0, 102).picture_id, first + 1);
    drop(70003, 103);
    CHECK_INT(map(70005, 0, 105).picture_id, first + 3);
    CHECK_INT(map(70004, 0, 104).picture_id, first + 2);
}

static void a_picture_whose_first_packet_was_lost_keeps_its_id(void) {
    begin(90000);
    int first = map(70000, 0, 100).picture_id;
    struct rtp_descriptor rest = picture(101);
    rest.frame_start = false;
    rtp_rewriter_drop(&rewriter, 70002, &rest);
    CHECK_INT(map(70003, 0, 102).picture_id, first + 2);
    CHECK_INT(map(70001, 0, 101).picture_id, first + 1);
}

static void a_late_packet_of_a_picture_that_closed_up_is_refused(void) {
    begin(90000);
    map(70000, 0, 100);
    drop(70001, 101);
    map(70003, 0, 102);
    struct rtp_descriptor late = picture(101);
    struct rtp_rewritten out;
    CHECK(!rtp_rewriter_map(&rewriter, now_us, 70002, 0, &late, &out));
}

static void fixed_picture_ids_keep_their_distances(void) {
    begin(90000);
    struct rtp_descriptor descriptor = picture(100);
    struct rtp_rewritten first, got;
    descriptor.picture_id_fixed = true;
    CHECK(rtp_rewriter_map(&rewriter, now_us, 70000, 0, &descriptor, &first));
    descriptor.picture_id = 101;
    rtp_rewriter_drop(&rewriter, 70001, &descriptor);
    descriptor.picture_id = 102;
    CHECK(rtp_rewriter_map(&rewriter, now_us, 70002, 0, &descriptor, &got));
    CHECK_INT(got.picture_id, first.picture_id + 2);
    CHECK_INT(got.seq, first.seq + 1);
}

static void an_encoder_that_begins_anew_goes_on_with_the_next_picture(void) {
    begin(90000);
    int first = map(70000, 0, 20000).picture_id;
    CHECK_INT(map(70001, FRAME, 19000).picture_id, first + 1);
    CHECK_INT(map(70002, 2 * FRAME, 19001).picture_id, first + 2);
}

static int tl0picidx_of(uint64_t seq, int32_t picture_id, uint8_t tl0picidx) {
    struct rtp_descriptor descriptor = picture(picture_id);
    struct rtp_rewritten out;
    descriptor.tl0picidx = tl0picidx;
    CHECK(rtp_rewriter_map(&rewriter, now_us, seq, 0, &descriptor, &out));
    return out.tl0picidx;
}

static void tl0picidx_goes_on_over_a_switch(void) {
    begin(90000);
    int first = tl0picidx_of(70000, 1, 250);
    CHECK_INT(tl0picidx_of(70001, 2, 250), first);
    CHECK_INT(tl0picidx_of(70002, 3, 251), (first + 1) & 255);
    rtp_rewriter_switch(&rewriter, false, 0);
    CHECK_INT(tl0picidx_of(90000, 77, 9), (first + 2) & 255);
    CHECK_INT(tl0picidx_of(90001, 78, 10), (first + 3) & 255);
    rtp_rewriter_switch(&rewriter, false, 0);
    CHECK_INT(tl0picidx_of(70010, RTP_NO_NUMBER, 200), (first + 4) & 255);
    rtp_rewriter_switch(&rewriter, false, 0);
    CHECK_INT(tl0picidx_of(90010, RTP_NO_NUMBER, 100), (first + 5) & 255);
}

static void tl0picidx_goes_on_when_the_encoder_begins_anew(void) {
    begin(90000);
    int first = tl0picidx_of(70000, 20000, 5);
    CHECK_INT(tl0picidx_of(70001, 19000, 77), (first + 1) & 255);
}

static void a_nack_finds_what_was_sent(void) {
    begin(90000);
    map(70000, 0, 100);
    drop(70001, 101);
    struct rtp_rewritten sent = map((UINT64_C(1) << 33) + 2, FRAME, 102);
    rtp_rewriter_switch(&rewriter, false, 0);
    map(90000, 0, 7);
    struct rtp_rewriter_entry *entry = rtp_rewriter_find(&rewriter, sent.seq);
    CHECK(entry != NULL);
    CHECK_INT(entry->source, 1);
    CHECK_INT(entry->source_seq, 2);
    CHECK_INT(entry->timestamp, sent.timestamp);
    CHECK_INT(entry->picture_id, sent.picture_id);
    CHECK_INT(entry->resends, 0);
    CHECK_INT(rtp_rewriter_find(&rewriter, (uint16_t)(sent.seq + 1))->source, 2);
}

static void a_nack_for_what_was_not_sent_finds_nothing(void) {
    begin(90000);
    CHECK(rtp_rewriter_find(&rewriter, FIRST_SEQ) == NULL);
    CHECK(rtp_rewriter_find(&rewriter, 0) == NULL);
    seq_of(70000);
    seq_of(70002);
    CHECK(rtp_rewriter_find(&rewriter, FIRST_SEQ + 1) == NULL);
    CHECK(rtp_rewriter_find(&rewriter, FIRST_SEQ + 3) == NULL);
    CHECK(rtp_rewriter_find(&rewriter, FIRST_SEQ - 1) == NULL);
    seq_of(70001 + CAPACITY); /* The first one's place has not been taken. */
    CHECK(rtp_rewriter_find(&rewriter, FIRST_SEQ) == NULL);
    CHECK(rtp_rewriter_find(&rewriter, FIRST_SEQ + 2) != NULL);
}

static void the_generation_of_a_source_is_never_zero(void) {
    begin(48000);
    for (int i = 1; i < 66000; i++) {
        struct rtp_rewritten sent = map((uint64_t)i * 100000, 0, RTP_NO_NUMBER);
        CHECK_INT(sent.seq, (uint16_t)(FIRST_SEQ + i - 1));
        CHECK_INT(rtp_rewriter_find(&rewriter, sent.seq)->source, (i - 1) % UINT16_MAX + 1);
        rtp_rewriter_switch(&rewriter, false, 0);
    }
}

#define TEST(name)                                                                                 \
    { #name, name }
static const struct test tests[] = {
    {"the_first_packet_leaves_with_the_given_numbers",
     the_first_packet_leaves_with_the_given_numbers},
    {"nothing_is_sent_before_a_source", nothing_is_sent_before_a_source},
    {"a_lost_packet_leaves_its_number_free", a_lost_packet_leaves_its_number_free},
    {"a_packet_is_sent_once", a_packet_is_sent_once},
    {"packets_from_before_the_first_are_refused", packets_from_before_the_first_are_refused},
    {"what_is_left_out_leaves_no_gap", what_is_left_out_leaves_no_gap},
    {"a_late_packet_from_before_a_drop_gets_its_own_number",
     a_late_packet_from_before_a_drop_gets_its_own_number},
    {"an_older_packet_cannot_be_left_out_any_more", an_older_packet_cannot_be_left_out_any_more},
    {"a_late_packet_can_become_the_newest_sent", a_late_packet_can_become_the_newest_sent},
    {"loss_inside_a_left_out_picture_leaves_no_gap", loss_inside_a_left_out_picture_leaves_no_gap},
    {"loss_between_left_out_spatial_layers_keeps_its_number",
     loss_between_left_out_spatial_layers_keeps_its_number},
    {"what_the_ring_forgot_is_refused", what_the_ring_forgot_is_refused},
    {"a_jump_further_than_loss_explains_is_closed_up",
     a_jump_further_than_loss_explains_is_closed_up},
    {"numbers_go_on_over_a_switch", numbers_go_on_over_a_switch},
    {"outgoing_numbers_wrap", outgoing_numbers_wrap},
    {"a_new_source_continues_from_the_time_elapsed", a_new_source_continues_from_the_time_elapsed},
    {"a_new_source_is_at_least_one_frame_ahead", a_new_source_is_at_least_one_frame_ahead},
    {"alignment_is_used_where_it_can_be_true", alignment_is_used_where_it_can_be_true},
    {"a_pause_of_a_day_does_not_look_like_going_back",
     a_pause_of_a_day_does_not_look_like_going_back},
    {"picture_ids_go_on_over_a_switch", picture_ids_go_on_over_a_switch},
    {"seven_bit_picture_ids_are_followed_over_their_wrap",
     seven_bit_picture_ids_are_followed_over_their_wrap},
    {"the_picture_id_of_what_is_left_out_closes_up", the_picture_id_of_what_is_left_out_closes_up},
    {"a_picture_whose_first_packet_was_lost_keeps_its_id",
     a_picture_whose_first_packet_was_lost_keeps_its_id},
    {"a_late_packet_of_a_picture_that_closed_up_is_refused",
     a_late_packet_of_a_picture_that_closed_up_is_refused},
    {"fixed_picture_ids_keep_their_distances", fixed_picture_ids_keep_their_distances},
    {"an_encoder_that_begins_anew_goes_on_with_the_next_picture",
     an_encoder_that_begins_anew_goes_on_with_the_next_picture},
    {"tl0picidx_goes_on_over_a_switch", tl0picidx_goes_on_over_a_switch},
    {"tl0picidx_goes_on_when_the_encoder_begins_anew",
     tl0picidx_goes_on_when_the_encoder_begins_anew},
    {"a_nack_finds_what_was_sent", a_nack_finds_what_was_sent},
    {"a_nack_for_what_was_not_sent_finds_nothing", a_nack_for_what_was_not_sent_finds_nothing},
    {"the_generation_of_a_source_is_never_zero", the_generation_of_a_source_is_never_zero},
};

TEST_MAIN(tests)
