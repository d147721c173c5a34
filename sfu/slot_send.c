/* One packet on its way out of a slot: header, extensions, the payload's descriptor, encryption.
 * The hot path. */
#include <string.h>

#include "rtp/bytes.h"
#include "sfu/downlink.h"
#include "sfu/engine.h"
#include "sfu/slot.h"
#include "sfu/track.h"
#include "sfu/transport.h"

static uint32_t abs_send_time(uint64_t now_us) {
    return (uint32_t)((now_us << 18) / 1000000) & 0xffffff;
}

/* Header extensions of an outgoing packet: the source's, and what belongs to this transport. */
static void stamp(struct sfu_slot *slot, uint64_t now_us, bool in_place,
                  struct rtp_extensions *extensions) {
    extensions->present &= slot->passed;
    if (in_place)
        return;
    if (slot->mids_left > 0) {
        slot->mids_left--;
        extensions->present |= 1u << RTP_EXT_MID;
        extensions->mid = slot->media.mid;
        extensions->mid_len = (uint8_t)strlen(slot->media.mid);
    }
    extensions->present |= slot->stamped;
    extensions->transport_seq = slot->transport->transport_seq;
    extensions->abs_send_time = abs_send_time(now_us);
}

/* The dependency descriptor of the outgoing stream. Which targets are active is said where they are
 * not all, but not in place: later nobody knows what was said. */
static void describe(const struct sfu_slot *slot, const struct sfu_packet *packet, bool in_place,
                     const struct rtp_rewritten *numbers, struct rtp_extensions *extensions,
                     uint8_t out[static RTP_DEPENDENCY_MAX]) {
    if (!packet->has_dependency || extensions->dependency_len > RTP_DEPENDENCY_MAX) {
        /* Of codecs that say more themselves it would count all the same, with gaps in it. */
        extensions->present &= ~(1u << RTP_EXT_DEPENDENCY);
        return;
    }
    const struct rtp_dependency *dependency = &packet->dependency;
    bool current =
        packet->track == slot->track->id && packet->layer == slot->selector.current.layer;
    bool says = !in_place && current && dependency->frame_start &&
                slot->selector.targets != dependency->targets;
    size_t len = 0;
    if (says)
        len = rtp_dependency_write(extensions->dependency, extensions->dependency_len, dependency,
                                   slot->track->layers[packet->layer].structure.target_count,
                                   numbers->picture_id, slot->selector.targets, out,
                                   RTP_DEPENDENCY_MAX);
    if (len == 0) {
        len = extensions->dependency_len;
        memcpy(out, extensions->dependency, len);
        rtp_put16(out + 1, numbers->picture_id);
    }
    extensions->dependency = out;
    extensions->dependency_len = (uint16_t)len;
}

/* What is to be written before the payload. */
struct heading {
    const struct sfu_packet *packet;
    const struct rtp_rewritten *numbers;
    bool rtx;
    bool in_place;
    struct rtp_header header; /* Without its SSRC. */
};

static __attribute__((noinline)) size_t write_any_header(struct sfu_slot *slot, uint64_t now_us,
                                                         const struct heading *heading,
                                                         uint8_t *out) {
    const uint32_t of_padding =
        1u << RTP_EXT_MID | 1u << RTP_EXT_ABS_SEND_TIME | 1u << RTP_EXT_TRANSPORT_SEQ;
    uint8_t dependency[RTP_DEPENDENCY_MAX];
    struct rtp_header header = heading->header;
    struct rtp_extensions extensions = heading->packet->extensions;
    header.ssrc = heading->rtx ? slot->media.slot_rtx_ssrc : slot->media.slot_ssrc;
    stamp(slot, now_us, heading->in_place, &extensions);
    if (rtp_ext_has(&extensions, RTP_EXT_DEPENDENCY))
        describe(slot, heading->packet, heading->in_place, heading->numbers, &extensions,
                 dependency);
    if (header.padding)
        extensions.present &= of_padding;
    return rtp_header_write(out, &header, &extensions, &slot->media.extensions);
}

static inline bool is_prepared(struct sfu_slot *slot, uint32_t present) {
    return rtp_template_fits(&slot->header, present) ||
           ((present & ~(uint32_t)RTP_TEMPLATE_EXTENSIONS) == 0 &&
            rtp_template_prepare(&slot->header, slot->media.slot_ssrc, present,
                                 &slot->media.extensions));
}

