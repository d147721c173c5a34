/* What a participant publishes: one media source with its layers (simulcast encodings). A track
 * lives in the engine of its publisher; in the engines of other workers whose participants watch it
 * stands a mirror of it, fed through pipes. */
#ifndef SFU_TRACK_H
#define SFU_TRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtp/allocator.h"
#include "rtp/dependency.h"
#include "rtp/history.h"
#include "rtp/nack.h"
#include "rtp/rate.h"
#include "rtp/receiver.h"
#include "sfu/packet.h"
#include "sfu/pipe.h"
#include "sfu/sfu.h"

struct sfu_engine;
struct sfu_slot;
struct sfu_transport;

enum {
    SFU_HISTORY_VIDEO = 512, /* Packets kept of a layer: about 1.8 s at 2.5 Mb/s. */
    SFU_HISTORY_AUDIO = 64,  /* 1.3 s at 20 ms. */
    SFU_BURST_MAX = 64,      /* Datagrams that a wake-up reads at once. */
    SFU_TOGETHER_MAX = 8,    /* Tracks that are forwarded together. */

    /* Requests of several subscribers within this time are one, and a request is repeated after it;
     * a stream of them would make the publisher send keyframes only, which is the bandwidth that
     * its subscribers lack. Doubled twice while nothing comes: then the way there is congested. */
    SFU_KEYFRAME_INTERVAL_US = 1000 * 1000,
    SFU_KEYFRAME_TRIES = 2, /* Before it is doubled. */

    /* A layer without a packet for so long, and for three of its frames, while other layers of the
     * track go on, does not flow. A screen that does not change pauses all of them: that is no
     * stop. */
    SFU_LAYER_IDLE_US = 250 * 1000,
    SFU_LAYER_IDLE_FRAMES = 3,

    /* A publisher is told that nobody watches a layer after so long. */
    SFU_UNWATCHED_US = 5 * 1000 * 1000,

    SFU_SPATIAL_MAX = 3, /* Whose rates are measured; higher ones count as the highest. */
    SFU_TEMPORAL_MAX = 4,
};

/* The newest keyframe of a layer, and what came of the layer since. */
struct sfu_keyframe {
    uint64_t seq; /* Of its first packet, 0: none. */
    uint64_t at_us;
    uint16_t frames;
    uint32_t bytes[SFU_SPATIAL_MAX]; /* Up to each spatial level. */
};

struct sfu_layer {
    /* Owned. */
    struct rtp_history history;

    /* State. */
    uint32_t ssrc; /* 0: not seen and not said. */
    uint32_t rtx_ssrc;
    bool flowing;
    uint64_t last_packet_us;
    uint64_t newest_seq;    /* Unwrapped. */
    uint16_t width, height; /* As the newest keyframe said, 0: it did not. */
    uint8_t spatial_count;  /* How many spatial and temporal layers it has had lately. */
    uint8_t temporal_count;
    uint32_t newest_timestamp;
    uint64_t newest_frame_us;   /* When its first packet came. */
    uint64_t frame_interval_us; /* Smoothed. */
    struct sfu_keyframe keyframe;
    struct rtp_rate rates[SFU_SPATIAL_MAX][SFU_TEMPORAL_MAX];
    struct rtp_rate frames[SFU_TEMPORAL_MAX];  /* In bytes: one for each frame. */
    uint32_t active_targets;                   /* Of its dependency descriptors. */
    struct rtp_dependency_structure structure; /* template_count 0: none yet. */
    struct rtp_receiver receiver;
    struct rtp_nack nack;
    bool has_clock; /* By the newest sender report, on this server's clock: */
    uint64_t clock_us;
    uint32_t clock_timestamp;
    bool keyframe_wanted;       /* Some slot waits for one. */
    uint64_t keyframe_asked_us; /* 0: never. */
    uint8_t keyframe_tries;     /* Since it is wanted. */
};

struct sfu_track {
    /* Given. */
    struct sfu_engine *engine;
    struct sfu_transport *publisher; /* NULL for a mirror. */
    unsigned owner;                  /* The worker of the publisher. */
    uint64_t id;
    struct sfu_media media;
    uint8_t layer_count; /* At least 1. */

    /* Owned. */
    struct sfu_slot **slots; /* In the order of their participants. */

    /* Links. */
    struct sfu_track *next_dirty;

    /* State. */
    size_t slot_count;
    size_t slot_capacity;
    uint64_t mirrors;       /* Bit i: worker i has a mirror. */
    uint64_t newest_us;     /* When the newest packet of any layer came. */
    uint64_t flow_check_us; /* When to look for layers that stopped. */
    uint8_t watched;        /* Bit i: layer i is within what some slot here wishes. */
    uint8_t watched_told;   /* To the publisher, or the owner. */
    uint64_t unwatch_at_us; /* When it is to hear that fewer are; UINT64_MAX: they are not. */
    uint8_t watched_by[SFU_WORKERS_MAX]; /* As mirrors told. */
    bool dirty;                          /* Has a burst. */
    bool flowed;
    bool fed;      /* Of a mirror: it knows what its owner kept. */
    bool favoured; /* Its publisher speaks. */
    size_t burst_count;
    size_t fed_count;                        /* Of them the mirrors have. */
    struct sfu_packet *burst[SFU_BURST_MAX]; /* What came in this wake-up; references. */
    struct sfu_layer layers[];               /* layer_count; each is 14 KB. */
};

