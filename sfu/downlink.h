/* What a subscriber's network carries, and what its slots get of it: one for each transport that
 * has slots. It notes what is sent, reads what the peer reports, probes with padding, and gives
 * every slot its target. A transport without slots has none, and all functions do nothing then. */
#ifndef SFU_DOWNLINK_H
#define SFU_DOWNLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtp/rtcp.h"
#include "sfu/sfu.h"

struct sfu_downlink;
struct sfu_slot;
struct sfu_transport;

/* Begins with a transport's first slot. -ENOMEM. */
int sfu_downlink_open(struct sfu_transport *transport, uint64_t now_us);
void sfu_downlink_close(struct sfu_transport *transport);

/* A slot sent a packet of `len` bytes of SRTP, as RTX or not. numbered: with transport_seq in it.
 * The hot path. */
void sfu_downlink_on_sent(struct sfu_transport *transport, uint64_t now_us, bool numbered,
                          uint16_t transport_seq, size_t len);

/* Something changed that the choice of layers follows from: what a slot carries or wishes, which
 * layers of its track flow, their sizes, or their rates by much. Chooses soon, once for many. */
void sfu_downlink_wake(struct sfu_transport *transport, uint64_t now_us);

/* Whether so many bytes of RTX may be sent now: repairs get at most a share of the estimate, and
 * none of what the link has no room for. What may be sent counts as sent. */
bool sfu_downlink_may_resend(struct sfu_transport *transport, uint64_t now_us, size_t len);

/* How many bytes a slot may send at once beyond what comes in, for replaying a keyframe out of the
 * cache: what the link takes within 100 ms; SIZE_MAX where nothing is known of it. */
size_t sfu_downlink_burst(const struct sfu_transport *transport, uint64_t now_us);

/* feedback.c: what the peer says. */
void sfu_downlink_on_feedback(struct sfu_transport *transport, uint64_t now_us,
                              const struct rtcp_packet *packet);
void sfu_downlink_on_remb(struct sfu_transport *transport, uint64_t now_us, uint64_t bps);
void sfu_downlink_on_report(struct sfu_transport *transport, uint64_t now_us,
                            uint8_t fraction_lost);

/* Fills the figures of an answer, and what it says of a slot. */
void sfu_downlink_why(const struct sfu_transport *transport, uint64_t now_us,
                      struct sfu_why_answer *out);
void sfu_downlink_why_slot(const struct sfu_transport *transport, uint64_t now_us,
                           const struct sfu_slot *slot, struct sfu_why_slot *out);

/* Does what is due; returns when it next has something to do, UINT64_MAX for never. */
uint64_t sfu_downlink_on_deadline(struct sfu_transport *transport, uint64_t now_us);

#endif
