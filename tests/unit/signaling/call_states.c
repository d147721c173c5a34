/* Both state machines as one table: every event, in every state of a participant, in every state of
 * the call. */
#include "signaling/call.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/test.h"

/* Participant: Invited Ringing Joined Left (X) rejected Missed; call: initiating ringing active
 * ended (x) rejected missed. A cell is what both become, "-" is refused and nothing changes. */
static const char participant_letters[] = "IRJLXM";
static const char call_letters[] = "iraemx"; /* In the order of the enumeration. */

struct row {
    char call, participant;
    const char *cells; /* RING JOIN LEAVE REJECT MISS START END TIMEOUT */
};

/* The one who was called, alone with the caller, who is in. */
static const struct row callee_rows[] = {
    /*            RING JOIN LEAVE REJECT MISS START END TIMEOUT */
    {'i', 'I', "-  -  -  -  -  Ir -  - "}, {'i', 'R', "-  -  -  -  -  Rr -  - "},
    {'i', 'J', "-  -  -  -  -  Ja -  - "}, {'i', 'L', "-  -  -  -  -  La -  - "},
    {'i', 'X', "-  -  -  -  -  Xa -  - "}, {'i', 'M', "-  -  -  -  -  Ma -  - "},

    {'r', 'I', "Rr Ja -  Xx Mm -  Le Mm"}, {'r', 'R', "Rr Ja -  Xx Mm -  Le Mm"},
    {'r', 'J', "-  Ja Lr -  -  -  Le Lm"}, {'r', 'L', "-  Ja Lr -  -  -  Le Lm"},
    {'r', 'X', "-  Ja -  -  -  -  Xe Xm"}, {'r', 'M', "-  Ja -  -  -  -  Me Mm"},

    {'a', 'I', "Ra Ja -  Xa Ma -  Le Ma"}, {'a', 'R', "Ra Ja -  Xa Ma -  Le Ma"},
    {'a', 'J', "-  Ja La -  -  -  Le Ja"}, {'a', 'L', "-  Ja La -  -  -  Le La"},
    {'a', 'X', "-  Ja -  -  -  -  Xe Xa"}, {'a', 'M', "-  Ja -  -  -  -  Me Ma"},

    {'e', 'I', "-  -  -  -  -  -  -  - "}, {'e', 'R', "-  -  -  -  -  -  -  - "},
    {'e', 'J', "-  -  -  -  -  -  -  - "}, {'e', 'L', "-  -  -  -  -  -  -  - "},
    {'e', 'X', "-  -  -  -  -  -  -  - "}, {'e', 'M', "-  -  -  -  -  -  -  - "},

    {'m', 'I', "-  -  -  -  -  -  -  - "}, {'m', 'R', "-  -  -  -  -  -  -  - "},
    {'m', 'J', "-  -  -  -  -  -  -  - "}, {'m', 'L', "-  -  -  -  -  -  -  - "},
    {'m', 'X', "-  -  -  -  -  -  -  - "}, {'m', 'M', "-  -  -  -  -  -  -  - "},

    {'x', 'I', "-  -  -  -  -  -  -  - "}, {'x', 'R', "-  -  -  -  -  -  -  - "},
    {'x', 'J', "-  -  -  -  -  -  -  - "}, {'x', 'L', "-  -  -  -  -  -  -  - "},
    {'x', 'X', "-  -  -  -  -  -  -  - "}, {'x', 'M', "-  -  -  -  -  -  -  - "},
};

/* The caller, with one who is still called: hanging up ends it. The events that only a callee has
 * are refused, since the caller is never called. */
static const struct row caller_rows[] = {
    {'r', 'J', "-  Jr Le -  -  -  Le Lm"},
    {'a', 'J', "-  Ja Le -  -  -  Le Ja"},
    {'a', 'L', "-  Ja Le -  -  -  Le La"},
};

static int letter_at(const char *letters, char letter) {
    return (int)(strchr(letters, letter) - letters);
}

static struct sig_call *call_of(const struct row *row, int who, enum sig_participant_status other) {
    struct sig_call *call = sig_call_create(NULL, SIG_CALL_AUDIO, "ada", "Ada", 1000);
    sig_call_add(call, "bob", "Bob");
    call->status = (enum sig_call_status)letter_at(call_letters, row->call);
    call->participants[!who]->status = other;
    call->participants[who]->status =
        (enum sig_participant_status)letter_at(participant_letters, row->participant);
    return call;
}

