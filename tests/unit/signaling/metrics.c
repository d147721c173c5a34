/* The Prometheus text format, line by line. */
#include "signaling/metrics.h"

#include <math.h>

#include "tests/unit/test.h"

static void families_have_help_type_and_samples(void) {
    struct sig_metrics metrics = {0};
    sig_metrics_counter(&metrics, "weir_calls_total", "Calls begun.", 12345678901234);
    sig_metrics_family(&metrics, "weir_load", SIG_METRICS_GAUGE, "Load\nof \\ workers.");
    sig_metrics_sample(&metrics, 0.25, &(struct sig_metrics_label){"worker", "a\"b\\c\nd"}, 1);
    sig_metrics_sample(&metrics, INFINITY, NULL, 0);
    sig_metrics_sample(&metrics, NAN, NULL, 0);
    CHECK_STR(metrics.text, "# HELP weir_calls_total Calls begun.\n"
                            "# TYPE weir_calls_total counter\n"
                            "weir_calls_total 12345678901234\n"
                            "# HELP weir_load Load\\nof \\\\ workers.\n"
                            "# TYPE weir_load gauge\n"
                            "weir_load{worker=\"a\\\"b\\\\c\\nd\"} 0.25\n"
                            "weir_load +Inf\n"
                            "weir_load NaN\n");
    CHECK(!metrics.failed);
    sig_metrics_deinit(&metrics);
}

static void a_histogram_is_cumulative(void) {
    static const double bounds[] = {0.005, 0.1, 1};
    static const uint64_t buckets[] = {3, 0, 2};
    struct sig_metrics metrics = {0};
    sig_metrics_family(&metrics, "weir_wait_seconds", SIG_METRICS_HISTOGRAM, "Waits.");
    sig_metrics_histogram(&metrics,
                          &(struct sig_metrics_histogram){
                              .bounds = bounds,
                              .buckets = buckets,
                              .bound_count = 3,
                              .overflow = 1,
                              .sum = 7.5,
                          },
                          &(struct sig_metrics_label){"kind", "ice"}, 1);
    CHECK_STR(metrics.text, "# HELP weir_wait_seconds Waits.\n"
                            "# TYPE weir_wait_seconds histogram\n"
                            "weir_wait_seconds_bucket{kind=\"ice\",le=\"0.005\"} 3\n"
                            "weir_wait_seconds_bucket{kind=\"ice\",le=\"0.1\"} 3\n"
                            "weir_wait_seconds_bucket{kind=\"ice\",le=\"1\"} 5\n"
                            "weir_wait_seconds_bucket{kind=\"ice\",le=\"+Inf\"} 6\n"
                            "weir_wait_seconds_sum{kind=\"ice\"} 7.5\n"
                            "weir_wait_seconds_count{kind=\"ice\"} 6\n");
    sig_metrics_deinit(&metrics);
}

static void it_grows(void) {
    struct sig_metrics metrics = {0};
    sig_metrics_family(&metrics, "weir_x", SIG_METRICS_GAUGE, "X.");
    size_t head = metrics.len;
    for (int i = 0; i < 10000; i++)
        sig_metrics_sample(&metrics, 1, NULL, 0);
    CHECK_INT(metrics.len, head + 10000 * 9);
    CHECK(metrics.text[metrics.len] == '\0');
    sig_metrics_deinit(&metrics);
}

static const struct test tests[] = {
    {"families_have_help_type_and_samples", families_have_help_type_and_samples},
    {"a_histogram_is_cumulative", a_histogram_is_cumulative},
    {"it_grows", it_grows},
};

TEST_MAIN(tests)
