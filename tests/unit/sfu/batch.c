#include "sfu/batch.h"
#include "tests/unit/test.h"

#include <string.h>

static struct sfu_message sent[1024];
static size_t sent_count;
static size_t sends;

static void collect(void *ctx, const struct sfu_message *messages, size_t count) {
    (void)ctx;
    memcpy(&sent[sent_count], messages, count * sizeof(*messages));
    sent_count += count;
    sends++;
}

static struct sfu_address address(uint16_t port) {
    return (struct sfu_address){.ip = {127, 0, 0, 1}, .family = AF_INET, .port = port};
}

static void add(struct sfu_batch *batch, uint16_t port, size_t len) {
    struct sfu_address to = address(port);
    memset(sfu_batch_reserve(batch), (int)len, len);
    sfu_batch_commit(batch, &to, len);
}

static void joins_equal_datagrams_to_one_address(void) {
    struct sfu_batch batch;
    CHECK_INT(sfu_batch_init(&batch, collect, NULL), 0);
    for (int i = 0; i < 5; i++)
        add(&batch, 1, 1100);
    CHECK_INT(sends, 0);
    sfu_batch_flush(&batch);
    CHECK_INT(sent_count, 1);
    CHECK_INT(sent[0].segments, 5);
    CHECK_INT(sent[0].segment_len, 1100);
    CHECK_INT(sent[0].len, 5500);
    sfu_batch_deinit(&batch);
}

/* The kernel lets only the last segment be shorter, and none be longer. */
static void ends_a_run_with_a_shorter_datagram(void) {
    struct sfu_batch batch;
    sfu_batch_init(&batch, collect, NULL);
    add(&batch, 1, 1000);
    add(&batch, 1, 1000);
    add(&batch, 1, 300);
    add(&batch, 1, 1000);
    add(&batch, 1, 1001);
    sfu_batch_flush(&batch);
    CHECK_INT(sent_count, 3);
    CHECK_INT(sent[0].segments, 3);
    CHECK_INT(sent[0].len, 2300);
    CHECK_INT(sent[1].segments, 1);
    CHECK_INT(sent[2].segment_len, 1001);
    sfu_batch_deinit(&batch);
}

static void separates_addresses(void) {
    struct sfu_batch batch;
    sfu_batch_init(&batch, collect, NULL);
    add(&batch, 1, 100);
    add(&batch, 2, 100);
    add(&batch, 1, 100);
    sfu_batch_flush(&batch);
    CHECK_INT(sent_count, 3);
    CHECK_INT(sent[1].to.port, 2);
    sfu_batch_deinit(&batch);
}

static void keeps_within_what_the_kernel_takes(void) {
    struct sfu_batch batch;
    sfu_batch_init(&batch, collect, NULL);
    for (int i = 0; i < 200; i++)
        add(&batch, 1, 100);
    for (int i = 0; i < 100; i++)
        add(&batch, 2, 1400);
    sfu_batch_flush(&batch);
    size_t datagrams = 0;
    for (size_t i = 0; i < sent_count; i++) {
        CHECK(sent[i].segments <= SFU_BATCH_SEGMENTS_MAX);
        CHECK(sent[i].len <= SFU_BATCH_MESSAGE_MAX);
        datagrams += sent[i].segments;
    }
    CHECK_INT(datagrams, 300);
    sfu_batch_deinit(&batch);
}

static void sends_when_it_is_full(void) {
    struct sfu_batch batch;
    sfu_batch_init(&batch, collect, NULL);
    for (int i = 0; i < 300; i++)
        add(&batch, (uint16_t)(i % 2), 1500);
    CHECK(sends > 0);
    sfu_batch_flush(&batch);
    CHECK_INT(sent_count, 300);
    sfu_batch_deinit(&batch);
}

static const struct test tests[] = {
    {"joins_equal_datagrams_to_one_address", joins_equal_datagrams_to_one_address},
    {"ends_a_run_with_a_shorter_datagram", ends_a_run_with_a_shorter_datagram},
    {"separates_addresses", separates_addresses},
    {"keeps_within_what_the_kernel_takes", keeps_within_what_the_kernel_takes},
    {"sends_when_it_is_full", sends_when_it_is_full},
};

TEST_MAIN(tests)
