/* What a subscriber receives: one stream with an SSRC of its own whose source changes unnoticed. */
#ifndef SFU_SLOT_H
#define SFU_SLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtp/header_template.h"
#include "rtp/rewriter.h"
#include "rtp/selector.h"
#include "rtp/rtcp.h"
#include "sfu/packet.h"
#include "sfu/sfu.h"
#include "sfu/srtp.h"

struct sfu_layer;
struct sfu_track;
struct sfu_transport;

enum {
    SFU_CACHE_LINE = 64,
    SFU_SENT_VIDEO = 512, /* Outgoing numbers remembered, as many packets as a history keeps. */
    SFU_SENT_AUDIO = 128,
    SFU_SLOT_SOURCES = 8, /* Former sources that can still be retransmitted from. */
    SFU_RESENDS_MAX = 10, /* Of one packet. */

    /* There is no time to repeat sound more than once, so whoever loses more than 2 % of it (5 of
     * 256) gets every frame again with the next packet (RED), or every packet twice, until 30 s
     * after the last such report: with the doubles nothing seems to be lost. Of what loses more,
     * RED carries more: a frame is gone when all of its copies are, 0.3^5 < 0.3 %. */
    SFU_LOSSY_OF_256 = 5,
    SFU_LOSSY_TWO_OF_256 = 26,   /* 10 % */
    SFU_LOSSY_THREE_OF_256 = 51, /* 20 % */
    SFU_LOSSY_FOUR_OF_256 = 64,  /* 25 % */
    SFU_DOUBLED_US = 30 * 1000 * 1000,
    SFU_RED_DISTANCE_MAX = 4,

    /* A slot that takes up a voice begins with what it has said so far, at most this. */
    SFU_ONSET_US = 200 * 1000,

    /* What is replayed of the cache at once while no limit is known: a picture in CIF. A keyframe
     * from the publisher costs a round trip, and everybody else of the track as much again. */
    SFU_REPLAY_LEAST_BYTES = 24 * 1024,
    /* So that there always is one, the next is asked for as soon as there is so much of the last.
     */
    SFU_REPLAY_STALE_BYTES = 16 * 1024,
    /* How much of what the network carries in 100 ms a replay may be, beyond that: it takes about
     * as long as the publisher's answer would. */
    SFU_REPLAY_BURSTS = 3,
    /* On a link that has just become narrow: at once, and what will have grown to that by then. */
    SFU_REPLAY_HELD_BYTES = 16 * 1024,
    /* Of each of many: with eight cameras those that began with 6 KB were all there 100 ms later
     * than those that waited for a fresh keyframe of the publisher. */
    SFU_REPLAY_HELD_EACH_BYTES = 4 * 1024,
    SFU_REPLAY_SOON_BYTES = 6 * 1024,
    SFU_REPLAY_FRAMES = 150,        /* Decoders need a millisecond or two for each. */
    SFU_REPLAY_PACE_US = 10 * 1000, /* Of what does not go at once. */
    SFU_REPLAY_SINCE_MAX_US = 100 * 1000,

    /* Of the same slot, when its keyframe requests go on: doubled up to this. */
    SFU_PLI_WAIT_US = 1000 * 1000,
    SFU_PLI_WAIT_MAX_US = 4 * 1000 * 1000,
    SFU_PLI_CALM_US = 10 * 1000 * 1000, /* Without one it is a new matter. */
};

/* Which operating point of its track a slot is to carry. */
struct sfu_target {
    bool paused; /* Nothing fits into what the network carries. */
    uint8_t layer, spatial, temporal;
};

/* Of which track and layer a generation of the rewriter's source was. */
struct sfu_slot_source {
    uint64_t track;
    uint16_t generation;
    uint8_t layer;
};

/* What forwarding a packet touches stands first, in four lines of the cache, since a room has more
 * of these than the cache holds. */
struct sfu_slot {
    /* Given, and links. */
    struct sfu_transport *transport;
    struct sfu_track *track;                /* NULL: empty. */
    uint8_t payload_types[RTP_CODEC_COUNT]; /* 0: the subscriber does not take the codec. */
    uint8_t rtx_payload_types[RTP_CODEC_COUNT];

