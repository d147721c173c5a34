/* What the synthetic encoders write is read by the server's parsers as it was meant. */
#include "bench/encoder.h"

#include <string.h>

#include "rtp/dependency.h"
#include "rtp/rtp.h"
#include "tests/unit/test.h"

static const struct bench_place only = {.packet = 0, .packets = 1, .payload_len = 500};

static struct bench_encoder make(enum rtp_codec codec, enum bench_scalability scalability) {
    return (struct bench_encoder){.codec = codec,
                                  .scalability = scalability,
                                  .width = 1280,
                                  .height = 720,
                                  .first_picture_id = 0x7ffe};
}

static struct rtp_descriptor read(const struct bench_encoder *encoder,
                                  const struct bench_part *part, const struct bench_place *place) {
    uint8_t payload[1200] = {0}, dependency[BENCH_DEPENDENCY_MAX];
    struct rtp_extensions extensions = {0};
    struct rtp_descriptor descriptor;
    CHECK(bench_encoder_head(encoder, part, place, payload) <= BENCH_HEAD_MAX);
    extensions.dependency_len =
        (uint16_t)bench_encoder_dependency(encoder, part, place, dependency);
    extensions.dependency = dependency;
    if (extensions.dependency_len > 0)
        extensions.present = 1u << RTP_EXT_DEPENDENCY;
    CHECK_INT(
        rtp_codec_parse(encoder->codec, payload, place->payload_len, &extensions, &descriptor), 0);
    return descriptor;
}

static void a_keyframe_is_an_entry_with_its_size(void) {
    for (int codec = RTP_CODEC_VP8; codec < RTP_CODEC_COUNT; codec++) {
        struct bench_encoder encoder = make((enum rtp_codec)codec, BENCH_L1T1);
        struct bench_part parts[BENCH_SPATIAL_MAX];
        CHECK_INT(bench_encoder_next(&encoder, true, parts), 1);
        struct rtp_descriptor descriptor = read(&encoder, &parts[0], &only);
        CHECK(rtp_descriptor_is_entry(&descriptor));
        CHECK_INT(descriptor.width, 1280);
        CHECK_INT(descriptor.height, 720);
        CHECK_INT(bench_encoder_next(&encoder, false, parts), 1);
        descriptor = read(&encoder, &parts[0], &only);
        CHECK(!rtp_descriptor_is_entry(&descriptor));
    }
}

static void h264_says_every_size(void) {
    static const uint16_t sizes[][2] = {{320, 180}, {640, 360}, {1280, 720}, {1920, 1080}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct bench_encoder encoder = make(RTP_CODEC_H264, BENCH_L1T1);
        struct bench_part parts[BENCH_SPATIAL_MAX];
        encoder.width = sizes[i][0];
        encoder.height = sizes[i][1];
        bench_encoder_next(&encoder, true, parts);
        struct rtp_descriptor descriptor = read(&encoder, &parts[0], &only);
        CHECK_INT(descriptor.width, sizes[i][0]);
        CHECK_INT(descriptor.height, sizes[i][1]);
    }
}

static void temporal_layers_follow_the_pattern(void) {
    static const int temporal[] = {0, 2, 1, 2, 0, 2, 1, 2};
    static const int back[] = {0, 1, 2, 1, 4, 1, 2, 1};
    struct bench_encoder encoder = make(RTP_CODEC_VP8, BENCH_L1T3);
    struct bench_part part[BENCH_SPATIAL_MAX];
    for (int i = 0; i < 8; i++) {
        bench_encoder_next(&encoder, i == 0, part);
        struct rtp_descriptor descriptor = read(&encoder, part, &only);
        CHECK_INT(descriptor.temporal, temporal[i]);
        CHECK_INT(descriptor.discardable, temporal[i] == 2);
        CHECK_INT(descriptor.picture_id, (0x7ffe + i) & 0x7fff);
        CHECK_INT(descriptor.tl0picidx, i < 4 ? 1 : 2);
        CHECK_INT(part->reference_count, i > 0);
        CHECK_INT(i == 0 ? 0 : part->references[0], back[i]);
    }
}

