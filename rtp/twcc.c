/* Transport-wide feedback. The receiver keeps arrival times in a ring; a feedback is planned (which
 * symbol and delta each number gets) before it is written, so that its chunks can look ahead. */
#include "rtp/twcc.h"

#include "rtp/bytes.h"

#include <errno.h>
#include <string.h>

enum {
    /* Base number, status count, reference time, feedback count. */
    HEAD_LEN = 8,
    CHUNK_LEN = 2,
    RUN_MAX = 0x1fff,
    ONE_BIT_SYMBOLS = 14,
    TWO_BIT_SYMBOLS = 7,
    TICK_US = 250,
    TICKS_PER_BASE_TIME = 256, /* 64 ms */
    FEEDBACK_SSRCS_LEN = 8,
};

/* Packet status symbols (section 3.1.1); the values are also how many bytes of delta follow. */
enum { MISSING = 0, SMALL_DELTA = 1, LARGE_DELTA = 2, RESERVED = 3 };

static uint64_t *arrival_of(struct rtp_twcc_receiver *receiver, uint64_t seq) {
    return &receiver->arrival_us[seq % RTP_TWCC_WINDOW];
}

/* Moves the newest number on; what falls out of the window is no longer reported. */
static void advance(struct rtp_twcc_receiver *receiver, uint64_t seq) {
    if (seq - receiver->newest >= RTP_TWCC_WINDOW)
        memset(receiver->arrival_us, 0, sizeof receiver->arrival_us);
    else
        for (uint64_t i = receiver->newest + 1; i <= seq; i++)
            *arrival_of(receiver, i) = 0;
    receiver->newest = seq;
    if (seq - receiver->base >= RTP_TWCC_WINDOW)
        receiver->base = seq - RTP_TWCC_WINDOW + 1;
}

void rtp_twcc_on_packet(struct rtp_twcc_receiver *receiver, uint64_t now_us, uint16_t seq) {
    uint64_t number = rtp_unwrapper_unwrap(&receiver->unwrapper, seq);
    if (!receiver->started) {
        receiver->started = true;
        receiver->base = number;
        receiver->newest = number;
    }
    if (number > receiver->newest)
        advance(receiver, number);
    uint64_t *arrival = arrival_of(receiver, number);
    if (receiver->newest - number >= RTP_TWCC_WINDOW || *arrival != 0)
        return;
    *arrival = now_us > 0 ? now_us : 1;
    if (number < receiver->base)
        receiver->base = number;
}

size_t rtp_twcc_pending(const struct rtp_twcc_receiver *receiver) {
    return receiver->started ? (size_t)(receiver->newest + 1 - receiver->base) : 0;
}

/* What a feedback says of the numbers from the receiver's base on. */
struct plan {
    uint32_t base_time; /* In 64 ms. */
    size_t count;
    uint8_t symbols[RTP_TWCC_WINDOW];
    int16_t deltas[RTP_TWCC_WINDOW]; /* In ticks. */
};

/* Plans as many numbers as one feedback can tell apart: it ends before a packet that came more than
 * a 16-bit delta after the one before it. */
static void plan_make(struct plan *plan, struct rtp_twcc_receiver *receiver) {
    size_t pending = rtp_twcc_pending(receiver);
    bool timed = false;
    int64_t last_ticks = 0;
    plan->base_time = 0;
    for (plan->count = 0; plan->count < pending; plan->count++) {
        uint64_t arrival_us = *arrival_of(receiver, receiver->base + plan->count);
        plan->symbols[plan->count] = MISSING;
        if (arrival_us == 0)
            continue;
        int64_t ticks = (int64_t)(arrival_us / TICK_US);
        if (!timed) {
            plan->base_time = (uint32_t)(ticks / TICKS_PER_BASE_TIME);
            last_ticks = ticks - ticks % TICKS_PER_BASE_TIME;
            timed = true;
        }
        int64_t delta = ticks - last_ticks;
        if (delta < INT16_MIN || delta > INT16_MAX)
            return;
        plan->symbols[plan->count] = delta >= 0 && delta <= UINT8_MAX ? SMALL_DELTA : LARGE_DELTA;
        plan->deltas[plan->count] = (int16_t)delta;
        last_ticks = ticks;
    }
}

