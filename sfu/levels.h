/* How loud microphones are (RFC 6464), on the worker: noted with each packet, told as summaries. A
 * summary comes every 100 ms while somebody can be heard, and at once when somebody begins to
 * speak; silence tells nothing. */
#ifndef SFU_LEVELS_H
#define SFU_LEVELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SFU_LEVELS_MAX = 256, /* In one summary; when there are more it is told early. */
    SFU_LEVELS_INTERVAL_US = 100 * 1000,
    SFU_LEVEL_PACKETS_MAX = 8, /* Kept of one microphone in a summary. */
    /* −dBov. Speech close to a microphone is at 15 to 45, a quiet room at 60 to 80. */
    SFU_LEVEL_AUDIBLE = 70,
    SFU_LEVEL_SPEECH = 50,
    SFU_LEVEL_PAUSE_US = 300 * 1000, /* Between two words it is shorter. */
    SFU_LEVEL_ONSET_PACKETS = 2,     /* Told at once: the second says that it was no click. */
};

/* Of one microphone since the last summary. */
struct sfu_level {
    uint64_t participant;
    uint64_t track;
    uint8_t packets;                       /* Since the first audible one. */
    uint8_t levels[SFU_LEVEL_PACKETS_MAX]; /* −dBov of each. */
};

/* What a microphone's stream keeps. Zero-initialise. */
struct sfu_level_meter {
    uint64_t spoke_us;
    uint32_t summary; /* In which it has the place. */
    uint16_t place;
    uint8_t onset; /* Packets still to be told at once. */
};

struct sfu_levels {
    uint64_t at_us;   /* When the summary is to be told; UINT64_MAX: there is none. */
    uint32_t summary; /* Which. */
    size_t count;
    struct sfu_level entries[SFU_LEVELS_MAX];
};

void sfu_levels_init(struct sfu_levels *levels);

/* The hot path. */
void sfu_levels_on_packet(struct sfu_levels *levels, struct sfu_level_meter *meter, uint64_t now_us,
                          uint64_t participant, uint64_t track, uint8_t level);

/* Begins the next summary. */
void sfu_levels_clear(struct sfu_levels *levels);

#endif
