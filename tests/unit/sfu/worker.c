/* Worker threads, driven by commands as the front would. */
#include "sfu/worker.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "sfu/srtp.h"
#include "tests/unit/sfu/loopback.h"

enum { WORKERS = 2, SECONDS_MAX = 60 /* Sanitized builds on a busy machine are slow. */ };

static struct {
    struct sfu_dtls_context *dtls;
    struct bench_dtls_context *client_dtls;
    struct sfu_worker *workers[WORKERS];
    struct sfu_pipe *pipes[WORKERS][WORKERS]; /* From, to. */
    struct sfu_pipe *in[WORKERS][WORKERS];
    atomic_uint news; /* How often there were some. */
    unsigned events[16];
    struct loopback_client publisher, viewer;
    int stranger; /* A socket. */
    struct sockaddr_in poured_to;
} rig;

static void on_news(void *ctx) {
    (void)ctx;
    atomic_fetch_add(&rig.news, 1);
}

static struct sfu_worker_config config_of(unsigned index) {
    static const char *const addresses[] = {"127.0.0.1"};
    return (struct sfu_worker_config){.index = index,
                                      .workers = WORKERS,
                                      .addresses = addresses,
                                      .address_count = 1,
                                      .gso = true,
                                      .consent_timeout_ms = 30000,
                                      .max_packets = 4096,
                                      .dtls = rig.dtls,
                                      .peers = rig.workers,
                                      .in = rig.in[index],
                                      .out = rig.pipes[index],
                                      .on_news = on_news,
                                      .ctx = &rig};
}

static void open_rig(bool started) {
    char error[256];
    CHECK_INT(sfu_dtls_context_create(&rig.dtls), 0);
    CHECK_INT(bench_dtls_context_create(&rig.client_dtls, "SRTP_AEAD_AES_128_GCM"), 0);
    for (unsigned from = 0; from < WORKERS; from++)
        for (unsigned to = 0; to < WORKERS; to++)
            if (from != to) {
                CHECK_INT(sfu_pipe_create(&rig.pipes[from][to], 1024), 0);
                rig.in[to][from] = rig.pipes[from][to];
            }
    for (unsigned i = 0; i < WORKERS; i++) {
        struct sfu_worker_config config = config_of(i);
        CHECK_INT(sfu_worker_create(&rig.workers[i], &config, error, sizeof(error)), 0);
        CHECK(sfu_worker_port(rig.workers[i]) != 0);
    }
    for (unsigned i = 0; i < WORKERS && started; i++)
        CHECK_INT(sfu_worker_start(rig.workers[i]), 0);
}

static void close_rig(void) {
    for (unsigned i = 0; i < WORKERS; i++)
        sfu_worker_stop(rig.workers[i]);
    for (unsigned i = 0; i < WORKERS; i++)
        sfu_worker_clear(rig.workers[i]);
    for (unsigned from = 0; from < WORKERS; from++)
        for (unsigned to = 0; to < WORKERS; to++)
            sfu_pipe_destroy(rig.pipes[from][to]);
    for (unsigned i = 0; i < WORKERS; i++)
        sfu_worker_destroy(rig.workers[i]);
    bench_dtls_context_destroy(rig.client_dtls);
    sfu_dtls_context_destroy(rig.dtls);
}

static void take_news(void) {
    for (unsigned i = 0; i < WORKERS; i++)
        for (struct sfu_news *news = sfu_worker_take_news(rig.workers[i]), *next; news != NULL;
             news = next) {
            next = news->next;
            rig.events[news->event.type]++;
            free(news);
        }
}

static struct sfu_stats stats(void) {
    struct sfu_stats sum = {0};
    for (unsigned i = 0; i < WORKERS; i++)
        sfu_worker_stats_add(rig.workers[i], &sum);
    return sum;
}

