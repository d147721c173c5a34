/* Which layer's history a packet ends in, by what its header says. */
#include "tests/unit/sfu/fixture_media.h"

enum { STRANGE = 0xabcdef };

static struct rig_rtp packet(uint32_t ssrc, const char *mid, const char *rid) {
    static uint8_t payload[RIG_PAYLOAD_LEN];
    static uint16_t seq = 100;
    rig_vp8(payload, seq, RIG_KEY | RIG_END, 720, seq);
    return (struct rig_rtp){.ssrc = ssrc,
                            .payload_type = RIG_VP8_PT,
                            .seq = seq++,
                            .mid = mid,
                            .rid = rid,
                            .payload = payload,
                            .len = sizeof(payload)};
}

static void deliver(struct rig_peer *peer, uint32_t ssrc, const char *mid, const char *rid) {
    struct rig_rtp rtp = packet(ssrc, mid, rid);
    rig_send(peer, &rtp);
}

static uint64_t received(struct rig_peer *peer, const struct sfu_media *media, size_t layer) {
    return rig_track(peer, media)->layers[layer].receiver.received;
}

static uint64_t unknown(void) {
    return rig.engines[0]->counters.drop_rtp_unknown_ssrc;
}

/* A camera whose SSRCs are not described. */
static struct sfu_media *add_undescribed(struct rig_peer *peer, bool simulcast) {
    struct sfu_media *media =
        simulcast ? rig_add_simulcast(peer) : rig_add(peer, true, SFU_PUBLISHES);
    memset(media->ssrcs, 0, sizeof(media->ssrcs));
    memset(media->rtx_ssrcs, 0, sizeof(media->rtx_ssrcs));
    return media;
}

static void described_ssrcs_need_no_extension(void) {
    rig_open();
    struct rig_peer *peer = rig_join();
    struct sfu_media *camera = rig_add_simulcast(peer);
    struct sfu_media *screen = rig_add(peer, true, SFU_PUBLISHES);
    rig_connect(peer);
    deliver(peer, camera->ssrcs[2], NULL, NULL);
    deliver(peer, screen->ssrcs[0], NULL, NULL);
    CHECK_INT(received(peer, camera, 2), 1);
    CHECK_INT(received(peer, screen, 0), 1);
    CHECK_INT(unknown(), 0);
    rig_close();
}

static void mid_and_rid_teach_an_ssrc_once_and_for_all(void) {
    rig_open();
    struct rig_peer *peer = rig_join();
    add_undescribed(peer, true);
    struct sfu_media *camera = add_undescribed(peer, true);
    rig_connect(peer);
    deliver(peer, 5000, "1", "h");
    deliver(peer, 5000, NULL, NULL);
    CHECK_INT(received(peer, camera, 1), 2);
    CHECK_INT(rig_track(peer, camera)->layers[1].ssrc, 5000);
    rig_close();
}

static void an_mid_without_the_rid_of_a_simulcast_line_is_unknown(void) {
    rig_open();
    struct rig_peer *peer = rig_join();
    add_undescribed(peer, true);
    rig_connect(peer);
    deliver(peer, 5000, "0", NULL);
    deliver(peer, 5001, "0", "x");
    deliver(peer, 5002, "0", "hh");
    CHECK_INT(unknown(), 3);
    CHECK_INT(peer->transport->stream_count, 0);
    rig_close();
}

/* As werift does. */
static void each_mline_may_number_the_mid_otherwise(void) {
    rig_open();
    struct rig_peer *peer = rig_join();
    struct sfu_media *first = add_undescribed(peer, false);
    struct sfu_media *second = add_undescribed(peer, false);
    first->extensions.ids[RTP_EXT_MID] = 5;
    second->extensions.ids[RTP_EXT_MID] = 9;
    rig_connect(peer);
    struct rig_rtp rtp = packet(5000, "1", NULL);
    rtp.map = &second->extensions;
    rig_send(peer, &rtp);
    rtp = packet(6000, "0", NULL);
    rtp.map = &first->extensions;
    rig_send(peer, &rtp);
    CHECK_INT(received(peer, second, 0), 1);
    CHECK_INT(received(peer, first, 0), 1);
    rig_close();
}

/* As GStreamer and libdatachannel do. */
static void a_payload_type_of_one_line_alone_tells_without_an_mid(void) {
    rig_open();
    struct rig_peer *peer = rig_join();
    struct sfu_media *microphone = rig_add(peer, false, SFU_PUBLISHES);
    struct sfu_media *camera = add_undescribed(peer, false);
    microphone->ssrcs[0] = 0;
    rig_connect(peer);
    deliver(peer, 5000, NULL, NULL);
    rig_audio(peer, 6000, 1);
    CHECK_INT(received(peer, camera, 0), 1);
    CHECK_INT(received(peer, microphone, 0), 1);
    rig_close();
}

