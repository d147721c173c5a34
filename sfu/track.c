#include "sfu/track.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rtp/selector.h"
#include "sfu/engine.h"
#include "sfu/slot.h"
#include "sfu/transport.h"

static int layer_init(struct sfu_layer *layer, const struct sfu_media *media) {
    size_t capacity = media->video ? SFU_HISTORY_VIDEO : SFU_HISTORY_AUDIO;
    layer->history.entries = calloc(capacity, sizeof(*layer->history.entries));
    layer->history.capacity = layer->history.entries ? capacity : 0;
    layer->receiver.clock_rate_hz = rtp_codec_clock_rate_hz(media->codecs[0].codec);
    return layer->history.entries ? 0 : -ENOMEM;
}

static void layer_forget_packets(struct sfu_layer *layer) {
    for (size_t i = 0; i < layer->history.capacity; i++)
        sfu_packet_unref(rtp_history_take(&layer->history, i));
}

int sfu_track_create(struct sfu_track **out, struct sfu_engine *engine,
                     struct sfu_transport *publisher, unsigned owner,
                     const struct sfu_media *media) {
    uint8_t layer_count = media->layer_count ? media->layer_count : 1;
    struct sfu_track *track = calloc(1, sizeof(*track) + layer_count * sizeof(track->layers[0]));
    if (track == NULL)
        return -ENOMEM;
    track->engine = engine;
    track->publisher = publisher;
    track->owner = owner;
    track->id = media->track;
    track->media = *media;
    track->layer_count = layer_count;
    /* Publishers begin with all. */
    track->watched_told = publisher != NULL ? (uint8_t)((1u << track->layer_count) - 1) : 0;
    track->unwatch_at_us = UINT64_MAX;
    int result = 0;
    for (size_t i = 0; i < track->layer_count && result == 0; i++)
        result = layer_init(&track->layers[i], media);
    if (result < 0) {
        sfu_track_destroy(track);
        return result;
    }
    *out = track;
    return 0;
}

static void leave_dirty_list(struct sfu_track *track) {
    struct sfu_track **link = &track->engine->dirty;
    while (*link != NULL && *link != track)
        link = &(*link)->next_dirty;
    if (*link == track)
        *link = track->next_dirty;
}

void sfu_track_destroy(struct sfu_track *track) {
    if (track == NULL)
        return;
    if (track->dirty)
        leave_dirty_list(track);
    while (track->slot_count > 0)
        sfu_track_detach(track, track->slots[track->slot_count - 1]);
    sfu_track_forget_burst(track);
    for (size_t i = 0; i < track->layer_count; i++) {
        layer_forget_packets(&track->layers[i]);
        free(track->layers[i].history.entries);
    }
    free(track->slots);
    free(track);
}

static void say_flows(struct sfu_track *track) {
    if (track->flowed || track->publisher == NULL)
        return;
    track->flowed = true;
    struct sfu_event event = {.type = SFU_EVENT_TRACK_FLOWS,
                              .participant = track->publisher->participant,
                              .track = track->id};
    track->engine->config.on_event(track->engine->config.ctx, &event);
}

/* --- Packets --- */

/* A mirror learns structures from the packets that attach them, and what its owner knew. */
static void learn_structure(struct sfu_track *track, const struct sfu_packet *packet) {
    struct sfu_layer *layer = &track->layers[packet->layer];
    struct rtp_dependency again;
    if (!packet->has_dependency)
        return;
    layer->active_targets = packet->dependency.targets;
    if (track->publisher == NULL && packet->dependency.attached)
        (void)rtp_dependency_parse(packet->extensions.dependency, packet->extensions.dependency_len,
                                   &layer->structure, &again);
}

/* What every packet does, in its owner's engine and in a mirror's. */
static void keep(struct sfu_track *track, uint64_t now_us, struct sfu_packet *packet, bool live) {
    struct sfu_layer *layer = &track->layers[packet->layer];
    if (packet->restarts) { /* What was kept under the old numbers is void. */
        layer_forget_packets(layer);
        layer->keyframe = (struct sfu_keyframe){0};
    }
    say_flows(track);
    learn_structure(track, packet);
    sfu_track_note_packet(track, now_us, packet);
    if (packet->seq > layer->newest_seq)
        layer->newest_seq = packet->seq;
    if (!packet->skip)
        sfu_packet_unref(rtp_history_put(&layer->history, packet->seq, sfu_packet_ref(packet)));
    if (live && !packet->is_held)
        sfu_track_join_burst(track, now_us, packet);
}

