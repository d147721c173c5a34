/* VP9 payload descriptors (RFC 9628 section 4.2) and packets of libvpx. */
#include "tests/unit/rtp/payload.h"

/* From vp9enc ! rtpvp9pay at 320x180: I, B, V; a structure with one size and one picture. */
#define GSTREAMER_KEYFRAME "8a c74b 18 0140 00b4 01 04 01 82498342 2013f00b"
/* Non-flexible SVC: I, P, L, B, E; TID 1, U, SID 2, D; TL0PICIDX 37. */
#define LAYERED "ec 9267 35 25 86 00"
/* Flexible: I, P, L, F, B; TID 0, SID 1; two references. */
#define FLEXIBLE "f8 11 02 03 04 86 00"

static void a_keyframe_brings_its_size_in_the_structure(void) {
    struct rtp_descriptor got = payload_parse(RTP_CODEC_VP9, GSTREAMER_KEYFRAME);
    CHECK(got.keyframe && got.frame_start && !got.frame_end && !got.inter_layer);
    CHECK_INT(got.picture_id, 0x474b);
    CHECK_INT(got.picture_id_bits, 15);
    CHECK_INT(got.tl0picidx, RTP_NO_NUMBER);
    CHECK_INT(got.width, 320);
    CHECK_INT(got.height, 180);
    CHECK_INT(got.length, 3);
}

static void the_size_is_that_of_the_highest_layer(void) {
    /* Three layers, 320x180 to 1280x720, no group: L3T3 as Chrome sends it. */
    struct rtp_descriptor got =
        payload_parse(RTP_CODEC_VP9, "aa 8001 00 05 50 0140 00b4 0280 0168 0500 02d0 82498342");
    CHECK_INT(got.width, 1280);
    CHECK_INT(got.height, 720);
    CHECK_INT(got.length, 5);
}

static void the_layer_numbers_are_read(void) {
    struct rtp_descriptor got = payload_parse(RTP_CODEC_VP9, LAYERED);
    CHECK_INT(got.picture_id, 4711);
    CHECK_INT(got.tl0picidx, 37);
    CHECK_INT(got.temporal, 1);
    CHECK_INT(got.spatial, 2);
    CHECK(got.layer_sync && got.inter_layer && !got.keyframe);
    CHECK(got.frame_start && got.frame_end && !got.not_referenced_up);
    CHECK(payload_parse(RTP_CODEC_VP9, "ed 9267 35 25 86").not_referenced_up);
    CHECK(got.picture_id_fixed);
}

static void flexible_mode_has_references_instead_of_tl0picidx(void) {
    struct rtp_descriptor got = payload_parse(RTP_CODEC_VP9, FLEXIBLE);
    CHECK_INT(got.picture_id, 17);
    CHECK_INT(got.picture_id_bits, 7);
    CHECK_INT(got.tl0picidx, RTP_NO_NUMBER);
    CHECK_INT(got.spatial, 1);
    CHECK_INT(got.length, 3);
    payload_check_cut(RTP_CODEC_VP9, FLEXIBLE, 6);
    /* A fourth reference is one too many. */
    payload_check_refused(RTP_CODEC_VP9, "f8 11 02 03 05 07 08 86 00");
}

static void an_upper_layer_of_a_key_picture_is_no_entry(void) {
    struct rtp_descriptor got = payload_parse(RTP_CODEC_VP9, "a8 8001 03 05 86 00");
    CHECK(got.keyframe && got.inter_layer);
    CHECK(!rtp_descriptor_is_entry(&got));
    got = payload_parse(RTP_CODEC_VP9, "a8 8001 00 05 82 49");
    CHECK(rtp_descriptor_is_entry(&got));
}

static void a_descriptor_cut_short_is_refused(void) {
    payload_check_cut(RTP_CODEC_VP9, LAYERED, 6);
    payload_check_cut(RTP_CODEC_VP9, "aa 8001 00 05 50 0140 00b4 0280 0168 0500 02d0 82 49", 19);
    payload_check_cut(RTP_CODEC_VP9, GSTREAMER_KEYFRAME, 12);
    payload_check_refused(RTP_CODEC_VP9, "80");
    payload_check_refused(RTP_CODEC_VP9, "08");
}

static void the_longest_structure_is_read_to_its_end(void) {
    /* Eight layers with sizes, 255 pictures of three references each. */
    uint8_t payload[1 + 1 + 32 + 1 + 255 * 4 + 1] = {0x0a, 0xf8};
    payload[34] = 255;
    for (size_t i = 0; i < 255; i++)
        payload[35 + 4 * i] = 3 << 2;
    struct rtp_descriptor got;
    CHECK_INT(payload_parse_bytes(RTP_CODEC_VP9, payload, sizeof(payload), &got), 0);
    CHECK_INT(got.length, 1);
    CHECK_INT(payload_parse_bytes(RTP_CODEC_VP9, payload, sizeof(payload) - 1, &got), -EBADMSG);
    CHECK_INT(payload_parse_bytes(RTP_CODEC_VP9, payload, 40, &got), -EBADMSG);
}

static void a_rewritten_descriptor_has_the_new_numbers_and_nothing_else_changed(void) {
    payload_check_rewrite(RTP_CODEC_VP9, LAYERED, 0x1234, 99, "ec 9234 35 63");
    payload_check_rewrite(RTP_CODEC_VP9, FLEXIBLE, 300, 99, "f8 812c 02");
    payload_check_rewrite(RTP_CODEC_VP9, "28 25 07 86", 300, 99, "28 25 63");
    payload_check_rewrite(RTP_CODEC_VP9, "08 82 49", 300, 99, "08");
}

static const struct test tests[] = {
    {"a_keyframe_brings_its_size_in_the_structure", a_keyframe_brings_its_size_in_the_structure},
    {"the_size_is_that_of_the_highest_layer", the_size_is_that_of_the_highest_layer},
    {"the_layer_numbers_are_read", the_layer_numbers_are_read},
    {"flexible_mode_has_references_instead_of_tl0picidx",
     flexible_mode_has_references_instead_of_tl0picidx},
    {"an_upper_layer_of_a_key_picture_is_no_entry", an_upper_layer_of_a_key_picture_is_no_entry},
    {"a_descriptor_cut_short_is_refused", a_descriptor_cut_short_is_refused},
    {"the_longest_structure_is_read_to_its_end", the_longest_structure_is_read_to_its_end},
    {"a_rewritten_descriptor_has_the_new_numbers_and_nothing_else_changed",
     a_rewritten_descriptor_has_the_new_numbers_and_nothing_else_changed},
};

TEST_MAIN(tests)
