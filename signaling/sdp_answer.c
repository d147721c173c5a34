/* The answer's text (RFC 9429 section 5.3), and what it shares with a fragment: our credentials and
 * candidates. */
#include "signaling/sdp_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/sdp_agreement.h"
#include "signaling/sdp_media.h"

/* RFC 8445 section 5.1.2.1: 126 is for host candidates; for TCP ones RFC 6544 section 4.2 wants
 * less, so that UDP is tried first, and 4 in the upper bits of the local part for a passive one. */
enum { PREFERENCE_UDP = 126, PREFERENCE_TCP = 90, DIRECTION_PASSIVE = 4 };

static uint32_t candidate_priority(const struct sfu_candidate *candidate, size_t index) {
    uint32_t local = 0xffff - (uint32_t)index;
    if (!candidate->tcp)
        return (uint32_t)PREFERENCE_UDP << 24 | local << 8 | 255;
    return (uint32_t)PREFERENCE_TCP << 24 |
           ((uint32_t)DIRECTION_PASSIVE << 13 | (local & 0x1fff)) << 8 | 255;
}

void sig_sdp_candidates_write(FILE *out, const struct sfu_local *local) {
    for (size_t i = 0; i < local->candidate_count; i++) {
        const struct sfu_candidate *candidate = &local->candidates[i];
        fprintf(out, "a=candidate:%zu 1 %s %u %s %u typ host%s\r\n", i + 1,
                candidate->tcp ? "tcp" : "udp", candidate_priority(candidate, i),
                candidate->address, candidate->port, candidate->tcp ? " tcptype passive" : "");
    }
    fputs("a=end-of-candidates\r\n", out);
}

