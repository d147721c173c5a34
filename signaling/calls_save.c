/* What of the calls is written to the store: every event before it is acknowledged, and how people
 * fared, every ten seconds. */
#include <stdlib.h>
#include <string.h>

#include "signaling/room.h"
#include "signaling/webhook_events.h"

#define SAMPLE_MS 10000

static struct sig_store_sample sample_of(const struct sig_participant *who) {
    const struct sig_quality_sum *sum = &who->quality;
    return (struct sig_store_sample){
        .user_id = who->user_id,
        .at_ms = sum->since_ms,
        .weight = sum->weight,
        .score = (unsigned)(sum->score / sum->weight),
        .score_min = sum->score_min,
        .up_loss_permille = (unsigned)(sum->up_loss_permille / sum->weight),
        .down_loss_permille = (unsigned)(sum->down_loss_permille / sum->weight),
        .rtt_ms = sum->rtt_weight ? (unsigned)(sum->rtt_ms / sum->rtt_weight) : 0,
        .up_bps = sum->up_bps / sum->weight,
        .down_bps = sum->down_bps / sum->weight,
        .reason = sum->reason};
}

static void save_sample(struct sig_room *room, struct sig_participant *who) {
    if (who->quality.weight == 0)
        return;
    const struct sig_store_sample sample = sample_of(who);
    sig_store_save_samples(room->calls->store, room->call->id, &sample, 1, NULL, NULL);
    memset(&who->quality, 0, sizeof(who->quality));
}

static void save_last_samples(struct sig_room *room) {
    for (size_t i = 0; i < room->call->participant_count; i++)
        if (room->call->participants[i]->status != SIG_PARTICIPANT_JOINED)
            save_sample(room, room->call->participants[i]);
}

uint64_t sig_calls_changes_asked(const struct sig_calls *calls) {
    return calls->changes_asked;
}

uint64_t sig_calls_changes_stored(const struct sig_calls *calls) {
    return calls->changes_stored;
}

void sig_calls_on_stored(struct sig_calls *calls, void (*on_stored)(void *data, uint64_t stored),
                         void *data) {
    calls->on_stored = on_stored;
    calls->on_stored_data = data;
}

/* A change on its way to the store. */
struct saving {
    struct sig_calls *calls;
    sig_store_saved_fn stored;
    void *data;
    size_t hook_count;
};

static void on_saved(void *data, int status) {
    struct saving saving = *(struct saving *)data;
    struct sig_calls *calls = saving.calls;
    free(data);
    calls->changes_stored++;
    sig_webhook_wake(calls->webhook, saving.hook_count);
    if (saving.stored)
        saving.stored(saving.data, status);
    if (calls->on_stored)
        calls->on_stored(calls->on_stored_data, calls->changes_stored);
}

void sig_calls_save(struct sig_room *room, const struct sig_participant *changed, const char *event,
                    const char *by, sig_store_saved_fn stored, void *data) {
    struct sig_calls *calls = room->calls;
    struct sig_webhook_events events = {.count = 0};
    struct sig_store_change change = {.call = room->call,
                                      .changed = changed,
                                      .event = event,
                                      .by = by,
                                      .at_ms = calls->wall_ms()};
    struct saving *saving = malloc(sizeof(*saving));
    save_last_samples(room);
    room->call->event_count++;
    if (calls->webhook)
        sig_webhook_events_make(&events, room->call, by, change.at_ms);
    change.hooks = events.hooks;
    change.hook_count = events.count;
    if (saving) {
        *saving = (struct saving){
            .calls = calls, .stored = stored, .data = data, .hook_count = events.count};
        calls->changes_asked++;
        sig_store_save_change(calls->store, &change, on_saved, saving);
    } else { /* Nobody waits, but it is written. */
        sig_store_save_change(calls->store, &change, stored, data);
    }
    sig_webhook_events_deinit(&events);
}

/* The worse of the two directions says why. */
static const char *reason_of(const struct sig_quality *quality) {
    bool is_up_worse =
        quality->up.score && (!quality->down.score || quality->up.score < quality->down.score);
    const char *reason = is_up_worse ? quality->up.reason : quality->down.reason;
    return reason && strcmp(reason, "none") != 0 ? reason : NULL;
}

void sig_calls_sample(struct sig_calls *calls) {
    for (const struct sig_room *room = calls->rooms; room; room = room->next)
        for (const struct sig_session *each = room->sessions; each; each = each->next) {
            const struct sig_quality *quality = &each->quality;
            const struct sig_quality_note note = {.score = quality->score * 100u,
                                                  .reason = reason_of(quality),
                                                  .up_loss_permille = quality->up.loss_permille,
                                                  .down_loss_permille = quality->down.loss_permille,
                                                  .rtt_ms = (quality->rtt_us + 500) / 1000,
                                                  .up_bps = quality->up.bps,
                                                  .down_bps = quality->down.bps};
            if (!sig_session_is_watcher(each))
                sig_calls_note_quality(calls, room->call->id, each->identity.user_id, &note);
        }
}

static void add(struct sig_quality_sum *sum, const struct sig_quality_note *note) {
    if (sum->weight == 0 || note->score < sum->score_min) {
        sum->score_min = note->score;
        sum->reason = note->reason;
    }
    sum->weight++;
    sum->score += note->score;
    sum->up_loss_permille += note->up_loss_permille;
    sum->down_loss_permille += note->down_loss_permille;
    sum->rtt_weight += note->rtt_ms > 0;
    sum->rtt_ms += note->rtt_ms;
    sum->up_bps += note->up_bps;
    sum->down_bps += note->down_bps;
}

void sig_calls_note_quality(struct sig_calls *calls, const char *call_id, const char *user_id,
                            const struct sig_quality_note *note) {
    struct sig_room *room = sig_calls_find_room(calls, call_id);
    struct sig_participant *who = room ? sig_call_find(room->call, user_id) : NULL;
    if (!who || note->score == 0)
        return;
    uint64_t now_ms = calls->wall_ms();
    if (who->quality.weight > 0 && now_ms >= who->quality.since_ms + SAMPLE_MS)
        save_sample(room, who);
    if (who->quality.weight == 0)
        who->quality.since_ms = now_ms;
    add(&who->quality, note);
}
