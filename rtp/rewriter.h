/* Continuity across sources: what a slot's receiver sees is one stream, whatever tracks and layers
 * it is made of. Maps sequence numbers, timestamps, picture ids and TL0PICIDX of the current source
 * to those of the outgoing stream, and back for retransmission. */
#ifndef RTP_REWRITER_H
#define RTP_REWRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtp/codec.h"
#include "rtp/marks.h"

/* What was sent under one outgoing number. */
struct rtp_rewriter_entry {
    uint32_t source_seq; /* Low 32 bits of the source's unwrapped number. */
    uint16_t out_seq;
    uint16_t picture_id;
    uint16_t source; /* Generation of the source, counted by rtp_rewriter_switch; 0: empty. Wider
                      * than the ring is long: no two sources in it share one. */
    uint8_t tl0picidx;
    uint8_t resends : 7;
    uint8_t ends_picture : 1; /* It left with the marker bit, whatever the source's said. */
    uint32_t timestamp;
    uint32_t resent_at_ms; /* When it was last retransmitted, 0 never. */
};

enum {
    RTP_REWRITER_NEVER = 127
}; /* As resends: its contents are not those of the source's packet,
    * so it must not be sent again. */

/* What every packet touches comes first. */
struct rtp_rewriter {
    /* Given. */
    struct rtp_rewriter_entry *sent; /* Zeroed, a ring by out_seq. */
    uint16_t capacity;               /* A power of two. */
    /* State; nothing outside reads it. */
    uint16_t source;   /* Current generation; 0 before the first switch. */
    bool started;      /* A packet of the current source has been mapped. */
    bool sent_any;     /* Of any source. */
    bool has_pictures; /* The source has sent a picture id, a TL0PICIDX. */
    bool has_tl0picidx;
    uint16_t out_seq;    /* Newest outgoing number, */
    uint16_t picture_id; /* and what else is the newest. */
    uint8_t tl0picidx;
    uint8_t tl0picidx_offset; /* To subtract from the source's. */
    uint32_t out_timestamp;   /* Newest outgoing timestamp, and when its first packet left. */
    uint64_t out_at_us;
    uint32_t timestamp_offset;        /* To add to the source's. */
    uint32_t squeezed_units;          /* How long a replay goes on, 0: there is none. */
    uint64_t seq_offset;              /* source seq - dropped so far = out seq, modulo 2^64. */
    uint64_t picture_offset;          /* source picture - left out so far = out picture. */
    struct rtp_marks dropped;         /* Packets of the source that were left out. */
    struct rtp_marks hidden_pictures; /* Pictures of the source whose id was closed up. */
    uint64_t source_first;            /* First number of the current source that may pass. */
    uint32_t clock_rate_hz;           /* Given. */
    bool aligned;                     /* What the switch said, until the source's first packet. */
    uint8_t dropped_spatial;
    int32_t dropped_picture_id; /* Whose the newest left out is, or RTP_NO_NUMBER. */
    uint32_t squeezed_from;     /* The source's time at which the replay begins; all of it */
    uint32_t squeezed_to_units; /* becomes so much before the live source's time. */
    uint16_t replayed_frames;   /* What rtp_rewriter_replay said, until the first packet. */
    uint32_t live_timestamp;
};

/* What a mapped packet leaves with. */
struct rtp_rewritten {
    uint16_t seq;
    uint32_t timestamp;
    uint16_t picture_id; /* Or the frame number of a dependency descriptor: 16 bits of it. */
    uint8_t tl0picidx;
    bool ends_picture; /* The caller's to set. */
};

/* What an entry's packet left with. */
static inline struct rtp_rewritten rtp_rewriter_numbers(const struct rtp_rewriter_entry *entry) {
    return (struct rtp_rewritten){.seq = entry->out_seq,
                                  .timestamp = entry->timestamp,
                                  .picture_id = entry->picture_id,
                                  .tl0picidx = entry->tl0picidx,
                                  .ends_picture = entry->ends_picture};
}

