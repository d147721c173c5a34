#include "sfu/transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sfu/engine.h"

/* The last flight of the handshake and what follows may overtake one another, and to a peer without
 * keys a keyframe is lost. */
enum { SLOTS_AFTER_US = 5 * 1000 };

static void say(struct sfu_transport *transport, enum sfu_event_type type, const char *reason) {
    struct sfu_event event = {
        .type = type, .participant = transport->participant, .reason = reason};
    transport->engine->config.on_event(transport->engine->config.ctx, &event);
}

int sfu_transport_create(struct sfu_transport **out, struct sfu_engine *engine, uint64_t now_us,
                         uint64_t participant, const struct sfu_ice_credentials *credentials) {
    struct sfu_transport *transport;
    if (posix_memalign((void **)&transport, SFU_CACHE_LINE, sizeof(*transport)) != 0)
        return -ENOMEM;
    *transport = (struct sfu_transport){0};
    transport->engine = engine;
    transport->participant = participant;
    transport->ice.local = *credentials;
    transport->ice.consent_us = now_us; /* The peer has as long to begin as to go on. */
    transport->ssrc = (uint32_t)sfu_engine_random(engine) | 1;
    transport->rtt_us = SFU_DEFAULT_RTT_US;
    transport->report_at_us = now_us + SFU_REPORT_INTERVAL_US;
    transport->twcc_at_us = transport->slots_at_us = UINT64_MAX;
    sfu_transport_wake_at(transport, now_us + engine->config.consent_timeout_ms * UINT64_C(1000));
    *out = transport;
    return 0;
}

static void end_slot(struct sfu_mline *mline) {
    sfu_slot_destroy(mline->slot);
    mline->slot = NULL;
}

static void end_track(struct sfu_transport *transport, struct sfu_mline *mline) {
    if (mline->track == NULL)
        return;
    sfu_table_remove(&transport->engine->tracks, &mline->track->id);
    sfu_demux_forget(transport, mline->track);
    sfu_track_destroy(mline->track);
    mline->track = NULL;
}

static void forget_address(struct sfu_transport *transport, const struct sfu_address *address) {
    struct sfu_table *table = &transport->engine->by_address;
    /* It may be another transport's by now. */
    if (address->family != 0 && sfu_table_get(table, address) == transport)
        sfu_table_remove(table, address);
}

void sfu_transport_destroy(struct sfu_transport *transport) {
    if (transport == NULL)
        return;
    if (transport->dtls != NULL)
        sfu_dtls_close(transport->dtls);
    for (size_t i = 0; i < transport->mline_count; i++) {
        end_slot(&transport->mlines[i]);
        end_track(transport, &transport->mlines[i]);
    }
    for (size_t i = 0; i < SFU_ICE_ADDRESSES_MAX; i++)
        forget_address(transport, &transport->ice.validated[i]);
    sfu_downlink_close(transport);
    sfu_agenda_set(&transport->engine->agenda, &transport->deadline, UINT64_MAX);
    sfu_dtls_destroy(transport->dtls);
    sfu_srtp_in_destroy(transport->srtp_in);
    sfu_srtp_out_destroy(transport->srtp_out);
    sfu_uplink_close(transport);
    free(transport->twcc);
    free(transport->mlines);
    free(transport);
}

void sfu_transport_wake_at(struct sfu_transport *transport, uint64_t at_us) {
    sfu_agenda_hurry(&transport->engine->agenda, &transport->deadline, at_us);
}

struct sfu_mline *sfu_transport_mline(struct sfu_transport *transport, const char *mid) {
    for (size_t i = 0; i < transport->mline_count; i++)
        if (strcmp(transport->mlines[i].media.mid, mid) == 0)
            return &transport->mlines[i];
    return NULL;
}

/* --- Negotiation --- */

static int begin_track(struct sfu_transport *transport, struct sfu_mline *mline) {
    struct sfu_engine *engine = transport->engine;
    int result =
        sfu_track_create(&mline->track, engine, transport, engine->config.worker, &mline->media);
    if (result == 0)
        result = sfu_table_put(&engine->tracks, &mline->track->id, mline->track);
    if (result == 0)
        sfu_demux_bind_described(transport, mline->track);
    return result;
}

