/* The whole server: everything made in the right order, wired together, run, drained and taken
 * down. */
#ifndef SIGNALING_SERVER_H
#define SIGNALING_SERVER_H

#include <stdio.h>

#include "signaling/config.h"

/* Serves until SIGTERM or SIGINT and returns the exit status: 0 after those, 1 when it could not
 * start (which is logged). Prints one line with its address to out when it is ready.
 *
 * The first signal drains: nobody new is let in, those who are in go on until the last has left or
 * the configured deadline is over. A second one ends at once. */
int sig_server_run(const struct sig_config *config, FILE *out);

#endif
