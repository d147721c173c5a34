/* What peers of the fixture send, and what was sent to them. */
#ifndef TESTS_UNIT_SFU_FIXTURE_MEDIA_H
#define TESTS_UNIT_SFU_FIXTURE_MEDIA_H

#include "rtp/bytes.h"
#include "tests/unit/sfu/fixture.h"

/* --- What comes in --- */

struct rig_rtp {
    uint32_t ssrc;
    uint8_t payload_type;
    uint16_t seq;
    uint32_t timestamp;
    bool marker;
    const char *mid, *rid, *repaired_rid; /* NULL: not there. */
    bool has_transport_seq;
    uint16_t transport_seq;
    const struct rtp_extensions *others;
    const struct rtp_ext_map *map; /* NULL: Chromium's. */
    const uint8_t *payload;
    size_t len;
};

static inline void rig_add_text(struct rtp_extensions *extensions, enum rtp_ext ext,
                                const char *text, const char **field, uint8_t *len) {
    if (text == NULL)
        return;
    extensions->present |= 1u << ext;
    *field = text;
    *len = (uint8_t)strlen(text);
}

/* The packet as its sender protects it; its length. */
static inline size_t rig_protect(struct rig_peer *peer, const struct rig_rtp *rtp, uint8_t *out) {
    static const struct rtp_ext_map chromium = {.ids = {[RTP_EXT_AUDIO_LEVEL] = ID_LEVEL,
                                                        [RTP_EXT_ABS_SEND_TIME] = ID_TIME,
                                                        [RTP_EXT_TRANSPORT_SEQ] = ID_TRANSPORT_SEQ,
                                                        [RTP_EXT_MID] = ID_MID,
                                                        [RTP_EXT_RID] = ID_RID,
                                                        [RTP_EXT_REPAIRED_RID] = ID_RRID}};
    struct rtp_header header = {.payload_type = rtp->payload_type,
                                .marker = rtp->marker,
                                .seq = rtp->seq,
                                .timestamp = rtp->timestamp,
                                .ssrc = rtp->ssrc};
    struct rtp_extensions extensions =
        rtp->others != NULL ? *rtp->others : (struct rtp_extensions){0};
    extensions.transport_seq = rtp->transport_seq;
    rig_add_text(&extensions, RTP_EXT_MID, rtp->mid, &extensions.mid, &extensions.mid_len);
    rig_add_text(&extensions, RTP_EXT_RID, rtp->rid, &extensions.rid, &extensions.rid_len);
    rig_add_text(&extensions, RTP_EXT_REPAIRED_RID, rtp->repaired_rid, &extensions.repaired_rid,
                 &extensions.repaired_rid_len);
    if (rtp->has_transport_seq)
        extensions.present |= 1u << RTP_EXT_TRANSPORT_SEQ;
    size_t header_len =
        rtp_header_write(out, &header, &extensions, rtp->map ? rtp->map : &chromium);
    size_t i = 0;
    while (peer->ssrcs[i] != 0 && peer->ssrcs[i] != rtp->ssrc)
        CHECK(++i < RIG_SSRCS_MAX);
    peer->ssrcs[i] = rtp->ssrc;
    return sfu_srtp_protect_rtp(peer->out, &peer->streams[i], out, header_len, NULL, 0,
                                rtp->payload, rtp->len);
}

/* Into the burst, without the wake-up's end. */
static inline void rig_put(struct rig_peer *peer, const struct rig_rtp *rtp) {
    uint8_t packet[RIG_DATAGRAM_MAX];
    rig_input(peer, &peer->address, packet, rig_protect(peer, rtp, packet));
}

static inline void rig_send(struct rig_peer *peer, const struct rig_rtp *rtp) {
    rig_put(peer, rtp);
    rig_flush();
}

/* A VP8 payload with a 15-bit picture id and TL0PICIDX, both of the frame's number; a keyframe is
 * 16:9. Its last bytes are the packet's number. */
enum { RIG_KEY = 1, RIG_START = 2, RIG_END = 4 };

static inline size_t rig_vp8(uint8_t out[static RIG_PAYLOAD_LEN], unsigned frame, int flags,
                             uint16_t height, uint16_t seq) {
    uint16_t width = (uint16_t)(height * 16 / 9);
    memset(out, 0x55, RIG_PAYLOAD_LEN);
    out[0] = flags & (RIG_KEY | RIG_START) ? 0x90 : 0x80;
    out[1] = 0xe0; /* I, L, T */
    rtp_put16(out + 2, (uint16_t)(0x8000 | (frame & 0x7fff)));
    out[4] = (uint8_t)frame;
    out[5] = 0;
    out[6] = flags & RIG_KEY ? 0x10 : 0x11;
    if (flags & RIG_KEY)
        memcpy(out + 9,
               (uint8_t[]){0x9d, 0x01, 0x2a, width & 0xff, (uint8_t)(width >> 8), height & 0xff,
                           (uint8_t)(height >> 8)},
               7);
    rtp_put16(out + RIG_PAYLOAD_LEN - 2, seq);
    return RIG_PAYLOAD_LEN;
}

/* What the payload's last bytes say. */
static inline uint16_t rig_number(const struct rig_sent *sent) {
    return rtp_get16(sent->data + sent->len - 2);
}

/* One packet of a frame of 30 a second. */
static inline void rig_put_picture(struct rig_peer *peer, uint32_t ssrc, uint16_t seq,
                                   unsigned frame, int flags, uint16_t height) {
    uint8_t payload[RIG_PAYLOAD_LEN];
    struct rig_rtp rtp = {.ssrc = ssrc,
                          .payload_type = RIG_VP8_PT,
                          .seq = seq,
                          .timestamp = frame * 3000,
                          .marker = flags & RIG_END,
                          .payload = payload,
                          .len = rig_vp8(payload, frame, flags, height, seq)};
    rig_put(peer, &rtp);
}

