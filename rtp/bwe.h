/* How much a subscriber's downlink carries: send-side bandwidth estimation out of transport-wide
 * feedback (delay gradient, loss, what arrived, probes), or of REMB and receiver reports for those
 * who have no such feedback. One for each transport; no I/O, no clock. */
#ifndef RTP_BWE_H
#define RTP_BWE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtp/bwe_acked.h"
#include "rtp/bwe_aimd.h"
#include "rtp/bwe_alr.h"
#include "rtp/bwe_loss.h"
#include "rtp/bwe_probe.h"
#include "rtp/bwe_report.h"
#include "rtp/bwe_trend.h"
#include "rtp/rtcp.h"

enum { RTP_BWE_SENT_MAX = 1024 }; /* Packets remembered until they are reported. */

struct rtp_bwe_config {
    uint32_t start_bps, min_bps, max_bps;
};

/* What the estimate hangs on at present. */
enum rtp_bwe_limit {
    RTP_BWE_LIMIT_START, /* Nothing is known yet. */
    RTP_BWE_LIMIT_DELAY,
    RTP_BWE_LIMIT_LOSS,
    RTP_BWE_LIMIT_REMB,
    RTP_BWE_LIMIT_SILENCE, /* Feedback stopped coming. */
    RTP_BWE_LIMIT_MAX,     /* The configured bounds. */
};

/* For traces, and to tell why a layer was chosen. */
struct rtp_bwe_figures {
    uint32_t bps, acked_bps, delay_bps, loss_bps, remb_bps; /* 0: not known. */
    uint32_t probe_bps;                                     /* What the last probe measured. */
    uint32_t rtt_us;
    double loss;                   /* Share of the bytes, 0 to 1, over the last seconds. */
    double trend_ms, threshold_ms; /* Of the delay: overuse when the one exceeds the other. */
    enum rtp_bwe_usage usage;
    enum rtp_bwe_limit limit;
    bool application_limited; /* Much less is sent than the estimate allows. */
    uint64_t feedbacks, bad_feedbacks, unknown_packets;
};

/* One packet that was sent. */
struct rtp_bwe_sent {
    uint32_t sent_us; /* Low half. */
    uint16_t bytes;
    uint8_t probe_id;
    uint8_t state; /* Whether it was reported, and as what. */
};

/* The fields are the implementation's. */
struct rtp_bwe {
    /* Given. */
    struct rtp_bwe_config config;
    /* State: what was sent. */
    uint16_t newest_seq;
    bool started;
    uint64_t newest_sent_us; /* Of what the newest feedback has told of. */
    uint64_t sent_bytes;     /* Since the last feedback. */
    uint64_t waiting_us;     /* When the first packet after the last feedback left; 0: none. */
    struct rtp_bwe_sent sent[RTP_BWE_SENT_MAX]; /* By number modulo the size. */
    /* State: what was reported. */
    bool answered;
    uint64_t arrival_us, feedback_us; /* The newest arrival, unwrapped; the newest feedback. */
    uint64_t resumed_us;              /* When feedback last came after an outage. */
    uint64_t rtt_us, rtt_told_us;     /* The round trip, and when a report last told it. */
    uint32_t acked_bps, recent_bps;
    struct rtp_bwe_acked acked;
    struct rtp_bwe_trend trend;
    struct rtp_bwe_aimd aimd;
    struct rtp_bwe_loss loss;
    struct rtp_bwe_alr alr;
    struct rtp_bwe_prober prober;
    struct rtp_bwe_report report;
    /* State: the estimate. */
    double demand_bps, remb_bps;
    uint64_t remb_us, silence_us; /* When it came; when silence last lowered the estimate. */
    uint64_t deadline_us;
    uint32_t bps, probe_bps;
    enum rtp_bwe_limit limit;
    /* Counters. */
    uint64_t feedbacks, bad_feedbacks, unknown_packets;
};

/* min_bps <= start_bps <= max_bps is made so. */
void rtp_bwe_init(struct rtp_bwe *bwe, uint64_t now_us, const struct rtp_bwe_config *config);

/* A packet that carries the transport-wide number left; `bytes` is what it is on the wire, with UDP
 * and IP. While a probe is being sent every packet has its id, media as well; otherwise 0. */
void rtp_bwe_on_sent(struct rtp_bwe *bwe, uint64_t now_us, uint16_t transport_seq, size_t bytes,
                     uint8_t probe_id);

/* Takes a transport-cc feedback: 0, or -EBADMSG and nothing changes. Then ask for the estimate, and
 * for probes. */
int rtp_bwe_on_feedback(struct rtp_bwe *bwe, uint64_t now_us, const struct rtcp_packet *packet);

void rtp_bwe_on_remb(struct rtp_bwe *bwe, uint64_t now_us, uint64_t bps);

/* A receiver report, fraction_lost of 256 over all streams, and what was sent meanwhile. Counts
 * only for clients that never sent transport-cc feedback. */
void rtp_bwe_on_report(struct rtp_bwe *bwe, uint64_t now_us, uint8_t fraction_lost,
                       uint64_t sent_bps);

void rtp_bwe_on_rtt(struct rtp_bwe *bwe, uint64_t now_us, uint64_t rtt_us);

/* The queue that a fall of the link's rate left has drained, by what was held back meanwhile: its
 * delays say nothing of what follows. */
void rtp_bwe_on_drained(struct rtp_bwe *bwe);

/* What all slots would take if they could: nothing is probed much beyond it. 0 (as at first): there
 * is nothing to send, no probes. */
void rtp_bwe_set_demand(struct rtp_bwe *bwe, uint64_t now_us, uint64_t bps);

/* The next probe to send, after feedback, a deadline or a change of the demand; call again until
 * false. One probe at a time: the next is sent when this one is out. */
bool rtp_bwe_next_probe(struct rtp_bwe *bwe, uint64_t now_us, struct rtp_bwe_probe *out);

/* When rtp_bwe_on_deadline wants to be called; UINT64_MAX for never. After the call it is later
 * than its now_us. */
uint64_t rtp_bwe_next_deadline(const struct rtp_bwe *bwe);
void rtp_bwe_on_deadline(struct rtp_bwe *bwe, uint64_t now_us);

/* The estimate, for all that is sent on the transport; within min_bps and max_bps. */
uint32_t rtp_bwe_bps(const struct rtp_bwe *bwe);

/* Whether nothing has told of a limit so far, neither a queue nor a loss: the estimate is only what
 * was tried. */
bool rtp_bwe_is_unbounded(const struct rtp_bwe *bwe);

void rtp_bwe_figures(const struct rtp_bwe *bwe, struct rtp_bwe_figures *out);

/* A stable word: "start", "delay", "loss", "remb", "silence", "max". */
const char *rtp_bwe_limit_name(enum rtp_bwe_limit limit);

#endif
