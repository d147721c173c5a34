/* What servers say: an answer or an offer, of which only what a client needs is read. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bench/sdp.h"

/* A line, or a part of one; borrowed. */
struct text {
    const char *at;
    size_t len;
};

struct reader {
    struct bench_sdp *out;
    struct sfu_media *media; /* The m-line being read, NULL before the first. */
    const char *prefer;
    bool has_preferred;
    struct text types; /* Of the m-line, in its order. */
    bool rejected;
};

/* --- Text --- */

static bool take_line(const char **rest, struct text *line) {
    if (**rest == '\0')
        return false;
    size_t len = strcspn(*rest, "\n");
    *line = (struct text){*rest, len};
    while (line->len > 0 && line->at[line->len - 1] == '\r')
        line->len--;
    *rest += len + ((*rest)[len] == '\n');
    return true;
}

/* The next word, up to a character of `ends`. */
static struct text take_word(struct text *rest, const char *ends) {
    struct text word = {rest->at, 0};
    while (word.len < rest->len && strchr(ends, rest->at[word.len]) == NULL)
        word.len++;
    size_t taken = word.len < rest->len ? word.len + 1 : word.len;
    rest->at += taken;
    rest->len -= taken;
    return word;
}

static bool is(struct text text, const char *word) {
    return text.len == strlen(word) && strncasecmp(text.at, word, text.len) == 0;
}

static bool begins(struct text *text, const char *prefix) {
    size_t len = strlen(prefix);
    if (text->len < len || strncmp(text->at, prefix, len) != 0)
        return false;
    text->at += len;
    text->len -= len;
    return true;
}

static uint32_t number(struct text text) {
    uint64_t value = 0;
    for (size_t i = 0; i < text.len && text.at[i] >= '0' && text.at[i] <= '9'; i++)
        value = value * 10 + (uint64_t)(text.at[i] - '0') > UINT32_MAX
                    ? UINT32_MAX
                    : value * 10 + (uint64_t)(text.at[i] - '0');
    return (uint32_t)value;
}

static void copy(char *out, size_t size, struct text text) {
    snprintf(out, size, "%.*s", (int)(text.len < size ? text.len : size - 1), text.at);
}

/* --- Transport --- */

/* RFC 8839 section 5.1: foundation, component, transport, priority, address, port. */
static void read_candidate(struct reader *reader, struct text rest) {
    struct bench_remote *transport = &reader->out->transport;
    take_word(&rest, " ");
    bool is_rtp = is(take_word(&rest, " "), "1");
    bool is_udp = is(take_word(&rest, " "), "udp");
    take_word(&rest, " ");
    struct text address = take_word(&rest, " ");
    uint32_t port = number(take_word(&rest, " "));
    bool is_ipv4 = address.len < SFU_ADDRESS_MAX && memchr(address.at, ':', address.len) == NULL &&
                   memchr(address.at, '.', address.len) != NULL;
    bool is_preferred = reader->prefer != NULL && is(address, reader->prefer);
    if (!is_rtp || !is_udp || !is_ipv4 || port == 0 || port > UINT16_MAX ||
        (transport->port != 0 && (reader->has_preferred || !is_preferred)))
        return;
    copy(transport->address, sizeof(transport->address), address);
    transport->port = (uint16_t)port;
    reader->has_preferred = is_preferred;
}

static int hex_digit(char c) {
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c | 0x20) : NULL;
    return at ? (int)(at - digits) : -1;
}

static void read_fingerprint(struct bench_sdp *out, struct text rest) {
    if (!is(take_word(&rest, " "), "sha-256") || rest.len != 3 * sizeof(out->fingerprint) - 1)
        return;
    for (size_t i = 0; i < sizeof(out->fingerprint); i++) {
        int high = hex_digit(rest.at[3 * i]), low = hex_digit(rest.at[3 * i + 1]);
        out->fingerprint[i] = high < 0 || low < 0 ? 0 : (uint8_t)(high << 4 | low);
    }
}

/* The first m-line's stand for all: everything is bundled. */
static void read_credential(char *out, size_t size, struct text value) {
    if (out[0] == '\0')
        copy(out, size, value);
}

