/* At which addresses this server is reached: those that it binds, and those that it shows to
 * clients, which differ behind a NAT (a cloud VM's public address). */
#ifndef SFU_REACH_H
#define SFU_REACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/network.h"
#include "sfu/sfu.h"

struct sfu_reach {
    char bound[SFU_SOCKETS_MAX][SFU_ADDRESS_MAX];
    const char *bound_list[SFU_SOCKETS_MAX];
    size_t bound_count;
    char shown[SFU_SOCKETS_MAX][SFU_ADDRESS_MAX];
    size_t shown_count;
};

/* Collects them by the configuration: given addresses, else those of all interfaces that are up,
 * else, on a machine without a network, the loopback's. A negative errno, with the reason in words:
 * the STUN server did not answer, or an address is none. */
int sfu_reach_init(struct sfu_reach *reach, const struct sfu_config *config, char *error,
                   size_t error_size);

/* A port that is free on all bound addresses, for UDP and (tcp) for TCP; 0 when none is found. It
 * is the caller's to bind it before somebody else does. */
uint16_t sfu_reach_free_port(const struct sfu_reach *reach, bool tcp);

#endif
