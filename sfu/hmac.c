#define OPENSSL_SUPPRESS_DEPRECATED

#include "sfu/hmac.h"

#include <string.h>

#include <openssl/crypto.h>

static void hash_block(SHA_CTX *out, const uint8_t *key, size_t key_len, uint8_t pad) {
    uint8_t block[SHA_CBLOCK];
    memset(block, pad, sizeof(block));
    for (size_t i = 0; i < key_len; i++)
        block[i] ^= key[i];
    SHA1_Init(out);
    SHA1_Update(out, block, sizeof(block));
    OPENSSL_cleanse(block, sizeof(block));
}

void sfu_hmac_init(struct sfu_hmac *hmac, const uint8_t *key, size_t key_len) {
    hash_block(&hmac->inner, key, key_len, 0x36);
    hash_block(&hmac->outer, key, key_len, 0x5c);
}

void sfu_hmac_digest(const struct sfu_hmac *hmac, const uint8_t *data, size_t len,
                     const uint8_t *trailer, size_t trailer_len,
                     uint8_t digest[static SFU_HMAC_LEN]) {
    SHA_CTX sha = hmac->inner;
    SHA1_Update(&sha, data, len);
    SHA1_Update(&sha, trailer, trailer_len);
    SHA1_Final(digest, &sha);
    sha = hmac->outer;
    SHA1_Update(&sha, digest, SFU_HMAC_LEN);
    SHA1_Final(digest, &sha);
}
