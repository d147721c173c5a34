/* Probes: three and six times the start, then on as long as they succeed, then regularly while more
 * is asked for than the estimate allows. An SFU's rate moves in steps of layers, so without probes
 * the estimate would never reach the next step. */
#include "rtp/bwe_probe.h"

#include <string.h>

enum {
    /* libwebrtc's take 15 ms. Of a link that another subscriber's video bursts through, less than a
     * frame interval measures the burst: two shared it 0.72 to 1.0 (Jain) with 20 ms, 0.93 to 1.0
     * with 30 ms. */
    DURATION_US = 30000,
    PACKETS_MIN = 5,
    PACKET_BYTES = 200,      /* At least, so that five of them are worth timing. */
    SENDING_MAX_US = 200000, /* After that it is taken for sent, whatever was. */
    RESULT_MAX_US = 1000000,
    INTERVAL_ACKED_MAX_US = 1000000,
    INITIAL_REPEAT_US = 1000000,
    INITIAL_MAX_US = 5000000,
    /* libwebrtc probes each 5 s; where the link's return is to be used within 5 s that is too late.
     * Bursts of 30 ms each 2.5 s at twice the rate are 2.4 % of it. */
    INTERVAL_MIN_US = 1000000,
    INTERVAL_MAX_US = 2500000,
    RECOVERY_MIN_US = 500000,
    RECOVERY_RANGE_US = 2500000,
    RECOVERY_UNTIL_US = 5000000,
};

static const double initial_factors[] = {3, 6};
static const double further_factor = 2, further_result = 0.7, regular_factor = 2;
static const double received_share = 0.8, ratio_max = 2.0, unsaturated = 0.9, utilisation = 0.95;
static const double drop_ratio = 0.66, recovery_factor = 0.85;
static const double cap_margin = 1.05, success_ratio = 1.1;

void rtp_bwe_prober_init(struct rtp_bwe_prober *prober) {
    *prober = (struct rtp_bwe_prober){.interval_us = INTERVAL_MIN_US};
}

static void enqueue(struct rtp_bwe_prober *prober, double bps, double cap_bps) {
    if (bps > cap_bps)
        bps = cap_bps;
    if (prober->queued < RTP_BWE_PROBES_QUEUED && bps >= 1 && bps < UINT32_MAX)
        prober->queue_bps[prober->queued++] = (uint32_t)bps;
}

static bool is_sending(const struct rtp_bwe_cluster *cluster, uint64_t now_us) {
    return cluster->probe.id != 0 && cluster->sent_bytes < cluster->probe.bytes &&
           now_us - cluster->asked_us < SENDING_MAX_US;
}

/* Forgets what got no answer; true while one is still waited for. */
static bool is_busy(struct rtp_bwe_prober *prober, uint64_t now_us) {
    bool busy = prober->queued > 0;
    for (int i = 0; i < RTP_BWE_CLUSTERS; i++) {
        struct rtp_bwe_cluster *cluster = &prober->clusters[i];
        if (cluster->probe.id != 0 && now_us - cluster->asked_us >= RESULT_MAX_US)
            cluster->probe.id = 0;
        busy = busy || cluster->probe.id != 0;
    }
    return busy;
}

static void plan_initial(struct rtp_bwe_prober *prober, uint64_t now_us,
                         const struct rtp_bwe_outlook *outlook) {
    if (prober->begun_us == 0)
        prober->begun_us = now_us;
    if (now_us < prober->next_us || now_us - prober->begun_us >= INITIAL_MAX_US)
        return;
    prober->next_us = now_us + INITIAL_REPEAT_US;
    for (int i = 0; i < 2; i++)
        if (i == 0 || initial_factors[i - 1] * outlook->bps < outlook->cap_bps)
            enqueue(prober, initial_factors[i] * outlook->bps, outlook->cap_bps);
}