/* Turns the clients until it is so; false after a minute. */
static bool wait_until(bool (*is_so)(void)) {
    uint64_t end_us = loopback_now_us() + SECONDS_MAX * UINT64_C(1000000);
    while (loopback_now_us() < end_us) {
        struct pollfd fds[2] = {{rig.publisher.client ? rig.publisher.fd : -1, POLLIN, 0},
                                {rig.viewer.client ? rig.viewer.fd : -1, POLLIN, 0}};
        take_news();
        if (is_so())
            return true;
        if (rig.publisher.client != NULL)
            loopback_turn(&rig.publisher);
        if (rig.viewer.client != NULL)
            loopback_turn(&rig.viewer);
        poll(fds, 2, 2);
    }
    return false;
}

/* --- Commands --- */

static struct sfu_command *command(enum sfu_command_type type, uint64_t participant) {
    struct sfu_command *made = sfu_command_create(type, 0);
    CHECK(made != NULL);
    made->participant = participant;
    return made;
}

static struct sfu_local join(unsigned worker, const struct loopback_client *client) {
    struct sfu_command *joins = command(SFU_COMMAND_JOIN, client->number);
    struct sfu_command *negotiates = sfu_command_create(SFU_COMMAND_NEGOTIATE, client->media_count);
    struct sfu_local local = {0};
    CHECK(negotiates != NULL);
    sfu_ice_credentials_generate(&joins->credentials);
    memcpy(local.ufrag, joins->credentials.ufrag, sizeof(local.ufrag));
    memcpy(local.pwd, joins->credentials.pwd, sizeof(local.pwd));
    negotiates->participant = client->number;
    negotiates->description = loopback_describe(client);
    memcpy(negotiates->media, client->media, client->media_count * sizeof(*client->media));
    negotiates->description.media = negotiates->media;
    sfu_worker_post(rig.workers[worker], joins);
    sfu_worker_post(rig.workers[worker], negotiates); /* In the order of posting. */
    return local;
}

static void carry(unsigned worker, const struct loopback_client *client, uint64_t track) {
    struct sfu_command *sets = command(SFU_COMMAND_SET_SLOT, client->number);
    strcpy(sets->wish.mid, client->media[0].mid);
    sets->track = track;
    sfu_worker_post(rig.workers[worker], sets);
}

/* The mirror of the publisher's track on the viewer's worker. */
static void mirror(unsigned owner, unsigned watcher, const struct sfu_media *media) {
    struct sfu_command *opens = sfu_command_create(SFU_COMMAND_MIRROR_OPEN, 1);
    struct sfu_command *feeds = command(SFU_COMMAND_MIRROR_FEED, 0);
    CHECK(opens != NULL);
    opens->track = feeds->track = media->track;
    opens->worker = owner;
    opens->media[0] = *media;
    feeds->worker = watcher;
    feeds->on = true;
    sfu_worker_post(rig.workers[watcher], opens);
    sfu_worker_post(rig.workers[owner], feeds);
}

static bool pictures_flow(void) {
    return loopback_frames(&rig.viewer) >= 10;
}

static void begin_call(unsigned publishers, unsigned viewers) {
    loopback_open(&rig.publisher, 1, rig.client_dtls);
    loopback_open(&rig.viewer, 2, rig.client_dtls);
    const struct sfu_media *camera = loopback_add(&rig.publisher, SFU_PUBLISHES);
    loopback_add(&rig.viewer, SFU_SLOT);
    struct sfu_local publishing = join(publishers, &rig.publisher);
    struct sfu_local viewing = join(viewers, &rig.viewer);
    if (publishers != viewers)
        mirror(publishers, viewers, camera);
    carry(viewers, &rig.viewer, camera->track);
    loopback_begin(&rig.publisher, &publishing, sfu_worker_port(rig.workers[publishers]));
    loopback_begin(&rig.viewer, &viewing, sfu_worker_port(rig.workers[viewers]));
    CHECK(wait_until(pictures_flow));
}

static void end_call(void) {
    loopback_close(&rig.publisher);
    loopback_close(&rig.viewer);
}

