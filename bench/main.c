/* weir-bench: a crowd of WebRTC clients, and what goes with it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "bench/drain.h"
#include "bench/floor.h"
#include "bench/forwarding.h"
#include "bench/junk.h"
#include "bench/play.h"

enum { STATUS_USAGE = 2, FLOOR_PORT = 20000 };

static volatile sig_atomic_t stop;

static void on_signal(int number) {
    (void)number;
    if (stop) /* Twice: at once. */
        _Exit(130);
    stop = 1;
}

static int print_help(void) {
    const char *name, *help;
    puts("weir-bench: a crowd of WebRTC clients against an SFU\n\n"
         "usage: weir-bench SCENARIO [--option VALUE ...]\n"
         "       weir-bench FILE.ini [--option VALUE ...]   (scenario = NAME, then options)\n"
         "       weir-bench floor [ADDRESS] [SUBSCRIBERS] [RUN] [PAYLOAD] [PACKETS] "
         "[FRAMES_PER_S] [FRAME]\n"
         "       weir-bench drain [ADDRESS] [SUBSCRIBERS]\n"
         "       weir-bench junk ADDRESS PORT [RATE] [SECONDS]\n"
         "       weir-bench forwarding [SUBSCRIBERS] [BURST] [PAYLOAD] [PACKETS] "
         "[audio]\n\nscenarios:");
    for (size_t i = 0; bench_plan_scenario(i, &name, &help); i++)
        printf("  %-14s %s\n", name, help);
    puts("\n  floor          what encrypting and sending costs here without a server\n"
         "  drain          receives what the floor sends, on another core\n"
         "  junk           sends a server's media port datagrams that are nobody's\n"
         "  forwarding     what forwarding costs without the kernel");
    bench_plan_help();
    puts(
        "\nCtrl-C ends a run and still reports. Exit status: 0 good, 1 not good enough or nothing\n"
        "came, 2 wrong usage, 3 not good enough, but the crowd itself was the bottleneck.");
    return 0;
}

/* The n-th argument as a number. */
static uint64_t number_at(int argc, char **argv, int n, uint64_t fallback) {
    return n < argc ? strtoull(argv[n], NULL, 10) : fallback;
}

static int fail(const char *what, int error) {
    fprintf(stderr, "weir-bench: %s: %s\n", what, strerror(-error));
    return 1;
}

static int run_floor(int argc, char **argv) {
    struct bench_floor_result result;
    struct bench_floor_config config = {.address = argc > 0 ? argv[0] : "127.0.0.1",
                                        .first_port = FLOOR_PORT,
                                        .subscribers = number_at(argc, argv, 1, 200),
                                        .run = number_at(argc, argv, 2, 6),
                                        .payload_len = number_at(argc, argv, 3, 1100),
                                        .packets = number_at(argc, argv, 4, 400000),
                                        .frames_per_s = (double)number_at(argc, argv, 5, 0)};
    config.frame = number_at(argc, argv, 6, config.run);
    int error = bench_floor_run(&config, &result);
    if (error < 0)
        return fail("floor", error);
    printf("{\"subscribers\": %zu, \"run\": %zu, \"frame\": %zu, \"frames_per_s\": %.0f, "
           "\"payload\": %zu, \"sent\": %llu, \"refused\": %llu, \"ns_per_packet\": %.0f, "
           "\"cipher_ns_per_packet\": %.0f}\n",
           config.subscribers, config.run, config.frame, config.frames_per_s, config.payload_len,
           (unsigned long long)result.sent, (unsigned long long)result.refused,
           (double)result.cpu_ns / (double)result.sent,
           (double)result.cipher_cpu_ns / (double)result.sent);
    return 0;
}

static int run_drain(int argc, char **argv) {
    int error = bench_drain_run(argc > 0 ? argv[0] : "127.0.0.1", FLOOR_PORT,
                                number_at(argc, argv, 1, 200), &stop);
    return error < 0 ? fail("drain", error) : 0;
}

