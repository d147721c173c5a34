/* A whole room in one thread and virtual time: engines, clients, and the seeded network between
 * them. The same seed gives the same run, datagram for datagram. */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/client.h"
#include "bench/cross.h"
#include "bench/cubic.h"
#include "bench/link.h"
#include "sfu/engine.h"
#include "sfu/room.h"

enum {
    WORLD_WORKERS_MAX = 4,
    WORLD_PEOPLE_MAX = 512,
    WORLD_MEDIA_MAX = 64,
    WORLD_LEVELS_MAX = 512,
    WORLD_LINKS_MAX = 16, /* Shared ones, and flows of others on them. */
    WORLD_IP_UDP_LEN = 28,
};

#define MS UINT64_C(1000)
#define S UINT64_C(1000000)

struct world_config {
    uint64_t seed;
    unsigned workers;            /* 0: one. */
    const char *profiles;        /* SRTP profiles of the clients, NULL: AEAD_AES_128_GCM. */
    uint32_t consent_timeout_ms; /* 0: 30,000. */
    uint64_t signaling_us;       /* How long a message of the signaling takes, either way. */
    uint64_t sample_us;          /* How often a traced person is looked at; 0: 20 ms. */
};

struct world_profile {
    bool microphone;
    bool camera;
    bool simulcast; /* The camera sends three layers. */
    bool red;       /* Sound is sent and taken as RED. */
    bool dtx;
    bool unpaced;
    bool plain;                         /* No transport-cc: an old client. */
    enum rtp_codec codec;               /* Of the camera; none: VP8. Slots take every codec. */
    enum bench_scalability scalability; /* Of the camera. */
    size_t slots;                       /* Of each kind. */
    size_t audio_slots, video_slots;    /* Besides those. */
    uint32_t layer_bps[SFU_LAYERS_MAX]; /* All 0: by video_bps. */
    uint32_t video_bps;                 /* 0: 1 Mb/s. */
    struct bench_link_config up, down;
    struct bench_link *shared_up, *shared_down; /* Passed before those; NULL: none. */
};

/* What was seen of a person's downlink at a time; sums are since the beginning. */
struct world_sample {
    uint64_t at_us;
    uint64_t rate_bps; /* Of the narrowest link, 0: unlimited. */
    uint64_t queue_us;
    uint64_t estimate_bps;
    uint64_t sent_bytes;     /* By the server, with IP and UDP. */
    uint64_t received_bytes; /* By the person. */
    uint64_t padding_packets;
    uint64_t pictures; /* Decoded in the first video slot. */
    uint16_t height;   /* Of what it shows. */
    int8_t chosen;     /* What the first video slot is given, -1: nothing. */
    uint8_t fps;       /* Of that. */
    uint32_t chosen_bps;
    uint16_t layers; /* Sum over all video slots of what they are given, counted from 1. */
};

struct world_trace {
    struct world_sample *samples;
    size_t count, capacity;
};

struct world_person {
    struct world *world;
    uint64_t number;
    struct sfu_member *member;
    struct bench_client *client;
    struct sfu_address address;
    struct bench_link up, down;
    struct bench_link *shared_up, *shared_down;
    struct sfu_deadline deadline;
    struct sfu_media media[WORLD_MEDIA_MAX];
    size_t media_count;
    struct sfu_ice_credentials credentials;
    unsigned events[SFU_EVENT_TYPES]; /* How many of each. */
    uint64_t sent_bytes, received_bytes;
    struct world_trace trace;
    bool traced;
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
    struct world_person *people;
    size_t people_count;
    struct sfu_agenda agenda;          /* Of the clients. */
    struct world_delivery **queue;     /* A heap by time. */
    struct world_delivery *deliveries; /* Free ones. */
    size_t queued, queue_capacity;
    uint64_t orders;
    struct world_piped *piped, **piped_end;
    struct sfu_level levels[WORLD_LEVELS_MAX]; /* Told by the engines, not yet to the room. */
    size_t level_count;
    struct bench_link links[WORLD_LINKS_MAX];
    struct bench_cubic cubics[WORLD_LINKS_MAX];
    struct bench_cross crosses[WORLD_LINKS_MAX];
    size_t link_count, cubic_count, cross_count;
    uint64_t sample_at_us;
    uint64_t trace; /* A hash of all that was sent when and where. */
};

struct world *world_create(const struct world_config *config);
void world_destroy(struct world *world);

/* A link that several pass. Lives as long as the world. */
struct bench_link *world_link(struct world *world, const struct bench_link_config *config);

/* Traffic of others over a shared link. */
struct bench_cubic *world_cubic(struct world *world, struct bench_link *link, uint64_t begin_us,
                                uint64_t end_us);
struct bench_cross *world_cross(struct world *world, struct bench_link *link, uint64_t rate_bps,
                                uint64_t begin_us, uint64_t end_us);

/* Someone joins on the least loaded worker, and negotiates at once. */
struct world_person *world_join(struct world *world, const struct world_profile *profile);
void world_leave(struct world *world, struct world_person *person);

/* The wish reaches room and worker after the signaling's delay. */
void world_wish(struct world_person *person, const struct sfu_wish *wish);

/* The person's network gets another address. */
void world_move(struct world_person *person);

/* New ICE credentials on both sides. */
void world_restart_ice(struct world_person *person);

void world_run(struct world *world, uint64_t duration_us);

/* The sink, and the m-line, of the person's k-th slot of a kind. */
const struct bench_sink *world_sink(const struct world_person *person, bool video, size_t k);
const struct sfu_media *world_slot(const struct world_person *person, bool video, size_t k);

/* The person's n-th track as the room numbers it: 0 is its microphone if it has one. */
uint64_t world_track(const struct world_person *person, size_t n);

/* Counters of all engines. */
struct sfu_counters world_counters(const struct world *world);

/* From now on the person is looked at every config.sample_us. */
void world_trace(struct world_person *person);

/* world_trace.c: what the samples say of a time. Rates count UDP and IP. */
uint64_t world_sent_bps(const struct world_person *person, uint64_t from_us, uint64_t to_us);
uint64_t world_received_bps(const struct world_person *person, uint64_t from_us, uint64_t to_us);

uint64_t world_estimate_bps(const struct world_person *person, uint64_t at_us);

/* The queueing delay that so many of 1,000 samples do not exceed. */
uint64_t world_queue_us(const struct world_person *person, uint64_t from_us, uint64_t to_us,
                        unsigned of_1000);

/* Times at which the layers that the slots are given changed, at most capacity; returns how many
 * there were. */
size_t world_layer_changes(const struct world_person *person, uint64_t from_us, uint64_t to_us,
                           uint64_t *times_us, size_t capacity);

/* Writes FOLDER/NAME.csv and .svg of a traced person's samples, when the environment's WEIR_PLOTS
 * names a folder. */
void world_plot(const struct world_person *person, const char *name);

/* The seed that the environment's WEIR_SEED asks for, otherwise the given one. */
uint64_t world_seed(uint64_t seed);

#endif
