#include "signaling/when.h"

#include <stdio.h>
#include <time.h>

uint64_t sig_when_now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void sig_when_write(char out[static SIG_WHEN_SIZE], uint64_t ms) {
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;
    char text[24] = "";
    if (gmtime_r(&seconds, &utc))
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out, SIG_WHEN_SIZE, "%s.%03uZ", text, (unsigned)(ms % 1000));
}

json_t *sig_when_json(uint64_t ms) {
    char text[SIG_WHEN_SIZE];
    if (ms == 0)
        return json_null();
    sig_when_write(text, ms);
    return json_string(text);
}
