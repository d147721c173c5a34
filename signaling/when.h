/* Points in time as the interface writes them: RFC 3339 in UTC. */
#ifndef SIGNALING_WHEN_H
#define SIGNALING_WHEN_H

#include <jansson.h>
#include <stdint.h>

#define SIG_WHEN_SIZE 32

/* Writes milliseconds since 1970 as "2026-11-23T10:00:00.123Z". */
void sig_when_write(char out[static SIG_WHEN_SIZE], uint64_t ms);

/* The same as a JSON string; null for 0, which means never. */
json_t *sig_when_json(uint64_t ms);

#endif
