/* Many at once: one bad link among ten, joins in a crowd, twenty who see one another. */
#include "tests/sim/scenario.h"

enum { WATCHERS = 10 };

struct seen {
    uint64_t pictures, bytes;
};

/* What each watcher gets in half a minute, when the first one's link is like that. */
static void watch(const struct bench_link_config *first, struct seen out[WATCHERS]) {
    struct world *world = world_create(&(struct world_config){.seed = world_seed(1)});
    struct world_profile publisher = scenario_publisher();
    world_join(world, &publisher);
    struct world_person *watchers[WATCHERS];
    for (size_t i = 0; i < WATCHERS; i++) {
        struct world_profile profile = scenario_viewer(1, i == 0 ? first : &scenario_good);
        profile.microphone = false;
        watchers[i] = world_join(world, &profile);
    }
    world_run(world, 10 * S);
    for (size_t i = 0; i < WATCHERS; i++) {
        const struct bench_sink *sink = world_sink(watchers[i], true, 0);
        out[i] = (struct seen){sink->frames_complete, sink->bytes};
    }
    world_run(world, 30 * S);
    for (size_t i = 0; i < WATCHERS; i++) {
        const struct bench_sink *sink = world_sink(watchers[i], true, 0);
        out[i].pictures = sink->frames_complete - out[i].pictures;
        out[i].bytes = sink->bytes - out[i].bytes;
    }
    world_destroy(world);
}

static double change(uint64_t was, uint64_t is) {
    double part = (double)is / (double)was;
    return part > 1 ? part - 1 : 1 - part;
}

static void one_bad_subscriber_changes_nothing_for_nine(void) {
    static const struct bench_link_config bad = {.delay_us = 100000,
                                                 .jitter_us = 30000,
                                                 .rate_bps = 300000,
                                                 .queue_us = 300 * MS,
                                                 .loss_ppm = 50000};
    struct seen without[WATCHERS], with[WATCHERS];
    watch(&scenario_good, without);
    watch(&bad, with);
    for (size_t i = 1; i < WATCHERS; i++) {
        CHECK_SHARE_AT_MOST(change(without[i].pictures, with[i].pictures), 0.02);
        CHECK_SHARE_AT_MOST(change(without[i].bytes, with[i].bytes), 0.02);
    }
}

/* How often a camera's busiest layer was asked for a keyframe. */
static uint64_t most_asked(const struct world_person *camera) {
    uint64_t most = 0;
    for (size_t i = 1; i <= 3; i++) {
        uint64_t asked = bench_client_source(camera->client, i)->keyframe_requests;
        most = asked > most ? asked : most;
    }
    return most;
}

/* How long the slowest waited for its first picture among those who connected when someone had one
 * already, so that it is in the cache; or among the others. */
static uint64_t slowest_us(const struct world *world, size_t from, bool cached) {
    uint64_t first_us = UINT64_MAX, most_us = 0;
    for (size_t i = from; i < world->people_count; i++) {
        uint64_t at_us = world_sink(&world->people[i], true, 0)->first_frame_us;
        CHECK(at_us != 0);
        first_us = at_us < first_us ? at_us : first_us;
    }
    for (size_t i = from; i < world->people_count; i++) {
        const struct world_person *person = &world->people[i];
        uint64_t connected_us = bench_client_connected_us(person->client);
        uint64_t took_us = world_sink(person, true, 0)->first_frame_us - connected_us;
        if ((connected_us > first_us) == cached && took_us > most_us)
            most_us = took_us;
    }
    return most_us;
}

/* Joins `count` watchers of one camera, `apart_us` from each other; then lets a second pass. The
 * last keyframe was ten seconds ago, too long to be replayed from. */
static void join_watchers(size_t count, uint64_t apart_us) {
    struct world *world = world_create(&(struct world_config){.seed = world_seed(1)});
    struct world_profile publisher = scenario_publisher();
    struct world_person *camera = world_join(world, &publisher);
    struct world_profile profile = scenario_viewer(1, &scenario_good);
    profile.microphone = false;
    world_join(world, &profile);
    world_run(world, 10 * S);
    uint64_t asked = most_asked(camera), begun_us = world->now_us;
    for (size_t i = 0; i < count; i++) {
        world_join(world, &profile);
        world_run(world, apart_us);
    }
    world_run(world, 1 * S);
    uint64_t seconds = (world->now_us - begun_us + S - 1) / S;
    CHECK_AT_MOST(most_asked(camera) - asked, seconds);
    CHECK_AT_MOST(slowest_us(world, 2, true) / MS, 150);
    /* A round trip to the publisher and its next frame come on top. */
    CHECK_AT_MOST(slowest_us(world, 2, false) / MS, 250);
    world_destroy(world);
}

static void twenty_join_at_once(void) {
    join_watchers(20, 0);
}

static void two_hundred_join_in_five_seconds(void) {
    join_watchers(200, 25 * MS);
}

/* Twenty who see and hear nine of the others each, on links from 1 to 10 Mb/s, for a minute: what
 * the simulator has to do in seconds. */
static void twenty_see_one_another_for_a_minute(void) {
    struct world *world = world_create(&(struct world_config){.seed = world_seed(1), .workers = 2});
    for (size_t i = 0; i < 20; i++) {
        struct world_profile profile = scenario_publisher();
        profile.slots = 9;
        profile.down.rate_bps = 1000000 + i * 500000;
        profile.down.queue_us = 300 * MS;
        world_join(world, &profile);
    }
    world_run(world, 60 * S);
    for (size_t i = 0; i < 20; i++) {
        const struct world_person *person = &world->people[i];
        uint64_t pictures = 0;
        for (size_t k = 0; k < 9; k++)
            pictures += world_sink(person, true, k)->frames_complete;
        SCENARIO_SAY("%lu b/s: %lu pictures\n", (unsigned long)person->down.config.rate_bps,
                     (unsigned long)pictures);
        CHECK(pictures > 50 * 30);
    }
    world_destroy(world);
}

static const struct test tests[] = {
    {"one_bad_subscriber_changes_nothing_for_nine", one_bad_subscriber_changes_nothing_for_nine},
    {"twenty_join_at_once", twenty_join_at_once},
    {"two_hundred_join_in_five_seconds", two_hundred_join_in_five_seconds},
    {"twenty_see_one_another_for_a_minute", twenty_see_one_another_for_a_minute},
};

TEST_MAIN(tests)
