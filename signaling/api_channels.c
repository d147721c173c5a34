/* /api/v1/channels: which there are, making one, joining and leaving it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/api_internal.h"
#include "signaling/channels.h"

#define MEMBERSHIPS_MAX 100000 /* That are counted for a listing. */

/* What is asked of one channel, or of all of them, from answer to answer of the store. */
struct asking {
    struct sig_pending *pending;
    json_t *online;  /* Of the listing: channel ids to numbers. */
    unsigned status; /* Of the reply. */
    char channel_id[SIG_USER_ID_SIZE];
    char name[SIG_CHANNEL_NAME_SIZE];
};

static void finish(struct asking *asking) {
    struct sig_pending *pending = asking->pending;
    json_decref(asking->online);
    free(asking);
    sig_pending_finish(pending);
}

static void fail(struct asking *asking, unsigned status, const char *code, const char *words) {
    if (asking->pending->request)
        sig_http_error(asking->pending->request, status, code, "%s", words);
    finish(asking);
}

static void fail_store(struct asking *asking) {
    fail(asking, 503, "store_failed", "The store does not answer");
}

/* Whose business the call is: that of the members. */
static json_t *channel_json(const struct asking *asking, const struct sig_store_channel *channel,
                            size_t online_count) {
    const struct sig_call *call =
        channel->is_member
            ? sig_calls_find_in_channel(asking->pending->api->options.calls, channel->channel_id)
            : NULL;
    return json_pack("{s:s, s:s, s:b, s:I, s:I, s:s?, s:s?}", "id", channel->channel_id, "name",
                     channel->name, "is_member", channel->is_member, "member_count",
                     (json_int_t)channel->member_count, "online_count", (json_int_t)online_count,
                     "call_id", call ? call->id : NULL, "call_type",
                     call ? sig_call_type_name(call->type) : NULL);
}

/* One channel, with its members. */

static json_t *whole_json(const struct asking *asking, const struct sig_store_channel *channel,
                          const struct sig_store_user *members, size_t count) {
    const struct sig_api *api = asking->pending->api;
    json_t *list = json_array();
    size_t online = 0;
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, sig_api_user_json(api, &members[i]));
        online += sig_calls_is_online(api->options.calls, members[i].user_id);
    }
    json_t *json = channel_json(asking, channel, online);
    json_object_set_new(json, "members", list);
    return json;
}

static void on_channel(void *data, int status, const struct sig_store_channel *channel,
                       const struct sig_store_user *members, size_t count) {
    struct asking *asking = data;
    if (status < 0) {
        fail_store(asking);
        return;
    }
    if (!channel) {
        fail(asking, 404, "unknown_channel", "There is no such channel");
        return;
    }
    if (asking->pending->request)
        sig_http_reply_json(asking->pending->request, asking->status,
                            json_pack("{s:b, s:o}", "success", 1, "channel",
                                      whole_json(asking, channel, members, count)));
    finish(asking);
}

static void answer_channel(struct asking *asking) {
    sig_store_find_channel(asking->pending->api->options.store, asking->channel_id,
                           asking->pending->identity.user_id, on_channel, asking);
}

static void on_changed(void *data, int status) {
    struct asking *asking = data;
    if (status == -ENOENT)
        fail(asking, 404, "unknown_channel", "There is no such channel");
    else if (status == -EEXIST)
        fail(asking, 409, "name_taken", "There is a channel of this name");
    else if (status < 0)
        fail(asking, 503, "not_stored", "The change could not be stored");
    if (status < 0)
        return;
    sig_calls_tell_channel_changed(asking->pending->api->options.calls, asking->channel_id);
    answer_channel(asking);
}

/* All channels. */

static void on_channels(void *data, int status, const struct sig_store_channel *channels,
                        size_t count) {
    struct asking *asking = data;
    if (status < 0) {
        fail_store(asking);
        return;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_int_t online =
            json_integer_value(json_object_get(asking->online, channels[i].channel_id));
        json_array_append_new(list, channel_json(asking, &channels[i], (size_t)online));
    }
    if (asking->pending->request)
        sig_http_reply_json(asking->pending->request, 200,
                            json_pack("{s:b, s:o}", "success", 1, "channels", list));
    else
        json_decref(list);
    finish(asking);
}

static void on_memberships(void *data, int status, const struct sig_store_membership *memberships,
                           size_t count) {
    struct asking *asking = data;
    const struct sig_api_options *options = &asking->pending->api->options;
    if (status < 0) {
        fail_store(asking);
        return;
    }
    asking->online = json_object();
    for (size_t i = 0; i < count; i++) {
        const char *channel_id = memberships[i].channel_id;
        json_int_t online = json_integer_value(json_object_get(asking->online, channel_id));
        if (sig_calls_is_online(options->calls, memberships[i].user_id))
            json_object_set_new(asking->online, channel_id, json_integer(online + 1));
    }
    sig_store_list_channels(options->store, asking->pending->identity.user_id, on_channels, asking);
}

