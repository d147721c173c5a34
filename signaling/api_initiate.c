/* POST /calls/initiate: who is called is looked up in the store (the channel's members, names),
 * then the call is made or, when it is on already, joined. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/api_internal.h"

/* What is known so far, from answer to answer of the store. */
struct initiation {
    struct sig_pending *pending;
    enum sig_call_type type;
    json_t *body;
    const char *channel_id; /* The body's, or NULL. */
    bool is_member;         /* Of that channel, which is ours. */
    /* Owned: `count` callees. */
    char **user_ids;
    char **names; /* NULL among them: unknown. */
    size_t count, capacity;
};

static void initiation_free(struct initiation *initiation) {
    for (size_t i = 0; i < initiation->count; i++) {
        free(initiation->user_ids[i]);
        free(initiation->names[i]);
    }
    free(initiation->user_ids);
    free(initiation->names);
    json_decref(initiation->body);
    free(initiation);
}

static bool grow(struct initiation *initiation) {
    size_t capacity = initiation->capacity ? initiation->capacity * 2 : 8;
    char **user_ids = realloc(initiation->user_ids, capacity * sizeof(char *));
    if (user_ids)
        initiation->user_ids = user_ids;
    char **names = realloc(initiation->names, capacity * sizeof(char *));
    if (names)
        initiation->names = names;
    if (!user_ids || !names)
        return false;
    initiation->capacity = capacity;
    return true;
}

static int add_callee(struct initiation *initiation, const char *user_id, const char *name) {
    if (initiation->count == initiation->capacity && !grow(initiation))
        return -ENOMEM;
    char *id = strdup(user_id);
    if (!id)
        return -ENOMEM;
    initiation->user_ids[initiation->count] = id;
    initiation->names[initiation->count++] = name ? strdup(name) : NULL;
    return 0;
}

static void refuse(struct initiation *initiation, const struct sig_refusal *refusal) {
    struct sig_pending *pending = initiation->pending;
    if (pending->request)
        sig_api_refuse(pending->request, refusal);
    initiation_free(initiation);
    sig_pending_finish(pending);
}

static int read_type(const json_t *body, enum sig_call_type *out, struct sig_refusal *refusal) {
    const json_t *type = json_object_get(body, "call_type");
    *out = SIG_CALL_AUDIO;
    if (type && sig_call_type_read(json_string_value(type), out) < 0)
        return sig_refuse(refusal, 400, "bad_request", "call_type has to be AUDIO or VIDEO");
    return 0;
}

static int read_channel(const json_t *body, const char **out, struct sig_refusal *refusal) {
    const json_t *channel = json_object_get(body, "channel_id");
    *out = json_string_value(channel);
    if (channel && !json_is_null(channel) && !(*out && sig_text_is_user_id(*out)))
        return sig_refuse(refusal, 400, "bad_request", "channel_id is no id");
    return 0;
}

static int read_users(struct initiation *initiation, size_t max, struct sig_refusal *refusal) {
    const json_t *list = json_object_get(initiation->body, "user_ids");
    size_t count = json_array_size(list);
    if (list && !json_is_null(list) && !json_is_array(list))
        return sig_refuse(refusal, 400, "bad_request", "user_ids has to be a list of user ids");
    if (max && count > max)
        return sig_refuse(refusal, 429, "too_many_participants",
                          "A call has at most %zu participants", max);
    for (size_t i = 0; i < count; i++) {
        const char *user_id = json_string_value(json_array_get(list, i));
        if (!user_id || !sig_text_is_user_id(user_id))
            return sig_refuse(refusal, 400, "bad_request", "user_ids[%zu] is no user id", i);
        if (add_callee(initiation, user_id, NULL) < 0)
            return sig_refuse_memory(refusal);
    }
    return 0;
}

static json_t *busy_json(const struct sig_call *call, const char *caller) {
    json_t *busy = json_array();
    for (size_t i = 0; i < call->participant_count; i++)
        if (call->participants[i]->is_busy && strcmp(call->participants[i]->user_id, caller) != 0)
            json_array_append_new(busy, json_string(call->participants[i]->user_id));
    return busy;
}

