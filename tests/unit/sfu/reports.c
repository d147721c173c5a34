/* The RTCP that goes out by the clock. */
#include <stdlib.h>

#include "tests/unit/sfu/fixture_media.h"

static struct {
    struct rig_peer *publisher, *viewer;
    struct sfu_media *microphone, *camera, *audio, *video;
} call;

static void prepare(void) {
    rig_open();
    call.publisher = rig_join();
    call.microphone = rig_add(call.publisher, false, SFU_PUBLISHES);
    call.camera = rig_add(call.publisher, true, SFU_PUBLISHES);
    call.viewer = rig_join();
    call.audio = rig_add(call.viewer, false, SFU_SLOT);
    call.video = rig_add(call.viewer, true, SFU_SLOT);
}

static void connect_both(void) {
    rig_connect(call.publisher);
    rig_connect(call.viewer);
    rig_carry(call.viewer, call.audio, call.microphone->track);
    rig_carry(call.viewer, call.video, call.camera->track);
}

static void begin(void) {
    prepare();
    connect_both();
}

static uint32_t video_ssrc(void) {
    return call.camera->ssrcs[0];
}

/* The newest sender report of an SSRC that the viewer got; false: none. */
static bool find_sr(uint32_t ssrc, struct rtcp_sender_info *out) {
    struct rtcp_packet packet;
    struct rtcp_sender_info info;
    bool found = false;
    for (size_t i = 0; rig_find_rtcp(call.viewer, RTCP_SR, -1, i, &packet, NULL); i++) {
        CHECK_INT(rtcp_sr_parse(&packet, &info), 0);
        if (info.ssrc != ssrc)
            continue;
        *out = info;
        found = true;
    }
    return found;
}

/* --- Sender reports --- */

static void there_is_none_before_the_publishers_first(void) {
    begin();
    rig_keyframe(call.publisher, video_ssrc(), 10, 1);
    rig_run(3 * S);
    CHECK_INT(rig_rtcp_count(call.viewer, RTCP_SR, -1), 0);
    rig_close();
}

static void there_is_none_before_anything_was_sent(void) {
    begin();
    rig_sr(call.publisher, video_ssrc(), rig_ntp(rig.now_us), 0);
    rig_run(3 * S);
    CHECK_INT(rig_rtcp_count(call.viewer, RTCP_SR, -1), 0);
    rig_close();
}

static void it_says_what_was_sent_and_which_timestamp_is_now(void) {
    begin();
    for (uint16_t i = 0; i < 3; i++)
        rig_video(call.publisher, video_ssrc(), 10 + i, 1 + i, i ? RIG_START : RIG_KEY);
    const struct rig_sent *first = rig_rtp_at(call.viewer, 0);
    rig_sr(call.publisher, video_ssrc(), rig_ntp(777 * S), 9000);
    uint64_t at_us = rig.now_us;
    rig_run(1050 * MS);
    struct rtcp_sender_info info;
    CHECK(find_sr(call.video->slot_ssrc, &info));
    CHECK_INT(info.packet_count, 3);
    CHECK_INT(info.octet_count, 3 * RIG_PAYLOAD_LEN);
    uint64_t sent_us = (info.ntp >> 32) * S + (((info.ntp & UINT32_MAX) * S) >> 32);
    CHECK(llabs((int64_t)(sent_us - at_us - S)) <= 2);
    /* Timestamp 9000 was when the report came, 3000 the first frame's. */
    uint32_t expected = first->rtp.timestamp + 6000 + (uint32_t)((sent_us - at_us) * 9 / 100);
    CHECK(abs((int32_t)(info.rtp_timestamp - expected)) <= 1);
    rig_close();
}

static void it_comes_every_second(void) {
    begin();
    rig_keyframe(call.publisher, video_ssrc(), 10, 1);
    rig_sr(call.publisher, video_ssrc(), rig_ntp(777 * S), 9000);
    rig_run(10 * S + 10 * MS);
    CHECK_INT(rig_rtcp_count(call.viewer, RTCP_SR, -1), 10);
    rig_close();
}

