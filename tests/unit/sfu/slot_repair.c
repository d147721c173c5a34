/* What a slot sends again. */
#include "tests/unit/sfu/slot_call.h"

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

static void hold_back(bool paused) {
    sfu_slot_set_target(rig_slot(call.viewer, call.slot), rig.now_us,
                        &(struct sfu_target){.paused = paused});
}

/* The queue that it waited for has room for the keyframe alone. */
static void what_was_lost_before_pictures_were_held_back_is_past(void) {
    begin();
    uint16_t first = send_frames(3);
    hold_back(true);
    nack((uint16_t)(first + 1));
    CHECK_INT(counters()->rtp_retransmitted, 0);
    hold_back(false);
    rig_keyframe(call.publisher, camera_ssrc(), 20, 20);
    nack((uint16_t)(first + 2));
    CHECK_INT(counters()->rtp_retransmitted, 0);
    nack(rig_rtp_at(call.viewer, rig_rtp_count(call.viewer) - 1)->rtp.seq);
    CHECK_INT(counters()->rtp_retransmitted, 1);
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

static void an_earlier_source_is_past_when_the_keyframe_must_have_come(void) {
    begin();
    uint16_t first = send_frames(2);
    rig_carry(call.viewer, call.slot, call.second->track);
    rig_keyframe(call.publisher, call.second->ssrcs[0], 500, 1);
    rig.now_us += 500 * MS;
    nack((uint16_t)(first + 2)); /* Of the first camera. */
    nack((uint16_t)(first + 3)); /* Of the second. */
    CHECK_STR(numbers(), "10 11 12 500 500");
    CHECK_INT(counters()->nacks_unanswered, 1);
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
    CHECK_STR(numbers(), "10 20 10 21 20 22 21 23 22 24 23 25 24 26 25 27 20");
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

/* --- Whatever happens --- */

static uint64_t contents[2]
                        [65536]; /* Hashes (FNV-1a) by number, of the slot's stream and its RTX. */
static unsigned dice;

static unsigned throw(unsigned sides) {
    dice = dice * 1103515245 + 12345;
    return (dice >> 16) % sides;
}

static void check_contents(void) {
    for (size_t i = 0; i < rig.sent_count; i++) {
        const struct rig_sent *sent = &rig.sent[i];
        uint32_t ssrc = rtp_get32(sent->wire + 8);
        uint64_t hash = UINT64_C(0xcbf29ce484222325);
        if (sent->to != call.viewer || sent->kind != RTP_DATAGRAM_RTP)
            continue;
        for (size_t k = 0; k < sent->wire_len; k++)
            hash = (hash ^ sent->wire[k]) * UINT64_C(0x100000001b3);
        uint64_t *known = &contents[ssrc != call.slot->slot_ssrc][rtp_get16(sent->wire + 2)];
        CHECK(*known == 0 || *known == hash);
        *known = hash;
    }
    rig_clear();
}

static void publish_something(uint16_t *seq, unsigned frame) {
    bool other = throw(2);
    uint32_t ssrc = other ? call.second->ssrcs[0] : camera_ssrc();
    seq[other] = (uint16_t)(seq[other] + (throw(10) == 0 ? 3 : 1)); /* Some are lost, */
    rig_video(call.publisher, ssrc, seq[other], frame, throw(6) ? RIG_START : RIG_KEY);
    if (throw(10) == 0) /* and some of them come late. */
        rig_video(call.publisher, ssrc, seq[other] - 1, frame, RIG_START);
}

static void change_something(void) {
    struct sfu_codec *codec = &call.slot->codecs[0];
    uint8_t *id = &call.slot->extensions.ids[RTP_EXT_ABS_SEND_TIME];
    switch (throw(5)) {
    case 0:
        codec->rtx_payload_type = codec->rtx_payload_type ? 0 : RIG_RTX_PT;
        break;
    case 1:
        *id = *id == ID_TIME ? 9 : ID_TIME;
        break;
    case 2:
        call.slot->nack = !call.slot->nack;
        break;
    case 3:
        call.slot->direction = SFU_INACTIVE;
        CHECK_INT(rig_negotiate(call.viewer), 0);
        call.slot->direction = SFU_SLOT;
        break;
    default:
        wish((struct sfu_wish){.paused = throw(4) == 0});
    }
    CHECK_INT(rig_negotiate(call.viewer), 0);
    rig_carry(call.viewer, call.slot, throw(2) ? call.camera->track : call.second->track);
}

/* The nonce is made of SSRC and number (RFC 7714 section 8.1): a second plaintext or header under
 * one would give the key of the authentication away. 6,000 numbers do not come round. */
static void no_number_ever_has_two_contents(void) {
    uint16_t seq[2] = {100, 40000};
    begin();
    for (unsigned step = 0; step < 6000; step++) {
        uint16_t newest = rig_slot(call.viewer, call.slot)->rewriter.out_seq;
        publish_something(seq, step);
        if (throw(3) == 0)
            nack((uint16_t)(newest - throw(40)));
        if (throw(60) == 0)
            change_something();
        rig.now_us += 20 * MS;
        if (step % 50 == 0)
            check_contents();
    }
    CHECK(counters()->rtp_retransmitted > 200);
    CHECK(counters()->rtp_forwarded > 1000);
    rig_close();
}

/* A listener who reports the loss of so many of 256 packets of his slot. */
static void report_loss(struct rig_peer *peer, uint32_t ssrc, uint8_t of_256) {
    uint8_t data[64];
    struct rtcp_builder builder;
    struct rtcp_report_block block = {.ssrc = ssrc, .fraction_lost = of_256};
    rtcp_builder_init(&builder, data, sizeof(data));
    CHECK_INT(rtcp_append_rr(&builder, 1, &block, 1), 0);
    rig_send_rtcp(peer, &builder);
}

static void sound_that_gets_lost_is_sent_twice_for_a_while(void) {
    rig_open();
    struct rig_peer *speaker = rig_join(), *listener = rig_join();
    struct sfu_media *microphone = rig_add(speaker, false, SFU_PUBLISHES);
    struct sfu_media *slot = rig_add(listener, false, SFU_SLOT);
    microphone->nack = slot->nack = true;
    rig_connect(speaker);
    rig_connect(listener);
    rig_carry(listener, slot, microphone->track);
    report_loss(listener, slot->slot_ssrc, 5); /* 2 % is not much. */
    rig_audio(speaker, microphone->ssrcs[0], 1);
    CHECK_INT(rig_rtp_count(listener), 1);
    report_loss(listener, slot->slot_ssrc, 6);
    rig_audio(speaker, microphone->ssrcs[0], 2);
    CHECK_INT(rig_rtp_count(listener), 3);
    const struct rig_sent *one = rig_sent_at(listener, RTP_DATAGRAM_RTP, 1);
    const struct rig_sent *other = rig_sent_at(listener, RTP_DATAGRAM_RTP, 2);
    CHECK_BYTES(one->wire, one->wire_len, other->wire, other->wire_len);
    rig.now_us += SFU_DOUBLED_US;
    rig_audio(speaker, microphone->ssrcs[0], 3);
    CHECK_INT(rig_rtp_count(listener), 4);
    rig_close();
}

/* Both cameras number their packets alike, so only the generation tells their packets apart. */
static void a_source_of_256_switches_ago_is_not_taken_for_todays(void) {
    begin();
    rig_keyframe(call.publisher, call.camera->ssrcs[0], 10, 1);
    uint16_t first = rig_rtp_at(call.viewer, 0)->rtp.seq;
    for (unsigned i = 1; i <= 255; i++) {
        const struct sfu_media *camera = i % 2 ? call.second : call.camera;
        rig_carry(call.viewer, call.slot, camera->track);
        rig_keyframe(call.publisher, camera->ssrcs[0], (uint16_t)(10 + i / 2), 1);
    }
    size_t count = rig_rtp_count(call.viewer);
    CHECK_INT(count, 2 * 256 - 2); /* Each camera's last keyframe comes out of the cache first. */
    nack(first);
    CHECK_INT(rig_rtp_count(call.viewer), count);
    CHECK_INT(counters()->nacks_unanswered, 1);
    rig_close();
}

static const struct test tests[] = {
    {"a_source_of_256_switches_ago_is_not_taken_for_todays",
     a_source_of_256_switches_ago_is_not_taken_for_todays},
    {"sound_that_gets_lost_is_sent_twice_for_a_while",
     sound_that_gets_lost_is_sent_twice_for_a_while},
    {"a_nack_is_answered_by_rtx", a_nack_is_answered_by_rtx},
    {"a_number_that_was_never_sent_is_not_answered", a_number_that_was_never_sent_is_not_answered},
    {"a_repetition_within_three_quarters_of_a_round_trip_is_ignored",
     a_repetition_within_three_quarters_of_a_round_trip_is_ignored},
    {"what_was_lost_twice_is_sent_twice", what_was_lost_twice_is_sent_twice},
    {"what_was_lost_before_pictures_were_held_back_is_past",
     what_was_lost_before_pictures_were_held_back_is_past},
    {"a_packet_is_repeated_at_most_ten_times", a_packet_is_repeated_at_most_ten_times},
    {"an_earlier_source_still_answers_after_a_switch",
     an_earlier_source_still_answers_after_a_switch},
    {"an_earlier_source_is_past_when_the_keyframe_must_have_come",
     an_earlier_source_is_past_when_the_keyframe_must_have_come},
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
    {"no_number_ever_has_two_contents", no_number_ever_has_two_contents},
};

TEST_MAIN(tests)
