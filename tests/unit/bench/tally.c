/* Statistics: percentiles, differences, what Prometheus says, and the verdict. */
#include "bench/tally.h"

#include <string.h>

#include "bench/results.h"
#include "tests/unit/test.h"

static struct bench_tally earlier, later, between;

static void percentiles_are_of_the_sorted_values(void) {
    uint64_t values[] = {50, 10, 40, 20, 30};
    CHECK_INT(bench_percentile(values, 5, 500), 30);
    CHECK_INT(bench_percentile(values, 5, 990), 50);
    CHECK_INT(bench_percentile(values, 5, 0), 10);
    CHECK_INT(bench_percentile(values, 0, 500), 0);
}

static void a_median_is_the_middle(void) {
    CHECK(bench_median((double[]){3, 1, 2}, 3) == 2);
    CHECK(bench_median((double[]){4, 1, 2, 3}, 4) == 2.5);
    CHECK(bench_median(NULL, 0) == 0);
}

static void delays_are_read_off_their_buckets(void) {
    later.video_delays[0] = 98;  /* Below 1 ms. */
    later.video_delays[255] = 1; /* 255 to 256. */
    later.video_delays[256] = 1; /* 256 to 272. */
    CHECK(bench_delay_ms(later.video_delays, 500) == 1);
    CHECK(bench_delay_ms(later.video_delays, 990) == 256);
    CHECK(bench_delay_ms(later.video_delays, 1000) == 272);
    CHECK(bench_delay_ms(later.audio_delays, 990) == 0);
    CHECK(bench_tally_delay_ms(&later, 500) == 1);
}

static void a_window_is_what_happened_between(void) {
    earlier.packets = 1000;
    earlier.lost = 10;
    earlier.audio_delays[3] = 5;
    later.packets = 1990;
    later.lost = 20;
    later.audio_delays[3] = 7;
    bench_tally_between(&between, &earlier, &later);
    CHECK_INT(between.packets, 990);
    CHECK_INT(between.audio_delays[3], 2);
    CHECK(bench_tally_lost_percent(&between) == 1);
}

static void what_was_repaired_since_is_not_lost_below_zero(void) {
    earlier.lost = 7;
    bench_tally_between(&between, &earlier, &later);
    CHECK_INT(between.lost, 0);
    CHECK(bench_tally_lost_percent(&between) == 0);
}

static const char metrics[] = "# TYPE sent counter\n"
                              "sent 12\n"
                              "sent_more 99\n"
                              "by{kind=\"a\"} 3\n"
                              "by{kind=\"b c\"} 4.5\n"
                              "delay_bucket{le=\"0.001\"} 90\n"
                              "delay_bucket{le=\"0.005\"} 110\n"
                              "delay_bucket{le=\"+Inf\"} 110\n";

static void a_metric_is_the_sum_of_its_samples(void) {
    CHECK(bench_metric(metrics, "sent") == 12);
    CHECK(bench_metric(metrics, "by") == 7.5);
    CHECK(bench_metric(metrics, "received") == -1);
    CHECK(bench_metric(NULL, "sent") == -1);
}

static void a_percentile_of_a_histogram_is_of_what_came_between(void) {
    static const char before[] = "delay_bucket{le=\"0.001\"} 10\ndelay_bucket{le=\"0.005\"} 10\n"
                                 "delay_bucket{le=\"+Inf\"} 10\n";
    CHECK(bench_metric_percentile(before, metrics, "delay_bucket", 800) == 0.001);
    CHECK(bench_metric_percentile(before, metrics, "delay_bucket", 990) == 0.005);
    CHECK(bench_metric_percentile(before, metrics, "other_bucket", 990) == -1);
    CHECK(bench_metric_percentile(NULL, metrics, "delay_bucket", 990) == -1);
}

static void a_percentile_above_all_bounds_is_the_highest_one(void) {
    static const char slow[] = "delay_bucket{le=\"0.001\"} 1\ndelay_bucket{le=\"0.005\"} 2\n"
                               "delay_bucket{le=\"+Inf\"} 9\n";
    CHECK(bench_metric_percentile("", slow, "delay_bucket", 990) == 0.005);
}

static void the_busiest_thread_is_the_one_that_used_most_between(void) {
    struct bench_threads before = {.count = 2, .of = {{1, 500}, {2, 100}}};
    struct bench_threads after = {.count = 3, .of = {{2, 400}, {1, 550}, {3, 200}}};
    CHECK_INT(bench_threads_busiest_us(&before, &after), 300);
    CHECK_INT(bench_threads_busiest_us(&before, &before), 0);
}

static int verdict(bool is_good, bool is_bottleneck, double max_loss, size_t failed) {
    static struct bench_results results;
    results = (struct bench_results){.connected = 3, .failed = failed, .capacity = -1};
    results.plan.max_loss = max_loss;
    results.plan.max_p99_ms = results.plan.max_freezes = -1;
    results.steps[results.step_count++] =
        (struct bench_window){.is_good = is_good, .is_bottleneck = is_bottleneck};
    return bench_results_status(&results);
}

static void the_exit_status_tells_the_servers_fault_from_the_crowds(void) {
    CHECK_INT(verdict(true, false, 0.1, 0), 0);
    CHECK_INT(verdict(false, false, 0.1, 0), 1);
    CHECK_INT(verdict(false, true, 0.1, 0), 3);
    CHECK_INT(verdict(true, true, 0.1, 0), 0);
    CHECK_INT(verdict(true, false, 0.1, 1), 1);
    CHECK_INT(verdict(false, false, -1, 0), 0); /* Nothing was to be judged. */
}

static void the_crowd_finds_itself_and_who_listens(void) {
    struct bench_usage usage;
    CHECK(bench_process_usage(1, &usage));
    CHECK(!bench_process_usage(0x3fffffff, &usage));
    CHECK_INT(bench_process_listening(0), 0);
}

static const struct test tests[] = {
    {"percentiles_are_of_the_sorted_values", percentiles_are_of_the_sorted_values},
    {"a_median_is_the_middle", a_median_is_the_middle},
    {"delays_are_read_off_their_buckets", delays_are_read_off_their_buckets},
    {"a_window_is_what_happened_between", a_window_is_what_happened_between},
    {"what_was_repaired_since_is_not_lost_below_zero",
     what_was_repaired_since_is_not_lost_below_zero},
    {"a_metric_is_the_sum_of_its_samples", a_metric_is_the_sum_of_its_samples},
    {"a_percentile_of_a_histogram_is_of_what_came_between",
     a_percentile_of_a_histogram_is_of_what_came_between},
    {"a_percentile_above_all_bounds_is_the_highest_one",
     a_percentile_above_all_bounds_is_the_highest_one},
    {"the_busiest_thread_is_the_one_that_used_most_between",
     the_busiest_thread_is_the_one_that_used_most_between},
    {"the_exit_status_tells_the_servers_fault_from_the_crowds",
     the_exit_status_tells_the_servers_fault_from_the_crowds},
    {"the_crowd_finds_itself_and_who_listens", the_crowd_finds_itself_and_who_listens},
};

TEST_MAIN(tests)
