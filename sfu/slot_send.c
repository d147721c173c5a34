/* One packet on its way out of a slot: header, extensions, the payload's descriptor, encryption.
 * The hot path. */
#include <string.h>

#include "rtp/bytes.h"
#include "sfu/downlink.h"
#include "sfu/engine.h"
#include "sfu/slot.h"
#include "sfu/track.h"
#include "sfu/transport.h"

/* Header extensions of an outgoing packet: the source's, and what belongs to this transport. */
static inline void stamp(struct sfu_slot *slot, uint64_t now_us, bool in_place,
                         struct rtp_extensions *extensions) {
    const uint32_t not_passed = 1u << RTP_EXT_MID | 1u << RTP_EXT_RID | 1u << RTP_EXT_REPAIRED_RID |
                                1u << RTP_EXT_ABS_SEND_TIME | 1u << RTP_EXT_TRANSPORT_SEQ |
                                1u << RTP_EXT_PLAYOUT_DELAY;
    extensions->present &= ~not_passed;
    if (in_place)
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

static void substitute(const struct sfu_substitute *instead, struct rtp_header *header,
                       struct rtp_extensions *extensions, const uint8_t **payload,
                       size_t *payload_len) {
    static const uint8_t padding[] = {1};
    const uint32_t own =
        1u << RTP_EXT_MID | 1u << RTP_EXT_ABS_SEND_TIME | 1u << RTP_EXT_TRANSPORT_SEQ;
    *payload = instead->payload;
    *payload_len = instead->len;
    if (instead->payload != NULL) {
        header->payload_type = instead->payload_type;
        return;
    }
    header->marker = false;
    header->padding = true;
    extensions->present &= own;
    *payload = padding;
    *payload_len = sizeof(padding);
}

size_t sfu_slot_emit_instead(struct sfu_slot *slot, uint64_t now_us,
                             const struct sfu_packet *packet, const struct rtp_rewritten *numbers,
                             uint8_t rtx_payload_type, const struct sfu_substitute *instead) {
    struct sfu_transport *transport = slot->transport;
    struct sfu_batch *batch = &transport->engine->batch;
    bool rtx = rtx_payload_type != 0;
    bool in_place = sfu_slot_resends_in_place(slot, packet->codec);
    struct rtp_header header = {
        .payload_type = rtx ? rtx_payload_type : slot->payload_types[packet->codec],
        .marker = packet->rtp.marker || numbers->ends_picture,
        .seq = rtx ? slot->rtx_seq++ : numbers->seq,
        .timestamp = numbers->timestamp,
        .ssrc = rtx ? slot->media.slot_rtx_ssrc : slot->media.slot_ssrc,
    };
    uint8_t dependency[RTP_DEPENDENCY_MAX];
    struct rtp_extensions extensions = packet->extensions;
    stamp(slot, now_us, in_place, &extensions);
    if (rtp_ext_has(&extensions, RTP_EXT_DEPENDENCY))
        describe(slot, packet, in_place, numbers, &extensions, dependency);
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
        substitute(instead, &header, &extensions, &payload, &payload_len);
    else
        rewritten = rtp_codec_rewrite(packet->codec, payload, &packet->descriptor,
                                      numbers->picture_id, numbers->tl0picidx, prefix + prefix_len);
    if (rewritten > 0) {
        prefix_len += rewritten;
        payload += packet->descriptor.length;
        payload_len -= packet->descriptor.length;
    }
    uint8_t *out = sfu_batch_reserve(batch);
    size_t header_len = rtp_header_write(out, &header, &extensions, &slot->media.extensions);
    size_t len = sfu_srtp_protect_rtp(transport->srtp_out, rtx ? &slot->rtx_stream : &slot->stream,
                                      out, header_len, prefix, prefix_len, payload, payload_len);
    if (len == 0)
        return 0;
    sfu_batch_commit(batch, &transport->ice.selected, len);
    sfu_downlink_on_sent(transport, now_us, rtp_ext_has(&extensions, RTP_EXT_TRANSPORT_SEQ),
                         extensions.transport_seq, len);
    return len;
}
