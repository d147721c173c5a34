/* Descriptions as clients write and read them (RFC 8866, RFC 9429): one shape for offers and
 * answers. What is written is what browsers write; what is read may come from any server. */
#ifndef BENCH_SDP_H
#define BENCH_SDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/client.h"

enum { BENCH_MEDIA_MAX = 128 };

struct bench_sdp {
    struct bench_remote transport; /* Of whoever wrote it, with one candidate. */
    uint8_t fingerprint[SFU_FINGERPRINT_LEN];
    bool is_offer; /* Either side may be DTLS's client (a=setup:actpass). */
    size_t count;
    struct sfu_media media[BENCH_MEDIA_MAX]; /* Directions as our side sees them. */
};

/* What a client wants to offer. */
struct bench_sdp_wish {
    bool audio, video;    /* Published. */
    uint8_t layers;       /* Of simulcast; 0 or 1: none. */
    bool red;             /* Sound with redundancy. */
    bool no_feedback;     /* Nothing by which the server could estimate a bandwidth. */
    enum rtp_codec codec; /* Of video. */
    uint8_t audio_slots, video_slots;
    uint32_t ssrc; /* The first of those published, the others follow; not 0. */
};

/* Fills in the m-lines of an offer: what is published first, then the slots. */
void bench_sdp_offer(struct bench_sdp *out, const struct bench_sdp_wish *wish);

/* Of malloc; NULL when memory is out. */
char *bench_sdp_write(const struct bench_sdp *sdp);

/* Of several candidates takes that with the address `prefer` (NULL: any). -EBADMSG: no description,
 * or one without ICE credentials; -E2BIG: more than BENCH_MEDIA_MAX m-lines; -EADDRNOTAVAIL: no
 * candidate for UDP and IPv4. */
int bench_sdp_read(struct bench_sdp *out, const char *text, const char *prefer);

/* Reduces our offer's m-lines to what the answer took of them, with its numbers. */
void bench_sdp_agree(struct bench_sdp *ours, const struct bench_sdp *answer);

/* Our m-lines in answer to an offer: all of its that we can receive. */
void bench_sdp_answer(struct bench_sdp *out, const struct bench_sdp *offer);

#endif
