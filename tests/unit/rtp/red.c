/* Redundant audio (RFC 2198). */
#include "rtp/red.h"

#include "tests/unit/rtp/payload.h"
#include "tests/unit/rtp/red_find.h"

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

/* Frames of 20 ms, the newest last, of so many bytes each; the bytes tell which one it is. */
static uint8_t frame_bytes[8][1100];
static struct rtp_red_frame frames[8];

static void make_frames(uint32_t newest, const size_t *lens, size_t count) {
    for (size_t i = 0; i < count; i++) {
        memset(frame_bytes[i], (int)(0x10 + i), sizeof(frame_bytes[i]));
        frames[i] = (struct rtp_red_frame){.timestamp = newest - (uint32_t)(count - 1 - i) * 960,
                                           .data = frame_bytes[i],
                                           .len = lens[i]};
    }
}

static void what_is_written_is_what_chrome_sends(void) {
    uint8_t out[64], want[64], oldest[8], older[8], primary[8];
    struct rtp_red_frame earlier[] = {
        {.timestamp = 0, .data = oldest, .len = test_hex("f80102", oldest, 8)},
        {.timestamp = 960, .data = older, .len = test_hex("f803", older, 8)}};
    struct rtp_red_frame newest = {
        .timestamp = 1920, .data = primary, .len = test_hex("f804050607", primary, 8)};
    size_t want_len = test_hex("ef 1e00 03  ef 0f00 02  6f  f80102 f803 f804050607", want, 64);
    int len = rtp_red_write(111, earlier, 2, &newest, out, sizeof(out));
    CHECK_BYTES(out, (size_t)len, want, want_len);
}

static void what_was_written_is_read_again(void) {
    static const size_t lens[] = {80, 3, 1023, 60};
    uint8_t out[1400];
    struct rtp_red_block block;
    make_frames(500, lens, 4); /* The timestamps wrap. */
    int len = rtp_red_write(111, frames, 3, &frames[3], out, sizeof(out));
    CHECK_INT(len, 3 * 4 + 1 + 80 + 3 + 1023 + 60);
    CHECK_INT(rtp_red_primary(out, (size_t)len, &block), 0);
    CHECK_INT(block.payload_type, 111);
    CHECK_BYTES(out + block.offset, block.len, frames[3].data, frames[3].len);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(red_find(out, (size_t)len, 500, frames[i].timestamp, &block), 0);
        CHECK_BYTES(out + block.offset, block.len, frames[i].data, frames[i].len);
    }
    CHECK_INT(red_find(out, (size_t)len, 500, 500 - 4 * 960, &block), -ENOENT);
    /* The primary is not among the earlier ones. */
    CHECK_INT(red_find(out, (size_t)len, 500, 500, &block), -ENOENT);
}

static int count_written(size_t count, size_t capacity) {
    static uint8_t out[4096];
    struct rtp_red_block blocks[RTP_RED_BLOCKS_MAX];
    int len = rtp_red_write(111, frames, count, &frames[count], out, capacity);
    CHECK(len > 0 && (size_t)len <= capacity);
    int written = rtp_red_blocks(out, (size_t)len, blocks);
    CHECK_INT(blocks[written - 1].len, frames[count].len);
    return written;
}

static void what_a_header_cannot_say_is_left_out(void) {
    static const size_t lens[] = {10, 10, 10, 10};
    make_frames(100000, lens, 4);
    CHECK_INT(count_written(3, 4096), 4);
    frames[1].len = 1024;
    CHECK_INT(count_written(3, 4096), 3);
    frames[1].len = 0;
    CHECK_INT(count_written(3, 4096), 3);
    frames[1].len = 10;
    frames[0].timestamp = 100000 - 16383;
    CHECK_INT(count_written(3, 4096), 4);
    frames[0].timestamp = 100000 - 16384;
    CHECK_INT(count_written(3, 4096), 3);
    /* Not older than the next: a repeated frame, a later one. */
    frames[0].timestamp = frames[1].timestamp;
    CHECK_INT(count_written(3, 4096), 3);
    frames[2].timestamp = 100001;
    CHECK_INT(count_written(3, 4096), 2);
}

static void the_oldest_are_left_out_when_there_is_no_room(void) {
    static const size_t lens[] = {100, 100, 100, 100};
    uint8_t out[512];
    struct rtp_red_block block;
    make_frames(100000, lens, 4);
    CHECK_INT(count_written(3, 413), 4);
    CHECK_INT(count_written(3, 412), 3);
    CHECK_INT(count_written(3, 101), 1);
    CHECK_INT(rtp_red_write(111, frames, 3, &frames[3], out, 100), -EMSGSIZE);
    int len = rtp_red_write(111, frames, 3, &frames[3], out, 412);
    CHECK_INT(red_find(out, (size_t)len, 100000, frames[2].timestamp, &block), 0);
    CHECK_INT(red_find(out, (size_t)len, 100000, frames[0].timestamp, &block), -ENOENT);
}

static void nothing_is_made_of_an_empty_primary(void) {
    static const size_t lens[] = {10, 0};
    uint8_t out[64];
    struct rtp_red_block block = {.len = 77};
    make_frames(100000, lens, 2);
    CHECK_INT(rtp_red_write(111, frames, 1, &frames[1], out, sizeof(out)), -EINVAL);
    CHECK_INT(rtp_red_primary((const uint8_t[]){0x6f}, 1, &block), -EBADMSG);
    CHECK_INT(red_find((const uint8_t[]){0xef, 0x0f}, 2, 960, 0, &block), -EBADMSG);
    CHECK_INT(block.len, 77);
}

static void an_empty_earlier_block_recovers_nothing(void) {
    uint8_t bytes[16];
    struct rtp_red_block block;
    size_t len = test_hex("ef 0f00 00 6f f803", bytes, sizeof(bytes));
    CHECK_INT(red_find(bytes, len, 960, 0, &block), -ENOENT);
}

static const struct test tests[] = {
    {"blocks_are_listed_oldest_first", blocks_are_listed_oldest_first},
    {"the_widest_fields_are_read", the_widest_fields_are_read},
    {"one_block_alone_is_the_primary", one_block_alone_is_the_primary},
    {"payloads_cut_short_are_refused", payloads_cut_short_are_refused},
    {"more_blocks_than_are_kept_are_refused", more_blocks_than_are_kept_are_refused},
    {"what_is_written_is_what_chrome_sends", what_is_written_is_what_chrome_sends},
    {"what_was_written_is_read_again", what_was_written_is_read_again},
    {"what_a_header_cannot_say_is_left_out", what_a_header_cannot_say_is_left_out},
    {"the_oldest_are_left_out_when_there_is_no_room",
     the_oldest_are_left_out_when_there_is_no_room},
    {"nothing_is_made_of_an_empty_primary", nothing_is_made_of_an_empty_primary},
    {"an_empty_earlier_block_recovers_nothing", an_empty_earlier_block_recovers_nothing},
};

TEST_MAIN(tests)
