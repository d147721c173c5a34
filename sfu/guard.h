/* While strangers send much, the kernel drops media and handshakes that come from no validated
 * address: reading them costs as much as forwarding does. Each worker has one, on its thread. */
#ifndef SFU_GUARD_H
#define SFU_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "sfu/udp_filter.h"

struct sfu_network;

enum {
    SFU_GUARD_STRANGERS = 10000, /* Datagrams in a second with which it begins. */
    SFU_GUARD_CALM_S = 10,       /* It ends so long after there were fewer. */
};

/* Zero-initialise. */
struct sfu_guard {
    /* State. */
    bool on;
    unsigned calm_s;
    uint64_t addresses; /* Validated so far, when the filter was made. */
    uint64_t strangers; /* Dropped until the last second, here */
    uint32_t in_kernel; /* and there. */
    struct sfu_udp_filter filter;
};

/* Lets in whom the engine has just validated; to be called before they are answered. */
void sfu_guard_on_wakeup_end(struct sfu_network *network);

/* Begins, goes on without those who have left, or ends. */
void sfu_guard_on_second(struct sfu_network *network);

#endif
