/* SRTP of what is fanned out, on OpenSSL's EVP: the keys are set once for each transport, a packet
 * sets its IV only, and the ciphertext goes from the shared plaintext straight to its place in the
 * output. Allocates nothing for a packet. */

/* The SHA1_* functions: an EVP_MAC of OpenSSL 3 allocates for every message. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "sfu/srtp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "sfu/srtp_profile.h"

enum {
    LABEL_RTP_KEY = 0, /* RFC 3711 section 4.3.2. */
    LABEL_RTP_AUTH = 1,
    LABEL_RTP_SALT = 2,
    AUTH_KEY_LEN = 20,
    GCM_IV_LEN = 12,
    CTR_IV_LEN = 16,
};

/* HMAC-SHA1 with both blocks of the key already hashed: a message copies these. */
struct hmac {
    SHA_CTX inner;
    SHA_CTX outer;
};

struct sfu_srtp_out {
    /* Given. */
    const struct sfu_srtp_sizes *sizes;
    /* Owned. */
    EVP_CIPHER_CTX *cipher; /* With the session key. */
    srtp_t rtcp;
    /* State. */
    uint8_t salt[SFU_SRTP_SALT_MAX];
    struct hmac hmac; /* SFU_SRTP_AES128_CM_SHA1_80 only. */
};

static bool is_gcm(const struct sfu_srtp_sizes *sizes) {
    return sizes->profile != SFU_SRTP_AES128_CM_SHA1_80;
}

static const EVP_CIPHER *session_cipher(const struct sfu_srtp_sizes *sizes) {
    if (!is_gcm(sizes))
        return EVP_aes_128_ctr();
    return sizes->key_len == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm();
}

/* Session keys (RFC 3711 section 4.3) with a key derivation rate of 0: the keystream of AES-CM
 * under the master key. The 96-bit salts of GCM count as 112 bits ending in zeros (RFC 7714 section
 * 11). */
static int derive(const struct sfu_srtp_sizes *sizes, const struct sfu_srtp_key *master,
                  uint8_t label, uint8_t *out, size_t out_len) {
    uint8_t counter[CTR_IV_LEN] = {0};
    memcpy(counter, master->salt, sizes->salt_len);
    counter[7] ^= label;
    memset(out, 0, out_len);

    const EVP_CIPHER *prf = sizes->key_len == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr();
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int written;
    bool done = ctx != NULL && EVP_EncryptInit_ex(ctx, prf, NULL, master->key, counter) == 1 &&
                EVP_EncryptUpdate(ctx, out, &written, out, (int)out_len) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return done ? 0 : -EIO;
}

static void hmac_block(SHA_CTX *out, const uint8_t *key, uint8_t pad) {
    uint8_t block[SHA_CBLOCK];
    memset(block, pad, sizeof(block));
    for (size_t i = 0; i < AUTH_KEY_LEN; i++)
        block[i] ^= key[i];
    SHA1_Init(out);
    SHA1_Update(out, block, sizeof(block));
    OPENSSL_cleanse(block, sizeof(block));
}

static void hmac_set_key(struct hmac *hmac, const uint8_t key[static AUTH_KEY_LEN]) {
    hmac_block(&hmac->inner, key, 0x36);
    hmac_block(&hmac->outer, key, 0x5c);
}

/* The first bytes of HMAC-SHA1(packet || ROC) (RFC 3711 section 4.2), behind the packet. */
static void append_hmac(const struct hmac *hmac, uint8_t *packet, size_t len, uint32_t roc,
                        size_t tag_len) {
    const uint8_t roc_bytes[4] = {roc >> 24, roc >> 16, roc >> 8, roc};
    uint8_t digest[SHA_DIGEST_LENGTH];
    SHA_CTX sha = hmac->inner;
    SHA1_Update(&sha, packet, len);
    SHA1_Update(&sha, roc_bytes, sizeof(roc_bytes));
    SHA1_Final(digest, &sha);
    sha = hmac->outer;
    SHA1_Update(&sha, digest, sizeof(digest));
    SHA1_Final(digest, &sha);
    memcpy(packet + len, digest, tag_len);
}

static int keys_init(struct sfu_srtp_out *out, const struct sfu_srtp_key *master) {
    uint8_t key[SFU_SRTP_KEY_MAX];
    uint8_t auth[AUTH_KEY_LEN];
    const struct sfu_srtp_sizes *sizes = out->sizes;
    int result = derive(sizes, master, LABEL_RTP_KEY, key, sizes->key_len);
    if (result == 0)
        result = derive(sizes, master, LABEL_RTP_AUTH, auth, sizeof(auth));
    if (result == 0)
        result = derive(sizes, master, LABEL_RTP_SALT, out->salt, sizes->salt_len);
    if (result == 0) {
        hmac_set_key(&out->hmac, auth);
        if (EVP_EncryptInit_ex(out->cipher, session_cipher(sizes), NULL, key, NULL) != 1)
            result = -EIO;
    }
    OPENSSL_cleanse(key, sizeof(key));
    OPENSSL_cleanse(auth, sizeof(auth));
    return result;
}

