/* What the two halves of SRTP share: the sizes of each profile, and libsrtp2's sessions. */
#ifndef SFU_SRTP_PROFILE_H
#define SFU_SRTP_PROFILE_H

#include <srtp2/srtp.h>

#include "sfu/srtp.h"

enum {
    SFU_RTP_HEADER_MIN = 12,
    SFU_RTCP_HEADER_MIN = 8, /* Header and the sender's SSRC. */
    SFU_SRTCP_INDEX_LEN = 4, /* E bit and SRTCP index (RFC 3711 section 3.4). */
};

struct sfu_srtp_sizes {
    enum sfu_srtp_profile profile;
    uint8_t key_len;
    uint8_t salt_len;
    uint8_t tag_len;
    void (*set_policy)(srtp_crypto_policy_t *policy);
};

/* NULL for a profile that we do not speak. */
const struct sfu_srtp_sizes *sfu_srtp_sizes_find(enum sfu_srtp_profile profile);

/* A libsrtp2 session for any SSRC of one direction (ssrc_any_inbound or ssrc_any_outbound). -ENOMEM
 * or -EIO. */
int sfu_srtp_session_create(srtp_t *out, const struct sfu_srtp_sizes *sizes,
                            const struct sfu_srtp_key *key, srtp_ssrc_type_t direction);

#endif
