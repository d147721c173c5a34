/* SRTP of what is fanned out: the keys are set once for each transport, a packet sets its IV only,
 * and the ciphertext goes from the shared plaintext straight to its place in the output. Allocates
 * nothing for a packet. */
#include "sfu/srtp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rtp/bytes.h"
#include "sfu/srtp_keys.h"

struct sfu_srtp_out {
    /* Owned. */
    struct sfu_srtp_keys rtp;
    struct sfu_srtp_keys rtcp;
    /* State. */
    uint32_t rtcp_index; /* Of the newest SRTCP packet; one count for all SSRCs does no harm. */
};

static int create_with(struct sfu_srtp_out **result, const struct sfu_gcm_library *library,
                       enum sfu_srtp_profile profile, const struct sfu_srtp_key *key) {
    const struct sfu_srtp_sizes *sizes = sfu_srtp_sizes_find(profile);
    if (sizes == NULL)
        return -ENOTSUP;
    struct sfu_srtp_out *out = calloc(1, sizeof(*out));
    if (out == NULL)
        return -ENOMEM;
    int error = sfu_srtp_keys_init(&out->rtp, sizes, library, key, SFU_SRTP_RTP, true);
    if (error == 0)
        error = sfu_srtp_keys_init(&out->rtcp, sizes, library, key, SFU_SRTP_RTCP, true);
    if (error != 0) {
        sfu_srtp_out_destroy(out);
        return error;
    }
    *result = out;
    return 0;
}

int sfu_srtp_out_create(struct sfu_srtp_out **result, enum sfu_srtp_profile profile,
                        const struct sfu_srtp_key *key) {
    return create_with(result, sfu_gcm_library(), profile, key);
}

void sfu_srtp_out_destroy(struct sfu_srtp_out *out) {
    if (out == NULL)
        return;
    sfu_srtp_keys_deinit(&out->rtp);
    sfu_srtp_keys_deinit(&out->rtcp);
    free(out);
}

void sfu_srtp_out_fetch(const struct sfu_srtp_out *out) {
    __builtin_prefetch(&out->rtp);
}

void sfu_srtp_out_fetch_keys(const struct sfu_srtp_out *out, size_t len) {
    const struct sfu_srtp_keys *keys = &out->rtp;
    if (keys->gcm != NULL && keys->provider->fetch != NULL)
        keys->provider->fetch(keys->gcm, len);
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

/* AES_CM_128_HMAC_SHA1_80: the ciphertext behind the header, and the tag over both and the ROC. */
static bool seal_ctr(const struct sfu_srtp_keys *keys, const uint8_t *iv, uint32_t roc,
                     uint8_t *packet, const struct sfu_gcm_text *text) {
    uint8_t digest[SFU_HMAC_LEN], roc_bytes[4];
    uint8_t *ciphertext = packet + text->aad_len;
    size_t len = text->aad_len + text->prefix_len + text->body_len;
    rtp_put32(roc_bytes, roc);
    if (!sfu_srtp_ctr(keys, iv, ciphertext, text->prefix, text->prefix_len) ||
        !sfu_srtp_ctr(keys, NULL, ciphertext + text->prefix_len, text->body, text->body_len))
        return false;
    sfu_hmac_digest(keys->hmac, packet, len, roc_bytes, sizeof(roc_bytes), digest);
    memcpy(packet + len, digest, keys->sizes->tag_len);
    return true;
}

size_t sfu_srtp_protect_rtp(struct sfu_srtp_out *out, struct sfu_srtp_stream *stream,
                            uint8_t *packet, size_t header_len, const uint8_t *prefix,
                            size_t prefix_len, const uint8_t *payload, size_t payload_len) {
    const struct sfu_srtp_keys *keys = &out->rtp;
    uint16_t seq = rtp_get16(packet + 2);
    uint32_t roc = stream_advance(stream, seq);
    uint8_t iv[SFU_SRTP_IV_MAX];
    sfu_srtp_iv(keys, packet + 8, (uint64_t)roc << 16 | seq, iv);
    const struct sfu_gcm_text text = {.aad = packet,
                                      .aad_len = header_len,
                                      .prefix = prefix,
                                      .prefix_len = prefix_len,
                                      .body = payload,
                                      .body_len = payload_len};
    bool done = keys->is_gcm ? keys->provider->seal(keys->gcm, iv, &text, packet + header_len)
                             : seal_ctr(keys, iv, roc, packet, &text);
    return done ? header_len + prefix_len + payload_len + keys->sizes->tag_len : 0;
}

/* RFC 7714 section 9: header, ciphertext, tag, E bit and index; the latter authenticated with the
 * header. */
static bool seal_rtcp_gcm(const struct sfu_srtp_keys *keys, const uint8_t *iv, uint8_t *data,
                          size_t len, const uint8_t index[static SFU_SRTCP_INDEX_LEN]) {
    uint8_t aad[SFU_RTCP_HEADER_MIN + SFU_SRTCP_INDEX_LEN];
    memcpy(aad, data, SFU_RTCP_HEADER_MIN);
    memcpy(aad + SFU_RTCP_HEADER_MIN, index, SFU_SRTCP_INDEX_LEN);
    const struct sfu_gcm_text text = {.aad = aad,
                                      .aad_len = sizeof(aad),
                                      .body = data + SFU_RTCP_HEADER_MIN,
                                      .body_len = len - SFU_RTCP_HEADER_MIN};
    memcpy(data + len + keys->sizes->tag_len, index, SFU_SRTCP_INDEX_LEN);
    return keys->provider->seal(keys->gcm, iv, &text, data + SFU_RTCP_HEADER_MIN);
}

/* RFC 3711 section 3.4: header, ciphertext, E bit and index, tag. */
static bool seal_rtcp_ctr(const struct sfu_srtp_keys *keys, const uint8_t *iv, uint8_t *data,
                          size_t len, const uint8_t index[static SFU_SRTCP_INDEX_LEN]) {
    uint8_t digest[SFU_HMAC_LEN];
    uint8_t *body = data + SFU_RTCP_HEADER_MIN;
    if (!sfu_srtp_ctr(keys, iv, body, body, len - SFU_RTCP_HEADER_MIN))
        return false;
    memcpy(data + len, index, SFU_SRTCP_INDEX_LEN);
    sfu_hmac_digest(keys->hmac, data, len, index, SFU_SRTCP_INDEX_LEN, digest);
    memcpy(data + len + SFU_SRTCP_INDEX_LEN, digest, keys->sizes->tag_len);
    return true;
}

int sfu_srtp_protect_rtcp(struct sfu_srtp_out *out, uint8_t *data, size_t *len) {
    const struct sfu_srtp_keys *keys = &out->rtcp;
    if (*len < SFU_RTCP_HEADER_MIN || *len > UINT16_MAX ||
        out->rtcp_index == SFU_SRTCP_ENCRYPTED - 1) /* RFC 3711 section 3.2.1: never twice. */
        return -EIO;
    uint8_t iv[SFU_SRTP_IV_MAX], index[SFU_SRTCP_INDEX_LEN];
    out->rtcp_index++;
    rtp_put32(index, out->rtcp_index | SFU_SRTCP_ENCRYPTED);
    sfu_srtp_iv(keys, data + 4, out->rtcp_index, iv);
    bool done = keys->is_gcm ? seal_rtcp_gcm(keys, iv, data, *len, index)
                             : seal_rtcp_ctr(keys, iv, data, *len, index);
    *len += done ? keys->sizes->tag_len + SFU_SRTCP_INDEX_LEN : 0;
    return done ? 0 : -EIO;
}
