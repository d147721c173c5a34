/* The bandwidth estimate. The input is a list of steps: packets sent, feedback of any bytes and
 * feedback that fits what was sent, reports, REMB, demand, time. The estimate stays within its
 * bounds, deadlines move forward, probes are sane. */
#include "rtp/bwe.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MIN = 30000, MAX = 20000000, STEP_LEN = 4 };

enum step { SEND, SEND_BURST, FEEDBACK, RAW_FEEDBACK, REPORT, REMB, DEMAND, WAIT, STEPS };

struct session {
    struct rtp_bwe bwe;
    uint64_t now_us;
    uint16_t seq;
    struct rtp_bwe_probe probe;
};

static void check(bool invariant) {
    if (!invariant)
        abort();
}

static void send(struct session *session, int count, uint8_t bytes, uint8_t spacing) {
    for (int i = 0; i < count; i++, session->now_us += spacing * 20u)
        rtp_bwe_on_sent(&session->bwe, session->now_us, session->seq++, bytes * 6u,
                        session->probe.id);
}

static int feed(struct session *session, const uint8_t *body, size_t len) {
    struct rtcp_packet packet = {RTCP_RTPFB, RTCP_FMT_TWCC, body, len};
    return rtp_bwe_on_feedback(&session->bwe, session->now_us, &packet);
}

/* Reports `count` numbers up to the newest but `back`, each `delta` ticks after the one before. */
static void feedback(struct session *session, uint8_t count, uint8_t delta, uint8_t back) {
    uint8_t body[8 + 8 + 2 + 256] = {0};
    uint16_t base = (uint16_t)(session->seq - count - back % 8);
    uint32_t time = (uint32_t)(session->now_us / 64000) + (back & 0x80 ? back * 4001u : 0);
    count = count == 0 ? 1 : count;
    body[8] = (uint8_t)(base >> 8);
    body[9] = (uint8_t)base;
    body[11] = count;
    body[12] = (uint8_t)(time >> 16);
    body[13] = (uint8_t)(time >> 8);
    body[14] = (uint8_t)time;
    body[16] = 0x20;
    body[17] = count;
    memset(body + 18, delta, count);
    if (back & 0x40) /* Every other one is missing. */
        memcpy(body + 16, "\xaa\xaa", 2);
    feed(session, body, 18 + count);
}

static void check_state(struct session *session) {
    struct rtp_bwe_figures figures;
    uint32_t bps = rtp_bwe_bps(&session->bwe);
    check(bps >= MIN && bps <= MAX);
    rtp_bwe_figures(&session->bwe, &figures);
    check(figures.bps == bps && figures.loss >= 0 && figures.loss <= 1);
    check(figures.trend_ms == figures.trend_ms && figures.threshold_ms > 0);
    check(rtp_bwe_limit_name(figures.limit)[0] != 'u');
    if (rtp_bwe_next_deadline(&session->bwe) <= session->now_us) {
        rtp_bwe_on_deadline(&session->bwe, session->now_us);
        check(rtp_bwe_next_deadline(&session->bwe) > session->now_us);
    }
    struct rtp_bwe_probe probe;
    for (int i = 0; rtp_bwe_next_probe(&session->bwe, session->now_us, &probe); i++) {
        check(i < 4 && probe.id != 0 && probe.bytes > 0 && probe.rate_bps > 0);
        check(probe.rate_bps <= MAX);
        session->probe = probe;
    }
}

static void step(struct session *session, const uint8_t *data, size_t size) {
    switch (data[0] % STEPS) {
    case SEND:
        send(session, 1, data[1], data[2]);
        break;
    case SEND_BURST:
        send(session, data[1], data[2], data[3]);
        break;
    case FEEDBACK:
        feedback(session, data[1], data[2], data[3]);
        break;
    case RAW_FEEDBACK:
        feed(session, data, size < data[1] * 4u ? size : data[1] * 4u);
        break;
    case REPORT:
        rtp_bwe_on_report(&session->bwe, session->now_us, data[1],
                          (uint64_t)data[2] << data[3] % 64);
        rtp_bwe_on_rtt(&session->bwe, session->now_us, (uint64_t)data[3] << data[2] % 56);
        break;
    case REMB:
        rtp_bwe_on_remb(&session->bwe, session->now_us, (uint64_t)data[1] << data[2] % 64);
        break;
    case DEMAND:
        rtp_bwe_set_demand(&session->bwe, session->now_us, (uint64_t)data[1] << data[2] % 64);
        break;
    default:
        session->now_us += (uint64_t)data[1] << data[2] % 20;
        session->seq = (uint16_t)(session->seq + (data[3] > 250 ? data[3] * 9u : 0));
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct session session;
    static const struct rtp_bwe_config config = {300000, MIN, MAX};
    memset(&session, 0, sizeof session);
    session.now_us = (uint64_t)1 << 40;
    session.seq = 65400;
    rtp_bwe_init(&session.bwe, session.now_us, &config);
    for (; size >= STEP_LEN; data += STEP_LEN, size -= STEP_LEN) {
        step(&session, data, size);
        check_state(&session);
    }
    return 0;
}