    /* State of forwarding. */
    bool silent;    /* Paused, by the client or for want of bandwidth. */
    bool switching; /* The next packet mapped begins a new source. */
    bool replaying; /* Out of the cache, of replay_layer, from replay_seq on. */
    uint8_t replay_layer;
    uint8_t mids_left;    /* Packets that still carry the MID. */
    uint8_t red_distance; /* Frames that RED repeats, while doubled_until_us; 0: none. */
    bool targeted;
    uint8_t in_place; /* Of which codecs, as bits, what is sent again has the same number. */
    uint16_t rtx_seq;
    struct sfu_srtp_stream stream;

    /* Counters. */
    uint32_t packets;
    uint32_t octets;

    /* More state. */
    uint32_t passed;  /* Extensions of the source's that the subscriber takes, as bits, */
    uint32_t stamped; /* and those that are this transport's own. */
    struct rtp_template header;
    uint64_t doubled_until_us; /* Sound only. */
    struct rtp_selector selector;
    struct rtp_rewriter_entry *sent; /* Owned; NULL until it carries something. */
    uint64_t keyframe_sent_us;
    uint64_t first_seq; /* Of the current source. */
    struct rtp_rewriter rewriter;

    /* Rarely touched. */
    struct sfu_media media; /* Given. */
    struct sfu_wish wish;
    struct sfu_target target; /* Once it was set. */
    uint64_t replay_seq;
    uint64_t replayed_us; /* When it last went on, 0: not yet. */
    uint64_t pli_us;      /* When the subscriber's last request was heeded. */
    uint64_t pli_wait_us;
    bool was_held;         /* Silent for want of bandwidth, until the next source begins. */
    uint16_t padding_turn; /* How far back the next packet of padding begins to look. */
    struct sfu_slot_source sources[SFU_SLOT_SOURCES];
    struct sfu_srtp_stream rtx_stream;
};

_Static_assert(offsetof(struct sfu_slot, header) == SFU_CACHE_LINE &&
                   offsetof(struct sfu_slot, selector) + sizeof(struct rtp_point) * 2 <
                       2 * SFU_CACHE_LINE &&
                   offsetof(struct sfu_slot, rewriter) % SFU_CACHE_LINE == 0,
               "what a packet touches is together");

/* Prefetches what forwarding touches of a slot. */
static inline void sfu_slot_fetch(const struct sfu_slot *slot) {
    __builtin_prefetch(slot, 1);
    __builtin_prefetch(&slot->header);
    __builtin_prefetch(&slot->rewriter, 1);
    __builtin_prefetch(&slot->rewriter.dropped, 1);
    __builtin_prefetch(&slot->rewriter.hidden_pictures, 1);
}

/* slot_send.c: and what so many packets of so many bytes touch behind pointers, once the
 * transport is there: first the one, then the other. */
void sfu_slot_fetch_near(const struct sfu_slot *slot);
void sfu_slot_fetch_far(const struct sfu_slot *slot, size_t packets, size_t len);

/* -ENOMEM. */
int sfu_slot_create(struct sfu_slot **out, struct sfu_transport *transport,
                    const struct sfu_media *media);
void sfu_slot_destroy(struct sfu_slot *slot);

/* Takes over what a later offer says of the same m-line. */
void sfu_slot_update(struct sfu_slot *slot, const struct sfu_media *media);

/* Changes what the slot carries; NULL for nothing. -ENOMEM: it carries nothing then. */
int sfu_slot_set_track(struct sfu_slot *slot, uint64_t now_us, struct sfu_track *track);

void sfu_slot_set_wish(struct sfu_slot *slot, uint64_t now_us, const struct sfu_wish *wish);

/* Chooses again as long as no target was set: the highest layer that flows and is not larger than
 * wished. */
void sfu_slot_choose_layer(struct sfu_slot *slot, uint64_t now_us);

/* What the allocation gives the slot of its present track: forwarded as soon as it can be taken up,
 * the old one until then. A slot that has been told nothing of its track chooses by its wish. */
void sfu_slot_set_target(struct sfu_slot *slot, uint64_t now_us, const struct sfu_target *target);

/* Pictures that are held back will go on soon: has a keyframe cached that is quickly sent, the
 * lowest layer's, unless there is one. */
void sfu_slot_prepare(struct sfu_slot *slot, uint64_t now_us);

