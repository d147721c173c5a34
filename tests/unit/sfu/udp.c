/* Over loopback sockets on free ports; the kernel's refusals are played. */
#include "sfu/udp.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/unit/test.h"

enum { MESSAGES_MAX = 200 };

/* --- A kernel that refuses --- */

static struct {
    int calls;
    int gso_error;    /* What a message with UDP_SEGMENT gets, 0: what the real one says. */
    int error;        /* What the first message of the failing call gets. */
    int failing_call; /* From 1; 0: none. */
} kernel;

int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) {
    kernel.calls++;
    if (kernel.calls == kernel.failing_call) {
        errno = kernel.error;
        return -1;
    }
    unsigned accepted = 0;
    while (accepted < count &&
           (kernel.gso_error == 0 || messages[accepted].msg_hdr.msg_controllen == 0))
        accepted++;
    if (accepted == 0 && count > 0) {
        errno = kernel.gso_error;
        return -1;
    }
    return (int)syscall(SYS_sendmmsg, fd, messages, accepted, flags);
}

/* --- Two sockets --- */

static struct {
    struct sfu_udp sender, receiver;
    struct sfu_pool *pool;
    struct sfu_udp_inbox inbox;
    struct sfu_address to; /* The receiver's. */
    struct sfu_message messages[MESSAGES_MAX];
    size_t message_count;
    uint8_t bytes[512 * 1024];
    size_t used;
    uint8_t
        next; /* Of the next datagram to be sent: its first byte, as RTP has it, counts to 64. */
    uint8_t expected;
} pair;

static void open_pair(const char *ip, bool gso) {
    struct sockaddr_storage name;
    CHECK_INT(sfu_udp_open(&pair.sender, ip, 0, gso), 0);
    CHECK_INT(sfu_udp_open(&pair.receiver, ip, 0, false), 0);
    CHECK(sfu_sockaddr_parse(ip, sfu_udp_port(&pair.receiver), &name) > 0);
    CHECK(sfu_address_from_sockaddr(&pair.to, (struct sockaddr *)&name, 0));
    CHECK_INT(sfu_pool_create(&pair.pool, SFU_UDP_BATCH), 0);
    for (size_t i = 0; i < SFU_UDP_BATCH; i++)
        pair.inbox.packets[i] = sfu_pool_get(pair.pool);
}

static void close_pair(void) {
    for (size_t i = 0; i < SFU_UDP_BATCH; i++)
        sfu_packet_unref(pair.inbox.packets[i]);
    sfu_pool_destroy(pair.pool);
    sfu_udp_close(&pair.sender);
    sfu_udp_close(&pair.receiver);
}

/* A message of len bytes; each segment begins with its number. */
static void add(size_t len, uint16_t segment_len) {
    CHECK(pair.used + len <= sizeof(pair.bytes) && pair.message_count < MESSAGES_MAX);
    struct sfu_message *message = &pair.messages[pair.message_count++];
    *message = (struct sfu_message){.to = pair.to,
                                    .data = pair.bytes + pair.used,
                                    .len = (uint32_t)len,
                                    .segment_len = segment_len,
                                    .segments = (uint16_t)((len + segment_len - 1) / segment_len)};
    for (size_t at = 0; at < len; at += segment_len)
        message->data[at] = 0x80 | (pair.next++ & 0x3f);
    pair.used += len;
}

static void write_all(void) {
    sfu_udp_write(&pair.sender, pair.messages, pair.message_count);
    pair.message_count = pair.used = 0;
}

static int read_batch(void) {
    return sfu_udp_read(pair.receiver.fd, 3, &pair.inbox);
}

/* The next datagrams have these lengths and come in order. */
static void check_received(const size_t *lens, size_t count) {
    for (size_t done = 0; done < count;) {
        int got = read_batch();
        CHECK(got > 0 && (size_t)got <= count - done);
        for (int i = 0; i < got; i++, done++) {
            CHECK_INT(pair.inbox.packets[i]->len, lens[done]);
            CHECK_INT(pair.inbox.packets[i]->data[0], 0x80 | (pair.expected++ & 0x3f));
        }
    }
    CHECK_INT(read_batch(), 0);
}

