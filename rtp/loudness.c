/* Two questions with two answers. Who is among the loudest is settled level by level, since the
 * packets of a new voice must travel at once: its level against the envelopes of the few that have
 * a place. Who dominates is settled each 300 ms, from how much of the last 20 ms, 100 ms and second
 * each one spoke. */
#include "rtp/loudness.h"

#include <math.h>
#include <string.h>

enum {
    /* Subbands of the level (Volfin and Cohen, N1), and of how many a packet has to fill so many to
     * count for its 100 ms, which have to contain so many such packets to count for the second. */
    SUBBANDS = 13,
    SUBBAND_LEVELS = (RTP_LOUDNESS_SILENCE + SUBBANDS - 1) / SUBBANDS,
    MEDIUM_LEN = 5,
    LONG_LEN = RTP_LOUDNESS_MEDIUMS,
    MEDIUM_THRESHOLD = 7,
    LONG_THRESHOLD = 4,

    /* The room's noise is the quietest of 15 s, at first of 3 s: no one speaks that long without a
     * pause. It rises to the geometric mean at most. */
    FLOOR_LEVELS = 750,
    FIRST_FLOOR_LEVELS = 150,
    /* Who was not heard of for a second has no noise above that of a quiet room: with DTX, or where
     * the inaudible is not told, nothing but speech would be learnt for noise. */
    QUIET_LEVELS = 50,
    QUIET_LEVEL = RTP_LOUDNESS_SILENCE - 70,
    /* Fewer of the last second's tenths are a cough, and make nobody dominant, however silent the
     * one who is. Not in the paper, where any sound takes over from whoever was silent for a
     * second. */
    LONG_LEAST = 4,
    /* A gap this long is silence, a shorter one the network's. */
    GAP_LEVELS = 5,

    /* −40 dBov and 10 dB above the room's noise: someone may be speaking. */
    VOICE_LEVEL = RTP_LOUDNESS_SILENCE - 40,
    VOICE_ABOVE_FLOOR = 10,
    /* The second level in a row takes a place from another, the first an empty one: 40 ms at most.
     */
    ONSET_LEVELS = 2,
    /* Of both over the envelope of the quietest that has a place: twice as loud to the ear. */
    LOUDER_DB = 10,
    /* How fast an envelope falls, in dB a second: a pause between words of 200 ms costs 8 dB. */
    FALL_DB_PER_S = 40,
};

/* The paper's weights of the three spans; speech as likely as not. */
static const float lambdas[3] = {0.78f, 24, 47};
static const uint8_t span_lens[3] = {SUBBANDS, MEDIUM_LEN, LONG_LEN};
static const float MIN_SCORE = 1e-10f;
/* By how much, as a logarithm, a challenger has to surpass the dominant one in each span. */
static const float advantages[3] = {3, 2, 0};

/* ---- What is known of a speaker ---- */

static float envelope(const struct rtp_loudness_speaker *speaker, uint64_t now_us) {
    if (now_us <= speaker->peak_at_us)
        return speaker->peak;
    float fallen = (float)(now_us - speaker->peak_at_us) * (FALL_DB_PER_S / 1e6f);
    return speaker->peak > fallen ? speaker->peak - fallen : 0;
}

/* Follows the quietest level downwards at once, and upwards when a whole window was louder. */
static void floor_follow(struct rtp_loudness_speaker *speaker, uint8_t level) {
    if (level == 0)
        return;
    if (speaker->next_floor == 0 || level < speaker->next_floor)
        speaker->next_floor = level;
    if (speaker->floor > level)
        speaker->floor = level;
    if (++speaker->floor_levels < (speaker->floor > 0 ? FLOOR_LEVELS : FIRST_FLOOR_LEVELS))
        return;
    speaker->floor = speaker->floor == 0
                         ? speaker->next_floor
                         : (uint8_t)sqrtf((float)speaker->floor * speaker->next_floor);
    speaker->next_floor = 0;
    speaker->floor_levels = 0;
}

static void floor_lower(struct rtp_loudness_speaker *speaker) {
    if (speaker->floor == 0 || speaker->floor > QUIET_LEVEL)
        speaker->floor = QUIET_LEVEL;
    if (speaker->next_floor == 0 || speaker->next_floor > QUIET_LEVEL)
        speaker->next_floor = QUIET_LEVEL;
}

/* The level's subband if it is above the noise, else 0. */
static uint8_t subband_of(const struct rtp_loudness_speaker *speaker, uint8_t level) {
    return level < speaker->floor + SUBBAND_LEVELS ? 0 : level / SUBBAND_LEVELS;
}

static void immediates_push(struct rtp_loudness_speaker *speaker, uint8_t subband) {
    speaker->newest = (uint8_t)((speaker->newest + 1) % RTP_LOUDNESS_IMMEDIATES);
    uint8_t *place = &speaker->immediates[speaker->newest];
    speaker->actives =
        (uint8_t)(speaker->actives - (*place > MEDIUM_THRESHOLD) + (subband > MEDIUM_THRESHOLD));
    *place = subband;
}

