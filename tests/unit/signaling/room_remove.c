/* What may be done to one participant of a call: being taken out, and being asked about. */
#include "signaling/session.h"

#include "tests/unit/signaling/meeting.h"
#include "tests/unit/signaling/sdp_fixture.h"

#define JOIN "{\"type\": \"join\", \"media\": \"sfu\"}"

static struct client *ada, *bob;

static void begin(void) {
    meeting_open(true);
    ada = client_create("ada");
    bob = client_create("bob");
    meeting_start(ada, "bob", NULL);
    client_enter(ada);
    client_say(ada, JOIN);
    client_offer(ada, short_offer);
    client_enter(bob);
    client_say(bob, JOIN);
    client_offer(bob, short_offer);
}

static void end(void) {
    meeting_close();
    client_destroy(ada);
    client_destroy(bob);
}

static int take_out(const struct client *who, const char *user_id, struct sig_refusal *refusal) {
    return sig_calls_remove(meeting.calls, meeting.call_id, &who->identity, user_id, refusal, NULL,
                            NULL);
}

static void who_is_removed_is_told_closed_and_has_left(void) {
    begin();
    struct sig_refusal refusal;
    CHECK_INT(take_out(ada, "bob", &refusal), 0);
    CHECK_STR(client_text(bob, "error", "code"), "removed");
    CHECK_INT(bob->end, SIG_SESSION_REMOVED);
    CHECK_STR(client_text(ada, "user_left", "user_id"), "bob");
    const struct sig_call *call = sig_calls_find(meeting.calls, meeting.call_id);
    CHECK_INT(sig_call_find(call, "bob")->status, SIG_PARTICIPANT_LEFT);
    end();
}

static void who_was_removed_may_not_come_again(void) {
    begin();
    struct sig_refusal refusal;
    CHECK_INT(take_out(ada, "bob", &refusal), 0);
    CHECK(client_try(bob, SIG_SDP_CALL, &refusal) < 0);
    CHECK_STR(refusal.code, "removed");
    CHECK_INT(refusal.status, 403);
    CHECK(client_act(bob, SIG_CALL_EVENT_JOIN, &refusal) < 0);
    CHECK_STR(refusal.code, "removed");
    end();
}

static void only_the_initiator_or_an_admin_removes(void) {
    begin();
    struct sig_refusal refusal;
    CHECK(take_out(bob, "ada", &refusal) < 0);
    CHECK_STR(refusal.code, "not_initiator");
    CHECK_INT(ada->end, -1);
    bob->identity.is_admin = true;
    CHECK_INT(take_out(bob, "ada", &refusal), 0);
    CHECK_INT(ada->end, SIG_SESSION_REMOVED);
    end();
}

static void nobody_removes_themselves_strangers_or_who_is_not_in(void) {
    begin();
    struct sig_refusal refusal;
    CHECK(take_out(ada, "ada", &refusal) < 0);
    CHECK_STR(refusal.code, "wrong_state");
    CHECK(take_out(ada, "nobody", &refusal) < 0);
    CHECK_STR(refusal.code, "unknown_participant");
    client_act(bob, SIG_CALL_EVENT_LEAVE, &refusal);
    CHECK(take_out(ada, "bob", &refusal) < 0);
    CHECK_STR(refusal.code, "wrong_state");
    end();
}

/* --- Why --- */

static json_t *why_answer;
static int why_answers;

static void on_answer(void *ctx, json_t *answer) {
    (void)ctx;
    why_answer = answer;
    why_answers++;
}

static int ask(const struct client *who, const char *user_id, struct sig_refusal *refusal) {
    return sig_calls_why(meeting.calls, meeting.call_id, &who->identity, user_id, refusal,
                         on_answer, NULL);
}

static void why_is_answered_in_the_names_of_the_call(void) {
    begin();
    struct sig_refusal refusal;
    const char *track_id = client_text(bob, "track_published", "track_id");
    const struct sfu_why_slot slot = {
        .mid = "3",
        .video = true,
        .track = strtoull(track_id, NULL, 10),
        .layer_count = 2,
        .layers = {{.rid = "q", .bps = 150000, .height = 180}, {.rid = "f", .bps = 2000000}},
        .wanted = 1,
        .chosen = 0,
        .forwarded = -1,
        .reason = "bandwidth"};
    const struct sfu_why_answer answer = {.participant = fake_sfu.newest,
                                          .source = "transport-cc",
                                          .limited_by = "delay",
                                          .estimate_bps = 400000,
                                          .rtt_us = 50500,
                                          .slots = &slot,
                                          .slot_count = 1};
    CHECK_INT(ask(ada, "bob", &refusal), 0);
    fake_sfu.why(fake_sfu.why_ctx, &answer);
    CHECK_INT(why_answers, 1);
    const json_t *one = json_array_get(json_object_get(why_answer, "slots"), 0);
    const json_t *chosen = json_object_get(one, "chosen");
    CHECK_STR(json_string_value(json_object_get(why_answer, "user_id")), "bob");
    CHECK_STR(json_string_value(json_object_get(one, "user_id")), "ada");
    CHECK_STR(json_string_value(json_object_get(one, "reason")), "bandwidth");
    CHECK_STR(json_string_value(json_object_get(chosen, "rid")), "q");
    CHECK_INT(json_array_size(json_object_get(one, "available")), 2);
    CHECK(json_is_null(json_object_get(one, "forwarded")));
    CHECK_INT(json_integer_value(json_object_get(json_object_get(why_answer, "estimate"), "bps")),
              400000);
    json_decref(why_answer);
    end();
}

static void strangers_are_not_told_why(void) {
    begin();
    struct client *eve = client_create("eve");
    struct sig_refusal refusal;
    CHECK(ask(eve, "bob", &refusal) < 0);
    CHECK_STR(refusal.code, "not_invited");
    eve->identity.is_admin = true;
    CHECK_INT(ask(eve, "bob", &refusal), 0);
    CHECK(ask(ada, "nobody", &refusal) < 0);
    CHECK_STR(refusal.code, "unknown_participant");
    client_destroy(eve);
    end();
}

static void a_question_about_who_left_is_answered_with_nothing(void) {
    begin();
    struct sig_refusal refusal;
    CHECK_INT(ask(ada, "bob", &refusal), 0);
    fake_sfu.why(fake_sfu.why_ctx, NULL);
    CHECK_INT(why_answers, 1);
    CHECK(why_answer == NULL);
    end();
}

static void questions_under_way_end_with_the_server(void) {
    begin();
    struct sig_refusal refusal;
    CHECK_INT(ask(ada, "bob", &refusal), 0);
    CHECK_INT(ask(bob, "bob", &refusal), 0);
    end();
    CHECK_INT(why_answers, 2);
}

static const struct test tests[] = {
#define T(name)                                                                                    \
    { #name, name }
    T(who_is_removed_is_told_closed_and_has_left),
    T(who_was_removed_may_not_come_again),
    T(only_the_initiator_or_an_admin_removes),
    T(nobody_removes_themselves_strangers_or_who_is_not_in),
    T(why_is_answered_in_the_names_of_the_call),
    T(strangers_are_not_told_why),
    T(a_question_about_who_left_is_answered_with_nothing),
    T(questions_under_way_end_with_the_server),
#undef T
};

TEST_MAIN(tests)
