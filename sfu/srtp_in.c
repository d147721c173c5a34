/* SRTP of what comes in: checked and decrypted in place. Allocates for a stream's first packet
 * only. */
#include "sfu/srtp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "rtp/bytes.h"
#include "rtp/marks.h"
#include "rtp/seqnum.h"
#include "sfu/srtp_keys.h"

enum {
    /* Streams of one peer; the one unheard for longest makes room. A client with three simulcast
     * layers, their RTX, a screen and audio needs 16. */
    STREAMS_MAX = 64,
    STREAMS_AT_FIRST = 4,
};

/* Which packets of an SSRC have come, by index (RFC 3711 section 3.3.2). An index of RTP is counted
 * from 65,536, so that what is older than the first packet is not below zero. */
struct stream {
    uint32_t ssrc;
    uint64_t used; /* Value of sfu_srtp_in.uses when last heard. */
    struct rtp_marks seen;
};

struct streams {
    struct stream *list;
    size_t count, capacity;
};

struct sfu_srtp_in {
    /* Owned. */
    struct sfu_srtp_keys rtp_keys;
    struct sfu_srtp_keys rtcp_keys;
    struct streams rtp;
    struct streams rtcp;
    /* State. */
    uint64_t uses;
};

static int create_with(struct sfu_srtp_in **result, const struct sfu_gcm_library *library,
                       enum sfu_srtp_profile profile, const struct sfu_srtp_key *key) {
    const struct sfu_srtp_sizes *sizes = sfu_srtp_sizes_find(profile);
    if (sizes == NULL)
        return -ENOTSUP;
    struct sfu_srtp_in *in = calloc(1, sizeof(*in));
    if (in == NULL)
        return -ENOMEM;
    int error = sfu_srtp_keys_init(&in->rtp_keys, sizes, library, key, SFU_SRTP_RTP, false);
    if (error == 0)
        error = sfu_srtp_keys_init(&in->rtcp_keys, sizes, library, key, SFU_SRTP_RTCP, false);
    if (error != 0) {
        sfu_srtp_in_destroy(in);
        return error;
    }
    *result = in;
    return 0;
}

int sfu_srtp_in_create(struct sfu_srtp_in **result, enum sfu_srtp_profile profile,
                       const struct sfu_srtp_key *key) {
    return create_with(result, sfu_gcm_library(), profile, key);
}

void sfu_srtp_in_destroy(struct sfu_srtp_in *in) {
    if (in == NULL)
        return;
    sfu_srtp_keys_deinit(&in->rtp_keys);
    sfu_srtp_keys_deinit(&in->rtcp_keys);
    free(in->rtp.list);
    free(in->rtcp.list);
    free(in);
}

/* --- Streams and replay --- */

static struct stream *find(const struct streams *streams, uint32_t ssrc) {
    for (size_t i = 0; i < streams->count; i++)
        if (streams->list[i].ssrc == ssrc)
            return &streams->list[i];
    return NULL;
}

static struct stream *oldest(const struct streams *streams) {
    struct stream *oldest = &streams->list[0];
    for (size_t i = 1; i < streams->count; i++)
        if (streams->list[i].used < oldest->used)
            oldest = &streams->list[i];
    return oldest;
}

/* A place for a new stream, or NULL without memory. */
static struct stream *make_room(struct streams *streams) {
    if (streams->count == STREAMS_MAX)
        return oldest(streams);
    if (streams->count == streams->capacity) {
        size_t capacity = streams->capacity ? streams->capacity * 2 : STREAMS_AT_FIRST;
        struct stream *list = realloc(streams->list, capacity * sizeof(*list));
        if (list == NULL)
            return NULL;
        streams->list = list;
        streams->capacity = capacity;
    }
    return &streams->list[streams->count++];
}

static bool is_replay(const struct stream *stream, uint64_t index) {
    return stream != NULL && !rtp_marks_is_newer(&stream->seen, index) &&
           (!rtp_marks_covers(&stream->seen, index) || rtp_marks_has(&stream->seen, index));
}

/* Notes an authentic packet. */
static void accept_index(struct sfu_srtp_in *in, struct streams *streams, struct stream *stream,
                         uint32_t ssrc, uint64_t index) {
    if (stream == NULL) {
        stream = make_room(streams);
        if (stream == NULL)
            return; /* It will be new again. */
        stream->ssrc = ssrc;
        rtp_marks_start(&stream->seen, index);
    }
    stream->used = ++in->uses;
    if (rtp_marks_is_newer(&stream->seen, index))
        rtp_marks_advance(&stream->seen, index);
    rtp_marks_set(&stream->seen, index, true);
}

/* --- RTP --- */

/* The length of the header with its CSRCs and extension, 0 when it and the tag do not fit. */
static size_t header_length(const uint8_t *data, size_t len, size_t tag_len) {
    if (len < SFU_RTP_HEADER_MIN + tag_len || data[0] >> 6 != 2)
        return 0;
    size_t need = SFU_RTP_HEADER_MIN + (size_t)(data[0] & 0x0f) * 4;
    if (data[0] & 0x10) {
        if (len < need + 4 + tag_len)
            return 0;
        need += 4 + (size_t)rtp_get16(data + need + 2) * 4;
    }
    return len >= need + tag_len ? need : 0;
}

