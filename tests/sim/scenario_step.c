/* One subscriber's link as it gets narrow and wide again. */
#include "tests/sim/scenario.h"

/* 3 Mb/s, for half a minute 500 kb/s; a queue of a second, as home routers have. */
static const struct bench_link_step steps[] = {
    {.at_us = 21 * S, .rate_bps = 500000},
    {.at_us = 51 * S, .rate_bps = 3000000},
};

static const struct bench_link_config stepping = {
    .delay_us = 25000, .rate_bps = 3000000, .queue_us = 800 * MS, .steps = steps, .step_count = 2};

/* The estimate reaches 90 % of the link. What is sent does where the publisher has so much to send:
 * with a top layer of 2.4 Mb/s, and its headers, 54 of 60 seeds sent 90 % from the fifth second on;
 * of one the layer was taken back once and given with fewer frames. With the 2.3 Mb/s of this
 * scenario the least of 60 seeds was 81 %, the median 87 %, which is all that there is. */
static void a_step_down_and_up_is_followed(void) {
    struct world *world = world_create(&(struct world_config){.seed = world_seed(1)});
    struct world_profile publisher = scenario_publisher();
    publisher.layer_bps[2] = 2300000; /* With sound, headers and the margin of a raise it fits. */
    struct world_profile profile = scenario_viewer(1, &stepping);
    world_join(world, &publisher);
    struct world_person *viewer = world_join(world, &profile);
    world_trace(viewer);
    world_run(world, 5 * S);
    bench_client_mark(viewer->client);
    world_run(world, 65 * S);
    world_plot(viewer, "step");
    const struct bench_sink *sink = world_sink(viewer, true, 0);
    CHECK_AT_MOST(world_sent_bps(viewer, 21500 * MS, 22500 * MS), 500000);
    CHECK_AT_MOST(world_queue_us(viewer, 21 * S, 51 * S, 950) / MS, 300);
    CHECK_AT_LEAST(world_estimate_bps(viewer, 56 * S), 2700000);
    CHECK_AT_LEAST(world_sent_bps(viewer, 56 * S, 61 * S), 2350000); /* All that there is. */
    CHECK_AT_MOST(sink->longest_gap_us / MS, 500);
    world_destroy(world);
}

static void a_start_reaches_the_link_in_five_seconds(void) {
    struct world *world = world_create(&(struct world_config){.seed = world_seed(1)});
    struct bench_link_config link = {.delay_us = 25000, .rate_bps = 2500000, .queue_us = 300 * MS};
    struct world_profile publisher = scenario_publisher();
    publisher.layer_bps[2] = 1800000; /* With sound, headers and the margin of a raise it fits. */
    struct world_profile profile = scenario_viewer(1, &link);
    world_join(world, &publisher);
    world_run(world, 3 * S);
    struct world_person *viewer = world_join(world, &profile);
    world_trace(viewer);
    world_run(world, 10 * S);
    world_plot(viewer, "start");
    uint64_t connected_us = bench_client_connected_us(viewer->client);
    CHECK_AT_LEAST(world_estimate_bps(viewer, connected_us + 5 * S), 2250000);
    CHECK_AT_LEAST(world_sent_bps(viewer, connected_us + 5 * S, connected_us + 10 * S), 1850000);
    world_destroy(world);
}

/* Eight cameras, of which the lowest layers take 0.3 Mb/s and all 3.4 Mb/s, in steps of at most a
 * tenth of the link: there is always something to do with the next bit. */
enum { CAMERAS = 8 };

static struct world_person *join_eight_cameras(struct world *world, uint64_t before_us,
                                               const struct bench_link_config *link) {
    struct world_profile publisher = scenario_publisher();
    memcpy(publisher.layer_bps, (uint32_t[]){40000, 120000, 400000}, 3 * sizeof(uint32_t));
    publisher.microphone = false;
    for (size_t i = 0; i < CAMERAS; i++)
        world_join(world, &publisher);
    world_run(world, before_us);
    struct world_profile profile = scenario_viewer(0, link);
    profile.video_slots = CAMERAS;
    struct world_person *viewer = world_join(world, &profile);
    world_trace(viewer);
    return viewer;
}

/* Of all cameras. */
static uint64_t longest_gap_us(const struct world_person *viewer) {
    uint64_t longest_us = 0;
    for (size_t k = 0; k < CAMERAS; k++) {
        const struct bench_sink *sink = world_sink(viewer, true, k);
        longest_us = sink->longest_gap_us > longest_us ? sink->longest_gap_us : longest_us;
    }
    return longest_us;
}

/* Down: of 60 seeds the queue's 95th percentile was 70 ms at most (while each camera began again
 * with what the link takes in 100 ms: 455 to 765 ms), and what was sent 223 kb/s.
 * The longest gap was 839 ms, the median 540 ms: the queue takes most of that to drain, and the
 * camera that is last has to wait for a keyframe, of which its publisher is asked once a second.
 *
 * Up: what goes over the link after the fifth second: media, what is sent again and probes, with
 * all headers, on average over two seconds. Of 60 seeds 59 reach 90 % of the link, and 30 of 30 at
 * the start. Seed 50 sends 71 %: all eight rise at once, their keyframes fill the queue for 0.1 s,
 * and the estimate falls for a moment. */
static void eight_cameras_follow_a_step_down_and_up(void) {
    struct world *world = world_create(&(struct world_config){.seed = world_seed(1)});
    struct world_person *viewer = join_eight_cameras(world, 0, &stepping);
    world_run(world, 5 * S);
    bench_client_mark(viewer->client);
    world_run(world, 57 * S);
    world_plot(viewer, "step_cameras");
    CHECK_AT_MOST(world_sent_bps(viewer, 21500 * MS, 22500 * MS), 500000);
    CHECK_AT_MOST(world_queue_us(viewer, 21 * S, 51 * S, 950) / MS, 300);
    CHECK_AT_MOST(longest_gap_us(viewer) / MS, 900);
    CHECK_AT_LEAST(world_estimate_bps(viewer, 56 * S), 2700000);
    CHECK_AT_LEAST(world_sent_bps(viewer, 56 * S, 58 * S), 2700000);
    world_destroy(world);
}

static void eight_cameras_fill_a_link_from_the_start(void) {
    struct world *world = world_create(&(struct world_config){.seed = world_seed(1)});
    struct bench_link_config link = {.delay_us = 25000, .rate_bps = 2500000, .queue_us = 300 * MS};
    struct world_person *viewer = join_eight_cameras(world, 3 * S, &link);
    world_run(world, 10 * S);
    world_plot(viewer, "start_cameras");
    uint64_t from_us = bench_client_connected_us(viewer->client) + 5 * S;
    CHECK_AT_LEAST(world_estimate_bps(viewer, from_us), 2250000);
    CHECK_AT_LEAST(world_sent_bps(viewer, from_us, from_us + 2 * S), 2250000);
    world_destroy(world);
}

static const struct test tests[] = {
    {"eight_cameras_follow_a_step_down_and_up", eight_cameras_follow_a_step_down_and_up},
    {"eight_cameras_fill_a_link_from_the_start", eight_cameras_fill_a_link_from_the_start},
    {"a_step_down_and_up_is_followed", a_step_down_and_up_is_followed},
    {"a_start_reaches_the_link_in_five_seconds", a_start_reaches_the_link_in_five_seconds},
};

TEST_MAIN(tests)
