/* Sessions against a fake SFU in virtual time: the JSON that clients exchange. */
#include "signaling/session.h"

#include "tests/unit/signaling/meeting.h"
#include "tests/unit/signaling/sdp_fixture.h"

#define JOIN "{\"type\": \"join\", \"media\": \"sfu\"}"

static struct client *ada, *bob, *cyn;

static void begin(bool demo) {
    meeting_open(demo);
    ada = client_create("ada");
    bob = client_create("bob");
    cyn = client_create("cyn");
}

static void end(void) {
    meeting_close();
    client_destroy(ada);
    client_destroy(bob);
    client_destroy(cyn);
}

/* Ada and Bob in a call through the SFU, with a transport each. */
static void begin_call_of_two(void) {
    begin(true);
    meeting_start(ada, "bob", NULL);
    client_enter(ada);
    client_say(ada, JOIN);
    client_offer(ada, short_offer);
    client_enter(bob);
    client_say(bob, JOIN);
    client_offer(bob, short_offer);
}

static const struct sig_participant *record_of(const char *user_id) {
    const struct sig_call *call = sig_calls_find(meeting.calls, meeting.call_id);
    return call ? sig_call_find(call, user_id) : NULL;
}

static void a_client_is_welcomed_with_all_it_needs(void) {
    begin_call_of_two();
    const json_t *welcome = json_array_get(bob->heard, 0);
    CHECK_STR(json_string_value(json_object_get(welcome, "type")), "welcome");
    CHECK_STR(json_string_value(json_object_get(json_object_get(welcome, "you"), "user_id")),
              "bob");
    const json_t *people = json_object_get(welcome, "participants");
    CHECK_INT(json_array_size(people), 1);
    CHECK_INT(json_array_size(json_object_get(json_array_get(people, 0), "tracks")), 2);
    CHECK_INT(strlen(client_text(bob, "welcome", "resume_token")), 32);
    CHECK(json_is_array(json_object_get(welcome, "ice_servers")));
    end();
}

static void an_offer_is_answered_by_the_sfu_and_its_tracks_are_told(void) {
    begin_call_of_two();
    const json_t *answer = json_object_get(client_heard(bob, "answer"), "answer");
    CHECK_STR(client_text(bob, "answer", "from_user_id"), "sfu");
    CHECK(strstr(json_string_value(json_object_get(answer, "sdp")), "a=ice-lite") != NULL);
    CHECK_INT(client_count(ada, "track_published"), 2);
    CHECK_STR(client_text(ada, "track_published", "user_id"), "bob");
    CHECK_STR(client_text(ada, "track_published", "source"), "camera");
    CHECK(json_is_true(json_object_get(client_heard(ada, "track_published"), "supported")));
    CHECK_INT(client_count(bob, "track_published"), 2); /* Ada's, at Bob's join. */
    end();
}

static void published_sources_switch_the_states_on(void) {
    begin_call_of_two();
    CHECK(record_of("bob")->is_audio_enabled);
    CHECK(record_of("bob")->is_video_enabled);
    client_say(bob, "{\"type\": \"toggle_audio\", \"enabled\": false}");
    CHECK(!record_of("bob")->is_audio_enabled);
    CHECK(json_is_false(json_object_get(client_heard(ada, "audio_toggled"), "enabled")));
    CHECK_INT(client_count(bob, "audio_toggled"), 0);
    end();
}

static void publish_names_the_sources_of_the_offer_to_come(void) {
    begin(true);
    meeting_start(ada, NULL, NULL);
    client_enter(ada);
    client_say(ada, JOIN);
    client_enter(bob);
    client_say(bob, JOIN);
    client_say(ada, "{\"type\": \"publish\", \"tracks\": [{\"mid\": \"1\", \"source\": "
                    "\"screen\"}]}");
    client_offer(ada, short_offer);
    CHECK_STR(client_text(bob, "track_published", "source"), "screen");
    end();
}