/* A publisher whose clock is hours away and runs `drift_ppm` too fast, and whose reports are up to
 * 150 ms on their way. */
static struct {
    int drift_ppm;
    bool delayed;
    unsigned random;
} clock_of;

static double publisher_s(uint64_t at_us) {
    return 12345.678 + (double)at_us / 1e6 * (1 + clock_of.drift_ppm / 1e6);
}

static void publish_sr(uint32_t ssrc, uint32_t offset, double clock_hz) {
    clock_of.random = clock_of.random * 1103515245 + 12345;
    uint64_t delay_us = clock_of.delayed ? clock_of.random / 65536 % 150000 : 0;
    double left_s = publisher_s(rig.now_us - delay_us);
    rig_sr(call.publisher, ssrc, (uint64_t)(left_s * 4294967296.0),
           offset + (uint32_t)(uint64_t)(left_s * clock_hz));
}

/* When something that happened at the publisher's time event_s is played by the viewer's clock,
 * which goes by our reports. */
static double played_s(uint32_t ssrc, uint32_t timestamp, double clock_hz) {
    struct rtcp_sender_info info;
    CHECK(find_sr(ssrc, &info));
    return (double)info.ntp / 4294967296.0 + (int32_t)(timestamp - info.rtp_timestamp) / clock_hz;
}

static uint32_t shift(uint32_t ssrc, uint32_t source_timestamp) {
    for (size_t i = 0; i < rig_rtp_count(call.viewer); i++)
        if (rig_rtp_at(call.viewer, i)->rtp.ssrc == ssrc)
            return rig_rtp_at(call.viewer, i)->rtp.timestamp - source_timestamp;
    test_fail(__FILE__, __LINE__, "nothing was forwarded");
}

static void check_lip_sync(int drift_ppm, bool delayed) {
    static const uint32_t audio_offset = 0x12345678, video_offset = 0xfedcba98;
    clock_of.drift_ppm = drift_ppm;
    clock_of.delayed = delayed;
    begin();
    rig_audio(call.publisher, call.microphone->ssrcs[0], 1);
    rig_keyframe(call.publisher, video_ssrc(), 1, 1);
    uint32_t audio_shift = shift(call.audio->slot_ssrc, 960);
    uint32_t video_shift = shift(call.video->slot_ssrc, 3000);
    for (int second = 0; second < 60; second++) {
        publish_sr(call.microphone->ssrcs[0], audio_offset, 48000);
        rig_run(370 * MS);
        publish_sr(video_ssrc(), video_offset, 90000);
        rig_run(630 * MS + 1);
        call.publisher->transport->ice.consent_us = rig.now_us;
        call.viewer->transport->ice.consent_us = rig.now_us;
        double event_s = publisher_s(rig.now_us);
        double audio_s =
            played_s(call.audio->slot_ssrc,
                     audio_offset + (uint32_t)(uint64_t)(event_s * 48000) + audio_shift, 48000);
        double video_s =
            played_s(call.video->slot_ssrc,
                     video_offset + (uint32_t)(uint64_t)(event_s * 90000) + video_shift, 90000);
        double apart_us = (audio_s - video_s) * 1e6;
        CHECK(apart_us < 1000 && apart_us > -1000);
        rig_clear();
    }
    rig_close();
}

static void sound_and_picture_stay_together_whatever_the_publishers_clock(void) {
    check_lip_sync(0, false);
}

static void sound_and_picture_stay_together_when_the_clock_is_fast(void) {
    check_lip_sync(300, false);
}

static void sound_and_picture_stay_together_when_the_clock_is_slow(void) {
    check_lip_sync(-300, false);
}

static void sound_and_picture_stay_together_when_reports_are_delayed(void) {
    check_lip_sync(100, true);
}

/* --- Receiver reports --- */

