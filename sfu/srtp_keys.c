#include "sfu/srtp_keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "rtp/bytes.h"

enum { AUTH_KEY_LEN = 20 };

static const struct sfu_srtp_sizes profiles[] = {
    {SFU_SRTP_AEAD_AES_128_GCM, 16, 12, 16},
    {SFU_SRTP_AES128_CM_SHA1_80, 16, 14, 10},
    {SFU_SRTP_AEAD_AES_256_GCM, 32, 12, 16},
};

const struct sfu_srtp_sizes *sfu_srtp_sizes_find(enum sfu_srtp_profile profile) {
    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
        if (profiles[i].profile == profile)
            return &profiles[i];
    return NULL;
}

size_t sfu_srtp_key_len(enum sfu_srtp_profile profile) {
    const struct sfu_srtp_sizes *sizes = sfu_srtp_sizes_find(profile);
    return sizes ? sizes->key_len : 0;
}

size_t sfu_srtp_salt_len(enum sfu_srtp_profile profile) {
    const struct sfu_srtp_sizes *sizes = sfu_srtp_sizes_find(profile);
    return sizes ? sizes->salt_len : 0;
}

/* A key derivation rate of 0: the keystream of AES-CM under the master key. The 96-bit salts of GCM
 * count as 112 bits ending in zeros (RFC 7714 section 11). */
int sfu_srtp_derive(const struct sfu_srtp_sizes *sizes, const struct sfu_srtp_key *master,
                    uint8_t label, uint8_t *out, size_t out_len) {
    uint8_t counter[SFU_SRTP_IV_MAX] = {0};
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

static int ctr_init(struct sfu_srtp_keys *keys, const uint8_t *key, const uint8_t *auth) {
    keys->ctr = EVP_CIPHER_CTX_new();
    keys->hmac = calloc(1, sizeof(*keys->hmac));
    if (keys->ctr == NULL || keys->hmac == NULL)
        return -ENOMEM;
    sfu_hmac_init(keys->hmac, auth, AUTH_KEY_LEN);
    return EVP_EncryptInit_ex(keys->ctr, EVP_aes_128_ctr(), NULL, key, NULL) == 1 ? 0 : -EIO;
}

static int ciphers_init(struct sfu_srtp_keys *keys, const uint8_t *key, const uint8_t *auth,
                        bool seals) {
    if (!sfu_srtp_is_gcm(keys->sizes))
        return ctr_init(keys, key, auth);
    keys->gcm = keys->provider->create(key, keys->sizes->key_len, seals);
    return keys->gcm ? 0 : -ENOMEM;
}

int sfu_srtp_keys_init(struct sfu_srtp_keys *keys, const struct sfu_srtp_sizes *sizes,
                       const struct sfu_gcm_library *library, const struct sfu_srtp_key *master,
                       enum sfu_srtp_use use, bool seals) {
    uint8_t key[SFU_SRTP_KEY_MAX], auth[AUTH_KEY_LEN], salt[SFU_SRTP_IV_MAX] = {0};
    uint8_t labels = (uint8_t)use;
    *keys = (struct sfu_srtp_keys){
        .sizes = sizes, .provider = library, .is_gcm = sfu_srtp_is_gcm(sizes)};
    int result = sfu_srtp_derive(sizes, master, labels + SFU_SRTP_LABEL_KEY, key, sizes->key_len);
    if (result == 0)
        result = sfu_srtp_derive(sizes, master, labels + SFU_SRTP_LABEL_AUTH, auth, sizeof(auth));
    if (result == 0)
        result =
            sfu_srtp_derive(sizes, master, labels + SFU_SRTP_LABEL_SALT, salt, sizes->salt_len);
    keys->salt[0] = rtp_get64(salt);
    keys->salt[1] = rtp_get64(salt + 8);
    if (result == 0)
        result = ciphers_init(keys, key, auth, seals);
    OPENSSL_cleanse(key, sizeof(key));
    OPENSSL_cleanse(auth, sizeof(auth));
    OPENSSL_cleanse(salt, sizeof(salt));
    return result;
}

void sfu_srtp_keys_deinit(struct sfu_srtp_keys *keys) {
    if (keys->gcm != NULL)
        keys->provider->destroy(keys->gcm);
    EVP_CIPHER_CTX_free(keys->ctr);
    if (keys->hmac != NULL)
        OPENSSL_cleanse(keys->hmac, sizeof(*keys->hmac));
    free(keys->hmac);
    OPENSSL_cleanse(keys, sizeof(*keys));
}

bool sfu_srtp_ctr(const struct sfu_srtp_keys *keys, const uint8_t *iv, uint8_t *to,
                  const uint8_t *from, size_t len) {
    int written;
    return (iv == NULL || EVP_EncryptInit_ex(keys->ctr, NULL, NULL, NULL, iv) == 1) &&
           (len == 0 || EVP_EncryptUpdate(keys->ctr, to, &written, from, (int)len) == 1);
}
