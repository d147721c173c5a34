/* An agreement from the inside, for the SDP files alone. */
#ifndef SIGNALING_SDP_AGREEMENT_H
#define SIGNALING_SDP_AGREEMENT_H

#include "signaling/sdp_offer.h"

/* What is kept of an m-line besides its sfu_media. */
struct sig_sdp_line {
    bool is_refused; /* Answered with port 0. */
    bool is_slot;    /* Is or was a slot: it has SSRCs and a stream, which stay its own. */
    uint16_t stream; /* Audio slot k and video slot k are in stream k. */
};

struct sig_sdp_agreement {
    /* Owned. */
    struct sfu_media *media;
    struct sig_sdp_line *lines;

    /* State. */
    size_t count;                       /* Of media and lines. */
    struct sfu_description description; /* Its media are ours. */
    uint32_t session_id;                /* Of the answer's o= line; */
    uint32_t version;                   /* rises with every answer (RFC 9429 section 5.3.1). */
};

/* The m-line whose transport all use (RFC 9143 section 7.2.1): the first of the BUNDLE group that
 * is not refused; NULL when all are. */
const struct sig_sdp_section *sig_sdp_tagged(const struct sig_sdp_offer *offer,
                                             const struct sig_sdp_agreement *agreement);

#endif
