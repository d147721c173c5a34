/* The front with real workers, on a loop of this thread. */
#include "sfu/sfu.h"

#include <errno.h>

#include "tests/unit/sfu/loopback.h"

enum { PEOPLE_MAX = 8, SECONDS_MAX = 60 /* Sanitized builds on a busy machine are slow. */ };

static struct {
    uv_loop_t loop;
    struct sfu *sfu;
    struct bench_dtls_context *client_dtls;
    bool calling; /* A function of sfu.h runs. */
    struct loopback_client clients[PEOPLE_MAX];
    struct sfu_local locals[PEOPLE_MAX];
    size_t client_count;
    unsigned events[PEOPLE_MAX + 1][SFU_EVENT_TYPES]; /* By participant and type. */
    uint64_t carried[PEOPLE_MAX + 1]; /* What the participant's slot was last said to carry. */
    uint64_t flowing;
} rig;

static struct {
    unsigned told;
    uint64_t room;
    size_t count;
    struct sfu_speaker first;
} speakers;

static void on_speakers(const struct sfu_event *event) {
    speakers.told++;
    speakers.room = event->room;
    speakers.count = event->speaker_count;
    if (event->speaker_count > 0)
        speakers.first = event->speakers[0];
}

static void on_event(void *ctx, const struct sfu_event *event) {
    CHECK(ctx == &rig);
    CHECK(!rig.calling);
    if (event->type == SFU_EVENT_SPEAKERS) {
        on_speakers(event);
        return;
    }
    CHECK(event->participant >= 1 && event->participant <= PEOPLE_MAX);
    rig.events[event->participant][event->type]++;
    if (event->type == SFU_EVENT_SLOTS)
        for (size_t i = 0; i < event->slot_count; i++)
            rig.carried[event->participant] = event->slots[i].track;
    if (event->type == SFU_EVENT_TRACK_FLOWS)
        rig.flowing = event->track;
}

static struct sfu_config config_of(uint16_t workers) {
    static const char *const addresses[] = {"127.0.0.1"};
    return (struct sfu_config){.addresses = addresses,
                               .address_count = 1,
                               .workers = workers,
                               .gso = true,
                               .max_participants = 6,
                               .consent_timeout_ms = 30000};
}

static void open_with(const struct sfu_config *config) {
    char error[256] = "";
    CHECK_INT(uv_loop_init(&rig.loop), 0);
    CHECK_INT(sfu_create(&rig.sfu, config, &rig.loop, on_event, &rig, error, sizeof(error)), 0);
    CHECK_INT(bench_dtls_context_create(&rig.client_dtls, "SRTP_AEAD_AES_128_GCM"), 0);
}

static void open_rig(uint16_t workers) {
    struct sfu_config config = config_of(workers);
    open_with(&config);
}

static void close_rig(void) {
    rig.calling = true; /* No event comes from within, */
    sfu_destroy(rig.sfu);
    CHECK_INT(uv_run(&rig.loop, UV_RUN_DEFAULT), 0); /* or afterwards. */
    CHECK_INT(uv_loop_close(&rig.loop), 0);
    for (size_t i = 0; i < rig.client_count; i++)
        loopback_close(&rig.clients[i]);
    bench_dtls_context_destroy(rig.client_dtls);
}

static bool wait_until(bool (*is_so)(void)) {
    uint64_t end_us = loopback_now_us() + SECONDS_MAX * UINT64_C(1000000);
    while (loopback_now_us() < end_us) {
        struct pollfd fds[PEOPLE_MAX];
        uv_run(&rig.loop, UV_RUN_NOWAIT);
        if (is_so())
            return true;
        for (size_t i = 0; i < rig.client_count; i++) {
            loopback_turn(&rig.clients[i]);
            fds[i] = (struct pollfd){rig.clients[i].fd, POLLIN, 0};
        }
        poll(fds, rig.client_count, 2);
    }
    return false;
}

/* --- People: each has one m-line --- */

