#include "sfu/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sfu/track.h"
#include "sfu/transport.h"

int sfu_engine_create(struct sfu_engine **out, const struct sfu_engine_config *config) {
    struct sfu_engine *engine = calloc(1, sizeof(*engine));
    if (engine == NULL)
        return -ENOMEM;
    engine->config = *config;
    engine->random = config->seed;
    sfu_agenda_init(&engine->agenda);
    sfu_levels_init(&engine->levels);
    int result = sfu_batch_init(&engine->batch, config->send, config->ctx);
    if (result == 0)
        result = sfu_table_init(&engine->by_ufrag, SFU_UFRAG_LEN);
    if (result == 0)
        result = sfu_table_init(&engine->by_address, sizeof(struct sfu_address));
    if (result == 0)
        result = sfu_table_init(&engine->transports, sizeof(uint64_t));
    if (result == 0)
        result = sfu_table_init(&engine->tracks, sizeof(uint64_t));
    if (result < 0) {
        sfu_engine_destroy(engine);
        return result;
    }
    *out = engine;
    return 0;
}

void sfu_engine_destroy(struct sfu_engine *engine) {
    if (engine == NULL)
        return;
    for (struct sfu_transport *transport; (transport = sfu_table_any(&engine->transports)) != NULL;)
        sfu_engine_leave(engine, 0, transport->participant);
    for (struct sfu_track *mirror; (mirror = sfu_table_any(&engine->tracks)) != NULL;)
        sfu_engine_mirror_close(engine, mirror->id);
    sfu_handshakes_deinit(&engine->handshakes);
    sfu_table_deinit(&engine->by_ufrag);
    sfu_table_deinit(&engine->by_address);
    sfu_table_deinit(&engine->transports);
    sfu_table_deinit(&engine->tracks);
    sfu_agenda_deinit(&engine->agenda);
    sfu_batch_deinit(&engine->batch);
    sfu_downlink_scratch_deinit(&engine->downlinks);
    free(engine);
}

