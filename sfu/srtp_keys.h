/* The session keys of one direction of SRTP or SRTCP (RFC 3711 section 4.3), and what is done with
 * them both ways. */
#ifndef SFU_SRTP_KEYS_H
#define SFU_SRTP_KEYS_H

#include <openssl/evp.h>

#include "rtp/bytes.h"
#include "sfu/gcm.h"
#include "sfu/hmac.h"
#include "sfu/srtp.h"

enum {
    SFU_SRTP_IV_MAX = 16,
    SFU_RTP_HEADER_MIN = 12,
    SFU_RTCP_HEADER_MIN = 8, /* Header and the sender's SSRC. */
    SFU_SRTCP_INDEX_LEN = 4, /* E bit and SRTCP index (RFC 3711 section 3.4). */
};

#define SFU_SRTCP_ENCRYPTED (UINT32_C(1) << 31) /* The E bit. */

struct sfu_srtp_sizes {
    enum sfu_srtp_profile profile;
    uint8_t key_len;
    uint8_t salt_len;
    uint8_t tag_len;
};

/* NULL for a profile that we do not speak. */
const struct sfu_srtp_sizes *sfu_srtp_sizes_find(enum sfu_srtp_profile profile);

static inline bool sfu_srtp_is_gcm(const struct sfu_srtp_sizes *sizes) {
    return sizes->profile != SFU_SRTP_AES128_CM_SHA1_80;
}

/* Which of a master key's session keys: the labels of RFC 3711 section 4.3.2 count on from here. */
enum sfu_srtp_use { SFU_SRTP_RTP = 0, SFU_SRTP_RTCP = 3 };
enum { SFU_SRTP_LABEL_KEY, SFU_SRTP_LABEL_AUTH, SFU_SRTP_LABEL_SALT };

struct sfu_srtp_keys {
    /* Given. */
    const struct sfu_srtp_sizes *sizes;
    const struct sfu_gcm_library *provider;
    /* Owned. */
    struct sfu_gcm *gcm;   /* NULL with SFU_SRTP_AES128_CM_SHA1_80, */
    EVP_CIPHER_CTX *ctr;   /* which has these. */
    struct sfu_hmac *hmac; /* A tag is the beginning of its digest. */
    /* State. */
    bool is_gcm;
    uint64_t salt[2]; /* As the IV of SSRC and index 0, in big-endian halves. */
};

/* Derives them from a master key. -ENOMEM or -EIO; deinit is due even then. */
int sfu_srtp_keys_init(struct sfu_srtp_keys *keys, const struct sfu_srtp_sizes *sizes,
                       const struct sfu_gcm_library *library, const struct sfu_srtp_key *master,
                       enum sfu_srtp_use use, bool seals);
void sfu_srtp_keys_deinit(struct sfu_srtp_keys *keys);

/* One derived key, salt or authentication key of out_len bytes; 0 or -EIO. */
int sfu_srtp_derive(const struct sfu_srtp_sizes *sizes, const struct sfu_srtp_key *master,
                    uint8_t label, uint8_t *out, size_t out_len);

/* The IV of a packet by its SSRC, as on the wire, and its index of 48 bits: ROC and sequence
 * number, or the SRTCP index. 12 bytes for GCM (RFC 7714 sections 8.1 and 9.1), 16 for CTR (RFC
 * 3711 section 4.1.1). */
static inline void sfu_srtp_iv(const struct sfu_srtp_keys *keys, const uint8_t ssrc[static 4],
                               uint64_t index, uint8_t iv[static SFU_SRTP_IV_MAX]) {
    uint64_t sender = rtp_get32(ssrc);
    uint64_t high = keys->is_gcm ? sender << 16 | index >> 32 : sender;
    uint64_t low = index << (keys->is_gcm ? 32 : 16);
    rtp_put64(iv, keys->salt[0] ^ high);
    rtp_put64(iv + 8, keys->salt[1] ^ low);
}

/* Encrypts or decrypts by AES-CTR, in place or not: what follows the last call's, or what begins
 * under an IV that is not NULL. */
bool sfu_srtp_ctr(const struct sfu_srtp_keys *keys, const uint8_t *iv, uint8_t *to,
                  const uint8_t *from, size_t len);

#endif
