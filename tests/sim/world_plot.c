/* A trace as a self-contained SVG: three panels over one time axis (rates, queue, layer). Colours
 * are legible on white and on black. */
#include <string.h>

#include "tests/sim/world_trace.h"

enum {
    LEFT = 70,
    WIDTH = 860,
    PANEL_HEIGHT = 190,
    PANEL_GAP = 46,
    TOP = 50,
    POINTS = 860, /* One for each pixel. */
    SMOOTH_US = 200000,
};

struct panel {
    FILE *out;
    const struct world_trace *trace;
    double y, top_value;
    const char *title;
    const char *unit;
};

typedef double (*value_fn)(const struct world_trace *trace, size_t i);

static double link_mbps(const struct world_trace *trace, size_t i) {
    return (double)trace->samples[i].rate_bps / 1e6;
}

static double estimate_mbps(const struct world_trace *trace, size_t i) {
    return (double)trace->samples[i].estimate_bps / 1e6;
}

/* Over the last SMOOTH_US. */
static size_t earlier(const struct world_trace *trace, size_t i) {
    size_t from = i;
    while (from > 0 && trace->samples[i].at_us - trace->samples[from].at_us < SMOOTH_US)
        from--;
    return from;
}

static double mbps(uint64_t bytes, uint64_t us) {
    return us ? (double)bytes * 8 / (double)us : 0;
}

static double sent_mbps(const struct world_trace *trace, size_t i) {
    const struct world_sample *now = &trace->samples[i], *was = &trace->samples[earlier(trace, i)];
    return mbps(now->sent_bytes - was->sent_bytes, now->at_us - was->at_us);
}

static double received_mbps(const struct world_trace *trace, size_t i) {
    const struct world_sample *now = &trace->samples[i], *was = &trace->samples[earlier(trace, i)];
    return mbps(now->received_bytes - was->received_bytes, now->at_us - was->at_us);
}

static double queue_ms(const struct world_trace *trace, size_t i) {
    return (double)trace->samples[i].queue_us / 1e3;
}

static double height(const struct world_trace *trace, size_t i) {
    return trace->samples[i].height;
}

static double layer(const struct world_trace *trace, size_t i) {
    return trace->samples[i].chosen * 72;
}

static double highest(const struct world_trace *trace, value_fn value) {
    double most = 0;
    for (size_t i = 0; i < trace->count; i++)
        most = value(trace, i) > most ? value(trace, i) : most;
    return most;
}

static double x_of(const struct world_trace *trace, size_t i) {
    const struct world_sample *samples = trace->samples;
    double span = (double)(samples[trace->count - 1].at_us - samples[0].at_us);
    return LEFT + WIDTH * (double)(samples[i].at_us - samples[0].at_us) / span;
}

static void draw(const struct panel *panel, value_fn value, const char *class) {
    size_t count = panel->trace->count;
    size_t points = count < POINTS ? count : POINTS;
    fprintf(panel->out, "<polyline class='%s' points='", class);
    for (size_t k = 0; k < points; k++) {
        size_t i = k * (count - 1) / (points - 1);
        double share = value(panel->trace, i) / panel->top_value;
        share = share > 1 ? 1 : share < 0 ? 0 : share;
        fprintf(panel->out, "%.1f,%.1f ", x_of(panel->trace, i),
                panel->y + PANEL_HEIGHT * (1 - share));
    }
    fputs("'/>\n", panel->out);
}

static void frame(const struct panel *panel) {
    fprintf(panel->out, "<text class='title' x='%d' y='%.0f'>%s</text>\n", LEFT, panel->y - 8,
            panel->title);
    for (int i = 0; i <= 4; i++) {
        double y = panel->y + PANEL_HEIGHT * (1 - i / 4.0);
        fprintf(panel->out,
                "<line class='grid' x1='%d' x2='%d' y1='%.1f' y2='%.1f'/>"
                "<text x='%d' y='%.1f' text-anchor='end'>%.4g%s</text>\n",
                LEFT, LEFT + WIDTH, y, y, LEFT - 6, y + 4, panel->top_value * i / 4, panel->unit);
    }
    const struct world_sample *samples = panel->trace->samples;
    double span_s = (double)(samples[panel->trace->count - 1].at_us - samples[0].at_us) / 1e6;
    int step_s = span_s > 120 ? 60 : span_s > 30 ? 5 : 1;
    for (int at_s = 0; at_s <= span_s; at_s += step_s)
        fprintf(panel->out, "<text x='%.1f' y='%.1f' text-anchor='middle'>%d s</text>\n",
                LEFT + WIDTH * at_s / span_s, panel->y + PANEL_HEIGHT + 15, at_s);
}

static const char style[] =
    "<style>text{font:12px sans-serif;fill:#808080}.title{font-weight:bold}"
    ".grid{stroke:#808080;stroke-opacity:.25}polyline{fill:none;stroke-width:1.5}"
    ".link{stroke:#808080;stroke-dasharray:6 3}.estimate{stroke:#d97706}.sent{stroke:#2563eb}"
    ".received{stroke:#16a34a}.queue{stroke:#dc2626}.height{stroke:#7c3aed}"
    ".layer{stroke:#d97706;stroke-dasharray:3 3}</style>\n";

void world_plot_write(FILE *out, const struct world_trace *trace, const char *name) {
    double most = highest(trace, link_mbps) * 1.25;
    most = most > 0 ? most : highest(trace, sent_mbps) * 1.25 + 0.1;
    double queue_most = highest(trace, queue_ms);
    struct panel panels[] = {
        {out, trace, TOP, most,
         "Mb/s: link (dashed), estimate (orange), sent (blue), received (green)", ""},
        {out, trace, TOP + PANEL_HEIGHT + PANEL_GAP, queue_most > 100 ? queue_most : 100,
         "Queue of the link", " ms"},
        {out, trace, TOP + 2 * (PANEL_HEIGHT + PANEL_GAP), 720,
         "Lines of the picture (violet), operating point chosen (orange, 72 each)", ""},
    };
    fprintf(out, "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d'>\n%s",
            LEFT + WIDTH + 20, TOP + 3 * (PANEL_HEIGHT + PANEL_GAP), style);
    fprintf(out, "<text class='title' x='%d' y='20'>%s</text>\n", LEFT, name);
    for (size_t i = 0; i < 3; i++)
        frame(&panels[i]);
    draw(&panels[0], link_mbps, "link");
    draw(&panels[0], estimate_mbps, "estimate");
    draw(&panels[0], sent_mbps, "sent");
    draw(&panels[0], received_mbps, "received");
    draw(&panels[1], queue_ms, "queue");
    draw(&panels[2], height, "height");
    draw(&panels[2], layer, "layer");
    fputs("</svg>\n", out);
}
