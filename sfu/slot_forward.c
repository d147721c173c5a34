/* The way of a packet through a slot: chosen by rtp/selector, numbered by rtp/rewriter; and what is
 * replayed out of the track's history when a slot begins. */
#include <string.h>

#include "sfu/downlink.h"
#include "sfu/engine.h"
#include "sfu/slot.h"
#include "sfu/track.h"
#include "sfu/transport.h"

/* --- Sources --- */

static uint32_t timestamp_at(const struct sfu_layer *layer, uint64_t now_us, uint32_t rate_hz) {
    int64_t since_us = (int64_t)(now_us - layer->clock_us);
    return layer->clock_timestamp + (uint32_t)(since_us * (int64_t)rate_hz / 1000000);
}

/* Layers of one track whose clocks are both known go on exactly where the other one stood. */
static bool align(const struct sfu_slot *slot, uint64_t now_us, uint8_t layer, uint32_t *offset) {
    const struct rtp_rewriter *rewriter = &slot->rewriter;
    const struct sfu_slot_source *last = &slot->sources[rewriter->source % SFU_SLOT_SOURCES];
    if (rewriter->source == 0 || last->generation != rewriter->source ||
        last->track != slot->track->id || last->layer >= slot->track->layer_count)
        return false;
    const struct sfu_layer *from = &slot->track->layers[last->layer];
    const struct sfu_layer *to = &slot->track->layers[layer];
    if (!from->has_clock || !to->has_clock)
        return false;
    uint32_t rate_hz = rewriter->clock_rate_hz;
    *offset = rtp_rewriter_timestamp(rewriter, timestamp_at(from, now_us, rate_hz)) -
              timestamp_at(to, now_us, rate_hz);
    return true;
}

static void begin_source(struct sfu_slot *slot, uint64_t now_us, const struct sfu_packet *packet) {
    const struct sfu_layer *layer = &slot->track->layers[packet->layer];
    uint32_t offset = 0;
    bool aligned = align(slot, now_us, packet->layer, &offset);
    slot->switching = false;
    slot->first_seq = packet->seq;
    rtp_rewriter_switch(&slot->rewriter, aligned, offset);
    if (slot->replaying && slot->media.video)
        rtp_rewriter_replay(&slot->rewriter, layer->newest_timestamp, layer->keyframe.frames);
    uint16_t generation = slot->rewriter.source;
    if (slot->was_held) /* What was lost before would wait before the picture that replaces it. */
        memset(slot->sources, 0, sizeof(slot->sources));
    slot->was_held = false;
    slot->sources[generation % SFU_SLOT_SOURCES] = (struct sfu_slot_source){
        .track = slot->track->id, .generation = generation, .layer = packet->layer};
}

/* --- One packet --- */

/* What is left out too late for its number to close up, so that the subscriber does not wait. */
static void fill_gap(struct sfu_slot *slot, uint64_t now_us, const struct sfu_packet *packet) {
    struct rtp_rewritten numbers;
    if (slot->media.video &&
        rtp_rewriter_fill(&slot->rewriter, now_us, packet->seq, packet->rtp.timestamp, &numbers))
        sfu_slot_emit_instead(slot, now_us, packet, &numbers, 0, &(struct sfu_substitute){0});
}

static void leave_out(struct sfu_slot *slot, uint64_t now_us, const struct sfu_packet *packet) {
    if (slot->switching)
        return;
    rtp_rewriter_drop(&slot->rewriter, packet->seq, &packet->descriptor);
    fill_gap(slot, now_us, packet);
}

/* Sound that is replayed keeps its own time, so that it delays nothing behind it. */
static uint64_t time_of(const struct sfu_slot *slot, uint64_t now_us,
                        const struct sfu_packet *packet) {
    return slot->replaying && !rtp_codec_is_video(packet->codec) ? packet->received_us : now_us;
}

