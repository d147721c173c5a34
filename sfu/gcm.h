/* AES-GCM (NIST SP 800-38D) of many small messages under kept keys, as SRTP uses it: IVs of 96
 * bits, tags of 128. Two implementations, chosen when the process starts: Intel's multi-buffer
 * library where the processor has what it needs (x86-64 only; a quarter of the time with VAES), and
 * OpenSSL. Neither allocates for a message. */
#ifndef SFU_GCM_H
#define SFU_GCM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SFU_GCM_IV_LEN = 12, SFU_GCM_TAG_LEN = 16 };

/* What a message is made of: what is only authenticated, and what is encrypted, in two pieces of
 * which the first may be empty. */
struct sfu_gcm_text {
    const uint8_t *aad;
    size_t aad_len;
    const uint8_t *prefix;
    size_t prefix_len;
    const uint8_t *body;
    size_t body_len;
};

/* One key in one direction; the implementations' own. */
struct sfu_gcm;

struct sfu_gcm_library {
    const char *name;
    bool (*usable)(void); /* On this processor. */
    /* key_len is 16 or 32. NULL when memory is out. */
    struct sfu_gcm *(*create)(const uint8_t *key, size_t key_len, bool seals);
    void (*destroy)(struct sfu_gcm *gcm);
    /* Writes the ciphertext and the tag to out, which overlaps nothing. False: nothing may be sent.
     */
    bool (*seal)(struct sfu_gcm *gcm, const uint8_t iv[static SFU_GCM_IV_LEN],
                 const struct sfu_gcm_text *text, uint8_t *out);
    /* Decrypts len bytes in place, behind which stands the tag. False when it is wrong; the bytes
     * mean nothing then. */
    bool (*open)(struct sfu_gcm *gcm, const uint8_t iv[static SFU_GCM_IV_LEN], const uint8_t *aad,
                 size_t aad_len, uint8_t *data, size_t len);
    /* Prefetches what sealing so many bytes reads of the key; NULL: that is not known. */
    void (*fetch)(const struct sfu_gcm *gcm, size_t len);
};

extern const struct sfu_gcm_library sfu_gcm_openssl;
extern const struct sfu_gcm_library sfu_gcm_multibuffer;

/* The fastest one that is usable here; the same for the life of the process. Any thread. */
const struct sfu_gcm_library *sfu_gcm_library(void);

#endif
