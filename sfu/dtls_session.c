/* Records of an established association. The keys are derived once more from the master secret (RFC
 * 5246 section 6.3), since OpenSSL gives them to nobody. */
#include "sfu/dtls_session.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

enum {
    EPOCH = 1,
    SEQ_LEN = 8, /* Epoch and number, as in a record's header and in what is authenticated. */
    AAD_LEN = 13,
    TAG_LEN = 16,
    GCM_SALT_LEN = 4,
    GCM_NONCE_LEN = 8, /* What stands in a record of it. */
    RANDOM_LEN = SSL3_RANDOM_SIZE,
    KEY_BLOCK_MAX = 2 * (SFU_DTLS_KEY_MAX + SFU_DTLS_IV_LEN),
};

static void put_number(uint8_t *out, uint64_t number, size_t len) {
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(number >> 8 * (len - 1 - i));
}

static uint64_t get_number(const uint8_t *bytes) {
    uint64_t number = 0;
    for (size_t i = 0; i < SEQ_LEN; i++)
        number = number << 8 | bytes[i];
    return number;
}

/* --- Keys --- */

static bool choose_cipher(struct sfu_dtls_session *session, const SSL *ssl) {
    const SSL_CIPHER *suite = SSL_get_current_cipher(ssl);
    int nid = suite ? SSL_CIPHER_get_cipher_nid(suite) : NID_undef;
    session->chacha = nid == NID_chacha20_poly1305;
    if (session->chacha)
        session->cipher = EVP_chacha20_poly1305();
    else if (nid == NID_aes_128_gcm)
        session->cipher = EVP_aes_128_gcm();
    else if (nid == NID_aes_256_gcm)
        session->cipher = EVP_aes_256_gcm();
    return session->cipher != NULL;
}

static bool prf(const char *digest, uint8_t *master, size_t master_len, uint8_t *seed,
                size_t seed_len, uint8_t *out, size_t out_len) {
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_TLS1_PRF, NULL);
    EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master, master_len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed, seed_len),
        OSSL_PARAM_construct_end(),
    };
    bool done = ctx != NULL && EVP_KDF_derive(ctx, out, out_len, parameters) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return done;
}

/* RFC 5246 section 6.3: client's key, server's key, client's IV, server's IV. */
static bool derive(struct sfu_dtls_session *session, const SSL *ssl) {
    static const char label[] = "key expansion";
    uint8_t seed[sizeof(label) - 1 + 2 * RANDOM_LEN], block[KEY_BLOCK_MAX];
    uint8_t master[SSL_MAX_MASTER_KEY_LENGTH];
    size_t label_len = sizeof(label) - 1;
    size_t key_len = (size_t)EVP_CIPHER_get_key_length(session->cipher);
    size_t iv_len = session->chacha ? SFU_DTLS_IV_LEN : GCM_SALT_LEN;
    const EVP_MD *digest = SSL_CIPHER_get_handshake_digest(SSL_get_current_cipher(ssl));
    size_t master_len = SSL_SESSION_get_master_key(SSL_get_session(ssl), master, sizeof(master));
    memcpy(seed, label, label_len);
    SSL_get_server_random(ssl, seed + label_len, RANDOM_LEN);
    SSL_get_client_random(ssl, seed + label_len + RANDOM_LEN, RANDOM_LEN);
    bool done = digest != NULL && prf(EVP_MD_get0_name(digest), master, master_len, seed,
                                      sizeof(seed), block, 2 * (key_len + iv_len));
    struct sfu_dtls_keys *client = SSL_is_server(ssl) ? &session->read : &session->write;
    struct sfu_dtls_keys *server = SSL_is_server(ssl) ? &session->write : &session->read;
    if (done) {
        memcpy(client->key, block, key_len);
        memcpy(server->key, block + key_len, key_len);
        memcpy(client->iv, block + 2 * key_len, iv_len);
        memcpy(server->iv, block + 2 * key_len + iv_len, iv_len);
    }
    OPENSSL_cleanse(master, sizeof(master));
    OPENSSL_cleanse(block, sizeof(block));
    return done;
}

/* --- Records --- */

/* RFC 5288 section 3: salt and what stands in the record; RFC 7905 section 2: the IV and the
 * number. */
static void make_nonce(const struct sfu_dtls_session *session, const struct sfu_dtls_keys *keys,
                       const uint8_t number[static SEQ_LEN], uint8_t out[static SFU_DTLS_IV_LEN]) {
    memcpy(out, keys->iv, SFU_DTLS_IV_LEN);
    for (size_t i = 0; i < SEQ_LEN; i++) {
        uint8_t *byte = &out[SFU_DTLS_IV_LEN - SEQ_LEN + i];
        *byte = session->chacha ? *byte ^ number[i] : number[i];
    }
}

