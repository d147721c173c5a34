/* A participant's connection with bench clients at the other end, and with people who wish it ill.
 */
#include "tests/unit/sfu/fixture_media.h"

static struct {
    struct rig_peer *publisher, *viewer;
    struct sfu_media *camera, *slot;
} call;

static struct sfu_counters *counters(void) {
    return &rig.engines[0]->counters;
}

static void prepare(void) {
    rig_open();
    call.publisher = rig_join();
    call.camera = rig_add(call.publisher, true, SFU_PUBLISHES);
    call.viewer = rig_join();
    call.slot = rig_add(call.viewer, true, SFU_SLOT);
}

/* Both are whole clients; runs until pictures have come for a second. */
static void begin(void) {
    prepare();
    rig_begin_client(call.publisher);
    rig_begin_client(call.viewer);
    rig_carry(call.viewer, call.slot, call.camera->track);
    rig_run(S);
    rig_clear();
}

static uint64_t frames(void) {
    return bench_client_sink(call.viewer->client, 0)->frames_complete;
}

/* Pictures flow, and nobody has been told of an end. */
static void check_undisturbed(void) {
    uint64_t before = frames();
    rig_run(S);
    CHECK(frames() >= before + 28);
    for (size_t i = 0; i < 2; i++) {
        CHECK_INT(rig.peers[i].events[SFU_EVENT_CLOSED], 0);
        CHECK_INT(rig.peers[i].events[SFU_EVENT_FAILED], 0);
        CHECK_INT(rig.peers[i].events[SFU_EVENT_ICE_TIMEOUT], 0);
    }
}

static void ice_dtls_and_srtp_lead_to_pictures(void) {
    begin();
    CHECK_INT(call.publisher->events[SFU_EVENT_CONNECTED], 1);
    CHECK_INT(call.viewer->events[SFU_EVENT_CONNECTED], 1);
    CHECK_INT(counters()->dtls_handshakes, 2);
    check_undisturbed();
    CHECK_INT(counters()->drop_srtp_auth, 0);
    CHECK_INT(call.publisher->events[SFU_EVENT_TRACK_FLOWS], 1);
    rig_close();
}

static void every_profile_carries_rtp_and_rtcp(void) {
    static const enum sfu_srtp_profile profiles[] = {
        SFU_SRTP_AES128_CM_SHA1_80, SFU_SRTP_AEAD_AES_128_GCM, SFU_SRTP_AEAD_AES_256_GCM};
    rig_open();
    for (size_t i = 0; i < 3; i++) {
        struct rig_peer *publisher = rig_join();
        struct sfu_media *camera = rig_add(publisher, true, SFU_PUBLISHES);
        struct rig_peer *viewer = rig_join();
        struct sfu_media *slot = rig_add(viewer, true, SFU_SLOT);
        rig_connect_with(publisher, profiles[i]);
        rig_connect_with(viewer, profiles[2 - i]);
        rig_carry(viewer, slot, camera->track);
        rig_keyframe(publisher, camera->ssrcs[0], 10, 1);
        CHECK_INT(rig_number(rig_rtp_at(viewer, 0)), 10);
        rig_run(S); /* Sooner, the keyframe would still be on its way. */
        rig_pli(viewer, slot->slot_ssrc);
        rig_run(1 * MS);
        CHECK_INT(rig_plis(publisher), 1);
    }
    rig_close();
}

/* --- Consent --- */

static void lost_consent_is_told_once_and_stops_media(void) {
    begin();
    call.viewer->muted = true;
    rig_run(26 * S);
    CHECK_INT(call.viewer->events[SFU_EVENT_ICE_TIMEOUT], 0);
    rig_clear();
    rig_run(5 * S);
    CHECK_INT(call.viewer->events[SFU_EVENT_ICE_TIMEOUT], 1);
    rig_clear();
    rig_run(40 * S);
    CHECK_INT(rig_rtp_count(call.viewer), 0);
    CHECK_INT(rig_count(call.viewer, RTP_DATAGRAM_RTCP), 0);
    CHECK_INT(call.viewer->events[SFU_EVENT_ICE_TIMEOUT], 1);
    CHECK_INT(call.publisher->events[SFU_EVENT_ICE_TIMEOUT], 0);
    rig_close();
}

