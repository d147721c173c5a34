#include "tests/sim/world_floor.h"

#include <assert.h>
#include <string.h>

void world_floor_keep(struct world *world, const struct sfu_level *levels, size_t count) {
    assert(world->level_count + count <= WORLD_LEVELS_MAX);
    memcpy(world->levels + world->level_count, levels, count * sizeof(*levels));
    world->level_count += count;
}

static void tell_levels(struct world *world) {
    for (size_t i = 0; i < world->level_count; i++) {
        const struct sfu_level *level = &world->levels[i];
        const struct world_person *person = &world->people[level->participant - 1];
        if (person->present)
            sfu_member_on_level(person->member, world->now_us, level);
    }
    world->level_count = 0;
}

static void favour(struct world *world, uint64_t number, bool on) {
    if (number == 0 || !world->people[number - 1].present)
        return;
    const struct sfu_published *track = world->people[number - 1].member->own;
    for (; track != NULL; track = track->next_own)
        for (unsigned i = 0; track->media.video && i < world->config.workers; i++)
            if (track->watchers[i] > 0)
                sfu_engine_favour(world->engines[i], world->now_us, track->media.track, on);
}

void world_floor_on_watched(struct world *world, const struct sfu_published *track,
                            unsigned worker) {
    if (track->media.video && track->member->id == world->room->favoured)
        sfu_engine_favour(world->engines[worker], world->now_us, track->media.track, true);
}

static void follow_dominant(struct world *world) {
    const struct sfu_member *dominant = sfu_room_dominant(world->room);
    uint64_t number = dominant != NULL ? dominant->id : 0;
    if (number == world->room->favoured)
        return;
    favour(world, world->room->favoured, false);
    favour(world, number, true);
    world->room->favoured = number;
}

void world_floor_run(struct world *world) {
    struct sfu_speaker speakers[SFU_SPEAKERS_MAX];
    size_t count;
    bool due = sfu_room_next_deadline(world->room) <= world->now_us;
    if (world->level_count == 0 && !due)
        return;
    tell_levels(world);
    if (due)
        sfu_room_on_deadline(world->room, world->now_us);
    follow_dominant(world);
    sfu_room_tell_speakers(world->room, world->now_us, speakers, &count);
}
