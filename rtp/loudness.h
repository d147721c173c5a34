/* Who speaks, from the audio levels that the senders measure (RFC 6464): the dominant speaker, by
 * Volfin and Cohen ("Dominant speaker identification for multipoint videoconferencing", 2013), and
 * the loudest few, whose packets travel. Levels may come one a packet or summed up. */
#ifndef RTP_LOUDNESS_H
#define RTP_LOUDNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RTP_LOUDNESS_SILENCE = 127,    /* In −dBov, as on the wire: 0 is the loudest. */
    RTP_LOUDNESS_LOUDEST_MAX = 16, /* Of the places of the loudest. */
    RTP_LOUDNESS_LEVEL_US = 20 * 1000,
    RTP_LOUDNESS_DECISION_US = 300 * 1000,
    /* The paper's three spans: this packet; five and ten times as many. */
    RTP_LOUDNESS_IMMEDIATES = 50,
    RTP_LOUDNESS_MEDIUMS = 10,
};

struct rtp_loudness_speaker {
    /* Given. */
    uint64_t id;
    /* Links. */
    struct rtp_loudness_speaker *next, *previous;
    /* State. */
    uint64_t last_us;    /* Of the newest level. */
    uint64_t peak_at_us; /* When its envelope was peak. */
    float peak;          /* In dB above silence: 127 is the loudest. */
    uint8_t level;       /* The newest, in dB above silence. */
    uint8_t lasting;     /* The lower of the newest two. */
    uint8_t onset;       /* Levels of a voice in a row. */
    bool is_loudest;     /* Has one of the places. */
    uint8_t floor;       /* The level of the room's noise, 0 while not known. */
    uint8_t next_floor;
    uint16_t floor_levels;
    uint8_t newest;  /* Where in the ring. */
    uint8_t mediums; /* Of the last second's tenths: active, at the last decision. */
    uint8_t immediates[RTP_LOUDNESS_IMMEDIATES]; /* A ring of how many subbands were active. */
    uint8_t actives;                             /* Of the ring: loud enough to count. */
    float scores[3]; /* At the last decision: immediate, medium, long. */
};

struct rtp_loudness {
    /* Given. */
    uint8_t places;
    /* Links. */
    struct rtp_loudness_speaker *speakers;
    struct rtp_loudness_speaker *dominant; /* Whoever spoke last stays it; NULL: nobody yet. */
    struct rtp_loudness_speaker *loudest[RTP_LOUDNESS_LOUDEST_MAX]; /* In no order. */
    uint8_t loudest_count;
    /* State. */
    uint64_t decide_at_us; /* UINT64_MAX: nobody speaks. */
};

/* Bits of what a call has changed. */
enum { RTP_LOUDNESS_CHANGED_LOUDEST = 1, RTP_LOUDNESS_CHANGED_DOMINANT = 2 };

/* places: how many may be the loudest, 1 to RTP_LOUDNESS_LOUDEST_MAX. */
void rtp_loudness_init(struct rtp_loudness *loudness, unsigned places);

/* The speaker's storage is the caller's until it is removed. */
void rtp_loudness_add(struct rtp_loudness *loudness, struct rtp_loudness_speaker *speaker,
                      uint64_t id);

/* Returns what has changed: it may have been the dominant one or among the loudest. */
unsigned rtp_loudness_remove(struct rtp_loudness *loudness, struct rtp_loudness_speaker *speaker);

/* `count` levels of 20 ms, all like this one (0 loudest to 127), of which the last ends now: 1 for
 * a packet, 5 for a summary of 100 ms. A new voice gets its place here, at once. Returns what has
 * changed. */
unsigned rtp_loudness_on_level(struct rtp_loudness *loudness, struct rtp_loudness_speaker *speaker,
                               uint64_t now_us, uint8_t level, unsigned count);

/* The next decision; UINT64_MAX while nobody speaks. */
uint64_t rtp_loudness_next_deadline(const struct rtp_loudness *loudness);

/* Decides who is dominant, if it is time. Returns what has changed. */
unsigned rtp_loudness_on_deadline(struct rtp_loudness *loudness, uint64_t now_us);

/* Its smoothed level in dBov, −127 (silence) to 0: it follows a louder one at once and falls
 * slowly. */
int rtp_loudness_level_db(const struct rtp_loudness_speaker *speaker, uint64_t now_us);

#endif