static int run_junk(int argc, char **argv) {
    struct bench_junk_result result;
    struct bench_junk_config config = {.address = argc > 0 ? argv[0] : "127.0.0.1",
                                       .port = (uint16_t)number_at(argc, argv, 1, 40000),
                                       .rate = (double)number_at(argc, argv, 2, 200000),
                                       .seconds = (double)number_at(argc, argv, 3, 10)};
    int error = bench_junk_run(&config, &stop, &result);
    if (error < 0)
        return fail("junk", error);
    printf("{\"sent\": %llu, \"refused\": %llu, \"seconds\": %.3f, \"per_s\": %.0f}\n",
           (unsigned long long)result.sent, (unsigned long long)result.refused, result.seconds,
           result.seconds > 0 ? (double)result.sent / result.seconds : 0);
    return 0;
}

static int run_forwarding(int argc, char **argv) {
    struct bench_forwarding_result result;
    struct bench_forwarding_config config = {.audio = argc > 4 && strcmp(argv[4], "audio") == 0,
                                             .subscribers = number_at(argc, argv, 0, 200),
                                             .burst = number_at(argc, argv, 1, 6),
                                             .payload_len = number_at(argc, argv, 2, 1100),
                                             .packets = number_at(argc, argv, 3, 1000000),
                                             .profile = SFU_SRTP_AEAD_AES_128_GCM};
    int error = bench_forwarding_run(&config, &result);
    if (error < 0)
        return fail("forwarding", error);
    printf("{\"subscribers\": %zu, \"burst\": %zu, \"forwarded\": %llu, \"ns_per_packet\": %.1f, "
           "\"flush_ns_per_packet\": %.1f, \"mean_run\": %.2f}\n",
           config.subscribers, config.burst, (unsigned long long)result.forwarded,
           (double)result.cpu_ns / (double)result.forwarded,
           (double)result.flush_cpu_ns / (double)result.forwarded, result.mean_run);
    return 0;
}

static void note_circumstances(struct bench_results *results) {
    struct utsname machine;
    time_t now = time(NULL);
    struct tm utc;
    if (uname(&machine) == 0)
        snprintf(results->machine, sizeof(results->machine), "Linux %.60s, %.40s", machine.release,
                 machine.machine);
    if (gmtime_r(&now, &utc) != NULL)
        strftime(results->began, sizeof(results->began), "%Y-%m-%dT%H:%M:%SZ", &utc);
}

static int write_reports(const struct bench_results *results) {
    const struct bench_plan *plan = &results->plan;
    int json = plan->json[0] ? bench_report_json(results, plan->json) : 0;
    int html = plan->html[0] ? bench_report_html(results, plan->html) : 0;
    if (json < 0)
        return fail(plan->json, json);
    return html < 0 ? fail(plan->html, html) : 0;
}

static int run_plan(const struct bench_plan *plan) {
    char why[BENCH_PLAN_WHY_MAX];
    struct bench_results *results = calloc(1, sizeof(*results));
    if (results == NULL)
        return 1;
    note_circumstances(results);
    int result = bench_play(plan, &stop, results, why);
    int status = 1;
    if (result < 0) {
        fprintf(stderr, "weir-bench: %s\n", why);
    } else {
        bench_report_table(results);
        status = write_reports(results);
        status = status ? status : bench_results_status(results);
    }
    free(results->samples);
    free(results);
    return status;
}

/* What is no scenario. */
static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} others[] = {
    {"floor", run_floor}, {"drain", run_drain}, {"junk", run_junk}, {"forwarding", run_forwarding}};

int main(int argc, char **argv) {
    struct bench_plan plan;
    char why[BENCH_PLAN_WHY_MAX];
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return argc < 2 ? print_help(), STATUS_USAGE : print_help();
    if (strcmp(argv[1], "--version") == 0)
        return puts("weir-bench " WEIR_VERSION) < 0;
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (strcmp(argv[1], others[i].name) == 0)
            return others[i].run(argc - 2, argv + 2);
    if (bench_plan_parse(&plan, argc - 1, argv + 1, why) < 0) {
        fprintf(stderr, "weir-bench: %s\n", why);
        return STATUS_USAGE;
    }
    return run_plan(&plan);
}
