/* The front of the bandwidth estimate: matching of feedback with what was sent, whatever a peer
 * reports; clients without transport-wide feedback; probes; deadlines. */
#include "rtp/bwe.h"

#include <string.h>

#include "rtp/twcc.h"
#include "tests/unit/test.h"

#include <errno.h>

enum { MS = 1000, SECOND = 1000000, START = 300000, MIN = 50000, MAX = 10000000 };

static struct rtp_bwe bwe;
static struct rtp_twcc_receiver receiver;
static uint64_t now_us;
static uint16_t seq;

static void begin(void) {
    static const struct rtp_bwe_config config = {START, MIN, MAX};
    now_us = 1000 * (uint64_t)SECOND;
    seq = 65000;
    memset(&receiver, 0, sizeof receiver);
    rtp_bwe_init(&bwe, now_us, &config);
}

static struct rtp_bwe_figures figures(void) {
    struct rtp_bwe_figures got;
    rtp_bwe_figures(&bwe, &got);
    return got;
}

static int feed(const uint8_t *data, size_t len) {
    struct rtcp_packet packet;
    size_t offset = 0;
    CHECK(rtcp_next(data, len, &offset, &packet));
    return rtp_bwe_on_feedback(&bwe, now_us, &packet);
}

static int feed_body(const uint8_t *body, size_t body_len) {
    uint8_t data[1500];
    struct rtcp_builder builder;
    rtcp_builder_init(&builder, data, sizeof data);
    CHECK_INT(rtcp_append_feedback(&builder, RTCP_RTPFB, RTCP_FMT_TWCC, 1, 2, body, body_len), 0);
    return feed(data, builder.len);
}

static void feedback(void) {
    while (rtp_twcc_pending(&receiver) > 0) {
        uint8_t body[RTP_TWCC_BODY_MAX];
        size_t len = rtp_twcc_feedback_write(&receiver, body, sizeof body);
        CHECK_INT(feed_body(body, len), 0);
    }
}

/* Sends at a rate in packets of 1,000 bytes for so long; each arrives 20 ms later, but of each ten
 * the last `lost`; feedback each 100 ms. */
static void send(uint32_t bps, uint64_t duration_us, int lost, uint64_t clock_us) {
    uint64_t end_us = now_us + duration_us, told_us = now_us;
    for (int i = 0; now_us < end_us; i++) {
        rtp_bwe_on_sent(&bwe, now_us, seq, 1000, 0);
        if (i % 10 < 10 - lost)
            rtp_twcc_on_packet(&receiver, clock_us + now_us + 20 * MS, seq);
        seq++;
        now_us += (uint64_t)8000 * SECOND / bps;
        if (now_us - told_us >= 100 * MS) {
            feedback();
            told_us = now_us;
        }
    }
}

static void it_starts_where_it_is_told(void) {
    begin();
    CHECK_INT(rtp_bwe_bps(&bwe), START);
    CHECK_INT(figures().limit, RTP_BWE_LIMIT_START);
    CHECK(rtp_bwe_next_deadline(&bwe) == UINT64_MAX);
    struct rtp_bwe_config config = {.start_bps = 5, .min_bps = 1000, .max_bps = 500};
    rtp_bwe_init(&bwe, now_us, &config);
    CHECK_INT(rtp_bwe_bps(&bwe), 1000);
}

static void what_is_sent_is_found_by_its_number(void) {
    begin();
    send(1000000, SECOND, 0, 0);
    CHECK_INT(figures().unknown_packets, 0);
    CHECK(figures().acked_bps > 950000 && figures().acked_bps < 1050000);
    CHECK(figures().feedbacks >= 9);
    CHECK(figures().rtt_us < 220 * MS);
}

static void numbers_and_reference_times_wrap(void) {
    begin();
    /* The receiver's 24 bits of 64 ms end in the middle; so do the 16 bits of the numbers. */
    uint64_t period_us = ((uint64_t)1 << 24) * 64 * MS;
    send(1000000, 4 * (uint64_t)SECOND, 0, 2 * period_us - now_us - 2 * (uint64_t)SECOND);
    CHECK_INT(figures().unknown_packets, 0);
    CHECK(figures().acked_bps > 950000 && figures().acked_bps < 1050000);
    CHECK_INT(figures().usage, RTP_BWE_NORMAL);
    CHECK(rtp_bwe_bps(&bwe) >= START);
}

