/* Rooms of clients over a seeded network, from the first check to the last frame. Without
 * transport-cc: what adapts to the network is the scenarios' matter. */
#include "tests/sim/world.h"
#include "tests/unit/test.h"

#include <string.h>

static const struct bench_link_config good = {.delay_us = 20000, .jitter_us = 3000};
static const struct bench_link_config orderly = {.delay_us = 20000};
static const struct bench_link_config lossy = {
    .delay_us = 50000, .jitter_us = 5000, .loss_ppm = 50000};

/* A picture each 33 ms, but a keyframe takes 80 ms to leave. */
static const uint64_t steady_gap_us = 130 * MS;

static struct world_profile talker(size_t slots, const struct bench_link_config *link) {
    return (struct world_profile){.microphone = true,
                                  .camera = true,
                                  .plain = true,
                                  .slots = slots,
                                  .up = *link,
                                  .down = *link};
}

static void join_talkers(struct world *world, size_t count, const struct bench_link_config *link) {
    for (size_t i = 0; i < count; i++) {
        struct world_profile profile = talker(count - 1, link);
        world_join(world, &profile);
    }
}

static void check_sink(const struct bench_sink *sink, uint64_t frames, uint64_t gap_us) {
    CHECK(sink->frames_complete >= frames);
    CHECK(sink->longest_gap_us <= gap_us);
    CHECK_INT(sink->timestamps_back, 0);
}

/* Every slot of everyone, after a run of `seconds`. */
static void check_all(struct world *world, uint64_t seconds, uint64_t gap_us) {
    for (size_t i = 0; i < world->people_count; i++) {
        struct world_person *person = &world->people[i];
        CHECK(bench_client_is_connected(person->client));
        for (size_t k = 0; k < world->people_count - 1; k++) {
            check_sink(world_sink(person, true, k), 30 * (seconds - 1), gap_us);
            check_sink(world_sink(person, false, k), 50 * (seconds - 1) * 9 / 10, 0);
        }
    }
}

static void five_participants_see_and_hear_each_other(void) {
    struct world *world = world_create(&(struct world_config){.seed = 1});
    join_talkers(world, 5, &good);
    world_run(world, 10 * S);
    check_all(world, 10, steady_gap_us);
    struct sfu_counters counters = world_counters(world);
    CHECK_INT(counters.dtls_handshakes, 5);
    CHECK_INT(counters.drop_srtp_auth, 0);
    CHECK_INT(counters.drop_srtp_replay, 0);
    CHECK_INT(counters.drop_rtp_unknown_ssrc, 0);
    CHECK_INT(counters.drop_payload_malformed, 0);
    world_destroy(world);
}

static void sha1_profile_works_as_well(void) {
    struct world *world =
        world_create(&(struct world_config){.seed = 2, .profiles = "SRTP_AES128_CM_SHA1_80"});
    join_talkers(world, 3, &good);
    world_run(world, 5 * S);
    check_all(world, 5, steady_gap_us);
    world_destroy(world);
}

static void workers_share_a_room(void) {
    struct world *world = world_create(&(struct world_config){.seed = 3, .workers = 3});
    join_talkers(world, 5, &good);
    world_run(world, 10 * S);
    check_all(world, 10, steady_gap_us);
    CHECK_INT(world_counters(world).drop_pipe_full, 0);
    world_destroy(world);
}

/* The goal of a call over 5 % loss and 50 ms each way: less than 0.1 % lost for good, no freeze
 * over half a second. */
static void losses_are_repaired(void) {
    struct world *world = world_create(&(struct world_config){.seed = 4});
    join_talkers(world, 3, &lossy);
    world_run(world, 60 * S);
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < 2; k++) {
            const struct bench_sink *sink = world_sink(&world->people[i], true, k);
            CHECK(sink->frames_complete >= 30 * 57);
            CHECK(sink->longest_gap_us <= 500 * MS);
            CHECK(bench_sink_lost(sink) * 1000 < sink->packets);
        }
    struct sfu_counters counters = world_counters(world);
    CHECK(counters.rtp_retransmitted > 500);
    CHECK(counters.nacks_sent > 200);
    world_destroy(world);
}

/* Losses from the first check on. */
static void through_heavy_loss_everybody_connects(void) {
    struct world *world = world_create(&(struct world_config){.seed = 14});
    struct bench_link_config awful = {
        .delay_us = 25000, .jitter_us = 20000, .loss_ppm = 300000, .duplicate_ppm = 50000};
    struct world_profile listener = {.plain = true, .slots = 1, .up = awful, .down = awful};
    for (size_t i = 0; i < 24; i++)
        world_join(world, &listener);
    world_run(world, 20 * S);
    for (size_t i = 0; i < 24; i++)
        CHECK(bench_client_is_connected(world->people[i].client));
    CHECK_INT(world_counters(world).dtls_handshakes, 24);
    world_destroy(world);
}

