/* SRTP on libsrtp2: everything that comes in, and the sessions that protect our RTCP. */
#include "sfu/srtp.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "sfu/srtp_profile.h"

enum {
    REPLAY_WINDOW = 1024,
    /* Streams of one peer. libsrtp2 keeps each that it ever authenticated and searches them in a
     * list, so the one unheard for longest makes room. A client with three simulcast layers, their
     * RTX, a screen and audio needs 16. */
    STREAMS_MAX = 64,
};

struct stream_use {
    uint32_t ssrc;
    uint64_t used; /* Value of sfu_srtp_in.uses when last seen; 0: free. */
};

struct sfu_srtp_in {
    /* Given. */
    const struct sfu_srtp_sizes *sizes;
    /* Owned. */
    srtp_t session;
    /* State. */
    uint64_t uses;
    struct stream_use streams[STREAMS_MAX];
};

static const struct sfu_srtp_sizes profiles[] = {
    {SFU_SRTP_AEAD_AES_128_GCM, 16, 12, 16, srtp_crypto_policy_set_aes_gcm_128_16_auth},
    {SFU_SRTP_AES128_CM_SHA1_80, 16, 14, 10, srtp_crypto_policy_set_rtp_default},
    {SFU_SRTP_AEAD_AES_256_GCM, 32, 12, 16, srtp_crypto_policy_set_aes_gcm_256_16_auth},
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

static int startup_result;

static void startup(void) {
    startup_result = srtp_init() == srtp_err_status_ok ? 0 : -EIO;
}

int sfu_srtp_startup(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, startup);
    return startup_result;
}

int sfu_srtp_session_create(srtp_t *out, const struct sfu_srtp_sizes *sizes,
                            const struct sfu_srtp_key *key, srtp_ssrc_type_t direction) {
    uint8_t key_and_salt[SFU_SRTP_KEY_MAX + SFU_SRTP_SALT_MAX];
    memcpy(key_and_salt, key->key, sizes->key_len);
    memcpy(key_and_salt + sizes->key_len, key->salt, sizes->salt_len);

    srtp_policy_t policy = {.ssrc = {.type = direction},
                            .key = key_and_salt,
                            .window_size = REPLAY_WINDOW,
                            .allow_repeat_tx = 0};
    sizes->set_policy(&policy.rtp);
    sizes->set_policy(&policy.rtcp);
    srtp_err_status_t status = srtp_create(out, &policy);
    OPENSSL_cleanse(key_and_salt, sizeof(key_and_salt));
    if (status == srtp_err_status_ok)
        return 0;
    return status == srtp_err_status_alloc_fail ? -ENOMEM : -EIO;
}

int sfu_srtp_in_create(struct sfu_srtp_in **out, enum sfu_srtp_profile profile,
                       const struct sfu_srtp_key *key) {
    const struct sfu_srtp_sizes *sizes = sfu_srtp_sizes_find(profile);
    if (sizes == NULL)
        return -ENOTSUP;
    struct sfu_srtp_in *in = calloc(1, sizeof(*in));
    if (in == NULL)
        return -ENOMEM;
    in->sizes = sizes;
    int result = sfu_srtp_session_create(&in->session, sizes, key, ssrc_any_inbound);
    if (result != 0) {
        free(in);
        return result;
    }
    *out = in;
    return 0;
}

void sfu_srtp_in_destroy(struct sfu_srtp_in *in) {
    if (in == NULL)
        return;
    srtp_dealloc(in->session);
    free(in);
}

/* Notes an authenticated packet of this SSRC. */
static void stream_touch(struct sfu_srtp_in *in, uint32_t ssrc) {
    struct stream_use *oldest = &in->streams[0];
    in->uses++;
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        struct stream_use *stream = &in->streams[i];
        if (stream->used != 0 && stream->ssrc == ssrc) {
            stream->used = in->uses;
            return;
        }
        if (stream->used < oldest->used)
            oldest = stream;
    }
    if (oldest->used != 0)
        srtp_remove_stream(in->session, oldest->ssrc);
    *oldest = (struct stream_use){.ssrc = ssrc, .used = in->uses};
}

static int error_of(srtp_err_status_t status) {
    bool replayed = status == srtp_err_status_replay_fail || status == srtp_err_status_replay_old;
    return replayed ? -EALREADY : -EBADMSG;
}

/* As it stands on the wire, which is how libsrtp2 wants it. */
static uint32_t ssrc_at(const uint8_t *bytes) {
    uint32_t ssrc;
    memcpy(&ssrc, bytes, sizeof(ssrc));
    return ssrc;
}

/* Whether the header with its CSRCs and extension, and the tag, fit into the packet: libsrtp2
 * has had to be patched for packets that were too short. */
static bool rtp_is_long_enough(const uint8_t *data, size_t len, size_t tag_len) {
    if (len < SFU_RTP_HEADER_MIN + tag_len || data[0] >> 6 != 2)
        return false;
    size_t need = SFU_RTP_HEADER_MIN + (size_t)(data[0] & 0x0f) * 4 + tag_len;
    if (!(data[0] & 0x10))
        return len >= need;
    if (len < need + 4)
        return false;
    const uint8_t *extension = data + need - tag_len;
    return len >= need + 4 + (size_t)(extension[2] << 8 | extension[3]) * 4;
}

int sfu_srtp_unprotect_rtp(struct sfu_srtp_in *in, uint8_t *data, size_t *len) {
    if (*len > UINT16_MAX || !rtp_is_long_enough(data, *len, in->sizes->tag_len))
        return -EBADMSG;
    uint32_t ssrc = ssrc_at(data + 8);
    int length = (int)*len;
    srtp_err_status_t status = srtp_unprotect(in->session, data, &length);
    if (status != srtp_err_status_ok)
        return error_of(status);
    stream_touch(in, ssrc);
    *len = (size_t)length;
    return 0;
}

int sfu_srtp_unprotect_rtcp(struct sfu_srtp_in *in, uint8_t *data, size_t *len) {
    size_t least = (size_t)SFU_RTCP_HEADER_MIN + SFU_SRTCP_INDEX_LEN + in->sizes->tag_len;
    if (*len > UINT16_MAX || *len < least || data[0] >> 6 != 2)
        return -EBADMSG;
    uint32_t ssrc = ssrc_at(data + 4);
    int length = (int)*len;
    srtp_err_status_t status = srtp_unprotect_rtcp(in->session, data, &length);
    if (status != srtp_err_status_ok)
        return error_of(status);
    stream_touch(in, ssrc);
    *len = (size_t)length;
    return 0;
}