/* RFC 3711 section 3.3.1. */
static uint64_t guess_index(const struct stream *stream, uint16_t seq) {
    if (stream == NULL)
        return 0x10000 + (uint64_t)seq;
    uint64_t newest = stream->seen.newest;
    return newest + (uint64_t)(int64_t)rtp_seq_distance(seq, (uint16_t)newest);
}

static bool open_ctr(const struct sfu_srtp_keys *keys, const uint8_t *iv, uint32_t roc,
                     uint8_t *data, size_t header_len, size_t len) {
    uint8_t digest[SFU_HMAC_LEN], roc_bytes[4];
    rtp_put32(roc_bytes, roc);
    sfu_hmac_digest(keys->hmac, data, len, roc_bytes, sizeof(roc_bytes), digest);
    return CRYPTO_memcmp(digest, data + len, keys->sizes->tag_len) == 0 &&
           sfu_srtp_ctr(keys, iv, data + header_len, data + header_len, len - header_len);
}

int sfu_srtp_unprotect_rtp(struct sfu_srtp_in *in, uint8_t *data, size_t *len) {
    const struct sfu_srtp_keys *keys = &in->rtp_keys;
    size_t header_len = header_length(data, *len, keys->sizes->tag_len);
    if (*len > UINT16_MAX || header_len == 0)
        return -EBADMSG;
    uint32_t ssrc = rtp_get32(data + 8);
    uint16_t seq = rtp_get16(data + 2);
    struct stream *stream = find(&in->rtp, ssrc);
    uint64_t index = guess_index(stream, seq);
    if (is_replay(stream, index))
        return -EALREADY;
    uint32_t roc = (uint32_t)(index >> 16) - 1;
    size_t text_len = *len - keys->sizes->tag_len;
    uint8_t iv[SFU_SRTP_IV_MAX];
    sfu_srtp_iv(keys, data + 8, (uint64_t)roc << 16 | seq, iv);
    bool authentic = sfu_srtp_is_gcm(keys->sizes)
                         ? keys->provider->open(keys->gcm, iv, data, header_len, data + header_len,
                                                text_len - header_len)
                         : open_ctr(keys, iv, roc, data, header_len, text_len);
    if (!authentic)
        return -EBADMSG;
    accept_index(in, &in->rtp, stream, ssrc, index);
    *len = text_len;
    return 0;
}

/* --- RTCP --- */

/* RFC 7714 section 9: the index stands behind the tag. */
static bool open_rtcp_gcm(const struct sfu_srtp_keys *keys, const uint8_t *iv, uint8_t *data,
                          size_t text_len, const uint8_t *index) {
    uint8_t aad[SFU_RTCP_HEADER_MIN + SFU_SRTCP_INDEX_LEN];
    memcpy(aad, data, SFU_RTCP_HEADER_MIN);
    memcpy(aad + SFU_RTCP_HEADER_MIN, index, SFU_SRTCP_INDEX_LEN);
    return keys->provider->open(keys->gcm, iv, aad, sizeof(aad), data + SFU_RTCP_HEADER_MIN,
                                text_len - SFU_RTCP_HEADER_MIN);
}

/* RFC 3711 section 3.4: the tag stands behind the index. */
static bool open_rtcp_ctr(const struct sfu_srtp_keys *keys, const uint8_t *iv, uint8_t *data,
                          size_t text_len, const uint8_t *index) {
    uint8_t digest[SFU_HMAC_LEN];
    uint8_t *body = data + SFU_RTCP_HEADER_MIN;
    sfu_hmac_digest(keys->hmac, data, text_len, index, SFU_SRTCP_INDEX_LEN, digest);
    return CRYPTO_memcmp(digest, index + SFU_SRTCP_INDEX_LEN, keys->sizes->tag_len) == 0 &&
           sfu_srtp_ctr(keys, iv, body, body, text_len - SFU_RTCP_HEADER_MIN);
}

int sfu_srtp_unprotect_rtcp(struct sfu_srtp_in *in, uint8_t *data, size_t *len) {
    const struct sfu_srtp_keys *keys = &in->rtcp_keys;
    size_t overhead = (size_t)SFU_SRTCP_INDEX_LEN + keys->sizes->tag_len;
    bool gcm = sfu_srtp_is_gcm(keys->sizes);
    if (*len > UINT16_MAX || *len < SFU_RTCP_HEADER_MIN + overhead || data[0] >> 6 != 2)
        return -EBADMSG;
    size_t text_len = *len - overhead;
    const uint8_t *word = data + text_len + (gcm ? keys->sizes->tag_len : 0);
    uint32_t ssrc = rtp_get32(data + 4), index = rtp_get32(word);
    if (!(index & SFU_SRTCP_ENCRYPTED)) /* RFC 8827 section 6.5: never in the clear. */
        return -EBADMSG;
    index &= ~SFU_SRTCP_ENCRYPTED;
    struct stream *stream = find(&in->rtcp, ssrc);
    if (is_replay(stream, index))
        return -EALREADY;
    uint8_t iv[SFU_SRTP_IV_MAX];
    sfu_srtp_iv(keys, data + 4, index, iv);
    if (!(gcm ? open_rtcp_gcm : open_rtcp_ctr)(keys, iv, data, text_len, word))
        return -EBADMSG;
    accept_index(in, &in->rtcp, stream, ssrc, index);
    *len = text_len;
    return 0;
}
