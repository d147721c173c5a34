#include "sfu/quality.h"

#include "sfu/transport.h"

enum {
    LIMITED_AFTER_S = 5, /* Encoders begin layers one by one. */
    SPEAKS_US = 2000 * 1000,
};

void sfu_quality_on_block(struct sfu_quality_way *way, const struct rtcp_report_block *block,
                          uint64_t packets, uint32_t clock_rate_hz) {
    uint64_t jitter_us = (uint64_t)block->jitter * 1000000 / clock_rate_hz;
    way->packets += packets;
    way->lost_of_256 += packets * block->fraction_lost;
    if (jitter_us > way->jitter_us)
        way->jitter_us = jitter_us;
}

static struct rtp_quality_input begin(const struct sfu_transport *transport,
                                      const struct sfu_quality_way *way) {
    return (struct rtp_quality_input){
        .fraction_lost = way->packets ? (uint8_t)(way->lost_of_256 / way->packets) : 0,
        .jitter_us = way->jitter_us,
        .rtt_us = transport->has_rtt ? transport->rtt_us : 0,
    };
}

static bool judge(struct sfu_quality_way *way, const struct rtp_quality_input *input) {
    bool changed = rtp_quality_update(&way->quality, input);
    way->told_packets += way->packets;
    way->told_lost_of_256 += way->lost_of_256;
    way->packets = way->lost_of_256 = way->jitter_us = 0;
    return changed;
}

/* --- What the participant sends --- */

static bool flows(const struct sfu_track *track, uint64_t now_us) {
    for (uint8_t i = 0; i < track->layer_count; i++)
        if (track->layers[i].last_packet_us != 0 &&
            now_us - track->layers[i].last_packet_us < SPEAKS_US)
            return true;
    return false;
}

/* A layer that it once sent and somebody wants. Those that never came it may be unable to send: a
 * small camera has fewer. */
static bool lacks_layer(const struct sfu_track *track) {
    for (uint8_t i = 0; track->layer_count > 1 && i < track->layer_count; i++) {
        const struct sfu_layer *layer = &track->layers[i];
        if ((track->watched_told >> i & 1) != 0 && layer->last_packet_us != 0 && !layer->flowing)
            return true;
    }
    return false;
}

static bool judge_up(struct sfu_transport *transport, uint64_t now_us) {
    struct sfu_quality_meter *meter = &transport->quality;
    struct rtp_quality_input input = begin(transport, &meter->up);
    bool limited = false;
    for (size_t i = 0; i < transport->mline_count; i++) {
        const struct sfu_track *track = transport->mlines[i].track;
        if (track == NULL || !flows(track, now_us))
            continue;
        input.audio = input.audio || !track->media.video;
        input.video = input.video || track->media.video;
        limited = limited || lacks_layer(track);
    }
    meter->limited_s = limited ? meter->limited_s + (meter->limited_s < UINT8_MAX) : 0;
    input.publisher_limited = meter->limited_s >= LIMITED_AFTER_S;
    return judge(&meter->up, &input);
}

/* --- What it receives --- */

/* A slot that has begun anew counts from the next time on. */
static void count_sent(struct sfu_quality_meter *meter, const struct sfu_slot *slot,
                       struct sfu_downlink_slot *known) {
    if (slot->octets >= known->reported_octets)
        meter->down.bytes += slot->octets - known->reported_octets;
    known->reported_octets = slot->octets;
}

static bool judge_down(struct sfu_transport *transport, uint64_t now_us) {
    struct sfu_quality_meter *meter = &transport->quality;
    struct rtp_quality_input input = begin(transport, &meter->down);
    for (size_t i = 0; transport->downlink != NULL && i < transport->mline_count; i++) {
        const struct sfu_slot *slot = transport->mlines[i].slot;
        struct sfu_downlink_slot *known = &transport->downlink->slots[i];
        if (slot != NULL)
            count_sent(meter, slot, known);
        if (slot == NULL || slot->track == NULL || slot->wish.paused)
            continue;
        input.audio = input.audio || !slot->media.video;
        input.video = input.video || slot->media.video;
        input.audio_redundant = input.audio_redundant || now_us < slot->doubled_until_us;
        if (!slot->media.video)
            continue;
        input.slots++;
        input.slots_paused += known->paused;
        input.wanted_bps += known->wanted_bps;
        input.got_bps += known->bps;
    }
    /* Rates are measured: a few percent are nothing. */
    if (input.got_bps * 10 > input.wanted_bps * 9)
        input.got_bps = input.wanted_bps;
    return judge(&meter->down, &input);
}

/* --- Telling --- */

static struct sfu_quality say(struct sfu_quality_way *way, uint64_t since_us) {
    struct sfu_quality said = {.score = way->quality.score,
                               .reason = rtp_quality_reason_name(way->quality.reason),
                               .bps = way->bytes * 8 * 1000000 / since_us};
    if (way->told_packets > 0)
        said.loss_permille = (uint16_t)(way->told_lost_of_256 * 1000 / 256 / way->told_packets);
    way->told_packets = way->told_lost_of_256 = way->bytes = 0;
    return said;
}

static void tell(struct sfu_transport *transport, uint64_t now_us) {
    struct sfu_quality_meter *meter = &transport->quality;
    /* Since the first time by the reports' own interval. */
    uint64_t since_us = meter->told_us ? now_us - meter->told_us : SFU_REPORT_INTERVAL_US;
    struct sfu_event event = {.type = SFU_EVENT_QUALITY,
                              .participant = transport->participant,
                              .up = say(&meter->up, since_us),
                              .down = say(&meter->down, since_us),
                              .rtt_us = transport->has_rtt ? (uint32_t)transport->rtt_us : 0};
    event.score = event.up.score;
    if (event.score == 0 || (event.down.score != 0 && event.down.score < event.score))
        event.score = event.down.score;
    meter->changed = false;
    meter->told_us = now_us;
    transport->engine->config.on_event(transport->engine->config.ctx, &event);
}

void sfu_quality_update(struct sfu_transport *transport, uint64_t now_us) {
    struct sfu_quality_meter *meter = &transport->quality;
    bool up = judge_up(transport, now_us);
    bool down = judge_down(transport, now_us);
    meter->changed = meter->changed || up || down;
    bool flows = meter->up.quality.score != 0 || meter->down.quality.score != 0;
    uint64_t since_us = now_us - meter->told_us;
    if ((meter->changed && since_us >= SFU_QUALITY_INTERVAL_US) ||
        (flows && since_us >= SFU_QUALITY_FIGURES_US))
        tell(transport, now_us);
}