static int apply_track(struct sfu_transport *transport, struct sfu_mline *mline,
                       const struct sfu_media *before) {
    const struct sfu_media *media = &mline->media;
    bool publishes = media->direction == SFU_PUBLISHES;
    if (!publishes || before->direction != SFU_PUBLISHES || before->track != media->track ||
        before->layer_count != media->layer_count)
        end_track(transport, mline);
    if (mline->track == NULL)
        return publishes ? begin_track(transport, mline) : 0;
    mline->track->media = *media;
    /* Only what is named anew: of the rest MID may have taught better. */
    if (memcmp(before->ssrcs, media->ssrcs, sizeof(media->ssrcs)) != 0 ||
        memcmp(before->rtx_ssrcs, media->rtx_ssrcs, sizeof(media->rtx_ssrcs)) != 0)
        sfu_demux_bind_described(transport, mline->track);
    return 0;
}

/* While its m-line is inactive or publishes, a slot waits: it comes back with the same SSRC, and no
 * sequence number may come twice under the same keys. */
static int apply_slot(struct sfu_transport *transport, struct sfu_mline *mline) {
    const struct sfu_media *media = &mline->media;
    if (mline->slot != NULL && mline->slot->media.slot_ssrc != media->slot_ssrc)
        end_slot(mline);
    if (media->direction != SFU_SLOT) {
        if (mline->slot != NULL && mline->slot->track != NULL)
            sfu_track_detach(mline->slot->track, mline->slot);
        return 0;
    }
    if (mline->slot == NULL)
        return sfu_slot_create(&mline->slot, transport, media);
    sfu_slot_update(mline->slot, media);
    return 0;
}

static int mline_apply(struct sfu_transport *transport, struct sfu_mline *mline,
                       const struct sfu_media *media) {
    struct sfu_media before = mline->media;
    mline->media = *media;
    int result = apply_track(transport, mline, &before);
    return result == 0 ? apply_slot(transport, mline) : result;
}

static int mlines_grow(struct sfu_transport *transport, size_t count) {
    if (count <= transport->mline_count)
        return 0;
    struct sfu_mline *mlines = realloc(transport->mlines, count * sizeof(*mlines));
    if (mlines == NULL)
        return -ENOMEM;
    memset(mlines + transport->mline_count, 0, (count - transport->mline_count) * sizeof(*mlines));
    transport->mlines = mlines;
    transport->mline_count = count;
    return 0;
}

static void dtls_send(void *ctx, const uint8_t *data, size_t len) {
    struct sfu_transport *transport = ctx;
    struct sfu_batch *batch = &transport->engine->batch;
    if (transport->ice.selected.family == 0 || len > SFU_BATCH_DATAGRAM_MAX)
        return;
    memcpy(sfu_batch_reserve(batch), data, len);
    sfu_batch_commit(batch, &transport->ice.selected, len);
}

int sfu_transport_negotiate(struct sfu_transport *transport, uint64_t now_us,
                            const struct sfu_description *description) {
    memcpy(transport->ice.remote_ufrag, description->remote_ufrag,
           sizeof(transport->ice.remote_ufrag));
    int result = 0;
    if (transport->dtls == NULL)
        result = sfu_dtls_create(&transport->dtls, transport->engine->config.dtls,
                                 description->remote_fingerprint, dtls_send, transport);
    if (result == 0)
        result = mlines_grow(transport, description->media_count);
    for (size_t i = 0; i < description->media_count && result == 0; i++)
        result = mline_apply(transport, &transport->mlines[i], &description->media[i]);
    return result == 0 ? sfu_downlink_open(transport, now_us) : result;
}

/* --- ICE --- */

static void count_dropped_check(struct sfu_counters *counters, enum sfu_ice_verdict verdict) {
    if (verdict == SFU_ICE_DROP_MALFORMED)
        counters->drop_stun_malformed++;
    else if (verdict == SFU_ICE_DROP_INTEGRITY)
        counters->drop_stun_bad_integrity++;
}

