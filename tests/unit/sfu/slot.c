/* What a subscriber receives, byte by byte: headers, numbers, where it begins. */
#include "tests/unit/sfu/slot_call.h"

/* --- The header --- */

static void leaves_with_the_slots_ssrc_and_the_subscribers_payload_types(void) {
    /* STAP-A of a parameter set and an IDR slice. */
    static const uint8_t h264[] = {0x78, 0, 4, 0x67, 0x42, 0xe0, 0x1f, 0, 2, 0x65, 0x88};
    prepare();
    call.camera->codec_count = call.slot->codec_count = 2;
    call.camera->codecs[1] = (struct sfu_codec){RTP_CODEC_H264, 98, 99, 0x42e01f};
    call.slot->codecs[0] = (struct sfu_codec){RTP_CODEC_VP8, 120, 121, 0};
    call.slot->codecs[1] = (struct sfu_codec){RTP_CODEC_H264, 102, 103, 0x42e01f};
    connect_both();
    rig_keyframe(call.publisher, camera_ssrc(), 10, 1);
    rig_send(call.publisher, &(struct rig_rtp){.ssrc = camera_ssrc(),
                                               .payload_type = 98,
                                               .seq = 11,
                                               .timestamp = 6000,
                                               .payload = h264,
                                               .len = sizeof(h264)});
    const struct rig_sent *vp8 = rig_rtp_at(call.viewer, 0);
    const struct rig_sent *avc = rig_rtp_at(call.viewer, 1);
    CHECK_INT(vp8->rtp.ssrc, call.slot->slot_ssrc);
    CHECK_INT(vp8->rtp.payload_type, 120);
    CHECK(vp8->rtp.marker);
    CHECK_INT(avc->rtp.ssrc, call.slot->slot_ssrc);
    CHECK_INT(avc->rtp.payload_type, 102);
    CHECK(!avc->rtp.marker);
    CHECK_INT((uint32_t)(avc->rtp.timestamp - vp8->rtp.timestamp), 3000);
    CHECK_BYTES(avc->data + avc->rtp.payload_offset, avc->rtp.payload_len, h264, sizeof(h264));
    rig_close();
}

static void a_codec_that_the_subscriber_does_not_take_is_left_out(void) {
    prepare();
    call.slot->codecs[0] = (struct sfu_codec){RTP_CODEC_VP9, 98, 99, 0};
    connect_both();
    rig_keyframe(call.publisher, camera_ssrc(), 10, 1);
    CHECK_INT(rig_rtp_count(call.viewer), 0);
    rig_close();
}

static void has_the_subscribers_extension_ids_and_none_that_was_not_answered(void) {
    prepare();
    call.camera->extensions.ids[RTP_EXT_ROTATION] = 13;
    call.camera->extensions.ids[RTP_EXT_CAPTURE_TIME] = 12;
    call.slot->extensions = (struct rtp_ext_map){
        .ids = {[RTP_EXT_MID] = 3, [RTP_EXT_TRANSPORT_SEQ] = 7, [RTP_EXT_ROTATION] = 8}};
    connect_both();
    struct rtp_extensions others = {.present = 1u << RTP_EXT_ROTATION | 1u << RTP_EXT_CAPTURE_TIME |
                                               1u << RTP_EXT_AUDIO_LEVEL |
                                               1u << RTP_EXT_ABS_SEND_TIME,
                                    .rotation = 1,
                                    .capture_time = (const uint8_t *)"12345678",
                                    .capture_time_len = 8};
    uint8_t payload[RIG_PAYLOAD_LEN];
    rig_vp8(payload, 1, RIG_KEY | RIG_END, 720, 10);
    rig_send(call.publisher, &(struct rig_rtp){.ssrc = camera_ssrc(),
                                               .payload_type = RIG_VP8_PT,
                                               .seq = 10,
                                               .mid = "0",
                                               .has_transport_seq = true,
                                               .others = &others,
                                               .map = &call.camera->extensions,
                                               .payload = payload,
                                               .len = sizeof(payload)});
    const struct rig_sent *sent = rig_rtp_at(call.viewer, 0);
    CHECK_INT(extension_ids(sent), 1u << 3 | 1u << 7 | 1u << 8);
    struct rtp_extensions read;
    rtp_extensions_parse(&read, &sent->rtp, sent->data, &call.slot->extensions);
    CHECK_INT(read.rotation, 1);
    CHECK_BYTES(read.mid, read.mid_len, call.slot->mid, strlen(call.slot->mid));
    rig_close();
}

