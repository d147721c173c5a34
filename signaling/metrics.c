/* A writer of the Prometheus text format 0.0.4: families of counters, gauges and histograms. */
#include "signaling/metrics.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct sig_metrics *metrics, size_t more) {
    if (metrics->failed)
        return false;
    if (metrics->len + more < metrics->capacity)
        return true;
    size_t capacity = metrics->capacity ? metrics->capacity : 4096;
    while (metrics->len + more >= capacity)
        capacity *= 2;
    char *text = realloc(metrics->text, capacity);
    metrics->failed = text == NULL;
    if (metrics->failed)
        return false;
    metrics->text = text;
    metrics->capacity = capacity;
    return true;
}

static void append(struct sig_metrics *metrics, const char *text, size_t len) {
    if (!reserve(metrics, len))
        return;
    memcpy(metrics->text + metrics->len, text, len);
    metrics->len += len;
    metrics->text[metrics->len] = '\0';
}

static void append_text(struct sig_metrics *metrics, const char *text) {
    append(metrics, text, strlen(text));
}

/* The format's escapes: backslash and newline in help, those and the quote in label values. */
static void append_escaped(struct sig_metrics *metrics, const char *text, bool quoted) {
    for (; *text; text++) {
        if (*text == '\n')
            append_text(metrics, "\\n");
        else if (*text == '\\')
            append_text(metrics, "\\\\");
        else if (*text == '"' && quoted)
            append_text(metrics, "\\\"");
        else
            append(metrics, text, 1);
    }
}

/* Whole numbers up to 2^53 in full, others with all the digits that a double has. */
static void append_number(struct sig_metrics *metrics, double value) {
    char text[40];
    if (isnan(value))
        snprintf(text, sizeof(text), "NaN");
    else if (isinf(value))
        snprintf(text, sizeof(text), value > 0 ? "+Inf" : "-Inf");
    else if (value == floor(value) && fabs(value) <= 9007199254740992.0)
        snprintf(text, sizeof(text), "%.0f", value);
    else
        snprintf(text, sizeof(text), "%.15g", value);
    append_text(metrics, text);
}

void sig_metrics_family(struct sig_metrics *metrics, const char *name, enum sig_metrics_type type,
                        const char *help) {
    static const char *const types[] = {"counter", "gauge", "histogram"};
    metrics->family = name;
    append_text(metrics, "# HELP ");
    append_text(metrics, name);
    append_text(metrics, " ");
    append_escaped(metrics, help, false);
    append_text(metrics, "\n# TYPE ");
    append_text(metrics, name);
    append_text(metrics, " ");
    append_text(metrics, types[type]);
    append_text(metrics, "\n");
}

static void append_label(struct sig_metrics *metrics, bool *first, const char *name,
                         const char *value) {
    append_text(metrics, *first ? "{" : ",");
    *first = false;
    append_text(metrics, name);
    append_text(metrics, "=\"");
    append_escaped(metrics, value, true);
    append_text(metrics, "\"");
}

/* One line: the family's name with a suffix, the labels, `le` if there is one, the value. */
static void append_sample(struct sig_metrics *metrics, const char *suffix,
                          const struct sig_metrics_label *labels, size_t label_count,
                          const char *le, double value) {
    bool first = true;
    append_text(metrics, metrics->family);
    append_text(metrics, suffix);
    for (size_t i = 0; i < label_count; i++)
        append_label(metrics, &first, labels[i].name, labels[i].value);
    if (le)
        append_label(metrics, &first, "le", le);
    append_text(metrics, first ? " " : "} ");
    append_number(metrics, value);
    append_text(metrics, "\n");
}

void sig_metrics_sample(struct sig_metrics *metrics, double value,
                        const struct sig_metrics_label *labels, size_t label_count) {
    append_sample(metrics, "", labels, label_count, NULL, value);
}

void sig_metrics_histogram(struct sig_metrics *metrics,
                           const struct sig_metrics_histogram *histogram,
                           const struct sig_metrics_label *labels, size_t label_count) {
    uint64_t count = 0;
    for (size_t i = 0; i < histogram->bound_count; i++) {
        char le[40];
        snprintf(le, sizeof(le), "%.15g", histogram->bounds[i]);
        count += histogram->buckets[i];
        append_sample(metrics, "_bucket", labels, label_count, le, (double)count);
    }
    count += histogram->overflow;
    append_sample(metrics, "_bucket", labels, label_count, "+Inf", (double)count);
    append_sample(metrics, "_sum", labels, label_count, NULL, histogram->sum);
    append_sample(metrics, "_count", labels, label_count, NULL, (double)count);
}

void sig_metrics_counter(struct sig_metrics *metrics, const char *name, const char *help,
                         uint64_t value) {
    sig_metrics_family(metrics, name, SIG_METRICS_COUNTER, help);
    sig_metrics_sample(metrics, (double)value, NULL, 0);
}

void sig_metrics_gauge(struct sig_metrics *metrics, const char *name, const char *help,
                       double value) {
    sig_metrics_family(metrics, name, SIG_METRICS_GAUGE, help);
    sig_metrics_sample(metrics, value, NULL, 0);
}

void sig_metrics_deinit(struct sig_metrics *metrics) {
    free(metrics->text);
    *metrics = (struct sig_metrics){0};
}
