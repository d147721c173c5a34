/* After a restart: what the store knows of calls that were not over. Nobody is connected, but those
 * who were in may come back as if their connection had been lost; whoever does not has left at the
 * last moment at which they are known to have been there, and so is a call over that nobody comes
 * back to. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/log.h"
#include "signaling/room.h"
#include "signaling/webhook_events.h"

#define REMEMBER_MS UINT64_C(3600000)
#define REMEMBER_MAX 1024

static uint64_t ring_ms(const struct sig_calls *calls) {
    return (uint64_t)calls->config->ring_timeout_s * 1000;
}

/* Its time to ring ran out while there was no server. */
static void miss_overdue(const struct sig_calls *calls, struct sig_call *call) {
    uint64_t until_ms = call->created_at_ms + ring_ms(calls);
    if (until_ms <= calls->wall_ms())
        sig_call_apply(call, NULL, SIG_CALL_EVENT_TIMEOUT, until_ms);
}

static void on_hooks_saved(void *data, int status) {
    (void)status;
    sig_webhook_wake(data, 1);
}

static void save_all(struct sig_calls *calls, struct sig_call *call, const char *event) {
    struct sig_webhook_events events = {.count = 0};
    struct sig_store_change change = {.call = call, .event = event, .at_ms = calls->wall_ms()};
    call->event_count += event != NULL;
    if (calls->webhook)
        sig_webhook_events_make(&events, call, NULL, change.at_ms);
    change.hooks = events.hooks;
    change.hook_count = events.count;
    sig_store_save_change(calls->store, &change, events.count ? on_hooks_saved : NULL,
                          calls->webhook);
    sig_webhook_events_deinit(&events);
}

static void restore_call(struct sig_calls *calls, struct sig_call *call) {
    sig_webhook_events_skip(call);
    miss_overdue(calls, call);
    bool is_over = sig_call_is_over(call);
    save_all(calls, call, is_over ? "TIMEOUT" : NULL);
    if (is_over) {
        sig_calls_remember(calls, call);
        sig_call_destroy(call);
        return;
    }
    struct sig_room *room = sig_calls_add_room(calls, call);
    if (!room)
        return;
    calls->stats.started--; /* Not by this process. */
    uint64_t ring_until_ms = call->created_at_ms + ring_ms(calls);
    uint64_t now_ms = calls->wall_ms();
    uint64_t left_ms = ring_until_ms > now_ms ? ring_until_ms - now_ms : 0;
    sig_room_resume(room, calls->now_us() + left_ms * 1000);
}

static void on_unfinished(void *data, int status, const struct sig_call *const *found, size_t count,
                          size_t total) {
    struct sig_calls *calls = data;
    (void)total;
    if (status < 0)
        sig_log(SIG_LOG_ERROR, NULL, "the calls from before cannot be read: %s", strerror(-status));
    for (size_t i = 0; i < count; i++) {
        struct sig_call *call = sig_call_copy(found[i]);
        if (call)
            restore_call(calls, call);
    }
    if (count > 0)
        sig_log(SIG_LOG_INFO, NULL, "%zu call%s from before the restart, to be resumed within %d s",
                count, count == 1 ? "" : "s", calls->config->resume_grace_s);
}

static void on_ended(void *data, int status, const struct sig_call *const *found, size_t count,
                     size_t total) {
    (void)status;
    (void)total;
    while (count > 0)
        sig_calls_remember(data, found[--count]);
}

void sig_calls_restore(struct sig_calls *calls) {
    uint64_t now_ms = calls->wall_ms();
    sig_store_load_ended(calls->store, now_ms > REMEMBER_MS ? now_ms - REMEMBER_MS : 0,
                         REMEMBER_MAX, on_ended, calls);
    sig_store_load_unfinished(calls->store, on_unfinished, calls);
    sig_store_wait(calls->store);
}
