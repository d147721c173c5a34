/* The results as a person reads them on a terminal. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bench/results.h"

const struct bench_window *bench_results_last(const struct bench_results *results) {
    static const struct bench_window none;
    return results->step_count ? &results->steps[results->step_count - 1] : &none;
}

int bench_results_status(const struct bench_results *results) {
    const struct bench_plan *plan = &results->plan;
    const struct bench_window *last = bench_results_last(results);
    bool is_ramp = results->capacity >= 0;
    bool is_judged = plan->max_loss >= 0 || plan->max_p99_ms >= 0 || plan->max_freezes >= 0;
    if (results->connected == 0 || (is_ramp && results->capacity == 0))
        return 1;
    if (is_ramp)
        return results->capacity_is_crowds ? 3 : 0;
    if (results->failed > 0 || (results->step_count == 0 && !results->interrupted))
        return 1;
    if (last->is_good || results->interrupted || !is_judged)
        return 0;
    return last->is_bottleneck ? 3 : 1;
}

__attribute__((format(printf, 2, 3))) static void row(const char *name, const char *format, ...) {
    va_list list;
    printf("  %-26s ", name);
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    putchar('\n');
}

static void print_joins(const struct bench_results *results) {
    row("clients", "%zu joined, %zu failed, %zu left", results->connected, results->failed,
        results->left);
    if (results->failure[0] != '\0')
        row("the first failure", "%s", results->failure);
    if (results->connected == 0)
        return;
    row("joins", "%.0f a second", results->joins_per_s);
    row("  signaling", "p50 %.0f ms, p99 %.0f ms", results->join_signaling_p50_ms,
        results->join_signaling_p99_ms);
    row("  until connected", "p50 %.0f ms, p99 %.0f ms", results->join_media_p50_ms,
        results->join_media_p99_ms);
    if (results->first_frame_p99_ms > 0)
        row("  until the first picture", "p50 %.0f ms, p99 %.0f ms", results->first_frame_p50_ms,
            results->first_frame_p99_ms);
}

static void print_delays(const char *name, const uint64_t *delays) {
    double p50_ms = bench_delay_ms(delays, 500);
    if (p50_ms > 0)
        row(name, "p50 %.0f ms, p95 %.0f ms, p99 %.0f ms, most %.0f ms", p50_ms,
            bench_delay_ms(delays, 950), bench_delay_ms(delays, 990), bench_delay_ms(delays, 1000));
}

static void print_media(const struct bench_window *window) {
    const struct bench_tally *tally = &window->tally;
    unsigned long long expected = tally->packets + tally->lost;
    row("measured", "%.1f s, %zu clients, %zu of them watch", window->seconds, window->clients,
        window->watching);
    row("packets forwarded", "%.0f a second, %.1f Mb/s", window->packets_per_s,
        window->seconds > 0 ? (double)tally->bytes * 8 / window->seconds / 1e6 : 0);
    row("lost", "%.4f %% (%llu of %llu), %llu came by retransmission, %llu twice",
        bench_tally_lost_percent(tally), (unsigned long long)tally->lost, expected,
        (unsigned long long)tally->repairs, (unsigned long long)tally->duplicates);
    print_delays("delay of pictures", tally->video_delays);
    print_delays("delay of sound", tally->audio_delays);
    if (tally->pictures > 0)
        row("pictures", "%llu decoded, %llu broken, %llu freezes of %.1f s",
            (unsigned long long)tally->pictures, (unsigned long long)tally->pictures_broken,
            (unsigned long long)tally->freezes, (double)tally->frozen_us / 1e6);
    row("keyframes", "%llu published, %llu asked for",
        (unsigned long long)tally->published_keyframes,
        (unsigned long long)tally->keyframe_requests);
}

static void print_server(const struct bench_window *window) {
    if (window->server_cores < 0) {
        row("server", "not measured: no --server-pid, and nothing here listens on its port");
    } else {
        row("server's CPU", "%.1f %% of a core (%.0f %% of it user)", window->server_cores * 100,
            window->server_user_share * 100);
        row("  a packet forwarded", "%.2f us; %.0f packets a second and core",
            window->server_us_per_packet, window->packets_per_core);
        row("server's memory", "%.1f MB, %.0f KB a client", window->server_mb,
            window->server_kb_per_client);
    }
    if (window->mean_run > 0)
        row("mean run", "%.2f datagrams in a message", window->mean_run);
    if (window->inside_p99_ms >= 0)
        row("inside the server", "p50 %.2f ms, p99 %.2f ms", window->inside_p50_ms,
            window->inside_p99_ms);
}

static void print_crowd(const struct bench_window *window) {
    row("the crowd itself", "%.1f %% of a core, %.2f us a packet, %.2f %% late, at most %.1f ms",
        window->crowd_cores * 100, window->crowd_us_per_packet,
        window->ticks ? 100.0 * (double)window->late_ticks / (double)window->ticks : 0,
        window->latest_ms);
    if (window->dropped > 0)
        row("", "%llu datagrams found no room in a socket's buffer",
            (unsigned long long)window->dropped);
    if (window->is_bottleneck)
        row("", "THE CROWD IS THE BOTTLENECK: these figures do not judge the server");
}

static void print_steps(const struct bench_results *results) {
    printf("\n  %8s %12s %9s %8s %9s %9s %8s\n", "clients", "packets/s", "lost %", "p99 ms",
           "server %", "us/packet", "crowd %");
    for (size_t i = 0; i < results->step_count; i++) {
        const struct bench_window *step = &results->steps[i];
        printf("  %8zu %12.0f %9.4f %8.0f %9.1f %9.2f %8.1f%s\n", step->clients,
               step->packets_per_s, bench_tally_lost_percent(&step->tally),
               bench_tally_delay_ms(&step->tally, 990), step->server_cores * 100,
               step->server_us_per_packet, step->crowd_cores * 100,
               step->is_good ? "" : "  not good enough");
    }
    printf("\n  capacity: %s%.0f %s%s\n", results->capacity_is_crowds ? "at least " : "",
           results->capacity, results->plan.ramp,
           results->capacity_is_crowds ? " (the crowd broke first)" : "");
}

void bench_report_table(const struct bench_results *results) {
    const struct bench_plan *plan = &results->plan;
    const struct bench_window *last = bench_results_last(results);
    printf("%s by %s against %s%s%s%s\n", plan->scenario, plan->protocol,
           plan->whip[0] ? plan->whip : plan->url, results->server[0] ? " (" : "", results->server,
           results->server[0] ? ")" : "");
    print_joins(results);
    if (results->step_count > 0) {
        print_media(last);
        print_server(last);
        print_crowd(last);
    }
    if (results->capacity >= 0)
        print_steps(results);
    if (results->interrupted)
        puts("  interrupted");
}
