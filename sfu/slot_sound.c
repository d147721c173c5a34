/* Sound through a slot: redundancy (RED, RFC 2198) made, passed or stripped as the subscriber and
 * its network want it, and where a voice set in. */
#include "rtp/red.h"
#include "sfu/engine.h"
#include "sfu/levels.h"
#include "sfu/slot.h"
#include "sfu/track.h"
#include "sfu/transport.h"

enum { RED_PAYLOAD_MAX = 1200 };

static uint8_t opus_of(const struct sfu_media *media) {
    for (size_t i = 0; i < media->codec_count; i++)
        if (media->codecs[i].codec == RTP_CODEC_OPUS)
            return media->codecs[i].payload_type;
    return 0;
}

/* Blocks name the publisher's payload type, so RED passes where the subscriber's is the same. */
static bool passes_red(const struct sfu_slot *slot) {
    return slot->payload_types[RTP_CODEC_RED] != 0 &&
           opus_of(&slot->track->media) == slot->payload_types[RTP_CODEC_OPUS];
}

bool sfu_slot_takes(const struct sfu_slot *slot, enum rtp_codec codec) {
    return slot->payload_types[codec] != 0 ||
           (codec == RTP_CODEC_RED && slot->payload_types[RTP_CODEC_OPUS] != 0);
}

/* --- Stripping --- */

static void send_block(struct sfu_slot *slot, uint64_t now_us, const struct sfu_packet *packet,
                       const struct rtp_rewritten *numbers, const struct rtp_red_block *block) {
    struct sfu_substitute primary = {slot->payload_types[RTP_CODEC_OPUS],
                                     packet->data + packet->rtp.payload_offset + block->offset,
                                     block->len};
    sfu_slot_emit_instead(slot, now_us, packet, numbers, 0, &primary);
}

/* What is not the source's packet must not be sent again in its place. */
static void never_again(struct sfu_slot *slot, const struct rtp_rewritten *numbers) {
    rtp_rewriter_find(&slot->rewriter, numbers->seq)->resends = RTP_REWRITER_NEVER;
}

static void recover_one(struct sfu_slot *slot, uint64_t now_us, const struct sfu_packet *packet,
                        uint64_t seq, const struct rtp_red_block *block) {
    const struct sfu_layer *layer = &slot->track->layers[packet->layer];
    struct rtp_rewritten numbers;
    if (seq <= slot->first_seq || block->len == 0 ||
        rtp_history_get(&layer->history, seq) != NULL ||
        !rtp_rewriter_map(&slot->rewriter, now_us, seq,
                          packet->rtp.timestamp - block->timestamp_offset, NULL, &numbers))
        return;
    send_block(slot, now_us, packet, &numbers, block);
    never_again(slot, &numbers);
    slot->packets++;
}

void sfu_slot_recover_sound(struct sfu_slot *slot, uint64_t now_us,
                            const struct sfu_packet *packet) {
    struct rtp_red_block blocks[RTP_RED_BLOCKS_MAX];
    if (passes_red(slot))
        return;
    int count =
        rtp_red_blocks(packet->data + packet->rtp.payload_offset, packet->rtp.payload_len, blocks);
    for (int i = 0; i < count - 1; i++)
        recover_one(slot, now_us, packet, packet->seq - (uint64_t)(count - 1 - i), &blocks[i]);
}

/* --- Making --- */

/* A packet's own frame, whether it came as RED or not. */
static bool own_frame(const struct sfu_packet *packet, struct rtp_red_frame *out) {
    const uint8_t *payload = packet->data + packet->rtp.payload_offset;
    struct rtp_red_block block = {.len = packet->rtp.payload_len};
    if (packet->codec == RTP_CODEC_RED &&
        rtp_red_primary(payload, packet->rtp.payload_len, &block) < 0)
        return false;
    *out = (struct rtp_red_frame){
        .timestamp = packet->rtp.timestamp, .data = payload + block.offset, .len = block.len};
    return true;
}

/* The frames before this one, the oldest first; of the current source only, for what was before it
 * has other times. */