static struct loopback_client *join(uint64_t room, enum sfu_direction direction) {
    struct loopback_client *client = &rig.clients[rig.client_count];
    loopback_open(client, rig.client_count + 1, rig.client_dtls);
    loopback_add(client, direction);
    rig.calling = true;
    CHECK_INT(sfu_join(rig.sfu, room, client->number, &rig.locals[rig.client_count++]), 0);
    rig.calling = false;
    return client;
}

static int negotiate(const struct loopback_client *client) {
    struct sfu_description description = loopback_describe(client);
    rig.calling = true;
    int result = sfu_negotiate(rig.sfu, client->number, &description);
    rig.calling = false;
    return result;
}

static struct loopback_client *enter(uint64_t room, enum sfu_direction direction) {
    struct loopback_client *client = join(room, direction);
    const struct sfu_local *local = &rig.locals[client->number - 1];
    CHECK_INT(negotiate(client), 0);
    loopback_begin(client, local, local->candidates[0].port);
    return client;
}

static void leave(uint64_t participant) {
    rig.calling = true;
    sfu_leave(rig.sfu, participant);
    rig.calling = false;
}

/* --- Creation --- */

static void a_config_that_cannot_be_is_refused_in_words(void) {
    struct sfu *sfu = NULL;
    char error[256] = "";
    uv_loop_t loop;
    CHECK_INT(uv_loop_init(&loop), 0);
    struct sfu_config config = config_of(0);
    CHECK_INT(sfu_create(&sfu, &config, &loop, on_event, &rig, error, sizeof(error)), -EINVAL);
    CHECK(error[0] != '\0');
    config = config_of(SFU_WORKERS_MAX + 1);
    CHECK_INT(sfu_create(&sfu, &config, &loop, on_event, &rig, error, sizeof(error)), -EINVAL);
    config = config_of(2);
    config.port = 65535;
    CHECK_INT(sfu_create(&sfu, &config, &loop, on_event, &rig, error, sizeof(error)), -EINVAL);
    CHECK(sfu == NULL);
    CHECK_INT(uv_loop_close(&loop), 0);
}

static void a_port_that_is_taken_is_refused_in_words(void) {
    open_rig(1);
    struct sfu *second = NULL;
    char error[256] = "";
    struct sfu_config config = config_of(1);
    config.port = sfu_port(rig.sfu, 0);
    CHECK_INT(sfu_create(&second, &config, &rig.loop, on_event, &rig, error, sizeof(error)),
              -EADDRINUSE);
    CHECK(strstr(error, "127.0.0.1") != NULL);
    close_rig();
}

static void the_fingerprint_is_a_sha_256_in_words(void) {
    open_rig(1);
    const char *fingerprint = sfu_fingerprint(rig.sfu);
    CHECK_INT(strlen(fingerprint), 32 * 3 - 1);
    for (size_t i = 0; i < 32 * 3 - 1; i++)
        CHECK(strchr(i % 3 == 2 ? ":" : "0123456789ABCDEF", fingerprint[i]) != NULL);
    close_rig();
}

/* --- People --- */

static void numbers_are_taken_once_and_the_house_can_be_full(void) {
    struct sfu_local local;
    open_rig(1);
    for (int i = 0; i < 6; i++)
        join(1, SFU_SLOT);
    CHECK_INT(sfu_join(rig.sfu, 1, 7, &local), -EBUSY);
    leave(3);
    CHECK_INT(sfu_join(rig.sfu, 1, 2, &local), -EEXIST);
    CHECK_INT(sfu_join(rig.sfu, 2, 3, &local), 0);
    close_rig();
}

static void who_is_not_there_is_not_found(void) {
    struct sfu_local local;
    struct sfu_wish wish = {0};
    struct sfu_description description = {0};
    open_rig(1);
    CHECK_INT(sfu_restart_ice(rig.sfu, 1, &local), -ENOENT);
    CHECK_INT(sfu_local_get(rig.sfu, 1, &local), -ENOENT);
    CHECK_INT(sfu_negotiate(rig.sfu, 1, &description), -ENOENT);
    CHECK_INT(sfu_subscribe(rig.sfu, 1, &wish, 1), -ENOENT);
    leave(1);
    close_rig();
}

