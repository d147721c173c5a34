#include "tests/sim/world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct world_delivery {
    uint64_t at_us, order;
    struct world_person *person;
    struct sfu_address from; /* Towards the server. */
    bool to_server;
    size_t len;
    uint8_t data[SFU_BATCH_DATAGRAM_MAX];
};

struct world_piped {
    struct world_piped *next;
    unsigned worker;
    struct sfu_pipe_entry entry;
};

/* --- The queue of what is on its way --- */

static bool is_before(const struct world_delivery *a, const struct world_delivery *b) {
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void queue_push(struct world *world, struct world_delivery *delivery) {
    if (world->queued == world->queue_capacity) {
        world->queue_capacity = world->queue_capacity * 2 + 64;
        world->queue = realloc(world->queue, world->queue_capacity * sizeof(*world->queue));
        assert(world->queue != NULL);
    }
    size_t i = world->queued++;
    for (; i > 0 && is_before(delivery, world->queue[(i - 1) / 2]); i = (i - 1) / 2)
        world->queue[i] = world->queue[(i - 1) / 2];
    world->queue[i] = delivery;
}

static struct world_delivery *queue_pop(struct world *world) {
    struct world_delivery *first = world->queue[0];
    struct world_delivery *last = world->queue[--world->queued];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < world->queued; i = child) {
        if (child + 1 < world->queued && is_before(world->queue[child + 1], world->queue[child]))
            child++;
        if (!is_before(world->queue[child], last))
            break;
        world->queue[i] = world->queue[child];
    }
    world->queue[i] = last;
    return first;
}

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

static void transmit(struct world_person *person, bool to_server, const uint8_t *data, size_t len) {
    struct world *world = person->world;
    uint64_t arrivals_us[2];
    note(world, person, to_server, data, len);
    size_t copies =
        bench_link_send(to_server ? &person->up : &person->down, world->now_us, len, arrivals_us);
    for (size_t i = 0; i < copies && !person->muted; i++) {
        struct world_delivery *delivery = malloc(sizeof(*delivery));
        assert(delivery != NULL && len <= sizeof(delivery->data));
        *delivery = (struct world_delivery){.at_us = arrivals_us[i],
                                            .order = world->orders++,
                                            .person = person,
                                            .from = person->address,
                                            .to_server = to_server,
                                            .len = len};
        memcpy(delivery->data, data, len);
        queue_push(world, delivery);
    }
}

/* --- Where engines and clients send --- */

static void from_client(void *ctx, const uint8_t *data, size_t len) {
    transmit(ctx, true, data, len);
}