static void watch_gaps(struct sfu_track *track, uint64_t now_us, uint8_t index,
                       const struct sfu_packet *packet) {
    struct sfu_layer *layer = &track->layers[index];
    if (!track->media.nack)
        return;
    if (packet->restarts)
        layer->nack = (struct rtp_nack){0};
    uint64_t given_up_before = layer->nack.given_up;
    if (rtp_nack_on_packet(&layer->nack, now_us, packet->seq) && track->media.video)
        sfu_track_want_keyframe(track, now_us, index);
    track->engine->counters.rtp_lost_upstream += layer->nack.given_up - given_up_before;
    uint64_t due_us = rtp_nack_next_deadline(&layer->nack);
    if (due_us != UINT64_MAX)
        sfu_transport_wake_at(track->publisher, due_us);
}

/* AV1 has nothing else, and H264 nothing at all; VP8 and VP9 say more themselves. */
static bool follows_dependency(enum rtp_codec codec) {
    return codec == RTP_CODEC_AV1 || codec == RTP_CODEC_H264;
}

/* Frame numbers are continued over switches like fixed picture ids: other frames refer to them by
 * distance. */
static void number_by_frame(struct sfu_packet *packet) {
    const struct rtp_dependency *dependency = &packet->dependency;
    struct rtp_descriptor *descriptor = &packet->descriptor;
    descriptor->frame_start = dependency->frame_start;
    descriptor->frame_end = dependency->frame_end;
    descriptor->spatial = dependency->frame.spatial;
    descriptor->temporal = dependency->frame.temporal;
    descriptor->picture_id_bits = 16;
    descriptor->picture_id_fixed = true;
    descriptor->picture_id = dependency->frame_number;
}

static void read_dependency(struct sfu_track *track, uint64_t now_us, struct sfu_layer *layer,
                            struct sfu_packet *packet) {
    const struct rtp_extensions *extensions = &packet->extensions;
    if (!follows_dependency(packet->codec) || !rtp_ext_has(extensions, RTP_EXT_DEPENDENCY))
        return;
    struct rtp_dependency_structure structure;
    structure.template_count = 0;
    struct rtp_dependency *dependency = &packet->dependency;
    if (rtp_dependency_parse(extensions->dependency, extensions->dependency_len, &structure,
                             dependency) < 0)
        return;
    if (dependency->attached) {
        sfu_track_flush(track, now_us); /* What came before refers to the last structure. */
        layer->structure = structure;
    } else if (rtp_dependency_parse(extensions->dependency, extensions->dependency_len,
                                    &layer->structure, dependency) < 0) {
        return;
    }
    packet->is_held = !dependency->known;
    if (packet->is_held)
        return;
    if (!dependency->has_targets)
        dependency->targets = layer->active_targets;
    packet->has_dependency = true;
    number_by_frame(packet);
}

static void describe(struct sfu_track *track, uint64_t now_us, struct sfu_layer *layer,
                     struct sfu_packet *packet) {
    const uint8_t *payload = packet->data + packet->rtp.payload_offset;
    packet->descriptor =
        (struct rtp_descriptor){.picture_id = RTP_NO_NUMBER, .tl0picidx = RTP_NO_NUMBER};
    packet->has_dependency = packet->is_held = false;
    packet->skip = packet->rtp.payload_len == 0;
    if (packet->skip)
        return;
    if (rtp_codec_parse(packet->codec, payload, packet->rtp.payload_len, &packet->extensions,
                        &packet->descriptor) < 0) {
        track->engine->counters.drop_payload_malformed++;
        packet->skip = true;
        return;
    }
    read_dependency(track, now_us, layer, packet);
    packet->plain =
        !track->media.video ||
        rtp_selectable_is_plain(packet->codec, &packet->descriptor, packet->has_dependency);
}

/* What came before the structure that it refers to, since the keyframe's first packet was late. */
static void release_held(struct sfu_track *track, uint64_t now_us, struct sfu_layer *layer,
                         const struct sfu_packet *first) {
    for (uint64_t seq = first->seq + 1; seq <= layer->newest_seq; seq++) {
        struct sfu_packet *packet = rtp_history_get(&layer->history, seq);
        if (packet == NULL || !packet->is_held)
            continue;
        describe(track, now_us, layer, packet); /* Nobody else has seen it yet. */
        if (!packet->is_held)
            sfu_track_join_burst(track, now_us, packet);
    }
}

