/* What clients say: the m-lines of an offer, of an answer, and the text of both. */
#include "bench/sdp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As Chromium numbers them. */
enum { OPUS_PT = 111, RED_PT = 63, VIDEO_PT = 96, VIDEO_RTX_PT = 97 };

static const uint8_t extension_ids[RTP_EXT_COUNT] = {
    [RTP_EXT_AUDIO_LEVEL] = 1, [RTP_EXT_ABS_SEND_TIME] = 2, [RTP_EXT_TRANSPORT_SEQ] = 3,
    [RTP_EXT_MID] = 4,         [RTP_EXT_RID] = 10,          [RTP_EXT_REPAIRED_RID] = 11,
    [RTP_EXT_DEPENDENCY] = 12};

static const char *const layer_names[SFU_LAYERS_MAX] = {"q", "h", "f"};

/* --- M-lines --- */

static void add_codec(struct sfu_media *media, enum rtp_codec codec, uint8_t type, uint8_t rtx) {
    media->codecs[media->codec_count++] = (struct sfu_codec){codec, type, rtx, 0};
}

static void set_extensions(struct sfu_media *media) {
    bool needs_dependency = media->codecs[0].codec == RTP_CODEC_AV1;
    for (unsigned i = 0; i < RTP_EXT_COUNT; i++) {
        bool fits = i == RTP_EXT_AUDIO_LEVEL                        ? !media->video
                    : i == RTP_EXT_RID || i == RTP_EXT_REPAIRED_RID ? media->layer_count > 1
                    : i == RTP_EXT_DEPENDENCY                       ? needs_dependency
                    : i == RTP_EXT_TRANSPORT_SEQ                    ? media->transport_cc
                                                                    : true;
        media->extensions.ids[i] = fits ? extension_ids[i] : 0;
    }
}

static struct sfu_media *add_media(struct bench_sdp *sdp, const struct bench_sdp_wish *wish,
                                   enum sfu_direction direction, bool video) {
    if (sdp->count == BENCH_MEDIA_MAX)
        return NULL;
    struct sfu_media *media = &sdp->media[sdp->count];
    *media = (struct sfu_media){.direction = direction, .video = video};
    snprintf(media->mid, sizeof(media->mid), "%zu", sdp->count++);
    media->nack = video;
    media->remb = video && !wish->no_feedback;
    media->transport_cc = !wish->no_feedback;
    if (video) {
        add_codec(media, wish->codec, VIDEO_PT, VIDEO_RTX_PT);
    } else {
        if (wish->red)
            add_codec(media, RTP_CODEC_RED, RED_PT, 0);
        add_codec(media, RTP_CODEC_OPUS, OPUS_PT, 0);
    }
    return media;
}

/* Without simulcast, SSRCs are said; with it, layers are known by their names, as in browsers. */
static void add_published(struct bench_sdp *sdp, const struct bench_sdp_wish *wish, bool video) {
    struct sfu_media *media = add_media(sdp, wish, SFU_PUBLISHES, video);
    if (media == NULL)
        return;
    media->source = video ? SFU_SOURCE_CAMERA : SFU_SOURCE_MICROPHONE;
    media->layer_count = video && wish->layers > 1 ? wish->layers : 1;
    for (uint8_t i = 0; i < SFU_LAYERS_MAX && i < media->layer_count && wish->layers > 1; i++)
        snprintf(media->rids[i], sizeof(media->rids[i]), "%s", layer_names[i]);
    if (media->layer_count == 1) {
        media->ssrcs[0] = wish->ssrc + (video ? 2 : 0);
        media->rtx_ssrcs[0] = video ? wish->ssrc + 3 : 0;
    }
    set_extensions(media);
}

void bench_sdp_offer(struct bench_sdp *out, const struct bench_sdp_wish *wish) {
    out->is_offer = true;
    out->count = 0;
    if (wish->audio)
        add_published(out, wish, false);
    if (wish->video)
        add_published(out, wish, true);
    for (unsigned i = 0; i < (unsigned)wish->audio_slots + wish->video_slots; i++) {
        struct sfu_media *media = add_media(out, wish, SFU_SLOT, i >= wish->audio_slots);
        if (media != NULL)
            set_extensions(media);
    }
}

void bench_sdp_answer(struct bench_sdp *out, const struct bench_sdp *offer) {
    out->is_offer = false;
    out->count = offer->count;
    memcpy(out->media, offer->media, offer->count * sizeof(offer->media[0]));
    for (size_t i = 0; i < out->count; i++) {
        struct sfu_media *media = &out->media[i];
        if (media->codec_count == 0 || media->direction != SFU_SLOT)
            media->direction = SFU_INACTIVE;
    }
}

/* --- Text --- */

static void write_payload_types(FILE *out, const struct sfu_media *media) {
    for (size_t i = 0; i < media->codec_count; i++) {
        fprintf(out, " %u", media->codecs[i].payload_type);
        if (media->codecs[i].rtx_payload_type != 0)
            fprintf(out, " %u", media->codecs[i].rtx_payload_type);
    }
    fputs(media->codec_count == 0 ? " 0\r\n" : "\r\n", out);
}

