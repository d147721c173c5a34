#include "bench/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* The crowd's own share of a core and of late ticks, above which it is not to be trusted. */
static const double busy_cores = 0.92, late_share = 0.02;

static uint64_t own_cpu_us(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

void bench_measure_init(struct bench_measure *measure, const struct bench_plan *plan,
                        const struct bench_crowd *crowd, struct bench_http *http, uint16_t port) {
    *measure = (struct bench_measure){.plan = plan, .crowd = crowd, .http = http};
    bool is_weir = plan->whip[0] == '\0' && strcmp(plan->protocol, "janus") != 0;
    measure->pid = plan->server_pid > 0 ? (pid_t)plan->server_pid : bench_process_listening(port);
    if (measure->pid != 0 && !bench_process_usage(measure->pid, &measure->alone))
        measure->pid = 0;
    if (plan->metrics[0] != '\0' && strcmp(plan->metrics, "none") != 0)
        snprintf(measure->metrics_url, sizeof(measure->metrics_url), "%s", plan->metrics);
    else if (plan->metrics[0] == '\0' && is_weir)
        snprintf(measure->metrics_url, sizeof(measure->metrics_url), "%s/metrics", plan->url);
}

static void look_away(struct bench_look *look) {
    bench_http_forget(look->exchange);
    free(look->metrics);
    look->metrics = NULL;
    look->exchange = NULL;
}

void bench_measure_deinit(struct bench_measure *measure) {
    look_away(&measure->earlier);
    look_away(&measure->later);
}

void bench_measure_server(const struct bench_measure *measure, char out[static BENCH_NAME_MAX]) {
    char path[64], name[64] = "";
    const char *version = measure->later.metrics
                              ? strstr(measure->later.metrics, "weir_build_info{version=\"")
                              : NULL;
    snprintf(path, sizeof(path), "/proc/%d/comm", (int)measure->pid);
    FILE *file = measure->pid ? fopen(path, "re") : NULL;
    if (file != NULL && fgets(name, sizeof(name), file) == NULL)
        name[0] = '\0';
    if (file != NULL)
        fclose(file);
    name[strcspn(name, "\n")] = '\0';
    version = version ? strchr(version, '"') + 1 : "";
    snprintf(out, BENCH_NAME_MAX, "%s%s%.*s", name, *version ? " " : "",
             (int)strcspn(version, "\""), version);
}

/* --- Looking --- */

static void look(const struct bench_measure *measure, const struct bench_tally *tally,
                 struct bench_look *out) {
    const struct bench_loop *loop = measure->crowd->loop;
    out->at_us = loop->now_us;
    out->tally = *tally;
    out->crowd_cpu_us = own_cpu_us();
    out->datagrams_in = measure->crowd->counters.datagrams_in;
    out->ticks = loop->ticks;
    out->late_ticks = loop->late_ticks;
    out->dropped = bench_process_udp_dropped();
    if (measure->pid != 0)
        bench_process_usage(measure->pid, &out->server);
}

static void on_metrics(void *ctx, const struct bench_reply *reply) {
    struct bench_look *into = ctx;
    into->exchange = NULL;
    if (reply->status == 200)
        into->metrics = strndup(reply->body, reply->len);
}

static void ask_for_metrics(const struct bench_measure *measure, struct bench_look *into) {
    struct bench_request request = {.method = "GET", .url = measure->metrics_url};
    if (measure->metrics_url[0] != '\0')
        into->exchange = bench_http_send(measure->http, &request, on_metrics, into);
}

void bench_measure_begin(struct bench_measure *measure, const struct bench_tally *tally) {
    look_away(&measure->earlier);
    look(measure, tally, &measure->earlier);
    bench_process_threads(measure->pid, &measure->earlier.threads);
    ask_for_metrics(measure, &measure->earlier);
    measure->crowd->loop->latest_us = 0;
}

void bench_measure_end(struct bench_measure *measure, const struct bench_tally *tally) {
    look_away(&measure->later);
    look(measure, tally, &measure->later);
    bench_process_threads(measure->pid, &measure->later.threads);
    ask_for_metrics(measure, &measure->later);
}

bool bench_measure_is_complete(const struct bench_measure *measure) {
    return measure->earlier.exchange == NULL && measure->later.exchange == NULL;
}

/* --- Comparing --- */

static double per(double amount, double of) {
    return of > 0 ? amount / of : 0;
}

static double cores_of(const struct bench_measure *measure, const struct bench_look *earlier,
                       const struct bench_look *later) {
    if (measure->pid == 0)
        return -1;
    return per((double)(later->server.cpu_us - earlier->server.cpu_us),
               (double)(later->at_us - earlier->at_us));
}

static void compare_server(const struct bench_measure *measure, struct bench_window *out) {
    const struct bench_look *earlier = &measure->earlier, *later = &measure->later;
    out->server_cores = cores_of(measure, earlier, later);
    out->server_us_per_packet = out->packets_per_core = out->server_mb = -1;
    out->server_kb_per_client = out->server_user_share = out->server_busiest_share = -1;
    if (measure->pid == 0)
        return;
    double used_us = (double)(later->server.cpu_us - earlier->server.cpu_us);
    double more_kb = (double)later->server.memory_kb - (double)measure->alone.memory_kb;
    out->server_us_per_packet = per(used_us, (double)out->tally.datagrams);
    out->packets_per_core = per((double)out->tally.datagrams * 1e6, used_us);
    out->server_user_share =
        per((double)(later->server.user_us - earlier->server.user_us), used_us);
    out->server_busiest_share =
        per((double)bench_threads_busiest_us(&earlier->threads, &later->threads), used_us);
    out->server_mb = (double)later->server.memory_kb / 1024;
    out->server_kb_per_client = per(more_kb, (double)out->clients);
}

static double metric_between(const struct bench_measure *measure, const char *name) {
    double earlier = bench_metric(measure->earlier.metrics, name);
    double later = bench_metric(measure->later.metrics, name);
    return earlier < 0 || later < 0 ? -1 : later - earlier;
}

static void compare_metrics(const struct bench_measure *measure, struct bench_window *out) {
    static const char inside[] = "weir_sfu_forward_delay_seconds_bucket";
    double sent = metric_between(measure, "weir_sfu_datagrams_sent_total");
    double messages = metric_between(measure, "weir_sfu_gso_messages_total");
    double segments = metric_between(measure, "weir_sfu_gso_segments_total");
    const char *earlier = measure->earlier.metrics, *later = measure->later.metrics;
    double p50_s = bench_metric_percentile(earlier, later, inside, 500);
    double p99_s = bench_metric_percentile(earlier, later, inside, 990);
    out->mean_run = sent > 0 ? per(sent, sent - segments + messages) : -1;
    out->inside_p50_ms = p50_s < 0 ? -1 : p50_s * 1000;
    out->inside_p99_ms = p99_s < 0 ? -1 : p99_s * 1000;
}

static void compare_crowd(const struct bench_measure *measure, struct bench_window *out) {
    const struct bench_look *earlier = &measure->earlier, *later = &measure->later;
    double used_us = (double)(later->crowd_cpu_us - earlier->crowd_cpu_us);
    out->crowd_cores = per(used_us, (double)(later->at_us - earlier->at_us));
    out->crowd_us_per_packet = per(used_us, (double)(later->datagrams_in - earlier->datagrams_in));
    out->ticks = later->ticks - earlier->ticks;
    out->late_ticks = later->late_ticks - earlier->late_ticks;
    out->latest_ms = (double)measure->crowd->loop->latest_us / 1000;
    out->dropped = later->dropped - earlier->dropped;
    out->is_bottleneck = out->crowd_cores > busy_cores ||
                         per((double)out->late_ticks, (double)out->ticks) > late_share ||
                         out->dropped > 0;
}

static bool is_good(const struct bench_plan *plan, const struct bench_window *window) {
    double minutes = window->seconds / 60 * (double)window->watching;
    if (plan->max_loss >= 0 && bench_tally_lost_percent(&window->tally) > plan->max_loss)
        return false;
    if (plan->max_p99_ms >= 0 && bench_tally_delay_ms(&window->tally, 990) > plan->max_p99_ms)
        return false;
    return plan->max_freezes < 0 ||
           per((double)window->tally.freezes, minutes) <= plan->max_freezes;
}

void bench_measure_compare(const struct bench_measure *measure, size_t clients, size_t watching,
                           struct bench_window *out) {
    const struct bench_look *earlier = &measure->earlier, *later = &measure->later;
    *out = (struct bench_window){.clients = clients, .watching = watching};
    out->seconds = (double)(later->at_us - earlier->at_us) / 1e6;
    bench_tally_between(&out->tally, &earlier->tally, &later->tally);
    out->packets_per_s = per((double)out->tally.datagrams, out->seconds);
    compare_server(measure, out);
    compare_metrics(measure, out);
    compare_crowd(measure, out);
    out->is_good = is_good(measure->plan, out);
}

void bench_measure_sample(struct bench_measure *measure, const struct bench_tally *tally,
                          size_t clients, struct bench_sample *out) {
    struct bench_look now = {0}, *before = &measure->second;
    struct bench_tally part;
    look(measure, tally, &now);
    if (before->at_us == 0)
        *before = now;
    double seconds = (double)(now.at_us - before->at_us) / 1e6;
    bench_tally_between(&part, &before->tally, &now.tally);
    *out = (struct bench_sample){
        .clients = (double)clients,
        .packets_per_s = per((double)(now.datagrams_in - before->datagrams_in), seconds),
        .lost_percent = bench_tally_lost_percent(&part),
        .delay_ms = bench_tally_delay_ms(&part, 990),
        .server_cores = cores_of(measure, before, &now),
        .server_mb = measure->pid ? (double)now.server.memory_kb / 1024 : -1,
        .crowd_cores = per((double)(now.crowd_cpu_us - before->crowd_cpu_us), seconds * 1e6),
    };
    *before = now;
}