static void a_newcomer_is_told_what_it_cannot_decode(void) {
    begin_call_of_two();
    client_forget(bob);
    client_enter(cyn);
    client_say(cyn, JOIN);
    const json_t *camera = client_heard(cyn, "track_published");
    fake_sfu.undecodable =
        strtoull(json_string_value(json_object_get(camera, "track_id")), NULL, 10);
    client_forget(cyn);
    client_offer(cyn, short_offer);
    CHECK_INT(client_count(cyn, "track_published"), 1);
    CHECK(json_is_false(json_object_get(client_heard(cyn, "track_published"), "supported")));
    CHECK_STR(json_string_value(json_object_get(json_array_get(cyn->heard, 0), "type")), "answer");
    end();
}

static void slots_are_told_with_whose_track_they_carry(void) {
    begin_call_of_two();
    uint64_t track = strtoull(client_text(ada, "track_published", "track_id"), NULL, 10);
    struct sfu_slot_state slots[] = {{.mid = "3", .track = track}, {.mid = "2"}};
    /* Bob's newest participant is numbered last; Ada's is the one before. */
    for (uint64_t number = 1; number < fake_sfu.newest; number++)
        meeting_event((struct sfu_event){
            .type = SFU_EVENT_SLOTS, .participant = number, .slots = slots, .slot_count = 2});
    const json_t *list = json_object_get(client_heard(ada, "slots"), "slots");
    const json_t *first = json_array_get(list, 0);
    CHECK_STR(json_string_value(json_object_get(first, "user_id")), "bob");
    CHECK_STR(json_string_value(json_object_get(first, "source")), "camera");
    CHECK(json_is_null(json_object_get(json_array_get(list, 1), "track_id")));
    end();
}

static void wishes_reach_the_sfu_but_not_for_tracks_of_other_calls(void) {
    begin_call_of_two();
    char text[200];
    const char *track = client_text(ada, "track_published", "track_id");
    snprintf(text, sizeof(text),
             "{\"type\": \"subscribe\", \"slots\": [{\"mid\": \"3\", \"track_id\": \"%s\", "
             "\"max_width\": 320.5, \"priority\": 7, \"paused\": true}]}",
             track);
    client_say(ada, text);
    CHECK_INT(fake_sfu.wish_count, 1);
    CHECK_STR(fake_sfu.wish.mid, "3");
    CHECK_INT(fake_sfu.wish.track, strtoull(track, NULL, 10));
    CHECK_INT(fake_sfu.wish.max_width, 320);
    CHECK_INT(fake_sfu.wish.priority, 7);
    CHECK(fake_sfu.wish.paused);
    client_say(ada, "{\"type\": \"subscribe\", \"slots\": [{\"mid\": \"3\", \"track_id\": "
                    "\"999\"}]}");
    CHECK_STR(client_text(ada, "error", "code"), "unknown_track");
    end();
}