static void the_answer_names_credentials_and_candidates(void) {
    struct sfu_local again, restarted;
    open_rig(2);
    join(1, SFU_SLOT);
    join(1, SFU_SLOT);
    const struct sfu_local *first = &rig.locals[0], *second = &rig.locals[1];
    CHECK_INT(strlen(first->ufrag), SFU_UFRAG_LEN);
    CHECK_INT(strlen(first->pwd), SFU_PWD_LEN);
    CHECK(strcmp(first->ufrag, second->ufrag) != 0);
    CHECK_INT(first->candidate_count, 1);
    CHECK_STR(first->candidates[0].address, "127.0.0.1");
    CHECK(!first->candidates[0].tcp);
    CHECK_INT(first->candidates[0].port, sfu_port(rig.sfu, 0));
    CHECK_INT(second->candidates[0].port, sfu_port(rig.sfu, 1)); /* The least loaded. */
    CHECK_INT(sfu_local_get(rig.sfu, 1, &again), 0);
    CHECK_STR(again.ufrag, first->ufrag);
    CHECK_INT(sfu_restart_ice(rig.sfu, 1, &restarted), 0);
    CHECK(strcmp(restarted.ufrag, first->ufrag) != 0);
    CHECK_INT(sfu_local_get(rig.sfu, 1, &again), 0);
    CHECK_STR(again.pwd, restarted.pwd);
    close_rig();
}

static void a_description_cannot_contradict_the_one_before(void) {
    open_rig(1);
    struct loopback_client *client = join(1, SFU_PUBLISHES);
    CHECK_INT(negotiate(client), 0);
    CHECK_INT(negotiate(client), 0);
    struct sfu_description description = loopback_describe(client);
    description.remote_fingerprint[0] ^= 1;
    CHECK_INT(sfu_negotiate(rig.sfu, 1, &description), -EINVAL);
    client->media[0].video = false;
    CHECK_INT(negotiate(client), -EINVAL);
    client->media[0].video = true;
    client->media_count = 0;
    CHECK_INT(negotiate(client), -EINVAL);
    close_rig();
}

/* --- Calls --- */

static bool pictures_flow(void) {
    return loopback_frames(&rig.clients[1]) >= 10;
}

static void check_call(uint16_t workers) {
    open_rig(workers);
    struct loopback_client *publisher = enter(1, SFU_PUBLISHES);
    enter(1, SFU_SLOT);
    CHECK(wait_until(pictures_flow));
    for (int i = 1; i <= 2; i++) {
        CHECK_INT(rig.events[i][SFU_EVENT_CONNECTED], 1);
        CHECK_INT(rig.events[i][SFU_EVENT_FAILED], 0);
    }
    CHECK_INT(rig.carried[2], publisher->media[0].track);
    CHECK_INT(rig.flowing, publisher->media[0].track);
    CHECK_INT(rig.events[1][SFU_EVENT_TRACK_FLOWS], 1);
    close_rig();
}

static void a_call_on_one_worker_works(void) {
    check_call(1);
}

static void a_call_over_two_workers_works(void) {
    check_call(2);
}

static bool slot_is_empty(void) {
    return rig.carried[2] == 0 && rig.events[2][SFU_EVENT_SLOTS] >= 2;
}

static void a_leaver_empties_slots_and_is_heard_of_no_more(void) {
    open_rig(2);
    enter(1, SFU_PUBLISHES);
    enter(1, SFU_SLOT);
    CHECK(wait_until(pictures_flow));
    unsigned before = rig.events[1][SFU_EVENT_CLOSED] + rig.events[1][SFU_EVENT_SLOTS];
    leave(1);
    CHECK(wait_until(slot_is_empty));
    CHECK_INT(rig.events[1][SFU_EVENT_CLOSED] + rig.events[1][SFU_EVENT_SLOTS], before);
    struct sfu_stats stats;
    sfu_stats_get(rig.sfu, &stats);
    CHECK_INT(stats.participants, 1);
    CHECK_INT(stats.tracks, 0);
    CHECK_INT(stats.slots, 1);
    close_rig();
}