static void plan_regular(struct rtp_bwe_prober *prober, uint64_t now_us,
                         const struct rtp_bwe_outlook *outlook) {
    bool recovers = prober->dropped_us != 0 && now_us >= prober->next_us;
    if (recovers) {
        bool is_fresh = now_us - prober->dropped_us < RECOVERY_UNTIL_US;
        double bps = recovery_factor * prober->dropped_bps;
        prober->dropped_us = 0;
        if (is_fresh && bps > outlook->bps) {
            enqueue(prober, bps, outlook->cap_bps);
            return;
        }
    }
    if (now_us < prober->next_us)
        return;
    enqueue(prober, regular_factor * outlook->bps, outlook->cap_bps);
    prober->next_us = now_us + prober->interval_us;
    prober->interval_us += prober->interval_us / 2;
    if (prober->interval_us > INTERVAL_MAX_US)
        prober->interval_us = INTERVAL_MAX_US;
}

static bool is_worth(const struct rtp_bwe_outlook *outlook) {
    return outlook->cap_bps > outlook->bps * cap_margin;
}

void rtp_bwe_prober_plan(struct rtp_bwe_prober *prober, uint64_t now_us,
                         const struct rtp_bwe_outlook *outlook) {
    /* A tile was opened: whether it can be filled is to be known at once. */
    if (outlook->cap_bps > prober->cap_bps * success_ratio)
        prober->interval_us = INTERVAL_MIN_US;
    if (outlook->cap_bps > prober->cap_bps * success_ratio && outlook->is_answered)
        prober->next_us = now_us;
    prober->cap_bps = outlook->cap_bps;
    if (is_busy(prober, now_us) || !is_worth(outlook))
        return;
    if (!outlook->is_answered)
        plan_initial(prober, now_us, outlook);
    else if (outlook->is_calm)
        plan_regular(prober, now_us, outlook);
}

bool rtp_bwe_prober_next(struct rtp_bwe_prober *prober, uint64_t now_us,
                         struct rtp_bwe_probe *out) {
    for (int i = 0; i < RTP_BWE_CLUSTERS; i++)
        if (is_sending(&prober->clusters[i], now_us))
            return false;
    if (prober->queued == 0)
        return false;
    uint32_t bps = prober->queue_bps[0];
    memmove(prober->queue_bps, prober->queue_bps + 1,
            (RTP_BWE_PROBES_QUEUED - 1) * sizeof prober->queue_bps[0]);
    prober->queued--;
    uint64_t bytes = (uint64_t)bps * DURATION_US / 8000000;
    if (bytes < PACKETS_MIN * PACKET_BYTES)
        bytes = PACKETS_MIN * PACKET_BYTES;
    prober->last_id = prober->last_id == UINT8_MAX ? 1 : prober->last_id + 1;
    struct rtp_bwe_cluster *cluster = &prober->clusters[prober->last_id % RTP_BWE_CLUSTERS];
    *cluster = (struct rtp_bwe_cluster){.probe = {prober->last_id, bps, (uint32_t)bytes},
                                        .asked_us = now_us};
    *out = cluster->probe;
    return true;
}

static struct rtp_bwe_cluster *cluster_of(struct rtp_bwe_prober *prober, uint8_t id) {
    struct rtp_bwe_cluster *cluster = &prober->clusters[id % RTP_BWE_CLUSTERS];
    return id != 0 && cluster->probe.id == id ? cluster : NULL;
}

void rtp_bwe_prober_on_sent(struct rtp_bwe_prober *prober, uint8_t id, uint32_t bytes) {
    struct rtp_bwe_cluster *cluster = cluster_of(prober, id);
    if (cluster != NULL && cluster->sent_bytes < UINT32_MAX / 2)
        cluster->sent_bytes += bytes;
}

void rtp_bwe_prober_on_packet(struct rtp_bwe_prober *prober, const struct rtp_bwe_packet *packet) {
    struct rtp_bwe_cluster *cluster = cluster_of(prober, packet->probe_id);
    if (cluster == NULL)
        return;
    if (cluster->packets == 0) {
        cluster->first_sent_us = cluster->last_sent_us = packet->sent_us;
        cluster->first_arrival_us = cluster->last_arrival_us = packet->arrival_us;
        cluster->first_arrival_bytes = cluster->last_sent_bytes = packet->bytes;
    }
    if (packet->sent_us < cluster->first_sent_us)
        cluster->first_sent_us = packet->sent_us;
    if (packet->sent_us >= cluster->last_sent_us) {
        cluster->last_sent_us = packet->sent_us;
        cluster->last_sent_bytes = packet->bytes;
    }
    if (packet->arrival_us < cluster->first_arrival_us) {
        cluster->first_arrival_us = packet->arrival_us;
        cluster->first_arrival_bytes = packet->bytes;
    }
    if (packet->arrival_us > cluster->last_arrival_us)
        cluster->last_arrival_us = packet->arrival_us;
    cluster->packets++;
    cluster->bytes += packet->bytes;
}

