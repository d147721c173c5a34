/* What the SFU says of a call's media reaches those whom it concerns. */
#include "signaling/session.h"

#include "tests/unit/signaling/meeting.h"
#include "tests/unit/signaling/sdp_fixture.h"

#define JOIN "{\"type\": \"join\", \"media\": \"sfu\"}"

static struct client *ada, *bob, *cyn;
static uint64_t ada_number, bob_number; /* In the SFU. */

static void enter(struct client *client, const char *offer) {
    client_enter(client);
    client_say(client, JOIN);
    client_offer(client, offer);
}

/* Ada and Bob in a call through the SFU; Ada's camera is simulcast. */
static void begin(void) {
    meeting_open(true);
    ada = client_create("ada");
    bob = client_create("bob");
    cyn = client_create("cyn");
    meeting_start(ada, "bob", NULL);
    char *simulcast = sdp_replace(short_offer, "a=mid:1\r\n",
                                  "a=mid:1\r\na=rid:q send\r\na=rid:h send\r\na=rid:f send\r\n"
                                  "a=simulcast:send q;h;f\r\n");
    enter(ada, simulcast);
    ada_number = fake_sfu.newest;
    free(simulcast);
    enter(bob, short_offer);
    bob_number = fake_sfu.newest;
}

static void end(void) {
    meeting_close();
    client_destroy(ada);
    client_destroy(bob);
    client_destroy(cyn);
}

static uint64_t camera_of(const struct client *watcher) {
    const json_t *track = client_heard(watcher, "track_published");
    CHECK_STR(json_string_value(json_object_get(track, "source")), "camera");
    return strtoull(json_string_value(json_object_get(track, "track_id")), NULL, 10);
}

/* --- Speakers --- */

static void speak(const struct sfu_speaker *speakers, size_t count) {
    meeting_event((struct sfu_event){.type = SFU_EVENT_SPEAKERS,
                                     .room = fake_sfu.room,
                                     .speakers = speakers,
                                     .speaker_count = count});
}

static void speakers_are_told_by_user_the_dominant_one_first(void) {
    begin();
    const struct sfu_speaker speakers[] = {{bob_number, -20, true}, {ada_number, -35, false}};
    speak(speakers, 2);
    const json_t *list = json_object_get(client_heard(ada, "speakers"), "speakers");
    const json_t *first = json_array_get(list, 0);
    CHECK_INT(json_array_size(list), 2);
    CHECK_STR(json_string_value(json_object_get(first, "user_id")), "bob");
    CHECK_INT(json_integer_value(json_object_get(first, "level_db")), -20);
    CHECK(json_is_true(json_object_get(first, "dominant")));
    CHECK(json_is_false(json_object_get(json_array_get(list, 1), "dominant")));
    CHECK_INT(client_count(bob, "speakers"), 1);
    end();
}

static void silence_is_told_as_nobody(void) {
    begin();
    speak(NULL, 0);
    CHECK_INT(json_array_size(json_object_get(client_heard(ada, "speakers"), "speakers")), 0);
    CHECK(client_heard(ada, "speakers") != NULL);
    end();
}

static void a_newcomer_is_told_who_speaks_already(void) {
    begin();
    const struct sfu_speaker speaker = {bob_number, -20, true};
    speak(&speaker, 1);
    enter(cyn, short_offer);
    CHECK_INT(client_count(cyn, "speakers"), 1);
    end();
}

static void speakers_of_another_room_are_nobodys_business(void) {
    begin();
    meeting_event((struct sfu_event){.type = SFU_EVENT_SPEAKERS, .room = fake_sfu.room + 1000});
    CHECK_INT(client_count(ada, "speakers"), 0);
    end();
}

/* --- Layers --- */

static void choose(uint64_t track, uint8_t layers) {
    meeting_event((struct sfu_event){.type = SFU_EVENT_PUBLISH_LAYERS,
                                     .participant = ada_number,
                                     .track = track,
                                     .layers = layers});
}

static bool is_rid_wanted(const char *rid) {
    const json_t *wanted =
        json_object_get(json_object_get(client_heard(ada, "publish_layers"), "rids"), rid);
    CHECK(json_is_boolean(wanted));
    return json_is_true(wanted);
}

