#include "sfu/udp_reports.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

/* Offsets into the datagram's payload. Of SRTCP the first eight bytes are in the clear (RFC 3711
 * section 3.4): the header of a compound's first packet (RFC 3550 section 6.1, RFC 4585 section
 * 6.1). */
enum {
    FIRST = 0, /* Version, padding, then a count or FMT. */
    TYPE = 1,
    VERSION_MASK = 0xc0,
    VERSION = 0x80,
    FMT_MASK = 0x1f,
    SR = 200,
    RR = 201,
    RTPFB = 205,
    FMT_TWCC = 15,
};

/* Places in the group, in the order in which they came into it. */
enum { HURRIED = 0, REPORTS = 1 };

static int steer(int fd) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FIRST),
        BPF_STMT(BPF_MISC | BPF_TAX, 0),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, VERSION_MASK),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, VERSION, 0, 7),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, TYPE),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SR, 6, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RR, 5, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RTPFB, 0, 3),
        BPF_STMT(BPF_MISC | BPF_TXA, 0),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, FMT_MASK),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FMT_TWCC, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, HURRIED),
        BPF_STMT(BPF_RET | BPF_K, REPORTS),
    };
    struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};
    int result = setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program));
    return result < 0 ? -errno : 0;
}

static int share(int fd) {
    int on = 1;
    return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0 ? -errno : 0;
}

static int join(int fd, int reports_fd) {
    struct sockaddr_storage local;
    socklen_t len = sizeof(local);
    if (getsockname(fd, (struct sockaddr *)&local, &len) < 0)
        return -errno;
    int result = share(fd);
    if (result == 0)
        result = share(reports_fd);
    if (result == 0 && bind(reports_fd, (struct sockaddr *)&local, len) < 0)
        result = -errno;
    return result < 0 ? result : steer(fd);
}

int sfu_udp_reports_open(int fd) {
    int family;
    socklen_t len = sizeof(family);
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len) < 0)
        return -errno;
    int reports_fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    if (reports_fd < 0)
        return -errno;
    if (family == AF_INET6)
        setsockopt(reports_fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    int result = join(fd, reports_fd);
    if (result == 0)
        return reports_fd;
    close(reports_fd);
    return result;
}
