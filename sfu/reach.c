#include "sfu/reach.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <stun/stunagent.h>
#include <stun/usages/bind.h>
#include <uv.h>

#include "sfu/address.h"

enum {
    /* RFC 8489 section 6.2.1, cut short: a server that starts has to say soon what is wrong. */
    STUN_TRIES = 6,
    STUN_WAIT_MS = 500,
    PORT_TRIES = 100,
};

/* --- Bound addresses --- */

static bool is_usable(const uv_interface_address_t *interface, bool internal) {
    if (interface->is_internal != internal)
        return false;
    if (interface->address.address4.sin_family == AF_INET)
        return true;
    const struct in6_addr *ip = &interface->address.address6.sin6_addr;
    return interface->address.address4.sin_family == AF_INET6 && !internal &&
           !IN6_IS_ADDR_LINKLOCAL(ip);
}

static void add_interfaces(struct sfu_reach *reach, bool internal) {
    uv_interface_address_t *interfaces;
    int count;
    if (uv_interface_addresses(&interfaces, &count) != 0)
        return;
    for (int i = 0; i < count && reach->bound_count < SFU_SOCKETS_MAX; i++) {
        char *text = reach->bound[reach->bound_count];
        if (!is_usable(&interfaces[i], internal))
            continue;
        if (interfaces[i].address.address4.sin_family == AF_INET)
            uv_ip4_name(&interfaces[i].address.address4, text, SFU_ADDRESS_MAX);
        else
            uv_ip6_name(&interfaces[i].address.address6, text, SFU_ADDRESS_MAX);
        reach->bound_count++;
    }
    uv_free_interface_addresses(interfaces, count);
}

static void collect_bound(struct sfu_reach *reach, const struct sfu_config *config) {
    for (size_t i = 0; i < config->address_count && i < SFU_SOCKETS_MAX; i++)
        snprintf(reach->bound[reach->bound_count++], SFU_ADDRESS_MAX, "%s", config->addresses[i]);
    if (reach->bound_count == 0)
        add_interfaces(reach, false);
    if (reach->bound_count == 0)
        add_interfaces(reach, true);
    for (size_t i = 0; i < reach->bound_count; i++)
        reach->bound_list[i] = reach->bound[i];
}

/* --- The address that a STUN server sees (RFC 8489) --- */

static int connect_to(const char *host_port, char *error, size_t error_size) {
    char host[256];
    const char *colon = strrchr(host_port, ':');
    snprintf(host, sizeof(host), "%.*s", (int)(colon ? colon - host_port : 0), host_port);
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM};
    struct addrinfo *found = NULL;
    int result = colon ? getaddrinfo(host, colon + 1, &hints, &found) : EAI_NONAME;
    if (result != 0) {
        snprintf(error, error_size, "STUN server %s cannot be found: %s", host_port,
                 gai_strerror(result));
        return -ENOENT;
    }
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) < 0) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    if (fd < 0)
        snprintf(error, error_size, "STUN server %s cannot be reached", host_port);
    return fd < 0 ? -ENETUNREACH : fd;
}

static bool read_answer(StunAgent *agent, int fd, char out[static SFU_ADDRESS_MAX]) {
    uint8_t data[1200];
    ssize_t len = recv(fd, data, sizeof(data), 0);
    StunMessage message;
    if (len <= 0 || stun_agent_validate(agent, &message, data, (size_t)len, NULL, NULL) !=
                        STUN_VALIDATION_SUCCESS)
        return false;
    struct sockaddr_storage seen, other;
    socklen_t seen_len = sizeof(seen), other_len = sizeof(other);
    if (stun_usage_bind_process(&message, (struct sockaddr *)&seen, &seen_len,
                                (struct sockaddr *)&other,
                                &other_len) != STUN_USAGE_BIND_RETURN_SUCCESS)
        return false;
    return seen.ss_family == AF_INET &&
           uv_ip4_name((struct sockaddr_in *)&seen, out, SFU_ADDRESS_MAX) == 0;
}

static int ask(const char *host_port, char out[static SFU_ADDRESS_MAX], char *error,
               size_t error_size) {
    static const uint16_t known[] = {STUN_ATTRIBUTE_MAPPED_ADDRESS,
                                     STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, STUN_ATTRIBUTE_ERROR_CODE,
                                     0};
    StunAgent agent;
    StunMessage message;
    uint8_t request[128];
    stun_agent_init(&agent, known, STUN_COMPATIBILITY_RFC5389, 0);
    size_t len = stun_usage_bind_create(&agent, &message, request, sizeof(request));
    int fd = connect_to(host_port, error, error_size);
    if (fd < 0)
        return fd;
    bool answered = false;
    for (int i = 0; i < STUN_TRIES && !answered; i++) {
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        if (send(fd, request, len, 0) >= 0 && poll(&readable, 1, STUN_WAIT_MS) > 0)
            answered = read_answer(&agent, fd, out);
    }
    close(fd);
    if (!answered)
        snprintf(error, error_size, "STUN server %s does not answer", host_port);
    return answered ? 0 : -ETIMEDOUT;
}

/* --- Shown addresses --- */

int sfu_reach_init(struct sfu_reach *reach, const struct sfu_config *config, char *error,
                   size_t error_size) {
    *reach = (struct sfu_reach){0};
    collect_bound(reach, config);
    for (size_t i = 0; i < config->announced_count && i < SFU_SOCKETS_MAX - 1; i++)
        snprintf(reach->shown[reach->shown_count++], SFU_ADDRESS_MAX, "%s", config->announced[i]);
    int result = 0;
    if (config->stun != NULL)
        result = ask(config->stun, reach->shown[reach->shown_count++], error, error_size);
    for (size_t i = 0; reach->shown_count == 0 && i < reach->bound_count; i++)
        memcpy(reach->shown[i], reach->bound[i], SFU_ADDRESS_MAX);
    if (reach->shown_count == 0)
        reach->shown_count = reach->bound_count;
    return result;
}

/* --- A free port --- */

/* The port that a new socket could be bound to (0: any); 0 when it could not. */
static uint16_t try_port(const char *address, int type, uint16_t port) {
    struct sockaddr_storage local;
    int len = sfu_sockaddr_parse(address, port, &local);
    int fd = len > 0 ? socket(local.ss_family, type | SOCK_CLOEXEC, 0) : -1;
    socklen_t bound_len = sizeof(local);
    struct sfu_address bound = {0};
    if (fd >= 0 && bind(fd, (struct sockaddr *)&local, (socklen_t)len) == 0 &&
        getsockname(fd, (struct sockaddr *)&local, &bound_len) == 0)
        sfu_address_from_sockaddr(&bound, (struct sockaddr *)&local, 0);
    if (fd >= 0)
        close(fd);
    return bound.port;
}

static bool is_free(const struct sfu_reach *reach, uint16_t port, bool tcp) {
    for (size_t i = 0; i < reach->bound_count; i++)
        if (try_port(reach->bound[i], SOCK_DGRAM, port) == 0 ||
            (tcp && try_port(reach->bound[i], SOCK_STREAM, port) == 0))
            return false;
    return true;
}

uint16_t sfu_reach_free_port(const struct sfu_reach *reach, bool tcp) {
    for (int i = 0; i < PORT_TRIES && reach->bound_count > 0; i++) {
        uint16_t port = try_port(reach->bound[0], SOCK_DGRAM, 0);
        if (port != 0 && is_free(reach, port, tcp))
            return port;
    }
    return 0;
}
