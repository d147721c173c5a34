/* What a host application is told of a change of a call: the difference between what it was told
 * last and what is. Pure, but for the ids.
 *
 * Types: call.started, call.answered, participant.joined, participant.left, participant.rejected,
 * participant.missed, and last of all one of call.ended, call.missed, call.rejected.
 * (recording.started and recording.ended are reserved.) A body is
 * {"id", "type", "seq", "created_at", "by", "call": {…}}, of a participant's event with
 * "participant": {…}, of a call's with the participants in "call". seq counts the messages of a
 * call from 1, without a gap. */
#ifndef SIGNALING_WEBHOOK_EVENTS_H
#define SIGNALING_WEBHOOK_EVENTS_H

#include "signaling/call.h"
#include "signaling/store.h"

/* Zero-initialise; sig_webhook_events_deinit frees what it owns. */
struct sig_webhook_events {
    struct sig_store_hook *hooks; /* Owned, with the strings in them. */
    size_t count, capacity;
};

/* Adds what has changed, and notes in the call that it is told. by: whose doing it was, or NULL. */
void sig_webhook_events_make(struct sig_webhook_events *events, struct sig_call *call,
                             const char *by, uint64_t now_ms);

/* Notes that everything is told, as of a call that comes from the store. */
void sig_webhook_events_skip(struct sig_call *call);

void sig_webhook_events_deinit(struct sig_webhook_events *events);

#endif
