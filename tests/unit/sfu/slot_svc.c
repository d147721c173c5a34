/* Spatial and temporal layers of one stream through a slot: VP9 by its payload descriptor, AV1 by
 * the dependency descriptor, and what is filled where something was left out too late. */
#include "rtp/dependency.h"
#include "tests/unit/sfu/slot_call.h"

enum { ID_DEPENDENCY = 12, VP9_LEN = 24, VP9_LARGE_LEN = 1100 };

static void begin_codec(enum rtp_codec codec) {
    rig_open();
    call.publisher = rig_join();
    call.camera = rig_add(call.publisher, true, SFU_PUBLISHES);
    call.viewer = rig_join();
    call.slot = rig_add(call.viewer, true, SFU_SLOT);
    call.camera->codecs[0].codec = call.slot->codecs[0].codec = codec;
    call.camera->extensions.ids[RTP_EXT_DEPENDENCY] = ID_DEPENDENCY;
    call.slot->extensions.ids[RTP_EXT_DEPENDENCY] = ID_DEPENDENCY;
    connect_both();
}

static void aim(uint8_t spatial, uint8_t temporal) {
    struct sfu_target target = {.spatial = spatial, .temporal = temporal};
    sfu_slot_set_target(rig_slot(call.viewer, call.slot), rig.now_us, &target);
}

/* --- VP9 --- */

/* A picture of K-SVC: three layer frames of one packet each; numbers are 10 * picture + layer. */
static void vp9_picture_of(unsigned picture, bool key, size_t upper_len) {
    for (unsigned i = 0; i < 3; i++) {
        uint8_t payload[VP9_LARGE_LEN] = {0};
        size_t len = i > 0 ? upper_len : VP9_LEN;
        bool inter_layer = key && i > 0;
        payload[0] = (uint8_t)(0xa0 | 0x0c | (key ? 0 : 0x40)); /* I, L, B, E; P */
        rtp_put16(payload + 1, (uint16_t)(0x8000 | picture));
        payload[3] = (uint8_t)(i << 1 | inter_layer);
        payload[4] = (uint8_t)picture;
        rtp_put16(payload + len - 2, (uint16_t)(10 * picture + i));
        rig_put(call.publisher, &(struct rig_rtp){.ssrc = camera_ssrc(),
                                                  .payload_type = RIG_VP8_PT,
                                                  .seq = (uint16_t)(1000 + 3 * picture + i),
                                                  .timestamp = picture * 3000,
                                                  .marker = i == 2,
                                                  .payload = payload,
                                                  .len = len});
    }
    rig_flush();
    rig.now_us += 33 * MS;
}

static void vp9_picture(unsigned picture, bool key) {
    vp9_picture_of(picture, key, VP9_LEN);
}

/* "10 11 12!": numbers, ! where the marker bit is. */
static const char *pictures(void) {
    static char text[512];
    text[0] = '\0';
    for (size_t i = 0; i < rig_rtp_count(call.viewer); i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%u%s", i ? " " : "",
                 rig_number(rig_rtp_at(call.viewer, i)),
                 rig_rtp_at(call.viewer, i)->rtp.marker ? "!" : "");
    return text;
}

static void the_marker_bit_is_on_the_last_layer_that_is_forwarded(void) {
    begin_codec(RTP_CODEC_VP9);
    vp9_picture(1, true);
    aim(1, 0);
    vp9_picture(2, false);
    aim(0, 0);
    vp9_picture(3, false);
    aim(2, 0);
    vp9_picture(4, false);
    vp9_picture(5, true);
    CHECK_STR(pictures(), "10 11 12! 20 21! 30! 40! 50 51 52!");
    check_consecutive();
    rig_close();
}

static void a_packet_that_is_sent_again_keeps_its_marker_bit(void) {
    begin_codec(RTP_CODEC_VP9);
    vp9_picture(1, true);
    aim(1, 0);
    vp9_picture(2, false);
    uint16_t seq = rig_rtp_at(call.viewer, 4)->rtp.seq;
    rig_nack(call.viewer, call.slot->slot_ssrc, &seq, 1);
    CHECK_INT(rig_rtp_at(call.viewer, 5)->rtp.ssrc, call.slot->slot_rtx_ssrc);
    CHECK(rig_rtp_at(call.viewer, 5)->rtp.marker);
    rig_close();
}