/* publisher is NULL for the mirror of a track of worker `owner`. -ENOMEM. */
int sfu_track_create(struct sfu_track **out, struct sfu_engine *engine,
                     struct sfu_transport *publisher, unsigned owner,
                     const struct sfu_media *media);

/* Detaches all slots, drops all packets. */
void sfu_track_destroy(struct sfu_track *track);

/* A decrypted packet of one layer, whose header, extensions and (for RTX) original number have been
 * read: counts it, keeps it, and lets it join the burst. retransmitted: it came as RTX. */
void sfu_track_on_packet(struct sfu_track *track, uint64_t now_us, uint8_t layer,
                         struct sfu_packet *packet, bool retransmitted);

/* The same for a mirror: the packet was read by its owner. */
void sfu_track_on_mirrored(struct sfu_track *track, uint64_t now_us,
                           const struct sfu_pipe_entry *entry);

/* A mirror has all that its owner kept: what is still missing has to be asked for. */
void sfu_track_on_fed(struct sfu_track *track, uint64_t now_us);

/* Gives a mirror that has just opened the clocks, and the newest keyframes with what followed. */
void sfu_track_feed_mirror(struct sfu_track *track, unsigned worker);

/* What a timestamp of the layer is on this server's clock. */
void sfu_track_set_clock(struct sfu_track *track, uint8_t layer, uint64_t at_us,
                         uint32_t timestamp);

/* track_keyframe.c: a slot cannot go on without a keyframe of the layer. Requests are merged, and
 * repeated until one comes; a layer that does not flow is asked when it does. */
void sfu_track_want_keyframe(struct sfu_track *track, uint64_t now_us, uint8_t layer);

/* Sends the keyframe requests that are due; returns when the next is, UINT64_MAX for never. */
uint64_t sfu_track_ask_keyframes(struct sfu_track *track, uint64_t now_us);

/* The bytes of a layer from its newest keyframe on, of the spatial levels up to this one; 0 when
 * the history does not reach back to it. */
size_t sfu_track_cached(const struct sfu_track *track, uint8_t layer, uint8_t spatial);

/* track_layers.c: notes a packet of the layer: its rates, frames, sizes; and layers that stopped.
 */
void sfu_track_note_packet(struct sfu_track *track, uint64_t now_us,
                           const struct sfu_packet *packet);

/* What some slot wishes has changed. */
void sfu_track_on_wishes(struct sfu_track *track);

/* What a mirror told. */
void sfu_track_on_watched(struct sfu_track *track, unsigned worker, uint8_t layers);

/* Tells what is watched, when it is time to; returns when that is, UINT64_MAX for never. */
uint64_t sfu_track_tell_watched(struct sfu_track *track, uint64_t now_us);

/* Which layers a wish reaches: up to the largest that is not larger than it says, as bits. */
uint8_t sfu_track_wished_layers(const struct sfu_track *track, const struct sfu_wish *wish);

/* Does what is due. Returns when it next has something to do, UINT64_MAX for never. */
uint64_t sfu_track_on_deadline(struct sfu_track *track, uint64_t now_us);

/* What the layer takes in all, as measured over the last second. */
uint32_t sfu_layer_bps(const struct sfu_layer *layer, uint64_t now_us);

/* The operating points that flow now, the cheapest first, with the rates measured over the last
 * second. Returns how many. */
size_t sfu_track_rungs(const struct sfu_track *track, uint64_t now_us,
                       struct rtp_rung out[static RTP_RUNGS_MAX]);

/* The packet of a layer by the low 32 bits of its unwrapped number, or NULL; valid until the next
 * packet. */
struct sfu_packet *sfu_track_find(const struct sfu_track *track, uint8_t layer, uint32_t seq);

/* track_burst.c: the packet waits for the end of the wake-up. */
void sfu_track_join_burst(struct sfu_track *track, uint64_t now_us, struct sfu_packet *packet);

/* Gives what has joined the burst to the mirrors; once. */
void sfu_track_feed_burst(struct sfu_track *track);

/* Forwards the burst to every slot and every mirror, and forgets it. */
void sfu_track_flush(struct sfu_track *track, uint64_t now_us);

/* The same for up to SFU_TOGETHER_MAX tracks, subscriber by subscriber, so that what one of them
 * gets of several tracks can leave in one message. */
void sfu_tracks_flush(struct sfu_track *const *tracks, size_t count, uint64_t now_us);

void sfu_track_forget_burst(struct sfu_track *track);

/* Whether the other one stands behind this one in the burst. */
bool sfu_track_is_to_come(const struct sfu_track *track, const struct sfu_packet *packet,
                          const struct sfu_packet *other);

/* Slots stand in the order of their participants. -ENOMEM. */
int sfu_track_attach(struct sfu_track *track, struct sfu_slot *slot);
void sfu_track_detach(struct sfu_track *track, struct sfu_slot *slot);

#endif
