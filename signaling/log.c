/* The log: one line per event to a stream, for people or as JSON lines. Main thread only. */
#include "signaling/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "signaling/text.h"

#define MESSAGE_SIZE 1024
#define LINE_SIZE (8 * MESSAGE_SIZE) /* The longest escape has six bytes for one. */
#define THROTTLE_KEYS 128
#define THROTTLE_US 60000000u

/* What repeats is remembered by its key. When all places are taken the oldest gives way. */
struct throttle {
    char key[64];
    uint64_t written_us; /* 0: free. */
    uint64_t left_out;
};

static struct {
    /* Given. */
    enum sig_log_level level;
    enum sig_log_format format;
    FILE *to; /* NULL: stderr. */
    uint64_t (*now_us)(void);
    /* State. */
    struct throttle throttles[THROTTLE_KEYS];
} logger = {.level = SIG_LOG_INFO};

static const char *const level_names[] = {"error", "warn", "info", "debug"};

/* A line being written: cut at its end, never over it. */
struct line {
    char text[LINE_SIZE];
    size_t len;
};

void sig_log_init(enum sig_log_level level, enum sig_log_format format, FILE *to) {
    logger.level = level;
    logger.format = format;
    logger.to = to;
    memset(logger.throttles, 0, sizeof(logger.throttles));
}

void sig_log_set_clock(uint64_t (*now_us)(void)) {
    logger.now_us = now_us;
}

static uint64_t now(void) {
    if (logger.now_us)
        return logger.now_us();
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void put(struct line *line, const char *text, size_t len) {
    if (len > sizeof(line->text) - 1 - line->len)
        len = sizeof(line->text) - 1 - line->len;
    memcpy(line->text + line->len, text, len);
    line->len += len;
}

static void put_text(struct line *line, const char *text) {
    put(line, text, strlen(text));
}

static void put_time(struct line *line, uint64_t now_us) {
    time_t seconds = (time_t)(now_us / 1000000);
    struct tm parts;
    char text[48];
    gmtime_r(&seconds, &parts);
    size_t len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text + len, sizeof(text) - len, ".%03uZ", (unsigned)(now_us / 1000 % 1000));
    put_text(line, text);
}

/* How many bytes of the text are one printable character, 0 if it has to be escaped. */
static size_t printable(const char *text) {
    unsigned char c = (unsigned char)text[0];
    if (c < 0x80)
        return c >= 0x20 && c != 0x7f;
    size_t size = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    return strnlen(text, size) == size && sig_text_is_name(text, size, 1) ? size : 0;
}

/* JSON's escapes serve both forms; also is escaped too, unless it is 0. Bytes that are no UTF-8
 * become the code point of the same number. */
static void put_escaped(struct line *line, const char *text, char also) {
    while (*text) {
        size_t size = printable(text);
        char escape[8];
        if (size == 1 && (*text == '\\' || *text == '"' || (also && *text == also)) && also != 0) {
            snprintf(escape, sizeof(escape), *text == ' ' ? "\\u0020" : "\\%c", *text);
            put_text(line, escape);
        } else if (size > 0) {
            put(line, text, size);
        } else {
            snprintf(escape, sizeof(escape), "\\u%04x", (unsigned char)*text);
            put_text(line, escape);
            size = 1;
        }
        text += size;
    }
}

static void put_human(struct line *line, enum sig_log_level level,
                      const struct sig_log_scope *scope, const char *message) {
    char padded[16];
    snprintf(padded, sizeof(padded), " %-5s ", level_names[level]);
    put_text(line, padded);
    if (scope && scope->call) {
        put_text(line, "call=");
        put_escaped(line, scope->call, ' ');
        put_text(line, " ");
    }
    if (scope && scope->user) {
        put_text(line, "user=");
        put_escaped(line, scope->user, ' ');
        put_text(line, " ");
    }
    put_escaped(line, message, 0);
}

static void put_json_member(struct line *line, const char *name, const char *value) {
    put_text(line, ",\"");
    put_text(line, name);
    put_text(line, "\":\"");
    put_escaped(line, value, '"');
    put_text(line, "\"");
}

static void put_json(struct line *line, enum sig_log_level level, const struct sig_log_scope *scope,
                     const char *message) {
    put_text(line, "\"");
    put_json_member(line, "level", level_names[level]);
    if (scope && scope->call)
        put_json_member(line, "call", scope->call);
    if (scope && scope->user)
        put_json_member(line, "user", scope->user);
    put_json_member(line, "message", message);
    put_text(line, "}");
}

static void write_line(enum sig_log_level level, const struct sig_log_scope *scope,
                       const char *message, uint64_t now_us) {
    struct line line = {.len = 0};
    bool is_json = logger.format == SIG_LOG_JSON;
    put_text(&line, is_json ? "{\"time\":\"" : "");
    put_time(&line, now_us);
    (is_json ? put_json : put_human)(&line, level, scope, message);
    /* One call, so that lines of other processes on the same terminal do not fall between. */
    line.text[line.len] = '\n';
    FILE *to = logger.to ? logger.to : stderr;
    fwrite(line.text, 1, line.len + 1, to);
    fflush(to);
}

void sig_log(enum sig_log_level level, const struct sig_log_scope *scope, const char *format, ...) {
    char message[MESSAGE_SIZE];
    va_list args;
    if (level > logger.level)
        return;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    write_line(level, scope, message, now());
}

static struct throttle *throttle_of(const char *key) {
    struct throttle *oldest = &logger.throttles[0];
    for (size_t i = 0; i < THROTTLE_KEYS; i++) {
        struct throttle *throttle = &logger.throttles[i];
        if (throttle->written_us && strncmp(throttle->key, key, sizeof(throttle->key) - 1) == 0)
            return throttle;
        if (throttle->written_us < oldest->written_us)
            oldest = throttle;
    }
    *oldest = (struct throttle){0};
    snprintf(oldest->key, sizeof(oldest->key), "%s", key);
    return oldest;
}

void sig_log_throttled(enum sig_log_level level, const struct sig_log_scope *scope, const char *key,
                       const char *format, ...) {
    if (level > logger.level)
        return;
    uint64_t now_us = now();
    struct throttle *throttle = throttle_of(key);
    if (throttle->written_us && now_us < throttle->written_us + THROTTLE_US) {
        throttle->left_out++;
        return;
    }
    char message[MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    if (throttle->left_out > 0 && len >= 0 && (size_t)len < sizeof(message))
        snprintf(message + len, sizeof(message) - (size_t)len,
                 " (and %llu times since the last such line)",
                 (unsigned long long)throttle->left_out);
    throttle->written_us = now_us;
    throttle->left_out = 0;
    write_line(level, scope, message, now_us);
}
