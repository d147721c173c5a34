/* The table of codecs, and that each one's payloads go to its own reader. */
#include "rtp/codec.h"

#include "tests/unit/rtp/payload.h"

static void names_are_found_in_any_case_and_only_whole(void) {
    CHECK_INT(rtp_codec_from_name("VP8", 3), RTP_CODEC_VP8);
    CHECK_INT(rtp_codec_from_name("vp9", 3), RTP_CODEC_VP9);
    CHECK_INT(rtp_codec_from_name("OPUS", 4), RTP_CODEC_OPUS); /* As GStreamer writes it. */
    CHECK_INT(rtp_codec_from_name("h264x", 4), RTP_CODEC_H264);
    CHECK_INT(rtp_codec_from_name("VP", 2), RTP_CODEC_NONE);
    CHECK_INT(rtp_codec_from_name("AV1X", 4), RTP_CODEC_NONE);
    CHECK_INT(rtp_codec_from_name("rtx", 3), RTP_CODEC_NONE);
    CHECK_INT(rtp_codec_from_name("", 0), RTP_CODEC_NONE);
}

static void every_codec_has_a_name_that_leads_back_to_it(void) {
    for (int codec = RTP_CODEC_NONE + 1; codec < RTP_CODEC_COUNT; codec++) {
        const char *name = rtp_codec_name((enum rtp_codec)codec);
        CHECK_INT(rtp_codec_from_name(name, strlen(name)), codec);
    }
    CHECK(rtp_codec_name(RTP_CODEC_NONE) == NULL);
    CHECK(rtp_codec_name(RTP_CODEC_COUNT) == NULL);
}

static void an_empty_payload_is_malformed_for_every_codec(void) {
    for (int codec = RTP_CODEC_NONE; codec <= RTP_CODEC_COUNT; codec++)
        payload_check_refused((enum rtp_codec)codec, "");
}

static void codecs_without_numbers_are_rewritten_to_nothing(void) {
    payload_check_rewrite(RTP_CODEC_OPUS, "fc ff fe", 7, 8, "");
    payload_check_rewrite(RTP_CODEC_H264, "61 e0 00 40", 7, 8, "");
    payload_check_rewrite(RTP_CODEC_AV1, "18 0a 0b 00", 7, 8, "");
    CHECK_INT(payload_parse(RTP_CODEC_H264, "61 e0 00 40").length, 0);
}

static void an_entry_for_a_decoder_needs_a_keyframes_first_packet_and_no_lower_layer(void) {
    struct rtp_descriptor descriptor = {.keyframe = true, .frame_start = true};
    CHECK(rtp_descriptor_is_entry(&descriptor));
    descriptor.inter_layer = true;
    CHECK(!rtp_descriptor_is_entry(&descriptor));
    descriptor = (struct rtp_descriptor){.keyframe = true};
    CHECK(!rtp_descriptor_is_entry(&descriptor));
    descriptor = (struct rtp_descriptor){.frame_start = true};
    CHECK(!rtp_descriptor_is_entry(&descriptor));
}

static const struct test tests[] = {
    {"names_are_found_in_any_case_and_only_whole", names_are_found_in_any_case_and_only_whole},
    {"every_codec_has_a_name_that_leads_back_to_it", every_codec_has_a_name_that_leads_back_to_it},
    {"an_empty_payload_is_malformed_for_every_codec",
     an_empty_payload_is_malformed_for_every_codec},
    {"codecs_without_numbers_are_rewritten_to_nothing",
     codecs_without_numbers_are_rewritten_to_nothing},
    {"an_entry_for_a_decoder_needs_a_keyframes_first_packet_and_no_lower_layer",
     an_entry_for_a_decoder_needs_a_keyframes_first_packet_and_no_lower_layer},
};

TEST_MAIN(tests)
