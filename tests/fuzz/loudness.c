/* Audio levels of eight speakers who come and go: each four bytes of the input say who, how much
 * later, how loud, and how many levels or what else happens. */
#include "rtp/loudness.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SPEAKERS = 8, PLACES = 3 };

static struct rtp_loudness loudness;
static struct rtp_loudness_speaker speakers[SPEAKERS];
static bool is_there[SPEAKERS];

static void check(bool invariant) {
    if (!invariant)
        abort();
}

static void check_places(void) {
    unsigned marked = 0;
    check(loudness.loudest_count <= PLACES);
    for (int i = 0; i < loudness.loudest_count; i++)
        check(is_there[loudness.loudest[i] - speakers] && loudness.loudest[i]->is_loudest);
    for (int i = 0; i < SPEAKERS; i++)
        marked += is_there[i] && speakers[i].is_loudest;
    check(marked == loudness.loudest_count);
    check(loudness.dominant == NULL || is_there[loudness.dominant - speakers]);
}

static void come_or_go(unsigned who) {
    if (is_there[who])
        (void)rtp_loudness_remove(&loudness, &speakers[who]);
    else
        rtp_loudness_add(&loudness, &speakers[who], who);
    is_there[who] = !is_there[who];
}

static void step(const uint8_t *bytes, uint64_t *now_us) {
    unsigned who = bytes[0] % SPEAKERS;
    *now_us += (uint64_t)bytes[1] * bytes[1] * 1000;
    if (bytes[3] == 0xff)
        come_or_go(who);
    else if (is_there[who])
        (void)rtp_loudness_on_level(&loudness, &speakers[who], *now_us - bytes[0], bytes[2],
                                    bytes[3]);
    int level_db = rtp_loudness_level_db(&speakers[who], *now_us);
    check(!is_there[who] || (level_db >= -127 && level_db <= 0));
    unsigned changed = rtp_loudness_on_deadline(&loudness, *now_us);
    check((changed & RTP_LOUDNESS_CHANGED_LOUDEST) == 0);
    check(rtp_loudness_next_deadline(&loudness) > *now_us);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint64_t now_us = 1000000;
    rtp_loudness_init(&loudness, PLACES);
    for (unsigned i = 0; i < SPEAKERS; i++) {
        is_there[i] = i % 2 == 0;
        if (is_there[i])
            rtp_loudness_add(&loudness, &speakers[i], i);
    }
    for (size_t at = 0; at + 4 <= size; at += 4) {
        step(data + at, &now_us);
        check_places();
    }
    return 0;
}
