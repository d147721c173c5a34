/* Sound through a slot: RED made, passed and stripped, and the first syllable of a voice. */
#include "rtp/red.h"
#include "sfu/room.h"
#include "tests/unit/sfu/fixture_media.h"

enum { RED_PT = 63, LOST_2 = 6, LOST_10 = 27, LOST_20 = 52 };

static struct rig_peer *speaker, *listener;
static struct sfu_media *microphone, *slot;

static void add_red(struct sfu_media *media) {
    media->codecs[media->codec_count++] = (struct sfu_codec){RTP_CODEC_RED, RED_PT, 0, 0};
}

static void begin_call(bool sends_red, bool takes_red) {
    rig_open();
    speaker = rig_join();
    microphone = rig_add(speaker, false, SFU_PUBLISHES);
    listener = rig_join();
    slot = rig_add(listener, false, SFU_SLOT);
    if (sends_red)
        add_red(microphone);
    if (takes_red)
        add_red(slot);
    rig_connect(speaker);
    rig_connect(listener);
    rig_carry(listener, slot, microphone->track);
}

static void lose(uint8_t fraction) {
    struct rtcp_report_block block = {.ssrc = slot->slot_ssrc, .fraction_lost = fraction};
    sfu_slot_on_report(rig_slot(listener, slot), rig.now_us, &block);
}

/* 20 ms of Opus whose bytes are the packet's number. */
static size_t opus(uint16_t seq, uint8_t *out) {
    out[0] = 0x78;
    rtp_put16(out + 1, seq);
    return 3;
}

static void send_opus(uint16_t seq) {
    uint8_t payload[3];
    rig_send(speaker, &(struct rig_rtp){.ssrc = microphone->ssrcs[0],
                                        .payload_type = RIG_OPUS_PT,
                                        .seq = seq,
                                        .timestamp = seq * UINT32_C(960),
                                        .payload = payload,
                                        .len = opus(seq, payload)});
}

/* With the two packets before it. */
static void send_red(uint16_t seq) {
    uint8_t frames[3][3], payload[64];
    struct rtp_red_frame red[3];
    for (uint16_t i = 0; i < 3; i++)
        red[i] = (struct rtp_red_frame){.timestamp = (seq + i - 2) * UINT32_C(960),
                                        .data = frames[i],
                                        .len = opus((uint16_t)(seq + i - 2), frames[i])};
    int len = rtp_red_write(RIG_OPUS_PT, red, 2, &red[2], payload, sizeof(payload));
    CHECK(len > 0);
    rig_send(speaker, &(struct rig_rtp){.ssrc = microphone->ssrcs[0],
                                        .payload_type = RED_PT,
                                        .seq = seq,
                                        .timestamp = seq * UINT32_C(960),
                                        .payload = payload,
                                        .len = (size_t)len});
}

/* "o5" Opus, "r3.4.5" RED: what the n-th packet that the listener got holds. */
static const char *heard(size_t n) {
    static char text[64];
    const struct rig_sent *sent = rig_rtp_at(listener, n);
    const uint8_t *payload = sent->data + sent->rtp.payload_offset;
    if (sent->rtp.payload_type == RIG_OPUS_PT) {
        snprintf(text, sizeof(text), "o%u", rtp_get16(payload + 1));
        return text;
    }
    CHECK_INT(sent->rtp.payload_type, RED_PT);
    struct rtp_red_block blocks[RTP_RED_BLOCKS_MAX];
    int count = rtp_red_blocks(payload, sent->rtp.payload_len, blocks);
    for (int i = 0, at = 0; i < count; i++) {
        CHECK_INT(blocks[i].payload_type, RIG_OPUS_PT);
        CHECK_INT(blocks[i].timestamp_offset, 960 * (count - 1 - i));
        at += snprintf(text + at, sizeof(text) - (size_t)at, "%s%u", i ? "." : "r",
                       rtp_get16(payload + blocks[i].offset + 1));
    }
    return text;
}

