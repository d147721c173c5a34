/* When what arrived says nothing of the link. */
#include "rtp/bwe_offered.h"

#include "tests/unit/test.h"

enum { MS = 1000, BYTES = 1000 };

static struct rtp_bwe bwe;
static uint64_t now_us, link_us; /* When the link will have sent what it has. */
static uint16_t seq;

static void begin(double bps) {
    static const struct rtp_bwe_config config = {300000, 30000, 10000000};
    now_us = link_us = 1000 * UINT64_C(1000000);
    seq = 65500;
    rtp_bwe_init(&bwe, now_us, &config);
    bwe.aimd.bps = bps;
}

/* Sends at a rate for so long over a link of another rate and a queue. */
static void send(uint32_t bps, uint32_t link_bps, uint64_t queue_us, uint64_t duration_us) {
    for (uint64_t end_us = now_us + duration_us; now_us < end_us;
         now_us += UINT64_C(8000000) * BYTES / bps) {
        rtp_bwe_on_sent(&bwe, now_us, seq++, BYTES, 0);
        link_us = link_us > now_us ? link_us : now_us;
        if (link_us - now_us > queue_us)
            continue;
        link_us += UINT64_C(8000000) * BYTES / link_bps;
        struct rtp_bwe_packet packet = {.sent_us = now_us, .arrival_us = link_us, .bytes = BYTES};
        rtp_bwe_acked_on_packet(&bwe.acked, &packet);
        bwe.newest_sent_us = now_us;
    }
    bwe.acked_bps = rtp_bwe_acked_bps(&bwe.acked);
    bwe.recent_bps = rtp_bwe_acked_recent_bps(&bwe.acked);
}

static void little_that_arrives_as_it_was_sent_says_nothing(void) {
    begin(2e6);
    send(500000, 3000000, 300 * MS, 1000 * MS);
    CHECK(rtp_bwe_is_underfed(&bwe));
}

static void as_much_as_is_believed_to_fit_counts(void) {
    begin(2e6);
    send(1500000, 3000000, 300 * MS, 1000 * MS);
    CHECK(!rtp_bwe_is_underfed(&bwe));
}

static void a_queue_that_grows_tells_of_the_link(void) {
    begin(3e6);
    send(1000000, 500000, 1000 * MS, 500 * MS);
    CHECK(!rtp_bwe_is_underfed(&bwe));
}

/* What comes through a full queue comes as it was sent, with gaps. */
static void losses_in_a_full_queue_tell_of_the_link(void) {
    begin(3e6);
    send(1000000, 500000, 60 * MS, 2000 * MS);
    CHECK(!rtp_bwe_is_underfed(&bwe));
}

static void what_drains_after_less_is_sent_says_nothing_more(void) {
    begin(425e3);
    send(2400000, 500000, 800 * MS, 200 * MS);
    CHECK(!rtp_bwe_is_underfed(&bwe));
    send(100000, 500000, 800 * MS, 1500 * MS);
    CHECK(rtp_bwe_is_underfed(&bwe));
}

static void too_few_packets_to_measure_are_few(void) {
    begin(373e3);
    send(60000, 500000, 300 * MS, 500 * MS);
    CHECK_INT(bwe.acked_bps, 0);
    CHECK(rtp_bwe_is_underfed(&bwe));
}

static void many_packets_of_which_few_arrive_tell_of_the_link(void) {
    begin(3e6);
    send(2400000, 100000, 80 * MS, 1000 * MS);
    CHECK_INT(bwe.acked_bps, 0);
    CHECK(!rtp_bwe_is_underfed(&bwe));
}

#define TEST(name)                                                                                 \
    { #name, name }

static const struct test tests[] = {
    TEST(little_that_arrives_as_it_was_sent_says_nothing),
    TEST(as_much_as_is_believed_to_fit_counts),
    TEST(a_queue_that_grows_tells_of_the_link),
    TEST(losses_in_a_full_queue_tell_of_the_link),
    TEST(what_drains_after_less_is_sent_says_nothing_more),
    TEST(too_few_packets_to_measure_are_few),
    TEST(many_packets_of_which_few_arrive_tell_of_the_link),
};

TEST_MAIN(tests)
