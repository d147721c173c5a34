/* What a person of the world offers. */
#ifndef TESTS_SIM_WORLD_MEDIA_H
#define TESTS_SIM_WORLD_MEDIA_H

#include "tests/sim/world.h"

void world_media_write(struct world_person *person, const struct world_profile *profile);

#endif
