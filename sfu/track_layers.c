/* What the layers of a track are like: what flows, at which rates and sizes, and who watches it. */
#include <string.h>

#include "sfu/downlink.h"
#include "sfu/engine.h"
#include "sfu/slot.h"
#include "sfu/track.h"
#include "sfu/transport.h"

enum {
    FLOW_CHECK_US = 50 * 1000,
    SMOOTHING = 8,
    KEYFRAME_SHARE = 4,
};

/* --- Flow --- */

static void wake_slots(struct sfu_track *track, uint64_t now_us) {
    for (size_t i = 0; i < track->slot_count; i++) {
        sfu_slot_choose_layer(track->slots[i], now_us);
        sfu_downlink_wake(track->slots[i]->transport, now_us);
    }
    sfu_track_on_wishes(track);
}

static uint64_t idle_after_us(const struct sfu_layer *layer) {
    uint64_t frames_us = layer->frame_interval_us * SFU_LAYER_IDLE_FRAMES;
    return frames_us > SFU_LAYER_IDLE_US ? frames_us : SFU_LAYER_IDLE_US;
}

/* Only what others of the track show to be missing: when nothing at all comes there is nothing to
 * change to. */
static void check_flow(struct sfu_track *track, uint64_t now_us) {
    bool stopped = false;
    track->flow_check_us = now_us + FLOW_CHECK_US;
    for (size_t i = 0; i < track->layer_count; i++) {
        struct sfu_layer *layer = &track->layers[i];
        if (!layer->flowing || track->newest_us < layer->last_packet_us + idle_after_us(layer))
            continue;
        layer->flowing = false;
        layer->spatial_count = layer->temporal_count = 0;
        stopped = true;
    }
    if (stopped)
        wake_slots(track, now_us);
}

/* After nothing at all came for a while whatever comes first would show the others to be missing.
 */
static void note_stall(struct sfu_track *track, uint64_t now_us, const struct sfu_layer *layer) {
    if (now_us - track->newest_us > idle_after_us(layer) / 2)
        track->flow_check_us = now_us + SFU_LAYER_IDLE_US;
}

static uint8_t smaller(uint8_t a, uint8_t b) {
    return a < b ? a : b;
}

static void note_frame(struct sfu_layer *layer, uint64_t now_us, const struct sfu_packet *packet,
                       uint8_t temporal) {
    int32_t ahead = (int32_t)(packet->rtp.timestamp - layer->newest_timestamp);
    if (layer->newest_frame_us != 0 && ahead <= 0)
        return;
    uint64_t since_us = layer->newest_frame_us != 0 ? now_us - layer->newest_frame_us : 0;
    layer->frame_interval_us =
        layer->frame_interval_us - layer->frame_interval_us / SMOOTHING + since_us / SMOOTHING;
    layer->newest_frame_us = now_us;
    layer->newest_timestamp = packet->rtp.timestamp;
    layer->keyframe.frames++;
    rtp_rate_on_bytes(&layer->frames[temporal], now_us, 1);
}

static void note_keyframe(struct sfu_track *track, uint64_t now_us, struct sfu_layer *layer,
                          const struct sfu_packet *packet, uint8_t spatial) {
    if (rtp_descriptor_is_entry(&packet->descriptor)) {
        layer->keyframe_wanted = false;
        layer->keyframe_tries = 0;
        if (packet->seq > layer->keyframe.seq)
            layer->keyframe =
                (struct sfu_keyframe){.seq = packet->seq, .at_us = now_us, .frames = 1};
    }
    for (size_t i = spatial; i < SFU_SPATIAL_MAX; i++)
        layer->keyframe.bytes[i] += packet->len;
    const struct rtp_descriptor *descriptor = &packet->descriptor;
    if (descriptor->width == 0 ||
        (descriptor->width == layer->width && descriptor->height == layer->height))
        return;
    layer->width = descriptor->width;
    layer->height = descriptor->height;
    wake_slots(track, now_us);
}

static bool note_levels(struct sfu_layer *layer, uint8_t spatial, uint8_t temporal) {
    bool more = spatial >= layer->spatial_count || temporal >= layer->temporal_count;
    if (spatial >= layer->spatial_count)
        layer->spatial_count = spatial + 1;
    if (temporal >= layer->temporal_count)
        layer->temporal_count = temporal + 1;
    return more;
}

