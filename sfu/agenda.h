/* Who has to be called when: a binary heap of deadlines that are embedded in their owners. */
#ifndef SFU_AGENDA_H
#define SFU_AGENDA_H

#include <stddef.h>
#include <stdint.h>

/* Zero-initialise. */
struct sfu_deadline {
    uint64_t at_us;
    size_t place; /* In the heap, from 1; 0: not there. */
};

/* Its time stands beside it, so that a comparison does not touch the owner. */
struct sfu_agenda_entry {
    uint64_t at_us;
    struct sfu_deadline *deadline;
};

struct sfu_agenda {
    /* Owned. */
    struct sfu_agenda_entry *heap; /* heap[0] is not used. */
    /* State. */
    size_t count;
    size_t capacity;
};

void sfu_agenda_init(struct sfu_agenda *agenda);
void sfu_agenda_deinit(struct sfu_agenda *agenda);

/* Makes room for one more deadline, so that setting one never fails: called when its owner is
 * created. -ENOMEM. */
int sfu_agenda_reserve(struct sfu_agenda *agenda, size_t deadlines);

/* Sets or moves a deadline; UINT64_MAX takes it out. */
void sfu_agenda_set(struct sfu_agenda *agenda, struct sfu_deadline *deadline, uint64_t at_us);

/* Moves it to at_us if that is sooner. */
void sfu_agenda_hurry(struct sfu_agenda *agenda, struct sfu_deadline *deadline, uint64_t at_us);

/* The soonest deadline's time, UINT64_MAX when there is none. */
uint64_t sfu_agenda_next(const struct sfu_agenda *agenda);

/* Takes out and returns the soonest deadline if it is due, else NULL. */
struct sfu_deadline *sfu_agenda_take_due(struct sfu_agenda *agenda, uint64_t now_us);

#endif