static void a_publisher_is_told_which_layers_are_watched(void) {
    begin();
    choose(camera_of(bob), 3);
    CHECK_STR(client_text(ada, "publish_layers", "mid"), "1");
    CHECK(is_rid_wanted("q") && is_rid_wanted("h") && !is_rid_wanted("f"));
    CHECK(json_is_true(json_object_get(client_heard(ada, "publish_layers"), "active")));
    CHECK_INT(client_count(bob, "publish_layers"), 0);
    choose(camera_of(bob), 0);
    CHECK(!is_rid_wanted("q"));
    CHECK(json_is_false(json_object_get(client_heard(ada, "publish_layers"), "active")));
    end();
}

static void a_publisher_who_resumes_is_told_the_watched_layers_again(void) {
    begin();
    choose(camera_of(bob), 1);
    char token[40];
    strcpy(token, client_text(ada, "welcome", "resume_token"));
    sig_session_detach(ada->session);
    client_forget(ada);
    ada->session = sig_session_find(meeting.calls, meeting.call_id, &ada->identity, token);
    sig_session_attach(ada->session, &client_owner, ada);
    CHECK(is_rid_wanted("q") && !is_rid_wanted("f"));
    end();
}

static void watched_layers_outlive_the_next_offer(void) {
    begin();
    choose(camera_of(bob), 1);
    char *again = sdp_replace(short_offer, "a=mid:1\r\n",
                              "a=mid:1\r\na=rid:q send\r\na=rid:h send\r\na=rid:f send\r\n"
                              "a=simulcast:send q;h;f\r\n");
    client_offer(ada, again);
    free(again);
    char token[40];
    strcpy(token, client_text(ada, "welcome", "resume_token"));
    sig_session_detach(ada->session);
    client_forget(ada);
    ada->session = sig_session_find(meeting.calls, meeting.call_id, &ada->identity, token);
    sig_session_attach(ada->session, &client_owner, ada);
    CHECK_INT(client_count(ada, "publish_layers"), 1);
    end();
}

/* --- Slots --- */

static void a_slot_that_the_network_does_not_carry_says_so(void) {
    begin();
    struct sfu_slot_state slot = {.mid = "3", .track = camera_of(bob), .paused = true};
    const struct sfu_event event = {
        .type = SFU_EVENT_SLOTS, .participant = bob_number, .slots = &slot, .slot_count = 1};
    meeting_event(event);
    const json_t *entry = json_array_get(json_object_get(client_heard(bob, "slots"), "slots"), 0);
    CHECK_STR(json_string_value(json_object_get(entry, "paused")), "bandwidth");
    slot.paused = false;
    meeting_event(event);
    entry = json_array_get(json_object_get(client_heard(bob, "slots"), "slots"), 0);
    CHECK(json_object_get(entry, "paused") == NULL);
    end();
}

/* --- Quality --- */

static void tell_quality(void) {
    meeting_event((struct sfu_event){.type = SFU_EVENT_QUALITY,
                                     .participant = ada_number,
                                     .score = 2,
                                     .up = {.score = 2, .reason = "cpu"},
                                     .down = {.score = 0, .reason = "none"}});
}

static void quality_is_told_with_its_reasons(void) {
    begin();
    tell_quality();
    const json_t *quality = client_heard(bob, "quality");
    CHECK_STR(client_text(bob, "quality", "user_id"), "ada");
    CHECK_INT(json_integer_value(json_object_get(quality, "score")), 2);
    CHECK_STR(json_string_value(json_object_get(json_object_get(quality, "up"), "reason")), "cpu");
    CHECK(json_is_null(json_object_get(quality, "down")));
    CHECK_INT(client_count(ada, "quality"), 1);
    end();
}

static void newer_figures_of_the_same_quality_are_not_told(void) {
    begin();
    tell_quality();
    tell_quality();
    CHECK_INT(client_count(bob, "quality"), 1);
    end();
}

static void a_newcomer_is_welcomed_with_everyones_quality(void) {
    begin();
    tell_quality();
    enter(cyn, short_offer);
    const json_t *people = json_object_get(client_heard(cyn, "welcome"), "participants");
    const json_t *quality = json_object_get(json_array_get(people, 0), "quality");
    CHECK_INT(json_integer_value(json_object_get(quality, "score")), 2);
    CHECK(json_object_get(json_array_get(people, 1), "quality") == NULL);
    end();
}