static void make_call(struct initiation *initiation) {
    struct sig_pending *pending = initiation->pending;
    if (!pending->request) { /* Nobody waits for it any more. */
        initiation_free(initiation);
        sig_pending_finish(pending);
        return;
    }
    struct sig_calls *calls = pending->api->options.calls;
    char id[SIG_UUID_SIZE];
    struct sig_refusal refusal;
    const struct sig_call *call = NULL;
    sig_text_random_uuid(id);
    const struct sig_calls_invitation invitation = {.id = id,
                                                    .type = initiation->type,
                                                    .channel_id = initiation->channel_id,
                                                    .user_ids =
                                                        (const char *const *)initiation->user_ids,
                                                    .names = (const char *const *)initiation->names,
                                                    .user_count = initiation->count,
                                                    .is_member = initiation->is_member};
    pending->is_held = true; /* Until the answer can be made, which needs the call. */
    int status = sig_calls_initiate(calls, &pending->identity, &invitation, &call, &refusal,
                                    sig_api_on_stored, pending);
    if (status < 0) {
        refuse(initiation, &refusal);
        return;
    }
    pending->answer = json_pack("{s:b, s:s, s:s, s:b, s:o}", "success", 1, "call_id", call->id,
                                "room_id", call->id, "is_new", strcmp(call->id, id) == 0,
                                "busy_user_ids", busy_json(call, pending->identity.user_id));
    initiation_free(initiation);
    sig_pending_release(pending);
}

static void on_names(void *data, int status, const struct sig_store_user *users, size_t count,
                     size_t total) {
    struct initiation *initiation = data;
    const struct sig_auth *auth = initiation->pending->api->options.auth;
    (void)total;
    for (size_t i = 0; status == 0 && i < count && i < initiation->count; i++)
        if (!initiation->names[i] && users[i].name)
            initiation->names[i] = strdup(users[i].name);
    for (size_t i = 0; i < initiation->count; i++) {
        const char *name =
            initiation->names[i] ? NULL : sig_auth_name_of(auth, initiation->user_ids[i]);
        if (name)
            initiation->names[i] = strdup(name);
    }
    make_call(initiation); /* Without names they go by their ids. */
}

static void find_names(struct initiation *initiation) {
    struct sig_store *store = initiation->pending->api->options.store;
    if (initiation->count == 0)
        make_call(initiation);
    else
        sig_store_find_users(store, (const char *const *)initiation->user_ids, initiation->count,
                             on_names, initiation);
}

/* A channel that we do not know is the host's: it says itself who is called. */
static void on_channel(void *data, int status, const struct sig_store_channel *channel,
                       const struct sig_store_user *members, size_t count) {
    struct initiation *initiation = data;
    struct sig_refusal refusal;
    if (status < 0) {
        sig_refuse(&refusal, 503, "store_failed", "The store does not answer");
        refuse(initiation, &refusal);
        return;
    }
    if (channel && !channel->is_member) {
        sig_refuse(&refusal, 403, "not_member", "You are not a member of this channel");
        refuse(initiation, &refusal);
        return;
    }
    initiation->is_member = channel != NULL;
    for (size_t i = 0; channel && i < count; i++)
        add_callee(initiation, members[i].user_id, members[i].name);
    find_names(initiation);
}

static int read_body(struct initiation *initiation, struct sig_refusal *refusal) {
    const struct sig_config *config = initiation->pending->api->options.config;
    int status = read_type(initiation->body, &initiation->type, refusal);
    if (status == 0)
        status = read_channel(initiation->body, &initiation->channel_id, refusal);
    if (status == 0)
        status = read_users(initiation, (size_t)config->max_participants_per_call, refusal);
    return status;
}

static void initiate(struct sig_pending *pending, json_t *body) {
    struct initiation *initiation = calloc(1, sizeof(*initiation));
    struct sig_refusal refusal;
    if (!initiation) {
        sig_refuse_memory(&refusal);
        sig_api_refuse(pending->request, &refusal);
        sig_pending_finish(pending);
        return;
    }
    initiation->pending = pending;
    initiation->body = json_incref(body);
    if (read_body(initiation, &refusal) < 0)
        refuse(initiation, &refusal);
    else if (initiation->channel_id)
        sig_store_find_channel(pending->api->options.store, initiation->channel_id,
                               pending->identity.user_id, on_channel, initiation);
    else
        find_names(initiation);
}

void sig_api_handle_initiate(struct sig_http_request *request, void *data) {
    struct sig_api *api = data;
    struct sig_identity identity;
    if (sig_api_require_user(api, request, &identity) < 0 ||
        !sig_throttle_allows(api->options.throttle, SIG_THROTTLE_CALLS, request, identity.user_id))
        return;
    json_t *body = sig_http_body_json(request);
    struct sig_pending *pending = body ? sig_pending_create(api, request, &identity) : NULL;
    if (pending) {
        sig_api_remember_user(api, &identity);
        initiate(pending, body);
        sig_pending_wait(pending);
    }
    json_decref(body);
}
