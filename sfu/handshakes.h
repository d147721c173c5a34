/* DTLS datagrams that wait for their turn. The signatures of a handshake take as long as forwarding
 * some hundred packets, so when many join at once, a few are taken at the end of each wake-up, and
 * media goes on between them. */
#ifndef SFU_HANDSHAKES_H
#define SFU_HANDSHAKES_H

#include <stdbool.h>
#include <stddef.h>

#include "sfu/address.h"
#include "sfu/packet.h"

enum {
    SFU_HANDSHAKES_WAITING_MAX = 512, /* Clients repeat what finds no room. */
    SFU_HANDSHAKES_PER_WAKEUP = 2,    /* Half a millisecond, one with the longest. */
};

struct sfu_handshake {
    struct sfu_packet *packet; /* A reference. */
    struct sfu_address from;
};

/* Zero-initialise. */
struct sfu_handshakes {
    /* State. */
    size_t first;
    size_t count;
    /* Owned. */
    struct sfu_handshake waiting[SFU_HANDSHAKES_WAITING_MAX];
};

/* Takes a reference; false when there is no room. */
bool sfu_handshakes_push(struct sfu_handshakes *handshakes, const struct sfu_address *from,
                         struct sfu_packet *packet);

/* The one that has waited longest, whose reference becomes the caller's; false when there is none.
 */
bool sfu_handshakes_pop(struct sfu_handshakes *handshakes, struct sfu_handshake *out);

/* Drops all references. */
void sfu_handshakes_deinit(struct sfu_handshakes *handshakes);

#endif