int sfu_srtp_out_create(struct sfu_srtp_out **result, enum sfu_srtp_profile profile,
                        const struct sfu_srtp_key *key) {
    const struct sfu_srtp_sizes *sizes = sfu_srtp_sizes_find(profile);
    if (sizes == NULL)
        return -ENOTSUP;
    struct sfu_srtp_out *out = calloc(1, sizeof(*out));
    if (out == NULL)
        return -ENOMEM;
    out->sizes = sizes;
    out->cipher = EVP_CIPHER_CTX_new();
    int error = out->cipher ? keys_init(out, key) : -ENOMEM;
    if (error == 0)
        error = sfu_srtp_session_create(&out->rtcp, sizes, key, ssrc_any_outbound);
    if (error != 0) {
        sfu_srtp_out_destroy(out);
        return error;
    }
    *result = out;
    return 0;
}

void sfu_srtp_out_destroy(struct sfu_srtp_out *out) {
    if (out == NULL)
        return;
    EVP_CIPHER_CTX_free(out->cipher);
    if (out->rtcp)
        srtp_dealloc(out->rtcp);
    OPENSSL_cleanse(out, sizeof(*out));
    free(out);
}

size_t sfu_srtp_out_tag_len(const struct sfu_srtp_out *out) {
    return out->sizes->tag_len;
}

/* The roll-over counter of this packet (RFC 3711 section 3.3.1), and the stream advanced. Older
 * than the first packet: the counter before 0, which no packet will ever have, so that no nonce
 * can come twice. */
static uint32_t stream_advance(struct sfu_srtp_stream *stream, uint16_t seq) {
    if (!stream->started) {
        stream->started = true;
        stream->highest_seq = seq;
        return stream->roc;
    }
    bool newer = (int16_t)(uint16_t)(seq - stream->highest_seq) > 0;
    if (!newer)
        return seq > stream->highest_seq ? stream->roc - 1 : stream->roc;
    if (seq < stream->highest_seq)
        stream->roc++;
    stream->highest_seq = seq;
    return stream->roc;
}

/* RFC 7714 section 8.1: (0x0000 || SSRC || ROC || SEQ) xor salt. */
static void gcm_iv(const struct sfu_srtp_out *out, const uint8_t *header, uint32_t roc,
                   uint8_t *iv) {
    const uint8_t plain[GCM_IV_LEN] = {
        0,         0,         header[8], header[9],  header[10], header[11],
        roc >> 24, roc >> 16, roc >> 8,  roc & 0xff, header[2],  header[3],
    };
    for (size_t i = 0; i < GCM_IV_LEN; i++)
        iv[i] = plain[i] ^ out->salt[i];
}

/* RFC 3711 section 4.1.1: (salt * 2^16) xor (SSRC * 2^64) xor (index * 2^16). */
static void ctr_iv(const struct sfu_srtp_out *out, const uint8_t *header, uint32_t roc,
                   uint8_t *iv) {
    const uint8_t plain[CTR_IV_LEN] = {
        0,         0,         0,        0,          header[8], header[9], header[10], header[11],
        roc >> 24, roc >> 16, roc >> 8, roc & 0xff, header[2], header[3], 0,          0,
    };
    memcpy(iv, plain, CTR_IV_LEN);
    for (size_t i = 0; i < out->sizes->salt_len; i++)
        iv[i] ^= out->salt[i];
}

static bool encrypt(EVP_CIPHER_CTX *cipher, uint8_t *to, const uint8_t *from, size_t len) {
    int written;
    return len == 0 || EVP_EncryptUpdate(cipher, to, &written, from, (int)len) == 1;
}

size_t sfu_srtp_protect_rtp(struct sfu_srtp_out *out, struct sfu_srtp_stream *stream,
                            uint8_t *packet, size_t header_len, const uint8_t *prefix,
                            size_t prefix_len, const uint8_t *payload, size_t payload_len) {
    uint32_t roc = stream_advance(stream, (uint16_t)(packet[2] << 8 | packet[3]));
    size_t tag_len = out->sizes->tag_len;
    size_t len = header_len + prefix_len + payload_len;
    bool gcm = is_gcm(out->sizes);
    uint8_t iv[CTR_IV_LEN];
    int written;

    (gcm ? gcm_iv : ctr_iv)(out, packet, roc, iv);
    if (EVP_EncryptInit_ex(out->cipher, NULL, NULL, NULL, iv) != 1)
        return 0;
    if (gcm && EVP_EncryptUpdate(out->cipher, NULL, &written, packet, (int)header_len) != 1)
        return 0;
    if (!encrypt(out->cipher, packet + header_len, prefix, prefix_len) ||
        !encrypt(out->cipher, packet + header_len + prefix_len, payload, payload_len))
        return 0;
    if (!gcm)
        append_hmac(&out->hmac, packet, len, roc, tag_len);
    else if (EVP_EncryptFinal_ex(out->cipher, packet + len, &written) != 1 ||
             EVP_CIPHER_CTX_ctrl(out->cipher, EVP_CTRL_AEAD_GET_TAG, (int)tag_len, packet + len) !=
                 1)
        return 0;
    return len + tag_len;
}

int sfu_srtp_protect_rtcp(struct sfu_srtp_out *out, uint8_t *data, size_t *len) {
    int length = (int)*len;
    if (*len < SFU_RTCP_HEADER_MIN || *len > UINT16_MAX ||
        srtp_protect_rtcp(out->rtcp, data, &length) != srtp_err_status_ok)
        return -EIO;
    *len = (size_t)length;
    return 0;
}