/* True when it was sent, and is the newest that was. */
static bool pass_on(struct sfu_slot *slot, uint64_t now_us, const struct sfu_packet *packet,
                    bool ends_picture) {
    if (slot->switching)
        begin_source(slot, now_us, packet);
    if (packet->codec == RTP_CODEC_RED)
        sfu_slot_recover_sound(slot, now_us, packet);
    struct rtp_rewritten numbers;
    if (!rtp_rewriter_map(&slot->rewriter, time_of(slot, now_us, packet), packet->seq,
                          packet->rtp.timestamp, &packet->descriptor, &numbers)) {
        fill_gap(slot, now_us, packet);
        return false;
    }
    if (ends_picture && !packet->rtp.marker) {
        rtp_rewriter_find(&slot->rewriter, numbers.seq)->ends_picture = true;
        numbers.ends_picture = true;
    }
    if (rtp_codec_is_video(packet->codec))
        sfu_slot_emit(slot, now_us, packet, &numbers, 0);
    else
        sfu_slot_send_sound(slot, now_us, packet, &numbers);
    slot->packets++;
    slot->octets += packet->rtp.payload_len;
    slot->transport->engine->counters.rtp_forwarded++;
    return rtp_rewriter_is_newest(&slot->rewriter, &numbers);
}

static void select_one(struct sfu_slot *slot, uint64_t now_us, const struct sfu_packet *packet);

/* A keyframe whose first packet came late (retransmitted, or overtaken): what followed it is
 * already in the history, and of the same wake-up some was ignored before it and some is to come.
 */
static void catch_up(struct sfu_slot *slot, uint64_t now_us, const struct sfu_packet *first) {
    const struct sfu_layer *layer = &slot->track->layers[first->layer];
    for (uint64_t seq = first->seq + 1; seq <= layer->newest_seq; seq++) {
        const struct sfu_packet *packet = rtp_history_get(&layer->history, seq);
        if (packet != NULL && !packet->is_held && !sfu_track_is_to_come(slot->track, first, packet))
            select_one(slot, now_us, packet);
    }
}

/* A keyframe is many times what a link carries between two frames. As fast as it comes, it would
 * overflow the queue of a narrow one, and be lost, and asked for again: Firefox's pictures stood
 * still for up to 13 s on a link of 500 kb/s. There it goes as a replay does, out of the history.
 */
static bool pace(struct sfu_slot *slot, uint64_t now_us, const struct sfu_packet *first) {
    if (!slot->media.video || slot->replaying || !sfu_downlink_is_bounded(slot->transport))
        return false;
    slot->replaying = true;
    slot->replay_layer = first->layer;
    slot->replay_seq = first->seq + 1;
    slot->replayed_us = 0;
    sfu_slot_replay(slot, now_us);
    return true;
}

static void begin_with(struct sfu_slot *slot, uint64_t now_us, const struct sfu_packet *packet,
                       bool ends_picture) {
    bool replayed = slot->replaying && packet->layer == slot->replay_layer;
    slot->replaying = replayed;
    slot->switching = true;
    slot->keyframe_sent_us = now_us;
    slot->transport->engine->counters.keyframes_replayed += replayed && slot->media.video;
    pass_on(slot, now_us, packet, ends_picture);
    if (!replayed && !pace(slot, now_us, packet))
        catch_up(slot, now_us, packet);
}

/* Of one that came late, or twice, the rest is on its way, and what is newer would be held back. */
static void pass_entry(struct sfu_slot *slot, uint64_t now_us, const struct sfu_packet *packet,
                       bool ends_picture) {
    slot->keyframe_sent_us = now_us;
    if (pass_on(slot, now_us, packet, ends_picture))
        pace(slot, now_us, packet);
}

