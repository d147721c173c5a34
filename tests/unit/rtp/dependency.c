/* Dependency descriptors: a capture of Chrome's L3T3, and what each custom field does. */
#include "rtp/dependency.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"

/* L3T3 of libwebrtc, 120x67, 240x135 and 480x270; frame 370. */
#define CHROME_STRUCTURE                                                                           \
    "c1017280081485214eafffaaaa863cf0430c10c302afc0aaa0063c00430010c002a000a80006000040001d954926" \
    "e082b04a0941b820ac1282503157f974000ca864330e222222eca8655304224230eca877530077004200ef008601" \
    "df010d"

static int parse_bytes(const uint8_t *bytes, size_t len, struct rtp_dependency_structure *structure,
                       struct rtp_dependency *out) {
    uint8_t *exact = malloc(len > 0 ? len : 1);
    memcpy(exact, bytes, len);
    int result = rtp_dependency_parse(exact, len, structure, out);
    free(exact);
    return result;
}

static struct rtp_dependency parse(const char *hex, struct rtp_dependency_structure *structure) {
    uint8_t bytes[256];
    struct rtp_dependency out;
    CHECK_INT(parse_bytes(bytes, test_hex(hex, bytes, sizeof(bytes)), structure, &out), 0);
    return out;
}

static struct rtp_dependency_structure chrome_structure(void) {
    struct rtp_dependency_structure structure = {0};
    parse(CHROME_STRUCTURE, &structure);
    return structure;
}

/* Compares a frame's indications, written as in the specification: "-DSR". */
static void check_indications(const struct rtp_dependency_frame *frame, const char *wanted) {
    char got[RTP_DEPENDENCY_TARGETS_MAX + 1] = {0};
    for (unsigned target = 0; target < strlen(wanted); target++)
        got[target] = "-DSR"[rtp_dependency_indication(frame, target)];
    CHECK_STR(got, wanted);
}

static void chromes_structure_is_libwebrtcs_l3t3(void) {
    struct rtp_dependency_structure structure = chrome_structure();
    CHECK_INT(structure.template_count, 15);
    CHECK_INT(structure.target_count, 9);
    CHECK_INT(structure.chain_count, 3);
    CHECK_INT(structure.spatial_count, 3);
    CHECK_INT(structure.temporal_count, 3);
    for (unsigned target = 0; target < 9; target++) {
        CHECK_INT(structure.target_spatial[target], target / 3);
        CHECK_INT(structure.target_temporal[target], target % 3);
        CHECK_INT(structure.target_chain[target], target / 3);
    }
    CHECK(structure.has_sizes);
    CHECK_INT(structure.width[0], 120);
    CHECK_INT(structure.height[0], 67);
    CHECK_INT(structure.width[2], 480);
    CHECK_INT(structure.height[2], 270);
}

static void chromes_templates_are_read(void) {
    struct rtp_dependency_structure structure = chrome_structure();
    check_indications(&structure.templates[1], "SSSSSSSSS");
    check_indications(&structure.templates[2], "-DS-RR-RR");
    check_indications(&structure.templates[14], "--------D");
    const struct rtp_dependency_frame *delta = &structure.templates[5];
    CHECK_INT(delta->spatial, 1);
    CHECK_INT(delta->temporal, 0);
    CHECK_INT(delta->fdiff_count, 2);
    CHECK_INT(delta->fdiffs[0], 12);
    CHECK_INT(delta->fdiffs[1], 1);
    const struct rtp_dependency_frame *last = &structure.templates[14];
    CHECK_INT(last->spatial, 2);
    CHECK_INT(last->temporal, 2);
    CHECK_INT(last->chain_fdiffs[0], 11);
    CHECK_INT(last->chain_fdiffs[1], 10);
    CHECK_INT(last->chain_fdiffs[2], 9);
}

static void the_keyframe_attaches_it_and_all_targets_are_active(void) {
    struct rtp_dependency_structure structure = {0};
    struct rtp_dependency got = parse(CHROME_STRUCTURE, &structure);
    CHECK(got.attached && got.known && got.frame_start && got.frame_end && got.has_targets);
    CHECK_INT(got.template_id, 1);
    CHECK_INT(got.frame_number, 370);
    CHECK_INT(got.targets, 0x1ff);
    CHECK_INT(got.frame.fdiff_count, 0);
}

