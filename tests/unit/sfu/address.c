/* Socket addresses to ours and back. */
#include "sfu/address.h"

#include <arpa/inet.h>

#include "tests/unit/test.h"

static struct sockaddr_storage v6(const char *ip, uint16_t port) {
    struct sockaddr_storage storage = {0};
    struct sockaddr_in6 *out = (struct sockaddr_in6 *)&storage;
    out->sin6_family = AF_INET6;
    out->sin6_port = htons(port);
    CHECK_INT(inet_pton(AF_INET6, ip, &out->sin6_addr), 1);
    return storage;
}

static struct sockaddr_storage v4(const char *ip, uint16_t port) {
    struct sockaddr_storage storage = {0};
    struct sockaddr_in *out = (struct sockaddr_in *)&storage;
    out->sin_family = AF_INET;
    out->sin_port = htons(port);
    CHECK_INT(inet_pton(AF_INET, ip, &out->sin_addr), 1);
    return storage;
}

static void socket_addresses_come_back_as_they_were(void) {
    const struct sockaddr_storage rows[] = {v4("203.0.113.7", 4000), v6("2001:db8::1", 65535)};
    const socklen_t lens[] = {sizeof(struct sockaddr_in), sizeof(struct sockaddr_in6)};
    for (size_t i = 0; i < 2; i++) {
        struct sfu_address address;
        struct sockaddr_storage back;
        CHECK(sfu_address_from_sockaddr(&address, (const struct sockaddr *)&rows[i], 3));
        CHECK_INT(address.via, 3);
        CHECK_INT(sfu_address_to_sockaddr(&address, &back), lens[i]);
        CHECK_BYTES(&back, lens[i], &rows[i], lens[i]);
    }
}

static void an_ipv4_mapped_address_is_the_ipv4_address(void) {
    struct sockaddr_storage mapped = v6("::ffff:203.0.113.7", 4000);
    struct sockaddr_storage plain = v4("203.0.113.7", 4000);
    struct sfu_address a;
    struct sfu_address b;
    memset(&a, 0xff, sizeof(a)); /* What was there before does not show. */
    CHECK(sfu_address_from_sockaddr(&a, (struct sockaddr *)&mapped, 0));
    CHECK(sfu_address_from_sockaddr(&b, (struct sockaddr *)&plain, 0));
    CHECK(sfu_address_equal(&a, &b));
}

static void addresses_differ_by_ip_port_and_way(void) {
    struct sockaddr_storage from = v4("203.0.113.7", 4000);
    struct sfu_address a;
    CHECK(sfu_address_from_sockaddr(&a, (struct sockaddr *)&from, 0));
    struct sfu_address others[] = {a, a, a, a};
    others[0].ip[3]++;
    others[1].port++;
    others[2].via++;
    others[3].tcp = true;
    for (size_t i = 0; i < 4; i++)
        CHECK(!sfu_address_equal(&a, &others[i]));
}

static void other_families_are_nowhere(void) {
    struct sockaddr_storage out;
    struct sfu_address address = {0};
    CHECK_INT(sfu_address_to_sockaddr(&address, &out), 0);
    CHECK(!sfu_address_from_sockaddr(&address, &(struct sockaddr){.sa_family = AF_UNIX}, 0));
}

static const struct test tests[] = {
    {"socket_addresses_come_back_as_they_were", socket_addresses_come_back_as_they_were},
    {"an_ipv4_mapped_address_is_the_ipv4_address", an_ipv4_mapped_address_is_the_ipv4_address},
    {"addresses_differ_by_ip_port_and_way", addresses_differ_by_ip_port_and_way},
    {"other_families_are_nowhere", other_families_are_nowhere},
};

TEST_MAIN(tests)