/* --- Tests --- */

static void a_port_that_is_taken_is_said_in_words(void) {
    char error[256] = "";
    struct sfu_worker *second = NULL;
    open_rig(false);
    struct sfu_worker_config config = config_of(0);
    config.port = sfu_worker_port(rig.workers[0]);
    CHECK_INT(sfu_worker_create(&second, &config, error, sizeof(error)), -EADDRINUSE);
    CHECK(strstr(error, "127.0.0.1") != NULL);
    CHECK(second == NULL);
    close_rig();
}

static void a_worker_that_never_ran_is_cleared_with_its_commands(void) {
    open_rig(false);
    for (uint64_t i = 1; i <= 10; i++)
        sfu_worker_post(rig.workers[0], command(SFU_COMMAND_JOIN, i));
    close_rig();
}

static void a_call_on_one_worker_works(void) {
    open_rig(true);
    begin_call(0, 0);
    take_news();
    CHECK_INT(rig.events[SFU_EVENT_CONNECTED], 2);
    CHECK_INT(rig.events[SFU_EVENT_TRACK_FLOWS], 1);
    CHECK(atomic_load(&rig.news) >= 3);
    end_call();
    close_rig();
}

static void a_call_over_two_workers_works(void) {
    open_rig(true);
    begin_call(0, 1);
    CHECK_INT(bench_sink_lost(bench_client_sink(rig.viewer.client, 0)), 0);
    end_call();
    close_rig();
}

static bool numbers_have_come(void) {
    struct sfu_stats now = stats();
    return now.timers == 2 && now.counters.dtls_handshakes == 2 && now.counters.rtp_forwarded > 0 &&
           now.counters.datagrams_sent > 0;
}

static void numbers_are_published_every_second(void) {
    open_rig(true);
    begin_call(0, 1);
    CHECK(wait_until(numbers_have_come));
    struct sfu_stats now = stats();
    CHECK(now.packets_in_use > 0);
    CHECK(now.counters.datagrams_received >= now.counters.rtp_received);
    CHECK_INT(now.counters.drop_pipe_full, 0);
    end_call();
    close_rig();
}

static bool junk_was_counted(void) {
    struct sfu_counters counters = stats().counters;
    return counters.drop_in_kernel == 5 && counters.drop_unknown_address == 5;
}

static void junk_is_counted_and_nothing_else(void) {
    open_rig(true);
    loopback_open(&rig.viewer, 1, rig.client_dtls);
    struct sfu_local nobody = {.ufrag = "abcdefghijkl", .pwd = "abcdefghijklmnopqrstuvwx"};
    loopback_begin(&rig.viewer, &nobody, sfu_worker_port(rig.workers[1]));
    for (int i = 0; i < 5; i++) {
        loopback_send(&rig.viewer, (const uint8_t *)"\xffjunk that is nothing", 22);
        loopback_send(&rig.viewer, (const uint8_t *)"\x80junk like RTP", 14);
    }
    CHECK(wait_until(junk_was_counted));
    CHECK(stats().counters.drop_stun_unknown_ufrag >= 1); /* The client's checks. */
    CHECK_INT(stats().counters.datagrams_sent, 0);
    loopback_close(&rig.viewer);
    close_rig();
}

enum { POURED = 50000, POURED_AT_ONCE = 50 };

/* From an address that nobody knows, as fast as the call turns: some thousand a second. */
static bool junk_was_poured_and_pictures_flowed(void) {
    static size_t poured, frames;
    static uint8_t junk[200] = {0x80};
    for (size_t i = 0; i < POURED_AT_ONCE && poured < POURED; i++, poured++) {
        junk[0] = (uint8_t)(poured * 64); /* RTP every fourth time. */
        sendto(rig.stranger, junk, sizeof(junk), 0, (struct sockaddr *)&rig.poured_to,
               sizeof(rig.poured_to));
    }
    if (frames == 0)
        frames = loopback_frames(&rig.viewer);
    return poured == POURED && loopback_frames(&rig.viewer) > frames + 10;
}

