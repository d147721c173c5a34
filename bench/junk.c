#include "bench/junk.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/random.h"
#include "rtp/bytes.h"

enum {
    SENDERS = 16, /* Addresses that it comes from. */
    POOL = 1024,  /* Datagrams that are sent again and again, each time a little different. */
    BYTES_MAX = 1200,
    BATCH = 64,
    FRESH_AT = 12, /* What is different: a transaction's id, an SSRC. */
    TICK_NS = 1000000,
    SECOND_NS = 1000000000,
};

static const double burst_s = 0.02;

struct datagram {
    size_t len;
    uint8_t bytes[BYTES_MAX];
};

struct junk {
    struct datagram pool[POOL];
    struct bench_random random;
    int fds[SENDERS];
    size_t next, next_sender;
};

/* --- What it looks like --- */

static void write_noise(struct junk *junk, struct datagram *out) {
    out->len = 24 + bench_random_next(&junk->random) % (BYTES_MAX - 24);
    for (size_t i = 0; i < out->len; i++)
        out->bytes[i] = (uint8_t)bench_random_next(&junk->random);
}

/* A check of RFC 8445 for a user who does not exist, with an integrity that is none. */
static void write_check(struct datagram *out) {
    static const uint8_t username[] = {0, 6, 0, 9, 'a', 'b', 'c', 'd', ':', 'e', 'f', 'g', 'h'};
    out->len = 20 + 16 + 24;
    rtp_put16(out->bytes, 1);
    rtp_put16(out->bytes + 2, (uint16_t)(out->len - 20));
    rtp_put32(out->bytes + 4, 0x2112a442);
    memcpy(out->bytes + 20, username, sizeof(username));
    rtp_put32(out->bytes + 36, 8 << 16 | 20);
}

static void write_media(struct datagram *out) {
    out->bytes[0] = 0x80;
    out->bytes[1] = 96;
}

/* The record of a ClientHello whose inside is noise. */
static void write_handshake(struct datagram *out) {
    static const uint8_t head[] = {22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0};
    memcpy(out->bytes, head, sizeof(head));
    rtp_put16(out->bytes + 11, (uint16_t)(out->len - 13));
    out->bytes[13] = 1;
}

static void fill_pool(struct junk *junk) {
    for (size_t i = 0; i < POOL; i++) {
        struct datagram *datagram = &junk->pool[i];
        write_noise(junk, datagram);
        if (i % 4 == 1)
            write_check(datagram);
        else if (i % 4 == 2)
            write_media(datagram);
        else if (i % 4 == 3)
            write_handshake(datagram);
    }
}

/* --- Sending --- */

static int open_senders(struct junk *junk, const struct bench_junk_config *config) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(config->port)};
    if (inet_pton(AF_INET, config->address, &to.sin_addr) != 1)
        return -EINVAL;
    for (size_t i = 0; i < SENDERS; i++) {
        junk->fds[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (junk->fds[i] < 0 || connect(junk->fds[i], (struct sockaddr *)&to, sizeof(to)) < 0)
            return -errno;
    }
    return 0;
}

/* How many could not be sent. */
static size_t send_some(struct junk *junk, size_t count, struct bench_junk_result *out) {
    struct mmsghdr headers[BATCH] = {0};
    struct iovec iov[BATCH];
    for (size_t i = 0; i < count; i++) {
        struct datagram *datagram = &junk->pool[junk->next++ % POOL];
        rtp_put64(datagram->bytes + FRESH_AT, bench_random_next(&junk->random));
        iov[i] = (struct iovec){datagram->bytes, datagram->len};
        headers[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
    }
    int sent = sendmmsg(junk->fds[junk->next_sender++ % SENDERS], headers, (unsigned)count, 0);
    out->sent += sent > 0 ? (uint64_t)sent : 0;
    out->refused += count - (sent > 0 ? (uint64_t)sent : 0);
    return count - (sent > 0 ? (size_t)sent : 0);
}

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

static void send_all(struct junk *junk, const struct bench_junk_config *config,
                     const volatile sig_atomic_t *stop, struct bench_junk_result *out) {
    uint64_t begun_ns = now_ns(), passed_ns = 0, given_up = 0;
    while (!*stop && (double)passed_ns < config->seconds * SECOND_NS) {
        struct timespec tick = {.tv_nsec = TICK_NS};
        double due = config->rate * (double)passed_ns / SECOND_NS - (double)(out->sent + given_up);
        /* What this machine could not send in time is not made up for in one burst. */
        double most = config->rate * burst_s, now = due < most ? due : most;
        given_up += due > now ? (uint64_t)(due - now) : 0;
        for (size_t left = now > 0 ? (size_t)now : 0, count; left > 0; left -= count) {
            count = left < BATCH ? left : BATCH;
            given_up += send_some(junk, count, out);
        }
        nanosleep(&tick, NULL);
        passed_ns = now_ns() - begun_ns;
    }
    out->seconds = (double)passed_ns / SECOND_NS;
}

int bench_junk_run(const struct bench_junk_config *config, const volatile sig_atomic_t *stop,
                   struct bench_junk_result *out) {
    struct junk *junk = calloc(1, sizeof(*junk));
    *out = (struct bench_junk_result){0};
    if (junk == NULL)
        return -ENOMEM;
    memset(junk->fds, -1, sizeof(junk->fds));
    junk->random.state = 1;
    fill_pool(junk);
    int result = open_senders(junk, config);
    if (result == 0)
        send_all(junk, config, stop, out);
    for (size_t i = 0; i < SENDERS; i++)
        if (junk->fds[i] >= 0)
            close(junk->fds[i]);
    free(junk);
    return result;
}
