#include "sfu/downlink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "sfu/transport.h"

enum {
    /* Probes tell soon whether there is more; few links carry less. */
    START_BPS = 500 * 1000,
    MIN_BPS = 30 * 1000,
    MAX_BPS = 50 * 1000 * 1000,

    /* Whoever agreed on transport-cc and sends none for so long will never do. */
    FEEDBACK_PATIENCE_US = 3 * 1000 * 1000,

    /* Between two allocations: when something else is wanted, when there is less than was given
     * away, and when there is more. */
    WISHES_US = 20 * 1000,
    DECREASE_US = 50 * 1000,
    INCREASE_US = 200 * 1000,

    SENT_WINDOW_US = 500 * 1000,
    REMB_GROWTH_PERCENT = 8,

    /* Of 256: what receiver reports have to tell before they limit anything (libwebrtc's loss
     * controller lowers above a tenth). */
    LOSSY_OF_256 = 26,

    /* Repairs get a quarter of the estimate, as libwebrtc gives them, and a tenth while its queue
     * grows; after an outage as much as half a second carries. */
    RESEND_SHARE = 4,
    RESEND_SHARE_IN_OVERUSE = 10,
    RESEND_DEPTH_US = 500 * 1000,

    BURST_MIN_BYTES = 6 * 1200,

    UDP_IPV4_BYTES = 28,
    UDP_IPV6_BYTES = 48,
};

static const struct rtp_bwe_config limits = {START_BPS, MIN_BPS, MAX_BPS};

/* --- Life --- */

static bool has_slots(const struct sfu_transport *transport) {
    for (size_t i = 0; i < transport->mline_count; i++)
        if (transport->mlines[i].slot != NULL)
            return true;
    return false;
}

static bool has_numbers(const struct sfu_transport *transport) {
    for (size_t i = 0; i < transport->mline_count; i++) {
        const struct sfu_media *media = &transport->mlines[i].media;
        if (media->direction == SFU_SLOT && media->transport_cc &&
            media->extensions.ids[RTP_EXT_TRANSPORT_SEQ] != 0)
            return true;
    }
    return false;
}

static int grow_slots(struct sfu_downlink *downlink, size_t count) {
    if (count <= downlink->slot_capacity)
        return 0;
    struct sfu_downlink_slot *slots = realloc(downlink->slots, count * sizeof(*slots));
    if (slots == NULL)
        return -ENOMEM;
    memset(slots + downlink->slot_capacity, 0, (count - downlink->slot_capacity) * sizeof(*slots));
    downlink->slots = slots;
    downlink->slot_capacity = count;
    return 0;
}

static int grow_scratch(struct sfu_downlink_scratch *scratch, size_t count) {
    if (count <= scratch->capacity)
        return 0;
    struct sfu_downlink_scratch more = {.slots = calloc(count, sizeof(*more.slots)),
                                        .rungs = calloc(count, sizeof(*more.rungs)),
                                        .mlines = calloc(count, sizeof(*more.mlines)),
                                        .capacity = count};
    if (more.slots == NULL || more.rungs == NULL || more.mlines == NULL) {
        sfu_downlink_scratch_deinit(&more); /* What is there goes on for the others. */
        return -ENOMEM;
    }
    sfu_downlink_scratch_deinit(scratch);
    *scratch = more;
    return 0;
}

void sfu_downlink_scratch_deinit(struct sfu_downlink_scratch *scratch) {
    free(scratch->slots);
    free(scratch->rungs);
    free(scratch->mlines);
    *scratch = (struct sfu_downlink_scratch){0};
}

int sfu_downlink_open(struct sfu_transport *transport, uint64_t now_us) {
    if (!has_slots(transport))
        return 0;
    if (transport->downlink == NULL) {
        transport->downlink = calloc(1, sizeof(*transport->downlink));
        if (transport->downlink == NULL)
            return -ENOMEM;
        sfu_downlink_restart(transport, now_us);
    }
    transport->downlink->numbers = has_numbers(transport);
    sfu_downlink_wake(transport, now_us);
    int result = grow_slots(transport->downlink, transport->mline_count);
    if (result == 0)
        result = grow_scratch(&transport->engine->downlinks, transport->mline_count);
    if (result < 0)
        sfu_downlink_close(transport);
    return result;
}