static void check_cell(const struct row *row, int who, enum sig_participant_status other, int event,
                       const char *cell) {
    struct sig_call *call = call_of(row, who, other);
    bool is_for_all = event >= SIG_CALL_EVENT_START;
    int status = sig_call_apply(call, is_for_all ? NULL : call->participants[who],
                                (enum sig_call_event)event, 2000);
    char got[4] = {participant_letters[call->participants[who]->status], call_letters[call->status],
                   '\0'};
    char want[4] = {row->participant, row->call, '\0'};
    if (cell[0] != '-')
        memcpy(want, cell, 2);
    if (strcmp(got, want) != 0 || status != (cell[0] == '-' ? -EPROTO : 0))
        test_fail(__FILE__, __LINE__, "call %c, participant %c, %s: became %s (%d), not %.2s",
                  row->call, row->participant, sig_call_event_name((enum sig_call_event)event), got,
                  status, cell);
    sig_call_destroy(call);
}

static void check_rows(const struct row *rows, size_t count, int who,
                       enum sig_participant_status other) {
    for (size_t i = 0; i < count; i++)
        for (int event = 0; event < SIG_CALL_EVENT_COUNT; event++)
            check_cell(&rows[i], who, other, event, rows[i].cells + (size_t)event * 3);
}

static void every_event_of_a_callee_in_every_state_goes_where_the_table_says(void) {
    size_t count = sizeof(callee_rows) / sizeof(callee_rows[0]);
    CHECK_INT(count, SIG_CALL_STATUS_COUNT * SIG_PARTICIPANT_STATUS_COUNT);
    check_rows(callee_rows, count, 1, SIG_PARTICIPANT_JOINED);
}

static void every_event_of_the_caller_goes_where_the_table_says(void) {
    check_rows(caller_rows, sizeof(caller_rows) / sizeof(caller_rows[0]), 0,
               SIG_PARTICIPANT_INVITED);
}

static void an_event_for_all_is_nobodys_and_one_of_somebody_is_not_for_all(void) {
    const struct row row = {'a', 'J', ""};
    struct sig_call *call = call_of(&row, 1, SIG_PARTICIPANT_JOINED);
    for (int event = 0; event < SIG_CALL_EVENT_COUNT; event++)
        CHECK_INT(sig_call_apply(call, event < SIG_CALL_EVENT_START ? NULL : call->participants[1],
                                 (enum sig_call_event)event, 2000),
                  -EPROTO);
    sig_call_destroy(call);
}

static void the_end_of_an_unanswered_call_leaves_nobody_waiting(void) {
    const struct row row = {'r', 'J', ""};
    struct sig_call *call = call_of(&row, 0, SIG_PARTICIPANT_RINGING);
    CHECK_INT(sig_call_apply(call, call->participants[0], SIG_CALL_EVENT_LEAVE, 2000), 0);
    CHECK_STR(sig_participant_status_name(call->participants[1]->status), "MISSED");
    CHECK(sig_call_has_missed(call, call->participants[1]));
    CHECK(!sig_call_has_missed(call, call->participants[0]));
    sig_call_destroy(call);
}

static void who_never_came_back_after_a_restart_left_when_last_seen(void) {
    const struct row row = {'a', 'J', ""};
    struct sig_call *call = call_of(&row, 1, SIG_PARTICIPANT_JOINED);
    for (uint64_t i = 0; i < 2; i++) {
        call->participants[i]->joined_at_ms = 1000;
        call->participants[i]->seen_at_ms = 5000 + i * 1000;
    }
    call->started_at_ms = 1000;
    CHECK_INT(sig_call_apply(call, call->participants[1], SIG_CALL_EVENT_LEAVE, 90000), 0);
    CHECK_INT(call->participants[1]->total_ms, 5000);
    CHECK_INT(sig_call_apply(call, call->participants[0], SIG_CALL_EVENT_LEAVE, 90000), 0);
    CHECK_INT(call->participants[0]->left_at_ms, 5000);
    CHECK_INT(call->ended_at_ms, 6000);
    CHECK_INT(sig_call_duration_ms(call, 100000), 5000);
    sig_call_destroy(call);
}

static const struct test tests[] = {
#define T(name)                                                                                    \
    { #name, name }
    T(every_event_of_a_callee_in_every_state_goes_where_the_table_says),
    T(every_event_of_the_caller_goes_where_the_table_says),
    T(an_event_for_all_is_nobodys_and_one_of_somebody_is_not_for_all),
    T(the_end_of_an_unanswered_call_leaves_nobody_waiting),
    T(who_never_came_back_after_a_restart_left_when_last_seen),
#undef T
};

TEST_MAIN(tests)