/* Whoever sends nothing is silent (DTX): the ring catches up when it is looked at. */
static void silence_fill(struct rtp_loudness_speaker *speaker, uint64_t now_us) {
    uint64_t idle_us = now_us > speaker->last_us ? now_us - speaker->last_us : 0;
    uint64_t missed = idle_us / RTP_LOUDNESS_LEVEL_US;
    if (missed < GAP_LEVELS)
        return;
    if (speaker->last_us > 0 && missed >= QUIET_LEVELS)
        floor_lower(speaker);
    speaker->level = 0;
    speaker->onset = 0;
    speaker->last_us += (missed - 1) * RTP_LOUDNESS_LEVEL_US;
    if (missed > RTP_LOUDNESS_IMMEDIATES)
        missed = RTP_LOUDNESS_IMMEDIATES + 1;
    for (uint64_t i = 1; i < missed; i++)
        immediates_push(speaker, 0);
}

/* ---- The loudest ---- */

static bool is_voice(const struct rtp_loudness_speaker *speaker) {
    return speaker->level >= VOICE_LEVEL && speaker->level >= speaker->floor + VOICE_ABOVE_FLOOR;
}

static size_t quietest_place(const struct rtp_loudness *loudness, uint64_t now_us) {
    size_t quietest = 0;
    for (size_t i = 1; i < loudness->loudest_count; i++)
        if (envelope(loudness->loudest[i], now_us) < envelope(loudness->loudest[quietest], now_us))
            quietest = i;
    return quietest;
}

/* Gives a voice its place: an empty one, or that of whoever is clearly quieter. */
static unsigned place_take(struct rtp_loudness *loudness, struct rtp_loudness_speaker *speaker,
                           uint64_t now_us) {
    size_t place = loudness->loudest_count;
    if (place == loudness->places) {
        place = quietest_place(loudness, now_us);
        struct rtp_loudness_speaker *holder = loudness->loudest[place];
        if (speaker->onset < ONSET_LEVELS ||
            speaker->lasting < envelope(holder, now_us) + LOUDER_DB)
            return 0;
        holder->is_loudest = false;
    } else {
        loudness->loudest_count++;
    }
    loudness->loudest[place] = speaker;
    speaker->is_loudest = true;
    return RTP_LOUDNESS_CHANGED_LOUDEST;
}

unsigned rtp_loudness_on_level(struct rtp_loudness *loudness, struct rtp_loudness_speaker *speaker,
                               uint64_t now_us, uint8_t level, unsigned count) {
    if (count == 0 || level > RTP_LOUDNESS_SILENCE)
        return 0;
    if (count > RTP_LOUDNESS_IMMEDIATES)
        count = RTP_LOUDNESS_IMMEDIATES;
    uint64_t span_us = (uint64_t)(count - 1) * RTP_LOUDNESS_LEVEL_US;
    silence_fill(speaker, now_us > span_us ? now_us - span_us : 0);
    uint8_t before = speaker->level;
    speaker->level = (uint8_t)(RTP_LOUDNESS_SILENCE - level);
    speaker->lasting = count == 1 && before < speaker->level ? before : speaker->level;
    speaker->last_us = now_us;
    for (unsigned i = 0; i < count; i++) {
        floor_follow(speaker, speaker->level);
        immediates_push(speaker, subband_of(speaker, speaker->level));
    }
    if (speaker->level >= envelope(speaker, now_us)) {
        speaker->peak = speaker->level;
        speaker->peak_at_us = now_us;
    }
    if (!is_voice(speaker)) {
        speaker->onset = 0;
        return 0;
    }
    unsigned onset = speaker->onset + count;
    speaker->onset = (uint8_t)(onset < UINT8_MAX ? onset : UINT8_MAX);
    if (loudness->decide_at_us == UINT64_MAX)
        loudness->decide_at_us = now_us + RTP_LOUDNESS_DECISION_US;
    return speaker->is_loudest ? 0 : place_take(loudness, speaker, now_us);
}

int rtp_loudness_level_db(const struct rtp_loudness_speaker *speaker, uint64_t now_us) {
    return (int)envelope(speaker, now_us) - RTP_LOUDNESS_SILENCE;
}

/* ---- The dominant one ---- */

static float log_binomial(unsigned n, unsigned k) {
    float sum = 0;
    for (unsigned i = 1; i <= k; i++)
        sum += logf((float)(n - k + i) / (float)i);
    return sum;
}

/* How much more likely so many active parts of a span are when it is speech (equation 8, with an
 * exponential prior of lambda for silence). */
static float score_of(unsigned active, int span) {
    unsigned len = span_lens[span];
    if (active > len)
        active = len;
    float score = log_binomial(len, active) - (float)len * logf(2) - logf(lambdas[span]) +
                  lambdas[span] * (float)active;
    return score < MIN_SCORE ? MIN_SCORE : score;
}

