/* Opus payloads (RFC 7587, RFC 6716 section 3.1). */
#include "tests/unit/rtp/payload.h"

static void every_packet_is_an_entry_and_a_whole_frame(void) {
    /* libopus, 20 ms CELT, one frame; from opusenc ! rtpopuspay. */
    struct rtp_descriptor got = payload_parse(RTP_CODEC_OPUS, "f8 afea6d2474330b901348967a");
    CHECK(got.keyframe && got.frame_start && got.frame_end);
    CHECK_INT(got.picture_id, RTP_NO_NUMBER);
    CHECK_INT(got.tl0picidx, RTP_NO_NUMBER);
    CHECK_INT(got.length, 0);
}

static void silence_of_one_byte_is_taken(void) {
    payload_parse(RTP_CODEC_OPUS, "f8"); /* What libopus sends for DTX. */
    payload_parse(RTP_CODEC_OPUS, "f8 ff fe");
}

static void a_packing_without_its_second_byte_is_refused(void) {
    payload_check_refused(RTP_CODEC_OPUS, "fa");
    payload_check_refused(RTP_CODEC_OPUS, "fb");
    payload_parse(RTP_CODEC_OPUS, "fb 03 00 00 00");
}

static const struct test tests[] = {
    {"every_packet_is_an_entry_and_a_whole_frame", every_packet_is_an_entry_and_a_whole_frame},
    {"silence_of_one_byte_is_taken", silence_of_one_byte_is_taken},
    {"a_packing_without_its_second_byte_is_refused", a_packing_without_its_second_byte_is_refused},
};

TEST_MAIN(tests)