static void in_a_large_call_only_who_watches_hears_of_a_quality(void) {
    static struct client *crowd[20];
    begin();
    meeting.config.max_participants_per_call = 100;
    for (size_t i = 0; i < 20; i++) {
        char name[16];
        snprintf(name, sizeof(name), "user%zu", i);
        crowd[i] = client_create(name);
        enter(crowd[i], short_offer);
    }
    struct sfu_slot_state slot = {.mid = "3", .track = camera_of(bob), .participant = ada_number};
    meeting_event((struct sfu_event){.type = SFU_EVENT_SLOTS,
                                     .participant = fake_sfu.newest, /* Of the crowd's last. */
                                     .slots = &slot,
                                     .slot_count = 1});
    tell_quality();
    CHECK_INT(client_count(ada, "quality"), 1);
    CHECK_INT(client_count(crowd[19], "quality"), 1);
    CHECK_INT(client_count(crowd[18], "quality"), 0);
    CHECK_INT(client_count(bob, "quality"), 0);
    end();
    for (size_t i = 0; i < 20; i++)
        client_destroy(crowd[i]);
}

/* --- Signals --- */

static void a_signal_reaches_the_others_with_its_sender(void) {
    begin();
    client_say(ada, "{\"type\": \"signal\", \"kind\": \"hand\", \"data\": {\"raised\": true}}");
    CHECK_STR(client_text(bob, "signal", "sender_id"), "ada");
    CHECK_STR(client_text(bob, "signal", "kind"), "hand");
    CHECK(json_is_true(
        json_object_get(json_object_get(client_heard(bob, "signal"), "data"), "raised")));
    CHECK_INT(client_count(ada, "signal"), 0);
    end();
}

static void signals_that_are_wrong_are_refused(void) {
    begin();
    char text[6000];
    client_say(ada, "{\"type\": \"signal\"}");
    CHECK_STR(client_text(ada, "error", "code"), "bad_message");
    int len = snprintf(text, sizeof(text), "{\"type\": \"signal\", \"kind\": \"k\", \"data\": \"");
    memset(text + len, 'x', 5000);
    strcpy(&text[len + 5000], "\"}");
    client_say(ada, text);
    CHECK_STR(client_text(ada, "error", "code"), "too_big");
    CHECK_INT(client_count(bob, "signal"), 0);
    end();
}

static void signals_over_ten_a_second_are_ignored(void) {
    begin();
    for (int i = 0; i < 30; i++)
        client_say(ada, "{\"type\": \"signal\", \"kind\": \"reaction\"}");
    CHECK_INT(client_count(bob, "signal"), 20);
    CHECK_STR(client_text(ada, "error", "code"), "rate_limited");
    meeting_wait(SECOND);
    client_forget(bob);
    for (int i = 0; i < 30; i++)
        client_say(ada, "{\"type\": \"signal\", \"kind\": \"reaction\"}");
    CHECK_INT(client_count(bob, "signal"), 10);
    end();
}

static const struct test tests[] = {
#define T(name)                                                                                    \
    { #name, name }
    T(speakers_are_told_by_user_the_dominant_one_first),
    T(silence_is_told_as_nobody),
    T(a_newcomer_is_told_who_speaks_already),
    T(speakers_of_another_room_are_nobodys_business),
    T(a_publisher_is_told_which_layers_are_watched),
    T(a_publisher_who_resumes_is_told_the_watched_layers_again),
    T(watched_layers_outlive_the_next_offer),
    T(a_slot_that_the_network_does_not_carry_says_so),
    T(quality_is_told_with_its_reasons),
    T(newer_figures_of_the_same_quality_are_not_told),
    T(a_newcomer_is_welcomed_with_everyones_quality),
    T(in_a_large_call_only_who_watches_hears_of_a_quality),
    T(a_signal_reaches_the_others_with_its_sender),
    T(signals_that_are_wrong_are_refused),
    T(signals_over_ten_a_second_are_ignored),
#undef T
};

TEST_MAIN(tests)
