#include "signaling/call.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/test.h"

enum { CALLER, CALLEE, OTHER };

static struct sig_call *make_call(void) {
    struct sig_call *call = sig_call_create(NULL, SIG_CALL_VIDEO, "ada", "Ada", 1000);
    CHECK(sig_call_add(call, "bob", "Bob") != NULL);
    CHECK(sig_call_add(call, "cyn", "Cyn") != NULL);
    return call;
}

static struct sig_call *ringing_call(void) {
    struct sig_call *call = make_call();
    CHECK_INT(sig_call_apply(call, NULL, SIG_CALL_EVENT_START, 1000), 0);
    return call;
}

static int happen(struct sig_call *call, int who, enum sig_call_event event, uint64_t now_ms) {
    return sig_call_apply(call, who < 0 ? NULL : call->participants[who], event, now_ms);
}

static const char *status_of(const struct sig_call *call, int who) {
    return sig_participant_status_name(call->participants[who]->status);
}

static void starting_rings_with_the_caller_joined_and_the_others_invited(void) {
    struct sig_call *call = ringing_call();
    CHECK_STR(sig_call_status_name(call->status), "RINGING");
    CHECK_STR(status_of(call, CALLER), "JOINED");
    CHECK_STR(status_of(call, CALLEE), "INVITED");
    CHECK_INT(call->started_at_ms, 0);
    sig_call_destroy(call);
}

static void a_call_for_nobody_is_active_at_once(void) {
    struct sig_call *call = sig_call_create(NULL, SIG_CALL_AUDIO, "ada", "Ada", 5);
    CHECK_INT(happen(call, -1, SIG_CALL_EVENT_START, 7), 0);
    CHECK_STR(sig_call_status_name(call->status), "ACTIVE");
    CHECK_INT(call->started_at_ms, 7);
    sig_call_destroy(call);
}

static void the_first_answer_starts_the_call_and_later_ones_do_not(void) {
    struct sig_call *call = ringing_call();
    CHECK_INT(happen(call, CALLER, SIG_CALL_EVENT_JOIN, 1500), 0);
    CHECK_INT(call->status, SIG_CALL_RINGING);
    CHECK_INT(happen(call, CALLEE, SIG_CALL_EVENT_JOIN, 2000), 0);
    CHECK_INT(happen(call, OTHER, SIG_CALL_EVENT_JOIN, 3000), 0);
    CHECK_INT(call->status, SIG_CALL_ACTIVE);
    CHECK_INT(call->started_at_ms, 2000);
    CHECK_INT(sig_call_duration_ms(call, 5000), 3000);
    sig_call_destroy(call);
}

static void the_last_one_out_ends_the_call_and_who_was_waited_for_missed_it(void) {
    struct sig_call *call = ringing_call();
    happen(call, CALLEE, SIG_CALL_EVENT_JOIN, 2000);
    CHECK_INT(happen(call, CALLER, SIG_CALL_EVENT_LEAVE, 3000), 0);
    CHECK_INT(call->status, SIG_CALL_ACTIVE);
    CHECK_INT(happen(call, CALLEE, SIG_CALL_EVENT_LEAVE, 4000), 0);
    CHECK_INT(call->status, SIG_CALL_ENDED);
    CHECK_INT(call->ended_at_ms, 4000);
    CHECK_STR(status_of(call, OTHER), "MISSED");
    sig_call_destroy(call);
}

static void the_initiators_end_takes_everyone_out(void) {
    struct sig_call *call = ringing_call();
    happen(call, CALLEE, SIG_CALL_EVENT_JOIN, 2000);
    CHECK_INT(happen(call, -1, SIG_CALL_EVENT_END, 9000), 0);
    CHECK_INT(call->status, SIG_CALL_ENDED);
    for (int i = CALLER; i <= OTHER; i++)
        CHECK_STR(status_of(call, i), "LEFT");
    CHECK_INT(call->participants[CALLEE]->total_ms, 7000);
    sig_call_destroy(call);
}

static void when_all_decline_the_call_is_rejected(void) {
    struct sig_call *call = ringing_call();
    happen(call, CALLEE, SIG_CALL_EVENT_REJECT, 2000);
    CHECK_INT(call->status, SIG_CALL_RINGING);
    happen(call, OTHER, SIG_CALL_EVENT_REJECT, 2500);
    CHECK_INT(call->status, SIG_CALL_REJECTED);
    CHECK_STR(status_of(call, CALLER), "LEFT");
    sig_call_destroy(call);
}

