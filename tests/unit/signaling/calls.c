/* Calls in virtual time: who may do what, ringing, ending, draining, limits. */
#include "signaling/calls.h"

#include "tests/unit/signaling/meeting.h"

static struct client *ada, *bob, *cyn;
static struct sig_refusal refusal;

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

/* The status of the test's call, from the calls while it goes on and from the store afterwards. */
static void take_status(void *data, int status, const struct sig_call *const *calls, size_t count,
                        size_t total) {
    CHECK_INT(status, 0);
    CHECK_INT(count, total);
    *(enum sig_call_status *)data = count ? calls[0]->status : SIG_CALL_STATUS_COUNT;
}

static enum sig_call_status stored_status(void) {
    enum sig_call_status status = SIG_CALL_STATUS_COUNT;
    sig_store_find_call(meeting.store, meeting.call_id, take_status, &status);
    return status;
}

static void only_the_invited_join_unless_the_call_is_open(void) {
    begin(false);
    meeting_start(ada, "bob", NULL);
    CHECK_INT(client_act(cyn, SIG_CALL_EVENT_JOIN, &refusal), -EPERM);
    CHECK_STR(refusal.code, "not_invited");
    CHECK_INT(client_act(bob, SIG_CALL_EVENT_JOIN, &refusal), 0);
    end();
    begin(true);
    meeting_start(ada, "bob", NULL);
    CHECK_INT(client_act(cyn, SIG_CALL_EVENT_JOIN, &refusal), 0);
    CHECK_INT(stored_status(), SIG_CALL_ACTIVE);
    end();
}

static void a_token_for_this_call_is_an_invitation_and_one_for_another_is_none(void) {
    begin(false);
    meeting_start(ada, "bob", NULL);
    strcpy(cyn->identity.call, meeting.call_id);
    CHECK_INT(client_act(cyn, SIG_CALL_EVENT_JOIN, &refusal), 0);
    strcpy(bob->identity.call, "3b8e0c9a-5f7d-4d1e-9c57-0a4f6d2b8e11");
    CHECK_INT(client_act(bob, SIG_CALL_EVENT_JOIN, &refusal), -EPERM);
    CHECK_STR(refusal.code, "wrong_token");
    end();
}

static void ringing_ends_after_the_timeout_for_who_was_called(void) {
    begin(true);
    meeting_start(ada, "bob", NULL);
    client_enter(ada);
    meeting_wait(44 * SECOND);
    CHECK_INT(stored_status(), SIG_CALL_RINGING);
    meeting_wait(2 * SECOND);
    CHECK_INT(stored_status(), SIG_CALL_MISSED);
    CHECK_INT(ada->end, SIG_SESSION_CALL_OVER);
    CHECK_INT(client_act(bob, SIG_CALL_EVENT_JOIN, &refusal), -EPROTO);
    CHECK_STR(refusal.code, "call_over");
    end();
}

static void a_call_for_nobody_never_rings_out(void) {
    begin(true);
    meeting_start(ada, NULL, NULL);
    client_enter(ada);
    meeting_wait(600 * SECOND);
    CHECK_INT(stored_status(), SIG_CALL_ACTIVE);
    CHECK_INT(ada->end, -1);
    end();
}

static void who_joined_and_never_connected_does_not_keep_the_call(void) {
    begin(true);
    meeting_start(ada, NULL, NULL);
    meeting_wait(74 * SECOND);
    CHECK_INT(stored_status(), SIG_CALL_ACTIVE);
    meeting_wait(2 * SECOND);
    CHECK_INT(stored_status(), SIG_CALL_ENDED);
    end();
}

static void leaving_by_the_api_takes_the_connections_along(void) {
    begin(true);
    meeting_start(ada, "bob", NULL);
    client_enter(ada);
    client_enter(bob);
    meeting_wait(SECOND);
    CHECK_INT(client_act(bob, SIG_CALL_EVENT_LEAVE, &refusal), 0);
    CHECK_INT(bob->end, SIG_SESSION_LEFT);
    CHECK_INT(client_count(ada, "user_left"), 1);
    CHECK_INT(client_act(ada, SIG_CALL_EVENT_LEAVE, &refusal), 0);
    CHECK_INT(stored_status(), SIG_CALL_ENDED);
    end();
}

static void only_the_initiator_ends_for_all(void) {
    begin(true);
    meeting_start(ada, "bob", NULL);
    CHECK_INT(client_act(bob, SIG_CALL_EVENT_END, &refusal), -EPERM);
    CHECK_STR(refusal.code, "not_initiator");
    CHECK_INT(client_act(ada, SIG_CALL_EVENT_END, &refusal), 0);
    CHECK_INT(client_act(ada, SIG_CALL_EVENT_END, &refusal), -EPROTO);
    end();
}

static void unknown_calls_are_404_and_past_ones_409(void) {
    begin(true);
    strcpy(meeting.call_id, "3b8e0c9a-5f7d-4d1e-9c57-0a4f6d2b8e11");
    CHECK_INT(client_act(ada, SIG_CALL_EVENT_LEAVE, &refusal), -ENOENT);
    CHECK_INT(refusal.status, 404);
    meeting_start(ada, NULL, NULL);
    client_act(ada, SIG_CALL_EVENT_LEAVE, &refusal);
    CHECK_INT(client_act(ada, SIG_CALL_EVENT_JOIN, &refusal), -EPROTO);
    CHECK_INT(refusal.status, 409);
    end();
}

static void ids_are_found_in_either_case(void) {
    begin(true);
    meeting_start(ada, NULL, NULL);
    for (char *at = meeting.call_id; *at; at++)
        *at = (char)(*at >= 'a' && *at <= 'f' ? *at - 'a' + 'A' : *at);
    CHECK_INT(client_act(bob, SIG_CALL_EVENT_JOIN, &refusal), 0);
    end();
}