void sig_sdp_credentials_write(FILE *out, const struct sfu_local *local) {
    fprintf(out, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\n", local->ufrag, local->pwd);
}

void sig_sdp_bundle_write(FILE *out, const struct sig_sdp_agreement *agreement) {
    fputs("a=group:BUNDLE", out);
    for (size_t i = 0; i < agreement->count; i++)
        if (!agreement->lines[i].is_refused)
            fprintf(out, " %s", agreement->media[i].mid);
    fputs("\r\n", out);
}

static void write_session(FILE *out, const struct sig_sdp_offer *offer,
                          const struct sig_sdp_agreement *agreement) {
    fprintf(out, "v=0\r\no=- %u %u IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n", agreement->session_id,
            agreement->version);
    if (offer->bundle.len > 0)
        sig_sdp_bundle_write(out, agreement);
    if (sig_sdp_attribute_is_there(&offer->session, "extmap-allow-mixed"))
        fputs("a=extmap-allow-mixed\r\n", out);
    fputs("a=msid-semantic:WMS *\r\na=ice-lite\r\na=ice-options:ice2 trickle\r\n", out);
}

static void write_refused(FILE *out, const struct sig_sdp_section *section) {
    fprintf(out, "m=%.*s 0 %.*s %.*s\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\na=mid:%.*s\r\n",
            SIG_SDP_PRINT(section->kind), SIG_SDP_PRINT(section->proto),
            SIG_SDP_PRINT(section->formats), SIG_SDP_PRINT(section->mid));
}

/* The tagged m-line shows the address of the first candidate; the others share it, and say so by
 * the discard port (RFC 8840 section 4.1.1). */
static void write_m_line(FILE *out, const struct sig_sdp_section *section,
                         const struct sfu_media *media, const struct sfu_candidate *shown) {
    fprintf(out, "m=%s %u %.*s", media->video ? "video" : "audio", shown ? shown->port : 9,
            SIG_SDP_PRINT(section->proto));
    for (size_t i = 0; i < media->codec_count; i++) {
        fprintf(out, " %u", media->codecs[i].payload_type);
        if (media->codecs[i].rtx_payload_type != 0)
            fprintf(out, " %u", media->codecs[i].rtx_payload_type);
    }
    const char *address = shown ? shown->address : "0.0.0.0";
    fprintf(out, "\r\nc=IN %s %s\r\n", strchr(address, ':') ? "IP6" : "IP4", address);
}

static bool has_rtx(const struct sfu_media *media) {
    for (size_t i = 0; i < media->codec_count; i++)
        if (media->codecs[i].rtx_payload_type != 0)
            return true;
    return false;
}

/* The stream's name is the CNAME as well: both make a browser play audio and video in step. */
static void write_slot(FILE *out, const struct sfu_media *media, unsigned stream) {
    const char *kind = media->video ? "video" : "audio";
    fprintf(out, "a=msid:slot-%u %s-%u\r\n", stream, kind, stream);
    if (has_rtx(media))
        fprintf(out, "a=ssrc-group:FID %u %u\r\n", media->slot_ssrc, media->slot_rtx_ssrc);
    fprintf(out, "a=ssrc:%u cname:slot-%u\r\n", media->slot_ssrc, stream);
    fprintf(out, "a=ssrc:%u msid:slot-%u %s-%u\r\n", media->slot_ssrc, stream, kind, stream);
    if (has_rtx(media)) {
        fprintf(out, "a=ssrc:%u cname:slot-%u\r\n", media->slot_rtx_ssrc, stream);
        fprintf(out, "a=ssrc:%u msid:slot-%u %s-%u\r\n", media->slot_rtx_ssrc, stream, kind,
                stream);
    }
}

static const char *const direction_names[] = {
    [SFU_INACTIVE] = "inactive", [SFU_PUBLISHES] = "recvonly", [SFU_SLOT] = "sendonly"};

static void write_media(FILE *out, const struct sig_sdp_section *section,
                        const struct sfu_media *media, const struct sig_sdp_line *line) {
    fprintf(out, "a=mid:%s\r\n", media->mid);
    if (sig_sdp_attribute_is_there(section, "extmap-allow-mixed"))
        fputs("a=extmap-allow-mixed\r\n", out);
    sig_sdp_extmap_write(out, media, section);
    fprintf(out, "a=%s\r\na=rtcp-mux\r\n", direction_names[media->direction]);
    if (sig_sdp_attribute_is_there(section, "rtcp-rsize"))
        fputs("a=rtcp-rsize\r\n", out);
    sig_sdp_codecs_write(out, media, section);
    if (media->direction == SFU_PUBLISHES)
        sig_sdp_streams_write(out, media, section);
    else if (media->direction == SFU_SLOT)
        write_slot(out, media, line->stream);
}

static void write_section(FILE *out, const struct sig_sdp_section *section,
                          const struct sfu_media *media, const struct sig_sdp_line *line,
                          const struct sfu_local *local, const char *fingerprint, bool is_tagged) {
    bool shows = is_tagged && local->candidate_count > 0;
    write_m_line(out, section, media, shows ? &local->candidates[0] : NULL);
    if (is_tagged)
        sig_sdp_candidates_write(out, local);
    sig_sdp_credentials_write(out, local);
    fprintf(out, "a=fingerprint:sha-256 %s\r\na=setup:passive\r\n", fingerprint);
    write_media(out, section, media, line);
}

char *sig_sdp_answer_write(const struct sig_sdp_offer *offer,
                           const struct sig_sdp_agreement *agreement, const struct sfu_local *local,
                           const char *fingerprint) {
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (out == NULL)
        return NULL;
    const struct sig_sdp_section *tagged = sig_sdp_tagged(offer, agreement);
    write_session(out, offer, agreement);
    for (size_t i = 0; i < agreement->count; i++) {
        const struct sig_sdp_section *section = &offer->sections[i];
        if (agreement->lines[i].is_refused)
            write_refused(out, section);
        else
            write_section(out, section, &agreement->media[i], &agreement->lines[i], local,
                          fingerprint, section == tagged);
    }
    return sig_sdp_finish(out, &text);
}

/* A write that failed was out of memory. */
char *sig_sdp_finish(FILE *out, char **text) {
    bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        free(*text);
        return NULL;
    }
    return *text;
}