static void a_call_keeps_all_its_packets_while_junk_is_poured(void) {
    open_rig(true);
    begin_call(0, 0);
    rig.stranger = socket(AF_INET, SOCK_DGRAM, 0);
    rig.poured_to = (struct sockaddr_in){.sin_family = AF_INET,
                                         .sin_port = htons(sfu_worker_port(rig.workers[0])),
                                         .sin_addr = {htonl(INADDR_LOOPBACK)}};
    CHECK(wait_until(junk_was_poured_and_pictures_flowed));
    CHECK_INT(bench_sink_lost(bench_client_sink(rig.viewer.client, 0)), 0);
    CHECK_INT(stats().counters.drop_no_packet, 0);
    close(rig.stranger);
    end_call();
    close_rig();
}

static void who_leaves_is_said_goodbye_to(void) {
    uint8_t data[2048] = {0};
    ssize_t len = 1;
    open_rig(true);
    begin_call(0, 1);
    sfu_worker_post(rig.workers[1], command(SFU_COMMAND_LEAVE, 2));
    struct pollfd fd = {rig.viewer.fd, POLLIN, 0};
    while (len > 0 && rtp_datagram_kind(data, (size_t)len) != RTP_DATAGRAM_DTLS) {
        CHECK_INT(poll(&fd, 1, SECONDS_MAX * 1000), 1);
        len = recv(rig.viewer.fd, data, sizeof(data), MSG_DONTWAIT);
    }
    CHECK(len > 0);
    end_call();
    close_rig();
}

/* Packets of one worker's pool are in the other's histories, pipe and slots when both stop. */
static void stopping_in_the_middle_of_a_call_leaves_nothing(void) {
    open_rig(true);
    begin_call(0, 1);
    sfu_worker_stop(rig.workers[0]);
    sfu_worker_stop(rig.workers[0]); /* Once more does nothing. */
    end_call();
    close_rig();
}

static void a_mirror_may_close_while_packets_are_on_their_way(void) {
    open_rig(true);
    begin_call(0, 1);
    struct sfu_command *closes = command(SFU_COMMAND_MIRROR_CLOSE, 0);
    struct sfu_command *starves = command(SFU_COMMAND_MIRROR_FEED, 0);
    closes->track = starves->track = rig.publisher.media[0].track;
    starves->worker = 1;
    sfu_worker_post(rig.workers[1], closes);
    uint64_t end_us = loopback_now_us() + 100000;
    while (loopback_now_us() < end_us)
        loopback_turn(&rig.publisher);
    sfu_worker_post(rig.workers[0], starves);
    end_call();
    close_rig();
}

static const struct test tests[] = {
    {"a_port_that_is_taken_is_said_in_words", a_port_that_is_taken_is_said_in_words},
    {"a_worker_that_never_ran_is_cleared_with_its_commands",
     a_worker_that_never_ran_is_cleared_with_its_commands},
    {"a_call_on_one_worker_works", a_call_on_one_worker_works},
    {"a_call_over_two_workers_works", a_call_over_two_workers_works},
    {"numbers_are_published_every_second", numbers_are_published_every_second},
    {"junk_is_counted_and_nothing_else", junk_is_counted_and_nothing_else},
    {"a_call_keeps_all_its_packets_while_junk_is_poured",
     a_call_keeps_all_its_packets_while_junk_is_poured},
    {"who_leaves_is_said_goodbye_to", who_leaves_is_said_goodbye_to},
    {"stopping_in_the_middle_of_a_call_leaves_nothing",
     stopping_in_the_middle_of_a_call_leaves_nothing},
    {"a_mirror_may_close_while_packets_are_on_their_way",
     a_mirror_may_close_while_packets_are_on_their_way},
};

TEST_MAIN(tests)
