/* What publishers without transport-wide feedback are told. */
#include "sfu/uplink.h"

#include "tests/unit/sfu/fixture_media.h"

enum { PACKET = 1000 };

static struct {
    struct rig_peer *publisher;
    struct sfu_media *camera;
    uint64_t free_at_us; /* The link's. */
    uint16_t seq;
} up;

static void begin(bool remb) {
    memset(&up, 0, sizeof(up));
    rig_open();
    up.publisher = rig_join();
    up.camera = rig_add(up.publisher, true, SFU_PUBLISHES);
    up.camera->remb = remb;
    rig_connect(up.publisher);
}

/* Sends at a rate over a link of another for so long. timed: with abs-send-time. */
static void run(uint64_t send_bps, uint64_t link_bps, uint64_t duration_us, bool timed,
                bool numbered) {
    uint64_t end_us = rig.now_us + duration_us, sent_us = rig.now_us;
    while (sent_us < end_us) {
        if (up.free_at_us < sent_us)
            up.free_at_us = sent_us;
        up.free_at_us += PACKET * 8 * S / link_bps;
        rig_run_until(up.free_at_us);
        up.publisher->transport->ice.consent_us = rig.now_us;
        uint8_t payload[PACKET] = {0};
        struct rtp_extensions extensions = {
            .present = timed ? 1u << RTP_EXT_ABS_SEND_TIME : 0,
            .abs_send_time = (uint32_t)(((sent_us + 4321 * S) << 18) / S) & 0xffffff};
        rig_vp8(payload, up.seq, RIG_KEY | RIG_END, 720, up.seq);
        rig_send(up.publisher, &(struct rig_rtp){.ssrc = up.camera->ssrcs[0],
                                                 .payload_type = RIG_VP8_PT,
                                                 .seq = up.seq++,
                                                 .timestamp = (uint32_t)(sent_us * 9 / 100),
                                                 .has_transport_seq = numbered,
                                                 .transport_seq = up.seq,
                                                 .others = &extensions,
                                                 .payload = payload,
                                                 .len = PACKET - 80});
        sent_us += PACKET * 8 * S / send_bps;
    }
}

static size_t rembs(void) {
    return rig_rtcp_count(up.publisher, RTCP_PSFB, RTCP_FMT_APP);
}

static uint64_t newest_remb(void) {
    struct rtcp_packet packet;
    uint64_t bps;
    uint32_t ssrcs[4];
    size_t count;
    CHECK(rembs() > 0);
    CHECK(rig_find_rtcp(up.publisher, RTCP_PSFB, RTCP_FMT_APP, rembs() - 1, &packet, NULL));
    CHECK_INT(rtcp_remb_parse(&packet, &bps, ssrcs, 4, &count), 0);
    CHECK_INT(count, 1);
    CHECK_INT(ssrcs[0], up.camera->ssrcs[0]);
    return bps;
}

static void a_wide_link_is_told_more_than_what_comes(void) {
    begin(true);
    run(1500000, 10000000, 10 * S, true, false);
    CHECK(newest_remb() > 1500000);
    CHECK(rembs() >= 8 && rembs() <= 12);
    rig_close();
}

static void a_queue_that_grows_is_told_at_once(void) {
    begin(true);
    run(1500000, 10000000, 5 * S, true, false);
    uint64_t before = newest_remb();
    rig_clear();
    run(1500000, 1000000, 1 * S, true, false);
    CHECK(newest_remb() < before);
    CHECK(newest_remb() < 1100000);
    rig_close();
}

static void without_times_it_is_what_comes_and_a_half(void) {
    begin(true);
    run(2000000, 10000000, 5 * S, false, false);
    CHECK(newest_remb() > 2800000 && newest_remb() < 3300000);
    rig_close();
}

static void who_numbers_packets_or_knows_no_remb_gets_none(void) {
    begin(true);
    run(1000000, 10000000, 3 * S, true, true);
    CHECK_INT(rembs(), 0);
    CHECK(up.publisher->transport->uplink == NULL);
    rig_close();
    memset(&rig, 0, sizeof(rig));
    begin(false);
    run(1000000, 10000000, 3 * S, true, false);
    CHECK_INT(rembs(), 0);
    rig_close();
}

static void silence_ends_it_and_it_begins_again(void) {
    begin(true);
    run(1000000, 10000000, 3 * S, true, false);
    rig_run(5 * S);
    rig_clear();
    rig_run(5 * S);
    CHECK_INT(rembs(), 0);
    run(1000000, 10000000, 3 * S, true, false);
    CHECK(newest_remb() >= 900000);
    rig_close();
}

static const struct test tests[] = {
    {"a_wide_link_is_told_more_than_what_comes", a_wide_link_is_told_more_than_what_comes},
    {"a_queue_that_grows_is_told_at_once", a_queue_that_grows_is_told_at_once},
    {"without_times_it_is_what_comes_and_a_half", without_times_it_is_what_comes_and_a_half},
    {"who_numbers_packets_or_knows_no_remb_gets_none",
     who_numbers_packets_or_knows_no_remb_gets_none},
    {"silence_ends_it_and_it_begins_again", silence_ends_it_and_it_begins_again},
};

TEST_MAIN(tests)
