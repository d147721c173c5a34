/* Transport-wide feedback. The input is read as a feedback body, and as steps of arrivals whose
 * feedback, however it is split, must read as what arrived. */
#include "rtp/twcc.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SSRCS_LEN = 8, STEP_LEN = 3, TICK_US = 250 };

static const int64_t base_time_period_us = ((int64_t)1 << 24) * 64000;

static void check(bool invariant) {
    if (!invariant)
        abort();
}

/* What the numbers of one feedback are held against. */
struct expected {
    const struct rtp_twcc_receiver *receiver; /* Before the feedback was written; NULL: anything. */
    uint64_t seq;
    int count;
};

static void on_arrival(void *ctx, const struct rtp_twcc_arrival *arrival) {
    struct expected *expected = ctx;
    check(arrival->seq == (uint16_t)expected->seq);
    check(arrival->received || arrival->arrival_us == 0);
    if (expected->receiver != NULL) {
        uint64_t us = expected->receiver->arrival_us[expected->seq % RTP_TWCC_WINDOW];
        check(arrival->received == (us != 0));
        int64_t wrong_us = (int64_t)(us / TICK_US * TICK_US) - arrival->arrival_us;
        check(us == 0 || wrong_us % base_time_period_us == 0);
    }
    expected->seq++;
    expected->count++;
}

static void check_body(const uint8_t *data, size_t size) {
    struct rtcp_packet packet = {RTCP_RTPFB, RTCP_FMT_TWCC, data, size};
    struct expected expected = {.seq = size >= 10 ? (uint64_t)data[8] << 8 | data[9] : 0};
    int count = rtp_twcc_feedback_parse(&packet, on_arrival, &expected);
    check(count < 0 ? expected.count == 0 : expected.count == count && count > 0);
}

static void check_feedback(struct rtp_twcc_receiver *receiver, size_t capacity) {
    uint8_t body[SSRCS_LEN + RTP_TWCC_BODY_MAX + 256] = {0};
    for (size_t pending; (pending = rtp_twcc_pending(receiver)) > 0;) {
        struct rtp_twcc_receiver before = *receiver;
        size_t len = rtp_twcc_feedback_write(receiver, body + SSRCS_LEN, capacity);
        check(len > 0 && len % 4 == 0 && len <= capacity && len <= RTP_TWCC_BODY_MAX);
        struct rtcp_packet packet = {RTCP_RTPFB, RTCP_FMT_TWCC, body, SSRCS_LEN + len};
        struct expected expected = {.receiver = &before, .seq = before.base};
        int count = rtp_twcc_feedback_parse(&packet, on_arrival, &expected);
        check(count > 0 && count == expected.count);
        check(rtp_twcc_pending(receiver) == pending - (size_t)count);
    }
}

/* Each step: how far the number moves (signed; large ones leap), and how far the clock. */
static void check_arrivals(const uint8_t *data, size_t size) {
    static struct rtp_twcc_receiver receiver;
    receiver = (struct rtp_twcc_receiver){0};
    uint64_t now_us = (uint64_t)1 << 40;
    uint16_t seq = 65000;
    for (; size >= STEP_LEN; data += STEP_LEN, size -= STEP_LEN) {
        int8_t step = (int8_t)data[0];
        seq = (uint16_t)(seq + (step > 120 ? step * 20 : step));
        now_us += (uint64_t)data[1] * (data[2] & 0x80 ? 100000 : 100);
        rtp_twcc_on_packet(&receiver, now_us, seq);
        check(rtp_twcc_pending(&receiver) <= RTP_TWCC_WINDOW);
        if ((data[2] & 7) == 7)
            check_feedback(&receiver, 64 + data[2] * 5u);
    }
    check_feedback(&receiver, 64);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    check_body(data, size);
    check_arrivals(data, size);
    return 0;
}
