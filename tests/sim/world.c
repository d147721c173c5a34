#include "tests/sim/world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/world_floor.h"
#include "tests/sim/world_media.h"
#include "tests/sim/world_queue.h"
#include "tests/sim/world_trace.h"

enum { SAMPLE_US = 20000 };

struct world_piped {
    struct world_piped *next;
    unsigned worker;
    struct sfu_pipe_entry entry;
};

/* In the manner of FNV-1a. DTLS is left out: the lengths of its signatures differ from run to run.
 */
static void note(struct world *world, const struct world_person *person, bool to_server,
                 const uint8_t *data, size_t len) {
    uint64_t words[] = {world->now_us, person->number * 2 + to_server, len};
    if (rtp_datagram_kind(data, len) == RTP_DATAGRAM_DTLS)
        return;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        world->trace = (world->trace ^ words[i]) * UINT64_C(0x100000001b3);
}

static void put_on_way(struct world_person *person, enum world_kind kind, uint64_t at_us,
                       const uint8_t *data, size_t len) {
    struct world *world = person->world;
    struct world_delivery *delivery = world_delivery_get(world, person, kind, at_us);
    assert(len <= sizeof(delivery->data));
    delivery->from = person->address;
    delivery->len = len;
    memcpy(delivery->data, data, len);
    world_queue_push(world, delivery);
}

/* Signatures of a handshake are a byte longer or shorter from run to run: for the links all of its
 * datagrams are alike. */
static size_t wire_len_of(const uint8_t *data, size_t len) {
    enum { DTLS_LEN = 600 };
    bool handshake = rtp_datagram_kind(data, len) == RTP_DATAGRAM_DTLS;
    return (handshake ? DTLS_LEN : len) + WORLD_IP_UDP_LEN;
}

/* Through the shared link, if there is one, and every copy through the person's own. */
static void transmit(struct world_person *person, bool to_server, const uint8_t *data, size_t len) {
    struct world *world = person->world;
    struct bench_link *shared = to_server ? person->shared_up : person->shared_down;
    struct bench_link *own = to_server ? &person->up : &person->down;
    size_t wire_len = wire_len_of(data, len);
    uint64_t passed_us[2] = {world->now_us}, arrivals_us[2];
    note(world, person, to_server, data, len);
    person->sent_bytes += to_server ? 0 : wire_len;
    size_t passed = shared ? bench_link_send(shared, world->now_us, wire_len, passed_us) : 1;
    for (size_t i = 0; i < passed; i++) {
        size_t copies = bench_link_send(own, passed_us[i], wire_len, arrivals_us);
        for (size_t copy = 0; copy < copies && !person->muted; copy++)
            put_on_way(person, to_server ? WORLD_TO_SERVER : WORLD_TO_CLIENT, arrivals_us[copy],
                       data, len);
    }
}

/* --- Where engines and clients send --- */

static void from_client(void *ctx, const uint8_t *data, size_t len) {
    transmit(ctx, true, data, len);
}

static struct sfu_address address_of(const struct world_person *person) {
    uint8_t high = (uint8_t)(person->number >> 8), low = (uint8_t)person->number;
    return (struct sfu_address){.ip = {10, 0, high, low}, .port = 5000, .family = AF_INET};
}

static struct world_person *at_address(struct world *world, const struct sfu_address *address) {
    size_t number = (size_t)address->ip[2] << 8 | address->ip[3];
    struct world_person *person = &world->people[number - 1];
    bool there = number > 0 && number <= world->people_count && person->present &&
                 sfu_address_equal(&person->address, address);
    return there ? person : NULL; /* It moved, or left. */
}

struct engine_ctx {
    struct world *world;
    unsigned worker;
};

static struct engine_ctx engine_ctxs[WORLD_WORKERS_MAX];

static void from_engine(void *ctx, const struct sfu_message *messages, size_t count) {
    struct world *world = ((struct engine_ctx *)ctx)->world;
    for (size_t i = 0; i < count; i++) {
        struct world_person *person = at_address(world, &messages[i].to);
        for (size_t at = 0; person != NULL && at < messages[i].len; at += messages[i].segment_len) {
            size_t rest = messages[i].len - at;
            transmit(person, false, messages[i].data + at,
                     rest < messages[i].segment_len ? rest : messages[i].segment_len);
        }
    }
}