/* The usual header is the last one's with other numbers. */
static inline size_t write_header(struct sfu_slot *slot, uint64_t now_us,
                                  const struct heading *heading, uint8_t *out) {
    const struct rtp_extensions *extensions = &heading->packet->extensions;
    uint32_t present = extensions->present & slot->passed;
    if (!heading->in_place)
        present |= slot->stamped;
    bool usual = !heading->rtx && !heading->header.padding &&
                 (heading->in_place || slot->mids_left == 0) && is_prepared(slot, present);
    if (!usual)
        return write_any_header(slot, now_us, heading, out);
    const struct rtp_template_values values = {.audio_level = extensions->audio_level,
                                               .voice = extensions->voice,
                                               .rotation = extensions->rotation,
                                               .transport_seq = slot->transport->transport_seq,
                                               .abs_send_time = abs_send_time(now_us)};
    return rtp_template_write(&slot->header, &heading->header, &values, out);
}

static void substitute(const struct sfu_substitute *instead, struct rtp_header *header,
                       const uint8_t **payload, size_t *payload_len) {
    static const uint8_t padding[] = {1};
    *payload = instead->payload;
    *payload_len = instead->len;
    if (instead->payload != NULL) {
        header->payload_type = instead->payload_type;
        return;
    }
    header->marker = false;
    header->padding = true;
    *payload = padding;
    *payload_len = sizeof(padding);
}

size_t sfu_slot_emit_instead(struct sfu_slot *slot, uint64_t now_us,
                             const struct sfu_packet *packet, const struct rtp_rewritten *numbers,
                             uint8_t rtx_payload_type, const struct sfu_substitute *instead) {
    struct sfu_transport *transport = slot->transport;
    struct sfu_batch *batch = &transport->engine->batch;
    bool rtx = rtx_payload_type != 0;
    struct heading heading = {
        .packet = packet,
        .numbers = numbers,
        .rtx = rtx,
        .in_place = sfu_slot_resends_in_place(slot, packet->codec),
        .header = {.payload_type = rtx ? rtx_payload_type : slot->payload_types[packet->codec],
                   .marker = packet->rtp.marker || numbers->ends_picture,
                   .seq = rtx ? slot->rtx_seq++ : numbers->seq,
                   .timestamp = numbers->timestamp}};
    bool numbered = !heading.in_place && (slot->stamped >> RTP_EXT_TRANSPORT_SEQ & 1) != 0;
    uint8_t prefix[2 + RTP_DESCRIPTOR_MAX];
    size_t prefix_len = 0;
    if (rtx) {
        rtp_put16(prefix, numbers->seq);
        prefix_len = 2;
    }
    const uint8_t *payload = packet->data + packet->rtp.payload_offset;
    size_t payload_len = packet->rtp.payload_len;
    size_t rewritten = 0;
    if (instead != NULL)
        substitute(instead, &heading.header, &payload, &payload_len);
    else
        rewritten = rtp_codec_rewrite(packet->codec, payload, &packet->descriptor,
                                      numbers->picture_id, numbers->tl0picidx, prefix + prefix_len);
    if (rewritten > 0) {
        prefix_len += rewritten;
        payload += packet->descriptor.length;
        payload_len -= packet->descriptor.length;
    }
    transport->transport_seq += numbered;
    uint8_t *out = sfu_batch_reserve(batch);
    size_t header_len = write_header(slot, now_us, &heading, out);
    size_t len = sfu_srtp_protect_rtp(transport->srtp_out, rtx ? &slot->rtx_stream : &slot->stream,
                                      out, header_len, prefix, prefix_len, payload, payload_len);
    if (len == 0)
        return 0;
    sfu_batch_commit(batch, &transport->ice.selected, len);
    sfu_downlink_on_sent(transport, now_us, numbered, transport->transport_seq, len);
    return len;
}

static void fetch_ring(const struct rtp_rewriter *rewriter, size_t packets) {
    enum { STRIDE = SFU_CACHE_LINE / sizeof(*rewriter->sent) };
    for (size_t i = 0; i < packets + STRIDE - 1; i += STRIDE)
        __builtin_prefetch(&rewriter->sent[(rewriter->out_seq + 1 + i) & (rewriter->capacity - 1u)],
                           1);
}

void sfu_slot_fetch_near(const struct sfu_slot *slot) {
    if (slot->transport->srtp_out != NULL)
        sfu_srtp_out_fetch(slot->transport->srtp_out);
}

void sfu_slot_fetch_far(const struct sfu_slot *slot, size_t packets, size_t len) {
    const struct sfu_transport *transport = slot->transport;
    if (slot->rewriter.capacity != 0)
        fetch_ring(&slot->rewriter, packets);
    if (transport->srtp_out != NULL)
        sfu_srtp_out_fetch_keys(transport->srtp_out, len);
    if (transport->downlink != NULL)
        sfu_downlink_fetch(transport->downlink, transport->transport_seq + 1);
}