static void who_loses_sound_and_takes_red_gets_it(void) {
    begin_call(false, true);
    send_opus(1);
    CHECK_STR(heard(0), "o1");
    lose(LOST_2);
    send_opus(2);
    CHECK_STR(heard(1), "r1.2");
    CHECK_INT(rig_rtp_count(listener), 2); /* Not doubled on top. */
    rig.now_us += SFU_DOUBLED_US;
    send_opus(3);
    CHECK_STR(heard(2), "o3");
    rig_close();
}

static void the_more_is_lost_the_more_is_repeated(void) {
    begin_call(false, true);
    for (uint16_t i = 1; i < 5; i++)
        send_opus(i);
    lose(LOST_10);
    send_opus(5);
    CHECK_STR(heard(4), "r3.4.5");
    lose(LOST_20);
    send_opus(6);
    CHECK_STR(heard(5), "r3.4.5.6");
    lose(LOST_2); /* Less seems lost because of it. */
    send_opus(7);
    CHECK_STR(heard(6), "r4.5.6.7");
    rig_close();
}

static void nothing_of_before_the_source_is_repeated(void) {
    begin_call(false, true);
    send_opus(1);
    rig_carry(listener, slot, 0);
    send_opus(2);
    rig_carry(listener, slot, microphone->track);
    lose(LOST_20);
    send_opus(3);
    CHECK_STR(heard(1), "r3");
    send_opus(4);
    CHECK_STR(heard(2), "r3.4");
    rig_close();
}

static void red_is_passed_to_who_takes_it(void) {
    begin_call(true, true);
    send_red(5);
    CHECK_STR(heard(0), "r3.4.5");
    rig_close();
}

static void red_is_stripped_for_who_does_not(void) {
    begin_call(true, false);
    send_red(5);
    send_red(6);
    CHECK_STR(heard(0), "o5");
    CHECK_STR(heard(1), "o6");
    CHECK_INT(rig_rtp_at(listener, 1)->rtp.timestamp - rig_rtp_at(listener, 0)->rtp.timestamp, 960);
    rig_close();
}

static void what_was_lost_before_it_is_recovered_out_of_it(void) {
    begin_call(true, false);
    send_red(5);
    send_red(8);
    CHECK_INT(rig_rtp_count(listener), 4);
    for (uint16_t i = 0; i < 4; i++) {
        char wanted[8];
        snprintf(wanted, sizeof(wanted), "o%u", 5 + i);
        CHECK_STR(heard(i), wanted);
        CHECK_INT(rig_rtp_at(listener, i)->rtp.seq,
                  (uint16_t)(rig_rtp_at(listener, 0)->rtp.seq + i));
        CHECK_INT(rig_rtp_at(listener, i)->rtp.timestamp,
                  rig_rtp_at(listener, 0)->rtp.timestamp + 960u * i);
    }
    send_red(7); /* It comes after all. */
    CHECK_INT(rig_rtp_count(listener), 4);
    rig_close();
}

/* Of what was sent under a number nothing else may ever be (RFC 7714 section 12.1). */
static void what_red_made_of_a_packet_is_not_sent_again(void) {
    rig_open();
    speaker = rig_join();
    microphone = rig_add(speaker, false, SFU_PUBLISHES);
    listener = rig_join();
    slot = rig_add(listener, false, SFU_SLOT);
    slot->nack = true; /* Without RTX: in place. */
    add_red(slot);
    rig_connect(speaker);
    rig_connect(listener);
    rig_carry(listener, slot, microphone->track);
    send_opus(1);
    lose(LOST_2);
    send_opus(2);
    uint16_t seqs[] = {rig_rtp_at(listener, 0)->rtp.seq, rig_rtp_at(listener, 1)->rtp.seq};
    rig_nack(listener, slot->slot_ssrc, &seqs[1], 1);
    CHECK_INT(rig_rtp_count(listener), 2);
    rig_nack(listener, slot->slot_ssrc, &seqs[0], 1);
    CHECK(rig_rtp_count(listener) > 2);
    CHECK_BYTES(rig_sent_at(listener, RTP_DATAGRAM_RTP, 2)->wire,
                rig_sent_at(listener, RTP_DATAGRAM_RTP, 2)->wire_len,
                rig_sent_at(listener, RTP_DATAGRAM_RTP, 0)->wire,
                rig_sent_at(listener, RTP_DATAGRAM_RTP, 0)->wire_len);
    rig_close();
}

