/* HMAC-SHA1 (RFC 2104), of SRTP (RFC 3711 section 4.2) and STUN (RFC 8489 section 14.5). OpenSSL
 * 3's own looks the hash up and allocates for every message. */
#ifndef SFU_HMAC_H
#define SFU_HMAC_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/sha.h>

enum { SFU_HMAC_LEN = 20 };

/* A key: its two blocks already hashed, which a message copies. */
struct sfu_hmac {
    SHA_CTX inner;
    SHA_CTX outer;
};

/* key_len: at most SHA_CBLOCK, a longer one would have to be hashed first. */
void sfu_hmac_init(struct sfu_hmac *hmac, const uint8_t *key, size_t key_len);

/* Of the data and a trailer (NULL and 0: none). */
void sfu_hmac_digest(const struct sfu_hmac *hmac, const uint8_t *data, size_t len,
                     const uint8_t *trailer, size_t trailer_len,
                     uint8_t digest[static SFU_HMAC_LEN]);

#endif