static void there_is_a_block_for_each_layer_with_lsr_and_dlsr(void) {
    rig_open();
    call.publisher = rig_join();
    call.camera = rig_add_simulcast(call.publisher);
    rig_connect(call.publisher);
    for (uint16_t i = 0; i < 8; i++) /* Every fourth is lost. */
        if (i % 4 != 1)
            rig_keyframe(call.publisher, call.camera->ssrcs[0], 10 + i, i);
    rig_keyframe(call.publisher, call.camera->ssrcs[2], 500, 1);
    rig_run(250 * MS);
    rig_sr(call.publisher, call.camera->ssrcs[2], UINT64_C(0x1122334455667788), 90000);
    rig_run(S);
    struct rtcp_packet packet;
    struct rtcp_report_block block;
    CHECK(rig_find_rtcp(call.publisher, RTCP_RR, 2, 0, &packet, NULL));
    CHECK(rtcp_report_block_at(&packet, 0, &block));
    CHECK_INT(block.ssrc, call.camera->ssrcs[0]);
    CHECK_INT(block.fraction_lost, 256 * 2 / 8);
    CHECK_INT(block.cumulative_lost, 2);
    CHECK_INT(block.highest_seq & 0xffff, 17);
    CHECK_INT(block.last_sr, 0);
    CHECK(rtcp_report_block_at(&packet, 1, &block));
    CHECK_INT(block.ssrc, call.camera->ssrcs[2]);
    CHECK_INT(block.cumulative_lost, 0);
    CHECK_INT(block.last_sr, 0x33445566);
    CHECK_INT(block.delay_since_last_sr, 65536 * 3 / 4);
    rig_close();
}

static void more_streams_than_a_report_holds_take_turns(void) {
    rig_open();
    call.publisher = rig_join();
    for (size_t i = 0; i < 40; i++)
        rig_add(call.publisher, false, SFU_PUBLISHES);
    rig_connect(call.publisher);
    for (size_t i = 0; i < 40; i++)
        rig_audio(call.publisher, call.publisher->media[i].ssrcs[0], 1);
    rig_run(4050 * MS);
    unsigned times[40] = {0};
    struct rtcp_packet packet;
    struct rtcp_report_block block;
    for (size_t n = 0; rig_find_rtcp(call.publisher, RTCP_RR, -1, n, &packet, NULL); n++)
        for (size_t k = 0; rtcp_report_block_at(&packet, k, &block); k++)
            times[(block.ssrc - call.publisher->media[0].ssrcs[0]) / 10]++;
    for (size_t i = 0; i < 40; i++) /* 4 · 31 blocks. */
        CHECK(times[i] == 3 || times[i] == 4);
    rig_close();
}

/* --- Compounds --- */

/* RFC 3550 section 6.1: a report, then the CNAME of who makes it; so with every report. */
static void check_compound(const struct rig_sent *sent, int type, const char *name) {
    struct rtcp_packet packet;
    const char *cname;
    size_t len, offset = 0;
    CHECK(sent->wire_len <= 1200);
    while (rtcp_next(sent->data, sent->len, &offset, &packet)) {
        CHECK_INT(packet.type, type);
        uint32_t ssrc = rtp_get32(packet.body);
        CHECK(rtcp_next(sent->data, sent->len, &offset, &packet));
        CHECK_INT(packet.type, RTCP_SDES);
        CHECK_INT(rtcp_sdes_cname(&packet, ssrc, &cname, &len), 0);
        CHECK_BYTES(cname, len, name, strlen(name));
    }
}

static void a_publishers_compound_is_a_receiver_report_and_sdes(void) {
    begin();
    rig_keyframe(call.publisher, video_ssrc(), 10, 1);
    rig_run(1050 * MS);
    CHECK_INT(rig_count(call.publisher, RTP_DATAGRAM_RTCP), 1);
    check_compound(rig_sent_at(call.publisher, RTP_DATAGRAM_RTCP, 0), RTCP_RR, "weir");
    rig_close();
}

