/* VP8 payload descriptors: the examples of RFC 7741 section 4.5, and packets of libvpx. */
#include "tests/unit/rtp/payload.h"

/* From vp8enc ! rtpvp8pay at 320x180: a keyframe's first packet, and the next frame's. */
#define GSTREAMER_KEYFRAME "90 80 fd88 b05900 9d012a 4001b400 0047088585"
#define GSTREAMER_INTERFRAME "90 80 fd89 311a00171198001bb9096e7f"
/* X; I, L, T, K; 15-bit picture id 4711; TL0PICIDX 37; TID 2 and Y; the head of an interframe. */
#define LAYERED "90 f0 9267 25 a3 d1 00 00"

static void a_keyframe_says_its_size(void) {
    struct rtp_descriptor got = payload_parse(RTP_CODEC_VP8, GSTREAMER_KEYFRAME);
    CHECK(got.keyframe && got.frame_start && !got.discardable);
    CHECK_INT(got.picture_id, 0x7d88);
    CHECK_INT(got.picture_id_bits, 15);
    CHECK_INT(got.tl0picidx, RTP_NO_NUMBER);
    CHECK_INT(got.width, 320);
    CHECK_INT(got.height, 180);
    CHECK_INT(got.length, 4);
}

static void the_upper_bits_of_the_size_are_its_scaling(void) {
    struct rtp_descriptor got = payload_parse(RTP_CODEC_VP8, "10 b05900 9d012a 4041b480");
    CHECK_INT(got.width, 320);
    CHECK_INT(got.height, 180);
}

static void an_interframe_starts_a_frame_but_is_no_keyframe(void) {
    struct rtp_descriptor got = payload_parse(RTP_CODEC_VP8, GSTREAMER_INTERFRAME);
    CHECK(!got.keyframe && got.frame_start);
    CHECK_INT(got.picture_id, 0x7d89);
    CHECK_INT(got.width, 0);
}

static void a_keyframe_in_one_packet_as_in_rfc_7741(void) {
    struct rtp_descriptor got =
        payload_parse(RTP_CODEC_VP8, "90 80 11 100200 9d012a b0009000 0011");
    CHECK(got.keyframe && got.frame_start);
    CHECK_INT(got.picture_id, 17);
    CHECK_INT(got.picture_id_bits, 7);
    CHECK_INT(got.length, 3);
    CHECK_INT(got.width, 176);
    CHECK_INT(got.height, 144);
}

static void an_interframe_without_extension_as_in_rfc_7741(void) {
    struct rtp_descriptor got = payload_parse(RTP_CODEC_VP8, "10 d1 02 00");
    CHECK(got.frame_start && !got.keyframe);
    CHECK_INT(got.picture_id, RTP_NO_NUMBER);
    CHECK_INT(got.picture_id_bits, 0);
    CHECK_INT(got.length, 1);
}

static void only_the_first_partition_starts_the_frame(void) {
    /* The second partition's packet begins a partition (S) that is not the first (PID 1); its data
     * would look like a keyframe's. */
    CHECK(!payload_parse(RTP_CODEC_VP8, "91 80 11 00").frame_start);
    CHECK(!payload_parse(RTP_CODEC_VP8, "91 80 11 00").keyframe);
    /* A later fragment of the first partition. */
    CHECK(!payload_parse(RTP_CODEC_VP8, "80 80 11 00").frame_start);
}

static void the_layer_numbers_are_read(void) {
    struct rtp_descriptor got = payload_parse(RTP_CODEC_VP8, LAYERED);
    CHECK_INT(got.picture_id, 4711); /* The long picture id of RFC 7741 section 4.5.5. */
    CHECK_INT(got.tl0picidx, 37);
    CHECK_INT(got.temporal, 2);
    CHECK(got.layer_sync);
    CHECK_INT(got.length, 6);
    CHECK(!payload_parse(RTP_CODEC_VP8, "90 f0 9267 25 83 d1").layer_sync);
    CHECK(payload_parse(RTP_CODEC_VP8, "b0 f0 9267 25 83 d1").discardable);
}

static void with_a_key_index_alone_there_is_no_layer(void) {
    struct rtp_descriptor got = payload_parse(RTP_CODEC_VP8, "90 10 e3 d1");
    CHECK_INT(got.temporal, 0);
    CHECK(!got.layer_sync);
    CHECK_INT(got.length, 3);
}

static void a_descriptor_cut_short_is_refused(void) {
    payload_check_cut(RTP_CODEC_VP8, LAYERED, 7);
    payload_check_cut(RTP_CODEC_VP8, GSTREAMER_KEYFRAME, 14);
    payload_check_refused(RTP_CODEC_VP8, "90 80 11");
    payload_check_refused(RTP_CODEC_VP8, "10");
}

static void a_keyframe_without_start_code_is_refused(void) {
    payload_check_refused(RTP_CODEC_VP8, "10 b05900 9d012b 4001b400 00");
}

static void a_rewritten_descriptor_has_the_new_numbers_and_nothing_else_changed(void) {
    payload_check_rewrite(RTP_CODEC_VP8, LAYERED, 0x1234, 99, "90 f0 9234 63 a3");
    payload_check_rewrite(RTP_CODEC_VP8, GSTREAMER_KEYFRAME, 0x7fff, 0, "90 80 ffff");
    payload_check_rewrite(RTP_CODEC_VP8, "10 d1 02 00", 5, 6, "10");
    payload_check_rewrite(RTP_CODEC_VP8, "90 60 25 a0 d1", 5, 6, "90 60 06 a0");
}

static void a_seven_bit_picture_id_grows_to_fifteen(void) {
    payload_check_rewrite(RTP_CODEC_VP8, "90 80 11 d1 02 00", 300, 0, "90 80 812c");
    payload_check_rewrite(RTP_CODEC_VP8, "90 f0 11 25 a3 d1", 3, 4, "90 f0 8003 04 a3");
}

static const struct test tests[] = {
    {"a_keyframe_says_its_size", a_keyframe_says_its_size},
    {"the_upper_bits_of_the_size_are_its_scaling", the_upper_bits_of_the_size_are_its_scaling},
    {"an_interframe_starts_a_frame_but_is_no_keyframe",
     an_interframe_starts_a_frame_but_is_no_keyframe},
    {"a_keyframe_in_one_packet_as_in_rfc_7741", a_keyframe_in_one_packet_as_in_rfc_7741},
    {"an_interframe_without_extension_as_in_rfc_7741",
     an_interframe_without_extension_as_in_rfc_7741},
    {"only_the_first_partition_starts_the_frame", only_the_first_partition_starts_the_frame},
    {"the_layer_numbers_are_read", the_layer_numbers_are_read},
    {"with_a_key_index_alone_there_is_no_layer", with_a_key_index_alone_there_is_no_layer},
    {"a_descriptor_cut_short_is_refused", a_descriptor_cut_short_is_refused},
    {"a_keyframe_without_start_code_is_refused", a_keyframe_without_start_code_is_refused},
    {"a_rewritten_descriptor_has_the_new_numbers_and_nothing_else_changed",
     a_rewritten_descriptor_has_the_new_numbers_and_nothing_else_changed},
    {"a_seven_bit_picture_id_grows_to_fifteen", a_seven_bit_picture_id_grows_to_fifteen},
};

TEST_MAIN(tests)