/* --- M-lines --- */

static struct sfu_codec *find_codec(struct sfu_media *media, uint32_t type) {
    for (size_t i = 0; i < media->codec_count; i++)
        if (media->codecs[i].payload_type == type)
            return &media->codecs[i];
    return NULL;
}

static void read_rtpmap(struct sfu_media *media, struct text rest) {
    uint32_t type = number(take_word(&rest, " "));
    struct text name = take_word(&rest, "/");
    enum rtp_codec codec = rtp_codec_from_name(name.at, name.len);
    if (codec == RTP_CODEC_NONE || type > 127 || media->codec_count == SFU_CODECS_MAX ||
        find_codec(media, type) != NULL)
        return;
    media->codecs[media->codec_count++] = (struct sfu_codec){codec, (uint8_t)type, 0, 0};
}

static void read_fmtp(struct sfu_media *media, struct text rest) {
    uint32_t type = number(take_word(&rest, " "));
    if (!begins(&rest, "apt=") || type > 127)
        return;
    struct sfu_codec *codec = find_codec(media, number(take_word(&rest, ";")));
    if (codec != NULL)
        codec->rtx_payload_type = (uint8_t)type;
}

static void read_feedback(struct sfu_media *media, struct text rest) {
    take_word(&rest, " ");
    media->nack |= is(rest, "nack");
    media->transport_cc |= is(rest, "transport-cc");
    media->remb |= is(rest, "goog-remb");
}

static void read_extension(struct sfu_media *media, struct text rest) {
    struct text id = take_word(&rest, " ");
    struct text uri = take_word(&rest, " ");
    enum rtp_ext ext = rtp_ext_from_uri(uri.at, uri.len);
    uint32_t value = number(id); /* Stops at the slash of a direction. */
    if (ext != RTP_EXT_NONE && value > 0 && value < 256)
        media->extensions.ids[ext] = (uint8_t)value;
}

static void read_group(struct sfu_media *media, struct text rest) {
    if (!is(take_word(&rest, " "), "FID"))
        return;
    media->slot_ssrc = number(take_word(&rest, " "));
    media->slot_rtx_ssrc = number(take_word(&rest, " "));
}

static void read_ssrc(struct sfu_media *media, struct text rest) {
    if (media->slot_ssrc == 0)
        media->slot_ssrc = number(rest);
}

/* A direction as the other side says it, turned round. */
static void read_direction(struct sfu_media *media, struct text value) {
    if (is(value, "sendonly") || is(value, "sendrecv"))
        media->direction = SFU_SLOT;
    else if (is(value, "recvonly"))
        media->direction = SFU_PUBLISHES;
    else if (is(value, "inactive"))
        media->direction = SFU_INACTIVE;
}

static void read_rid(struct sfu_media *media, struct text rest) {
    if (media->layer_count < SFU_LAYERS_MAX)
        copy(media->rids[media->layer_count++], sizeof(media->rids[0]), take_word(&rest, " "));
}

static void read_media_attribute(struct reader *reader, struct text line) {
    struct sfu_media *media = reader->media;
    if (begins(&line, "mid:"))
        copy(media->mid, sizeof(media->mid), line);
    else if (begins(&line, "rtpmap:"))
        read_rtpmap(media, line);
    else if (begins(&line, "fmtp:"))
        read_fmtp(media, line);
    else if (begins(&line, "rtcp-fb:"))
        read_feedback(media, line);
    else if (begins(&line, "extmap:"))
        read_extension(media, line);
    else if (begins(&line, "ssrc-group:"))
        read_group(media, line);
    else if (begins(&line, "ssrc:"))
        read_ssrc(media, line);
    else if (begins(&line, "rid:"))
        read_rid(media, line);
    else if (is(line, "bundle-only"))
        reader->rejected = false;
    else
        read_direction(media, line);
}

