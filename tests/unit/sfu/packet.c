#include "sfu/packet.h"
#include "sfu/pipe.h"
#include "tests/unit/test.h"

#include <pthread.h>

static void gives_no_more_than_its_limit(void) {
    struct sfu_pool *pool;
    struct sfu_packet *packets[128];
    CHECK_INT(sfu_pool_create(&pool, 128), 0);
    for (size_t i = 0; i < 128; i++)
        CHECK((packets[i] = sfu_pool_get(pool)) != NULL);
    CHECK(sfu_pool_get(pool) == NULL);
    CHECK_INT(sfu_pool_in_use(pool), 128);
    sfu_packet_unref(packets[5]);
    CHECK(sfu_pool_get(pool) == packets[5]);
    for (size_t i = 0; i < 128; i++)
        sfu_packet_unref(packets[i]);
    CHECK_INT(sfu_pool_in_use(pool), 0);
    sfu_pool_destroy(pool);
}

static void returns_with_the_last_reference(void) {
    struct sfu_pool *pool;
    sfu_pool_create(&pool, 64);
    struct sfu_packet *packet = sfu_pool_get(pool);
    sfu_packet_ref(packet);
    sfu_packet_unref(packet);
    CHECK_INT(sfu_pool_in_use(pool), 1);
    sfu_packet_unref(packet);
    CHECK_INT(sfu_pool_in_use(pool), 0);
    sfu_pool_destroy(pool);
}

enum { PASSED = 200000, CAPACITY = 256 };

static void *consume(void *arg) {
    struct sfu_pipe *pipe = arg;
    for (uint64_t expected = 0; expected < PASSED;) {
        struct sfu_pipe_entry entry;
        if (!sfu_pipe_pop(pipe, &entry))
            continue;
        if (entry.packet->seq != expected || entry.track != expected)
            return arg; /* Order or content differs. */
        expected++;
        sfu_packet_unref(entry.packet);
    }
    return NULL;
}

/* One thread takes packets from its pool and sends them, the other drops the last reference. */
static void passes_packets_between_threads_in_order(void) {
    struct sfu_pool *pool;
    struct sfu_pipe *pipe;
    pthread_t consumer;
    sfu_pool_create(&pool, 1024);
    CHECK_INT(sfu_pipe_create(&pipe, CAPACITY), 0);
    pthread_create(&consumer, NULL, consume, pipe);
    for (uint64_t i = 0; i < PASSED; i++) {
        struct sfu_packet *packet;
        while ((packet = sfu_pool_get(pool)) == NULL)
            ;
        packet->seq = i;
        struct sfu_pipe_entry entry = {.type = SFU_PIPE_PACKET, .track = i, .packet = packet};
        while (!sfu_pipe_push(pipe, &entry))
            ;
    }
    void *problem;
    pthread_join(consumer, &problem);
    CHECK(problem == NULL);
    CHECK_INT(sfu_pool_in_use(pool), 0);
    sfu_pipe_destroy(pipe);
    sfu_pool_destroy(pool);
}

static void refuses_what_a_pipe_cannot_hold(void) {
    struct sfu_pipe *pipe;
    struct sfu_pipe_entry entry = {.type = SFU_PIPE_CLOCK};
    sfu_pipe_create(&pipe, 4);
    for (int i = 0; i < 4; i++)
        CHECK(sfu_pipe_push(pipe, &entry));
    CHECK(!sfu_pipe_push(pipe, &entry));
    CHECK(sfu_pipe_pop(pipe, &entry));
    CHECK(sfu_pipe_push(pipe, &entry));
    sfu_pipe_destroy(pipe);
}

static void drops_the_references_that_a_pipe_still_holds(void) {
    struct sfu_pool *pool;
    struct sfu_pipe *pipe;
    sfu_pool_create(&pool, 64);
    sfu_pipe_create(&pipe, 4);
    struct sfu_pipe_entry entry = {.type = SFU_PIPE_PACKET, .packet = sfu_pool_get(pool)};
    sfu_pipe_push(pipe, &entry);
    sfu_pipe_destroy(pipe);
    CHECK_INT(sfu_pool_in_use(pool), 0);
    sfu_pool_destroy(pool);
}

static const struct test tests[] = {
    {"gives_no_more_than_its_limit", gives_no_more_than_its_limit},
    {"returns_with_the_last_reference", returns_with_the_last_reference},
    {"passes_packets_between_threads_in_order", passes_packets_between_threads_in_order},
    {"refuses_what_a_pipe_cannot_hold", refuses_what_a_pipe_cannot_hold},
    {"drops_the_references_that_a_pipe_still_holds", drops_the_references_that_a_pipe_still_holds},
};

TEST_MAIN(tests)