static void who_sends_and_receives_nothing_gets_no_report(void) {
    begin();
    rig_run(3 * S);
    CHECK_INT(rig_count(call.publisher, RTP_DATAGRAM_RTCP), 0);
    CHECK_INT(rig_count(call.viewer, RTP_DATAGRAM_RTCP), 0);
    rig_close();
}

/* 40 slots and 20 streams of their own: 40 · (28 + 20) + 20 · 24 bytes do not fit into one
 * datagram. */
static void forty_slots_are_reported_in_compounds_that_fit(void) {
    prepare();
    for (size_t i = 0; i < 38; i++)
        rig_add(call.viewer, i % 2, SFU_SLOT);
    for (size_t i = 0; i < 40; i++)
        call.viewer->media[i].slot_stream = 7;
    for (size_t i = 0; i < 20; i++)
        rig_add(call.viewer, false, SFU_PUBLISHES);
    connect_both();
    for (size_t i = 2; i < 40; i++)
        rig_carry(call.viewer, &call.viewer->media[i],
                  call.viewer->media[i].video ? call.camera->track : call.microphone->track);
    rig_keyframe(call.publisher, video_ssrc(), 10, 1);
    rig_audio(call.publisher, call.microphone->ssrcs[0], 1);
    rig_sr(call.publisher, video_ssrc(), rig_ntp(5 * S), 0);
    rig_sr(call.publisher, call.microphone->ssrcs[0], rig_ntp(5 * S), 0);
    for (size_t i = 40; i < 60; i++)
        rig_audio(call.viewer, call.viewer->media[i].ssrcs[0], 1);
    rig_run(1050 * MS);
    size_t compounds = rig_count(call.viewer, RTP_DATAGRAM_RTCP);
    CHECK_INT(compounds, 3);
    for (size_t i = 0; i < compounds; i++)
        check_compound(rig_sent_at(call.viewer, RTP_DATAGRAM_RTCP, i), RTCP_SR, "slot-7");
    CHECK_INT(rig_rtcp_count(call.viewer, RTCP_SR, -1), 40);
    CHECK_INT(rig_rtcp_count(call.viewer, RTCP_SR, 20), 1);
    struct rtcp_sender_info info;
    for (size_t i = 0; i < 40; i++)
        CHECK(find_sr(call.viewer->media[i].slot_ssrc, &info));
    rig_close();
}

/* --- Transport-wide feedback --- */

static void number(uint16_t seq, uint16_t transport_seq) {
    uint8_t payload[RIG_PAYLOAD_LEN];
    rig_vp8(payload, seq, RIG_KEY, 720, seq);
    rig_send(call.publisher, &(struct rig_rtp){.ssrc = video_ssrc(),
                                               .payload_type = RIG_VP8_PT,
                                               .seq = seq,
                                               .has_transport_seq = true,
                                               .transport_seq = transport_seq,
                                               .payload = payload,
                                               .len = sizeof(payload)});
}

static struct rtp_twcc_arrival arrivals[64];
static size_t arrival_count;

static void keep_arrival(void *ctx, const struct rtp_twcc_arrival *arrival) {
    (void)ctx;
    arrivals[arrival_count++] = *arrival;
}

static void arrivals_are_reported_after_50_ms(void) {
    begin();
    uint64_t begun_us = rig.now_us, at_us;
    for (uint16_t i = 0; i < 5; i++) {
        if (i != 3)
            number(10 + i, 1000 + i);
        rig_run(10 * MS);
    }
    struct rtcp_packet packet;
    CHECK(rig_find_rtcp(call.publisher, RTCP_RTPFB, RTCP_FMT_TWCC, 0, &packet, &at_us));
    CHECK_INT(at_us - begun_us, 50 * MS);
    CHECK_INT(rtp_twcc_feedback_parse(&packet, keep_arrival, NULL), 5);
    for (size_t i = 0; i < 5; i++) {
        CHECK_INT(arrivals[i].seq, 1000 + i);
        CHECK_INT(arrivals[i].received, i != 3);
        if (i > 0 && arrivals[i].received)
            CHECK(llabs(arrivals[i].arrival_us - arrivals[0].arrival_us - (int64_t)(i * 10 * MS)) <
                  500);
    }
    rig_run(S); /* No packet, no feedback. */
    CHECK_INT(rig_rtcp_count(call.publisher, RTCP_RTPFB, RTCP_FMT_TWCC), 1);
    rig_close();
}