/* Every wrong message, and the word for it. */
static void every_wrong_message_is_answered_by_an_error_that_names_it(void) {
    static const struct {
        const char *text, *code, *in_reply_to;
    } rows[] = {
        {"nonsense", "bad_json", NULL},
        {"[1]", "bad_json", NULL},
        {"{}", "bad_message", NULL},
        {"{\"type\": 1}", "bad_message", NULL},
        {"{\"type\": \"fly\"}", "unknown_type", "fly"},
        {"{\"type\": \"join\", \"media\": \"tv\"}", "bad_message", "join"},
        {"{\"type\": \"offer\"}", "bad_message", "offer"},
        {"{\"type\": \"offer\", \"offer\": {\"sdp\": \"v=1\"}}", "bad_sdp", "offer"},
        {"{\"type\": \"webrtc_offer\", \"offer\": {\"sdp\": \"\"}, \"to_user_id\": \"eve\"}",
         "unknown_target", "webrtc_offer"},
        {"{\"type\": \"offer\", \"offer\": {\"sdp\": \"\"}, \"to_user_id\": \"bob\"}",
         "target_uses_sfu", "offer"},
        {"{\"type\": \"offer\", \"offer\": {\"sdp\": \"\"}, \"to_user_id\": []}", "bad_message",
         "offer"},
        {"{\"type\": \"answer\", \"answer\": {\"sdp\": \"\"}}", "unexpected_answer", "answer"},
        {"{\"type\": \"ice_candidate\"}", "bad_message", "ice_candidate"},
        {"{\"type\": \"toggle_audio\", \"enabled\": \"yes\"}", "bad_message", "toggle_audio"},
        {"{\"type\": \"start_screen_share\"}", "bad_message", "start_screen_share"},
        {"{\"type\": \"chat_message\", \"message\": \"\"}", "bad_message", "chat_message"},
        {"{\"type\": \"poll_created\", \"poll\": 1}", "bad_message", "poll_created"},
        {"{\"type\": \"poll_vote\", \"poll_id\": 1}", "bad_message", "poll_vote"},
        {"{\"type\": \"publish\", \"tracks\": {}}", "bad_message", "publish"},
        {"{\"type\": \"publish\", \"tracks\": [{\"mid\": \"0\", \"source\": \"nose\"}]}",
         "bad_message", "publish"},
        {"{\"type\": \"subscribe\", \"slots\": [{\"mid\": \"\"}]}", "bad_message", "subscribe"},
        {"{\"type\": \"subscribe\", \"slots\": [{\"mid\": \"3\", \"max_fps\": -1}]}", "bad_message",
         "subscribe"},
        {"{\"type\": \"subscribe\", \"slots\": "
         "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}",
         "too_many_mlines", "subscribe"},
    };
    begin_call_of_two();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        client_forget(ada);
        client_forget(bob);
        client_say(ada, rows[i].text);
        if (strcmp(rows[i].code, "bad_sdp") != 0)
            CHECK_STR(client_text(ada, "error", "code"), rows[i].code);
        CHECK_INT(client_count(ada, "error"), 1);
        CHECK_STR(client_text(ada, "error", "in_reply_to"),
                  rows[i].in_reply_to ? rows[i].in_reply_to : "");
        CHECK_INT(json_array_size(bob->heard), 0);
        meeting_wait(SECOND);
    }
    CHECK(ada->session != NULL);
    end();
}

static void a_flood_is_answered_and_ignored_and_calms_down(void) {
    begin_call_of_two();
    for (int i = 0; i < 200; i++)
        client_say(ada, "{\"type\": \"chat_message\", \"message\": \"!\"}");
    CHECK_STR(client_text(ada, "error", "code"), "rate_limited");
    CHECK(client_count(bob, "chat_message") < 110);
    meeting_wait(SECOND);
    client_forget(ada);
    client_say(ada, "{\"type\": \"chat_message\", \"message\": \"!\"}");
    CHECK_INT(client_count(ada, "error"), 0);
    end();
}

static void an_offer_that_the_sfu_refuses_leaves_nothing_behind(void) {
    begin(true);
    meeting_start(ada, NULL, NULL);
    client_enter(ada);
    client_say(ada, JOIN);
    fake_sfu.join_status = -EBUSY;
    client_offer(ada, short_offer);
    CHECK_STR(client_text(ada, "error", "code"), "full");
    fake_sfu.join_status = 0;
    fake_sfu.negotiate_status = -EINVAL;
    client_offer(ada, short_offer);
    CHECK_STR(client_text(ada, "error", "code"), "bad_offer");
    CHECK_INT(fake_sfu.participants, 0);
    fake_sfu.negotiate_status = 0;
    client_offer(ada, short_offer);
    CHECK(client_heard(ada, "answer") != NULL);
    end();
}

static void new_credentials_restart_ice_and_the_same_do_not(void) {
    begin_call_of_two();
    client_offer(ada, short_offer);
    CHECK_INT(fake_sfu.restarts, 0);
    char *again = sdp_replace(short_offer, "abcd", "efgh");
    client_offer(ada, again);
    CHECK_INT(fake_sfu.restarts, 1);
    CHECK_INT(fake_sfu.joins, 2);
    CHECK_INT(client_count(bob, "track_unpublished"), 0);
    free(again);
    end();
}