static void a_full_call_takes_no_more_until_someone_leaves(void) {
    begin(true);
    meeting.config.max_participants_per_call = 2;
    meeting_start(ada, NULL, NULL);
    CHECK_INT(client_act(bob, SIG_CALL_EVENT_JOIN, &refusal), 0);
    CHECK_INT(client_act(bob, SIG_CALL_EVENT_JOIN, &refusal), 0);
    CHECK_INT(client_act(cyn, SIG_CALL_EVENT_JOIN, &refusal), -EDQUOT);
    CHECK_STR(refusal.code, "call_full");
    client_act(bob, SIG_CALL_EVENT_LEAVE, &refusal);
    CHECK_INT(client_act(cyn, SIG_CALL_EVENT_JOIN, &refusal), 0);
    end();
}

static void a_draining_server_lets_nobody_in_but_keeps_who_is_in(void) {
    const struct sig_calls_invitation invitation = {.type = SIG_CALL_AUDIO};
    const struct sig_call *call;
    begin(true);
    meeting_start(ada, "bob", NULL);
    client_enter(ada);
    sig_calls_drain(meeting.calls);
    CHECK_INT(client_act(bob, SIG_CALL_EVENT_JOIN, &refusal), -EBUSY);
    CHECK_STR(refusal.code, "draining");
    CHECK_INT(
        sig_calls_initiate(meeting.calls, &cyn->identity, &invitation, &call, &refusal, NULL, NULL),
        -EBUSY);
    CHECK_INT(ada->end, -1);
    CHECK_INT(client_act(ada, SIG_CALL_EVENT_JOIN, &refusal), 0);
    end();
}

/* A browser outside the call. */
static char heard[8000];

static void hear(void *data, struct sig_frame *frame, bool may_wait) {
    (void)data, (void)may_wait;
    size_t used = strlen(heard);
    snprintf(heard + used, sizeof(heard) - used, "%s\n", sig_frame_text(frame));
}

static void hear_end(void *data) {
    *(bool *)data = true;
}

static void the_called_ones_browser_rings_and_stops_ringing(void) {
    bool is_closed = false;
    struct sig_listener listener = {
        .user_id = "bob", .on_message = hear, .on_end = hear_end, .data = &is_closed};
    begin(true);
    sig_calls_add_listener(meeting.calls, &listener);
    meeting_start(ada, "bob", NULL);
    CHECK(strstr(heard, "\"notification_type\":\"CALL\"") != NULL);
    CHECK(strstr(heard, "\"title\":\"Incoming Video Call\"") != NULL);
    CHECK(strstr(heard, "\"content\":\"ada is calling you\"") != NULL);
    const struct sig_call *call = sig_calls_find(meeting.calls, meeting.call_id);
    CHECK_INT(call->participants[1]->status, SIG_PARTICIPANT_RINGING);
    client_act(ada, SIG_CALL_EVENT_LEAVE, &refusal);
    CHECK(strstr(heard, "\"call_cancelled\"") != NULL);
    end();
    CHECK(is_closed);
}

static void a_browser_that_opens_late_rings_too_and_an_answer_elsewhere_stops_it(void) {
    bool is_closed = false;
    struct sig_listener listener = {
        .user_id = "bob", .on_message = hear, .on_end = hear_end, .data = &is_closed};
    begin(true);
    meeting_start(ada, "bob", NULL);
    heard[0] = '\0';
    sig_calls_add_listener(meeting.calls, &listener);
    CHECK(strstr(heard, "\"call_type\":\"VIDEO\"") != NULL);
    client_act(bob, SIG_CALL_EVENT_JOIN, &refusal);
    CHECK(strstr(heard, "\"call_answered_elsewhere\"") != NULL);
    sig_calls_remove_listener(meeting.calls, &listener);
    end();
}

static void a_thousand_calls_leave_nothing_going_on(void) {
    struct sig_calls_stats stats;
    begin(true);
    for (int i = 0; i < 1000; i++) {
        meeting_start(ada, "bob", NULL);
        client_act(bob, SIG_CALL_EVENT_JOIN, &refusal);
        client_act(ada, SIG_CALL_EVENT_LEAVE, &refusal);
        client_act(bob, SIG_CALL_EVENT_LEAVE, &refusal);
        meeting_wait(SECOND);
    }
    sig_calls_stats_get(meeting.calls, &stats);
    CHECK_INT(stats.calls, 0);
    CHECK_INT(stats.started, 1000);
    CHECK(sig_calls_next_deadline(meeting.calls) == UINT64_MAX);
    end();
}

static const struct test tests[] = {
#define T(name)                                                                                    \
    { #name, name }
    T(only_the_invited_join_unless_the_call_is_open),
    T(a_token_for_this_call_is_an_invitation_and_one_for_another_is_none),
    T(ringing_ends_after_the_timeout_for_who_was_called),
    T(a_call_for_nobody_never_rings_out),
    T(who_joined_and_never_connected_does_not_keep_the_call),
    T(leaving_by_the_api_takes_the_connections_along),
    T(only_the_initiator_ends_for_all),
    T(unknown_calls_are_404_and_past_ones_409),
    T(ids_are_found_in_either_case),
    T(a_full_call_takes_no_more_until_someone_leaves),
    T(a_draining_server_lets_nobody_in_but_keeps_who_is_in),
    T(the_called_ones_browser_rings_and_stops_ringing),
    T(a_browser_that_opens_late_rings_too_and_an_answer_elsewhere_stops_it),
    T(a_thousand_calls_leave_nothing_going_on),
#undef T
};

TEST_MAIN(tests)
