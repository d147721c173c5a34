#include "bench/cubic.h"

#include <math.h>

/* RFC 9438 sections 4.6 and 5.1 (beta, C), RFC 6928 (initial window), RFC 6298 (timeout). */
static const double beta = 0.7;
static const double growth = 0.4;
static const double window_least = 2;
static const double window_initial = 10;
enum { TIMEOUT_MIN_US = 200000 };

void bench_cubic_init(struct bench_cubic *flow, struct bench_link *link, uint64_t ack_delay_us,
                      uint64_t begin_us, uint64_t end_us) {
    *flow = (struct bench_cubic){.link = link,
                                 .ack_delay_us = ack_delay_us,
                                 .begin_us = begin_us,
                                 .end_us = end_us,
                                 .window = window_initial,
                                 .threshold = BENCH_CUBIC_WINDOW_MAX,
                                 .rtt_us = 100000};
}

static struct bench_cubic_segment *segment(struct bench_cubic *flow, uint64_t number) {
    return &flow->flight[number % BENCH_CUBIC_WINDOW_MAX];
}

/* A loss is known when the segments behind it have arrived: about a round trip after its sending.
 */
static void send(struct bench_cubic *flow, uint64_t now_us) {
    uint64_t arrivals_us[2];
    struct bench_cubic_segment *sent = segment(flow, flow->next++);
    uint64_t wait_us = bench_link_wait_us(flow->link, now_us);
    *sent = (struct bench_cubic_segment){.sent_us = now_us};
    sent->lost = bench_link_send(flow->link, now_us, BENCH_CUBIC_SEGMENT, arrivals_us) == 0;
    sent->known_us = sent->lost ? now_us + wait_us + flow->link->config.delay_us : arrivals_us[0];
    sent->known_us += flow->ack_delay_us;
}

/* RFC 9438 sections 4.6 and 4.7, once a window. */
static void reduce(struct bench_cubic *flow, uint64_t now_us) {
    bool shrinks = flow->window < flow->window_max;
    flow->window_max = shrinks ? flow->window * (1 + beta) / 2 : flow->window;
    flow->window = flow->threshold = fmax(flow->window * beta, window_least);
    flow->window_reno = flow->window;
    flow->epoch_us = now_us;
    flow->recover = flow->next;
}

/* RFC 9438 sections 4.2 to 4.5. */
static void grow(struct bench_cubic *flow, uint64_t now_us) {
    if (flow->window < flow->threshold) {
        flow->window += 1;
        return;
    }
    double rtt_s = (double)flow->rtt_us / 1e6;
    double at_s = (double)(now_us - flow->epoch_us) / 1e6 + rtt_s;
    double k_s = cbrt(flow->window_max * (1 - beta) / growth);
    double target = growth * pow(at_s - k_s, 3) + flow->window_max;
    target = fmin(fmax(target, flow->window), 1.5 * flow->window);
    flow->window_reno += 3 * (1 - beta) / (1 + beta) / flow->window;
    flow->window = fmax(flow->window + (target - flow->window) / flow->window, flow->window_reno);
}

static void on_known(struct bench_cubic *flow, uint64_t now_us, uint64_t number) {
    const struct bench_cubic_segment *known = segment(flow, number);
    if (known->lost) {
        if (number >= flow->recover)
            reduce(flow, now_us);
        return;
    }
    flow->rtt_us = (flow->rtt_us * 7 + (now_us - known->sent_us)) / 8;
    flow->delivered_bytes += BENCH_CUBIC_SEGMENT;
    if (number >= flow->recover)
        grow(flow, now_us);
}

uint64_t bench_cubic_next_deadline(const struct bench_cubic *flow) {
    if (flow->first == flow->next)
        return flow->begin_us < flow->end_us ? flow->begin_us : UINT64_MAX;
    return flow->flight[flow->first % BENCH_CUBIC_WINDOW_MAX].known_us;
}

void bench_cubic_on_deadline(struct bench_cubic *flow, uint64_t now_us) {
    if (now_us < flow->begin_us)
        return;
    for (; flow->first < flow->next && segment(flow, flow->first)->known_us <= now_us;
         flow->first++)
        on_known(flow, now_us, flow->first);
    if (now_us >= flow->end_us) {
        flow->begin_us = flow->end_us;
        return;
    }
    double window = fmin(flow->window, BENCH_CUBIC_WINDOW_MAX);
    while ((double)(flow->next - flow->first) < floor(window))
        send(flow, now_us);
}
