/* ICE-lite (RFC 8445 section 2.5, RFC 8489): answers authenticated connectivity checks, and knows
 * from which addresses they came. Libnice's STUN functions parse, validate and build the messages.
 * Never sends by itself. */
#ifndef SFU_ICE_H
#define SFU_ICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/address.h"
#include "sfu/sfu.h"

enum {
    SFU_STUN_REPLY_MAX = 256,
    SFU_ICE_ADDRESSES_MAX =
        8, /* Addresses of one peer that passed a check; the oldest makes room. */
};

struct sfu_ice_credentials {
    char ufrag[SFU_UFRAG_LEN + 1];
    char pwd[SFU_PWD_LEN + 1];
};

/* Embedded in a transport. Zero-initialise. */
struct sfu_ice {
    /* State. */
    struct sfu_address selected; /* Where media goes: the address nominated last, else the newest
                                    validated one. It changes too when it was silent for 3 s and
                                    another went on checking. First, since every packet needs it. */
    struct sfu_ice_credentials local;
    struct sfu_ice_credentials
        next; /* During a restart, until the first check with it; else empty. */
    char remote_ufrag[SFU_CREDENTIAL_MAX + 1];
    struct sfu_address validated[SFU_ICE_ADDRESSES_MAX];
    uint64_t validated_at_us[SFU_ICE_ADDRESSES_MAX];
    bool nominated;
    uint64_t consent_us; /* The last authenticated check, on any address. */
};

/* Random credentials from OpenSSL's generator, in ICE's alphabet. */
void sfu_ice_credentials_generate(struct sfu_ice_credentials *out);

/* The local part of the USERNAME of a binding request, a pointer into data. -EBADMSG: not a
 * well-formed STUN binding request with a USERNAME. Looks at nothing else: cheap, for finding whose
 * check it is. */
int sfu_stun_peek_ufrag(const uint8_t *data, size_t len, const char **ufrag, size_t *ufrag_len);

enum sfu_ice_verdict {
    SFU_ICE_DROP_MALFORMED, /* No reply. */
    SFU_ICE_DROP_INTEGRITY, /* Unknown user or wrong MESSAGE-INTEGRITY: no reply (silence tells an
                               attacker nothing). */
    SFU_ICE_CONFLICT, /* Authenticated but refused: reply 487 (the peer claims to be controlled), or
                         420 (it uses an attribute that has to be understood and is not). */
    SFU_ICE_ANSWERED, /* Authenticated: reply holds the success response; the address is validated.
                       */
    SFU_ICE_SELECTED, /* The same, and `selected` changed to this address. */
};

/* Handles a binding request that names one of our ufrags. Writes the reply (with
 * XOR-MAPPED-ADDRESS, MESSAGE-INTEGRITY, FINGERPRINT; never longer than needed) and its length, 0
 * for none. A check with the `next` credentials makes them the current ones: *restarted is set. The
 * remote part of USERNAME has to be remote_ufrag once that is known. FINGERPRINT, when there, has
 * to be right. */
enum sfu_ice_verdict sfu_ice_on_check(struct sfu_ice *ice, uint64_t now_us,
                                      const struct sfu_address *from, const uint8_t *data,
                                      size_t len, uint8_t reply[static SFU_STUN_REPLY_MAX],
                                      size_t *reply_len, bool *restarted);

/* Whether DTLS and SRTP from this address are to be listened to. */
bool sfu_ice_is_validated(const struct sfu_ice *ice, const struct sfu_address *from);

#endif
