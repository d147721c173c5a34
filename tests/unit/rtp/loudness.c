/* Who dominates and who is among the loudest, for voices as RFC 6464 tells them. */
#include "rtp/loudness.h"

#include "bench/random.h"
#include "tests/unit/test.h"

enum { MS = 1000, SECOND = 1000 * MS, PACKET_US = 20 * MS, SPEAKERS = 100, PLACES = 3 };

static struct rtp_loudness loudness;
static struct rtp_loudness_speaker speakers[SPEAKERS];
static uint64_t now_us;
static unsigned dominant_changes, loudest_changes;
static struct bench_random random_source = {.state = 7};

static void begin(size_t count) {
    rtp_loudness_init(&loudness, PLACES);
    for (size_t i = 0; i < count; i++)
        rtp_loudness_add(&loudness, &speakers[i], i);
    now_us = 10 * SECOND;
    dominant_changes = loudest_changes = 0;
}

static void note(unsigned changed) {
    dominant_changes += (changed & RTP_LOUDNESS_CHANGED_DOMINANT) != 0;
    loudest_changes += (changed & RTP_LOUDNESS_CHANGED_LOUDEST) != 0;
}

static void say(size_t who, uint8_t level) {
    note(rtp_loudness_on_level(&loudness, &speakers[who], now_us, level, 1));
}

static void tick(void) {
    now_us += PACKET_US;
    if (rtp_loudness_next_deadline(&loudness) <= now_us)
        note(rtp_loudness_on_deadline(&loudness, now_us));
}

/* A voice around −20 dBov, with a pause of 100 ms after each 600 ms. */
static uint8_t voice(unsigned packet) {
    if (packet % 35 >= 30)
        return 60;
    return (uint8_t)(15 + bench_random_next(&random_source) % 11);
}

static void talk(size_t who, uint64_t length_us) {
    for (unsigned packet = 0; packet < length_us / PACKET_US; packet++) {
        say(who, voice(packet));
        tick();
    }
}

static void pass(uint64_t length_us) {
    for (uint64_t end_us = now_us + length_us; now_us < end_us;)
        tick();
}

static bool is_loudest(size_t who) {
    for (size_t i = 0; i < loudness.loudest_count; i++)
        if (loudness.loudest[i] == &speakers[who])
            return speakers[who].is_loudest;
    CHECK(!speakers[who].is_loudest);
    return false;
}

static void nobody_speaks_and_nothing_is_due(void) {
    begin(3);
    CHECK_INT(rtp_loudness_next_deadline(&loudness), (int64_t)UINT64_MAX);
    for (int i = 0; i < 500; i++) {
        say(0, RTP_LOUDNESS_SILENCE);
        say(1, 70);
        now_us += PACKET_US;
    }
    CHECK_INT(rtp_loudness_next_deadline(&loudness), (int64_t)UINT64_MAX);
    CHECK(loudness.dominant == NULL);
    CHECK_INT(loudness.loudest_count, 0);
}

static void a_speaker_dominates_within_half_a_second_and_a_decision(void) {
    begin(3);
    talk(1, 800 * MS);
    CHECK(loudness.dominant == &speakers[1]);
    pass(5 * SECOND);
    /* And stays it when silent, with nothing more to decide. */
    CHECK(loudness.dominant == &speakers[1]);
    CHECK_INT(dominant_changes, 1);
    CHECK_INT(rtp_loudness_next_deadline(&loudness), (int64_t)UINT64_MAX);
}

static void two_who_take_turns_dominate_in_turn(void) {
    begin(2);
    for (unsigned turn = 0; turn < 10; turn++) {
        talk(turn % 2, 3 * SECOND);
        CHECK(loudness.dominant == &speakers[turn % 2]);
        CHECK_INT(dominant_changes, turn + 1);
    }
}

static void a_cough_does_not_dominate(void) {
    begin(2);
    talk(0, 5 * SECOND);
    pass(2 * SECOND);
    for (unsigned packet = 0; packet < 15; packet++) {
        say(1, 5);
        tick();
    }
    pass(2 * SECOND);
    CHECK(loudness.dominant == &speakers[0]);
    /* Nor while somebody speaks. */
    for (unsigned packet = 0; packet < 300; packet++) {
        say(0, voice(packet));
        if (packet % 100 < 15)
            say(1, 5);
        tick();
    }
    CHECK(loudness.dominant == &speakers[0]);
    CHECK_INT(dominant_changes, 1);
}

