/* The bandwidth estimate over a link in virtual time: what it is to reach when the rate falls and
 * returns, at the start, over ten minutes, beside others, and with losses. */
#include "tests/unit/rtp/bwe_link.h"

static const uint32_t camera[LAYERS] = {150000, 500000, 2500000};
static const uint32_t tile[LAYERS] = {100000, 300000, 1000000};

static void run(struct world *world, double seconds) {
    uint64_t end_us = world->now_us + (uint64_t)(seconds * SECOND_US);
    while (world->now_us < end_us)
        world_step(world);
}

static double bps(const struct world *world, size_t i) {
    return rtp_bwe_bps(&world->subscribers[i].bwe);
}

static double kbps_since(const struct world *world, size_t i, uint64_t before, double seconds) {
    return (double)(world->delivered[i] - before) * 8 / 1000 / seconds;
}

/* ---- The rate changes ---- */

struct fall {
    double under_s, sends_under_s; /* Until the estimate, and the sending, were below the link. */
    double long_queue_s;           /* With more than 300 ms of queue. */
};

static struct fall fall_watch(struct world *world, double rate_bps, double seconds) {
    struct fall fall = {-1, -1, 0};
    uint64_t begun_us = world->now_us, bin_us = begun_us, bin_sent = world->sent[0];
    world->rate_bps = rate_bps;
    while (world->now_us < begun_us + (uint64_t)(seconds * SECOND_US)) {
        world_step(world);
        double at_s = (double)(world->now_us - begun_us) / 1e6;
        fall.long_queue_s += queue_ms(world) > 300 ? STEP_US / 1e6 : 0;
        if (fall.under_s < 0 && bps(world, 0) < rate_bps)
            fall.under_s = at_s;
        if (world->now_us - bin_us < 100000)
            continue;
        if (fall.sends_under_s < 0 && (double)(world->sent[0] - bin_sent) * 80 < rate_bps)
            fall.sends_under_s = (double)(bin_us - begun_us) / 1e6;
        bin_us = world->now_us;
        bin_sent = world->sent[0];
    }
    return fall;
}

/* Until the estimate is at least what; -1 when it is not within the seconds. */
static double reach(struct world *world, double what_bps, double seconds) {
    uint64_t begun_us = world->now_us;
    while (world->now_us < begun_us + (uint64_t)(seconds * SECOND_US)) {
        world_step(world);
        if (bps(world, 0) >= what_bps)
            return (double)(world->now_us - begun_us) / 1e6;
    }
    return -1;
}

static void a_fall_to_a_sixth_is_followed_within_500_ms(void) {
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct world *world = world_create(3e6, 1000, 50);
        world->seed = seed;
        world_subscribe(world, seed % 2 ? 1 : 4, seed % 2 ? camera : tile);
        run(world, 20);
        struct fall fall = fall_watch(world, 500e3, 30);
        CHECK(fall.under_s > 0 && fall.under_s < 0.4);
        CHECK(fall.sends_under_s >= 0 && fall.sends_under_s <= 0.5);
        CHECK(fall.long_queue_s < 2.0);
        CHECK(bps(world, 0) > 400e3);
        free(world);
    }
}

static void the_return_of_the_rate_is_used_within_five_seconds(void) {
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct world *world = world_create(3e6, 1000, 50);
        world->seed = seed;
        world_subscribe(world, seed % 2 ? 1 : 4, seed % 2 ? camera : tile);
        run(world, 20);
        fall_watch(world, 500e3, 15 + (double)seed);
        world->rate_bps = 3e6;
        double reached_s = reach(world, 2.7e6, 10);
        CHECK(reached_s > 0 && reached_s < 4.5);
        run(world, 5 - reached_s);
        uint64_t before = world->delivered[0];
        run(world, 5);
        CHECK(kbps_since(world, 0, before, 5) > 2000);
        free(world);
    }
}

static void the_start_reaches_nine_tenths_within_two_seconds(void) {
    for (int rtt_ms = 20; rtt_ms <= 320; rtt_ms += 100) {
        struct world *world = world_create(2.5e6, 500, rtt_ms);
        world_subscribe(world, 3, tile);
        double reached_s = reach(world, 2.25e6, 5);
        CHECK(reached_s > 0 && reached_s < 2);
        free(world);
    }
}

