/* The engine as a whole: its commands' answers, its clock, what it takes and gives back. */
#include "tests/unit/sfu/fixture_media.h"

#include <errno.h>
static struct {
    struct rig_peer *publisher, *viewer;
    struct sfu_media *camera, *slot;
} call;

static struct sfu_engine *engine(void) {
    return rig.engines[0];
}

static void begin(void) {
    rig_open();
    call.publisher = rig_join();
    call.camera = rig_add(call.publisher, true, SFU_PUBLISHES);
    call.viewer = rig_join();
    call.slot = rig_add(call.viewer, true, SFU_SLOT);
    rig_connect(call.publisher);
    rig_connect(call.viewer);
    rig_carry(call.viewer, call.slot, call.camera->track);
}

/* --- Commands --- */

static void numbers_and_ufrags_are_taken_once(void) {
    begin();
    struct sfu_ice_credentials other;
    sfu_ice_credentials_generate(&other);
    CHECK_INT(sfu_engine_join(engine(), rig.now_us, 1, &other), -EEXIST);
    CHECK_INT(sfu_engine_join(engine(), rig.now_us, 99, &call.viewer->credentials), -EEXIST);
    CHECK_INT(sfu_engine_restart_ice(engine(), 1, &call.viewer->credentials), -EEXIST);
    CHECK_INT(engine()->transports.count, 2);
    CHECK_INT(engine()->by_ufrag.count, 2);
    rig_close();
}

static void who_is_not_there_is_not_found(void) {
    begin();
    struct sfu_description description = {0};
    struct sfu_wish wish = {.mid = "0"};
    struct sfu_ice_credentials credentials;
    sfu_ice_credentials_generate(&credentials);
    CHECK_INT(sfu_engine_negotiate(engine(), rig.now_us, 99, &description), -ENOENT);
    CHECK_INT(sfu_engine_subscribe(engine(), rig.now_us, 99, &wish), -ENOENT);
    CHECK_INT(sfu_engine_set_slot(engine(), rig.now_us, 99, "0", 0), -ENOENT);
    CHECK_INT(sfu_engine_restart_ice(engine(), 99, &credentials), -ENOENT);
    sfu_engine_leave(engine(), rig.now_us, 99);
    sfu_engine_mirror_close(engine(), 99);
    sfu_engine_mirror_feed(engine(), 99, 1, true);
    CHECK_INT(engine()->by_ufrag.count, 2);
    rig_close();
}

static void only_slots_can_be_wished_and_carry(void) {
    begin();
    struct sfu_wish wish = {.mid = "0"}; /* The publisher's camera. */
    CHECK_INT(sfu_engine_subscribe(engine(), rig.now_us, 1, &wish), -ENOENT);
    CHECK_INT(sfu_engine_subscribe(engine(), rig.now_us, 2, &wish), 0);
    CHECK_INT(sfu_engine_set_slot(engine(), rig.now_us, 1, "0", call.camera->track), -ENOENT);
    CHECK_INT(sfu_engine_set_slot(engine(), rig.now_us, 2, "0", 4711), -ENOENT);
    CHECK_INT(sfu_engine_set_slot(engine(), rig.now_us, 2, "9", call.camera->track), -ENOENT);
    CHECK(rig_slot(call.viewer, call.slot)->track != NULL);
    CHECK_INT(sfu_engine_set_slot(engine(), rig.now_us, 2, "0", 0), 0);
    CHECK(rig_slot(call.viewer, call.slot)->track == NULL);
    rig_close();
}

static void a_restart_that_nobody_followed_gives_way_to_the_next(void) {
    begin();
    struct sfu_ice_credentials first, second;
    sfu_ice_credentials_generate(&first);
    sfu_ice_credentials_generate(&second);
    CHECK_INT(sfu_engine_restart_ice(engine(), 1, &first), 0);
    CHECK_INT(sfu_engine_restart_ice(engine(), 1, &second), 0);
    CHECK(sfu_table_get(&engine()->by_ufrag, first.ufrag) == NULL);
    CHECK(sfu_table_get(&engine()->by_ufrag, second.ufrag) == call.publisher->transport);
    sfu_engine_leave(engine(), rig.now_us, 1);
    CHECK_INT(engine()->by_ufrag.count, 1);
    rig_close();
}

/* --- Datagrams --- */

static void every_datagram_is_counted(void) {
    begin();
    uint64_t bytes = engine()->counters.bytes_received;
    uint8_t junk[100] = {0};
    for (unsigned first = 0; first < 256; first++) {
        junk[0] = (uint8_t)first;
        rig_input(call.viewer, &(struct sfu_address){.family = AF_INET}, junk, sizeof(junk));
    }
    rig_flush();
    const struct sfu_counters *counters = &engine()->counters;
    CHECK_INT(counters->datagrams_received, 256);
    CHECK_INT(counters->bytes_received - bytes, 25600);
    /* RFC 7983: 4 first bytes are STUN's, 44 DTLS's, 64 RTP's and RTCP's. */
    CHECK_INT(counters->drop_stun_malformed, 4);
    CHECK_INT(counters->drop_dtls_unvalidated, 44);
    CHECK_INT(counters->drop_unknown_address, 64);
    CHECK_INT(counters->drop_unknown_kind, 256 - 4 - 44 - 64);
    CHECK_INT(rig.sent_count, 0);
    CHECK_INT(sfu_pool_in_use(rig.pool), 0);
    rig_close();
}