static void read_attribute(struct reader *reader, struct text line) {
    struct bench_sdp *out = reader->out;
    if (begins(&line, "ice-ufrag:"))
        read_credential(out->transport.ufrag, sizeof(out->transport.ufrag), line);
    else if (begins(&line, "ice-pwd:"))
        read_credential(out->transport.pwd, sizeof(out->transport.pwd), line);
    else if (begins(&line, "fingerprint:"))
        read_fingerprint(out, line);
    else if (begins(&line, "candidate:"))
        read_candidate(reader, line);
    else if (begins(&line, "setup:"))
        out->is_offer = is(line, "actpass");
    else if (reader->media != NULL)
        read_media_attribute(reader, line);
}

/* The codecs in the order of the m-line, which is the order of preference. */
static void end_media(struct reader *reader) {
    struct sfu_media *media = reader->media, sorted;
    if (media == NULL)
        return;
    if (reader->rejected)
        media->direction = SFU_INACTIVE;
    sorted = *media;
    sorted.codec_count = 0;
    while (reader->types.len > 0) {
        const struct sfu_codec *codec = find_codec(media, number(take_word(&reader->types, " ")));
        if (codec != NULL && sorted.codec_count < media->codec_count)
            sorted.codecs[sorted.codec_count++] = *codec;
    }
    *media = sorted;
}

static int begin_media(struct reader *reader, struct text line) {
    struct bench_sdp *out = reader->out;
    end_media(reader);
    if (out->count == BENCH_MEDIA_MAX)
        return -E2BIG;
    reader->media = &out->media[out->count++];
    struct text kind = take_word(&line, " ");
    *reader->media = (struct sfu_media){.video = is(kind, "video"), .direction = SFU_SLOT};
    reader->rejected = number(take_word(&line, " ")) == 0;
    take_word(&line, " ");
    reader->types = line;
    return 0;
}

int bench_sdp_read(struct bench_sdp *out, const char *text, const char *prefer) {
    struct reader reader = {.out = out, .prefer = prefer};
    struct text line;
    memset(out, 0, sizeof(*out));
    while (take_line(&text, &line)) {
        if (begins(&line, "a="))
            read_attribute(&reader, line);
        else if (begins(&line, "m=") && begin_media(&reader, line) < 0)
            return -E2BIG;
    }
    end_media(&reader);
    if (out->count == 0 || out->transport.ufrag[0] == '\0' || out->transport.pwd[0] == '\0')
        return -EBADMSG;
    return out->transport.port == 0 ? -EADDRNOTAVAIL : 0;
}

/* --- Agreement --- */

static void agree_codecs(struct sfu_media *ours, const struct sfu_media *theirs) {
    struct sfu_media offered = *ours;
    ours->codec_count = 0;
    for (size_t i = 0; i < theirs->codec_count; i++) {
        const struct sfu_codec *codec = find_codec(&offered, theirs->codecs[i].payload_type);
        if (codec == NULL || ours->codec_count == offered.codec_count)
            continue;
        struct sfu_codec *taken = &ours->codecs[ours->codec_count++];
        *taken = *codec;
        if (theirs->codecs[i].rtx_payload_type == 0)
            taken->rtx_payload_type = 0;
    }
}

static void agree_media(struct sfu_media *ours, const struct sfu_media *theirs) {
    agree_codecs(ours, theirs);
    if (theirs->direction == SFU_INACTIVE || ours->codec_count == 0)
        ours->direction = SFU_INACTIVE;
    ours->nack &= theirs->nack;
    ours->transport_cc &= theirs->transport_cc;
    ours->remb &= theirs->remb;
    for (unsigned i = 0; i < RTP_EXT_COUNT; i++)
        if (theirs->extensions.ids[i] == 0)
            ours->extensions.ids[i] = 0;
    if (ours->layer_count > 1 && theirs->layer_count < 2)
        ours->layer_count = 1;
    ours->slot_ssrc = theirs->slot_ssrc;
    ours->slot_rtx_ssrc = theirs->slot_rtx_ssrc;
}

void bench_sdp_agree(struct bench_sdp *ours, const struct bench_sdp *answer) {
    for (size_t i = 0; i < ours->count; i++) {
        if (i < answer->count)
            agree_media(&ours->media[i], &answer->media[i]);
        else
            ours->media[i].direction = SFU_INACTIVE;
    }
}