static bool has_mid(const struct rig_sent *sent) {
    return extension_ids(sent) & 1u << ID_MID;
}

static void mid_is_on_the_first_fifty_packets_only(void) {
    begin();
    rig_keyframe(call.publisher, camera_ssrc(), 10, 1);
    for (uint16_t i = 1; i < 60; i++)
        rig_video(call.publisher, camera_ssrc(), 10 + i, 1 + i, RIG_START | RIG_END);
    for (size_t i = 0; i < 60; i++)
        CHECK_INT(has_mid(rig_rtp_at(call.viewer, i)), i < 50);
    rig_close();
}

static uint16_t transport_seq(const struct rig_sent *sent) {
    struct rtp_extensions read;
    rtp_extensions_parse(&read, &sent->rtp, sent->data, &call.slot->extensions);
    CHECK(rtp_ext_has(&read, RTP_EXT_TRANSPORT_SEQ));
    return read.transport_seq;
}

static void transport_numbers_are_consecutive_over_slots_and_rtx(void) {
    prepare();
    struct sfu_media *microphone = rig_add(call.publisher, false, SFU_PUBLISHES);
    struct sfu_media *audio = rig_add(call.viewer, false, SFU_SLOT);
    struct sfu_media *silent = rig_add(call.viewer, false, SFU_SLOT);
    silent->extensions.ids[RTP_EXT_TRANSPORT_SEQ] = 0; /* Uses none up. */
    connect_both();
    rig_carry(call.viewer, audio, microphone->track);
    rig_carry(call.viewer, silent, microphone->track);
    rig_keyframe(call.publisher, camera_ssrc(), 10, 1);
    rig_audio(call.publisher, microphone->ssrcs[0], 1);
    rig_nack(call.viewer, call.slot->slot_ssrc, &rig_rtp_at(call.viewer, 0)->rtp.seq, 1);
    rig_audio(call.publisher, microphone->ssrcs[0], 2);
    uint16_t next = 1;
    for (size_t i = 0; i < rig_rtp_count(call.viewer); i++)
        if (rig_rtp_at(call.viewer, i)->rtp.ssrc != silent->slot_ssrc)
            CHECK_INT(transport_seq(rig_rtp_at(call.viewer, i)), next++);
    CHECK_INT(next, 5);
    rig_close();
}

/* --- Continuity --- */

static unsigned picture_id(const struct rig_sent *sent) {
    return rtp_get16(sent->data + sent->rtp.payload_offset + 2) & 0x7fff;
}

static unsigned tl0picidx(const struct rig_sent *sent) {
    return sent->data[sent->rtp.payload_offset + 4];
}

static void another_source_continues_all_numbers(void) {
    begin();
    rig_keyframe(call.publisher, camera_ssrc(), 10, 100);
    rig_video(call.publisher, camera_ssrc(), 11, 101, RIG_START | RIG_END);
    rig_video(call.publisher, call.second->ssrcs[0], 60000, 7, RIG_START | RIG_END);
    rig.now_us += 40 * MS;
    rig_carry(call.viewer, call.slot, call.second->track);
    rig_video(call.publisher, camera_ssrc(), 12, 102, RIG_START | RIG_END);
    rig_keyframe(call.publisher, call.second->ssrcs[0], 60001, 8);
    rig_video(call.publisher, call.second->ssrcs[0], 60002, 9, RIG_START | RIG_END);
    CHECK_STR(numbers(), "10 11 60001 60002");
    check_consecutive();
    for (size_t i = 1; i < 4; i++) {
        const struct rig_sent *before = rig_rtp_at(call.viewer, i - 1);
        const struct rig_sent *sent = rig_rtp_at(call.viewer, i);
        CHECK_INT(picture_id(sent), (picture_id(before) + 1) & 0x7fff);
        CHECK_INT(tl0picidx(sent), (tl0picidx(before) + 1) & 0xff);
        CHECK_INT((uint32_t)(sent->rtp.timestamp - before->rtp.timestamp), i == 2 ? 3600 : 3000);
    }
    rig_close();
}