static void select_one(struct sfu_slot *slot, uint64_t now_us, const struct sfu_packet *packet) {
    if (packet->skip) {
        if (rtp_selector_is_settled(&slot->selector, packet->layer))
            leave_out(slot, now_us, packet);
        return;
    }
    if (!sfu_slot_takes(slot, packet->codec))
        return;
    struct rtp_selectable selectable = {
        .layer = packet->layer,
        .seq = packet->seq,
        .timestamp = packet->rtp.timestamp,
        .descriptor = &packet->descriptor,
        .dependency = packet->has_dependency ? &packet->dependency : NULL,
        .structure = packet->has_dependency ? &slot->track->layers[packet->layer].structure : NULL};
    bool ends = false;
    enum rtp_selection selection = rtp_selector_on_packet(&slot->selector, &selectable, &ends);
    ends = ends && slot->media.video;
    if (selection == RTP_SELECTION_BEGIN) {
        begin_with(slot, now_us, packet, ends);
    } else if (selection == RTP_SELECTION_PASS) {
        if (slot->media.video && rtp_descriptor_is_entry(&packet->descriptor))
            pass_entry(slot, now_us, packet, ends);
        else
            pass_on(slot, now_us, packet, ends);
    } else if (selection == RTP_SELECTION_DROP) {
        leave_out(slot, now_us, packet);
    }
}

void sfu_slot_forward(struct sfu_slot *slot, uint64_t now_us, const struct sfu_packet *packet) {
    if (slot->silent || !sfu_transport_is_open(slot->transport))
        return;
    if (slot->replaying && packet->layer == slot->replay_layer && packet->seq >= slot->replay_seq)
        return; /* It comes out of the history. */
    bool settled = rtp_selector_is_settled(&slot->selector, packet->layer);
    slot->switching = slot->switching || (settled && packet->restarts);
    if (settled && packet->plain && !packet->skip && slot->payload_types[packet->codec] != 0)
        pass_on(slot, now_us, packet, false);
    else
        select_one(slot, now_us, packet);
}

/* --- Out of the cache --- */

/* Pictures still come. To a receiver what is replayed is of now, and what would come after a pause
 * of the publisher, by its timestamp, from the future: it would wait for as long as the pause was.
 */
static bool is_live(const struct sfu_layer *layer, uint64_t now_us) {
    uint64_t frames_us = layer->frame_interval_us * SFU_LAYER_IDLE_FRAMES;
    uint64_t idle_us = frames_us > SFU_LAYER_IDLE_US ? frames_us : SFU_LAYER_IDLE_US;
    return layer->flowing && now_us - layer->newest_frame_us <= idle_us;
}

static bool may_replay(const struct sfu_slot *slot, uint64_t now_us, uint8_t index, size_t limit) {
    const struct sfu_layer *layer = &slot->track->layers[index];
    const struct rtp_point *target = &slot->selector.target;
    size_t bytes =
        sfu_track_cached(slot->track, index, index == target->layer ? target->spatial : UINT8_MAX);
    return is_live(layer, now_us) && bytes != 0 && bytes <= limit &&
           layer->keyframe.frames <= SFU_REPLAY_FRAMES;
}

/* Where the queue has just drained, what takes long would fill it again; all slots begin then. */
static size_t held_limit(const struct sfu_slot *slot, size_t burst) {
    size_t limit = burst > SFU_REPLAY_HELD_BYTES ? burst : SFU_REPLAY_HELD_BYTES;
    size_t count = sfu_downlink_pictures(slot->transport);
    size_t each = count > 1 ? limit / count : limit;
    return each > SFU_REPLAY_HELD_EACH_BYTES ? each : SFU_REPLAY_HELD_EACH_BYTES;
}

static size_t replay_limit(const struct sfu_slot *slot, uint64_t now_us) {
    size_t burst = sfu_downlink_burst(slot->transport, now_us);
    if (slot->was_held)
        return held_limit(slot, burst);
    size_t limit = burst < SIZE_MAX / SFU_REPLAY_BURSTS ? burst * SFU_REPLAY_BURSTS : SIZE_MAX;
    return limit > SFU_REPLAY_LEAST_BYTES ? limit : SFU_REPLAY_LEAST_BYTES;
}

/* The best that is not too much. How much a keyframe becomes that still comes nobody knows: it is
 * taken where there is nothing else. */
