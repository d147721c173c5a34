#include "sfu/levels.h"

void sfu_levels_init(struct sfu_levels *levels) {
    levels->summary = 0;
    sfu_levels_clear(levels);
}

void sfu_levels_clear(struct sfu_levels *levels) {
    levels->summary++;
    levels->count = 0;
    levels->at_us = UINT64_MAX;
}

static struct sfu_level *find(struct sfu_levels *levels, struct sfu_level_meter *meter,
                              uint64_t participant, uint64_t track) {
    if (meter->summary == levels->summary)
        return &levels->entries[meter->place];
    if (levels->count == SFU_LEVELS_MAX)
        return NULL;
    meter->summary = levels->summary;
    meter->place = (uint16_t)levels->count++;
    struct sfu_level *entry = &levels->entries[meter->place];
    *entry = (struct sfu_level){.participant = participant, .track = track, .loudest = 127};
    return entry;
}

void sfu_levels_on_packet(struct sfu_levels *levels, struct sfu_level_meter *meter, uint64_t now_us,
                          uint64_t participant, uint64_t track, uint8_t level) {
    if (level > SFU_LEVEL_AUDIBLE)
        return;
    struct sfu_level *entry = find(levels, meter, participant, track);
    if (entry == NULL)
        return;
    if (level < entry->loudest)
        entry->loudest = level;
    entry->packets += entry->packets < UINT8_MAX;
    if (levels->at_us == UINT64_MAX)
        levels->at_us = now_us + SFU_LEVELS_INTERVAL_US;
    bool begins = level <= SFU_LEVEL_SPEECH &&
                  (meter->spoke_us == 0 || now_us - meter->spoke_us > SFU_LEVEL_PAUSE_US);
    if (begins || levels->count == SFU_LEVELS_MAX)
        levels->at_us = now_us;
    if (level <= SFU_LEVEL_SPEECH)
        meter->spoke_us = now_us;
}
