/* What the kernel lets through, over loopback sockets on free ports. */
#include "sfu/udp_filter.h"

#include <string.h>
#include <unistd.h>

#include "tests/unit/test.h"

enum { SENDERS = 64, KEY = 0x9e3779b1 };

static struct {
    int receiver;
    int senders[SENDERS];
    struct sfu_address addresses[SENDERS];
    bool ipv6;
} net;

static int bound(const char *ip, struct sockaddr_storage *name) {
    socklen_t len = (socklen_t)sfu_sockaddr_parse(ip, 0, name);
    int fd = socket(name->ss_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    CHECK_INT(bind(fd, (struct sockaddr *)name, len), 0);
    getsockname(fd, (struct sockaddr *)name, &len);
    return fd;
}

static void open_all(const char *ip) {
    struct sockaddr_storage name, to;
    net.receiver = bound(ip, &to);
    net.ipv6 = to.ss_family == AF_INET6;
    for (size_t i = 0; i < SENDERS; i++) {
        net.senders[i] = bound(ip, &name);
        CHECK(sfu_address_from_sockaddr(&net.addresses[i], (struct sockaddr *)&name, 0));
        CHECK_INT(connect(net.senders[i], (struct sockaddr *)&to, sizeof(to)), 0);
    }
}

static void close_all(void) {
    close(net.receiver);
    for (size_t i = 0; i < SENDERS; i++)
        close(net.senders[i]);
}

static bool comes_ending(size_t sender, const uint8_t first[8], const uint8_t last[8]) {
    uint8_t datagram[40] = {0}, got[64];
    memcpy(datagram, first, 8);
    memcpy(datagram + sizeof(datagram) - 8, last, 8);
    CHECK_INT(send(net.senders[sender], datagram, sizeof(datagram), 0), sizeof(datagram));
    return recv(net.receiver, got, sizeof(got), 0) == sizeof(datagram);
}

static bool comes_through(size_t sender, const uint8_t first[8]) {
    return comes_ending(sender, first, (const uint8_t[8]){0});
}

static const uint8_t media[8] = {0x80, 96};
static const uint8_t handshake[8] = {22, 0xfe, 0xfd};
static const uint8_t check[8] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42};
static const uint8_t fingerprint[8] = {0x80, 0x28, 0, 4, 1, 2, 3, 4};
static const uint8_t junk[8] = {255};

static void check_set_of(const char *ip) {
    struct sfu_udp_filter filter = {.key = KEY};
    size_t passed = 0;
    open_all(ip);
    for (size_t i = 0; i < SENDERS; i += 2)
        sfu_udp_filter_add(&filter, &net.addresses[i]);
    CHECK_INT(sfu_udp_filter_attach(net.receiver, net.ipv6, &filter), 0);
    for (size_t i = 0; i < SENDERS; i += 2) {
        CHECK(comes_through(i, media));
        CHECK(comes_through(i, handshake));
        CHECK(comes_through(i, check));
        CHECK(comes_ending(i, check, fingerprint));
        CHECK(!comes_through(i, junk));
    }
    for (size_t i = 1; i < SENDERS; i += 2) {
        bool passes = comes_through(i, media);
        passed += passes;
        CHECK(comes_through(i, check) == passes);
        CHECK(comes_ending(i, check, fingerprint));
    }
    CHECK(passed <= 2); /* Each by chance, 1 of 256. */
    close_all();
}

static void all_passes_from_those_in_the_set_and_checks_from_others(void) {
    check_set_of("127.0.0.1");
}

static void ipv6_does_the_same(void) {
    check_set_of("::1");
}

/* With each key the address has another place. */
static void the_bit_decides_wherever_it_stands(void) {
    open_all("127.0.0.1");
    for (uint32_t i = 0; i < 4 * SFU_UDP_FILTER_WORDS; i++) {
        struct sfu_udp_filter only = {.key = KEY + 2 * i}, others;
        sfu_udp_filter_add(&only, &net.addresses[i % SENDERS]);
        others = only;
        for (size_t k = 0; k < SFU_UDP_FILTER_WORDS; k++)
            others.words[k] = ~only.words[k];
        CHECK_INT(sfu_udp_filter_attach(net.receiver, false, &only), 0);
        CHECK(comes_through(i % SENDERS, media));
        CHECK_INT(sfu_udp_filter_attach(net.receiver, false, &others), 0);
        CHECK(!comes_through(i % SENDERS, media));
    }
    close_all();
}

static void without_a_set_all_may_come(void) {
    open_all("127.0.0.1");
    struct sfu_udp_filter nobody = {.key = KEY};
    CHECK_INT(sfu_udp_filter_attach(net.receiver, false, &nobody), 0);
    CHECK(!comes_through(0, media));
    CHECK_INT(sfu_udp_filter_attach(net.receiver, false, NULL), 0);
    CHECK(comes_through(0, media));
    CHECK(comes_through(0, handshake));
    CHECK(comes_through(0, check));
    CHECK(!comes_through(0, junk));
    close_all();
}

static const struct test tests[] = {
    {"all_passes_from_those_in_the_set_and_checks_from_others",
     all_passes_from_those_in_the_set_and_checks_from_others},
    {"ipv6_does_the_same", ipv6_does_the_same},
    {"the_bit_decides_wherever_it_stands", the_bit_decides_wherever_it_stands},
    {"without_a_set_all_may_come", without_a_set_all_may_come},
};

TEST_MAIN(tests)
