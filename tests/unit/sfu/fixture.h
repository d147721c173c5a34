/* An engine (or two, joined by pipes) with peers whose SRTP keys are set by hand, so that packets
 * go in as plaintext and what comes out is decrypted and kept; or peers that are whole bench
 * clients. Nothing moves but by calls; time is rig.now_us. Each test has a process, and so a rig,
 * of its own. */
#ifndef TESTS_UNIT_SFU_FIXTURE_H
#define TESTS_UNIT_SFU_FIXTURE_H

#include <stdio.h>
#include <string.h>

#include "bench/client.h"
#include "sfu/engine.h"
#include "sfu/slot.h"
#include "sfu/track.h"
#include "sfu/transport.h"
#include "tests/unit/test.h"

#define MS UINT64_C(1000)
#define S UINT64_C(1000000)

enum {
    RIG_PEERS_MAX = 8,
    RIG_MEDIA_MAX = 64,
    RIG_SSRCS_MAX = 128,
    RIG_SENT_MAX = 8192,
    RIG_PIPED_MAX = 512,
    RIG_DATAGRAM_MAX = 1600,
    RIG_PAYLOAD_LEN = 40,
    RIG_VP8_PT = 96,
    RIG_RTX_PT = 97,
    RIG_OPUS_PT = 111,
};

/* Extension ids as Chromium numbers them. */
enum { ID_LEVEL = 1, ID_TIME = 2, ID_TRANSPORT_SEQ = 3, ID_MID = 4, ID_RID = 10, ID_RRID = 11 };

struct rig_peer {
    uint64_t number;
    unsigned worker;
    struct sfu_address address;
    struct sfu_ice_credentials credentials;
    struct sfu_transport *transport;
    struct sfu_srtp_in *in; /* What the engine sends. */
    struct sfu_srtp_out *out;
    struct bench_client *client; /* Instead of the keys. */
    bool muted;                  /* The client's datagrams are lost. */
    struct {
        size_t len;
        uint8_t data[RIG_DATAGRAM_MAX];
    } said[5]; /* The client's newest datagram of each kind. */
    uint32_t ssrcs[RIG_SSRCS_MAX];
    struct sfu_srtp_stream streams[RIG_SSRCS_MAX];
    struct sfu_media media[RIG_MEDIA_MAX];
    size_t media_count;
    unsigned events[SFU_EVENT_TYPES]; /* By enum sfu_event_type. */
    uint64_t event_track;
};

/* A datagram that an engine sent. */
struct rig_sent {
    struct rig_peer *to;
    uint64_t at_us;
    enum rtp_datagram_kind kind;
    uint16_t segments; /* Of the message that it came in. */
    size_t wire_len;
    size_t len; /* Decrypted; 0: it could not be. */
    uint8_t wire[RIG_DATAGRAM_MAX];
    uint8_t data[RIG_DATAGRAM_MAX];
    struct rtp_packet rtp;
};

struct rig_piped {
    unsigned worker;
    struct sfu_pipe_entry entry;
};

static struct {
    uint64_t now_us;
    struct sfu_dtls_context *dtls;
    struct bench_dtls_context *client_dtls;
    struct sfu_pool *pool;
    struct sfu_engine *engines[2];
    unsigned indexes[2];
    struct rig_peer peers[RIG_PEERS_MAX];
    size_t peer_count;
    size_t sent_count;
    size_t pumped; /* Sent datagrams that clients have been given. */
    struct rig_sent sent[RIG_SENT_MAX];
    struct rig_piped piped[RIG_PIPED_MAX];
    size_t piped_count;
    bool pipe_full;
} rig;

/* --- What engines do --- */

static inline struct rig_peer *rig_peer_at(const struct sfu_address *address) {
    for (size_t i = 0; i < rig.peer_count; i++)
        if (sfu_address_equal(&rig.peers[i].address, address))
            return &rig.peers[i];
    return NULL;
}

static inline void rig_decrypt(struct rig_sent *sent) {
    struct sfu_srtp_in *in = sent->to ? sent->to->in : NULL;
    int result = -1;
    memcpy(sent->data, sent->wire, sent->wire_len);
    sent->len = sent->wire_len;
    if (in != NULL && sent->kind == RTP_DATAGRAM_RTP)
        result = sfu_srtp_unprotect_rtp(in, sent->data, &sent->len);
    if (in != NULL && sent->kind == RTP_DATAGRAM_RTCP)
        result = sfu_srtp_unprotect_rtcp(in, sent->data, &sent->len);
    if (result < 0)
        sent->len = 0;
    else if (sent->kind == RTP_DATAGRAM_RTP)
        CHECK_INT(rtp_parse(&sent->rtp, sent->data, sent->len), 0);
}

