/* A queue that stands: when less is given away for a moment, and when not. */
#include "sfu/downlink.h"

#include "tests/unit/sfu/downlink_link.h"

enum { SHORT_US = 20 * 1000, LONG_US = 80 * 1000, REPORT_US = 50 * 1000 };

/* A downlink that is told how long the ways took. */
static struct {
    struct sfu_downlink downlink;
    uint64_t now_us;
    uint64_t back_us; /* What a report takes. */
    bool is_lossy;    /* Nothing arrives that it could tell of. */
} told;

/* With so much given away, of which so much is the least. */
static void begin(uint64_t given_bps, uint64_t least_bps) {
    static const struct rtp_bwe_config config = {3000000, 30000, 5000000};
    memset(&told, 0, sizeof(told));
    told.now_us = 100 * S;
    told.back_us = 25 * MS;
    rtp_bwe_init(&told.downlink.bwe, told.now_us, &config);
    told.downlink.allocated_bps = given_bps;
    told.downlink.least_bps = least_bps;
}

/* A report that is received now, of a packet whose way took so long by the peer's clock, which is
 * another one. */
static void report(uint64_t way_us) {
    uint8_t body[20] = {[11] = 1};
    const struct rtcp_packet packet = {.body = body, .body_len = sizeof(body)};
    struct rtp_bwe *bwe = &told.downlink.bwe;
    uint64_t sent_us = told.now_us - told.back_us - way_us;
    bwe->sent[0].sent_us = (uint32_t)sent_us;
    if (!told.is_lossy) {
        bwe->feedback_us = told.now_us;
        bwe->newest_sent_us = sent_us;
        bwe->arrival_us = 7 * S + sent_us - 100 * S + way_us;
    }
    sfu_downlink_measure_queue(&told.downlink, told.now_us, &packet);
}

/* How often it was begun to give less away within so long. */
static unsigned dips(uint64_t way_us, uint64_t duration_us) {
    unsigned count = 0;
    for (uint64_t end_us = told.now_us + duration_us; told.now_us < end_us;
         told.now_us += REPORT_US) {
        uint64_t until_us = told.downlink.queue.cap_until_us;
        report(way_us);
        count += told.downlink.queue.cap_bps != 0 && told.downlink.queue.cap_until_us != until_us;
    }
    return count;
}

static void where_everything_waits_for_long_less_is_given_for_a_moment(void) {
    begin(2000000, 800000);
    CHECK_INT(dips(SHORT_US, 10 * S), 0);
    CHECK_INT(dips(LONG_US, 8 * S), 0);
    CHECK_INT(dips(LONG_US, 100 * MS), 1);
    CHECK_INT(told.downlink.queue.cap_bps, 1900000);
    CHECK_INT(sfu_downlink_budget(&told.downlink, told.now_us), UINT64_MAX); /* Not numbered. */
    told.downlink.source = SFU_DOWNLINK_TRANSPORT_CC;
    CHECK_INT(sfu_downlink_budget(&told.downlink, told.now_us), 1900000);
    dips(SHORT_US, 2900 * MS);
    CHECK(told.downlink.queue.cap_bps != 0);
    dips(SHORT_US, 200 * MS);
    CHECK_INT(told.downlink.queue.cap_bps, 0);
}

static void a_queue_that_was_drained_and_comes_back_is_drained_again(void) {
    begin(2000000, 800000);
    dips(SHORT_US, 10 * S);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(dips(LONG_US, 9 * S), 1);
        CHECK_INT(dips(SHORT_US, 5 * S), 0);
    }
}

static void a_queue_that_is_empty_now_and_then_is_let_alone(void) {
    begin(2000000, 800000);
    for (int i = 0; i < 10; i++) {
        CHECK_INT(dips(SHORT_US, REPORT_US), 0);
        CHECK_INT(dips(LONG_US, 7900 * MS), 0);
    }
}

/* It is learnt anew, and what then waits beyond it is a queue again. */
static void a_path_that_gets_longer_is_tried_once(void) {
    begin(2000000, 800000);
    dips(SHORT_US, 10 * S);
    CHECK_INT(dips(SHORT_US + 80 * MS, 600 * S), 1);
    CHECK_INT(told.downlink.queue.cap_bps, 0);
    CHECK_INT(dips(SHORT_US + 140 * MS, 9 * S), 1);
}

static void a_queue_of_reports_is_not_the_links(void) {
    begin(2000000, 800000);
    dips(SHORT_US, 10 * S);
    told.back_us += 200 * MS;
    CHECK_INT(dips(SHORT_US, 20 * S), 0);
}

static void what_is_not_reported_did_not_wait(void) {
    begin(2000000, 800000);
    dips(SHORT_US, 10 * S);
    CHECK_INT(dips(LONG_US, 5 * S), 0);
    told.is_lossy = true;
    CHECK_INT(dips(LONG_US, 5 * S), 0);
    told.is_lossy = false;
    CHECK_INT(dips(LONG_US, 5 * S), 0);
    CHECK_INT(dips(LONG_US, 4 * S), 1);
}

/* The allocator takes 15 % more from who loses a layer. */
static void nobody_is_paused_for_it(void) {
    begin(1000000, 850000);
    dips(SHORT_US, 10 * S);
    CHECK_INT(dips(LONG_US, 10 * S), 1);
    CHECK(told.downlink.queue.cap_bps >= 850000 * 115 / 100);
    begin(900000, 850000); /* There is nothing to win. */
    dips(SHORT_US, 10 * S);
    CHECK_INT(dips(LONG_US, 10 * S), 0);
}

static void the_least_is_the_lowest_layer_of_who_wants_any(void) {
    net_begin(true, 3000000);
    net_run(10 * S);
    CHECK(net_downlink()->allocated_bps > 1000000);
    CHECK(net_downlink()->least_bps > layer_bps[0] * 4 / 5);
    CHECK(net_downlink()->least_bps < layer_bps[0] * 6 / 5);
    struct sfu_wish wish = {.paused = true};
    memcpy(wish.mid, net.slot->mid, sizeof(wish.mid));
    CHECK_INT(sfu_engine_subscribe(rig.engines[0], rig.now_us, net.viewer->number, &wish), 0);
    net_run(2 * S);
    CHECK_INT(net_downlink()->least_bps, 0);
    rig_close();
}

static const struct test tests[] = {
    {"where_everything_waits_for_long_less_is_given_for_a_moment",
     where_everything_waits_for_long_less_is_given_for_a_moment},
    {"a_queue_that_was_drained_and_comes_back_is_drained_again",
     a_queue_that_was_drained_and_comes_back_is_drained_again},
    {"a_queue_that_is_empty_now_and_then_is_let_alone",
     a_queue_that_is_empty_now_and_then_is_let_alone},
    {"a_path_that_gets_longer_is_tried_once", a_path_that_gets_longer_is_tried_once},
    {"a_queue_of_reports_is_not_the_links", a_queue_of_reports_is_not_the_links},
    {"what_is_not_reported_did_not_wait", what_is_not_reported_did_not_wait},
    {"nobody_is_paused_for_it", nobody_is_paused_for_it},
    {"the_least_is_the_lowest_layer_of_who_wants_any",
     the_least_is_the_lowest_layer_of_who_wants_any},
};

TEST_MAIN(tests)