/* Prepares a stream without a source. The ring is borrowed for life; without one (NULL and 0) it
 * has to be given before the first switch. The first packet leaves with first_seq and
 * first_timestamp, which are random; first_seq is below 2^15 (RFC 3711 roll-over guessing when the
 * first packets are lost). Picture ids and TL0PICIDX begin at bits of first_timestamp. */
void rtp_rewriter_init(struct rtp_rewriter *rewriter, struct rtp_rewriter_entry *sent,
                       uint16_t capacity, uint32_t clock_rate_hz, uint16_t first_seq,
                       uint32_t first_timestamp);

void rtp_rewriter_set_ring(struct rtp_rewriter *rewriter, struct rtp_rewriter_entry *sent,
                           uint16_t capacity);

/* Begins a new source: the next packet mapped is its first. For a source whose timestamps can be
 * aligned with the last one's by sender reports, aligned says so and timestamp_offset is what to
 * add; otherwise, or where that leads 75 ms or more away from what can be, the new source continues
 * from the time elapsed since the last packet. Timestamps never go back: the first one is at least
 * one unit (video: one 30 Hz frame, 3000 units; audio: 960) ahead of the last. */
void rtp_rewriter_switch(struct rtp_rewriter *rewriter, bool aligned, uint32_t timestamp_offset);

/* After rtp_rewriter_switch: the source begins with so many frames out of the past, which are sent
 * at once, up to the one of live_timestamp. That one leaves when a first one would; the earlier
 * ones go shortly before it, a millisecond apart at most, so that they neither delay what follows
 * nor go back behind what was sent. */
void rtp_rewriter_replay(struct rtp_rewriter *rewriter, uint32_t live_timestamp, uint16_t frames);

/* Maps a packet that will be sent. seq is unwrapped. A late packet gets the number that was kept
 * free for it. Returns false, and changes nothing, when it must not be sent: older than the
 * source's first packet or than what is remembered (the ring, RTP_MARKS_SPAN packets of the
 * source), left out by rtp_rewriter_drop or of a picture whose id was closed up, sent already, or
 * no source yet. A jump ahead of RTP_MAX_DROPOUT numbers or more is not loss: it is closed up.
 * descriptor may be NULL for a codec without numbers. */
bool rtp_rewriter_map(struct rtp_rewriter *rewriter, uint64_t now_us, uint64_t seq,
                      uint32_t timestamp, const struct rtp_descriptor *descriptor,
                      struct rtp_rewritten *out);

/* Whether what was just mapped is the newest of all that was. */
static inline bool rtp_rewriter_is_newest(const struct rtp_rewriter *rewriter,
                                          const struct rtp_rewritten *numbers) {
    return numbers->seq == rewriter->out_seq;
}

/* Leaves a packet of the current source out without a gap in the outgoing numbers (temporal layer
 * not wanted, padding only). Only the newest can be left out this way; for an older one nothing
 * changes (its number stays a gap: rtp_rewriter_fill). Lost
 * packets between two that are left out of one picture and spatial layer are left out as well. With
 * the first packet of a picture its picture id closes up too, unless it is fixed (VP9). descriptor
 * may be NULL. */
void rtp_rewriter_drop(struct rtp_rewriter *rewriter, uint64_t seq,
                       const struct rtp_descriptor *descriptor);

/* A packet that is to be left out, but came too late for that: its number was kept free and would
 * be asked for as if it were lost. Gives that number, to be sent without contents, or returns false
 * when there is none. */
bool rtp_rewriter_fill(struct rtp_rewriter *rewriter, uint64_t now_us, uint64_t seq,
                       uint32_t timestamp, struct rtp_rewritten *out);

/* The entry of an outgoing number that a NACK names, or NULL: never sent, or too long ago. */
struct rtp_rewriter_entry *rtp_rewriter_find(struct rtp_rewriter *rewriter, uint16_t out_seq);

/* The outgoing timestamp that corresponds to one of the current source; for sender reports. Means
 * something once a packet of the source has been mapped. */
uint32_t rtp_rewriter_timestamp(const struct rtp_rewriter *rewriter, uint32_t source_timestamp);

#endif