/* Of a keyframe, about what another picture takes. Encoders save the rest in the seconds after it,
 * and a window of one second does not see that: whoever was given a layer lost it again for the
 * keyframe that it began with. */
static size_t counted_bytes(const struct sfu_layer *layer, const struct sfu_packet *packet) {
    bool goes_on = layer->keyframe.frames == 1 && packet->rtp.timestamp == layer->newest_timestamp;
    return goes_on || rtp_descriptor_is_entry(&packet->descriptor) ? packet->len / KEYFRAME_SHARE
                                                                   : packet->len;
}

void sfu_track_note_packet(struct sfu_track *track, uint64_t now_us,
                           const struct sfu_packet *packet) {
    struct sfu_layer *layer = &track->layers[packet->layer];
    bool began = !layer->flowing;
    note_stall(track, now_us, layer);
    layer->flowing = true;
    layer->last_packet_us = track->newest_us = now_us;
    uint8_t spatial = smaller(packet->descriptor.spatial, SFU_SPATIAL_MAX - 1);
    uint8_t temporal = smaller(packet->descriptor.temporal, SFU_TEMPORAL_MAX - 1);
    rtp_rate_on_bytes(&layer->rates[spatial][temporal], now_us, counted_bytes(layer, packet));
    bool more = !packet->skip && note_levels(layer, spatial, temporal);
    if (began || more)
        wake_slots(track, now_us);
    if (!packet->skip && track->media.video) {
        note_frame(layer, now_us, packet, temporal);
        note_keyframe(track, now_us, layer, packet, spatial);
    }
    if (began && layer->keyframe_wanted)
        sfu_track_want_keyframe(track, now_us, packet->layer);
    if (track->layer_count > 1 && now_us >= track->flow_check_us)
        check_flow(track, now_us);
}

/* --- Rungs --- */

/* Spatial layers halve both sides, unless the structure says what they are. */
static void size_of(const struct sfu_layer *layer, uint8_t spatial, struct rtp_rung *out) {
    const struct rtp_dependency_structure *structure = &layer->structure;
    if (structure->template_count != 0 && structure->has_sizes &&
        spatial < structure->spatial_count) {
        out->width = structure->width[spatial];
        out->height = structure->height[spatial];
        return;
    }
    unsigned below = layer->spatial_count > spatial ? layer->spatial_count - 1u - spatial : 0;
    out->width = (uint16_t)(layer->width >> below);
    out->height = (uint16_t)(layer->height >> below);
}

static struct rtp_rung rung_of(const struct sfu_layer *layer, uint64_t now_us, uint8_t spatial,
                               uint8_t temporal) {
    struct rtp_rung rung = {.spatial = spatial, .temporal = temporal};
    uint32_t frames_bps = 0;
    for (uint8_t t = 0; t <= temporal; t++) {
        for (uint8_t s = 0; s <= spatial; s++)
            rung.bps += rtp_rate_bps(&layer->rates[s][t], now_us);
        frames_bps += rtp_rate_bps(&layer->frames[t], now_us);
    }
    uint32_t fps = (frames_bps + 4) / 8;
    rung.fps = (uint8_t)(fps < UINT8_MAX ? fps : UINT8_MAX);
    size_of(layer, spatial, &rung);
    return rung;
}

uint32_t sfu_layer_bps(const struct sfu_layer *layer, uint64_t now_us) {
    return rung_of(layer, now_us, SFU_SPATIAL_MAX - 1, SFU_TEMPORAL_MAX - 1).bps;
}

static size_t insert(struct rtp_rung *rungs, size_t count, struct rtp_rung rung) {
    if (count == RTP_RUNGS_MAX)
        return count;
    size_t at = count;
    for (; at > 0 && rungs[at - 1].bps > rung.bps; at--)
        rungs[at] = rungs[at - 1];
    rungs[at] = rung;
    return count + 1;
}

