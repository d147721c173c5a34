/* What a publisher's streams look like on the wire. */
#include "bench/source.h"

#include <string.h>

#include "rtp/bytes.h"
#include "rtp/red.h"
#include "tests/unit/test.h"

static struct {
    struct bench_source source;
    struct rtp_packet packet; /* The newest. */
    uint8_t bytes[2000];
    size_t packets, rtx, most_at_once, at_once;
    uint64_t octets;
    uint16_t transport_seq;
} rig;

static void on_send(void *ctx, bool rtx, const uint8_t *header, size_t header_len,
                    const uint8_t *payload, size_t payload_len) {
    (void)ctx;
    memcpy(rig.bytes, header, header_len);
    memcpy(rig.bytes + header_len, payload, payload_len);
    CHECK_INT(rtp_parse(&rig.packet, rig.bytes, header_len + payload_len), 0);
    rig.packets += !rtx;
    rig.rtx += rtx;
    rig.octets += payload_len;
    rig.at_once++;
}

static void open_source(struct bench_source_config config) {
    memset(&rig, 0, sizeof(rig));
    config.ssrc = 1;
    config.rtx_ssrc = 2;
    config.payload_type = config.video ? 96 : 111;
    config.rtx_payload_type = 97;
    config.mid = "0";
    config.fps = 30;
    config.width = 1280;
    config.height = 720;
    config.transport_seq = &rig.transport_seq;
    config.extensions.ids[RTP_EXT_TRANSPORT_SEQ] = 3;
    CHECK_INT(bench_source_init(&rig.source, &config, 0, 1), 0);
    bench_source_start(&rig.source, 0);
}

static void run(uint64_t until_us) {
    while (rig.source.next_us <= until_us) {
        rig.at_once = 0;
        bench_source_on_deadline(&rig.source, rig.source.next_us, on_send, NULL);
        if (rig.at_once > rig.most_at_once)
            rig.most_at_once = rig.at_once;
    }
}

static void a_camera_keeps_its_rate(void) {
    open_source((struct bench_source_config){.video = true, .rate_bps = 2500000});
    run(20000000);
    CHECK(rig.octets * 8 / 20 > 2300000 && rig.octets * 8 / 20 < 2700000);
    CHECK_INT(rig.source.pictures, 600);
    CHECK_INT(rig.transport_seq, rig.packets);
    bench_source_deinit(&rig.source);
}

static void a_keyframe_is_paced(void) {
    open_source((struct bench_source_config){.video = true, .rate_bps = 2500000});
    run(200000);
    CHECK_INT(rig.source.keyframes, 1);
    CHECK(rig.most_at_once <= 5); /* 2.5 times the rate, 5 ms: 3,900 bytes. */
    bench_source_deinit(&rig.source);
    open_source((struct bench_source_config){.video = true, .rate_bps = 2500000, .unpaced = true});
    run(200000);
    CHECK(rig.most_at_once > 40);
    bench_source_deinit(&rig.source);
}

static void what_is_asked_for_is_sent_again(void) {
    open_source((struct bench_source_config){.video = true, .rate_bps = 500000});
    run(1000000);
    uint16_t seq = rig.packet.seq;
    uint8_t payload[1200];
    size_t len = rig.packet.payload_len;
    memcpy(payload, rig.bytes + rig.packet.payload_offset, len);
    bench_source_on_nack(&rig.source, 1000000, &seq, 1, on_send, NULL);
    CHECK_INT(rig.rtx, 1);
    CHECK_INT(rig.packet.ssrc, 2);
    CHECK_INT(rtp_get16(rig.bytes + rig.packet.payload_offset), seq);
    CHECK_BYTES(rig.bytes + rig.packet.payload_offset + 2, rig.packet.payload_len - 2u, payload,
                len);
    bench_source_deinit(&rig.source);
}

static void a_layer_that_is_switched_off_sends_nothing_and_returns_with_a_keyframe(void) {
    open_source((struct bench_source_config){.video = true, .rate_bps = 500000});
    run(1000000);
    bench_source_pause(&rig.source, true);
    run(1100000);
    size_t packets = rig.packets;
    run(2000000);
    CHECK_INT(rig.packets, packets);
    bench_source_pause(&rig.source, false);
    run(2100000);
    CHECK_INT(rig.source.keyframes, 2);
    bench_source_deinit(&rig.source);
}

static void red_repeats_the_two_before(void) {
    struct rtp_red_block blocks[RTP_RED_BLOCKS_MAX];
    open_source((struct bench_source_config){.rate_bps = 32000, .red_payload_type = 63});
    run(1000000);
    const uint8_t *payload = rig.bytes + rig.packet.payload_offset;
    CHECK_INT(rig.packet.payload_type, 63);
    CHECK_INT(rtp_red_blocks(payload, rig.packet.payload_len, blocks), 3);
    struct bench_stamp newest, oldest;
    CHECK(bench_stamp_find(payload + blocks[0].offset, blocks[0].len, &oldest));
    CHECK(bench_stamp_find(payload + blocks[2].offset, blocks[2].len, &newest));
    CHECK_INT(newest.frame - oldest.frame, 2);
    CHECK_INT(blocks[0].timestamp_offset, 1920);
    bench_source_deinit(&rig.source);
}

static void silence_is_a_packet_every_400_ms(void) {
    open_source((struct bench_source_config){.rate_bps = 32000, .dtx = true});
    rig.source.silent = true;
    run(4000000);
    CHECK(rig.packets >= 9 && rig.packets <= 11);
    CHECK_INT(rig.packet.payload_len, 1);
    bench_source_deinit(&rig.source);
}

static const struct test tests[] = {
    {"a_camera_keeps_its_rate", a_camera_keeps_its_rate},
    {"a_keyframe_is_paced", a_keyframe_is_paced},
    {"what_is_asked_for_is_sent_again", what_is_asked_for_is_sent_again},
    {"a_layer_that_is_switched_off_sends_nothing_and_returns_with_a_keyframe",
     a_layer_that_is_switched_off_sends_nothing_and_returns_with_a_keyframe},
    {"red_repeats_the_two_before", red_repeats_the_two_before},
    {"silence_is_a_packet_every_400_ms", silence_is_a_packet_every_400_ms},
};

TEST_MAIN(tests)