/* --- Opening --- */

static void what_cannot_be_bound_says_why(void) {
    struct sfu_udp one, other;
    CHECK_INT(sfu_udp_open(&one, "nonsense", 0, true), -EINVAL);
    CHECK_INT(one.fd, -1);
    sfu_udp_close(&one);
    CHECK_INT(sfu_udp_open(&one, "192.0.2.1", 0, true), -EADDRNOTAVAIL); /* RFC 5737 */
    CHECK_INT(sfu_udp_open(&one, "127.0.0.1", 0, true), 0);
    CHECK_INT(sfu_udp_open(&other, "127.0.0.1", sfu_udp_port(&one), true), -EADDRINUSE);
    CHECK_INT(other.fd, -1);
    sfu_udp_close(&one);
    sfu_udp_close(&one);
}

/* --- Reading --- */

static void nothing_waits_and_zero_is_read(void) {
    open_pair("127.0.0.1", false);
    CHECK_INT(read_batch(), 0);
    close_pair();
}

static void a_datagram_comes_with_where_it_came_from(void) {
    open_pair("127.0.0.1", false);
    add(100, 100);
    write_all();
    CHECK_INT(read_batch(), 1);
    struct sfu_address want = {
        .ip = {127, 0, 0, 1}, .port = sfu_udp_port(&pair.sender), .family = AF_INET, .via = 3};
    CHECK(sfu_address_equal(&pair.inbox.from[0], &want));
    CHECK_INT(pair.inbox.packets[0]->len, 100);
    close_pair();
}

static void ipv6_does_the_same(void) {
    struct sfu_udp probe;
    if (sfu_udp_open(&probe, "::1", 0, false) < 0)
        return; /* A machine without it. */
    sfu_udp_close(&probe);
    open_pair("::1", true);
    add(1300, 500);
    write_all();
    CHECK_INT(read_batch(), 3);
    struct sfu_address want = {
        .ip = {[15] = 1}, .port = sfu_udp_port(&pair.sender), .family = AF_INET6, .via = 3};
    CHECK(sfu_address_equal(&pair.inbox.from[0], &want));
    close_pair();
}

/* So that 0.0.0.0 and :: may have the same port. */
static void an_ipv6_socket_leaves_ipv4_alone(void) {
    struct sfu_udp six, four;
    int result = -EADDRINUSE;
    /* Others on this machine may have the port that was free for IPv6. */
    for (int i = 0; i < 20 && result == -EADDRINUSE; i++) {
        if (sfu_udp_open(&six, "::", 0, false) < 0)
            return;
        result = sfu_udp_open(&four, "0.0.0.0", sfu_udp_port(&six), false);
        sfu_udp_close(&six);
    }
    CHECK_INT(result, 0);
    sfu_udp_close(&four);
}

static void a_read_takes_64_and_leaves_the_rest(void) {
    size_t lens[36];
    open_pair("127.0.0.1", false);
    for (size_t i = 0; i < 100; i++)
        add(50, 50);
    write_all();
    CHECK_INT(read_batch(), 64);
    for (size_t i = 0; i < 64; i++)
        CHECK_INT(pair.inbox.packets[i]->data[0], 0x80 | (pair.expected++ & 0x3f));
    for (size_t i = 0; i < 36; i++)
        lens[i] = 50;
    check_received(lens, 36);
    close_pair();
}

static void what_is_longer_than_a_packet_comes_with_len_0(void) {
    open_pair("127.0.0.1", false);
    add(SFU_PACKET_CAPACITY, SFU_PACKET_CAPACITY);
    add(SFU_PACKET_CAPACITY + 1, SFU_PACKET_CAPACITY + 1);
    add(40, 40);
    write_all();
    check_received((const size_t[]){SFU_PACKET_CAPACITY, 0, 40}, 3);
    close_pair();
}

