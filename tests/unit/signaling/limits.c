/* Token buckets, and what an address may take. Time is a parameter. */
#include "signaling/limits.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "tests/unit/test.h"

static const struct sockaddr *v4(const char *text) {
    static struct sockaddr_in address;
    address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(1)};
    CHECK_INT(inet_pton(AF_INET, text, &address.sin_addr), 1);
    return (struct sockaddr *)&address;
}

static const struct sockaddr *v6(const char *text) {
    static struct sockaddr_in6 address;
    address = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(2)};
    CHECK_INT(inet_pton(AF_INET6, text, &address.sin6_addr), 1);
    return (struct sockaddr *)&address;
}

static void a_bucket_gives_its_burst_and_then_its_rate(void) {
    struct sig_bucket bucket;
    uint64_t now_us = 5000000;
    int taken = 0;
    sig_bucket_init(&bucket, 10, 30, now_us);
    while (sig_bucket_take(&bucket, now_us))
        taken++;
    CHECK_INT(taken, 30);
    /* A hundred looks a second for ten seconds take a hundred tokens. */
    for (int i = 0; i < 1000; i++)
        taken += sig_bucket_take(&bucket, now_us += 10000);
    CHECK_INT(taken, 130);
    now_us += 3600u * 1000000u;
    taken = 0;
    while (sig_bucket_take(&bucket, now_us))
        taken++;
    CHECK_INT(taken, 30);
    /* A clock that steps back gives nothing. */
    CHECK(!sig_bucket_take(&bucket, 0));
}

static void a_rate_of_0_never_refuses(void) {
    struct sig_bucket bucket;
    sig_bucket_init(&bucket, 0, 0, 0);
    for (int i = 0; i < 1000; i++)
        CHECK(sig_bucket_take(&bucket, 0));
}

static void connections_are_counted_by_address(void) {
    struct sig_addresses *all =
        sig_addresses_create(&(struct sig_address_limits){.connections = 2});
    CHECK_INT(sig_addresses_open(all, v4("192.0.2.1"), 0), 0);
    CHECK_INT(sig_addresses_open(all, v4("192.0.2.1"), 0), 0);
    CHECK_INT(sig_addresses_open(all, v4("192.0.2.1"), 0), -EMFILE);
    CHECK_INT(sig_addresses_open(all, v4("192.0.2.2"), 0), 0);
    /* The same address inside IPv6. */
    CHECK_INT(sig_addresses_open(all, v6("::ffff:192.0.2.1"), 0), -EMFILE);
    sig_addresses_close(all, v6("::ffff:192.0.2.1"));
    CHECK_INT(sig_addresses_open(all, v4("192.0.2.1"), 0), 0);
    /* A /64 is one customer; the next is another. */
    CHECK_INT(sig_addresses_open(all, v6("2001:db8::1"), 0), 0);
    CHECK_INT(sig_addresses_open(all, v6("2001:db8::2"), 0), 0);
    CHECK_INT(sig_addresses_open(all, v6("2001:db8::3"), 0), -EMFILE);
    CHECK_INT(sig_addresses_open(all, v6("2001:db8:0:1::1"), 0), 0);
    sig_addresses_destroy(all);
}

static void requests_are_limited_also_over_reconnecting(void) {
    struct sig_addresses *all =
        sig_addresses_create(&(struct sig_address_limits){.requests_per_s = 2});
    uint64_t now_us = 1000000;
    int allowed = 0;
    for (int i = 0; i < 100; i++) {
        CHECK_INT(sig_addresses_open(all, v4("192.0.2.1"), now_us), 0);
        allowed += sig_addresses_request(all, v4("192.0.2.1"), now_us);
        sig_addresses_close(all, v4("192.0.2.1"));
        sig_addresses_sweep(all, now_us);
    }
    CHECK_INT(allowed, 10);
    CHECK_INT(sig_addresses_open(all, v4("192.0.2.2"), now_us), 0);
    CHECK(sig_addresses_request(all, v4("192.0.2.2"), now_us));
    now_us += 500000;
    CHECK_INT(sig_addresses_open(all, v4("192.0.2.1"), now_us), 0);
    CHECK(sig_addresses_request(all, v4("192.0.2.1"), now_us));
    CHECK(!sig_addresses_request(all, v4("192.0.2.1"), now_us));
    sig_addresses_destroy(all);
}

static void a_sweep_keeps_those_that_are_connected(void) {
    struct sig_addresses *all =
        sig_addresses_create(&(struct sig_address_limits){.connections = 1});
    CHECK_INT(sig_addresses_open(all, v4("192.0.2.1"), 0), 0);
    sig_addresses_sweep(all, 10000000);
    CHECK_INT(sig_addresses_open(all, v4("192.0.2.1"), 0), -EMFILE);
    sig_addresses_close(all, v4("192.0.2.1"));
    sig_addresses_sweep(all, 20000000);
    CHECK_INT(sig_addresses_open(all, v4("192.0.2.1"), 0), 0);
    sig_addresses_destroy(all);
}

static const struct test tests[] = {
    {"a_bucket_gives_its_burst_and_then_its_rate", a_bucket_gives_its_burst_and_then_its_rate},
    {"a_rate_of_0_never_refuses", a_rate_of_0_never_refuses},
    {"connections_are_counted_by_address", connections_are_counted_by_address},
    {"requests_are_limited_also_over_reconnecting", requests_are_limited_also_over_reconnecting},
    {"a_sweep_keeps_those_that_are_connected", a_sweep_keeps_those_that_are_connected},
};

TEST_MAIN(tests)
