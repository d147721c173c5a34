/* How good a participant's connection is, each way, out of what its transport knows: losses, round
 * trip, jitter, and what comes of what is wanted. */
#ifndef SFU_QUALITY_H
#define SFU_QUALITY_H

#include <stdbool.h>
#include <stdint.h>

#include "rtp/quality.h"
#include "rtp/rtcp.h"

struct sfu_stream;
struct sfu_transport;

enum {
    SFU_QUALITY_INTERVAL_US = 2000 * 1000, /* Between two events, at least. */
    SFU_QUALITY_FIGURES_US = 5000 * 1000,  /* And at most, while anything flows. */
};

struct sfu_quality_way {
    struct rtp_quality quality;
    uint64_t packets; /* Since the last update, and each one's loss, of 256: */
    uint64_t lost_of_256;
    uint64_t jitter_us; /* The most. */

    /* Since it was told. */
    uint64_t told_packets, told_lost_of_256;
    uint64_t bytes; /* Media. */
};

/* Zero-initialise. */
struct sfu_quality_meter {
    struct sfu_quality_way up, down;
    uint8_t limited_s; /* For how long the publisher has not sent a layer that is wanted. */
    bool changed;      /* Since it was told. */
    uint64_t told_us;
};

/* A report block says of so many packets at this clock rate: ours of a publisher's stream, or the
 * peer's of a slot. */
void sfu_quality_on_block(struct sfu_quality_way *way, const struct rtcp_report_block *block,
                          uint64_t packets, uint32_t clock_rate_hz);

/* Once a second: judges, and tells when that has changed, or its figures are old. */
void sfu_quality_update(struct sfu_transport *transport, uint64_t now_us);

#endif
