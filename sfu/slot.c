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

/* NACK without RTX: what is sent again has the same number under the same keys, so every bit of it
 * has to be the same. */
static bool resends_in_place(const struct sfu_slot *slot, enum rtp_codec codec) {
    return slot->media.nack && slot->rtx_payload_types[codec] == 0;
}

static void learn_codecs(struct sfu_slot *slot) {
    memset(slot->payload_types, 0, sizeof(slot->payload_types));
    memset(slot->rtx_payload_types, 0, sizeof(slot->rtx_payload_types));
    /* The first of a codec's several payload types counts, so the preferred one is written last. */
    for (size_t i = slot->media.codec_count; i-- > 0;) {
        const struct sfu_codec *codec = &slot->media.codecs[i];
        slot->payload_types[codec->codec] = codec->payload_type;
        slot->rtx_payload_types[codec->codec] = codec->rtx_payload_type;
    }
}

static uint16_t sent_capacity(const struct sfu_media *media) {
    return media->video ? SFU_SENT_VIDEO : SFU_SENT_AUDIO;
}

int sfu_slot_create(struct sfu_slot **out, struct sfu_transport *transport,
                    const struct sfu_media *media) {
    uint16_t capacity = sent_capacity(media);
    struct sfu_slot *slot = calloc(1, sizeof(*slot));
    struct rtp_rewriter_entry *sent = calloc(capacity, sizeof(*sent));
    if (slot == NULL || sent == NULL) {
        free(slot);
        free(sent);
        return -ENOMEM;
    }
    slot->transport = transport;
    slot->sent = sent;
    uint64_t random = sfu_engine_random(transport->engine);
    rtp_rewriter_init(&slot->rewriter, sent, capacity,
                      media->video ? VIDEO_CLOCK_HZ : rtp_codec_clock_rate_hz(RTP_CODEC_OPUS),
                      random & 0x7fff, (uint32_t)(random >> 32));
    slot->rtx_seq = random >> 16 & 0x7fff;
    slot->mids_left = MIDS_AT_START;
    sfu_slot_update(slot, media);
    transport->engine->slots++;
    *out = slot;
    return 0;
}

/* Whether headers look the same as before. */
static bool agrees(const struct sfu_media *before, const struct sfu_media *now) {
    return before->nack == now->nack && before->codec_count == now->codec_count &&
           memcmp(before->codecs, now->codecs, sizeof(now->codecs)) == 0 &&
           memcmp(&before->extensions, &now->extensions, sizeof(now->extensions)) == 0;
}