/* Its media still come, with gaps that want something of the clock. */
static void lost_consent_is_told_once_even_if_media_go_on(void) {
    prepare();
    rig_connect(call.publisher);
    rig_run(31 * S);
    CHECK_INT(call.publisher->events[SFU_EVENT_ICE_TIMEOUT], 1);
    for (uint16_t i = 0; i < 20; i++) {
        rig_keyframe(call.publisher, call.camera->ssrcs[0], 10 + 2 * i, i);
        rig_run(100 * MS);
    }
    CHECK_INT(call.publisher->events[SFU_EVENT_ICE_TIMEOUT], 1);
    CHECK_INT(rig_count(call.publisher, RTP_DATAGRAM_RTCP), 0);
    rig_close();
}

static void consent_that_comes_back_brings_a_picture_with_it(void) {
    begin();
    call.viewer->muted = true;
    rig_run(20 * S);
    rig_clear();
    rig_run(15 * S);
    CHECK_INT(call.viewer->events[SFU_EVENT_ICE_TIMEOUT], 1);
    uint64_t before = frames();
    call.viewer->muted = false;
    rig_clear();
    rig_run(4 * S); /* A check comes within 2.5 s. */
    CHECK_INT(call.viewer->events[SFU_EVENT_ICE_RECOVERED], 1);
    CHECK(frames() > before + 30);
    rig_close();
}

static void who_never_comes_times_out_as_well(void) {
    prepare();
    CHECK_INT(rig_negotiate(call.viewer), 0);
    rig_run(30 * S - 1);
    CHECK_INT(call.viewer->events[SFU_EVENT_ICE_TIMEOUT], 0);
    rig_run(1);
    CHECK_INT(call.viewer->events[SFU_EVENT_ICE_TIMEOUT], 1);
    rig_close();
}

/* --- Addresses --- */

static void a_client_that_moves_is_followed(void) {
    begin();
    struct sfu_address before = call.viewer->address;
    call.viewer->address.port = 6000;
    rig_run(6 * S); /* Two checks: the old address has been silent for 3 s at the second. */
    CHECK(sfu_address_equal(&call.viewer->transport->ice.selected, &call.viewer->address));
    CHECK(sfu_table_get(&rig.engines[0]->by_address, &before) == call.viewer->transport);
    check_undisturbed();
    rig_close();
}

/* Behind a carrier's NAT an address may be somebody else's the next minute. */
static void an_address_belongs_to_whom_it_authenticated_last(void) {
    begin();
    struct rig_peer *other = rig_join();
    rig_add(other, true, SFU_SLOT);
    call.publisher->muted = true;
    struct sfu_address shared = call.publisher->address;
    other->address = shared;
    call.publisher->address.port = 1;
    rig_begin_client(other);
    rig_run(S);
    CHECK(sfu_table_get(&rig.engines[0]->by_address, &shared) == other->transport);
    sfu_engine_leave(rig.engines[0], rig.now_us, call.publisher->number);
    CHECK(sfu_table_get(&rig.engines[0]->by_address, &shared) == other->transport);
    rig_close();
}

static void of_many_addresses_eight_are_remembered(void) {
    begin();
    struct sfu_address first = call.viewer->address;
    for (uint16_t port = 6000; port < 6008; port++) {
        call.viewer->address.port = port;
        rig_input(call.viewer, &call.viewer->address, call.viewer->said[RTP_DATAGRAM_STUN].data,
                  call.viewer->said[RTP_DATAGRAM_STUN].len);
    }
    CHECK(sfu_table_get(&rig.engines[0]->by_address, &first) == NULL);
    CHECK_INT(rig.engines[0]->by_address.count, 1 + SFU_ICE_ADDRESSES_MAX);
    rig_close();
}