static bool second_is_carried(void) {
    return rig.carried[3] == rig.clients[1].media[0].track;
}

static void a_pin_chooses_among_publishers(void) {
    open_rig(2);
    struct loopback_client *first = enter(1, SFU_PUBLISHES);
    struct loopback_client *second = enter(1, SFU_PUBLISHES);
    struct loopback_client *viewer = join(1, SFU_SLOT);
    CHECK_INT(negotiate(viewer), 0);
    struct sfu_wish wishes[2] = {{.mid = "nope"}, {.mid = "0", .track = second->media[0].track}};
    rig.calling = true;
    CHECK_INT(sfu_subscribe(rig.sfu, viewer->number, wishes, 2), 0);
    rig.calling = false;
    CHECK(wait_until(second_is_carried));
    struct sfu_media vp9 = viewer->media[0];
    vp9.codecs[0].codec = RTP_CODEC_VP9;
    CHECK(sfu_track_fits(rig.sfu, first->media[0].track, &viewer->media[0]));
    CHECK(!sfu_track_fits(rig.sfu, first->media[0].track, &vp9));
    CHECK(!sfu_track_fits(rig.sfu, 4711, &viewer->media[0]));
    close_rig();
}

static struct {
    int answers;
    bool known;
    struct sfu_why_answer answer;
    struct sfu_why_slot slot;
} why;

static void on_why(void *ctx, const struct sfu_why_answer *answer) {
    CHECK(ctx == &why && !rig.calling);
    why.answers++;
    why.known = answer != NULL;
    if (answer == NULL)
        return;
    why.answer = *answer;
    CHECK_INT(answer->slot_count, 1);
    why.slot = answer->slots[0];
}

static bool is_answered(void) {
    return why.answers > 0;
}

static void why_is_answered_by_the_worker(void) {
    open_rig(2);
    struct loopback_client *publisher = enter(1, SFU_PUBLISHES);
    enter(1, SFU_SLOT);
    CHECK(wait_until(pictures_flow));
    rig.calling = true;
    CHECK_INT(sfu_why(rig.sfu, 4711, on_why, &why), -ENOENT);
    CHECK_INT(sfu_why(rig.sfu, 2, on_why, &why), 0);
    rig.calling = false;
    CHECK(wait_until(is_answered));
    CHECK(why.known);
    CHECK_INT(why.answer.participant, 2);
    CHECK_STR(why.answer.source, "none");
    CHECK_STR(why.slot.mid, "0");
    CHECK_INT(why.slot.track, publisher->media[0].track);
    why.answers = 0;
    rig.calling = true;
    CHECK_INT(sfu_why(rig.sfu, 2, on_why, &why), 0);
    sfu_leave(rig.sfu, 2);
    rig.calling = false;
    CHECK(wait_until(is_answered)); /* Asked before, so answered. */
    CHECK(why.known);
    CHECK_INT(sfu_why(rig.sfu, 2, on_why, &why), -ENOENT);
    close_rig();
}

static bool third_speaks(void) {
    return speakers.told > 0 && speakers.count == 1 && speakers.first.participant == 3;
}

static bool nobody_speaks(void) {
    return speakers.told > 1 && speakers.count == 0;
}

static void who_speaks_is_told(void) {
    open_rig(2);
    enter(1, SFU_PUBLISHES);
    enter(1, SFU_SLOT);
    struct loopback_client *client = join(1, SFU_SLOT);
    struct sfu_media *microphone = loopback_add(client, SFU_PUBLISHES);
    microphone->video = microphone->nack = false;
    microphone->source = SFU_SOURCE_MICROPHONE;
    microphone->codecs[0] = (struct sfu_codec){RTP_CODEC_OPUS, 111, 0, 0};
    microphone->extensions.ids[RTP_EXT_AUDIO_LEVEL] = 1;
    CHECK_INT(negotiate(client), 0);
    const struct sfu_local *local = &rig.locals[client->number - 1];
    bench_client_speak(client->client, true, 25);
    loopback_begin(client, local, local->candidates[0].port);
    bench_client_speak(client->client, true, 25);
    CHECK(wait_until(third_speaks));
    CHECK_INT(speakers.room, 1);
    CHECK(speakers.first.level_db > -40 && speakers.first.level_db < -10);
    bench_client_speak(client->client, false, 127);
    CHECK(wait_until(nobody_speaks));
    close_rig();
}

