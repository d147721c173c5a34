/* GET /api/v1/calls/{id}/analytics: how a call was for each of its participants, as a whole and
 * over time, and what happened in it. */
#include <stdlib.h>
#include <string.h>

#include "signaling/api_internal.h"
#include "signaling/when.h"

#define POINTS_MAX 60         /* Per participant. */
#define INTERVAL_MIN_MS 10000 /* As often as samples are taken. */

struct analytics {
    struct sig_pending *pending;
    json_t *answer;       /* Owned. */
    json_t *participants; /* In the answer. */
    char call_id[SIG_UUID_SIZE];
};

static void finish(struct analytics *analytics) {
    struct sig_pending *pending = analytics->pending;
    json_decref(analytics->answer);
    free(analytics);
    sig_pending_finish(pending);
}

static void fail(struct analytics *analytics) {
    if (analytics->pending->request)
        sig_http_error(analytics->pending->request, 503, "store_failed",
                       "The store does not answer");
    finish(analytics);
}

static double score_of(unsigned hundredths) {
    return hundredths / 100.0;
}

static json_t *figures_json(const struct sig_store_sample *sample) {
    return json_pack("{s:f, s:f, s:s?, s:f, s:f, s:i, s:I, s:I}", "score", score_of(sample->score),
                     "score_min", score_of(sample->score_min), "reason", sample->reason, "up_loss",
                     sample->up_loss_permille / 1000.0, "down_loss",
                     sample->down_loss_permille / 1000.0, "rtt_ms", (int)sample->rtt_ms, "up_bps",
                     (json_int_t)sample->up_bps, "down_bps", (json_int_t)sample->down_bps);
}

/* One more interval into the sum over all. */
static void sum_up(struct sig_store_sample *sum, const struct sig_store_sample *sample) {
    uint64_t before = sum->weight, more = sample->weight, all = before + more;
    if (before == 0 || sample->score_min < sum->score_min) {
        sum->score_min = sample->score_min;
        sum->reason = sample->reason;
    }
#define MEAN(field)                                                                                \
    sum->field = (__typeof__(sum->field))((sum->field * before + sample->field * more) / all)
    MEAN(score);
    MEAN(up_loss_permille);
    MEAN(down_loss_permille);
    MEAN(rtt_ms);
    MEAN(up_bps);
    MEAN(down_bps);
#undef MEAN
    sum->weight = (unsigned)all;
}

static json_t *find_participant(const struct analytics *analytics, const char *user_id) {
    json_t *each;
    size_t i;
    json_array_foreach(analytics->participants, i, each) {
        const char *id = json_string_value(json_object_get(each, "user_id"));
        if (id && strcmp(id, user_id) == 0)
            return each;
    }
    return NULL;
}

/* The samples of one participant: count of them from the first on. */
static void add_participant(struct analytics *analytics, const struct sig_store_sample *samples,
                            size_t count) {
    json_t *who = find_participant(analytics, samples[0].user_id);
    struct sig_store_sample sum = {.weight = 0};
    json_t *points = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *point = figures_json(&samples[i]);
        json_object_set_new(point, "at", sig_when_json(samples[i].at_ms));
        json_array_append_new(points, point);
        sum_up(&sum, &samples[i]);
    }
    if (who) {
        json_object_set_new(who, "quality", figures_json(&sum));
        json_object_set_new(who, "over_time", points);
    } else {
        json_decref(points);
    }
}

static void on_events(void *data, int status, const struct sig_store_event *events, size_t count) {
    struct analytics *analytics = data;
    json_t *list = json_array();
    if (status < 0 || !analytics->pending->request) {
        json_decref(list);
        fail(analytics);
        return;
    }
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list,
                              json_pack("{s:o, s:s, s:s?}", "at", sig_when_json(events[i].at_ms),
                                        "event", events[i].event, "user_id", events[i].user_id));
    json_object_set_new(analytics->answer, "events", list);
    sig_http_reply_json(analytics->pending->request, 200, json_incref(analytics->answer));
    finish(analytics);
}

static void on_samples(void *data, int status, const struct sig_store_sample *samples,
                       size_t count) {
    struct analytics *analytics = data;
    if (status < 0) {
        fail(analytics);
        return;
    }
    for (size_t i = 0, end = 0; i < count; i = end) {
        while (end < count && strcmp(samples[end].user_id, samples[i].user_id) == 0)
            end++;
        add_participant(analytics, &samples[i], end - i);
    }
    sig_store_list_events(analytics->pending->api->options.store, analytics->call_id, on_events,
                          analytics);
}

static void read_call(struct analytics *analytics, const struct sig_call *call) {
    const struct sig_api_options *options = &analytics->pending->api->options;
    uint64_t now_ms = options->wall_ms();
    uint64_t end_ms = sig_call_is_over(call) ? call->ended_at_ms : now_ms;
    uint64_t interval_ms = (end_ms - call->created_at_ms) / POINTS_MAX + 1;
    interval_ms = (interval_ms + INTERVAL_MIN_MS - 1) / INTERVAL_MIN_MS * INTERVAL_MIN_MS;
    json_t *each;
    size_t i;
    strcpy(analytics->call_id, call->id);
    analytics->answer = sig_api_status_json(call, now_ms);
    analytics->participants = json_object_get(analytics->answer, "participants");
    json_object_set_new(analytics->answer, "interval",
                        json_integer((json_int_t)(interval_ms / 1000)));
    json_array_foreach(analytics->participants, i, each) {
        json_object_set_new(each, "quality", json_null());
        json_object_set_new(each, "over_time", json_array());
    }
    sig_store_list_samples(options->store, call->id, call->created_at_ms, interval_ms, on_samples,
                           analytics);
}

static void on_call(void *data, int status, const struct sig_call *const *calls, size_t count,
                    size_t total) {
    struct analytics *analytics = data;
    (void)total;
    if (sig_api_may_answer(analytics->pending, status, count ? calls[0] : NULL))
        read_call(analytics, calls[0]);
    else
        finish(analytics);
}

void sig_api_handle_analytics(struct sig_http_request *request, void *data) {
    struct sig_api *api = data;
    struct sig_identity identity;
    if (sig_auth_require(api->options.auth, request, &identity) < 0)
        return;
    const char *id = sig_api_require_call_id(request);
    struct sig_pending *pending = id ? sig_pending_create(api, request, &identity) : NULL;
    struct analytics *analytics = pending ? calloc(1, sizeof(*analytics)) : NULL;
    if (pending && !analytics) {
        sig_http_error(request, 503, "out_of_memory", "The server is out of memory");
        sig_pending_free(pending);
    }
    if (!analytics)
        return;
    analytics->pending = pending;
    sig_api_find_call(pending, id, on_call, analytics);
    sig_pending_wait(pending);
}
