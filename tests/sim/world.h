/* A whole room in one thread and virtual time: engines, clients, and the seeded network between
 * them. The same seed gives the same run, datagram for datagram. */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/client.h"
#include "bench/link.h"
#include "sfu/engine.h"
#include "sfu/room.h"

enum { WORLD_WORKERS_MAX = 4, WORLD_PEOPLE_MAX = 32 };

#define MS UINT64_C(1000)
#define S UINT64_C(1000000)

struct world_config {
    uint64_t seed;
    unsigned workers;            /* 0: one. */
    const char *profiles;        /* SRTP profiles of the clients, NULL: AEAD_AES_128_GCM. */
    uint32_t consent_timeout_ms; /* 0: 30,000. */
};

struct world_profile {
    bool microphone;
    bool camera;
    bool simulcast; /* The camera sends three layers. */
    size_t slots;   /* Of each kind. */
    struct bench_link_config up, down;
};

struct world_person {
    struct world *world;
    uint64_t number;
    struct sfu_member *member;
    struct bench_client *client;
    struct sfu_address address;
    struct bench_link up, down;
    struct sfu_media media[64];
    size_t media_count;
    struct sfu_ice_credentials credentials;
    unsigned events[SFU_EVENT_TYPES]; /* How many of each enum sfu_event_type. */
    bool present;
    bool muted; /* Its datagrams are lost, both ways: a dead network. */
};

struct world {
    uint64_t now_us;
    struct world_config config;
    struct sfu_dtls_context *server_dtls;
    struct bench_dtls_context *client_dtls;
    struct sfu_engine *engines[WORLD_WORKERS_MAX];
    struct sfu_pool *pool;
    struct sfu_room *room;
    struct world_person people[WORLD_PEOPLE_MAX];
    size_t people_count;
    struct world_delivery **queue; /* A heap by time. */
    size_t queued, queue_capacity;
    uint64_t orders;
    struct world_piped *piped, **piped_end;
    uint64_t trace; /* A hash of all that was sent when and where. */
};

struct world *world_create(const struct world_config *config);
void world_destroy(struct world *world);

/* Someone joins on the least loaded worker, and negotiates at once. */
struct world_person *world_join(struct world *world, const struct world_profile *profile);
void world_leave(struct world *world, struct world_person *person);

/* The person's network gets another address. */
void world_move(struct world_person *person);

/* New ICE credentials on both sides. */
void world_restart_ice(struct world_person *person);

void world_run(struct world *world, uint64_t duration_us);

/* The sink of the person's k-th slot of a kind. */
const struct bench_sink *world_sink(const struct world_person *person, bool video, size_t k);

/* Counters of all engines. */
struct sfu_counters world_counters(const struct world *world);

#endif