static void later_frames_take_the_layer_of_their_template(void) {
    struct rtp_dependency_structure structure = chrome_structure();
    struct rtp_dependency got = parse("860173", &structure);
    CHECK(got.known && !got.attached && got.frame_start && !got.frame_end && !got.has_targets);
    CHECK_INT(got.frame_number, 371);
    CHECK_INT(got.frame.spatial, 1);
    CHECK_INT(got.frame.temporal, 0);
    got = parse("8b0174", &structure);
    CHECK_INT(got.frame.spatial, 2);
    got = parse("c30175", &structure);
    CHECK_INT(got.frame.temporal, 2);
    CHECK_INT(got.frame.fdiffs[0], 3);
}

static void fewer_active_targets_are_named(void) {
    /* Chrome has stopped the highest spatial layer. */
    struct rtp_dependency_structure structure = chrome_structure();
    struct rtp_dependency got = parse("86017340fc", &structure);
    CHECK(got.has_targets && !got.attached);
    CHECK_INT(got.targets, 0x03f);
}

static void without_a_structure_only_the_mandatory_fields_are_known(void) {
    struct rtp_dependency_structure none = {0};
    struct rtp_dependency got = parse("c6017340fc", &none);
    CHECK(got.frame_start && got.frame_end && !got.known && !got.has_targets);
    CHECK_INT(got.template_id, 6);
    CHECK_INT(got.frame_number, 371);
}

static void custom_fields_replace_the_templates(void) {
    struct rtp_dependency_structure structure = chrome_structure();
    /* Template 6, custom indications (nine times S), differences (1 in 4 bits as 0, 300 in 12 bits
     * as 299), chains (250, 2, 3): 00111 10*9 01 0000 11 000100101011 00 11111010 00000010 00000011
     */
    struct rtp_dependency got = parse("860173 3d5554862567d01018", &structure);
    check_indications(&got.frame, "SSSSSSSSS");
    CHECK_INT(got.frame.fdiff_count, 2);
    CHECK_INT(got.frame.fdiffs[0], 1);
    CHECK_INT(got.frame.fdiffs[1], 300);
    CHECK_INT(got.frame.chain_fdiffs[0], 250);
    CHECK_INT(got.frame.chain_fdiffs[1], 2);
    CHECK_INT(got.frame.chain_fdiffs[2], 3);
}

static void template_ids_wrap_at_64(void) {
    struct rtp_dependency_structure structure = chrome_structure();
    structure.template_offset = 60;
    CHECK_INT(parse("820173", &structure).frame.spatial, 1); /* Id 2 is the seventh. */
    uint8_t unknown[] = {0x80 | 59, 1, 0x73};
    struct rtp_dependency out;
    CHECK_INT(parse_bytes(unknown, sizeof(unknown), &structure, &out), -EBADMSG);
}

static void a_descriptor_cut_short_is_refused_and_changes_nothing(void) {
    uint8_t bytes[256];
    size_t len = test_hex(CHROME_STRUCTURE, bytes, sizeof(bytes));
    struct rtp_dependency_structure structure = {0}, empty = {0};
    struct rtp_dependency out;
    memset(&out, 0x5a, sizeof(out));
    for (size_t cut = 0; cut < len; cut++) {
        if (cut != 3) /* The mandatory fields are a descriptor of their own. */
            CHECK_INT(parse_bytes(bytes, cut, &structure, &out), -EBADMSG);
    }
    CHECK_BYTES(&structure, sizeof(structure), &empty, sizeof(empty));
    CHECK_INT(out.frame_number, 0x5a5a);
}

