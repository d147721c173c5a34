#include "sfu/udp.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sfu/udp_reports.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum {
    /* A keyframe to some hundred subscribers is a few megabytes; the kernel halves what it may not
       give. */
    SOCKET_BUFFER_BYTES = 4 * 1024 * 1024,

    /* No datagram waits longer in the kernel's buffer, so a stamp that says so is wrong. */
    WAIT_MAX_US = 1000 * 1000,
};

static void set_up(int fd, bool ipv6) {
    int one = 1, bytes = SOCKET_BUFFER_BYTES;
    /* The forced form passes the system's limit where we may (CAP_NET_ADMIN). */
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one));
    /* Junk is dropped before it is queued and wakes nobody; without it, it is dropped here. */
    sfu_udp_filter_attach(fd, ipv6, NULL);
}

int sfu_udp_open(struct sfu_udp *udp, const char *address, uint16_t port, bool gso) {
    struct sockaddr_storage local;
    int len = sfu_sockaddr_parse(address, port, &local);
    *udp = (struct sfu_udp){.fd = -1, .reports_fd = -1, .gso = gso};
    if (len < 0)
        return len;
    int fd = socket(local.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int one = 1;
    if (local.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
    set_up(fd, local.ss_family == AF_INET6);
    if (bind(fd, (struct sockaddr *)&local, (socklen_t)len) < 0) {
        int error = -errno;
        close(fd);
        return error;
    }
    udp->fd = fd;
    udp->ipv6 = local.ss_family == AF_INET6;
    udp->reports_fd = sfu_udp_reports_open(fd);
    if (udp->reports_fd < 0)
        udp->reports_fd = -1;
    else
        set_up(udp->reports_fd, udp->ipv6);
    return 0;
}

uint16_t sfu_udp_port(const struct sfu_udp *udp) {
    struct sockaddr_storage local;
    socklen_t len = sizeof(local);
    struct sfu_address address = {0};
    if (getsockname(udp->fd, (struct sockaddr *)&local, &len) == 0)
        sfu_address_from_sockaddr(&address, (struct sockaddr *)&local, 0);
    return address.port;
}

void sfu_udp_close(struct sfu_udp *udp) {
    if (udp->fd >= 0)
        close(udp->fd);
    if (udp->reports_fd >= 0)
        close(udp->reports_fd);
    udp->fd = udp->reports_fd = -1;
}

static void admit(int fd, bool ipv6, const struct sfu_udp_filter *addresses) {
    if (fd >= 0 && sfu_udp_filter_attach(fd, ipv6, addresses) < 0 && addresses != NULL)
        sfu_udp_filter_attach(fd, ipv6, NULL);
}

void sfu_udp_admit(const struct sfu_udp *udp, const struct sfu_udp_filter *addresses) {
    admit(udp->fd, udp->ipv6, addresses);
    admit(udp->reports_fd, udp->ipv6, addresses);
}

static void prepare(struct sfu_udp_inbox *inbox, size_t i) {
    inbox->headers[i].msg_hdr = (struct msghdr){.msg_name = &inbox->names[i],
                                                .msg_namelen = sizeof(inbox->names[i]),
                                                .msg_iov = &inbox->iov[i],
                                                .msg_iovlen = 1,
                                                .msg_control = inbox->control[i],
                                                .msg_controllen = sizeof(inbox->control[i])};
}

/* Before each read the kernel gets back what the last one changed. */
static void prepare_all(struct sfu_udp_inbox *inbox) {
    size_t count = inbox->is_prepared ? inbox->used : SFU_UDP_BATCH;
    for (size_t i = 0; i < count; i++)
        prepare(inbox, i);
    for (size_t i = 0; i < SFU_UDP_BATCH; i++)
        inbox->iov[i] =
            (struct iovec){.iov_base = inbox->packets[i]->data, .iov_len = SFU_PACKET_CAPACITY};
    inbox->is_prepared = true;
}

static uint64_t clock_us(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

/* For how long the datagram has waited; 0 where the kernel gave no stamp, or the clock of stamps
 * was set meanwhile. */
static uint64_t waited_us(struct msghdr *header, uint64_t wall_us) {
    const struct cmsghdr *control = CMSG_FIRSTHDR(header);
    if (control == NULL || control->cmsg_level != SOL_SOCKET ||
        control->cmsg_type != SCM_TIMESTAMPNS)
        return 0;
    struct timespec stamp;
    memcpy(&stamp, CMSG_DATA(control), sizeof(stamp));
    uint64_t stamp_us = (uint64_t)stamp.tv_sec * 1000000 + (uint64_t)stamp.tv_nsec / 1000;
    return stamp_us < wall_us && wall_us - stamp_us < WAIT_MAX_US ? wall_us - stamp_us : 0;
}

int sfu_udp_read(int fd, uint32_t via, struct sfu_udp_inbox *inbox) {
    prepare_all(inbox);
    int count = recvmmsg(fd, inbox->headers, SFU_UDP_BATCH, MSG_DONTWAIT, NULL);
    inbox->used = count > 0 ? (size_t)count : 0;
    uint64_t wall_us = clock_us(CLOCK_REALTIME);
    inbox->now_us = clock_us(CLOCK_MONOTONIC);
    for (size_t i = 0; i < inbox->used; i++) {
        struct mmsghdr *header = &inbox->headers[i];
        struct sfu_packet *packet = inbox->packets[i];
        packet->len = header->msg_hdr.msg_flags & MSG_TRUNC ? 0 : header->msg_len;
        packet->received_us = inbox->now_us - waited_us(&header->msg_hdr, wall_us);
        sfu_address_from_sockaddr(&inbox->from[i], (struct sockaddr *)&inbox->names[i], via);
    }
    return (int)inbox->used;
}

static uint32_t dropped_at(int fd) {
    uint32_t figures[SK_MEMINFO_VARS] = {0};
    socklen_t len = sizeof(figures);
    getsockopt(fd, SOL_SOCKET, SO_MEMINFO, figures, &len);
    return figures[SK_MEMINFO_DROPS];
}

uint32_t sfu_udp_dropped(const struct sfu_udp *udp) {
    return dropped_at(udp->fd) + dropped_at(udp->reports_fd);
}

int sfu_udp_discard(int fd) {
    uint8_t byte;
    int count = 0;
    while (count < SFU_UDP_BATCH && recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) >= 0)
        count++;
    return count;
}

/* --- Writing: messages become kernel headers, one for each run with GSO, one for each datagram
 * without --- */

enum { WRITE_HEADERS = 64 };

struct write {
    struct mmsghdr headers[WRITE_HEADERS];
    struct iovec iov[WRITE_HEADERS];
    struct sockaddr_storage names[WRITE_HEADERS];
    _Alignas(struct cmsghdr) uint8_t control[WRITE_HEADERS][CMSG_SPACE(sizeof(uint16_t))];
    const struct sfu_message *messages[WRITE_HEADERS];
    size_t count;
};

static void add_header(struct write *write, const struct sfu_message *message, uint8_t *data,
                       size_t len) {
    size_t i = write->count++;
    write->iov[i] = (struct iovec){.iov_base = data, .iov_len = len};
    write->messages[i] = message;
    write->headers[i].msg_hdr = (struct msghdr){
        .msg_name = &write->names[i],
        .msg_namelen = sfu_address_to_sockaddr(&message->to, &write->names[i]),
        .msg_iov = &write->iov[i],
        .msg_iovlen = 1,
    };
    if (len <= message->segment_len)
        return;
    struct msghdr *header = &write->headers[i].msg_hdr;
    header->msg_control = write->control[i];
    header->msg_controllen = sizeof(write->control[i]);
    struct cmsghdr *control = CMSG_FIRSTHDR(header);
    control->cmsg_level = SOL_UDP;
    control->cmsg_type = UDP_SEGMENT;
    control->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    memcpy(CMSG_DATA(control), &message->segment_len, sizeof(uint16_t));
}

static size_t segments_of(const struct write *write, size_t i) {
    size_t segment_len = write->messages[i]->segment_len;
    return (write->iov[i].iov_len + segment_len - 1) / segment_len;
}

static void write_plainly(struct sfu_udp *udp, const struct sfu_message *message);

/* GSO was refused: this kernel or device has none. The socket does without for good, and the run is
 * sent in pieces. */
static void give_up_gso(struct sfu_udp *udp, const struct sfu_message *message) {
    udp->gso = false;
    write_plainly(udp, message);
}

static void count_sent(struct sfu_udp *udp, const struct write *write, size_t i) {
    size_t segments = segments_of(write, i);
    udp->sent += segments;
    udp->sent_bytes += write->iov[i].iov_len;
    udp->gso_messages += segments > 1;
    udp->gso_segments += segments > 1 ? segments : 0;
}

static void push(struct sfu_udp *udp, struct write *write) {
    for (size_t done = 0; done < write->count;) {
        int sent =
            sendmmsg(udp->fd, write->headers + done, (unsigned)(write->count - done), MSG_DONTWAIT);
        for (int i = 0; i < sent; i++)
            count_sent(udp, write, done + (size_t)i);
        if (sent > 0) {
            done += (size_t)sent;
            continue;
        }
        if (errno == EINTR)
            continue;
        bool run = segments_of(write, done) > 1;
        if (run && (errno == EINVAL || errno == EIO))
            give_up_gso(udp, write->messages[done]);
        else
            udp->failed += segments_of(write, done);
        done++;
    }
    write->count = 0;
}

static void add_segments(struct sfu_udp *udp, struct write *write,
                         const struct sfu_message *message) {
    for (size_t offset = 0; offset < message->len; offset += message->segment_len) {
        size_t rest = message->len - offset;
        if (write->count == WRITE_HEADERS)
            push(udp, write);
        add_header(write, message, message->data + offset,
                   rest < message->segment_len ? rest : message->segment_len);
    }
}

static void write_plainly(struct sfu_udp *udp, const struct sfu_message *message) {
    struct write write;
    write.count = 0;
    add_segments(udp, &write, message);
    push(udp, &write);
}

void sfu_udp_write(struct sfu_udp *udp, const struct sfu_message *messages, size_t count) {
    struct write write;
    write.count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!udp->gso) {
            add_segments(udp, &write, &messages[i]);
            continue;
        }
        if (write.count == WRITE_HEADERS)
            push(udp, &write);
        add_header(&write, &messages[i], messages[i].data, messages[i].len);
    }
    push(udp, &write);
}
