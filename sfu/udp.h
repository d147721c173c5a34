/* A UDP port read and written in batches: recvmmsg into packets, sendmmsg with UDP_SEGMENT where
 * the kernel has it. */
#ifndef SFU_UDP_H
#define SFU_UDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

#include "sfu/address.h"
#include "sfu/batch.h"
#include "sfu/packet.h"
#include "sfu/udp_filter.h"

enum { SFU_UDP_BATCH = 64 };

struct sfu_udp {
    /* Owned. */
    int fd;
    int reports_fd; /* Gets what can wait (sfu/udp_reports.h); -1: fd gets all. */
    /* State. */
    bool ipv6;
    bool gso;
    /* Counters. */
    uint64_t sent;
    uint64_t sent_bytes;
    uint64_t failed; /* Datagrams that the kernel did not take. */
    uint64_t gso_messages;
    uint64_t gso_segments;
};

/* What datagrams are read into. Zero-initialise; what the kernel is told stays prepared between two
 * reads. */
struct sfu_udp_inbox {
    /* Given. */
    struct sfu_packet *packets[SFU_UDP_BATCH]; /* With one reference each. */
    /* State. */
    struct sfu_address from[SFU_UDP_BATCH];
    uint64_t now_us; /* When they were read. */
    bool is_prepared;
    size_t used; /* By the last read. */
    struct mmsghdr headers[SFU_UDP_BATCH];
    struct iovec iov[SFU_UDP_BATCH];
    struct sockaddr_storage names[SFU_UDP_BATCH];
    _Alignas(struct cmsghdr) uint8_t control[SFU_UDP_BATCH][CMSG_SPACE(sizeof(struct timespec))];
};

/* Binds to an IP address and port, non-blocking. What is neither STUN nor DTLS nor RTP by its first
 * bytes (RFC 7983), the kernel drops. A negative errno. */
int sfu_udp_open(struct sfu_udp *udp, const char *address, uint16_t port, bool gso);

/* The port that it is bound to. */
uint16_t sfu_udp_port(const struct sfu_udp *udp);

void sfu_udp_close(struct sfu_udp *udp);

/* Lets in only checks of ICE from who is not among the addresses; NULL: everybody. */
void sfu_udp_admit(const struct sfu_udp *udp, const struct sfu_udp_filter *addresses);

/* From one of the two: reads up to SFU_UDP_BATCH datagrams: the first n packets of the inbox are
 * filled, with received_us when the kernel received them, and n is returned (0: nothing waits).
 * Datagrams too long for a packet come with len 0. */
int sfu_udp_read(int fd, uint32_t via, struct sfu_udp_inbox *inbox);

/* Throws away up to SFU_UDP_BATCH datagrams, when there is no packet to read them into; returns how
 * many. */
int sfu_udp_discard(int fd);

/* How many datagrams the kernel dropped at this port: those that are nothing for us, and those
 * that its buffer had no room for. */
uint32_t sfu_udp_dropped(const struct sfu_udp *udp);

/* Sends messages, all from this port. What the kernel does not take is counted and lost, as on any
 * network. */
void sfu_udp_write(struct sfu_udp *udp, const struct sfu_message *messages, size_t count);

#endif
