/* What a run found out: windows of measurement, samples of each second, and a judgement. */
#ifndef BENCH_RESULTS_H
#define BENCH_RESULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/plan.h"
#include "bench/process.h"
#include "bench/tally.h"

enum { BENCH_SAMPLES_MAX = 7200, BENCH_STEPS_MAX = 128, BENCH_NAME_MAX = 128 };

/* A second of it. */
struct bench_sample {
    double at_s;
    double clients;
    double packets_per_s;
    double lost_percent;
    double delay_ms;     /* Of 99 of 100 frames in this second. */
    double server_cores; /* -1: not known. */
    double server_mb;    /* -1: not known. */
    double crowd_cores;
};

/* What was measured between two times. Figures of the server are -1 where they are not known. */
struct bench_window {
    double seconds;
    size_t clients;  /* Connected at its end. */
    size_t watching; /* Of them, those who watch. */
    struct bench_tally tally;

    double packets_per_s;
    double server_cores;                    /* User and system. */
    double server_user_share;               /* Of that. */
    double server_busiest_share;            /* Of that: of its busiest thread. */
    double server_us_per_packet;            /* Of CPU, by packets that arrived here. */
    double packets_per_core;                /* A second of CPU. */
    double server_mb, server_kb_per_client; /* More than before anybody had joined. */
    double mean_run;                        /* Datagrams in one message to the kernel. */
    double inside_p50_ms, inside_p99_ms;    /* From the kernel's receive stamp to sending. */

    double crowd_cores;
    double crowd_us_per_packet;
    uint64_t late_ticks, ticks;
    double latest_ms;
    uint64_t dropped; /* By sockets of this network namespace. */
    bool is_bottleneck;
    bool is_good; /* By the plan's limits. */
};

struct bench_results {
    struct bench_plan plan;
    char server[BENCH_NAME_MAX]; /* Its program and version, as far as known. */
    char machine[BENCH_NAME_MAX], began[BENCH_NAME_MAX];
    bool interrupted;

    size_t asked, connected, failed, left; /* Members: that were to come; that ever were in. */
    char failure[256];                     /* The first one's. */
    double join_signaling_p50_ms, join_signaling_p99_ms;
    double join_media_p50_ms, join_media_p99_ms; /* Until DTLS was done. */
    double joins_per_s;
    double join_keyframes_per_s; /* Asked of each publisher, while the first ones came. */
    double first_frame_p50_ms, first_frame_p99_ms;

    size_t step_count; /* Windows; without a ramp one. */
    struct bench_window steps[BENCH_STEPS_MAX];
    double capacity;         /* Of a ramp: what the last good step had of it; -1: no ramp. */
    bool capacity_is_crowds; /* It was the crowd that broke. */

    size_t sample_count;
    struct bench_sample *samples; /* Owned. */
};

/* The last window; one of zeros when there is none. */
const struct bench_window *bench_results_last(const struct bench_results *results);

/* The exit status: 0 good, 1 not good enough or nothing came, 3 the crowd was the bottleneck. */
int bench_results_status(const struct bench_results *results);

void bench_report_table(const struct bench_results *results);

/* -errno. */
int bench_report_json(const struct bench_results *results, const char *path);
int bench_report_html(const struct bench_results *results, const char *path);

#endif
