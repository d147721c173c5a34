/* What the kernel lets through to a socket of ours, as a program of the classic packet filter, for
 * which no privilege is needed: what RFC 7983 names by the first byte, and, when there is a set of
 * addresses, from all others only checks of ICE. */
#ifndef SFU_UDP_FILTER_H
#define SFU_UDP_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "sfu/address.h"

/* A program has no memory to look into, so the set is in its instructions, as bits by a hash: of
 * 1,000 addresses in it 12 of 100 others get through, and are dropped here. */
enum { SFU_UDP_FILTER_WORDS = 256 };

struct sfu_udp_filter {
    uint32_t key; /* Odd and secret, so that nobody knows which addresses share a bit. */
    uint32_t words[SFU_UDP_FILTER_WORDS];
};

void sfu_udp_filter_add(struct sfu_udp_filter *filter, const struct sfu_address *address);

/* addresses is NULL for everybody. A negative errno when the kernel does not take it: nothing is
 * filtered then. */
int sfu_udp_filter_attach(int fd, bool ipv6, const struct sfu_udp_filter *addresses);

#endif
