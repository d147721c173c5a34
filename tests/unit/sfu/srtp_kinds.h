/* What SRTP's tests share: every profile by every cipher library of this machine, and libsrtp2 as
 * the other end. */
#ifndef TESTS_UNIT_SFU_SRTP_KINDS_H
#define TESTS_UNIT_SFU_SRTP_KINDS_H

#include <srtp2/srtp.h>
#include <string.h>

#include "sfu/srtp_keys.h"
#include "tests/unit/test.h"

struct kind {
    enum sfu_srtp_profile profile;
    const struct sfu_gcm_library *library;
};

static const struct kind all_kinds[] = {
    {SFU_SRTP_AEAD_AES_128_GCM, &sfu_gcm_openssl},
    {SFU_SRTP_AEAD_AES_256_GCM, &sfu_gcm_openssl},
    {SFU_SRTP_AES128_CM_SHA1_80, &sfu_gcm_openssl},
    {SFU_SRTP_AEAD_AES_128_GCM, &sfu_gcm_multibuffer}, /* Not on every processor. */
    {SFU_SRTP_AEAD_AES_256_GCM, &sfu_gcm_multibuffer},
};

static inline size_t kind_count(void) {
    size_t all = sizeof(all_kinds) / sizeof(all_kinds[0]);
    return sfu_gcm_multibuffer.usable() ? all : all - 2;
}

/* A session of libsrtp2 for any SSRC of one direction. */
static inline srtp_t libsrtp_create(enum sfu_srtp_profile profile, const struct sfu_srtp_key *key,
                                    srtp_ssrc_type_t direction) {
    const struct sfu_srtp_sizes *sizes = sfu_srtp_sizes_find(profile);
    uint8_t key_and_salt[SFU_SRTP_KEY_MAX + SFU_SRTP_SALT_MAX];
    memcpy(key_and_salt, key->key, sizes->key_len);
    memcpy(key_and_salt + sizes->key_len, key->salt, sizes->salt_len);
    void (*set_policy)(srtp_crypto_policy_t *) =
        profile == SFU_SRTP_AES128_CM_SHA1_80  ? srtp_crypto_policy_set_rtp_default
        : profile == SFU_SRTP_AEAD_AES_128_GCM ? srtp_crypto_policy_set_aes_gcm_128_16_auth
                                               : srtp_crypto_policy_set_aes_gcm_256_16_auth;
    srtp_policy_t policy = {.ssrc = {.type = direction}, .key = key_and_salt, .window_size = 1024};
    set_policy(&policy.rtp);
    set_policy(&policy.rtcp);
    srtp_t session;
    srtp_init();
    CHECK_INT(srtp_create(&session, &policy), srtp_err_status_ok);
    return session;
}

#endif