static void another_fingerprint_is_a_new_peer_connection(void) {
    begin_call_of_two();
    char *fresh = sdp_replace(short_offer, "sha-256 00:11", "sha-256 99:11");
    client_offer(ada, fresh);
    CHECK_INT(fake_sfu.joins, 3);
    CHECK_INT(fake_sfu.participants, 2);
    CHECK_INT(client_count(bob, "track_unpublished"), 2);
    CHECK_INT(client_count(bob, "track_published"), 4);
    free(fresh);
    end();
}

static void a_lost_client_resumes_and_the_others_notice_nothing(void) {
    begin_call_of_two();
    char token[64];
    strcpy(token, client_text(bob, "welcome", "resume_token"));
    client_forget(ada);
    client_forget(bob);
    sig_session_detach(bob->session);
    meeting_wait(29 * SECOND);
    CHECK(sig_session_find(meeting.calls, meeting.call_id, &ada->identity, token) == NULL);
    CHECK(sig_session_find(meeting.calls, meeting.call_id, &bob->identity, "x") == NULL);
    struct sig_session *session =
        sig_session_find(meeting.calls, meeting.call_id, &bob->identity, token);
    CHECK(session == bob->session);
    sig_session_attach(session, &client_owner, bob);
    meeting_wait(60 * SECOND);
    CHECK(json_is_true(json_object_get(client_heard(bob, "welcome"), "resumed")));
    CHECK_INT(client_count(bob, "track_published"), 2);
    CHECK_INT(json_array_size(ada->heard), 0);
    end();
}

static void who_does_not_come_back_has_left_after_the_grace_time(void) {
    begin_call_of_two();
    sig_session_detach(bob->session);
    meeting_wait(29 * SECOND);
    CHECK_INT(client_count(ada, "user_left"), 0);
    meeting_wait(2 * SECOND);
    CHECK_STR(client_text(ada, "user_left", "user_id"), "bob");
    CHECK_INT(client_count(ada, "track_unpublished"), 2);
    CHECK_INT(record_of("bob")->status, SIG_PARTICIPANT_LEFT);
    CHECK_INT(fake_sfu.participants, 1);
    end();
}

static void who_closes_properly_has_left_at_once(void) {
    begin_call_of_two();
    sig_session_leave(bob->session, false);
    CHECK_STR(client_text(ada, "user_left", "user_id"), "bob");
    CHECK_INT(record_of("bob")->status, SIG_PARTICIPANT_LEFT);
    end();
}

static void a_client_without_socket_and_media_has_left_at_once(void) {
    begin_call_of_two();
    uint64_t number = fake_sfu.newest;
    sig_session_detach(bob->session);
    meeting_event((struct sfu_event){.type = SFU_EVENT_CLOSED, .participant = number});
    CHECK_STR(client_text(ada, "user_left", "user_id"), "bob");
    end();
}

static void a_dead_path_is_told_and_the_client_may_restart(void) {
    begin_call_of_two();
    meeting_event(
        (struct sfu_event){.type = SFU_EVENT_ICE_TIMEOUT, .participant = fake_sfu.newest});
    CHECK_STR(client_text(bob, "error", "code"), "ice_timeout");
    CHECK_INT(client_count(ada, "user_left"), 0);
    end();
}

static void the_same_user_takes_over_without_a_ghost(void) {
    begin_call_of_two();
    struct client *tab = client_create("bob");
    client_forget(ada);
    client_enter(tab);
    client_say(tab, JOIN);
    CHECK_INT(bob->end, SIG_SESSION_TAKEN_OVER);
    CHECK_INT(client_count(ada, "user_left"), 0);
    CHECK_INT(client_count(ada, "track_unpublished"), 2);
    CHECK_INT(fake_sfu.participants, 1);
    sig_session_leave(tab->session, false);
    CHECK_INT(client_count(ada, "user_left"), 1);
    end();
    client_destroy(tab);
}

