#include "sfu/agenda.h"

#include <errno.h>
#include <stdlib.h>

void sfu_agenda_init(struct sfu_agenda *agenda) {
    *agenda = (struct sfu_agenda){0};
}

void sfu_agenda_deinit(struct sfu_agenda *agenda) {
    free(agenda->heap);
    agenda->heap = NULL;
}

int sfu_agenda_reserve(struct sfu_agenda *agenda, size_t deadlines) {
    if (deadlines < agenda->capacity)
        return 0;
    size_t capacity = deadlines * 2 + 16;
    struct sfu_agenda_entry *heap = realloc(agenda->heap, capacity * sizeof(*heap));
    if (heap == NULL)
        return -ENOMEM;
    agenda->heap = heap;
    agenda->capacity = capacity;
    return 0;
}

static void put(struct sfu_agenda *agenda, size_t place, struct sfu_agenda_entry entry) {
    agenda->heap[place] = entry;
    entry.deadline->place = place;
}

static void rise(struct sfu_agenda *agenda, size_t place) {
    struct sfu_agenda_entry entry = agenda->heap[place];
    for (; place > 1 && agenda->heap[place / 2].at_us > entry.at_us; place /= 2)
        put(agenda, place, agenda->heap[place / 2]);
    put(agenda, place, entry);
}

static void sink(struct sfu_agenda *agenda, size_t place) {
    struct sfu_agenda_entry entry = agenda->heap[place];
    for (size_t child; (child = place * 2) <= agenda->count; place = child) {
        if (child < agenda->count && agenda->heap[child + 1].at_us < agenda->heap[child].at_us)
            child++;
        if (agenda->heap[child].at_us >= entry.at_us)
            break;
        put(agenda, place, agenda->heap[child]);
    }
    put(agenda, place, entry);
}

static void take_out(struct sfu_agenda *agenda, struct sfu_deadline *deadline) {
    size_t place = deadline->place;
    struct sfu_agenda_entry last = agenda->heap[agenda->count--];
    deadline->place = 0;
    if (last.deadline == deadline)
        return;
    put(agenda, place, last);
    rise(agenda, place);
    sink(agenda, last.deadline->place);
}

void sfu_agenda_set(struct sfu_agenda *agenda, struct sfu_deadline *deadline, uint64_t at_us) {
    if (at_us == UINT64_MAX) {
        if (deadline->place != 0)
            take_out(agenda, deadline);
        return;
    }
    deadline->at_us = at_us;
    size_t place = deadline->place != 0 ? deadline->place : ++agenda->count;
    put(agenda, place, (struct sfu_agenda_entry){at_us, deadline});
    rise(agenda, place);
    sink(agenda, deadline->place);
}

void sfu_agenda_hurry(struct sfu_agenda *agenda, struct sfu_deadline *deadline, uint64_t at_us) {
    if (deadline->place == 0 || at_us < deadline->at_us)
        sfu_agenda_set(agenda, deadline, at_us);
}

uint64_t sfu_agenda_next(const struct sfu_agenda *agenda) {
    return agenda->count ? agenda->heap[1].at_us : UINT64_MAX;
}

struct sfu_deadline *sfu_agenda_take_due(struct sfu_agenda *agenda, uint64_t now_us) {
    if (agenda->count == 0 || agenda->heap[1].at_us > now_us)
        return NULL;
    struct sfu_deadline *due = agenda->heap[1].deadline;
    take_out(agenda, due);
    return due;
}