static void more_than_the_limits_is_refused(void) {
    struct rtp_dependency_structure structure = {0};
    struct rtp_dependency out;
    uint8_t same[64] = {0xc0, 0, 1, 0x80}; /* Templates without end, all of one layer. */
    uint8_t deep[64] = {0xc0, 0, 1, 0x80, 0, 0x55, 0x55, 0x70}; /* Ten temporal layers. */
    uint8_t wide[64] = {0xc0, 0, 1, 0x80, 0, 0xaa, 0xb0};       /* Six spatial layers. */
    CHECK_INT(parse_bytes(same, sizeof(same), &structure, &out), -EBADMSG);
    CHECK_INT(parse_bytes(deep, sizeof(deep), &structure, &out), -EBADMSG);
    CHECK_INT(parse_bytes(wide, sizeof(wide), &structure, &out), -EBADMSG);
    CHECK_INT(structure.template_count, 0);
}

/* Written with another number and other targets, it reads the same but for them. */
static void check_written(const char *hex, uint32_t targets, size_t wanted_len) {
    uint8_t bytes[256], out[256];
    struct rtp_dependency_structure structure = chrome_structure();
    struct rtp_dependency before = parse(hex, &structure), after;
    size_t len = test_hex(hex, bytes, sizeof(bytes));
    size_t out_len = rtp_dependency_write(bytes, len, &before, structure.target_count, 0xabcd,
                                          targets, out, sizeof(out));
    CHECK_INT(out_len, wanted_len);
    struct rtp_dependency_structure again =
        before.attached ? (struct rtp_dependency_structure){0} : structure;
    CHECK_INT(parse_bytes(out, out_len, &again, &after), 0);
    CHECK_BYTES(&again, sizeof(again), &structure, sizeof(structure));
    CHECK_INT(after.frame_number, 0xabcd);
    CHECK_INT(after.targets, targets);
    CHECK(after.has_targets);
    CHECK_INT(after.template_id, before.template_id);
    CHECK(after.frame_start == before.frame_start && after.frame_end == before.frame_end);
    CHECK_BYTES(&after.frame, sizeof(after.frame), &before.frame, sizeof(before.frame));
    CHECK_INT(rtp_dependency_write(bytes, len, &before, structure.target_count, 1, targets, out,
                                   out_len - 1),
              0);
}

static void other_active_targets_are_written_into_every_form(void) {
    check_written(CHROME_STRUCTURE, 0x007, 97);
    check_written("860173", 0x03f, 5);
    check_written("86017340fc", 0x009, 5);
    check_written("8601733d5554862567d01018", 0x1fe, 13);
}

static void what_a_frame_is_to_its_targets_is_summed_up(void) {
    struct rtp_dependency_structure structure = chrome_structure();
    struct rtp_dependency got = parse("820175", &structure); /* S0T1: -DS-RR-RR */
    CHECK_INT(got.present, 0x1b6);
    CHECK_INT(got.switchable, 0x004);
    CHECK_INT(structure.reach[0][0], 0x001);
    CHECK_INT(structure.reach[1][1], 0x01b);
    CHECK_INT(structure.reach[3][7], 0x1ff);
}

static const struct test tests[] = {
    {"chromes_structure_is_libwebrtcs_l3t3", chromes_structure_is_libwebrtcs_l3t3},
    {"chromes_templates_are_read", chromes_templates_are_read},
    {"the_keyframe_attaches_it_and_all_targets_are_active",
     the_keyframe_attaches_it_and_all_targets_are_active},
    {"later_frames_take_the_layer_of_their_template",
     later_frames_take_the_layer_of_their_template},
    {"fewer_active_targets_are_named", fewer_active_targets_are_named},
    {"without_a_structure_only_the_mandatory_fields_are_known",
     without_a_structure_only_the_mandatory_fields_are_known},
    {"custom_fields_replace_the_templates", custom_fields_replace_the_templates},
    {"template_ids_wrap_at_64", template_ids_wrap_at_64},
    {"a_descriptor_cut_short_is_refused_and_changes_nothing",
     a_descriptor_cut_short_is_refused_and_changes_nothing},
    {"other_active_targets_are_written_into_every_form",
     other_active_targets_are_written_into_every_form},
    {"what_a_frame_is_to_its_targets_is_summed_up", what_a_frame_is_to_its_targets_is_summed_up},
    {"more_than_the_limits_is_refused", more_than_the_limits_is_refused},
};

TEST_MAIN(tests)
