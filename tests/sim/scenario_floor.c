/* Who is heard and seen where there are more people than slots. */
#include "tests/sim/scenario.h"

#include "bench/random.h"

enum { PEOPLE = 12, HEARD = 3, SEEN = 2, TURNS = 20 };

static struct world_profile member(void) {
    return (struct world_profile){.microphone = true,
                                  .camera = true,
                                  .dtx = true,
                                  .video_bps = 200000,
                                  .audio_slots = HEARD,
                                  .video_slots = SEEN,
                                  .up = scenario_good,
                                  .down = scenario_good};
}

static struct world *twelve_in_silence(void) {
    struct world *world = world_create(&(struct world_config){.seed = world_seed(1), .workers = 2});
    struct world_profile profile = member();
    for (size_t i = 0; i < PEOPLE; i++)
        bench_client_speak(world_join(world, &profile)->client, false, 127);
    world_run(world, 5 * S);
    return world;
}

static uint64_t frames_said(const struct world_person *speaker) {
    return bench_client_source(speaker->client, 0)->frame;
}

static uint64_t heard(const struct world_person *listener, bool bytes) {
    uint64_t sum = 0;
    for (size_t k = 0; k < HEARD; k++) {
        const struct bench_sink *sink = world_sink(listener, false, k);
        sum += bytes ? sink->bytes : sink->playout.played;
    }
    return sum;
}

static bool sees(const struct world_person *viewer, const struct world_person *speaker) {
    for (size_t k = 0; k < SEEN; k++) {
        const struct bench_sink *sink = world_sink(viewer, true, k);
        if (sink->source >> 8 == speaker->number &&
            sink->last_frame_us + 200 * MS > viewer->world->now_us)
            return true;
    }
    return false;
}

/* A word of a second, out of the silence: every 20 ms of it are played, from the first. */
static void the_first_syllable_is_heard_by_everybody(void) {
    struct world *world = twelve_in_silence();
    struct bench_random random = {world_seed(1)};
    for (size_t turn = 0; turn < TURNS; turn++) {
        struct world_person *speaker = &world->people[bench_random_next(&random) % PEOPLE];
        uint64_t played[PEOPLE], said = frames_said(speaker);
        for (size_t i = 0; i < PEOPLE; i++)
            played[i] = heard(&world->people[i], false);
        bench_client_speak(speaker->client, true, 30);
        world_run(world, 1 * S);
        bench_client_speak(speaker->client, false, 127);
        world_run(world, 2 * S + bench_random_next(&random) % S);
        said = frames_said(speaker) - said;
        CHECK_AT_LEAST(said, 49);
        for (size_t i = 0; i < PEOPLE; i++)
            if (&world->people[i] != speaker)
                CHECK_AT_LEAST(heard(&world->people[i], false) - played[i], said);
    }
    world_destroy(world);
}

/* Three talk without end; of the rest one after the other takes the floor. */
static void the_dominant_speakers_camera_is_shown(void) {
    struct world *world = twelve_in_silence();
    for (size_t i = 0; i < 2; i++)
        bench_client_speak(world->people[i].client, true, 48);
    world_run(world, 5 * S);
    for (size_t turn = 2; turn < PEOPLE; turn++) {
        struct world_person *speaker = &world->people[turn];
        bench_client_speak(speaker->client, true, 25);
        world_run(world, 3 * S);
        for (size_t i = 0; i < PEOPLE; i++)
            if (&world->people[i] != speaker)
                CHECK(sees(&world->people[i], speaker));
        bench_client_speak(speaker->client, false, 127);
        world_run(world, 1 * S);
    }
    world_destroy(world);
}

/* With DTX a silent microphone sends 2.5 small packets a second. */
static void silence_costs_next_to_nothing(void) {
    struct world *world = twelve_in_silence();
    uint64_t before = heard(&world->people[0], true);
    world_run(world, 20 * S);
    CHECK_AT_MOST((heard(&world->people[0], true) - before) * 8 / 20, HEARD * 32000 / 20);
    world_destroy(world);
}

static const struct test tests[] = {
    {"the_first_syllable_is_heard_by_everybody", the_first_syllable_is_heard_by_everybody},
    {"the_dominant_speakers_camera_is_shown", the_dominant_speakers_camera_is_shown},
    {"silence_costs_next_to_nothing", silence_costs_next_to_nothing},
};

TEST_MAIN(tests)