/* The same address and port by another socket, or by TCP, is another path. */
static void an_address_is_the_whole_path(void) {
    begin();
    uint8_t packet[RIG_DATAGRAM_MAX], payload[RIG_PAYLOAD_LEN];
    struct rig_rtp rtp = {.ssrc = call.camera->ssrcs[0],
                          .payload_type = RIG_VP8_PT,
                          .payload = payload,
                          .len = rig_vp8(payload, 1, RIG_KEY, 720, 1)};
    size_t len = rig_protect(call.publisher, &rtp, packet);
    struct sfu_address other = call.publisher->address;
    other.via = 1;
    rig_input(call.publisher, &other, packet, len);
    other = call.publisher->address;
    other.tcp = true;
    rig_input(call.publisher, &other, packet, len);
    other = call.publisher->address;
    other.port++;
    rig_input(call.publisher, &other, packet, len);
    CHECK_INT(engine()->counters.drop_unknown_address, 3);
    rig_input(call.publisher, &call.publisher->address, packet, len);
    CHECK_INT(engine()->counters.rtp_received, 1);
    rig_close();
}

/* Padding as long as the packet, CSRCs and extensions beyond its end (CVE-2025-49140). */
static void authenticated_nonsense_is_counted_and_dropped(void) {
    begin();
    static const uint8_t headers[][16] = {
        {0xa0, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0x03, 0xe8, 0, 0, 0, 200},
        {0x8f, 96, 0, 2, 0, 0, 0, 0, 0, 0, 0x03, 0xe8, 0, 0, 0, 0},
        {0x90, 96, 0, 3, 0, 0, 0, 0, 0, 0, 0x03, 0xe8, 0xbe, 0xde, 0xff, 0xff},
    };
    for (size_t i = 0; i < 3; i++) {
        uint8_t packet[64];
        struct sfu_srtp_stream stream = {0};
        memcpy(packet, headers[i], 12);
        size_t len = sfu_srtp_protect_rtp(call.publisher->out, &stream, packet, 12, NULL, 0,
                                          headers[i] + 12, 4);
        rig_input(call.publisher, &call.publisher->address, packet, len);
    }
    const struct sfu_counters *counters = &engine()->counters;
    CHECK_INT(counters->drop_rtp_malformed + counters->drop_srtp_auth, 3);
    CHECK(counters->drop_rtp_malformed >= 1);
    CHECK_INT(counters->rtp_received, 0);
    rig_close();
}

/* --- Time --- */

static void an_empty_engine_wants_nothing(void) {
    rig_open();
    CHECK_INT(sfu_engine_next_deadline(engine()), UINT64_MAX);
    sfu_engine_on_deadline(engine(), rig.now_us);
    sfu_engine_flush(engine(), rig.now_us);
    CHECK_INT(rig.sent_count, 0);
    rig_close();
}

static void a_deadline_leaves_none_behind_that_is_due(void) {
    begin();
    for (uint16_t i = 0; i < 200; i++) { /* Losses, keyframe requests and transport numbers. */
        uint8_t payload[RIG_PAYLOAD_LEN];
        rig_vp8(payload, i, RIG_START, 720, i);
        if (i % 7 != 3)
            rig_send(call.publisher, &(struct rig_rtp){.ssrc = call.camera->ssrcs[0],
                                                       .payload_type = RIG_VP8_PT,
                                                       .seq = i,
                                                       .has_transport_seq = true,
                                                       .transport_seq = i,
                                                       .payload = payload,
                                                       .len = sizeof(payload)});
        rig.now_us += 13 * MS;
        sfu_engine_on_deadline(engine(), rig.now_us);
        rig_flush();
    }
    rig_close();
}

static void a_seed_gives_the_same_numbers(void) {
    uint64_t first[2];
    for (int i = 0; i < 2; i++) {
        struct sfu_engine *seeded;
        struct sfu_engine_config config = {.seed = 7, .send = rig_on_send};
        CHECK_INT(sfu_engine_create(&seeded, &config), 0);
        first[i] = sfu_engine_random(seeded);
        CHECK(sfu_engine_random(seeded) != first[i]);
        sfu_engine_destroy(seeded);
    }
    CHECK(first[0] == first[1]);
}

/* --- What it takes --- */

