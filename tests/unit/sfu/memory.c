/* What a participant costs in memory: a thousand clients with real handshakes, and every byte that
 * the engine allocated for them. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/client.h"
#include "sfu/engine.h"
#include "sfu/transport.h"
#include "tests/unit/test.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if !defined(SANITIZED) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define COUNTS_BYTES 1

/* Bytes that the engine holds, with what the allocator keeps of each block. What clients hold is
 * theirs: `counts` is only on while the engine runs. */
enum { BLOCK_HEAD = 8 };
static bool counts;
static int64_t held;

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *block);

static void *note(void *block, int sign) {
    if (counts && block != NULL)
        held += sign * (int64_t)(malloc_usable_size(block) + BLOCK_HEAD);
    return block;
}

void *malloc(size_t size) {
    return note(__libc_malloc(size), 1);
}

void *calloc(size_t count, size_t size) {
    return note(__libc_calloc(count, size), 1);
}

void *realloc(void *old, size_t size) {
    note(old, -1);
    return note(__libc_realloc(old, size), 1);
}

int posix_memalign(void **out, size_t alignment, size_t size) {
    *out = note(__libc_memalign(alignment, size), 1);
    return *out ? 0 : 12;
}

void free(void *block) {
    __libc_free(note(block, -1));
}

/* --- A room --- */

enum {
    CLIENTS = 1000,
    SLOTS_MAX = 16,
    QUEUE = 8192,
    TICK_US = 5000,
    CAMERA = 1,
    MICROPHONE = 2,
    OPUS_PT = 111,
    VP8_PT = 96,
    RTX_PT = 97,
    IDLE_MAX = 30 * 1024,
    WATCHING_MAX = 64 * 1024,
};

struct datagram {
    struct sfu_address from;
    uint32_t len;
    uint8_t data[SFU_PACKET_CAPACITY];
};

struct member {
    uint64_t number;
    struct sfu_address address;
    struct bench_client *client;
    size_t media_count;
    struct sfu_media media[SLOTS_MAX];
};

static struct {
    uint64_t now_us;
    struct sfu_dtls_context *dtls;
    struct bench_dtls_context *client_dtls;
    struct sfu_pool *pool;
    struct sfu_engine *engine;
    size_t count;
    struct member members[CLIENTS + 1]; /* The first one publishes. */
    size_t queued;
    struct datagram queue[QUEUE]; /* What clients have sent. */
} room;

static void to_clients(void *ctx, const struct sfu_message *messages, size_t count) {
    (void)ctx;
    bool counted = counts;
    counts = false;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *ip = messages[i].to.ip;
        struct member *member = &room.members[ip[2] << 8 | ip[3]];
        for (size_t at = 0; at < messages[i].len; at += messages[i].segment_len) {
            size_t rest = messages[i].len - at;
            bench_client_input(member->client, room.now_us, messages[i].data + at,
                               rest < messages[i].segment_len ? rest : messages[i].segment_len);
        }
    }
    counts = counted;
}

static void to_engine(void *ctx, const uint8_t *data, size_t len) {
    struct member *member = ctx;
    CHECK(room.queued < QUEUE && len <= SFU_PACKET_CAPACITY);
    struct datagram *datagram = &room.queue[room.queued++];
    datagram->from = member->address;
    datagram->len = (uint32_t)len;
    memcpy(datagram->data, data, len);
}

static void on_event(void *ctx, const struct sfu_event *event) {
    (void)ctx;
    (void)event;
}

static void run_engine(void) {
    if (sfu_engine_next_deadline(room.engine) <= room.now_us)
        sfu_engine_on_deadline(room.engine, room.now_us);
    for (size_t i = 0; i < room.queued; i++) {
        counts = false;
        struct sfu_packet *packet = sfu_pool_get(room.pool); /* The pool is nobody's. */
        CHECK(packet != NULL);
        counts = true;
        packet->len = room.queue[i].len;
        memcpy(packet->data, room.queue[i].data, packet->len);
        sfu_engine_input(room.engine, room.now_us, &room.queue[i].from, packet);
        sfu_packet_unref(packet);
    }
    room.queued = 0;
    counts = true;
    sfu_engine_flush(room.engine, room.now_us);
    counts = false;
}

