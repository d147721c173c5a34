/* A writer of the Prometheus text format 0.0.4: families of counters, gauges and histograms. */
#ifndef SIGNALING_METRICS_H
#define SIGNALING_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIG_METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* A text that grows. Zero-initialise; sig_metrics_deinit frees it. */
struct sig_metrics {
    /* Owned. */
    char *text; /* NUL-terminated; NULL while empty. */
    /* State. */
    size_t len;
    size_t capacity;
    bool failed;        /* Out of memory: the text is not complete. */
    const char *family; /* Borrowed name of the family being written. */
};

struct sig_metrics_label {
    const char *name;
    const char *value; /* Escaped when written. */
};

enum sig_metrics_type { SIG_METRICS_COUNTER, SIG_METRICS_GAUGE, SIG_METRICS_HISTOGRAM };

/* Cumulative counts are made by the writer: buckets[i] counts what was at most bounds[i] and above
 * the bound before; overflow is what was above the last. */
struct sig_metrics_histogram {
    const double *bounds;    /* Rising. */
    const uint64_t *buckets; /* As many as bounds. */
    size_t bound_count;
    uint64_t overflow;
    double sum;
};

/* Starts a family: name as `weir_…`, counters ending in `_total`; both strings outlive the family.
 */
void sig_metrics_family(struct sig_metrics *metrics, const char *name, enum sig_metrics_type type,
                        const char *help);

/* Adds a sample of the family; labels may be NULL when there are none. */
void sig_metrics_sample(struct sig_metrics *metrics, double value,
                        const struct sig_metrics_label *labels, size_t label_count);

/* Adds a histogram's samples (_bucket, _sum, _count) to the family. */
void sig_metrics_histogram(struct sig_metrics *metrics,
                           const struct sig_metrics_histogram *histogram,
                           const struct sig_metrics_label *labels, size_t label_count);

/* A family of one sample without labels. */
void sig_metrics_counter(struct sig_metrics *metrics, const char *name, const char *help,
                         uint64_t value);
void sig_metrics_gauge(struct sig_metrics *metrics, const char *name, const char *help,
                       double value);

void sig_metrics_deinit(struct sig_metrics *metrics);

#endif