void sfu_downlink_close(struct sfu_transport *transport) {
    if (transport->downlink == NULL)
        return;
    free(transport->downlink->slots);
    free(transport->downlink);
    transport->downlink = NULL;
}

void sfu_downlink_restart(struct sfu_transport *transport, uint64_t now_us) {
    struct sfu_downlink *downlink = transport->downlink;
    if (downlink == NULL)
        return;
    rtp_bwe_init(&downlink->bwe, now_us, &limits);
    rtp_bwe_set_demand(&downlink->bwe, now_us, downlink->demand_bps);
    downlink->source = SFU_DOWNLINK_NONE;
    downlink->first_number_us = 0;
    downlink->probe = (struct sfu_downlink_probe){0};
    downlink->queue = (struct sfu_downlink_queue){0};
    downlink->sent_since_us = downlink->resend_us = now_us;
    downlink->resend_bits = (int64_t)START_BPS * RESEND_DEPTH_US / 1000000;
    downlink->sent_bytes = 0;
    sfu_downlink_wake(transport, now_us);
}

/* --- What is sent --- */

static size_t wire_bytes(const struct sfu_transport *transport, size_t len) {
    return len + (transport->ice.selected.family == AF_INET6 ? UDP_IPV6_BYTES : UDP_IPV4_BYTES);
}

void sfu_downlink_on_sent(struct sfu_transport *transport, uint64_t now_us, bool numbered,
                          uint16_t transport_seq, size_t len) {
    struct sfu_downlink *downlink = transport->downlink;
    if (downlink == NULL)
        return;
    size_t bytes = wire_bytes(transport, len);
    downlink->sent_bytes += bytes;
    if (!numbered || !downlink->numbers)
        return;
    if (downlink->first_number_us == 0)
        downlink->first_number_us = now_us;
    downlink->queue.sent_bytes += bytes;
    if (downlink->probe.want.id != 0) {
        downlink->probe.bytes += bytes;
        downlink->probe.packets++;
    }
    rtp_bwe_on_sent(&downlink->bwe, now_us, transport_seq, bytes, downlink->probe.want.id);
}

static void measure_sent(struct sfu_downlink *downlink, uint64_t now_us) {
    uint64_t elapsed_us = now_us - downlink->sent_since_us;
    if (elapsed_us < SENT_WINDOW_US)
        return;
    downlink->sent_bps = downlink->sent_bytes * 8 * 1000000 / elapsed_us;
    downlink->sent_bytes = 0;
    downlink->sent_since_us = now_us;
}

/* --- What may be sent --- */

static bool awaits_feedback(const struct sfu_downlink *downlink, uint64_t now_us) {
    return downlink->source == SFU_DOWNLINK_NONE && downlink->numbers &&
           (downlink->first_number_us == 0 ||
            now_us < downlink->first_number_us + FEEDBACK_PATIENCE_US);
}

bool sfu_downlink_is_capped(const struct sfu_downlink *downlink) {
    uint32_t cap_bps = downlink->queue.cap_bps;
    return cap_bps != 0 && cap_bps < rtp_bwe_bps(&downlink->bwe);
}

uint64_t sfu_downlink_budget(const struct sfu_downlink *downlink, uint64_t now_us) {
    if (downlink->source == SFU_DOWNLINK_NONE && !awaits_feedback(downlink, now_us))
        return UINT64_MAX;
    if (downlink->source == SFU_DOWNLINK_REMB)
        return downlink->remb_bps;
    return sfu_downlink_is_capped(downlink) ? downlink->queue.cap_bps : rtp_bwe_bps(&downlink->bwe);
}

