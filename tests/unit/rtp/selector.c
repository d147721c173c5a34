/* Where one subscriber's layers change: rules of VP8, VP9 and simulcast by hand-made descriptors,
 * decode targets by the templates of Chrome's L3T3. */
#include "rtp/selector.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/test.h"

enum { SKIP = '-', DROP = '.', PASS = 'p', BEGIN = 'B' };

static struct rtp_selector selector;
static uint64_t next_seq = 100;
static uint32_t timestamp = 3000;
static bool last;

static char feed(uint8_t layer, const struct rtp_descriptor *descriptor) {
    struct rtp_selectable packet = {
        .layer = layer, .seq = next_seq++, .timestamp = timestamp, .descriptor = descriptor};
    return "-.pB"[rtp_selector_on_packet(&selector, &packet, &last)];
}

static void aim(uint8_t layer, uint8_t spatial, uint8_t temporal) {
    rtp_selector_aim(&selector, (struct rtp_point){layer, spatial, temporal});
}

static void start(uint8_t layer, uint8_t spatial, uint8_t temporal) {
    rtp_selector_start(&selector, (struct rtp_point){layer, spatial, temporal});
}

/* A VP8 frame of one packet: "K" keyframe, "0" to "3" temporal layer, "+" after it: Y. What became
 * of each. */
static const char *vp8(uint8_t layer, const char *frames) {
    static char fates[64];
    size_t count = 0;
    for (const char *at = frames; *at != '\0'; at++) {
        struct rtp_descriptor descriptor = {.frame_start = true, .keyframe = *at == 'K'};
        descriptor.temporal = *at == 'K' ? 0 : (uint8_t)(*at - '0');
        descriptor.layer_sync = at[1] == '+';
        at += at[1] == '+';
        timestamp += 3000;
        fates[count++] = feed(layer, &descriptor);
    }
    fates[count] = '\0';
    return fates;
}

/* --- Simulcast --- */

static void nothing_passes_before_a_keyframe(void) {
    start(1, 0, 3);
    CHECK_STR(vp8(1, "00"), "--");
    CHECK_STR(vp8(2, "K"), "-"); /* More than was asked for. */
    CHECK_STR(vp8(1, "K0"), "Bp");
}

static void a_lower_encoding_does_until_the_targets_keyframe_comes(void) {
    start(2, 0, 3);
    CHECK_STR(vp8(0, "K02"), "Bpp");
    CHECK(rtp_selector_needs_keyframe(&selector, 1));
    CHECK_STR(vp8(1, "K"), "-"); /* Each switch costs a keyframe; the target's alone is worth it. */
    CHECK_STR(vp8(2, "0K0"), "-Bp");
    CHECK_STR(vp8(0, "0"), "-");
    CHECK(!rtp_selector_needs_keyframe(&selector, 1));
}

static void on_the_way_to_a_lower_encoding_the_base_layer_is_forwarded(void) {
    start(2, 0, 3);
    vp8(2, "K2");
    aim(0, 0, 3);
    CHECK_STR(vp8(2, "0212"), "p...");
    CHECK_STR(vp8(0, "0"), "-");
    CHECK_STR(vp8(0, "K212"), "Bppp");
}

/* --- VP8 --- */

static void temporal_layers_above_the_target_are_left_out(void) {
    start(0, 0, 1);
    CHECK_STR(vp8(0, "K21202120212"), "B.p.p.p.p.p.");
    aim(0, 0, 0);
    CHECK_STR(vp8(0, "0212"), "p...");
}

static void a_temporal_layer_is_taken_up_where_it_needs_the_base_alone(void) {
    start(0, 0, 0);
    vp8(0, "K");
    aim(0, 0, 2);
    CHECK_STR(vp8(0, "0212"), "p...");
    CHECK_STR(vp8(0, "02+1+20212"), "p.p.p.p.");
    CHECK_STR(vp8(0, "02+12"), "pppp");
}

static void a_keyframe_takes_up_every_temporal_layer(void) {
    start(0, 0, 0);
    vp8(0, "K0");
    aim(0, 0, 2);
    CHECK_STR(vp8(0, "2K2"), ".pp");
}

