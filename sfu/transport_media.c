/* Media and RTCP from a validated address: decrypted, found their track, and noted for those who
 * want to know; and RTCP on its way out. */
#include <stdlib.h>
#include <string.h>

#include "sfu/transport.h"

static bool decrypt(struct sfu_transport *transport, struct sfu_packet *packet, bool rtcp) {
    struct sfu_counters *counters = &transport->engine->counters;
    if (transport->srtp_in == NULL) {
        counters->drop_before_dtls++;
        return false;
    }
    size_t len = packet->len;
    int result = rtcp ? sfu_srtp_unprotect_rtcp(transport->srtp_in, packet->data, &len)
                      : sfu_srtp_unprotect_rtp(transport->srtp_in, packet->data, &len);
    packet->len = (uint32_t)len;
    counters->drop_srtp_replay += result == -EALREADY;
    counters->drop_srtp_auth += result < 0 && result != -EALREADY;
    return result == 0;
}

static void note_transport_seq(struct sfu_transport *transport, uint64_t now_us,
                               const struct sfu_packet *packet) {
    if (!rtp_ext_has(&packet->extensions, RTP_EXT_TRANSPORT_SEQ))
        return;
    if (transport->twcc == NULL)
        transport->twcc = calloc(1, sizeof(*transport->twcc)); /* Once, at the first packet. */
    if (transport->twcc == NULL)
        return;
    rtp_twcc_on_packet(transport->twcc, packet->received_us, packet->extensions.transport_seq);
    transport->twcc_bytes += packet->len;
    if (transport->twcc_at_us == UINT64_MAX) {
        transport->twcc_at_us = now_us + sfu_reports_twcc_interval_us(transport, now_us);
        sfu_transport_wake_at(transport, transport->twcc_at_us);
    }
}

static void note_level(struct sfu_transport *transport, uint64_t now_us, struct sfu_stream *stream,
                       const struct sfu_packet *packet) {
    const struct sfu_media *media = &stream->track->media;
    if (!media->video && media->source == SFU_SOURCE_MICROPHONE &&
        rtp_ext_has(&packet->extensions, RTP_EXT_AUDIO_LEVEL))
        sfu_levels_on_packet(&transport->engine->levels, &stream->meter, now_us,
                             transport->participant, stream->track->id,
                             packet->extensions.audio_level);
}

/* Turns an RTX packet into the one that it repeats (RFC 4588 section 4); false when it repeats none
 * (a probe of padding). */
static bool unwrap_rtx(struct sfu_packet *packet, const struct sfu_stream *stream) {
    uint16_t original_seq;
    const uint8_t *payload = packet->data + packet->rtp.payload_offset;
    if (rtp_rtx_parse(payload, packet->rtp.payload_len, &original_seq) < 0 ||
        packet->rtp.payload_len == 2)
        return false;
    packet->rtp.seq = original_seq;
    packet->rtp.ssrc = stream->track->layers[stream->layer].ssrc;
    packet->rtp.payload_offset += 2;
    packet->rtp.payload_len -= 2;
    return true;
}

/* The codec of a payload type, or of the media that an RTX payload type repeats. */
static bool learn_codec(struct sfu_packet *packet, const struct sfu_stream *stream) {
    const struct sfu_media *media = &stream->track->media;
    for (size_t i = 0; i < media->codec_count; i++) {
        uint8_t payload_type =
            stream->rtx ? media->codecs[i].rtx_payload_type : media->codecs[i].payload_type;
        if (payload_type != packet->rtp.payload_type || (stream->rtx && payload_type == 0))
            continue;
        packet->codec = media->codecs[i].codec;
        packet->rtp.payload_type = media->codecs[i].payload_type;
        return true;
    }
    return false;
}

void sfu_transport_on_rtp(struct sfu_transport *transport, uint64_t now_us,
                          struct sfu_packet *packet) {
    struct sfu_counters *counters = &transport->engine->counters;
    if (!decrypt(transport, packet, false))
        return;
    if (rtp_parse(&packet->rtp, packet->data, packet->len) < 0) {
        counters->drop_rtp_malformed++;
        return;
    }
    counters->rtp_received++;
    struct sfu_stream *stream = sfu_demux_find(transport, packet);
    if (stream == NULL) {
        counters->drop_rtp_unknown_ssrc++;
        return;
    }
    note_transport_seq(transport, now_us, packet);
    if (stream->track->media.remb && !rtp_ext_has(&packet->extensions, RTP_EXT_TRANSPORT_SEQ))
        sfu_uplink_on_packet(transport, now_us, packet);
    if (!learn_codec(packet, stream)) {
        counters->drop_rtp_unknown_payload_type++;
        return;
    }
    if (stream->rtx && !unwrap_rtx(packet, stream))
        return;
    note_level(transport, now_us, stream, packet);
    sfu_track_on_packet(stream->track, now_us, stream->layer, packet, stream->rtx);
}

void sfu_transport_on_rtcp(struct sfu_transport *transport, uint64_t now_us,
                           struct sfu_packet *packet) {
    if (decrypt(transport, packet, true))
        sfu_feedback_on_rtcp(transport, now_us, packet);
}

void sfu_transport_send_rtcp(struct sfu_transport *transport, uint8_t *data, size_t len) {
    if (!sfu_transport_is_open(transport) ||
        sfu_srtp_protect_rtcp(transport->srtp_out, data, &len) < 0)
        return;
    memcpy(sfu_batch_reserve(&transport->engine->batch), data, len);
    sfu_batch_commit(&transport->engine->batch, &transport->ice.selected, len);
}
