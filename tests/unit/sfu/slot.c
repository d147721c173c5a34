/* What a subscriber receives, byte by byte. */
#include "tests/unit/sfu/fixture.h"

static struct {
    struct rig_peer *publisher, *viewer;
    struct sfu_media *camera, *second, *slot;
} call;

/* Two cameras, one viewer with one slot, nothing carried yet. */
static void prepare(void) {
    rig_open();
    call.publisher = rig_join();
    call.camera = rig_add(call.publisher, true, SFU_PUBLISHES);
    call.second = rig_add(call.publisher, true, SFU_PUBLISHES);
    call.viewer = rig_join();
    call.slot = rig_add(call.viewer, true, SFU_SLOT);
}

static void connect_both(void) {
    rig_connect(call.publisher);
    rig_connect(call.viewer);
    rig_carry(call.viewer, call.slot, call.camera->track);
}

static void begin(void) {
    prepare();
    connect_both();
}

static uint32_t camera_ssrc(void) {
    return call.camera->ssrcs[0];
}

static void wish(struct sfu_wish wanted) {
    memcpy(wanted.mid, call.slot->mid, sizeof(wanted.mid));
    CHECK_INT(sfu_engine_subscribe(rig.engines[0], rig.now_us, call.viewer->number, &wanted), 0);
}

/* "10 11 12", the numbers in the payloads of what the viewer got. */
static const char *numbers(void) {
    static char text[512];
    text[0] = '\0';
    for (size_t i = 0; i < rig_rtp_count(call.viewer); i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%u", i ? " " : "",
                 rig_number(rig_rtp_at(call.viewer, i)));
    return text;
}

/* Every packet's number is one more than the one before it. */
static void check_consecutive(void) {
    for (size_t i = 1; i < rig_rtp_count(call.viewer); i++)
        CHECK_INT(rig_rtp_at(call.viewer, i)->rtp.seq,
                  (uint16_t)(rig_rtp_at(call.viewer, i - 1)->rtp.seq + 1));
}

static struct sfu_counters *counters(void) {
    return &rig.engines[0]->counters;
}

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