/* slot_forward.c: sends the packet to the subscriber, or leaves it out. The hot path. */
void sfu_slot_forward(struct sfu_slot *slot, uint64_t now_us, const struct sfu_packet *packet);

/* Begins with what is kept of the track: the newest keyframe and what followed, of the target's
 * layer or, where that is too much, of a lower one; of a voice what it has said so far. False when
 * nothing fitting is kept. */
bool sfu_slot_replay_begin(struct sfu_slot *slot, uint64_t now_us);

/* Goes on with it, as far as the network takes it now. */
void sfu_slot_replay(struct sfu_slot *slot, uint64_t now_us);

/* The same, when nothing comes; returns when again, UINT64_MAX: never. */
uint64_t sfu_slot_on_deadline(struct sfu_slot *slot, uint64_t now_us);

/* slot_sound.c: a packet of sound that is new to the slot, in the form that the subscriber takes.
 */
void sfu_slot_send_sound(struct sfu_slot *slot, uint64_t now_us, const struct sfu_packet *packet,
                         struct rtp_rewritten *numbers);

/* The number of the first packet since the voice set in, SFU_ONSET_US ago at most; UINT64_MAX when
 * it is silent. */
uint64_t sfu_slot_onset(const struct sfu_layer *layer, uint64_t now_us);

/* Fills the gaps before a packet of RED out of its redundancy, for a subscriber without RED. */
void sfu_slot_recover_sound(struct sfu_slot *slot, uint64_t now_us,
                            const struct sfu_packet *packet);

/* Whether what a packet carries can be sent to the subscriber, as it is or stripped. */
bool sfu_slot_takes(const struct sfu_slot *slot, enum rtp_codec codec);

/* slot_repair.c: sends again what the subscriber's NACK names, as RTX if that was negotiated. */
void sfu_slot_on_nack(struct sfu_slot *slot, uint64_t now_us, const uint16_t *seqs, size_t count);

/* The subscriber's report on the slot: sound that gets lost is sent twice for a while. */
void sfu_slot_on_report(struct sfu_slot *slot, uint64_t now_us,
                        const struct rtcp_report_block *block);

/* The subscriber's PLI or FIR. */
void sfu_slot_on_keyframe_request(struct sfu_slot *slot, uint64_t now_us);

/* What goes out in place of a packet's payload; NULL: nothing, just padding, which fills a number.
 */
struct sfu_substitute {
    uint8_t payload_type;
    const uint8_t *payload;
    size_t len;
};

/* slot_send.c: writes, encrypts and queues one packet; as RTX (RFC 4588) when rtx_payload_type is
 * not 0. instead is NULL for the packet's own payload. Returns its length, 0 when nothing was sent.
 */
size_t sfu_slot_emit_instead(struct sfu_slot *slot, uint64_t now_us,
                             const struct sfu_packet *packet, const struct rtp_rewritten *numbers,
                             uint8_t rtx_payload_type, const struct sfu_substitute *instead);

static inline size_t sfu_slot_emit(struct sfu_slot *slot, uint64_t now_us,
                                   const struct sfu_packet *packet,
                                   const struct rtp_rewritten *numbers, uint8_t rtx_payload_type) {
    return sfu_slot_emit_instead(slot, now_us, packet, numbers, rtx_payload_type, NULL);
}

/* Whether what is sent again has the same number under the same keys, so that every bit of it has
 * to be the same: NACK without RTX. */
static inline bool sfu_slot_resends_in_place(const struct sfu_slot *slot, enum rtp_codec codec) {
    return (slot->in_place >> codec & 1) != 0;
}

/* What was sent under a number, as long as its track's history has it; else NULL. */
const struct sfu_packet *sfu_slot_find_sent(const struct sfu_slot *slot,
                                            const struct rtp_rewriter_entry *entry);

/* slot_padding.c: whether the slot can send RTX that nobody asked for, and sends one packet of it,
 * of about so many bytes. Returns its length, 0 when nothing was sent. */
bool sfu_slot_can_pad(const struct sfu_slot *slot);
size_t sfu_slot_send_padding(struct sfu_slot *slot, uint64_t now_us, size_t bytes);

/* A sender report for now; false while nothing was sent or the publisher's clock is not known. */
bool sfu_slot_report(const struct sfu_slot *slot, uint64_t now_us, struct rtcp_sender_info *out);

#endif