static inline void rig_on_send(void *ctx, const struct sfu_message *messages, size_t count) {
    (void)ctx;
    for (size_t i = 0; i < count; i++)
        for (size_t at = 0; at < messages[i].len; at += messages[i].segment_len) {
            size_t rest = messages[i].len - at;
            CHECK(rig.sent_count < RIG_SENT_MAX);
            struct rig_sent *sent = &rig.sent[rig.sent_count++];
            sent->to = rig_peer_at(&messages[i].to);
            sent->at_us = rig.now_us;
            sent->segments = messages[i].segments;
            sent->wire_len = rest < messages[i].segment_len ? rest : messages[i].segment_len;
            memcpy(sent->wire, messages[i].data + at, sent->wire_len);
            sent->kind = rtp_datagram_kind(sent->wire, sent->wire_len);
            rig_decrypt(sent);
        }
}

static inline void rig_on_event(void *ctx, const struct sfu_event *event) {
    (void)ctx;
    struct rig_peer *peer = &rig.peers[event->participant - 1];
    peer->events[event->type]++;
    peer->event_track = event->track;
}

static inline bool rig_on_pipe(void *ctx, unsigned worker, const struct sfu_pipe_entry *entry) {
    (void)ctx;
    if (rig.pipe_full)
        return false;
    CHECK(rig.piped_count < RIG_PIPED_MAX);
    rig.piped[rig.piped_count++] = (struct rig_piped){worker, *entry};
    return true;
}

static inline void rig_open(void) {
    rig.now_us = S;
    CHECK_INT(sfu_dtls_context_create(&rig.dtls), 0);
    CHECK_INT(bench_dtls_context_create(&rig.client_dtls, "SRTP_AEAD_AES_128_GCM"), 0);
    CHECK_INT(sfu_pool_create(&rig.pool, 1 << 16), 0);
    for (unsigned i = 0; i < 2; i++) {
        rig.indexes[i] = i;
        struct sfu_engine_config config = {.dtls = rig.dtls,
                                           .worker = i,
                                           .seed = 1 + i,
                                           .consent_timeout_ms = 30000,
                                           .send = rig_on_send,
                                           .on_event = rig_on_event,
                                           .pipe = rig_on_pipe,
                                           .ctx = &rig.indexes[i]};
        CHECK_INT(sfu_engine_create(&rig.engines[i], &config), 0);
    }
}

/* Nothing may be left of anybody. */
static inline void rig_close(void) {
    for (size_t i = 0; i < rig.piped_count; i++)
        if (rig.piped[i].entry.type == SFU_PIPE_PACKET)
            sfu_packet_unref(rig.piped[i].entry.packet);
    for (size_t i = 0; i < 2; i++)
        sfu_engine_destroy(rig.engines[i]);
    for (size_t i = 0; i < rig.peer_count; i++) {
        sfu_srtp_in_destroy(rig.peers[i].in);
        sfu_srtp_out_destroy(rig.peers[i].out);
        bench_client_destroy(rig.peers[i].client);
    }
    CHECK_INT(sfu_pool_in_use(rig.pool), 0);
    sfu_pool_destroy(rig.pool);
    bench_dtls_context_destroy(rig.client_dtls);
    sfu_dtls_context_destroy(rig.dtls);
}

/* --- Peers --- */

static inline struct sfu_engine *rig_engine(const struct rig_peer *peer) {
    return rig.engines[peer->worker];
}

static inline struct rig_peer *rig_join_at(unsigned worker) {
    struct rig_peer *peer = &rig.peers[rig.peer_count];
    peer->number = ++rig.peer_count;
    peer->worker = worker;
    peer->address = (struct sfu_address){
        .ip = {10, 0, 0, (uint8_t)peer->number}, .port = 5000, .family = AF_INET};
    sfu_ice_credentials_generate(&peer->credentials);
    CHECK_INT(sfu_engine_join(rig.engines[worker], rig.now_us, peer->number, &peer->credentials),
              0);
    peer->transport = sfu_table_get(&rig.engines[worker]->transports, &peer->number);
    return peer;
}

static inline struct rig_peer *rig_join(void) {
    return rig_join_at(0);
}

