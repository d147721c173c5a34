/* Who speaks. */
#include "rtp/loudness.h"

#include <string.h>

void rtp_loudness_init(struct rtp_loudness *loudness, unsigned places) {
    memset(loudness, 0, sizeof *loudness);
    loudness->places = (uint8_t)(places < 1                          ? 1
                                 : places > RTP_LOUDNESS_LOUDEST_MAX ? RTP_LOUDNESS_LOUDEST_MAX
                                                                     : places);
    loudness->decide_at_us = UINT64_MAX;
}

void rtp_loudness_add(struct rtp_loudness *loudness, struct rtp_loudness_speaker *speaker,
                      uint64_t id) {
    memset(speaker, 0, sizeof *speaker);
    speaker->id = id;
    speaker->next = loudness->speakers;
    if (speaker->next)
        speaker->next->previous = speaker;
    loudness->speakers = speaker;
}

unsigned rtp_loudness_remove(struct rtp_loudness *loudness, struct rtp_loudness_speaker *speaker) {
    if (speaker->next)
        speaker->next->previous = speaker->previous;
    if (speaker->previous)
        speaker->previous->next = speaker->next;
    else
        loudness->speakers = speaker->next;
    return 0;
}

unsigned rtp_loudness_on_level(struct rtp_loudness *loudness, struct rtp_loudness_speaker *speaker,
                               uint64_t now_us, uint8_t level, unsigned count) {
    (void)loudness, (void)count;
    speaker->last_us = now_us;
    speaker->level = (uint8_t)(RTP_LOUDNESS_SILENCE - (level & 0x7f));
    return 0;
}

uint64_t rtp_loudness_next_deadline(const struct rtp_loudness *loudness) {
    return loudness->decide_at_us;
}

unsigned rtp_loudness_on_deadline(struct rtp_loudness *loudness, uint64_t now_us) {
    (void)loudness, (void)now_us;
    return 0;
}

int rtp_loudness_level_db(const struct rtp_loudness_speaker *speaker, uint64_t now_us) {
    (void)now_us;
    return speaker->level - RTP_LOUDNESS_SILENCE;
}