static void run(uint64_t duration_us) {
    for (uint64_t end_us = room.now_us + duration_us; room.now_us < end_us;
         room.now_us += TICK_US) {
        for (size_t i = 0; i < room.count; i++)
            if (bench_client_next_deadline(room.members[i].client) <= room.now_us)
                bench_client_on_deadline(room.members[i].client, room.now_us);
        counts = true;
        run_engine();
    }
}

static void open_room(void) {
    struct sfu_engine_config config = {
        .seed = 1, .consent_timeout_ms = 30000, .send = to_clients, .on_event = on_event};
    room.now_us = 1000000;
    CHECK_INT(sfu_dtls_context_create(&room.dtls), 0);
    CHECK_INT(bench_dtls_context_create(&room.client_dtls, "SRTP_AEAD_AES_128_GCM"), 0);
    CHECK_INT(sfu_pool_create(&room.pool, 1 << 14), 0);
    config.dtls = room.dtls;
    CHECK_INT(sfu_engine_create(&room.engine, &config), 0);
}

static void close_room(void) {
    counts = true;
    sfu_engine_destroy(room.engine);
    counts = false;
    for (size_t i = 0; i < room.count; i++)
        bench_client_destroy(room.members[i].client);
    sfu_pool_destroy(room.pool);
    bench_dtls_context_destroy(room.client_dtls);
    sfu_dtls_context_destroy(room.dtls);
}

static void describe(struct member *member, bool video, enum sfu_direction direction) {
    size_t place = member->media_count++;
    struct sfu_media *media = &member->media[place];
    uint32_t ssrc = (uint32_t)(10000 * (member->number + 1) + 2 * place);
    *media = (struct sfu_media){.video = video,
                                .direction = direction,
                                .nack = true,
                                .transport_cc = true,
                                .codec_count = 1};
    snprintf(media->mid, sizeof(media->mid), "%zu", place);
    media->codecs[0] = video ? (struct sfu_codec){RTP_CODEC_VP8, VP8_PT, RTX_PT, 0}
                             : (struct sfu_codec){RTP_CODEC_OPUS, OPUS_PT, 0, 0};
    media->extensions.ids[RTP_EXT_AUDIO_LEVEL] = 1;
    media->extensions.ids[RTP_EXT_ABS_SEND_TIME] = 2;
    media->extensions.ids[RTP_EXT_TRANSPORT_SEQ] = 3;
    media->extensions.ids[RTP_EXT_MID] = 4;
    if (direction == SFU_SLOT) {
        media->slot_ssrc = ssrc;
        media->slot_rtx_ssrc = video ? ssrc + 1 : 0;
        return;
    }
    media->track = video ? CAMERA : MICROPHONE;
    media->layer_count = 1;
    media->ssrcs[0] = ssrc;
    media->rtx_ssrcs[0] = video ? ssrc + 1 : 0;
}

static void negotiate(const struct member *member, const struct sfu_ice_credentials *credentials) {
    struct sfu_description description = {.media = member->media,
                                          .media_count = member->media_count};
    snprintf(description.remote_ufrag, sizeof(description.remote_ufrag), "%s",
             bench_client_ufrag(member->client));
    memcpy(description.remote_fingerprint, bench_dtls_context_fingerprint(room.client_dtls),
           SFU_FINGERPRINT_LEN);
    counts = true;
    CHECK_INT(sfu_engine_join(room.engine, room.now_us, member->number, credentials), 0);
    CHECK_INT(sfu_engine_negotiate(room.engine, room.now_us, member->number, &description), 0);
    counts = false;
}