static void an_ice_restart_ends_the_old_credentials_at_its_first_check(void) {
    begin();
    struct sfu_ice_credentials before = call.viewer->credentials, next;
    sfu_ice_credentials_generate(&next);
    CHECK_INT(sfu_engine_restart_ice(rig.engines[0], call.viewer->number, &next), 0);
    rig_run(5 * S); /* The client goes on with the old ones. */
    CHECK(sfu_table_get(&rig.engines[0]->by_ufrag, before.ufrag) == call.viewer->transport);
    CHECK_INT(counters()->drop_stun_bad_integrity, 0);
    struct sfu_local local = {0};
    memcpy(local.ufrag, next.ufrag, sizeof(local.ufrag));
    memcpy(local.pwd, next.pwd, sizeof(local.pwd));
    bench_client_restart(call.viewer->client, rig.now_us, &local);
    check_undisturbed();
    CHECK(sfu_table_get(&rig.engines[0]->by_ufrag, before.ufrag) == NULL);
    CHECK(sfu_table_get(&rig.engines[0]->by_ufrag, next.ufrag) == call.viewer->transport);
    CHECK_INT(rig.engines[0]->by_ufrag.count, 2);
    rig_close();
}

/* --- What is not authenticated changes nothing --- */

static const struct sfu_address stranger = {
    .ip = {198, 51, 100, 66}, .port = 666, .family = AF_INET};

static void strangers_are_counted_and_get_no_answer(void) {
    begin();
    uint8_t rtp[60] = {0x80, 96}, rtcp[60] = {0x80, 200}, dtls[60] = {22, 0xfe, 0xfd};
    uint64_t sent = rig.sent_count;
    for (int i = 0; i < 10; i++) {
        rig_input(call.viewer, &stranger, rtp, sizeof(rtp));
        rig_input(call.viewer, &stranger, rtcp, sizeof(rtcp));
        rig_input(call.viewer, &stranger, dtls, sizeof(dtls));
        rig_input(call.viewer, &stranger, (const uint8_t[]){0xff, 1}, 2);
        rig_input(call.viewer, &stranger, rtp, 0);
    }
    rig_flush();
    CHECK_INT(rig.sent_count, sent);
    CHECK_INT(counters()->drop_unknown_address, 20);
    CHECK_INT(counters()->drop_dtls_unvalidated, 10);
    CHECK_INT(counters()->drop_unknown_kind, 20);
    check_undisturbed();
    rig_close();
}

/* Right ufrag, wrong password: silence, and the address counts for nothing. */
static void a_check_without_the_password_validates_nothing(void) {
    begin();
    struct rig_peer *attacker = rig_join();
    struct sfu_ice_credentials guess = call.viewer->credentials;
    guess.pwd[0] = guess.pwd[0] == 'a' ? 'b' : 'a';
    rig_begin_client_with(attacker, &guess);
    rig_run(S);
    CHECK(counters()->drop_stun_bad_integrity >= 10);
    CHECK_INT(rig_count(attacker, RTP_DATAGRAM_STUN), 0);
    CHECK(sfu_table_get(&rig.engines[0]->by_address, &attacker->address) == NULL);
    check_undisturbed();
    rig_close();
}

static void malformed_checks_and_unknown_names_are_counted(void) {
    begin();
    uint8_t *check = call.viewer->said[RTP_DATAGRAM_STUN].data;
    size_t len = call.viewer->said[RTP_DATAGRAM_STUN].len;
    rig_input(call.viewer, &call.viewer->address, check, len - 1);
    CHECK_INT(counters()->drop_stun_malformed, 1);
    uint8_t *name = memmem(check, len, call.viewer->credentials.ufrag, SFU_UFRAG_LEN);
    CHECK(name != NULL);
    name[0] ^= 1;
    rig_input(call.viewer, &call.viewer->address, check, len);
    CHECK_INT(counters()->drop_stun_unknown_ufrag, 1);
    check_undisturbed();
    rig_close();
}

/* DTLS alerts of epoch 0 are not protected: whoever can forge the source address can send them. */
static const uint8_t forged_alerts[][15] = {
    {21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40}, /* fatal handshake_failure */
    {21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 8, 0, 2, 1, 0},  /* close_notify */
    {21, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 2, 1, 0},  /* the same, of epoch 1 */
};

static void forge_alerts(struct rig_peer *victim) {
    for (size_t i = 0; i < 3; i++)
        rig_input(victim, &victim->address, forged_alerts[i], sizeof(forged_alerts[i]));
    rig_flush();
}

static void forged_alerts_end_nothing(void) {
    begin();
    forge_alerts(call.viewer);
    forge_alerts(call.publisher);
    check_undisturbed();
    rig_close();
}

