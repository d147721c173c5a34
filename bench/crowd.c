#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/crowd_internal.h"

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum {
    RUN_BYTES = 65536,
    OUT_MESSAGES = 32,
    OUT_BYTES = 2048, /* Of one. */
    OFFSET_US = 1000000,
    STAMP_AGE_MAX_US = 2000000,        /* Older ones are of a clock that was set. */
    SOCKET_BUFFER_BYTES = 1024 * 1024, /* A keyframe for each of many slots, and a late turn. */
};

/* Datagrams of one endpoint that wait to be sent. */
struct bench_outgoing {
    struct bench_endpoint *endpoint;
    size_t count;
    struct mmsghdr headers[OUT_MESSAGES];
    struct iovec iov[OUT_MESSAGES];
    uint8_t bytes[OUT_MESSAGES][OUT_BYTES];
};

/* Every client takes a file descriptor. */
static void raise_file_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* Which address the route to the host begins with. */
static int find_local(struct bench_crowd *crowd, const char *host) {
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM}, *found = NULL;
    struct sockaddr_in local = {0};
    socklen_t len = sizeof(local);
    if (getaddrinfo(host, "9", &hints, &found) != 0)
        return -ENOENT;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int result = fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) < 0 ||
                         getsockname(fd, (struct sockaddr *)&local, &len) < 0
                     ? -errno
                     : 0;
    if (fd >= 0)
        close(fd);
    freeaddrinfo(found);
    crowd->local = local.sin_addr;
    return result;
}

int bench_crowd_init(struct bench_crowd *crowd, struct bench_loop *loop, const char *host) {
    *crowd = (struct bench_crowd){.loop = loop};
    raise_file_limit();
    int result = find_local(crowd, host);
    if (result < 0)
        return result;
    crowd->incoming = malloc(RUN_BYTES);
    crowd->outgoing = calloc(1, sizeof(*crowd->outgoing));
    return crowd->incoming != NULL && crowd->outgoing != NULL ? 0 : -ENOMEM;
}

void bench_crowd_deinit(struct bench_crowd *crowd) {
    free(crowd->incoming);
    free(crowd->outgoing);
}

void bench_crowd_address(const struct bench_crowd *crowd, char out[static SFU_ADDRESS_MAX]) {
    inet_ntop(AF_INET, &crowd->local, out, SFU_ADDRESS_MAX);
}

/* --- Out --- */

static void flush(struct bench_crowd *crowd) {
    struct bench_outgoing *outgoing = crowd->outgoing;
    if (outgoing->count == 0)
        return;
    int fd = outgoing->endpoint->watch.fd;
    for (size_t done = 0; done < outgoing->count;) {
        int sent = sendmmsg(fd, outgoing->headers + done, (unsigned)(outgoing->count - done), 0);
        /* What a closed port answered to an earlier one is no failure of this one. */
        if (sent < 0 && errno == ECONNREFUSED)
            continue;
        crowd->counters.sends_failed += sent < 0;
        crowd->counters.datagrams_out += sent > 0 ? (uint64_t)sent : 0;
        done += sent > 0 ? (size_t)sent : 1;
    }
    outgoing->count = 0;
}

void bench_endpoint_put(struct bench_endpoint *endpoint, const uint8_t *data, size_t len) {
    struct bench_crowd *crowd = endpoint->crowd;
    struct bench_outgoing *outgoing = crowd->outgoing;
    if (len > OUT_BYTES || !endpoint->is_connected)
        return;
    if (outgoing->endpoint != endpoint || outgoing->count == OUT_MESSAGES)
        flush(crowd);
    size_t i = outgoing->count++;
    outgoing->endpoint = endpoint;
    memcpy(outgoing->bytes[i], data, len);
    outgoing->iov[i] = (struct iovec){outgoing->bytes[i], len};
    outgoing->headers[i].msg_hdr = (struct msghdr){.msg_iov = &outgoing->iov[i], .msg_iovlen = 1};
    crowd->counters.bytes_out += len;
}

void bench_endpoint_send(void *ctx, const uint8_t *data, size_t len) {
    struct bench_endpoint *endpoint = ctx;
    if (endpoint->is_modelled)
        bench_endpoint_delay(endpoint, true, data, len);
    else
        bench_endpoint_put(endpoint, data, len);
}

/* --- In --- */

void bench_endpoint_input(struct bench_endpoint *endpoint, uint64_t now_us, const uint8_t *data,
                          size_t len) {
    bench_client_input(endpoint->client, now_us, data, len);
}

void bench_endpoint_wake(struct bench_endpoint *endpoint) {
    uint64_t next_us = bench_client_next_deadline(endpoint->client);
    if (endpoint->is_modelled) {
        uint64_t arrival_us = bench_endpoint_arrival_us(endpoint);
        next_us = arrival_us < next_us ? arrival_us : next_us;
    }
    flush(endpoint->crowd);
    bench_timer_set(endpoint->crowd->loop, &endpoint->timer, next_us);
}

