/* What answers and fragments write alike, for the SDP files alone. */
#ifndef SIGNALING_SDP_ANSWER_H
#define SIGNALING_SDP_ANSWER_H

#include <stdio.h>

#include "signaling/sdp.h"

/* a=candidate of each, and a=end-of-candidates. */
void sig_sdp_candidates_write(FILE *out, const struct sfu_local *local);

/* a=ice-ufrag and a=ice-pwd. */
void sig_sdp_credentials_write(FILE *out, const struct sfu_local *local);

/* a=group:BUNDLE of the mids that are not refused. */
void sig_sdp_bundle_write(FILE *out, const struct sig_sdp_agreement *agreement);

/* Closes a stream of open_memstream; returns its text, or NULL when something did not fit. */
char *sig_sdp_finish(FILE *out, char **text);

#endif
