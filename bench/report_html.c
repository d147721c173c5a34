/* The results as one page that needs nothing else: figures, and plots over time in SVG. */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "bench/results.h"

enum { WIDTH = 680, HEIGHT = 190, LEFT = 64, RIGHT = 12, TOP = 10, BOTTOM = 26, LINES_MAX = 2 };

/* What a plot shows of a sample. */
typedef double (*value_fn)(const struct bench_sample *sample);

struct line {
    const char *name;
    value_fn value;
};

struct plot {
    const char *title, *unit;
    struct line lines[LINES_MAX];
};

/* --- Text --- */

static void escape(FILE *out, const char *text) {
    for (; *text != '\0'; text++) {
        if (*text == '<' || *text == '>' || *text == '&' || *text == '"')
            fprintf(out, "&#%d;", *text);
        else
            fputc(*text, out);
    }
}

static void write_head(FILE *out, const struct bench_results *results) {
    const struct bench_plan *plan = &results->plan;
    fputs("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">"
          "<meta name=\"viewport\" content=\"width=device-width\"><title>",
          out);
    escape(out, plan->label[0] ? plan->label : plan->scenario);
    fputs("</title><style>"
          ":root{color-scheme:light dark;--ink:#1c2430;--dim:#5c6875;--grid:#d9dee4;--back:#fff;"
          "--a:#1668c7;--b:#c2571a;--bad:#b3261e}"
          "@media(prefers-color-scheme:dark){:root{--ink:#e6eaef;--dim:#9aa6b2;--grid:#333c47;"
          "--back:#14181d;--a:#6cb2ff;--b:#ff9d5c;--bad:#ff8a80}}"
          "body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back);"
          "max-width:1080px;margin:2rem auto;padding:0 1.5rem}h1{font-size:1.5rem;margin-bottom:0}"
          "h2{font-size:1rem;margin:1.6rem 0 .2rem}h2 span{font-weight:400;margin-left:.8em}"
          ".figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(158px,1fr));"
          "gap:.7rem;margin:1.4rem 0}.figures div{border:1px solid var(--grid);border-radius:8px;"
          "padding:.5rem .8rem}.figures b{display:block;font-size:1.25rem;font-weight:600;"
          "font-variant-numeric:tabular-nums}.figures span{color:var(--dim);font-size:.85rem}"
          ".plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(440px,100%),1fr));"
          "gap:0 2rem}table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
          "td,th{padding:.15rem 1rem .15rem 0;text-align:right;border-bottom:1px solid var(--grid)}"
          "td:first-child,th:first-child{text-align:left}p{color:var(--dim)}.bad{color:var(--bad)}"
          "svg{width:100%;height:auto}text{fill:var(--dim);font:15px system-ui,sans-serif}"
          ".grid{stroke:var(--grid)}.l0{stroke:var(--a)}.l1{stroke:var(--b)}.t0{color:var(--a)}"
          ".t1{color:var(--b)}polyline{fill:none;stroke-width:2;stroke-linejoin:round}</style><h1>",
          out);
    escape(out, plan->label[0] ? plan->label : plan->scenario);
    fputs("</h1><p>", out);
    escape(out, plan->scenario);
    fputs(" by ", out);
    escape(out, plan->protocol);
    fputs(" against ", out);
    escape(out, plan->whip[0] ? plan->whip : plan->url);
    fputs(results->server[0] ? ", " : "", out);
    escape(out, results->server);
    fprintf(out, "<br>%s, %s</p>", results->began, results->machine);
}

/* --- Plots --- */

static double at_clients(const struct bench_sample *sample) {
    return sample->clients;
}
static double at_packets(const struct bench_sample *sample) {
    return sample->packets_per_s;
}
static double at_lost(const struct bench_sample *sample) {
    return sample->lost_percent;
}
static double at_delay(const struct bench_sample *sample) {
    return sample->delay_ms;
}
static double at_server(const struct bench_sample *sample) {
    return sample->server_cores * 100;
}
static double at_crowd(const struct bench_sample *sample) {
    return sample->crowd_cores * 100;
}
static double at_memory(const struct bench_sample *sample) {
    return sample->server_mb;
}

static const struct plot plots[] = {
    {"Clients connected", "", {{"clients", at_clients}}},
    {"Packets forwarded a second", "", {{"packets", at_packets}}},
    {"Delay of 99 of 100 frames", "ms", {{"p99", at_delay}}},
    {"Lost for good", "%", {{"lost", at_lost}}},
    {"CPU", "% of a core", {{"server", at_server}, {"crowd", at_crowd}}},
    {"Memory of the server", "MB", {{"resident", at_memory}}},
};

/* 1, 2 or 5 times a power of ten, for about four lines of a grid. */
static double grid_step(double most) {
    double step = pow(10, floor(log10(most / 4)));
    if (most / step > 20)
        return step * 5;
    return most / step > 8 ? step * 2 : step;
}

static double most_of(const struct bench_results *results, const struct plot *plot) {
    double most = 0;
    for (size_t i = 0; i < results->sample_count; i++)
        for (size_t l = 0; l < LINES_MAX && plot->lines[l].value != NULL; l++)
            most = fmax(most, plot->lines[l].value(&results->samples[i]));
    return most > 0 ? most * 1.05 : 1;
}

static double x_of(const struct bench_results *results, double at_s) {
    double end_s = results->samples[results->sample_count - 1].at_s;
    return LEFT + (WIDTH - LEFT - RIGHT) * (end_s > 0 ? at_s / end_s : 0);
}

static double y_of(double value, double most) {
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * fmax(value, 0) / most;
}