/* Of packets of about 70 bytes, one each `interval_us` for a second. */
static size_t feedbacks_of_a_second(uint64_t interval_us) {
    begin();
    for (uint64_t i = 0; i < 2 * S / interval_us; i++) {
        if (i == S / interval_us)
            rig_clear();
        number((uint16_t)(10 + i), (uint16_t)(1000 + i));
        rig_run(interval_us);
    }
    size_t count = rig_rtcp_count(call.publisher, RTCP_RTPFB, RTCP_FMT_TWCC);
    rig_close();
    return count;
}

static void feedback_takes_a_twentieth_and_comes_each_50_to_250_ms(void) {
    static uint64_t intervals_us[] = {1 * MS, 4 * MS, 100 * MS};
    static size_t least[] = {18, 8, 3}, most[] = {20, 16, 4};
    for (size_t i = 0; i < 3; i++) {
        size_t count = feedbacks_of_a_second(intervals_us[i]);
        CHECK(count >= least[i] && count <= most[i]);
        memset(&rig, 0, sizeof(rig));
    }
}

static void without_transport_numbers_there_is_no_feedback(void) {
    begin();
    rig_keyframe(call.publisher, video_ssrc(), 10, 1);
    rig_run(S);
    CHECK_INT(rig_rtcp_count(call.publisher, RTCP_RTPFB, RTCP_FMT_TWCC), 0);
    CHECK(call.publisher->transport->twcc == NULL);
    rig_close();
}

/* --- NACK --- */

static size_t nacks(void) {
    return rig_rtcp_count(call.publisher, RTCP_RTPFB, RTCP_FMT_NACK);
}

static void a_gap_is_asked_for_after_10_ms(void) {
    begin();
    rig_keyframe(call.publisher, video_ssrc(), 10, 1);
    rig_video(call.publisher, video_ssrc(), 13, 2, RIG_START);
    rig_run(9 * MS);
    CHECK_INT(nacks(), 0);
    rig_run(2 * MS);
    struct rtcp_packet packet;
    uint32_t sender, media;
    uint16_t seqs[4];
    CHECK(rig_find_rtcp(call.publisher, RTCP_RTPFB, RTCP_FMT_NACK, 0, &packet, NULL));
    CHECK_INT(rtcp_feedback_parse(&packet, &sender, &media), 0);
    CHECK_INT(media, video_ssrc());
    CHECK_INT(rtcp_nack_parse(&packet, seqs, 4), 2);
    CHECK_INT(seqs[0], 11);
    CHECK_INT(seqs[1], 12);
    CHECK_INT(rig.engines[0]->counters.nacks_sent, 2);
    rig_close();
}

static void what_comes_within_10_ms_is_not_asked_for(void) {
    begin();
    rig_keyframe(call.publisher, video_ssrc(), 10, 1);
    rig_video(call.publisher, video_ssrc(), 12, 3, RIG_START);
    rig_run(8 * MS);
    rig_video(call.publisher, video_ssrc(), 11, 2, RIG_START);
    rig_run(S);
    CHECK_INT(nacks(), 0);
    rig_close();
}

/* Ten times: after a round trip of 100 ms, then twice in each; then a keyframe is the only way on.
 */