static void an_outage_of_300_ms_is_forgotten_at_once(void) {
    struct world *world = world_create(3e6, 500, 50);
    world_subscribe(world, 1, camera);
    run(world, 20);
    double before = bps(world, 0);
    uint32_t changes = world->subscribers[0].changes;
    world->is_cut = true;
    run(world, 0.3);
    world->is_cut = false;
    run(world, 3);
    CHECK(bps(world, 0) > 0.9 * before);
    CHECK_INT(world->subscribers[0].changes, changes);
    free(world);
}

static void after_five_seconds_of_silence_the_link_is_used_again_within_three(void) {
    struct world *world = world_create(3e6, 500, 50);
    world_subscribe(world, 1, camera);
    run(world, 20);
    double before = bps(world, 0);
    world->is_cut = true;
    run(world, 5);
    CHECK(bps(world, 0) < 0.7 * before);
    world->is_cut = false;
    double reached_s = reach(world, 0.9 * before, 10);
    CHECK(reached_s >= 0 && reached_s < 3);
    free(world);
}

/* ---- Nothing changes ---- */

static void no_layer_changes_on_a_steady_link(void) {
    static const struct {
        double rate_bps, queue_ms, used_kbps;
        size_t tracks;
        const uint32_t *layers;
    } rows[] = {
        {3e6, 500, 1900, 4, tile}, {3e6, 500, 2500, 1, camera}, {1.5e6, 300, 1200, 4, tile},
        {5e6, 300, 3800, 4, tile}, {2e6, 300, 550, 1, camera},  {3e6, 40, 1900, 4, tile},
        {1e6, 60, 700, 4, tile},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *world = world_create(rows[i].rate_bps, rows[i].queue_ms, 50);
        world->seed = i + 1;
        struct subscriber *subscriber = world_subscribe(world, rows[i].tracks, rows[i].layers);
        run(world, 300);
        uint32_t changes = subscriber->changes;
        uint64_t before = world->delivered[0];
        run(world, 300);
        CHECK_INT(subscriber->changes, changes);
        CHECK(kbps_since(world, 0, before, 300) > rows[i].used_kbps);
        CHECK(bps(world, 0) < 1.06 * rows[i].rate_bps);
        free(world);
    }
}

static void short_stalls_of_a_radio_link_change_nothing(void) {
    struct world *world = world_create(3e6, 500, 50);
    struct subscriber *subscriber = world_subscribe(world, 1, camera);
    run(world, 20);
    uint32_t changes = subscriber->changes;
    for (int i = 0; i < 60; i++) {
        world->is_cut = true;
        run(world, 0.02 + 0.06 * chance(world));
        world->is_cut = false;
        run(world, 0.5 + chance(world));
    }
    CHECK_INT(subscriber->changes, changes);
    free(world);
}

static void what_the_application_does_not_send_does_not_lower_the_estimate(void) {
    struct world *world = world_create(5e6, 500, 50);
    struct subscriber *subscriber = world_subscribe(world, 1, camera);
    run(world, 10);
    double before = bps(world, 0);
    CHECK(before > 2.5e6);
    subscriber->track_count = 0;
    run(world, 60);
    CHECK(bps(world, 0) >= before * 0.99);
    free(world);
}

static void nothing_is_probed_when_the_demand_is_met(void) {
    struct world *world = world_create(20e6, 500, 50);
    struct subscriber *subscriber = world_subscribe(world, 1, camera);
    run(world, 10);
    uint8_t probes = subscriber->bwe.prober.last_id;
    run(world, 60);
    CHECK_INT(subscriber->bwe.prober.last_id, probes);
    CHECK(bps(world, 0) > 2.8e6 && bps(world, 0) < 3.5e6);
    rtp_bwe_set_demand(&subscriber->bwe, world->now_us, 8000000);
    CHECK(reach(world, 8.2e6, 3) > 0);
    free(world);
}

/* ---- Others on the link ---- */

