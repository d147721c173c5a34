#include "signaling/ops.h"

#include <string.h>
#include <uv.h>

#include "signaling/metrics.h"

static void handle_health(struct sig_http_request *request, void *data) {
    (void)data;
    sig_http_reply_json(request, 200, json_pack("{s:b, s:s}", "success", 1, "status", "ok"));
}

static void handle_ready(struct sig_http_request *request, void *data) {
    const struct sig_ops *ops = data;
    if (sig_calls_is_draining(ops->calls))
        sig_http_error(request, 503, "draining", "The server is going down for a while");
    else
        sig_http_reply_json(request, 200, json_pack("{s:b, s:s}", "success", 1, "status", "ready"));
}

static void handle_server(struct sig_http_request *request, void *data) {
    const struct sig_ops *ops = data;
    struct sig_identity identity;
    struct sfu_stats sfu;
    struct sig_calls_stats calls;
    if (sig_auth_require(ops->auth, request, &identity) < 0)
        return;
    if (!identity.is_admin || identity.call[0]) {
        sig_http_error(request, 403, "not_admin", "This needs a token with the admin grant");
        return;
    }
    sfu_stats_get(ops->sfu, &sfu);
    sig_calls_stats_get(ops->calls, &calls);
    sig_http_reply_json(request, 200,
                        json_pack("{s:b, s:s, s:I, s:b, s:I, s:I, s:I, s:I, s:I, s:I}", "success",
                                  1, "version", WEIR_VERSION, "uptime_s",
                                  (json_int_t)((uv_hrtime() / 1000 - ops->started_us) / 1000000),
                                  "draining", sig_calls_is_draining(ops->calls), "workers",
                                  (json_int_t)sfu.workers, "calls", (json_int_t)calls.calls,
                                  "sessions", (json_int_t)calls.sessions, "participants",
                                  (json_int_t)sfu.participants, "tracks", (json_int_t)sfu.tracks,
                                  "slots", (json_int_t)sfu.slots));
}

static void write_call_metrics(struct sig_metrics *metrics, const struct sig_calls *calls) {
    struct sig_calls_stats stats;
    sig_calls_stats_get(calls, &stats);
    const struct {
        const char *status;
        size_t count;
    } statuses[] = {{"ringing", stats.ringing}, {"active", stats.active}};
    sig_metrics_family(metrics, "weir_calls", SIG_METRICS_GAUGE, "Calls going on, by status.");
    for (size_t i = 0; i < 2; i++) {
        const struct sig_metrics_label label = {"status", statuses[i].status};
        sig_metrics_sample(metrics, (double)statuses[i].count, &label, 1);
    }
    sig_metrics_gauge(metrics, "weir_sessions", "Sessions in calls.", (double)stats.sessions);
    sig_metrics_gauge(metrics, "weir_sessions_detached",
                      "Sessions whose client is gone and may resume.", (double)stats.detached);
    sig_metrics_gauge(metrics, "weir_tracks_published", "Tracks published in calls.",
                      (double)stats.tracks);
    sig_metrics_gauge(metrics, "weir_listeners", "Browsers waiting for notifications.",
                      (double)stats.listeners);
    sig_metrics_gauge(metrics, "weir_users_online", "Users with a browser open, or in a call.",
                      (double)stats.online);
    sig_metrics_counter(metrics, "weir_calls_started_total", "Calls started.", stats.started);
    sig_metrics_counter(metrics, "weir_signaling_messages_total",
                        "Messages received from clients over WebSockets.", stats.messages);
    sig_metrics_counter(metrics, "weir_signaling_errors_total",
                        "Messages of clients that were answered by an error.", stats.errors);
}

static void write_delays(struct sig_metrics *metrics, const struct sfu_delays *delays) {
    double bounds[SFU_DELAY_BOUNDS];
    for (size_t i = 0; i < SFU_DELAY_BOUNDS; i++)
        bounds[i] = (double)sfu_delay_bounds_us[i] / 1e6;
    sig_metrics_family(metrics, "weir_sfu_forward_delay_seconds", SIG_METRICS_HISTOGRAM,
                       "From the kernel's stamp of a packet's arrival to the call that sends it.");
    sig_metrics_histogram(
        metrics,
        &(struct sig_metrics_histogram){.bounds = bounds,
                                        .buckets = delays->datagrams,
                                        .bound_count = SFU_DELAY_BOUNDS,
                                        .overflow = delays->datagrams[SFU_DELAY_BOUNDS],
                                        .sum = (double)delays->sum_us / 1e6},
        NULL, 0);
}

