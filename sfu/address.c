/* Between our addresses and the socket interface's. */
#include "sfu/address.h"

#include <errno.h>
#include <uv.h>

static socklen_t to_sockaddr4(const struct sfu_address *address, struct sockaddr_in *out) {
    out->sin_family = AF_INET;
    out->sin_port = htons(address->port);
    memcpy(&out->sin_addr, address->ip, 4);
    return sizeof(*out);
}

static socklen_t to_sockaddr6(const struct sfu_address *address, struct sockaddr_in6 *out) {
    out->sin6_family = AF_INET6;
    out->sin6_port = htons(address->port);
    memcpy(&out->sin6_addr, address->ip, 16);
    return sizeof(*out);
}

socklen_t sfu_address_to_sockaddr(const struct sfu_address *address, struct sockaddr_storage *out) {
    memset(out, 0, sizeof(*out));
    if (address->family == AF_INET)
        return to_sockaddr4(address, (struct sockaddr_in *)out);
    if (address->family == AF_INET6)
        return to_sockaddr6(address, (struct sockaddr_in6 *)out);
    return 0;
}

static void from_sockaddr4(struct sfu_address *out, const struct sockaddr_in *from) {
    out->family = AF_INET;
    out->port = ntohs(from->sin_port);
    memcpy(out->ip, &from->sin_addr, 4);
}

static void from_sockaddr6(struct sfu_address *out, const struct sockaddr_in6 *from) {
    bool mapped = IN6_IS_ADDR_V4MAPPED(&from->sin6_addr);
    out->family = mapped ? AF_INET : AF_INET6;
    out->port = ntohs(from->sin6_port);
    if (mapped)
        memcpy(out->ip, from->sin6_addr.s6_addr + 12, 4);
    else
        memcpy(out->ip, from->sin6_addr.s6_addr, 16);
}

bool sfu_address_from_sockaddr(struct sfu_address *out, const struct sockaddr *from, uint32_t via) {
    if (from->sa_family != AF_INET && from->sa_family != AF_INET6)
        return false;
    memset(out, 0, sizeof(*out));
    out->via = via;
    if (from->sa_family == AF_INET)
        from_sockaddr4(out, (const struct sockaddr_in *)from);
    else
        from_sockaddr6(out, (const struct sockaddr_in6 *)from);
    return true;
}

int sfu_sockaddr_parse(const char *address, uint16_t port, struct sockaddr_storage *out) {
    memset(out, 0, sizeof(*out));
    if (uv_ip4_addr(address, port, (struct sockaddr_in *)out) == 0)
        return sizeof(struct sockaddr_in);
    if (uv_ip6_addr(address, port, (struct sockaddr_in6 *)out) == 0)
        return sizeof(struct sockaddr_in6);
    return -EINVAL;
}