static void more_spatial_layers_ask_for_a_keyframe_fewer_do_not(void) {
    begin_codec(RTP_CODEC_VP9);
    vp9_picture(1, true);
    aim(0, 0);
    vp9_picture(2, false);
    rig_run(1 * MS);
    CHECK_INT(rig_plis(call.publisher), 0);
    aim(1, 0);
    rig_run(1 * MS);
    CHECK_INT(rig_plis(call.publisher), 1);
    rig_close();
}

/* 44 KB of pictures, of which the lowest level takes 500 bytes. */
static void after_a_pause_the_lowest_level_of_what_is_kept_is_little(void) {
    begin_codec(RTP_CODEC_VP9);
    sfu_slot_set_target(rig_slot(call.viewer, call.slot), rig.now_us,
                        &(struct sfu_target){.paused = true});
    for (unsigned i = 0; i < 20; i++)
        vp9_picture_of(i, i == 0, VP9_LARGE_LEN);
    struct sfu_downlink *downlink = call.viewer->transport->downlink;
    downlink->source = SFU_DOWNLINK_REMB;
    downlink->remb_bps = 300000;
    aim(1, 2);
    CHECK_STR(pictures(), "");
    sfu_slot_set_target(rig_slot(call.viewer, call.slot), rig.now_us,
                        &(struct sfu_target){.paused = true});
    aim(0, 2);
    rig_run(20 * MS);
    CHECK_INT(rig_rtp_count(call.viewer), 20);
    CHECK_INT(rig_number(rig_rtp_at(call.viewer, 19)), 190);
    check_consecutive();
    rig_close();
}

static void rungs_are_the_spatial_layers_that_flow(void) {
    begin_codec(RTP_CODEC_VP9);
    vp9_picture(1, true);
    for (unsigned i = 2; i < 12; i++)
        vp9_picture(i, false);
    struct rtp_rung rungs[RTP_RUNGS_MAX];
    CHECK_INT(sfu_track_rungs(rig_track(call.publisher, call.camera), rig.now_us, rungs), 3);
    for (uint8_t i = 0; i < 3; i++) {
        CHECK_INT(rungs[i].spatial, i);
        CHECK(i == 0 || rungs[i].bps > rungs[i - 1].bps);
        CHECK(rungs[i].fps >= 25 && rungs[i].fps <= 35);
    }
    CHECK(rungs[2].bps > 2 * rungs[0].bps && rungs[2].bps < 4 * rungs[0].bps);
    rig_close();
}

/* --- AV1 --- */

#define CHROME_STRUCTURE                                                                           \
    "c1017280081485214eafffaaaa863cf0430c10c302afc0aaa0063c00430010c002a000a80006000040001d954926" \
    "e082b04a0941b820ac1282503157f974000ca864330e222222eca8655304224230eca877530077004200ef008601" \
    "df010d"

/* One frame of one packet, numbered by its frame. */
static void put_av1(uint8_t template, uint16_t frame, bool attached, bool marker) {
    uint8_t descriptor[128] = {0}, payload[8] = {0x10, 0x32};
    size_t len = attached ? test_hex(CHROME_STRUCTURE, descriptor, sizeof(descriptor)) : 3;
    descriptor[0] = (uint8_t)(0xc0 | template);
    rtp_put16(descriptor + 1, frame);
    rtp_put16(payload + 6, frame);
    payload[0] |= attached ? 0x08 : 0;
    struct rtp_extensions others = {.present = 1u << RTP_EXT_DEPENDENCY,
                                    .dependency = descriptor,
                                    .dependency_len = (uint16_t)len};
    rig_put(call.publisher, &(struct rig_rtp){.ssrc = camera_ssrc(),
                                              .payload_type = RIG_VP8_PT,
                                              .seq = frame,
                                              .timestamp = frame / 3 * 3000u,
                                              .marker = marker,
                                              .others = &others,
                                              .map = &call.camera->extensions,
                                              .payload = payload,
                                              .len = sizeof(payload)});
}

