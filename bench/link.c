#include "bench/link.h"

void bench_link_init(struct bench_link *link, const struct bench_link_config *config,
                     uint64_t seed) {
    *link = (struct bench_link){.config = *config, .random = {seed}};
}

/* When the last bit has left; UINT64_MAX when the queue is full. */
static uint64_t leave_queue(struct bench_link *link, uint64_t now_us, size_t len) {
    const struct bench_link_config *config = &link->config;
    if (config->rate_bps == 0)
        return now_us;
    uint64_t begin_us = link->busy_until_us > now_us ? link->busy_until_us : now_us;
    if (begin_us - now_us > config->queue_us)
        return UINT64_MAX;
    link->busy_until_us = begin_us + len * 8 * 1000000 / config->rate_bps;
    return link->busy_until_us;
}

static uint64_t arrival(struct bench_link *link, uint64_t left_us) {
    const struct bench_link_config *config = &link->config;
    uint64_t jitter_us =
        config->jitter_us ? bench_random_next(&link->random) % config->jitter_us : 0;
    return left_us + config->delay_us + jitter_us;
}

size_t bench_link_send(struct bench_link *link, uint64_t now_us, size_t len,
                       uint64_t arrivals_us[static 2]) {
    link->sent++;
    uint64_t left_us = leave_queue(link, now_us, len);
    if (left_us == UINT64_MAX || bench_random_chance(&link->random, link->config.loss_ppm)) {
        link->lost++;
        return 0;
    }
    arrivals_us[0] = arrival(link, left_us);
    if (!bench_random_chance(&link->random, link->config.duplicate_ppm))
        return 1;
    arrivals_us[1] = arrival(link, left_us);
    return 2;
}