/* Joins with so many audio slots and as many for video, or as the publisher of both. */
static void join(size_t slots) {
    struct member *member = &room.members[room.count];
    struct sfu_ice_credentials credentials;
    struct sfu_local local = {0};
    member->number = ++room.count;
    member->address = (struct sfu_address){
        .ip = {10, 0, (uint8_t)((room.count - 1) >> 8), (uint8_t)(room.count - 1)},
        .port = 5000,
        .family = AF_INET};
    struct bench_client_config config = {.number = member->number,
                                         .seed = member->number,
                                         .dtls = room.client_dtls,
                                         .send = to_engine,
                                         .ctx = member,
                                         .video_bps = 300000,
                                         .audio_bps = 32000};
    CHECK_INT(bench_client_create(&member->client, &config), 0);
    for (size_t i = 0; i < (slots ? slots : 1); i++) {
        describe(member, false, slots ? SFU_SLOT : SFU_PUBLISHES);
        describe(member, true, slots ? SFU_SLOT : SFU_PUBLISHES);
    }
    sfu_ice_credentials_generate(&credentials);
    memcpy(local.ufrag, credentials.ufrag, sizeof(local.ufrag));
    memcpy(local.pwd, credentials.pwd, sizeof(local.pwd));
    negotiate(member, &credentials);
    CHECK_INT(
        bench_client_begin(member->client, room.now_us, &local, member->media, member->media_count),
        0);
}

static void join_viewers(size_t count, size_t slots) {
    for (size_t i = 0; i < count; i++) {
        join(slots);
        run(TICK_US);
    }
    run(2000000);
    for (size_t i = 0; i < room.count; i++)
        CHECK(bench_client_is_connected(room.members[i].client));
}

/* Of everybody's first slot of each kind. */
static void watch(void) {
    counts = true;
    for (size_t i = 1; i < room.count; i++) {
        uint64_t number = room.members[i].number;
        CHECK_INT(sfu_engine_set_slot(room.engine, room.now_us, number, "0", MICROPHONE), 0);
        CHECK_INT(sfu_engine_set_slot(room.engine, room.now_us, number, "1", CAMERA), 0);
    }
    counts = false;
    run(3000000);
    for (size_t i = 1; i < room.count; i++) {
        CHECK(bench_client_sink(room.members[i].client, 0)->receiver.received > 100);
        CHECK(bench_client_sink(room.members[i].client, 1)->receiver.received > 100);
    }
}

static void check_each(const char *what, int64_t before, size_t count, int64_t most) {
    int64_t each = (held - before) / (int64_t)count;
    printf("# %s: %lld bytes each\n", what, (long long)each);
    if (each > most)
        test_fail(__FILE__, __LINE__, "%s: %lld bytes each, %lld allowed", what, (long long)each,
                  (long long)most);
}
#endif

static void a_thousand_participants_are_cheap(void) {
#ifdef COUNTS_BYTES
    open_room();
    join(0);
    run(2000000);
    int64_t before = held;
    join_viewers(CLIENTS, 1);
    check_each("idle", before, CLIENTS, IDLE_MAX);
    watch();
    check_each("watching", before, CLIENTS, WATCHING_MAX);
    close_room();
#endif
}

static void a_slot_that_carries_nothing_costs_little(void) {
#ifdef COUNTS_BYTES
    enum { COUNT = 100 };
    open_room();
    join(0);
    run(2000000);
    int64_t before = held;
    join_viewers(COUNT, SLOTS_MAX / 2);
    check_each("idle with sixteen slots", before, COUNT, WATCHING_MAX);
    watch();
    check_each("watching with two of sixteen slots", before, COUNT, WATCHING_MAX);
    close_room();
#endif
}

static const struct test tests[] = {
    {"a_thousand_participants_are_cheap", a_thousand_participants_are_cheap},
    {"a_slot_that_carries_nothing_costs_little", a_slot_that_carries_nothing_costs_little},
};

TEST_MAIN(tests)