/* How the next numbers are coded. */
enum chunk_kind { RUN_LENGTH, ONE_BIT_VECTOR, TWO_BIT_VECTOR };

struct chunk {
    enum chunk_kind kind;
    size_t count;
};

/* The chunk that codes the most numbers from `at` on. */
static struct chunk chunk_choose(const struct plan *plan, size_t at) {
    const uint8_t *symbols = plan->symbols + at;
    size_t left = plan->count - at, run = 1;
    while (run < left && run < RUN_MAX && symbols[run] == symbols[0])
        run++;
    size_t near = left < ONE_BIT_SYMBOLS ? left : ONE_BIT_SYMBOLS;
    bool has_large = memchr(symbols, LARGE_DELTA, near) != NULL;
    if (run >= near || (has_large && run >= TWO_BIT_SYMBOLS))
        return (struct chunk){RUN_LENGTH, run};
    if (!has_large)
        return (struct chunk){ONE_BIT_VECTOR, near};
    return (struct chunk){TWO_BIT_VECTOR, left < TWO_BIT_SYMBOLS ? left : TWO_BIT_SYMBOLS};
}

static uint16_t chunk_encode(struct chunk chunk, const uint8_t *symbols) {
    if (chunk.kind == RUN_LENGTH)
        return (uint16_t)(symbols[0] << 13 | (int)chunk.count);
    bool two_bits = chunk.kind == TWO_BIT_VECTOR;
    int shift = 14, value = two_bits ? 0xc000 : 0x8000;
    for (size_t i = 0; i < chunk.count; i++) {
        shift -= two_bits ? 2 : 1;
        value |= symbols[i] << shift;
    }
    return (uint16_t)value;
}

/* Writes the chunks of as many numbers as fit in capacity with their deltas, and sets plan->count
 * to that; returns the bytes written. */
static size_t chunks_write(struct plan *plan, uint8_t *out, size_t capacity) {
    size_t at = 0, written = 0, used = 0; /* used: with the deltas still to be written. */
    while (at < plan->count && used + CHUNK_LEN <= capacity) {
        struct chunk chunk = chunk_choose(plan, at);
        size_t planned = chunk.count;
        used += CHUNK_LEN;
        for (chunk.count = 0; chunk.count < planned; chunk.count++) {
            uint8_t delta_len = plan->symbols[at + chunk.count];
            if (used + delta_len > capacity)
                break;
            used += delta_len;
        }
        if (chunk.count == 0)
            break;
        rtp_put16(out + written, chunk_encode(chunk, plan->symbols + at));
        written += CHUNK_LEN;
        at += chunk.count;
        if (chunk.count < planned)
            break;
    }
    plan->count = at;
    return written;
}

static size_t deltas_write(const struct plan *plan, uint8_t *out) {
    size_t len = 0;
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->symbols[i] == SMALL_DELTA)
            out[len] = (uint8_t)plan->deltas[i];
        else if (plan->symbols[i] == LARGE_DELTA)
            rtp_put16(out + len, (uint16_t)plan->deltas[i]);
        len += plan->symbols[i];
    }
    return len;
}

size_t rtp_twcc_feedback_write(struct rtp_twcc_receiver *receiver, uint8_t *out, size_t capacity) {
    if (rtp_twcc_pending(receiver) == 0)
        return 0;
    struct plan plan;
    plan_make(&plan, receiver);
    size_t usable = (capacity < RTP_TWCC_BODY_MAX ? capacity : RTP_TWCC_BODY_MAX) & ~(size_t)3;
    size_t len = HEAD_LEN;
    len += chunks_write(&plan, out + len, usable - len);
    len += deltas_write(&plan, out + len);
    while (len % 4 != 0)
        out[len++] = 0;
    rtp_put16(out, (uint16_t)receiver->base);
    rtp_put16(out + 2, (uint16_t)plan.count);
    rtp_put24(out + 4, plan.base_time & 0xffffff);
    out[7] = receiver->feedback_count++;
    receiver->base += plan.count;
    return len;
}

