#include "signaling/call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const status_names[SIG_CALL_STATUS_COUNT] = {
    [SIG_CALL_INITIATING] = "INITIATING", [SIG_CALL_RINGING] = "RINGING",
    [SIG_CALL_ACTIVE] = "ACTIVE",         [SIG_CALL_ENDED] = "ENDED",
    [SIG_CALL_MISSED] = "MISSED",         [SIG_CALL_REJECTED] = "REJECTED",
};

static const char *const participant_names[SIG_PARTICIPANT_STATUS_COUNT] = {
    [SIG_PARTICIPANT_INVITED] = "INVITED",   [SIG_PARTICIPANT_RINGING] = "RINGING",
    [SIG_PARTICIPANT_JOINED] = "JOINED",     [SIG_PARTICIPANT_LEFT] = "LEFT",
    [SIG_PARTICIPANT_REJECTED] = "REJECTED", [SIG_PARTICIPANT_MISSED] = "MISSED",
};

static const char *const event_names[SIG_CALL_EVENT_COUNT] = {
    [SIG_CALL_EVENT_RING] = "RING",   [SIG_CALL_EVENT_JOIN] = "JOIN",
    [SIG_CALL_EVENT_LEAVE] = "LEAVE", [SIG_CALL_EVENT_REJECT] = "REJECT",
    [SIG_CALL_EVENT_MISS] = "MISS",   [SIG_CALL_EVENT_START] = "START",
    [SIG_CALL_EVENT_END] = "END",     [SIG_CALL_EVENT_TIMEOUT] = "TIMEOUT",
};

static const char *const type_names[] = {
    [SIG_CALL_AUDIO] = "AUDIO",
    [SIG_CALL_VIDEO] = "VIDEO",
};

const char *sig_call_status_name(enum sig_call_status status) {
    return status_names[status];
}

const char *sig_participant_status_name(enum sig_participant_status status) {
    return participant_names[status];
}

const char *sig_call_event_name(enum sig_call_event event) {
    return event_names[event];
}

const char *sig_call_type_name(enum sig_call_type type) {
    return type_names[type];
}

static int find_name(const char *const *names, int count, const char *text) {
    for (int i = 0; text && i < count; i++)
        if (strcmp(text, names[i]) == 0)
            return i;
    return -EBADMSG;
}

int sig_call_status_read(const char *text, enum sig_call_status *out) {
    int found = find_name(status_names, SIG_CALL_STATUS_COUNT, text);
    if (found >= 0)
        *out = (enum sig_call_status)found;
    return found < 0 ? found : 0;
}

int sig_participant_status_read(const char *text, enum sig_participant_status *out) {
    int found = find_name(participant_names, SIG_PARTICIPANT_STATUS_COUNT, text);
    if (found >= 0)
        *out = (enum sig_participant_status)found;
    return found < 0 ? found : 0;
}

int sig_call_type_read(const char *text, enum sig_call_type *out) {
    int found = find_name(type_names, SIG_CALL_VIDEO + 1, text);
    if (found >= 0)
        *out = (enum sig_call_type)found;
    return found < 0 ? found : 0;
}

static void participant_destroy(struct sig_participant *participant) {
    if (!participant)
        return;
    free(participant->user_id);
    free(participant->name);
    free(participant);
}

static struct sig_participant *participant_create(const char *user_id, const char *name) {
    struct sig_participant *participant = calloc(1, sizeof(*participant));
    if (!participant)
        return NULL;
    participant->user_id = strdup(user_id);
    participant->name = strdup(name);
    if (participant->user_id && participant->name)
        return participant;
    participant_destroy(participant);
    return NULL;
}

static void copy_lower(char *out, const char *id, size_t size) {
    size_t i = 0;
    for (; id[i] && i + 1 < size; i++)
        out[i] = (char)(id[i] >= 'A' && id[i] <= 'Z' ? id[i] - 'A' + 'a' : id[i]);
    out[i] = '\0';
}

struct sig_call *sig_call_create(const char *id, enum sig_call_type type, const char *initiator_id,
                                 const char *initiator_name, uint64_t now_ms) {
    struct sig_call *call = calloc(1, sizeof(*call));
    if (!call)
        return NULL;
    if (id)
        copy_lower(call->id, id, sizeof(call->id));
    else
        sig_text_random_uuid(call->id);
    call->type = type;
    call->created_at_ms = now_ms;
    call->initiator_id = strdup(initiator_id);
    if (call->initiator_id && sig_call_add(call, initiator_id, initiator_name))
        return call;
    sig_call_destroy(call);
    return NULL;
}

void sig_call_destroy(struct sig_call *call) {
    if (!call)
        return;
    for (size_t i = 0; i < call->participant_count; i++)
        participant_destroy(call->participants[i]);
    free(call->participants);
    free(call->chains);
    free(call->initiator_id);
    free(call->channel_id);
    free(call);
}

static int copy_participant(struct sig_call *copy, const struct sig_participant *from) {
    struct sig_participant *to = sig_call_add(copy, from->user_id, from->name);
    if (!to)
        return -ENOMEM;
    struct sig_participant values = *from;
    values.user_id = to->user_id;
    values.name = to->name;
    values.next_alike = to->next_alike;
    *to = values;
    return 0;
}

