/* Network addresses as text, as options and the log have them. No name is ever looked up. */
#include "signaling/address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_SIZE 256

/* "host:port" or "[host]:port" into its parts; -EINVAL. */
static int split(const char *text, char host[static HOST_SIZE], uint16_t *port) {
    const char *colon = strrchr(text, ':');
    bool is_bracketed = text[0] == '[';
    if (colon == NULL || colon[1] == '\0' ||
        (is_bracketed && (colon < text + 2 || colon[-1] != ']')))
        return -EINVAL;
    size_t len = (size_t)(colon - text) - (is_bracketed ? 2 : 0);
    const char *start = text + is_bracketed;
    if (len == 0 || len >= HOST_SIZE || (!is_bracketed && memchr(start, ':', len) != NULL))
        return -EINVAL;
    char *end;
    unsigned long number = strtoul(colon + 1, &end, 10);
    if (!isdigit((unsigned char)colon[1]) || *end != '\0' || number > UINT16_MAX)
        return -EINVAL;
    memcpy(host, start, len);
    host[len] = '\0';
    *port = (uint16_t)number;
    return 0;
}

static int parse_ip(const char *host, uint16_t port, struct sockaddr_storage *out) {
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    memset(out, 0, sizeof(*out));
    if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
        memcpy(out, &v4, sizeof(v4));
        return 0;
    }
    if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1) {
        memcpy(out, &v6, sizeof(v6));
        return 0;
    }
    return -EINVAL;
}

int sig_address_parse_listen(const char *text,
                             struct sockaddr_storage out[SIG_ADDRESS_LISTEN_MAX]) {
    char host[HOST_SIZE];
    uint16_t port;
    if (split(text, host, &port) != 0)
        return -EINVAL;
    if (strcmp(host, "localhost") == 0) {
        parse_ip("127.0.0.1", port, &out[0]);
        parse_ip("::1", port, &out[1]);
        return 2;
    }
    return parse_ip(host, port, &out[0]) == 0 ? 1 : -EINVAL;
}

bool sig_address_is_ip(const char *text) {
    struct sockaddr_storage unused;
    return parse_ip(text, 0, &unused) == 0;
}

bool sig_address_is_host_port(const char *text) {
    char host[HOST_SIZE];
    uint16_t port;
    if (split(text, host, &port) != 0 || port == 0)
        return false;
    if (text[0] == '[')
        return sig_address_is_ip(host);
    return host[strspn(
               host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")] == '\0';
}

void sig_address_text(const struct sockaddr *address, char out[static INET6_ADDRSTRLEN]) {
    const void *bytes = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
    int family = address->sa_family;
    if (family == AF_INET6) {
        const struct in6_addr *v6 =
            &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
        bool is_mapped = IN6_IS_ADDR_V4MAPPED(v6);
        family = is_mapped ? AF_INET : AF_INET6;
        bytes = is_mapped ? (const void *)(v6->s6_addr + 12) : v6;
    }
    if (inet_ntop(family, bytes, out, INET6_ADDRSTRLEN) == NULL)
        snprintf(out, INET6_ADDRSTRLEN, "unknown");
}

uint16_t sig_address_port(const struct sockaddr *address) {
    return ntohs(address->sa_family == AF_INET6
                     ? ((const struct sockaddr_in6 *)(const void *)address)->sin6_port
                     : ((const struct sockaddr_in *)(const void *)address)->sin_port);
}

socklen_t sig_address_size(const struct sockaddr *address) {
    return address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                          : sizeof(struct sockaddr_in);
}
