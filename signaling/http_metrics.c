/* What the HTTP server has counted. */
#include "signaling/http_internal.h"

static void write_by_label(struct sig_metrics *metrics, const char *label, const char *value,
                           uint64_t count) {
    sig_metrics_sample(metrics, (double)count, &(struct sig_metrics_label){label, value}, 1);
}

void sig_http_write_metrics(const struct sig_http *http, struct sig_metrics *metrics) {
    static const char *const classes[] = {NULL, "1xx", "2xx", "3xx", "4xx", "5xx"};
    static const char *const reasons[HTTP_REFUSAL_COUNT] = {
        [HTTP_REFUSED_ADDRESS] = "connections_of_address",
        [HTTP_REFUSED_CONNECTION] = "connections",
        [HTTP_REFUSED_REQUEST] = "requests_of_address",
        [HTTP_REFUSED_BODY] = "body_too_large",
        [HTTP_REFUSED_RECEIVE] = "receive_timeout",
        [HTTP_REFUSED_SEND] = "send_timeout",
        [HTTP_REFUSED_ANSWER] = "answer_timeout",
    };
    sig_metrics_family(metrics, "weir_http_replies_total", SIG_METRICS_COUNTER,
                       "Replies by class of their status.");
    for (size_t i = 1; i < sizeof(classes) / sizeof(classes[0]); i++)
        write_by_label(metrics, "status", classes[i], http->replies[i]);
    sig_metrics_family(metrics, "weir_http_refused_total", SIG_METRICS_COUNTER,
                       "Connections and requests refused or cut, by the limit that they met.");
    for (size_t i = 0; i < HTTP_REFUSAL_COUNT; i++)
        write_by_label(metrics, "reason", reasons[i], http->refusals[i]);
    sig_metrics_counter(metrics, "weir_http_connections_total", "Connections accepted.",
                        http->accepted);
    sig_metrics_gauge(metrics, "weir_http_connections", "Connections open, WebSockets included.",
                      http->connection_count);
    sig_metrics_gauge(metrics, "weir_websockets", "WebSockets open.", http->websocket_count);
}
