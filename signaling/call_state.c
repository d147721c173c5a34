/* The state machine of calls and participants: two tables, and what follows from the numbers of
 * those who are in and those who may still answer. */
#include "signaling/call.h"

#include <errno.h>

/* An event that is not allowed. */
#define NO (-1)

enum {
    INVITED = SIG_PARTICIPANT_INVITED,
    RINGING = SIG_PARTICIPANT_RINGING,
    JOINED = SIG_PARTICIPANT_JOINED,
    LEFT = SIG_PARTICIPANT_LEFT,
    REJECTED = SIG_PARTICIPANT_REJECTED,
    MISSED = SIG_PARTICIPANT_MISSED,
};

static const signed char next_status[SIG_PARTICIPANT_STATUS_COUNT][SIG_CALL_EVENT_COUNT] = {
    /*            RING      JOIN    LEAVE REJECT    MISS    START     END       TIMEOUT */
    [INVITED] = {RINGING, JOINED, NO, REJECTED, MISSED, INVITED, LEFT, MISSED},
    [RINGING] = {RINGING, JOINED, NO, REJECTED, MISSED, RINGING, LEFT, MISSED},
    [JOINED] = {NO, JOINED, LEFT, NO, NO, JOINED, LEFT, JOINED},
    [LEFT] = {NO, JOINED, LEFT, NO, NO, LEFT, LEFT, LEFT},
    [REJECTED] = {NO, JOINED, NO, NO, NO, REJECTED, REJECTED, REJECTED},
    [MISSED] = {NO, JOINED, NO, NO, NO, MISSED, MISSED, MISSED},
};

static const bool is_allowed[SIG_CALL_STATUS_COUNT][SIG_CALL_EVENT_COUNT] = {
    /*                       RING   JOIN   LEAVE  REJECT MISS   START  END    TIMEOUT */
    [SIG_CALL_INITIATING] = {false, false, false, false, false, true, false, false},
    [SIG_CALL_RINGING] = {true, true, true, true, true, false, true, true},
    [SIG_CALL_ACTIVE] = {true, true, true, true, true, false, true, true},
    [SIG_CALL_ENDED] = {false},
    [SIG_CALL_MISSED] = {false},
    [SIG_CALL_REJECTED] = {false},
};

static void enter_status(struct sig_participant *who, enum sig_participant_status status,
                         uint64_t now_ms) {
    if (who->status == status)
        return;
    if (status == SIG_PARTICIPANT_JOINED) {
        who->joined_at_ms = now_ms;
        who->left_at_ms = 0;
    }
    if (who->status == SIG_PARTICIPANT_JOINED) {
        who->left_at_ms = who->seen_at_ms ? who->seen_at_ms : now_ms;
        if (who->left_at_ms > who->joined_at_ms)
            who->total_ms += who->left_at_ms - who->joined_at_ms;
        who->seen_at_ms = 0;
        who->is_audio_enabled = who->is_video_enabled = who->is_screen_sharing = false;
        who->gone_at_us = 0;
    }
    who->status = status;
}

static bool is_waiting(const struct sig_participant *who) {
    return who->status == SIG_PARTICIPANT_INVITED || who->status == SIG_PARTICIPANT_RINGING;
}

static void end_call(struct sig_call *call, enum sig_call_status status, uint64_t now_ms) {
    for (size_t i = 0; i < call->participant_count; i++) {
        struct sig_participant *who = call->participants[i];
        if (is_waiting(who))
            enter_status(who, SIG_PARTICIPANT_MISSED, now_ms);
        else if (who->status == SIG_PARTICIPANT_JOINED)
            enter_status(who, SIG_PARTICIPANT_LEFT, now_ms);
    }
    call->status = status;
    call->ended_at_ms = now_ms;
}

/* A call that nobody is in any more was over when the last one left, which those who never came
 * back after a restart did before anyone noticed. */
static uint64_t last_left_ms(const struct sig_call *call) {
    uint64_t last_ms = 0;
    for (size_t i = 0; i < call->participant_count; i++)
        if (call->participants[i]->left_at_ms > last_ms)
            last_ms = call->participants[i]->left_at_ms;
    return last_ms;
}

static void begin_call(struct sig_call *call, uint64_t now_ms) {
    call->status = SIG_CALL_ACTIVE;
    if (call->started_at_ms == 0)
        call->started_at_ms = now_ms;
}

static size_t count_waiting(const struct sig_call *call) {
    return sig_call_count(call, SIG_PARTICIPANT_INVITED) +
           sig_call_count(call, SIG_PARTICIPANT_RINGING);
}

/* What a call that nobody can answer any more becomes, by the event that made it so. */
static enum sig_call_status unanswered_status(enum sig_call_event event) {
    return event == SIG_CALL_EVENT_REJECT ? SIG_CALL_REJECTED : SIG_CALL_MISSED;
}

static void settle(struct sig_call *call, const struct sig_participant *who,
                   enum sig_call_event event, uint64_t now_ms) {
    switch (event) {
    case SIG_CALL_EVENT_START:
        call->status = SIG_CALL_RINGING;
        enter_status(call->participants[0], SIG_PARTICIPANT_JOINED, now_ms);
        if (count_waiting(call) == 0)
            begin_call(call, now_ms);
        return;
    case SIG_CALL_EVENT_JOIN:
        if (call->status == SIG_CALL_RINGING && who != call->participants[0])
            begin_call(call, now_ms);
        return;
    case SIG_CALL_EVENT_END:
        end_call(call, SIG_CALL_ENDED, now_ms);
        return;
    case SIG_CALL_EVENT_LEAVE:
        if (sig_call_count(call, SIG_PARTICIPANT_JOINED) == 0)
            end_call(call, SIG_CALL_ENDED, last_left_ms(call));
        return;
    default:
        if (call->status == SIG_CALL_RINGING && count_waiting(call) == 0)
            end_call(call, unanswered_status(event), now_ms);
    }
}

static bool concerns_all(enum sig_call_event event) {
    return event >= SIG_CALL_EVENT_START;
}

int sig_call_apply(struct sig_call *call, struct sig_participant *who, enum sig_call_event event,
                   uint64_t now_ms) {
    if (!is_allowed[call->status][event] || concerns_all(event) != (who == NULL))
        return -EPROTO;
    if (who && next_status[who->status][event] == NO)
        return -EPROTO;
    if (event == SIG_CALL_EVENT_JOIN)
        who->seen_at_ms = 0;
    if (who)
        enter_status(who, (enum sig_participant_status)next_status[who->status][event], now_ms);
    for (size_t i = 0; !who && i < call->participant_count; i++) {
        struct sig_participant *each = call->participants[i];
        enter_status(each, (enum sig_participant_status)next_status[each->status][event], now_ms);
    }
    settle(call, who, event, now_ms);
    return 0;
}
