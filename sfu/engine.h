/* The forwarding unit without I/O, threads or clock: datagrams and commands go in with the time
 * they happened, datagrams come out of a batch, and it says when it next wants to be called. A
 * worker drives one on a thread; tests drive several in virtual time. */
#ifndef SFU_ENGINE_H
#define SFU_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/agenda.h"
#include "sfu/batch.h"
#include "sfu/downlink.h"
#include "sfu/dtls.h"
#include "sfu/handshakes.h"
#include "sfu/ice.h"
#include "sfu/levels.h"
#include "sfu/packet.h"
#include "sfu/pipe.h"
#include "sfu/sfu.h"
#include "sfu/table.h"

struct sfu_engine_config {
    struct sfu_dtls_context *dtls;
    unsigned worker; /* This engine's number. */
    uint64_t seed;   /* Of SSRCs' first numbers and the like; a test's gives the same run again. */
    uint32_t consent_timeout_ms;
    sfu_send_fn send;
    void (*on_event)(void *ctx, const struct sfu_event *event); /* Must not call the engine. */
    bool (*pipe)(void *ctx, unsigned worker, const struct sfu_pipe_entry *entry); /* False: full. */
    void (*on_levels)(void *ctx, const struct sfu_level *levels, size_t count);   /* May be NULL. */
    void *ctx;                                                                    /* Of all four. */
};

struct sfu_track;

struct sfu_engine {
    /* Given. */
    struct sfu_engine_config config;
    /* Owned. */
    struct sfu_table by_ufrag;
    struct sfu_table by_address;
    struct sfu_table transports; /* By participant. */
    struct sfu_table tracks;     /* By number; mirrors too. */
    struct sfu_agenda agenda;
    struct sfu_batch batch;
    struct sfu_levels levels;
    struct sfu_downlink_scratch downlinks;
    struct sfu_handshakes handshakes;
    /* State. */
    uint64_t since_us;       /* When the oldest packet came that is being forwarded; 0: none is. */
    struct sfu_track *dirty; /* Tracks with a burst. */
    uint64_t addresses_validated;
    uint64_t random;
    size_t slots;
    /* Counters. */
    struct sfu_counters counters;
};

/* -ENOMEM or -EIO. */
int sfu_engine_create(struct sfu_engine **out, const struct sfu_engine_config *config);
void sfu_engine_destroy(struct sfu_engine *engine);

/* One datagram, len bytes in the packet's data. The engine takes references of its own; the caller
 * keeps his. */
void sfu_engine_input(struct sfu_engine *engine, uint64_t now_us, const struct sfu_address *from,
                      struct sfu_packet *packet);

/* The same, where the packet's received_us says when it came, not after now_us. */
void sfu_engine_input_stamped(struct sfu_engine *engine, uint64_t now_us,
                              const struct sfu_address *from, struct sfu_packet *packet);

/* What another worker's engine sent through its pipe; a packet's reference stays the caller's. */
void sfu_engine_on_pipe(struct sfu_engine *engine, uint64_t now_us,
                        const struct sfu_pipe_entry *entry);

/* Gives what came to the mirrors, so that their workers can be woken before it is forwarded here;
 * else flush does. */
void sfu_engine_feed_mirrors(struct sfu_engine *engine);

/* Ends a wake-up: forwards the bursts, goes on with some handshakes, and sends the batch. Call it
 * after inputs, commands and on_deadline. */
void sfu_engine_flush(struct sfu_engine *engine, uint64_t now_us);

/* When on_deadline is to be called next, UINT64_MAX for never. */
uint64_t sfu_engine_next_deadline(const struct sfu_engine *engine);
void sfu_engine_on_deadline(struct sfu_engine *engine, uint64_t now_us);

/* Commands; what they mean stands in sfu.h. -ENOENT, -EEXIST, -ENOMEM. */
int sfu_engine_join(struct sfu_engine *engine, uint64_t now_us, uint64_t participant,
                    const struct sfu_ice_credentials *credentials);
int sfu_engine_restart_ice(struct sfu_engine *engine, uint64_t participant,
                           const struct sfu_ice_credentials *credentials);
int sfu_engine_negotiate(struct sfu_engine *engine, uint64_t now_us, uint64_t participant,
                         const struct sfu_description *description);
int sfu_engine_subscribe(struct sfu_engine *engine, uint64_t now_us, uint64_t participant,
                         const struct sfu_wish *wish);
void sfu_engine_leave(struct sfu_engine *engine, uint64_t now_us, uint64_t participant);

/* How many slots a participant has, and why they carry what they do: fills `out` and at most
 * `capacity` slots. -ENOENT. */
size_t sfu_engine_slot_count(const struct sfu_engine *engine, uint64_t participant);
int sfu_engine_why(struct sfu_engine *engine, uint64_t now_us, uint64_t participant,
                   struct sfu_why_answer *out, struct sfu_why_slot *slots, size_t capacity);

/* What a slot carries: a track of this engine or a mirror, 0 for nothing. */
int sfu_engine_set_slot(struct sfu_engine *engine, uint64_t now_us, uint64_t participant,
                        const char *mid, uint64_t track);

/* Whether the track's publisher is the one who speaks: its pictures come first where there is not
 * enough for all. */
void sfu_engine_favour(struct sfu_engine *engine, uint64_t now_us, uint64_t track, bool on);

/* Begins and ends the mirror of another worker's track here, and its feeding there. */
int sfu_engine_mirror_open(struct sfu_engine *engine, unsigned owner,
                           const struct sfu_media *media);
void sfu_engine_mirror_close(struct sfu_engine *engine, uint64_t track);
void sfu_engine_mirror_feed(struct sfu_engine *engine, uint64_t track, unsigned worker, bool on);

/* A pseudo-random number from the engine's seed. */
uint64_t sfu_engine_random(struct sfu_engine *engine);

#endif