static void what_never_comes_is_given_up_for_a_keyframe(void) {
    begin();
    rig_keyframe(call.publisher, video_ssrc(), 10, 1);
    rig_video(call.publisher, video_ssrc(), 12, 3, RIG_START);
    rig_run(200 * MS); /* At 10, 110 and 160. */
    CHECK_INT(nacks(), 3);
    rig_run(340 * MS);
    CHECK_INT(nacks(), 10);
    CHECK_INT(rig_plis(call.publisher), 0);
    rig_run(50 * MS);
    CHECK_INT(nacks(), 10);
    CHECK_INT(rig_plis(call.publisher), 1);
    CHECK_INT(rig.engines[0]->counters.rtp_lost_upstream, 1);
    rig_close();
}

static void without_nack_agreed_nothing_is_asked_for(void) {
    prepare();
    call.camera->nack = false;
    connect_both();
    rig_keyframe(call.publisher, video_ssrc(), 10, 1);
    rig_video(call.publisher, video_ssrc(), 12, 3, RIG_START);
    rig_run(500 * MS);
    CHECK_INT(nacks(), 0);
    rig_close();
}

static void a_jump_of_the_source_is_not_loss(void) {
    begin();
    rig_keyframe(call.publisher, video_ssrc(), 10, 1);
    rig_keyframe(call.publisher, video_ssrc(), 20000, 2);
    rig_keyframe(call.publisher, video_ssrc(), 20001, 3);
    rig_run(500 * MS);
    CHECK_INT(nacks(), 0);
    CHECK_INT(rig.engines[0]->counters.rtp_lost_upstream, 0);
    rig_close();
}

static const struct test tests[] = {
    {"there_is_none_before_the_publishers_first", there_is_none_before_the_publishers_first},
    {"there_is_none_before_anything_was_sent", there_is_none_before_anything_was_sent},
    {"it_says_what_was_sent_and_which_timestamp_is_now",
     it_says_what_was_sent_and_which_timestamp_is_now},
    {"it_comes_every_second", it_comes_every_second},
    {"sound_and_picture_stay_together_whatever_the_publishers_clock",
     sound_and_picture_stay_together_whatever_the_publishers_clock},
    {"sound_and_picture_stay_together_when_the_clock_is_fast",
     sound_and_picture_stay_together_when_the_clock_is_fast},
    {"sound_and_picture_stay_together_when_the_clock_is_slow",
     sound_and_picture_stay_together_when_the_clock_is_slow},
    {"sound_and_picture_stay_together_when_reports_are_delayed",
     sound_and_picture_stay_together_when_reports_are_delayed},
    {"there_is_a_block_for_each_layer_with_lsr_and_dlsr",
     there_is_a_block_for_each_layer_with_lsr_and_dlsr},
    {"more_streams_than_a_report_holds_take_turns", more_streams_than_a_report_holds_take_turns},
    {"a_publishers_compound_is_a_receiver_report_and_sdes",
     a_publishers_compound_is_a_receiver_report_and_sdes},
    {"who_sends_and_receives_nothing_gets_no_report",
     who_sends_and_receives_nothing_gets_no_report},
    {"forty_slots_are_reported_in_compounds_that_fit",
     forty_slots_are_reported_in_compounds_that_fit},
    {"arrivals_are_reported_after_50_ms", arrivals_are_reported_after_50_ms},
    {"feedback_takes_a_twentieth_and_comes_each_50_to_250_ms",
     feedback_takes_a_twentieth_and_comes_each_50_to_250_ms},
    {"without_transport_numbers_there_is_no_feedback",
     without_transport_numbers_there_is_no_feedback},
    {"a_gap_is_asked_for_after_10_ms", a_gap_is_asked_for_after_10_ms},
    {"what_comes_within_10_ms_is_not_asked_for", what_comes_within_10_ms_is_not_asked_for},
    {"what_never_comes_is_given_up_for_a_keyframe", what_never_comes_is_given_up_for_a_keyframe},
    {"without_nack_agreed_nothing_is_asked_for", without_nack_agreed_nothing_is_asked_for},
    {"a_jump_of_the_source_is_not_loss", a_jump_of_the_source_is_not_loss},
};

TEST_MAIN(tests)