static void a_thousand_joins_and_leaves_leave_nothing(void) {
    begin();
    size_t agenda = engine()->agenda.capacity;
    for (uint64_t i = 0; i < 1000; i++) {
        struct sfu_ice_credentials credentials;
        struct sfu_description description = {.media = call.slot, .media_count = 1};
        sfu_ice_credentials_generate(&credentials);
        CHECK_INT(sfu_engine_join(engine(), rig.now_us, 1000 + i, &credentials), 0);
        CHECK_INT(sfu_engine_negotiate(engine(), rig.now_us, 1000 + i, &description), 0);
        CHECK_INT(
            sfu_engine_set_slot(engine(), rig.now_us, 1000 + i, call.slot->mid, call.camera->track),
            0);
        sfu_engine_leave(engine(), rig.now_us, 1000 + i);
    }
    CHECK_INT(engine()->transports.count, 2);
    CHECK_INT(engine()->by_ufrag.count, 2);
    CHECK_INT(engine()->agenda.count, 2);
    CHECK(engine()->agenda.capacity <= agenda + 1);
    CHECK_INT(engine()->slots, 1);
    CHECK_INT(rig_track(call.publisher, call.camera)->slot_count, 1);
    rig_close();
}

/* --- Handshakes --- */

static bool is_media(const struct rig_sent *sent) {
    return sent->to == call.viewer && sent->kind == RTP_DATAGRAM_RTP;
}

static void of_a_burst_of_handshakes_a_few_are_taken_after_the_media(void) {
    begin();
    rig_video(call.publisher, call.camera->ssrcs[0], 1, 1, RIG_KEY);
    rig_clear();
    static const uint8_t record[13 + 1] = {22, 0xfe, 0xfd};
    for (int i = 0; i < 3 * SFU_HANDSHAKES_PER_WAKEUP; i++) {
        struct sfu_packet *packet = sfu_pool_get(rig.pool);
        memcpy(packet->data, record, sizeof(record));
        packet->len = sizeof(record);
        sfu_engine_input(engine(), rig.now_us, &call.viewer->address, packet);
        sfu_packet_unref(packet);
    }
    CHECK_INT(engine()->handshakes.count, 3 * SFU_HANDSHAKES_PER_WAKEUP);
    rig_video(call.publisher, call.camera->ssrcs[0], 2, 2, RIG_START); /* Which flushes. */
    CHECK(rig.sent_count > 0 && is_media(&rig.sent[0]));
    CHECK_INT(engine()->handshakes.count, 2 * SFU_HANDSHAKES_PER_WAKEUP);
    CHECK(sfu_engine_next_deadline(engine()) <= rig.now_us); /* Soon the next ones. */
    sfu_engine_flush(engine(), rig.now_us);
    sfu_engine_flush(engine(), rig.now_us);
    CHECK_INT(engine()->handshakes.count, 0);
    rig_close();
}

static void a_datagram_came_when_its_stamp_says(void) {
    begin();
    struct sfu_packet *packet = sfu_pool_get(rig.pool);
    packet->len = 0;
    packet->received_us = rig.now_us - 700;
    sfu_engine_input_stamped(engine(), rig.now_us, &call.viewer->address, packet);
    CHECK_INT(packet->received_us, rig.now_us - 700);
    sfu_engine_input(engine(), rig.now_us, &call.viewer->address, packet);
    CHECK_INT(packet->received_us, rig.now_us);
    sfu_packet_unref(packet);
    rig_close();
}

static void an_engine_that_ends_takes_everybody_with_it(void) {
    begin();
    CHECK_INT(
        sfu_engine_mirror_open(engine(), 1, &(struct sfu_media){.track = 77, .codec_count = 1}), 0);
    rig_put_picture(call.publisher, call.camera->ssrcs[0], 10, 1, RIG_KEY, 720);
    rig_close(); /* Which looks. */
}

static const struct test tests[] = {
    {"numbers_and_ufrags_are_taken_once", numbers_and_ufrags_are_taken_once},
    {"who_is_not_there_is_not_found", who_is_not_there_is_not_found},
    {"only_slots_can_be_wished_and_carry", only_slots_can_be_wished_and_carry},
    {"a_restart_that_nobody_followed_gives_way_to_the_next",
     a_restart_that_nobody_followed_gives_way_to_the_next},
    {"every_datagram_is_counted", every_datagram_is_counted},
    {"an_address_is_the_whole_path", an_address_is_the_whole_path},
    {"authenticated_nonsense_is_counted_and_dropped",
     authenticated_nonsense_is_counted_and_dropped},
    {"an_empty_engine_wants_nothing", an_empty_engine_wants_nothing},
    {"a_deadline_leaves_none_behind_that_is_due", a_deadline_leaves_none_behind_that_is_due},
    {"a_seed_gives_the_same_numbers", a_seed_gives_the_same_numbers},
    {"a_thousand_joins_and_leaves_leave_nothing", a_thousand_joins_and_leaves_leave_nothing},
    {"of_a_burst_of_handshakes_a_few_are_taken_after_the_media",
     of_a_burst_of_handshakes_a_few_are_taken_after_the_media},
    {"a_datagram_came_when_its_stamp_says", a_datagram_came_when_its_stamp_says},
    {"an_engine_that_ends_takes_everybody_with_it", an_engine_that_ends_takes_everybody_with_it},
};

TEST_MAIN(tests)