/* What the front end does about events: layers that nobody watches are not encoded. */
static void on_event(void *ctx, const struct sfu_event *event) {
    struct world *world = ((struct engine_ctx *)ctx)->world;
    if (event->participant == 0)
        return;
    struct world_person *person = &world->people[event->participant - 1];
    person->events[event->type]++;
    if (event->type == SFU_EVENT_SLOTS)
        for (size_t i = 0; i < event->slot_count; i++)
            sfu_member_set_paused(person->member, &event->slots[i]);
    if (event->type != SFU_EVENT_PUBLISH_LAYERS)
        return;
    struct world_delivery *message =
        world_delivery_get(world, person, WORLD_LAYERS, world->now_us + world->config.signaling_us);
    message->track = event->track;
    message->layers = event->layers;
    world_queue_push(world, message);
}

static void on_levels(void *ctx, const struct sfu_level *levels, size_t count) {
    world_floor_keep(((struct engine_ctx *)ctx)->world, levels, count);
}

static bool on_pipe(void *ctx, unsigned worker, const struct sfu_pipe_entry *entry) {
    struct world *world = ((struct engine_ctx *)ctx)->world;
    struct world_piped *piped = calloc(1, sizeof(*piped));
    assert(piped != NULL);
    piped->worker = worker;
    piped->entry = *entry;
    *world->piped_end = piped;
    world->piped_end = &piped->next;
    return true;
}

static void run_pipes(struct world *world) {
    while (world->piped != NULL) {
        struct world_piped *piped = world->piped;
        world->piped = piped->next;
        if (world->piped == NULL)
            world->piped_end = &world->piped;
        sfu_engine_on_pipe(world->engines[piped->worker], world->now_us, &piped->entry);
        if (piped->entry.type == SFU_PIPE_PACKET)
            sfu_packet_unref(piped->entry.packet);
        sfu_engine_flush(world->engines[piped->worker], world->now_us);
        free(piped);
    }
}

/* --- The room's decisions --- */

static void carry(void *ctx, struct sfu_member *member, struct sfu_member_slot *slot,
                  struct sfu_published *was) {
    struct world *world = ctx;
    struct sfu_published *now = slot->track;
    struct sfu_engine *here = world->engines[member->worker];
    if (now != NULL && now->watchers[member->worker]++ == 0 &&
        now->member->worker != member->worker) {
        sfu_engine_mirror_open(here, now->member->worker, &now->media);
        sfu_engine_mirror_feed(world->engines[now->member->worker], now->media.track,
                               member->worker, true);
    }
    if (now != NULL && now->watchers[member->worker] == 1)
        world_floor_on_watched(world, now, member->worker);
    sfu_engine_set_slot(here, world->now_us, member->id, slot->media.mid,
                        now ? now->media.track : 0);
    if (was != NULL && --was->watchers[member->worker] == 0 &&
        was->member->worker != member->worker) {
        sfu_engine_mirror_close(here, was->media.track);
        sfu_engine_mirror_feed(world->engines[was->member->worker], was->media.track,
                               member->worker, false);
    }
}

/* --- Life --- */

struct world *world_create(const struct world_config *config) {
    struct world *world = calloc(1, sizeof(*world));
    assert(world != NULL);
    world->config = *config;
    world->config.workers = config->workers ? config->workers : 1;
    world->now_us = S;
    world->sample_at_us = UINT64_MAX;
    if (config->sample_us == 0)
        world->config.sample_us = SAMPLE_US;
    world->people = calloc(WORLD_PEOPLE_MAX, sizeof(*world->people));
    assert(world->people != NULL);
    sfu_agenda_init(&world->agenda);
    world->piped_end = &world->piped;
    int result = sfu_agenda_reserve(&world->agenda, WORLD_PEOPLE_MAX);
    result |= sfu_dtls_context_create(&world->server_dtls);
    result |= bench_dtls_context_create(
        &world->client_dtls, config->profiles ? config->profiles : "SRTP_AEAD_AES_128_GCM");
    result |= sfu_pool_create(&world->pool, 1 << 17);
    result |= sfu_room_create(&world->room, 1, carry, world);
    for (unsigned i = 0; i < world->config.workers; i++) {
        engine_ctxs[i] = (struct engine_ctx){world, i};
        struct sfu_engine_config engine = {
            .dtls = world->server_dtls,
            .worker = i,
            .seed = config->seed + i,
            .consent_timeout_ms = config->consent_timeout_ms ? config->consent_timeout_ms : 30000,
            .send = from_engine,
            .on_event = on_event,
            .on_levels = on_levels,
            .pipe = on_pipe,
            .ctx = &engine_ctxs[i],
        };
        result |= sfu_engine_create(&world->engines[i], &engine);
    }
    assert(result == 0);
    (void)result;
    return world;
}