static uint64_t clock_us(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static void a_datagram_came_when_the_kernel_took_it_and_not_when_it_was_read(void) {
    open_pair("127.0.0.1", false);
    uint64_t before_us = clock_us();
    add(100, 100);
    write_all();
    uint64_t sent_us = clock_us();
    usleep(20000);
    CHECK_INT(read_batch(), 1);
    /* The two clocks are not read at once, and each by whole microseconds. */
    CHECK(pair.inbox.packets[0]->received_us + 1000 >= before_us);
    CHECK(pair.inbox.packets[0]->received_us <= sent_us + 1000);
    CHECK(pair.inbox.now_us >= sent_us + 20000);
    close_pair();
}

static void send_first_bytes(const uint8_t first[8], size_t len) {
    add(len, (uint16_t)len);
    memcpy(pair.messages[pair.message_count - 1].data, first, 8);
    write_all();
}

static void the_kernel_drops_what_is_neither_stun_nor_dtls_nor_rtp(void) {
    static const uint8_t good[][8] = {
        {0x00, 0x01, 0, 0, 0x21, 0x12, 0xa4, 0x42}, /* A binding request, */
        {0x03, 0xff, 0, 0, 0x21, 0x12, 0xa4, 0x42},
        {20}, /* a change of cipher, */
        {22},
        {63},
        {0x80}, /* RTP. */
        {0xbf},
    };
    static const uint8_t bad[][8] = {
        {0x00, 0x01, 0, 0, 0x21, 0x12, 0xa4, 0x43}, /* The cookie is wrong. */
        {0x00},
        {4},
        {19},
        {64},
        {127},
        {192},
        {255},
    };
    open_pair("127.0.0.1", false);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        send_first_bytes(bad[i], 100);
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        send_first_bytes(good[i], 12);
    send_first_bytes(good[6], 11);
    CHECK_INT(read_batch(), 7);
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        CHECK_BYTES(pair.inbox.packets[i]->data, 8, good[i], 8);
    CHECK_INT(sfu_udp_dropped(&pair.receiver), 9);
    close_pair();
}

/* --- Writing --- */

static void check_runs_arrive(void) {
    add(1300, 500);
    add(200, 200);
    add(900, 300);
    write_all();
    check_received((const size_t[]){500, 500, 300, 200, 300, 300, 300}, 7);
    CHECK_INT(pair.sender.sent, 7);
    CHECK_INT(pair.sender.sent_bytes, 2400);
    CHECK_INT(pair.sender.failed, 0);
}

static void a_run_leaves_datagram_by_datagram_without_gso(void) {
    open_pair("127.0.0.1", false);
    check_runs_arrive();
    CHECK_INT(kernel.calls, 1);
    CHECK_INT(pair.sender.gso_messages, 0);
    CHECK_INT(pair.sender.gso_segments, 0);
    close_pair();
}

static void a_run_leaves_as_one_message_with_gso(void) {
    open_pair("127.0.0.1", true);
    check_runs_arrive();
    CHECK(pair.sender.gso); /* Linux 4.18 and newer. */
    CHECK_INT(kernel.calls, 1);
    CHECK_INT(pair.sender.gso_messages, 2);
    CHECK_INT(pair.sender.gso_segments, 6);
    close_pair();
}

static void the_longest_runs_of_the_batch_arrive_whole(void) {
    size_t lens[64 + 54];
    open_pair("127.0.0.1", true);
    add(64 * 100, 100);
    for (size_t i = 0; i < 64; i++)
        lens[i] = 100;
    write_all();
    check_received(lens, 64);
    add(54 * 1200, 1200); /* 64,800 of the 65,507 bytes. */
    for (size_t i = 0; i < 54; i++)
        lens[i] = 1200;
    write_all();
    check_received(lens, 54);
    CHECK_INT(pair.sender.failed, 0);
    close_pair();
}

static void check_many(bool gso, int calls) {
    size_t lens[MESSAGES_MAX];
    open_pair("127.0.0.1", gso);
    for (size_t i = 0; i < 130; i++) {
        add(60, 60);
        lens[i] = 60;
    }
    write_all();
    CHECK_INT(kernel.calls, calls);
    check_received(lens, 130);
    close_pair();
}

static void a_system_call_takes_64_messages(void) {
    check_many(true, 3);
}

static void a_system_call_takes_64_datagrams_without_gso(void) {
    check_many(false, 3);
}

/* --- Refusals --- */

static void check_falls_back(int error) {
    open_pair("127.0.0.1", true);
    kernel.gso_error = error;
    check_runs_arrive();
    CHECK(!pair.sender.gso);
    CHECK_INT(pair.sender.gso_messages, 0);
    int calls = kernel.calls;
    add(1000, 500);
    write_all(); /* It is not tried again. */
    CHECK_INT(kernel.calls, calls + 1);
    check_received((const size_t[]){500, 500}, 2);
    close_pair();
}

static void gso_that_is_refused_with_einval_is_done_without(void) {
    check_falls_back(EINVAL);
}

static void gso_that_is_refused_with_eio_is_done_without(void) {
    check_falls_back(EIO);
}

static void a_full_socket_loses_one_message_and_not_the_next(void) {
    open_pair("127.0.0.1", true);
    kernel.failing_call = 1;
    kernel.error = EAGAIN;
    add(1000, 500);
    add(100, 100);
    write_all();
    CHECK_INT(pair.sender.failed, 2);
    CHECK_INT(pair.sender.sent, 1);
    CHECK(pair.sender.gso); /* That was no refusal. */
    pair.expected = 2;
    check_received((const size_t[]){100}, 1);
    close_pair();
}

static void an_interrupted_call_is_repeated(void) {
    open_pair("127.0.0.1", true);
    kernel.failing_call = 1;
    kernel.error = EINTR;
    check_runs_arrive();
    close_pair();
}

static void einval_for_one_datagram_is_not_gsos_fault(void) {
    open_pair("127.0.0.1", true);
    pair.to.port = 0; /* Which nobody can be sent to. */
    add(100, 100);
    pair.to.port = sfu_udp_port(&pair.receiver);
    add(100, 100);
    write_all();
    CHECK_INT(pair.sender.failed, 1);
    CHECK(pair.sender.gso);
    pair.expected = 1;
    check_received((const size_t[]){100}, 1);
    close_pair();
}

static const struct test tests[] = {
    {"what_cannot_be_bound_says_why", what_cannot_be_bound_says_why},
    {"nothing_waits_and_zero_is_read", nothing_waits_and_zero_is_read},
    {"a_datagram_comes_with_where_it_came_from", a_datagram_comes_with_where_it_came_from},
    {"ipv6_does_the_same", ipv6_does_the_same},
    {"an_ipv6_socket_leaves_ipv4_alone", an_ipv6_socket_leaves_ipv4_alone},
    {"a_read_takes_64_and_leaves_the_rest", a_read_takes_64_and_leaves_the_rest},
    {"what_is_longer_than_a_packet_comes_with_len_0",
     what_is_longer_than_a_packet_comes_with_len_0},
    {"a_datagram_came_when_the_kernel_took_it_and_not_when_it_was_read",
     a_datagram_came_when_the_kernel_took_it_and_not_when_it_was_read},
    {"the_kernel_drops_what_is_neither_stun_nor_dtls_nor_rtp",
     the_kernel_drops_what_is_neither_stun_nor_dtls_nor_rtp},
    {"a_run_leaves_datagram_by_datagram_without_gso",
     a_run_leaves_datagram_by_datagram_without_gso},
    {"a_run_leaves_as_one_message_with_gso", a_run_leaves_as_one_message_with_gso},
    {"the_longest_runs_of_the_batch_arrive_whole", the_longest_runs_of_the_batch_arrive_whole},
    {"a_system_call_takes_64_messages", a_system_call_takes_64_messages},
    {"a_system_call_takes_64_datagrams_without_gso", a_system_call_takes_64_datagrams_without_gso},
    {"gso_that_is_refused_with_einval_is_done_without",
     gso_that_is_refused_with_einval_is_done_without},
    {"gso_that_is_refused_with_eio_is_done_without", gso_that_is_refused_with_eio_is_done_without},
    {"a_full_socket_loses_one_message_and_not_the_next",
     a_full_socket_loses_one_message_and_not_the_next},
    {"an_interrupted_call_is_repeated", an_interrupted_call_is_repeated},
    {"einval_for_one_datagram_is_not_gsos_fault", einval_for_one_datagram_is_not_gsos_fault},
};

TEST_MAIN(tests)