static void a_call_that_rings_out_is_missed(void) {
    struct sig_call *call = ringing_call();
    CHECK_INT(happen(call, -1, SIG_CALL_EVENT_TIMEOUT, 46000), 0);
    CHECK_INT(call->status, SIG_CALL_MISSED);
    CHECK_STR(status_of(call, CALLEE), "MISSED");
    CHECK_STR(status_of(call, CALLER), "LEFT");
    sig_call_destroy(call);
}

static void ringing_out_ends_no_call_that_was_answered(void) {
    struct sig_call *call = ringing_call();
    happen(call, CALLEE, SIG_CALL_EVENT_JOIN, 2000);
    CHECK_INT(happen(call, -1, SIG_CALL_EVENT_TIMEOUT, 46000), 0);
    CHECK_INT(call->status, SIG_CALL_ACTIVE);
    CHECK_STR(status_of(call, OTHER), "MISSED");
    CHECK_INT(happen(call, OTHER, SIG_CALL_EVENT_JOIN, 50000), 0);
    CHECK_STR(status_of(call, OTHER), "JOINED");
    sig_call_destroy(call);
}

static void several_stays_add_up(void) {
    struct sig_call *call = ringing_call();
    happen(call, CALLEE, SIG_CALL_EVENT_JOIN, 2000);
    happen(call, CALLEE, SIG_CALL_EVENT_LEAVE, 5000);
    happen(call, CALLEE, SIG_CALL_EVENT_JOIN, 10000);
    CHECK_INT(call->participants[CALLEE]->left_at_ms, 0);
    happen(call, CALLEE, SIG_CALL_EVENT_LEAVE, 11000);
    CHECK_INT(call->participants[CALLEE]->total_ms, 4000);
    CHECK_INT(call->participants[CALLEE]->left_at_ms, 11000);
    sig_call_destroy(call);
}

static void the_guest_who_left_first_is_forgotten_first(void) {
    struct sig_call *call = ringing_call();
    static const char *const guests[] = {"g1", "g2", "g3"};
    for (int i = 0; i < 3; i++) {
        sig_call_add(call, guests[i], guests[i])->is_guest = true;
        happen(call, 3 + i, SIG_CALL_EVENT_JOIN, 2000);
    }
    CHECK(!sig_call_forget_guest(call));
    happen(call, 4, SIG_CALL_EVENT_LEAVE, 3000);
    happen(call, 3, SIG_CALL_EVENT_LEAVE, 4000);
    CHECK(sig_call_forget_guest(call));
    CHECK(sig_call_find(call, "g2") == NULL);
    CHECK(sig_call_find(call, "g1") != NULL);
    CHECK_INT(call->participant_count, 5);
    sig_call_destroy(call);
}

static void a_copy_shares_nothing(void) {
    struct sig_call *call = ringing_call();
    struct sig_call *copy = sig_call_copy(call);
    happen(call, CALLEE, SIG_CALL_EVENT_JOIN, 2000);
    sig_call_destroy(call);
    CHECK_STR(status_of(copy, CALLEE), "INVITED");
    CHECK_STR(copy->participants[OTHER]->name, "Cyn");
    CHECK_INT(sig_call_count(copy, SIG_PARTICIPANT_INVITED), 2);
    sig_call_destroy(copy);
}

static void ids_are_lower_case(void) {
    struct sig_call *call =
        sig_call_create("3B8E0C9A-5F7D-4D1E-9C57-0A4F6D2B8E11", SIG_CALL_AUDIO, "ada", "Ada", 0);
    CHECK_STR(call->id, "3b8e0c9a-5f7d-4d1e-9c57-0a4f6d2b8e11");
    sig_call_destroy(call);
}

static const struct test tests[] = {
#define T(name)                                                                                    \
    { #name, name }
    T(starting_rings_with_the_caller_joined_and_the_others_invited),
    T(a_call_for_nobody_is_active_at_once),
    T(the_first_answer_starts_the_call_and_later_ones_do_not),
    T(the_last_one_out_ends_the_call_and_who_was_waited_for_missed_it),
    T(the_initiators_end_takes_everyone_out),
    T(when_all_decline_the_call_is_rejected),
    T(a_call_that_rings_out_is_missed),
    T(ringing_out_ends_no_call_that_was_answered),
    T(several_stays_add_up),
    T(the_guest_who_left_first_is_forgotten_first),
    T(a_copy_shares_nothing),
    T(ids_are_lower_case),
#undef T
};

TEST_MAIN(tests)