/* One more m-line: mid is its place, SSRCs are number * 1000 + place * 10, RTX one more. */
static inline struct sfu_media *rig_add(struct rig_peer *peer, bool video,
                                        enum sfu_direction direction) {
    size_t place = peer->media_count++;
    struct sfu_media *media = &peer->media[place];
    uint32_t ssrc = (uint32_t)(peer->number * 1000 + place * 10);
    *media =
        (struct sfu_media){.video = video, .direction = direction, .nack = video, .codec_count = 1};
    snprintf(media->mid, sizeof(media->mid), "%zu", place);
    media->codecs[0] = video ? (struct sfu_codec){RTP_CODEC_VP8, RIG_VP8_PT, RIG_RTX_PT, 0}
                             : (struct sfu_codec){RTP_CODEC_OPUS, RIG_OPUS_PT, 0, 0};
    media->extensions.ids[RTP_EXT_AUDIO_LEVEL] = ID_LEVEL;
    media->extensions.ids[RTP_EXT_ABS_SEND_TIME] = ID_TIME;
    media->extensions.ids[RTP_EXT_TRANSPORT_SEQ] = ID_TRANSPORT_SEQ;
    media->extensions.ids[RTP_EXT_MID] = ID_MID;
    media->extensions.ids[RTP_EXT_RID] = ID_RID;
    media->extensions.ids[RTP_EXT_REPAIRED_RID] = ID_RRID;
    if (direction == SFU_SLOT) {
        media->slot_ssrc = ssrc;
        media->slot_rtx_ssrc = video ? ssrc + 1 : 0;
        return media;
    }
    media->track = peer->number * 100 + place;
    media->layer_count = 1;
    media->ssrcs[0] = ssrc;
    media->rtx_ssrcs[0] = video ? ssrc + 1 : 0;
    return media;
}

/* A camera with layers q, h and f; SSRCs two apart. */
static inline struct sfu_media *rig_add_simulcast(struct rig_peer *peer) {
    struct sfu_media *media = rig_add(peer, true, SFU_PUBLISHES);
    media->layer_count = 3;
    for (uint32_t i = 0; i < 3; i++) {
        media->rids[i][0] = "qhf"[i];
        media->ssrcs[i] = media->ssrcs[0] + 2 * i;
        media->rtx_ssrcs[i] = media->ssrcs[i] + 1;
    }
    return media;
}

static inline int rig_negotiate(struct rig_peer *peer) {
    struct sfu_description description = {.media = peer->media, .media_count = peer->media_count};
    snprintf(description.remote_ufrag, sizeof(description.remote_ufrag), "%s",
             peer->client ? bench_client_ufrag(peer->client) : "peer");
    memcpy(description.remote_fingerprint, bench_dtls_context_fingerprint(rig.client_dtls),
           SFU_FINGERPRINT_LEN);
    return sfu_engine_negotiate(rig_engine(peer), rig.now_us, peer->number, &description);
}

/* Negotiates, and takes ICE and DTLS as done. */
static inline void rig_connect_with(struct rig_peer *peer, enum sfu_srtp_profile profile) {
    struct sfu_transport *transport = peer->transport;
    struct sfu_srtp_key up = {.key = {1, (uint8_t)peer->number}, .salt = {2}};
    struct sfu_srtp_key down = {.key = {3, (uint8_t)peer->number}, .salt = {4}};
    CHECK_INT(rig_negotiate(peer), 0);
    CHECK_INT(sfu_srtp_in_create(&transport->srtp_in, profile, &up), 0);
    CHECK_INT(sfu_srtp_out_create(&transport->srtp_out, profile, &down), 0);
    CHECK_INT(sfu_srtp_in_create(&peer->in, profile, &down), 0);
    CHECK_INT(sfu_srtp_out_create(&peer->out, profile, &up), 0);
    transport->ice.selected = transport->ice.validated[0] = peer->address;
    CHECK_INT(sfu_table_put(&rig_engine(peer)->by_address, &peer->address, transport), 0);
    sfu_transport_wake_at(transport, transport->report_at_us);
}

static inline void rig_connect(struct rig_peer *peer) {
    rig_connect_with(peer, SFU_SRTP_AEAD_AES_128_GCM);
}

static inline void rig_carry(struct rig_peer *peer, const struct sfu_media *slot, uint64_t track) {
    CHECK_INT(sfu_engine_set_slot(rig_engine(peer), rig.now_us, peer->number, slot->mid, track), 0);
}

static inline struct sfu_slot *rig_slot(struct rig_peer *peer, const struct sfu_media *media) {
    return sfu_transport_mline(peer->transport, media->mid)->slot;
}

static inline struct sfu_track *rig_track(struct rig_peer *peer, const struct sfu_media *media) {
    return sfu_transport_mline(peer->transport, media->mid)->track;
}

/* --- What comes in --- */