static void a_short_picture_id_grows_and_the_payload_behind_it_stays(void) {
    /* S, X; I; 7 bits; then a keyframe of 640x360. */
    static const uint8_t payload[] = {0x90, 0x80, 0x11, 0x10, 0x02, 0x00, 0x9d,
                                      0x01, 0x2a, 0x80, 0x02, 0x68, 0x01, 0xee};
    begin();
    rig_send(call.publisher, &(struct rig_rtp){.ssrc = camera_ssrc(),
                                               .payload_type = RIG_VP8_PT,
                                               .seq = 10,
                                               .payload = payload,
                                               .len = sizeof(payload)});
    const struct rig_sent *sent = rig_rtp_at(call.viewer, 0);
    const uint8_t *out = sent->data + sent->rtp.payload_offset;
    CHECK_INT(sent->rtp.payload_len, sizeof(payload) + 1);
    CHECK_BYTES(out, 2, payload, 2);
    CHECK(out[2] & 0x80);
    CHECK_BYTES(out + 4, sent->rtp.payload_len - 4u, payload + 3, sizeof(payload) - 3);
    rig_close();
}

static void padding_and_malformed_payloads_are_left_out_without_a_gap(void) {
    begin();
    rig_keyframe(call.publisher, camera_ssrc(), 10, 1);
    struct rig_rtp rtp = {
        .ssrc = camera_ssrc(), .payload_type = RIG_VP8_PT, .seq = 11, .timestamp = 3000};
    rig_send(call.publisher, &rtp);
    rtp.seq = 12;
    rtp.payload = (const uint8_t[]){0x90, 0x80};
    rtp.len = 2;
    rig_send(call.publisher, &rtp);
    rig_video(call.publisher, camera_ssrc(), 13, 2, RIG_START | RIG_END);
    CHECK_STR(numbers(), "10 13");
    check_consecutive();
    CHECK_INT(counters()->drop_payload_malformed, 1);
    rig_close();
}

static void a_late_packet_gets_the_number_that_was_kept_for_it(void) {
    begin();
    rig_keyframe(call.publisher, camera_ssrc(), 10, 1);
    rig_video(call.publisher, camera_ssrc(), 12, 3, RIG_START | RIG_END);
    rig_video(call.publisher, camera_ssrc(), 11, 2, RIG_START | RIG_END);
    rig_video(call.publisher, camera_ssrc(), 11, 2, RIG_START | RIG_END); /* A replay. */
    CHECK_STR(numbers(), "10 12 11");
    uint16_t first = rig_rtp_at(call.viewer, 0)->rtp.seq;
    CHECK_INT(rig_rtp_at(call.viewer, 1)->rtp.seq, (uint16_t)(first + 2));
    CHECK_INT(rig_rtp_at(call.viewer, 2)->rtp.seq, (uint16_t)(first + 1));
    rig_close();
}

/* RFC 3550 appendix A.1: two in a row prove the jump; the first of them is lost. */
static void a_source_that_restarts_its_numbers_goes_on_without_a_gap(void) {
    begin();
    rig_keyframe(call.publisher, camera_ssrc(), 20000, 1);
    rig_video(call.publisher, camera_ssrc(), 30000, 2, RIG_START | RIG_END);
    rig.now_us += 40 * MS;
    rig_keyframe(call.publisher, camera_ssrc(), 30001, 7000000); /* Its timestamps as well. */
    rig_video(call.publisher, camera_ssrc(), 30002, 7000001, RIG_START | RIG_END);
    CHECK_STR(numbers(), "20000 30001 30002");
    check_consecutive();
    CHECK_INT((uint32_t)(rig_rtp_at(call.viewer, 1)->rtp.timestamp -
                         rig_rtp_at(call.viewer, 0)->rtp.timestamp),
              3600);
    rig_close();
}

static void a_repeated_description_changes_nothing(void) {
    begin();
    rig_keyframe(call.publisher, camera_ssrc(), 10, 1);
    CHECK_INT(rig_negotiate(call.viewer), 0);
    CHECK_INT(rig_negotiate(call.publisher), 0);
    rig_video(call.publisher, camera_ssrc(), 11, 2, RIG_START | RIG_END);
    CHECK_STR(numbers(), "10 11");
    check_consecutive();
    rig_close();
}