static void write_parameters(FILE *out, const struct sfu_codec *codec) {
    unsigned type = codec->payload_type;
    if (codec->codec == RTP_CODEC_OPUS)
        fprintf(out, "a=fmtp:%u minptime=10;useinbandfec=1\r\n", type);
    else if (codec->codec == RTP_CODEC_RED)
        fprintf(out, "a=fmtp:%u %u/%u\r\n", type, OPUS_PT, OPUS_PT);
    else if (codec->codec == RTP_CODEC_VP9)
        fprintf(out, "a=fmtp:%u profile-id=0\r\n", type);
    else if (codec->codec == RTP_CODEC_H264)
        fprintf(out,
                "a=fmtp:%u level-asymmetry-allowed=1;packetization-mode=1;"
                "profile-level-id=42e01f\r\n",
                type);
}

static void write_codec(FILE *out, const struct sfu_media *media, const struct sfu_codec *codec) {
    unsigned type = codec->payload_type;
    fprintf(out, "a=rtpmap:%u %s/%u%s\r\n", type, rtp_codec_name(codec->codec),
            rtp_codec_clock_rate_hz(codec->codec), media->video ? "" : "/2");
    if (media->transport_cc)
        fprintf(out, "a=rtcp-fb:%u transport-cc\r\n", type);
    if (media->remb)
        fprintf(out, "a=rtcp-fb:%u goog-remb\r\n", type);
    if (media->nack)
        fprintf(out, "a=rtcp-fb:%u nack\r\n", type);
    if (media->video)
        fprintf(out, "a=rtcp-fb:%u nack pli\r\na=rtcp-fb:%u ccm fir\r\n", type, type);
    write_parameters(out, codec);
    if (codec->rtx_payload_type != 0)
        fprintf(out, "a=rtpmap:%u rtx/90000\r\na=fmtp:%u apt=%u\r\n", codec->rtx_payload_type,
                codec->rtx_payload_type, type);
}

static void write_streams(FILE *out, const struct sfu_media *media) {
    if (media->layer_count > 1) {
        for (size_t i = 0; i < media->layer_count; i++)
            fprintf(out, "a=rid:%s send\r\n", media->rids[i]);
        fputs("a=simulcast:send ", out);
        for (size_t i = 0; i < media->layer_count; i++)
            fprintf(out, "%s%s", i ? ";" : "", media->rids[i]);
        fputs("\r\n", out);
        return;
    }
    uint32_t ssrc = media->ssrcs[0], rtx = media->rtx_ssrcs[0];
    if (rtx != 0)
        fprintf(out, "a=ssrc-group:FID %u %u\r\n", ssrc, rtx);
    fprintf(out, "a=ssrc:%u cname:crowd\r\n", ssrc);
    if (rtx != 0)
        fprintf(out, "a=ssrc:%u cname:crowd\r\n", rtx);
}

static void write_transport(FILE *out, const struct bench_sdp *sdp) {
    const struct bench_remote *transport = &sdp->transport;
    fprintf(out, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:sha-256 ", transport->ufrag,
            transport->pwd);
    for (size_t i = 0; i < sizeof(sdp->fingerprint); i++)
        fprintf(out, "%s%02X", i ? ":" : "", sdp->fingerprint[i]);
    fprintf(out, "\r\na=setup:%s\r\n", sdp->is_offer ? "actpass" : "active");
    if (transport->port != 0)
        fprintf(out, "a=candidate:1 1 udp 2130706431 %s %u typ host\r\na=end-of-candidates\r\n",
                transport->address, transport->port);
}

static void write_media(FILE *out, const struct bench_sdp *sdp, const struct sfu_media *media) {
    static const char *const directions[] = {
        [SFU_INACTIVE] = "inactive", [SFU_PUBLISHES] = "sendonly", [SFU_SLOT] = "recvonly"};
    fprintf(out, "m=%s 9 UDP/TLS/RTP/SAVPF", media->video ? "video" : "audio");
    write_payload_types(out, media);
    fprintf(out, "c=IN IP4 0.0.0.0\r\na=mid:%s\r\na=%s\r\na=rtcp-mux\r\na=rtcp-rsize\r\n",
            media->mid, directions[media->direction]);
    write_transport(out, sdp);
    for (unsigned i = 0; i < RTP_EXT_COUNT; i++)
        if (media->extensions.ids[i] != 0)
            fprintf(out, "a=extmap:%u %s\r\n", media->extensions.ids[i],
                    rtp_ext_uri((enum rtp_ext)i));
    for (size_t i = 0; i < media->codec_count; i++)
        write_codec(out, media, &media->codecs[i]);
    if (media->direction == SFU_PUBLISHES) {
        fprintf(out, "a=msid:crowd %s\r\n", media->video ? "camera" : "microphone");
        write_streams(out, media);
    }
}

char *bench_sdp_write(const struct bench_sdp *sdp) {
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (out == NULL)
        return NULL;
    fputs("v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE",
          out);
    for (size_t i = 0; i < sdp->count; i++)
        fprintf(out, " %s", sdp->media[i].mid);
    fputs("\r\na=msid-semantic:WMS *\r\n", out);
    for (size_t i = 0; i < sdp->count; i++)
        write_media(out, sdp, &sdp->media[i]);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