static uint8_t choose_cached(const struct sfu_slot *slot, uint64_t now_us) {
    size_t limit = replay_limit(slot, now_us);
    uint8_t begun = UINT8_MAX;
    for (uint8_t i = slot->selector.target.layer + 1; i-- > 0;) {
        if (!may_replay(slot, now_us, i, limit))
            continue;
        if (slot->track->layers[i].keyframe.frames > 1)
            return i;
        begun = i;
    }
    return begun;
}

bool sfu_slot_replay_begin(struct sfu_slot *slot, uint64_t now_us) {
    uint8_t index = slot->media.video ? choose_cached(slot, now_us) : 0;
    if (index == UINT8_MAX)
        return false;
    const struct sfu_layer *layer = &slot->track->layers[index];
    slot->replay_seq = slot->media.video ? layer->keyframe.seq : sfu_slot_onset(layer, now_us);
    slot->replaying = slot->replay_seq <= layer->newest_seq;
    slot->replay_layer = index;
    slot->replayed_us = 0;
    if (slot->replaying)
        sfu_slot_replay(slot, now_us);
    return slot->replaying || !slot->selector.awaits_entry;
}

/* At once what the network takes within 100 ms, and where its limit is not known a small keyframe;
 * then at twice its rate, and at twice the rate of what still comes, which is behind it. */
static size_t replay_budget(const struct sfu_slot *slot, uint64_t now_us) {
    uint64_t live_bps = sfu_layer_bps(&slot->track->layers[slot->replay_layer], now_us);
    if (slot->media.video && sfu_downlink_is_bounded(slot->transport))
        return sfu_downlink_replay_bytes(slot, now_us, live_bps);
    size_t burst = sfu_downlink_burst(slot->transport, now_us);
    if (burst == SIZE_MAX)
        return burst;
    if (slot->replayed_us == 0)
        return burst > SFU_REPLAY_LEAST_BYTES ? burst : SFU_REPLAY_LEAST_BYTES;
    uint64_t since_us = now_us - slot->replayed_us;
    since_us = since_us < SFU_REPLAY_SINCE_MAX_US ? since_us : SFU_REPLAY_SINCE_MAX_US;
    uint64_t live = live_bps * 2 / 8 * since_us / 1000000;
    uint64_t carried = burst * since_us / (SFU_REPLAY_SINCE_MAX_US / 2);
    uint64_t budget = live > carried ? live : carried;
    return budget > SFU_PACKET_CAPACITY ? (size_t)budget : SFU_PACKET_CAPACITY;
}

void sfu_slot_replay(struct sfu_slot *slot, uint64_t now_us) {
    if (slot->silent || now_us < slot->replayed_us + SFU_REPLAY_PACE_US)
        return;
    const struct sfu_layer *layer = &slot->track->layers[slot->replay_layer];
    size_t budget = replay_budget(slot, now_us);
    size_t sent = 0;
    if (slot->media.video && slot->selector.awaits_entry && slot->replay_seq < layer->keyframe.seq)
        slot->replay_seq = layer->keyframe.seq; /* Whose turn comes late begins with less. */
    while (slot->replaying && slot->replay_seq <= layer->newest_seq && sent < budget) {
        const struct sfu_packet *packet = rtp_history_get(&layer->history, slot->replay_seq++);
        if (packet == NULL || packet->is_held)
            continue;
        uint32_t before = slot->octets;
        select_one(slot, now_us, packet);
        sent += slot->octets - before; /* Not what is above the target. */
    }
    if (slot->replay_seq > layer->newest_seq)
        slot->replaying = false;
    slot->replayed_us = now_us;
    sfu_downlink_on_replayed(slot->transport, slot->media.video ? sent : 0);
    if (slot->replaying)
        sfu_transport_wake_at(slot->transport, now_us + SFU_REPLAY_PACE_US);
}

uint64_t sfu_slot_on_deadline(struct sfu_slot *slot, uint64_t now_us) {
    if (!slot->replaying || slot->silent)
        return UINT64_MAX;
    sfu_slot_replay(slot, now_us);
    return slot->replaying ? slot->replayed_us + SFU_REPLAY_PACE_US : UINT64_MAX;
}
