#include "bench/floor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "rtp/bytes.h"
#include "sfu/batch.h"
#include "sfu/gcm.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define NS_PER_S UINT64_C(1000000000)

enum {
    HEADER_LEN = 24, /* With an extension of eight bytes, as the server's. */
    PAYLOAD_MAX = 1200,
    MESSAGES = 64, /* Of one system call. */
    SOCKET_BUFFER_BYTES = 4 * 1024 * 1024,
};

struct subscriber {
    struct sockaddr_in address;
    struct sfu_gcm *gcm;
};

struct floor {
    struct bench_floor_config config;
    const struct sfu_gcm_library *provider;
    struct subscriber *subscribers;
    uint8_t *bytes;
    uint8_t payload[PAYLOAD_MAX];
    int fd;
    uint64_t packet_number;
    /* What waits to be sent. */
    size_t used, count;
    struct mmsghdr headers[MESSAGES];
    struct iovec iov[MESSAGES];
    _Alignas(struct cmsghdr) uint8_t control[MESSAGES][CMSG_SPACE(sizeof(uint16_t))];
};

static int open_subscribers(struct floor *floor) {
    floor->subscribers = calloc(floor->config.subscribers, sizeof(*floor->subscribers));
    floor->bytes = malloc(SFU_BATCH_BYTES);
    if (floor->subscribers == NULL || floor->bytes == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < floor->config.subscribers; i++) {
        struct subscriber *subscriber = &floor->subscribers[i];
        uint8_t key[16] = {0};
        rtp_put64(key, i + 1);
        subscriber->gcm = floor->provider->create(key, sizeof(key), true);
        subscriber->address.sin_family = AF_INET;
        subscriber->address.sin_port = htons((uint16_t)(floor->config.first_port + i));
        if (subscriber->gcm == NULL)
            return -ENOMEM;
        if (inet_pton(AF_INET, floor->config.address, &subscriber->address.sin_addr) != 1)
            return -EINVAL;
    }
    return 0;
}

