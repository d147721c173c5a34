/* Codecs of an m-line: which of the client's formats are taken, and how they are answered. */
#include "signaling/sdp_media.h"

#include <string.h>

/* RFC 5761 section 4: these would be taken for RTCP. */
#define PAYLOAD_TYPE_RTCP_FIRST 64
#define PAYLOAD_TYPE_RTCP_LAST 95

/* RFC 7742 section 6.2 leaves it to us; it is what browsers assume too. */
#define H264_CONSTRAINED_BASELINE 0x42e01f

static const struct {
    enum sig_sdp_feedback bit;
    const char *text;
} feedbacks[] = {
    {SIG_SDP_NACK, "nack"},
    {SIG_SDP_PLI, "nack pli"},
    {SIG_SDP_FIR, "ccm fir"},
    {SIG_SDP_REMB, "goog-remb"},
    {SIG_SDP_TRANSPORT_CC, "transport-cc"},
};

enum { FEEDBACK_COUNT = sizeof(feedbacks) / sizeof(feedbacks[0]) };

static unsigned feedback_bit(struct sig_sdp_text text) {
    for (size_t i = 0; i < FEEDBACK_COUNT; i++)
        if (sig_sdp_text_is(sig_sdp_text_trim(text), feedbacks[i].text))
            return feedbacks[i].bit;
    return 0;
}

/* "96 value": the payload type in front. */
static bool cut_payload_type(struct sig_sdp_text *value, uint32_t *payload_type) {
    return sig_sdp_text_number(sig_sdp_text_word(value), 127, payload_type);
}

static void read_feedback(struct sig_sdp_formats *formats, struct sig_sdp_text value) {
    uint32_t payload_type = 0;
    struct sig_sdp_text rest = value;
    struct sig_sdp_text front = sig_sdp_text_word(&rest);
    unsigned bit = feedback_bit(rest);
    if (sig_sdp_text_is(front, "*")) {
        for (size_t i = 0; i < 128; i++)
            formats->of[i].feedback |= bit;
    } else if (sig_sdp_text_number(front, 127, &payload_type)) {
        formats->of[payload_type].feedback |= bit;
    }
}

void sig_sdp_formats_read(struct sig_sdp_formats *out, const struct sig_sdp_section *section) {
    memset(out, 0, sizeof(*out));
    for (const struct sig_sdp_attribute *at = section->first; at < section->end; at++) {
        uint32_t payload_type = 0;
        struct sig_sdp_text value = at->value;
        if (sig_sdp_text_is(at->name, "rtcp-fb"))
            read_feedback(out, value);
        else if (sig_sdp_text_is(at->name, "rtpmap") && cut_payload_type(&value, &payload_type))
            out->of[payload_type].rtpmap = sig_sdp_text_trim(value);
        else if (sig_sdp_text_is(at->name, "fmtp") && cut_payload_type(&value, &payload_type))
            out->of[payload_type].fmtp = sig_sdp_text_trim(value);
    }
}

/* A parameter of a=fmtp ("key=value;key=value"); false when it is not there. */
static bool parameter(struct sig_sdp_text fmtp, const char *key, struct sig_sdp_text *out) {
    while (fmtp.len > 0) {
        struct sig_sdp_text value = sig_sdp_text_trim(sig_sdp_text_cut(&fmtp, ';'));
        if (sig_sdp_text_is_any_case(sig_sdp_text_cut(&value, '='), key)) {
            *out = value;
            return true;
        }
    }
    return false;
}

/* The number of a parameter, `otherwise` when it is not there or is none. */
static uint32_t parameter_number(struct sig_sdp_text fmtp, const char *key, uint32_t otherwise) {
    struct sig_sdp_text value;
    uint32_t number = otherwise;
    if (parameter(fmtp, key, &value))
        sig_sdp_text_number(value, UINT32_MAX, &number);
    return number;
}

static bool take_any(struct sig_sdp_text fmtp, uint32_t *profile) {
    (void)fmtp;
    (void)profile;
    return true;
}

/* 8 and 10 bits 4:2:0; nothing that browsers send has the others. */
static bool take_vp9(struct sig_sdp_text fmtp, uint32_t *profile) {
    *profile = parameter_number(fmtp, "profile-id", 0);
    return *profile == 0 || *profile == 2;
}