static void the_share_of_losses_is_reported(void) {
    begin();
    send(1000000, 5 * (uint64_t)SECOND, 2, 0);
    CHECK(figures().loss > 0.15 && figures().loss < 0.25);
}

static void a_late_packet_is_no_loss(void) {
    begin();
    for (int round = 0; round < 40; round++) {
        for (int i = 0; i < 10; i++, now_us += 10 * MS)
            rtp_bwe_on_sent(&bwe, now_us, (uint16_t)(seq + i), 1000, 0);
        for (int i = 0; i < 10; i++)
            if (i != 4)
                rtp_twcc_on_packet(&receiver, now_us + (uint64_t)i * 10 * MS, (uint16_t)(seq + i));
        feedback();
        rtp_twcc_on_packet(&receiver, now_us + 101 * MS, (uint16_t)(seq + 4));
        feedback();
        seq += 10;
    }
    CHECK(figures().loss < 0.03);
}

static void repeated_feedback_counts_once(void) {
    begin();
    uint8_t body[RTP_TWCC_BODY_MAX];
    for (int i = 0; i < 20; i++, now_us += 10 * MS) {
        rtp_bwe_on_sent(&bwe, now_us, seq, 1000, 0);
        rtp_twcc_on_packet(&receiver, now_us, seq++);
    }
    size_t len = rtp_twcc_feedback_write(&receiver, body, sizeof body);
    CHECK_INT(feed_body(body, len), 0);
    struct rtp_bwe once = bwe;
    for (int i = 0; i < 50; i++)
        CHECK_INT(feed_body(body, len), 0);
    CHECK_INT(bwe.acked_bps, once.acked_bps);
    CHECK_INT(bwe.bps, once.bps);
    CHECK(memcmp(&bwe.trend, &once.trend, sizeof once.trend) == 0);
}

static void malformed_feedback_changes_nothing(void) {
    begin();
    send(1000000, SECOND, 0, 0);
    struct rtp_bwe before = bwe;
    uint8_t none[12] = {0};
    CHECK_INT(feed_body(none, sizeof none), -EBADMSG);
    before.bad_feedbacks++;
    CHECK(memcmp(&bwe, &before, sizeof bwe) == 0);
}

static void numbers_that_were_never_sent_are_counted_and_ignored(void) {
    begin();
    send(1000000, SECOND, 0, 0);
    feedback();
    uint32_t bps = rtp_bwe_bps(&bwe);
    for (uint16_t i = 1; i <= 100; i++)
        rtp_twcc_on_packet(&receiver, now_us + i * 100u, (uint16_t)(seq + i));
    feedback();
    CHECK(figures().unknown_packets >= 100);
    CHECK_INT(rtp_bwe_bps(&bwe), bps);
}

static void a_peer_that_claims_instant_arrival_gets_no_more_than_was_sent(void) {
    begin();
    rtp_bwe_set_demand(&bwe, now_us, 8000000);
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 10; i++, now_us += 10 * MS)
            rtp_bwe_on_sent(&bwe, now_us, (uint16_t)(seq + i), 1000, 0);
        for (int i = 0; i < 10; i++)
            rtp_twcc_on_packet(&receiver, 5000 * (uint64_t)SECOND + (uint64_t)round, seq++);
        feedback();
    }
    CHECK(figures().acked_bps < 900000);
    CHECK(rtp_bwe_bps(&bwe) < 1000000);
}

static void arrivals_that_leap_by_days_are_survived(void) {
    begin();
    for (int round = 0; round < 200; round++) {
        uint64_t clock_us = (uint64_t)(round * 7919 % 13) * 3600 * SECOND;
        for (int i = 0; i < 10; i++, now_us += 10 * MS) {
            rtp_bwe_on_sent(&bwe, now_us, seq, 1000, 0);
            memset(&receiver, 0, sizeof receiver);
            rtp_twcc_on_packet(&receiver, now_us + clock_us + 1, seq++);
            feedback();
        }
        CHECK(rtp_bwe_bps(&bwe) >= MIN && rtp_bwe_bps(&bwe) <= MAX);
    }
    CHECK(figures().acked_bps < 2000000);
}

