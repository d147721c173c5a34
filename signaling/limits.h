/* Limits on what one peer may take: token buckets, and connections and requests by address. */
#ifndef SIGNALING_LIMITS_H
#define SIGNALING_LIMITS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* A token bucket: rate tokens a second, burst at most. A rate of 0 never refuses. */
struct sig_bucket {
    /* Given. */
    uint32_t rate_per_s;
    uint32_t burst;
    /* State. */
    uint64_t level_us; /* Time saved up; one token costs 1,000,000 / rate. */
    uint64_t last_us;
};

/* A full bucket. */
void sig_bucket_init(struct sig_bucket *bucket, uint32_t rate_per_s, uint32_t burst,
                     uint64_t now_us);

/* Takes one token; false when there is none. */
bool sig_bucket_take(struct sig_bucket *bucket, uint64_t now_us);

struct sig_address_limits {
    uint32_t connections;    /* At a time per address; 0: no limit. */
    uint32_t requests_per_s; /* Per address, with a burst of five seconds' worth; 0: no limit. */
};

/* What each address holds. IPv4-mapped addresses count as IPv4, IPv6 addresses by their /64, since
 * one customer has that many. */
struct sig_addresses;

struct sig_addresses *sig_addresses_create(const struct sig_address_limits *limits);
void sig_addresses_destroy(struct sig_addresses *addresses);

/* Counts a connection: 0, or -EMFILE at the address's limit, or -ENOMEM. */
int sig_addresses_open(struct sig_addresses *addresses, const struct sockaddr *address,
                       uint64_t now_us);

/* Takes back what sig_addresses_open counted. */
void sig_addresses_close(struct sig_addresses *addresses, const struct sockaddr *address);

/* Takes a token for a request of an address that has a connection open; false: over its rate. */
bool sig_addresses_request(struct sig_addresses *addresses, const struct sockaddr *address,
                           uint64_t now_us);

/* Forgets addresses without connections whose bucket is full again; call it now and then. */
void sig_addresses_sweep(struct sig_addresses *addresses, uint64_t now_us);

#endif
