/* Keyframes of a track: asking the publisher for them, seldom, and what is kept of the newest one
 * so that it need not be asked. */
#include "sfu/engine.h"
#include "sfu/track.h"
#include "sfu/transport.h"

enum { DOUBLED_MAX = 2 };

static uint64_t interval_us(const struct sfu_layer *layer) {
    unsigned doubled = layer->keyframe_tries / SFU_KEYFRAME_TRIES;
    return (uint64_t)SFU_KEYFRAME_INTERVAL_US << (doubled < DOUBLED_MAX ? doubled : DOUBLED_MAX);
}

static uint64_t free_at_us(const struct sfu_layer *layer) {
    return layer->keyframe_asked_us ? layer->keyframe_asked_us + interval_us(layer) : 0;
}

static void note_asked(struct sfu_layer *layer, uint64_t now_us) {
    layer->keyframe_asked_us = now_us;
    if (layer->keyframe_tries < UINT8_MAX)
        layer->keyframe_tries++;
}

static void ask_owner(struct sfu_track *track, uint64_t now_us, uint8_t index) {
    struct sfu_pipe_entry entry = {.type = SFU_PIPE_KEYFRAME, .layer = index, .track = track->id};
    if (track->engine->config.pipe(track->engine->config.ctx, track->owner, &entry))
        note_asked(&track->layers[index], now_us);
}

void sfu_track_want_keyframe(struct sfu_track *track, uint64_t now_us, uint8_t index) {
    struct sfu_layer *layer = &track->layers[index];
    bool is_new = !layer->keyframe_wanted;
    if (is_new)
        layer->keyframe_tries = 0;
    layer->keyframe_wanted = true;
    uint64_t at_us = free_at_us(layer);
    if (track->publisher != NULL)
        sfu_transport_wake_at(track->publisher, at_us > now_us ? at_us : now_us);
    else if (track->fed && (is_new || at_us <= now_us))
        ask_owner(track, now_us, index); /* Who merges what all workers ask, waits and repeats. */
}

uint64_t sfu_track_ask_keyframes(struct sfu_track *track, uint64_t now_us) {
    uint64_t next_us = UINT64_MAX;
    for (size_t i = 0; i < track->layer_count; i++) {
        struct sfu_layer *layer = &track->layers[i];
        if (!layer->keyframe_wanted || !layer->flowing || layer->ssrc == 0)
            continue; /* Its next packet asks. */
        if (now_us >= free_at_us(layer)) {
            sfu_reports_send_pli(track->publisher, layer->ssrc);
            note_asked(layer, now_us);
        }
        uint64_t again_us = free_at_us(layer);
        next_us = again_us < next_us ? again_us : next_us;
    }
    return next_us;
}

size_t sfu_track_cached(const struct sfu_track *track, uint8_t index, uint8_t spatial) {
    const struct sfu_layer *layer = &track->layers[index];
    const struct sfu_keyframe *keyframe = &layer->keyframe;
    if (keyframe->seq == 0 || rtp_history_get(&layer->history, keyframe->seq) == NULL)
        return 0;
    return keyframe->bytes[spatial < SFU_SPATIAL_MAX ? spatial : SFU_SPATIAL_MAX - 1];
}
