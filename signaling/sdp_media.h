/* The parts of one m-line that are negotiated: its codecs, header extensions and streams. For the
 * SDP files alone. */
#ifndef SIGNALING_SDP_MEDIA_H
#define SIGNALING_SDP_MEDIA_H

#include <stdio.h>

#include "signaling/sdp_offer.h"

/* sdp_codec.c */

/* RTCP feedback that we speak, as bits (RFC 4585, RFC 5104). */
enum sig_sdp_feedback {
    SIG_SDP_NACK = 1,
    SIG_SDP_PLI = 2,
    SIG_SDP_FIR = 4,
    SIG_SDP_REMB = 8,
    SIG_SDP_TRANSPORT_CC = 16,
};

/* What an m-line says of each payload type; all empty for those it does not mention. */
struct sig_sdp_formats {
    struct {
        struct sig_sdp_text rtpmap; /* "VP8/90000" */
        struct sig_sdp_text fmtp;
        unsigned feedback;
    } of[128];
};

void sig_sdp_formats_read(struct sig_sdp_formats *out, const struct sig_sdp_section *section);

/* Takes the codecs that we forward, in the client's order, with their RTX, and the feedback. None:
 * codec_count is 0. */
void sig_sdp_codecs_choose(struct sfu_media *media, const struct sig_sdp_section *section);

/* Writes a=rtpmap, a=rtcp-fb and a=fmtp of the chosen codecs. */
void sig_sdp_codecs_write(FILE *out, const struct sfu_media *media,
                          const struct sig_sdp_section *section);

/* sdp_extmap.c */

/* Takes the header extensions that we know and that can be of use in the m-line's direction. */
void sig_sdp_extmap_choose(struct sfu_media *media, const struct sig_sdp_section *section);

/* Writes a=extmap of the chosen ones. */
void sig_sdp_extmap_write(FILE *out, const struct sfu_media *media,
                          const struct sig_sdp_section *section);

/* sdp_streams.c */

/* Reads what identifies the layers that the client sends: RIDs of a=simulcast, and SSRCs. -EPROTO
 * for a RID that cannot be one. */
int sig_sdp_streams_choose(struct sfu_media *media, const struct sig_sdp_section *section,
                           struct sig_sdp_error *error);

/* Writes a=rid and a=simulcast of the taken layers, in the client's order. */
void sig_sdp_streams_write(FILE *out, const struct sfu_media *media,
                           const struct sig_sdp_section *section);

#endif
