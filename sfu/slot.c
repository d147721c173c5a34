#include "sfu/slot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rtp/bytes.h"
#include "sfu/downlink.h"
#include "sfu/engine.h"
#include "sfu/track.h"
#include "sfu/transport.h"

enum {
    /* The SSRC is in the answer, so a receiver needs the MID only if it ignores that; by the time
     * it has reported on the stream it knows. */
    MIDS_AT_START = 50,
    /* RFC 6184 and others: 90 kHz for all video. */
    VIDEO_CLOCK_HZ = 90000,
};

static void learn_codecs(struct sfu_slot *slot) {
    memset(slot->payload_types, 0, sizeof(slot->payload_types));
    memset(slot->rtx_payload_types, 0, sizeof(slot->rtx_payload_types));
    slot->in_place = 0;
    /* The first of a codec's several payload types counts, so the preferred one is written last. */
    for (size_t i = slot->media.codec_count; i-- > 0;) {
        const struct sfu_codec *codec = &slot->media.codecs[i];
        slot->payload_types[codec->codec] = codec->payload_type;
        slot->rtx_payload_types[codec->codec] = codec->rtx_payload_type;
    }
    for (int codec = 0; codec < RTP_CODEC_COUNT; codec++)
        if (slot->media.nack && slot->rtx_payload_types[codec] == 0)
            slot->in_place |= (uint8_t)(1u << codec);
}

static void learn_extensions(struct sfu_slot *slot) {
    const uint32_t not_passed = 1u << RTP_EXT_MID | 1u << RTP_EXT_RID | 1u << RTP_EXT_REPAIRED_RID |
                                1u << RTP_EXT_ABS_SEND_TIME | 1u << RTP_EXT_TRANSPORT_SEQ |
                                1u << RTP_EXT_PLAYOUT_DELAY;
    const uint32_t own = 1u << RTP_EXT_ABS_SEND_TIME | 1u << RTP_EXT_TRANSPORT_SEQ;
    uint32_t taken = 0;
    for (int ext = RTP_EXT_NONE + 1; ext < RTP_EXT_COUNT; ext++)
        taken |= (uint32_t)(slot->media.extensions.ids[ext] != 0) << ext;
    slot->passed = taken & ~not_passed;
    slot->stamped = taken & own;
    slot->header.len = 0;
}

static uint16_t sent_capacity(const struct sfu_media *media) {
    return media->video ? SFU_SENT_VIDEO : SFU_SENT_AUDIO;
}

int sfu_slot_create(struct sfu_slot **out, struct sfu_transport *transport,
                    const struct sfu_media *media) {
    struct sfu_slot *slot;
    if (posix_memalign((void **)&slot, SFU_CACHE_LINE, sizeof(*slot)) != 0)
        return -ENOMEM;
    *slot = (struct sfu_slot){0};
    slot->transport = transport;
    uint64_t random = sfu_engine_random(transport->engine);
    rtp_rewriter_init(&slot->rewriter, NULL, 0,
                      media->video ? VIDEO_CLOCK_HZ : rtp_codec_clock_rate_hz(RTP_CODEC_OPUS),
                      random & 0x7fff, (uint32_t)(random >> 32));
    slot->rtx_seq = random >> 16 & 0x7fff;
    slot->mids_left = MIDS_AT_START;
    sfu_slot_update(slot, media);
    transport->engine->slots++;
    *out = slot;
    return 0;
}

/* Room for what is sent, when there is something: most slots of a client that offers many never
 * carry anything. */
static int remember_sent(struct sfu_slot *slot) {
    if (slot->sent != NULL)
        return 0;
    slot->sent = calloc(sent_capacity(&slot->media), sizeof(*slot->sent));
    if (slot->sent == NULL)
        return -ENOMEM;
    rtp_rewriter_set_ring(&slot->rewriter, slot->sent, sent_capacity(&slot->media));
    return 0;
}

/* Whether headers look the same as before. */
static bool agrees(const struct sfu_media *before, const struct sfu_media *now) {
    return before->nack == now->nack && before->codec_count == now->codec_count &&
           memcmp(before->codecs, now->codecs, sizeof(now->codecs)) == 0 &&
           memcmp(&before->extensions, &now->extensions, sizeof(now->extensions)) == 0;
}

void sfu_slot_update(struct sfu_slot *slot, const struct sfu_media *media) {
    if (slot->sent != NULL &&
        !agrees(&slot->media, media)) /* What was sent could not be sent again in place. */
        memset(slot->sent, 0, sent_capacity(media) * sizeof(*slot->sent));
    slot->media = *media;
    learn_codecs(slot);
    learn_extensions(slot);
}

