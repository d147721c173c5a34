/* What a subscriber's network carries, and what its slots get of it: one for each transport that
 * has slots. It notes what is sent, reads what the peer reports, probes with padding, and gives
 * every slot its target. A transport without slots has none, and all functions do nothing then. */
#ifndef SFU_DOWNLINK_H
#define SFU_DOWNLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtp/allocator.h"
#include "rtp/bwe.h"
#include "rtp/rtcp.h"
#include "sfu/sfu.h"

struct sfu_engine;
struct sfu_slot;
struct sfu_transport;

enum { SFU_DOWNLINK_BURST_US = 100 * 1000 };

/* What the estimate follows; what is further down is known better. */
enum sfu_downlink_source {
    SFU_DOWNLINK_NONE,    /* Nothing bad was heard: everything is sent. */
    SFU_DOWNLINK_REPORTS, /* Receiver reports of losses. */
    SFU_DOWNLINK_REMB,
    SFU_DOWNLINK_TRANSPORT_CC,
};

/* What is remembered of an m-line's slot between two allocations. */
struct sfu_downlink_slot {
    uint64_t track; /* It speaks of; 0: none. */
    struct rtp_allocator_state state;
    int8_t wanted, chosen;
    uint8_t reason; /* enum rtp_allocator_reason */
    bool paused;    /* By bandwidth, as was told. */
    uint32_t bps;   /* Of the chosen rung. */
    uint32_t wanted_bps;
    uint32_t reported_packets;
    uint32_t reported_octets; /* Until the connection was judged last. */
};

/* A probe on its way: padding besides the media, spread at a rate. */
struct sfu_downlink_probe {
    struct rtp_bwe_probe want; /* id 0: none. */
    uint64_t begun_us;
    uint64_t next_us;
    uint64_t bytes; /* Sent so far, with the media. */
    uint32_t packets;
};

/* The least of a time that contains a queue or none, of the last half minute to minute. */
struct sfu_downlink_base {
    uint64_t least_us, older_us, since_us;
};

/* A queue that never empties. */
struct sfu_downlink_standing {
    struct sfu_downlink_base way; /* From sending to arriving, by two clocks. */
    uint64_t newest_us;           /* When something was last reported. */
    uint64_t since_us;            /* Everything reported has waited since then; 0: not so. */
    bool tried;                   /* Less was sent, and still everything waits. */
};

/* The queue of the link, as far as it can be known. */
struct sfu_downlink_queue {
    struct sfu_downlink_base base; /* From sending to its report. */
    struct sfu_downlink_standing standing;
    uint64_t length_us;
    uint64_t sent_bytes;       /* With numbers, in all, */
    uint64_t reported_bytes;   /* and of them as of the last feedback, which was then: */
    uint64_t unreported_bytes; /* As of then too. */
    uint64_t reported_us;
    uint64_t backlog_us;    /* Since when the link has a queue, at most a while ago; 0: none. */
    uint64_t backlog_bytes; /* Reported until then, */
    uint64_t backlog_bps;   /* and since; 0: not known. */
    uint64_t held_us;       /* When pictures were last held back. */
    bool holds;             /* They are. */
    uint32_t carried_bps;   /* What the link did when its queue was full, for a while after. */
    uint32_t cap_bps;       /* No more is given away, 0: no such limit, */
    uint64_t cap_until_us;  /* until then. */
};

/* What is replayed of all slots together. */
struct sfu_downlink_replays {
    int64_t bytes;  /* That may be, less than 0 when it was more, */
    uint64_t at_us; /* as of then. */
    size_t mline;   /* Whose turn it is, as long as it is replaying. */
};

struct sfu_downlink {
    /* Owned. */
    struct sfu_downlink_slot *slots; /* By m-line. */
    /* State. */
    enum sfu_downlink_source source;
    bool numbers;             /* Transport-cc was negotiated. */
    bool is_short;            /* Some slot has less than it wants. */
    bool starves;             /* No picture is sent, for want of bandwidth. */
    size_t slot_capacity;     /* M-lines. */
    uint64_t first_number_us; /* When the first numbered packet left, 0: none did. */
    uint64_t allocated_us;    /* The last time. */
    uint64_t allocate_at_us;
    uint64_t allocated_bps; /* What was given away then. */
    uint64_t least_bps;     /* What the least of everything would take. */
    uint64_t demand_bps;
    uint64_t sent_bytes; /* Since then: */
    uint64_t sent_since_us;
    uint64_t sent_bps; /* Before that. */
    uint64_t remb_bps; /* What is made of the peer's. */
    uint64_t remb_us;
    int64_t resend_bits; /* What may be resent. */
    uint64_t resend_us;  /* As of then. */
    struct sfu_downlink_queue queue;
    struct sfu_downlink_probe probe;
    struct sfu_downlink_replays replays;
    uint64_t trickle_at_us; /* While it starves: the next packet of padding. */
    struct rtp_bwe bwe;
};

/* Room for an allocation, one for all transports of an engine. */
struct sfu_downlink_scratch {
    /* Owned. */
    struct rtp_allocator_slot *slots;
    struct rtp_rung (*rungs)[RTP_RUNGS_MAX];
    uint16_t *mlines; /* Whose slots[i] is. */
    /* State. */
    size_t capacity;
};

void sfu_downlink_scratch_deinit(struct sfu_downlink_scratch *scratch);