static void a_payload_type_of_two_lines_tells_nothing(void) {
    rig_open();
    struct rig_peer *peer = rig_join();
    add_undescribed(peer, false);
    add_undescribed(peer, false);
    rig_connect(peer);
    deliver(peer, 5000, NULL, NULL);
    CHECK_INT(unknown(), 1);
    rig_close();
}

static void a_payload_type_does_not_tell_which_layer(void) {
    rig_open();
    struct rig_peer *peer = rig_join();
    add_undescribed(peer, true);
    rig_connect(peer);
    deliver(peer, 5000, NULL, NULL);
    CHECK_INT(unknown(), 1);
    rig_close();
}

static void a_packet_of_another_mid_is_not_guessed_by_payload_type(void) {
    rig_open();
    struct rig_peer *peer = rig_join();
    add_undescribed(peer, false);
    rig_connect(peer);
    deliver(peer, 5000, "9", NULL);
    CHECK_INT(unknown(), 1);
    rig_close();
}

static void a_new_ssrc_takes_the_layer_from_the_old(void) {
    rig_open();
    struct rig_peer *peer = rig_join();
    struct sfu_media *camera = add_undescribed(peer, false);
    add_undescribed(peer, false);
    rig_connect(peer);
    deliver(peer, 5000, "0", NULL);
    deliver(peer, 5001, "0", NULL);
    CHECK_INT(peer->transport->stream_count, 1);
    CHECK_INT(rig_track(peer, camera)->layers[0].ssrc, 5001);
    deliver(peer, 5000, NULL, NULL);
    CHECK_INT(unknown(), 1);
    rig_close();
}

/* Eleven simulcast cameras describe 66 SSRCs. */
static void the_65th_ssrc_is_refused_and_the_others_go_on(void) {
    rig_open();
    struct rig_peer *peer = rig_join();
    struct sfu_media *cameras[11];
    for (size_t i = 0; i < 11; i++)
        cameras[i] = rig_add_simulcast(peer);
    rig_connect(peer);
    CHECK_INT(peer->transport->stream_count, SFU_SSRCS_MAX);
    deliver(peer, cameras[10]->ssrcs[1], "10", "h"); /* The 63rd. */
    deliver(peer, cameras[10]->ssrcs[2], "10", "f"); /* The 65th. */
    deliver(peer, STRANGE, "10", "f");
    CHECK_INT(received(peer, cameras[10], 1), 1);
    CHECK_INT(received(peer, cameras[10], 2), 0);
    CHECK_INT(unknown(), 2);
    deliver(peer, STRANGE, "10", "h"); /* In the place of a present one. */
    CHECK_INT(received(peer, cameras[10], 1), 2);
    rig_close();
}

static void an_ssrc_that_nothing_tells_is_counted(void) {
    rig_open();
    struct rig_peer *peer = rig_join();
    rig_add(peer, true, SFU_SLOT);
    rig_connect(peer);
    deliver(peer, STRANGE, NULL, NULL);
    CHECK_INT(unknown(), 1);
    CHECK_INT(rig.engines[0]->counters.rtp_received, 1);
    rig_close();
}

static void repaired_rid_teaches_the_rtx_ssrc(void) {
    rig_open();
    struct rig_peer *peer = rig_join();
    struct sfu_media *camera = add_undescribed(peer, true);
    rig_connect(peer);
    deliver(peer, 5000, "0", "f");
    struct rig_rtp rtx = packet(5001, "0", NULL);
    uint8_t payload[2 + RIG_PAYLOAD_LEN];
    rtp_put16(payload, (uint16_t)(rtx.seq - 3)); /* Came before the one above. */
    memcpy(payload + 2, rtx.payload, rtx.len);
    rtx.payload_type = RIG_RTX_PT;
    rtx.repaired_rid = "f";
    rtx.payload = payload;
    rtx.len = sizeof(payload);
    rig_send(peer, &rtx);
    const struct sfu_layer *layer = &rig_track(peer, camera)->layers[2];
    CHECK_INT(layer->rtx_ssrc, 5001);
    CHECK_INT(layer->ssrc, 5000);
    CHECK_INT(unknown(), 0);
    rig_close();
}

static void a_payload_type_that_was_not_agreed_is_counted(void) {
    rig_open();
    struct rig_peer *peer = rig_join();
    struct sfu_media *camera = rig_add(peer, true, SFU_PUBLISHES);
    rig_connect(peer);
    struct rig_rtp rtp = packet(camera->ssrcs[0], NULL, NULL);
    rtp.payload_type = 100;
    rig_send(peer, &rtp);
    rtp = packet(camera->ssrcs[0], NULL, NULL);
    rtp.payload_type = RIG_RTX_PT; /* RTX has an SSRC of its own. */
    rig_send(peer, &rtp);
    CHECK_INT(rig.engines[0]->counters.drop_rtp_unknown_payload_type, 2);
    CHECK_INT(received(peer, camera, 0), 0);
    rig_close();
}

