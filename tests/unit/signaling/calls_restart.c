/* Calls over the death of the process, two who call at once, and who is busy: in virtual time. */
#include "signaling/calls.h"

#include "tests/unit/signaling/meeting.h"

static struct client *ada, *bob, *cyn;
static struct sig_refusal refusal;

static void begin(void) {
    meeting_open(false);
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

/* The process dies and is started again `down_us` later. */
static void restart(uint64_t down_us) {
    sig_calls_destroy(meeting.calls);
    meeting_now_us += down_us;
    meeting.calls = sig_calls_create(&(struct sig_calls_options){.config = &meeting.config,
                                                                 .store = meeting.store,
                                                                 .now_us = meeting_clock_us,
                                                                 .wall_ms = meeting_clock_ms});
    sig_calls_restore(meeting.calls);
}

static void take_call(void *data, int status, const struct sig_call *const *calls, size_t count,
                      size_t total) {
    CHECK_INT(status, 0);
    CHECK_INT(count, total);
    *(struct sig_call **)data = count ? sig_call_copy(calls[0]) : NULL;
}

static struct sig_call *stored(void) {
    struct sig_call *call = NULL;
    sig_store_find_call(meeting.store, meeting.call_id, take_call, &call);
    CHECK(call != NULL);
    return call;
}

static void check_stored(enum sig_call_status status, uint64_t ended_at_ms) {
    struct sig_call *call = stored();
    CHECK_STR(sig_call_status_name(call->status), sig_call_status_name(status));
    CHECK_INT(call->ended_at_ms, ended_at_ms);
    sig_call_destroy(call);
}

static void an_answered_call_goes_on_with_those_who_come_back_within_the_grace(void) {
    begin();
    meeting_start(ada, "bob", NULL);
    client_enter(ada);
    client_enter(bob);
    meeting_wait(60 * SECOND);
    restart(5 * SECOND);
    meeting_wait(20 * SECOND);
    client_enter(ada);
    client_enter(bob);
    meeting_wait(60 * SECOND);
    CHECK_INT(client_act(bob, SIG_CALL_EVENT_LEAVE, &refusal), 0);
    uint64_t ended_at_ms = meeting_clock_ms();
    CHECK_INT(client_act(ada, SIG_CALL_EVENT_LEAVE, &refusal), 0);
    check_stored(SIG_CALL_ENDED, ended_at_ms);
    struct sig_call *call = stored();
    CHECK_INT(call->participants[1]->total_ms, 145000);
    sig_call_destroy(call);
    end();
}

static void who_does_not_come_back_left_when_the_server_was_last_alive(void) {
    begin();
    meeting_start(ada, "bob", NULL);
    client_enter(ada);
    client_enter(bob);
    meeting_wait(60 * SECOND);
    uint64_t died_at_ms = meeting_clock_ms();
    restart(3600 * SECOND);
    client_enter(ada);
    meeting_wait(40 * SECOND);
    struct sig_call *call = stored();
    CHECK_INT(call->status, SIG_CALL_ACTIVE);
    CHECK_STR(sig_participant_status_name(call->participants[1]->status), "LEFT");
    CHECK(call->participants[1]->left_at_ms <= died_at_ms);
    CHECK(call->participants[1]->left_at_ms + 1001 >= died_at_ms);
    sig_call_destroy(call);
    end();
}

static void a_call_that_nobody_comes_back_to_was_over_when_the_server_was_last_alive(void) {
    begin();
    meeting_start(ada, "bob", NULL);
    client_enter(ada);
    client_enter(bob);
    meeting_wait(60 * SECOND);
    uint64_t died_at_ms = meeting_clock_ms();
    for (int i = 0; i < 3; i++) { /* Dying again and again makes it no longer. */
        restart(10 * SECOND);
        meeting_wait(10 * SECOND);
    }
    meeting_wait(60 * SECOND);
    struct sig_call *call = stored();
    CHECK_STR(sig_call_status_name(call->status), "ENDED");
    CHECK(call->ended_at_ms <= died_at_ms && call->ended_at_ms + 1001 >= died_at_ms);
    CHECK_INT(sig_call_duration_ms(call, 0), call->ended_at_ms - call->started_at_ms);
    CHECK(call->participants[0]->left_at_ms == call->ended_at_ms);
    sig_call_destroy(call);
    CHECK(sig_calls_find(meeting.calls, meeting.call_id) == NULL);
    end();
}

static void ringing_goes_on_for_what_is_left_of_its_time(void) {
    begin();
    meeting_start(ada, "bob", NULL);
    meeting_wait(30 * SECOND);
    restart(5 * SECOND);
    CHECK_INT(sig_calls_find(meeting.calls, meeting.call_id)->status, SIG_CALL_RINGING);
    meeting_wait(9 * SECOND);
    CHECK_INT(sig_calls_find(meeting.calls, meeting.call_id)->status, SIG_CALL_RINGING);
    meeting_wait(2 * SECOND);
    struct sig_call *call = stored();
    CHECK_STR(sig_call_status_name(call->status), "MISSED");
    sig_call_destroy(call);
    end();
}

static void ringing_that_ran_out_meanwhile_was_missed_then(void) {
    begin();
    meeting_start(ada, "bob", NULL);
    uint64_t began_ms = meeting_clock_ms();
    restart(600 * SECOND);
    check_stored(SIG_CALL_MISSED, began_ms + 45000);
    CHECK_INT(client_act(bob, SIG_CALL_EVENT_JOIN, &refusal), -EPROTO);
    CHECK_STR(refusal.code, "call_over");
    end();
}

static void a_call_that_rang_over_a_restart_can_be_answered(void) {
    begin();
    meeting_start(ada, "bob", "cyn");
    restart(SECOND);
    CHECK_INT(client_act(bob, SIG_CALL_EVENT_JOIN, &refusal), 0);
    CHECK_INT(client_act(cyn, SIG_CALL_EVENT_REJECT, &refusal), 0);
    CHECK_INT(sig_calls_find(meeting.calls, meeting.call_id)->status, SIG_CALL_ACTIVE);
    end();
}

static void what_was_over_before_is_over_after(void) {
    begin();
    meeting_start(ada, "bob", NULL);
    CHECK_INT(client_act(ada, SIG_CALL_EVENT_END, &refusal), 0);
    restart(SECOND);
    CHECK_INT(client_act(bob, SIG_CALL_EVENT_JOIN, &refusal), -EPROTO);
    CHECK_STR(refusal.code, "call_over");
    end();
}

/* Two at once. */

static const struct sig_call *call(struct client *caller, const char *channel, const char *one,
                                   const char *two, bool is_member) {
    const char *users[] = {one, two};
    const struct sig_calls_invitation invitation = {.type = SIG_CALL_AUDIO,
                                                    .channel_id = channel,
                                                    .user_ids = users,
                                                    .user_count = one ? (two ? 2 : 1) : 0,
                                                    .is_member = is_member};
    const struct sig_call *out = NULL;
    if (sig_calls_initiate(meeting.calls, &caller->identity, &invitation, &out, &refusal, NULL,
                           NULL) < 0)
        return NULL;
    strcpy(meeting.call_id, out->id);
    return out;
}

static void two_who_call_each_other_at_once_are_in_one_call(void) {
    begin();
    const struct sig_call *first = call(ada, NULL, "bob", NULL, false);
    const struct sig_call *second = call(bob, NULL, "ada", NULL, false);
    CHECK(first == second);
    CHECK_INT(first->status, SIG_CALL_ACTIVE);
    CHECK(call(ada, NULL, "bob", NULL, false) == first);
    CHECK(call(ada, NULL, "cyn", NULL, false) != first);
    CHECK(call(cyn, NULL, "ada", "bob", false) != first);
    end();
}

static void a_channel_has_one_call_that_its_members_join_by_calling(void) {
    begin();
    const struct sig_call *first = call(ada, "general", "bob", NULL, true);
    CHECK(call(bob, "general", "ada", NULL, true) == first);
    CHECK_INT(first->status, SIG_CALL_ACTIVE);
    CHECK(call(cyn, "general", NULL, NULL, false) == NULL);
    CHECK_STR(refusal.code, "not_invited");
    CHECK(call(cyn, "general", "ada", NULL, true) == first);
    CHECK_INT(sig_call_count(first, SIG_PARTICIPANT_JOINED), 3);
    CHECK(call(cyn, "other", "ada", NULL, true) != first);
    end();
}

static void who_is_in_another_call_is_busy_and_may_answer_all_the_same(void) {
    begin();
    call(bob, NULL, "cyn", NULL, false);
    client_enter(bob);
    const struct sig_call *second = call(ada, NULL, "bob", "cyn", false);
    CHECK(sig_call_find(second, "bob")->is_busy);
    CHECK(!sig_call_find(second, "cyn")->is_busy);
    CHECK_INT(client_act(bob, SIG_CALL_EVENT_JOIN, &refusal), 0);
    end();
}

/* Quality. */

static void take_samples(void *data, int status, const struct sig_store_sample *samples,
                         size_t count) {
    CHECK_INT(status, 0);
    CHECK_INT(count, 1);
    CHECK_STR(samples[0].user_id, "ada");
    CHECK_STR(samples[0].reason, "loss");
    CHECK_INT(samples[0].score_min, 200);
    *(unsigned *)data = samples[0].weight;
}

static void quality_is_sampled_and_the_rest_kept_when_one_leaves(void) {
    unsigned weight = 0;
    begin();
    meeting_start(ada, "bob", NULL);
    client_enter(ada);
    client_enter(bob);
    for (int i = 0; i < 25; i++) {
        const struct sig_quality_note note = {.score = i == 3 ? 200 : 400,
                                              .reason = i == 3 ? "loss" : NULL};
        sig_calls_note_quality(meeting.calls, meeting.call_id, "ada", &note);
        meeting_wait(SECOND);
    }
    CHECK_INT(client_act(ada, SIG_CALL_EVENT_LEAVE, &refusal), 0);
    sig_store_list_samples(meeting.store, meeting.call_id, 0, 1000 * SECOND * 1000, take_samples,
                           &weight);
    CHECK_INT(weight, 25);
    end();
}

static const struct test tests[] = {
#define T(name)                                                                                    \
    { #name, name }
    T(an_answered_call_goes_on_with_those_who_come_back_within_the_grace),
    T(who_does_not_come_back_left_when_the_server_was_last_alive),
    T(a_call_that_nobody_comes_back_to_was_over_when_the_server_was_last_alive),
    T(ringing_goes_on_for_what_is_left_of_its_time),
    T(ringing_that_ran_out_meanwhile_was_missed_then),
    T(a_call_that_rang_over_a_restart_can_be_answered),
    T(what_was_over_before_is_over_after),
    T(two_who_call_each_other_at_once_are_in_one_call),
    T(a_channel_has_one_call_that_its_members_join_by_calling),
    T(who_is_in_another_call_is_busy_and_may_answer_all_the_same),
    T(quality_is_sampled_and_the_rest_kept_when_one_leaves),
#undef T
};

TEST_MAIN(tests)
