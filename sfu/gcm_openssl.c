/* AES-GCM by OpenSSL's EVP: the key is set once, a message sets its IV only. */
#include "sfu/gcm.h"

#include <openssl/evp.h>

/* struct sfu_gcm is EVP's context. */
static EVP_CIPHER_CTX *context(struct sfu_gcm *gcm) {
    return (EVP_CIPHER_CTX *)(void *)gcm;
}

static bool usable(void) {
    return true;
}

static struct sfu_gcm *create(const uint8_t *key, size_t key_len, bool seals) {
    const EVP_CIPHER *cipher = key_len == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm();
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    if (ctx != NULL && EVP_CipherInit_ex(ctx, cipher, NULL, key, NULL, seals) != 1) {
        EVP_CIPHER_CTX_free(ctx);
        ctx = NULL;
    }
    return (struct sfu_gcm *)(void *)ctx;
}

static void destroy(struct sfu_gcm *gcm) {
    EVP_CIPHER_CTX_free(context(gcm));
}

static bool begin(EVP_CIPHER_CTX *ctx, const uint8_t *iv, const uint8_t *aad, size_t aad_len) {
    int written;
    return EVP_CipherInit_ex(ctx, NULL, NULL, NULL, iv, -1) == 1 &&
           EVP_CipherUpdate(ctx, NULL, &written, aad, (int)aad_len) == 1;
}

static bool update(EVP_CIPHER_CTX *ctx, uint8_t *to, const uint8_t *from, size_t len) {
    int written;
    return len == 0 || EVP_CipherUpdate(ctx, to, &written, from, (int)len) == 1;
}

static bool seal(struct sfu_gcm *gcm, const uint8_t iv[static SFU_GCM_IV_LEN],
                 const struct sfu_gcm_text *text, uint8_t *out) {
    EVP_CIPHER_CTX *ctx = context(gcm);
    uint8_t *tag = out + text->prefix_len + text->body_len;
    int written;
    return begin(ctx, iv, text->aad, text->aad_len) &&
           update(ctx, out, text->prefix, text->prefix_len) &&
           update(ctx, out + text->prefix_len, text->body, text->body_len) &&
           EVP_CipherFinal_ex(ctx, tag, &written) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, SFU_GCM_TAG_LEN, tag) == 1;
}

static bool open_in_place(struct sfu_gcm *gcm, const uint8_t iv[static SFU_GCM_IV_LEN],
                          const uint8_t *aad, size_t aad_len, uint8_t *data, size_t len) {
    EVP_CIPHER_CTX *ctx = context(gcm);
    int written;
    return begin(ctx, iv, aad, aad_len) && update(ctx, data, data, len) &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, SFU_GCM_TAG_LEN, data + len) == 1 &&
           EVP_CipherFinal_ex(ctx, data + len, &written) == 1;
}

const struct sfu_gcm_library sfu_gcm_openssl = {"OpenSSL", usable,        create, destroy,
                                                seal,      open_in_place, NULL};