static void write_sfu_metrics(struct sig_metrics *metrics, const struct sfu *sfu) {
    struct sfu_stats stats;
    sfu_stats_get(sfu, &stats);
    const struct {
        const char *name, *help;
        size_t value;
    } gauges[] = {
        {"weir_sfu_workers", "Worker threads.", stats.workers},
        {"weir_sfu_rooms", "Rooms with participants.", stats.rooms},
        {"weir_sfu_participants", "Transports.", stats.participants},
        {"weir_sfu_tracks", "Tracks received.", stats.tracks},
        {"weir_sfu_slots", "Slots of subscribers.", stats.slots},
        {"weir_sfu_timers", "Transports with a deadline set.", stats.timers},
        {"weir_sfu_packets_in_use", "Packets held for forwarding and retransmission.",
         stats.packets_in_use},
        {"weir_sfu_tcp_connections", "TCP connections for media.", stats.tcp_connections},
    };
    for (size_t i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++)
        sig_metrics_gauge(metrics, gauges[i].name, gauges[i].help, (double)gauges[i].value);
#define X(name)                                                                                    \
    sig_metrics_counter(metrics, "weir_sfu_" #name "_total", "The SFU's " #name ".",               \
                        stats.counters.name);
    SFU_COUNTERS(X)
#undef X
    write_delays(metrics, &stats.delays);
}

static void write_store_metrics(struct sig_metrics *metrics, struct sig_store *store) {
    struct sig_store_stats stats;
    sig_store_stats_get(store, &stats);
    sig_metrics_gauge(metrics, "weir_store_up", "1 while the database can be used.",
                      stats.is_answering);
    sig_metrics_gauge(metrics, "weir_store_queued", "Operations that wait for the database.",
                      (double)stats.queued);
    sig_metrics_counter(metrics, "weir_store_operations_total", "Operations of the database.",
                        stats.done);
    sig_metrics_counter(metrics, "weir_store_transactions_total",
                        "Transactions, each of one operation or many.", stats.batches);
    sig_metrics_counter(metrics, "weir_store_failures_total",
                        "Operations that the database could not do.", stats.failed);
}

static void write_limits_metrics(struct sig_metrics *metrics, const struct sig_throttle *throttle) {
    sig_metrics_family(metrics, "weir_rate_limited_total", SIG_METRICS_COUNTER,
                       "What was refused because a user or an address did it too often.");
    for (int kind = 0; kind < SIG_THROTTLE_KINDS; kind++) {
        const struct sig_metrics_label label = {"kind", sig_throttle_name(kind)};
        sig_metrics_sample(metrics, (double)sig_throttle_refused(throttle, kind), &label, 1);
    }
}

static void handle_metrics(struct sig_http_request *request, void *data) {
    const struct sig_ops *ops = data;
    struct sig_metrics metrics = {0};
    sig_metrics_family(&metrics, "weir_build_info", SIG_METRICS_GAUGE, "The version running.");
    sig_metrics_sample(&metrics, 1,
                       &(struct sig_metrics_label){.name = "version", .value = WEIR_VERSION}, 1);
    sig_metrics_gauge(&metrics, "weir_draining", "1 while no joins are taken.",
                      sig_calls_is_draining(ops->calls));
    write_call_metrics(&metrics, ops->calls);
    sig_metrics_gauge(&metrics, "weir_whip_sessions", "WHIP and WHEP sessions.",
                      (double)sig_whip_count(ops->whip));
    write_store_metrics(&metrics, ops->store);
    write_limits_metrics(&metrics, ops->throttle);
    sig_webhook_write_metrics(ops->webhook, &metrics);
    write_sfu_metrics(&metrics, ops->sfu);
    sig_http_write_metrics(sig_http_server(request), &metrics);
    sig_auth_write_metrics(ops->auth, &metrics);
    if (metrics.failed)
        sig_http_error(request, 503, "out_of_memory", "The server is out of memory");
    else
        sig_http_reply(request, 200, SIG_METRICS_CONTENT_TYPE, metrics.text, metrics.len);
    sig_metrics_deinit(&metrics);
}

int sig_ops_add_routes(struct sig_ops *ops, struct sig_http *http) {
    static const struct sig_http_route routes[] = {
        {.method = "GET", .path = "/healthz", .handler = handle_health},
        {.method = "GET", .path = "/readyz", .handler = handle_ready},
        {.method = "GET", .path = "/metrics", .handler = handle_metrics},
        {.method = "GET", .path = "/api/v1/server", .handler = handle_server},
    };
    return sig_http_add_routes(http, routes, sizeof(routes) / sizeof(routes[0]), ops);
}
