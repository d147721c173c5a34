/* The members of a crowd: in what order they are to come, who is there, what those knew who have
 * left. */
#ifndef BENCH_PEOPLE_H
#define BENCH_PEOPLE_H

#include "bench/member.h"
#include "bench/random.h"
#include "bench/results.h"

/* One who is to come. */
struct bench_guest {
    size_t room;
    enum bench_role role;
    size_t self; /* Which of the room's publishers he is himself, SIZE_MAX: none. */
};

struct bench_people {
    /* Given. */
    const struct bench_stage *stage;
    /* Owned. */
    struct bench_member **members;
    struct bench_guest *guests; /* Publishers before those who watch them. */
    struct bench_tally gone;
    uint64_t *signaling_us, *media_us, *first_us; /* How long joining took, each. */
    /* State. */
    size_t count, capacity;
    size_t guest_count, arrived; /* So many have begun to join. */
    size_t joins, firsts, joins_capacity;
    size_t joining, joining_publishers; /* At the last check, and since. */
    size_t failed, left;
    size_t published; /* In each room, already asked for. */
    uint64_t next_number;
    size_t speaking_from; /* Of the publishers in each room. */
    struct bench_random random;
    char failure[256];
};

void bench_people_init(struct bench_people *people, const struct bench_stage *stage);

/* Everybody leaves. */
void bench_people_deinit(struct bench_people *people);

/* More are to come: so many of each kind into the rooms from first to last. -ENOMEM. */
int bench_people_invite(struct bench_people *people, size_t first_room, size_t last_room,
                        const struct bench_plan *counts);

/* The next arrival's role; false when all have come. */
bool bench_people_next(const struct bench_people *people, enum bench_role *role);

/* Lets him come. A negative errno. */
int bench_people_admit(struct bench_people *people);

/* Looks after all who are joining. */
void bench_people_check(struct bench_people *people);

/* Who is connected, and who of them watches. */
size_t bench_people_connected(const struct bench_people *people, size_t *watching);

/* The newest one leaves. */
void bench_people_remove_last(struct bench_people *people);

/* One who watches leaves, another comes in his place. */
void bench_people_replace_one(struct bench_people *people);

/* In every room so many publishers speak, the others are silent; the turn passes to the next ones.
 */
void bench_people_speak(struct bench_people *people, size_t speakers, bool next_turn);

/* What all received, of every stride-th one; with those who have left. */
void bench_people_tally(const struct bench_people *people, size_t stride, struct bench_tally *out);

/* Joins in figures. */
void bench_people_report(struct bench_people *people, struct bench_results *out);

#endif