/* Through a queue, where every byte shifts what comes after it. */
static uint64_t trace_of(uint64_t seed) {
    struct world *world = world_create(&(struct world_config){.seed = seed, .workers = 2});
    struct bench_link_config narrow = lossy;
    narrow.rate_bps = 3000000;
    narrow.queue_us = 100 * MS;
    join_talkers(world, 4, &narrow);
    world_run(world, 5 * S);
    uint64_t trace = world->trace;
    world_destroy(world);
    return trace;
}

static void a_seed_gives_the_same_run(void) {
    uint64_t first = trace_of(42);
    CHECK(trace_of(42) == first);
    CHECK(trace_of(43) != first);
}

static void a_late_joiner_gets_a_picture_at_once(void) {
    struct world *world = world_create(&(struct world_config){.seed = 5});
    join_talkers(world, 3, &good);
    world_run(world, 10 * S);
    struct world_profile profile = {.plain = true, .slots = 3, .up = good, .down = good};
    struct world_person *late = world_join(world, &profile);
    world_run(world, 3 * S);
    for (size_t k = 0; k < 3; k++) {
        const struct bench_sink *sink = world_sink(late, true, k);
        CHECK(sink->first_frame_us != 0);
        CHECK(sink->first_frame_us - bench_client_connected_us(late->client) < 300 * MS);
    }
    world_destroy(world);
}

static void twenty_joiners_cost_a_publisher_two_keyframes_a_second(void) {
    struct world *world = world_create(&(struct world_config){.seed = 6});
    struct world_profile publisher = {
        .plain = true, .microphone = true, .camera = true, .up = good, .down = good};
    struct world_person *first = world_join(world, &publisher);
    world_run(world, 5 * S);
    uint64_t before = bench_client_source(first->client, 1)->keyframes;
    struct world_profile viewer = {.plain = true, .slots = 1, .up = good, .down = good};
    for (size_t i = 0; i < 20; i++) {
        world_join(world, &viewer);
        world_run(world, 50 * MS);
    }
    world_run(world, 1 * S);
    CHECK(bench_client_source(first->client, 1)->keyframes - before <= 5);
    for (size_t i = 1; i < world->people_count; i++)
        CHECK(world_sink(&world->people[i], true, 0)->frames_complete > 0);
    world_destroy(world);
}

static void a_moved_client_goes_on_within_a_second(void) {
    struct world *world = world_create(&(struct world_config){.seed = 7});
    join_talkers(world, 2, &good);
    world_run(world, 5 * S);
    world_move(&world->people[0]);
    world_restart_ice(&world->people[0]); /* A browser checks at once when its network changed. */
    world_run(world, 5 * S);
    CHECK(world_sink(&world->people[0], true, 0)->longest_gap_us < 1 * S);
    CHECK(world_sink(&world->people[1], true, 0)->longest_gap_us < 1 * S);
    world_destroy(world);
}

static void an_ice_restart_interrupts_nothing(void) {
    struct world *world = world_create(&(struct world_config){.seed = 8});
    join_talkers(world, 2, &good);
    world_run(world, 3 * S);
    world_restart_ice(&world->people[0]);
    world_run(world, 60 * S);
    check_all(world, 60, steady_gap_us);
    CHECK_INT(world->people[0].events[SFU_EVENT_ICE_TIMEOUT], 0);
    world_destroy(world);
}

static void a_dead_network_is_noticed_and_forgiven(void) {
    struct world *world = world_create(&(struct world_config){.seed = 9});
    join_talkers(world, 2, &good);
    world_run(world, 3 * S);
    world->people[0].muted = true;
    world_run(world, 29 * S);
    CHECK_INT(world->people[0].events[SFU_EVENT_ICE_TIMEOUT], 0);
    world_run(world, 4 * S);
    CHECK_INT(world->people[0].events[SFU_EVENT_ICE_TIMEOUT], 1);
    uint64_t sent = world->people[0].down.sent;
    world_run(world, 5 * S);
    CHECK_INT(world->people[0].down.sent, sent); /* No consent, no media (RFC 7675). */
    world->people[0].muted = false;
    uint64_t frames = world_sink(&world->people[0], true, 0)->frames_complete;
    world_run(world, 6 * S);
    CHECK_INT(world->people[0].events[SFU_EVENT_ICE_RECOVERED], 1);
    CHECK(world_sink(&world->people[0], true, 0)->frames_complete > frames + 30);
    world_destroy(world);
}

static void a_goodbye_is_heard(void) {
    struct world *world = world_create(&(struct world_config){.seed = 10});
    join_talkers(world, 2, &good);
    world_run(world, 3 * S);
    bench_client_close(world->people[1].client);
    world_run(world, 1 * S);
    CHECK_INT(world->people[1].events[SFU_EVENT_CLOSED], 1);
    CHECK_INT(world->people[0].events[SFU_EVENT_CLOSED], 0);
    world_destroy(world);
}