void sfu_slot_destroy(struct sfu_slot *slot) {
    if (slot == NULL)
        return;
    if (slot->track != NULL)
        sfu_track_detach(slot->track, slot);
    slot->transport->engine->slots--;
    free(slot->sent);
    free(slot);
}

static bool may_send(const struct sfu_slot *slot) {
    return slot->track != NULL && !slot->silent && sfu_transport_is_open(slot->transport);
}

/* --- What it carries --- */

/* Asks for the keyframe without which the target cannot be reached. */
static void ask(struct sfu_slot *slot, uint64_t now_us) {
    const struct sfu_layer *layer = &slot->track->layers[slot->selector.target.layer];
    uint8_t spatial_count = layer->spatial_count ? layer->spatial_count : 1;
    if (slot->media.video && rtp_selector_needs_keyframe(&slot->selector, spatial_count))
        sfu_track_want_keyframe(slot->track, now_us, slot->selector.target.layer);
}

/* The lowest encoding's keyframe is small, and out of the cache it serves all who join while the
 * target's is not there yet. Asked for before it is too much, it is there for the next one too. */
static void ask_lowest(struct sfu_slot *slot, uint64_t now_us, bool is_replayed) {
    uint8_t i = 0;
    while (i < slot->selector.target.layer && !slot->track->layers[i].flowing)
        i++;
    if (i < slot->selector.target.layer &&
        (!is_replayed || sfu_track_cached(slot->track, i, UINT8_MAX) > SFU_REPLAY_STALE_BYTES))
        sfu_track_want_keyframe(slot->track, now_us, i);
}

static void begin(struct sfu_slot *slot, uint64_t now_us) {
    if (!may_send(slot))
        return;
    bool is_replayed = sfu_slot_replay_begin(slot, now_us);
    if (slot->media.video)
        ask_lowest(slot, now_us, is_replayed);
    ask(slot, now_us);
}

void sfu_slot_prepare(struct sfu_slot *slot, uint64_t now_us) {
    if (!slot->media.video || !slot->targeted || !slot->target.paused || slot->wish.paused)
        return;
    uint8_t lowest = 0;
    while (lowest < slot->target.layer && !slot->track->layers[lowest].flowing)
        lowest++;
    size_t cached = sfu_track_cached(slot->track, lowest, 0);
    if (cached == 0 || cached > SFU_REPLAY_SOON_BYTES)
        sfu_track_want_keyframe(slot->track, now_us, lowest);
}

/* The highest levels known of the layer are as good as any above them. */
static struct rtp_point point_of(const struct sfu_slot *slot, const struct sfu_target *target) {
    const struct sfu_layer *layer = &slot->track->layers[target->layer];
    return (struct rtp_point){
        .layer = target->layer,
        .spatial = target->spatial + 1 >= layer->spatial_count ? UINT8_MAX : target->spatial,
        .temporal = target->temporal + 1 >= layer->temporal_count ? UINT8_MAX : target->temporal,
    };
}

static bool layer_fits(const struct sfu_layer *layer, const struct sfu_wish *wish) {
    bool wide = wish->max_width != 0 && layer->width > wish->max_width;
    bool high = wish->max_height != 0 && layer->height > wish->max_height;
    return layer->flowing && !wide && !high;
}

static struct rtp_point choose_by_wish(const struct sfu_slot *slot) {
    const struct sfu_track *track = slot->track;
    uint8_t chosen = UINT8_MAX;
    for (uint8_t i = 0; i < track->layer_count; i++)
        if (layer_fits(&track->layers[i], &slot->wish) ||
            (chosen == UINT8_MAX && track->layers[i].flowing))
            chosen = i;
    if (chosen == UINT8_MAX)
        chosen = slot->selector.target.layer;
    return (struct rtp_point){chosen, UINT8_MAX, UINT8_MAX};
}

static struct rtp_point choose(const struct sfu_slot *slot) {
    return slot->targeted ? point_of(slot, &slot->target) : choose_by_wish(slot);
}

/* What is forwarded next begins at a keyframe and continues the numbers of what was. */
static void begin_anew(struct sfu_slot *slot, uint64_t now_us) {
    slot->switching = true;
    slot->replaying = false;
    rtp_selector_start(&slot->selector, choose(slot));
    begin(slot, now_us);
}

static bool is_alive(const struct sfu_slot *slot) {
    return slot->track->layers[slot->selector.current.layer].flowing;
}

void sfu_slot_choose_layer(struct sfu_slot *slot, uint64_t now_us) {
    struct rtp_point point = choose(slot);
    struct rtp_point before = slot->selector.target;
    bool higher = point.layer != before.layer || point.spatial > before.spatial;
    rtp_selector_aim(&slot->selector, point);
    if (point.layer != before.layer && !slot->selector.awaits_entry && !is_alive(slot))
        begin_anew(slot, now_us); /* Nothing would come of the old one until then. */
    else if (higher && may_send(slot))
        ask(slot, now_us);
}