static void drop_queues(struct world *world) {
    world_queue_drop(world);
    while (world->piped != NULL) {
        struct world_piped *next = world->piped->next;
        if (world->piped->entry.type == SFU_PIPE_PACKET)
            sfu_packet_unref(world->piped->entry.packet);
        free(world->piped);
        world->piped = next;
    }
}

void world_destroy(struct world *world) {
    for (size_t i = 0; i < world->people_count; i++)
        if (world->people[i].present)
            world_leave(world, &world->people[i]);
    sfu_room_destroy(world->room);
    for (unsigned i = 0; i < world->config.workers; i++)
        sfu_engine_destroy(world->engines[i]);
    drop_queues(world);
    assert(sfu_pool_in_use(world->pool) == 0);
    sfu_pool_destroy(world->pool);
    bench_dtls_context_destroy(world->client_dtls);
    sfu_dtls_context_destroy(world->server_dtls);
    for (size_t i = 0; i < world->people_count; i++)
        free(world->people[i].trace.samples);
    sfu_agenda_deinit(&world->agenda);
    free(world->people);
    free(world);
}

static struct sfu_local local_of(const struct world_person *person) {
    struct sfu_local local = {0};
    memcpy(local.ufrag, person->credentials.ufrag, sizeof(local.ufrag));
    memcpy(local.pwd, person->credentials.pwd, sizeof(local.pwd));
    return local;
}

static void negotiate(struct world_person *person) {
    struct world *world = person->world;
    struct sfu_description description = {.media = person->media,
                                          .media_count = person->media_count};
    snprintf(description.remote_ufrag, sizeof(description.remote_ufrag), "%s",
             bench_client_ufrag(person->client));
    snprintf(description.remote_pwd, sizeof(description.remote_pwd), "%s",
             bench_client_pwd(person->client));
    memcpy(description.remote_fingerprint, bench_dtls_context_fingerprint(world->client_dtls),
           SFU_FINGERPRINT_LEN);
    int result = sfu_engine_negotiate(world->engines[person->member->worker], world->now_us,
                                      person->number, &description);
    assert(result == 0);
    result = sfu_member_describe(person->member, person->media, person->media_count);
    assert(result == 0);
    (void)result;
}

static void hurry(struct world_person *person) {
    sfu_agenda_set(&person->world->agenda, &person->deadline,
                   bench_client_next_deadline(person->client));
}

static void begin_client(struct world_person *person, const struct world_profile *profile) {
    struct world *world = person->world;
    struct bench_client_config config = {
        .number = person->number,
        .seed = world->config.seed * 1000 + person->number,
        .dtls = world->client_dtls,
        .send = from_client,
        .ctx = person,
        .video_bps = profile->video_bps ? profile->video_bps : 1000000,
        .audio_bps = 32000,
        .scalability = profile->scalability,
        .dtx = profile->dtx,
        .unpaced = profile->unpaced,
    };
    memcpy(config.layer_bps, profile->layer_bps, sizeof(config.layer_bps));
    int result = bench_client_create(&person->client, &config);
    assert(result == 0);
    (void)result;
}

struct world_person *world_join(struct world *world, const struct world_profile *profile) {
    struct world_person *person = &world->people[world->people_count];
    unsigned worker = (unsigned)(world->people_count % world->config.workers);
    assert(world->people_count < WORLD_PEOPLE_MAX);
    *person = (struct world_person){.world = world,
                                    .number = ++world->people_count,
                                    .present = true,
                                    .shared_up = profile->shared_up,
                                    .shared_down = profile->shared_down};
    person->address = address_of(person);
    uint64_t seed = world->config.seed * WORLD_PEOPLE_MAX * 2 + person->number * 2;
    bench_link_init(&person->up, &profile->up, seed);
    bench_link_init(&person->down, &profile->down, seed + 1);
    begin_client(person, profile);
    int result = sfu_member_create(&person->member, world->room, person->number, worker);
    sfu_ice_credentials_generate(&person->credentials);
    result |= sfu_engine_join(world->engines[worker], world->now_us, person->number,
                              &person->credentials);
    assert(result == 0);
    world_media_write(person, profile);
    negotiate(person);
    struct sfu_local local = local_of(person);
    result = bench_client_begin(person->client, world->now_us, &local, person->media,
                                person->media_count);
    assert(result == 0);
    (void)result;
    hurry(person);
    return person;
}

