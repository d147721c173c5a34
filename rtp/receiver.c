/* Reception statistics: appendix A.1 decides what a number means, A.3 counts loss, A.8 the jitter.
 * SRTP has authenticated every packet, so the probation that A.1 begins with is left out. */
#include "rtp/receiver.h"

#include <string.h>

enum {
    US_PER_S = 1000000,
    /* A longer step between two packets is a clock that was set, not jitter (libwebrtc's rule). */
    JITTER_STEP_MAX_S = 5,
};

static uint64_t *seen_word(struct rtp_receiver *receiver, uint64_t seq) {
    return &receiver->seen[seq % RTP_RECEIVER_SEEN_BITS / 64];
}

static bool seen_test_and_set(struct rtp_receiver *receiver, uint64_t seq) {
    uint64_t bit = (uint64_t)1 << seq % 64, *word = seen_word(receiver, seq);
    bool seen = *word & bit;
    *word |= bit;
    return seen;
}

/* Moves the newest number on and forgets what its place meant before. */
static void advance(struct rtp_receiver *receiver, uint64_t seq) {
    uint64_t steps = seq - receiver->highest_seq;
    if (steps >= RTP_RECEIVER_SEEN_BITS)
        memset(receiver->seen, 0, sizeof receiver->seen);
    else
        for (uint64_t i = receiver->highest_seq + 1; i <= seq; i++)
            *seen_word(receiver, i) &= ~((uint64_t)1 << i % 64);
    receiver->highest_seq = seq;
}

/* Appendix A.1 init_seq. */
static void begin(struct rtp_receiver *receiver, uint64_t seq) {
    receiver->started = true;
    receiver->jumped = false;
    receiver->timed = false;
    receiver->first_seq = seq;
    receiver->highest_seq = seq;
    memset(receiver->seen, 0, sizeof receiver->seen);
    receiver->arrived = 0;
    receiver->expected_prior = 0;
    receiver->arrived_prior = 0;
}

/* Appendix A.1 update_seq: where the number belongs. */
static enum rtp_arrival place(struct rtp_receiver *receiver, uint16_t seq, bool retransmitted,
                              uint64_t *seq64) {
    if (!receiver->started) {
        *seq64 = 65536u + (uint64_t)seq;
        begin(receiver, *seq64);
        return RTP_ARRIVAL_NEW;
    }
    uint16_t ahead = (uint16_t)(seq - (uint16_t)receiver->highest_seq);
    *seq64 = receiver->highest_seq + ahead;
    if (ahead == 0)
        return RTP_ARRIVAL_DUPLICATE;
    if (ahead < RTP_MAX_DROPOUT) {
        advance(receiver, *seq64);
        receiver->jumped = false;
        return RTP_ARRIVAL_NEW;
    }
    if (ahead > 65536 - RTP_MAX_MISORDER) {
        *seq64 -= 65536;
        return RTP_ARRIVAL_LATE;
    }
    if (retransmitted)
        return RTP_ARRIVAL_SUSPECT;
    if (!receiver->jumped || seq != receiver->bad_seq) {
        receiver->jumped = true;
        receiver->bad_seq = (uint16_t)(seq + 1);
        return RTP_ARRIVAL_SUSPECT;
    }
    begin(receiver, *seq64);
    return RTP_ARRIVAL_RESTART;
}

/* Appendix A.8, modulo the 32 bits of the timestamp. */
static void jitter_update(struct rtp_receiver *receiver, uint64_t now_us, uint32_t timestamp) {
    uint64_t rate = receiver->clock_rate_hz;
    uint64_t arrival = now_us / US_PER_S * rate + now_us % US_PER_S * rate / US_PER_S;
    uint32_t transit = (uint32_t)arrival - timestamp;
    int64_t step = (int32_t)(transit - receiver->last_transit);
    uint64_t distance = (uint64_t)(step < 0 ? -step : step);
    if (receiver->timed && distance < JITTER_STEP_MAX_S * rate)
        receiver->jitter_q4 += distance - ((receiver->jitter_q4 + 8) >> 4);
    receiver->last_transit = transit;
    receiver->timed = true;
}

enum rtp_arrival rtp_receiver_on_packet(struct rtp_receiver *receiver, uint64_t now_us,
                                        uint16_t seq, uint32_t timestamp, size_t bytes,
                                        bool retransmitted, uint64_t *seq64) {
    enum rtp_arrival arrival = place(receiver, seq, retransmitted, seq64);
    if (arrival == RTP_ARRIVAL_SUSPECT)
        return arrival;
    receiver->arrived += !retransmitted;
    if (seen_test_and_set(receiver, *seq64)) {
        receiver->duplicates++;
        return RTP_ARRIVAL_DUPLICATE;
    }
    receiver->received++;
    receiver->received_bytes += bytes;
    receiver->recovered += retransmitted;
    if (!retransmitted)
        jitter_update(receiver, now_us, timestamp);
    return arrival;
}

void rtp_receiver_on_sr(struct rtp_receiver *receiver, uint64_t now_us,
                        const struct rtcp_sender_info *info) {
    receiver->last_sr = (uint32_t)(info->ntp >> 16);
    receiver->last_sr_us = now_us;
}

static int32_t clamp_24_bits(int64_t lost) {
    if (lost > 0x7fffff)
        return 0x7fffff;
    return lost < -0x800000 ? -0x800000 : (int32_t)lost;
}

/* Of 256; 0 when nothing was expected or duplicates made up for what was lost, 255 for all. */
static uint8_t fraction_of(int64_t lost, int64_t expected) {
    if (expected <= 0 || lost <= 0)
        return 0;
    return lost >= expected ? 255 : (uint8_t)(lost * 256 / expected);
}

/* Since the SR, in 1/65,536 s; 0 when there was none. */
static uint32_t delay_since_sr(const struct rtp_receiver *receiver, uint64_t now_us) {
    if (receiver->last_sr == 0)
        return 0;
    uint64_t delay_us = now_us - receiver->last_sr_us;
    uint64_t limit_us = (uint64_t)65535 * US_PER_S;
    return (uint32_t)((delay_us < limit_us ? delay_us : limit_us) * 65536 / US_PER_S);
}

bool rtp_receiver_report(struct rtp_receiver *receiver, uint64_t now_us, uint32_t ssrc,
                         struct rtcp_report_block *out) {
    if (!receiver->started)
        return false;
    uint64_t expected = receiver->highest_seq - receiver->first_seq + 1;
    int64_t expected_now = (int64_t)(expected - receiver->expected_prior);
    int64_t arrived_now = (int64_t)(receiver->arrived - receiver->arrived_prior);
    receiver->expected_prior = expected;
    receiver->arrived_prior = receiver->arrived;
    *out = (struct rtcp_report_block){
        .ssrc = ssrc,
        .fraction_lost = fraction_of(expected_now - arrived_now, expected_now),
        .cumulative_lost = clamp_24_bits((int64_t)(expected - receiver->arrived)),
        /* Unwrapping begins one cycle up. */
        .highest_seq = (uint32_t)(receiver->highest_seq - 65536),
        .jitter = (uint32_t)(receiver->jitter_q4 >> 4),
        .last_sr = receiver->last_sr,
        .delay_since_last_sr = delay_since_sr(receiver, now_us),
    };
    return true;
}
