/* Padding of a slot: RTX that nobody has asked for, to probe what the link carries. */
#include <string.h>

#include "sfu/downlink.h"
#include "sfu/engine.h"
#include "sfu/slot.h"
#include "sfu/track.h"
#include "sfu/transport.h"

enum {
    LOOK_BACK = 16,    /* Packets looked at for one that is large enough. */
    PADDING_MAX = 255, /* RFC 3550: its length has eight bits. */
    WHOLE_MIN = 600,   /* From so many bytes on a whole packet is sent again. */
};

static uint8_t rtx_payload_type(const struct sfu_slot *slot) {
    return slot->rtx_payload_types[slot->track->media.codecs[0].codec];
}

bool sfu_slot_can_pad(const struct sfu_slot *slot) {
    return slot->media.video && slot->track != NULL && slot->media.slot_rtx_ssrc != 0 &&
           rtx_payload_type(slot) != 0 && slot->media.extensions.ids[RTP_EXT_TRANSPORT_SEQ] != 0 &&
           sfu_transport_is_open(slot->transport);
}

/* Of the newest packets sent the first that is half as large as wanted, else none. */
static const struct sfu_packet *find_large(struct sfu_slot *slot, size_t bytes,
                                           const struct rtp_rewriter_entry **entry) {
    for (int i = 0; i < LOOK_BACK; i++) {
        *entry = rtp_rewriter_find(
            &slot->rewriter, (uint16_t)(slot->rewriter.out_seq - slot->padding_turn++ % LOOK_BACK));
        const struct sfu_packet *packet = *entry ? sfu_slot_find_sent(slot, *entry) : NULL;
        if (packet != NULL && packet->rtp.payload_len >= bytes / 2)
            return packet;
    }
    return NULL;
}

/* As libwebrtc's: no payload, so no original number either. */
static size_t send_empty(struct sfu_slot *slot, uint64_t now_us, size_t bytes) {
    uint8_t padding[PADDING_MAX] = {0};
    size_t padding_len = bytes < PADDING_MAX ? bytes : PADDING_MAX;
    padding[padding_len - 1] = (uint8_t)padding_len;
    struct sfu_transport *transport = slot->transport;
    struct rtp_header header = {.payload_type = rtx_payload_type(slot),
                                .padding = true,
                                .seq = slot->rtx_seq++,
                                .timestamp = slot->rewriter.out_timestamp,
                                .ssrc = slot->media.slot_rtx_ssrc};
    struct rtp_extensions extensions = {
        .present = 1u << RTP_EXT_TRANSPORT_SEQ | 1u << RTP_EXT_ABS_SEND_TIME,
        .transport_seq = ++transport->transport_seq,
        .abs_send_time = (uint32_t)((now_us << 18) / 1000000) & 0xffffff};
    uint8_t *out = sfu_batch_reserve(&transport->engine->batch);
    size_t header_len = rtp_header_write(out, &header, &extensions, &slot->media.extensions);
    size_t len = sfu_srtp_protect_rtp(transport->srtp_out, &slot->rtx_stream, out, header_len, NULL,
                                      0, padding, padding_len);
    if (len == 0)
        return 0;
    sfu_batch_commit(&transport->engine->batch, &transport->ice.selected, len);
    sfu_downlink_on_sent(transport, now_us, true, extensions.transport_seq, len);
    return len;
}

size_t sfu_slot_send_padding(struct sfu_slot *slot, uint64_t now_us, size_t bytes) {
    const struct rtp_rewriter_entry *entry;
    const struct sfu_packet *packet = bytes >= WHOLE_MIN ? find_large(slot, bytes, &entry) : NULL;
    if (packet == NULL || slot->rtx_payload_types[packet->codec] == 0)
        return send_empty(slot, now_us, bytes);
    struct rtp_rewritten numbers = {.seq = entry->out_seq,
                                    .timestamp = entry->timestamp,
                                    .picture_id = entry->picture_id,
                                    .tl0picidx = entry->tl0picidx};
    return sfu_slot_emit(slot, now_us, packet, &numbers, slot->rtx_payload_types[packet->codec]);
}
