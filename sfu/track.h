/* What a participant publishes: one media source with its layers (simulcast encodings). A track
 * lives in the engine of its publisher; in the engines of other workers whose participants watch it
 * stands a mirror of it, fed through pipes. */
#ifndef SFU_TRACK_H
#define SFU_TRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtp/allocator.h"
#include "rtp/history.h"
#include "rtp/nack.h"
#include "rtp/rate.h"
#include "rtp/receiver.h"
#include "sfu/packet.h"
#include "sfu/sfu.h"

struct sfu_engine;
struct sfu_slot;
struct sfu_transport;

enum {
    SFU_HISTORY_VIDEO = 512, /* Packets kept of a layer: about 1.8 s at 2.5 Mb/s. */
    SFU_HISTORY_AUDIO = 64,  /* 1.3 s at 20 ms. */
    SFU_BURST_MAX = 64,      /* Datagrams that a wake-up reads at once. */

    /* Requests of several subscribers within this time are one; a stream of them would make the
     * publisher send keyframes only, which is the bandwidth that its subscribers lack. */
    SFU_KEYFRAME_INTERVAL_US = 500 * 1000,

    /* A layer without a packet for so long does not flow. */
    SFU_LAYER_IDLE_US = 1000 * 1000,
};

struct sfu_layer {
    /* Owned. */
    struct rtp_history history;

    /* State. */
    uint32_t ssrc; /* 0: not seen and not said. */
    uint32_t rtx_ssrc;
    bool flowing;
    uint64_t last_packet_us;
    uint64_t newest_seq; /* Unwrapped. */
    struct rtp_rate rate;
    uint16_t width, height; /* As the newest keyframe said, 0: it did not. */
    struct rtp_receiver receiver;
    struct rtp_nack nack;
    bool has_clock; /* By the newest sender report, on this server's clock: */
    uint64_t clock_us;
    uint32_t clock_timestamp;
    bool keyframe_wanted;       /* Some slot waits for one. */
    uint64_t keyframe_asked_us; /* 0: never. */
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
    struct sfu_slot **slots;

    /* Links. */
    struct sfu_track *next_dirty;

    /* State. */
    size_t slot_count;
    size_t slot_capacity;
    uint64_t mirrors; /* Bit i: worker i has a mirror. */
    bool dirty;       /* Has a burst. */
    bool flowed;
    bool favoured; /* Its publisher speaks. */
    size_t burst_count;
    struct sfu_packet *burst[SFU_BURST_MAX]; /* What came in this wake-up; references. */
    struct sfu_layer layers[SFU_LAYERS_MAX];
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
void sfu_track_on_mirrored(struct sfu_track *track, uint64_t now_us, struct sfu_packet *packet);

/* Forwards the burst to every slot and every mirror, and forgets it. */
void sfu_track_flush(struct sfu_track *track, uint64_t now_us);

/* What a timestamp of the layer is on this server's clock. */
void sfu_track_set_clock(struct sfu_track *track, uint8_t layer, uint64_t at_us,
                         uint32_t timestamp);

/* A slot cannot go on without a keyframe of the layer. Requests are merged, and repeated until one
 * comes; a layer that does not flow is asked when it does. */
void sfu_track_want_keyframe(struct sfu_track *track, uint64_t now_us, uint8_t layer);

/* Sends the keyframe requests that are due, and notices layers that stopped. Returns when it next
 * has something to do, UINT64_MAX for never. */
uint64_t sfu_track_on_deadline(struct sfu_track *track, uint64_t now_us);

/* The operating points that flow now, the cheapest first, with the rates measured over the last
 * second. Returns how many. */
size_t sfu_track_rungs(const struct sfu_track *track, uint64_t now_us,
                       struct rtp_rung out[static RTP_RUNGS_MAX]);

/* The packet of a layer by the low 32 bits of its unwrapped number, or NULL; valid until the next
 * packet. */
struct sfu_packet *sfu_track_find(const struct sfu_track *track, uint8_t layer, uint32_t seq);

/* The number of the packet of the same layer that follows this one in the burst, UINT64_MAX when
 * none does. */
uint64_t sfu_track_next_in_burst(const struct sfu_track *track, const struct sfu_packet *packet);

/* -ENOMEM. */
int sfu_track_attach(struct sfu_track *track, struct sfu_slot *slot);
void sfu_track_detach(struct sfu_track *track, struct sfu_slot *slot);

#endif