static inline void rig_flush(void) {
    for (size_t i = 0; i < 2; i++)
        sfu_engine_flush(rig.engines[i], rig.now_us);
}

static inline void rig_input(struct rig_peer *peer, const struct sfu_address *from,
                             const uint8_t *data, size_t len) {
    struct sfu_packet *packet = sfu_pool_get(rig.pool);
    CHECK(packet != NULL && len <= SFU_PACKET_CAPACITY);
    memcpy(packet->data, data, len);
    packet->len = (uint32_t)len;
    sfu_engine_input(rig_engine(peer), rig.now_us, from, packet);
    sfu_packet_unref(packet);
}

/* What pipes hold goes over; more may follow. */
static inline void rig_run_pipes(void) {
    for (size_t i = 0; i < rig.piped_count; i++) {
        struct rig_piped *piped = &rig.piped[i];
        sfu_engine_on_pipe(rig.engines[piped->worker], rig.now_us, &piped->entry);
        if (piped->entry.type == SFU_PIPE_PACKET)
            sfu_packet_unref(piped->entry.packet);
    }
    rig.piped_count = 0;
    rig_flush();
}

/* --- Clients --- */

static inline void rig_from_client(void *ctx, const uint8_t *data, size_t len) {
    struct rig_peer *peer = ctx;
    enum rtp_datagram_kind kind = rtp_datagram_kind(data, len);
    if (peer->muted)
        return;
    memcpy(peer->said[kind].data, data, len);
    peer->said[kind].len = len;
    rig_input(peer, &peer->address, data, len);
    rig_flush();
}

/* Gives a client the oldest datagram that it has not been given; false: there is none. */
static inline bool rig_pump_one(void) {
    if (rig.pumped == rig.sent_count)
        return false;
    const struct rig_sent *sent = &rig.sent[rig.pumped++];
    if (sent->to != NULL && sent->to->client != NULL && !sent->to->muted)
        bench_client_input(sent->to->client, rig.now_us, sent->wire, sent->wire_len);
    return true;
}

static inline void rig_pump(void) {
    while (rig_pump_one()) {
    }
}

/* Lets the peer be a bench client that believes in these credentials, and begins ICE. */
static inline void rig_begin_client_with(struct rig_peer *peer,
                                         const struct sfu_ice_credentials *credentials) {
    struct bench_client_config config = {.number = peer->number,
                                         .seed = peer->number,
                                         .dtls = rig.client_dtls,
                                         .send = rig_from_client,
                                         .ctx = peer,
                                         .video_bps = 500000,
                                         .audio_bps = 32000};
    struct sfu_local local = {0};
    memcpy(local.ufrag, credentials->ufrag, sizeof(local.ufrag));
    memcpy(local.pwd, credentials->pwd, sizeof(local.pwd));
    CHECK_INT(bench_client_create(&peer->client, &config), 0);
    CHECK_INT(rig_negotiate(peer), 0);
    CHECK_INT(bench_client_begin(peer->client, rig.now_us, &local, peer->media, peer->media_count),
              0);
}

static inline void rig_begin_client(struct rig_peer *peer) {
    rig_begin_client_with(peer, &peer->credentials);
}

/* --- Time --- */

static inline uint64_t rig_next(void) {
    uint64_t next_us = UINT64_MAX;
    for (size_t i = 0; i < 2; i++) {
        uint64_t at_us = sfu_engine_next_deadline(rig.engines[i]);
        next_us = at_us < next_us ? at_us : next_us;
    }
    for (size_t i = 0; i < rig.peer_count; i++) {
        uint64_t at_us =
            rig.peers[i].client ? bench_client_next_deadline(rig.peers[i].client) : UINT64_MAX;
        next_us = at_us < next_us ? at_us : next_us;
    }
    return next_us;
}

/* Everyone does what is due until then. */
static inline void rig_run_until(uint64_t until_us) {
    for (uint64_t next_us; (next_us = rig_next()) <= until_us;) {
        rig.now_us = next_us > rig.now_us ? next_us : rig.now_us;
        for (size_t i = 0; i < 2; i++)
            sfu_engine_on_deadline(rig.engines[i], rig.now_us);
        rig_flush();
        for (size_t i = 0; i < rig.peer_count; i++)
            if (rig.peers[i].client != NULL &&
                bench_client_next_deadline(rig.peers[i].client) <= rig.now_us)
                bench_client_on_deadline(rig.peers[i].client, rig.now_us);
        rig_pump();
    }
    rig.now_us = until_us;
}

static inline void rig_run(uint64_t duration_us) {
    rig_run_until(rig.now_us + duration_us);
}

#endif