static void the_last_ones_page_may_reload_within_the_grace_time(void) {
    begin(true);
    meeting_start(ada, NULL, NULL);
    client_enter(ada);
    sig_session_leave(ada->session, false);
    meeting_wait(20 * SECOND);
    client_enter(ada);
    meeting_wait(100 * SECOND);
    CHECK(sig_calls_find(meeting.calls, meeting.call_id) != NULL);
    sig_session_leave(ada->session, false);
    meeting_wait(31 * SECOND);
    CHECK(sig_calls_find(meeting.calls, meeting.call_id) == NULL);
    CHECK(sig_calls_was(meeting.calls, meeting.call_id));
    end();
}

static void only_mesh_clients_are_told_to_offer_to_each_other(void) {
    begin(true);
    meeting_start(ada, NULL, NULL);
    client_enter(ada);
    meeting_wait(SECOND); /* Says nothing: a mesh client. */
    client_enter(bob);
    client_say(bob, JOIN);
    CHECK(json_is_false(json_object_get(client_heard(ada, "user_joined"), "should_create_offer")));
    client_enter(cyn);
    meeting_wait(SECOND);
    CHECK_STR(client_text(ada, "user_joined", "user_id"), "cyn");
    CHECK(json_is_true(json_object_get(client_heard(ada, "user_joined"), "should_create_offer")));
    CHECK(json_is_false(json_object_get(client_heard(bob, "user_joined"), "should_create_offer")));
    end();
}

static void mesh_messages_are_relayed_with_both_spellings_of_the_target(void) {
    begin(true);
    meeting_start(ada, NULL, NULL);
    client_enter(ada);
    client_enter(bob);
    meeting_wait(SECOND);
    client_say(ada, "{\"type\": \"webrtc_offer\", \"offer\": {\"type\": \"offer\", \"sdp\": "
                    "\"x\"}, \"target_user_id\": \"bob\"}");
    CHECK_STR(client_text(bob, "webrtc_offer", "from_user_id"), "ada");
    CHECK_STR(client_text(bob, "webrtc_offer", "sender_name"), "ada");
    client_say(bob, "{\"type\": \"answer\", \"answer\": {\"type\": \"answer\", \"sdp\": \"y\"}, "
                    "\"to_user_id\": \"ada\"}");
    CHECK_STR(client_text(ada, "answer", "sender_id"), "bob");
    client_say(bob, "{\"type\": \"ice_candidate\", \"candidate\": {\"candidate\": \"z\"}, "
                    "\"to_user_id\": \"ada\"}");
    CHECK(client_heard(ada, "ice_candidate") != NULL);
    CHECK_INT(fake_sfu.joins, 0);
    end();
}

static void end_call_is_the_initiators_and_ends_every_session(void) {
    begin_call_of_two();
    client_say(bob, "{\"type\": \"end_call\"}");
    CHECK_STR(client_text(bob, "error", "code"), "not_initiator");
    client_say(ada, "{\"type\": \"end_call\"}");
    CHECK_INT(ada->end, SIG_SESSION_CALL_OVER);
    CHECK_INT(bob->end, SIG_SESSION_CALL_OVER);
    CHECK_STR(client_text(bob, "call_ended", "user_id"), "ada");
    CHECK_INT(fake_sfu.participants, 0);
    end();
}

