#include "signaling/webhook_events.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/api.h"
#include "signaling/when.h"

/* A change that is being told. */
struct telling {
    struct sig_webhook_events *events;
    struct sig_call *call;
    const char *by;
    uint64_t now_ms;
    /* Owned. */
    json_t *about;        /* The call, without its participants, */
    json_t *participants; /* which are here. */
};

static bool is_waiting(enum sig_participant_status status) {
    return status == SIG_PARTICIPANT_INVITED || status == SIG_PARTICIPANT_RINGING;
}

static struct sig_store_hook *add_hook(struct sig_webhook_events *events) {
    if (events->count == events->capacity) {
        size_t capacity = events->capacity ? events->capacity * 2 : 4;
        struct sig_store_hook *more = realloc(events->hooks, capacity * sizeof(*more));
        if (!more)
            return NULL;
        events->hooks = more;
        events->capacity = capacity;
    }
    return &events->hooks[events->count];
}

/* participant NULL: it is about the call. */
static void add(struct telling *telling, const char *type, json_t *participant) {
    struct sig_store_hook *hook = add_hook(telling->events);
    char id[SIG_UUID_SIZE];
    sig_text_random_uuid(id);
    uint64_t seq = telling->call->hook_count + 1;
    json_t *about = participant ? json_incref(telling->about) : json_copy(telling->about);
    if (!participant)
        json_object_set(about, "participants", telling->participants);
    json_t *body = json_pack("{s:s, s:s, s:I, s:o, s:s?, s:o, s:o*}", "id", id, "type", type, "seq",
                             (json_int_t)seq, "created_at", sig_when_json(telling->now_ms), "by",
                             telling->by, "call", about, "participant", participant);
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    char *copy = strdup(id);
    json_decref(body);
    if (!hook || !text || !copy) {
        free(text);
        free(copy);
        return;
    }
    *hook = (struct sig_store_hook){.seq = seq, .id = copy, .event = type, .body = text};
    telling->events->count++;
    telling->call->hook_count = seq;
}

/* The type of what happened to a participant, or NULL: nothing to tell. */
static const char *participant_type(enum sig_participant_status before,
                                    enum sig_participant_status now) {
    if (before == now)
        return NULL;
    if (now == SIG_PARTICIPANT_JOINED)
        return "participant.joined";
    if (before == SIG_PARTICIPANT_JOINED)
        return "participant.left";
    if (!is_waiting(before) || is_waiting(now))
        return NULL;
    /* Whoever was never there and cannot come any more has missed it, as the history says too. */
    return now == SIG_PARTICIPANT_REJECTED ? "participant.rejected" : "participant.missed";
}

static void add_participants(struct telling *telling) {
    for (size_t i = 0; i < telling->call->participant_count; i++) {
        struct sig_participant *who = telling->call->participants[i];
        const char *type = participant_type(who->told_status, who->status);
        who->told_status = who->status;
        json_t *about = json_array_get(telling->participants, i);
        if (type && about)
            add(telling, type, json_incref(about));
    }
}

static void add_start(struct telling *telling, enum sig_call_status before) {
    enum sig_call_status now = telling->call->status;
    if (before == SIG_CALL_INITIATING && now != SIG_CALL_INITIATING)
        add(telling, "call.started", NULL);
    else if (before == SIG_CALL_RINGING && now == SIG_CALL_ACTIVE)
        add(telling, "call.answered", NULL);
}

static void add_end(struct telling *telling, enum sig_call_status before) {
    enum sig_call_status now = telling->call->status;
    if (before == now || !sig_call_is_over(telling->call))
        return;
    add(telling,
        now == SIG_CALL_MISSED     ? "call.missed"
        : now == SIG_CALL_REJECTED ? "call.rejected"
                                   : "call.ended",
        NULL);
}

static bool is_changed(const struct sig_call *call) {
    bool changed = call->told_status != call->status;
    for (size_t i = 0; !changed && i < call->participant_count; i++)
        changed = participant_type(call->participants[i]->told_status,
                                   call->participants[i]->status) != NULL;
    return changed;
}

void sig_webhook_events_make(struct sig_webhook_events *events, struct sig_call *call,
                             const char *by, uint64_t now_ms) {
    enum sig_call_status before = call->told_status;
    if (!is_changed(call))
        return;
    struct telling telling = {.events = events,
                              .call = call,
                              .by = by,
                              .now_ms = now_ms,
                              .about = sig_api_status_json(call, now_ms)};
    telling.participants = json_incref(json_object_get(telling.about, "participants"));
    json_object_del(telling.about, "participants");
    json_object_del(telling.about, "success");
    call->told_status = call->status;
    add_start(&telling, before);
    add_participants(&telling);
    add_end(&telling, before);
    json_decref(telling.about);
    json_decref(telling.participants);
}

void sig_webhook_events_skip(struct sig_call *call) {
    call->told_status = call->status;
    for (size_t i = 0; i < call->participant_count; i++)
        call->participants[i]->told_status = call->participants[i]->status;
}

void sig_webhook_events_deinit(struct sig_webhook_events *events) {
    for (size_t i = 0; i < events->count; i++) {
        free((char *)(uintptr_t)events->hooks[i].id);
        free((char *)(uintptr_t)events->hooks[i].body);
    }
    free(events->hooks);
    *events = (struct sig_webhook_events){.count = 0};
}