/* A number that comes twice would be a nonce that comes twice (RFC 7714 section 12.1). */
static void a_slot_that_was_inactive_continues_its_numbers(void) {
    begin();
    rig_keyframe(call.publisher, camera_ssrc(), 10, 1);
    for (int i = 0; i < 3; i++) {
        call.slot->direction = i == 1 ? SFU_PUBLISHES : SFU_INACTIVE;
        CHECK_INT(rig_negotiate(call.viewer), 0);
        rig_keyframe(call.publisher, camera_ssrc(), (uint16_t)(11 + 2 * i), 2);
        CHECK_INT(sfu_engine_set_slot(rig.engines[0], rig.now_us, call.viewer->number,
                                      call.slot->mid, call.camera->track),
                  -2); /* ENOENT */
        call.slot->direction = SFU_SLOT;
        CHECK_INT(rig_negotiate(call.viewer), 0);
        rig_carry(call.viewer, call.slot, call.camera->track);
        rig_keyframe(call.publisher, camera_ssrc(), (uint16_t)(12 + 2 * i), 3);
    }
    CHECK_STR(numbers(), "10 11 12 13 14 15 16"); /* The odd ones out of the cache. */
    check_consecutive();
    rig_close();
}

static void a_track_that_ends_leaves_its_slot_empty(void) {
    begin();
    rig_keyframe(call.publisher, camera_ssrc(), 10, 1);
    call.camera->direction = SFU_INACTIVE;
    CHECK_INT(rig_negotiate(call.publisher), 0);
    CHECK(rig_slot(call.viewer, call.slot)->track == NULL);
    rig_video(call.publisher, camera_ssrc(), 11, 2, RIG_START | RIG_END);
    rig_carry(call.viewer, call.slot, call.second->track);
    rig_keyframe(call.publisher, call.second->ssrcs[0], 500, 1);
    CHECK_STR(numbers(), "10 500");
    check_consecutive();
    rig_close();
}

/* --- Where it begins --- */

static void video_begins_at_a_keyframe(void) {
    begin();
    rig_video(call.publisher, camera_ssrc(), 10, 1, RIG_START | RIG_END);
    rig_video(call.publisher, camera_ssrc(), 11, 2, RIG_START | RIG_END);
    CHECK_INT(rig_rtp_count(call.viewer), 0);
    rig_video(call.publisher, camera_ssrc(), 12, 3, RIG_KEY);
    rig_video(call.publisher, camera_ssrc(), 13, 3, RIG_END);
    rig_video(call.publisher, camera_ssrc(), 14, 4, RIG_START | RIG_END);
    CHECK_STR(numbers(), "12 13 14");
    rig_close();
}

static void audio_begins_at_once(void) {
    prepare();
    struct sfu_media *microphone = rig_add(call.publisher, false, SFU_PUBLISHES);
    struct sfu_media *audio = rig_add(call.viewer, false, SFU_SLOT);
    connect_both();
    rig_carry(call.viewer, audio, microphone->track);
    rig_audio(call.publisher, microphone->ssrcs[0], 7);
    CHECK_STR(numbers(), "7");
    rig_close();
}

/* The first packet of the keyframe was lost and comes as a repetition. */
static void a_keyframe_whose_first_packet_is_late_is_caught_up_in_order(void) {
    begin();
    rig_video(call.publisher, camera_ssrc(), 9, 1, RIG_START | RIG_END);
    rig_video(call.publisher, camera_ssrc(), 11, 2, 0);
    rig_video(call.publisher, camera_ssrc(), 12, 2, RIG_END);
    rig_video(call.publisher, camera_ssrc(), 13, 3, RIG_START | RIG_END);
    CHECK_INT(rig_rtp_count(call.viewer), 0);
    rig_video(call.publisher, camera_ssrc(), 10, 2, RIG_KEY);
    rig_video(call.publisher, camera_ssrc(), 14, 4, RIG_START | RIG_END);
    CHECK_STR(numbers(), "10 11 12 13 14");
    check_consecutive();
    rig_close();
}

static void catching_up_within_a_burst_sends_nothing_twice(void) {
    begin();
    rig_video(call.publisher, camera_ssrc(), 9, 1, RIG_START | RIG_END);
    rig_put_picture(call.publisher, camera_ssrc(), 11, 2, 0, 720);
    rig_put_picture(call.publisher, camera_ssrc(), 10, 2, RIG_KEY, 720);
    rig_put_picture(call.publisher, camera_ssrc(), 12, 2, 0, 720);
    rig_put_picture(call.publisher, camera_ssrc(), 13, 2, RIG_END, 720);
    rig_flush();
    CHECK_STR(numbers(), "10 11 12 13");
    check_consecutive();
    rig_close();
}