/* SplitMix64 (Steele, Lea, Flood 2014): for numbers that need no secrecy. */
uint64_t sfu_engine_random(struct sfu_engine *engine) {
    uint64_t z = engine->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void on_stun(struct sfu_engine *engine, uint64_t now_us, const struct sfu_address *from,
                    struct sfu_packet *packet) {
    const char *ufrag;
    size_t ufrag_len;
    if (sfu_stun_peek_ufrag(packet->data, packet->len, &ufrag, &ufrag_len) < 0) {
        engine->counters.drop_stun_malformed++;
        return;
    }
    struct sfu_transport *transport =
        ufrag_len == SFU_UFRAG_LEN ? sfu_table_get(&engine->by_ufrag, ufrag) : NULL;
    if (transport == NULL)
        engine->counters.drop_stun_unknown_ufrag++;
    else
        sfu_transport_on_stun(transport, now_us, from, packet);
}

void sfu_engine_input(struct sfu_engine *engine, uint64_t now_us, const struct sfu_address *from,
                      struct sfu_packet *packet) {
    packet->received_us = now_us;
    sfu_engine_input_stamped(engine, now_us, from, packet);
}

void sfu_engine_input_stamped(struct sfu_engine *engine, uint64_t now_us,
                              const struct sfu_address *from, struct sfu_packet *packet) {
    enum rtp_datagram_kind kind = rtp_datagram_kind(packet->data, packet->len);
    engine->counters.datagrams_received++;
    engine->counters.bytes_received += packet->len;
    if (kind == RTP_DATAGRAM_STUN) {
        on_stun(engine, now_us, from, packet);
        return;
    }
    if (kind == RTP_DATAGRAM_UNKNOWN) {
        engine->counters.drop_unknown_kind++;
        return;
    }
    struct sfu_transport *transport = sfu_table_get(&engine->by_address, from);
    if (transport == NULL) {
        engine->counters.drop_dtls_unvalidated += kind == RTP_DATAGRAM_DTLS;
        engine->counters.drop_unknown_address += kind != RTP_DATAGRAM_DTLS;
        return;
    }
    if (kind == RTP_DATAGRAM_RTP)
        sfu_transport_on_rtp(transport, now_us, packet);
    else if (kind == RTP_DATAGRAM_RTCP)
        sfu_transport_on_rtcp(transport, now_us, packet);
    else
        engine->counters.drop_dtls_waiting +=
            !sfu_handshakes_push(&engine->handshakes, from, packet);
}

/* Whoever has left meanwhile is not found any more. */
static void go_on_with_handshakes(struct sfu_engine *engine, uint64_t now_us) {
    struct sfu_handshake next;
    for (int i = 0; i < SFU_HANDSHAKES_PER_WAKEUP && sfu_handshakes_pop(&engine->handshakes, &next);
         i++) {
        struct sfu_transport *transport = sfu_table_get(&engine->by_address, &next.from);
        if (transport != NULL)
            sfu_transport_on_dtls(transport, now_us, &next.from, next.packet);
        sfu_packet_unref(next.packet);
    }
}

void sfu_engine_on_pipe(struct sfu_engine *engine, uint64_t now_us,
                        const struct sfu_pipe_entry *entry) {
    struct sfu_track *track = sfu_table_get(&engine->tracks, &entry->track);
    uint8_t layer = entry->type == SFU_PIPE_PACKET ? entry->packet->layer : entry->layer;
    if (track == NULL || layer >= track->layer_count)
        return; /* It ended while this was on its way. */
    if (entry->type == SFU_PIPE_PACKET)
        sfu_track_on_mirrored(track, now_us, entry);
    else if (entry->type == SFU_PIPE_CLOCK)
        sfu_track_set_clock(track, layer, entry->clock_us, entry->clock_timestamp);
    else if (entry->type == SFU_PIPE_FED)
        sfu_track_on_fed(track, now_us);
    else if (entry->type == SFU_PIPE_WATCHED)
        sfu_track_on_watched(track, entry->worker, entry->layers);
    else
        sfu_track_want_keyframe(track, now_us, layer);
}

static void tell_levels(struct sfu_engine *engine) {
    if (engine->config.on_levels != NULL)
        engine->config.on_levels(engine->config.ctx, engine->levels.entries, engine->levels.count);
    sfu_levels_clear(&engine->levels);
}

static void note_oldest(struct sfu_engine *engine, const struct sfu_track *track) {
    uint64_t came_us = track->burst_count > 0 ? track->burst[0]->received_us : 0;
    if (came_us != 0 && (engine->since_us == 0 || came_us < engine->since_us))
        engine->since_us = came_us;
}

/* The tracks that are forwarded together, without those of which nobody here has anything to get.
 */
static size_t take_dirty(struct sfu_engine *engine, uint64_t now_us,
                         struct sfu_track *out[static SFU_TOGETHER_MAX]) {
    size_t count = 0;
    while (engine->dirty != NULL && count < SFU_TOGETHER_MAX) {
        struct sfu_track *track = engine->dirty;
        engine->dirty = track->next_dirty;
        track->dirty = false;
        if (track->slot_count == 0 || track->burst_count == 0) {
            sfu_track_flush(track, now_us);
            continue;
        }
        note_oldest(engine, track);
        out[count++] = track;
    }
    return count;
}

static void flush_tracks(struct sfu_engine *engine, uint64_t now_us) {
    struct sfu_track *together[SFU_TOGETHER_MAX];
    while (engine->dirty != NULL) {
        if (engine->batch.count == 0) /* Else what it holds of others goes out with these. */
            engine->since_us = 0;
        size_t count = take_dirty(engine, now_us, together);
        sfu_tracks_flush(together, count, now_us);
    }
    sfu_batch_flush(&engine->batch);
    engine->since_us = 0;
}

void sfu_engine_feed_mirrors(struct sfu_engine *engine) {
    for (struct sfu_track *track = engine->dirty; track != NULL; track = track->next_dirty)
        sfu_track_feed_burst(track);
}

void sfu_engine_flush(struct sfu_engine *engine, uint64_t now_us) {
    if (engine->dirty != NULL)
        flush_tracks(engine, now_us);
    go_on_with_handshakes(engine, now_us);
    sfu_batch_flush(&engine->batch);
    if (engine->levels.at_us <= now_us)
        tell_levels(engine);
}

uint64_t sfu_engine_next_deadline(const struct sfu_engine *engine) {
    uint64_t next_us = engine->handshakes.count > 0 ? 0 : sfu_agenda_next(&engine->agenda);
    return engine->levels.at_us < next_us ? engine->levels.at_us : next_us;
}

static struct sfu_transport *owner_of(struct sfu_deadline *deadline) {
    return (struct sfu_transport *)((char *)deadline - offsetof(struct sfu_transport, deadline));
}

void sfu_engine_on_deadline(struct sfu_engine *engine, uint64_t now_us) {
    /* Each at most once a turn, so that a deadline set for now cannot keep the loop busy. */
    size_t turns = engine->agenda.count;
    for (struct sfu_deadline *due;
         turns-- > 0 && (due = sfu_agenda_take_due(&engine->agenda, now_us)) != NULL;)
        sfu_transport_on_deadline(owner_of(due), now_us);
}

/* --- Commands --- */

static struct sfu_transport *find(const struct sfu_engine *engine, uint64_t participant) {
    return sfu_table_get(&engine->transports, &participant);
}

static struct sfu_slot *slot_of(const struct sfu_mline *mline) {
    return mline->media.direction == SFU_SLOT ? mline->slot : NULL;
}

static struct sfu_slot *find_slot(const struct sfu_engine *engine, uint64_t participant,
                                  const char *mid) {
    struct sfu_transport *transport = find(engine, participant);
    const struct sfu_mline *mline = transport ? sfu_transport_mline(transport, mid) : NULL;
    return mline != NULL ? slot_of(mline) : NULL;
}

int sfu_engine_join(struct sfu_engine *engine, uint64_t now_us, uint64_t participant,
                    const struct sfu_ice_credentials *credentials) {
    struct sfu_transport *transport = NULL;
    if (find(engine, participant) != NULL ||
        sfu_table_get(&engine->by_ufrag, credentials->ufrag) != NULL)
        return -EEXIST;
    int result = sfu_agenda_reserve(&engine->agenda, engine->transports.count + 1);
    if (result == 0)
        result = sfu_transport_create(&transport, engine, now_us, participant, credentials);
    if (result < 0)
        return result;
    result = sfu_table_put(&engine->transports, &participant, transport);
    if (result == 0)
        result = sfu_table_put(&engine->by_ufrag, credentials->ufrag, transport);
    if (result < 0) {
        sfu_table_remove(&engine->transports, &participant);
        sfu_transport_destroy(transport);
    }
    return result;
}

int sfu_engine_restart_ice(struct sfu_engine *engine, uint64_t participant,
                           const struct sfu_ice_credentials *credentials) {
    struct sfu_transport *transport = find(engine, participant);
    if (transport == NULL)
        return -ENOENT;
    if (sfu_table_get(&engine->by_ufrag, credentials->ufrag) != NULL)
        return -EEXIST;
    int result = sfu_table_put(&engine->by_ufrag, credentials->ufrag, transport);
    if (result < 0)
        return result;
    if (transport->ice.next.ufrag[0] != '\0') /* A restart that nobody followed. */
        sfu_table_remove(&engine->by_ufrag, transport->ice.next.ufrag);
    transport->ice.next = *credentials;
    return 0;
}

int sfu_engine_negotiate(struct sfu_engine *engine, uint64_t now_us, uint64_t participant,
                         const struct sfu_description *description) {
    struct sfu_transport *transport = find(engine, participant);
    return transport ? sfu_transport_negotiate(transport, now_us, description) : -ENOENT;
}

int sfu_engine_subscribe(struct sfu_engine *engine, uint64_t now_us, uint64_t participant,
                         const struct sfu_wish *wish) {
    struct sfu_slot *slot = find_slot(engine, participant, wish->mid);
    if (slot == NULL)
        return -ENOENT;
    sfu_slot_set_wish(slot, now_us, wish);
    sfu_downlink_wake(slot->transport, now_us);
    return 0;
}

size_t sfu_engine_slot_count(const struct sfu_engine *engine, uint64_t participant) {
    const struct sfu_transport *transport = find(engine, participant);
    size_t count = 0;
    for (size_t i = 0; transport != NULL && i < transport->mline_count; i++)
        count += slot_of(&transport->mlines[i]) != NULL;
    return count;
}

int sfu_engine_why(struct sfu_engine *engine, uint64_t now_us, uint64_t participant,
                   struct sfu_why_answer *out, struct sfu_why_slot *slots, size_t capacity) {
    struct sfu_transport *transport = find(engine, participant);
    if (transport == NULL)
        return -ENOENT;
    *out = (struct sfu_why_answer){.participant = participant, .slots = slots};
    sfu_downlink_why(transport, now_us, out);
    for (size_t i = 0; i < transport->mline_count && out->slot_count < capacity; i++)
        if (slot_of(&transport->mlines[i]) != NULL)
            sfu_downlink_why_slot(transport, now_us, i, &slots[out->slot_count++]);
    return 0;
}

void sfu_engine_leave(struct sfu_engine *engine, uint64_t now_us, uint64_t participant) {
    (void)now_us;
    struct sfu_transport *transport = sfu_table_remove(&engine->transports, &participant);
    if (transport == NULL)
        return;
    sfu_table_remove(&engine->by_ufrag, transport->ice.local.ufrag);
    if (transport->ice.next.ufrag[0] != '\0')
        sfu_table_remove(&engine->by_ufrag, transport->ice.next.ufrag);
    sfu_transport_destroy(transport);
}

int sfu_engine_set_slot(struct sfu_engine *engine, uint64_t now_us, uint64_t participant,
                        const char *mid, uint64_t track_id) {
    struct sfu_slot *slot = find_slot(engine, participant, mid);
    struct sfu_track *track = track_id ? sfu_table_get(&engine->tracks, &track_id) : NULL;
    if (slot == NULL || (track_id != 0 && track == NULL))
        return -ENOENT;
    int result = sfu_slot_set_track(slot, now_us, track);
    sfu_downlink_wake(slot->transport, now_us);
    return result;
}

void sfu_engine_favour(struct sfu_engine *engine, uint64_t now_us, uint64_t track_id, bool on) {
    struct sfu_track *track = sfu_table_get(&engine->tracks, &track_id);
    if (track == NULL || track->favoured == on)
        return;
    track->favoured = on;
    for (size_t i = 0; i < track->slot_count; i++)
        if (sfu_downlink_is_short(track->slots[i]->transport))
            sfu_downlink_wake(track->slots[i]->transport, now_us);
}

int sfu_engine_mirror_open(struct sfu_engine *engine, unsigned owner,
                           const struct sfu_media *media) {
    struct sfu_track *track;
    if (sfu_table_get(&engine->tracks, &media->track) != NULL)
        return -EEXIST;
    int result = sfu_track_create(&track, engine, NULL, owner, media);
    if (result < 0)
        return result;
    result = sfu_table_put(&engine->tracks, &track->id, track);
    if (result < 0)
        sfu_track_destroy(track);
    return result;
}

void sfu_engine_mirror_close(struct sfu_engine *engine, uint64_t track_id) {
    struct sfu_track *track = sfu_table_get(&engine->tracks, &track_id);
    if (track == NULL || track->publisher != NULL)
        return;
    sfu_table_remove(&engine->tracks, &track_id);
    sfu_track_destroy(track);
}

void sfu_engine_mirror_feed(struct sfu_engine *engine, uint64_t track_id, unsigned worker,
                            bool on) {
    struct sfu_track *track = sfu_table_get(&engine->tracks, &track_id);
    if (track == NULL)
        return;
    uint64_t bit = UINT64_C(1) << worker;
    track->mirrors = on ? track->mirrors | bit : track->mirrors & ~bit;
    if (on)
        sfu_track_feed_mirror(track, worker);
}
