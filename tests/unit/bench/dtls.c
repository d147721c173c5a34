/* The client's DTLS against the server's, over a seeded network in virtual time. */
#include "bench/dtls.h"

#include <string.h>

#include "bench/random.h"
#include "sfu/dtls.h"
#include "sfu/dtls_record.h"
#include "tests/unit/test.h"

enum {
    DELAY_US = 20000,
    JITTER_US = 40000,
    DATAGRAMS_MAX = 512,
    NUMBERS_MAX = 512,
};

#define S UINT64_C(1000000)

struct datagram {
    uint64_t at_us;
    bool to_server;
    size_t len;
    uint8_t bytes[SFU_DTLS_MTU];
};

static struct {
    uint64_t now_us;
    unsigned loss_percent;
    struct bench_random random;
    struct sfu_dtls_context *server_context;
    struct bench_dtls_context *client_context;
    struct sfu_dtls *server;
    struct bench_dtls *client;
    bool connected;
    struct datagram flying[DATAGRAMS_MAX + 1];
    size_t count;
    uint64_t numbers[NUMBERS_MAX]; /* Epoch and number of each record of the client's. */
    size_t number_count;
} net;

static void put(bool to_server, const uint8_t *data, size_t len) {
    CHECK(net.count < DATAGRAMS_MAX && len <= SFU_DTLS_MTU);
    if (bench_random_next(&net.random) % 100 < net.loss_percent)
        return;
    uint64_t delay_us = DELAY_US + bench_random_next(&net.random) % JITTER_US;
    struct datagram *datagram = &net.flying[net.count++];
    *datagram =
        (struct datagram){.at_us = net.now_us + delay_us, .to_server = to_server, .len = len};
    memcpy(datagram->bytes, data, len);
}

static void note_numbers(const uint8_t *data, size_t len) {
    struct sfu_dtls_record record;
    while (sfu_dtls_record_next(&data, &len, &record)) {
        uint64_t number = 0;
        for (size_t i = 3; i < 11; i++)
            number = number << 8 | record.bytes[i];
        CHECK(net.number_count < NUMBERS_MAX);
        net.numbers[net.number_count++] = number;
    }
}

static void from_server(void *ctx, const uint8_t *data, size_t len) {
    (void)ctx;
    put(false, data, len);
}

static void from_client(void *ctx, const uint8_t *data, size_t len) {
    (void)ctx;
    note_numbers(data, len);
    put(true, data, len);
}

static void open_net(uint64_t seed, unsigned loss_percent) {
    memset(&net, 0, sizeof(net));
    net.now_us = S;
    net.loss_percent = loss_percent;
    net.random.state = seed;
    CHECK_INT(sfu_dtls_context_create(&net.server_context), 0);
    CHECK_INT(bench_dtls_context_create(&net.client_context, "SRTP_AEAD_AES_128_GCM"), 0);
    CHECK_INT(sfu_dtls_create(&net.server, net.server_context,
                              bench_dtls_context_fingerprint(net.client_context), from_server,
                              NULL),
              0);
    CHECK_INT(bench_dtls_create(&net.client, net.client_context, from_client, NULL), 0);
    bench_dtls_begin(net.client, net.now_us);
}

static void close_net(void) {
    bench_dtls_destroy(net.client);
    sfu_dtls_destroy(net.server);
    bench_dtls_context_destroy(net.client_context);
    sfu_dtls_context_destroy(net.server_context);
}

static uint64_t sooner(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static void deliver(const struct datagram *datagram) {
    if (datagram->to_server)
        sfu_dtls_input(net.server, net.now_us, datagram->bytes, datagram->len);
    else
        net.connected = bench_dtls_input(net.client, net.now_us, datagram->bytes, datagram->len);
}

/* The next that arrives: whatever left first. */
static struct datagram *next_datagram(void) {
    struct datagram *next = &net.flying[net.count];
    for (struct datagram *at = net.flying; at < net.flying + net.count; at++)
        if (at->at_us < next->at_us)
            next = at;
    return next;
}

static void run(uint64_t us) {
    uint64_t end_us = net.now_us + us;
    for (;;) {
        net.flying[net.count].at_us = UINT64_MAX;
        struct datagram *datagram = next_datagram();
        uint64_t next_us = datagram->at_us;
        next_us = sooner(next_us, bench_dtls_next_deadline(net.client));
        next_us = sooner(next_us, sfu_dtls_next_deadline(net.server));
        if (next_us > end_us)
            break;
        net.now_us = next_us > net.now_us ? next_us : net.now_us;
        if (datagram->at_us <= net.now_us) {
            datagram->at_us = UINT64_MAX;
            deliver(datagram);
        }
        bench_dtls_on_deadline(net.client, net.now_us);
        sfu_dtls_on_deadline(net.server, net.now_us);
    }
    net.now_us = end_us;
}

static void connects_through_loss_and_reordering(void) {
    for (uint64_t seed = 1; seed <= 50; seed++) {
        open_net(seed, 30);
        run(60 * S);
        CHECK(net.connected);
        CHECK_INT(sfu_dtls_state(net.server), SFU_DTLS_CONNECTED);
        close_net();
    }
}

/* RFC 6347 section 4.2.4. */
static void what_is_sent_again_has_new_record_numbers(void) {
    open_net(1, 0);
    run(100 * 1000); /* The ClientHello is there. */
    net.loss_percent = 50;
    run(60 * S);
    CHECK(net.connected);
    CHECK(net.number_count > 7); /* More than one of each. */
    for (size_t i = 0; i < net.number_count; i++)
        for (size_t k = 0; k < i; k++)
            CHECK(net.numbers[i] != net.numbers[k]);
    close_net();
}

static void a_goodbye_is_heard(void) {
    for (uint64_t seed = 1; seed <= 10; seed++) {
        open_net(seed, 30);
        run(60 * S);
        net.loss_percent = 0;
        bench_dtls_close(net.client);
        run(1 * S);
        CHECK_INT(sfu_dtls_state(net.server), SFU_DTLS_CLOSED);
        close_net();
    }
}

static const struct test tests[] = {
    {"connects_through_loss_and_reordering", connects_through_loss_and_reordering},
    {"what_is_sent_again_has_new_record_numbers", what_is_sent_again_has_new_record_numbers},
    {"a_goodbye_is_heard", a_goodbye_is_heard},
};

TEST_MAIN(tests)
