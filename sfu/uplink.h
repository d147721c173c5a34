/* What a publisher's network carries, for those that know REMB but no transport-wide feedback: the
 * same estimator as for downlinks, fed with the senders' times of abs-send-time and told back to
 * itself. Without these times it is what arrives and a half. One for each such transport, begun by
 * its first packet; others have none. */
#ifndef SFU_UPLINK_H
#define SFU_UPLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sfu_packet;
struct sfu_transport;
struct sfu_uplink;

/* A packet of a track whose m-line agreed on REMB, without a transport-wide number. */
void sfu_uplink_on_packet(struct sfu_transport *transport, uint64_t now_us,
                          const struct sfu_packet *packet);

void sfu_uplink_close(struct sfu_transport *transport);

/* Estimates and tells the publisher; returns when it wants to be called again. */
uint64_t sfu_uplink_on_deadline(struct sfu_transport *transport, uint64_t now_us);

#endif