/* As bits 1 << id. */
static uint32_t extension_ids(const struct rig_sent *sent) {
    struct rtp_ext_element element;
    uint32_t ids = 0;
    for (size_t offset = 0; rtp_ext_next(&sent->rtp, sent->data, &offset, &element);)
        ids |= 1u << element.id;
    return ids;
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
    rig_keyframe(call.publisher, call.second->ssrcs[0], 60000, 7);
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
    CHECK_STR(numbers(), "10 12 14 16");
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

static void paused_sends_nothing_and_resumes_at_a_keyframe_that_it_asks_for(void) {
    begin();
    rig_keyframe(call.publisher, camera_ssrc(), 10, 1);
    rig_run(S);
    wish((struct sfu_wish){.paused = true});
    rig_keyframe(call.publisher, camera_ssrc(), 11, 2);
    CHECK_STR(numbers(), "10");
    size_t asked = rig_plis(call.publisher);
    wish((struct sfu_wish){0});
    rig_run(1 * MS);
    CHECK_INT(rig_plis(call.publisher), asked + 1);
    rig_video(call.publisher, camera_ssrc(), 12, 3, RIG_START | RIG_END);
    rig_keyframe(call.publisher, camera_ssrc(), 13, 4);
    CHECK_STR(numbers(), "10 13");
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

/* --- Layers --- */

static void begin_simulcast(void) {
    rig_open();
    call.publisher = rig_join();
    call.camera = rig_add_simulcast(call.publisher);
    call.viewer = rig_join();
    call.slot = rig_add(call.viewer, true, SFU_SLOT);
    connect_both();
}

/* Layer i: its k-th frame, numbers i * 1000 + k, 180, 360 or 720 lines. */
static void layer_frame(size_t i, unsigned k, bool key) {
    rig_put_picture(call.publisher, call.camera->ssrcs[i], (uint16_t)(i * 1000 + k), k,
                    (key ? RIG_KEY : RIG_START) | RIG_END, (uint16_t)(180 << i));
    rig_flush();
}

static unsigned target(void) {
    return rig_slot(call.viewer, call.slot)->target_layer;
}

static void the_highest_layer_that_flows_and_fits_is_chosen(void) {
    begin_simulcast();
    layer_frame(0, 1, true);
    CHECK_INT(target(), 0);
    layer_frame(2, 1, true);
    CHECK_INT(target(), 2);
    layer_frame(1, 1, true);
    CHECK_INT(target(), 2);
    wish((struct sfu_wish){.max_height = 719});
    CHECK_INT(target(), 1);
    wish((struct sfu_wish){.max_height = 720});
    CHECK_INT(target(), 2);
    wish((struct sfu_wish){.max_width = 320});
    CHECK_INT(target(), 0);
    wish((struct sfu_wish){.max_height = 90}); /* None is so small. */
    CHECK_INT(target(), 0);
    rig_close();
}

static void a_layer_that_stops_gives_way_to_one_that_flows(void) {
    begin_simulcast();
    layer_frame(0, 1, true);
    layer_frame(2, 1, true);
    for (unsigned k = 2; k < 35; k++) {
        rig_run(33 * MS);
        layer_frame(0, k, false);
    }
    rig_run(S); /* It is noticed at the next report. */
    layer_frame(0, 40, false);
    CHECK_INT(target(), 0);
    rig_clear();
    layer_frame(0, 41, true);
    CHECK_STR(numbers(), "41");
    rig_close();
}

static void another_layer_begins_at_its_keyframe_and_the_old_flows_until_then(void) {
    begin_simulcast();
    layer_frame(0, 1, true);
    layer_frame(2, 1, false); /* Flows now, and is wanted. */
    CHECK_INT(target(), 2);
    layer_frame(0, 2, false);
    layer_frame(2, 2, false);
    rig.now_us += 33 * MS;
    layer_frame(2, 3, true);
    layer_frame(0, 3, false);
    layer_frame(2, 4, false);
    CHECK_STR(numbers(), "1 2 2003 2004");
    check_consecutive();
    CHECK_INT(rig_rtp_at(call.viewer, 2)->rtp.ssrc, call.slot->slot_ssrc);
    for (size_t i = 1; i < 4; i++)
        CHECK_INT((uint32_t)(rig_rtp_at(call.viewer, i)->rtp.timestamp -
                             rig_rtp_at(call.viewer, i - 1)->rtp.timestamp),
                  3000);
    rig_close();
}

static void the_target_layers_keyframe_is_asked_for(void) {
    begin_simulcast();
    layer_frame(0, 1, true);
    layer_frame(2, 1, false);
    rig_clear();
    rig_run(1 * MS);
    struct rtcp_packet pli;
    uint32_t sender, media;
    CHECK(rig_find_rtcp(call.publisher, RTCP_PSFB, RTCP_FMT_PLI, 0, &pli, NULL));
    CHECK_INT(rtcp_feedback_parse(&pli, &sender, &media), 0);
    CHECK_INT(media, call.camera->ssrcs[2]);
    rig_close();
}

/* --- Repetitions --- */

/* A keyframe and `count` frames behind it; the outgoing number of the first. */
static uint16_t send_frames(unsigned count) {
    rig_keyframe(call.publisher, camera_ssrc(), 10, 1);
    for (unsigned i = 0; i < count; i++)
        rig_video(call.publisher, camera_ssrc(), (uint16_t)(11 + i), 2 + i, RIG_START | RIG_END);
    return rig_rtp_at(call.viewer, 0)->rtp.seq;
}

static void nack(uint16_t seq) {
    rig_nack(call.viewer, call.slot->slot_ssrc, &seq, 1);
}

/* RFC 4588 section 4: its own SSRC, payload type and numbers; the original number, then the
 * original payload. */
static void a_nack_is_answered_by_rtx(void) {
    begin();
    uint16_t first = send_frames(3);
    nack((uint16_t)(first + 1));
    nack((uint16_t)(first + 2));
    CHECK_INT(rig_rtp_count(call.viewer), 6);
    for (size_t i = 0; i < 2; i++) {
        const struct rig_sent *original = rig_rtp_at(call.viewer, 1 + i);
        const struct rig_sent *rtx = rig_rtp_at(call.viewer, 4 + i);
        const uint8_t *payload = rtx->data + rtx->rtp.payload_offset;
        CHECK_INT(rtx->rtp.ssrc, call.slot->slot_rtx_ssrc);
        CHECK_INT(rtx->rtp.payload_type, RIG_RTX_PT);
        CHECK_INT(rtx->rtp.timestamp, original->rtp.timestamp);
        CHECK_INT(rtx->rtp.marker, original->rtp.marker);
        CHECK_INT(rtp_get16(payload), original->rtp.seq);
        CHECK_BYTES(payload + 2, rtx->rtp.payload_len - 2u,
                    original->data + original->rtp.payload_offset, original->rtp.payload_len);
    }
    CHECK_INT(rig_rtp_at(call.viewer, 5)->rtp.seq,
              (uint16_t)(rig_rtp_at(call.viewer, 4)->rtp.seq + 1));
    CHECK_INT(counters()->rtp_retransmitted, 2);
    CHECK_INT(counters()->nacks_received, 2);
    CHECK_INT(counters()->nacks_unanswered, 0);
    rig_close();
}

static void a_number_that_was_never_sent_is_not_answered(void) {
    begin();
    uint16_t first = send_frames(1);
    nack((uint16_t)(first + 2));
    nack((uint16_t)(first - 1));
    CHECK_INT(rig_rtp_count(call.viewer), 2);
    CHECK_INT(counters()->nacks_unanswered, 2);
    rig_close();
}

/* 100 ms are the round trip until a report tells better. */
static void a_repetition_within_three_quarters_of_a_round_trip_is_ignored(void) {
    begin();
    uint16_t first = send_frames(1);
    nack(first);
    rig.now_us += 73 * MS;
    nack(first);
    CHECK_INT(rig_rtp_count(call.viewer), 3);
    rig.now_us += 4 * MS;
    nack(first);
    CHECK(rig_rtp_count(call.viewer) > 3);
    rig_close();
}

static void what_was_lost_twice_is_sent_twice(void) {
    begin();
    uint16_t first = send_frames(1);
    nack(first);
    rig.now_us += 100 * MS;
    nack(first);
    CHECK_INT(rig_rtp_count(call.viewer), 2 + 1 + 2);
    const struct rig_sent *one = rig_rtp_at(call.viewer, 3);
    const struct rig_sent *other = rig_rtp_at(call.viewer, 4);
    CHECK_INT(other->rtp.seq, (uint16_t)(one->rtp.seq + 1));
    CHECK_BYTES(other->data + other->rtp.payload_offset, other->rtp.payload_len,
                one->data + one->rtp.payload_offset, one->rtp.payload_len);
    rig_close();
}

static void a_packet_is_repeated_at_most_ten_times(void) {
    begin();
    uint16_t first = send_frames(0);
    for (int i = 0; i < 15; i++) {
        nack(first);
        rig.now_us += 100 * MS;
    }
    CHECK_INT(rig_rtp_count(call.viewer), 1 + 1 + 9 * 2);
    rig_close();
}

static void an_earlier_source_still_answers_after_a_switch(void) {
    begin();
    uint16_t first = send_frames(2);
    rig_carry(call.viewer, call.slot, call.second->track);
    rig_keyframe(call.publisher, call.second->ssrcs[0], 500, 1);
    nack((uint16_t)(first + 2)); /* Of the first camera. */
    nack((uint16_t)(first + 3)); /* Of the second. */
    CHECK_STR(numbers(), "10 11 12 500 12 500");
    rig_close();
}

static void a_source_that_is_gone_does_not_answer(void) {
    begin();
    uint16_t first = send_frames(2);
    call.camera->direction = SFU_INACTIVE;
    CHECK_INT(rig_negotiate(call.publisher), 0);
    nack(first);
    CHECK_INT(rig_rtp_count(call.viewer), 3);
    CHECK_INT(counters()->nacks_unanswered, 1);
    rig_close();
}

/* Only eight sources are remembered; the ninth one's packets must not be taken for the first's. */
static void a_source_of_eight_switches_ago_does_not_answer(void) {
    begin();
    uint16_t first = send_frames(0);
    for (uint16_t i = 0; i < 8; i++) {
        bool other = i % 2 == 0;
        rig_carry(call.viewer, call.slot, other ? call.second->track : call.camera->track);
        rig_keyframe(call.publisher, other ? call.second->ssrcs[0] : camera_ssrc(), 20 + i, 2);
    }
    nack(first);
    CHECK_INT(counters()->nacks_unanswered, 1);
    nack((uint16_t)(first + 1));
    CHECK_INT(counters()->nacks_unanswered, 1);
    CHECK_STR(numbers(), "10 20 21 22 23 24 25 26 27 20");
    rig_close();
}

/* Sound is due before a third try. */
static void lost_sound_is_sent_twice_at_once(void) {
    prepare();
    struct sfu_media *microphone = rig_add(call.publisher, false, SFU_PUBLISHES);
    struct sfu_media *audio = rig_add(call.viewer, false, SFU_SLOT);
    audio->nack = true;
    connect_both();
    rig_carry(call.viewer, audio, microphone->track);
    rig_audio(call.publisher, microphone->ssrcs[0], 7);
    rig_nack(call.viewer, audio->slot_ssrc, &rig_rtp_at(call.viewer, 0)->rtp.seq, 1);
    const struct rig_sent *original = rig_rtp_at(call.viewer, 0);
    for (size_t i = 1; i < 3; i++) { /* In place: there is no RTX for sound. */
        const struct rig_sent *again = rig_sent_at(call.viewer, RTP_DATAGRAM_RTP, i);
        CHECK(again != NULL);
        CHECK_BYTES(again->wire, again->wire_len, original->wire, original->wire_len);
    }
    CHECK_INT(rig_rtp_count(call.viewer), 3);
    rig_close();
}

/* The same number under the same keys: AES-GCM bears no second plaintext or header (RFC 7714). */
static void check_repeated_bit_for_bit(uint16_t seq, size_t original) {
    size_t count = rig_rtp_count(call.viewer);
    nack(seq);
    rig.now_us += 200 * MS;
    nack(seq); /* This time two are sent. */
    const struct rig_sent *before = rig_rtp_at(call.viewer, original);
    for (size_t i = count; i < count + 3; i++) {
        const struct rig_sent *again = rig_sent_at(call.viewer, RTP_DATAGRAM_RTP, i);
        CHECK(again != NULL);
        CHECK_BYTES(again->wire, again->wire_len, before->wire, before->wire_len);
    }
    CHECK_INT(rig_rtp_count(call.viewer), count + 3);
}

static void without_rtx_the_repetition_is_the_same_bits(void) {
    prepare();
    call.slot->codecs[0].rtx_payload_type = 0;
    connect_both();
    uint16_t first = send_frames(3);
    CHECK_INT(extension_ids(rig_rtp_at(call.viewer, 1)), 0);
    check_repeated_bit_for_bit((uint16_t)(first + 1), 1);
    rig_close();
}

/* VP8 with RTX stands first, H.264 has none. */
static void a_second_codec_without_rtx_is_repeated_in_the_same_bits(void) {
    static const uint8_t h264[] = {0x78, 0, 4, 0x67, 0x42, 0xe0, 0x1f, 0, 2, 0x65, 0x88};
    prepare();
    call.camera->codec_count = call.slot->codec_count = 2;
    call.camera->codecs[1] = (struct sfu_codec){RTP_CODEC_H264, 98, 0, 0x42e01f};
    call.slot->codecs[1] = (struct sfu_codec){RTP_CODEC_H264, 98, 0, 0x42e01f};
    connect_both();
    rig_send(call.publisher, &(struct rig_rtp){.ssrc = camera_ssrc(),
                                               .payload_type = 98,
                                               .seq = 10,
                                               .payload = h264,
                                               .len = sizeof(h264)});
    check_repeated_bit_for_bit(rig_rtp_at(call.viewer, 0)->rtp.seq, 0);
    rig_close();
}

static void what_was_sent_under_another_agreement_is_not_repeated(void) {
    prepare();
    call.slot->codecs[0].rtx_payload_type = 0;
    connect_both();
    uint16_t first = send_frames(3);
    call.slot->codecs[0].payload_type = 120;
    CHECK_INT(rig_negotiate(call.viewer), 0);
    nack(first);
    CHECK_INT(rig_rtp_count(call.viewer), 4);
    CHECK_INT(counters()->nacks_unanswered, 1);
    rig_close();
}

static void a_slot_without_nack_repeats_nothing(void) {
    prepare();
    call.slot->nack = false;
    connect_both();
    uint16_t first = send_frames(1);
    nack(first);
    CHECK_INT(rig_rtp_count(call.viewer), 2);
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
    {"paused_sends_nothing_and_resumes_at_a_keyframe_that_it_asks_for",
     paused_sends_nothing_and_resumes_at_a_keyframe_that_it_asks_for},
    {"nothing_is_sent_without_consent", nothing_is_sent_without_consent},
    {"the_highest_layer_that_flows_and_fits_is_chosen",
     the_highest_layer_that_flows_and_fits_is_chosen},
    {"a_layer_that_stops_gives_way_to_one_that_flows",
     a_layer_that_stops_gives_way_to_one_that_flows},
    {"another_layer_begins_at_its_keyframe_and_the_old_flows_until_then",
     another_layer_begins_at_its_keyframe_and_the_old_flows_until_then},
    {"the_target_layers_keyframe_is_asked_for", the_target_layers_keyframe_is_asked_for},
    {"a_nack_is_answered_by_rtx", a_nack_is_answered_by_rtx},
    {"a_number_that_was_never_sent_is_not_answered", a_number_that_was_never_sent_is_not_answered},
    {"a_repetition_within_three_quarters_of_a_round_trip_is_ignored",
     a_repetition_within_three_quarters_of_a_round_trip_is_ignored},
    {"what_was_lost_twice_is_sent_twice", what_was_lost_twice_is_sent_twice},
    {"a_packet_is_repeated_at_most_ten_times", a_packet_is_repeated_at_most_ten_times},
    {"an_earlier_source_still_answers_after_a_switch",
     an_earlier_source_still_answers_after_a_switch},
    {"a_source_that_is_gone_does_not_answer", a_source_that_is_gone_does_not_answer},
    {"a_source_of_eight_switches_ago_does_not_answer",
     a_source_of_eight_switches_ago_does_not_answer},
    {"lost_sound_is_sent_twice_at_once", lost_sound_is_sent_twice_at_once},
    {"without_rtx_the_repetition_is_the_same_bits", without_rtx_the_repetition_is_the_same_bits},
    {"a_second_codec_without_rtx_is_repeated_in_the_same_bits",
     a_second_codec_without_rtx_is_repeated_in_the_same_bits},
    {"what_was_sent_under_another_agreement_is_not_repeated",
     what_was_sent_under_another_agreement_is_not_repeated},
    {"a_slot_without_nack_repeats_nothing", a_slot_without_nack_repeats_nothing},
};

TEST_MAIN(tests)