/* Counts what is active in the three spans and scores it; the newest packets first. */
static void speaker_score(struct rtp_loudness_speaker *speaker) {
    unsigned newest_medium = 0, active_mediums = 0, at = speaker->newest;
    for (int medium = 0; medium < RTP_LOUDNESS_MEDIUMS; medium++) {
        unsigned active = 0;
        for (int i = 0; i < MEDIUM_LEN; i++) {
            active += speaker->immediates[at] > MEDIUM_THRESHOLD;
            at = (at + RTP_LOUDNESS_IMMEDIATES - 1) % RTP_LOUDNESS_IMMEDIATES;
        }
        if (medium == 0)
            newest_medium = active;
        active_mediums += active > LONG_THRESHOLD;
    }
    speaker->mediums = (uint8_t)active_mediums;
    speaker->scores[0] = score_of(speaker->immediates[speaker->newest], 0);
    speaker->scores[1] = score_of(newest_medium, 1);
    speaker->scores[2] = score_of(active_mediums, 2);
}

/* By how much the challenger surpasses the dominant one over 100 ms; 0 when not enough in any span.
 */
static float surpasses(const struct rtp_loudness_speaker *challenger,
                       const struct rtp_loudness_speaker *dominant) {
    static const struct rtp_loudness_speaker nobody = {.scores = {1e-10f, 1e-10f, 1e-10f}};
    float ratios[3];
    if (challenger->mediums < LONG_LEAST)
        return 0;
    for (int i = 0; i < 3; i++) {
        ratios[i] = logf(challenger->scores[i] / (dominant ? dominant : &nobody)->scores[i]);
        if (!(ratios[i] > advantages[i]))
            return 0;
    }
    return ratios[1];
}

static bool is_idle(const struct rtp_loudness_speaker *speaker) {
    return speaker->actives == 0 && speaker->scores[0] <= MIN_SCORE &&
           speaker->scores[1] <= MIN_SCORE && speaker->scores[2] <= MIN_SCORE;
}

/* Scores whoever was heard in the last second; whether anybody was. */
static bool speakers_score(struct rtp_loudness *loudness, uint64_t now_us) {
    bool anybody = false;
    for (struct rtp_loudness_speaker *i = loudness->speakers; i != NULL; i = i->next) {
        if (is_idle(i))
            continue;
        silence_fill(i, now_us);
        speaker_score(i);
        anybody |= i->actives > 0;
    }
    return anybody;
}

uint64_t rtp_loudness_next_deadline(const struct rtp_loudness *loudness) {
    return loudness->decide_at_us;
}

unsigned rtp_loudness_on_deadline(struct rtp_loudness *loudness, uint64_t now_us) {
    if (now_us < loudness->decide_at_us)
        return 0;
    bool anybody = speakers_score(loudness, now_us);
    loudness->decide_at_us = anybody ? now_us + RTP_LOUDNESS_DECISION_US : UINT64_MAX;
    struct rtp_loudness_speaker *best = NULL;
    float most = 0;
    for (struct rtp_loudness_speaker *i = loudness->speakers; i != NULL; i = i->next) {
        float by = i != loudness->dominant ? surpasses(i, loudness->dominant) : 0;
        if (by > most || (best != NULL && by == most && i->peak > best->peak)) {
            most = by;
            best = i;
        }
    }
    if (best == NULL)
        return 0;
    loudness->dominant = best;
    return RTP_LOUDNESS_CHANGED_DOMINANT;
}

/* ---- Who there is ---- */

void rtp_loudness_init(struct rtp_loudness *loudness, unsigned places) {
    memset(loudness, 0, sizeof *loudness);
    if (places > RTP_LOUDNESS_LOUDEST_MAX)
        places = RTP_LOUDNESS_LOUDEST_MAX;
    loudness->places = (uint8_t)(places > 0 ? places : 1);
    loudness->decide_at_us = UINT64_MAX;
}

void rtp_loudness_add(struct rtp_loudness *loudness, struct rtp_loudness_speaker *speaker,
                      uint64_t id) {
    memset(speaker, 0, sizeof *speaker);
    speaker->id = id;
    for (int i = 0; i < 3; i++)
        speaker->scores[i] = MIN_SCORE;
    speaker->next = loudness->speakers;
    if (speaker->next)
        speaker->next->previous = speaker;
    loudness->speakers = speaker;
}

static unsigned place_leave(struct rtp_loudness *loudness,
                            const struct rtp_loudness_speaker *speaker) {
    for (size_t i = 0; i < loudness->loudest_count; i++) {
        if (loudness->loudest[i] != speaker)
            continue;
        loudness->loudest[i] = loudness->loudest[--loudness->loudest_count];
        return RTP_LOUDNESS_CHANGED_LOUDEST;
    }
    return 0;
}

unsigned rtp_loudness_remove(struct rtp_loudness *loudness, struct rtp_loudness_speaker *speaker) {
    unsigned changed = speaker->is_loudest ? place_leave(loudness, speaker) : 0;
    if (speaker->next)
        speaker->next->previous = speaker->previous;
    if (speaker->previous)
        speaker->previous->next = speaker->next;
    else
        loudness->speakers = speaker->next;
    if (loudness->dominant == speaker) {
        loudness->dominant = NULL;
        changed |= RTP_LOUDNESS_CHANGED_DOMINANT;
    }
    return changed;
}