void world_leave(struct world *world, struct world_person *person) {
    unsigned worker = person->member->worker;
    person->present = false;
    sfu_member_destroy(person->member);
    sfu_engine_leave(world->engines[worker], world->now_us, person->number);
    bench_client_destroy(person->client);
    person->client = NULL;
    sfu_agenda_set(&world->agenda, &person->deadline, UINT64_MAX);
}

void world_wish(struct world_person *person, const struct sfu_wish *wish) {
    struct world *world = person->world;
    struct world_delivery *message =
        world_delivery_get(world, person, WORLD_WISH, world->now_us + world->config.signaling_us);
    message->wish = *wish;
    world_queue_push(world, message);
}

void world_move(struct world_person *person) {
    person->address.port++;
}

void world_restart_ice(struct world_person *person) {
    struct world *world = person->world;
    sfu_ice_credentials_generate(&person->credentials);
    sfu_engine_restart_ice(world->engines[person->member->worker], person->number,
                           &person->credentials);
    struct sfu_local local = local_of(person);
    bench_client_restart(person->client, world->now_us, &local);
    hurry(person);
}

/* --- Other traffic --- */

struct bench_link *world_link(struct world *world, const struct bench_link_config *config) {
    assert(world->link_count < WORLD_LINKS_MAX);
    struct bench_link *link = &world->links[world->link_count++];
    bench_link_init(link, config, world->config.seed * 31 + world->link_count);
    return link;
}

struct bench_cubic *world_cubic(struct world *world, struct bench_link *link, uint64_t begin_us,
                                uint64_t end_us) {
    assert(world->cubic_count < WORLD_LINKS_MAX);
    struct bench_cubic *flow = &world->cubics[world->cubic_count++];
    bench_cubic_init(flow, link, link->config.delay_us, begin_us, end_us);
    return flow;
}

struct bench_cross *world_cross(struct world *world, struct bench_link *link, uint64_t rate_bps,
                                uint64_t begin_us, uint64_t end_us) {
    assert(world->cross_count < WORLD_LINKS_MAX);
    struct bench_cross *cross = &world->crosses[world->cross_count++];
    bench_cross_init(cross, link, rate_bps, begin_us, end_us);
    return cross;
}

/* --- Time --- */

static void to_server(struct world *world, const struct world_delivery *delivery) {
    struct sfu_engine *engine = world->engines[delivery->person->member->worker];
    struct sfu_packet *packet = sfu_pool_get(world->pool);
    assert(packet != NULL && delivery->len <= SFU_PACKET_CAPACITY);
    memcpy(packet->data, delivery->data, delivery->len);
    packet->len = (uint32_t)delivery->len;
    sfu_engine_input(engine, world->now_us, &delivery->from, packet);
    sfu_packet_unref(packet);
}

static void to_client(struct world *world, const struct world_delivery *delivery) {
    struct world_person *person = delivery->person;
    person->received_bytes += wire_len_of(delivery->data, delivery->len);
    bench_client_input(person->client, world->now_us, delivery->data, delivery->len);
    hurry(person);
}

static void publish_layers(const struct world_delivery *message) {
    struct world_person *person = message->person;
    for (size_t i = 0; i < person->media_count; i++)
        if (person->media[i].direction == SFU_PUBLISHES && person->media[i].track == message->track)
            bench_client_publish_layers(person->client, person->media[i].mid, message->layers);
    hurry(person);
}

static void apply_wish(struct world *world, const struct world_delivery *message) {
    struct world_person *person = message->person;
    sfu_member_subscribe(person->member, &message->wish);
    sfu_engine_subscribe(world->engines[person->member->worker], world->now_us, person->number,
                         &message->wish);
}

static void deliver(struct world *world, const struct world_delivery *delivery) {
    if (!delivery->person->present)
        return;
    switch (delivery->kind) {
    case WORLD_TO_SERVER:
        to_server(world, delivery);
        break;
    case WORLD_TO_CLIENT:
        to_client(world, delivery);
        break;
    case WORLD_WISH:
        apply_wish(world, delivery);
        break;
    case WORLD_LAYERS:
        publish_layers(delivery);
        break;
    }
}