static void a_picture_is_not_split_by_a_change(void) {
    start(0, 0, 1);
    vp8(0, "K");
    struct rtp_descriptor first = {.frame_start = true, .temporal = 1}, second = {.temporal = 1};
    timestamp += 3000;
    CHECK_INT(feed(0, &first), PASS);
    aim(0, 0, 0);
    CHECK_INT(feed(0, &second), PASS);
    timestamp += 3000;
    CHECK_INT(feed(0, &first), DROP);
    aim(0, 0, 1);
    first.layer_sync = second.layer_sync = true;
    CHECK_INT(feed(0, &second), DROP);
}

static void a_late_packet_shares_the_fate_of_its_picture(void) {
    start(0, 0, 1);
    vp8(0, "K");
    uint64_t missing = next_seq++;
    aim(0, 0, 0);
    CHECK_STR(vp8(0, "01"), "p.");
    struct rtp_descriptor descriptor = {.frame_start = true, .temporal = 1};
    struct rtp_selectable late = {.seq = missing, .timestamp = 1, .descriptor = &descriptor};
    CHECK_INT(rtp_selector_on_packet(&selector, &late, &last), RTP_SELECTION_PASS);
}

/* --- VP9 --- */

/* A picture: one packet for each letter pair, spatial layer from 0 up; "K" keyframe, "i"
 * inter-layer predicted alone, "p" from its past alone (K-SVC), "b" both. Fates; capital where the
 * packet ends the picture. */
static const char *vp9(const char *layers, uint8_t temporal, bool up) {
    static char fates[16];
    timestamp += 3000;
    size_t count = strlen(layers);
    for (size_t i = 0; i < count; i++) {
        struct rtp_descriptor descriptor = {.frame_start = true,
                                            .frame_end = true,
                                            .picture_id_fixed = true,
                                            .keyframe = layers[i] == 'K' || layers[i] == 'i',
                                            .inter_layer = layers[i] == 'i' || layers[i] == 'b',
                                            .layer_sync = up,
                                            .up_switch = up,
                                            .spatial = (uint8_t)i,
                                            .temporal = temporal};
        char fate = feed(0, &descriptor);
        fates[i] = fate == 'B' ? (last ? 'B' : 'b') : fate == 'p' && last ? 'P' : fate;
    }
    fates[count] = '\0';
    return fates;
}

static void a_key_picture_begins_all_spatial_layers(void) {
    start(0, 2, 2);
    CHECK_STR(vp9("ppp", 0, false), "---");
    CHECK_STR(vp9("Kii", 0, false), "bpP");
    CHECK_STR(vp9("ppp", 0, false), "ppP");
}

static void k_svc_goes_down_at_the_next_picture_and_up_at_a_key_picture(void) {
    start(0, 2, 2);
    vp9("Kii", 0, false);
    aim(0, 1, 2);
    CHECK_STR(vp9("ppp", 0, false), "pP.");
    aim(0, 0, 2);
    CHECK_STR(vp9("ppp", 2, false), "P..");
    aim(0, 2, 2);
    CHECK(rtp_selector_needs_keyframe(&selector, 3));
    CHECK_STR(vp9("ppp", 0, false), "P..");
    CHECK_STR(vp9("Kii", 0, false), "ppP");
    CHECK_INT(selector.current.spatial, 2);
    CHECK(!rtp_selector_needs_keyframe(&selector, 3));
    CHECK_STR(vp9("ppp", 0, false), "ppP");
}

/* A layer that the encoder restarts in the middle, of which a slot below knows too late. */
static void full_svc_goes_up_at_a_key_picture_too(void) {
    start(0, 0, 2);
    CHECK_STR(vp9("Kii", 0, false), "B..");
    aim(0, 2, 2);
    CHECK_STR(vp9("pbb", 0, false), "P..");
    CHECK_STR(vp9("pib", 0, false), "P..");
    CHECK_STR(vp9("Kii", 0, false), "ppP");
    CHECK_STR(vp9("pbb", 0, false), "ppP");
}

static void vp9s_temporal_layers_are_taken_up_at_switching_points(void) {
    start(0, 0, 0);
    vp9("K", 0, false);
    aim(0, 0, 2);
    CHECK_STR(vp9("p", 2, false), ".");
    CHECK_STR(vp9("p", 1, false), ".");
    CHECK_STR(vp9("p", 2, true), "."); /* What it needs of layer 1 is not there. */
    CHECK_STR(vp9("p", 0, true), "P");
    CHECK_STR(vp9("p", 2, false), "P");
    CHECK_STR(vp9("p", 1, false), "P");
}

