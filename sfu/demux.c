/* Which track and layer a packet belongs to: by SSRC, and for an SSRC that was not seen before by
 * the MID and RID header extensions (RFC 9143 section 9.2, RFC 8852), or for senders without them
 * by payload type. */
#include <string.h>

#include "sfu/transport.h"

static struct sfu_stream *find_ssrc(struct sfu_transport *transport, uint32_t ssrc) {
    size_t last = transport->last_stream;
    if (last < transport->stream_count && transport->streams[last].ssrc == ssrc)
        return &transport->streams[last];
    for (size_t i = 0; i < transport->stream_count; i++) {
        if (transport->streams[i].ssrc != ssrc)
            continue;
        transport->last_stream = i;
        return &transport->streams[i];
    }
    return NULL;
}

/* A layer has one SSRC and one RTX SSRC at a time: a new one takes the place of the old. */
static struct sfu_stream *bind_stream(struct sfu_transport *transport, uint32_t ssrc,
                                      struct sfu_track *track, uint8_t layer, bool rtx) {
    struct sfu_stream *stream = NULL;
    for (size_t i = 0; i < transport->stream_count && stream == NULL; i++) {
        struct sfu_stream *other = &transport->streams[i];
        if (other->track == track && other->layer == layer && other->rtx == rtx)
            stream = other;
    }
    if (stream == NULL && transport->stream_count == SFU_SSRCS_MAX)
        return NULL;
    if (stream == NULL)
        stream = &transport->streams[transport->stream_count++];
    *stream = (struct sfu_stream){.ssrc = ssrc, .layer = layer, .rtx = rtx, .track = track};
    *(rtx ? &track->layers[layer].rtx_ssrc : &track->layers[layer].ssrc) = ssrc;
    return stream;
}

void sfu_demux_bind_described(struct sfu_transport *transport, struct sfu_track *track) {
    for (uint8_t i = 0; i < track->layer_count; i++) {
        uint32_t ssrc = track->media.ssrcs[i];
        uint32_t rtx_ssrc = track->media.rtx_ssrcs[i];
        if (ssrc != 0 && find_ssrc(transport, ssrc) == NULL)
            bind_stream(transport, ssrc, track, i, false);
        if (rtx_ssrc != 0 && find_ssrc(transport, rtx_ssrc) == NULL)
            bind_stream(transport, rtx_ssrc, track, i, true);
    }
}

void sfu_demux_forget(struct sfu_transport *transport, const struct sfu_track *track) {
    for (size_t i = transport->stream_count; i-- > 0;)
        if (transport->streams[i].track == track)
            transport->streams[i] = transport->streams[--transport->stream_count];
}

static bool same(const char *text, const char *name, size_t name_len) {
    return strlen(text) == name_len && memcmp(text, name, name_len) == 0;
}

/* Which of the m-line's payload types this is: 0 none, 1 media, 2 RTX. */
static int payload_type_role(const struct sfu_media *media, uint8_t payload_type) {
    for (size_t i = 0; i < media->codec_count; i++) {
        if (media->codecs[i].payload_type == payload_type)
            return 1;
        if (media->codecs[i].rtx_payload_type != 0 &&
            media->codecs[i].rtx_payload_type == payload_type)
            return 2;
    }
    return 0;
}

static struct sfu_stream *bind_by_rid(struct sfu_transport *transport, struct sfu_track *track,
                                      const struct sfu_packet *packet, bool rtx) {
    const struct rtp_extensions *extensions = &packet->extensions;
    if (track->media.rids[0][0] == '\0')
        return bind_stream(transport, packet->rtp.ssrc, track, 0, rtx);
    bool repaired = rtp_ext_has(extensions, RTP_EXT_REPAIRED_RID);
    if (!repaired && !rtp_ext_has(extensions, RTP_EXT_RID))
        return NULL;
    const char *rid = repaired ? extensions->repaired_rid : extensions->rid;
    size_t rid_len = repaired ? extensions->repaired_rid_len : extensions->rid_len;
    for (uint8_t i = 0; i < track->layer_count; i++)
        if (same(track->media.rids[i], rid, rid_len))
            return bind_stream(transport, packet->rtp.ssrc, track, i, rtx);
    return NULL;
}

/* Extension ids may differ from m-line to m-line, so each is asked with its own. */
static struct sfu_stream *find_by_mid(struct sfu_transport *transport, struct sfu_packet *packet) {
    for (size_t i = 0; i < transport->mline_count; i++) {
        struct sfu_mline *mline = &transport->mlines[i];
        int role = mline->track ? payload_type_role(&mline->media, packet->rtp.payload_type) : 0;
        if (role == 0)
            continue;
        rtp_extensions_parse(&packet->extensions, &packet->rtp, packet->data,
                             &mline->media.extensions);
        if (rtp_ext_has(&packet->extensions, RTP_EXT_MID) &&
            same(mline->media.mid, packet->extensions.mid, packet->extensions.mid_len))
            return bind_by_rid(transport, mline->track, packet, role == 2);
    }
    return NULL;
}

/* Senders without MID: the payload type must belong to one m-line only that is not simulcast. */
static struct sfu_stream *find_by_payload_type(struct sfu_transport *transport,
                                               struct sfu_packet *packet) {
    struct sfu_mline *only = NULL;
    for (size_t i = 0; i < transport->mline_count; i++) {
        struct sfu_mline *mline = &transport->mlines[i];
        if (mline->track == NULL || payload_type_role(&mline->media, packet->rtp.payload_type) == 0)
            continue;
        if (only != NULL)
            return NULL;
        only = mline;
    }
    if (only == NULL || only->track->layer_count > 1)
        return NULL;
    /* A packet that names another m-line is not this one's. */
    rtp_extensions_parse(&packet->extensions, &packet->rtp, packet->data, &only->media.extensions);
    if (rtp_ext_has(&packet->extensions, RTP_EXT_MID))
        return NULL;
    return bind_stream(transport, packet->rtp.ssrc, only->track, 0,
                       payload_type_role(&only->media, packet->rtp.payload_type) == 2);
}

struct sfu_stream *sfu_demux_find(struct sfu_transport *transport, struct sfu_packet *packet) {
    struct sfu_stream *stream = find_ssrc(transport, packet->rtp.ssrc);
    if (stream == NULL)
        stream = find_by_mid(transport, packet);
    if (stream == NULL)
        stream = find_by_payload_type(transport, packet);
    if (stream != NULL)
        rtp_extensions_parse(&packet->extensions, &packet->rtp, packet->data,
                             &stream->track->media.extensions);
    return stream;
}
