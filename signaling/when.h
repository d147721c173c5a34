/* Points in time: the wall clock, and RFC 3339 in UTC as the interface writes them. */
#ifndef SIGNALING_WHEN_H
#define SIGNALING_WHEN_H

#include <jansson.h>
#include <stdint.h>

#define SIG_WHEN_SIZE 32

/* Milliseconds since 1970. */
uint64_t sig_when_now_ms(void);

/* Writes milliseconds since 1970 as "2026-11-23T10:00:00.123Z". */
void sig_when_write(char out[static SIG_WHEN_SIZE], uint64_t ms);

/* The same as a JSON string; null for 0, which means never. */
json_t *sig_when_json(uint64_t ms);

#endif