/* RFC 5246 section 6.2.3.3: epoch and number, type, version, length of the text. */
static void make_aad(const uint8_t *header, size_t text_len, uint8_t out[static AAD_LEN]) {
    memcpy(out, header + 3, SEQ_LEN);
    memcpy(out + SEQ_LEN, header, 3);
    put_number(out + SEQ_LEN + 3, text_len, 2);
}

struct text {
    const uint8_t *from;
    size_t len;
    uint8_t *to;
    uint8_t *tag; /* Written, or compared. */
};

static bool run(const struct sfu_dtls_session *session, const struct sfu_dtls_keys *keys,
                bool seals, const uint8_t *nonce, const uint8_t aad[static AAD_LEN],
                const struct text *text) {
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t none[TAG_LEN];
    int len;
    bool done =
        ctx != NULL &&
        EVP_CipherInit_ex(ctx, session->cipher, NULL, keys->key, nonce, seals) == 1 &&
        (seals || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, text->tag) == 1) &&
        EVP_CipherUpdate(ctx, NULL, &len, aad, AAD_LEN) == 1 &&
        EVP_CipherUpdate(ctx, text->to, &len, text->from, (int)text->len) == 1 &&
        EVP_CipherFinal_ex(ctx, none, &len) == 1 &&
        (!seals || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, text->tag) == 1);
    EVP_CIPHER_CTX_free(ctx);
    return done;
}

static size_t open_with(const struct sfu_dtls_session *session, const struct sfu_dtls_keys *keys,
                        const struct sfu_dtls_record *record,
                        uint8_t out[static SFU_DTLS_OPENED_MAX]) {
    const uint8_t *body = record->bytes + SFU_DTLS_RECORD_HEADER;
    size_t nonce_len = session->chacha ? 0 : GCM_NONCE_LEN;
    size_t overhead = SFU_DTLS_RECORD_HEADER + nonce_len + TAG_LEN;
    if (record->epoch != EPOCH || record->len <= overhead ||
        record->len - overhead > SFU_DTLS_OPENED_MAX)
        return 0;
    size_t len = record->len - overhead;
    uint8_t nonce[SFU_DTLS_IV_LEN], aad[AAD_LEN], tag[TAG_LEN];
    memcpy(tag, body + nonce_len + len, TAG_LEN);
    make_nonce(session, keys, session->chacha ? record->bytes + 3 : body, nonce);
    make_aad(record->bytes, len, aad);
    struct text text = {.from = body + nonce_len, .len = len, .to = out, .tag = tag};
    return run(session, keys, false, nonce, aad, &text) ? len : 0;
}

size_t sfu_dtls_session_open(const struct sfu_dtls_session *session,
                             const struct sfu_dtls_record *record,
                             uint8_t out[static SFU_DTLS_OPENED_MAX]) {
    return open_with(session, &session->read, record, out);
}

size_t sfu_dtls_session_seal(struct sfu_dtls_session *session, uint8_t type, const uint8_t *text,
                             size_t len, uint8_t out[static SFU_DTLS_SEALED_MAX]) {
    size_t nonce_len = session->chacha ? 0 : GCM_NONCE_LEN;
    uint8_t *body = out + SFU_DTLS_RECORD_HEADER;
    uint8_t nonce[SFU_DTLS_IV_LEN], aad[AAD_LEN];
    out[0] = type;
    put_number(out + 1, DTLS1_2_VERSION, 2);
    put_number(out + 3, (uint64_t)EPOCH << 48 | session->write_seq++, SEQ_LEN);
    put_number(out + 11, nonce_len + len + TAG_LEN, 2);
    put_number(body, session->write_nonce++, nonce_len);
    make_nonce(session, &session->write, session->chacha ? out + 3 : body, nonce);
    make_aad(out, len, aad);
    struct text sealed = {
        .from = text, .len = len, .to = body + nonce_len, .tag = body + nonce_len + len};
    if (!run(session, &session->write, true, nonce, aad, &sealed))
        return 0;
    return SFU_DTLS_RECORD_HEADER + nonce_len + len + TAG_LEN;
}

bool sfu_dtls_session_begin(struct sfu_dtls_session *session, SSL *ssl, const uint8_t *finished,
                            size_t len) {
    uint8_t opened[SFU_DTLS_OPENED_MAX];
    struct sfu_dtls_record record;
    *session = (struct sfu_dtls_session){0};
    /* That our own Finished can be read proves the keys. */
    if (!choose_cipher(session, ssl) || !derive(session, ssl) ||
        !sfu_dtls_record_next(&finished, &len, &record) ||
        open_with(session, &session->write, &record, opened) != SFU_DTLS_FINISHED_LEN)
        return false;
    memcpy(session->finished, opened, SFU_DTLS_FINISHED_LEN);
    /* What OpenSSL has used under this key is never used again. */
    session->write_seq = (get_number(record.bytes + 3) & UINT64_C(0xffffffffffff)) + 1;
    session->write_nonce = get_number(record.bytes + SFU_DTLS_RECORD_HEADER) + 1;
    return true;
}
