/* Looking at the people of the world who are traced. */
#ifndef TESTS_SIM_WORLD_TRACE_H
#define TESTS_SIM_WORLD_TRACE_H

#include <stdio.h>

#include "tests/sim/world.h"

void world_sample_all(struct world *world);

/* world_plot.c: the samples as a picture. */
void world_plot_write(FILE *out, const struct world_trace *trace, const char *name);

#endif
