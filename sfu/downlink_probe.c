/* Probes: padding sent besides the media, as RTX of a video slot, at a rate that the estimator
 * wants to know the link's answer to. Packets of the near past come again, which a receiver drops
 * as duplicates; where there are none, RTX of padding alone. */
#include <string.h>

#include "sfu/transport.h"

enum {
    TICK_US = 1000, /* What the loop's timers can do. */
    /* A probe is not a probe any more when it takes so much longer than it should. */
    PATIENCE_US = 100 * 1000,
    PACKETS_MIN = 5,
    PACKETS_A_TICK = 16,
    /* About: what is sent is as large as what is there. Less for a probe of few bytes. */
    PACKET_MAX = 1100,
    PACKET_MIN = 150,

    /* Where nothing is sent nothing is reported, and an estimate that is too low for any picture
     * stays so: half of it is padding then. */
    TRICKLE_BYTES = 255,
    TRICKLE_SHARE = 2,
};

/* A slot that can send padding; one that was paused before its first picture too, since the answer
 * has told its receiver the stream. */
static struct sfu_slot *find_slot(const struct sfu_transport *transport) {
    for (size_t i = 0; i < transport->mline_count; i++) {
        struct sfu_slot *slot = transport->mlines[i].slot;
        if (slot != NULL && transport->mlines[i].media.direction == SFU_SLOT &&
            sfu_slot_can_pad(slot))
            return slot;
    }
    return NULL;
}

static uint64_t bits_time_us(uint64_t bytes, uint64_t rate_bps) {
    return bytes * 8 * 1000000 / rate_bps;
}

static bool is_over(const struct sfu_downlink_probe *probe, uint64_t now_us) {
    uint64_t duration_us = bits_time_us(probe->want.bytes, probe->want.rate_bps);
    return (probe->bytes >= probe->want.bytes && probe->packets >= PACKETS_MIN) ||
           now_us > probe->begun_us + 2 * duration_us + PATIENCE_US;
}

static void begin(struct sfu_transport *transport, uint64_t now_us,
                  const struct rtp_bwe_probe *want) {
    transport->downlink->probe =
        (struct sfu_downlink_probe){.want = *want, .begun_us = now_us, .next_us = now_us};
    transport->engine->counters.probes_sent++;
}

static size_t packet_bytes(const struct sfu_downlink_probe *probe) {
    size_t bytes = probe->want.bytes / PACKETS_MIN;
    if (bytes < PACKET_MIN)
        return PACKET_MIN;
    return bytes < PACKET_MAX ? bytes : PACKET_MAX;
}

/* Sends what is due; false: it cannot go on. */
static bool send_due(struct sfu_transport *transport, struct sfu_slot *slot, uint64_t now_us) {
    struct sfu_downlink_probe *probe = &transport->downlink->probe;
    for (int i = 0; i < PACKETS_A_TICK && now_us >= probe->next_us && !is_over(probe, now_us);
         i++) {
        if (sfu_slot_send_padding(slot, now_us, packet_bytes(probe)) == 0)
            return false;
        transport->engine->counters.padding_sent++;
        probe->next_us = probe->begun_us + bits_time_us(probe->bytes, probe->want.rate_bps);
    }
    return true;
}

static uint64_t go_on(struct sfu_transport *transport, struct sfu_slot *slot, uint64_t now_us) {
    struct sfu_downlink_probe *probe = &transport->downlink->probe;
    if (is_over(probe, now_us) || !send_due(transport, slot, now_us) || is_over(probe, now_us)) {
        probe->want.id = 0;
        return UINT64_MAX;
    }
    return probe->next_us > now_us + TICK_US ? probe->next_us : now_us + TICK_US;
}

static uint64_t trickle(struct sfu_transport *transport, struct sfu_slot *slot, uint64_t now_us) {
    struct sfu_downlink *downlink = transport->downlink;
    if (!downlink->starves)
        return UINT64_MAX;
    if (now_us >= downlink->trickle_at_us) {
        size_t len = sfu_slot_send_padding(slot, now_us, TRICKLE_BYTES);
        transport->engine->counters.padding_sent += len > 0;
        downlink->trickle_at_us =
            now_us + bits_time_us(len > 0 ? len : TRICKLE_BYTES,
                                  rtp_bwe_bps(&downlink->bwe) / TRICKLE_SHARE);
    }
    return downlink->trickle_at_us;
}

uint64_t sfu_downlink_probe(struct sfu_transport *transport, uint64_t now_us) {
    struct sfu_downlink *downlink = transport->downlink;
    struct sfu_slot *slot = downlink->numbers ? find_slot(transport) : NULL;
    if (slot == NULL) {
        downlink->probe.want.id = 0;
        return UINT64_MAX;
    }
    if (downlink->probe.want.id != 0) {
        uint64_t next_us = go_on(transport, slot, now_us);
        if (next_us != UINT64_MAX)
            return next_us;
    }
    struct rtp_bwe_probe want;
    if (!rtp_bwe_next_probe(&downlink->bwe, now_us, &want) || want.rate_bps == 0)
        return trickle(transport, slot, now_us);
    begin(transport, now_us, &want);
    return go_on(transport, slot, now_us);
}
