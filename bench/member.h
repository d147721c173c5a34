/* One client of a crowd: how it joins, its connection, and what it knows afterwards. */
#ifndef BENCH_MEMBER_H
#define BENCH_MEMBER_H

#include "bench/crowd.h"
#include "bench/plan.h"
#include "bench/signaling.h"

enum bench_role { BENCH_PUBLISHER, BENCH_SUBSCRIBER, BENCH_PARTICIPANT, BENCH_IDLE };

enum bench_member_state {
    BENCH_JOINING,   /* Signaling. */
    BENCH_CHECKING,  /* ICE and DTLS. */
    BENCH_CONNECTED, /* Media. */
    BENCH_FAILED,    /* Did not come in, or fell out: why says it. */
};

/* What all members share. */
struct bench_stage {
    const struct bench_plan *plan;
    struct bench_loop *loop;
    struct bench_crowd *crowd;
    struct bench_signaling *signaling;
    struct bench_dtls_context *dtls;
};

struct bench_member {
    /* Given. */
    const struct bench_stage *stage;
    uint64_t number;
    size_t room;
    enum bench_role role;
    /* Owned. */
    struct bench_client *client;
    struct bench_session *session;
    struct bench_endpoint endpoint;
    /* State. */
    enum bench_member_state state;
    uint64_t begun_us, agreed_us, connected_us;
    char why[BENCH_WHY_MAX];
};

/* feeds: whom it watches. Begins to join. -ENOMEM or another negative errno. */
int bench_member_create(struct bench_member **out, const struct bench_stage *stage, uint64_t number,
                        size_t room, enum bench_role role, const uint64_t *feeds,
                        size_t feed_count);

/* Says goodbye and is gone. */
void bench_member_destroy(struct bench_member *member);

/* Looks whether it has connected meanwhile, or takes too long. */
void bench_member_check(struct bench_member *member);

static inline bool bench_member_publishes(const struct bench_member *member) {
    return member->role == BENCH_PUBLISHER || member->role == BENCH_PARTICIPANT;
}

#endif