static void no_probe_without_demand_or_packets(void) {
    struct rtp_bwe_probe probe;
    begin();
    send(300000, 2 * (uint64_t)SECOND, 0, 0);
    CHECK(!rtp_bwe_next_probe(&bwe, now_us, &probe));
    begin();
    rtp_bwe_set_demand(&bwe, now_us, 5000000);
    CHECK(!rtp_bwe_next_probe(&bwe, now_us, &probe));
    CHECK(rtp_bwe_next_deadline(&bwe) == UINT64_MAX);
    rtp_bwe_on_sent(&bwe, now_us, seq++, 100, 0);
    uint64_t deadline_us = rtp_bwe_next_deadline(&bwe);
    CHECK(deadline_us > now_us && deadline_us < now_us + 50 * MS);
    rtp_bwe_on_deadline(&bwe, deadline_us);
    CHECK(rtp_bwe_next_probe(&bwe, deadline_us, &probe));
    CHECK_INT(probe.rate_bps, 3 * START);
}

static void no_probe_goes_far_beyond_the_demand(void) {
    struct rtp_bwe_probe probe;
    begin();
    rtp_bwe_on_sent(&bwe, now_us, seq++, 100, 0);
    rtp_bwe_set_demand(&bwe, now_us, 500000);
    CHECK(rtp_bwe_next_probe(&bwe, now_us, &probe));
    CHECK(probe.rate_bps > 500000 && probe.rate_bps <= 600000);
}

static void remb_is_an_upper_bound_that_expires(void) {
    begin();
    rtp_bwe_set_demand(&bwe, now_us, 5000000);
    send(1000000, 3 * (uint64_t)SECOND, 0, 0);
    rtp_bwe_on_remb(&bwe, now_us, 120000);
    CHECK_INT(rtp_bwe_bps(&bwe), 120000);
    CHECK_INT(figures().limit, RTP_BWE_LIMIT_REMB);
    send(100000, 5 * (uint64_t)SECOND, 0, 0);
    CHECK_INT(rtp_bwe_bps(&bwe), 120000);
    send(100000, 6 * (uint64_t)SECOND, 0, 0);
    CHECK(rtp_bwe_bps(&bwe) >= START);
    rtp_bwe_on_remb(&bwe, now_us, UINT64_MAX);
    CHECK(rtp_bwe_bps(&bwe) >= START);
    rtp_bwe_on_remb(&bwe, now_us, 0);
    CHECK_INT(rtp_bwe_bps(&bwe), MIN);
}

static void a_higher_remb_alone_frees_the_start(void) {
    begin();
    rtp_bwe_on_remb(&bwe, now_us, 100000);
    CHECK_INT(rtp_bwe_bps(&bwe), 100000);
    rtp_bwe_on_remb(&bwe, now_us, 900000);
    CHECK_INT(rtp_bwe_bps(&bwe), START);
}

static void a_higher_remb_frees_the_estimate_of_a_client_without_feedback(void) {
    begin();
    rtp_bwe_set_demand(&bwe, now_us, 2000000);
    for (int i = 0; i < 40; i++, now_us += SECOND) {
        rtp_bwe_on_remb(&bwe, now_us, i < 20 ? 400000 : 3000000);
        rtp_bwe_on_report(&bwe, now_us, 0, 300000);
        CHECK(i >= 20 || rtp_bwe_bps(&bwe) <= 400000);
    }
    CHECK(rtp_bwe_bps(&bwe) > 1000000 && rtp_bwe_bps(&bwe) <= 2400000);
}

