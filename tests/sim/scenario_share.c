/* A bottleneck that is shared: with another subscriber, with a download, with a constant stream. */
#include "tests/sim/scenario.h"

/* Four cameras, of which the lowest layers take 0.8 Mb/s and all 10 Mb/s: there is always something
 * to do with the next bit. */
enum { CAMERAS = 4 };

/* The link that all who see them share. */
static struct world *four_cameras(uint64_t rate_bps, uint64_t queue_us, struct bench_link **link) {
    struct world *world = world_create(&(struct world_config){.seed = world_seed(1)});
    struct world_profile publisher = scenario_publisher();
    for (size_t i = 0; i < CAMERAS; i++)
        world_join(world, &publisher);
    *link = world_link(world, &(struct bench_link_config){
                                  .delay_us = 20000, .rate_bps = rate_bps, .queue_us = queue_us});
    return world;
}

static struct world_person *join_viewer(struct world *world, struct bench_link *link) {
    struct bench_link_config own = {.delay_us = 5000};
    struct world_profile profile = scenario_viewer(CAMERAS, &own);
    profile.shared_down = link;
    struct world_person *viewer = world_join(world, &profile);
    world_trace(viewer);
    return viewer;
}

static void two_subscribers_share_fairly(void) {
    struct bench_link *link;
    struct world *world = four_cameras(3000000, 300 * MS, &link);
    world_run(world, 2 * S);
    struct world_person *first = join_viewer(world, link);
    world_run(world, 5 * S);
    struct world_person *second = join_viewer(world, link);
    world_run(world, 70 * S);
    world_plot(first, "share_first");
    world_plot(second, "share_second");
    uint64_t from_us = world->now_us - 60 * S;
    double a = (double)world_received_bps(first, from_us, world->now_us);
    double b = (double)world_received_bps(second, from_us, world->now_us);
    SCENARIO_SAY("%.0f and %.0f b/s\n", a, b);
    CHECK_SHARE_AT_LEAST((a + b) * (a + b) / (2 * (a * a + b * b)), 0.9);
    CHECK(a + b >= 2000000);
    world_destroy(world);
}

/* The download begins in the tenth second; shares are of the minute that begins ten seconds later.
 */
static void a_download_leaves_a_third(void) {
    struct bench_link *link;
    struct world *world = four_cameras(3000000, 100 * MS, &link);
    struct world_person *viewer = join_viewer(world, link);
    world_cubic(world, link, 11 * S, UINT64_MAX);
    world_run(world, 80 * S);
    world_plot(viewer, "against_cubic");
    uint64_t from_us = world->now_us - 60 * S;
    CHECK_AT_LEAST(world_received_bps(viewer, from_us, world->now_us), 3000000 * 35 / 100);
    world_destroy(world);
}

static void a_constant_stream_is_made_room_for(void) {
    struct bench_link *link;
    struct world *world = four_cameras(4500000, 500 * MS, &link);
    struct world_person *viewer = join_viewer(world, link);
    world_cross(world, link, 2500000, 16 * S, 46 * S);
    world_run(world, 60 * S);
    world_plot(viewer, "cross_traffic");
    CHECK_AT_LEAST(world_received_bps(viewer, 26 * S, 46 * S), 1200000);
    CHECK_AT_LEAST(world_received_bps(viewer, 56 * S, 61 * S), 2000000);
    world_destroy(world);
}

/* For how long there was always a queue of more than so much. */
static uint64_t longest_queue_us(const struct world_person *viewer, uint64_t above_us) {
    const struct world_trace *trace = &viewer->trace;
    uint64_t since_us = trace->samples[0].at_us, longest_us = 0;
    for (size_t i = 0; i < trace->count; i++) {
        const struct world_sample *sample = &trace->samples[i];
        if (sample->queue_us <= above_us)
            since_us = sample->at_us;
        else if (sample->at_us - since_us > longest_us)
            longest_us = sample->at_us - since_us;
    }
    return longest_us;
}

/* What all delays contain from the second minute on is not to become what they are measured from.
 * Where the layers are 3 % too much the queue grows by less than the estimator notices: it stood
 * for up to 98 s, with 6 of 24 seeds for more than 15 s, before less was given away for a moment.
 * Of 60 seeds it now stands for 11 s at most, and every one passes. */
static void a_constant_stream_leaves_no_queue_standing(void) {
    struct bench_link *link;
    struct world *world = four_cameras(3000000, 500 * MS, &link);
    struct world_person *viewer = join_viewer(world, link);
    world_cross(world, link, 1000000, 121 * S, UINT64_MAX);
    world_run(world, 600 * S);
    world_plot(viewer, "standing_queue");
    CHECK_AT_MOST(longest_queue_us(viewer, 50 * MS) / MS, 15000);
    CHECK_AT_MOST(world_queue_us(viewer, 130 * S, 601 * S, 950) / MS, 200);
    CHECK_AT_LEAST(world_received_bps(viewer, 130 * S, 601 * S), 1000000);
    world_destroy(world);
}

/* How many seconds of a time less than nine tenths of so much came in. */
static unsigned poor_seconds(const struct world_person *viewer, uint64_t from_us, uint64_t to_us,
                             uint64_t usual_bps) {
    unsigned count = 0;
    for (uint64_t at_us = from_us; at_us < to_us; at_us += S)
        count += world_received_bps(viewer, at_us, at_us + S) < usual_bps * 9 / 10;
    return count;
}

/* It looks as if a queue stood: that is tried once, which takes 3 s and one to come back, and then
 * it is the path. What the estimator makes of the jump is over by then. */
static void a_longer_path_is_one_dip(void) {
    struct bench_link *link;
    struct world *world = four_cameras(20000000, 500 * MS, &link);
    struct world_person *viewer = join_viewer(world, link);
    world_run(world, 120 * S);
    link->config.delay_us += 80 * MS;
    world_run(world, 120 * S);
    world_plot(viewer, "longer_path");
    uint64_t usual_bps = world_received_bps(viewer, 60 * S, 120 * S);
    CHECK_AT_LEAST(usual_bps, 10000000);
    CHECK_AT_MOST(poor_seconds(viewer, 129 * S, 241 * S, usual_bps), 6);
    CHECK_AT_LEAST(world_received_bps(viewer, 150 * S, 241 * S), usual_bps * 95 / 100);
    world_destroy(world);
}

static const struct test tests[] = {
    {"two_subscribers_share_fairly", two_subscribers_share_fairly},
    {"a_download_leaves_a_third", a_download_leaves_a_third},
    {"a_constant_stream_is_made_room_for", a_constant_stream_is_made_room_for},
    {"a_constant_stream_leaves_no_queue_standing", a_constant_stream_leaves_no_queue_standing},
    {"a_longer_path_is_one_dip", a_longer_path_is_one_dip},
};

TEST_MAIN(tests)
