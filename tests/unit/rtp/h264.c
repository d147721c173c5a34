/* H.264 payloads (RFC 6184): packets of openh264 through rtph264pay, and made-up aggregates. */
#include "tests/unit/rtp/payload.h"

/* STAP-A with SPS (320x180), PPS and IDR slice; a non-IDR slice. */
#define GSTREAMER_KEYFRAME                                                                         \
    "78 000f 6742c00d8c8d40a0cbcf00f08846a0 0004 68ce3c80 0010 65b800040000053ffffe1e8a00057c9b"
#define GSTREAMER_SLICE "61 e0004000be405380f01178"
#define SPS "6742c00d8c8d40a0cbcf00f08846a0"

static void an_aggregate_with_parameter_sets_and_idr_is_a_keyframe(void) {
    struct rtp_descriptor got = payload_parse(RTP_CODEC_H264, GSTREAMER_KEYFRAME);
    CHECK(got.keyframe && got.frame_start);
    CHECK_INT(got.width, 320);
    CHECK_INT(got.height, 180);
    CHECK_INT(got.picture_id, RTP_NO_NUMBER);
    CHECK_INT(got.tl0picidx, RTP_NO_NUMBER);
}

static void parameter_sets_apart_start_the_keyframe(void) {
    struct rtp_descriptor got = payload_parse(RTP_CODEC_H264, SPS);
    CHECK(got.keyframe && got.frame_start);
    CHECK_INT(got.width, 320);
    got = payload_parse(RTP_CODEC_H264, "78 000f" SPS "0004 68ce3c80"); /* As Chrome sends them. */
    CHECK(got.keyframe && got.frame_start);
    CHECK(!payload_parse(RTP_CODEC_H264, "68 ce3c80").keyframe);
}

static void an_access_unit_delimiter_in_front_changes_nothing(void) {
    struct rtp_descriptor got = payload_parse(RTP_CODEC_H264, "78 0002 0910 000f" SPS);
    CHECK(got.keyframe && got.frame_start);
    CHECK_INT(got.height, 180);
}

static void an_idr_slice_belongs_to_a_keyframe_but_does_not_start_it(void) {
    struct rtp_descriptor got = payload_parse(RTP_CODEC_H264, "65 b800040000053f");
    CHECK(got.keyframe && !got.frame_start);
    CHECK(payload_parse(RTP_CODEC_H264, "7c 85 b8000400").keyframe); /* Its first fragment. */
    CHECK(payload_parse(RTP_CODEC_H264, "7c 05 00040000").keyframe);
    CHECK(payload_parse(RTP_CODEC_H264, "7c 45 00040000").keyframe);
    CHECK(!payload_parse(RTP_CODEC_H264, "7c 85 b8000400").frame_start);
}

static void other_slices_are_no_keyframe(void) {
    CHECK(!payload_parse(RTP_CODEC_H264, GSTREAMER_SLICE).keyframe);
    CHECK(!payload_parse(RTP_CODEC_H264, "7c 81 e0004000").keyframe);
    /* Parameter sets repeated before a frame that is none. */
    struct rtp_descriptor got =
        payload_parse(RTP_CODEC_H264, "78 000f" SPS "000c 61e0004000be405380f01178");
    CHECK(!got.keyframe && got.frame_start);
}

static void a_fragmented_parameter_set_starts_at_its_first_fragment(void) {
    CHECK(payload_parse(RTP_CODEC_H264, "7c 87 42c00d8c").frame_start);
    CHECK(!payload_parse(RTP_CODEC_H264, "7c 07 42c00d8c").keyframe);
}

static void a_slice_that_nothing_refers_to_is_discardable(void) {
    CHECK(payload_parse(RTP_CODEC_H264, "01 e0004000").discardable);
    CHECK(payload_parse(RTP_CODEC_H264, "1c 81 e0004000").discardable);
    CHECK(!payload_parse(RTP_CODEC_H264, GSTREAMER_SLICE).discardable);
    CHECK(!payload_parse(RTP_CODEC_H264, "06 0504").discardable); /* SEI has no such meaning. */
}

static void aggregates_and_fragments_cut_short_are_refused(void) {
    payload_check_refused(RTP_CODEC_H264, "78");
    payload_check_refused(RTP_CODEC_H264, "78 00");
    payload_check_refused(RTP_CODEC_H264, "78 0000");
    payload_check_refused(RTP_CODEC_H264, "78 0005 68ce3c80");
    payload_check_refused(RTP_CODEC_H264, "78 0004 68ce3c80 00");
    payload_check_refused(RTP_CODEC_H264, "7c");
    payload_check_refused(RTP_CODEC_H264, "7c 85");
}

static void types_that_webrtc_does_not_use_are_refused(void) {
    static const char *const payloads[] = {
        "60 00", "79 0000 0002 6588", "7a 00", "7b 00", "7d 85 0000 b8", "7e 00", "7f 00"};
    for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++)
        payload_check_refused(RTP_CODEC_H264, payloads[i]);
}

static void an_unreadable_parameter_set_has_no_size(void) {
    struct rtp_descriptor got = payload_parse(RTP_CODEC_H264, "67 42c0");
    CHECK(got.keyframe && got.frame_start);
    CHECK_INT(got.width, 0);
}

static const struct test tests[] = {
    {"an_aggregate_with_parameter_sets_and_idr_is_a_keyframe",
     an_aggregate_with_parameter_sets_and_idr_is_a_keyframe},
    {"parameter_sets_apart_start_the_keyframe", parameter_sets_apart_start_the_keyframe},
    {"an_access_unit_delimiter_in_front_changes_nothing",
     an_access_unit_delimiter_in_front_changes_nothing},
    {"an_idr_slice_belongs_to_a_keyframe_but_does_not_start_it",
     an_idr_slice_belongs_to_a_keyframe_but_does_not_start_it},
    {"other_slices_are_no_keyframe", other_slices_are_no_keyframe},
    {"a_fragmented_parameter_set_starts_at_its_first_fragment",
     a_fragmented_parameter_set_starts_at_its_first_fragment},
    {"a_slice_that_nothing_refers_to_is_discardable",
     a_slice_that_nothing_refers_to_is_discardable},
    {"aggregates_and_fragments_cut_short_are_refused",
     aggregates_and_fragments_cut_short_are_refused},
    {"types_that_webrtc_does_not_use_are_refused", types_that_webrtc_does_not_use_are_refused},
    {"an_unreadable_parameter_set_has_no_size", an_unreadable_parameter_set_has_no_size},
};

TEST_MAIN(tests)
