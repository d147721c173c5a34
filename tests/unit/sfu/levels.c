/* How loud microphones are, from their packets to the summaries that leave the worker. */
#include "sfu/levels.h"

#include "tests/unit/sfu/fixture_media.h"

static struct sfu_level told[SFU_LEVELS_MAX * 2];
static size_t told_count, summaries;

static void on_levels(void *ctx, const struct sfu_level *levels, size_t count) {
    (void)ctx;
    CHECK(count > 0);
    memcpy(told + told_count, levels, count * sizeof(*levels));
    told_count += count;
    summaries++;
}

static struct rig_peer *speaker;
static struct sfu_media *microphone;

static void begin(void) {
    rig_open();
    rig.engines[0]->config.on_levels = on_levels;
    speaker = rig_join();
    microphone = rig_add(speaker, false, SFU_PUBLISHES);
    rig_connect(speaker);
}

static void say(struct sfu_media *media, uint16_t seq, uint8_t level) {
    uint8_t payload[RIG_PAYLOAD_LEN] = {0x78};
    struct rtp_extensions extensions = {.present = 1u << RTP_EXT_AUDIO_LEVEL, .audio_level = level};
    rig_send(speaker, &(struct rig_rtp){.ssrc = media->ssrcs[0],
                                        .payload_type = RIG_OPUS_PT,
                                        .seq = seq,
                                        .timestamp = seq * UINT32_C(960),
                                        .others = &extensions,
                                        .payload = payload,
                                        .len = sizeof(payload)});
}

static void speak(uint16_t first, size_t packets, uint8_t level) {
    for (size_t i = 0; i < packets; i++) {
        say(microphone, (uint16_t)(first + i), level);
        rig_run(20 * MS);
    }
}

static void an_onset_is_told_with_its_first_two_packets(void) {
    begin();
    say(microphone, 1, 30);
    CHECK_INT(summaries, 1);
    say(microphone, 2, 30);
    CHECK_INT(summaries, 2);
    say(microphone, 3, 30);
    CHECK_INT(summaries, 2);
    CHECK_INT(told[0].participant, speaker->number);
    CHECK_INT(told[0].track, microphone->track);
    CHECK_INT(told[0].levels[0], 30);
    CHECK_INT(told[0].packets, 1);
    rig_close();
}

static void speech_is_told_every_100_ms(void) {
    begin();
    speak(1, 1, 30);
    speak(2, 4, 40);
    speak(6, 1, 20);
    speak(7, 1, 75);
    speak(8, 44, 40);
    CHECK_INT(summaries, 2 + 9); /* The first two packets, then five each, the last later. */
    CHECK_INT(told[1].packets, 1);
    CHECK_INT(told[2].packets, 5);
    CHECK_BYTES(told[2].levels, 5, ((uint8_t[]){40, 40, 40, 20, 75}), 5);
    rig_close();
}

static void silence_tells_nothing(void) {
    begin();
    speak(1, 50, SFU_LEVEL_AUDIBLE + 1);
    CHECK_INT(summaries, 0);
    speak(51, 5, 30);
    size_t before = summaries;
    speak(56, 50, 127);
    CHECK(summaries <= before + 1);
    CHECK(rig.engines[0]->levels.at_us == UINT64_MAX);
    rig_close();
}

static void a_pause_between_words_is_no_new_onset(void) {
    begin();
    speak(1, 2, 30);
    speak(3, 10, 127);
    say(microphone, 13, 30);
    CHECK_INT(summaries, 2);
    rig_run(400 * MS);
    CHECK_INT(summaries, 3);
    say(microphone, 14, 30);
    CHECK_INT(summaries, 4);
    rig_close();
}

static void only_microphones_are_told(void) {
    begin();
    microphone->source = SFU_SOURCE_SCREEN_AUDIO;
    rig_negotiate(speaker);
    speak(1, 10, 20);
    CHECK_INT(summaries, 0);
    rig_close();
}

static void more_speakers_than_a_summary_holds_are_told_early(void) {
    struct sfu_levels levels;
    struct sfu_level_meter meters[SFU_LEVELS_MAX + 1] = {{0}};
    sfu_levels_init(&levels);
    for (size_t i = 0; i < SFU_LEVELS_MAX - 1; i++) /* Loud, but no onset. */
        sfu_levels_on_packet(&levels, &meters[i], 1 * S, i, i, 60);
    CHECK_INT(levels.at_us, 1 * S + SFU_LEVELS_INTERVAL_US);
    for (size_t i = SFU_LEVELS_MAX - 1; i < SFU_LEVELS_MAX + 1; i++)
        sfu_levels_on_packet(&levels, &meters[i], 1 * S, i, i, 60);
    CHECK_INT(levels.at_us, 1 * S);
    CHECK_INT(levels.count, SFU_LEVELS_MAX);
    sfu_levels_clear(&levels);
    sfu_levels_on_packet(&levels, &meters[SFU_LEVELS_MAX], 1 * S, 9, 9, 60);
    CHECK_INT(levels.count, 1);
    CHECK_INT(levels.entries[0].participant, 9);
}

static const struct test tests[] = {
    {"an_onset_is_told_with_its_first_two_packets", an_onset_is_told_with_its_first_two_packets},
    {"speech_is_told_every_100_ms", speech_is_told_every_100_ms},
    {"silence_tells_nothing", silence_tells_nothing},
    {"a_pause_between_words_is_no_new_onset", a_pause_between_words_is_no_new_onset},
    {"only_microphones_are_told", only_microphones_are_told},
    {"more_speakers_than_a_summary_holds_are_told_early",
     more_speakers_than_a_summary_holds_are_told_early},
};

TEST_MAIN(tests)
