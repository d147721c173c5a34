#include "tests/sim/world_trace.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* --- Looking --- */

static const struct bench_link *bottleneck(const struct world_person *person) {
    return person->shared_down ? person->shared_down : &person->down;
}

/* By what it is: places among those that flow change with their rates. */
static unsigned name_of(const struct sfu_why_slot *slot) {
    if (slot->chosen < 0)
        return 0;
    const struct sfu_why_layer *layer = &slot->layers[slot->chosen];
    return (unsigned)layer->rid[0] * 64 + layer->spatial * 8u + layer->temporal + 1;
}

static void sample_layers(struct world_person *person, struct world_sample *sample) {
    struct world *world = person->world;
    struct sfu_why_slot slots[WORLD_MEDIA_MAX];
    struct sfu_why_answer why;
    sample->chosen = -1;
    if (sfu_engine_why(world->engines[person->member->worker], world->now_us, person->number, &why,
                       slots, WORLD_MEDIA_MAX) < 0)
        return;
    sample->estimate_bps = why.estimate_bps;
    bool first = true;
    for (size_t i = 0; i < why.slot_count; i++) {
        const struct sfu_why_slot *slot = &slots[i];
        if (!slot->video)
            continue;
        sample->layers = (uint16_t)(sample->layers * 31 + name_of(slot));
        if (first && slot->chosen >= 0) {
            sample->chosen = slot->chosen;
            sample->fps = slot->layers[slot->chosen].fps;
            sample->chosen_bps = slot->layers[slot->chosen].bps;
        }
        first = false;
    }
}

static void sample(struct world_person *person) {
    struct world_trace *trace = &person->trace;
    uint64_t now_us = person->world->now_us;
    if (trace->count == trace->capacity) {
        trace->capacity = trace->capacity * 2 + 1024;
        trace->samples = realloc(trace->samples, trace->capacity * sizeof(*trace->samples));
        assert(trace->samples != NULL);
    }
    struct world_sample *now = &trace->samples[trace->count++];
    const struct bench_sink *sink = world_sink(person, true, 0);
    *now = (struct world_sample){
        .at_us = now_us,
        .rate_bps = bench_link_rate_bps(bottleneck(person), now_us),
        .queue_us = bench_link_wait_us(bottleneck(person), now_us),
        .sent_bytes = person->sent_bytes,
        .received_bytes = person->received_bytes,
        .padding_packets = bench_client_figures(person->client)->padding_packets,
        .pictures = sink ? sink->frames_complete : 0,
        .height = sink ? sink->height : 0,
    };
    sample_layers(person, now);
}

void world_sample_all(struct world *world) {
    for (size_t i = 0; i < world->people_count; i++)
        if (world->people[i].present && world->people[i].traced)
            sample(&world->people[i]);
}

/* --- Asking --- */

static const struct world_sample *sample_at(const struct world_person *person, uint64_t at_us) {
    const struct world_trace *trace = &person->trace;
    assert(trace->count > 0);
    size_t i = 0;
    while (i + 1 < trace->count && trace->samples[i + 1].at_us <= at_us)
        i++;
    return &trace->samples[i];
}

static uint64_t rate(uint64_t from_bytes, uint64_t to_bytes, uint64_t us) {
    return us ? (to_bytes - from_bytes) * 8 * 1000000 / us : 0;
}

uint64_t world_sent_bps(const struct world_person *person, uint64_t from_us, uint64_t to_us) {
    const struct world_sample *from = sample_at(person, from_us), *to = sample_at(person, to_us);
    return rate(from->sent_bytes, to->sent_bytes, to->at_us - from->at_us);
}

uint64_t world_received_bps(const struct world_person *person, uint64_t from_us, uint64_t to_us) {
    const struct world_sample *from = sample_at(person, from_us), *to = sample_at(person, to_us);
    return rate(from->received_bytes, to->received_bytes, to->at_us - from->at_us);
}

uint64_t world_estimate_bps(const struct world_person *person, uint64_t at_us) {
    return sample_at(person, at_us)->estimate_bps;
}

static int by_size(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

uint64_t world_queue_us(const struct world_person *person, uint64_t from_us, uint64_t to_us,
                        unsigned of_1000) {
    const struct world_sample *from = sample_at(person, from_us), *to = sample_at(person, to_us);
    size_t count = (size_t)(to - from) + 1;
    uint64_t *queues = calloc(count, sizeof(*queues));
    assert(queues != NULL);
    for (size_t i = 0; i < count; i++)
        queues[i] = from[i].queue_us;
    qsort(queues, count, sizeof(*queues), by_size);
    uint64_t result = queues[(count - 1) * of_1000 / 1000];
    free(queues);
    return result;
}

size_t world_layer_changes(const struct world_person *person, uint64_t from_us, uint64_t to_us,
                           uint64_t *times_us, size_t capacity) {
    const struct world_sample *from = sample_at(person, from_us), *to = sample_at(person, to_us);
    size_t count = 0;
    for (const struct world_sample *at = from + 1; at <= to; at++) {
        if (at->layers == at[-1].layers)
            continue;
        if (count < capacity)
            times_us[count] = at->at_us;
        count++;
    }
    return count;
}

/* --- Writing --- */

static void write_csv(FILE *out, const struct world_trace *trace) {
    fputs("time_s,link_bps,queue_ms,estimate_bps,sent_bytes,received_bytes,padding_packets,"
          "pictures,height,layer,layer_fps,layer_bps\n",
          out);
    for (size_t i = 0; i < trace->count; i++) {
        const struct world_sample *at = &trace->samples[i];
        fprintf(out, "%.3f,%lu,%.1f,%lu,%lu,%lu,%lu,%lu,%u,%d,%u,%u\n", (double)at->at_us / 1e6,
                (unsigned long)at->rate_bps, (double)at->queue_us / 1e3,
                (unsigned long)at->estimate_bps, (unsigned long)at->sent_bytes,
                (unsigned long)at->received_bytes, (unsigned long)at->padding_packets,
                (unsigned long)at->pictures, at->height, at->chosen, at->fps, at->chosen_bps);
    }
}

static FILE *open_in(const char *folder, const char *name, const char *ending) {
    char path[512];
    snprintf(path, sizeof(path), "%s/%s.%s", folder, name, ending);
    return fopen(path, "w");
}

void world_plot(const struct world_person *person, const char *name) {
    const char *folder = getenv("WEIR_PLOTS");
    if (folder == NULL || person->trace.count < 2)
        return;
    mkdir(folder, 0777);
    FILE *csv = open_in(folder, name, "csv"), *svg = open_in(folder, name, "svg");
    assert(csv != NULL && svg != NULL);
    write_csv(csv, &person->trace);
    world_plot_write(svg, &person->trace, name);
    fclose(csv);
    fclose(svg);
}

uint64_t world_seed(uint64_t seed) {
    const char *asked = getenv("WEIR_SEED");
    return asked ? strtoull(asked, NULL, 10) : seed;
}