static uint64_t sooner(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static uint64_t next_time(const struct world *world) {
    uint64_t next_us = world->queued ? world->queue[0]->at_us : UINT64_MAX;
    next_us = sooner(next_us, sfu_agenda_next(&world->agenda));
    next_us = sooner(next_us, world->sample_at_us);
    next_us = sooner(next_us, sfu_room_next_deadline(world->room));
    for (unsigned i = 0; i < world->config.workers; i++)
        next_us = sooner(next_us, sfu_engine_next_deadline(world->engines[i]));
    for (size_t i = 0; i < world->cubic_count; i++)
        next_us = sooner(next_us, bench_cubic_next_deadline(&world->cubics[i]));
    for (size_t i = 0; i < world->cross_count; i++)
        next_us = sooner(next_us, world->crosses[i].next_us);
    return next_us;
}

static void run_flows(struct world *world) {
    for (size_t i = 0; i < world->cubic_count; i++)
        if (bench_cubic_next_deadline(&world->cubics[i]) <= world->now_us)
            bench_cubic_on_deadline(&world->cubics[i], world->now_us);
    for (size_t i = 0; i < world->cross_count; i++)
        if (world->crosses[i].next_us <= world->now_us)
            bench_cross_on_deadline(&world->crosses[i], world->now_us);
}

static void run_clients(struct world *world) {
    struct sfu_deadline *due;
    while ((due = sfu_agenda_take_due(&world->agenda, world->now_us)) != NULL) {
        size_t offset = offsetof(struct world_person, deadline);
        struct world_person *person = (struct world_person *)((char *)due - offset);
        bench_client_on_deadline(person->client, world->now_us);
        hurry(person);
    }
}

/* What arrives at the same time is one wake-up, as in a worker. */
static void run_engines(struct world *world) {
    for (unsigned i = 0; i < world->config.workers; i++) {
        if (sfu_engine_next_deadline(world->engines[i]) <= world->now_us)
            sfu_engine_on_deadline(world->engines[i], world->now_us);
        sfu_engine_flush(world->engines[i], world->now_us);
    }
    run_pipes(world);
}

static void step(struct world *world) {
    while (world->queued > 0 && world->queue[0]->at_us <= world->now_us) {
        struct world_delivery *delivery = world_queue_pop(world);
        deliver(world, delivery);
        world_delivery_put(world, delivery);
    }
    run_engines(world);
    world_floor_run(world);
    run_clients(world);
    run_flows(world);
    if (world->sample_at_us <= world->now_us) {
        world_sample_all(world);
        world->sample_at_us = world->now_us + world->config.sample_us;
    }
}

void world_run(struct world *world, uint64_t duration_us) {
    uint64_t end_us = world->now_us + duration_us;
    for (uint64_t next_us; (next_us = next_time(world)) <= end_us;) {
        world->now_us = next_us > world->now_us ? next_us : world->now_us;
        step(world);
    }
    world->now_us = end_us;
}

const struct sfu_media *world_slot(const struct world_person *person, bool video, size_t k) {
    for (size_t i = 0; i < person->media_count; i++) {
        const struct sfu_media *media = &person->media[i];
        if (media->direction == SFU_SLOT && media->video == video && k-- == 0)
            return media;
    }
    return NULL;
}

const struct bench_sink *world_sink(const struct world_person *person, bool video, size_t k) {
    const struct sfu_media *slot = world_slot(person, video, k);
    size_t sink = 0;
    for (const struct sfu_media *media = person->media; slot != NULL && media < slot; media++)
        sink += media->direction == SFU_SLOT;
    return slot != NULL ? bench_client_sink(person->client, sink) : NULL;
}

uint64_t world_track(const struct world_person *person, size_t n) {
    return person->number * 100 + n;
}

void world_trace(struct world_person *person) {
    struct world *world = person->world;
    person->traced = true;
    if (world->sample_at_us == UINT64_MAX)
        world->sample_at_us = world->now_us;
}

struct sfu_counters world_counters(const struct world *world) {
    struct sfu_counters sum = {0};
    for (unsigned i = 0; i < world->config.workers; i++) {
#define X(name) sum.name += world->engines[i]->counters.name;
        SFU_COUNTERS(X)
#undef X
    }
    return sum;
}