/* It is overtaken by what came before, and by some of what comes with it. */
static void catching_up_within_a_burst_leaves_nothing_out(void) {
    begin();
    rig_video(call.publisher, camera_ssrc(), 9, 1, RIG_START | RIG_END);
    rig_video(call.publisher, camera_ssrc(), 14, 2, RIG_END);
    rig_put_picture(call.publisher, camera_ssrc(), 13, 2, 0, 720);
    rig_put_picture(call.publisher, camera_ssrc(), 10, 2, RIG_KEY, 720);
    rig_put_picture(call.publisher, camera_ssrc(), 12, 2, 0, 720);
    rig_put_picture(call.publisher, camera_ssrc(), 11, 2, 0, 720);
    rig_flush();
    CHECK_STR(numbers(), "10 13 14 12 11");
    rig_close();
}

static void paused_sends_nothing_and_resumes_at_the_newest_keyframe(void) {
    begin();
    rig_keyframe(call.publisher, camera_ssrc(), 10, 1);
    rig_run(S);
    wish((struct sfu_wish){.paused = true});
    rig_keyframe(call.publisher, camera_ssrc(), 11, 2);
    rig_video(call.publisher, camera_ssrc(), 12, 3, RIG_START | RIG_END);
    CHECK_STR(numbers(), "10");
    size_t asked = rig_plis(call.publisher);
    wish((struct sfu_wish){0});
    rig_flush();
    CHECK_STR(numbers(), "10 11 12");
    rig_run(1 * MS);
    CHECK_INT(rig_plis(call.publisher), asked);
    rig_video(call.publisher, camera_ssrc(), 13, 4, RIG_START | RIG_END);
    CHECK_STR(numbers(), "10 11 12 13");
    check_consecutive();
    rig_close();
}

static void nothing_is_sent_without_consent(void) {
    begin();
    rig_keyframe(call.publisher, camera_ssrc(), 10, 1);
    call.viewer->transport->consent_lost = true;
    rig_video(call.publisher, camera_ssrc(), 11, 2, RIG_START | RIG_END);
    CHECK_STR(numbers(), "10");
    rig_close();
}

static const struct test tests[] = {
    {"leaves_with_the_slots_ssrc_and_the_subscribers_payload_types",
     leaves_with_the_slots_ssrc_and_the_subscribers_payload_types},
    {"a_codec_that_the_subscriber_does_not_take_is_left_out",
     a_codec_that_the_subscriber_does_not_take_is_left_out},
    {"has_the_subscribers_extension_ids_and_none_that_was_not_answered",
     has_the_subscribers_extension_ids_and_none_that_was_not_answered},
    {"mid_is_on_the_first_fifty_packets_only", mid_is_on_the_first_fifty_packets_only},
    {"transport_numbers_are_consecutive_over_slots_and_rtx",
     transport_numbers_are_consecutive_over_slots_and_rtx},
    {"another_source_continues_all_numbers", another_source_continues_all_numbers},
    {"a_short_picture_id_grows_and_the_payload_behind_it_stays",
     a_short_picture_id_grows_and_the_payload_behind_it_stays},
    {"padding_and_malformed_payloads_are_left_out_without_a_gap",
     padding_and_malformed_payloads_are_left_out_without_a_gap},
    {"a_late_packet_gets_the_number_that_was_kept_for_it",
     a_late_packet_gets_the_number_that_was_kept_for_it},
    {"a_source_that_restarts_its_numbers_goes_on_without_a_gap",
     a_source_that_restarts_its_numbers_goes_on_without_a_gap},
    {"a_repeated_description_changes_nothing", a_repeated_description_changes_nothing},
    {"a_slot_that_was_inactive_continues_its_numbers",
     a_slot_that_was_inactive_continues_its_numbers},
    {"a_track_that_ends_leaves_its_slot_empty", a_track_that_ends_leaves_its_slot_empty},
    {"video_begins_at_a_keyframe", video_begins_at_a_keyframe},
    {"audio_begins_at_once", audio_begins_at_once},
    {"a_keyframe_whose_first_packet_is_late_is_caught_up_in_order",
     a_keyframe_whose_first_packet_is_late_is_caught_up_in_order},
    {"catching_up_within_a_burst_sends_nothing_twice",
     catching_up_within_a_burst_sends_nothing_twice},
    {"catching_up_within_a_burst_leaves_nothing_out",
     catching_up_within_a_burst_leaves_nothing_out},
    {"paused_sends_nothing_and_resumes_at_the_newest_keyframe",
     paused_sends_nothing_and_resumes_at_the_newest_keyframe},
    {"nothing_is_sent_without_consent", nothing_is_sent_without_consent},
};

TEST_MAIN(tests)
