/* A bitmap in which bit n modulo the span stands for number n. */
#include "rtp/marks.h"

#include <string.h>

static uint64_t *word_of(struct rtp_marks *marks, uint64_t number) {
    return &marks->bits[number % RTP_MARKS_SPAN / 64];
}

static uint64_t bit_of(uint64_t number) {
    return UINT64_C(1) << number % 64;
}

/* By hand: the compiler's builtin may call a library that this folder does not link. */
static unsigned count_bits(uint64_t word) {
    word -= word >> 1 & UINT64_C(0x5555555555555555);
    word = (word & UINT64_C(0x3333333333333333)) + (word >> 2 & UINT64_C(0x3333333333333333));
    word = (word + (word >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (unsigned)(word * UINT64_C(0x0101010101010101) >> 56);
}

void rtp_marks_start(struct rtp_marks *marks, uint64_t number) {
    *marks = (struct rtp_marks){.newest = number};
}

void rtp_marks_advance_far(struct rtp_marks *marks, uint64_t number) {
    if (number - marks->newest >= RTP_MARKS_SPAN) {
        rtp_marks_start(marks, number);
        return;
    }
    while (marks->newest != number) {
        marks->newest++;
        *word_of(marks, marks->newest) &= ~bit_of(marks->newest);
    }
}

void rtp_marks_set(struct rtp_marks *marks, uint64_t number, bool marked) {
    if (!rtp_marks_covers(marks, number))
        return;
    uint64_t *word = word_of(marks, number);
    marks->any = marks->any || marked;
    *word = marked ? *word | bit_of(number) : *word & ~bit_of(number);
}

unsigned rtp_marks_count_after(const struct rtp_marks *marks, uint64_t number) {
    unsigned count = 0;
    uint64_t left = marks->newest - number;
    for (uint64_t at = number + 1; left > 0;) {
        uint64_t word = marks->bits[at % RTP_MARKS_SPAN / 64] >> at % 64;
        uint64_t taken = 64 - at % 64;
        if (left < taken) {
            word &= (UINT64_C(1) << left) - 1;
            taken = left;
        }
        count += count_bits(word);
        left -= taken;
        at += taken;
    }
    return count;
}