static void a_track_that_ends_takes_its_ssrcs_with_it(void) {
    rig_open();
    struct rig_peer *peer = rig_join();
    struct sfu_media *camera = rig_add_simulcast(peer);
    struct sfu_media *screen = rig_add(peer, true, SFU_PUBLISHES);
    struct sfu_media *third = rig_add(peer, true, SFU_PUBLISHES);
    rig_connect(peer);
    deliver(peer, camera->ssrcs[0], NULL, NULL);
    camera->direction = SFU_INACTIVE;
    CHECK_INT(rig_negotiate(peer), 0);
    CHECK_INT(peer->transport->stream_count, 4);
    deliver(peer, camera->ssrcs[0], NULL, NULL);
    deliver(peer, screen->ssrcs[0], NULL, NULL);
    deliver(peer, third->ssrcs[0], NULL, NULL);
    CHECK_INT(unknown(), 1);
    CHECK_INT(received(peer, screen, 0), 1);
    CHECK_INT(received(peer, third, 0), 1);
    rig_close();
}

/* Two cameras of one payload type, without MID: only the description tells them apart. */
static void a_later_description_may_name_another_ssrc(void) {
    rig_open();
    struct rig_peer *peer = rig_join();
    struct sfu_media *camera = rig_add(peer, true, SFU_PUBLISHES);
    rig_add(peer, true, SFU_PUBLISHES);
    rig_connect(peer);
    camera->ssrcs[0] = 5000;
    camera->rtx_ssrcs[0] = 5001;
    CHECK_INT(rig_negotiate(peer), 0);
    deliver(peer, 5000, NULL, NULL);
    CHECK_INT(received(peer, camera, 0), 1);
    CHECK_INT(unknown(), 0);
    rig_close();
}

/* Browsers name the SSRC of the first offer for ever; MID is only in the first packets. */
static void a_repeated_description_does_not_undo_what_mid_taught(void) {
    rig_open();
    struct rig_peer *peer = rig_join();
    struct sfu_media *camera = rig_add(peer, true, SFU_PUBLISHES);
    rig_add(peer, true, SFU_PUBLISHES);
    rig_connect(peer);
    deliver(peer, 5000, "0", NULL);
    CHECK_INT(rig_negotiate(peer), 0);
    deliver(peer, 5000, NULL, NULL);
    CHECK_INT(received(peer, camera, 0), 2);
    CHECK_INT(unknown(), 0);
    rig_close();
}

static const struct test tests[] = {
    {"described_ssrcs_need_no_extension", described_ssrcs_need_no_extension},
    {"mid_and_rid_teach_an_ssrc_once_and_for_all", mid_and_rid_teach_an_ssrc_once_and_for_all},
    {"an_mid_without_the_rid_of_a_simulcast_line_is_unknown",
     an_mid_without_the_rid_of_a_simulcast_line_is_unknown},
    {"each_mline_may_number_the_mid_otherwise", each_mline_may_number_the_mid_otherwise},
    {"a_payload_type_of_one_line_alone_tells_without_an_mid",
     a_payload_type_of_one_line_alone_tells_without_an_mid},
    {"a_payload_type_of_two_lines_tells_nothing", a_payload_type_of_two_lines_tells_nothing},
    {"a_payload_type_does_not_tell_which_layer", a_payload_type_does_not_tell_which_layer},
    {"a_packet_of_another_mid_is_not_guessed_by_payload_type",
     a_packet_of_another_mid_is_not_guessed_by_payload_type},
    {"a_new_ssrc_takes_the_layer_from_the_old", a_new_ssrc_takes_the_layer_from_the_old},
    {"the_65th_ssrc_is_refused_and_the_others_go_on",
     the_65th_ssrc_is_refused_and_the_others_go_on},
    {"an_ssrc_that_nothing_tells_is_counted", an_ssrc_that_nothing_tells_is_counted},
    {"repaired_rid_teaches_the_rtx_ssrc", repaired_rid_teaches_the_rtx_ssrc},
    {"a_payload_type_that_was_not_agreed_is_counted",
     a_payload_type_that_was_not_agreed_is_counted},
    {"a_track_that_ends_takes_its_ssrcs_with_it", a_track_that_ends_takes_its_ssrcs_with_it},
    {"a_later_description_may_name_another_ssrc", a_later_description_may_name_another_ssrc},
    {"a_repeated_description_does_not_undo_what_mid_taught",
     a_repeated_description_does_not_undo_what_mid_taught},
};

TEST_MAIN(tests)