struct sig_call *sig_call_copy(const struct sig_call *call) {
    struct sig_call *copy = malloc(sizeof(*copy));
    if (!copy)
        return NULL;
    *copy = *call;
    copy->participants = copy->chains = NULL;
    copy->participant_count = copy->participant_capacity = copy->people_count = 0;
    copy->chain_count = 0;
    copy->initiator_id = strdup(call->initiator_id);
    copy->channel_id = call->channel_id ? strdup(call->channel_id) : NULL;
    bool failed = !copy->initiator_id || (call->channel_id && !copy->channel_id);
    for (size_t i = 0; !failed && i < call->participant_count; i++)
        failed = copy_participant(copy, call->participants[i]) < 0;
    copy->people_count = call->people_count;
    if (!failed)
        return copy;
    sig_call_destroy(copy);
    return NULL;
}

static struct sig_participant **chain_of(const struct sig_call *call, const char *user_id) {
    return &call->chains[sig_text_hash(user_id) % call->chain_count];
}

static void link_alike(struct sig_call *call, struct sig_participant *who) {
    struct sig_participant **chain = chain_of(call, who->user_id);
    who->next_alike = *chain;
    *chain = who;
}

static void unlink_alike(struct sig_call *call, struct sig_participant *who) {
    struct sig_participant **link = chain_of(call, who->user_id);
    while (*link != who)
        link = &(*link)->next_alike;
    *link = who->next_alike;
}

/* As many chains as there is room for participants. */
static int grow(struct sig_call *call) {
    if (call->participant_count < call->participant_capacity)
        return 0;
    size_t capacity = call->participant_capacity ? call->participant_capacity * 2 : 4;
    struct sig_participant **chains = calloc(capacity, sizeof(struct sig_participant *));
    struct sig_participant **bigger =
        chains ? realloc(call->participants, capacity * sizeof(struct sig_participant *)) : NULL;
    if (!bigger) {
        free(chains);
        return -ENOMEM;
    }
    call->participants = bigger;
    call->participant_capacity = capacity;
    free(call->chains);
    call->chains = chains;
    call->chain_count = capacity;
    for (size_t i = 0; i < call->participant_count; i++)
        link_alike(call, call->participants[i]);
    return 0;
}

struct sig_participant *sig_call_add(struct sig_call *call, const char *user_id, const char *name) {
    struct sig_participant *participant = sig_call_find(call, user_id);
    if (participant)
        return participant;
    if (grow(call) < 0)
        return NULL;
    participant = participant_create(user_id, name);
    if (!participant)
        return NULL;
    participant->position = call->people_count++;
    call->participants[call->participant_count++] = participant;
    link_alike(call, participant);
    return participant;
}

static bool is_forgettable(const struct sig_participant *who) {
    return who->is_guest && who->status == SIG_PARTICIPANT_LEFT;
}

bool sig_call_forget_guest(struct sig_call *call) {
    size_t oldest = call->participant_count;
    for (size_t i = 0; i < call->participant_count; i++) {
        const struct sig_participant *who = call->participants[i];
        if (!is_forgettable(who))
            continue;
        if (oldest == call->participant_count ||
            who->left_at_ms < call->participants[oldest]->left_at_ms)
            oldest = i;
    }
    if (oldest == call->participant_count)
        return false;
    unlink_alike(call, call->participants[oldest]);
    participant_destroy(call->participants[oldest]);
    call->participant_count--;
    memmove(&call->participants[oldest], &call->participants[oldest + 1],
            (call->participant_count - oldest) * sizeof(struct sig_participant *));
    return true;
}

static struct sig_participant *look_through(const struct sig_call *call, const char *user_id) {
    for (size_t i = 0; i < call->participant_count; i++)
        if (strcmp(call->participants[i]->user_id, user_id) == 0)
            return call->participants[i];
    return NULL;
}

struct sig_participant *sig_call_find(const struct sig_call *call, const char *user_id) {
    if (call->chain_count == 0) /* Made by the store, to be read. */
        return look_through(call, user_id);
    struct sig_participant *who = *chain_of(call, user_id);
    while (who && strcmp(who->user_id, user_id) != 0)
        who = who->next_alike;
    return who;
}

bool sig_call_is_over(const struct sig_call *call) {
    return call->status >= SIG_CALL_ENDED;
}

bool sig_call_has_missed(const struct sig_call *call, const struct sig_participant *who) {
    bool is_waited_for =
        who->status == SIG_PARTICIPANT_INVITED || who->status == SIG_PARTICIPANT_RINGING;
    return strcmp(call->initiator_id, who->user_id) != 0 && who->joined_at_ms == 0 &&
           who->status != SIG_PARTICIPANT_REJECTED && (!is_waited_for || sig_call_is_over(call));
}

size_t sig_call_count(const struct sig_call *call, enum sig_participant_status status) {
    size_t count = 0;
    for (size_t i = 0; i < call->participant_count; i++)
        count += call->participants[i]->status == status;
    return count;
}

uint64_t sig_call_duration_ms(const struct sig_call *call, uint64_t now_ms) {
    uint64_t end_ms = sig_call_is_over(call) ? call->ended_at_ms : now_ms;
    return call->started_at_ms && end_ms > call->started_at_ms ? end_ms - call->started_at_ms : 0;
}
