/* A UDP socket read and written in batches: recvmmsg into packets, sendmmsg with UDP_SEGMENT where
 * the kernel has it. */
#ifndef SFU_UDP_H
#define SFU_UDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/address.h"
#include "sfu/batch.h"
#include "sfu/packet.h"

enum { SFU_UDP_BATCH = 64 };

struct sfu_udp {
    /* Owned. */
    int fd;
    /* State. */
    bool gso;
    /* Counters. */
    uint64_t sent;
    uint64_t sent_bytes;
    uint64_t failed; /* Datagrams that the kernel did not take. */
    uint64_t gso_messages;
    uint64_t gso_segments;
};

/* Binds to an IP address and port, non-blocking. A negative errno. */
int sfu_udp_open(struct sfu_udp *udp, const char *address, uint16_t port, bool gso);

/* The port that it is bound to. */
uint16_t sfu_udp_port(const struct sfu_udp *udp);

void sfu_udp_close(struct sfu_udp *udp);

/* Reads up to SFU_UDP_BATCH datagrams. packets[] must hold as many packets with one reference each;
 * the first n of them are filled, and n is returned (0: nothing waits). Datagrams too long for a
 * packet come with len 0. */
int sfu_udp_read(struct sfu_udp *udp, uint32_t via,
                 struct sfu_packet *packets[static SFU_UDP_BATCH],
                 struct sfu_address from[static SFU_UDP_BATCH]);

/* Throws away up to SFU_UDP_BATCH datagrams, when there is no packet to read them into; returns how
 * many. */
int sfu_udp_discard(struct sfu_udp *udp);

/* Sends messages, all of this socket. What the kernel does not take is counted and lost, as on any
 * network. */
void sfu_udp_write(struct sfu_udp *udp, const struct sfu_message *messages, size_t count);

#endif
