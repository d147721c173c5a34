#include "bench/link.h"

void bench_link_init(struct bench_link *link, const struct bench_link_config *config,
                     uint64_t seed) {
    *link = (struct bench_link){.config = *config, .random = {seed}};
}

/* The step in force at a time, and when the next one begins. */
static struct bench_link_step step_at(const struct bench_link *link, uint64_t now_us,
                                      uint64_t *next_us) {
    const struct bench_link_config *config = &link->config;
    struct bench_link_step step = {.rate_bps = config->rate_bps};
    size_t i = 0;
    for (; i < config->step_count && config->steps[i].at_us <= now_us; i++)
        step = config->steps[i];
    *next_us = i < config->step_count ? config->steps[i].at_us : UINT64_MAX;
    return step;
}

uint64_t bench_link_rate_bps(const struct bench_link *link, uint64_t now_us) {
    uint64_t next_us;
    return step_at(link, now_us, &next_us).rate_bps;
}

uint64_t bench_link_wait_us(const struct bench_link *link, uint64_t now_us) {
    return link->busy_until_us > now_us ? link->busy_until_us - now_us : 0;
}

/* When `bits` have left if the first one leaves at begin_us, over all changes of the rate. */
static uint64_t when_left(const struct bench_link *link, uint64_t begin_us, uint64_t bits) {
    for (;;) {
        uint64_t next_us;
        uint64_t rate_bps = step_at(link, begin_us, &next_us).rate_bps;
        if (rate_bps == 0)
            return begin_us;
        uint64_t end_us = begin_us + bits * 1000000 / rate_bps;
        if (end_us <= next_us)
            return end_us;
        bits -= (next_us - begin_us) * rate_bps / 1000000;
        begin_us = next_us;
    }
}

/* What waits at a time, from the time that it takes to leave. */
static uint64_t waiting_bytes(const struct bench_link *link, uint64_t now_us) {
    uint64_t bits = 0;
    while (now_us < link->busy_until_us) {
        uint64_t next_us;
        uint64_t rate_bps = step_at(link, now_us, &next_us).rate_bps;
        uint64_t end_us = next_us < link->busy_until_us ? next_us : link->busy_until_us;
        bits += (end_us - now_us) * rate_bps / 1000000;
        now_us = end_us;
    }
    return bits / 8;
}

/* When the last bit has left; UINT64_MAX when the queue is full. */
static uint64_t leave_queue(struct bench_link *link, uint64_t now_us, size_t len) {
    const struct bench_link_config *config = &link->config;
    if (bench_link_rate_bps(link, now_us) == 0 && link->busy_until_us <= now_us)
        return now_us;
    uint64_t wait_us = bench_link_wait_us(link, now_us);
    if (wait_us > config->queue_us ||
        (config->queue_bytes != 0 && waiting_bytes(link, now_us) + len > config->queue_bytes))
        return UINT64_MAX;
    link->busy_until_us = when_left(link, now_us + wait_us, len * 8);
    return link->busy_until_us;
}

static bool is_lost(struct bench_link *link, uint64_t now_us) {
    const struct bench_link_config *config = &link->config;
    uint64_t next_us;
    if (config->burst_begin_ppm != 0)
        link->in_burst = link->in_burst
                             ? !bench_random_chance(&link->random, config->burst_end_ppm)
                             : bench_random_chance(&link->random, config->burst_begin_ppm);
    bool lost = bench_random_chance(&link->random, config->loss_ppm);
    if (link->in_burst)
        lost |= bench_random_chance(&link->random, config->burst_loss_ppm);
    return lost || step_at(link, now_us, &next_us).down;
}

static uint64_t arrival(struct bench_link *link, uint64_t left_us) {
    const struct bench_link_config *config = &link->config;
    uint64_t jitter_us =
        config->jitter_us ? bench_random_next(&link->random) % config->jitter_us : 0;
    uint64_t arrival_us = left_us + config->delay_us + jitter_us;
    if (config->in_order && arrival_us < link->last_arrival_us)
        arrival_us = link->last_arrival_us;
    link->last_arrival_us = arrival_us;
    return arrival_us;
}

size_t bench_link_send(struct bench_link *link, uint64_t now_us, size_t len,
                       uint64_t arrivals_us[static 2]) {
    link->sent++;
    uint64_t left_us = leave_queue(link, now_us, len);
    link->overflowed += left_us == UINT64_MAX;
    if (left_us == UINT64_MAX || is_lost(link, now_us)) {
        link->lost++;
        return 0;
    }
    link->bytes += len;
    arrivals_us[0] = arrival(link, left_us);
    if (!bench_random_chance(&link->random, link->config.duplicate_ppm))
        return 1;
    arrivals_us[1] = arrival(link, left_us);
    return 2;
}