bool sfu_downlink_may_resend(struct sfu_transport *transport, uint64_t now_us, size_t len) {
    struct sfu_downlink *downlink = transport->downlink;
    uint64_t budget_bps = downlink ? sfu_downlink_budget(downlink, now_us) : UINT64_MAX;
    if (budget_bps == UINT64_MAX)
        return true;
    struct rtp_bwe_figures figures;
    rtp_bwe_figures(&downlink->bwe, &figures);
    uint64_t share = figures.usage == RTP_BWE_OVERUSE ? RESEND_SHARE_IN_OVERUSE : RESEND_SHARE;
    uint64_t elapsed_us = now_us - downlink->resend_us;
    int64_t depth_bits = (int64_t)(budget_bps * RESEND_DEPTH_US / 1000000);
    if (elapsed_us > RESEND_SHARE_IN_OVERUSE * RESEND_DEPTH_US)
        elapsed_us = RESEND_SHARE_IN_OVERUSE * RESEND_DEPTH_US;
    downlink->resend_us = now_us;
    downlink->resend_bits += (int64_t)(budget_bps / share * elapsed_us / 1000000);
    if (downlink->resend_bits > depth_bits)
        downlink->resend_bits = depth_bits;
    if (downlink->resend_bits <= 0)
        return false;
    downlink->resend_bits -= (int64_t)wire_bytes(transport, len) * 8;
    return true;
}

size_t sfu_downlink_burst(const struct sfu_transport *transport, uint64_t now_us) {
    const struct sfu_downlink *downlink = transport->downlink;
    uint64_t budget_bps = downlink ? sfu_downlink_budget(downlink, now_us) : UINT64_MAX;
    if (budget_bps == UINT64_MAX)
        return SIZE_MAX;
    size_t bytes = (size_t)(budget_bps / 8 * SFU_DOWNLINK_BURST_US / 1000000);
    return bytes > BURST_MIN_BYTES ? bytes : BURST_MIN_BYTES;
}

bool sfu_downlink_is_bounded(const struct sfu_transport *transport) {
    const struct sfu_downlink *downlink = transport->downlink;
    return downlink != NULL && downlink->source == SFU_DOWNLINK_TRANSPORT_CC &&
           !rtp_bwe_is_unbounded(&downlink->bwe);
}

/* --- When to choose again --- */

static void allocate_at(struct sfu_transport *transport, uint64_t now_us, uint64_t after_us) {
    struct sfu_downlink *downlink = transport->downlink;
    uint64_t at_us = downlink->allocated_us + after_us;
    if (at_us < now_us)
        at_us = now_us;
    if (at_us >= downlink->allocate_at_us)
        return;
    downlink->allocate_at_us = at_us;
    sfu_transport_wake_at(transport, at_us);
}

void sfu_downlink_wake(struct sfu_transport *transport, uint64_t now_us) {
    if (transport->downlink != NULL)
        allocate_at(transport, now_us, WISHES_US);
}

bool sfu_downlink_is_short(const struct sfu_transport *transport) {
    return transport->downlink != NULL && transport->downlink->is_short;
}

/* The estimate may be another: less than was given away is taken back soon, more is given away
 * where somebody lacks it. */
static void on_estimate(struct sfu_transport *transport, uint64_t now_us) {
    struct sfu_downlink *downlink = transport->downlink;
    uint64_t budget_bps = sfu_downlink_budget(downlink, now_us);
    if (budget_bps < downlink->allocated_bps)
        allocate_at(transport, now_us, DECREASE_US);
    else if (downlink->is_short)
        allocate_at(transport, now_us, INCREASE_US);
    sfu_transport_wake_at(transport, sfu_downlink_probe(transport, now_us));
}

static void allocate(struct sfu_transport *transport, uint64_t now_us) {
    struct sfu_downlink *downlink = transport->downlink;
    measure_sent(downlink, now_us);
    downlink->allocated_us = now_us;
    uint64_t again_us = sfu_downlink_allocate(transport, now_us);
    downlink->allocate_at_us = again_us > now_us ? again_us : now_us + 1;
    sfu_transport_wake_at(transport, downlink->allocate_at_us);
    rtp_bwe_set_demand(&downlink->bwe, now_us, downlink->demand_bps);
}

static void know_better(struct sfu_downlink *downlink, enum sfu_downlink_source source) {
    if (downlink->source < source)
        downlink->source = source;
}

static void prepare_slots(struct sfu_transport *transport, uint64_t now_us) {
    for (size_t i = 0; i < transport->mline_count; i++)
        if (transport->mlines[i].slot != NULL)
            sfu_slot_prepare(transport->mlines[i].slot, now_us);
}

