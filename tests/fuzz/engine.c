/* The engine with whole sequences of datagrams: three participants in a call, of whom one sends
 * what the input says, raw or properly encrypted. Whatever it sends, nothing breaks, and the other
 * two still see each other. */
#include "rtp/bytes.h"
#include "tests/sim/world.h"

enum { STEPS_MAX = 64 };

enum op { RAW, RAW_FROM_ELSEWHERE, RTP, RTCP, WAIT, OFFER_SLOT, MOVE, RESTART, OPS };

static void raw(struct world_person *person, const uint8_t *data, size_t len, bool elsewhere) {
    struct world *world = person->world;
    struct sfu_address from = person->address;
    struct sfu_packet *packet = sfu_pool_get(world->pool);
    from.port = (uint16_t)(from.port + elsewhere * 7);
    memcpy(packet->data, data, len);
    packet->len = (uint32_t)len;
    sfu_engine_input(world->engines[0], world->now_us, &from, packet);
    sfu_packet_unref(packet);
    sfu_engine_flush(world->engines[0], world->now_us);
}

/* As long a header as the bytes say, and no longer than they are: libsrtp's receiver has the same
 * idea of it. */
static void rtp(struct world_person *person, const uint8_t *data, size_t len) {
    struct rtp_packet packet;
    if (rtp_parse(&packet, data, len) == 0)
        bench_client_send_rtp(person->client, data, packet.payload_offset, len);
}

static void wish(struct world_person *person, const uint8_t *data, size_t len) {
    struct sfu_wish wish = {.paused = len > 0 && data[0] & 1,
                            .max_height = len > 1 ? data[1] : 0,
                            .track = len > 2 ? data[2] : 0};
    memcpy(wish.mid, person->media[person->media_count - 1].mid, sizeof(wish.mid));
    sfu_member_subscribe(person->member, &wish);
    sfu_engine_subscribe(person->world->engines[0], person->world->now_us, person->number, &wish);
}

static void do_step(struct world_person *person, enum op op, const uint8_t *data, size_t len) {
    switch (op) {
    case RAW:
    case RAW_FROM_ELSEWHERE:
        raw(person, data, len, op == RAW_FROM_ELSEWHERE);
        break;
    case RTP:
        rtp(person, data, len);
        break;
    case RTCP:
        bench_client_send_rtcp(person->client, data, len);
        break;
    case WAIT:
        world_run(person->world, (len > 0 ? data[0] : 1) * MS);
        break;
    case OFFER_SLOT:
        wish(person, data, len);
        break;
    case MOVE:
        world_move(person);
        break;
    default:
        world_restart_ice(person);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct bench_link_config link = {.delay_us = 1000};
    struct world *world = world_create(&(struct world_config){.seed = 1});
    struct world_profile profile = {.microphone = true,
                                    .camera = true,
                                    .simulcast = true,
                                    .slots = 2,
                                    .up = link,
                                    .down = link};
    struct world_person *bad = world_join(world, &profile);
    struct world_person *good = world_join(world, &profile);
    world_join(world, &profile);
    world_run(world, 100 * MS);
    /* Each step: what, a length, bytes. */
    for (int steps = 0; steps < STEPS_MAX && size >= 3; steps++) {
        enum op op = data[0] % OPS;
        size_t len = rtp_get16(data + 1) % SFU_PACKET_CAPACITY;
        len = len < size - 3 ? len : size - 3;
        do_step(bad, op, data + 3, len);
        data += 3 + len;
        size -= 3 + len;
    }
    /* The third participant's picture, in whichever slot of the second it is. */
    uint64_t before = world_sink(good, true, 0)->packets + world_sink(good, true, 1)->packets;
    world_run(world, 100 * MS);
    if (world_sink(good, true, 0)->packets + world_sink(good, true, 1)->packets <= before)
        __builtin_trap();
    world_destroy(world);
    return 0;
}
