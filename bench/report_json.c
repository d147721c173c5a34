/* The results as programs read them. What is not known is null. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "bench/results.h"

static json_t *known(double value) {
    return value < 0 ? json_null() : json_real(value);
}

static json_t *delays(const uint64_t *counts) {
    return json_pack("{s:f, s:f, s:f, s:f}", "p50_ms", bench_delay_ms(counts, 500), "p95_ms",
                     bench_delay_ms(counts, 950), "p99_ms", bench_delay_ms(counts, 990), "max_ms",
                     bench_delay_ms(counts, 1000));
}

static json_t *tally_json(const struct bench_tally *tally) {
    json_t *json = json_object();
#define X(name) json_object_set_new(json, #name, json_integer((json_int_t)tally->name));
    BENCH_TALLY_COUNTERS(X)
#undef X
    json_object_set_new(json, "lost_percent", json_real(bench_tally_lost_percent(tally)));
    json_object_set_new(json, "delay_of_pictures", delays(tally->video_delays));
    json_object_set_new(json, "delay_of_sound", delays(tally->audio_delays));
    return json;
}

static json_t *server_json(const struct bench_window *window) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "cores",
                     known(window->server_cores), "user_share", known(window->server_user_share),
                     "busiest_share", known(window->server_busiest_share), "us_per_packet",
                     known(window->server_us_per_packet), "packets_per_core",
                     known(window->packets_per_core), "mb", known(window->server_mb),
                     "kb_per_client",
                     window->server_mb < 0 ? json_null() : json_real(window->server_kb_per_client),
                     "mean_run", known(window->mean_run), "inside_p50_ms",
                     known(window->inside_p50_ms), "inside_p99_ms", known(window->inside_p99_ms));
}

static json_t *crowd_json(const struct bench_window *window) {
    return json_pack("{s:f, s:f, s:I, s:I, s:f, s:I, s:b}", "cores", window->crowd_cores,
                     "us_per_packet", window->crowd_us_per_packet, "ticks",
                     (json_int_t)window->ticks, "late_ticks", (json_int_t)window->late_ticks,
                     "latest_ms", window->latest_ms, "dropped", (json_int_t)window->dropped,
                     "is_bottleneck", window->is_bottleneck);
}

static json_t *window_json(const struct bench_window *window) {
    return json_pack("{s:f, s:I, s:I, s:f, s:b, s:o, s:o, s:o}", "seconds", window->seconds,
                     "clients", (json_int_t)window->clients, "watching",
                     (json_int_t)window->watching, "packets_per_s", window->packets_per_s,
                     "is_good", window->is_good, "media", tally_json(&window->tally), "server",
                     server_json(window), "crowd", crowd_json(window));
}

static json_t *sample_json(const struct bench_sample *sample) {
    return json_pack("{s:f, s:f, s:f, s:f, s:f, s:o, s:o, s:f}", "at_s", sample->at_s, "clients",
                     sample->clients, "packets_per_s", sample->packets_per_s, "lost_percent",
                     sample->lost_percent, "p99_ms", sample->delay_ms, "server_cores",
                     known(sample->server_cores), "server_mb", known(sample->server_mb),
                     "crowd_cores", sample->crowd_cores);
}

static json_t *joins_json(const struct bench_results *results) {
    return json_pack("{s:I, s:I, s:I, s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "connected",
                     (json_int_t)results->connected, "failed", (json_int_t)results->failed, "left",
                     (json_int_t)results->left, "failure", results->failure, "per_s",
                     results->joins_per_s, "keyframes_per_s", results->join_keyframes_per_s,
                     "signaling_p50_ms", results->join_signaling_p50_ms, "signaling_p99_ms",
                     results->join_signaling_p99_ms, "connected_p50_ms", results->join_media_p50_ms,
                     "connected_p99_ms", results->join_media_p99_ms, "first_picture_p50_ms",
                     results->first_frame_p50_ms, "first_picture_p99_ms",
                     results->first_frame_p99_ms);
}

int bench_report_json(const struct bench_results *results, const char *path) {
    const struct bench_plan *plan = &results->plan;
    json_t *steps = json_array(), *samples = json_array();
    for (size_t i = 0; i < results->step_count; i++)
        json_array_append_new(steps, window_json(&results->steps[i]));
    for (size_t i = 0; i < results->sample_count; i++)
        json_array_append_new(samples, sample_json(&results->samples[i]));
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:i, s:o, s:o, s:o, s:o}",
                             "scenario", plan->scenario, "label", plan->label, "protocol",
                             plan->protocol, "server", results->server, "machine", results->machine,
                             "began", results->began, "interrupted", results->interrupted, "status",
                             bench_results_status(results), "capacity", known(results->capacity),
                             "joins", joins_json(results), "steps", steps, "samples", samples);
    int result = json == NULL ? -ENOMEM : 0;
    if (json != NULL && json_dump_file(json, path, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) < 0)
        result = -EIO;
    json_decref(json);
    return result;
}