static bool first_is_carried(void) {
    return rig.carried[2] == rig.clients[0].media[0].track;
}

static void rooms_are_apart(void) {
    struct sfu_stats stats;
    open_rig(2);
    enter(1, SFU_PUBLISHES);
    enter(1, SFU_SLOT);
    enter(2, SFU_SLOT);
    CHECK(wait_until(first_is_carried));
    CHECK_INT(rig.carried[3], 0);
    sfu_stats_get(rig.sfu, &stats);
    CHECK_INT(stats.rooms, 2);
    CHECK_INT(stats.participants, 3);
    CHECK_INT(stats.tracks, 1);
    CHECK_INT(stats.slots, 2);
    CHECK_INT(stats.workers, 2);
    leave(3);
    sfu_stats_get(rig.sfu, &stats);
    CHECK_INT(stats.rooms, 1);
    close_rig();
}

static struct sfu_stats numbers;

static bool nobody_is_left(void) {
    sfu_stats_get(rig.sfu, &numbers);
    return numbers.timers == 0 && numbers.counters.datagrams_received > 0;
}

static void many_comings_and_goings_leave_nothing(void) {
    open_rig(2);
    enter(1, SFU_PUBLISHES);
    enter(1, SFU_SLOT);
    CHECK(wait_until(pictures_flow));
    for (uint64_t i = 0; i < 200; i++) {
        struct sfu_local local;
        struct sfu_description description = loopback_describe(&rig.clients[i % 2]);
        struct sfu_media media = rig.clients[i % 2].media[0];
        media.track = i % 2 ? 0 : 10000 + i;
        description.media = &media;
        CHECK_INT(sfu_join(rig.sfu, 1 + i % 3, 3 + i % 4, &local), 0);
        CHECK_INT(sfu_negotiate(rig.sfu, 3 + i % 4, &description), 0);
        if (i % 4 == 3)
            for (uint64_t k = 3; k < 7; k++)
                leave(k);
    }
    leave(1);
    leave(2);
    CHECK(wait_until(nobody_is_left));
    CHECK_INT(numbers.participants, 0);
    CHECK_INT(numbers.rooms, 0);
    close_rig();
}

static const struct test tests[] = {
    {"a_config_that_cannot_be_is_refused_in_words", a_config_that_cannot_be_is_refused_in_words},
    {"a_port_that_is_taken_is_refused_in_words", a_port_that_is_taken_is_refused_in_words},
    {"the_fingerprint_is_a_sha_256_in_words", the_fingerprint_is_a_sha_256_in_words},
    {"numbers_are_taken_once_and_the_house_can_be_full",
     numbers_are_taken_once_and_the_house_can_be_full},
    {"who_is_not_there_is_not_found", who_is_not_there_is_not_found},
    {"the_answer_names_credentials_and_candidates", the_answer_names_credentials_and_candidates},
    {"a_description_cannot_contradict_the_one_before",
     a_description_cannot_contradict_the_one_before},
    {"a_call_on_one_worker_works", a_call_on_one_worker_works},
    {"a_call_over_two_workers_works", a_call_over_two_workers_works},
    {"a_leaver_empties_slots_and_is_heard_of_no_more",
     a_leaver_empties_slots_and_is_heard_of_no_more},
    {"a_pin_chooses_among_publishers", a_pin_chooses_among_publishers},
    {"why_is_answered_by_the_worker", why_is_answered_by_the_worker},
    {"who_speaks_is_told", who_speaks_is_told},
    {"rooms_are_apart", rooms_are_apart},
    {"many_comings_and_goings_leave_nothing", many_comings_and_goings_leave_nothing},
};

TEST_MAIN(tests)