static int open_socket(struct floor *floor) {
    int bytes = SOCKET_BUFFER_BYTES;
    floor->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (floor->fd < 0)
        return -errno;
    if (setsockopt(floor->fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0)
        setsockopt(floor->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    return 0;
}

static void floor_close(struct floor *floor) {
    for (size_t i = 0; floor->subscribers != NULL && i < floor->config.subscribers; i++)
        if (floor->subscribers[i].gcm != NULL)
            floor->provider->destroy(floor->subscribers[i].gcm);
    free(floor->subscribers);
    free(floor->bytes);
    if (floor->fd >= 0)
        close(floor->fd);
}

static size_t packet_len(const struct floor *floor) {
    return HEADER_LEN + floor->config.payload_len + SFU_GCM_TAG_LEN;
}

static void encrypt_run(struct floor *floor, const struct subscriber *subscriber, uint8_t *out) {
    for (size_t i = 0; i < floor->config.run; i++, out += packet_len(floor)) {
        uint8_t iv[SFU_GCM_IV_LEN] = {0};
        rtp_put64(iv + 4, ++floor->packet_number);
        memset(out, 0, HEADER_LEN);
        out[0] = 0x90;
        rtp_put16(out + 2, (uint16_t)floor->packet_number);
        const struct sfu_gcm_text text = {.aad = out,
                                          .aad_len = HEADER_LEN,
                                          .body = floor->payload,
                                          .body_len = floor->config.payload_len};
        floor->provider->seal(subscriber->gcm, iv, &text, out + HEADER_LEN);
    }
}

static void push(struct floor *floor, struct bench_floor_result *out) {
    for (size_t done = 0; done < floor->count;) {
        int sent = sendmmsg(floor->fd, floor->headers + done, (unsigned)(floor->count - done), 0);
        if (sent <= 0)
            out->refused += floor->config.run;
        done += sent > 0 ? (size_t)sent : 1;
    }
    floor->used = floor->count = 0;
}

static void add_message(struct floor *floor, struct subscriber *subscriber, uint8_t *data) {
    size_t i = floor->count++;
    uint16_t segment_len = (uint16_t)packet_len(floor);
    floor->iov[i] = (struct iovec){data, segment_len * floor->config.run};
    floor->headers[i].msg_hdr = (struct msghdr){.msg_name = &subscriber->address,
                                                .msg_namelen = sizeof(subscriber->address),
                                                .msg_iov = &floor->iov[i],
                                                .msg_iovlen = 1};
    if (floor->config.run == 1)
        return;
    struct msghdr *header = &floor->headers[i].msg_hdr;
    header->msg_control = floor->control[i];
    header->msg_controllen = sizeof(floor->control[i]);
    struct cmsghdr *control = CMSG_FIRSTHDR(header);
    control->cmsg_level = SOL_UDP;
    control->cmsg_type = UDP_SEGMENT;
    control->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    memcpy(CMSG_DATA(control), &segment_len, sizeof(segment_len));
}

static void give_run(struct floor *floor, struct subscriber *subscriber,
                     struct bench_floor_result *out, bool sends) {
    size_t run_bytes = packet_len(floor) * floor->config.run;
    if (floor->count == MESSAGES || floor->used + run_bytes > SFU_BATCH_BYTES)
        push(floor, out);
    uint8_t *data = floor->bytes + floor->used;
    encrypt_run(floor, subscriber, data);
    floor->used += run_bytes;
    if (sends)
        add_message(floor, subscriber, data);
}

/* A frame for every subscriber. */
static void turn(struct floor *floor, struct bench_floor_result *out, bool sends) {
    for (size_t i = 0; i < floor->config.subscribers; i++)
        for (size_t given = 0; given < floor->config.frame; given += floor->config.run)
            give_run(floor, &floor->subscribers[i], out, sends);
    push(floor, out);
}

static void rest(const struct floor *floor, struct timespec *next) {
    if (floor->config.frames_per_s <= 0)
        return;
    uint64_t next_ns = (uint64_t)next->tv_nsec + (uint64_t)(1e9 / floor->config.frames_per_s);
    next->tv_sec += (time_t)(next_ns / NS_PER_S);
    next->tv_nsec = (long)(next_ns % NS_PER_S);
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, next, NULL);
}

static uint64_t cpu_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static uint64_t measure(struct floor *floor, struct bench_floor_result *out, bool sends) {
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    uint64_t begun_ns = cpu_ns();
    for (uint64_t done = 0; done < floor->config.packets;
         done += floor->config.subscribers * floor->config.frame) {
        turn(floor, out, sends);
        if (sends)
            rest(floor, &next);
    }
    return cpu_ns() - begun_ns;
}

static bool is_possible(const struct bench_floor_config *config) {
    size_t packet = config->payload_len + HEADER_LEN + SFU_GCM_TAG_LEN;
    return config->payload_len <= PAYLOAD_MAX && config->subscribers > 0 && config->run > 0 &&
           config->run <= SFU_BATCH_SEGMENTS_MAX && config->run * packet <= SFU_BATCH_MESSAGE_MAX &&
           config->frame >= config->run && config->frame % config->run == 0;
}

int bench_floor_run(const struct bench_floor_config *config, struct bench_floor_result *out) {
    static struct floor floor; /* Its messages are large for a stack. */
    *out = (struct bench_floor_result){0};
    if (!is_possible(config))
        return -EINVAL;
    floor = (struct floor){.config = *config, .provider = sfu_gcm_library(), .fd = -1};
    int result = open_subscribers(&floor);
    if (result == 0)
        result = open_socket(&floor);
    if (result == 0) {
        out->cipher_cpu_ns = measure(&floor, out, false);
        floor.packet_number = 0;
        out->cpu_ns = measure(&floor, out, true);
        out->sent = floor.packet_number - out->refused;
    }
    floor_close(&floor);
    return result;
}