/* A pause that ends begins anew, everything else is a change of layers. */
static void follow(struct sfu_slot *slot, uint64_t now_us) {
    bool was_silent = slot->silent;
    slot->silent = slot->wish.paused || (slot->targeted && slot->target.paused);
    slot->was_held = slot->was_held || (slot->targeted && slot->target.paused);
    if (slot->track == NULL || slot->silent)
        return;
    if (was_silent)
        begin_anew(slot, now_us);
    else
        sfu_slot_choose_layer(slot, now_us);
}

int sfu_slot_set_track(struct sfu_slot *slot, uint64_t now_us, struct sfu_track *track) {
    if (slot->track == track)
        return 0;
    if (slot->track != NULL)
        sfu_track_detach(slot->track, slot);
    slot->replaying = slot->targeted = false;
    slot->silent = slot->wish.paused;
    if (track == NULL)
        return 0;
    slot->selector.target = (struct rtp_point){0};
    int result = remember_sent(slot);
    if (result == 0)
        result = sfu_track_attach(track, slot);
    if (result == 0)
        begin_anew(slot, now_us);
    return result;
}

void sfu_slot_set_wish(struct sfu_slot *slot, uint64_t now_us, const struct sfu_wish *wish) {
    slot->wish = *wish;
    if (slot->track != NULL)
        sfu_track_on_wishes(slot->track);
    follow(slot, now_us);
}

void sfu_slot_set_target(struct sfu_slot *slot, uint64_t now_us, const struct sfu_target *target) {
    if (slot->track == NULL || target->layer >= slot->track->layer_count)
        return;
    slot->target = *target;
    slot->targeted = true;
    follow(slot, now_us);
}

/* --- What the subscriber says --- */

/* Of one who cannot keep up the others are not to suffer: each keyframe is everybody's. */
static bool heeds(struct sfu_slot *slot, uint64_t now_us) {
    if (now_us < slot->keyframe_sent_us + slot->transport->rtt_us)
        return false; /* It is on its way. */
    if (slot->pli_us == 0 || now_us >= slot->pli_us + SFU_PLI_CALM_US)
        slot->pli_wait_us = 0;
    if (slot->pli_us != 0 && now_us < slot->pli_us + slot->pli_wait_us)
        return false;
    uint64_t wait_us = slot->pli_wait_us ? slot->pli_wait_us * 2 : SFU_PLI_WAIT_US;
    slot->pli_wait_us = wait_us < SFU_PLI_WAIT_MAX_US ? wait_us : SFU_PLI_WAIT_MAX_US;
    slot->pli_us = now_us;
    return true;
}

void sfu_slot_on_keyframe_request(struct sfu_slot *slot, uint64_t now_us) {
    if (!may_send(slot))
        return;
    if (slot->selector.awaits_entry && !slot->replaying)
        begin(slot, now_us);
    else if (slot->media.video && heeds(slot, now_us))
        sfu_track_want_keyframe(slot->track, now_us, slot->selector.current.layer);
}

void sfu_slot_on_report(struct sfu_slot *slot, uint64_t now_us,
                        const struct rtcp_report_block *block) {
    if (slot->media.video || block->fraction_lost <= SFU_LOSSY_OF_256)
        return;
    uint8_t distance = block->fraction_lost > SFU_LOSSY_FOUR_OF_256    ? 4
                       : block->fraction_lost > SFU_LOSSY_THREE_OF_256 ? 3
                       : block->fraction_lost > SFU_LOSSY_TWO_OF_256   ? 2
                                                                       : 1;
    if (now_us >= slot->doubled_until_us || distance > slot->red_distance)
        slot->red_distance = distance;
    slot->doubled_until_us = now_us + SFU_DOUBLED_US;
}

bool sfu_slot_report(const struct sfu_slot *slot, uint64_t now_us, struct rtcp_sender_info *out) {
    if (slot->track == NULL || slot->packets == 0 || slot->switching)
        return false;
    const struct sfu_layer *layer = &slot->track->layers[slot->selector.current.layer];
    if (!layer->has_clock)
        return false;
    int64_t since_us = (int64_t)(now_us - layer->clock_us);
    int64_t ticks = since_us * (int64_t)slot->rewriter.clock_rate_hz / 1000000;
    *out = (struct rtcp_sender_info){
        .ssrc = slot->media.slot_ssrc,
        .ntp = (now_us / 1000000) << 32 | ((now_us % 1000000) << 32) / 1000000,
        .rtp_timestamp =
            rtp_rewriter_timestamp(&slot->rewriter, layer->clock_timestamp + (uint32_t)ticks),
        .packet_count = slot->packets,
        .octet_count = slot->octets,
    };
    return true;
}