static struct world_person *at_address(struct world *world, const struct sfu_address *address) {
    for (size_t i = 0; i < world->people_count; i++)
        if (world->people[i].present && sfu_address_equal(&world->people[i].address, address))
            return &world->people[i];
    return NULL; /* It moved, or left. */
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

static void on_event(void *ctx, const struct sfu_event *event) {
    struct world *world = ((struct engine_ctx *)ctx)->world;
    world->people[event->participant - 1].events[event->type]++;
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
    world->piped_end = &world->piped;
    int result = sfu_srtp_startup();
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
    while (world->queued > 0)
        free(queue_pop(world));
    free(world->queue);
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
    free(world);
}

static struct sfu_media *add_media(struct world_person *person, bool video,
                                   enum sfu_direction direction) {
    struct sfu_media *media = &person->media[person->media_count];
    *media =
        (struct sfu_media){.video = video, .direction = direction, .nack = video, .codec_count = 1};
    snprintf(media->mid, sizeof(media->mid), "%zu", person->media_count);
    media->codecs[0] = video ? (struct sfu_codec){RTP_CODEC_VP8, 96, 97, 0}
                             : (struct sfu_codec){RTP_CODEC_OPUS, 111, 0, 0};
    media->extensions.ids[RTP_EXT_MID] = 4;
    media->extensions.ids[RTP_EXT_ABS_SEND_TIME] = 2;
    media->extensions.ids[RTP_EXT_AUDIO_LEVEL] = 1;
    media->extensions.ids[RTP_EXT_RID] = 10;
    media->extensions.ids[RTP_EXT_REPAIRED_RID] = 11;
    uint32_t ssrc = (uint32_t)(person->number * 1000 + person->media_count * 10);
    if (direction == SFU_SLOT) {
        media->slot_ssrc = ssrc;
        media->slot_rtx_ssrc = video ? ssrc + 1 : 0;
    } else {
        media->track = person->number * 100 + person->media_count;
        media->source = video ? SFU_SOURCE_CAMERA : SFU_SOURCE_MICROPHONE;
    }
    person->media_count++;
    return media;
}

static void write_media(struct world_person *person, const struct world_profile *profile) {
    if (profile->microphone)
        add_media(person, false, SFU_PUBLISHES);
    if (profile->camera) {
        struct sfu_media *camera = add_media(person, true, SFU_PUBLISHES);
        camera->layer_count = profile->simulcast ? 3 : 1;
        for (size_t i = 0; profile->simulcast && i < 3; i++)
            snprintf(camera->rids[i], sizeof(camera->rids[i]), "%c", "qhf"[i]);
    }
    for (size_t i = 0; i < profile->slots; i++) {
        add_media(person, false, SFU_SLOT)->slot_stream = (uint16_t)i;
        add_media(person, true, SFU_SLOT)->slot_stream = (uint16_t)i;
    }
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

struct world_person *world_join(struct world *world, const struct world_profile *profile) {
    struct world_person *person = &world->people[world->people_count];
    unsigned worker = (unsigned)(world->people_count % world->config.workers);
    assert(world->people_count < WORLD_PEOPLE_MAX);
    *person =
        (struct world_person){.world = world, .number = ++world->people_count, .present = true};
    person->address = (struct sfu_address){
        .ip = {10, 0, 0, (uint8_t)person->number}, .port = 5000, .family = AF_INET, .via = 0};
    bench_link_init(&person->up, &profile->up, world->config.seed * 64 + person->number * 2);
    bench_link_init(&person->down, &profile->down,
                    world->config.seed * 64 + person->number * 2 + 1);
    struct bench_client_config client = {.number = person->number,
                                         .seed = world->config.seed * 1000 + person->number,
                                         .dtls = world->client_dtls,
                                         .send = from_client,
                                         .ctx = person,
                                         .video_bps = 1000000,
                                         .audio_bps = 32000};
    int result = bench_client_create(&person->client, &client);
    result |= sfu_member_create(&person->member, world->room, person->number, worker);
    sfu_ice_credentials_generate(&person->credentials);
    result |= sfu_engine_join(world->engines[worker], world->now_us, person->number,
                              &person->credentials);
    assert(result == 0);
    write_media(person, profile);
    negotiate(person);
    struct sfu_local local = local_of(person);
    result = bench_client_begin(person->client, world->now_us, &local, person->media,
                                person->media_count);
    assert(result == 0);
    (void)result;
    return person;
}

void world_leave(struct world *world, struct world_person *person) {
    unsigned worker = person->member->worker;
    person->present = false;
    sfu_member_destroy(person->member);
    sfu_engine_leave(world->engines[worker], world->now_us, person->number);
    bench_client_destroy(person->client);
    person->client = NULL;
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
}

/* --- Time --- */

static void deliver(struct world *world, struct world_delivery *delivery) {
    struct world_person *person = delivery->person;
    if (!person->present)
        return;
    if (!delivery->to_server) {
        bench_client_input(person->client, world->now_us, delivery->data, delivery->len);
        return;
    }
    struct sfu_engine *engine = world->engines[person->member->worker];
    struct sfu_packet *packet = sfu_pool_get(world->pool);
    assert(packet != NULL && delivery->len <= SFU_PACKET_CAPACITY);
    memcpy(packet->data, delivery->data, delivery->len);
    packet->len = (uint32_t)delivery->len;
    sfu_engine_input(engine, world->now_us, &delivery->from, packet);
    sfu_packet_unref(packet);
    sfu_engine_flush(engine, world->now_us);
}

static uint64_t sooner(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static uint64_t next_time(const struct world *world) {
    uint64_t next_us = world->queued ? world->queue[0]->at_us : UINT64_MAX;
    for (unsigned i = 0; i < world->config.workers; i++)
        next_us = sooner(next_us, sfu_engine_next_deadline(world->engines[i]));
    for (size_t i = 0; i < world->people_count; i++)
        if (world->people[i].present)
            next_us = sooner(next_us, bench_client_next_deadline(world->people[i].client));
    return next_us;
}

static void step(struct world *world) {
    while (world->queued > 0 && world->queue[0]->at_us <= world->now_us) {
        struct world_delivery *delivery = queue_pop(world);
        deliver(world, delivery);
        free(delivery);
    }
    for (unsigned i = 0; i < world->config.workers; i++) {
        if (sfu_engine_next_deadline(world->engines[i]) > world->now_us)
            continue;
        sfu_engine_on_deadline(world->engines[i], world->now_us);
        sfu_engine_flush(world->engines[i], world->now_us);
    }
    for (size_t i = 0; i < world->people_count; i++)
        if (world->people[i].present &&
            bench_client_next_deadline(world->people[i].client) <= world->now_us)
            bench_client_on_deadline(world->people[i].client, world->now_us);
    run_pipes(world);
}

void world_run(struct world *world, uint64_t duration_us) {
    uint64_t end_us = world->now_us + duration_us;
    for (uint64_t next_us; (next_us = next_time(world)) <= end_us;) {
        world->now_us = next_us > world->now_us ? next_us : world->now_us;
        step(world);
    }
    world->now_us = end_us;
}

const struct bench_sink *world_sink(const struct world_person *person, bool video, size_t k) {
    size_t sink = 0;
    for (size_t i = 0; i < person->media_count; i++) {
        if (person->media[i].direction != SFU_SLOT)
            continue;
        if (person->media[i].video == video && k-- == 0)
            return bench_client_sink(person->client, sink);
        sink++;
    }
    return NULL;
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