/* The table of addresses follows what ICE holds as validated. */
static void follow_addresses(struct sfu_transport *transport, const struct sfu_address *before,
                             const struct sfu_address *from) {
    for (size_t i = 0; i < SFU_ICE_ADDRESSES_MAX; i++)
        if (!sfu_ice_is_validated(&transport->ice, &before[i]))
            forget_address(transport, &before[i]);
    sfu_table_put(&transport->engine->by_address, from, transport);
    transport->engine->addresses_validated++;
}

static void on_consent(struct sfu_transport *transport, uint64_t now_us) {
    if (!transport->consent_lost)
        return;
    transport->consent_lost = false;
    sfu_transport_wake_at(transport, now_us);
    say(transport, SFU_EVENT_ICE_RECOVERED, NULL);
    for (size_t i = 0; i < transport->mline_count; i++)
        if (transport->mlines[i].slot != NULL)
            sfu_slot_on_keyframe_request(transport->mlines[i].slot, now_us);
}

static void answer_check(struct sfu_transport *transport, const struct sfu_address *to,
                         const uint8_t *reply, size_t len) {
    memcpy(sfu_batch_reserve(&transport->engine->batch), reply, len);
    sfu_batch_commit(&transport->engine->batch, to, len);
}

void sfu_transport_on_stun(struct sfu_transport *transport, uint64_t now_us,
                           const struct sfu_address *from, const struct sfu_packet *packet) {
    struct sfu_engine *engine = transport->engine;
    bool known = sfu_table_get(&engine->by_address, from) == transport;
    struct sfu_address before[SFU_ICE_ADDRESSES_MAX];
    if (!known)
        memcpy(before, transport->ice.validated, sizeof(before));
    struct sfu_address selected = transport->ice.selected;
    char old_ufrag[SFU_UFRAG_LEN + 1];
    memcpy(old_ufrag, transport->ice.local.ufrag, sizeof(old_ufrag));

    uint8_t reply[SFU_STUN_REPLY_MAX];
    size_t reply_len = 0;
    bool restarted = false;
    enum sfu_ice_verdict verdict = sfu_ice_on_check(&transport->ice, now_us, from, packet->data,
                                                    packet->len, reply, &reply_len, &restarted);
    count_dropped_check(&engine->counters, verdict);
    if (reply_len > 0)
        answer_check(transport, from, reply, reply_len);
    if (verdict != SFU_ICE_ANSWERED && verdict != SFU_ICE_SELECTED)
        return;
    if (restarted)
        sfu_table_remove(&engine->by_ufrag, old_ufrag);
    if (!known)
        follow_addresses(transport, before, from);
    if (memcmp(selected.ip, transport->ice.selected.ip, sizeof(selected.ip)) != 0)
        sfu_downlink_restart(transport, now_us);
    on_consent(transport, now_us);
}

/* --- DTLS --- */

static int take_keys(struct sfu_transport *transport) {
    enum sfu_srtp_profile profile;
    struct sfu_srtp_key in, out;
    int result = sfu_dtls_export(transport->dtls, &profile, &in, &out);
    if (result == 0)
        result = sfu_srtp_in_create(&transport->srtp_in, profile, &in);
    if (result == 0)
        result = sfu_srtp_out_create(&transport->srtp_out, profile, &out);
    explicit_bzero(&in, sizeof(in));
    explicit_bzero(&out, sizeof(out));
    return result;
}

static void on_connected(struct sfu_transport *transport, uint64_t now_us) {
    if (take_keys(transport) < 0) {
        transport->reported = true;
        say(transport, SFU_EVENT_FAILED, "no SRTP keys could be taken from DTLS");
        return;
    }
    transport->engine->counters.dtls_handshakes++;
    say(transport, SFU_EVENT_CONNECTED, NULL);
    sfu_transport_wake_at(transport, transport->report_at_us);
    transport->slots_at_us = now_us + SLOTS_AFTER_US;
    sfu_transport_wake_at(transport, transport->slots_at_us);
    sfu_downlink_wake(transport, now_us);
}