static uint64_t clock_us(clockid_t id) {
    struct timespec now;
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* As browsers do: when a packet arrived is what the kernel says, not when we came to look. */
static uint64_t stamp_us(struct bench_crowd *crowd, const struct timespec *stamp) {
    uint64_t now_us = crowd->loop->now_us;
    if (now_us >= crowd->offset_until_us) {
        crowd->offset_us = clock_us(CLOCK_REALTIME) - clock_us(CLOCK_MONOTONIC);
        crowd->offset_until_us = now_us + OFFSET_US;
    }
    uint64_t arrived_us =
        (uint64_t)stamp->tv_sec * 1000000 + (uint64_t)stamp->tv_nsec / 1000 - crowd->offset_us;
    return now_us - arrived_us < STAMP_AGE_MAX_US ? arrived_us : now_us;
}

/* The length of a run's datagrams, and when it arrived. */
static size_t read_control(struct bench_crowd *crowd, struct msghdr *header, size_t len) {
    size_t segment_len = len;
    crowd->arrived_us = crowd->loop->now_us;
    for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control != NULL;
         control = CMSG_NXTHDR(header, control)) {
        int segment = 0;
        struct timespec stamp;
        if (control->cmsg_level == SOL_UDP && control->cmsg_type == UDP_GRO) {
            memcpy(&segment, CMSG_DATA(control), sizeof(segment));
            segment_len = segment > 0 ? (size_t)segment : len;
        } else if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_TIMESTAMPNS) {
            memcpy(&stamp, CMSG_DATA(control), sizeof(stamp));
            crowd->arrived_us = stamp_us(crowd, &stamp);
        }
    }
    return segment_len;
}

static void take_run(struct bench_endpoint *endpoint, size_t len, size_t segment) {
    struct bench_crowd *crowd = endpoint->crowd;
    crowd->counters.runs_in++;
    crowd->counters.bytes_in += len;
    for (size_t at = 0; at < len; at += segment) {
        size_t part = len - at < segment ? len - at : segment;
        crowd->counters.datagrams_in++;
        if (endpoint->is_modelled)
            bench_endpoint_delay(endpoint, false, crowd->incoming + at, part);
        else
            bench_endpoint_input(endpoint, crowd->arrived_us, crowd->incoming + at, part);
    }
}

static void on_ready(struct bench_watch *watch, uint32_t events) {
    struct bench_endpoint *endpoint = (struct bench_endpoint *)watch;
    _Alignas(struct cmsghdr)
        uint8_t control[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct timespec))];
    struct iovec iov = {endpoint->crowd->incoming, RUN_BYTES};
    struct msghdr header = {.msg_iov = &iov,
                            .msg_iovlen = 1,
                            .msg_control = control,
                            .msg_controllen = sizeof(control)};
    (void)events;
    ssize_t len = recvmsg(watch->fd, &header, MSG_DONTWAIT);
    if (len <= 0 || endpoint->client == NULL)
        return;
    take_run(endpoint, (size_t)len, read_control(endpoint->crowd, &header, (size_t)len));
    bench_endpoint_wake(endpoint);
}

static void on_due(struct bench_timer *timer) {
    struct bench_endpoint *endpoint =
        (struct bench_endpoint *)((char *)timer - offsetof(struct bench_endpoint, timer));
    uint64_t now_us = endpoint->crowd->loop->now_us;
    if (endpoint->is_modelled)
        bench_endpoint_arrive(endpoint);
    if (bench_client_next_deadline(endpoint->client) <= now_us)
        bench_client_on_deadline(endpoint->client, now_us);
    bench_endpoint_wake(endpoint);
}

/* --- Sockets --- */

static void set_buffer(int fd, int force, int option) {
    int bytes = SOCKET_BUFFER_BYTES;
    if (setsockopt(fd, SOL_SOCKET, force, &bytes, sizeof(bytes)) < 0)
        setsockopt(fd, SOL_SOCKET, option, &bytes, sizeof(bytes));
}

static int open_socket(struct bench_endpoint *endpoint) {
    struct sockaddr_in local = {.sin_family = AF_INET}; /* The route to the server chooses. */
    socklen_t len = sizeof(local);
    int on = 1, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (bind(fd, (struct sockaddr *)&local, sizeof(local)) < 0 ||
        getsockname(fd, (struct sockaddr *)&local, &len) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
    set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
    set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF);
    endpoint->port = ntohs(local.sin_port);
    endpoint->watch = (struct bench_watch){fd, on_ready, 0};
    return 0;
}

int bench_endpoint_open(struct bench_endpoint *endpoint, struct bench_crowd *crowd,
                        const struct bench_crowd_network *network, uint64_t seed) {
    *endpoint = (struct bench_endpoint){.crowd = crowd, .is_modelled = network != NULL};
    int result = open_socket(endpoint);
    if (result < 0)
        return result;
    endpoint->is_open = true;
    if (network != NULL) {
        bench_link_init(&endpoint->down, &network->down, seed);
        bench_link_init(&endpoint->up, &network->up, seed ^ 1);
    }
    result = bench_timer_init(crowd->loop, &endpoint->timer, on_due);
    if (result < 0)
        bench_endpoint_close(endpoint);
    return result;
}

int bench_endpoint_attach(struct bench_endpoint *endpoint, struct bench_client *client,
                          const struct bench_remote *remote) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(remote->port)};
    if (inet_pton(AF_INET, remote->address, &to.sin_addr) != 1)
        return -EINVAL;
    if (connect(endpoint->watch.fd, (struct sockaddr *)&to, sizeof(to)) < 0)
        return -errno;
    endpoint->client = client;
    endpoint->is_connected = true;
    int result = bench_loop_add(endpoint->crowd->loop, &endpoint->watch, EPOLLIN);
    bench_endpoint_wake(endpoint);
    return result;
}

void bench_endpoint_close(struct bench_endpoint *endpoint) {
    if (!endpoint->is_open)
        return;
    flush(endpoint->crowd);
    if (endpoint->is_connected)
        bench_loop_remove(endpoint->crowd->loop, &endpoint->watch);
    bench_timer_deinit(endpoint->crowd->loop, &endpoint->timer);
    bench_endpoint_drop_delayed(endpoint);
    close(endpoint->watch.fd);
    endpoint->is_open = endpoint->is_connected = false;
}
