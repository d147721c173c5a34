/* What an offer says of the client's transport, for the SDP files alone. */
#ifndef SIGNALING_SDP_TRANSPORT_H
#define SIGNALING_SDP_TRANSPORT_H

#include "signaling/sdp_offer.h"

enum { SIG_SDP_UFRAG_MIN = 4, SIG_SDP_PWD_MIN = 22 }; /* RFC 8839 section 5.4. */

/* Reads credentials, fingerprint and setup of the tagged m-line, or of the session, or of any other
 * m-line. 0, or -EPROTO. */
int sig_sdp_transport_read(struct sfu_description *out, const struct sig_sdp_offer *offer,
                           const struct sig_sdp_section *tagged, struct sig_sdp_error *error);

#endif
