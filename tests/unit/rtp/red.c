/* Redundant audio (RFC 2198). */
#include "rtp/red.h"

#include "tests/unit/rtp/payload.h"

static int blocks_of(const char *hex, struct rtp_red_block *blocks) {
    uint8_t bytes[512];
    return rtp_red_blocks(bytes, test_hex(hex, bytes, sizeof(bytes)), blocks);
}

static void blocks_are_listed_oldest_first(void) {
    /* As Chrome sends it: two older Opus frames, 40 and 20 ms before the third. */
    struct rtp_red_block blocks[RTP_RED_BLOCKS_MAX];
    CHECK_INT(blocks_of("ef 1e00 03  ef 0f00 02  6f  f80102 f803 f804050607", blocks), 3);
    CHECK_INT(blocks[0].payload_type, 111);
    CHECK_INT(blocks[0].timestamp_offset, 1920);
    CHECK_INT(blocks[0].offset, 9);
    CHECK_INT(blocks[0].len, 3);
    CHECK_INT(blocks[1].timestamp_offset, 960);
    CHECK_INT(blocks[1].offset, 12);
    CHECK_INT(blocks[1].len, 2);
    CHECK_INT(blocks[2].payload_type, 111);
    CHECK_INT(blocks[2].timestamp_offset, 0);
    CHECK_INT(blocks[2].offset, 14);
    CHECK_INT(blocks[2].len, 5);
}

static void the_widest_fields_are_read(void) {
    uint8_t payload[5 + 1023 + 1] = {0x80 | 96, 0xff, 0xff, 0xff, 96};
    struct rtp_red_block blocks[RTP_RED_BLOCKS_MAX];
    CHECK_INT(rtp_red_blocks(payload, sizeof(payload), blocks), 2);
    CHECK_INT(blocks[0].timestamp_offset, 16383);
    CHECK_INT(blocks[0].len, 1023);
    CHECK_INT(blocks[1].len, 1);
    CHECK_INT(rtp_red_blocks(payload, sizeof(payload) - 2, blocks), -EBADMSG);
}

static void one_block_alone_is_the_primary(void) {
    struct rtp_red_block blocks[RTP_RED_BLOCKS_MAX];
    CHECK_INT(blocks_of("6f f801", blocks), 1);
    CHECK_INT(blocks[0].offset, 1);
    CHECK_INT(blocks[0].len, 2);
    struct rtp_descriptor got = payload_parse(RTP_CODEC_RED, "6f f801");
    CHECK(got.keyframe && got.frame_start && got.frame_end);
    CHECK_INT(got.length, 0);
}

static void payloads_cut_short_are_refused(void) {
    payload_check_cut(RTP_CODEC_RED, "ef 0f00 02 6f f803 f804", 8);
    payload_check_refused(RTP_CODEC_RED, "6f");
}

static void more_blocks_than_are_kept_are_refused(void) {
    uint8_t payload[4 * RTP_RED_BLOCKS_MAX + 2];
    struct rtp_red_block blocks[RTP_RED_BLOCKS_MAX];
    memset(payload, 0, sizeof(payload));
    for (size_t i = 0; i < RTP_RED_BLOCKS_MAX; i++)
        payload[4 * i] = 0x80;
    CHECK_INT(rtp_red_blocks(payload, sizeof(payload), blocks), -EBADMSG);
    payload[4 * (RTP_RED_BLOCKS_MAX - 1)] = 0;
    CHECK_INT(rtp_red_blocks(payload, sizeof(payload), blocks), RTP_RED_BLOCKS_MAX);
}

static const struct test tests[] = {
    {"blocks_are_listed_oldest_first", blocks_are_listed_oldest_first},
    {"the_widest_fields_are_read", the_widest_fields_are_read},
    {"one_block_alone_is_the_primary", one_block_alone_is_the_primary},
    {"payloads_cut_short_are_refused", payloads_cut_short_are_refused},
    {"more_blocks_than_are_kept_are_refused", more_blocks_than_are_kept_are_refused},
};

TEST_MAIN(tests)
