/* What a sink counts as seen, heard, frozen and torn. */
#include "bench/sink.h"

#include <string.h>

#include "bench/encoder.h"
#include "tests/unit/test.h"

static struct {
    struct bench_sink sink;
    struct bench_encoder encoder;
    struct bench_part part;
    uint64_t now_us;
    uint16_t seq;
    uint32_t timestamp;
} rig;

static void begin(enum rtp_codec codec) {
    memset(&rig, 0, sizeof(rig));
    bench_sink_init(&rig.sink, rtp_codec_is_video(codec), 1, 2);
    rig.encoder = (struct bench_encoder){
        .codec = codec, .scalability = BENCH_L1T3, .width = 640, .height = 360};
    rig.now_us = 1000000;
    rig.seq = 100;
}

static void deliver(enum rtp_codec codec, const uint8_t *payload, size_t len, bool marker) {
    bench_sink_on_packet(&rig.sink, rig.now_us,
                         &(struct bench_arrival){.seq = rig.seq,
                                                 .timestamp = rig.timestamp,
                                                 .marker = marker,
                                                 .codec = codec,
                                                 .payload = payload,
                                                 .payload_len = len});
}

/* The next picture in one packet, 33 ms after the last; lost: it does not come. */
static void picture(bool keyframe, bool lost) {
    struct bench_part parts[BENCH_SPATIAL_MAX];
    uint8_t payload[200] = {0};
    bench_encoder_next(&rig.encoder, keyframe, parts);
    rig.part = parts[0];
    struct bench_place place = {.packets = 1, .payload_len = sizeof(payload)};
    struct bench_stamp stamp = {.source = 7,
                                .sent_us = rig.now_us - 20000,
                                .frame = parts[0].number,
                                .picture = parts[0].picture,
                                .packets = 1,
                                .height = 360,
                                .keyframe = keyframe};
    memcpy(stamp.references, parts[0].references, sizeof(stamp.references));
    size_t at = bench_encoder_head(&rig.encoder, &parts[0], &place, payload);
    bench_stamp_write(payload + at, &stamp);
    rig.now_us += 33000;
    rig.timestamp += 2970;
    rig.seq++;
    if (!lost)
        deliver(RTP_CODEC_VP8, payload, sizeof(payload), true);
}

static void pictures_count_from_the_first_keyframe(void) {
    begin(RTP_CODEC_VP8);
    picture(true, true);
    picture(false, false);
    CHECK_INT(rig.sink.frames_complete, 0);
    for (int i = 0; i < 9; i++)
        picture(i == 0, false);
    CHECK_INT(rig.sink.frames_complete, 9);
    CHECK_INT(rig.sink.keyframes, 1);
    CHECK_INT(rig.sink.height, 360);
    CHECK_INT(bench_sink_delay_us(&rig.sink, 950), 54000);
}

/* T0 T2 T1 T2: without the last nobody misses anything, without the first nothing can follow. */
static void a_lost_picture_takes_along_what_needs_it(void) {
    begin(RTP_CODEC_VP8);
    picture(true, false);
    for (int i = 1; i < 8; i++)
        picture(false, i == 3);
    CHECK_INT(rig.sink.frames_complete, 7);
    for (int i = 8; i < 12; i++)
        picture(false, i == 8);
    CHECK_INT(rig.sink.frames_complete, 7);
}

static void a_gap_of_pictures_is_a_freeze(void) {
    begin(RTP_CODEC_VP8);
    for (int i = 0; i < 30; i++)
        picture(i == 0, false);
    rig.now_us += 140000;
    picture(false, false);
    CHECK_INT(rig.sink.freezes, 0);
    rig.now_us += 200000;
    picture(false, false);
    CHECK_INT(rig.sink.freezes, 1);
    CHECK_INT(rig.sink.freezes_long, 0);
    rig.now_us += 600000;
    picture(false, false);
    CHECK_INT(rig.sink.freezes_long, 1);
    CHECK_INT(rig.sink.longest_gap_us, 633000);
}

static void a_keyframe_is_asked_for_after_a_wait(void) {
    begin(RTP_CODEC_VP8);
    picture(true, true);
    CHECK_INT(rig.sink.keyframe_us, UINT64_MAX);
    picture(false, false);
    CHECK_INT(rig.sink.keyframe_us, rig.now_us + 200000);
    picture(true, false);
    CHECK_INT(rig.sink.keyframe_us, UINT64_MAX);
}

static void seams_are_seen(void) {
    begin(RTP_CODEC_VP8);
    for (int i = 0; i < 8; i++)
        picture(i == 0, false);
    const struct bench_continuity *continuity = &rig.sink.continuity;
    CHECK_INT(continuity->picture_jumps + continuity->tl0picidx_jumps, 0);
    CHECK_INT(continuity->markers_missing + continuity->markers_early, 0);
    rig.encoder.first_picture_id += 5;
    picture(false, false);
    CHECK_INT(continuity->picture_jumps, 1);
    rig.encoder.tl0picidx += 3;
    picture(false, false);
    CHECK_INT(continuity->tl0picidx_jumps, 1);
    rig.timestamp -= 100000;
    picture(false, false);
    CHECK_INT(continuity->timestamps_back, 1);
}

/* 20 ms of sound, sent every 20 ms and `late_us` underway; lost: it does not come. */
static void sound(uint32_t frame, uint64_t late_us) {
    uint8_t payload[80] = {0x78};
    struct bench_stamp stamp = {
        .source = 9, .sent_us = frame * 20000, .frame = frame, .packets = 1};
    bench_stamp_write(payload + 1, &stamp);
    rig.now_us = frame * 20000 + late_us;
    rig.seq = (uint16_t)frame;
    rig.timestamp = frame * 960;
    deliver(RTP_CODEC_OPUS, payload, sizeof(payload), false);
}

static void sound_that_comes_too_late_is_not_played(void) {
    begin(RTP_CODEC_OPUS);
    for (uint32_t i = 100; i < 110; i++)
        sound(i, 20000);
    sound(111, 20000);
    sound(110, 130000);
    sound(112, 20000 + BENCH_PLAYOUT_US + 1);
    CHECK_INT(rig.sink.playout.expected, 13);
    CHECK_INT(rig.sink.playout.played, 12);
}

static const struct test tests[] = {
    {"pictures_count_from_the_first_keyframe", pictures_count_from_the_first_keyframe},
    {"a_lost_picture_takes_along_what_needs_it", a_lost_picture_takes_along_what_needs_it},
    {"a_gap_of_pictures_is_a_freeze", a_gap_of_pictures_is_a_freeze},
    {"a_keyframe_is_asked_for_after_a_wait", a_keyframe_is_asked_for_after_a_wait},
    {"seams_are_seen", seams_are_seen},
    {"sound_that_comes_too_late_is_not_played", sound_that_comes_too_late_is_not_played},
};

TEST_MAIN(tests)