/* Single NAL unit mode (0, the default) cannot carry a browser's pictures. */
static bool take_h264(struct sig_sdp_text fmtp, uint32_t *profile) {
    struct sig_sdp_text value;
    *profile = H264_CONSTRAINED_BASELINE;
    if (parameter(fmtp, "profile-level-id", &value) && !sig_sdp_text_hex(value, 6, profile))
        return false;
    return parameter_number(fmtp, "packetization-mode", 0) == 1;
}

static bool take_av1(struct sig_sdp_text fmtp, uint32_t *profile) {
    (void)profile;
    return parameter_number(fmtp, "profile", 0) == 0;
}

static bool (*const takers[RTP_CODEC_COUNT])(struct sig_sdp_text fmtp, uint32_t *profile) = {
    [RTP_CODEC_OPUS] = take_any, [RTP_CODEC_RED] = take_any,   [RTP_CODEC_VP8] = take_any,
    [RTP_CODEC_VP9] = take_vp9,  [RTP_CODEC_H264] = take_h264, [RTP_CODEC_AV1] = take_av1,
};

/* Reads one format; false when it is none that we forward. "red" of a video m-line is another
 * thing than RED of audio, so the kind decides as well. */
static bool take_codec(struct sfu_codec *out, struct sig_sdp_text rtpmap, struct sig_sdp_text fmtp,
                       bool is_video) {
    uint32_t clock_rate = 0;
    struct sig_sdp_text name = sig_sdp_text_cut(&rtpmap, '/');
    enum rtp_codec codec = rtp_codec_from_name(name.at, name.len);
    if (codec == RTP_CODEC_NONE || rtp_codec_is_video(codec) != is_video ||
        !sig_sdp_text_number(sig_sdp_text_cut(&rtpmap, '/'), UINT32_MAX, &clock_rate) ||
        clock_rate != rtp_codec_clock_rate_hz(codec))
        return false;
    *out = (struct sfu_codec){.codec = codec};
    return takers[codec](fmtp, &out->profile);
}

static bool is_rtx(struct sig_sdp_text rtpmap) {
    return sig_sdp_text_is_any_case(sig_sdp_text_cut(&rtpmap, '/'), "rtx");
}

static void take_rtx(struct sfu_media *media, uint8_t payload_type, struct sig_sdp_text fmtp) {
    uint32_t apt = parameter_number(fmtp, "apt", UINT32_MAX);
    for (size_t i = 0; i < media->codec_count; i++)
        if (media->codecs[i].payload_type == apt && media->codecs[i].rtx_payload_type == 0)
            media->codecs[i].rtx_payload_type = payload_type;
}

/* RED without its Opus cannot be taken apart. */
static void drop_red_alone(struct sfu_media *media) {
    for (size_t i = 0; i < media->codec_count; i++)
        if (media->codecs[i].codec != RTP_CODEC_RED)
            return;
    media->codec_count = 0;
}

/* Calls take for every payload type of the m-line once, in order. */
static void each_format(struct sfu_media *media, const struct sig_sdp_section *section,
                        const struct sig_sdp_formats *formats,
                        void (*take)(struct sfu_media *media, const struct sig_sdp_formats *formats,
                                     uint8_t payload_type)) {
    bool seen[128] = {false};
    struct sig_sdp_text rest = section->formats;
    while (rest.len > 0) {
        uint32_t payload_type = 0;
        if (!cut_payload_type(&rest, &payload_type) || seen[payload_type])
            continue;
        seen[payload_type] = true;
        if (payload_type < PAYLOAD_TYPE_RTCP_FIRST || payload_type > PAYLOAD_TYPE_RTCP_LAST)
            take(media, formats, (uint8_t)payload_type);
    }
}

static void take_codec_format(struct sfu_media *media, const struct sig_sdp_formats *formats,
                              uint8_t payload_type) {
    struct sfu_codec codec;
    struct sig_sdp_text rtpmap = formats->of[payload_type].rtpmap;
    if (media->codec_count == SFU_CODECS_MAX || rtpmap.len == 0 ||
        !take_codec(&codec, rtpmap, formats->of[payload_type].fmtp, media->video))
        return;
    codec.payload_type = payload_type;
    media->codecs[media->codec_count++] = codec;
}

static void take_rtx_format(struct sfu_media *media, const struct sig_sdp_formats *formats,
                            uint8_t payload_type) {
    if (is_rtx(formats->of[payload_type].rtpmap))
        take_rtx(media, payload_type, formats->of[payload_type].fmtp);
}

