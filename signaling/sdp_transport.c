/* The transport part of an offer. In a BUNDLE that of the tagged m-line counts; others may differ
 * (aiortc gives each m-line credentials of its own) or be left out (bundle-only). */
#include "signaling/sdp_transport.h"

#include <errno.h>
#include <string.h>

typedef bool (*read_fn)(struct sfu_description *out, const struct sig_sdp_section *section);

static bool read_credentials(struct sfu_description *out, const struct sig_sdp_section *section) {
    const struct sig_sdp_attribute *ufrag = sig_sdp_attribute_next(section, NULL, "ice-ufrag");
    const struct sig_sdp_attribute *pwd = sig_sdp_attribute_next(section, NULL, "ice-pwd");
    return ufrag && pwd && ufrag->value.len >= SIG_SDP_UFRAG_MIN &&
           pwd->value.len >= SIG_SDP_PWD_MIN && pwd->value.len <= SFU_CREDENTIAL_MAX &&
           sig_sdp_text_is_ice(ufrag->value) && sig_sdp_text_is_ice(pwd->value) &&
           sig_sdp_text_copy(out->remote_ufrag, sizeof(out->remote_ufrag), ufrag->value) &&
           sig_sdp_text_copy(out->remote_pwd, sizeof(out->remote_pwd), pwd->value);
}

/* "sha-256 AB:CD:…", RFC 8122 section 5. */
static bool parse_fingerprint(uint8_t out[static SFU_FINGERPRINT_LEN], struct sig_sdp_text value) {
    uint8_t bytes[SFU_FINGERPRINT_LEN];
    if (!sig_sdp_text_is_any_case(sig_sdp_text_word(&value), "sha-256"))
        return false;
    value = sig_sdp_text_trim(value);
    for (size_t i = 0; i < SFU_FINGERPRINT_LEN; i++) {
        uint32_t byte = 0;
        if (!sig_sdp_text_hex(sig_sdp_text_cut(&value, ':'), 2, &byte))
            return false;
        bytes[i] = (uint8_t)byte;
    }
    if (value.len > 0)
        return false;
    memcpy(out, bytes, sizeof(bytes));
    return true;
}

/* There may be several, one for each hash function that the client likes. */
static bool read_fingerprint(struct sfu_description *out, const struct sig_sdp_section *section) {
    const struct sig_sdp_attribute *at = NULL;
    while ((at = sig_sdp_attribute_next(section, at, "fingerprint")) != NULL)
        if (parse_fingerprint(out->remote_fingerprint, at->value))
            return true;
    return false;
}

static bool read_anywhere(struct sfu_description *out, const struct sig_sdp_offer *offer,
                          const struct sig_sdp_section *tagged, read_fn read) {
    if ((tagged && read(out, tagged)) || read(out, &offer->session))
        return true;
    for (size_t i = 0; i < offer->section_count; i++)
        if (read(out, &offer->sections[i]))
            return true;
    return false;
}

/* We are DTLS server, so the client has to be able to be active (RFC 5763 section 5); not saying
 * anything means active (RFC 4145 section 4). */
static bool can_be_active(const struct sig_sdp_offer *offer, const struct sig_sdp_section *tagged) {
    const struct sig_sdp_attribute *setup = sig_sdp_attribute_next(tagged, NULL, "setup");
    if (setup == NULL)
        setup = sig_sdp_attribute_next(&offer->session, NULL, "setup");
    return setup == NULL || sig_sdp_text_is(setup->value, "actpass") ||
           sig_sdp_text_is(setup->value, "active");
}

int sig_sdp_transport_read(struct sfu_description *out, const struct sig_sdp_offer *offer,
                           const struct sig_sdp_section *tagged, struct sig_sdp_error *error) {
    if (!read_anywhere(out, offer, tagged, read_credentials))
        return sig_sdp_refuse(error, -EPROTO, "sdp_no_ice",
                              "the offer has no valid a=ice-ufrag and a=ice-pwd");
    if (!read_anywhere(out, offer, tagged, read_fingerprint))
        return sig_sdp_refuse(error, -EPROTO, "sdp_no_fingerprint",
                              "the offer has no valid a=fingerprint with sha-256");
    if (!can_be_active(offer, tagged))
        return sig_sdp_refuse(error, -EPROTO, "sdp_setup",
                              "a=setup must be actpass or active: the server is passive");
    return 0;
}

static bool names_certificate(const struct sig_sdp_section *section, const uint8_t *known) {
    struct sfu_description named;
    return read_fingerprint(&named, section) &&
           memcmp(named.remote_fingerprint, known, SFU_FINGERPRINT_LEN) == 0;
}

bool sig_sdp_is_same_peer(const struct sig_sdp_offer *offer,
                          const struct sig_sdp_agreement *agreement) {
    const uint8_t *known = sig_sdp_description(agreement)->remote_fingerprint;
    if (names_certificate(&offer->session, known))
        return true;
    for (size_t i = 0; i < offer->section_count; i++)
        if (names_certificate(&offer->sections[i], known))
            return true;
    return false;
}
