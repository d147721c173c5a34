/* SDP (RFC 8866) as WebRTC uses it (RFC 8829, RFC 9429): a client's offer is parsed, negotiated
 * into an agreement, and the agreement is written as the answer. Pure functions over text: no
 * clock, no I/O; randomness only for new SSRCs.
 *
 *     sig_sdp_offer_parse → sig_sdp_negotiate → sfu_negotiate(sig_sdp_description())
 *                                             → sig_sdp_answer_write → the client
 *
 * An agreement is kept for as long as it is in force: the next offer is negotiated against it, so
 * that tracks, slots and payload types of m-lines that go on stay what they are. */
#ifndef SIGNALING_SDP_H
#define SIGNALING_SDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/sfu.h"

/* Why an offer is refused. Filled by every function that takes one, when it returns an error. */
struct sig_sdp_error {
    unsigned status;  /* HTTP: 400 no SDP, 403 no grant, 422 impossible, 429 over a limit, 503. */
    const char *code; /* A stable word, constant. */
    char words[192];  /* What is wrong, for people; names the line or the m-line. */
};

/* A parsed offer; copies what it needs of the text. */
struct sig_sdp_offer;

/* Parses an offer of len bytes (no NUL needed; lines end in CRLF or LF) as far as its lines and
 * m-lines go. Returns 0 with an offer to destroy; -EBADMSG (400: no SDP, no m-line, no or double
 * mids), -EPROTO (422: a mid over RTP_MID_MAX, several m-lines without BUNDLE), -EMSGSIZE (429:
 * more than max_mlines), -ENOMEM (503) with error filled. */
int sig_sdp_offer_parse(const char *text, size_t len, size_t max_mlines, struct sig_sdp_offer **out,
                        struct sig_sdp_error *error);
void sig_sdp_offer_destroy(struct sig_sdp_offer *offer);

/* What both sides agreed on; copies what it needs of the offer. */
struct sig_sdp_agreement;

enum sig_sdp_role {
    SIG_SDP_CALL, /* Publishes what it offers to send, sendrecv too; recvonly m-lines are slots. */
    SIG_SDP_WHIP, /* At most one audio and one video m-line, published, none of them refused. */
    SIG_SDP_WHEP, /* Slots only; sendrecv m-lines are slots. */
};

/* What an m-line of the offer carries, as `publish` said. */
struct sig_sdp_source {
    char mid[RTP_MID_MAX + 1];
    enum sfu_source source;
};

struct sig_sdp_terms {
    enum sig_sdp_role role;
    bool can_publish;                     /* Else an m-line that publishes is refused with 403. */
    bool can_subscribe;                   /* Else a slot is refused with 403. */
    size_t max_tracks;                    /* Published at a time; 0: no limit. */
    const struct sig_sdp_source *sources; /* m-lines that are not named keep theirs; new ones are */
    size_t source_count;                  /* microphone or camera. */
    uint64_t (*new_track)(void *ctx); /* A number for a track that begins, never given before. */
    void *ctx;
    uint32_t (*random_u32)(void *ctx); /* NULL: the system's randomness. */
};

/* Negotiates an offer against the agreement in force (NULL: the first offer), which is not changed:
 * m-lines keep their position, mid and kind (a refused m-line may be taken by another); track
 * numbers, slot SSRCs and stream names go on. Returns 0 with a new agreement to destroy; -EPROTO
 * (422: no ICE credentials, no sha-256 fingerprint, a client that wants to be DTLS server, no
 * rtcp-mux, no m-line with a usable codec, an m-line that changed), -EACCES (403), -EMSGSIZE (429),
 * -ENOMEM (503) with error filled. */
int sig_sdp_negotiate(const struct sig_sdp_offer *offer, const struct sig_sdp_agreement *before,
                      const struct sig_sdp_terms *terms, struct sig_sdp_agreement **out,
                      struct sig_sdp_error *error);
void sig_sdp_agreement_destroy(struct sig_sdp_agreement *agreement);

/* Whether the offer is of the peer connection that the agreement is with: it has the same
 * certificate. Otherwise the client has begun anew, and the offer is negotiated against NULL. */
bool sig_sdp_is_same_peer(const struct sig_sdp_offer *offer,
                          const struct sig_sdp_agreement *agreement);

/* The agreement as sfu_negotiate takes it; lives as long as the agreement. One entry per m-line of
 * the offer; refused ones (data channels) are SFU_INACTIVE without codecs. */
const struct sfu_description *sig_sdp_description(const struct sig_sdp_agreement *agreement);

/* The m-line with this mid, or NULL. */
const struct sfu_media *sig_sdp_media_find(const struct sig_sdp_agreement *agreement,
                                           const char *mid);

/* Whether the client restarts ICE: its credentials are others than in the agreement in force. Then
 * the answer needs sfu_restart_ice, else sfu_local_get (or sfu_join the first time). */
bool sig_sdp_is_ice_restart(const struct sig_sdp_agreement *agreement,
                            const struct sig_sdp_agreement *before);

/* Writes the answer to the offer that the agreement was negotiated from: ICE-lite, DTLS passive,
 * candidates of `local` on the BUNDLE-tagged m-line. fingerprint is what sfu_fingerprint gives.
 * Returns a string to free, NULL without memory. */
char *sig_sdp_answer_write(const struct sig_sdp_offer *offer,
                           const struct sig_sdp_agreement *agreement, const struct sfu_local *local,
                           const char *fingerprint);

/* A trickled fragment (RFC 8840): credentials of the ICE generation that it speaks of, and how many
 * candidates it carries. A server that is ICE-lite learns addresses from checks and needs no more.
 */
struct sig_sdpfrag {
    char ufrag[SFU_CREDENTIAL_MAX + 1]; /* "": not said. */
    char pwd[SFU_CREDENTIAL_MAX + 1];
    size_t candidate_count; /* Well-formed ones; others are passed over. */
    bool end_of_candidates;
};

/* Parses a body of application/trickle-ice-sdpfrag of len bytes. 0, or -EBADMSG (400). */
int sig_sdpfrag_parse(struct sig_sdpfrag *out, const char *text, size_t len,
                      struct sig_sdp_error *error);

/* Whether the fragment is about other credentials than those in force: an ICE restart. */
bool sig_sdpfrag_is_restart(const struct sig_sdpfrag *fragment,
                            const struct sig_sdp_agreement *agreement);

/* Takes the fragment's credentials into the agreement; what sig_sdp_description gave changes with
 * it. */
void sig_sdpfrag_apply(const struct sig_sdpfrag *fragment, struct sig_sdp_agreement *agreement);

/* Writes the fragment that answers a restart: our credentials and candidates (RFC 9725 section
 * 4.3.3). Returns a string to free, NULL without memory. */
char *sig_sdpfrag_write(const struct sig_sdp_agreement *agreement, const struct sfu_local *local);

#endif