/* --- Decode targets --- */

#define CHROME_STRUCTURE                                                                           \
    "c1017280081485214eafffaaaa863cf0430c10c302afc0aaa0063c00430010c002a000a80006000040001d954926" \
    "e082b04a0941b820ac1282503157f974000ca864330e222222eca8655304224230eca877530077004200ef008601" \
    "df010d"

static struct rtp_dependency_structure structure;

/* One frame of one packet, of the template (its number in the structure, whose first has id 1);
 * attached: with the structure. */
static char av1(uint8_t template, uint16_t frame, bool attached, uint32_t active) {
    uint8_t bytes[256] = {0};
    size_t len = 3;
    if (attached)
        len = test_hex(CHROME_STRUCTURE, bytes, sizeof(bytes));
    bytes[0] = (uint8_t)(0xc0 | (structure.template_offset + template));
    bytes[1] = (uint8_t)(frame >> 8);
    bytes[2] = (uint8_t)frame;
    struct rtp_dependency dependency;
    CHECK_INT(rtp_dependency_parse(bytes, len, &structure, &dependency), 0);
    dependency.targets = active;
    struct rtp_descriptor descriptor = {.frame_start = true, .keyframe = attached};
    struct rtp_selectable packet = {.seq = next_seq++,
                                    .timestamp = timestamp,
                                    .descriptor = &descriptor,
                                    .dependency = &dependency,
                                    .structure = &structure};
    char fate = "-.pB"[rtp_selector_on_packet(&selector, &packet, &last)];
    return fate == PASS && last ? 'P' : fate;
}

static void load_structure(void) {
    uint8_t bytes[256];
    struct rtp_dependency dependency;
    size_t len = test_hex(CHROME_STRUCTURE, bytes, sizeof(bytes));
    CHECK_INT(rtp_dependency_parse(bytes, len, &structure, &dependency), 0);
}

/* Pictures of three spatial layers as libwebrtc's L3T3 codes them: temporal layers 0 2 1 2; frame
 * numbers rise by one. Which templates, by picture in the cycle: key, then deltas. */
static const char *l3t3(unsigned picture, uint16_t first_frame, uint32_t active) {
    /* Templates of libwebrtc: by spatial layer key, T0, and T1 and T2s behind it. */
    static const uint8_t key[3] = {1, 6, 11};
    static const uint8_t cycle[4][3] = {{0, 5, 10}, {3, 8, 13}, {2, 7, 12}, {4, 9, 14}};
    static char fates[4];
    timestamp += 3000;
    for (unsigned i = 0; i < 3; i++)
        fates[i] = av1(picture == 0 ? key[i] : cycle[picture % 4][i], (uint16_t)(first_frame + i),
                       picture == 0 && i == 0, active);
    fates[3] = '\0';
    return fates;
}

static void decode_targets_are_followed_from_the_keyframe_on(void) {
    load_structure();
    start(0, 2, 2);
    CHECK_INT(av1(0, 1, false, 0x1ff), SKIP);
    CHECK_STR(l3t3(0, 100, 0x1ff), "BpP");
    CHECK_INT(selector.targets, 0x1ff);
    CHECK_STR(l3t3(1, 103, 0x1ff), "ppP");
    CHECK_STR(l3t3(2, 106, 0x1ff), "ppP");
}

static void lower_targets_are_gone_to_at_the_next_picture(void) {
    load_structure();
    start(0, 2, 2);
    l3t3(0, 100, 0x1ff);
    aim(0, 1, 0);
    CHECK_STR(l3t3(1, 103, 0x1ff), "...");
    CHECK_STR(l3t3(2, 106, 0x1ff), "...");
    CHECK_STR(l3t3(3, 109, 0x1ff), "...");
    CHECK_STR(l3t3(4, 112, 0x1ff), "pP.");
    CHECK_INT(selector.targets, 0x009); /* L0T0 and L1T0. */
}

