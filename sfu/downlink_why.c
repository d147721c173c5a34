/* Why the slots of a transport carry what they do, for whoever asks. */
#include <string.h>

#include "sfu/transport.h"

void sfu_downlink_why(const struct sfu_transport *transport, uint64_t now_us,
                      struct sfu_why_answer *out) {
    static const char *const sources[] = {"none", "reports", "remb", "transport-cc"};
    const struct sfu_downlink *downlink = transport->downlink;
    out->source = sources[downlink != NULL ? downlink->source : SFU_DOWNLINK_NONE];
    out->limited_by = "none";
    out->rtt_us = (uint32_t)transport->rtt_us;
    if (downlink == NULL)
        return;
    struct rtp_bwe_figures figures;
    rtp_bwe_figures(&downlink->bwe, &figures);
    out->demand_bps = downlink->demand_bps;
    out->sent_bps = downlink->sent_bps;
    out->acked_bps = figures.acked_bps;
    out->loss = (float)figures.loss;
    uint64_t budget_bps = sfu_downlink_budget(downlink, now_us);
    if (budget_bps == UINT64_MAX)
        return;
    out->estimate_bps = budget_bps;
    out->limited_by =
        rtp_bwe_limit_name(sfu_downlink_is_capped(downlink) ? RTP_BWE_LIMIT_DELAY : figures.limit);
}

static void list_layers(const struct sfu_track *track, uint64_t now_us, struct sfu_why_slot *out) {
    struct rtp_rung rungs[RTP_RUNGS_MAX];
    out->layer_count = (uint8_t)sfu_track_rungs(track, now_us, rungs);
    for (size_t i = 0; i < out->layer_count; i++) {
        const struct rtp_rung *rung = &rungs[i];
        struct sfu_why_layer *layer = &out->layers[i];
        *layer = (struct sfu_why_layer){.spatial = rung->spatial,
                                        .temporal = rung->temporal,
                                        .width = rung->width,
                                        .height = rung->height,
                                        .fps = rung->fps,
                                        .bps = rung->bps};
        memcpy(layer->rid, track->media.rids[rung->layer], sizeof(layer->rid));
    }
}

static int8_t find_forwarded(const struct sfu_slot *slot, const struct sfu_why_slot *out) {
    const char *rid = slot->track->media.rids[slot->selector.current.layer];
    int8_t found = -1;
    if (slot->silent || slot->selector.awaits_entry)
        return -1;
    for (int8_t i = 0; i < out->layer_count; i++)
        if (strcmp(out->layers[i].rid, rid) == 0 &&
            out->layers[i].spatial <= slot->selector.current.spatial &&
            out->layers[i].temporal <= slot->selector.current.temporal)
            found = i;
    return found;
}

/* As the last allocation said, by what it is: its place changes with the rates. */
static int8_t find_chosen(const struct sfu_slot *slot, const struct sfu_downlink_slot *known,
                          const struct sfu_why_slot *out) {
    const struct rtp_allocator_state *state = &known->state;
    for (int8_t i = 0; known->chosen >= 0 && i < out->layer_count; i++)
        if (strcmp(out->layers[i].rid, slot->track->media.rids[state->layer]) == 0 &&
            out->layers[i].spatial == state->spatial && out->layers[i].temporal == state->temporal)
            return i;
    return -1;
}

/* What flows may be another since. */
static int8_t within(int8_t index, const struct sfu_why_slot *out) {
    return index < (int)out->layer_count ? index : -1;
}

void sfu_downlink_why_slot(const struct sfu_transport *transport, uint64_t now_us, size_t mline,
                           struct sfu_why_slot *out) {
    const struct sfu_slot *slot = transport->mlines[mline].slot;
    *out = (struct sfu_why_slot){.video = slot->media.video,
                                 .wish = slot->wish,
                                 .wanted = -1,
                                 .chosen = -1,
                                 .forwarded = -1};
    memcpy(out->mid, slot->media.mid, sizeof(out->mid));
    out->reason = rtp_allocator_reason_name(RTP_ALLOCATOR_NOTHING_PUBLISHED);
    if (slot->track == NULL)
        return;
    out->track = slot->track->id;
    list_layers(slot->track, now_us, out);
    out->forwarded = find_forwarded(slot, out);
    const struct sfu_downlink_slot *known =
        transport->downlink ? &transport->downlink->slots[mline] : NULL;
    if (known == NULL || known->track != slot->track->id) {
        out->reason = rtp_allocator_reason_name(RTP_ALLOCATOR_NOT_FLOWING);
        return;
    }
    out->wanted = within(known->wanted, out);
    out->chosen = find_chosen(slot, known, out);
    out->reason = rtp_allocator_reason_name((enum rtp_allocator_reason)known->reason);
}
