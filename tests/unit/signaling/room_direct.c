/* When two who are alone in a call are told to send straight to each other, and when no more. */
#include "signaling/session.h"

#include "tests/unit/signaling/meeting.h"
#include "tests/unit/signaling/sdp_fixture.h"

#define JOIN "{\"type\": \"join\", \"media\": \"sfu\", \"direct\": true}"
#define PLAIN_JOIN "{\"type\": \"join\", \"media\": \"sfu\"}"
#define FAILED "{\"type\": \"direct\", \"state\": \"failed\"}"
#define OFFER_TO_BOB                                                                               \
    "{\"type\": \"offer\", \"offer\": {\"type\": \"offer\", \"sdp\": \"v=0\"}, "                   \
    "\"target_user_id\": \"bob\"}"

static struct client *ada, *bob, *carl;

static void enter(struct client *client, const char *join) {
    client_enter(client);
    client_say(client, join);
    client_offer(client, short_offer);
}

static void begin(bool is_allowed, const char *join) {
    meeting_open(true);
    meeting.config.direct_calls = is_allowed;
    ada = client_create("ada");
    bob = client_create("bob");
    carl = client_create("carl");
    meeting_start(ada, "bob", "carl");
    enter(ada, JOIN);
    enter(bob, join);
}

static void end(void) {
    meeting_close();
    client_destroy(ada);
    client_destroy(bob);
    client_destroy(carl);
}

static bool is_direct(const struct client *client) {
    return json_is_string(json_object_get(client_heard(client, "direct"), "user_id"));
}

static bool should_offer(const struct client *client) {
    return json_is_true(json_object_get(client_heard(client, "direct"), "should_offer"));
}

static void begin_direct(void) {
    begin(true, JOIN);
    meeting_wait(3 * SECOND);
    CHECK(is_direct(ada) && is_direct(bob));
}

static void two_who_are_alone_are_told_of_each_other_and_one_offers(void) {
    begin(true, JOIN);
    meeting_wait(SECOND);
    CHECK_INT(client_count(ada, "direct"), 0);
    meeting_wait(2 * SECOND);
    CHECK_STR(client_text(ada, "direct", "user_id"), "bob");
    CHECK_STR(client_text(bob, "direct", "user_id"), "ada");
    CHECK(should_offer(ada) != should_offer(bob));
    end();
}

static void nobody_is_told_where_it_is_not_allowed_or_one_cannot(void) {
    begin(false, JOIN);
    meeting_wait(10 * SECOND);
    CHECK_INT(client_count(ada, "direct") + client_count(bob, "direct"), 0);
    client_say(ada, OFFER_TO_BOB);
    CHECK_STR(client_text(ada, "error", "code"), "target_uses_sfu");
    end();
    begin(true, PLAIN_JOIN);
    meeting_wait(10 * SECOND);
    CHECK_INT(client_count(ada, "direct") + client_count(bob, "direct"), 0);
    end();
}

static void offers_are_relayed_as_long_as_it_lasts(void) {
    begin_direct();
    client_say(ada, OFFER_TO_BOB);
    CHECK_STR(client_text(bob, "offer", "from_user_id"), "ada");
    enter(carl, JOIN);
    client_say(ada, OFFER_TO_BOB);
    CHECK_INT(client_count(bob, "offer"), 1);
    CHECK_STR(client_text(ada, "error", "code"), "target_uses_sfu");
    end();
}

static void a_third_ends_it_at_once_and_it_begins_again_when_they_have_gone(void) {
    struct sig_refusal refusal;
    begin_direct();
    client_enter(carl);
    CHECK(!is_direct(ada) && !is_direct(bob));
    CHECK_STR(client_text(ada, "direct", "reason"), "not_alone");
    CHECK_INT(client_count(carl, "direct"), 0);
    meeting_wait(10 * SECOND);
    CHECK(!is_direct(ada));
    client_act(carl, SIG_CALL_EVENT_LEAVE, &refusal);
    meeting_wait(3 * SECOND);
    CHECK(is_direct(ada) && is_direct(bob));
    end();
}

static void a_watcher_ends_it(void) {
    struct sig_refusal refusal;
    begin_direct();
    CHECK_INT(client_try(carl, SIG_SDP_WHEP, &refusal), 0);
    CHECK(!is_direct(ada) && !is_direct(bob));
    end();
}

static void the_one_who_is_left_is_told(void) {
    struct sig_refusal refusal;
    begin_direct();
    client_act(bob, SIG_CALL_EVENT_LEAVE, &refusal);
    CHECK(!is_direct(ada));
    meeting_wait(10 * SECOND);
    CHECK(!is_direct(ada));
    end();
}

static void a_failed_path_ends_it_for_both_and_is_tried_again_ever_later(void) {
    begin_direct();
    client_say(bob, FAILED);
    CHECK_STR(client_text(ada, "direct", "reason"), "failed");
    CHECK_STR(client_text(bob, "direct", "reason"), "failed");
    client_say(ada, FAILED); /* It crosses with the end, and counts no second time. */
    meeting_wait(14 * SECOND);
    CHECK(!is_direct(ada));
    meeting_wait(2 * SECOND);
    CHECK(is_direct(ada) && is_direct(bob));
    client_say(ada, FAILED);
    meeting_wait(29 * SECOND);
    CHECK(!is_direct(ada));
    meeting_wait(2 * SECOND);
    CHECK(is_direct(ada));
    end();
}

static void a_client_that_is_back_is_told_how_things_stand(void) {
    begin_direct();
    sig_session_detach(bob->session);
    meeting_wait(5 * SECOND);
    client_forget(bob);
    sig_session_attach(bob->session, &client_owner, bob);
    CHECK(is_direct(bob) && client_count(ada, "direct") == 1);
    sig_session_detach(bob->session);
    enter(carl, JOIN);
    CHECK(!is_direct(ada));
    sig_session_attach(bob->session, &client_owner, bob);
    CHECK(!is_direct(bob));
    end();
}

static void nothing_begins_while_one_is_out_of_reach(void) {
    begin(true, JOIN);
    sig_session_detach(bob->session);
    meeting_wait(10 * SECOND);
    CHECK_INT(client_count(ada, "direct"), 0);
    sig_session_attach(bob->session, &client_owner, bob);
    meeting_wait(3 * SECOND);
    CHECK(is_direct(ada) && is_direct(bob));
    end();
}

static void another_state_than_failed_is_refused(void) {
    begin_direct();
    client_say(ada, "{\"type\": \"direct\", \"state\": \"up\"}");
    CHECK_STR(client_text(ada, "error", "code"), "bad_message");
    CHECK(is_direct(ada));
    end();
}

static const struct test tests[] = {
#define T(name)                                                                                    \
    { #name, name }
    T(two_who_are_alone_are_told_of_each_other_and_one_offers),
    T(nobody_is_told_where_it_is_not_allowed_or_one_cannot),
    T(offers_are_relayed_as_long_as_it_lasts),
    T(a_third_ends_it_at_once_and_it_begins_again_when_they_have_gone),
    T(a_watcher_ends_it),
    T(the_one_who_is_left_is_told),
    T(a_failed_path_ends_it_for_both_and_is_tried_again_ever_later),
    T(a_client_that_is_back_is_told_how_things_stand),
    T(nothing_begins_while_one_is_out_of_reach),
    T(another_state_than_failed_is_refused),
#undef T
};

TEST_MAIN(tests)
