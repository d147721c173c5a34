/* Where a datagram came from and where its answer goes: the peer's IP address and port, and the
 * local socket or TCP connection it came by. Compared as bytes, so every unused byte is zero. */
#ifndef SFU_ADDRESS_H
#define SFU_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

struct sfu_address {
    uint8_t ip[16]; /* Network order; IPv4 in the first four bytes. */
    uint16_t port;  /* Host order. */
    uint8_t family; /* AF_INET or AF_INET6; 0: nowhere. */
    bool tcp;
    uint32_t via; /* Which of the worker's sockets, or which TCP connection. */
};

static inline bool sfu_address_equal(const struct sfu_address *a, const struct sfu_address *b) {
    return memcmp(a, b, sizeof(*a)) == 0;
}

/* The socket address in both directions; the length written, or 0 for another family. IPv4-mapped
 * addresses become IPv4. */
socklen_t sfu_address_to_sockaddr(const struct sfu_address *address, struct sockaddr_storage *out);
bool sfu_address_from_sockaddr(struct sfu_address *out, const struct sockaddr *from, uint32_t via);

/* The socket address of an IP address in words and a port; its length, or -EINVAL. */
int sfu_sockaddr_parse(const char *address, uint16_t port, struct sockaddr_storage *out);

#endif
