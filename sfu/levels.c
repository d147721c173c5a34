#include "sfu/levels.h"

#include <stdbool.h>

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
    *entry = (struct sfu_level){.participant = participant, .track = track};
    return entry;
}

/* Of more packets than there is room for the loudest counts. */
static void note(struct sfu_level *entry, uint8_t level) {
    if (entry->packets < SFU_LEVEL_PACKETS_MAX)
        entry->levels[entry->packets++] = level;
    else if (level < entry->levels[SFU_LEVEL_PACKETS_MAX - 1])
        entry->levels[SFU_LEVEL_PACKETS_MAX - 1] = level;
}

/* Whether this packet is one of those that somebody begins to speak with. */
static bool is_onset(struct sfu_level_meter *meter, uint64_t now_us, uint8_t level) {
    if (level > SFU_LEVEL_SPEECH)
        return false;
    if (meter->spoke_us == 0 || now_us - meter->spoke_us > SFU_LEVEL_PAUSE_US)
        meter->onset = SFU_LEVEL_ONSET_PACKETS;
    meter->spoke_us = now_us;
    if (meter->onset == 0)
        return false;
    meter->onset--;
    return true;
}

void sfu_levels_on_packet(struct sfu_levels *levels, struct sfu_level_meter *meter, uint64_t now_us,
                          uint64_t participant, uint64_t track, uint8_t level) {
    if (level > SFU_LEVEL_AUDIBLE && meter->summary != levels->summary)
        return;
    struct sfu_level *entry = find(levels, meter, participant, track);
    if (entry == NULL)
        return;
    note(entry, level);
    if (levels->at_us == UINT64_MAX)
        levels->at_us = now_us + SFU_LEVELS_INTERVAL_US;
    if (is_onset(meter, now_us, level) || levels->count == SFU_LEVELS_MAX)
        levels->at_us = now_us;
}