void sfu_slot_update(struct sfu_slot *slot, const struct sfu_media *media) {
    if (!agrees(&slot->media, media)) /* What was sent could not be sent again in place. */
        memset(slot->sent, 0, sent_capacity(media) * sizeof(*slot->sent));
    slot->media = *media;
    learn_codecs(slot);
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

/* What is forwarded next begins at a keyframe and continues the numbers of what was. */
static void begin_anew(struct sfu_slot *slot, uint64_t now_us) {
    slot->switching = true;
    slot->awaits_keyframe = slot->media.video;
    slot->layer = slot->target_layer = 0;
    sfu_slot_choose_layer(slot, now_us);
    slot->layer = slot->target_layer;
    sfu_slot_on_keyframe_request(slot, now_us);
}

int sfu_slot_set_track(struct sfu_slot *slot, uint64_t now_us, struct sfu_track *track) {
    if (slot->track == track)
        return 0;
    if (slot->track != NULL)
        sfu_track_detach(slot->track, slot);
    if (track == NULL)
        return 0;
    slot->targeted = slot->target.paused = false;
    int result = sfu_track_attach(track, slot);
    if (result == 0)
        begin_anew(slot, now_us);
    return result;
}

void sfu_slot_set_wish(struct sfu_slot *slot, uint64_t now_us, const struct sfu_wish *wish) {
    bool resumed = slot->wish.paused && !wish->paused;
    slot->wish = *wish;
    if (slot->track == NULL)
        return;
    if (resumed)
        begin_anew(slot, now_us);
    else
        sfu_slot_choose_layer(slot, now_us);
}

static bool layer_fits(const struct sfu_layer *layer, const struct sfu_wish *wish) {
    bool wide = wish->max_width != 0 && layer->width > wish->max_width;
    bool high = wish->max_height != 0 && layer->height > wish->max_height;
    return layer->flowing && !wide && !high;
}

static void aim(struct sfu_slot *slot, uint64_t now_us, uint8_t layer) {
    if (layer == slot->target_layer)
        return;
    slot->target_layer = layer;
    sfu_slot_on_keyframe_request(slot, now_us);
}

void sfu_slot_set_target(struct sfu_slot *slot, uint64_t now_us, const struct sfu_target *target) {
    bool resumed = slot->target.paused && !target->paused;
    slot->target = *target;
    slot->targeted = true;
    if (slot->track == NULL || target->layer >= slot->track->layer_count)
        return;
    if (resumed)
        begin_anew(slot, now_us);
    else
        aim(slot, now_us, target->layer);
}

void sfu_slot_choose_layer(struct sfu_slot *slot, uint64_t now_us) {
    const struct sfu_track *track = slot->track;
    uint8_t chosen = UINT8_MAX;
    if (slot->targeted) {
        aim(slot, now_us, slot->target.layer);
        return;
    }
    for (uint8_t i = 0; i < track->layer_count; i++)
        if (layer_fits(&track->layers[i], &slot->wish) ||
            (chosen == UINT8_MAX && track->layers[i].flowing))
            chosen = i;
    if (chosen != UINT8_MAX)
        aim(slot, now_us, chosen);
}

void sfu_slot_on_keyframe_request(struct sfu_slot *slot, uint64_t now_us) {
    if (slot->track != NULL && slot->media.video && !slot->wish.paused && !slot->target.paused &&
        sfu_transport_is_open(slot->transport))
        sfu_track_want_keyframe(slot->track, now_us, slot->target_layer);
}

/* Header extensions of an outgoing packet: the source's, and what belongs to this transport. */
static void stamp(struct sfu_slot *slot, uint64_t now_us, enum rtp_codec codec,
                  struct rtp_extensions *extensions) {
    const uint32_t not_passed = 1u << RTP_EXT_MID | 1u << RTP_EXT_RID | 1u << RTP_EXT_REPAIRED_RID |
                                1u << RTP_EXT_ABS_SEND_TIME | 1u << RTP_EXT_TRANSPORT_SEQ |
                                1u << RTP_EXT_PLAYOUT_DELAY;
    extensions->present &= ~not_passed;
    if (resends_in_place(slot, codec))
        return;
    if (slot->mids_left > 0) {
        slot->mids_left--;
        extensions->present |= 1u << RTP_EXT_MID;
        extensions->mid = slot->media.mid;
        extensions->mid_len = (uint8_t)strlen(slot->media.mid);
    }
    if (slot->media.extensions.ids[RTP_EXT_TRANSPORT_SEQ] != 0) {
        extensions->present |= 1u << RTP_EXT_TRANSPORT_SEQ;
        extensions->transport_seq = ++slot->transport->transport_seq;
    }
    extensions->present |= 1u << RTP_EXT_ABS_SEND_TIME;
    extensions->abs_send_time = (uint32_t)((now_us << 18) / 1000000) & 0xffffff;
}

size_t sfu_slot_emit(struct sfu_slot *slot, uint64_t now_us, const struct sfu_packet *packet,
                     const struct rtp_rewritten *numbers, uint8_t rtx_payload_type) {
    struct sfu_transport *transport = slot->transport;
    struct sfu_batch *batch = &transport->engine->batch;
    bool rtx = rtx_payload_type != 0;
    struct rtp_header header = {
        .payload_type = rtx ? rtx_payload_type : slot->payload_types[packet->codec],
        .marker = packet->rtp.marker,
        .seq = rtx ? slot->rtx_seq++ : numbers->seq,
        .timestamp = numbers->timestamp,
        .ssrc = rtx ? slot->media.slot_rtx_ssrc : slot->media.slot_ssrc,
    };
    struct rtp_extensions extensions = packet->extensions;
    stamp(slot, now_us, packet->codec, &extensions);
    uint8_t *out = sfu_batch_reserve(batch);
    size_t header_len = rtp_header_write(out, &header, &extensions, &slot->media.extensions);

    uint8_t prefix[2 + RTP_DESCRIPTOR_MAX];
    size_t prefix_len = 0;
    if (rtx) {
        rtp_put16(prefix, numbers->seq);
        prefix_len = 2;
    }
    const uint8_t *payload = packet->data + packet->rtp.payload_offset;
    size_t payload_len = packet->rtp.payload_len;
    size_t rewritten =
        rtp_codec_rewrite(packet->codec, payload, &packet->descriptor, numbers->picture_id,
                          numbers->tl0picidx, prefix + prefix_len);
    if (rewritten > 0) {
        prefix_len += rewritten;
        payload += packet->descriptor.length;
        payload_len -= packet->descriptor.length;
    }
    size_t len = sfu_srtp_protect_rtp(transport->srtp_out, rtx ? &slot->rtx_stream : &slot->stream,
                                      out, header_len, prefix, prefix_len, payload, payload_len);
    if (len == 0)
        return 0;
    sfu_batch_commit(batch, &transport->ice.selected, len);
    sfu_downlink_on_sent(transport, now_us, rtp_ext_has(&extensions, RTP_EXT_TRANSPORT_SEQ),
                         extensions.transport_seq, len);
    return len;
}

static void begin_source(struct sfu_slot *slot) {
    slot->switching = false;
    rtp_rewriter_switch(&slot->rewriter, false, 0);
    uint16_t generation = slot->rewriter.source;
    slot->sources[generation % SFU_SLOT_SOURCES] = (struct sfu_slot_source){
        .track = slot->track->id, .generation = generation, .layer = slot->layer};
}

static void pass_on(struct sfu_slot *slot, uint64_t now_us, const struct sfu_packet *packet) {
    if (packet->skip) {
        if (!slot->switching)
            rtp_rewriter_drop(&slot->rewriter, packet->seq, &packet->descriptor);
        return;
    }
    if (slot->payload_types[packet->codec] == 0)
        return;
    if (slot->switching)
        begin_source(slot);
    struct rtp_rewritten numbers;
    if (!rtp_rewriter_map(&slot->rewriter, now_us, packet->seq, packet->rtp.timestamp,
                          &packet->descriptor, &numbers))
        return;
    sfu_slot_emit(slot, now_us, packet, &numbers, 0);
    if (now_us < slot->doubled_until_us && resends_in_place(slot, packet->codec)) {
        sfu_slot_emit(slot, now_us, packet, &numbers, 0); /* The same datagram. */
        slot->transport->engine->counters.rtp_retransmitted++;
    }
    slot->packets++;
    slot->octets += packet->rtp.payload_len;
    slot->transport->engine->counters.rtp_forwarded++;
}

/* A keyframe whose first packet came late (retransmitted): what followed it is already in the
 * history. */
static void catch_up(struct sfu_slot *slot, uint64_t now_us, const struct sfu_packet *first) {
    const struct sfu_layer *layer = &slot->track->layers[first->layer];
    uint64_t end = sfu_track_next_in_burst(slot->track, first);
    for (uint64_t seq = first->seq + 1; seq <= layer->newest_seq && seq < end; seq++) {
        const struct sfu_packet *packet = rtp_history_get(&layer->history, seq);
        if (packet != NULL)
            pass_on(slot, now_us, packet);
    }
}

static bool may_begin(const struct sfu_slot *slot, const struct sfu_packet *packet) {
    if (packet->layer != slot->target_layer || packet->skip)
        return false;
    return !slot->media.video || rtp_descriptor_is_entry(&packet->descriptor);
}

void sfu_slot_forward(struct sfu_slot *slot, uint64_t now_us, const struct sfu_packet *packet) {
    if (slot->wish.paused || slot->target.paused || !sfu_transport_is_open(slot->transport))
        return;
    if (packet->layer == slot->layer && !slot->awaits_keyframe) {
        slot->switching = slot->switching || packet->restarts;
        pass_on(slot, now_us, packet);
        return;
    }
    if (!may_begin(slot, packet))
        return;
    slot->layer = packet->layer;
    slot->awaits_keyframe = false;
    slot->switching = true;
    pass_on(slot, now_us, packet);
    catch_up(slot, now_us, packet);
}

const struct sfu_packet *sfu_slot_find_sent(const struct sfu_slot *slot,
                                            const struct rtp_rewriter_entry *entry) {
    const struct sfu_slot_source *source = &slot->sources[entry->source % SFU_SLOT_SOURCES];
    if (source->generation != entry->source || source->track == 0)
        return NULL;
    const struct sfu_track *track = sfu_table_get(&slot->transport->engine->tracks, &source->track);
    return track ? sfu_track_find(track, source->layer, entry->source_seq) : NULL;
}

static void resend(struct sfu_slot *slot, uint64_t now_us, uint16_t seq) {
    struct sfu_counters *counters = &slot->transport->engine->counters;
    struct rtp_rewriter_entry *entry = rtp_rewriter_find(&slot->rewriter, seq);
    const struct sfu_packet *packet = entry ? sfu_slot_find_sent(slot, entry) : NULL;
    if (packet == NULL) {
        counters->nacks_unanswered++;
        return;
    }
    /* What was sent less than a round trip ago is still on its way; a quarter less, since the
     * peer's idea of the round trip is not ours. */
    uint32_t now_ms = (uint32_t)(now_us / 1000) | 1;
    bool on_its_way = entry->resent_at_ms != 0 &&
                      now_ms - entry->resent_at_ms < slot->transport->rtt_us * 3 / 4 / 1000;
    if (on_its_way || entry->resends >= SFU_RESENDS_MAX)
        return;
    if (slot->media.video && !sfu_downlink_may_resend(slot->transport, now_us, packet->len)) {
        counters->nacks_over_budget++;
        return;
    }
    entry->resent_at_ms = now_ms;
    entry->resends++;
    struct rtp_rewritten numbers = {.seq = entry->out_seq,
                                    .timestamp = entry->timestamp,
                                    .picture_id = entry->picture_id,
                                    .tl0picidx = entry->tl0picidx};
    /* A picture stands still for what was lost twice, and sound is due before a third try; its
     * packets are small. In place a copy is the same datagram, which SRTP's replay check drops. */
    int copies = !slot->media.video || entry->resends > 1 ? 2 : 1;
    for (int i = 0; i < copies; i++)
        sfu_slot_emit(slot, now_us, packet, &numbers, slot->rtx_payload_types[packet->codec]);
    counters->rtp_retransmitted += (uint64_t)copies;
}

void sfu_slot_on_nack(struct sfu_slot *slot, uint64_t now_us, const uint16_t *seqs, size_t count) {
    if (!slot->media.nack || !sfu_transport_is_open(slot->transport))
        return;
    for (size_t i = 0; i < count; i++)
        resend(slot, now_us, seqs[i]);
}

void sfu_slot_on_report(struct sfu_slot *slot, uint64_t now_us,
                        const struct rtcp_report_block *block) {
    if (!slot->media.video && block->fraction_lost > SFU_LOSSY_OF_256)
        slot->doubled_until_us = now_us + SFU_DOUBLED_US;
}

bool sfu_slot_report(const struct sfu_slot *slot, uint64_t now_us, struct rtcp_sender_info *out) {
    if (slot->track == NULL || slot->packets == 0 || slot->switching)
        return false;
    const struct sfu_layer *layer = &slot->track->layers[slot->layer];
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