static void vp9_parts_need_the_layer_below(void) {
    static const enum bench_scalability modes[] = {BENCH_L3T3, BENCH_L3T3_KEY};
    for (int mode = 0; mode < 2; mode++) {
        struct bench_encoder encoder = make(RTP_CODEC_VP9, modes[mode]);
        struct bench_part parts[BENCH_SPATIAL_MAX];
        for (int picture = 0; picture < 5; picture++) {
            CHECK_INT(bench_encoder_next(&encoder, picture == 0, parts), 3);
            for (int i = 0; i < 3; i++) {
                struct rtp_descriptor descriptor = read(&encoder, &parts[i], &only);
                CHECK_INT(descriptor.spatial, i);
                CHECK_INT(descriptor.inter_layer, i > 0 && (picture == 0 || mode == 0));
                CHECK_INT(descriptor.not_referenced_up, i == 2 || (picture > 0 && mode == 1));
                CHECK_INT(descriptor.keyframe, picture == 0);
                CHECK(descriptor.frame_start && descriptor.frame_end);
            }
        }
    }
}

static void check_dependency(const struct bench_part *part, const struct rtp_dependency *got,
                             unsigned layers) {
    CHECK(got->known);
    CHECK_INT(got->frame_number, part->number);
    CHECK_INT(got->frame.spatial, part->spatial);
    CHECK_INT(got->frame.temporal, part->temporal);
    CHECK_INT(got->frame.fdiff_count, part->reference_count);
    for (unsigned i = 0; i < part->reference_count; i++)
        CHECK_INT(got->frame.fdiffs[i], part->references[i]);
    for (unsigned i = 0; i < layers; i++)
        CHECK_INT(got->frame.chain_fdiffs[i], part->chains[i]);
}

static void av1_says_its_dependencies(void) {
    for (int mode = BENCH_L1T1; mode <= BENCH_L3T3_KEY; mode++) {
        struct bench_encoder encoder = make(RTP_CODEC_AV1, (enum bench_scalability)mode);
        unsigned layers = bench_spatial_count(encoder.scalability);
        struct bench_part parts[BENCH_SPATIAL_MAX];
        struct rtp_dependency_structure structure = {0};
        for (int picture = 0; picture < 9; picture++) {
            bench_encoder_next(&encoder, picture == 0, parts);
            for (unsigned i = 0; i < layers; i++) {
                uint8_t data[BENCH_DEPENDENCY_MAX];
                struct rtp_dependency got;
                size_t len = bench_encoder_dependency(&encoder, &parts[i], &only, data);
                CHECK_INT(rtp_dependency_parse(data, len, &structure, &got), 0);
                check_dependency(&parts[i], &got, layers);
            }
        }
        CHECK_INT(structure.spatial_count, layers);
        CHECK_INT(structure.width[layers - 1], 1280);
        CHECK_INT(structure.height[0], 720 >> (layers - 1));
        CHECK_INT(structure.target_count, mode == BENCH_L1T1 ? 1 : layers * 3);
    }
}

/* A spatial layer's chain is itself, and where layers refer to one another those below it. */
static void chains_hold_what_a_layer_needs(void) {
    struct bench_encoder encoder = make(RTP_CODEC_AV1, BENCH_L3T3_KEY);
    struct bench_part parts[BENCH_SPATIAL_MAX];
    bench_encoder_next(&encoder, true, parts);
    CHECK_INT(parts[2].chains[2], 1);
    bench_encoder_next(&encoder, false, parts);
    CHECK_INT(parts[0].chains[0], 3);
    CHECK_INT(parts[2].chains[2], 3);
    encoder = make(RTP_CODEC_AV1, BENCH_L3T3);
    bench_encoder_next(&encoder, true, parts);
    for (int i = 0; i < 4; i++)
        bench_encoder_next(&encoder, false, parts);
    CHECK_INT(parts[1].temporal, 0);
    CHECK_INT(parts[1].chains[0], 1);
    CHECK_INT(parts[1].chains[1], 1);
    CHECK_INT(parts[1].chains[2], 1);
    CHECK_INT(parts[0].chains[2], 10);
}

static const struct test tests[] = {
    {"a_keyframe_is_an_entry_with_its_size", a_keyframe_is_an_entry_with_its_size},
    {"h264_says_every_size", h264_says_every_size},
    {"temporal_layers_follow_the_pattern", temporal_layers_follow_the_pattern},
    {"vp9_parts_need_the_layer_below", vp9_parts_need_the_layer_below},
    {"av1_says_its_dependencies", av1_says_its_dependencies},
    {"chains_hold_what_a_layer_needs", chains_hold_what_a_layer_needs},
};

TEST_MAIN(tests)