/* The requests. */

static struct asking *ask(struct sig_api *api, struct sig_http_request *request,
                          struct sig_identity *identity) {
    struct sig_pending *pending = sig_pending_create(api, request, identity);
    struct asking *asking = pending ? calloc(1, sizeof(*asking)) : NULL;
    if (asking) {
        asking->pending = pending;
        asking->status = 200;
    } else if (pending) {
        sig_http_error(request, 503, "out_of_memory", "The server is out of memory");
        sig_pending_free(pending);
    }
    return asking;
}

/* The channel that the path names; NULL after having replied. */
static struct asking *ask_of_channel(struct sig_api *api, struct sig_http_request *request) {
    struct sig_identity identity;
    const char *id = sig_http_param(request, "id");
    if (sig_api_require_member(api, request, &identity) < 0)
        return NULL;
    if (!sig_text_is_user_id(id)) {
        sig_http_error(request, 404, "unknown_channel", "There is no such channel");
        return NULL;
    }
    struct asking *asking = ask(api, request, &identity);
    if (asking)
        strcpy(asking->channel_id, id);
    return asking;
}

void sig_api_handle_channels(struct sig_http_request *request, void *data) {
    struct sig_api *api = data;
    struct sig_identity identity;
    if (sig_api_require_member(api, request, &identity) < 0)
        return;
    struct asking *asking = ask(api, request, &identity);
    if (!asking)
        return;
    struct sig_pending *pending = asking->pending;
    sig_store_list_memberships(api->options.store, MEMBERSHIPS_MAX, on_memberships, asking);
    sig_pending_wait(pending);
}

void sig_api_handle_channel(struct sig_http_request *request, void *data) {
    struct asking *asking = ask_of_channel(data, request);
    if (!asking)
        return;
    struct sig_pending *pending = asking->pending;
    answer_channel(asking);
    sig_pending_wait(pending);
}

void sig_api_handle_channel_join(struct sig_http_request *request, void *data) {
    struct sig_api *api = data;
    struct asking *asking = ask_of_channel(api, request);
    if (!asking)
        return;
    struct sig_pending *pending = asking->pending;
    sig_api_remember_user(api, &pending->identity);
    sig_store_join_channel(api->options.store, asking->channel_id, pending->identity.user_id,
                           on_changed, asking);
    sig_pending_wait(pending);
}

void sig_api_handle_channel_leave(struct sig_http_request *request, void *data) {
    struct sig_api *api = data;
    struct asking *asking = ask_of_channel(api, request);
    if (!asking)
        return;
    struct sig_pending *pending = asking->pending;
    sig_store_leave_channel(api->options.store, asking->channel_id, pending->identity.user_id,
                            on_changed, asking);
    sig_pending_wait(pending);
}

/* Making one. */

static void on_counted(void *data, int status, const struct sig_store_channel *channels,
                       size_t count) {
    struct asking *asking = data;
    struct sig_pending *pending = asking->pending;
    (void)channels;
    if (status < 0)
        fail_store(asking);
    else if (count >= SIG_CHANNELS_MAX)
        fail(asking, 429, "too_many_channels", "The server has as many channels as it can hold");
    else
        sig_store_create_channel(pending->api->options.store, asking->channel_id, asking->name,
                                 pending->identity.user_id, on_changed, asking);
}

static void create(struct sig_api *api, struct sig_http_request *request,
                   struct sig_identity *identity, const char *name) {
    struct asking *asking = ask(api, request, identity);
    if (!asking)
        return;
    struct sig_pending *pending = asking->pending;
    asking->status = 201;
    strcpy(asking->name, name);
    sig_text_random_uuid(asking->channel_id);
    sig_api_remember_user(api, identity);
    sig_store_list_channels(api->options.store, NULL, on_counted, asking);
    sig_pending_wait(pending);
}

void sig_api_handle_channel_create(struct sig_http_request *request, void *data) {
    struct sig_api *api = data;
    struct sig_identity identity;
    char name[SIG_CHANNEL_NAME_SIZE];
    if (sig_api_require_member(api, request, &identity) < 0)
        return;
    json_t *body = sig_http_body_json(request);
    if (!body)
        return;
    const json_t *given = json_object_get(body, "name");
    if (!json_is_string(given) ||
        sig_channel_name_read(json_string_value(given), json_string_length(given), name) < 0)
        sig_http_error(request, 400, "bad_name",
                       "name has to be 1 to %d characters without control characters",
                       SIG_CHANNEL_NAME_CHARS_MAX);
    else if (sig_throttle_allows(api->options.throttle, SIG_THROTTLE_CHANNELS, request,
                                 identity.user_id))
        create(api, request, &identity, name);
    json_decref(body);
}