/* A walk over the symbols of a feedback's chunks, from the first number to the last. */
struct symbols {
    const uint8_t *chunks, *end;
    size_t left;    /* Numbers still to come. */
    uint16_t chunk; /* The present one, and how many of its symbols are still to come. */
    size_t chunk_left;
};

static void chunk_begin(struct symbols *symbols) {
    symbols->chunk = rtp_get16(symbols->chunks);
    symbols->chunks += CHUNK_LEN;
    if (!(symbols->chunk & 0x8000))
        symbols->chunk_left = symbols->chunk & RUN_MAX;
    else
        symbols->chunk_left = symbols->chunk & 0x4000 ? TWO_BIT_SYMBOLS : ONE_BIT_SYMBOLS;
}

/* The symbol of the next number; false at the end, or where the chunks are cut short: then `left`
 * is not 0. */
static bool symbol_next(struct symbols *symbols, uint8_t *symbol) {
    while (symbols->left > 0 && symbols->chunk_left == 0) {
        if (symbols->end - symbols->chunks < CHUNK_LEN)
            return false;
        chunk_begin(symbols);
    }
    if (symbols->left == 0)
        return false;
    symbols->left--;
    symbols->chunk_left--;
    if (!(symbols->chunk & 0x8000))
        *symbol = symbols->chunk >> 13 & 3;
    else if (symbols->chunk & 0x4000)
        *symbol = symbols->chunk >> 2 * symbols->chunk_left & 3;
    else
        *symbol = symbols->chunk >> symbols->chunk_left & 1;
    return true;
}

/* Checks chunks and deltas; returns where the deltas begin, or NULL. */
static const uint8_t *deltas_find(struct symbols symbols) {
    size_t deltas_len = 0;
    uint8_t symbol;
    while (symbol_next(&symbols, &symbol)) {
        if (symbol == RESERVED)
            return NULL;
        deltas_len += symbol;
    }
    bool complete = symbols.left == 0 && (size_t)(symbols.end - symbols.chunks) >= deltas_len;
    return complete ? symbols.chunks : NULL;
}

int rtp_twcc_feedback_parse(const struct rtcp_packet *packet,
                            void (*on_arrival)(void *ctx, const struct rtp_twcc_arrival *arrival),
                            void *ctx) {
    if (packet->type != RTCP_RTPFB || packet->count != RTCP_FMT_TWCC ||
        packet->body_len < FEEDBACK_SSRCS_LEN + HEAD_LEN)
        return -EBADMSG;
    const uint8_t *head = packet->body + FEEDBACK_SSRCS_LEN;
    uint16_t seq = rtp_get16(head), count = rtp_get16(head + 2);
    if (count == 0 || count > RTP_TWCC_REPORTED_MAX)
        return -EBADMSG;
    struct symbols symbols = {
        .chunks = head + HEAD_LEN, .end = packet->body + packet->body_len, .left = count};
    const uint8_t *delta = deltas_find(symbols);
    if (delta == NULL)
        return -EBADMSG;
    int64_t ticks = (int64_t)rtp_get24(head + 4) * TICKS_PER_BASE_TIME;
    uint8_t symbol;
    for (; symbol_next(&symbols, &symbol); seq++) {
        if (symbol != MISSING)
            ticks += symbol == SMALL_DELTA ? delta[0] : (int16_t)rtp_get16(delta);
        delta += symbol;
        bool received = symbol != MISSING;
        on_arrival(ctx, &(struct rtp_twcc_arrival){.seq = seq,
                                                   .received = received,
                                                   .arrival_us = received ? ticks * TICK_US : 0});
    }
    return count;
}