/* Pictures of L3T3, frames 3 * picture and on; the first is the key picture. */
static void av1_picture(unsigned picture) {
    static const uint8_t templates[5][3] = {
        {1, 6, 11}, {3, 8, 13}, {2, 7, 12}, {4, 9, 14}, {0, 5, 10}};
    unsigned row = picture == 0 ? 0 : (picture - 1) % 4 + 1;
    for (unsigned i = 0; i < 3; i++)
        put_av1(templates[row][i], (uint16_t)(3 * picture + i + 300), picture == 0 && i == 0,
                i == 2);
    rig_flush();
    rig.now_us += 33 * MS;
}

static struct rtp_dependency_structure seen;

static struct rtp_dependency descriptor_at(size_t n) {
    const struct rig_sent *sent = rig_rtp_at(call.viewer, n);
    struct rtp_extensions extensions;
    struct rtp_dependency dependency;
    rtp_extensions_parse(&extensions, &sent->rtp, sent->data, &call.slot->extensions);
    CHECK(rtp_ext_has(&extensions, RTP_EXT_DEPENDENCY));
    CHECK_INT(
        rtp_dependency_parse(extensions.dependency, extensions.dependency_len, &seen, &dependency),
        0);
    return dependency;
}

static void frame_numbers_of_a_descriptor_are_continued(void) {
    begin_codec(RTP_CODEC_AV1);
    for (unsigned i = 0; i < 5; i++)
        av1_picture(i);
    CHECK_INT(rig_rtp_count(call.viewer), 15);
    struct rtp_dependency first = descriptor_at(0);
    CHECK(first.attached);
    CHECK_INT(seen.template_count, 15);
    for (size_t i = 1; i < 15; i++)
        CHECK_INT(descriptor_at(i).frame_number, (uint16_t)(first.frame_number + i));
    rig_close();
}

static void active_targets_are_those_that_are_forwarded(void) {
    begin_codec(RTP_CODEC_AV1);
    av1_picture(0);
    aim(1, 1);
    for (unsigned i = 1; i < 5; i++)
        av1_picture(i);
    CHECK_STR(pictures(), "300 301 302! 306 307! 312 313!");
    check_consecutive();
    struct rtp_dependency key = descriptor_at(0);
    CHECK_INT(key.targets, 0x1ff);
    struct rtp_dependency next = descriptor_at(3);
    CHECK(next.has_targets && next.known);
    CHECK_INT(next.targets, 0x01b); /* L0T0 L0T1 L1T0 L1T1 */
    CHECK_INT(next.frame.temporal, 1);
    CHECK_INT((uint16_t)(next.frame_number - key.frame_number), 6);
    rig_close();
}

static void nothing_is_forwarded_to_a_newcomer_without_the_structure(void) {
    begin_codec(RTP_CODEC_AV1);
    put_av1(3, 290, false, true);
    rig_flush();
    CHECK_INT(rig_rtp_count(call.viewer), 0);
    rig_run(1 * MS);
    CHECK_INT(rig_plis(call.publisher), 1);
    av1_picture(0);
    CHECK_STR(pictures(), "300 301 302!");
    rig_close();
}

/* The structure comes by retransmission, after what refers to it. */
static void frames_wait_for_a_structure_that_is_late(void) {
    begin_codec(RTP_CODEC_AV1);
    put_av1(5, 298, false, true);
    rig_flush();
    put_av1(6, 301, false, false);
    put_av1(11, 302, false, true);
    rig_flush();
    CHECK_INT(rig_rtp_count(call.viewer), 0);
    put_av1(1, 300, true, false);
    rig_flush();
    CHECK_STR(pictures(), "300 301 302!");
    check_consecutive();
    CHECK_INT((uint16_t)(descriptor_at(2).frame_number - descriptor_at(0).frame_number), 2);
    rig_close();
}

/* With gaps in it, it would tell a receiver of VP8 of frames that will never come. */
static void vp8_leaves_without_the_descriptor(void) {
    begin_codec(RTP_CODEC_VP8);
    uint8_t descriptor[128], payload[RIG_PAYLOAD_LEN];
    struct rtp_extensions others = {
        .present = 1u << RTP_EXT_DEPENDENCY,
        .dependency = descriptor,
        .dependency_len = (uint16_t)test_hex(CHROME_STRUCTURE, descriptor, sizeof(descriptor))};
    rig_send(call.publisher, &(struct rig_rtp){.ssrc = camera_ssrc(),
                                               .payload_type = RIG_VP8_PT,
                                               .seq = 10,
                                               .others = &others,
                                               .map = &call.camera->extensions,
                                               .payload = payload,
                                               .len = rig_vp8(payload, 1, RIG_KEY, 720, 10)});
    CHECK_INT(extension_ids(rig_rtp_at(call.viewer, 0)) & 1u << ID_DEPENDENCY, 0);
    rig_close();
}

