/* The forwarding unit's functions for tests of the front end alone: they take everything down and
 * forward nothing. Defined in the test itself, they take precedence over the archive. */
#ifndef TESTS_UNIT_SIGNALING_FAKE_SFU_H
#define TESTS_UNIT_SIGNALING_FAKE_SFU_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sfu/sfu.h"

#define FAKE_SFU_FINGERPRINT                                                                       \
    "A0:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:"   \
    "EE:FF"

/* What happened, and what is to happen. */
static struct {
    int participants; /* In. */
    int joins;
    int negotiations;
    int restarts;
    uint64_t room;
    uint64_t newest; /* Participant. */
    struct sfu_wish wish;
    size_t wish_count;
    int join_status;
    int negotiate_status;
    uint64_t undecodable; /* This track fits nowhere. */
    sfu_why_fn why;       /* Who waits for an answer. */
    void *why_ctx;
} fake_sfu;

static inline void fake_sfu_local(struct sfu_local *out) {
    *out = (struct sfu_local){.candidate_count = 1};
    snprintf(out->ufrag, sizeof(out->ufrag), "ours%08x", (unsigned)fake_sfu.restarts);
    strcpy(out->pwd, "ourpassword0123456789012");
    strcpy(out->candidates[0].address, "192.0.2.1");
    out->candidates[0].port = 40000;
}

const char *sfu_fingerprint(const struct sfu *sfu) {
    (void)sfu;
    return FAKE_SFU_FINGERPRINT;
}

int sfu_join(struct sfu *sfu, uint64_t room, uint64_t participant, struct sfu_local *out) {
    (void)sfu;
    if (fake_sfu.join_status < 0)
        return fake_sfu.join_status;
    fake_sfu.participants++;
    fake_sfu.joins++;
    fake_sfu.room = room;
    fake_sfu.newest = participant;
    fake_sfu_local(out);
    return 0;
}

int sfu_restart_ice(struct sfu *sfu, uint64_t participant, struct sfu_local *out) {
    (void)sfu, (void)participant;
    fake_sfu.restarts++;
    fake_sfu_local(out);
    return 0;
}

int sfu_local_get(const struct sfu *sfu, uint64_t participant, struct sfu_local *out) {
    (void)sfu, (void)participant;
    fake_sfu_local(out);
    return 0;
}

int sfu_negotiate(struct sfu *sfu, uint64_t participant,
                  const struct sfu_description *description) {
    (void)sfu, (void)participant, (void)description;
    fake_sfu.negotiations++;
    return fake_sfu.negotiate_status;
}

int sfu_subscribe(struct sfu *sfu, uint64_t participant, const struct sfu_wish *wishes,
                  size_t count) {
    (void)sfu, (void)participant;
    fake_sfu.wish_count = count;
    if (count > 0)
        fake_sfu.wish = wishes[0];
    return 0;
}

bool sfu_track_fits(const struct sfu *sfu, uint64_t track, const struct sfu_media *slot) {
    (void)sfu, (void)slot;
    return track != fake_sfu.undecodable;
}

int sfu_why(struct sfu *sfu, uint64_t participant, sfu_why_fn answer, void *ctx) {
    (void)sfu;
    if (participant != fake_sfu.newest)
        return -ENOENT;
    fake_sfu.why = answer;
    fake_sfu.why_ctx = ctx;
    return 0;
}

void sfu_leave(struct sfu *sfu, uint64_t participant) {
    (void)sfu, (void)participant;
    fake_sfu.participants--;
}

void sfu_stats_get(const struct sfu *sfu, struct sfu_stats *out) {
    (void)sfu;
    *out = (struct sfu_stats){.participants = (size_t)fake_sfu.participants};
}

#endif