static void forged_alerts_during_the_handshake_only_delay_it(void) {
    prepare();
    rig_begin_client(call.viewer);
    bench_client_on_deadline(call.viewer->client, rig.now_us);
    for (int i = 0; i < 20 && rig_pump_one(); i++)
        if (!bench_client_is_connected(call.viewer->client))
            forge_alerts(call.viewer);
    rig_run(10 * S);
    CHECK_INT(call.viewer->events[SFU_EVENT_CONNECTED], 1);
    CHECK_INT(call.viewer->events[SFU_EVENT_FAILED], 0);
    rig_close();
}

/* CVE-2021-41105: hung up after 100 of them. */
static void packets_with_a_wrong_tag_are_counted_and_dropped(void) {
    begin();
    uint8_t *rtp = call.publisher->said[RTP_DATAGRAM_RTP].data;
    size_t len = call.publisher->said[RTP_DATAGRAM_RTP].len;
    for (int i = 0; i < 1000; i++) {
        rtp[3]++; /* Another sequence number: authenticated as well. */
        rig_input(call.publisher, &call.publisher->address, rtp, len);
    }
    CHECK_INT(counters()->drop_srtp_auth + counters()->drop_srtp_replay, 1000);
    CHECK(counters()->drop_srtp_auth >= 700);
    check_undisturbed();
    rig_close();
}

static void replayed_packets_are_counted_and_dropped(void) {
    begin();
    uint64_t forwarded = counters()->rtp_forwarded;
    for (int i = 0; i < 10; i++)
        rig_input(call.publisher, &call.publisher->address,
                  call.publisher->said[RTP_DATAGRAM_RTP].data,
                  call.publisher->said[RTP_DATAGRAM_RTP].len);
    rig_flush();
    CHECK_INT(counters()->drop_srtp_replay, 10);
    CHECK_INT(counters()->rtp_forwarded, forwarded);
    check_undisturbed();
    rig_close();
}

static void media_before_dtls_is_counted_and_dropped(void) {
    prepare();
    rig_begin_client(call.viewer);
    bench_client_on_deadline(call.viewer->client, rig.now_us); /* Validated by its check. */
    uint8_t rtp[60] = {0x80, 96}, rtcp[60] = {0x80, 200};
    rig_input(call.viewer, &call.viewer->address, rtp, sizeof(rtp));
    rig_input(call.viewer, &call.viewer->address, rtcp, sizeof(rtcp));
    CHECK_INT(counters()->drop_before_dtls, 2);
    rig_pump();
    CHECK_INT(call.viewer->events[SFU_EVENT_CONNECTED], 1);
    rig_close();
}

static void a_certificate_that_was_not_described_gets_no_keys(void) {
    prepare();
    rig_begin_client(call.viewer);
    struct rig_peer *impostor = rig_join();
    rig_add(impostor, true, SFU_SLOT);
    struct sfu_description description = {.media = impostor->media, .media_count = 1};
    CHECK_INT(sfu_engine_negotiate(rig.engines[0], rig.now_us, impostor->number, &description), 0);
    rig_begin_client(impostor); /* Its own description does not change the fingerprint. */
    rig_run(S);
    CHECK_INT(impostor->events[SFU_EVENT_FAILED], 1);
    CHECK_INT(impostor->events[SFU_EVENT_CONNECTED], 0);
    CHECK(impostor->transport->srtp_out == NULL);
    CHECK_INT(counters()->dtls_failures, 1);
    CHECK_INT(call.viewer->events[SFU_EVENT_CONNECTED], 1);
    rig_close();
}

/* --- The end --- */

static void a_real_goodbye_is_told_once(void) {
    begin();
    bench_client_close(call.viewer->client);
    bench_client_close(call.viewer->client);
    rig_run(S);
    CHECK_INT(call.viewer->events[SFU_EVENT_CLOSED], 1);
    CHECK_INT(call.publisher->events[SFU_EVENT_CLOSED], 0);
    rig_close();
}