static size_t earlier_frames(const struct sfu_slot *slot, const struct sfu_packet *packet,
                             struct rtp_red_frame frames[static SFU_RED_DISTANCE_MAX]) {
    const struct sfu_layer *layer = &slot->track->layers[packet->layer];
    size_t count = 0;
    for (uint64_t back = slot->red_distance; back > 0; back--) {
        if (packet->seq < slot->first_seq + back)
            continue;
        const struct sfu_packet *earlier = rtp_history_get(&layer->history, packet->seq - back);
        if (earlier != NULL && own_frame(earlier, &frames[count]))
            count++;
    }
    return count;
}

/* False: as it is. */
static bool send_red(struct sfu_slot *slot, uint64_t now_us, const struct sfu_packet *packet,
                     const struct rtp_rewritten *numbers) {
    struct rtp_red_frame earlier[SFU_RED_DISTANCE_MAX];
    struct rtp_red_frame primary;
    uint8_t payload[RED_PAYLOAD_MAX];
    if (!own_frame(packet, &primary))
        return false;
    size_t count = earlier_frames(slot, packet, earlier);
    int len = rtp_red_write(slot->payload_types[RTP_CODEC_OPUS], earlier, count, &primary, payload,
                            sizeof(payload));
    if (len < 0)
        return false;
    struct sfu_substitute red = {slot->payload_types[RTP_CODEC_RED], payload, (size_t)len};
    sfu_slot_emit_instead(slot, now_us, packet, numbers, 0, &red);
    never_again(slot, numbers); /* It would have to be the same to the bit. */
    return true;
}

static void send_opus(struct sfu_slot *slot, uint64_t now_us, const struct sfu_packet *packet,
                      const struct rtp_rewritten *numbers) {
    bool lossy = now_us < slot->doubled_until_us;
    if (lossy && slot->payload_types[RTP_CODEC_RED] != 0 && send_red(slot, now_us, packet, numbers))
        return;
    sfu_slot_emit(slot, now_us, packet, numbers, 0);
    if (!lossy || !sfu_slot_resends_in_place(slot, packet->codec))
        return;
    sfu_slot_emit(slot, now_us, packet, numbers, 0); /* The same datagram. */
    slot->transport->engine->counters.rtp_retransmitted++;
}

/* RED passes as it came, but to whoever loses more than the publisher thought of. */
static void send_passed(struct sfu_slot *slot, uint64_t now_us, const struct sfu_packet *packet,
                        const struct rtp_rewritten *numbers) {
    struct rtp_red_block blocks[RTP_RED_BLOCKS_MAX];
    int count =
        rtp_red_blocks(packet->data + packet->rtp.payload_offset, packet->rtp.payload_len, blocks);
    bool enough = now_us >= slot->doubled_until_us || slot->red_distance < count;
    if (enough || !send_red(slot, now_us, packet, numbers))
        sfu_slot_emit(slot, now_us, packet, numbers, 0);
}

void sfu_slot_send_sound(struct sfu_slot *slot, uint64_t now_us, const struct sfu_packet *packet,
                         struct rtp_rewritten *numbers) {
    struct rtp_red_block primary;
    if (packet->codec != RTP_CODEC_RED) {
        send_opus(slot, now_us, packet, numbers);
    } else if (passes_red(slot)) {
        send_passed(slot, now_us, packet, numbers);
    } else if (rtp_red_primary(packet->data + packet->rtp.payload_offset, packet->rtp.payload_len,
                               &primary) == 0) {
        send_block(slot, now_us, packet, numbers, &primary);
        never_again(slot, numbers);
    }
}

/* --- Onset --- */

uint64_t sfu_slot_onset(const struct sfu_layer *layer, uint64_t now_us) {
    uint64_t onset = UINT64_MAX;
    for (uint64_t seq = layer->newest_seq; seq > 0; seq--) {
        const struct sfu_packet *packet = rtp_history_get(&layer->history, seq);
        if (packet == NULL || packet->received_us + SFU_ONSET_US < now_us ||
            !rtp_ext_has(&packet->extensions, RTP_EXT_AUDIO_LEVEL) ||
            packet->extensions.audio_level > SFU_LEVEL_SPEECH)
            break;
        onset = seq;
    }
    return onset;
}
