/* Who speaks in the world's room: what the front end does with the levels that workers tell. */
#ifndef TESTS_SIM_WORLD_FLOOR_H
#define TESTS_SIM_WORLD_FLOOR_H

#include "tests/sim/world.h"

/* The engines' on_levels: kept until the engines have run, as a worker's news are. */
void world_floor_keep(struct world *world, const struct sfu_level *levels, size_t count);

/* Tells the room what was kept, lets it decide what is due, and has the engines favour the dominant
 * speaker's pictures. */
void world_floor_run(struct world *world);

/* A track has got its first watcher on a worker. */
void world_floor_on_watched(struct world *world, const struct sfu_published *track,
                            unsigned worker);

#endif
