/* Between bench/crowd and bench/crowd_network. */
#ifndef BENCH_CROWD_INTERNAL_H
#define BENCH_CROWD_INTERNAL_H

#include "bench/crowd.h"

/* Puts a datagram onto its way through the client's network; it comes out as below. */
void bench_endpoint_delay(struct bench_endpoint *endpoint, bool up, const uint8_t *data,
                          size_t len);

/* When the next one arrives, UINT64_MAX for never; and lets those arrive that are due. */
uint64_t bench_endpoint_arrival_us(const struct bench_endpoint *endpoint);
void bench_endpoint_arrive(struct bench_endpoint *endpoint);
void bench_endpoint_drop_delayed(struct bench_endpoint *endpoint);

/* Past the network: onto the socket, and into the client. */
void bench_endpoint_put(struct bench_endpoint *endpoint, const uint8_t *data, size_t len);
void bench_endpoint_input(struct bench_endpoint *endpoint, uint64_t now_us, const uint8_t *data,
                          size_t len);

#endif
