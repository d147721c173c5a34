/* Fragments of application/trickle-ice-sdpfrag (RFC 8840 section 9): lines of an SDP, of which only
 * the ICE attributes count. */
#include <errno.h>
#include <string.h>

#include "signaling/sdp_agreement.h"
#include "signaling/sdp_answer.h"
#include "signaling/sdp_transport.h"

/* candidate:foundation component transport priority address port typ type … (RFC 8839 section
 * 5.1). Addresses may be names (mDNS). */
static bool is_candidate(struct sig_sdp_text value) {
    uint32_t number = 0;
    struct sig_sdp_text foundation = sig_sdp_text_word(&value);
    bool has_component = sig_sdp_text_number(sig_sdp_text_word(&value), 256, &number);
    struct sig_sdp_text transport = sig_sdp_text_word(&value);
    bool has_priority = sig_sdp_text_number(sig_sdp_text_word(&value), UINT32_MAX, &number);
    struct sig_sdp_text address = sig_sdp_text_word(&value);
    bool has_port = sig_sdp_text_number(sig_sdp_text_word(&value), UINT16_MAX, &number);
    return sig_sdp_text_is_ice(foundation) && has_component && sig_sdp_text_is_token(transport) &&
           has_priority && address.len > 0 && has_port &&
           sig_sdp_text_is(sig_sdp_text_word(&value), "typ") && value.len > 0;
}

/* Copies a credential unless one was there already: the first m-line's count, all others repeat
 * them. False for one that cannot be. */
static bool take_credential(char out[static SFU_CREDENTIAL_MAX + 1], struct sig_sdp_text value,
                            size_t least) {
    if (out[0] != '\0')
        return true;
    return value.len >= least && sig_sdp_text_is_ice(value) &&
           sig_sdp_text_copy(out, SFU_CREDENTIAL_MAX + 1, value);
}

static bool take_line(struct sig_sdpfrag *out, struct sig_sdp_text line) {
    if (line.len < 2 || line.at[1] != '=' || line.at[0] < 'a' || line.at[0] > 'z')
        return false;
    if (line.at[0] != 'a')
        return true;
    struct sig_sdp_text value = {line.at + 2, line.len - 2};
    struct sig_sdp_text name = sig_sdp_text_cut(&value, ':');
    if (sig_sdp_text_is(name, "ice-ufrag"))
        return take_credential(out->ufrag, value, SIG_SDP_UFRAG_MIN);
    if (sig_sdp_text_is(name, "ice-pwd"))
        return take_credential(out->pwd, value, SIG_SDP_PWD_MIN);
    out->candidate_count += sig_sdp_text_is(name, "candidate") && is_candidate(value);
    out->end_of_candidates |= sig_sdp_text_is(name, "end-of-candidates");
    return true;
}

int sig_sdpfrag_parse(struct sig_sdpfrag *out, const char *text, size_t len,
                      struct sig_sdp_error *error) {
    struct sig_sdpfrag fragment = {.candidate_count = 0};
    struct sig_sdp_text rest = {text, len};
    for (unsigned number = 1; rest.len > 0; number++) {
        struct sig_sdp_text line = sig_sdp_text_cut_line(&rest);
        if (line.len > 0 && !take_line(&fragment, line))
            return sig_sdp_refuse(error, -EBADMSG, "sdpfrag_malformed",
                                  "line %u of the fragment is malformed", number);
    }
    if ((fragment.ufrag[0] == '\0') != (fragment.pwd[0] == '\0'))
        return sig_sdp_refuse(error, -EBADMSG, "sdpfrag_malformed",
                              "a=ice-ufrag and a=ice-pwd go together");
    if (fragment.ufrag[0] == '\0' && fragment.candidate_count == 0 && !fragment.end_of_candidates)
        return sig_sdp_refuse(error, -EBADMSG, "sdpfrag_malformed",
                              "the fragment has neither credentials nor candidates");
    *out = fragment;
    return 0;
}

bool sig_sdpfrag_is_restart(const struct sig_sdpfrag *fragment,
                            const struct sig_sdp_agreement *agreement) {
    const struct sfu_description *description = &agreement->description;
    return fragment->ufrag[0] != '\0' && (strcmp(fragment->ufrag, description->remote_ufrag) != 0 ||
                                          strcmp(fragment->pwd, description->remote_pwd) != 0);
}

void sig_sdpfrag_apply(const struct sig_sdpfrag *fragment, struct sig_sdp_agreement *agreement) {
    struct sfu_description *description = &agreement->description;
    memcpy(description->remote_ufrag, fragment->ufrag, sizeof(description->remote_ufrag));
    memcpy(description->remote_pwd, fragment->pwd, sizeof(description->remote_pwd));
}

/* One pseudo m-line is enough: there is one transport (RFC 8840 section 4.4). */
char *sig_sdpfrag_write(const struct sig_sdp_agreement *agreement, const struct sfu_local *local) {
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (out == NULL)
        return NULL;
    fputs("a=ice-lite\r\na=ice-options:ice2 trickle\r\n", out);
    sig_sdp_bundle_write(out, agreement);
    for (size_t i = 0; i < agreement->count; i++) {
        if (agreement->lines[i].is_refused)
            continue;
        fprintf(out, "m=%s 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:%s\r\n",
                agreement->media[i].video ? "video" : "audio", agreement->media[i].mid);
        break;
    }
    sig_sdp_credentials_write(out, local);
    sig_sdp_candidates_write(out, local);
    return sig_sdp_finish(out, &text);
}