/* A layer whose level has stopped adds nothing to the one below it. */
static size_t add_layer(const struct sfu_track *track, uint64_t now_us, uint8_t index,
                        struct rtp_rung *out, size_t count) {
    const struct sfu_layer *layer = &track->layers[index];
    for (uint8_t spatial = 0; spatial < layer->spatial_count; spatial++) {
        uint32_t below_bps = 0;
        for (uint8_t temporal = 0; temporal < layer->temporal_count; temporal++) {
            struct rtp_rung rung = rung_of(layer, now_us, spatial, temporal);
            rung.layer = index;
            bool adds = rtp_rate_bps(&layer->rates[spatial][temporal], now_us) > 0;
            if (adds || (rung.bps > below_bps && temporal == 0 && spatial == 0))
                count = insert(out, count, rung);
            below_bps = rung.bps;
        }
    }
    return count;
}

size_t sfu_track_rungs(const struct sfu_track *track, uint64_t now_us,
                       struct rtp_rung out[static RTP_RUNGS_MAX]) {
    size_t count = 0;
    for (uint8_t i = 0; i < track->layer_count; i++)
        if (track->layers[i].flowing)
            count = add_layer(track, now_us, i, out, count);
    return count;
}

/* --- Who watches --- */

uint8_t sfu_track_wished_layers(const struct sfu_track *track, const struct sfu_wish *wish) {
    uint8_t highest = 0;
    for (uint8_t i = 0; i < track->layer_count; i++) {
        const struct sfu_layer *layer = &track->layers[i];
        bool wide = wish->max_width != 0 && layer->width > wish->max_width;
        bool high = wish->max_height != 0 && layer->height > wish->max_height;
        if (!wide && !high)
            highest = i;
    }
    return wish->paused ? 0 : (uint8_t)((2u << highest) - 1);
}

static uint8_t all_watched(const struct sfu_track *track) {
    uint8_t layers = track->watched;
    for (uint64_t rest = track->mirrors; rest != 0; rest &= rest - 1)
        layers |= track->watched_by[__builtin_ctzll(rest)];
    return layers;
}

static void tell_owner(struct sfu_track *track) {
    if (track->watched == track->watched_told)
        return;
    struct sfu_pipe_entry entry = {.type = SFU_PIPE_WATCHED,
                                   .worker = (uint8_t)track->engine->config.worker,
                                   .layers = track->watched,
                                   .track = track->id};
    if (track->engine->config.pipe(track->engine->config.ctx, track->owner, &entry))
        track->watched_told = track->watched;
}

void sfu_track_on_wishes(struct sfu_track *track) {
    if (!track->media.video)
        return;
    uint8_t layers = 0;
    for (size_t i = 0; i < track->slot_count; i++)
        layers |= sfu_track_wished_layers(track, &track->slots[i]->wish);
    track->watched = layers;
    if (track->publisher == NULL)
        tell_owner(track);
    else if (all_watched(track) != track->watched_told || track->unwatch_at_us != UINT64_MAX)
        sfu_transport_wake_at(track->publisher, track->newest_us); /* That is now. */
}

void sfu_track_on_watched(struct sfu_track *track, unsigned worker, uint8_t layers) {
    if (worker >= SFU_WORKERS_MAX || track->publisher == NULL)
        return;
    track->watched_by[worker] = layers;
    sfu_transport_wake_at(track->publisher, track->newest_us);
}

/* More is told at once, less when it has stayed so. */
uint64_t sfu_track_tell_watched(struct sfu_track *track, uint64_t now_us) {
    if (!track->media.video)
        return UINT64_MAX;
    uint8_t layers = all_watched(track);
    if ((track->watched_told & ~layers) == 0)
        track->unwatch_at_us = UINT64_MAX;
    else if (track->unwatch_at_us == UINT64_MAX)
        track->unwatch_at_us = now_us + SFU_UNWATCHED_US;
    if (now_us < track->unwatch_at_us) /* What nobody watches goes on until then. */
        layers |= track->watched_told;
    else
        track->unwatch_at_us = UINT64_MAX;
    if (layers == track->watched_told)
        return track->unwatch_at_us;
    track->watched_told = layers;
    struct sfu_event event = {.type = SFU_EVENT_PUBLISH_LAYERS,
                              .participant = track->publisher->participant,
                              .track = track->id,
                              .layers = layers};
    track->engine->config.on_event(track->engine->config.ctx, &event);
    return track->unwatch_at_us;
}