static void two_subscribers_share_a_link(void) {
    double sum = 0, worst = 1;
    int count = 0;
    for (int rate = 2; rate <= 5; rate++)
        for (uint64_t seed = 1; seed <= 3; seed++, count++) {
            struct world *world = world_create(rate * 1e6, 500, 50);
            world->seed = seed;
            world_subscribe(world, 4, tile);
            run(world, 10);
            world_subscribe(world, 4, tile);
            run(world, 10);
            uint64_t before[] = {world->delivered[0], world->delivered[1]};
            run(world, 60);
            double a = kbps_since(world, 0, before[0], 60), b = kbps_since(world, 1, before[1], 60);
            double jain = (a + b) * (a + b) / (2 * (a * a + b * b));
            CHECK((a + b) > 600 * rate);
            sum += jain;
            worst = jain < worst ? jain : worst;
            free(world);
        }
    CHECK(sum / count > 0.93 && worst > 0.80);
}

static void a_loss_based_flow_leaves_a_third_of_the_link(void) {
    double sum = 0;
    int count = 0;
    for (int queue = 100; queue <= 500; queue += 100)
        for (uint64_t seed = 1; seed <= 3; seed++, count++) {
            struct world *world = world_create(3e6, queue, 50);
            world->seed = seed;
            world_subscribe(world, 3, tile);
            run(world, 10);
            world->has_cubic = true;
            run(world, 5);
            uint64_t before = world->delivered[0];
            run(world, 60);
            double share = kbps_since(world, 0, before, 60) / 3000;
            CHECK(share > 0.22 && share < 0.9);
            sum += share;
            free(world);
        }
    CHECK(sum / count > 0.4);
}

/* ---- Losses ---- */

static void random_losses_do_not_collapse_the_estimate(void) {
    static const struct {
        double loss, least_bps, mean_bps;
    } rows[] = {
        {0.02, 2.6e6, 2.7e6}, {0.05, 2.4e6, 2.7e6}, {0.10, 900e3, 1500e3}, {0.30, 100e3, 250e3}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *world = world_create(3e6, 500, 50);
        world->loss = rows[i].loss;
        world_subscribe(world, 3, tile);
        run(world, 20);
        double least = 1e12, sum = 0;
        int seconds = 60;
        for (int s = 0; s < seconds; s++) {
            run(world, 1);
            sum += bps(world, 0);
            least = bps(world, 0) < least ? bps(world, 0) : least;
        }
        CHECK(least > rows[i].least_bps);
        CHECK(sum / seconds > rows[i].mean_bps);
        free(world);
    }
}

static void the_same_seed_is_the_same_run(void) {
    uint32_t got[2];
    uint64_t sent[2];
    for (int i = 0; i < 2; i++) {
        struct world *world = world_create(2e6, 200, 50);
        world->loss = 0.03;
        world_subscribe(world, 4, tile);
        run(world, 15);
        got[i] = rtp_bwe_bps(&world->subscribers[0].bwe);
        sent[i] = world->sent[0];
        free(world);
    }
    CHECK_INT(got[0], got[1]);
    CHECK_INT(sent[0], sent[1]);
}

#define TEST(name)                                                                                 \
    { #name, name }

static const struct test tests[] = {
    TEST(a_fall_to_a_sixth_is_followed_within_500_ms),
    TEST(the_return_of_the_rate_is_used_within_five_seconds),
    TEST(the_start_reaches_nine_tenths_within_two_seconds),
    TEST(an_outage_of_300_ms_is_forgotten_at_once),
    TEST(after_five_seconds_of_silence_the_link_is_used_again_within_three),
    TEST(no_layer_changes_on_a_steady_link),
    TEST(short_stalls_of_a_radio_link_change_nothing),
    TEST(what_the_application_does_not_send_does_not_lower_the_estimate),
    TEST(nothing_is_probed_when_the_demand_is_met),
    TEST(two_subscribers_share_a_link),
    TEST(a_loss_based_flow_leaves_a_third_of_the_link),
    TEST(random_losses_do_not_collapse_the_estimate),
    TEST(the_same_seed_is_the_same_run),
};

TEST_MAIN(tests)
