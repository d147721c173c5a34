/* AES-GCM by Intel's multi-buffer library (libipsec-mb), which has routines for VAES and
 * VPCLMULQDQ: 1,100 bytes in about 100 ns where OpenSSL 3.0 takes 400. Nothing here where it does
 * not exist. */
#include "sfu/gcm.h"

#ifdef WEIR_IPSEC_MB

#include <pthread.h>
#include <stdlib.h>

#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>

struct sfu_gcm {
    struct gcm_key_data keys; /* First, since it is aligned. */
    aes_gcm_init_t init;
    aes_gcm_enc_dec_update_t update;
    aes_gcm_enc_dec_finalize_t finalize;
};

enum {
    CACHE_LINE = 64,
    /* struct gcm_key_data begins with the round keys; behind them stand, for VAES, the powers of
     * the hash key, the 48th first: a message of n blocks of 16 bytes needs the last n. */
    QUARTER_BYTES = 256,
    SHORT_BYTES = 192, /* Needs the first quarter and the last. */
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static IMB_MGR *manager; /* A table of functions; what they change is their caller's. */
static bool has_vaes;

static void choose_functions(void) {
    IMB_ARCH arch = IMB_ARCH_NONE;
    manager = alloc_mb_mgr(0);
    if (manager == NULL)
        return;
    init_mb_mgr_auto(manager, &arch);
    /* Its C fallback for processors without AES instructions is slower than OpenSSL's. */
    if (arch < IMB_ARCH_SSE) {
        free_mb_mgr(manager);
        manager = NULL;
        return;
    }
    has_vaes = arch == IMB_ARCH_AVX512 && (manager->features & IMB_FEATURE_VAES) != 0;
}

static bool usable(void) {
    pthread_once(&once, choose_functions);
    return manager != NULL;
}

static struct sfu_gcm *create(const uint8_t *key, size_t key_len, bool seals) {
    struct sfu_gcm *gcm = NULL;
    if (!usable() || posix_memalign((void **)&gcm, 64, sizeof(*gcm)) != 0)
        return NULL;
    if (key_len == 32) {
        gcm->init = manager->gcm256_init;
        gcm->update = seals ? manager->gcm256_enc_update : manager->gcm256_dec_update;
        gcm->finalize = seals ? manager->gcm256_enc_finalize : manager->gcm256_dec_finalize;
        IMB_AES256_GCM_PRE(manager, key, &gcm->keys);
    } else {
        gcm->init = manager->gcm128_init;
        gcm->update = seals ? manager->gcm128_enc_update : manager->gcm128_dec_update;
        gcm->finalize = seals ? manager->gcm128_enc_finalize : manager->gcm128_dec_finalize;
        IMB_AES128_GCM_PRE(manager, key, &gcm->keys);
    }
    return gcm;
}

static void destroy(struct sfu_gcm *gcm) {
    if (gcm != NULL)
        OPENSSL_cleanse(gcm, sizeof(*gcm));
    free(gcm);
}

static bool seal(struct sfu_gcm *gcm, const uint8_t iv[static SFU_GCM_IV_LEN],
                 const struct sfu_gcm_text *text, uint8_t *out) {
    struct gcm_context_data state;
    gcm->init(&gcm->keys, &state, iv, text->aad, text->aad_len);
    if (text->prefix_len > 0)
        gcm->update(&gcm->keys, &state, out, text->prefix, text->prefix_len);
    gcm->update(&gcm->keys, &state, out + text->prefix_len, text->body, text->body_len);
    gcm->finalize(&gcm->keys, &state, out + text->prefix_len + text->body_len, SFU_GCM_TAG_LEN);
    return true;
}

static bool open_in_place(struct sfu_gcm *gcm, const uint8_t iv[static SFU_GCM_IV_LEN],
                          const uint8_t *aad, size_t aad_len, uint8_t *data, size_t len) {
    struct gcm_context_data state;
    uint8_t tag[SFU_GCM_TAG_LEN];
    gcm->init(&gcm->keys, &state, iv, aad, aad_len);
    gcm->update(&gcm->keys, &state, data, data, len);
    gcm->finalize(&gcm->keys, &state, tag, sizeof(tag));
    return CRYPTO_memcmp(tag, data + len, sizeof(tag)) == 0;
}

static inline void fetch_quarter(const struct sfu_gcm *gcm, size_t quarter) {
    const uint8_t *bytes = (const uint8_t *)gcm + quarter * QUARTER_BYTES;
    __builtin_prefetch(bytes);
    __builtin_prefetch(bytes + CACHE_LINE);
    __builtin_prefetch(bytes + 2 * CACHE_LINE);
    __builtin_prefetch(bytes + 3 * CACHE_LINE);
}

/* Of sound a few lines of the cache: more than sixteen under way at once would be waited for. */
static void fetch(const struct sfu_gcm *gcm, size_t len) {
    fetch_quarter(gcm, 0);
    if (!has_vaes || len > SHORT_BYTES) {
        fetch_quarter(gcm, 1);
        fetch_quarter(gcm, 2);
    }
    fetch_quarter(gcm, 3);
    __builtin_prefetch(&gcm->init);
}

const struct sfu_gcm_library sfu_gcm_multibuffer = {"libipsec-mb", usable,        create, destroy,
                                                    seal,          open_in_place, fetch};

#else

static bool usable(void) {
    return false;
}

const struct sfu_gcm_library sfu_gcm_multibuffer = {.name = "libipsec-mb", .usable = usable};

#endif
