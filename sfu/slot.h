/* What a subscriber receives: one stream with an SSRC of its own whose source changes unnoticed. */
#ifndef SFU_SLOT_H
#define SFU_SLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtp/rewriter.h"
#include "rtp/rtcp.h"
#include "sfu/packet.h"
#include "sfu/sfu.h"
#include "sfu/srtp.h"

struct sfu_track;
struct sfu_transport;

enum {
    SFU_SENT_VIDEO = 1024, /* Outgoing numbers remembered for retransmission. */
    SFU_SENT_AUDIO = 128,
    SFU_SLOT_SOURCES = 8, /* Former sources that can still be retransmitted from. */
    SFU_RESENDS_MAX = 10, /* Of one packet. */

    /* There is no time to repeat sound more than once, so whoever loses more than 2 % of it (5 of
     * 256) gets every packet twice, until 30 s after the last such report: with the doubles nothing
     * seems to be lost. */
    SFU_LOSSY_OF_256 = 5,
    SFU_DOUBLED_US = 30 * 1000 * 1000,
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

struct sfu_slot {
    /* Given. */
    struct sfu_transport *transport;
    struct sfu_media media;
    uint8_t payload_types[RTP_CODEC_COUNT]; /* 0: the subscriber does not take the codec. */
    uint8_t rtx_payload_types[RTP_CODEC_COUNT];

    /* Owned. */
    struct rtp_rewriter_entry *sent;

    /* Links. */
    struct sfu_track *track; /* NULL: empty. */
    size_t place;            /* In the track's list. */

    /* State. */
    struct sfu_wish wish;
    struct sfu_target target; /* Once it was set. */
    bool targeted;
    bool switching;       /* The next packet mapped begins a new source. */
    bool awaits_keyframe; /* Nothing of the current source has been forwarded yet. */
    uint8_t layer;        /* Forwarded now. */
    uint8_t target_layer; /* Taken up at its next keyframe. */
    uint8_t mids_left;    /* Packets that still carry the MID. */
    uint16_t rtx_seq;
    uint16_t padding_turn;     /* How far back the next packet of padding begins to look. */
    uint64_t doubled_until_us; /* Sound only. */
    struct rtp_rewriter rewriter;
    struct sfu_slot_source sources[SFU_SLOT_SOURCES];
    struct sfu_srtp_stream stream;
    struct sfu_srtp_stream rtx_stream;

    /* Counters. */
    uint32_t packets;
    uint32_t octets;
};

/* -ENOMEM. */
int sfu_slot_create(struct sfu_slot **out, struct sfu_transport *transport,
                    const struct sfu_media *media);
void sfu_slot_destroy(struct sfu_slot *slot);

/* Takes over what a later offer says of the same m-line. */
void sfu_slot_update(struct sfu_slot *slot, const struct sfu_media *media);

/* Changes what the slot carries; NULL for nothing. -ENOMEM: it carries nothing then. */
int sfu_slot_set_track(struct sfu_slot *slot, uint64_t now_us, struct sfu_track *track);

void sfu_slot_set_wish(struct sfu_slot *slot, uint64_t now_us, const struct sfu_wish *wish);

/* Chooses the layer again: one of those that flow, the highest that is not larger than wished. */
void sfu_slot_choose_layer(struct sfu_slot *slot, uint64_t now_us);

/* What the allocation gives the slot of its present track: forwarded as soon as it can be taken up,
 * the old one until then. A slot that has been told nothing of its track chooses by its wish. */
void sfu_slot_set_target(struct sfu_slot *slot, uint64_t now_us, const struct sfu_target *target);

/* Sends the packet to the subscriber, or leaves it out. The hot path. */
void sfu_slot_forward(struct sfu_slot *slot, uint64_t now_us, const struct sfu_packet *packet);

/* Sends again what the subscriber's NACK names, as RTX if that was negotiated. */
void sfu_slot_on_nack(struct sfu_slot *slot, uint64_t now_us, const uint16_t *seqs, size_t count);

/* The subscriber's report on the slot: sound that gets lost is sent twice for a while. */
void sfu_slot_on_report(struct sfu_slot *slot, uint64_t now_us,
                        const struct rtcp_report_block *block);

/* The subscriber's PLI or FIR. */
void sfu_slot_on_keyframe_request(struct sfu_slot *slot, uint64_t now_us);

/* Writes, encrypts and queues one packet; as RTX (RFC 4588) when rtx_payload_type is not 0. Returns
 * its length, 0 when nothing was sent. */
size_t sfu_slot_emit(struct sfu_slot *slot, uint64_t now_us, const struct sfu_packet *packet,
                     const struct rtp_rewritten *numbers, uint8_t rtx_payload_type);

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
