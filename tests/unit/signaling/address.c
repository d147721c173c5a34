/* Addresses as options give them. */
#include "signaling/address.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "tests/unit/test.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void listening_addresses_are_literal_or_localhost(void) {
    static const struct {
        const char *text;
        int count;
        const char *address;
        uint16_t port;
    } rows[] = {
        {"127.0.0.1:8080", 1, "127.0.0.1", 8080},
        {"0.0.0.0:0", 1, "0.0.0.0", 0},
        {"[::]:65535", 1, "::", 65535},
        {"[2001:db8::1]:1", 1, "2001:db8::1", 1},
        {"localhost:80", 2, "127.0.0.1", 80},
        {"127.0.0.1", -EINVAL, NULL, 0},
        {"127.0.0.1:", -EINVAL, NULL, 0},
        {"127.0.0.1:65536", -EINVAL, NULL, 0},
        {"127.0.0.1:-1", -EINVAL, NULL, 0},
        {"127.0.0.1:80x", -EINVAL, NULL, 0},
        {"127.0.0.1: 80", -EINVAL, NULL, 0},
        {"::1:80", -EINVAL, NULL, 0},
        {"[::1]80", -EINVAL, NULL, 0},
        {"[::1:80", -EINVAL, NULL, 0},
        {"[]:80", -EINVAL, NULL, 0},
        {":80", -EINVAL, NULL, 0},
        {"", -EINVAL, NULL, 0},
        {":", -EINVAL, NULL, 0},
        {"[:", -EINVAL, NULL, 0},
        {"example.org:80", -EINVAL, NULL, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sockaddr_storage out[SIG_ADDRESS_LISTEN_MAX];
        char text[INET6_ADDRSTRLEN];
        CHECK_INT(sig_address_parse_listen(rows[i].text, out), rows[i].count);
        if (rows[i].count < 0)
            continue;
        sig_address_text((struct sockaddr *)&out[0], text);
        CHECK_STR(text, rows[i].address);
        CHECK_INT(sig_address_port((struct sockaddr *)&out[0]), rows[i].port);
    }
}

static void host_and_port_may_be_a_name(void) {
    CHECK(sig_address_is_host_port("stun.example.org:3478"));
    CHECK(sig_address_is_host_port("192.0.2.1:1"));
    CHECK(sig_address_is_host_port("[2001:db8::1]:3478"));
    CHECK(!sig_address_is_host_port("[example.org]:3478"));
    CHECK(!sig_address_is_host_port("stun.example.org:0"));
    CHECK(!sig_address_is_host_port("stun example.org:1"));
    CHECK(!sig_address_is_host_port("2001:db8::1:3478"));
}

static void mapped_addresses_are_written_as_ipv4(void) {
    struct sockaddr_storage out[SIG_ADDRESS_LISTEN_MAX];
    char text[INET6_ADDRSTRLEN];
    CHECK_INT(sig_address_parse_listen("[::ffff:192.0.2.1]:1", out), 1);
    sig_address_text((struct sockaddr *)&out[0], text);
    CHECK_STR(text, "192.0.2.1");
}

static const struct test tests[] = {
    {"listening_addresses_are_literal_or_localhost", listening_addresses_are_literal_or_localhost},
    {"host_and_port_may_be_a_name", host_and_port_may_be_a_name},
    {"mapped_addresses_are_written_as_ipv4", mapped_addresses_are_written_as_ipv4},
};

TEST_MAIN(tests)
