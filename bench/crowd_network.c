/* What is on its way through the modelled network of a client. */
#include <stdlib.h>
#include <string.h>

#include "bench/crowd_internal.h"

struct bench_delayed {
    struct bench_delayed *next;
    uint64_t at_us;
    bool up;
    uint16_t len;
    uint8_t data[];
};

/* Sorted from the soonest; most come last, but a list of one network is short. */
static void insert(struct bench_endpoint *endpoint, struct bench_delayed *delayed) {
    struct bench_delayed **place = &endpoint->delayed;
    while (*place != NULL && (*place)->at_us <= delayed->at_us)
        place = &(*place)->next;
    delayed->next = *place;
    *place = delayed;
}

void bench_endpoint_delay(struct bench_endpoint *endpoint, bool up, const uint8_t *data,
                          size_t len) {
    uint64_t arrivals_us[2];
    uint64_t now_us = up ? endpoint->crowd->loop->now_us : endpoint->crowd->arrived_us;
    size_t copies = bench_link_send(up ? &endpoint->up : &endpoint->down, now_us, len, arrivals_us);
    for (size_t i = 0; i < copies && len <= UINT16_MAX; i++) {
        struct bench_delayed *delayed = malloc(sizeof(*delayed) + len);
        if (delayed == NULL)
            return; /* Lost, as networks do. */
        *delayed = (struct bench_delayed){.at_us = arrivals_us[i], .up = up, .len = (uint16_t)len};
        memcpy(delayed->data, data, len);
        insert(endpoint, delayed);
    }
}

uint64_t bench_endpoint_arrival_us(const struct bench_endpoint *endpoint) {
    return endpoint->delayed ? endpoint->delayed->at_us : UINT64_MAX;
}

void bench_endpoint_arrive(struct bench_endpoint *endpoint) {
    uint64_t now_us = endpoint->crowd->loop->now_us;
    while (endpoint->delayed != NULL && endpoint->delayed->at_us <= now_us) {
        struct bench_delayed *delayed = endpoint->delayed;
        endpoint->delayed = delayed->next;
        if (delayed->up)
            bench_endpoint_put(endpoint, delayed->data, delayed->len);
        else
            bench_endpoint_input(endpoint, delayed->at_us, delayed->data, delayed->len);
        free(delayed);
    }
}

void bench_endpoint_drop_delayed(struct bench_endpoint *endpoint) {
    while (endpoint->delayed != NULL) {
        struct bench_delayed *delayed = endpoint->delayed;
        endpoint->delayed = delayed->next;
        free(delayed);
    }
}