static void a_whip_client_begins_a_call_in_demo_mode_and_may_come_back(void) {
    struct sig_refusal refusal;
    char *answer = NULL;
    begin(true);
    strcpy(meeting.call_id, "3b8e0c9a-5f7d-4d1e-9c57-0a4f6d2b8e11");
    CHECK_INT(client_try(ada, SIG_SDP_WHIP, &refusal), 0);
    client_enter(bob);
    client_say(bob, JOIN);
    char *publish_only = sdp_replace(short_offer, "a=recvonly", "a=inactive");
    CHECK_INT(
        sig_session_offer(ada->session, publish_only, strlen(publish_only), &answer, &refusal),
        -EPROTO); /* More than one audio and one video. */
    free(publish_only);
    sig_session_leave(bob->session, true);
    sig_session_leave(ada->session, true);
    CHECK_INT(client_try(ada, SIG_SDP_WHIP, &refusal), 0);
    sig_session_leave(ada->session, true);
    meeting_wait(31 * SECOND);
    CHECK(sig_calls_was(meeting.calls, meeting.call_id));
    CHECK_INT(client_try(ada, SIG_SDP_WHIP, &refusal), 0);
    end();
}

static void a_watcher_is_no_participant(void) {
    struct sig_refusal refusal;
    begin_call_of_two();
    client_forget(ada);
    CHECK_INT(client_try(cyn, SIG_SDP_WHEP, &refusal), 0);
    CHECK_INT(json_array_size(ada->heard), 0);
    CHECK(record_of("cyn") == NULL);
    sig_session_leave(cyn->session, true);
    CHECK_INT(json_array_size(ada->heard), 0);
    end();
}

static void a_thousand_joins_and_leaves_leave_nothing_behind(void) {
    begin(true);
    meeting_start(ada, NULL, NULL);
    client_enter(ada);
    for (int i = 0; i < 1000; i++) {
        struct client *guest = client_create("");
        snprintf(guest->identity.user_id, sizeof(guest->identity.user_id), "guest%d", i);
        strcpy(guest->identity.name, "Guest");
        client_enter(guest);
        client_say(guest, JOIN);
        client_offer(guest, short_offer);
        sig_session_leave(guest->session, true);
        client_forget(ada);
        client_destroy(guest);
        meeting_wait(SECOND);
    }
    struct sig_calls_stats stats;
    sig_calls_stats_get(meeting.calls, &stats);
    CHECK_INT(stats.sessions, 1);
    CHECK_INT(stats.tracks, 0);
    CHECK_INT(fake_sfu.participants, 0);
    CHECK(sig_calls_find(meeting.calls, meeting.call_id)->participant_count <= 501);
    end();
}

static const struct test tests[] = {
#define T(name)                                                                                    \
    { #name, name }
    T(a_client_is_welcomed_with_all_it_needs),
    T(an_offer_is_answered_by_the_sfu_and_its_tracks_are_told),
    T(published_sources_switch_the_states_on),
    T(publish_names_the_sources_of_the_offer_to_come),
    T(a_newcomer_is_told_what_it_cannot_decode),
    T(slots_are_told_with_whose_track_they_carry),
    T(wishes_reach_the_sfu_but_not_for_tracks_of_other_calls),
    T(every_wrong_message_is_answered_by_an_error_that_names_it),
    T(a_flood_is_answered_and_ignored_and_calms_down),
    T(an_offer_that_the_sfu_refuses_leaves_nothing_behind),
    T(new_credentials_restart_ice_and_the_same_do_not),
    T(another_fingerprint_is_a_new_peer_connection),
    T(a_lost_client_resumes_and_the_others_notice_nothing),
    T(who_does_not_come_back_has_left_after_the_grace_time),
    T(who_closes_properly_has_left_at_once),
    T(a_client_without_socket_and_media_has_left_at_once),
    T(a_dead_path_is_told_and_the_client_may_restart),
    T(the_same_user_takes_over_without_a_ghost),
    T(the_last_ones_page_may_reload_within_the_grace_time),
    T(only_mesh_clients_are_told_to_offer_to_each_other),
    T(mesh_messages_are_relayed_with_both_spellings_of_the_target),
    T(end_call_is_the_initiators_and_ends_every_session),
    T(a_whip_client_begins_a_call_in_demo_mode_and_may_come_back),
    T(a_watcher_is_no_participant),
    T(a_thousand_joins_and_leaves_leave_nothing_behind),
#undef T
};

TEST_MAIN(tests)