static void crosstalk_does_not_dominate(void) {
    begin(2);
    for (unsigned packet = 0; packet < 1500; packet++) {
        uint8_t level = voice(packet);
        say(0, level);
        say(1, (uint8_t)(level + 15)); /* The same voice through another's loudspeaker. */
        tick();
    }
    CHECK(loudness.dominant == &speakers[0]);
    CHECK_INT(dominant_changes, 1);
}

static void noise_is_learned_and_then_ignored(void) {
    begin(2);
    for (unsigned packet = 0; packet < 500; packet++) {
        say(0, (uint8_t)(36 + packet % 3)); /* A fan. */
        tick();
    }
    CHECK_INT(speakers[0].actives, 0);
    for (unsigned packet = 0; packet < 40; packet++) {
        say(0, (uint8_t)(36 + packet % 3));
        say(1, voice(packet));
        tick();
    }
    CHECK(loudness.dominant == &speakers[1]);
    /* Over the fan the same speaker is heard. */
    pass(3 * SECOND);
    talk(0, 2 * SECOND);
    CHECK(loudness.dominant == &speakers[0]);
}

/* With DTX only what is said is told. */
static void words_between_silences_are_no_noise(void) {
    begin(5);
    for (int word = 0; word < 20; word++) {
        for (size_t who = 1; who < 4; who++) {
            talk(who, 1 * SECOND);
            pass(2 * SECOND);
        }
        CHECK(!is_loudest(0));
        for (int packet = 0; packet < 50; packet++) {
            say(0, 30);
            tick();
        }
        CHECK(is_loudest(0));
    }
}

static void an_onset_gets_an_empty_place_with_its_first_packet(void) {
    begin(5);
    for (size_t i = 0; i < PLACES; i++) {
        say(i, 20);
        CHECK(is_loudest(i));
    }
    CHECK_INT(loudest_changes, PLACES);
}

static void an_onset_gets_a_silent_ones_place_within_two_packets(void) {
    begin(5);
    for (size_t i = 0; i < PLACES; i++)
        talk(i, SECOND);
    pass(SECOND / 2);
    say(4, 20);
    CHECK(!is_loudest(4));
    tick();
    say(4, 20);
    CHECK(is_loudest(4));
    /* The one that has been silent for the longest has lost its own. */
    CHECK(!is_loudest(0));
    CHECK(is_loudest(1) && is_loudest(2));
}

static void a_place_is_kept_from_those_who_are_as_loud(void) {
    begin(6);
    for (unsigned packet = 0; packet < 3000; packet++) {
        for (size_t i = 0; i < 6; i++)
            say(i, voice(packet + (unsigned)i * 7));
        tick();
    }
    for (size_t i = 0; i < PLACES; i++)
        CHECK(is_loudest(i));
    CHECK_INT(loudest_changes, PLACES);
}

static void whoever_is_clearly_quieter_loses_the_place(void) {
    begin(4);
    for (unsigned packet = 0; packet < 50; packet++) {
        say(0, 38);
        say(1, 20);
        say(2, 20);
        if (packet >= 25)
            say(3, 22);
        tick();
    }
    CHECK(!is_loudest(0));
    CHECK(is_loudest(1) && is_loudest(2) && is_loudest(3));
}

static void summaries_do_as_well_as_packets(void) {
    begin(2);
    for (unsigned turn = 0; turn < 6; turn++)
        for (unsigned summary = 0; summary < 20; summary++) {
            now_us += 100 * MS;
            uint8_t level = summary % 7 == 6 ? 60 : 20;
            note(rtp_loudness_on_level(&loudness, &speakers[turn % 2], now_us, level, 5));
            note(rtp_loudness_on_deadline(&loudness, now_us));
            if (summary == 19)
                CHECK(loudness.dominant == &speakers[turn % 2]);
        }
    CHECK_INT(dominant_changes, 6);
    CHECK(is_loudest(0) && is_loudest(1));
}

static void jitter_is_not_silence(void) {
    begin(1);
    for (unsigned packet = 0; packet < 60; packet++) {
        /* Four at a time, each 80 ms. */
        say(0, 20);
        if (packet % 4 == 3)
            now_us += 4 * PACKET_US;
        note(rtp_loudness_on_deadline(&loudness, now_us));
    }
    CHECK(loudness.dominant == &speakers[0]);
}