static void a_broken_chain_waits_for_the_keyframe(void) {
    load_structure();
    start(0, 0, 0);
    l3t3(0, 100, 0x1ff);
    for (uint16_t i = 1; i < 4; i++)
        l3t3(i, (uint16_t)(100 + i * 3), 0x1ff);
    CHECK_STR(l3t3(4, 112, 0x1ff), "P..");
    aim(0, 2, 2);
    for (uint16_t i = 5; i < 12; i++)
        l3t3(i, (uint16_t)(100 + i * 3), 0x1ff);
    CHECK_INT(selector.current.spatial, 0); /* The upper layers' last frames were left out. */
    CHECK_INT(selector.current.temporal, 2);
    CHECK(rtp_selector_needs_keyframe(&selector, 3));
    CHECK_STR(l3t3(0, 200, 0x1ff), "ppP");
    CHECK_INT(selector.targets, 0x1ff);
}

static void targets_that_are_not_active_are_not_waited_for(void) {
    load_structure();
    start(0, 2, 2);
    l3t3(0, 100, 0x1ff);
    timestamp += 3000;
    CHECK_INT(av1(3, 103, false, 0x03f), PASS); /* The encoder has stopped the highest layer. */
    CHECK_INT(av1(8, 104, false, 0x03f), 'P');
    CHECK_INT(selector.targets, 0x03f);
}

/* A keyframe without a descriptor, frames with one after it: nothing is known of any target. */
static void descriptors_that_begin_in_the_middle_wait_for_their_structure(void) {
    load_structure();
    start(0, UINT8_MAX, UINT8_MAX);
    CHECK_STR(vp8(0, "K"), "B");
    CHECK_INT(av1(3, 103, false, 0x1ff), DROP);
    CHECK_INT(av1(5, 104, false, 0x1ff), DROP);
    CHECK_STR(l3t3(0, 200, 0x1ff), "ppP");
}

static void a_frame_in_several_packets_has_one_fate(void) {
    load_structure();
    start(0, 2, 0);
    l3t3(0, 100, 0x1ff);
    timestamp += 3000;
    CHECK_INT(av1(3, 103, false, 0x1ff), DROP);
    aim(0, 2, 2);
    CHECK_INT(av1(3, 103, false, 0x1ff), DROP);
}

static const struct test tests[] = {
    {"nothing_passes_before_a_keyframe", nothing_passes_before_a_keyframe},
    {"a_lower_encoding_does_until_the_targets_keyframe_comes",
     a_lower_encoding_does_until_the_targets_keyframe_comes},
    {"on_the_way_to_a_lower_encoding_the_base_layer_is_forwarded",
     on_the_way_to_a_lower_encoding_the_base_layer_is_forwarded},
    {"temporal_layers_above_the_target_are_left_out",
     temporal_layers_above_the_target_are_left_out},
    {"a_temporal_layer_is_taken_up_where_it_needs_the_base_alone",
     a_temporal_layer_is_taken_up_where_it_needs_the_base_alone},
    {"a_keyframe_takes_up_every_temporal_layer", a_keyframe_takes_up_every_temporal_layer},
    {"a_picture_is_not_split_by_a_change", a_picture_is_not_split_by_a_change},
    {"a_late_packet_shares_the_fate_of_its_picture", a_late_packet_shares_the_fate_of_its_picture},
    {"a_key_picture_begins_all_spatial_layers", a_key_picture_begins_all_spatial_layers},
    {"k_svc_goes_down_at_the_next_picture_and_up_at_a_key_picture",
     k_svc_goes_down_at_the_next_picture_and_up_at_a_key_picture},
    {"full_svc_goes_up_at_a_key_picture_too", full_svc_goes_up_at_a_key_picture_too},
    {"vp9s_temporal_layers_are_taken_up_at_switching_points",
     vp9s_temporal_layers_are_taken_up_at_switching_points},
    {"decode_targets_are_followed_from_the_keyframe_on",
     decode_targets_are_followed_from_the_keyframe_on},
    {"lower_targets_are_gone_to_at_the_next_picture",
     lower_targets_are_gone_to_at_the_next_picture},
    {"a_broken_chain_waits_for_the_keyframe", a_broken_chain_waits_for_the_keyframe},
    {"targets_that_are_not_active_are_not_waited_for",
     targets_that_are_not_active_are_not_waited_for},
    {"descriptors_that_begin_in_the_middle_wait_for_their_structure",
     descriptors_that_begin_in_the_middle_wait_for_their_structure},
    {"a_frame_in_several_packets_has_one_fate", a_frame_in_several_packets_has_one_fate},
};

TEST_MAIN(tests)
