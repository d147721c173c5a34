/* Which of the newest numbers of a sequence are marked: a bitmap that slides along with the newest,
 * for telling what was left out and how much of that came after a late number. Numbers are
 * unwrapped and compared modulo 2^64. */
#ifndef RTP_MARKS_H
#define RTP_MARKS_H

#include <stdbool.h>
#include <stdint.h>

enum { RTP_MARKS_SPAN = 1024 };

struct rtp_marks {
    /* State. */
    uint64_t newest;
    bool any; /* Some bit may be set. */
    uint64_t bits[RTP_MARKS_SPAN / 64];
};

/* Forgets all, number is the newest and not marked. */
void rtp_marks_start(struct rtp_marks *marks, uint64_t number);

/* Whether a number is ahead of the newest. */
static inline bool rtp_marks_is_newer(const struct rtp_marks *marks, uint64_t number) {
    return (int64_t)(number - marks->newest) > 0;
}

/* Whether a number is the newest or among the RTP_MARKS_SPAN - 1 before it. */
static inline bool rtp_marks_covers(const struct rtp_marks *marks, uint64_t number) {
    return marks->newest - number < RTP_MARKS_SPAN;
}

/* Makes a newer number the newest; those up to it are not marked. */
void rtp_marks_advance_far(struct rtp_marks *marks, uint64_t number);
static inline void rtp_marks_advance(struct rtp_marks *marks, uint64_t number) {
    if (number != marks->newest + 1) {
        rtp_marks_advance_far(marks, number);
        return;
    }
    marks->newest = number;
    if (marks->any)
        marks->bits[number % RTP_MARKS_SPAN / 64] &= ~(UINT64_C(1) << number % 64);
}

/* Marks or unmarks a number; nothing happens to one that is not covered. */
void rtp_marks_set(struct rtp_marks *marks, uint64_t number, bool marked);

/* Whether a number is marked; one that is not covered is not. */
static inline bool rtp_marks_has(const struct rtp_marks *marks, uint64_t number) {
    return rtp_marks_covers(marks, number) &&
           (marks->bits[number % RTP_MARKS_SPAN / 64] >> number % 64 & 1) != 0;
}

/* How many of the numbers newer than this one, which is covered, are marked. */
unsigned rtp_marks_count_after(const struct rtp_marks *marks, uint64_t number);

#endif