/* False when a complete cluster says nothing. */
static bool measure(const struct rtp_bwe_cluster *cluster, struct rtp_bwe_probe_result *out) {
    double sent_us = (double)(cluster->last_sent_us - cluster->first_sent_us);
    double received_us = (double)(cluster->last_arrival_us - cluster->first_arrival_us);
    if (sent_us <= 0 || received_us <= 0 || sent_us > INTERVAL_ACKED_MAX_US ||
        received_us > INTERVAL_ACKED_MAX_US)
        return false;
    double sent_bps = (cluster->bytes - cluster->last_sent_bytes) * 8e6 / sent_us;
    double received_bps = (cluster->bytes - cluster->first_arrival_bytes) * 8e6 / received_us;
    if (received_bps > ratio_max * sent_bps)
        return false;
    double bps = received_bps < sent_bps ? received_bps : sent_bps;
    out->is_saturated = received_bps < unsaturated * sent_bps;
    if (out->is_saturated)
        bps = utilisation * received_bps;
    out->bps = bps < UINT32_MAX ? (uint32_t)bps : UINT32_MAX;
    return true;
}

static bool is_complete(const struct rtp_bwe_cluster *cluster) {
    uint32_t bytes =
        cluster->sent_bytes > cluster->probe.bytes ? cluster->sent_bytes : cluster->probe.bytes;
    return cluster->probe.id != 0 && cluster->packets >= PACKETS_MIN * received_share &&
           cluster->bytes >= bytes * received_share;
}

bool rtp_bwe_prober_result(struct rtp_bwe_prober *prober, uint64_t now_us, double cap_bps,
                           struct rtp_bwe_probe_result *out) {
    for (int i = 0; i < RTP_BWE_CLUSTERS; i++) {
        struct rtp_bwe_cluster *cluster = &prober->clusters[i];
        if (!is_complete(cluster))
            continue;
        double asked_bps = cluster->probe.rate_bps;
        cluster->probe.id = 0;
        if (!measure(cluster, out))
            continue;
        if (out->bps > further_result * asked_bps && asked_bps < cap_bps && prober->queued == 0) {
            enqueue(prober, further_factor * out->bps, cap_bps);
            prober->interval_us = INTERVAL_MIN_US;
            prober->next_us = now_us + INTERVAL_MIN_US;
        }
        return true;
    }
    return false;
}

void rtp_bwe_prober_on_drop(struct rtp_bwe_prober *prober, uint64_t now_us, double from_bps,
                            double to_bps) {
    /* Of those who share a link and were cut at once, the one that has least tries first. */
    double satisfied = prober->cap_bps > to_bps ? to_bps / prober->cap_bps : 1;
    uint64_t wait_us = RECOVERY_MIN_US + (uint64_t)(RECOVERY_RANGE_US * satisfied);
    if (prober->dropped_us == 0 && to_bps >= drop_ratio * from_bps)
        return;
    if (prober->dropped_us == 0)
        prober->dropped_bps = from_bps;
    prober->dropped_us = now_us;
    prober->interval_us = INTERVAL_MIN_US;
    prober->next_us = now_us + wait_us;
}

uint64_t rtp_bwe_prober_deadline(const struct rtp_bwe_prober *prober,
                                 const struct rtp_bwe_outlook *outlook) {
    if (!is_worth(outlook) || (!outlook->is_answered && prober->begun_us == 0))
        return UINT64_MAX;
    if (!outlook->is_answered && prober->next_us >= prober->begun_us + INITIAL_MAX_US)
        return UINT64_MAX;
    return prober->next_us;
}