static void who_leaves_is_said_goodbye_to_and_leaves_nothing(void) {
    begin();
    struct sfu_engine *engine = rig.engines[0];
    rig_clear();
    sfu_engine_leave(engine, rig.now_us, call.publisher->number);
    rig_flush();
    CHECK_INT(rig_count(call.publisher, RTP_DATAGRAM_DTLS), 1);
    CHECK_INT(sfu_pool_in_use(rig.pool), 0);
    CHECK_INT(engine->tracks.count, 0);
    CHECK(rig_slot(call.viewer, call.slot)->track == NULL);
    sfu_engine_leave(engine, rig.now_us, call.publisher->number); /* Nothing more. */
    sfu_engine_leave(engine, rig.now_us, call.viewer->number);
    CHECK_INT(engine->transports.count, 0);
    CHECK_INT(engine->by_ufrag.count, 0);
    CHECK_INT(engine->by_address.count, 0);
    CHECK_INT(engine->agenda.count, 0);
    CHECK_INT(engine->slots, 0);
    CHECK_INT(sfu_engine_next_deadline(engine), UINT64_MAX);
    rig_close();
}

static void a_leaver_in_the_middle_of_a_burst_leaves_nothing(void) {
    prepare();
    rig_connect(call.publisher);
    rig_connect(call.viewer);
    rig_carry(call.viewer, call.slot, call.camera->track);
    for (uint16_t i = 0; i < 5; i++)
        rig_put_picture(call.publisher, call.camera->ssrcs[0], 10 + i, i, RIG_KEY, 720);
    sfu_engine_leave(rig.engines[0], rig.now_us, call.publisher->number);
    CHECK(rig.engines[0]->dirty == NULL);
    CHECK_INT(sfu_pool_in_use(rig.pool), 0);
    rig_flush();
    CHECK_INT(rig_rtp_count(call.viewer), 0);
    rig_close();
}

static const struct test tests[] = {
    {"ice_dtls_and_srtp_lead_to_pictures", ice_dtls_and_srtp_lead_to_pictures},
    {"every_profile_carries_rtp_and_rtcp", every_profile_carries_rtp_and_rtcp},
    {"lost_consent_is_told_once_and_stops_media", lost_consent_is_told_once_and_stops_media},
    {"lost_consent_is_told_once_even_if_media_go_on",
     lost_consent_is_told_once_even_if_media_go_on},
    {"consent_that_comes_back_brings_a_picture_with_it",
     consent_that_comes_back_brings_a_picture_with_it},
    {"who_never_comes_times_out_as_well", who_never_comes_times_out_as_well},
    {"a_client_that_moves_is_followed", a_client_that_moves_is_followed},
    {"an_address_belongs_to_whom_it_authenticated_last",
     an_address_belongs_to_whom_it_authenticated_last},
    {"of_many_addresses_eight_are_remembered", of_many_addresses_eight_are_remembered},
    {"an_ice_restart_ends_the_old_credentials_at_its_first_check",
     an_ice_restart_ends_the_old_credentials_at_its_first_check},
    {"strangers_are_counted_and_get_no_answer", strangers_are_counted_and_get_no_answer},
    {"a_check_without_the_password_validates_nothing",
     a_check_without_the_password_validates_nothing},
    {"malformed_checks_and_unknown_names_are_counted",
     malformed_checks_and_unknown_names_are_counted},
    {"forged_alerts_end_nothing", forged_alerts_end_nothing},
    {"forged_alerts_during_the_handshake_only_delay_it",
     forged_alerts_during_the_handshake_only_delay_it},
    {"packets_with_a_wrong_tag_are_counted_and_dropped",
     packets_with_a_wrong_tag_are_counted_and_dropped},
    {"replayed_packets_are_counted_and_dropped", replayed_packets_are_counted_and_dropped},
    {"media_before_dtls_is_counted_and_dropped", media_before_dtls_is_counted_and_dropped},
    {"a_certificate_that_was_not_described_gets_no_keys",
     a_certificate_that_was_not_described_gets_no_keys},
    {"a_real_goodbye_is_told_once", a_real_goodbye_is_told_once},
    {"who_leaves_is_said_goodbye_to_and_leaves_nothing",
     who_leaves_is_said_goodbye_to_and_leaves_nothing},
    {"a_leaver_in_the_middle_of_a_burst_leaves_nothing",
     a_leaver_in_the_middle_of_a_burst_leaves_nothing},
};

TEST_MAIN(tests)