static inline void rig_video(struct rig_peer *peer, uint32_t ssrc, uint16_t seq, unsigned frame,
                             int flags) {
    rig_put_picture(peer, ssrc, seq, frame, flags, 720);
    rig_flush();
}

/* A whole keyframe in one packet. */
static inline void rig_keyframe(struct rig_peer *peer, uint32_t ssrc, uint16_t seq,
                                unsigned frame) {
    rig_video(peer, ssrc, seq, frame, RIG_KEY | RIG_END);
}

/* 20 ms of sound. */
static inline void rig_audio(struct rig_peer *peer, uint32_t ssrc, uint16_t seq) {
    uint8_t payload[RIG_PAYLOAD_LEN] = {0x78};
    rtp_put16(payload + sizeof(payload) - 2, seq);
    rig_send(peer, &(struct rig_rtp){.ssrc = ssrc,
                                     .payload_type = RIG_OPUS_PT,
                                     .seq = seq,
                                     .timestamp = seq * UINT32_C(960),
                                     .payload = payload,
                                     .len = sizeof(payload)});
}

static inline void rig_send_rtcp(struct rig_peer *peer, const struct rtcp_builder *builder) {
    uint8_t data[RIG_DATAGRAM_MAX];
    size_t len = builder->len;
    memcpy(data, builder->data, len);
    CHECK_INT(sfu_srtp_protect_rtcp(peer->out, data, &len), 0);
    rig_input(peer, &peer->address, data, len);
    rig_flush();
}

static inline void rig_nack(struct rig_peer *peer, uint32_t ssrc, const uint16_t *seqs,
                            size_t count) {
    uint8_t data[1200];
    struct rtcp_builder builder;
    size_t written;
    rtcp_builder_init(&builder, data, sizeof(data));
    CHECK_INT(rtcp_append_nack(&builder, 1, ssrc, seqs, count, &written), 0);
    CHECK_INT(written, count);
    rig_send_rtcp(peer, &builder);
}

static inline void rig_pli(struct rig_peer *peer, uint32_t ssrc) {
    uint8_t data[64];
    struct rtcp_builder builder;
    rtcp_builder_init(&builder, data, sizeof(data));
    CHECK_INT(rtcp_append_pli(&builder, 1, ssrc), 0);
    rig_send_rtcp(peer, &builder);
}

static inline uint64_t rig_ntp(uint64_t us) {
    return (us / 1000000) << 32 | ((us % 1000000) << 32) / 1000000;
}

static inline void rig_sr(struct rig_peer *peer, uint32_t ssrc, uint64_t ntp, uint32_t timestamp) {
    uint8_t data[64];
    struct rtcp_builder builder;
    rtcp_builder_init(&builder, data, sizeof(data));
    CHECK_INT(rtcp_append_sr(
                  &builder,
                  &(struct rtcp_sender_info){.ssrc = ssrc, .ntp = ntp, .rtp_timestamp = timestamp},
                  NULL, 0),
              0);
    rig_send_rtcp(peer, &builder);
}

/* --- What went out --- */

static inline void rig_clear(void) {
    CHECK(rig.pumped == 0 || rig.pumped == rig.sent_count);
    rig.sent_count = rig.pumped = 0;
}

static inline const struct rig_sent *rig_sent_at(const struct rig_peer *peer,
                                                 enum rtp_datagram_kind kind, size_t n) {
    for (size_t i = 0; i < rig.sent_count; i++)
        if (rig.sent[i].to == peer && rig.sent[i].kind == kind && n-- == 0)
            return &rig.sent[i];
    return NULL;
}

/* The n-th RTP packet sent to the peer since rig_clear; it has to be there. */
static inline const struct rig_sent *rig_rtp_at(const struct rig_peer *peer, size_t n) {
    const struct rig_sent *sent = rig_sent_at(peer, RTP_DATAGRAM_RTP, n);
    CHECK(sent != NULL && sent->len > 0);
    return sent;
}

static inline size_t rig_count(const struct rig_peer *peer, enum rtp_datagram_kind kind) {
    size_t count = 0;
    while (rig_sent_at(peer, kind, count) != NULL)
        count++;
    return count;
}

static inline size_t rig_rtp_count(const struct rig_peer *peer) {
    return rig_count(peer, RTP_DATAGRAM_RTP);
}

/* The n-th packet of a type (and format or count, unless negative) in what was sent to the peer;
 * *at says when. */
static inline bool rig_find_rtcp(const struct rig_peer *peer, int type, int format, size_t n,
                                 struct rtcp_packet *out, uint64_t *at_us) {
    const struct rig_sent *sent;
    for (size_t i = 0; (sent = rig_sent_at(peer, RTP_DATAGRAM_RTCP, i)) != NULL; i++)
        for (size_t offset = 0; rtcp_next(sent->data, sent->len, &offset, out);)
            if (out->type == type && (format < 0 || out->count == format) && n-- == 0) {
                if (at_us != NULL)
                    *at_us = sent->at_us;
                return true;
            }
    return false;
}

static inline size_t rig_rtcp_count(const struct rig_peer *peer, int type, int format) {
    struct rtcp_packet packet;
    size_t count = 0;
    while (rig_find_rtcp(peer, type, format, count, &packet, NULL))
        count++;
    return count;
}

static inline size_t rig_plis(const struct rig_peer *peer) {
    return rig_rtcp_count(peer, RTCP_PSFB, RTCP_FMT_PLI);
}

#endif