static void write_grid(FILE *out, const struct bench_results *results, double most) {
    double step = grid_step(most), end_s = results->samples[results->sample_count - 1].at_s;
    for (int i = 0; i * step <= most; i++) {
        double value = i * step;
        fprintf(out,
                "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
                "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g</text>",
                LEFT, WIDTH - RIGHT, y_of(value, most), y_of(value, most), LEFT - 6,
                y_of(value, most) + 4, value);
    }
    double step_s = grid_step(end_s > 1 ? end_s : 1);
    for (int i = 0; i * step_s <= end_s; i++)
        fprintf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g s</text>",
                x_of(results, i * step_s), HEIGHT - 8, i * step_s);
}

static void write_line(FILE *out, const struct bench_results *results, const struct plot *plot,
                       size_t l, double most) {
    const struct line *line = &plot->lines[l];
    fprintf(out, "<polyline class=\"l%zu\" points=\"", l);
    for (size_t i = 0; i < results->sample_count; i++)
        fprintf(out, "%.1f,%.1f ", x_of(results, results->samples[i].at_s),
                y_of(line->value(&results->samples[i]), most));
    fputs("\"/>", out);
}

static void write_plot(FILE *out, const struct bench_results *results, const struct plot *plot) {
    double most = most_of(results, plot);
    fprintf(out, "<div><h2>%s%s%s", plot->title, plot->unit[0] ? ", " : "", plot->unit);
    for (size_t l = 0; l < LINES_MAX && plot->lines[1].value != NULL; l++)
        fprintf(out, "<span class=\"t%zu\">%s</span>", l, plot->lines[l].name);
    fprintf(out, "</h2><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">", WIDTH, HEIGHT,
            plot->title);
    write_grid(out, results, most);
    for (size_t l = 0; l < LINES_MAX && plot->lines[l].value != NULL; l++)
        write_line(out, results, plot, l, most);
    fputs("</svg></div>", out);
}

/* --- Figures --- */

static void write_known(FILE *out, const char *name, double value, int decimals, const char *unit) {
    if (value >= 0)
        fprintf(out, "<div><b>%.*f%s</b><span>%s</span></div>", decimals, value, unit, name);
}

static void write_figures(FILE *out, const struct bench_results *results) {
    const struct bench_window *last = bench_results_last(results);
    fputs("<div class=\"figures\">", out);
    write_known(out, "Clients joined", (double)results->connected, 0, "");
    write_known(out, "Clients failed", (double)results->failed, 0, "");
    write_known(out, "Signaling of a join, p99", results->join_signaling_p99_ms, 0, " ms");
    write_known(out, "Until connected, p99", results->join_media_p99_ms, 0, " ms");
    write_known(out, "Packets forwarded a second", last->packets_per_s, 0, "");
    write_known(out, "Lost for good", bench_tally_lost_percent(&last->tally), 4, " %");
    write_known(out, "Delay, p50", bench_tally_delay_ms(&last->tally, 500), 0, " ms");
    write_known(out, "Delay, p99", bench_tally_delay_ms(&last->tally, 990), 0, " ms");
    write_known(out, "Freezes", (double)last->tally.freezes, 0, "");
    write_known(out, "Server's CPU, of a core", last->server_cores * 100, 1, " %");
    write_known(out, "Server's CPU a packet", last->server_us_per_packet, 2, " µs");
    write_known(out, "Packets a second and core", last->packets_per_core, 0, "");
    write_known(out, "Server's memory a client",
                last->server_mb < 0 ? -1 : last->server_kb_per_client, 0, " KB");
    write_known(out, "Mean run, datagrams", last->mean_run, 2, "");
    write_known(out, "Inside the server, p99", last->inside_p99_ms, 2, " ms");
    write_known(out, "The crowd's CPU, of a core", last->crowd_cores * 100, 1, " %");
    write_known(out, "Capacity", results->capacity, 0, "");
    fputs("</div>", out);
    if (last->is_bottleneck)
        fputs("<p class=\"bad\">The crowd itself was the bottleneck: these figures do not judge "
              "the server.</p>",
              out);
}

static void write_steps(FILE *out, const struct bench_results *results) {
    fputs("<h2>Steps</h2><table><tr><th>clients<th>packets/s<th>lost %<th>p99 ms<th>server "
          "%<th>µs a packet<th>crowd %",
          out);
    for (size_t i = 0; i < results->step_count; i++) {
        const struct bench_window *step = &results->steps[i];
        fprintf(out, "<tr%s><td>%zu<td>%.0f<td>%.4f<td>%.0f<td>%.1f<td>%.2f<td>%.1f",
                step->is_good ? "" : " class=\"bad\"", step->clients, step->packets_per_s,
                bench_tally_lost_percent(&step->tally), bench_tally_delay_ms(&step->tally, 990),
                step->server_cores * 100, step->server_us_per_packet, step->crowd_cores * 100);
    }
    fputs("</table>", out);
}

int bench_report_html(const struct bench_results *results, const char *path) {
    FILE *out = fopen(path, "we");
    if (out == NULL)
        return -errno;
    write_head(out, results);
    if (results->step_count > 0)
        write_figures(out, results);
    if (results->capacity >= 0)
        write_steps(out, results);
    fputs("<div class=\"plots\">", out);
    for (size_t i = 0; i < sizeof(plots) / sizeof(plots[0]) && results->sample_count > 1; i++)
        if (plots[i].lines[0].value(&results->samples[results->sample_count - 1]) >= 0)
            write_plot(out, results, &plots[i]);
    fputs("</div></html>\n", out);
    return fclose(out) == 0 ? 0 : -EIO;
}