static void reports_move_the_estimate_until_feedback_comes(void) {
    begin();
    rtp_bwe_set_demand(&bwe, now_us, 2000000);
    for (int i = 0; i < 11; i++, now_us += SECOND)
        rtp_bwe_on_report(&bwe, now_us, 0, 300000);
    /* Ten times 8 % and 1 kb/s. */
    CHECK(rtp_bwe_bps(&bwe) > 640000 && rtp_bwe_bps(&bwe) < 680000);
    uint32_t before = rtp_bwe_bps(&bwe);
    rtp_bwe_on_report(&bwe, now_us, 256 / 20, 600000);
    CHECK_INT(rtp_bwe_bps(&bwe), before);
    now_us += SECOND;
    rtp_bwe_on_report(&bwe, now_us, 64, 600000);
    CHECK(rtp_bwe_bps(&bwe) > before * 0.86 && rtp_bwe_bps(&bwe) < before * 0.89);
    send(600000, SECOND, 0, 0);
    before = rtp_bwe_bps(&bwe);
    rtp_bwe_on_report(&bwe, now_us, 255, 600000);
    CHECK_INT(rtp_bwe_bps(&bwe), before);
}

static void silence_lowers_the_estimate_step_by_step(void) {
    begin();
    send(1000000, 3 * (uint64_t)SECOND, 0, 0);
    feedback();
    uint32_t before = rtp_bwe_bps(&bwe);
    CHECK(before > START * 0.9);
    uint64_t quiet_us = now_us;
    rtp_bwe_on_sent(&bwe, now_us, seq++, 1000, 0);
    for (int step = 1; step <= 40; step++) {
        uint64_t deadline_us = rtp_bwe_next_deadline(&bwe);
        if (deadline_us == UINT64_MAX)
            break;
        CHECK(deadline_us >= quiet_us + (2 + (uint64_t)step) * SECOND);
        rtp_bwe_on_deadline(&bwe, deadline_us);
        CHECK(rtp_bwe_next_deadline(&bwe) > deadline_us);
        CHECK(step > 1 || rtp_bwe_bps(&bwe) == (uint32_t)(before * 0.8));
        CHECK_INT(figures().limit,
                  rtp_bwe_bps(&bwe) > MIN ? RTP_BWE_LIMIT_SILENCE : RTP_BWE_LIMIT_MAX);
    }
    CHECK_INT(rtp_bwe_bps(&bwe), MIN);
}

static void nothing_sent_is_no_silence(void) {
    begin();
    send(1000000, SECOND, 0, 0);
    feedback();
    CHECK(rtp_bwe_next_deadline(&bwe) == UINT64_MAX);
}

static void every_limit_has_a_word(void) {
    CHECK_STR(rtp_bwe_limit_name(RTP_BWE_LIMIT_START), "start");
    CHECK_STR(rtp_bwe_limit_name(RTP_BWE_LIMIT_MAX), "max");
    CHECK_STR(rtp_bwe_limit_name((enum rtp_bwe_limit)99), "unknown");
}

static void a_subscriber_costs_less_than_sixteen_kilobytes(void) {
    CHECK(sizeof(struct rtp_bwe) <= 16384);
    CHECK_INT(sizeof(struct rtp_bwe_sent), 8);
}

#define TEST(name)                                                                                 \
    { #name, name }

static const struct test tests[] = {
    TEST(it_starts_where_it_is_told),
    TEST(what_is_sent_is_found_by_its_number),
    TEST(numbers_and_reference_times_wrap),
    TEST(the_share_of_losses_is_reported),
    TEST(a_late_packet_is_no_loss),
    TEST(repeated_feedback_counts_once),
    TEST(malformed_feedback_changes_nothing),
    TEST(numbers_that_were_never_sent_are_counted_and_ignored),
    TEST(a_peer_that_claims_instant_arrival_gets_no_more_than_was_sent),
    TEST(arrivals_that_leap_by_days_are_survived),
    TEST(no_probe_without_demand_or_packets),
    TEST(no_probe_goes_far_beyond_the_demand),
    TEST(remb_is_an_upper_bound_that_expires),
    TEST(a_higher_remb_alone_frees_the_start),
    TEST(a_higher_remb_frees_the_estimate_of_a_client_without_feedback),
    TEST(reports_move_the_estimate_until_feedback_comes),
    TEST(silence_lowers_the_estimate_step_by_step),
    TEST(nothing_sent_is_no_silence),
    TEST(every_limit_has_a_word),
    TEST(a_subscriber_costs_less_than_sixteen_kilobytes),
};

TEST_MAIN(tests)