/* Begins with a transport's first slot, and follows what is negotiated later. -ENOMEM. */
int sfu_downlink_open(struct sfu_transport *transport, uint64_t now_us);
void sfu_downlink_close(struct sfu_transport *transport);

/* The peer's network is another: what was learnt of it is void. */
void sfu_downlink_restart(struct sfu_transport *transport, uint64_t now_us);

/* A slot sent a packet of `len` bytes of SRTP, as RTX or not. numbered: with transport_seq in it.
 * The hot path. */
void sfu_downlink_on_sent(struct sfu_transport *transport, uint64_t now_us, bool numbered,
                          uint16_t transport_seq, size_t len);

/* Prefetches what the next packet touches. */
static inline void sfu_downlink_fetch(const struct sfu_downlink *downlink, uint16_t transport_seq) {
    __builtin_prefetch(downlink, 1);
    __builtin_prefetch(&downlink->sent_bytes, 1);
    __builtin_prefetch(&downlink->queue.sent_bytes, 1);
    __builtin_prefetch(&downlink->bwe.newest_seq, 1);
    __builtin_prefetch(&downlink->bwe.sent[transport_seq % RTP_BWE_SENT_MAX], 1);
}

/* Something changed that the choice of layers follows from: what a slot carries or wishes, which
 * layers of its track flow, their sizes, or their rates by much. Chooses soon, once for many. */
void sfu_downlink_wake(struct sfu_transport *transport, uint64_t now_us);

/* Whether some slot has less than it wants. */
bool sfu_downlink_is_short(const struct sfu_transport *transport);

/* Whether so many bytes of RTX may be sent now: repairs get at most a share of the estimate, and
 * less of it while the link's queue grows. What may be sent counts as sent. */
bool sfu_downlink_may_resend(struct sfu_transport *transport, uint64_t now_us, size_t len);

/* How many bytes a slot may send at once beyond what comes in, for replaying a keyframe out of the
 * cache: what the link takes within 100 ms; SIZE_MAX where nothing is known of it. */
size_t sfu_downlink_burst(const struct sfu_transport *transport, uint64_t now_us);

/* How many bytes a slot of video may replay now where the link has a limit, 0 while it is another
 * one's turn; live_bps is what comes of its layer meanwhile. And that a slot did. */
size_t sfu_downlink_replay_bytes(const struct sfu_slot *slot, uint64_t now_us, uint64_t live_bps);
void sfu_downlink_on_replayed(struct sfu_transport *transport, size_t bytes);

/* How many slots show something, or would if there were the bandwidth. */
size_t sfu_downlink_pictures(const struct sfu_transport *transport);

/* Whether the link has shown that it has a limit; else the estimate is only what was tried. */
bool sfu_downlink_is_bounded(const struct sfu_transport *transport);

/* feedback.c: what the peer says. fraction_lost is of 256, over all slots. */
void sfu_downlink_on_feedback(struct sfu_transport *transport, uint64_t now_us,
                              const struct rtcp_packet *packet);
void sfu_downlink_on_remb(struct sfu_transport *transport, uint64_t now_us, uint64_t bps);
void sfu_downlink_on_report(struct sfu_transport *transport, uint64_t now_us,
                            uint8_t fraction_lost);
void sfu_downlink_on_rtt(struct sfu_transport *transport, uint64_t now_us);

/* Fills the figures of an answer, and what it says of the slot of an m-line. */
void sfu_downlink_why(const struct sfu_transport *transport, uint64_t now_us,
                      struct sfu_why_answer *out);
void sfu_downlink_why_slot(const struct sfu_transport *transport, uint64_t now_us, size_t mline,
                           struct sfu_why_slot *out);

/* Does what is due; returns when it next has something to do, UINT64_MAX for never. */
uint64_t sfu_downlink_on_deadline(struct sfu_transport *transport, uint64_t now_us);

/* The parts, each in its file. Allocation: gives every slot its target, and says which are paused;
 * returns when it wants to be called again though nothing has changed. */
uint64_t sfu_downlink_allocate(struct sfu_transport *transport, uint64_t now_us);

/* What all that is numbered may take; UINT64_MAX: nothing is known. */
uint64_t sfu_downlink_budget(const struct sfu_downlink *downlink, uint64_t now_us);

/* Whether a queue leaves less to give away than the estimate. */
bool sfu_downlink_is_capped(const struct sfu_downlink *downlink);

/* After each feedback: measures the queue; true when pictures are to be held back from now on, or
 * no more. */
bool sfu_downlink_measure_queue(struct sfu_downlink *downlink, uint64_t now_us,
                                const struct rtcp_packet *packet);

/* No cap is lower where the link carries it: with less somebody would be paused. */
uint64_t sfu_downlink_least_cap_bps(const struct sfu_downlink *downlink);

/* After each feedback: where a queue stands, less is given away for a moment. */
void sfu_downlink_drain_standing(struct sfu_downlink *downlink, uint64_t now_us);

/* The least of this and of what was learnt lately. */
uint64_t sfu_downlink_learn_base(struct sfu_downlink_base *base, uint64_t now_us,
                                 uint64_t taken_us);

/* Ends a hold that no feedback has ended in its time; returns when that is, UINT64_MAX: there is
 * none. */
uint64_t sfu_downlink_expire_hold(struct sfu_downlink *downlink, uint64_t now_us);

/* Begins the probes that the estimator wants, and sends what is due of them; returns when there is
 * more. */
uint64_t sfu_downlink_probe(struct sfu_transport *transport, uint64_t now_us);

#endif
