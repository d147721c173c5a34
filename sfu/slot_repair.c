/* What a subscriber lacks, sent again: as RTX where that was negotiated, else bit for bit. What is
 * missing upstream too has its number kept free, and is sent under it as soon as it comes. */
#include "sfu/downlink.h"
#include "sfu/engine.h"
#include "sfu/slot.h"
#include "sfu/track.h"
#include "sfu/transport.h"

enum {
    ANSWERED_MAX = 256, /* Of one NACK. */
    PAST_US = 100 * 1000,
};

struct repair {
    struct rtp_rewriter_entry *entry;
    const struct sfu_packet *packet;
};

const struct sfu_packet *sfu_slot_find_sent(const struct sfu_slot *slot,
                                            const struct rtp_rewriter_entry *entry) {
    const struct sfu_slot_source *source = &slot->sources[entry->source % SFU_SLOT_SOURCES];
    if (source->generation != entry->source || source->track == 0)
        return NULL;
    const struct sfu_track *track = sfu_table_get(&slot->transport->engine->tracks, &source->track);
    return track ? sfu_track_find(track, source->layer, entry->source_seq) : NULL;
}

/* What was sent less than a round trip ago is still on its way; a quarter less, since the peer's
 * idea of the round trip is not ours. */
static bool is_due(const struct sfu_slot *slot, uint64_t now_us,
                   const struct rtp_rewriter_entry *entry) {
    uint32_t now_ms = (uint32_t)(now_us / 1000) | 1;
    bool on_its_way = entry->resent_at_ms != 0 &&
                      now_ms - entry->resent_at_ms < slot->transport->rtt_us * 3 / 4 / 1000;
    return !on_its_way && entry->resends < SFU_RESENDS_MAX;
}

/* A former source's, that is asked for only now: the keyframe of the present one has long arrived,
 * or is behind a queue that this would make longer. */
static bool is_past(const struct sfu_slot *slot, uint64_t now_us,
                    const struct rtp_rewriter_entry *entry) {
    uint64_t until_us = slot->keyframe_sent_us + slot->transport->rtt_us * 2 + PAST_US;
    return slot->media.video && slot->keyframe_sent_us != 0 && now_us > until_us &&
           entry->source != slot->rewriter.source;
}

/* False when it is not to be sent, or not now. */
static bool choose(struct sfu_slot *slot, uint64_t now_us, uint16_t seq, struct repair *out) {
    struct sfu_counters *counters = &slot->transport->engine->counters;
    out->entry = rtp_rewriter_find(&slot->rewriter, seq);
    bool is_wanted = out->entry != NULL && !slot->was_held && !is_past(slot, now_us, out->entry);
    out->packet = is_wanted ? sfu_slot_find_sent(slot, out->entry) : NULL;
    if (out->packet == NULL) {
        counters->nacks_unanswered++;
        return false;
    }
    if (!is_due(slot, now_us, out->entry))
        return false;
    if (slot->media.video && !sfu_downlink_may_resend(slot->transport, now_us, out->packet->len)) {
        counters->nacks_over_budget++;
        return false;
    }
    return true;
}

static void resend(struct sfu_slot *slot, uint64_t now_us, const struct repair *repair) {
    struct rtp_rewriter_entry *entry = repair->entry;
    entry->resent_at_ms = (uint32_t)(now_us / 1000) | 1;
    entry->resends++;
    struct rtp_rewritten numbers = rtp_rewriter_numbers(entry);
    /* A picture stands still for what was lost twice, and sound is due before a third try; its
     * packets are small. In place a copy is the same datagram, which SRTP's replay check drops. */
    int copies = !slot->media.video || entry->resends > 1 ? 2 : 1;
    for (int i = 0; i < copies; i++)
        sfu_slot_emit(slot, now_us, repair->packet, &numbers,
                      slot->rtx_payload_types[repair->packet->codec]);
    slot->transport->engine->counters.rtp_retransmitted += (uint64_t)copies;
}

/* Where not all may be sent the newest are: what is older is likelier to be too late. */
void sfu_slot_on_nack(struct sfu_slot *slot, uint64_t now_us, const uint16_t *seqs, size_t count) {
    if (!slot->media.nack || !sfu_transport_is_open(slot->transport))
        return;
    struct repair repairs[ANSWERED_MAX];
    size_t chosen = 0;
    for (size_t i = count; i-- > 0 && chosen < ANSWERED_MAX;)
        chosen += choose(slot, now_us, seqs[i], &repairs[chosen]);
    while (chosen-- > 0)
        if (is_due(slot, now_us, repairs[chosen].entry)) /* It may be named twice. */
            resend(slot, now_us, &repairs[chosen]);
}
