/* SRTP and SRTCP (RFC 3711, RFC 7714) with kept contexts: what comes in is decrypted in place, what
 * is fanned out goes from the shared plaintext into the output, without a copy and without an
 * allocation. libsrtp2 would take 18 KB a session, and Debian's, on NSS, several times as long; it
 * is the oracle of the tests. */
#ifndef SFU_SRTP_H
#define SFU_SRTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* IANA DTLS-SRTP protection profile numbers. */
enum sfu_srtp_profile {
    SFU_SRTP_NONE = 0,
    SFU_SRTP_AES128_CM_SHA1_80 = 0x0001,
    SFU_SRTP_AEAD_AES_128_GCM = 0x0007,
    SFU_SRTP_AEAD_AES_256_GCM = 0x0008,
};

enum {
    SFU_SRTP_KEY_MAX = 32,
    SFU_SRTP_SALT_MAX = 14,
    SFU_SRTP_OVERHEAD_MAX = 16,  /* Longest tag of an RTP packet. */
    SFU_SRTCP_OVERHEAD_MAX = 20, /* Longest tag and index of an RTCP packet. */
};

/* Master key and salt of one direction, as DTLS exported them. */
struct sfu_srtp_key {
    uint8_t key[SFU_SRTP_KEY_MAX];
    uint8_t salt[SFU_SRTP_SALT_MAX];
};

size_t sfu_srtp_key_len(enum sfu_srtp_profile profile);
size_t sfu_srtp_salt_len(enum sfu_srtp_profile profile);

struct sfu_srtp_in;

/* -ENOMEM, -ENOTSUP for an unknown profile. */
int sfu_srtp_in_create(struct sfu_srtp_in **out, enum sfu_srtp_profile profile,
                       const struct sfu_srtp_key *key);
void sfu_srtp_in_destroy(struct sfu_srtp_in *in);

/* Checks and decrypts in place; *len shrinks. -EBADMSG: malformed or wrong tag, and the bytes mean
 * nothing any more; -EALREADY: replayed or too old (window 1,024). */
int sfu_srtp_unprotect_rtp(struct sfu_srtp_in *in, uint8_t *data, size_t *len);
int sfu_srtp_unprotect_rtcp(struct sfu_srtp_in *in, uint8_t *data, size_t *len);

/* The keys of one direction out; one for each transport. */
struct sfu_srtp_out;

/* The roll-over state of one outgoing SSRC; zero-initialise. */
struct sfu_srtp_stream {
    /* State. */
    uint32_t roc;
    uint16_t highest_seq;
    bool started;
};

int sfu_srtp_out_create(struct sfu_srtp_out **out, enum sfu_srtp_profile profile,
                        const struct sfu_srtp_key *key);
void sfu_srtp_out_destroy(struct sfu_srtp_out *out);

/* Prefetches what protecting packets of so many bytes reads: first the one, then the other. */
void sfu_srtp_out_fetch(const struct sfu_srtp_out *out);
void sfu_srtp_out_fetch_keys(const struct sfu_srtp_out *out, size_t len);

/* Protects one RTP packet. The header of header_len bytes (seq and SSRC are read from it) already
 * stands at packet; prefix (prefix_len bytes, may be 0) and payload are encrypted from where they
 * are to behind it, and the tag follows. payload must not overlap packet. Returns the length of the
 * whole, or 0 when the cipher failed and nothing may be sent. The sequence number may be older than
 * the newest by less than 2^15 (retransmission without RTX) but the same packet index must never be
 * protected twice with different content. */
size_t sfu_srtp_protect_rtp(struct sfu_srtp_out *out, struct sfu_srtp_stream *stream,
                            uint8_t *packet, size_t header_len, const uint8_t *prefix,
                            size_t prefix_len, const uint8_t *payload, size_t payload_len);

/* Protects RTCP in place; there is room for SFU_SRTCP_OVERHEAD_MAX more bytes. 0 or -EIO. */
int sfu_srtp_protect_rtcp(struct sfu_srtp_out *out, uint8_t *data, size_t *len);

#endif
