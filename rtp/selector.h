/* Which packets of a track one subscriber gets: the operating point that it is to have and the one
 * that it has, moved from one to the other only where the receiver can decode what follows. Spatial
 * layers are added at key pictures alone: later, the marker bit of the layer below would already
 * have ended the picture that the new one begins in. Pure per-packet decisions; numbers are the
 * rewriter's. */
#ifndef RTP_SELECTOR_H
#define RTP_SELECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtp/codec.h"
#include "rtp/dependency.h"

/* A simulcast encoding, and of it the spatial and temporal layers up to these. */
struct rtp_point {
    uint8_t layer, spatial, temporal;
};

/* What of one packet decides, the same for every subscriber. */
struct rtp_selectable {
    uint8_t layer;
    uint64_t seq; /* Unwrapped. */
    uint32_t timestamp;
    const struct rtp_descriptor *descriptor;
    /* The dependency descriptor where it counts, with the active targets filled in whether the
     * packet names them or not, and the structure that it refers to; or NULL, NULL. */
    const struct rtp_dependency *dependency;
    const struct rtp_dependency_structure *structure;
};

enum rtp_selection {
    RTP_SELECTION_IGNORE, /* Not of what is forwarded: another encoding, or before the beginning. */
    RTP_SELECTION_DROP,   /* Of what is forwarded, but left out: rtp_rewriter_drop. */
    RTP_SELECTION_PASS,
    RTP_SELECTION_BEGIN, /* Pass it as the first of a new source: rtp_rewriter_switch. */
};

/* Frames whose fate is remembered. Chains reach back 255 frames at most (section A.8.2.3). */
enum { RTP_SELECTOR_FRAMES = 256 };

struct rtp_selector {
    /* State. */
    struct rtp_point current; /* What is forwarded, as far as it is known to decode. */
    struct rtp_point target;
    bool awaits_entry;  /* Nothing has been forwarded yet. */
    uint32_t timestamp; /* Of the newest picture. */
    uint64_t newest_seq;
    uint64_t since_seq; /* Since when current holds; packets that come later than they should are */
    struct rtp_point before; /* judged by this one. */
    uint32_t targets; /* Decode targets whose every frame has been forwarded, since their chain
                         was intact. */
    uint16_t newest_frame;
    uint64_t seen[RTP_SELECTOR_FRAMES / 64];   /* By frame number: a decision was made, */
    uint64_t passed[RTP_SELECTOR_FRAMES / 64]; /* and it was to forward it. */
};

/* Begins anew: the next keyframe of the target's encoding, or of a lower one, is the first packet.
 */
void rtp_selector_start(struct rtp_selector *selector, struct rtp_point target);

/* Asks for another operating point. Until it can be taken up the present one is forwarded; on the
 * way to a lower encoding only its base layer. */
void rtp_selector_aim(struct rtp_selector *selector, struct rtp_point target);

/* Decides on a packet. *last says whether the packet is the last of its picture for this
 * subscriber, so that it needs the marker bit. The order of packets is that of their arrival; late
 * ones share the fate of their picture. */
enum rtp_selection rtp_selector_on_packet(struct rtp_selector *selector,
                                          const struct rtp_selectable *packet, bool *last);

/* Whether decoding can begin with the packet. */
bool rtp_selector_is_entry(const struct rtp_selectable *packet);

/* Whether only a keyframe of the target's encoding leads to the target's encoding and spatial
 * layer. spatial_count is how many the encoding has now, 1 or more. */
bool rtp_selector_needs_keyframe(const struct rtp_selector *selector, uint8_t spatial_count);

/* What every subscriber who has the packet's encoding gets, whatever the target's layers: so no
 * decision has to be made. plain is whether rtp_selectable_is_plain. */
static inline bool rtp_selector_is_settled(const struct rtp_selector *selector, uint8_t layer) {
    return !selector->awaits_entry && selector->current.layer == layer;
}

/* Whether a packet belongs to the base layer of a stream without dependencies between layers, and
 * begins nothing. */
static inline bool rtp_selectable_is_plain(enum rtp_codec codec,
                                           const struct rtp_descriptor *descriptor,
                                           bool has_dependency) {
    return codec != RTP_CODEC_VP9 && !has_dependency && descriptor->temporal == 0 &&
           !rtp_descriptor_is_entry(descriptor);
}

#endif