/* --- What was left out too late --- */

/* A VP8 frame of one packet with a temporal layer; T0s at even numbers. */
static void vp8_frame(uint16_t seq, uint8_t temporal, bool key) {
    uint8_t payload[RIG_PAYLOAD_LEN];
    rig_vp8(payload, seq, (key ? RIG_KEY : RIG_START) | RIG_END, 720, seq);
    payload[5] = (uint8_t)(temporal << 6);
    rig_send(call.publisher, &(struct rig_rtp){.ssrc = camera_ssrc(),
                                               .payload_type = RIG_VP8_PT,
                                               .seq = seq,
                                               .timestamp = seq * 3000u,
                                               .marker = true,
                                               .payload = payload,
                                               .len = sizeof(payload)});
    rig.now_us += 33 * MS;
}

static void a_late_packet_of_an_unwanted_layer_fills_its_number_with_nothing(void) {
    begin_codec(RTP_CODEC_VP8);
    vp8_frame(10, 0, true);
    vp8_frame(11, 1, false);
    aim(0, 0);
    vp8_frame(12, 0, false);
    vp8_frame(14, 0, false); /* 13 is missing; who knows what it was. */
    vp8_frame(13, 1, false);
    vp8_frame(15, 1, false);
    vp8_frame(16, 0, false);
    const struct rig_sent *filler = rig_rtp_at(call.viewer, 4);
    CHECK_INT(filler->rtp.payload_len, 0);
    CHECK_INT(filler->rtp.padding_len, 1);
    CHECK_INT(filler->rtp.seq, (uint16_t)(rig_rtp_at(call.viewer, 3)->rtp.seq - 1));
    CHECK_INT(rig_number(rig_rtp_at(call.viewer, 5)), 16);
    CHECK_INT(rig_rtp_at(call.viewer, 5)->rtp.seq,
              (uint16_t)(rig_rtp_at(call.viewer, 3)->rtp.seq + 1));
    uint16_t seq = filler->rtp.seq;
    rig_nack(call.viewer, call.slot->slot_ssrc, &seq, 1);
    CHECK_INT(rig_rtp_count(call.viewer), 6); /* It is not the source's packet. */
    rig_close();
}

static const struct test tests[] = {
    {"the_marker_bit_is_on_the_last_layer_that_is_forwarded",
     the_marker_bit_is_on_the_last_layer_that_is_forwarded},
    {"a_packet_that_is_sent_again_keeps_its_marker_bit",
     a_packet_that_is_sent_again_keeps_its_marker_bit},
    {"more_spatial_layers_ask_for_a_keyframe_fewer_do_not",
     more_spatial_layers_ask_for_a_keyframe_fewer_do_not},
    {"after_a_pause_the_lowest_level_of_what_is_kept_is_little",
     after_a_pause_the_lowest_level_of_what_is_kept_is_little},
    {"rungs_are_the_spatial_layers_that_flow", rungs_are_the_spatial_layers_that_flow},
    {"frame_numbers_of_a_descriptor_are_continued", frame_numbers_of_a_descriptor_are_continued},
    {"active_targets_are_those_that_are_forwarded", active_targets_are_those_that_are_forwarded},
    {"nothing_is_forwarded_to_a_newcomer_without_the_structure",
     nothing_is_forwarded_to_a_newcomer_without_the_structure},
    {"frames_wait_for_a_structure_that_is_late", frames_wait_for_a_structure_that_is_late},
    {"vp8_leaves_without_the_descriptor", vp8_leaves_without_the_descriptor},
    {"a_late_packet_of_an_unwanted_layer_fills_its_number_with_nothing",
     a_late_packet_of_an_unwanted_layer_fills_its_number_with_nothing},
};

TEST_MAIN(tests)