void sfu_track_on_packet(struct sfu_track *track, uint64_t now_us, uint8_t index,
                         struct sfu_packet *packet, bool retransmitted) {
    struct sfu_layer *layer = &track->layers[index];
    enum rtp_arrival arrival = rtp_receiver_on_packet(
        &layer->receiver, packet->received_us, packet->rtp.seq, packet->rtp.timestamp,
        packet->rtp.payload_len, retransmitted, &packet->seq);
    if (arrival == RTP_ARRIVAL_DUPLICATE || arrival == RTP_ARRIVAL_SUSPECT) {
        track->engine->counters.drop_rtp_duplicate++;
        return;
    }
    packet->restarts = arrival == RTP_ARRIVAL_RESTART;
    packet->track = track->id;
    packet->layer = index;
    describe(track, now_us, layer, packet);
    watch_gaps(track, now_us, index, packet);
    keep(track, now_us, packet, true);
    if (packet->has_dependency && packet->dependency.attached)
        release_held(track, now_us, layer, packet);
}

/* --- Mirrors --- */

void sfu_track_on_mirrored(struct sfu_track *track, uint64_t now_us,
                           const struct sfu_pipe_entry *entry) {
    keep(track, now_us, entry->packet, !entry->cached);
    if (!track->fed && !entry->cached) /* The word of it was lost. */
        sfu_track_on_fed(track, now_us);
}

void sfu_track_on_fed(struct sfu_track *track, uint64_t now_us) {
    track->fed = true;
    for (size_t i = 0; i < track->slot_count; i++)
        if (track->slots[i]->selector.awaits_entry)
            sfu_slot_on_keyframe_request(track->slots[i], now_us);
}

/* Where a slot begins that takes up the track now; UINT64_MAX: with what comes next. */
static uint64_t cached_from(const struct sfu_track *track, uint8_t index) {
    const struct sfu_layer *layer = &track->layers[index];
    if (track->media.video)
        return sfu_track_cached(track, index, UINT8_MAX) > 0 ? layer->keyframe.seq : UINT64_MAX;
    const struct sfu_packet *newest = rtp_history_get(&layer->history, layer->newest_seq);
    return newest != NULL ? sfu_slot_onset(layer, newest->received_us) : UINT64_MAX;
}

static void feed_cache(struct sfu_track *track, unsigned worker, uint8_t index) {
    const struct sfu_layer *layer = &track->layers[index];
    struct sfu_engine *engine = track->engine;
    for (uint64_t seq = cached_from(track, index); seq <= layer->newest_seq; seq++) {
        struct sfu_packet *packet = rtp_history_get(&layer->history, seq);
        if (packet == NULL || packet->is_held)
            continue;
        struct sfu_pipe_entry entry = {.type = SFU_PIPE_PACKET,
                                       .cached = true,
                                       .track = track->id,
                                       .packet = sfu_packet_ref(packet)};
        if (engine->config.pipe(engine->config.ctx, worker, &entry))
            continue;
        sfu_packet_unref(packet);
        engine->counters.drop_pipe_full++;
        return;
    }
}

void sfu_track_feed_mirror(struct sfu_track *track, unsigned worker) {
    for (uint8_t i = 0; i < track->layer_count; i++) {
        const struct sfu_layer *layer = &track->layers[i];
        if (layer->has_clock)
            sfu_track_set_clock(track, i, layer->clock_us, layer->clock_timestamp);
        feed_cache(track, worker, i);
    }
    struct sfu_pipe_entry entry = {.type = SFU_PIPE_FED, .track = track->id};
    (void)track->engine->config.pipe(track->engine->config.ctx, worker, &entry);
}

void sfu_track_set_clock(struct sfu_track *track, uint8_t index, uint64_t at_us,
                         uint32_t timestamp) {
    struct sfu_layer *layer = &track->layers[index];
    layer->has_clock = true;
    layer->clock_us = at_us;
    layer->clock_timestamp = timestamp;
    for (uint64_t rest = track->mirrors; rest != 0; rest &= rest - 1) {
        struct sfu_pipe_entry entry = {.type = SFU_PIPE_CLOCK,
                                       .layer = index,
                                       .track = track->id,
                                       .clock_us = at_us,
                                       .clock_timestamp = timestamp};
        track->engine->config.pipe(track->engine->config.ctx, (unsigned)__builtin_ctzll(rest),
                                   &entry);
    }
}

uint64_t sfu_track_on_deadline(struct sfu_track *track, uint64_t now_us) {
    uint64_t ask_us = sfu_track_ask_keyframes(track, now_us);
    uint64_t tell_us = sfu_track_tell_watched(track, now_us);
    return ask_us < tell_us ? ask_us : tell_us;
}

struct sfu_packet *sfu_track_find(const struct sfu_track *track, uint8_t index, uint32_t seq) {
    if (index >= track->layer_count) /* Negotiated anew, with fewer. */
        return NULL;
    const struct sfu_layer *layer = &track->layers[index];
    uint64_t whole = (layer->newest_seq & ~(uint64_t)UINT32_MAX) | seq;
    if (whole > layer->newest_seq)
        whole -= (uint64_t)1 << 32;
    return rtp_history_get(&layer->history, whole);
}