static void a_slot_changes_its_source_without_a_seam(void) {
    struct world *world = world_create(&(struct world_config){.seed = 11, .workers = 2});
    join_talkers(world, 3, &good);
    struct world_profile viewer = {.plain = true, .slots = 1, .up = good, .down = orderly};
    struct world_person *watcher = world_join(world, &viewer);
    world_run(world, 3 * S);
    for (uint64_t i = 0; i < 40; i++) {
        struct sfu_wish wish = {.track = (i % 3 + 1) * 100 + 1};
        memcpy(wish.mid, watcher->media[1].mid, sizeof(wish.mid));
        CHECK_INT(sfu_member_subscribe(watcher->member, &wish), 0);
        world_run(world, 700 * MS);
    }
    const struct bench_sink *sink = world_sink(watcher, true, 0);
    CHECK(sink->sources >= 38);
    CHECK(sink->longest_gap_us <= 600 * MS); /* Until the keyframe, at most two a second. */
    CHECK_INT(sink->timestamps_back, 0);
    CHECK_INT(bench_sink_lost(sink), 0);
    world_destroy(world);
}

static void simulcast_gives_the_highest_layer_that_is_wanted(void) {
    struct world *world = world_create(&(struct world_config){.seed = 12});
    struct world_profile publisher = {
        .plain = true, .camera = true, .simulcast = true, .up = good, .down = orderly};
    struct world_profile viewer = {.plain = true, .slots = 1, .up = good, .down = orderly};
    world_join(world, &publisher);
    struct world_person *watcher = world_join(world, &viewer);
    world_run(world, 5 * S);
    const struct sfu_engine *engine = world->engines[0];
    uint64_t before = engine->counters.rtp_forwarded;
    world_run(world, 5 * S);
    uint64_t high = engine->counters.rtp_forwarded - before;
    struct sfu_wish wish = {.max_height = 200};
    memcpy(wish.mid, watcher->media[1].mid, sizeof(wish.mid));
    CHECK_INT(sfu_engine_subscribe(world->engines[0], world->now_us, watcher->number, &wish), 0);
    world_run(world, 1 * S);
    before = engine->counters.rtp_forwarded;
    world_run(world, 5 * S);
    uint64_t low = engine->counters.rtp_forwarded - before;
    CHECK(low * 3 < high);
    const struct bench_sink *sink = world_sink(watcher, true, 0);
    CHECK_INT(bench_sink_lost(sink), 0);
    CHECK(sink->longest_gap_us <= 200 * MS);
    world_destroy(world);
}

static void a_paused_slot_costs_nothing_and_resumes_with_a_picture(void) {
    struct world *world = world_create(&(struct world_config){.seed = 13});
    struct world_profile publisher = {.plain = true, .camera = true, .up = good, .down = good};
    struct world_profile viewer = {.plain = true, .slots = 1, .up = good, .down = good};
    world_join(world, &publisher);
    struct world_person *watcher = world_join(world, &viewer);
    world_run(world, 3 * S);
    struct sfu_wish wish = {.paused = true};
    memcpy(wish.mid, watcher->media[1].mid, sizeof(wish.mid));
    sfu_engine_subscribe(world->engines[0], world->now_us, watcher->number, &wish);
    uint64_t before = world->engines[0]->counters.rtp_forwarded;
    world_run(world, 2 * S);
    CHECK_INT(world->engines[0]->counters.rtp_forwarded, before);
    wish.paused = false;
    sfu_engine_subscribe(world->engines[0], world->now_us, watcher->number, &wish);
    world_run(world, 2 * S);
    const struct bench_sink *sink = world_sink(watcher, true, 0);
    CHECK(sink->longest_gap_us < 2300 * MS);
    CHECK_INT(sink->timestamps_back, 0);
    CHECK_INT(bench_sink_lost(sink), 0);
    world_destroy(world);
}

static const struct test tests[] = {
    {"five_participants_see_and_hear_each_other", five_participants_see_and_hear_each_other},
    {"sha1_profile_works_as_well", sha1_profile_works_as_well},
    {"workers_share_a_room", workers_share_a_room},
    {"losses_are_repaired", losses_are_repaired},
    {"through_heavy_loss_everybody_connects", through_heavy_loss_everybody_connects},
    {"a_seed_gives_the_same_run", a_seed_gives_the_same_run},
    {"a_late_joiner_gets_a_picture_at_once", a_late_joiner_gets_a_picture_at_once},
    {"twenty_joiners_cost_a_publisher_two_keyframes_a_second",
     twenty_joiners_cost_a_publisher_two_keyframes_a_second},
    {"a_moved_client_goes_on_within_a_second", a_moved_client_goes_on_within_a_second},
    {"an_ice_restart_interrupts_nothing", an_ice_restart_interrupts_nothing},
    {"a_dead_network_is_noticed_and_forgiven", a_dead_network_is_noticed_and_forgiven},
    {"a_goodbye_is_heard", a_goodbye_is_heard},
    {"a_slot_changes_its_source_without_a_seam", a_slot_changes_its_source_without_a_seam},
    {"simulcast_gives_the_highest_layer_that_is_wanted",
     simulcast_gives_the_highest_layer_that_is_wanted},
    {"a_paused_slot_costs_nothing_and_resumes_with_a_picture",
     a_paused_slot_costs_nothing_and_resumes_with_a_picture},
};

TEST_MAIN(tests)
