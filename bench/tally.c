#include "bench/tally.h"

#include <stdlib.h>

enum { DELAY_FINE_MS = 256, DELAY_COARSE_MS = 16 }; /* As bench/sink. */

static void add_sink(struct bench_tally *tally, const struct bench_sink *sink) {
    uint64_t *delays = sink->video ? tally->video_delays : tally->audio_delays;
    tally->packets += sink->packets;
    tally->lost += bench_sink_lost(sink);
    tally->duplicates += sink->receiver.duplicates;
    tally->keyframes += sink->keyframes;
    tally->keyframe_requests += sink->keyframe_requests;
    tally->freezes += sink->freezes;
    tally->frozen_us += sink->frozen_us;
    if (sink->video) {
        tally->pictures += sink->frames_complete;
        tally->pictures_broken += sink->frames_broken + sink->frames_undecodable;
    } else {
        tally->sounds += sink->frames_complete;
    }
    for (size_t i = 0; i < BENCH_DELAYS; i++)
        delays[i] += sink->delays[i];
}

void bench_tally_add_client(struct bench_tally *tally, const struct bench_client *client) {
    const struct bench_client_figures *figures = bench_client_figures(client);
    const struct bench_sink *sink;
    const struct bench_source *source;
    tally->clients += bench_client_is_connected(client);
    tally->datagrams += figures->packets;
    tally->bytes += figures->bytes;
    tally->repairs += figures->repairs;
    tally->padding += figures->padding_packets;
    for (size_t i = 0; (sink = bench_client_sink(client, i)) != NULL; i++)
        add_sink(tally, sink);
    for (size_t i = 0; (source = bench_client_source(client, i)) != NULL; i++) {
        tally->sent += source->packets;
        tally->published_keyframes += source->keyframes;
        tally->keyframes_wanted += source->keyframe_requests;
    }
}

static uint64_t between(uint64_t earlier, uint64_t later) {
    return later > earlier ? later - earlier : 0;
}

void bench_tally_between(struct bench_tally *out, const struct bench_tally *earlier,
                         const struct bench_tally *later) {
#define X(name) out->name = between(earlier->name, later->name);
    BENCH_TALLY_COUNTERS(X)
#undef X
    for (size_t i = 0; i < BENCH_DELAYS; i++) {
        out->video_delays[i] = between(earlier->video_delays[i], later->video_delays[i]);
        out->audio_delays[i] = between(earlier->audio_delays[i], later->audio_delays[i]);
    }
}

double bench_tally_lost_percent(const struct bench_tally *tally) {
    uint64_t expected = tally->packets + tally->lost;
    return expected ? 100.0 * (double)tally->lost / (double)expected : 0;
}

double bench_delay_ms(const uint64_t delays[static BENCH_DELAYS], unsigned of_1000) {
    uint64_t all = 0, below = 0;
    for (size_t i = 0; i < BENCH_DELAYS; i++)
        all += delays[i];
    for (size_t i = 0; i < BENCH_DELAYS && all > 0; i++) {
        below += delays[i];
        if (below * 1000 >= all * of_1000)
            return i < DELAY_FINE_MS
                       ? (double)(i + 1)
                       : (double)(DELAY_FINE_MS + (i - DELAY_FINE_MS + 1) * DELAY_COARSE_MS);
    }
    return 0;
}

double bench_tally_delay_ms(const struct bench_tally *tally, unsigned of_1000) {
    double video_ms = bench_delay_ms(tally->video_delays, of_1000);
    return video_ms > 0 ? video_ms : bench_delay_ms(tally->audio_delays, of_1000);
}

static int compare_numbers(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

uint64_t bench_percentile(uint64_t *values, size_t count, unsigned of_1000) {
    if (count == 0)
        return 0;
    qsort(values, count, sizeof(*values), compare_numbers);
    size_t place = (count * of_1000 + 999) / 1000;
    return values[place > 0 ? place - 1 : 0];
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *values, size_t count) {
    if (count == 0)
        return 0;
    qsort(values, count, sizeof(*values), compare_doubles);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}