static void a_hundred_who_speak_one_after_the_other_are_all_found(void) {
    begin(SPEAKERS);
    for (size_t i = 0; i < SPEAKERS; i++) {
        for (unsigned packet = 0; packet < 75; packet++) {
            for (size_t other = 0; other < SPEAKERS; other++)
                say(other, other == i ? voice(packet) : RTP_LOUDNESS_SILENCE);
            if (packet == 1)
                CHECK(is_loudest(i));
            tick();
        }
        CHECK(loudness.dominant == &speakers[i]);
    }
    CHECK_INT(dominant_changes, SPEAKERS);
    CHECK_INT(loudest_changes, SPEAKERS);
}

static void whoever_leaves_leaves_its_places(void) {
    begin(4);
    talk(0, 2 * SECOND);
    say(1, 20);
    CHECK_INT(rtp_loudness_remove(&loudness, &speakers[3]), 0);
    CHECK_INT(rtp_loudness_remove(&loudness, &speakers[0]),
              RTP_LOUDNESS_CHANGED_LOUDEST | RTP_LOUDNESS_CHANGED_DOMINANT);
    CHECK(loudness.dominant == NULL);
    CHECK_INT(loudness.loudest_count, 1);
    CHECK(is_loudest(1));
    talk(2, 2 * SECOND);
    CHECK(loudness.dominant == &speakers[2]);
}

static void levels_rise_at_once_and_fall_slowly(void) {
    begin(1);
    CHECK_INT(rtp_loudness_level_db(&speakers[0], now_us), -127);
    say(0, 20);
    CHECK_INT(rtp_loudness_level_db(&speakers[0], now_us), -20);
    CHECK_INT(rtp_loudness_level_db(&speakers[0], now_us + 500 * MS), -40);
    CHECK_INT(rtp_loudness_level_db(&speakers[0], now_us + 60 * SECOND), -127);
}

static void levels_that_cannot_be_are_ignored(void) {
    begin(1);
    say(0, 128);
    say(0, 255);
    CHECK_INT(rtp_loudness_on_level(&loudness, &speakers[0], now_us, 10, 0), 0);
    CHECK_INT(loudness.loudest_count, 0);
    CHECK_INT(rtp_loudness_on_level(&loudness, &speakers[0], 5, 10, UINT32_MAX),
              RTP_LOUDNESS_CHANGED_LOUDEST);
}

static const struct test tests[] = {
    {"nobody_speaks_and_nothing_is_due", nobody_speaks_and_nothing_is_due},
    {"a_speaker_dominates_within_half_a_second_and_a_decision",
     a_speaker_dominates_within_half_a_second_and_a_decision},
    {"two_who_take_turns_dominate_in_turn", two_who_take_turns_dominate_in_turn},
    {"a_cough_does_not_dominate", a_cough_does_not_dominate},
    {"crosstalk_does_not_dominate", crosstalk_does_not_dominate},
    {"noise_is_learned_and_then_ignored", noise_is_learned_and_then_ignored},
    {"words_between_silences_are_no_noise", words_between_silences_are_no_noise},
    {"an_onset_gets_an_empty_place_with_its_first_packet",
     an_onset_gets_an_empty_place_with_its_first_packet},
    {"an_onset_gets_a_silent_ones_place_within_two_packets",
     an_onset_gets_a_silent_ones_place_within_two_packets},
    {"a_place_is_kept_from_those_who_are_as_loud", a_place_is_kept_from_those_who_are_as_loud},
    {"whoever_is_clearly_quieter_loses_the_place", whoever_is_clearly_quieter_loses_the_place},
    {"summaries_do_as_well_as_packets", summaries_do_as_well_as_packets},
    {"jitter_is_not_silence", jitter_is_not_silence},
    {"a_hundred_who_speak_one_after_the_other_are_all_found",
     a_hundred_who_speak_one_after_the_other_are_all_found},
    {"whoever_leaves_leaves_its_places", whoever_leaves_leaves_its_places},
    {"levels_rise_at_once_and_fall_slowly", levels_rise_at_once_and_fall_slowly},
    {"levels_that_cannot_be_are_ignored", levels_that_cannot_be_are_ignored},
};

TEST_MAIN(tests)