static uint64_t begin_slots(struct sfu_transport *transport, uint64_t now_us) {
    if (now_us < transport->slots_at_us)
        return transport->slots_at_us;
    transport->slots_at_us = UINT64_MAX;
    for (size_t i = 0; i < transport->mline_count; i++)
        if (transport->mlines[i].slot != NULL)
            sfu_slot_on_keyframe_request(transport->mlines[i].slot, now_us);
    return UINT64_MAX;
}

static void on_dtls_state(struct sfu_transport *transport, uint64_t now_us) {
    enum sfu_dtls_state state = sfu_dtls_state(transport->dtls);
    if (state == SFU_DTLS_CONNECTED && transport->srtp_out == NULL && !transport->reported)
        on_connected(transport, now_us);
    if (transport->reported || (state != SFU_DTLS_CLOSED && state != SFU_DTLS_FAILED))
        return;
    transport->reported = true;
    transport->engine->counters.dtls_failures += state == SFU_DTLS_FAILED;
    say(transport, state == SFU_DTLS_CLOSED ? SFU_EVENT_CLOSED : SFU_EVENT_FAILED,
        state == SFU_DTLS_CLOSED ? NULL : sfu_dtls_reason(transport->dtls));
}

void sfu_transport_on_dtls(struct sfu_transport *transport, uint64_t now_us,
                           const struct sfu_address *from, const struct sfu_packet *packet) {
    (void)
        from; /* Validated; the flights go to the selected address, which is this one or better. */
    if (transport->dtls == NULL) {
        transport->engine->counters.drop_dtls_unvalidated++;
        return;
    }
    sfu_dtls_input(transport->dtls, now_us, packet->data, packet->len);
    on_dtls_state(transport, now_us);
    uint64_t due_us = sfu_dtls_next_deadline(transport->dtls);
    if (due_us != UINT64_MAX)
        sfu_transport_wake_at(transport, due_us);
}

/* --- Time --- */

static uint64_t sooner(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static uint64_t watch_consent(struct sfu_transport *transport, uint64_t now_us) {
    uint64_t lost_at_us =
        transport->ice.consent_us + transport->engine->config.consent_timeout_ms * UINT64_C(1000);
    if (transport->consent_lost)
        return UINT64_MAX;
    if (now_us < lost_at_us)
        return lost_at_us;
    transport->consent_lost = true;
    say(transport, SFU_EVENT_ICE_TIMEOUT, NULL);
    return UINT64_MAX;
}

static uint64_t serve_media(struct sfu_transport *transport, uint64_t now_us) {
    if (now_us >= transport->report_at_us)
        transport->report_at_us = sfu_reports_send(transport, now_us);
    if (now_us >= transport->twcc_at_us)
        transport->twcc_at_us = sfu_reports_send_twcc(transport, now_us);
    uint64_t next_us = begin_slots(transport, now_us);
    next_us = sooner(next_us, sooner(transport->report_at_us, transport->twcc_at_us));
    next_us = sooner(next_us, sfu_reports_send_nacks(transport, now_us));
    next_us = sooner(next_us, sfu_downlink_on_deadline(transport, now_us));
    next_us = sooner(next_us, sfu_uplink_on_deadline(transport, now_us));
    for (size_t i = 0; i < transport->mline_count; i++) {
        if (transport->mlines[i].track != NULL)
            next_us = sooner(next_us, sfu_track_on_deadline(transport->mlines[i].track, now_us));
        if (transport->mlines[i].slot != NULL)
            next_us = sooner(next_us, sfu_slot_on_deadline(transport->mlines[i].slot, now_us));
    }
    return next_us;
}

void sfu_transport_on_deadline(struct sfu_transport *transport, uint64_t now_us) {
    uint64_t next_us = watch_consent(transport, now_us);
    if (transport->dtls != NULL && sfu_dtls_next_deadline(transport->dtls) <= now_us)
        sfu_dtls_on_deadline(transport->dtls, now_us);
    if (transport->dtls != NULL)
        next_us = sooner(next_us, sfu_dtls_next_deadline(transport->dtls));
    if (sfu_transport_is_open(transport))
        next_us = sooner(next_us, serve_media(transport, now_us));
    if (next_us != UINT64_MAX)
        sfu_transport_wake_at(transport, next_us);
}