static void opus_and_red_fit_each_other(void) {
    struct sfu_media opus_only = {.codec_count = 1, .codecs = {{RTP_CODEC_OPUS, 111, 0, 0}}};
    struct sfu_media red_first = {
        .codec_count = 2, .codecs = {{RTP_CODEC_RED, 63, 0, 0}, {RTP_CODEC_OPUS, 111, 0, 0}}};
    CHECK(sfu_media_fits(&opus_only, &red_first));
    CHECK(sfu_media_fits(&red_first, &opus_only));
}

/* --- Onset --- */

static void speak(uint16_t seq, uint8_t level) {
    uint8_t payload[3];
    struct rtp_extensions others = {.present = 1u << RTP_EXT_AUDIO_LEVEL, .audio_level = level};
    rig_send(speaker, &(struct rig_rtp){.ssrc = microphone->ssrcs[0],
                                        .payload_type = RIG_OPUS_PT,
                                        .seq = seq,
                                        .timestamp = seq * UINT32_C(960),
                                        .others = &others,
                                        .payload = payload,
                                        .len = opus(seq, payload)});
    rig.now_us += 20 * MS;
}

static void a_voice_is_taken_up_from_its_first_syllable_on(void) {
    begin_call(false, false);
    rig_carry(listener, slot, 0);
    for (uint16_t i = 1; i < 10; i++)
        speak(i, i < 6 ? 90 : 30);
    rig_carry(listener, slot, microphone->track);
    rig_flush();
    CHECK_INT(rig_rtp_count(listener), 4);
    CHECK_STR(heard(0), "o6");
    CHECK_STR(heard(3), "o9");
    speak(10, 30);
    CHECK_STR(heard(4), "o10");
    for (size_t i = 1; i < 5; i++)
        CHECK_INT(rig_rtp_at(listener, i)->rtp.timestamp -
                      rig_rtp_at(listener, i - 1)->rtp.timestamp,
                  960);
    rig_close();
}

static void no_more_than_200_ms_of_it(void) {
    begin_call(false, false);
    rig_carry(listener, slot, 0);
    for (uint16_t i = 1; i < 40; i++)
        speak(i, 30);
    rig_carry(listener, slot, microphone->track);
    rig_flush();
    CHECK_INT(rig_rtp_count(listener), 10);
    rig_close();
}

static void silence_is_not_replayed(void) {
    begin_call(false, false);
    rig_carry(listener, slot, 0);
    for (uint16_t i = 1; i < 10; i++)
        speak(i, 90);
    rig_carry(listener, slot, microphone->track);
    rig_flush();
    CHECK_INT(rig_rtp_count(listener), 0);
    rig_close();
}

static const struct test tests[] = {
    {"who_loses_sound_and_takes_red_gets_it", who_loses_sound_and_takes_red_gets_it},
    {"the_more_is_lost_the_more_is_repeated", the_more_is_lost_the_more_is_repeated},
    {"nothing_of_before_the_source_is_repeated", nothing_of_before_the_source_is_repeated},
    {"red_is_passed_to_who_takes_it", red_is_passed_to_who_takes_it},
    {"red_is_stripped_for_who_does_not", red_is_stripped_for_who_does_not},
    {"what_was_lost_before_it_is_recovered_out_of_it",
     what_was_lost_before_it_is_recovered_out_of_it},
    {"what_red_made_of_a_packet_is_not_sent_again", what_red_made_of_a_packet_is_not_sent_again},
    {"opus_and_red_fit_each_other", opus_and_red_fit_each_other},
    {"a_voice_is_taken_up_from_its_first_syllable_on",
     a_voice_is_taken_up_from_its_first_syllable_on},
    {"no_more_than_200_ms_of_it", no_more_than_200_ms_of_it},
    {"silence_is_not_replayed", silence_is_not_replayed},
};

TEST_MAIN(tests)