void sig_sdp_codecs_choose(struct sfu_media *media, const struct sig_sdp_section *section) {
    struct sig_sdp_formats formats;
    unsigned feedback = 0;
    sig_sdp_formats_read(&formats, section);
    media->codec_count = 0;
    each_format(media, section, &formats, take_codec_format);
    each_format(media, section, &formats, take_rtx_format);
    drop_red_alone(media);
    for (size_t i = 0; i < media->codec_count; i++)
        feedback |= formats.of[media->codecs[i].payload_type].feedback;
    media->nack = (feedback & SIG_SDP_NACK) != 0;
    media->remb = (feedback & SIG_SDP_REMB) != 0;
    media->transport_cc = (feedback & SIG_SDP_TRANSPORT_CC) != 0;
}

/* Parameters that an answer repeats; others describe what the client can receive, not what we can.
 * What is not here or not of harmless characters is left out. */
static const char *const repeated_parameters[RTP_CODEC_COUNT][9] = {
    [RTP_CODEC_OPUS] = {"minptime", "stereo", "sprop-stereo", "usedtx", "maxplaybackrate",
                        "maxaveragebitrate", "cbr"},
    [RTP_CODEC_VP9] = {"profile-id"},
    [RTP_CODEC_H264] = {"level-asymmetry-allowed", "packetization-mode", "profile-level-id"},
    [RTP_CODEC_AV1] = {"level-idx", "profile", "tier"},
};

static void write_parameter(FILE *out, bool *is_first, uint8_t payload_type, const char *key,
                            struct sig_sdp_text value) {
    if (*is_first)
        fprintf(out, "a=fmtp:%u ", payload_type);
    else
        fputc(';', out);
    *is_first = false;
    fprintf(out, "%s=%.*s", key, SIG_SDP_PRINT(value));
}

static void write_fmtp(FILE *out, const struct sfu_codec *codec, struct sig_sdp_text fmtp) {
    bool is_first = true;
    struct sig_sdp_text value;
    const char *const *keys = repeated_parameters[codec->codec];
    for (; *keys != NULL; keys++)
        if (parameter(fmtp, *keys, &value) && sig_sdp_text_is_token(value))
            write_parameter(out, &is_first, codec->payload_type, *keys, value);
    if (codec->codec == RTP_CODEC_OPUS)
        write_parameter(out, &is_first, codec->payload_type, "useinbandfec",
                        (struct sig_sdp_text){"1", 1});
    if (!is_first)
        fputs("\r\n", out);
}

/* RED's blocks are Opus, and are said so (RFC 2198 section 5). */
static void write_red_fmtp(FILE *out, const struct sfu_media *media, uint8_t payload_type) {
    for (size_t i = 0; i < media->codec_count; i++) {
        if (media->codecs[i].codec != RTP_CODEC_OPUS)
            continue;
        unsigned opus = media->codecs[i].payload_type;
        fprintf(out, "a=fmtp:%u %u/%u\r\n", payload_type, opus, opus);
        return;
    }
}

static void write_codec(FILE *out, const struct sfu_media *media, const struct sfu_codec *codec,
                        const struct sig_sdp_formats *formats) {
    unsigned feedback = formats->of[codec->payload_type].feedback;
    if (!media->transport_cc) /* No header extension to go with it. */
        feedback &= ~(unsigned)SIG_SDP_TRANSPORT_CC;
    unsigned clock_rate = rtp_codec_clock_rate_hz(codec->codec);
    fprintf(out, "a=rtpmap:%u %s/%u%s\r\n", codec->payload_type, rtp_codec_name(codec->codec),
            clock_rate, media->video ? "" : "/2");
    for (size_t i = 0; i < FEEDBACK_COUNT; i++)
        if (feedback & feedbacks[i].bit)
            fprintf(out, "a=rtcp-fb:%u %s\r\n", codec->payload_type, feedbacks[i].text);
    if (codec->codec == RTP_CODEC_RED)
        write_red_fmtp(out, media, codec->payload_type);
    else
        write_fmtp(out, codec, formats->of[codec->payload_type].fmtp);
    if (codec->rtx_payload_type != 0)
        fprintf(out, "a=rtpmap:%u rtx/%u\r\na=fmtp:%u apt=%u\r\n", codec->rtx_payload_type,
                clock_rate, codec->rtx_payload_type, codec->payload_type);
}

void sig_sdp_codecs_write(FILE *out, const struct sfu_media *media,
                          const struct sig_sdp_section *section) {
    struct sig_sdp_formats formats;
    sig_sdp_formats_read(&formats, section);
    for (size_t i = 0; i < media->codec_count; i++)
        write_codec(out, media, &media->codecs[i], &formats);
}
