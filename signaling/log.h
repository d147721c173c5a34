/* The log: one line per event to a stream, for people or as JSON lines. Main thread only: workers
 * report by messages that are handled, and logged, on the main loop. */
#ifndef SIGNALING_LOG_H
#define SIGNALING_LOG_H

#include <stdint.h>
#include <stdio.h>

enum sig_log_level { SIG_LOG_ERROR, SIG_LOG_WARN, SIG_LOG_INFO, SIG_LOG_DEBUG };
enum sig_log_format { SIG_LOG_HUMAN, SIG_LOG_JSON };

/* Whom a line concerns; each member may be NULL. A scope of NULL concerns the server. */
struct sig_log_scope {
    const char *call;
    const char *user;
};

/* Sets what is written and where; to is borrowed until the next call. Before the first call it is
 * info and worse, human, to stderr. */
void sig_log_init(enum sig_log_level level, enum sig_log_format format, FILE *to);

/* Replaces the wall clock (microseconds since 1970), for tests; NULL brings the real one back. */
void sig_log_set_clock(uint64_t (*now_us)(void));

/* Writes one line: `2026-11-23T10:00:00.123Z info  call=… user=… joined` or a JSON object with
 * time, level, call, user and message. Control characters and invalid UTF-8 are escaped, so that no
 * text from outside starts a line or a field of its own. No newline at the end of format. */
void sig_log(enum sig_log_level level, const struct sig_log_scope *scope, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for faults that others can cause at will: at most one line a minute for each key (a
 * short constant name, or one with an address in it), with the number of lines left out since. */
void sig_log_throttled(enum sig_log_level level, const struct sig_log_scope *scope, const char *key,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