void sfu_downlink_on_feedback(struct sfu_transport *transport, uint64_t now_us,
                              const struct rtcp_packet *packet) {
    struct sfu_downlink *downlink = transport->downlink;
    if (downlink == NULL || !downlink->numbers || downlink->first_number_us == 0)
        return;
    if (rtp_bwe_on_feedback(&downlink->bwe, now_us, packet) < 0) {
        transport->engine->counters.drop_rtcp_malformed++;
        return;
    }
    know_better(downlink, SFU_DOWNLINK_TRANSPORT_CC);
    if (sfu_downlink_measure_queue(downlink, now_us, packet)) {
        allocate(transport, now_us);
        if (downlink->queue.holds)
            prepare_slots(transport, now_us);
    }
    on_estimate(transport, now_us);
}

/* A receiver never says much more than it gets, half as much again, which is less than the next
 * layer: so where it says clearly more, it is tempted by 8 % more each second. */
static void follow_remb(struct sfu_downlink *downlink, uint64_t now_us, uint64_t bps) {
    measure_sent(downlink, now_us);
    uint64_t elapsed_us = now_us - downlink->remb_us;
    bool has_room = bps > downlink->sent_bps + downlink->sent_bps / 4;
    uint64_t grown_bps = downlink->remb_bps;
    if (elapsed_us < 1000000)
        grown_bps += grown_bps * REMB_GROWTH_PERCENT / 100 * elapsed_us / 1000000;
    downlink->remb_us = now_us;
    downlink->remb_bps = has_room && grown_bps > bps ? grown_bps : bps;
    if (downlink->remb_bps > MAX_BPS)
        downlink->remb_bps = MAX_BPS;
}

void sfu_downlink_on_remb(struct sfu_transport *transport, uint64_t now_us, uint64_t bps) {
    struct sfu_downlink *downlink = transport->downlink;
    if (downlink == NULL)
        return;
    know_better(downlink, SFU_DOWNLINK_REMB);
    rtp_bwe_on_remb(&downlink->bwe, now_us, bps);
    follow_remb(downlink, now_us, bps);
    on_estimate(transport, now_us);
}

/* Who loses little has all that there is; of who loses much, this is what it is sent now. */
static void begin_reports(struct sfu_downlink *downlink, uint64_t now_us) {
    struct rtp_bwe_config config = limits;
    config.start_bps = downlink->sent_bps < MAX_BPS ? (uint32_t)downlink->sent_bps : MAX_BPS;
    rtp_bwe_init(&downlink->bwe, now_us, &config);
    rtp_bwe_set_demand(&downlink->bwe, now_us, downlink->demand_bps);
    downlink->source = SFU_DOWNLINK_REPORTS;
}

void sfu_downlink_on_report(struct sfu_transport *transport, uint64_t now_us,
                            uint8_t fraction_lost) {
    struct sfu_downlink *downlink = transport->downlink;
    if (downlink == NULL || downlink->source == SFU_DOWNLINK_TRANSPORT_CC ||
        awaits_feedback(downlink, now_us))
        return;
    measure_sent(downlink, now_us);
    if (downlink->source == SFU_DOWNLINK_NONE && fraction_lost < LOSSY_OF_256)
        return;
    if (downlink->source == SFU_DOWNLINK_NONE)
        begin_reports(downlink, now_us);
    rtp_bwe_on_report(&downlink->bwe, now_us, fraction_lost, downlink->sent_bps);
    on_estimate(transport, now_us);
}

void sfu_downlink_on_rtt(struct sfu_transport *transport, uint64_t now_us) {
    if (transport->downlink != NULL)
        rtp_bwe_on_rtt(&transport->downlink->bwe, now_us, transport->rtt_us);
}

/* --- Time --- */

static uint64_t sooner(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

uint64_t sfu_downlink_on_deadline(struct sfu_transport *transport, uint64_t now_us) {
    struct sfu_downlink *downlink = transport->downlink;
    if (downlink == NULL)
        return UINT64_MAX;
    if (now_us >= rtp_bwe_next_deadline(&downlink->bwe)) {
        rtp_bwe_on_deadline(&downlink->bwe, now_us);
        on_estimate(transport, now_us);
    }
    if (now_us >= downlink->allocate_at_us)
        allocate(transport, now_us);
    uint64_t next_us = sfu_downlink_probe(transport, now_us);
    next_us = sooner(next_us, rtp_bwe_next_deadline(&downlink->bwe));
    return sooner(next_us, downlink->allocate_at_us);
}
