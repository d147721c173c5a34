/* AV1 payloads (AV1 RTP payload specification 1.0): aggregation header and dependency descriptor.
 */
#include "tests/unit/rtp/payload.h"

/* A keyframe's descriptor from Chrome, L3T3 at 480x270. */
#define CHROME_KEYFRAME                                                                            \
    "c1017280081485214eafffaaaa863cf0430c10c302afc0aaa0063c00430010c002a000a80006000040001d954926" \
    "e082b04a0941b820ac1282503157f974000ca864330e222222eca8655304224230eca877530077004200ef008601" \
    "df010d"

static struct rtp_descriptor parse_with(const char *payload_hex, const char *dependency_hex) {
    uint8_t payload[64], dependency[256];
    size_t len = test_hex(payload_hex, payload, sizeof(payload));
    struct rtp_extensions extensions = {.present = 1u << RTP_EXT_DEPENDENCY,
                                        .dependency = dependency};
    extensions.dependency_len = (uint16_t)test_hex(dependency_hex, dependency, sizeof(dependency));
    struct rtp_descriptor got;
    CHECK_INT(rtp_codec_parse(RTP_CODEC_AV1, payload, len, &extensions, &got), 0);
    return got;
}

static void a_new_sequence_is_a_keyframes_start(void) {
    struct rtp_descriptor got = payload_parse(RTP_CODEC_AV1, "18 0a0b0000");
    CHECK(got.keyframe && got.frame_start && !got.frame_end);
    CHECK_INT(got.picture_id, RTP_NO_NUMBER);
    CHECK_INT(got.picture_id_bits, 0);
    CHECK(rtp_descriptor_is_entry(&got));
}

static void other_packets_alone_say_nothing(void) {
    struct rtp_descriptor got = payload_parse(RTP_CODEC_AV1, "10 3200");
    CHECK(!got.keyframe && !got.frame_start);
    CHECK(!payload_parse(RTP_CODEC_AV1, "90 3200").keyframe);
}

static void a_sequence_that_begins_with_a_fragments_rest_is_refused(void) {
    payload_check_refused(RTP_CODEC_AV1, "98 0a0b");
    payload_check_refused(RTP_CODEC_AV1, "18");
}

static void an_attached_structure_is_a_keyframe_of_that_size(void) {
    struct rtp_descriptor got = parse_with("10 3200", CHROME_KEYFRAME);
    CHECK(got.keyframe && got.frame_start && got.frame_end);
    CHECK_INT(got.spatial, 0);
    CHECK_INT(got.temporal, 0);
    CHECK_INT(got.width, 480);
    CHECK_INT(got.height, 270);
}

static void the_dependency_descriptor_tells_start_and_end(void) {
    struct rtp_descriptor got = parse_with("10 3200", "860173");
    CHECK(!got.keyframe && got.frame_start && !got.frame_end);
    got = parse_with("90 3200", "460173");
    CHECK(!got.keyframe && !got.frame_start && got.frame_end);
    got = parse_with("90 3200", "0b0174");
    CHECK(!got.frame_start && !got.frame_end);
}

static void a_malformed_dependency_descriptor_counts_as_absent(void) {
    struct rtp_descriptor got = parse_with("18 0a0b", "c101");
    CHECK(got.keyframe && got.frame_start && !got.frame_end);
}

static const struct test tests[] = {
    {"a_new_sequence_is_a_keyframes_start", a_new_sequence_is_a_keyframes_start},
    {"other_packets_alone_say_nothing", other_packets_alone_say_nothing},
    {"a_sequence_that_begins_with_a_fragments_rest_is_refused",
     a_sequence_that_begins_with_a_fragments_rest_is_refused},
    {"an_attached_structure_is_a_keyframe_of_that_size",
     an_attached_structure_is_a_keyframe_of_that_size},
    {"the_dependency_descriptor_tells_start_and_end",
     the_dependency_descriptor_tells_start_and_end},
    {"a_malformed_dependency_descriptor_counts_as_absent",
     a_malformed_dependency_descriptor_counts_as_absent},
};

TEST_MAIN(tests)
